/// Database-wide settings of change tracking (`sys.change_tracking_databases`).
struct TrackingOptions: Sendable {
    var retentionMinutes: Int64 = 2880
    /// 1 minutes, 2 hours, 3 days: as it was given.
    var retentionUnit = 3
    var autoCleanup = true

    var retentionPeriod: Int64 { retentionMinutes / [1, 1, 60, 1440][min(max(retentionUnit, 0), 3)] }
}

enum TrackedOperation: UInt8, Sendable {
    case insert = 0x49
    case update = 0x55
    case delete = 0x44
    var letter: String { String(UnicodeScalar(rawValue)) }
}

/// One row's change in one transaction.
struct TrackedChange: Sendable {
    var version: Int64 = 0
    var operation: TrackedOperation
    /// Primary key in normalized form.
    var key: [UInt8]
    /// The primary key's columns in wire form, in the key's order.
    var columns: [UInt8]
    /// `column_id`s that an update set; nil where they aren't tracked or all changed.
    var updated: [Int32]?
    var context: [UInt8]?
}

/// A tracked table (`sys.change_tracking_tables`) and its changes in version order.
struct TrackedTable: Sendable {
    var tracksColumns: Bool
    var beginVersion: Int64
    var cleanupVersion: Int64 = 0
    var minValidVersion: Int64
    private(set) var chunks: [[TrackedChange]] = []

    init(tracksColumns: Bool, beginVersion: Int64) {
        self.tracksColumns = tracksColumns
        self.beginVersion = beginVersion
        minValidVersion = beginVersion
    }

    mutating func append(_ changes: [TrackedChange]) {
        if changes.isEmpty { return }
        if let last = chunks.indices.last, chunks[last].count + changes.count <= 512 {
            chunks[last].append(contentsOf: changes)
        } else {
            chunks.append(changes)
        }
    }
    /// Changes above `version`, oldest first.
    func changes(after version: Int64, _ body: (TrackedChange) -> Void) {
        var low = 0, high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            if (chunks[middle].last?.version ?? 0) <= version { low = middle + 1 } else { high = middle }
        }
        for chunk in chunks[low...] { for change in chunk where change.version > version { body(change) } }
    }
    /// Forgets what is at or below `version`.
    mutating func cleanUp(through version: Int64) {
        chunks = chunks.compactMap { chunk in
            guard let first = chunk.first, first.version <= version else { return chunk }
            let rest = chunk.filter { $0.version > version }
            return rest.isEmpty ? nil : rest
        }
        cleanupVersion = max(cleanupVersion, version)
        minValidVersion = max(minValidVersion, version)
    }
    mutating func reset(beginVersion: Int64) {
        chunks = []
        self.beginVersion = beginVersion
        minValidVersion = beginVersion
    }
    /// Forgets what came after `version` (restore of an older state).
    mutating func rollBack(to version: Int64) {
        chunks = chunks.compactMap { chunk in
            let rest = chunk.filter { $0.version <= version }
            return rest.isEmpty ? nil : rest
        }
    }
}

/// Commit times (`sys.dm_tran_commit_table`).
struct CommitLog: Sendable {
    struct Entry: Sendable {
        var version: Int64
        /// Seconds since 1970.
        var time: Double
        var transaction: Int64
    }
    private(set) var chunks: [[Entry]] = []
    mutating func append(_ entry: Entry) {
        if let last = chunks.indices.last, chunks[last].count < 512 { chunks[last].append(entry) } else { chunks.append([entry]) }
    }
    var all: [Entry] { chunks.flatMap(\.self) }
    mutating func cleanUp(through version: Int64) {
        chunks = chunks.compactMap { chunk in
            let rest = chunk.filter { $0.version > version }
            return rest.isEmpty ? nil : rest
        }
    }
    /// Newest version committed at or before a time.
    func lastVersion(atOrBefore time: Double) -> Int64? {
        var found: Int64?
        for chunk in chunks { for entry in chunk where entry.time <= time { found = max(found ?? 0, entry.version) } }
        return found
    }
}
