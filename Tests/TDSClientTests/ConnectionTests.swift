// The client against the simulator, over real sockets: logins with every TLS mode, requests, results, errors, cancellation.

import NIOCore
import NIOPosix
import SQLServerSimulator
import Synchronization
import TDSClient
import TDSTLS
import TDSWire
import Testing

/// A simulator on a free port, and configurations to reach it.
private struct Server {
    let simulator: SimulatorServer
    static let password = "Admin-1234"

    init(encryption: EncryptionPolicy? = nil) async throws {
        let engine = SimulatorConfiguration(databases: ["test"], logins: [.init(name: "sa", password: Self.password, role: .sysadmin)])
        simulator = SimulatorServer(configuration: SimulatorServerConfiguration(engine: engine, port: 0, encryption: encryption))
        try await simulator.start()
    }

    func configuration(
        _ encryption: TDSConnectionConfiguration.Encryption = .required, trust: TLSTrust = .anything, password: String = Self.password, database: String = "test"
    ) -> TDSConnectionConfiguration {
        TDSConnectionConfiguration(
            host: "127.0.0.1", port: simulator.port, authentication: .sqlServer(user: "sa", password: password), database: database, encryption: encryption,
            tls: TLSClientConfiguration(trust: trust), connectTimeout: .seconds(600), cancelTimeout: .seconds(600))
    }

    /// Starts a batch that waits for an hour; returns when the server carries it out, which another connection sees.
    func waiting(_ connection: TDSConnection) async throws -> Task<ClientRequestStateMachine.Response, any Error> {
        try await connection.execute("CREATE TABLE dbo.began (n int)")
        let task = Task { try await connection.execute("INSERT INTO dbo.began VALUES (1); WAITFOR DELAY '01:00:00'") }
        try await TDSConnection.withConnection(configuration(.disabled)) { other in
            while try await other.query("SELECT n FROM dbo.began").collect().isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        }
        return task
    }

    /// Starts a server, lends a connection to it, and stops it.
    static func withConnection(
        _ encryption: TDSConnectionConfiguration.Encryption = .disabled, _ body: (TDSConnection, Server) async throws -> Void
    ) async throws {
        let server = try await Server()
        do {
            try await TDSConnection.withConnection(server.configuration(encryption)) { try await body($0, server) }
        } catch {
            try await server.simulator.stop()
            throw error
        }
        try await server.simulator.stop()
    }
}

/// The error that `body` throws, which must be a `TDSError`.
private func tdsError(_ body: () async throws -> Void) async -> TDSError? {
    do {
        try await body()
        return nil
    } catch { return error as? TDSError }
}

@Suite("Connections", .timeLimit(.minutes(15)))
struct ConnectionTests {
    @Test(arguments: [TDSConnectionConfiguration.Encryption.required, .loginOnly, .disabled, .strict])
    func logsIn(_ encryption: TDSConnectionConfiguration.Encryption) async throws {
        let server = try await Server()
        let certificate = try #require(server.simulator.certificate).certificatePEM
        try await TDSConnection.withConnection(server.configuration(encryption, trust: .authorities(pem: certificate))) { connection in
            #expect(connection.loginResult.database == "test")
            #expect(connection.serverVersion.major == 16)
            let rows = try await connection.query("SELECT 1 AS one, N'zwölf' AS twelve").collect()
            #expect(try rows.map { try $0.decode((Int.self, String.self)) }.map { "\($0)" } == [#"(1, "zwölf")"#])
        }
        try await server.simulator.stop()
    }

    @Test func anUnknownAuthorityIsRefused() async throws {
        let server = try await Server()
        let error = await tdsError { _ = try await TDSConnection.connect(server.configuration(.required, trust: .systemRoots)) }
        #expect(error?.code == .tls)
        #expect(error?.underlying is TLSError)
        try await server.simulator.stop()
    }

    @Test func theEncryptionThatTheServerLacksIsRefused() async throws {
        let server = try await Server(encryption: .off)
        let required = await tdsError { _ = try await TDSConnection.connect(server.configuration(.required)) }
        #expect(required?.code == .encryptionRefused)
        // The password is not shown to a server that cannot encrypt, unless the caller says so.
        let optional = await tdsError { _ = try await TDSConnection.connect(server.configuration(.loginOnly)) }
        #expect(optional?.code == .encryptionRefused)
        var plain = server.configuration(.loginOnly)
        plain.allowsPlainLogin = true
        try await TDSConnection.withConnection(plain) { _ in }
        try await server.simulator.stop()
    }

