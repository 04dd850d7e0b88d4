// One poll: which tables have changes, and what they are, seen at one moment.
//
// Where the database allows snapshots, one SNAPSHOT transaction covers the current version, the validity check, the probe and all changed
// tables. Elsewhere the validity is checked again after reading and before the checkpoint, and nothing bounds the versions read from
// above: a row that keeps changing would slip past such a bound for ever.

import ExactJSON
import Logging
import OrderedCollections

extension Capture {
    /// A tracked table, as the server sees it now.
    struct Tracked {
        var objectID: Int64
        var beginVersion: Int64
        /// `nil` if the login may not see the table's changes.
        var minimumValid: Int64?

        var identity: TableIdentity { TableIdentity(objectID: objectID, beginVersion: beginVersion) }
    }

    /// Reads and sends all changes, and ends with a checkpoint if there were any.
    func poll(_ session: any CaptureSession) async throws {
        guard database.allowsSnapshot else { return try await pollTables(session, inSnapshot: false) }
        try await session.execute(CatalogQueries.beginSnapshot)
        do {
            try await pollTables(session, inSnapshot: true)
            try await session.execute(CatalogQueries.endSnapshot)
        } catch {
            if (error as? SourceError)?.connectionLost != true { try? await session.execute(CatalogQueries.abandonSnapshot) }
            throw error
        }
        if tracker.isDirty || pendingBytes > 0 { try await checkpoint() }
    }

    private func pollTables(_ session: any CaptureSession, inSnapshot: Bool) async throws {
        guard let current = try await session.rows(CatalogQueries.currentVersion).first?.first?.integer else {
            throw CaptureError("change tracking has been turned off for the database \"\(database.name)\"")
        }
        let tracked = try await trackedTables(session)
        try await checkValidity(session, tracked, current: current)

        let due = running.indices.filter { index in
            guard let table = running[index].table, let cursor = tracker.cursor(running[index].cursorKey), !isSuspended(index) else { return false }
            return cursor < current && tracked[table.name] != nil && isCaptured(index)
        }
        let changed = try await probe(session, due, inSnapshot: inSnapshot)
        if !changed.isEmpty {
            output.status("Capturing changes of \(changed.count) table\(changed.count == 1 ? "" : "s")", fields: ["version": current])
            try await refreshColumns(session, changed)
        }
        var read: [Int] = []
        for index in changed {
            guard !isSuspended(index), try await readChanges(session, index, inSnapshot: inSnapshot) else { continue }
            read.append(index)
            if pendingBytes >= options.checkpointBytes {
                try await advance(session, read, to: current, inSnapshot: inSnapshot)
                try await checkpoint()
                read.removeAll()
            }
        }
        try await advance(session, read, to: current, inSnapshot: inSnapshot)
        let quiet = Set(due).subtracting(changed)
        for index in quiet where !isSuspended(index) {
            running[index].suspension = nil
            tracker.setCursor(running[index].cursorKey, current, lazily: true)
        }
        if !inSnapshot, tracker.isDirty || pendingBytes > 0 { try await checkpoint() }
    }

    private func isCaptured(_ index: Int) -> Bool {
        switch tracker.binding(running[index].binding.stateKey)?.mode {
        case .active, .backfill, .unfilteredBackfill: true
        default: false
        }
    }

    /// Moves cursors behind what has been read, unless it turns out that it was cleaned up while it was read.
    private func advance(_ session: any CaptureSession, _ indices: [Int], to current: Int64, inSnapshot: Bool) async throws {
        guard !indices.isEmpty else { return }
        if !inSnapshot { try await checkValidity(session, try await trackedTables(session), current: nil, only: Set(indices)) }
        for index in indices {
            // A table that was lost just now has a later cursor already.
            if let cursor = tracker.cursor(running[index].cursorKey), cursor < current { tracker.setCursor(running[index].cursorKey, current) }
            running[index].suspension = nil
        }
    }

