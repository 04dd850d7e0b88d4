import Synchronization
/// ALTER TABLE.
struct AlterTable {
    let definitions: DefinitionExecutor
    var session: EngineSession { definitions.session }
    var environment: Environment { definitions.environment }

    func run(_ name: ObjectName, _ action: AlterTableAction) throws {
        switch action {
        case .enableChangeTracking(let columns): return try enableTracking(name, columns)
        case .disableChangeTracking: return try disableTracking(name)
        default: break
        }
        let (found, context) = try definitions.alterable(name, Messages.cannotFindTable)
        var (table, change) = try definitions.exclusive(found, context)
        let before = table
        switch action {
        case .add(let columns, let constraints, let noCheck): try add(columns, constraints, &table, &change, context, noCheck: noCheck)
        case .alterColumn(let column, let type, let collation, let nullable): try alterColumn(column, type, collation, nullable, &table, &change, context)
        case .drop(let columns, let constraints):
            for item in constraints { try dropConstraint(item.name, ifExists: item.ifExists, &table, change, context) }
            if !constraints.isEmpty { try Rebuild.indexes(of: table, &change, context, from: before) }
            for item in columns { try dropColumn(item.name, ifExists: item.ifExists, &table, &change, context) }
        case .checkConstraint(let enabled, let constraint):
            for index in table.checks.indices where constraint == "ALL" || Names.same(table.checks[index].name, constraint, context.collation) { table.checks[index].isEnabled = enabled }
            for index in table.foreignKeys.indices where constraint == "ALL" || Names.same(table.foreignKeys[index].name, constraint, context.collation) {
                table.foreignKeys[index].isEnabled = enabled
            }
        case .enableChangeTracking, .disableChangeTracking: break
        }
        definitions.store(table, change, context)
    }

    // MARK: Columns

    private func add(
        _ columns: [ColumnDefinition], _ constraints: [ConstraintDefinition], _ table: inout TableDef, _ change: inout TableChange, _ context: DatabaseContext, noCheck: Bool
    ) throws {
        let builder = TableBuilder(definitions: definitions, context: context)
        let before = table
        for column in columns { try builder.add(column, to: &table) }
        let hasRows = change.data.rows.count > 0
        for column in table.columns[before.columns.count...] where hasRows && !column.isNullable {
            if column.defaultValue == nil, column.identity == nil, column.type.kind != .rowversion, column.computed == nil {
                throw Messages.addNotNull(column: column.name, table: table.name)
            }
        }
        let enlarged = table
        if !columns.isEmpty {
            let compiler = Compiler(environment: environment, scope: Scope(parent: nil, collation: context.collation))
            let row = try RowBuilder(table: enlarged, database: context.database, environment: environment, statement: "ALTER TABLE")
            let data = change.data
            try Rebuild.rows(of: enlarged, &change, context, from: before) { old in
                var values = old
                for (position, column) in enlarged.columns[before.columns.count...].enumerated() {
                    let ordinal = before.columns.count + position
                    var value = SQLValue.null
                    if column.identity != nil {
                        value = try row.nextIdentity(data, ordinal)
                    } else if column.type.kind == .rowversion {
                        value = row.newRowversion()
                    } else if let expression = column.defaultValue, !column.isNullable || columns[position].defaultValue != nil && !column.isNullable {
                        let compiled = try compiler.compile(expression)
                        value = try row.stored(try compiled.eval(), from: compiler.settled(compiled.type), ordinal)
                    }
                    values.append(value)
                }
                try row.finish(&values)
                return values
            }
        }
        let all = columns.flatMap(\.constraints) + constraints
        if all.isEmpty { return }
        let previous = table
        // Columns that come with the same statement may still become NOT NULL.
        try builder.addConstraints(all, to: &table, existing: hasRows || columns.isEmpty)
        try Rebuild.indexes(of: table, &change, context, from: previous)
        if noCheck { return }
        try checkExisting(table, previous, change, context)
    }

    /// New CHECK and FOREIGN KEY constraints hold for the rows that are there.
    private func checkExisting(_ table: TableDef, _ previous: TableDef, _ change: TableChange, _ context: DatabaseContext) throws {
        let codec = RowCodec(table)
        var probe = table
        probe.checks = Array(table.checks.dropFirst(previous.checks.count))
        probe.foreignKeys = Array(table.foreignKeys.dropFirst(previous.foreignKeys.count))
        if probe.checks.isEmpty, probe.foreignKeys.isEmpty { return }
        let row = try RowBuilder(table: probe, database: context.database, environment: environment, statement: "ALTER TABLE")
        var changes: [RowChange] = []
        for page in change.data.rows.pages {
            for index in 0..<page.count {
                var values = codec.decode(page.row(index))
                try row.finish(&values)
                changes.append(RowChange(old: nil, new: (KeyBytes(page.key(index)), values)))
            }
        }
        try ForeignKeys(table: probe, context: context, environment: environment).checkChildren(changes, statement: "ALTER TABLE")
    }