    @Test func aRefusedLoginSaysWhyAndShowsNoPassword() async throws {
        let server = try await Server()
        let error = await tdsError { _ = try await TDSConnection.connect(server.configuration(password: "wrong-Secret-77")) }
        #expect(error?.code == .loginFailed)
        #expect(error?.number == 18456)
        #expect(error?.message == "Login failed for user 'sa'.")
        #expect(error.map { "\($0)" }?.contains("Secret") == false)
        #expect("\(server.configuration(password: "wrong-Secret-77"))".contains("Secret") == false)
        let database = await tdsError { _ = try await TDSConnection.connect(server.configuration(database: "nowhere")) }
        #expect(database?.serverErrors.map(\.number) == [4060, 18456])
        try await server.simulator.stop()
    }

    @Test func aServerThatNeverAnswersIsGivenUp() async throws {
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(silent.localAddress?.port)
        var configuration = TDSConnectionConfiguration(host: "127.0.0.1", port: port, authentication: .sqlServer(user: "sa", password: "x"))
        configuration.connectTimeout = .milliseconds(200)
        let error = await tdsError { _ = try await TDSConnection.connect(configuration) }
        #expect(error?.code == .connectTimeout)
        try await silent.close().get()
        configuration.connectTimeout = .seconds(600)
        let refused = await tdsError { _ = try await TDSConnection.connect(configuration) }
        #expect(refused?.code == .connectionFailed)
    }

    @Test func parametersComeBackAsTheyWere() async throws {
        try await Server.withConnection { connection, _ in
            let values: [TDSValue] = [
                .bool(true), .uint8(200), .int16(-3), .int32(7), .int64(.min), .double(0.1), .float(1.5), .string("naïve 🎉"), .string(""),
                .string(String(repeating: "é", count: 5000)), .bytes(ByteBuffer(bytes: [0, 1, 255])), .bytes(ByteBuffer(repeating: 7, count: 9000)),
                .decimal(try TDSDecimal(text: "-12345.678")), .date(try TDSDate(text: "2024-02-29")), .dateTime2(try TDSDateTime2(text: "2024-02-29 12:34:56.7890000")),
                .guid(try TDSGUID(text: "6F9619FF-8B86-D011-B42D-00C04FC964FF")),
            ]
            for value in values {
                let row = try #require(try await connection.query("SELECT \(value) AS v, \(7) AS w").collect().first)
                #expect(try row.value("v").description == value.description)
                #expect(try row.decode("w", as: Int.self) == 7)
            }
            let null = try #require(try await connection.query("SELECT \(String?.none) AS v").collect().first)
            #expect(try null.decode("v", as: String?.self) == nil)
        }
    }

    @Test func resultSetsCountsAndMessages() async throws {
        try await Server.withConnection { connection, _ in
            try await connection.execute("CREATE TABLE dbo.t (id int PRIMARY KEY, v nvarchar(20))")
            let inserted = try await connection.execute("INSERT INTO dbo.t VALUES (1, N'a'), (2, N'b'), (3, NULL)")
            #expect(inserted.rowCounts == [3])
            let rows = try await connection.query("SELECT id FROM dbo.t ORDER BY id; SELECT v FROM dbo.t ORDER BY id; PRINT 'done'").collect()
            #expect(rows.map(\.columns.resultSet) == [0, 0, 0, 1, 1, 1])
            #expect(try rows.map { try $0.value(0).description } == ["1", "2", "3", "a", "b", "NULL"])
            let printed = try await connection.execute("PRINT 'hello'")
            #expect(printed.infos.map(\.text) == ["hello"])
        }
    }

    @Test func errorsComeAfterTheRowsBeforeThem() async throws {
        try await Server.withConnection { connection, _ in
            var seen: [String] = []
            let error = await tdsError {
                for try await row in connection.query("SELECT 1 AS a UNION ALL SELECT 2; SELECT 1 / 0; RAISERROR('second', 16, 3)") {
                    seen.append(try row.value(0).description)
                }
            }
            #expect(seen.prefix(2) == ["1", "2"])
            #expect(error?.code == .server)
            #expect(error?.serverErrors.map(\.number) == [8134, 50000])
            #expect(error?.serverErrors.last?.state == 3)
            // The connection is as good as before.
            let after = try await connection.query("SELECT 1").collect()
            #expect(after.count == 1)
        }
    }

    @Test func transactionsAreTheServersToTell() async throws {
        try await Server.withConnection { connection, _ in
            try await connection.execute("CREATE TABLE dbo.t (id int PRIMARY KEY)")
            try await connection.beginTransaction(isolationLevel: .readCommitted)
            let begun = try await connection.session.transactionDescriptor
            #expect(begun != 0)
            try await connection.execute("INSERT INTO dbo.t VALUES (1)")
            try await connection.rollback()
            let ended = try await connection.session.transactionDescriptor
            #expect(ended == 0)
            try await connection.beginTransaction(isolationLevel: .readCommitted)
            try await connection.execute("INSERT INTO dbo.t VALUES (2)")
            try await connection.commit()
            let ids = try await connection.query("SELECT id FROM dbo.t").collect().map { try $0.decode(0, as: Int.self) }
            #expect(ids == [2])
        }
    }

