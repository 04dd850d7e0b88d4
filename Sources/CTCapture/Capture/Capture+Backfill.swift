// Backfills: a chunk of rows of each table in turn, each with its own checkpoint.

import ExactJSON
import Logging
import OrderedCollections

extension Capture {
    /// The tables that are to be backfilled now: those of the highest priority, in the order of the bindings.
    func backfillCandidates() -> [Int] {
        let waiting = running.indices.filter { index in
            guard running[index].table != nil, !isSuspended(index) else { return false }
            return tracker.binding(running[index].binding.stateKey)?.mode.isBackfill == true
        }
        guard let priority = waiting.map({ running[$0].binding.resource.priority }).max() else { return [] }
        return waiting.filter { running[$0].binding.resource.priority == priority }
    }

    /// Reads one chunk of as many tables as are backfilled at the same time.
    func backfillRound() async throws {
        let indices = backfillCandidates().prefix(configuration.advanced.backfillParallelism)
        guard indices.count > 1 else {
            for index in indices { try await backfillChunk(index) }
            return
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in indices { group.addTask { try await self.backfillChunk(index) } }
            try await group.waitForAll()
        }
    }

    private func backfillChunk(_ index: Int) async throws {
        do {
            try await source.withSession { session in try await self.backfillChunk(session, index) }
        } catch let error as SourceError where !error.isTransient && !error.connectionLost {
            // A dropped column, or a key that cannot be read: what the catalogue says now may help, and other tables go on in any case.
            try await source.withSession { session in try await self.refreshCatalog(session) }
            suspend(index, error.message)
        }
    }

    private func backfillChunk(_ session: any CaptureSession, _ index: Int) async throws {
        let key = running[index].binding.stateKey
        guard let table = running[index].table, var state = tracker.binding(key) else { return }
        let scanKey = state.scanKey ?? (state.position.isEmpty ? table.scanKey : table.primaryKey)
        let keyColumns = scanKey.compactMap { table.column($0) }
        guard keyColumns.count == scanKey.count, !keyColumns.isEmpty else {
            guard !table.primaryKey.isEmpty else { return suspend(index, "it has no primary key any more") }
            logger.warning("table \"\(table.name)\": a column of the key by which it was read has gone; its backfill starts again")
            state.setPosition("", of: scanKey)
            return tracker.setBinding(key, state)
        }
        let after: [KeyValue]?
        do { after = state.position.isEmpty ? nil : try KeyPosition.decode(state.position) } catch {
            throw CaptureError("the state of table \"\(table.name)\": \(error)")
        }
        if let after, after.count != keyColumns.count {
            throw CaptureError("the state of table \"\(table.name)\" holds a position of \(after.count) key columns, but its key has \(keyColumns.count)")
        }
        let isFirst = after == nil
        if isFirst, configuration.advanced.backfillMarkers { try await output.backfillBegins(binding: running[index].binding.index) }
        let limit = chunkLimit(index)
        let query = BackfillQuery(
            table: table.name, columns: table.columnsInDocumentOrder, key: keyColumns, after: after, limit: limit, filter: running[index].binding.resource.backfillFilter,
            databaseCollation: database.collation, inSnapshot: database.allowsSnapshot)
        var layout = layout(index, table, .backfill)
        layout.key = scanKey
        let result = try await session.backfill(query, layout, into: output)

        pendingBytes += result.bytes
        running[index].suspension = nil
        if result.rows > 0 { running[index].bytesPerRow = max(1, result.bytes / result.rows) }
        state.backfilled += Int64(result.rows)
        let isComplete = result.rows < limit
        if isComplete {
            state.mode = .active
            state.setPosition("", of: scanKey)
        } else {
            guard let last = result.lastKey else { throw CaptureError("table \"\(table.name)\": a chunk ended without a key") }
            state.setPosition(KeyPosition.encode(last), of: scanKey)
        }
        tracker.setBinding(key, state)
        if isComplete {
            if configuration.advanced.backfillMarkers { try await output.backfillCompletes(binding: running[index].binding.index) }
            logger.info("table \"\(table.name)\" is backfilled", metadata: ["table": "\(table.name)", "rows": .stringConvertible(state.backfilled)])
        }
        try await checkpoint()
    }

    /// The configured number of rows, or fewer if the last chunk's rows were so wide that as many would be too much for one checkpoint.
    /// The first chunk is small, as nothing is known yet.
    private func chunkLimit(_ index: Int) -> Int {
        let configured = configuration.advanced.backfillChunkSize
        let width = running[index].bytesPerRow
        guard width > 0 else { return min(configured, 1000) }
        return max(1, min(configured, options.checkpointBytes / width))
    }
}
