/// FOREIGN KEY constraints of and to a table.
struct ForeignKeys {
    let table: TableDef
    let context: DatabaseContext
    let environment: Environment

    private func key(_ values: [SQLValue], _ from: TableDef, _ fromColumns: [Int32], _ to: TableDef, _ toColumns: [Int32]) -> [SQLValue]? {
        var result: [SQLValue] = []
        for (source, target) in zip(fromColumns, toColumns) {
            guard let ordinal = from.ordinal(ofID: source), let other = to.ordinal(ofID: target) else { return nil }
            if values[ordinal].isNull { return nil }
            guard let converted = try? Conversion.convert(values[ordinal], from: from.columns[ordinal].type, to: to.columns[other].type) else { return nil }
            result.append(converted)
        }
        return result
    }

    /// Whether a table has a row with these values in these columns.
    private func exists(_ values: [SQLValue], _ columns: [Int32], in other: TableDef, pending: [RowChange]) -> Bool {
        guard let data = context.data(other.id) else { return false }
        let ordinals = columns.compactMap { other.ordinal(ofID: $0) }
        func equal(_ row: [SQLValue]) -> Bool {
            zip(ordinals, values).allSatisfy { Comparison.compare(row[$0], $1, other.columns[$0].type) == 0 }
        }
        if other.id == table.id, pending.contains(where: { $0.new.map { equal($0.values) } ?? false }) { return true }
        for index in other.indexes {
            let keys = other.keyColumns(index)
            guard keys.count >= ordinals.count, Set(keys.prefix(ordinals.count).map(\.ordinal)) == Set(ordinals) else { continue }
            var prefix: [UInt8] = []
            for key in keys.prefix(ordinals.count) {
                guard let position = ordinals.firstIndex(of: key.ordinal) else { continue }
                NormalizedKey.append(values[position], other.columns[key.ordinal].type, descending: key.descending, to: &prefix)
            }
            return (index.isClustered ? data.rows : data.indexes[index.id] ?? TableTree()).hasPrefix(prefix) != nil
        }
        let codec = RowCodec(other)
        for page in data.rows.pages { for index in 0..<page.count where equal(codec.decode(page.row(index))) { return true } }
        return false
    }

    /// New rows need their parents.
    func checkChildren(_ changes: [RowChange], statement: String) throws {
        for constraint in table.foreignKeys where constraint.isEnabled {
            guard let parent = context.catalog.tables[constraint.referencedTable] else { continue }
            for change in changes {
                guard let new = change.new, let key = key(new.values, table, constraint.columns, parent, constraint.referencedColumns) else { continue }
                if !exists(key, constraint.referencedColumns, in: parent, pending: changes) {
                    let column = constraint.referencedColumns.count == 1 ? parent.columns.first { $0.id == constraint.referencedColumns[0] }?.name : nil
                    throw Messages.constraintConflict(
                        statement: statement, kind: "FOREIGN KEY", name: constraint.name, database: context.database.name,
                        table: "\(context.catalog.schemaName(parent.schemaID)).\(parent.name)", column: column)
                }
            }
        }
    }

    /// Rows that are gone must not be missed by their children, or take them along.
    func checkParents(_ changes: [RowChange], statement: String) throws {
        for child in context.catalog.tables.values {
            for constraint in child.foreignKeys where constraint.referencedTable == table.id && constraint.isEnabled {
                for change in changes {
                    guard let old = change.old, let key = key(old.values, table, constraint.referencedColumns, child, constraint.columns) else { continue }
                    if exists(key, constraint.referencedColumns, in: table, pending: []) { continue }
                    guard exists(key, constraint.columns, in: child, pending: []) else { continue }
                    let action = change.new == nil ? constraint.onDelete : constraint.onUpdate
                    if action == "NO_ACTION" {
                        let column = constraint.columns.count == 1 ? child.columns.first { $0.id == constraint.columns[0] }?.name : nil
                        throw Messages.constraintConflict(
                            statement: statement, kind: "REFERENCE", name: constraint.name, database: context.database.name,
                            table: "\(context.catalog.schemaName(child.schemaID)).\(child.name)", column: column)
                    }
                    try cascade(action, constraint, child, key, change)
                }
            }
        }
    }

    private func cascade(_ action: String, _ constraint: ForeignKeyDef, _ child: TableDef, _ key: [SQLValue], _ change: RowChange) throws {
        guard let data = context.data(child.id) else { return }
        let codec = RowCodec(child)
        let ordinals = constraint.columns.compactMap { child.ordinal(ofID: $0) }
        var changes: [RowChange] = []
        for page in data.rows.pages {
            for index in 0..<page.count {
                let row = codec.decode(page.row(index))
                guard zip(ordinals, key).allSatisfy({ Comparison.compare(row[$0], $1, child.columns[$0].type) == 0 }) else { continue }
                let oldKey = KeyBytes(page.key(index))
                if action == "CASCADE", change.new == nil {
                    changes.append(RowChange(old: (oldKey, row), new: nil))
                    continue
                }
                var new = row
                for (position, ordinal) in ordinals.enumerated() {
                    new[ordinal] = .null
                    if action == "CASCADE", let parent = change.new, let source = table.ordinal(ofID: constraint.referencedColumns[position]) {
                        new[ordinal] = try Conversion.convert(parent.values[source], from: table.columns[source].type, to: child.columns[ordinal].type)
                    }
                }
                changes.append(RowChange(old: (oldKey, row), new: (codec.clusterKey(new) { codec.rowNumber(oldKey) }, new)))
            }
        }
        let writer = TableWriter(session: environment.session, table: child, database: context.database)
        writer.updatedColumns = constraint.columns
        try writer.write(changes)
        try ForeignKeys(table: child, context: context, environment: environment).checkParents(changes, statement: "DELETE")
    }
}
