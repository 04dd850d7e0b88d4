/// One row's change within a statement.
struct RowChange {
    var old: (key: KeyBytes, values: [SQLValue])?
    var new: (key: KeyBytes, values: [SQLValue])?
}

/// Writes rows of one table: locks, conflicts with other transactions, keys, indexes, change tracking.
final class TableWriter {
    let session: EngineSession
    let table: TableDef
    let database: Database
    let codec: RowCodec
    /// WITH CHANGE_TRACKING_CONTEXT.
    var trackingContext: [UInt8]?
    /// `column_id`s in an UPDATE's SET clause.
    var updatedColumns: [Int32] = []
    private var written = 0
    /// Above this number of rows the whole table is locked, as SQL Server escalates.
    private static let escalation = 5000

    init(session: EngineSession, table: TableDef, database: Database) {
        self.session = session
        self.table = table
        self.database = database
        codec = RowCodec(table)
    }

    private var objectName: String {
        ((try? session.context(database))?.catalog.schemaName(table.schemaID) ?? "dbo") + "." + table.name
    }

    func write(_ changes: [RowChange]) throws {
        if changes.isEmpty { return }
        let context = try session.context(database)
        let transaction = session.current
        if transaction.isDoomed { throw Messages.doomed }
        if context.options.isReadOnly, !database.isPrivate { throw Messages.readOnly(database.name) }
        var change = try currentChange(context)
        if !change.isExclusive { try lock(changes, &change, context) }

        // Old rows go first, so that new ones may take their keys.
        var deltas: [KeyBytes: RowDelta] = [:]
        deltas.reserveCapacity(changes.count)
        var indexDeltas: [Int32: [KeyBytes: RowDelta]] = [:]
        for item in changes {
            guard let old = item.old else { continue }
            deltas[old.key] = RowDelta(key: old.key, row: nil)
            for (index, keys) in codec.indexes {
                let key = KeyBytes(codec.normalized(old.values, keys) + old.key.bytes)
                indexDeltas[index.id, default: [:]][key] = RowDelta(key: key, row: nil)
            }
        }
        let tree = change.data.rows
        let latest = session.current.isSnapshot && !change.isExclusive ? database.current.tables[table.id] : nil
        for item in changes {
            guard let new = item.new else { continue }
            let isTaken: Bool
            if let delta = deltas[new.key] { isTaken = delta.row != nil } else {
                isTaken = tree.find(new.key.bytes) != nil || (latest.map { $0.version != change.base && $0.rows.find(new.key.bytes) != nil } ?? false)
            }
            if isTaken, let clustered = table.clustered { throw duplicate(clustered, new.values) }
            deltas[new.key] = RowDelta(key: new.key, row: codec.encode(new.values))
            for (index, keys) in codec.indexes {
                let prefix = codec.normalized(new.values, keys)
                if index.isUnique {
                    let own = indexDeltas[index.id] ?? [:]
                    if isTakenInIndex(prefix, change.data.indexes[index.id], own) { throw duplicate(index, new.values) }
                    if let latest, latest.version != change.base, isTakenInIndex(prefix, latest.indexes[index.id], own) { throw duplicate(index, new.values) }
                    uniquePrefixes[index.id, default: [:]][KeyBytes(prefix)] = KeyBytes(prefix + new.key.bytes)
                }
                let key = KeyBytes(prefix + new.key.bytes)
                indexDeltas[index.id, default: [:]][key] = RowDelta(key: key, row: new.key.bytes)
            }
        }
        uniquePrefixes = [:]
        let sorted = deltas.count == 1 ? Array(deltas.values) : deltas.values.sorted { $0.key < $1.key }
        change.data.rows.apply(sorted)
        for (index, list) in indexDeltas { change.data.indexes[index, default: TableTree()].apply(list.values.sorted { $0.key < $1.key }) }
        if !change.isExclusive {
            for (key, delta) in deltas { change.deltas[key] = delta }
            for (index, list) in indexDeltas { change.indexDeltas[index, default: [:]].merge(list) { $1 } }
        }
        track(changes, &change, context)
        context.changes[table.id] = change
    }
    /// Unique index keys that this call has added.
    private var uniquePrefixes: [Int32: [KeyBytes: KeyBytes]] = [:]

    private func isTakenInIndex(_ prefix: [UInt8], _ tree: TableTree?, _ own: [KeyBytes: RowDelta]) -> Bool {
        for (index, prefixes) in uniquePrefixes where table.indexes.contains(where: { $0.id == index }) {
            if let full = prefixes[KeyBytes(prefix)], own[full]?.row != nil { return true }
        }
        guard let tree, let position = tree.hasPrefix(prefix) else { return false }
        // Gone in this very statement?
        return own[KeyBytes(tree.pages[position.page].key(position.index))].map { $0.row != nil } ?? true
    }

