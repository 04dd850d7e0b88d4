// A database in memory that speaks the source protocol: integer keys, one text column, change tracking.

import ExactJSON
import OrderedCollections
import Synchronization

@testable import CTCapture

final class FakeSource: CaptureSource {
    struct Table {
        var objectID: Int64
        var rows: [Int64: String] = [:]
        /// Per key: the last operation and version, and the version at which the row appeared.
        var changes: [Int64: (operation: String, version: Int64)] = [:]
        var beginVersion: Int64? = 0
        var minimumValid: Int64? = 0
        var columns = ["data", "id"]
        var primaryKey = ["id"]
        /// Thrown by anything that touches the table.
        var failure: SourceError?
    }

    struct Database {
        var tables: [TableName: Table] = [:]
        var version: Int64 = 0
        var allowsSnapshot = true
        var inTransaction = false
        var executed: [String] = []
        /// Called before each read of changes, to let something happen at that moment.
        var beforeChanges: (@Sendable (inout Database) -> Void)?
        /// Called before each chunk.
        var beforeBackfill: (@Sendable (inout Database) -> Void)?
        var failNextRead: SourceError?

        mutating func insert(_ table: TableName, _ id: Int64, _ data: String) { write(table, id, data, "I") }
        mutating func update(_ table: TableName, _ id: Int64, _ data: String) { write(table, id, data, "U") }
        mutating func delete(_ table: TableName, _ id: Int64) { write(table, id, nil, "D") }

        private mutating func write(_ table: TableName, _ id: Int64, _ data: String?, _ operation: String) {
            version += 1
            tables[table]?.rows[id] = data
            tables[table]?.changes[id] = (operation, version)
        }

        mutating func create(_ table: TableName, tracked: Bool = true) {
            tables[table] = Table(objectID: Int64(100 + tables.count) + version * 1000, beginVersion: tracked ? version : nil, minimumValid: tracked ? version : nil)
        }
    }

    let database = Mutex(Database())

    func change(_ body: (inout Database) -> Void) { database.withLock { body(&$0) } }

    func withSession<Result: Sendable>(_ body: @Sendable (any CaptureSession) async throws -> Result) async throws -> Result {
        try await body(FakeSession(source: self))
    }
}

struct FakeSession: CaptureSession {
    let source: FakeSource

    private static func table(_ id: Int64, _ database: FakeSource.Database) -> FakeSource.Table? { database.tables.values.first { $0.objectID == id } }

    func rows(_ statement: SQLStatement) async throws -> [[SourceValue]] {
        try source.database.withLock { database in
            switch statement.text {
            case CatalogQueries.database:
                return [[.text("16.0.1"), .integer(3), .text("test"), .integer(database.allowsSnapshot ? 1 : 0), .text("READ_WRITE"), .null, .integer(2), .integer(3)]]
            case CatalogQueries.tables:
                return database.tables.map { name, table in
                    [.integer(table.objectID), .text(name.schema), .text(name.table), table.beginVersion.map { .integer($0) } ?? .null]
                }
            case CatalogQueries.trackedTables:
                return database.tables.compactMap { name, table in
                    guard let begin = table.beginVersion else { return nil }
                    return [.integer(table.objectID), .text(name.schema), .text(name.table), .integer(begin), table.minimumValid.map { .integer($0) } ?? .null]
                }
            case CatalogQueries.keys:
                return database.tables.values.flatMap { table in
                    table.primaryKey.enumerated().map { [.integer(table.objectID), .integer(1), .integer(1), .integer(1), .integer(Int64($0 + 1)), .text($1)] }
                }
            case CatalogQueries.currentVersion: return [[.integer(database.version)]]
            case CatalogQueries.openTransactions: return [[.integer(database.inTransaction ? 1 : 0)]]
            case CatalogQueries.rowCounts: return database.tables.values.map { [.integer($0.objectID), .integer(Int64($0.rows.count))] }
            case let text where text.hasPrefix("SELECT c.object_id"):
                return database.tables.values.flatMap { table in
                    table.columns.enumerated().map { ordinal, name in
                        [
                            .integer(table.objectID), .integer(Int64(ordinal + 1)), .text(name), .text(name == "id" ? "int" : "varchar"), .integer(name == "id" ? 4 : 20),
                            .integer(0), .integer(0), .null, .integer(name == "id" ? 0 : 1), .integer(0), .integer(0), .null,
                        ]
                    }
                }
            case let text where text.hasPrefix("SELECT TOP (0)"):
                for (name, table) in database.tables where text.contains(SQLText.table(name)) { if let failure = table.failure { throw failure } }
                return []
            default: throw SourceError(number: 102, message: "the fake does not know: \(statement.text)")
            }
        }
    }

    func execute(_ text: String) async throws {
        source.database.withLock { database in
            database.executed.append(text)
            switch text {
            case CatalogQueries.beginSnapshot: database.inTransaction = true
            case CatalogQueries.endSnapshot, CatalogQueries.abandonSnapshot: database.inTransaction = false
            default:
                for name in database.tables.keys where text == CatalogQueries.enableChangeTracking(table: name) {
                    database.tables[name]?.beginVersion = database.version
                    database.tables[name]?.minimumValid = database.version
                }
            }
        }
    }

    func probe(_ query: ProbeQuery) async throws -> [Int] {
        try source.database.withLock { database in
            var found: [Int] = []
            for (position, entry) in query.tables.enumerated() {
                guard let table = database.tables[entry.name] else { throw SourceError(number: 208, message: "Invalid object name") }
                if let failure = table.failure { throw failure }
                if table.changes.values.contains(where: { $0.version > entry.since }) { found.append(position) }
            }
            return found
        }
    }

