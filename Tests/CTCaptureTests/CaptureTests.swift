import ExactJSON
import Logging
import OrderedCollections
import Synchronization
import Testing

@testable import CTCapture

@Suite(.timeLimit(.minutes(15))) struct CaptureTests {
    let source = FakeSource()
    let a = TableName(schema: "dbo", table: "A")
    let b = TableName(schema: "dbo", table: "B")

    private func capture(
        _ tables: [TableName], state: JSONValue = .object([:]), output: RecordingOutput, shutdown: Bool = true, priorities: [Int] = [],
        _ change: (inout CaptureConfiguration) -> Void = { _ in }
    ) throws -> Capture {
        var configuration = CaptureConfiguration(host: "h", database: "test", user: "u", password: "p")
        configuration.advanced.pollingInterval = .milliseconds(10)
        change(&configuration)
        let bindings = tables.enumerated().map { index, table in
            CaptureBinding(
                index: index, stateKey: "dbo%2F\(table.table)",
                resource: ResourceConfiguration(table: table, priority: priorities.indices.contains(index) ? priorities[index] : 0))
        }
        var options = Capture.Options()
        options.shutdownAfterPolling = shutdown
        options.retryDelay = .milliseconds(5)
        return Capture(
            configuration: configuration, bindings: bindings, state: try CaptureState(state), source: source, output: output,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, options: options)
    }

    /// Runs a session to its end and returns what it sent.
    private func run(
        _ tables: [TableName], state: JSONValue = .object([:]), priorities: [Int] = [], _ change: (inout CaptureConfiguration) -> Void = { _ in }
    ) async throws -> RecordingOutput.Recorded {
        let output = RecordingOutput()
        output.recorded.withLock { $0.state = state }
        try await capture(tables, state: state, output: output, priorities: priorities, change).run(until: StopSignal())
        return output.recorded.withLock { $0 }
    }

    @Test func backfillThenChanges() async throws {
        source.change { database in
            database.create(a)
            for id in 0..<5 { database.insert(a, Int64(id), "v\(id)") }
        }
        let first = try await run([a]) { $0.advanced.backfillChunkSize = 2 }
        #expect(first.documents == (0..<5).map { .document(0, "c", Int64($0), "v\($0)") })
        // Schemas, then an empty checkpoint, before any document.
        #expect(Array(first.events.prefix(3)) == [.schema(0, columns: ["data", "id"]), .checkpoint, .checkpoint])
        #expect(first.events.last == .checkpoint)
        let binding = first.state["bindingStateV1"]?["dbo%2FA"]
        #expect(binding?["mode"] == "Active" && binding?["backfilled"] == 5 && binding?["key_columns"] == ["id"] as JSONValue && binding?["scanned"] == nil)
        #expect(first.state["cursor"] == ["dbo.a": 5] as JSONValue)

        source.change { database in
            database.update(a, 1, "new")
            database.insert(a, 9, "nine")
            database.delete(a, 0)
        }
        let second = try await run([a], state: first.state)
        #expect(second.documents == [.document(0, "d", 0, ""), .document(0, "u", 1, "new"), .document(0, "c", 9, "nine")])
        #expect(second.state["cursor"] == ["dbo.a": 8] as JSONValue)
        #expect(second.state["bindingStateV1"]?["dbo%2FA"]?["backfilled"] == 5)
        #expect(try await run([a], state: second.state).documents.isEmpty)
    }

    @Test func aHalfDoneBackfillGoesOn() async throws {
        source.change { database in
            database.create(a)
            for id in 0..<4 { database.insert(a, Int64(id), "v\(id)") }
        }
        let scanned = KeyPosition.encode([.integer(1)])
        let state = try JSONValue(
            parsing: #"{"cursor":{"dbo.a":4},"bindingStateV1":{"dbo%2FA":{"mode":"Backfill","key_columns":["id"],"scanned":"\#(scanned)","backfilled":2}}}"#)
        let recorded = try await run([a], state: state)
        #expect(recorded.documents == [.document(0, "c", 2, "v2"), .document(0, "c", 3, "v3")])
        #expect(recorded.state["bindingStateV1"]?["dbo%2FA"]?["backfilled"] == 4)
        // From here on it is known which table the state is of.
        #expect(recorded.state["bindingStateV1"]?["dbo%2FA"]?["metadata"]?["object_id"] == 100)
    }

    @Test func removedAndAddedAgain() async throws {
        source.change { database in
            database.create(a)
            database.create(b)
            database.insert(b, 1, "one")
        }
        let both = try await run([a, b])
        let removed = try await run([a], state: both.state)
        #expect(removed.state["bindingStateV1"]?["dbo%2FB"]?["mode"] == "Ignore" && removed.state["bindingStateV1"]?["dbo%2FB"]?["backfilled"] == 0)
        #expect(removed.state["bindingStateV1"]?["dbo%2FB"]?["key_columns"] == nil)
        #expect(removed.state["cursor"]?.object?.keys.elements == ["dbo.a"])
        source.change { $0.insert(b, 2, "two") }
        let again = try await run([a, b], state: removed.state)
        #expect(again.documents == [.document(1, "c", 1, "one"), .document(1, "c", 2, "two")])
        #expect(again.state["bindingStateV1"]?["dbo%2FB"]?["mode"] == "Active")
    }

    @Test func priorities() async throws {
        source.change { database in
            database.create(a)
            database.create(b)
            database.insert(a, 1, "a")
            database.insert(b, 1, "b")
        }
        let recorded = try await run([a, b], priorities: [-1, 3])
        #expect(recorded.documents == [.document(1, "c", 1, "b"), .document(0, "c", 1, "a")])
    }

    @Test func parallelBackfills() async throws {
        source.change { database in
            for table in [a, b] {
                database.create(table)
                for id in 0..<30 { database.insert(table, Int64(id), "x") }
            }
        }
        let recorded = try await run([a, b]) { configuration in
            configuration.advanced.backfillParallelism = 2
            configuration.advanced.backfillChunkSize = 4
        }
        #expect(recorded.documents.count == 60)
        #expect(Set(recorded.documents).count == 60)
        for binding in 0..<2 {
            let ids = recorded.documents.compactMap { if case .document(binding, _, let id, _) = $0 { id } else { nil } }
            #expect(ids == ids.sorted())
        }
    }

    /// Rule 4: a change that was captured is never overwritten by an older chunk row, and none is missed, whenever it happens.
    @Test func changesDuringABackfill() async throws {
        let a = a
        source.change { database in
            database.create(a)
            for id in 0..<6 { database.insert(a, Int64(id), "old") }
            database.beforeBackfill = { database in
                // Behind the scan, ahead of it, a new row at the end, and a row that goes.
                switch database.version {
                case 6: database.update(a, 5, "n1")
                case 7: database.update(a, 0, "n2")
                case 8: database.delete(a, 3)
                case 9: database.insert(a, 7, "n3")
                default: break
                }
            }
        }
        let recorded = try await run([a]) { $0.advanced.backfillChunkSize = 1 }
        var last: [Int64: String] = [:]
        for case .document(_, let op, let id, let data) in recorded.documents { last[id] = op == "d" ? nil : data }
        #expect(last == source.database.withLock { $0.tables[a]?.rows })
    }

    // MARK: Data loss

    private func captured() async throws -> JSONValue {
        source.change { database in
            database.create(b)
            database.create(a)
            database.insert(a, 1, "one")
            database.insert(a, 2, "two")
        }
        return try await run([a]).state
    }

    @Test(arguments: ["retained since", "dropped and created", "truncated", "went back"]) func lostChangesAreBackfilledAgain(_ reason: String) async throws {
        let state = try await captured()
        source.change { database in
            database.update(a, 1, "later")
            switch reason {
            case "retained since":
                database.tables[a]?.minimumValid = database.version
                database.tables[a]?.changes = [:]
            case "dropped and created": database.tables[a]?.objectID += 77
            case "truncated":
                database.tables[a]?.beginVersion = database.version
                database.tables[a]?.minimumValid = database.version
            default:
                database.version = 1
                database.tables[a]?.changes = [:]
            }
        }
        let recorded = try await run([a], state: state)
        #expect(recorded.documents == [.document(0, "c", 1, "later"), .document(0, "c", 2, "two")])
        #expect(recorded.statuses.contains { $0.contains("dbo.a") && $0.contains(reason) }, "\(recorded.statuses)")
        #expect(recorded.state["bindingStateV1"]?["dbo%2FA"]?["mode"] == "Active")
        // It is known now, and not found again.
        #expect(try await run([a], state: recorded.state).documents.isEmpty)
        await #expect(throws: CaptureError.self) { try await run([a], state: state) { $0.advanced.onDataLoss = .stop } }
    }

    @Test func cleanupWhileReadingIsNoticed() async throws {
        let a = a
        let state = try await captured()
        source.change { database in
            database.allowsSnapshot = false
            database.update(a, 1, "later")
            database.beforeChanges = { database in
                // Cleaned up between the check and the read: the change of row 1 is not seen.
                guard database.tables[a]?.minimumValid != database.version else { return }
                database.tables[a]?.minimumValid = database.version
                database.tables[a]?.changes = [:]
            }
        }
        let recorded = try await run([a], state: state)
        #expect(recorded.documents.contains(.document(0, "c", 1, "later")))
    }

    @Test func aPollIsOneTransaction() async throws {
        let state = try await captured()
        source.change {
            $0.executed = []
            $0.update(a, 1, "x")
        }
        _ = try await run([a], state: state)
        let executed = source.database.withLock { $0.executed }
        #expect(executed.starts(with: [CatalogQueries.beginSnapshot, CatalogQueries.endSnapshot]))
        #expect(source.database.withLock { !$0.inTransaction })
    }

    // MARK: Trouble

    @Test func errorsThatPassAreTriedAgain() async throws {
        let state = try await captured()
        source.change { database in
            database.update(a, 1, "x")
            database.failNextRead = SourceError(number: 1205, message: "deadlock")
        }
        let recorded = try await run([a], state: state)
        #expect(recorded.documents == [.document(0, "u", 1, "x")])
        #expect(source.database.withLock { $0.executed.contains(CatalogQueries.abandonSnapshot) })
    }

    @Test func oneBadTableDoesNotStopTheOthers() async throws {
        let (source, a, b) = (source, a, b)
        source.change { database in
            for table in [a, b] {
                database.create(table)
                database.insert(table, 1, "v")
            }
        }
        let stop = StopSignal()
        let output = RecordingOutput { recorded in
            // Once both are backfilled one goes bad and both change; when the other's change is there, it is enough.
            if recorded.documents.count == 2 {
                source.change { database in
                    guard database.tables[a]?.failure == nil else { return }
                    database.tables[a]?.failure = SourceError(number: 229, message: "The SELECT permission was denied")
                    database.update(a, 1, "unseen")
                    database.update(b, 1, "seen")
                }
            } else if recorded.documents.contains(.document(1, "u", 1, "seen")) {
                stop.stop()
            }
        }
        try await capture([a, b], output: output, shutdown: false).run(until: stop)
        let recorded = output.recorded.withLock { $0 }
        #expect(!recorded.documents.contains(.document(0, "u", 1, "unseen")))
        #expect(recorded.statuses.contains { $0.contains("\"dbo.a\"") && $0.contains("permission was denied") })
        // Its cursor has not moved: the change is captured once it can be read again.
        source.change { $0.tables[a]?.failure = nil }
        #expect(try await run([a, b], state: recorded.state).documents == [.document(0, "u", 1, "unseen")])
    }

    @Test func aDroppedTableDoesNotStopTheOthers() async throws {
        let (source, a, b) = (source, a, b)
        source.change { database in
            for table in [a, b] {
                database.create(table)
                database.insert(table, 1, "v")
            }
        }
        let stop = StopSignal()
        let output = RecordingOutput { recorded in
            let mode = recorded.state["bindingStateV1"]?["dbo%2FA"]?["mode"]?.string
            if recorded.documents.count == 2, mode == "Active" {
                source.change { database in
                    guard database.tables[a] != nil else { return }
                    database.tables[a] = nil
                    database.update(b, 1, "still")
                }
            } else if mode == "Missing" {
                source.change { database in
                    guard database.tables[a] == nil else { return }
                    database.create(a)
                    database.insert(a, 5, "back")
                }
            }
            if recorded.documents.contains(.document(0, "c", 5, "back")), recorded.documents.contains(.document(1, "u", 1, "still")) { stop.stop() }
        }
        try await capture([a, b], output: output, shutdown: false).run(until: stop)
        #expect(output.recorded.withLock { $0.state["bindingStateV1"]?["dbo%2FA"]?["mode"] } == "Active")
    }

    @Test func aNewColumnIsCapturedFromItsFirstChange() async throws {
        let state = try await captured()
        let source = source
        let a = a
        let stop = StopSignal()
        let output = RecordingOutput { recorded in
            if recorded.events.count == 2 {
                source.change { database in
                    database.tables[a]?.columns = ["data", "id", "extra"]
                    database.update(a, 1, "x")
                }
            }
            if !recorded.documents.isEmpty { stop.stop() }
        }
        try await capture([a], state: state, output: output, shutdown: false).run(until: stop)
        let events = output.recorded.withLock { $0.events }
        let schema = try #require(events.firstIndex(of: .schema(0, columns: ["data", "extra", "id"])))
        let document = try #require(events.firstIndex(of: .document(0, "u", 1, "x")))
        #expect(schema < document)
    }

    @Test func aDroppedColumnDoesNoHarm() async throws {
        let a = a
        source.change { database in
            database.create(a)
            for id in 0..<3 { database.insert(a, Int64(id), "v") }
            database.tables[a]?.columns = ["data", "id", "gone"]
            database.beforeBackfill = { $0.tables[a]?.columns = ["data", "id"] }
        }
        let recorded = try await run([a])
        #expect(recorded.documents.count == 3)
        #expect(recorded.events.contains(.schema(0, columns: ["data", "id"])))
    }

    @Test func prerequisitesAreReportedTogether() async throws {
        source.change { database in
            database.create(a)
            database.tables[a]?.primaryKey = []
        }
        let error = await #expect(throws: PrerequisiteError.self) { try await run([a, b]) }
        #expect(
            error?.description == """
                the capture cannot run due to the following error(s):
                 - table "dbo.a" has no primary key, which change tracking needs
                 - table "dbo.b" does not exist
                """)
        let many = PrerequisiteError((0..<25).map { "p\($0)" }).description
        #expect(many.hasSuffix(" - p19\n - and 5 more"))
    }

    @Test func untrackedTablesAreTurnedOn() async throws {
        source.change { database in
            database.create(a, tracked: false)
            database.insert(a, 1, "v")
        }
        #expect(try await run([a]).documents == [.document(0, "c", 1, "v")])
        #expect(source.database.withLock { $0.executed.contains("ALTER TABLE [dbo].[A] ENABLE CHANGE_TRACKING") })
    }

    @Test func mismatchedKeys() async throws {
        source.change { $0.create(a) }
        let catalog = try await source.withSession { try await Catalog.read($0) }
        let table = try #require(catalog.table(a))
        #expect(Prerequisites.keyMismatch(ResourceConfiguration(table: a), table) == nil)
        #expect(Prerequisites.keyMismatch(ResourceConfiguration(table: a, primaryKey: ["id"]), table) == nil)
        #expect(
            Prerequisites.keyMismatch(ResourceConfiguration(table: a, mode: .withoutPrimaryKey), table)
                == "configured primary key [] does not match the table's current primary key [\"id\"]; Change Tracking requires matching keys")
    }

    @Test func skippedBackfillsAndMarkers() async throws {
        source.change { database in
            for table in [a, b] {
                database.create(table)
                database.insert(table, 1, "v")
            }
        }
        let skip = try SkipBackfills("DBO.a", field: "skip_backfills")
        let recorded = try await run([a, b]) { configuration in
            configuration.advanced.skipBackfills = skip
            configuration.advanced.backfillMarkers = true
        }
        #expect(recorded.documents == [.document(1, "c", 1, "v")])
        let begins = try #require(recorded.events.firstIndex(of: .begins(1)))
        let completes = try #require(recorded.events.firstIndex(of: .completes(1)))
        #expect(recorded.events[begins - 1] == .checkpoint && recorded.events[completes + 1] == .checkpoint && begins < completes)
    }

    @Test func aStopEndsAfterACheckpoint() async throws {
        source.change { database in
            database.create(a)
            for id in 0..<100 { database.insert(a, Int64(id), "v") }
        }
        let stop = StopSignal()
        let output = RecordingOutput { if $0.documents.count >= 10 { stop.stop() } }
        try await capture([a], output: output, shutdown: false) { $0.advanced.backfillChunkSize = 5 }.run(until: stop)
        let recorded = output.recorded.withLock { $0 }
        #expect(recorded.events.last == .checkpoint)
        #expect((10..<100).contains(recorded.documents.count))
        let rest = try await run([a], state: recorded.state)
        #expect(recorded.documents.count + rest.documents.count == 100)
    }
}