    private func currentChange(_ context: DatabaseContext) throws -> TableChange {
        if context.changes[table.id] != nil {
            _ = context.data(table.id)
            if let change = context.changes[table.id] { return change }
        }
        guard let data = context.data(table.id) else { throw Messages.invalidObject(table.name) }
        var change = TableChange(data: data, base: data.version)
        change.isExclusive = database.isPrivate
        return change
    }

    /// Locks what will be written, and makes sure that nobody has changed it since it was read.
    private func lock(_ changes: [RowChange], _ change: inout TableChange, _ context: DatabaseContext) throws {
        let waiter = session.waiter
        written += changes.count
        if written > TableWriter.escalation, !session.current.isSnapshot,
            try session.server.locks.lockTable(database: database.id, table: table.id, waiter, wait: false) {
            let latest = database.current
            try verify(changes, latest, context)
            context.adopt(table.id, of: latest)
            if let committed = latest.tables[table.id], committed.version != change.base { change = DatabaseContext.rebase(change, onto: committed) }
            change.isExclusive = true
            change.deltas = [:]
            change.indexDeltas = [:]
            return
        }
        var keys: [LockKey] = []
        keys.reserveCapacity(changes.count)
        for item in changes {
            if let old = item.old { keys.append(LockKey(database: database.id, table: table.id, index: 1, key: old.key)) }
            if let new = item.new {
                if new.key != item.old?.key { keys.append(LockKey(database: database.id, table: table.id, index: 1, key: new.key)) }
                for (index, columns) in codec.indexes where index.isUnique {
                    keys.append(LockKey(database: database.id, table: table.id, index: index.id, key: KeyBytes(codec.normalized(new.values, columns))))
                }
            }
        }
        try session.server.locks.lockRows(keys, waiter)
        let latest = database.current
        try verify(changes, latest, context)
        guard !session.current.isSnapshot, let committed = latest.tables[table.id], committed.version != change.base else { return }
        context.adopt(table.id, of: latest)
        change = DatabaseContext.rebase(change, onto: committed)
    }

    private func verify(_ changes: [RowChange], _ latest: DatabaseState, _ context: DatabaseContext) throws {
        let isSnapshot = session.current.isSnapshot
        guard let definition = latest.catalog.tables[table.id] else {
            if isSnapshot { throw Messages.metadataChanged(database.name) }
            throw RestartStatement()
        }
        if definition.revision != table.revision, context.changedCatalog == nil {
            if isSnapshot { throw Messages.metadataChanged(database.name) }
            throw RestartStatement()
        }
        guard let now = latest.tables[table.id], let before = context.base.tables[table.id], now.version != before.version else { return }
        let own = context.changes[table.id]?.deltas ?? [:]
        for item in changes {
            guard let old = item.old, own[old.key] == nil else { continue }
            if now.rows.row(old.key.bytes) != before.rows.row(old.key.bytes) {
                if isSnapshot { throw Messages.updateConflict(table: objectName, database: database.name) }
                throw RestartStatement()
            }
        }
    }

    private func duplicate(_ index: IndexDef, _ values: [SQLValue]) -> SQLServerMessage {
        let text = codec.keyText(values, table.keyColumns(index))
        if index.isPrimaryKey || index.isUniqueConstraint {
            return Messages.duplicateKey(kind: index.isPrimaryKey ? "PRIMARY KEY" : "UNIQUE KEY", constraint: index.name, table: objectName, key: text)
        }
        return Messages.duplicateIndexKey(index: index.name, table: objectName, key: text)
    }

    // MARK: Change tracking

    private func track(_ changes: [RowChange], _ change: inout TableChange, _ context: DatabaseContext) {
        guard let tracking = change.data.tracking, !codec.primaryKey.isEmpty else { return }
        func entry(_ operation: TrackedOperation, _ values: [SQLValue], _ updated: [Int32]? = nil) -> TrackedChange {
            TrackedChange(
                operation: operation, key: codec.normalized(values, codec.primaryKey), columns: codec.primaryKeyColumns(values), updated: updated, context: trackingContext)
        }
        var later: [TrackedChange] = []
        change.tracked.reserveCapacity(change.tracked.count + changes.count)
        for item in changes {
            switch (item.old, item.new) {
            case (nil, let new?): later.append(entry(.insert, new.values))
            case (let old?, nil): change.tracked.append(entry(.delete, old.values))
            case (let old?, let new?):
                if codec.normalized(old.values, codec.primaryKey) == codec.normalized(new.values, codec.primaryKey) {
                    later.append(entry(.update, new.values, tracking.tracksColumns ? updatedColumns : nil))
                } else {
                    // A changed key is a delete of the old row and an insert of the new one.
                    change.tracked.append(entry(.delete, old.values))
                    later.append(entry(.insert, new.values))
                }
            case (nil, nil): break
            }
        }
        change.tracked.append(contentsOf: later)
    }
}