    private func alterColumn(
        _ name: String, _ typeName: TypeName, _ collation: String?, _ nullable: Bool?, _ table: inout TableDef, _ change: inout TableChange, _ context: DatabaseContext
    ) throws {
        guard let ordinal = table.ordinal(named: name, context.collation) else { throw Messages.alterNoColumn("ALTER TABLE ALTER COLUMN", column: name, table: table.name) }
        let before = table
        let old = table.columns[ordinal]
        let builder = TableBuilder(definitions: definitions, context: context)
        let type = try builder.type(typeName, collation: collation, index: ordinal + 1)
        if old.computed != nil || old.type.kind == .rowversion {
            throw SQLServerMessage(
                number: 4928, severity: 16,
                text: "Cannot alter column '\(old.name)' because it is '\(old.computed != nil ? "COMPUTED" : "timestamp")'.")
        }
        try checkUse(of: old, in: table, clause: "ALTER TABLE ALTER COLUMN", isDrop: false, newType: type, nullable: nullable ?? true, change)
        table.columns[ordinal].type = type
        table.columns[ordinal].isNullable = nullable ?? !(old.identity != nil)
        let changed = table
        let row = try RowBuilder(table: changed, database: context.database, environment: environment, statement: "UPDATE")
        try Rebuild.rows(of: changed, &change, context, from: before) { values in
            var values = values
            values[ordinal] = try row.stored(values[ordinal], from: old.type, ordinal)
            try row.finish(&values)
            return values
        }
    }

    private func dropColumn(_ name: String, ifExists: Bool, _ table: inout TableDef, _ change: inout TableChange, _ context: DatabaseContext) throws {
        guard let ordinal = table.ordinal(named: name, context.collation) else {
            if ifExists { return }
            throw Messages.alterNoColumn("ALTER TABLE DROP COLUMN", column: name, table: table.name)
        }
        let column = table.columns[ordinal]
        try checkUse(of: column, in: table, clause: "ALTER TABLE DROP COLUMN", isDrop: true, newType: nil, nullable: true, change)
        if table.columns.count == 1 { throw Messages.lastColumn(table.name, column.name) }
        let before = table
        table.columns.remove(at: ordinal)
        try Rebuild.rows(of: table, &change, context, from: before) { values in
            var values = values
            values.remove(at: ordinal)
            return values
        }
        context.changedCatalog?.properties.removeAll { $0.objectID == before.id && $0.minorID == column.id }
    }

    /// Throws 5074 and 4922 where something depends on a column.
    private func checkUse(
        of column: ColumnDef, in table: TableDef, clause: String, isDrop: Bool, newType: SQLType?, nullable: Bool, _ change: TableChange
    ) throws {
        var users: [SQLServerMessage] = []
        if isDrop, let name = column.defaultName { users.append(Messages.dependent("object", name, column.name)) }
        for index in table.indexes where index.keys.contains(where: { $0.columnID == column.id }) || index.included.contains(column.id) {
            // A longer variable-length type of the same kind does no harm.
            if let newType, newType.kind == column.type.kind, newType.isMax == false, newType.length >= column.type.length, !nullable || !index.isPrimaryKey,
                [.varchar, .nvarchar, .varbinary].contains(newType.kind) || newType == column.type, change.data.tracking == nil || !index.isPrimaryKey {
                continue
            }
            users.append(Messages.dependent(index.isPrimaryKey || index.isUniqueConstraint ? "object" : "index", index.name, column.name))
        }
        for check in table.checks where check.condition.mentions(column.name) { users.append(Messages.dependent("object", check.name, column.name)) }
        for other in table.columns where other.computed?.mentions(column.name) ?? false { users.append(Messages.dependent("column", other.name, column.name)) }
        for key in table.foreignKeys where key.columns.contains(column.id) { users.append(Messages.dependent("object", key.name, column.name)) }
        if !users.isEmpty { throw SeveralMessages(messages: users + [Messages.columnAccessed("\(clause) \(column.name)", "")]) }
    }

    private func dropConstraint(_ name: String, ifExists: Bool, _ table: inout TableDef, _ change: TableChange, _ context: DatabaseContext) throws {
        if let index = table.indexes.firstIndex(where: { $0.constraintID != 0 && Names.same($0.name, name, context.collation) }) {
            if table.indexes[index].isPrimaryKey, change.data.tracking != nil {
                throw SeveralMessages(messages: [Messages.trackedPrimaryKey(table.indexes[index].name, table.name), Messages.constraintNotDropped])
            }
            table.indexes.remove(at: index)
        } else if let index = table.checks.firstIndex(where: { Names.same($0.name, name, context.collation) }) {
            table.checks.remove(at: index)
        } else if let index = table.foreignKeys.firstIndex(where: { Names.same($0.name, name, context.collation) }) {
            table.foreignKeys.remove(at: index)
        } else if let ordinal = table.columns.firstIndex(where: { $0.defaultName.map { Names.same($0, name, context.collation) } ?? false }) {
            table.columns[ordinal].defaultValue = nil
            table.columns[ordinal].defaultText = nil
            table.columns[ordinal].defaultName = nil
        } else if !ifExists {
            throw SeveralMessages(messages: [Messages.notAConstraint(name), Messages.constraintNotDropped])
        }
    }

