import Foundation
import NIOCore
import TDSRecording
import TDSWire
import Testing

/// `--record` of tdsql and of the simulator, and `sqlserver-simulator replay`, as processes.
@Suite(.timeLimit(.minutes(10))) struct ToolRecordingTests {
    static let password = "Tool-Pässwörd-1"

    /// A tool that runs, its output going to a file.
    private final class Running {
        let process = Process()
        private let output = RecordedSession.temporaryFile("output.txt")

        init(_ tool: String, _ arguments: [String]) throws {
            // The tests' executable is beside the tools.
            let folders = [Bundle.main.executableURL?.deletingLastPathComponent(), RecordedClientTests.directory.appending(path: "../../.build/debug").standardizedFileURL]
            let found = folders.compactMap { $0?.appending(path: tool) }.first { FileManager.default.isExecutableFile(atPath: $0.path) }
            let executable: URL = try #require(found, "\(tool) is not built")
            process.executableURL = executable
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(["TDS_PASSWORD": ToolRecordingTests.password]) { $1 }
            #expect(FileManager.default.createFile(atPath: output, contents: nil))
            let file = try #require(FileHandle(forWritingAtPath: output))
            process.standardOutput = file
            process.standardError = file
            try process.run()
        }

        deinit {
            if process.isRunning { process.terminate() }
            try? FileManager.default.removeItem(atPath: output)
        }

        var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }

        func port() async throws -> Int {
            try await ToolRecordingTests.until { self.text.contains("listening on") || !self.process.isRunning }
            return try #require(try /listening on [^:]+:(\d+)/.firstMatch(in: text).flatMap { Int($0.1) }, "\(text)")
        }

        /// Waits for its end.
        @discardableResult func status() async throws -> Int32 {
            try await ToolRecordingTests.until { !self.process.isRunning }
            return process.terminationStatus
        }
    }

    /// Asks again and again; the test's time limit ends it.
    private static func until(_ condition: () throws -> Bool) async throws {
        while try !condition() { try await Task.sleep(for: .milliseconds(20)) }
    }

    private static func isCompleteGzip(_ path: String) throws -> Bool {
        let gzip = Process()
        gzip.executableURL = URL(filePath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-t", path]
        gzip.standardError = FileHandle.nullDevice
        try gzip.run()
        gzip.waitUntilExit()
        return gzip.terminationStatus == 0
    }

    private static func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = RecordedSession.temporaryFile("tools")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private static func simulator(_ recording: String) throws -> Running {
        try Running("sqlserver-simulator", ["serve", "--listen", "127.0.0.1:0", "--login", "sa:\(password):sysadmin", "--record", recording])
    }

    @Test func recordAndReplay() async throws {
        try await Self.withFolder { folder in
            let (client, server) = ("\(folder)/client.pcap.gz", "\(folder)/server.pcap.gz")
            let simulator = try Self.simulator(server)
            let query = "SELECT 1 AS a, N'zwölf' AS b; SELECT n FROM dbo.nothing"
            let tool = try Running(
                "tdsql", ["-s", "127.0.0.1:\(try await simulator.port())", "--trust-server-certificate", "--record", client, query])
            #expect(try await tool.status() == 1)
            #expect(tool.text.contains("1\tzwölf") && tool.text.contains("Msg 208"), "\(tool.text)")
            simulator.process.terminate()
            #expect(try await simulator.status() == 0)

            for file in [client, server] {
                #expect(try Self.isCompleteGzip(file))
                for (_, part) in ClientRecordingTests.encodings(Self.password) {
                    for bytes in try ClientRecordingTests.bytes(try Data(contentsOf: URL(filePath: file))) { #expect(!ClientRecordingTests.contains(bytes, part)) }
                }
                let replay = try Running("sqlserver-simulator", ["replay", file])
                let again = try Running("tdsql", ["-s", "127.0.0.1:\(try await replay.port())", "--encrypt", "off", query])
                #expect(try await again.status() == 1)
                #expect(again.text == tool.text)
                #expect(try await replay.status() == 0)
                #expect(replay.text.contains("connection 1: as recorded"))
            }
            let replay = try Running("sqlserver-simulator", ["replay", client])
            let other = try Running("tdsql", ["-s", "127.0.0.1:\(try await replay.port())", "--encrypt", "off", "SELECT 2 AS a"])
            #expect(try await other.status() == 1)
            #expect(other.text.contains("The recording is of another session: packet 3 of the client (sqlBatch)"), "\(other.text)")
            #expect(try await replay.status() == 1)
            #expect(replay.text.contains("connection 1: packet 3 of the client"), "\(replay.text)")
        }
    }

    /// A signal in the middle of a query: both recordings are whole.
    @Test(arguments: [SIGINT, SIGTERM]) func signals(_ number: Int32) async throws {
        try await Self.withFolder { folder in
            let (client, server) = ("\(folder)/client.pcap.gz", "\(folder)/server.pcap")
            let simulator = try Self.simulator(server)
            let tool = try Running(
                "tdsql", ["-s", "127.0.0.1:\(try await simulator.port())", "--trust-server-certificate", "--record", client, "WAITFOR DELAY '00:30:00'"])
            // Uncompressed, the simulator's recording shows at once what has come.
            let waits = try #require(ClientRecordingTests.encodings("WAITFOR")["UTF-16LE"])
            try await Self.until { ClientRecordingTests.contains([UInt8](try Data(contentsOf: URL(filePath: server))), waits) || !tool.process.isRunning }
            kill(tool.process.processIdentifier, number)
            #expect(try await tool.status() == number && tool.process.terminationReason == .uncaughtSignal)
            #expect(try Self.isCompleteGzip(client))
            let connection = try #require(ClientRecordingTests.connections(try Data(contentsOf: URL(filePath: client))).first)
            #expect(try connection.packets().last?.packet.header.type == .sqlBatch)
            kill(simulator.process.processIdentifier, number)
            #expect(try await simulator.status() == 0)
            #expect(try ClientRecordingTests.connections(try Data(contentsOf: URL(filePath: server))).count == 1)
        }
    }

    @Test func aFileThatCannotBeWritten() async throws {
        let tool = try Running("tdsql", ["-s", "127.0.0.1:1", "--record", "/no/such/folder/x.pcap", "SELECT 1"])
        #expect(try await tool.status() != 0)
        #expect(tool.text.contains("/no/such/folder/x.pcap"), "\(tool.text)")
    }
}
