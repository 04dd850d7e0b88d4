/// CHANGETABLE(CHANGES ...) and CHANGETABLE(VERSION ...), Microsoft Learn "CHANGETABLE (Transact-SQL)".
struct ChangeTable {
    let binder: SourceBinder
    var session: EngineSession { binder.session }
    var environment: Environment { binder.environment }

    private struct Target {
        let table: TableDef
        let key: IndexDef
        let context: DatabaseContext
        let keyColumns: [(ordinal: Int, descending: Bool)]
    }

    private func target(_ name: ObjectName) throws -> Target {
        let resolved = try session.resolve(name)
        guard let object = resolved.object else { throw Messages.invalidObject(name.text) }
        guard case .table(let table) = object else {
            throw SQLServerMessage(
                number: 22107, severity: 16,
                text: "Object '\(name.text)' is of a data type that is not supported by the CHANGETABLE function. The object must be a user-defined table.")
        }
        let context = resolved.context
        try Permissions.require("SELECT", objectID: table.id, schemaID: table.schemaID, name: table.name, context, session)
        try Permissions.require("VIEW CHANGE TRACKING", objectID: table.id, schemaID: table.schemaID, name: table.name, context, session)
        try session.checkSnapshot(context)
        guard let data = context.data(table.id), data.tracking != nil, let key = table.primaryKey else {
            throw Messages.changeTableNotTracked(name.schema == nil ? table.name : "\(context.catalog.schemaName(table.schemaID)).\(table.name)")
        }
        return Target(table: table, key: key, context: context, keyColumns: table.keyColumns(key))
    }

    private func decodeKey(_ bytes: [UInt8], _ target: Target) -> [SQLValue] {
        var values: [SQLValue] = []
        bytes.withUnsafeBytes { raw in
            var offset = 0
            for (ordinal, _) in target.keyColumns {
                let column = target.table.columns[ordinal]
                values.append(WireForm.decode(raw, offset, column.type, nullable: column.isNullable))
                offset = WireForm.end(raw, offset, column.type, nullable: column.isNullable)
            }
        }
        return values
    }

    private func columnMask(_ updated: Set<Int32>) -> [UInt8] {
        updated.sorted().flatMap { id in (0..<4).map { UInt8(truncatingIfNeeded: id >> Int32($0 * 8)) } }
    }

    /// What happened to a row since a version, put together.
    private struct Net {
        var first: TrackedOperation
        var last: TrackedOperation
        var version: Int64
        var creation: Int64?
        var columns: [UInt8]
        var updated: Set<Int32>?
        var context: [UInt8]?
        var insertedAfterDelete = false
    }

    func changes(_ name: ObjectName, since: Expression, alias: String, columns: [String]) throws -> JoinPlanner.Node {
        let target = try target(name)
        let compiler = Compiler(environment: environment, scope: Scope(parent: binder.scope, collation: binder.scope.collation))
        let version = try compiler.compile(since)
        guard version.type.isInteger || version.type.kind == .null || version.type.isExactNumeric else { throw Messages.changesArguments }
        let baseline = version.converted(to: .bigint, environment: environment).eval
        var list = [
            BoundColumn(name: "SYS_CHANGE_VERSION", type: .bigint, isNullable: true), BoundColumn(name: "SYS_CHANGE_CREATION_VERSION", type: .bigint, isNullable: true),
            BoundColumn(name: "SYS_CHANGE_OPERATION", type: SQLType(.nchar, length: 1, collation: binder.scope.collation), isNullable: true),
            BoundColumn(name: "SYS_CHANGE_COLUMNS", type: .varbinary(4100), isNullable: true), BoundColumn(name: "SYS_CHANGE_CONTEXT", type: .varbinary(128), isNullable: true),
        ]
        for (ordinal, _) in target.keyColumns { list.append(BoundColumn(name: target.table.columns[ordinal].name, type: target.table.columns[ordinal].type, isNullable: false)) }
        if !columns.isEmpty {
            guard columns.count == list.count else { throw Messages.changesArguments }
            for index in list.indices { list[index].name = columns[index] }
        }
        let binding = SourceBinding(alias: alias, columns: list)
        let database = target.context.database
        let session = session
        return .other(binding, VirtualSource(binding: binding) {
            let context = try session.context(database)
            guard let tracking = context.data(target.table.id)?.tracking else { throw Messages.changeTableNotTracked(target.table.name) }
            // NULL asks for the rows as they are: all keys of the table, without versions.
            guard case .int(let since) = try baseline() else { return try self.initial(target, context) }
            var nets: [KeyBytes: Net] = [:]
            var order: [KeyBytes] = []
            tracking.changes(after: since) { change in
                let key = KeyBytes(change.key)
                guard var net = nets[key] else {
                    nets[key] = Net(
                        first: change.operation, last: change.operation, version: change.version, creation: change.operation == .insert ? change.version : nil,
                        columns: change.columns, updated: change.updated.map { Set($0) }, context: change.context)
                    order.append(key)
                    return
                }
                if net.last == .delete, change.operation == .insert { net.insertedAfterDelete = true }
                net.last = change.operation
                net.version = change.version
                net.columns = change.columns
                net.context = change.context
                if change.operation == .insert { net.creation = change.version }
                if let updated = change.updated, let before = net.updated { net.updated = before.union(updated) } else { net.updated = nil }
                nets[key] = net
            }
            order.sort()
            return order.compactMap { key in
                guard let net = nets[key] else { return nil }
                let operation: TrackedOperation = net.last == .delete ? .delete : net.first == .insert ? .insert : .update
                var mask = SQLValue.null
                if operation == .update, !net.insertedAfterDelete, let updated = net.updated { mask = .binary(self.columnMask(updated)) }
                return [
                    .int(net.version), net.creation.map { .int($0) } ?? .null, .string(operation.letter), mask, net.context.map { .binary($0) } ?? .null,
                ] + self.decodeKey(net.columns, target)
            }
        })
    }

