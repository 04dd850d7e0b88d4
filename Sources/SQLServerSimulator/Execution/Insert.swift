import TDSWire

/// What an INSERT, UPDATE, DELETE or MERGE did.
struct DMLResult {
    var count: UInt64 = 0
    /// Result of an OUTPUT clause without INTO.
    var output: (columns: [ResultColumn], rows: [[SQLValue]])?
}

/// Finds the target table of a statement that writes, and checks that it may be written.
struct WriteTarget {
    let table: TableDef
    let context: DatabaseContext
    var database: Database { context.database }

    init(_ target: DMLTarget, permission: String, environment: Environment) throws {
        let session = environment.session
        let name: ObjectName
        switch target {
        case .variable(let variable):
            guard let table = environment.tableVariables[variable.lowercased()] else { throw Messages.undeclaredTable(variable) }
            name = ObjectName(name: table)
        case .name(let given): name = given
        }
        let resolved = try session.resolve(name)
        context = resolved.context
        switch resolved.object {
        case .table(let table)?: self.table = table
        case .view(let view)?:
            throw SQLServerMessage(number: 4403, severity: 16, text: "Cannot update the view or function '\(view.name)' because it contains aggregates, or a DISTINCT or GROUP BY clause, or PIVOT or UNPIVOT operator.")
        case .system?:
            throw SQLServerMessage(number: 259, severity: 16, text: "Ad hoc updates to system catalogs are not allowed.")
        case nil: throw Messages.invalidObject(name.text)
        }
        try Permissions.require(permission, objectID: table.id, schemaID: table.schemaID, name: table.name, context, session)
        if context.options.isReadOnly, !context.database.isPrivate { throw Messages.readOnly(context.database.name) }
        try session.checkSnapshot(context)
    }
}

struct InsertExecutor {
    let environment: Environment
    var session: EngineSession { environment.session }