    // MARK: Change tracking

    private func enableTracking(_ name: ObjectName, _ columns: Bool) throws {
        let (found, context) = try definitions.alterable(name, Messages.cannotFindTable)
        guard context.database.current.options.tracking != nil else { throw Messages.trackingNeedsDatabase(context.database.name, found.name) }
        var (table, change) = try definitions.exclusive(found, context)
        if change.data.tracking != nil { throw Messages.alreadyTracked(table.name) }
        if table.primaryKey == nil { throw Messages.trackingNeedsKey(table.name) }
        let version = context.database.current.trackingVersion
        change.data.tracking = TrackedTable(tracksColumns: columns, beginVersion: version)
        table.revision += 1
        definitions.store(table, change, context)
    }
    private func disableTracking(_ name: ObjectName) throws {
        let (found, context) = try definitions.alterable(name, Messages.cannotFindTable)
        var (table, change) = try definitions.exclusive(found, context)
        if change.data.tracking == nil { throw Messages.tableNotTracked(table.name) }
        change.data.tracking = nil
        change.tracked = []
        table.revision += 1
        definitions.store(table, change, context)
    }
}

extension Expression {
    /// Whether a column of that name is in it.
    func mentions(_ name: String) -> Bool {
        if case .column(let parts) = self { return parts.last?.lowercased() == name.lowercased() }
        return children.contains { $0.mentions(name) }
    }
}

/// ALTER DATABASE ... SET.
struct AlterDatabase {
    let session: EngineSession

    func run(_ name: String?, _ options: [DatabaseOption]) throws {
        let database: Database
        if let name {
            guard let found = session.server.database(named: name) else { throw failed(Messages.cannotAlterDatabase(name)) }
            database = found
        } else {
            database = session.database
        }
        let context = DatabaseContext(database: database)
        guard session.login.isSysadmin || Permissions.has("ALTER", context, session) else { throw failed(Messages.cannotAlterDatabase(name ?? database.name)) }
        if session.transaction != nil { throw Messages.notInTransaction("ALTER DATABASE") }
        for option in options {
            switch option {
            case .changeTracking(let on, let minutes, let unit, let cleanup): try tracking(database, on, minutes, unit, cleanup)
            case .named(let key, let value): try apply(database, key, value)
            }
        }
    }
    private func failed(_ message: SQLServerMessage) -> SeveralMessages { SeveralMessages(messages: [message, Messages.alterDatabaseFailed]) }

    private func tracking(_ database: Database, _ on: Bool?, _ minutes: Int64?, _ unit: Int?, _ cleanup: Bool?) throws {
        if ["master", "tempdb", "model", "msdb"].contains(database.name.lowercased()) {
            throw failed(SQLServerMessage(
                number: 5090, severity: 16, text: "Database '\(database.name)' is a system database. Change tracking settings cannot be modified for system databases."))
        }
        if let minutes, minutes < 1 || minutes > 2_147_483_647 { throw failed(Messages.retentionRange("CHANGE_RETENTION")) }
        let failure: SQLServerMessage? = database.state.withLock { state in
            switch on {
            case true?:
                if state.options.tracking != nil { return Messages.trackedDatabase(database.name) }
                state.options.tracking = TrackingOptions()
            case false?:
                if state.options.tracking == nil { return nil }
                if state.tables.values.contains(where: { $0.tracking != nil }) { return Messages.tablesStillTracked(database.name) }
                state.options.tracking = nil
                state.trackingVersion = 0
                state.commits = CommitLog()
                return nil
            case nil:
                if state.options.tracking == nil { return Messages.untrackedDatabase(database.name) }
            }
            if let minutes { state.options.tracking?.retentionMinutes = minutes }
            if let unit { state.options.tracking?.retentionUnit = unit }
            if let cleanup { state.options.tracking?.autoCleanup = cleanup }
            return nil
        }
        if let failure { throw failed(failure) }
    }

    private func apply(_ database: Database, _ key: String, _ value: String) throws {
        let on = value == "ON"
        var collation: SQLCollation?
        if key == "COLLATE" {
            guard let found = SQLCollation(named: value) else { throw Messages.invalidCollation(value) }
            collation = found
        }
        database.state.withLock { state in
            switch key {
            case "READ_ONLY": state.options.isReadOnly = on
            case "ALLOW_SNAPSHOT_ISOLATION": state.options.snapshotIsolation = on
            case "READ_COMMITTED_SNAPSHOT": state.options.readCommittedSnapshot = on
            case "COMPATIBILITY_LEVEL": state.options.compatibilityLevel = Int(value) ?? state.options.compatibilityLevel
            case "RECOVERY": state.options.recoveryModel = value
            case "COLLATE": if let collation { state.options.collation = collation }
            default: state.options.others[key] = value
            }
        }
    }
}
