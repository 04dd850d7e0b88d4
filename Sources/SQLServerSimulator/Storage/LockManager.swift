import Foundation
import Synchronization

/// A row (or an index entry) of a table that a transaction wants for itself.
struct LockKey: Hashable, Sendable {
    var database: Int32
    var table: Int32
    var index: Int32
    var key: KeyBytes
}

/// Exclusive locks of writers: on rows, or on a whole table (DDL, bulk writes). Readers take none: they read versions.
final class LockManager: Sendable {
    private struct TableKey: Hashable {
        var database: Int32
        var table: Int32
    }
    private struct TableLocks {
        var owner: UInt64?
        /// Transactions with rows locked in the table.
        var intents: Set<UInt64> = []
    }
    private struct State {
        var rows: [LockKey: UInt64] = [:]
        var tables: [TableKey: TableLocks] = [:]
        var heldRows: [UInt64: [LockKey]] = [:]
        var heldTables: [UInt64: Set<TableKey>] = [:]
        /// Who waits for whom.
        var waiting: [UInt64: UInt64] = [:]
    }
    private let state = Mutex(State())

    struct Waiter {
        var transaction: UInt64
        var process: UInt16
        /// Milliseconds; -1 waits for ever.
        var timeout: Int64
        var cancellation: CancellationFlag
    }

    /// Takes locks on rows, waiting for their owners. Throws 1222 after the time-out, 1205 where waiting would never end.
    func lockRows(_ keys: [LockKey], _ waiter: Waiter) throws {
        var remaining = keys[...]
        try wait(waiter) { state in
            while let key = remaining.first {
                let table = TableKey(database: key.database, table: key.table)
                var locks = state.tables[table] ?? TableLocks()
                if let owner = locks.owner {
                    if owner != waiter.transaction { return owner }
                } else if let owner = state.rows[key] {
                    if owner != waiter.transaction { return owner }
                } else {
                    state.rows[key] = waiter.transaction
                    state.heldRows[waiter.transaction, default: []].append(key)
                    if locks.intents.insert(waiter.transaction).inserted {
                        state.tables[table] = locks
                        state.heldTables[waiter.transaction, default: []].insert(table)
                    }
                }
                remaining = remaining.dropFirst()
            }
            return nil
        }
    }

    /// Takes a whole table. With `wait` false, returns false where others have locks in it.
    @discardableResult
    func lockTable(database: Int32, table: Int32, _ waiter: Waiter, wait waits: Bool = true) throws -> Bool {
        let key = TableKey(database: database, table: table)
        func attempt(_ state: inout State) -> UInt64? {
            var locks = state.tables[key] ?? TableLocks()
            if let owner = locks.owner, owner != waiter.transaction { return owner }
            if let other = locks.intents.first(where: { $0 != waiter.transaction }) { return other }
            locks.owner = waiter.transaction
            state.tables[key] = locks
            state.heldTables[waiter.transaction, default: []].insert(key)
            return nil
        }
        if !waits { return state.withLock { attempt(&$0) } == nil }
        try wait(waiter, attempt)
        return true
    }

    /// Repeats an attempt until it says that nobody is in the way.
    private func wait(_ waiter: Waiter, _ attempt: (inout State) -> UInt64?) throws {
        let start = ContinuousClock.now
        var pause: UInt32 = 200
        while true {
            let outcome: (done: Bool, deadlock: Bool) = state.withLock { state in
                guard let owner = attempt(&state) else {
                    state.waiting[waiter.transaction] = nil
                    return (true, false)
                }
                state.waiting[waiter.transaction] = owner
                var next = owner, steps = 0
                while let following = state.waiting[next], steps < 1000 {
                    if following == waiter.transaction {
                        state.waiting[waiter.transaction] = nil
                        return (false, true)
                    }
                    next = following
                    steps += 1
                }
                return (false, false)
            }
            if outcome.done { return }
            if outcome.deadlock { throw Messages.deadlock(waiter.process) }
            if waiter.cancellation.isCancelled {
                stopWaiting(waiter.transaction)
                throw Cancelled()
            }
            if waiter.timeout >= 0, ContinuousClock.now - start >= .milliseconds(waiter.timeout) {
                stopWaiting(waiter.transaction)
                throw Messages.lockTimeout
            }
            usleep(pause)
            pause = min(pause * 2, 5000)
        }
    }
    private func stopWaiting(_ transaction: UInt64) { state.withLock { $0.waiting[transaction] = nil } }

    func release(_ transaction: UInt64) {
        state.withLock { state in
            for key in state.heldRows.removeValue(forKey: transaction) ?? [] { state.rows[key] = nil }
            for table in state.heldTables.removeValue(forKey: transaction) ?? [] {
                guard var locks = state.tables[table] else { continue }
                if locks.owner == transaction { locks.owner = nil }
                locks.intents.remove(transaction)
                state.tables[table] = locks.owner == nil && locks.intents.isEmpty ? nil : locks
            }
            state.waiting[transaction] = nil
        }
    }
}

/// The request was cancelled by an attention.
struct Cancelled: Error {}
/// A row that the statement read was changed by someone else before it was locked: the statement starts again.
struct RestartStatement: Error {}
