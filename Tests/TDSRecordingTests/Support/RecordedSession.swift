// A session of TDSClient with the simulator, recorded at both ends.
import Foundation
import NIOCore
import SQLServerSimulator
import Synchronization
import TDSClient
import TDSRecording
import TDSTLS
import TDSWire
import Testing

struct RecordedSession {
    typealias Encryption = TDSConnectionConfiguration.Encryption
    static let encryptions: [Encryption] = [.disabled, .loginOnly, .required, .strict]
    /// With letters of one, two, three and four bytes in UTF-8.
    static let password = "Geheim-Pässwörd-✓-📎-1"

    /// The recordings: the client's is compressed.
    var clientFile: Data
    var serverFile: Data
    /// What the client saw.
    var results: [String]

    /// Each is recorded once for all tests.
    private static let sessions = Mutex<[Encryption: Task<RecordedSession, any Error>]>([:])

    static func shared(_ encryption: Encryption) async throws -> RecordedSession {
        let task = sessions.withLock { sessions in
            if let task = sessions[encryption] { return task }
            let task = Task { try await make(encryption) }
            sessions[encryption] = task
            return task
        }
        return try await task.value
    }

    /// Lends a file with a recording.
    static func withFile<Result>(_ data: Data, _ body: (String) async throws -> Result) async throws -> Result {
        // Compressed or not is found out by reading.
        let path = temporaryFile("recording.pcap")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try data.write(to: URL(filePath: path))
        return try await body(path)
    }

    static func temporaryFile(_ name: String) -> String {
        FileManager.default.temporaryDirectory.appending(path: "swift-tds-\(UUID().uuidString)-\(name)").path
    }

    /// Starts a simulator with a table, and stops it afterwards.
    static func withSimulator<Result>(recording: SessionRecorder? = nil, _ body: (SimulatorServer) async throws -> Result) async throws -> Result {
        let engine = SimulatorConfiguration(databases: ["test"], logins: [.init(name: "sa", password: password, role: .sysadmin)])
        let simulator = SimulatorServer(configuration: SimulatorServerConfiguration(engine: engine, port: 0, recording: recording))
        try simulator.engine.runScript("CREATE TABLE dbo.numbers (n int NOT NULL PRIMARY KEY, text nvarchar(400) NULL, note varchar(max) NULL)")
        try simulator.engine.runScript(
            "INSERT INTO dbo.numbers (n, text, note) VALUES "
                + (1...300).map { "(\($0), N'\(String(repeating: "ü", count: $0))', \($0 % 3 == 0 ? "NULL" : "REPLICATE('x', \($0 * 10))"))" }.joined(separator: ", "))
        try await simulator.start()
        do {
            let result = try await body(simulator)
            try await simulator.stop()
            return result
        } catch {
            try await simulator.stop()
            throw error
        }
    }

    static func configuration(_ port: Int, _ encryption: Encryption, password: String = Self.password, recording: SessionRecorder? = nil) -> TDSConnectionConfiguration {
        TDSConnectionConfiguration(
            host: "127.0.0.1", port: port, authentication: .sqlServer(user: "sa", password: password), database: "test", encryption: encryption,
            tls: TLSClientConfiguration(trust: .anything), connectTimeout: .seconds(60), cancelTimeout: .seconds(60), recording: recording)
    }

    private static func make(_ encryption: Encryption) async throws -> RecordedSession {
        let paths = (client: temporaryFile("client.pcap.gz"), server: temporaryFile("server.pcap"))
        defer { for path in [paths.client, paths.server] { try? FileManager.default.removeItem(atPath: path) } }
        let client = try SessionRecorder(path: paths.client)
        let server = try SessionRecorder(path: paths.server)
        let results = try await withSimulator(recording: server) { simulator in
            try await TDSConnection.withConnection(configuration(simulator.port, encryption, recording: client), run)
        }
        try client.close()
        try server.close()
        return RecordedSession(
            clientFile: try Data(contentsOf: URL(filePath: paths.client)), serverFile: try Data(contentsOf: URL(filePath: paths.server)), results: results)
    }

    /// What a client does; what it sees comes back as text.
    @Sendable static func run(_ connection: TDSConnection) async throws -> [String] {
        var seen: [String] = []
        func read(_ query: TDSQuery) async throws {
            for try await row in connection.query(query) {
                seen.append(try (0..<row.count).map { "\(row.columns.metadata[$0].name)=\(try row.value($0).description)" }.joined(separator: ", "))
            }
        }
        try await read("SELECT 1 AS one, N'zwölf' AS twelve, NULL AS nothing; PRINT N'between'; SELECT n, text FROM dbo.numbers WHERE n < 4 ORDER BY n")
        // Parameters of many types; a value of several packets.
        let decimal = try TDSDecimal(text: "-12345.678")
        let guid = try TDSGUID(text: "6F9619FF-8B86-D011-B42D-00C04FC964FF")
        try await read("SELECT \(7) AS a, \(Int64.min) AS b, \("naïve 🎉") AS c, \(String?.none) AS d, \(decimal) AS e, \(guid) AS f, \(true) AS g, \(0.1) AS h")
        try await read("SELECT \(String(repeating: "é", count: 30000)) AS large, \(ByteBuffer(bytes: (0..<20000).map { UInt8(truncatingIfNeeded: $0) })) AS bytes")
        // A transaction, by transaction manager requests.
        try await connection.beginTransaction(isolationLevel: .readCommitted)
        let inserted = try await connection.execute("INSERT INTO dbo.numbers (n, text) VALUES (\(1000), \("new"))")
        seen.append("inserted \(inserted.rowCounts)")
        try await connection.rollback()
        // An error, of a batch and of a call.
        for query: TDSQuery in ["SELECT * FROM dbo.no_such_table", "INSERT INTO dbo.numbers (n) VALUES (\(1))"] {
            do {
                try await read(query)
                seen.append("no error")
            } catch let error as TDSError {
                seen.append("error \(error.serverErrors)")
            }
        }
        // A result of many packets.
        try await read("SELECT n, text, note FROM dbo.numbers ORDER BY n")
        // A result of which only the beginning is wanted: an attention.
        for try await row in connection.query("SELECT a.n, b.n AS other, a.text FROM (SELECT n, text FROM dbo.numbers WHERE n > 290) a CROSS JOIN dbo.numbers b") {
            seen.append("first of many: \(try row.value("n").description), \(try row.value("other").description)")
            break
        }
        try await read("SELECT COUNT(*) AS count FROM dbo.numbers")
        return seen
    }
}