    func run(_ statement: InsertStatement) throws -> DMLResult {
        let target = try WriteTarget(statement.target, permission: "INSERT", environment: environment)
        let table = target.table
        let collation = target.context.collation
        let builder = try RowBuilder(table: table, database: target.database, environment: environment, statement: "INSERT")
        let writer = TableWriter(session: session, table: table, database: target.database)
        writer.trackingContext = try TrackingContext.value(statement.context, with: statement.with, environment)
        let scope = Scope(parent: nil, collation: session.collation)
        let compiler = Compiler(environment: environment, scope: scope)

        // Which columns are given.
        let identityInsert = session.settings.identityInsert.map { $0 == (target.database.id, table.id) } ?? false
        var ordinals: [Int] = []
        if let names = statement.columns {
            for name in names {
                guard let ordinal = table.ordinal(named: name, collation) else { throw Messages.invalidColumn(name) }
                if ordinals.contains(ordinal) { throw Messages.columnTwiceInSet(name) }
                let column = table.columns[ordinal]
                if column.computed != nil { throw Messages.notModifiable(column.name) }
                if column.type.kind == .rowversion { throw Messages.insertTimestamp }
                if column.identity != nil, !identityInsert { throw Messages.identityInsertOff(table.name) }
                ordinals.append(ordinal)
            }
            if identityInsert, let identity = table.identityOrdinal, !ordinals.contains(identity) { throw Messages.identityValueMissing(table.name) }
        } else {
            // Without a list: all but identity and computed columns. A rowversion column takes only DEFAULT or NULL.
            ordinals = table.columns.indices.filter { table.columns[$0].identity == nil && table.columns[$0].computed == nil }
        }

        // Defaults of the columns that aren't.
        let given = Set(ordinals)
        var defaults: [(ordinal: Int, value: () throws -> SQLValue, type: SQLType)] = []
        for (ordinal, column) in table.columns.enumerated() where column.computed == nil && !given.contains(ordinal) {
            if let expression = column.defaultValue {
                let compiled = try compiler.compile(expression)
                defaults.append((ordinal, compiled.eval, compiled.type))
            }
        }
        let context = target.context
        guard let data = context.data(table.id) else { throw Messages.invalidObject(table.name) }
        let identity = table.identityOrdinal
        let rowversion = table.rowversionOrdinal
        let output = try statement.output.map { try OutputCollector($0, table: table, environment: environment, inserted: true, deleted: false) }
        let foreignKeys = ForeignKeys(table: table, context: context, environment: environment)
        var result = DMLResult()
        var batch: [RowChange] = []
        var lastIdentity: SQLValue?
        var isLimited = Int.max
        if let top = statement.top { isLimited = try QueryPlanner(environment: environment).count(top.count, scope)() }

        func add(_ fill: (inout [SQLValue]) throws -> Void) throws {
            if result.count >= UInt64(isLimited) { return }
            var values = [SQLValue](repeating: .null, count: table.columns.count)
            try fill(&values)
            for item in defaults { values[item.ordinal] = try builder.stored(try item.value(), from: item.type, item.ordinal) }
            if let identity {
                if given.contains(identity) {
                    if case .int(let number) = try Conversion.convert(values[identity], from: table.columns[identity].type, to: .bigint), let def = table.columns[identity].identity {
                        if data.identityUsed.take() == 0 { data.identity.set(number) } else { data.identity.raise(to: number, descending: def.increment < 0) }
                    }
                } else {
                    values[identity] = try builder.nextIdentity(data, identity)
                }
                lastIdentity = values[identity]
            }
            if let rowversion { values[rowversion] = builder.newRowversion() }
            try builder.finish(&values)
            let key = writer.codec.clusterKey(values) { data.rowNumbers.take() }
            batch.append(RowChange(old: nil, new: (key, values)))
            result.count += 1
            try output?.add(inserted: values, deleted: nil, action: "INSERT")
            if batch.count >= 4096 {
                try environment.checkCancelled()
                try foreignKeys.checkChildren(batch, statement: "INSERT")
                try writer.write(batch)
                batch.removeAll(keepingCapacity: true)
            }
        }

        switch statement.source {
        case .defaults:
            // Columns given nothing take their defaults.
            try add { values in
                for ordinal in ordinals {
                    guard let expression = table.columns[ordinal].defaultValue else { continue }
                    let compiled = try compiler.compile(expression)
                    values[ordinal] = try builder.stored(try compiled.eval(), from: compiled.type, ordinal)
                }
            }
        case .values(let rows):
            for row in rows {
                guard row.count == ordinals.count else {
                    if statement.columns == nil { throw Messages.columnCount }
                    throw row.count < ordinals.count ? Messages.moreColumns : Messages.fewerColumns
                }
                try add { values in
                    for (position, expression) in row.enumerated() {
                        let ordinal = ordinals[position]
                        let column = table.columns[ordinal]
                        switch expression {
                        case .defaultValue:
                            if let own = column.defaultValue {
                                let compiled = try compiler.compile(own)
                                values[ordinal] = try builder.stored(try compiled.eval(), from: compiled.type, ordinal)
                            }
                        case .literal(let value, let type):
                            if column.type.kind == .rowversion, !value.isNull { throw Messages.insertTimestamp }
                            if case .string(let text) = value, !type.isUnicode {
                                values[ordinal] = try builder.stored(.string(collation.codePage.stored(text)), from: compiler.settled(type), ordinal)
                            } else {
                                values[ordinal] = try builder.stored(value, from: type, ordinal)
                            }
                        default:
                            let compiled = try compiler.compile(expression)
                            if column.type.kind == .rowversion { throw Messages.insertTimestamp }
                            values[ordinal] = try builder.stored(try compiled.eval(), from: compiler.settled(compiled.type), ordinal)
                        }
                    }
                }
            }
        case .query(let query):
            let with = statement.with
            let whole = with.isEmpty ? query : Query(with: with + query.with, body: query.body, order: query.order, offset: query.offset, fetch: query.fetch)
            let plan = try QueryPlanner(environment: environment).plan(whole, scope: Scope(parent: nil, collation: session.collation))
            guard plan.columns.count == ordinals.count else {
                if statement.columns == nil { throw Messages.columnCount }
                throw plan.columns.count < ordinals.count ? Messages.fewerItems : Messages.moreItems
            }
            for ordinal in ordinals where table.columns[ordinal].type.kind == .rowversion { throw Messages.insertTimestamp }
            try plan.open()
            let types = plan.columns.map(\.type)
            while try plan.next() {
                try add { values in
                    for (position, ordinal) in ordinals.enumerated() { values[ordinal] = try builder.stored(plan.value(position), from: types[position], ordinal) }
                }
            }
        case .rows(let rows, let types):
            guard types.count == ordinals.count else { throw Messages.columnCount }
            for row in rows {
                try add { values in
                    for (position, ordinal) in ordinals.enumerated() { values[ordinal] = try builder.stored(row[position], from: types[position], ordinal) }
                }
            }
        case .execute(let call):
            let rows = try BatchRun.collect(call, environment: environment)
            for row in rows {
                guard row.values.count == ordinals.count else { throw Messages.columnCount }
                try add { values in
                    for (position, ordinal) in ordinals.enumerated() { values[ordinal] = try builder.stored(row.values[position], from: row.types[position], ordinal) }
                }
            }
        }
        try foreignKeys.checkChildren(batch, statement: "INSERT")
        try writer.write(batch)
        if let lastIdentity {
            let number = try Conversion.convert(lastIdentity, from: table.columns[identity ?? 0].type, to: SQLType(.numeric, precision: 38))
            session.lastIdentity = number
            session.scopeIdentity = number
        } else if result.count > 0, identity == nil {
            session.lastIdentity = .null
        }
        result.output = try output?.finish()
        return result
    }
}

