import Synchronization
/// What a test needs and a real server won't do on command.
extension SimulatedServer {
    /// Moves the server's clock forward: retention, commit times and GETDATE() follow it.
    public func advanceClock(by seconds: Double) {
        state.withLock { $0.clockOffset += seconds }
    }

    private func found(_ name: String) throws -> Database {
        guard let database = database(named: name) else { throw Messages.noDatabase(name) }
        return database
    }

    /// Runs change tracking's clean-up: forgets what is older than the retention period. Throws 911 for an unknown database.
    public func cleanUpChangeTracking(database name: String) throws {
        let database = try found(name)
        let time = now
        database.state.withLock { state in
            guard let tracking = state.options.tracking else { return }
            guard let version = state.commits.lastVersion(atOrBefore: time - Double(tracking.retentionMinutes) * 60) else { return }
            for id in state.tables.keys where state.tables[id]?.tracking != nil { state.tables[id]?.tracking?.cleanUp(through: version) }
            state.commits.cleanUp(through: version)
            SimulatedServer.stamp(&state)
        }
    }

    /// Forgets a table's changes up to a version, whatever the retention period; `table` as in `dbo.t`, nil for all tables.
    public func cleanUpChangeTracking(database name: String, table: String?, through version: Int64) throws {
        let database = try found(name)
        try database.state.withLock { state in
            for (id, definition) in state.catalog.tables where state.tables[id]?.tracking != nil {
                let full = "\(state.catalog.schemaName(definition.schemaID)).\(definition.name)"
                if let table, !Names.same(table, full, state.options.collation), !Names.same(table, definition.name, state.options.collation) { continue }
                state.tables[id]?.tracking?.cleanUp(through: version)
            }
            if let table, !state.catalog.tables.values.contains(where: {
                Names.same(table, "\(state.catalog.schemaName($0.schemaID)).\($0.name)", state.options.collation) || Names.same(table, $0.name, state.options.collation)
            }) { throw Messages.invalidObject(table) }
            SimulatedServer.stamp(&state)
        }
    }

    /// A database's whole state, to be restored later.
    public struct Backup: Sendable {
        let state: DatabaseState
        let database: String
    }
    public func backup(database name: String) throws -> Backup { Backup(state: try found(name).current, database: name) }

    /// Puts a database back to what it was: its change tracking version goes back as well. Open transactions in it fail or see the old rows.
    public func restore(_ backup: Backup) throws {
        let database = try found(backup.database)
        database.state.withLock { state in
            let sequence = state.sequence
            state = backup.state
            state.sequence = sequence
            SimulatedServer.stamp(&state)
        }
    }

    public func setReadOnly(_ isReadOnly: Bool, database name: String) throws {
        try found(name).state.withLock { $0.options.isReadOnly = isReadOnly }
    }

    /// The database's change tracking version; nil where tracking is off.
    public func changeTrackingVersion(database name: String) throws -> Int64? {
        let state = try found(name).current
        return state.options.tracking == nil ? nil : state.trackingVersion
    }

    /// New version numbers for all tables, so that what was made from the old ones is noticed.
    private static func stamp(_ state: inout DatabaseState) {
        state.sequence += 1
        for id in state.tables.keys { state.tables[id]?.version = state.sequence }
    }
}
