// The capture against the simulator, over the wire: what was captured, reduced by key, must be what is in the tables.

import ExactJSON
import Logging
import OrderedCollections
import SQLServerSimulator
import Synchronization
import TDSClient
import TDSTLS
import TDSWire
import Testing

@testable import CTCapture

/// A simulator with one database, and a connection that may do anything.
private final class Server: Sendable {
    let simulator: SimulatorServer
    let admin: TDSConnection

    init(_ script: String, snapshot: Bool = true) async throws {
        let engine = SimulatorConfiguration(
            databases: ["test"], logins: [.init(name: "sa", password: "Admin-1234", role: .sysadmin), .init(name: "reader", password: "Reader-1234", role: .reader)])
        simulator = SimulatorServer(configuration: SimulatorServerConfiguration(engine: engine, port: 0))
        // Its databases have change tracking on from the start.
        try simulator.engine.runScript("ALTER DATABASE test SET ALLOW_SNAPSHOT_ISOLATION \(snapshot ? "ON" : "OFF")")
        for statement in script.split(separator: ";\n") { try simulator.engine.runScript(String(statement)) }
        try await simulator.start()
        admin = try await TDSConnection.connect(
            TDSConnectionConfiguration(
                host: "127.0.0.1", port: simulator.port, authentication: .sqlServer(user: "sa", password: "Admin-1234"), database: "test",
                encryption: .required, tls: .init(trust: .anything)))
    }

    func execute(_ sql: String) async throws { _ = try await admin.execute(TDSQuery(unsafeSQL: sql)) }

    func stop() async throws {
        await admin.close()
        try await simulator.stop()
    }

    var configuration: CaptureConfiguration {
        var configuration = CaptureConfiguration(host: "127.0.0.1", port: simulator.port, database: "test", user: "reader", password: "Reader-1234")
        configuration.advanced.pollingInterval = .milliseconds(20)
        return configuration
    }
}