/// WITH CHANGE_TRACKING_CONTEXT (...).
enum TrackingContext {
    static func value(_ expression: Expression?, with: [CommonTable], _ environment: Environment) throws -> [UInt8]? {
        guard let expression else { return nil }
        let compiled = try Compiler(environment: environment, scope: Scope(parent: nil, collation: environment.collation)).compile(expression)
        guard compiled.type.isBinary || compiled.type.kind == .null else { throw Messages.contextType }
        guard case .binary(let bytes) = try compiled.eval() else { return nil }
        if bytes.count > 128 { throw Messages.contextType }
        return bytes
    }
}

/// The OUTPUT clause: INSERTED, DELETED, $action.
final class OutputCollector {
    private let outputs: [Compiled]
    private let columns: [ResultColumn]
    private let inserted: SourceBinding?, deleted: SourceBinding?, action: SourceBinding
    private let clause: OutputClause
    private let environment: Environment
    private var rows: [[SQLValue]] = []

    init(_ clause: OutputClause, table: TableDef, environment: Environment, inserted: Bool, deleted: Bool, sources: [SourceBinding] = []) throws {
        self.clause = clause
        self.environment = environment
        let scope = Scope(parent: nil, collation: environment.collation)
        let list = table.columns.map { BoundColumn(name: $0.name, type: $0.type, isNullable: $0.isNullable || (inserted && deleted)) }
        self.inserted = inserted ? SourceBinding(alias: "INSERTED", columns: list) : nil
        self.deleted = deleted ? SourceBinding(alias: "DELETED", columns: list) : nil
        action = SourceBinding(alias: "$", columns: [BoundColumn(name: "$action", type: .nvarchar(10), isNullable: false)])
        let own = [self.inserted, self.deleted].compactMap(\.self)
        scope.sources = own + sources + [action]
        let compiler = Compiler(environment: environment, scope: scope)
        let planner = QueryPlanner(environment: environment)
        var outputs: [Compiled] = [], columns: [ResultColumn] = []
        for item in clause.items {
            switch item {
            case .star(let prefix):
                for source in prefix.isEmpty ? own : scope.source(named: prefix).map({ [$0] }) ?? [] {
                    for ordinal in source.columns.indices {
                        let value = compiler.reference(source, ordinal)
                        outputs.append(value)
                        columns.append(planner.result(value, name: source.columns[ordinal].name, compiler))
                    }
                }
            case .expression(let expression, let alias):
                let value = try compiler.compile(expression)
                var name = alias ?? ""
                if alias == nil, case .column(let parts) = expression { name = parts[parts.count - 1] }
                outputs.append(value)
                columns.append(planner.result(value, name: name, compiler))
            case .assign: throw Messages.syntax("=", line: 0)
            }
        }
        self.outputs = outputs
        self.columns = columns
    }
    func add(inserted values: [SQLValue]?, deleted old: [SQLValue]?, action name: String) throws {
        if let inserted { if let values { inserted.slot.values = values } else { inserted.slot.setNull() } }
        if let deleted { if let old { deleted.slot.values = old } else { deleted.slot.setNull() } }
        action.slot.values = [.string(name)]
        rows.append(try outputs.map { try $0.eval() })
    }
    /// The result for the client, or nil after writing it INTO a table.
    func finish() throws -> (columns: [ResultColumn], rows: [[SQLValue]])? {
        guard let into = clause.into else { return (columns, rows) }
        if !rows.isEmpty {
            let statement = InsertStatement(
                top: nil, target: into, columns: clause.intoColumns.isEmpty ? nil : clause.intoColumns, output: nil, source: .rows(rows, types: columns.map(\.type)), context: nil)
            _ = try InsertExecutor(environment: environment).run(statement)
        }
        return nil
    }
}
