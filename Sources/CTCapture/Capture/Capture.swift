// The capture's main loop: poll for changes, backfill a round of chunks, poll again.
//
// Reads never overlap in a way that could cross: a chunk is read after the changes that have been captured, and the next poll reads rows
// after the chunk. So what is captured of a row only ever gets newer, whatever order the server's keys have, without comparing any.

import ExactJSON
import Logging
import OrderedCollections

/// What ends a capture, in plain words.
public struct CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Captures tables: first their rows, then their changes, until it is stopped.
public actor Capture {
    public struct Options: Sendable {
        /// End as soon as everything is backfilled and caught up.
        public var shutdownAfterPolling = false
        /// How often a request that fails for a reason that passes is tried again before the capture ends.
        public var maximumAttempts = 20
        /// The first wait before another attempt; doubled each time, up to a minute.
        public var retryDelay = Duration.seconds(1)
        /// Cursors of tables without changes are saved this often: they must not fall behind what is retained.
        public var idleCheckpointInterval = Duration.seconds(60)
        /// A checkpoint is due after about this many bytes of documents.
        public var checkpointBytes = 64 << 20
        public init() {}
    }

    /// A table while it is captured.
    struct Running {
        let binding: CaptureBinding
        /// Made once: it is looked up several times with every poll.
        let cursorKey: String
        /// As the catalogue last described it; `nil` while it is missing.
        var table: TableInfo?
        /// The columns of the sourced schema that was sent last.
        var announced: [ColumnInfo]?
        /// Set after an error of this table alone: when to try again, and how often it has failed.
        var suspension: (until: ContinuousClock.Instant, failures: Int)?
        /// Set when nothing can be captured of it in this session.
        var isBlocked = false
        /// From the last chunk, to bound the next one in bytes.
        var bytesPerRow = 0
        var estimatedRows: Int64?

        /// The last error of this table alone.
        var problem = ""

        var name: TableName { table?.name ?? binding.resource.table }

        init(_ binding: CaptureBinding) {
            self.binding = binding
            cursorKey = CursorKey.encode(binding.resource.table)
        }
    }

    let configuration: CaptureConfiguration
    let source: any CaptureSource
    let output: any CaptureOutput
    let logger: Logger
    let options: Options
    let clock = ContinuousClock()

    var tracker: StateTracker
    var running: [Running]
    var database = DatabaseInfo(
        productVersion: "", engineEdition: 0, name: "", allowsSnapshot: false, isReadOnly: false, collation: nil, retention: nil)
    /// Bytes of documents since the last checkpoint.
    var pendingBytes = 0
    private var lastFullCheckpoint: ContinuousClock.Instant
    private var lastRediscovery: ContinuousClock.Instant
    private var lastStatus: (text: String, at: ContinuousClock.Instant)?

    public init(
        configuration: CaptureConfiguration, bindings: [CaptureBinding], state: CaptureState, source: any CaptureSource, output: any CaptureOutput,
        logger: Logger, options: Options = Options()
    ) {
        self.configuration = configuration
        self.source = source
        self.output = output
        self.logger = logger
        self.options = options
        tracker = StateTracker(state)
        running = bindings.map { Running($0) }
        lastFullCheckpoint = clock.now
        lastRediscovery = clock.now
    }

    /// Runs until `stop` is asked for, or everything is captured and the options say so. Returns after a checkpoint.
    ///
    /// Throws `CaptureError`, `PrerequisiteError`, `SourceError`, `CancellationError`, or what the output throws.
    public func run(until stop: StopSignal) async throws {
        try await start()
        var attempts = 0
        while !stop.isStopped {
            // Waits end at once in a cancelled task: without this the loop would spin.
            try Task.checkCancellation()
            do {
                let pollBegan = clock.now
                try await source.withSession { session in try await self.poll(session) }
                attempts = 0
                let backfilling = backfillCandidates()
                if backfilling.isEmpty {
                    if options.shutdownAfterPolling, try isEverythingCaptured() { break }
                    report(streamingStatus())
                    try await checkpointIdle()
                    await stop.sleep(configuration.advanced.pollingInterval - pollBegan.duration(to: clock.now))
                } else {
                    // Chunks until the next poll is due, so that a long backfill does not hold up changes.
                    repeat {
                        report(backfillStatus())
                        try await backfillRound()
                    } while !stop.isStopped && !backfillCandidates().isEmpty && pollBegan.duration(to: clock.now) < configuration.advanced.pollingInterval
                }
                try await rediscoverIfDue()
            } catch let error as SourceError where error.isTransient && attempts < options.maximumAttempts {
                attempts += 1
                let delay = backoff(attempts)
                logger.warning("\(error.message); trying again", metadata: ["attempt": .stringConvertible(attempts), "error": .stringConvertible(error.number ?? 0)])
                await stop.sleep(delay)
            }
        }
        if tracker.isDirty || pendingBytes > 0 || options.shutdownAfterPolling { try await checkpoint(includingIdle: true) }
    }

    /// Whether nothing is left to wait for. Throws `CaptureError` if a table keeps failing: an end would look like success.
    private func isEverythingCaptured() throws -> Bool {
        let failing = running.filter { $0.isBlocked || $0.suspension != nil }
        if let table = failing.first(where: { $0.isBlocked || ($0.suspension?.failures ?? 0) >= 3 }) {
            throw CaptureError("table \"\(table.name)\" could not be captured: \(table.problem)")
        }
        return failing.isEmpty
    }

    // MARK: Checkpoints

    func checkpoint(includingIdle: Bool = false) async throws {
        if includingIdle { lastFullCheckpoint = clock.now }
        pendingBytes = 0
        let patch = tracker.patch(includingLazy: includingIdle)
        try await output.checkpoint(patch)
    }

    /// Saves the cursors of tables without changes now and then.
    private func checkpointIdle() async throws {
        guard lastFullCheckpoint.duration(to: clock.now) >= options.idleCheckpointInterval else { return }
        try await checkpoint(includingIdle: true)
    }

    // MARK: Retries

    /// Doubling, at most a minute, with jitter so that many captures of one server do not come back at once.
    func backoff(_ attempt: Int) -> Duration {
        let doubled = options.retryDelay * (1 << min(attempt - 1, 6))
        return min(doubled, .seconds(60)) * Double.random(in: 0.5...1)
    }

    /// Leaves a table alone for a while; the others go on.
    func suspend(_ index: Int, _ reason: String) {
        let failures = (running[index].suspension?.failures ?? 0) + 1
        running[index].suspension = (clock.now + backoff(failures), failures)
        running[index].problem = reason
        let name = running[index].name
        logger.error("table \"\(name)\": \(reason)", metadata: ["table": "\(name)", "failures": .stringConvertible(failures)])
        output.status("Table \"\(name)\" cannot be captured at the moment: \(reason)", fields: [:])
    }

    func isSuspended(_ index: Int) -> Bool {
        if running[index].isBlocked { return true }
        guard let suspension = running[index].suspension else { return false }
        return suspension.until > clock.now
    }

    // MARK: Schemas

    /// Sends a table's sourced schema unless it is known already.
    func announceSchema(_ index: Int) async throws {
        guard let table = running[index].table, running[index].announced != table.columns else { return }
        running[index].announced = table.columns
        try await output.sourcedSchema(DocumentSchema.sourced(table), binding: running[index].binding.index)
    }

    /// Reads the catalogue again now and then: schema changes of tables without traffic, and tables that are back.
    private func rediscoverIfDue() async throws {
        guard lastRediscovery.duration(to: clock.now) >= configuration.advanced.rediscoveryInterval else { return }
        lastRediscovery = clock.now
        try await source.withSession { session in try await self.refreshCatalog(session) }
    }

    func refreshCatalog(_ session: any CaptureSession) async throws {
        let catalog = try await Catalog.read(session)
        for index in running.indices {
            guard !running[index].isBlocked, let table = catalog.table(running[index].binding.resource.table) else { continue }
            try await adopt(table, index)
        }
    }

    /// Takes over what the catalogue now says about a table.
    func adopt(_ table: TableInfo, _ index: Int) async throws {
        guard running[index].table != table else { return }
        let state = tracker.binding(running[index].binding.stateKey)
        if let keys = state?.keyColumns, !keys.isEmpty, keys != table.primaryKey, state?.mode != .missing {
            running[index].isBlocked = true
            suspend(index, "its primary key has changed from (\(keys.joined(separator: ", "))) to (\(table.primaryKey.joined(separator: ", "))): run discovery and backfill it again")
            return
        }
        running[index].table = table
        try await announceSchema(index)
    }

    // MARK: Status

    /// Reports a status, the same one at most every half minute.
    private func report(_ status: (text: String, fields: [String: Int64])) {
        if let last = lastStatus, last.text == status.text, last.at.duration(to: clock.now) < .seconds(30) { return }
        lastStatus = (status.text, clock.now)
        output.status(status.text, fields: status.fields)
    }

    private func streamingStatus() -> (String, [String: Int64]) {
        let count = running.count { $0.table != nil }
        return ("Streaming changes of \(count) table\(count == 1 ? "" : "s")", ["bindings": Int64(count)])
    }

    private func backfillStatus() -> (String, [String: Int64]) {
        let backfilling = backfillCandidates()
        let tables = "\(backfilling.count) table\(backfilling.count == 1 ? "" : "s")"
        var done: Int64 = 0
        var total: Int64 = 0
        for index in backfilling {
            let rows = tracker.binding(running[index].binding.stateKey)?.backfilled ?? 0
            done += rows
            guard let estimate = running[index].estimatedRows else { return ("Backfilling \(tables)", ["bindings": Int64(backfilling.count)]) }
            total += max(estimate, rows)
        }
        guard total > 0 else { return ("Backfilling \(tables)", ["bindings": Int64(backfilling.count)]) }
        let percent = done * 100 / total
        return ("Backfilling \(tables) (\(percent)%)", ["bindings": Int64(backfilling.count), "percent": percent])
    }
}
