/// Columns and constraints of CREATE TABLE and ALTER TABLE.
struct TableBuilder {
    let definitions: DefinitionExecutor
    let context: DatabaseContext
    var environment: Environment { definitions.environment }

    func type(_ name: TypeName, collation: String?, index: Int) throws -> SQLType {
        var type = try environment.type(name, index: index)
        if type.isCharacter || type.kind == .xml {
            type.collation = context.collation
            if let collation, type.kind != .xml {
                if collation.lowercased() == "database_default" { type.collation = context.collation } else {
                    guard let chosen = SQLCollation(named: collation) else { throw Messages.invalidCollation(collation) }
                    if chosen.isUnicodeOnly, type.isCharacter, !type.isUnicode { throw Messages.unicodeOnly(chosen.name) }
                    type.collation = chosen
                }
            }
        } else if collation != nil {
            throw SQLServerMessage(number: 452, severity: 16, text: "COLLATE clause cannot be used on user-defined data types.")
        }
        return type
    }

    func add(_ definition: ColumnDefinition, to table: inout TableDef) throws {
        if table.ordinal(named: definition.name, context.collation) != nil { throw Messages.duplicateColumn(definition.name, table.name) }
        var column = ColumnDef(id: table.nextColumnID, name: definition.name, type: .int, isNullable: true)
        table.nextColumnID += 1
        if let expression = definition.computed {
            let binding = SourceBinding(
                alias: table.name, columns: table.columns.map { BoundColumn(name: $0.name, type: $0.type, isNullable: $0.isNullable) })
            let scope = Scope(parent: nil, collation: context.collation)
            scope.sources = [binding]
            let compiler = Compiler(environment: environment, scope: scope)
            let compiled = try compiler.compile(expression)
            column.type = compiler.settled(compiled.type)
            if column.type.kind == .int { column.type.precision = 0 }
            column.isNullable = compiled.isNullable && !(definition.isPersisted && definition.isNullable == false)
            column.computed = expression
            column.computedText = "(\(definition.computedText))"
            column.isPersisted = definition.isPersisted
            table.columns.append(column)
            return
        }
        guard let name = definition.type else { return }
        column.type = try type(name, collation: definition.collation, index: table.columns.count + 1)
        column.isNullable = definition.isNullable ?? !(column.type.isSysname || column.type.kind == .rowversion && definition.isNullable == nil)
        if column.type.kind == .rowversion {
            if table.rowversionOrdinal != nil { throw Messages.secondTimestamp(table.name, column.name) }
            column.isNullable = definition.isNullable ?? false
        }
        column.isRowGUID = definition.isRowGUID
        if let identity = definition.identity {
            guard column.type.isInteger || (column.type.isDecimal && column.type.scale == 0), definition.isNullable != true else { throw Messages.identityType(column.name) }
            if table.identityOrdinal != nil { throw Messages.secondIdentity(table.name) }
            column.identity = IdentityDef(seed: identity.seed, increment: identity.increment)
            column.isNullable = false
        }
        if let value = definition.defaultValue {
            try check(value)
            column.defaultValue = value
            column.defaultText = TableBuilder.parenthesised(definition.defaultText)
            column.defaultName = definition.defaultName ?? TableBuilder.generatedName("DF", table.name, column.name, context.database)
            column.defaultID = context.database.newObjectID()
        }
        // A primary key's columns become NOT NULL where nothing was said.
        if definition.isNullable == nil, definition.constraints.contains(where: { if case .primaryKey = $0.kind { return true } else { return false } }) {
            column.isNullable = false
        }
        table.columns.append(column)
    }
    /// A default has to compile, without columns.
    private func check(_ value: Expression) throws {
        _ = try Compiler(environment: environment, scope: Scope(parent: nil, collation: context.collation)).compile(value)
    }
    static func parenthesised(_ text: String) -> String {
        if text.hasPrefix("("), text.hasSuffix(")") { return text }
        if let first = text.first, first.isNumber || first == "-" { return "((\(text)))" }
        return "(\(text))"
    }
    static func generatedName(_ prefix: String, _ table: String, _ column: String?, _ database: Database) -> String {
        func hex(_ number: Int64, _ width: Int) -> String {
            let digits = String(number, radix: 16, uppercase: true)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let number = Int64(database.newObjectID())
        if let column { return "\(prefix)__\(table.prefix(9))__\(column.prefix(9))__\(hex(number, 8))" }
        return "\(prefix)__\(table.prefix(16))__\(hex(number &* 2_654_435_761 & 0xFFFF_FFFF, 8))\(hex(number, 8))"
    }

    func keys(_ columns: [IndexColumn], in table: TableDef) throws -> [IndexKey] {
        try columns.map { column in
            guard let ordinal = table.ordinal(named: column.name, context.collation) else { throw Messages.indexColumn(column.name) }
            let type = table.columns[ordinal].type
            if type.isLOB || type.kind == .xml { throw Messages.indexType(table.columns[ordinal].name, table.name) }
            return IndexKey(columnID: table.columns[ordinal].id, descending: column.descending)
        }
    }

    /// Gives the index its id: 1 is the clustered one.
    func append(_ index: IndexDef, to table: inout TableDef) throws {
        var index = index
        if index.isClustered {
            if let other = table.clustered { throw Messages.secondClustered(table.name, other.name) }
            index.id = 1
        } else {
            index.id = table.nextIndexID
            table.nextIndexID += 1
        }
        table.indexes.append(index)
    }

    func addConstraints(_ list: [ConstraintDefinition], to table: inout TableDef, existing: Bool = false) throws {
        // Who asks for the clustered index: a primary key unless another constraint says CLUSTERED.
        let claimsClustered = list.contains { constraint in
            switch constraint.kind {
            case .unique(clustered: true, _), .index(clustered: true, _, _): return true
            default: return false
            }
        }
        for constraint in list {
            if let name = constraint.name {
                if definitions.isConstraintName(name, table.schemaID, context) || table.indexes.contains(where: { $0.constraintID != 0 && Names.same($0.name, name, context.collation) })
                    || context.catalog.objectID(schema: table.schemaID, name: name, context.collation) != nil {
                    throw SeveralMessages(messages: [Messages.objectExists(name), Messages.cannotCreateConstraint()])
                }
            }
            switch constraint.kind {
            case .primaryKey(let clustered, let columns):
                if table.primaryKey != nil { throw SeveralMessages(messages: [Messages.secondPrimaryKey(table.name), Messages.cannotCreateConstraint()]) }
                for column in columns {
                    guard let ordinal = table.ordinal(named: column.name, context.collation) else {
                        throw SeveralMessages(messages: [Messages.indexColumn(column.name), Messages.cannotCreateConstraint()])
                    }
                    if table.columns[ordinal].isNullable {
                        // Of a new table: what wasn't declared NULL becomes NOT NULL.
                        if existing { throw SeveralMessages(messages: [Messages.nullablePrimaryKey(table.name), Messages.cannotCreateConstraint()]) }
                        table.columns[ordinal].isNullable = false
                    }
                }
                let keys = try keys(columns, in: table)
                try append(
                    IndexDef(
                        id: 0, name: constraint.name ?? TableBuilder.generatedName("PK", table.name, nil, context.database), isUnique: true, isPrimaryKey: true,
                        isUniqueConstraint: false, isClustered: clustered ?? (table.clustered == nil && !claimsClustered), keys: keys,
                        constraintID: context.database.newObjectID(), isSystemNamed: constraint.name == nil), to: &table)
            case .unique(let clustered, let columns):
                let keys = try keys(columns, in: table)
                try append(
                    IndexDef(
                        id: 0, name: constraint.name ?? TableBuilder.generatedName("UQ", table.name, nil, context.database), isUnique: true, isPrimaryKey: false,
                        isUniqueConstraint: true, isClustered: clustered ?? false, keys: keys, constraintID: context.database.newObjectID(),
                        isSystemNamed: constraint.name == nil), to: &table)
            case .index(let clustered, let unique, let columns):
                try append(
                    IndexDef(
                        id: 0, name: constraint.name ?? "index", isUnique: unique, isPrimaryKey: false, isUniqueConstraint: false, isClustered: clustered ?? false,
                        keys: try keys(columns, in: table)), to: &table)
            case .check(let condition, let text):
                let binding = SourceBinding(alias: table.name, columns: table.columns.map { BoundColumn(name: $0.name, type: $0.type, isNullable: $0.isNullable) })
                let scope = Scope(parent: nil, collation: context.collation)
                scope.sources = [binding]
                _ = try Compiler(environment: environment, scope: scope).compilePredicate(condition)
                table.checks.append(
                    CheckDef(
                        name: constraint.name ?? TableBuilder.generatedName("CK", table.name, "", context.database), id: context.database.newObjectID(), condition: condition,
                        text: text))
            case .foreignKey(let columns, let references, let referenced, let onDelete, let onUpdate):
                let parent: TableDef
                if references.database == nil, Names.same(references.name, table.name, context.collation), references.schema == nil || references.schema == context.catalog.schemaName(table.schemaID) {
                    parent = table
                } else {
                    guard case .table(let found)? = try environment.session.resolve(references).object else {
                        throw SeveralMessages(messages: [
                            SQLServerMessage(
                                number: 1767, state: 0, severity: 16,
                                text: "Foreign key '\(constraint.name ?? "")' references invalid table '\(references.text)'."), Messages.cannotCreateConstraint(),
                        ])
                    }
                    parent = found
                }
                let own = try columns.map { name -> Int32 in
                    guard let ordinal = table.ordinal(named: name, context.collation) else { throw Messages.indexColumn(name) }
                    return table.columns[ordinal].id
                }
                let target: [Int32]
                if referenced.isEmpty { target = parent.primaryKey?.keys.map(\.columnID) ?? [] } else {
                    target = try referenced.map { name in
                        guard let ordinal = parent.ordinal(named: name, context.collation) else { throw Messages.indexColumn(name) }
                        return parent.columns[ordinal].id
                    }
                }
                guard own.count == target.count, parent.indexes.contains(where: { $0.isUnique && Set($0.keys.map(\.columnID)) == Set(target) }) else {
                    throw SeveralMessages(messages: [
                        SQLServerMessage(
                            number: 1776, state: 0, severity: 16,
                            text: "There are no primary or candidate keys in the referenced table '\(references.text)' that match the referencing column list in the foreign key '\(constraint.name ?? "")'."),
                        Messages.cannotCreateConstraint(),
                    ])
                }
                table.foreignKeys.append(
                    ForeignKeyDef(
                        name: constraint.name ?? TableBuilder.generatedName("FK", table.name, columns.first ?? "", context.database), id: context.database.newObjectID(),
                        columns: own, referencedTable: parent.id, referencedColumns: target, onDelete: onDelete, onUpdate: onUpdate))
            case .defaultValue(let value, let text, let column):
                guard let ordinal = table.ordinal(named: column, context.collation) else { throw Messages.invalidColumn(column) }
                if table.columns[ordinal].defaultValue != nil {
                    throw SeveralMessages(messages: [
                        SQLServerMessage(number: 1781, severity: 16, text: "Column already has a DEFAULT bound to it."), Messages.cannotCreateConstraint(),
                    ])
                }
                try check(value)
                table.columns[ordinal].defaultValue = value
                table.columns[ordinal].defaultText = TableBuilder.parenthesised(text)
                table.columns[ordinal].defaultName = constraint.name ?? TableBuilder.generatedName("DF", table.name, column, context.database)
                table.columns[ordinal].defaultID = context.database.newObjectID()
            }
        }
    }
}

/// Makes a table's rows and indexes anew after a change of its definition.
enum Rebuild {
    /// Indexes only: the columns are the same.
    static func indexes(of table: TableDef, _ change: inout TableChange, _ context: DatabaseContext, from old: TableDef) throws {
        try rows(of: table, &change, context, from: old) { $0 }
    }