    func trackedTables(_ session: any CaptureSession) async throws -> [TableName: Tracked] {
        var tables: [TableName: Tracked] = [:]
        for row in try await session.rows(CatalogQueries.trackedTables) {
            guard row.count >= 5, let id = row[0].integer, let schema = row[1].text, let name = row[2].text else { continue }
            tables[TableName(schema: schema, table: name)] = Tracked(objectID: id, beginVersion: row[3].integer ?? 0, minimumValid: row[4].integer)
        }
        return tables
    }

    // MARK: Validity

    /// Finds tables whose changes since their cursors are not all there any more, each for its own reason.
    private func checkValidity(_ session: any CaptureSession, _ tracked: [TableName: Tracked], current: Int64?, only: Set<Int>? = nil) async throws {
        for index in running.indices where only?.contains(index) ?? true {
            if running[index].isBlocked { continue }
            let key = running[index].binding.stateKey
            guard var state = tracker.binding(key) else { continue }
            guard let table = running[index].table, let now = tracked[table.name] else {
                if state.mode != .missing || tracked[running[index].name] != nil { try await missing(session, index, tracked) }
                continue
            }
            if state.mode == .missing {
                try await missing(session, index, tracked)
                continue
            }
            guard let cursor = tracker.cursor(running[index].cursorKey), isCaptured(index) else { continue }
            guard let minimumValid = now.minimumValid else {
                if !isSuspended(index) { suspend(index, "the login may not see its changes any more: GRANT VIEW CHANGE TRACKING and SELECT on it") }
                continue
            }
            var reason: String?
            if let before = state.identity {
                if before.objectID != now.objectID {
                    reason = "it was dropped and created again"
                } else if before.beginVersion != now.beginVersion {
                    reason = "it was truncated, or its change tracking was turned off and on again"
                }
            } else if cursor < now.beginVersion {
                reason = "its change tracking began at version \(now.beginVersion), after version \(cursor) that was captured last"
            }
            if reason == nil, let current, cursor > current {
                reason = "the database's version went back from \(cursor) to \(current): it was restored, or failed over with a loss of data"
            }
            if reason == nil, cursor < minimumValid {
                reason = "changes are only retained since version \(minimumValid), but version \(cursor) was captured last"
            }
            if let reason {
                try await lose(session, index, reason, current: current)
            } else if state.identity == nil {
                // The existing connector does not save it: from here on it is known.
                state.identity = now.identity
                tracker.setBinding(key, state)
            }
        }
    }

    /// Starts a table again whose changes have been lost, with what the catalogue says about it now.
    private func lose(_ session: any CaptureSession, _ index: Int, _ reason: String, current: Int64?) async throws {
        try await refreshCatalog(session)
        guard let table = running[index].table, !running[index].isBlocked else { return }
        let version: Int64
        if let current {
            version = current
        } else {
            version = try await session.rows(CatalogQueries.currentVersion).first?.first?.integer ?? 0
        }
        try lose(index, table, reason, current: version)
    }

    /// A table that is not tracked: gone, or not tracked any more, or back again.
    private func missing(_ session: any CaptureSession, _ index: Int, _ tracked: [TableName: Tracked]) async throws {
        let key = running[index].binding.stateKey
        let name = running[index].name
        let isBack = tracker.binding(key)?.mode == .missing
        if isSuspended(index) { return }
        if !isBack {
            let exists = try await Catalog.read(session).table(name) != nil
            if exists {
                suspend(index, "its change tracking is off: \(CatalogQueries.enableChangeTracking(table: name))")
                return
            }
            guard configuration.advanced.onDataLoss == .backfill else { throw CaptureError("table \"\(name)\" does not exist any more") }
            logger.warning("table \"\(name)\" does not exist any more; the others are captured", metadata: ["table": "\(name)"])
            output.status("Table \"\(name)\" does not exist any more", fields: [:])
            running[index].table = nil
            tracker.setBinding(key, BindingState(mode: .missing))
            tracker.setCursor(running[index].cursorKey, nil)
            return
        }
        guard tracked[running[index].binding.resource.table] != nil || tracked[name] != nil else { return }
        try await refreshCatalog(session)
        guard let table = running[index].table, let current = try await session.rows(CatalogQueries.currentVersion).first?.first?.integer else { return }
        output.status("Table \"\(name)\" is there again and is backfilled", fields: [:])
        begin(index, table, version: current)
    }