@Suite(.timeLimit(.minutes(15))) struct SimulatorCaptureTests {
    private func bindings(_ tables: [String]) -> [CaptureBinding] {
        tables.enumerated().map { index, table in
            CaptureBinding(index: index, stateKey: "dbo/\(table)", resource: ResourceConfiguration(table: TableName(schema: "dbo", table: table)))
        }
    }

    /// Runs one session to its end.
    private func run(
        _ server: Server, _ tables: [String], state: JSONValue = .object([:]), output: RecordingOutput = RecordingOutput(), until stop: StopSignal? = nil,
        _ change: (inout CaptureConfiguration) -> Void = { _ in }
    ) async throws -> RecordingOutput.Recorded {
        var configuration = server.configuration
        change(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let source = try await TDSSource(configuration, logger: logger)
        var options = Capture.Options()
        options.shutdownAfterPolling = stop == nil
        options.retryDelay = .milliseconds(10)
        output.recorded.withLock { $0.state = state }
        let capture = Capture(
            configuration: configuration, bindings: bindings(tables), state: try CaptureState(state), source: source, output: output, logger: logger, options: options)
        do { try await capture.run(until: stop ?? StopSignal()) } catch {
            await source.close()
            throw error
        }
        await source.close()
        return output.recorded.withLock { $0 }
    }

    /// The last document of each key, deletes taken out; each without its `_meta`.
    private func reduced(_ documents: [JSONValue], key: [String]) -> [[JSONValue]: JSONValue] {
        var last: [[JSONValue]: JSONValue] = [:]
        for document in documents {
            let id = key.map { document[$0] ?? .null }
            var members = document.object ?? [:]
            members.removeValue(forKey: "_meta")
            last[id] = document["_meta"]?["op"] == "d" ? nil : .object(members)
        }
        return last
    }

    @Test(arguments: [
        ("int", "-5, 0, 7, 2147483647, -2147483648"), ("bigint", "9223372036854775807, -9223372036854775808, 0"), ("tinyint", "0, 1, 255"), ("bit", "0, 1"),
        ("decimal(10,5)", "-1234, 0, -3, 2, 12345.12, 12345.121, 12345.1205"), ("money", "-1.5, 0, 922337203685477.5807"), ("float", "-1.5, 0, 0.1, 1e300"),
        ("real", "-1.5, 0, 0.1"), ("date", "'1991-08-31', '0001-01-01', '9999-12-31'"), ("time(7)", "'00:00:00', '12:34:54.1234567', '23:59:59.9999999'"),
        ("datetime", "'1991-08-31T12:34:54.111', '1991-08-31T12:34:54.333', '1991-08-31T12:34:54.337', '1753-01-01'"),
        ("datetime2(7)", "'1991-08-31T12:34:54.1234567', '1991-08-31T12:34:54.1234568', '0001-01-01'"), ("smalldatetime", "'1991-08-31T12:34:00', '1900-01-01'"),
        ("datetimeoffset(3)", "'1991-08-31T12:34:54.123+05:30', '1991-08-31T12:34:54.124+05:30', '1991-08-31T00:00:00-08:00'"),
        ("varchar(32)", "'a', 'B', 'é', '', 'a-b', 'ab', 'aé'"), ("nvarchar(32)", "N'a', N'B', N'д', N'', N'a-b', N'ab', N'😀'"), ("char(4)", "'a', 'b', 'ab'"),
        ("varchar(16) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "N'д', N'а', N'б', N'z'"), ("varchar(16) COLLATE Latin1_General_BIN2", "'b', 'A', 'a', 'B'"), ("varbinary(8)", "0x, 0x0001, 0xFF, 0xFF01"), ("binary(4)", "0x01, 0x00000002"),
        ("uniqueidentifier", "'00112233-4455-6677-8899-AABBCCDDEEFF', 'FF112233-4455-6677-8899-AABBCCDDEE00', '00000000-0000-0000-0000-000000000000'"),
    ])
    func everyKeyTypeInChunksOfOne(_ type: String, _ values: String) async throws {
        let list = values.components(separatedBy: ", ")
        let rows = list.enumerated().map { "(\($0.element), \($0.offset))" }.joined(separator: ", ")
        let server = try await Server("CREATE TABLE dbo.T (k \(type) NOT NULL PRIMARY KEY, v int);\nALTER TABLE dbo.T ENABLE CHANGE_TRACKING;\nINSERT INTO dbo.T VALUES \(rows)")
        let recorded = try await run(server, ["T"]) { $0.advanced.backfillChunkSize = 1 }
        try await server.stop()
        let captured = (recorded.values[0] ?? []).compactMap { $0["v"]?.integer }
        #expect(captured.sorted() == (0..<Int64(list.count)).map { $0 })
        #expect(recorded.state["bindingStateV1"]?["dbo/T"]?["backfilled"] == .integer(Int64(list.count)))
    }

    @Test func compositeKeysAndStrangeNames() async throws {
        let table = "[we]]ird \"T\".'x' é]"
        let server = try await Server(
            """
            CREATE TABLE dbo.\(table) ([a.b] int NOT NULL, [c]]d] nvarchar(10) NOT NULL, [e f] int NOT NULL, [_meta2] int, [Z'] int, PRIMARY KEY ([a.b], [c]]d], [e f]));
            ALTER TABLE dbo.\(table) ENABLE CHANGE_TRACKING;
            INSERT INTO dbo.\(table) VALUES (1, N'x', 1, 0, 1), (1, N'x', 2, 0, 2), (1, N'y', 1, 0, 3), (2, N'a', 0, 0, 4), (2, N'a', 1, 0, 5), (3, N'', 0, 0, 6)
            """)
        let name = "we]ird \"T\".'x' é"
        let first = try await run(server, [name]) { $0.advanced.backfillChunkSize = 1 }
        #expect((first.values[0] ?? []).compactMap { $0["Z'"]?.integer } == [1, 2, 3, 4, 5, 6])
        try await server.execute("UPDATE dbo.\(table) SET [Z'] = 10 WHERE [a.b] = 1 AND [e f] = 2; DELETE FROM dbo.\(table) WHERE [a.b] = 3")
        let second = try await run(server, [name], state: first.state)
        let expected: [JSONValue] = [["a.b": 1, "c]d": "x", "e f": 2, "Z'": 10], ["a.b": 3, "c]d": "", "e f": 0]]
        #expect((second.values[0] ?? []).map { $0["_meta"]?["op"] } == ["u", "d"] as [JSONValue])
        for (document, wanted) in zip(second.values[0] ?? [], expected) {
            for (key, value) in wanted.object ?? [:] { #expect(document[key] == value) }
        }
        try await server.stop()
    }

    /// Where the primary key is not clustered, the table is read in the order in which its rows lie.
    @Test func chunksFollowTheClusteredKey() async throws {
        let server = try await Server(
            """
            CREATE TABLE dbo.T (id int NOT NULL PRIMARY KEY NONCLUSTERED, a varchar(5) NOT NULL, b int NOT NULL);
            CREATE UNIQUE CLUSTERED INDEX c ON dbo.T (a, b);
            ALTER TABLE dbo.T ENABLE CHANGE_TRACKING;
            INSERT INTO dbo.T VALUES (1, 'z', 1), (2, 'y', 2), (3, 'y', 1), (4, 'x', 9)
            """)
        let stop = StopSignal()
        let output = RecordingOutput { if $0.documents.count == 2 { stop.stop() } }
        let first = try await run(server, ["T"], output: output, until: stop) { $0.advanced.backfillChunkSize = 1 }
        #expect(first.state["bindingStateV1"]?["dbo/T"]?["scanned"] == nil)
        let second = try await run(server, ["T"], state: first.state) { $0.advanced.backfillChunkSize = 1 }
        #expect(((first.values[0] ?? []) + (second.values[0] ?? [])).map { $0["id"] } == [4, 3, 2, 1])
        #expect(second.state["bindingStateV1"]?["dbo/T"]?["metadata"]?["scan_key"] == nil)
        try await server.stop()
    }

    /// A session that ends at any checkpoint is continued from its state, without a gap and without a key twice.
    @Test func anInterruptedBackfillGoesOn() async throws {
        let rows = (0..<40).map { "('\($0 % 7)-\($0)', \($0))" }.joined(separator: ", ")
        let server = try await Server("CREATE TABLE dbo.T (k varchar(20) NOT NULL PRIMARY KEY, v int);\nALTER TABLE dbo.T ENABLE CHANGE_TRACKING;\nINSERT INTO dbo.T VALUES \(rows)")
        var state = JSONValue.object([:])
        var captured: [Int64] = []
        var sessions = 0
        while state["bindingStateV1"]?["dbo/T"]?["mode"] != "Active", sessions < 50 {
            let stop = StopSignal()
            let output = RecordingOutput { if !$0.documents.isEmpty { stop.stop() } }
            let recorded = try await run(server, ["T"], state: state, output: output, until: stop) { $0.advanced.backfillChunkSize = 3 }
            captured += (recorded.values[0] ?? []).compactMap { $0["v"]?.integer }
            state = recorded.state
            sessions += 1
        }
        try await server.stop()
        #expect(sessions > 5)
        #expect(captured.sorted() == (0..<40).map { Int64($0) })
    }

    /// Rows are inserted, changed, moved and deleted by several writers while the table is backfilled and followed.
    @Test(arguments: [true, false]) func whatIsCapturedIsWhatIsThere(snapshot: Bool) async throws {
        let server = try await Server(
            """
            CREATE TABLE dbo.T (id int NOT NULL PRIMARY KEY, v int NOT NULL, t nvarchar(40));
            ALTER TABLE dbo.T ENABLE CHANGE_TRACKING;
            CREATE TABLE dbo.U (a varchar(10) NOT NULL, b int NOT NULL, v int, PRIMARY KEY (a, b));
            ALTER TABLE dbo.U ENABLE CHANGE_TRACKING;
            INSERT INTO dbo.T VALUES \((0..<200).map { "(\($0 * 3), 0, N'start')" }.joined(separator: ", "));
            INSERT INTO dbo.U VALUES \((0..<100).map { "('k\($0 % 5)', \($0), 0)" }.joined(separator: ", "))
            """, snapshot: snapshot)
        let stop = StopSignal()
        let output = RecordingOutput()
        async let session = run(server, ["T", "U"], output: output, until: stop) { configuration in
            configuration.advanced.backfillChunkSize = 7
            configuration.advanced.backfillParallelism = 2
        }
        var random = SystemRandomNumberGenerator()
        for step in 0..<250 {
            let id = Int.random(in: 0..<600, using: &random)
            let statement =
                switch step % 6 {
                case 0: "IF NOT EXISTS (SELECT 1 FROM dbo.T WHERE id = \(id)) INSERT INTO dbo.T VALUES (\(id), \(step), N'new')"
                case 1: "UPDATE dbo.T SET v = \(step) WHERE id BETWEEN \(id) AND \(id + 20)"
                case 2: "DELETE FROM dbo.T WHERE id = \(id)"
                case 3: "UPDATE dbo.T SET id = \(10_000 + step) WHERE id = \(id - id % 3)"
                case 4: "UPDATE dbo.U SET v = \(step) WHERE b = \(id % 100)"
                default: "DELETE FROM dbo.U WHERE b = \(id % 100); INSERT INTO dbo.U VALUES ('n\(step)', \(id), \(step))"
                }
            try await server.execute(statement)
        }
        // Captured to the end: one more session, which ends by itself.
        stop.stop()
        let first = try await session
        let second = try await run(server, ["T", "U"], state: first.state)
        for (binding, (table, key)) in [("T", ["id"]), ("U", ["a", "b"])].enumerated() {
            let captured = reduced((first.values[binding] ?? []) + (second.values[binding] ?? []), key: key)
            var there: [[JSONValue]: JSONValue] = [:]
            for try await row in server.admin.query(TDSQuery(unsafeSQL: "SELECT * FROM dbo.\(table)")) {
                var members = OrderedDictionary<String, JSONValue>()
                for (index, column) in row.columns.metadata.enumerated() {
                    switch SourceValue(try row.value(index)) {
                    case .null: members[column.name] = .null
                    case .integer(let value): members[column.name] = .integer(value)
                    case .text(let value): members[column.name] = .string(value)
                    }
                }
                there[key.map { members[$0] ?? .null }] = .object(members)
            }
            #expect(captured.count == there.count)
            for (id, row) in there { #expect(captured[id]?.text(keys: .sorted) == row.text(keys: .sorted)) }
        }
        try await server.stop()
    }

    @Test(arguments: [
        ("TRUNCATE TABLE dbo.T; INSERT INTO dbo.T VALUES (1, 10)", "truncated"),
        ("ALTER TABLE dbo.T DISABLE CHANGE_TRACKING; UPDATE dbo.T SET v = 10; ALTER TABLE dbo.T ENABLE CHANGE_TRACKING", "turned off and on"),
        (
            "DROP TABLE dbo.T; CREATE TABLE dbo.T (id int NOT NULL PRIMARY KEY, v int); ALTER TABLE dbo.T ENABLE CHANGE_TRACKING; INSERT INTO dbo.T VALUES (1, 10)",
            "dropped and created again"
        ),
    ])
    func lossesAreNoticed(_ statements: String, _ reason: String) async throws {
        let server = try await Server("CREATE TABLE dbo.T (id int NOT NULL PRIMARY KEY, v int);\nALTER TABLE dbo.T ENABLE CHANGE_TRACKING;\nINSERT INTO dbo.T VALUES (1, 1)")
        let first = try await run(server, ["T"])
        for statement in statements.components(separatedBy: "; ") { try await server.execute(statement) }
        let second = try await run(server, ["T"], state: first.state)
        #expect((second.values[0] ?? []).map { $0["v"] } == [10])
        #expect(second.statuses.contains { $0.contains(reason) }, "\(second.statuses)")
        try await server.stop()
    }

    @Test func columnsComeAndGoWhileRunning() async throws {
        let server = try await Server("CREATE TABLE dbo.T (id int NOT NULL PRIMARY KEY, old int);\nALTER TABLE dbo.T ENABLE CHANGE_TRACKING;\nINSERT INTO dbo.T VALUES (1, 1)")
        let first = try await run(server, ["T"])
        let stop = StopSignal()
        let output = RecordingOutput { recorded in
            if recorded.values[0]?.contains(where: { $0["id"] == 3 }) == true { stop.stop() }
        }
        async let session = run(server, ["T"], state: first.state, output: output, until: stop)
        try await server.execute("ALTER TABLE dbo.T ADD fresh nvarchar(10)")
        try await server.execute("INSERT INTO dbo.T (id, old, fresh) VALUES (2, 2, N'two')")
        while output.recorded.withLock({ $0.values[0]?.isEmpty ?? true }) { try await Task.sleep(for: .milliseconds(10)) }
        try await server.execute("ALTER TABLE dbo.T DROP COLUMN old")
        try await server.execute("INSERT INTO dbo.T (id, fresh) VALUES (3, N'three')")
        let second = try await session
        try await server.stop()
        let documents = (second.values[0] ?? []).reduce(into: [JSONValue: JSONValue]()) { $0[$1["id"] ?? .null] = $1 }
        #expect(documents[2]?["fresh"] == "two" && documents[2]?["old"] == 2)
        #expect(documents[3]?["fresh"] == "three" && documents[3]?["old"] == nil)
        #expect(second.events.contains(.schema(0, columns: ["fresh", "id"])))
    }

    /// Whatever a capture is doing when its task is cancelled, it ends.
    @Test func aCancelledSessionEnds() async throws {
        let rows = (0..<200).map { "(\($0), 0)" }.joined(separator: ", ")
        let server = try await Server("CREATE TABLE dbo.T (id int NOT NULL PRIMARY KEY, v int);\nALTER TABLE dbo.T ENABLE CHANGE_TRACKING;\nINSERT INTO dbo.T VALUES \(rows)")
        for round in 0..<30 {
            let session = Task { try await run(server, ["T"], until: StopSignal()) { $0.advanced.backfillChunkSize = 3 } }
            try await Task.sleep(for: .milliseconds(round * 7))
            session.cancel()
            await #expect(throws: (any Error).self) { _ = try await session.value }
        }
        try await server.stop()
    }

    @Test func refusalsAreInPlainWords() async throws {
        let server = try await Server("CREATE TABLE dbo.Plain (id int NOT NULL PRIMARY KEY);\nCREATE TABLE dbo.NoKey (id int)")
        func message(_ tables: [String], _ change: (inout CaptureConfiguration) -> Void = { _ in }) async -> String {
            do {
                _ = try await run(server, tables, change)
                return "(it ran)"
            } catch { return "\(error)" }
        }
        #expect(await message([]) { $0.password = "wrong" }.contains("refused the user \"reader\" or the password"))
        #expect(await message([]) { $0.database = "nowhere" }.contains("the database \"nowhere\" does not exist"))
        // A reader may not turn tracking on.
        let text = await message(["Plain", "NoKey", "Missing"])
        #expect(text.contains(" - change tracking is not enabled for table \"dbo.plain\" and could not be turned on: "), "\(text)")
        #expect(text.contains(" - table \"dbo.nokey\" has no primary key") && text.contains(" - table \"dbo.missing\" does not exist"), "\(text)")
        try await server.stop()
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] { split(separator: separator).map { String($0) } }
}