    /// Every row, through `convert`.
    static func rows(
        of table: TableDef, _ change: inout TableChange, _ context: DatabaseContext, from old: TableDef, _ convert: ([SQLValue]) throws -> [SQLValue]
    ) throws {
        let oldCodec = RowCodec(old), codec = RowCodec(table)
        var rows: [RowDelta] = []
        rows.reserveCapacity(change.data.rows.count)
        var indexRows: [Int32: [RowDelta]] = [:]
        for page in change.data.rows.pages {
            for position in 0..<page.count {
                let values = try convert(oldCodec.decode(page.row(position)))
                let oldNumber = oldCodec.rowNumber(KeyBytes(page.key(position)))
                let key = codec.clusterKey(values) { oldNumber != 0 ? oldNumber : change.data.rowNumbers.take() }
                rows.append(RowDelta(key: key, row: codec.encode(values)))
                for (index, columns) in codec.indexes {
                    indexRows[index.id, default: []].append(RowDelta(key: KeyBytes(codec.normalized(values, columns) + key.bytes), row: key.bytes))
                }
            }
        }
        let name = "\(context.catalog.schemaName(table.schemaID)).\(table.name)"
        rows.sort { $0.key < $1.key }
        for (first, second) in zip(rows, rows.dropFirst()) where first.key == second.key {
            throw SeveralMessages(messages: [
                Messages.duplicateInCreate(
                    index: table.clustered?.name ?? "", table: name, key: codec.keyText(codec.decode(first.row ?? []), table.clusterKey)), Messages.cannotCreateConstraint(),
            ])
        }
        var data = change.data
        data.rows = TableTree()
        data.rows.apply(rows)
        data.indexes = [:]
        for (index, columns) in codec.indexes {
            var list = indexRows[index.id] ?? []
            list.sort { $0.key < $1.key }
            if index.isUnique {
                for (first, second) in zip(list, list.dropFirst()) {
                    let a = first.key.bytes.dropLast(first.row?.count ?? 0), b = second.key.bytes.dropLast(second.row?.count ?? 0)
                    if a == b, let row = data.rows.row(first.row ?? []) {
                        throw SeveralMessages(messages: [
                            Messages.duplicateInCreate(index: index.name, table: name, key: codec.keyText(codec.decode(row), columns)), Messages.cannotCreateConstraint(),
                        ])
                    }
                }
            }
            var tree = TableTree()
            tree.apply(list)
            data.indexes[index.id] = tree
        }
        change.data = data
    }
}