    private func initial(_ target: Target, _ context: DatabaseContext) throws -> [[SQLValue]] {
        guard let data = context.data(target.table.id) else { return [] }
        var rows: [[SQLValue]] = []
        let used = target.table.columns.indices.map { ordinal in target.keyColumns.contains { $0.ordinal == ordinal } }
        let layout = target.table.columns.map { (type: $0.type, nullable: $0.isNullable) }
        let slot = Slot(width: target.table.columns.count)
        for page in data.rows.pages {
            for index in 0..<page.count {
                TableScan.load(page, index, into: slot, used: used, last: used.lastIndex(of: true) ?? -1, layout: layout)
                rows.append([.null, .null, .null, .null, .null] + target.keyColumns.map { slot.values[$0.ordinal] })
            }
        }
        return rows
    }

    func version(_ name: ObjectName, columns: [String], values: [Expression], alias: String, aliases: [String]) throws -> JoinPlanner.Node {
        let target = try target(name)
        guard columns.count == target.keyColumns.count, values.count == columns.count else { throw Messages.versionColumnCount(target.table.name) }
        // The values may refer to the tables before it.
        let compiler = Compiler(environment: environment, scope: Scope(parent: binder.scope, collation: binder.scope.collation))
        var evals: [() throws -> SQLValue] = []
        for (ordinal, _) in target.keyColumns {
            let column = target.table.columns[ordinal]
            guard let index = columns.firstIndex(where: { Names.same($0, column.name, binder.scope.collation) }) else {
                throw Messages.versionColumn(columns.first ?? "", target.table.name)
            }
            evals.append(try compiler.compile(values[index]).converted(to: column.type, environment: environment).eval)
        }
        var list = [
            BoundColumn(name: "SYS_CHANGE_VERSION", type: .bigint, isNullable: true), BoundColumn(name: "SYS_CHANGE_CONTEXT", type: .varbinary(128), isNullable: true),
        ]
        for (ordinal, _) in target.keyColumns { list.append(BoundColumn(name: target.table.columns[ordinal].name, type: target.table.columns[ordinal].type, isNullable: false)) }
        if !aliases.isEmpty {
            guard aliases.count == list.count else { throw Messages.versionArguments }
            for index in list.indices { list[index].name = aliases[index] }
        }
        let binding = SourceBinding(alias: alias, columns: list)
        let database = target.context.database
        let session = session
        /// Last change of each key, made once for each state of the table.
        var cache: (version: UInt64, last: [KeyBytes: TrackedChange])?
        return .other(binding, VirtualSource(binding: binding) {
            let context = try session.context(database)
            guard let data = context.data(target.table.id), let tracking = data.tracking else { return [] }
            var key: [UInt8] = []
            var row: [SQLValue] = []
            for (index, eval) in evals.enumerated() {
                let value = try eval()
                if value.isNull { return [] }
                row.append(value)
                let (ordinal, descending) = target.keyColumns[index]
                NormalizedKey.append(value, target.table.columns[ordinal].type, descending: descending, to: &key)
            }
            if cache?.version != data.version {
                var last: [KeyBytes: TrackedChange] = [:]
                tracking.changes(after: Int64.min) { last[KeyBytes($0.key)] = $0 }
                cache = (data.version, last)
            }
            let found = cache?.last[KeyBytes(key)]
            // A key that is in no row has no version.
            let exists = target.key.isClustered ? data.rows.find(key) != nil : data.indexes[target.key.id]?.hasPrefix(key) != nil
            if found == nil, !exists { return [] }
            return [[found.map { .int($0.version) } ?? .null, found?.context.map { .binary($0) } ?? .null] + row]
        })
    }
}