    private func document(_ layout: DocumentLayout, _ meta: String, _ members: String) -> String {
        String(decoding: layout.prefix, as: UTF8.self) + "{\"_meta\":{\(meta)},\(members)}" + String(decoding: layout.suffix, as: UTF8.self)
    }

    private func write(_ documents: [String], _ output: any DocumentOutput) async throws -> Int {
        var buffer = DocumentBuffer()
        for document in documents { buffer.append(Array(document.utf8)) }
        let bytes = buffer.count
        _ = try await output.write(documents: buffer)
        return bytes
    }

    private func members(_ columns: [ColumnInfo], _ id: Int64, _ data: String) -> String {
        columns.map { $0.name == "id" ? "\"id\":\(id)" : $0.name == "data" ? "\"data\":\"\(data)\"" : "\"\($0.name)\":\"new\"" }.joined(separator: ",")
    }

    func backfill(_ query: BackfillQuery, _ layout: DocumentLayout, into output: any DocumentOutput) async throws -> DocumentsRead {
        let rows: [(Int64, String)] = try source.database.withLock { database in
            database.beforeBackfill?(&database)
            if let failure = database.failNextRead {
                database.failNextRead = nil
                throw failure
            }
            guard let table = database.tables[query.table] else { throw SourceError(number: 208, message: "Invalid object name") }
            if let failure = table.failure { throw failure }
            for column in query.columns where !table.columns.contains(column.name) { throw SourceError(number: 207, message: "Invalid column name '\(column.name)'.") }
            var after = Int64.min
            if case .integer(let last)? = query.after?.first { after = last }
            return Array(table.rows.filter { $0.key > after }.sorted { $0.key < $1.key }.prefix(query.limit)).map { ($0.key, $0.value) }
        }
        let documents = rows.map { document(layout, "\"op\":\"c\",\"snapshot\":true", members(query.columns, $0.0, $0.1)) }
        let bytes = try await write(documents, output)
        return DocumentsRead(rows: rows.count, documents: rows.count, bytes: bytes, lastKey: rows.last.map { [.integer($0.0)] })
    }

    func changes(_ query: ChangeQuery, _ layout: DocumentLayout, into output: any DocumentOutput) async throws -> DocumentsRead {
        let documents: [String] = try source.database.withLock { database in
            database.beforeChanges?(&database)
            if let failure = database.failNextRead {
                database.failNextRead = nil
                throw failure
            }
            guard let table = database.tables[query.table] else { throw SourceError(number: 208, message: "Invalid object name") }
            for column in query.columns where !table.columns.contains(column.name) { throw SourceError(number: 207, message: "Invalid column name '\(column.name)'.") }
            return table.changes.filter { $0.value.version > query.since }.sorted { $0.key < $1.key }.map { id, change in
                let op = change.operation == "D" ? "d" : change.operation == "I" ? "c" : "u"
                let meta = "\"op\":\"\(op)\",\"version\":\(change.version)"
                return document(layout, meta, op == "d" ? "\"id\":\(id)" : members(query.columns, id, table.rows[id] ?? "?"))
            }
        }
        let bytes = try await write(documents, output)
        return DocumentsRead(rows: documents.count, documents: documents.count, bytes: bytes)
    }
}

/// Keeps what a capture sends, and applies checkpoints as the runtime does.
final class RecordingOutput: CaptureOutput {
    enum Event: Hashable {
        case schema(Int, columns: [String])
        /// Binding, operation, id and data ("" in deletes).
        case document(Int, String, Int64, String)
        case checkpoint
        case begins(Int)
        case completes(Int)
    }

    struct Recorded {
        var events: [Event] = []
        var state = JSONValue.object([:])
        var statuses: [String] = []
        /// The documents themselves, by binding.
        var values: [Int: [JSONValue]] = [:]
        var documents: [Event] {
            events.filter { if case .document = $0 { true } else { false } }
        }
    }

    let recorded = Mutex(Recorded())
    let onCheckpoint: @Sendable (Recorded) -> Void

    init(onCheckpoint: @escaping @Sendable (Recorded) -> Void = { _ in }) { self.onCheckpoint = onCheckpoint }

    func framing(binding: Int) -> (prefix: [UInt8], suffix: [UInt8]) { (Array("\(binding) ".utf8), [0x0A]) }

    func write(documents: consuming DocumentBuffer) async throws -> DocumentBuffer {
        for line in documents.bytes.split(separator: 0x0A) {
            let text = String(decoding: line, as: UTF8.self)
            let parts = text.split(separator: " ", maxSplits: 1)
            let value = try JSONValue(parsing: String(parts[1]))
            let event = Event.document(Int(parts[0]) ?? -1, value["_meta"]?["op"]?.string ?? "", value["id"]?.integer ?? -1, value["data"]?.string ?? "")
            recorded.withLock { recorded in
                recorded.events.append(event)
                recorded.values[Int(parts[0]) ?? -1, default: []].append(value)
            }
        }
        return DocumentBuffer()
    }

    func sourcedSchema(_ schema: JSONValue, binding: Int) async throws {
        let columns = schema["properties"]?.object?.keys.filter { $0 != "_meta" } ?? []
        recorded.withLock { $0.events.append(.schema(binding, columns: Array(columns))) }
    }

    func checkpoint(_ patch: JSONValue) async throws {
        let now = recorded.withLock { recorded in
            recorded.events.append(.checkpoint)
            recorded.state = recorded.state.merging(patch)
            return recorded
        }
        onCheckpoint(now)
    }

    func backfillBegins(binding: Int) async throws { recorded.withLock { $0.events.append(.begins(binding)) } }
    func backfillCompletes(binding: Int) async throws { recorded.withLock { $0.events.append(.completes(binding)) } }
    func status(_ message: String, fields: [String: Int64]) { recorded.withLock { $0.statuses.append(message) } }
}
