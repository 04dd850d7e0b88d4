import Foundation
import NIOCore
import SQLServerSimulator
import TDSClient
import TDSRecording
import TDSWire
import Testing

/// Sessions of TDSClient, recorded and played again.
@Suite(.timeLimit(.minutes(10))) struct ClientRecordingTests {
    /// All bytes of a recording: the file itself, and each direction's stream, for a text may be cut in two by a packet's end.
    static func bytes(_ data: Data) throws -> [[UInt8]] {
        let file = try Self.file(data)
        var all = [Array(data)]
        all.append(file.frames.flatMap { Array($0.bytes.readableBytesView) })
        for connection in RecordedConnection.connections(in: file) {
            for direction in [RecordedConnection.Direction.toServer, .toClient] {
                all.append(try connection.packets().filter { $0.direction == direction }.flatMap { Array($0.packet.payload.readableBytesView) })
            }
        }
        return all
    }

    static func file(_ data: Data) throws -> PcapFile { try PcapFile(reading: ByteBuffer(bytes: data)) }
    static func connections(_ data: Data) throws -> [RecordedConnection] { RecordedConnection.connections(in: try file(data)) }

    /// A text in each way in which it could be on the wire.
    static func encodings(_ text: String) -> [String: [UInt8]] {
        let utf16 = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        return [
            "UTF-8": Array(text.utf8), "UTF-16LE": utf16, "UTF-16BE": text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] },
            "obfuscated": utf16.map(PasswordObfuscation.obfuscate),
            // The ASCII letters between the others.
            "beginning": Array(text.utf8.prefix(8)), "obfuscated beginning": utf16.prefix(16).map(PasswordObfuscation.obfuscate),
        ]
    }

    static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool { Data(bytes).range(of: Data(part)) != nil }

    @Test(arguments: RecordedSession.encryptions) func holdsNoPassword(_ encryption: RecordedSession.Encryption) async throws {
        let session = try await RecordedSession.shared(encryption)
        for data in [session.clientFile, session.serverFile] {
            let all = try Self.bytes(data)
            for (name, part) in Self.encodings(RecordedSession.password) {
                for bytes in all { #expect(!Self.contains(bytes, part), "\(name)") }
            }
            // What is there is found so: the search can fail.
            #expect(all.contains { Self.contains($0, Self.encodings("naïve 🎉")["UTF-16LE"] ?? []) })
            let login = try #require(
                try Self.connections(data).first?.packets().first { $0.packet.header.type == .login7 })
            var payload = login.packet.payload
            #expect(try payload.readLogin7().password == String(repeating: "*", count: RecordedSession.password.utf16.count))
        }
    }

    /// A refused login is recorded, its password is not.
    @Test func refusedLogin() async throws {
        let path = RecordedSession.temporaryFile("refused.pcap")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let recorder = try SessionRecorder(path: path)
        let wrong = "Falsches-Pässwörd-📎"
        try await RecordedSession.withSimulator { simulator in
            let error = await #expect(throws: TDSError.self) {
                try await TDSConnection.withConnection(RecordedSession.configuration(simulator.port, .required, password: wrong, recording: recorder)) { _ in }
            }
            #expect(error?.code == .loginFailed)
        }
        try recorder.close()
        let all = try Self.bytes(try Data(contentsOf: URL(filePath: path)))
        for (_, part) in Self.encodings(wrong) { for bytes in all { #expect(!Self.contains(bytes, part)) } }
        #expect(all.contains { Self.contains($0, Self.encodings("Login failed for user 'sa'.")["UTF-16LE"] ?? []) })
    }

    /// What was recorded at either end, with or without TLS, gives another client the same.
    @Test(arguments: RecordedSession.encryptions) func playsAgain(_ encryption: RecordedSession.Encryption) async throws {
        let session = try await RecordedSession.shared(encryption)
        #expect(session.results.count > 310 && session.results.contains { $0.hasPrefix("first of many") } && !session.results.contains("no error"))
        for data in [session.clientFile, session.serverFile] {
            let server = try ReplayServer(Self.connections(data))
            #expect(server.connectionCount == 1)
            try await server.start()
            var endings = server.ended.makeAsyncIterator()
            // Without TLS, and with whatever password.
            let again = try await TDSConnection.withConnection(RecordedSession.configuration(server.port, .disabled, password: "x"), RecordedSession.run)
            #expect(again == session.results)
            #expect(await endings.next() == .init(number: 1, outcome: .finished))
            try await server.stop()
            #expect(await endings.next() == nil)
        }
    }

    /// The attention is in the recording, and what the server still sent before it acknowledged.
    @Test func holdsTheAttention() async throws {
        let session = try await RecordedSession.shared(.required)
        let events = try #require(Self.connections(session.clientFile).first).packets()
        let types = events.filter { $0.direction == .toServer }.map(\.packet.header.type)
        #expect(types.filter { $0 == .attention }.count == 1)
        #expect(Set(types) == [.preLogin, .login7, .sqlBatch, .rpc, .transactionManagerRequest, .attention])
        let index = try #require(events.firstIndex { $0.packet.header.type == .attention })
        #expect(events[index + 1].direction == .toClient)
    }

    /// Another statement gets an error that says where, and the connection is over.
    @Test func anotherStatement() async throws {
        let session = try await RecordedSession.shared(.disabled)
        let server = try ReplayServer(Self.connections(session.clientFile))
        try await server.start()
        var endings = server.ended.makeAsyncIterator()
        try await TDSConnection.withConnection(RecordedSession.configuration(server.port, .disabled)) { connection in
            let error = await #expect(throws: TDSError.self) { try await connection.execute("SELECT 2 AS two") }
            #expect(error?.serverErrors.first?.text.contains("packet 3 of the client (sqlBatch): differs from byte 36") == true, "\(String(describing: error))")
            #expect(await connection.isUsable == false)
        }
        guard case .failed(let error)? = await endings.next()?.outcome else { Issue.record("no failure"); return }
        #expect(error.code == .differs)
        // One connection was recorded: a second one is refused.
        await #expect(throws: TDSError.self) { try await TDSConnection.withConnection(RecordedSession.configuration(server.port, .disabled)) { _ in } }
        guard case .failed? = await endings.next()?.outcome else { Issue.record("no failure"); return }
        try await server.stop()
    }

    /// Another user gets the reason as an error of the login; one that wants encryption is not served.
    @Test func anotherLogin() async throws {
        let session = try await RecordedSession.shared(.loginOnly)
        let server = try ReplayServer(Self.connections(session.clientFile), repeats: true)
        try await server.start()
        var endings = server.ended.makeAsyncIterator()
        var configuration = RecordedSession.configuration(server.port, .disabled)
        configuration.authentication = .sqlServer(user: "somebody", password: "geheim")
        let refused = await #expect(throws: TDSError.self) { try await TDSConnection.withConnection(configuration) { _ in } }
        #expect(refused?.code == .loginFailed && refused?.serverErrors.first?.text.contains("somebody") == true, "\(String(describing: refused))")
        guard case .failed? = await endings.next()?.outcome else { Issue.record("no failure"); return }
        let encrypted = await #expect(throws: TDSError.self) {
            try await TDSConnection.withConnection(RecordedSession.configuration(server.port, .required)) { _ in }
        }
        #expect(encrypted?.code == .encryptionRefused)
        let packets = try #require(Self.connections(session.clientFile).first).packets()
        #expect(await endings.next()?.outcome == .unfinished(matchedPackets: 1, of: packets.filter { $0.direction == .toServer }.count))
        await #expect(throws: TDSError.self) { try await TDSConnection.withConnection(RecordedSession.configuration(server.port, .strict)) { _ in } }
        guard case .failed(let strict)? = await endings.next()?.outcome else { Issue.record("no failure"); return }
        #expect(strict.message.contains("TLS"))
        // The recorded one is still served.
        let again = try await TDSConnection.withConnection(RecordedSession.configuration(server.port, .disabled), RecordedSession.run)
        #expect(again == session.results)
        try await server.stop()
    }

    /// Several connections share a recorder; each is found again, in the order of their beginning.
    @Test func severalConnections() async throws {
        let path = RecordedSession.temporaryFile("several.pcap.gz")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let recorder = try SessionRecorder(path: path)
        try await RecordedSession.withSimulator { simulator in
            let configuration = RecordedSession.configuration(simulator.port, .required, recording: recorder)
            try await TDSConnection.withConnection(configuration) { first in
                try await TDSConnection.withConnection(configuration) { second in
                    try await first.execute("SELECT 1")
                    try await second.execute("SELECT 2")
                    try await first.execute("SELECT 3")
                }
            }
        }
        try recorder.close()
        let server = try ReplayServer(path: path)
        #expect(server.connectionCount == 2)
        try await server.start()
        let configuration = RecordedSession.configuration(server.port, .disabled)
        try await TDSConnection.withConnection(configuration) { first in
            try await TDSConnection.withConnection(configuration) { second in
                try await second.execute("SELECT 2")
                try await first.execute("SELECT 1")
                try await first.execute("SELECT 3")
            }
        }
        try await server.stop()
    }

    /// The example of docs/client.md.
    func record<Result: Sendable>(
        _ configuration: TDSConnectionConfiguration, into path: String, _ body: (TDSConnection) async throws -> Result
    ) async throws -> Result {
        let recorder = try SessionRecorder(path: path)  // compressed if it ends in .gz
        var configuration = configuration
        configuration.recording = recorder  // of as many connections as you like
        let result = try await TDSConnection.withConnection(configuration, body)
        try recorder.close()
        return result
    }

    @Test func guide() async throws {
        let path = RecordedSession.temporaryFile("guide.pcap.gz")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let count = try await RecordedSession.withSimulator { simulator in
            try await record(RecordedSession.configuration(simulator.port, .required), into: path) { connection in
                try await connection.query("SELECT n FROM dbo.numbers").collect().count
            }
        }
        #expect(count == 300)
        let packets = try #require(RecordedConnection.connections(in: try PcapFile(path: path)).first).packets()
        #expect(packets.filter { $0.direction == .toServer }.map(\.packet.header.type) == [.preLogin, .login7, .sqlBatch])
    }

    @Test func noRecording() async throws {
        let path = RecordedSession.temporaryFile("none.pcap")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let missing = #expect(throws: RecordingError.self) { try ReplayServer(path: path) }
        #expect(missing?.code == .file)
        try Data("GET / HTTP/1.1\r\n\r\n and more than a header".utf8).write(to: URL(filePath: path))
        let other = #expect(throws: RecordingError.self) { try ReplayServer(path: path) }
        #expect(other?.code == .notAPcap)
        try SessionRecorder(path: path).close()
        let empty = #expect(throws: RecordingError.self) { try ReplayServer(path: path) }
        #expect(empty?.code == .notAPcap && empty?.message.contains("no TCP connection") == true)
        let directory = #expect(throws: RecordingError.self) { try SessionRecorder(path: FileManager.default.temporaryDirectory.path) }
        #expect(directory?.code == .file)
    }
}