    // MARK: Reading

    /// Which of the tables have changes; one that cannot be asked is left alone, the others are asked again one by one.
    private func probe(_ session: any CaptureSession, _ due: [Int], inSnapshot: Bool) async throws -> [Int] {
        var changed: [Int] = []
        for start in stride(from: 0, to: due.count, by: ProbeQuery.batchSize) {
            let batch = Array(due[start..<min(start + ProbeQuery.batchSize, due.count)])
            do {
                let positions = try await session.probe(query(batch))
                changed += positions.compactMap { batch.indices.contains($0) ? batch[$0] : nil }
            } catch let error as SourceError where !error.isTransient && !error.connectionLost {
                try await requireTransaction(session, inSnapshot, error)
                for index in batch {
                    do {
                        if try await !session.probe(query([index])).isEmpty { changed.append(index) }
                    } catch let error as SourceError where !error.isTransient && !error.connectionLost {
                        suspend(index, error.message)
                        try await requireTransaction(session, inSnapshot, error)
                    }
                }
            }
        }
        return changed.sorted()
    }

    private func query(_ indices: [Int]) -> ProbeQuery {
        ProbeQuery(indices.map { (running[$0].name, tracker.cursor(running[$0].cursorKey) ?? 0) })
    }

    /// An error may have ended the snapshot: what is read after it would be of another moment.
    private func requireTransaction(_ session: any CaptureSession, _ inSnapshot: Bool, _ error: SourceError) async throws {
        guard inSnapshot else { return }
        let open = try await session.rows(CatalogQueries.openTransactions).first?.first?.integer ?? 0
        if open == 0 { throw SourceError(number: 3960, message: "the snapshot was lost: \(error.message)") }
    }

    /// Tables that have changes may have new columns: these must be in the documents, and in a schema before them.
    private func refreshColumns(_ session: any CaptureSession, _ indices: [Int]) async throws {
        let ids = indices.compactMap { running[$0].table?.objectID }
        for start in stride(from: 0, to: ids.count, by: 500) {
            let columns = try await Catalog.columns(of: Array(ids[start..<min(start + 500, ids.count)]), session)
            for index in indices {
                guard var table = running[index].table, let now = columns[table.objectID], now != table.columns else { continue }
                table.columns = now
                try await adopt(table, index)
            }
        }
    }

    /// Sends a table's changes. Returns whether that worked; if not, the table is left alone for a while.
    private func readChanges(_ session: any CaptureSession, _ index: Int, inSnapshot: Bool) async throws -> Bool {
        guard let table = running[index].table, let cursor = tracker.cursor(running[index].cursorKey) else { return false }
        let key = table.primaryKey.compactMap { table.column($0) }
        guard key.count == table.primaryKey.count, !key.isEmpty else {
            suspend(index, "it has no primary key any more")
            return false
        }
        let query = ChangeQuery(table: table.name, columns: table.columnsInDocumentOrder, key: key, since: cursor)
        do {
            let result = try await session.changes(query, layout(index, table, .changes), into: output)
            pendingBytes += result.bytes
            return true
        } catch let error as SourceError where !error.isTransient && !error.connectionLost {
            suspend(index, error.message)
            try await requireTransaction(session, inSnapshot, error)
            return false
        }
    }

    /// What a table's documents look like.
    func layout(_ index: Int, _ table: TableInfo, _ source: DocumentLayout.Source) -> DocumentLayout {
        let framing = output.framing(binding: running[index].binding.index)
        return DocumentLayout(
            source: source, schema: table.name.schema, table: table.name.table, tag: configuration.advanced.sourceTag, key: table.primaryKey,
            prefix: framing.prefix, suffix: framing.suffix, zone: configuration.timezone.timeZone)
    }
}
