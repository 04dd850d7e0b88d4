// The beginning of a session: what the saved state says, against what is configured and what the server has.

import ExactJSON
import Logging
import OrderedCollections

extension Capture {
    /// Checks the prerequisites, brings the state in line with the bindings, and sends what comes before any document.
    func start() async throws {
        output.status("Verifying capture requirements", fields: [:])
        try await source.withSession { session in try await self.start(session) }
        output.status("Capture started", fields: ["bindings": Int64(running.count)])
        for index in running.indices { try await announceSchema(index) }
        // Schemas take effect with a checkpoint, and must before the first document.
        try await output.checkpoint(.object([:]))
        if tracker.isDirty { try await checkpoint() }
    }

    private func start(_ session: any CaptureSession) async throws {
        try await Prerequisites.require(session, tables: running.map(\.binding.resource))
        database = try await DatabaseInfo.read(session)
        let catalog = try await Catalog.read(session)
        let counts = await rowCounts(session)
        for index in running.indices {
            running[index].table = catalog.table(running[index].binding.resource.table)
            running[index].estimatedRows = running[index].table.flatMap { counts[$0.objectID] }
        }
        guard let current = try await session.rows(CatalogQueries.currentVersion).first?.first?.integer else {
            throw CaptureError("change tracking is not enabled for the database \"\(database.name)\"")
        }
        try reconcile(current: current)
    }

    /// About how many rows each table has; nothing where the login may not know.
    private func rowCounts(_ session: any CaptureSession) async -> [Int64: Int64] {
        guard let rows = try? await session.rows(CatalogQueries.rowCounts) else { return [:] }
        var counts: [Int64: Int64] = [:]
        for row in rows where row.count >= 2 { if let table = row[0].integer { counts[table] = row[1].integer } }
        return counts
    }

    /// Brings the state in line with the bindings: removed ones are ignored, new ones begin their backfill.
    func reconcile(current: Int64) throws {
        let keys = Set(running.map(\.binding.stateKey))
        for (key, state) in tracker.state.bindings where !keys.contains(key) && state.mode != .ignore {
            tracker.setBinding(key, BindingState(mode: .ignore))
        }
        let isNew = running.map { isNewBinding(tracker.binding($0.binding.stateKey)) }
        let flags = configuration.advanced.featureFlags
        // Nothing is captured yet: whatever cursors there are belong to a capture of the past.
        tracker.removeCursors(except: isNew.allSatisfy { $0 } ? [] : Set(running.map(\.cursorKey)))
        for index in running.indices {
            let key = running[index].binding.stateKey
            guard let table = running[index].table else { continue }
            if isNew[index] {
                begin(index, table, version: isNew.allSatisfy { $0 } ? flags.initialBackfillCursor ?? current : current)
                continue
            }
            guard let state = tracker.binding(key) else { continue }
            if !state.keyColumns.isEmpty, state.keyColumns != table.primaryKey {
                throw CaptureError(
                    """
                    table "\(table.name)": its primary key has changed from (\(state.keyColumns.joined(separator: ", "))) to \
                    (\(table.primaryKey.joined(separator: ", "))): run discovery and increment the binding's backfill counter
                    """)
            }
            if tracker.cursor(running[index].cursorKey) == nil {
                // Without a cursor nothing tells which changes are missing.
                try lose(index, table, "its position was not in the saved state", current: current)
            }
        }
        if let version = flags.forceResetCursor {
            for index in running.indices { tracker.setCursor(running[index].cursorKey, version) }
            logger.warning("every table's cursor was reset to \(version)")
        }
        for flag in flags.ignored { logger.info("the feature flag '\(flag)' has no effect here") }
    }

    private func isNewBinding(_ state: BindingState?) -> Bool {
        switch state?.mode {
        // A backfill without a key cannot be continued where keys are required.
        case nil, .pending, .ignore, .missing, .keylessBackfill: true
        case .backfill, .unfilteredBackfill, .active: false
        }
    }

    /// Starts a table from the beginning: changes after `version`, and its rows if they are wanted.
    func begin(_ index: Int, _ table: TableInfo, version: Int64) {
        let resource = running[index].binding.resource
        let skips = resource.mode == .onlyChanges || configuration.advanced.skipBackfills.contains(table.name)
        let mode: BindingMode =
            if skips {
                .active
            } else {
                switch resource.mode {
                case .precise: .backfill
                case .normal: .unfilteredBackfill
                default: hasPredictableOrder(table) ? .backfill : .unfilteredBackfill
                }
            }
        var state = BindingState(mode: mode, keyColumns: table.primaryKey)
        state.identity = table.identity
        tracker.setBinding(running[index].binding.stateKey, state)
        tracker.setCursor(running[index].cursorKey, version)
    }

    /// Whether the existing connector could compare such keys, should it take over a half-done backfill. Ours never compares any.
    private func hasPredictableOrder(_ table: TableInfo) -> Bool {
        table.primaryKey.allSatisfy { name in
            switch table.column(name)?.type.kind {
            case .integer, .bit, .binary, .date, .time, .datetime, .smalldatetime, .datetime2, .uniqueidentifier: true
            default: false
            }
        }
    }

    /// Changes of a table have been lost: says so, and backfills it again or ends, as configured.
    func lose(_ index: Int, _ table: TableInfo, _ reason: String, current: Int64) throws {
        guard configuration.advanced.onDataLoss == .backfill else {
            throw CaptureError(
                "changes of table \"\(table.name)\" may have been lost: \(reason). To go on, backfill it again by its backfill counter, or set advanced.on_data_loss to \"backfill\"")
        }
        logger.warning("changes of table \"\(table.name)\" may have been lost: \(reason); it is backfilled again", metadata: ["table": "\(table.name)"])
        output.status("Table \"\(table.name)\" is backfilled again: \(reason)", fields: [:])
        begin(index, table, version: current)
    }
}
