import Synchronization
import Foundation

/// What a transaction has done to one table.
struct TableChange {
    /// The table as this transaction sees it.
    var data: TableData
    /// The committed version that `data` is made from.
    var base: UInt64
    /// Net changes since `base`; not kept where the whole table is locked.
    var deltas: [KeyBytes: RowDelta] = [:]
    var indexDeltas: [Int32: [KeyBytes: RowDelta]] = [:]
    /// The table is locked as a whole, so that nobody else can commit to it.
    var isExclusive = false
    var isDropped = false
    var tracked: [TrackedChange] = []
}

/// A transaction's part in one database.
final class DatabaseContext {
    let database: Database
    /// What reads see, besides own changes: of the statement, or of the whole transaction under SNAPSHOT.
    private(set) var base: DatabaseState
    var changes: [Int32: TableChange] = [:]
    /// The catalogue with own changes; nil while there are none.
    var changedCatalog: Catalog?

    init(database: Database) {
        self.database = database
        base = database.current
    }

    var catalog: Catalog { changedCatalog ?? base.catalog }
    var options: DatabaseOptions { base.options }
    var collation: SQLCollation { base.options.collation }

    /// Takes a new look at what is committed.
    func refresh() { base = database.current }
    /// Takes over one table of a newer state, after its rows were locked.
    func adopt(_ table: Int32, of latest: DatabaseState) { base.tables[table] = latest.tables[table] }

    /// The table as this transaction sees it now.
    func data(_ table: Int32) -> TableData? {
        guard let change = changes[table] else { return base.tables[table] }
        if change.isDropped { return nil }
        if change.isExclusive { return change.data }
        guard let committed = base.tables[table], committed.version != change.base else { return change.data }
        let rebased = DatabaseContext.rebase(change, onto: committed)
        changes[table] = rebased
        return rebased.data
    }

    static func rebase(_ change: TableChange, onto committed: TableData) -> TableChange {
        var result = change
        result.data = committed
        result.data.rows.apply(change.deltas.values.sorted { $0.key < $1.key })
        for (index, deltas) in change.indexDeltas {
            result.data.indexes[index, default: TableTree()].apply(deltas.values.sorted { $0.key < $1.key })
        }
        result.base = committed.version
        return result
    }

    struct Mark {
        var changes: [Int32: TableChange]
        var catalog: Catalog?
    }
    var mark: Mark { Mark(changes: changes, catalog: changedCatalog) }
    func roll(back mark: Mark) {
        changes = mark.changes
        changedCatalog = mark.catalog
    }
}

/// A transaction over the databases that it touches.
final class Transaction {
    let id: UInt64
    let server: SimulatedServer
    var contexts: [ObjectIdentifier: DatabaseContext] = [:]
    var isSnapshot: Bool
    /// After an error under XACT_ABORT inside TRY: only a rollback is possible.
    var isDoomed = false
    var savepoints: [(name: String, marks: [ObjectIdentifier: DatabaseContext.Mark])] = []
    var name: String?
    let started = ContinuousClock.now

    init(server: SimulatedServer, id: UInt64, isSnapshot: Bool) {
        self.server = server
        self.id = id
        self.isSnapshot = isSnapshot
    }

    func context(_ database: Database) throws -> DatabaseContext {
        if let context = contexts[ObjectIdentifier(database)] { return context }
        let context = DatabaseContext(database: database)
        contexts[ObjectIdentifier(database)] = context
        return context
    }

    /// A new statement under READ COMMITTED sees what is committed by now.
    func beginStatement() {
        if isSnapshot {
            for context in contexts.values where context.database.isPrivate { context.refresh() }
            return
        }
        for context in contexts.values { context.refresh() }
    }

    var marks: [ObjectIdentifier: DatabaseContext.Mark] { contexts.mapValues(\.mark) }
    func roll(back marks: [ObjectIdentifier: DatabaseContext.Mark]) {
        for (key, context) in contexts {
            context.roll(back: marks[key] ?? DatabaseContext.Mark(changes: [:], catalog: nil))
        }
    }

    var hasChanges: Bool { contexts.values.contains { !$0.changes.isEmpty || $0.changedCatalog != nil } }

    func commit() {
        for context in contexts.values { Transaction.commit(context, transaction: id, time: server.now) }
        finish()
    }
    func rollback() {
        // Temporary tables made in the transaction go with it; their rows come back.
        contexts = [:]
        finish()
    }
    private func finish() {
        contexts = [:]
        savepoints = []
        server.locks.release(id)
    }

    private static func commit(_ context: DatabaseContext, transaction: UInt64, time: Double) {
        if context.changes.isEmpty, context.changedCatalog == nil { return }
        context.database.state.withLock { state in
            state.sequence += 1
            if let catalog = context.changedCatalog {
                state.catalog = catalog
                state.catalog.version += 1
            }
            var version: Int64?
            for (table, change) in context.changes {
                if change.isDropped {
                    state.tables[table] = nil
                    continue
                }
                var data = change.data
                if !change.isExclusive {
                    guard let committed = state.tables[table] else { continue }
                    if committed.version != change.base { data = DatabaseContext.rebase(change, onto: committed).data }
                }
                data.version = state.sequence
                if data.tracking != nil, state.options.tracking != nil, !change.tracked.isEmpty {
                    let assigned = version ?? state.trackingVersion + 1
                    version = assigned
                    data.tracking?.append(change.tracked.map { tracked in
                        var tracked = tracked
                        tracked.version = assigned
                        return tracked
                    })
                }
                state.tables[table] = data
            }
            if let version {
                state.trackingVersion = version
                state.commits.append(CommitLog.Entry(version: version, time: time, transaction: Int64(truncatingIfNeeded: transaction)))
            }
        }
    }
}
