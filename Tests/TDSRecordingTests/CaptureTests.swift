import Foundation
import NIOCore
import TDSRecording
import TDSWire
import Testing

/// Traffic of real servers and other clients, in /work/shared/captures. It isn't ours to commit, so these tests skip loudly without it.
@Suite struct CaptureTests {
    static func connections(_ name: String) throws -> [RecordedConnection]? {
        let path = "/work/shared/captures/\(name).pcap"
        guard FileManager.default.fileExists(atPath: path) else {
            print("SKIPPED: \(path) is not there")
            return nil
        }
        return RecordedConnection.connections(in: try PcapFile(reading: ByteBuffer(bytes: try Data(contentsOf: URL(filePath: path)))))
    }

    /// Whole messages out of packets.
    static func messages(_ connection: RecordedConnection) throws -> [(RecordedConnection.Direction, PacketType, ByteBuffer)] {
        var parts: [RecordedConnection.Direction: ByteBuffer] = [:]
        var messages: [(RecordedConnection.Direction, PacketType, ByteBuffer)] = []
        for event in try connection.packets() {
            parts[event.direction, default: ByteBuffer()].writeImmutableBuffer(event.packet.payload)
            if event.packet.header.status.contains(.endOfMessage), let message = parts.removeValue(forKey: event.direction) {
                messages.append((event.direction, event.packet.header.type, message))
            }
        }
        #expect(parts.isEmpty, "a message without end")
        return messages
    }

    static func tokens(_ bytes: ByteBuffer, _ version: TDSVersion) throws -> (tokens: [Token], rows: UInt64) {
        var decoder = TokenStreamDecoder(version: version)
        decoder.append(bytes)
        var sink = DiscardingSink()
        var tokens: [Token] = []
        while case .token(let token) = try decoder.decode(into: &sink) { tokens.append(token) }
        #expect(decoder.isAtTokenBoundary)
        return (tokens, sink.rowCount)
    }

    @Test func mixedRequests() throws {
        guard let connections = try Self.connections("mixed-rpc-batch-ndpi") else { return }
        #expect(connections.count == 12)
        var batches: [String] = []
        var procedures: [String] = []
        var withoutHeaders: [UInt16] = []
        var responses = 0
        var dones = 0
        for connection in connections {
            var version = TDSVersion.v7_4
            for (direction, type, message) in try Self.messages(connection) {
                var message = message
                switch (direction, type) {
                case (.toServer, .sqlBatch):
                    let batch = try message.readSQLBatchOfUnknownVersion()
                    batches.append(batch.text)
                    if batch.headers == nil { withoutHeaders.append(connection.client.port); version = .v7_1 }
                case (.toServer, .rpc):
                    let rpc = try message.readRPCRequestOfUnknownVersion()
                    procedures += rpc.requests.map(\.procedure.name)
                    if rpc.headers == nil { withoutHeaders.append(connection.client.port); version = .v7_1 }
                case (.toClient, .tabularResult):
                    let (tokens, _) = try Self.tokens(message, version)
                    responses += 1
                    dones += tokens.filter { if case .done = $0 { true } else { false } }.count
                case let other: Issue.record("\(other.0), \(other.1)")
                }
            }
        }
        let modes = " set transaction isolation level  read committed  set implicit_transactions off "
        #expect(batches == [modes, "COMMIT TRANSACTION", modes])
        // tshark finds 16, and stops five times at a RETURNVALUE, behind which there is one more.
        #expect(responses == 10 && dones == 21)
        #expect(procedures.count == 17)
        let special: Set = ["sp_executesql", "sp_prepexec", "sp_execute", "p_SaveExample", "dbo.proc_GetMySampleDataItems"]
        #expect(special.isSubset(of: procedures))
        #expect(Set(withoutHeaders) == [2222, 4444, 9999, 11111, 22222])
    }

    @Test func loginToSQLServer2000() throws {
        guard let connection = try Self.connections("sql2000-login7-arkime")?.first else { return }
        let messages = try Self.messages(connection)
        var preLogins: [PreLogin] = []
        var login: Login7?
        var batches: [String] = []
        var ack: LoginAck?
        for (direction, type, message) in messages {
            var message = message
            switch (direction, type) {
            case (.toServer, .preLogin): preLogins.append(try message.readPreLogin(from: .client))
            case (.toClient, .tabularResult) where preLogins.count == 1: preLogins.append(try message.readPreLogin(from: .server))
            case (.toServer, .login7): login = try message.readLogin7()
            case (.toServer, .sqlBatch): batches.append(try message.readSQLBatchOfUnknownVersion().text)
            case (.toClient, .tabularResult):
                for token in try Self.tokens(message, login?.version ?? .v7_1).tokens { if case .loginAck(let new) = token { ack = new } }
            case let other: Issue.record("\(other.0), \(other.1)")
            }
        }
        #expect(preLogins.map(\.version.major) == [8, 8] && preLogins.map(\.encryption) == [.off, .notSupported])
        #expect(preLogins.first?.instance == .name(ByteBuffer(string: "MSSQLServer")) && preLogins.last?.instance == .matches(true))
        #expect(login?.version == .v7_1_1 && login?.userName == "testuser" && login?.applicationName == "Microsoft Data Access Components")
        #expect(ack?.version == .v7_1_1 && ack?.serverVersion == ServerVersion(major: 8, minor: 0, build: 2039))
        #expect(batches.count == 1 && batches.first?.hasPrefix("select name from master.dbo.syscharsets") == true)
    }

    /// TDS 5 is another protocol: it is refused at its first packet, with an error.
    @Test func sybase() throws {
        guard let connection = try Self.connections("sybase-tds5-negative-arkime")?.first else { return }
        var refused = false
        do {
            for (direction, type, message) in try Self.messages(connection) {
                guard direction == .toServer else { continue }
                #expect(type == .preTDS7Login)
                var message = message
                _ = try message.readLogin7()
            }
        } catch is WireError {
            refused = true
        }
        #expect(refused)
        var server = ServerLoginStateMachine(configuration: .init(version: .init(major: 16, minor: 0, build: 0)))
        var decoder = PacketDecoder()
        decoder.append(try #require(connection.pieces.first).bytes)
        let packet = try #require(try decoder.next())
        guard case .close = server.packetReceived(packet) else { Issue.record("accepted"); return }
    }
}