    @Test func cancellingATaskCancelsItsQuery() async throws {
        try await Server.withConnection(.required) { connection, server in
            let waiting = try await server.waiting(connection)
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            let after = try await connection.query("SELECT 5").collect().map { try $0.decode(0, as: Int.self) }
            #expect(after == [5])
        }
    }

    @Test func leavingASequenceEarlyLeavesTheConnectionGood() async throws {
        try await Server.withConnection { connection, _ in
            for round in 0..<5 {
                var count = 0
                for try await _ in connection.query("SELECT value FROM GENERATE_SERIES(1, 200000)") {
                    count += 1
                    if count == 10 + round { break }
                }
                let after = try await connection.query("SELECT \(round) AS r").collect().map { try $0.decode(0, as: Int.self) }
                #expect(after == [round])
            }
        }
    }

    @Test func aSinkThatIsFullIsEmptiedAndAFailureThereCancels() async throws {
        try await Server.withConnection { connection, _ in
            struct CountingSink: RowSink, Sendable {
                var rows = 0
                var total = 0
                var isFull: Bool { rows >= 100 }
                mutating func columns(_ columns: [ColumnMetadata]) {}
                mutating func rowBegins() {}
                mutating func null(column: Int) {}
                mutating func value(_ bytes: RawSpan, column: Int) {}
                mutating func largeValueBegins(column: Int, length: UInt64?) {}
                mutating func largeValueChunk(_ bytes: RawSpan, column: Int) {}
                mutating func largeValueEnds(column: Int) {}
                mutating func rowEnds() { rows += 1 }
            }
            var emptied = 0
            let (sink, response) = try await connection.read("SELECT value FROM GENERATE_SERIES(1, 1050)", into: CountingSink()) { sink in
                emptied += 1
                sink.total += sink.rows
                sink.rows = 0
            }
            #expect(emptied == 10)
            #expect(sink.total + sink.rows == 1050)
            #expect(response.rowCounts == [1050])
            struct Stop: Error {}
            await #expect(throws: Stop.self) {
                _ = try await connection.read("SELECT value FROM GENERATE_SERIES(1, 100000)", into: CountingSink()) { _ in throw Stop() }
            }
            let after = try await connection.query("SELECT 1").collect()
            #expect(after.count == 1)
        }
    }

    @Test func aSecondRequestAtTheSameTimeIsRefused() async throws {
        try await Server.withConnection { connection, server in
            let first = try await server.waiting(connection)
            let error = await tdsError { try await connection.execute("SELECT 1") }
            #expect(error?.code == .requestInProgress)
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
        }
    }

    /// Everything in pieces of a few bytes: packets, tokens and values end anywhere.
    @Test(arguments: [1, 2, 7, 61]) func tornResponsesGiveTheSameRows(_ size: Int) async throws {
        try await Server.withConnection { connection, server in
            try await connection.execute("CREATE TABLE dbo.t (id int PRIMARY KEY, v nvarchar(max), x xml, d decimal(38, 10))")
            try await connection.execute("INSERT INTO dbo.t VALUES (1, REPLICATE(CAST(N'ä€' AS nvarchar(max)), 3000), '<a/>', 1.5), (2, NULL, NULL, NULL), (3, N'', '<b>ü</b>', -2)")
            let query: TDSQuery = "SELECT id, v, x, d FROM dbo.t ORDER BY id"
            func texts() async throws -> [String] {
                try await connection.query(query).collect().map { row in try (0..<row.count).map { try row.value($0).description }.joined(separator: "|") }
            }
            let whole = try await texts()
            #expect(whole.count == 3)
            server.simulator.faults.update { $0.largestWrite = size }
            let torn = try await texts()
            #expect(torn == whole)
        }
    }

    @Test func aConnectionThatBreaksIsNotUsedAgain() async throws {
        try await Server.withConnection { connection, server in
            server.simulator.faults.update { $0.packetsUntilBreak = 3 }
            let error = await tdsError { _ = try await connection.query("SELECT value FROM GENERATE_SERIES(1, 100000)").collect() }
            #expect(error?.code == .connectionClosed || error?.code == .protocolViolation)
            let isUsable = await connection.isUsable
            #expect(!isUsable)
            let later = await tdsError { try await connection.execute("SELECT 1") }
            #expect(later?.code == .connectionClosed)
        }
    }

    @Test func anUnansweredAttentionClosesTheConnection() async throws {
        let server = try await Server()
        server.simulator.faults.update { $0.ignoresAttention = true }
        var configuration = server.configuration(.disabled)
        configuration.cancelTimeout = .milliseconds(200)
        let connection = try await TDSConnection.connect(configuration)
        let waiting = try await server.waiting(connection)
        waiting.cancel()
        await #expect(throws: (any Error).self) { try await waiting.value }
        let isUsable = await connection.isUsable
        #expect(!isUsable)
        await connection.close()
        try await server.simulator.stop()
    }
}
