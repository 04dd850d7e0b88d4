import Foundation
import NIOCore
@testable import TDSRecording
import TDSWire
import Testing

/// A session as a client and a server would have it.
struct SampleSession {
    static let password = "Sécret-Pässword"
    static let newPassword = "Änother"
    static let token = ByteBuffer(bytes: (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) })

    /// In order; true is the client's.
    var packets: [(fromClient: Bool, Packet)] = []

    init(hostName: String = "host", password: String = SampleSession.password, text: String = "SELECT 1 AS n", activity: UInt8 = 0) throws {
        // A driver's activity id: another one each time.
        let headers = AllHeaders(traceActivity: .init(id: ByteBuffer(repeating: activity, count: 16), sequence: UInt32(activity)))
        var buffer = ByteBuffer()
        try buffer.writePreLogin(PreLogin(encryption: .on, instance: .name(ByteBuffer()), threadID: .id(UInt32(hostName.count)), mars: false))
        add(true, .preLogin, buffer)
        buffer = ByteBuffer()
        try buffer.writePreLogin(PreLogin(version: .init(major: 16, minor: 0, build: 4135), encryption: .on, instance: .matches(true), mars: false))
        add(false, .tabularResult, buffer)
        buffer = ByteBuffer()
        try buffer.writeLogin7(Login7(
            hostName: hostName, userName: "user", password: password, applicationName: "recording", database: "test", newPassword: Self.newPassword,
            features: [
                FeatureRequest(.utf8Support, data: ByteBuffer(bytes: [1])),
                try FeatureRequest(FederatedAuthenticationFeature(.securityToken(Self.token, nonce: nil), echo: false)),
            ]))
        add(true, .login7, buffer)
        buffer = ByteBuffer()
        try buffer.writeEnvironmentChange(.database(new: "test", old: "master"))
        try buffer.writeLoginAck(LoginAck(version: .v7_4, serverVersion: .init(major: 16, minor: 0, build: 4135)))
        try buffer.writeEnvironmentChange(.packetSize(new: 4096, old: 4096))
        buffer.writeFeatureExtAck([FeatureAcknowledgement(.utf8Support, data: ByteBuffer(bytes: [1]))])
        buffer.writeDone(Done())
        add(false, .tabularResult, buffer)
        buffer = ByteBuffer()
        try buffer.writeSQLBatch(SQLBatchMessage(text, headers: headers))
        add(true, .sqlBatch, buffer)
        buffer = ByteBuffer()
        let int = TypeInfo(.int4, maximumLength: 4)
        try buffer.writeColumnMetadata([ColumnMetadata("n", int, flags: [])])
        buffer.writeInteger(TokenType.row.rawValue)
        try buffer.writeWireValue(ByteBuffer(bytes: [1, 0, 0, 0]), int)
        buffer.writeDone(Done(status: .count, currentCommand: 0xC1, rowCount: 1))
        add(false, .tabularResult, buffer)
        buffer = ByteBuffer()
        let text = TypeInfo(.nVarChar, maximumLength: 8000, collation: .sqlLatin1GeneralCP1CIAS)
        try buffer.writeRPCRequest(RPCRequestMessage([
            RPCRequest(.id(.executeSQL), parameters: [
                RPCParameter("", text, Self.utf16("SELECT @p")), RPCParameter("", text, Self.utf16("@p nvarchar(4000)")),
                RPCParameter("@p", text, Self.utf16(String(repeating: "x", count: 3000))),
            ])
        ], headers: headers))
        add(true, .rpc, buffer)
        buffer = ByteBuffer()
        try buffer.writeServerMessage(ServerMessage(number: 208, severity: 16, text: "Invalid object name 'x'.", server: "S"))
        buffer.writeReturnStatus(-6)
        buffer.writeDone(Done(.doneProc, status: .error, currentCommand: 0xE0))
        add(false, .tabularResult, buffer)
        buffer = ByteBuffer()
        try buffer.writeTransactionManagerRequest(.init(.begin(.snapshot, name: "t")))
        add(true, .transactionManagerRequest, buffer)
        buffer = ByteBuffer()
        try buffer.writeEnvironmentChange(.beginTransaction(descriptor: 7))
        buffer.writeDone(Done())
        add(false, .tabularResult, buffer)
    }

    static func utf16(_ text: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeUTF16(text)
        return buffer
    }

    mutating func add(_ fromClient: Bool, _ type: PacketType, _ message: ByteBuffer) {
        var encoder = PacketEncoder(type: type, packetSize: 4096, spid: fromClient ? 0 : 51)
        for packet in encoder.append(message) { packets.append((fromClient, packet)) }
        packets.append((fromClient, encoder.finish()))
    }

    static func bytes(_ packet: Packet) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writePacketHeader(packet.header)
        bytes.writeImmutableBuffer(packet.payload)
        return bytes
    }

    /// Records the session into a file, the bytes in odd pieces, and gives the file.
    func record(_ name: String) throws -> ByteBuffer {
        let path = FileManager.default.temporaryDirectory.appending(path: "swift-tds-\(UUID().uuidString)-\(name)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let recorder = try SessionRecorder(path: path)
        let connection = recorder.connection()
        for (fromClient, packet) in packets {
            var bytes = Self.bytes(packet)
            while let piece = bytes.readSlice(length: min(bytes.readableBytes, 1000)), piece.readableBytes > 0 {
                if fromClient { connection.sent(piece) } else { connection.received(piece) }
            }
        }
        connection.closed()
        try recorder.close()
        return ByteBuffer(bytes: try Data(contentsOf: URL(filePath: path)))
    }
}

@Suite struct RecordingTests {
    @Test(arguments: ["a.pcap", "a.pcap.gz"]) func recordsAndReads(_ name: String) throws {
        let session = try SampleSession()
        let bytes = try session.record(name)
        #expect((bytes.getInteger(at: 0, as: UInt16.self) == 0x1F8B) == name.hasSuffix(".gz"))
        let connections = RecordedConnection.connections(in: try PcapFile(reading: bytes))
        #expect(connections.count == 1)
        let connection = try #require(connections.first)
        #expect(connection.server.port == 1433 && connection.client.address == "192.0.2.1")
        let events = try connection.packets()
        #expect(events.map { $0.direction == .toServer } == session.packets.map(\.fromClient))
        for (event, (_, packet)) in zip(events, session.packets) {
            #expect(event.packet.header == packet.header)
            if packet.header.type != .login7 { #expect(event.packet.payload == packet.payload) }
        }
    }

    @Test func credentialsAreBlanked() throws {
        let session = try SampleSession()
        let connection = try #require(RecordedConnection.connections(in: try PcapFile(reading: try session.record("b.pcap"))).first)
        var message = ByteBuffer()
        for event in try connection.packets() where event.packet.header.type == .login7 { message.writeImmutableBuffer(event.packet.payload) }
        let login = try message.readLogin7()
        #expect(login.userName == "user" && login.password == String(repeating: "*", count: SampleSession.password.utf16.count))
        #expect(login.newPassword == String(repeating: "*", count: SampleSession.newPassword.utf16.count))
        guard case .securityToken(let token, nil)? = try login.feature(FederatedAuthenticationFeature.self)?.method else { Issue.record("no token"); return }
        #expect(token == ByteBuffer(repeating: 0, count: 5000))
        #expect(try login.feature(UTF8Feature.self) == UTF8Feature())
    }

    @Test func otherCredentials() throws {
        var login = ByteBuffer()
        try login.writeLogin7(Login7(sspi: SampleSession.token))
        var blanked = CredentialBlanking.blank(login, type: .login7)
        #expect(try blanked.readLogin7().sspi == ByteBuffer(repeating: 0, count: 5000))
        var token = ByteBuffer()
        try token.writeFedAuthToken(.init(token: SampleSession.token, nonce: ByteBuffer(repeating: 9, count: 32)))
        var blankedToken = CredentialBlanking.blank(token, type: .federatedAuthenticationToken)
        #expect(try blankedToken.readFedAuthToken() == .init(token: ByteBuffer(repeating: 0, count: 5000), nonce: ByteBuffer(repeating: 0, count: 32)))
        #expect(CredentialBlanking.blank(SampleSession.token, type: .sspi) == ByteBuffer(repeating: 0, count: 5000))
        // What can't be read is blanked from its variable part on.
        let broken = try #require(login.getSlice(at: 0, length: 200))
        #expect(CredentialBlanking.blank(broken, type: .login7).readableBytesView.dropFirst(36).allSatisfy { $0 == 0 })
        #expect(CredentialBlanking.blank(SampleSession.token, type: .sqlBatch) == SampleSession.token)
    }

    /// A message with credentials that never ends is not recorded at all.
    @Test func unfinishedLogin() throws {
        let session = try SampleSession()
        var frames = ConnectionFrames(number: 1)
        let first = try #require(session.packets.first { $0.1.header.type == .login7 })
        #expect(frames.clientSent(SampleSession.bytes(first.1), time: 0).readableBytes == 0)
        #expect(frames.clientSent(ByteBuffer(string: "GET / HTTP/1.1"), time: 0).readableBytes == 0)
        #expect(frames.serverSent(SampleSession.bytes(session.packets[1].1), time: 0).readableBytes == 0)
    }

    @Test func largePackets() throws {
        var frames = ConnectionFrames(number: 1)
        var file = ByteBuffer()
        file.writePcapHeader()
        file.writeImmutableBuffer(frames.open(time: 1_000_000))
        let payload = ByteBuffer(repeating: 7, count: 32759)
        let packet = Packet(header: PacketHeader(type: .tabularResult, status: .endOfMessage, length: 32767), payload: payload)
        for _ in 0..<3 { file.writeImmutableBuffer(frames.serverSent(SampleSession.bytes(packet), time: 2_000_000)) }
        let connection = try #require(RecordedConnection.connections(in: try PcapFile(reading: file)).first)
        #expect(try connection.packets().map(\.packet) == [packet, packet, packet])
    }

    @Test func segmentsInDisorder() throws {
        let bytes = ByteBuffer(bytes: (0..<60).map { UInt8($0) })
        let client = TCPEndpoint(address: "10.0.0.1", port: 50000)
        let server = TCPEndpoint(address: "10.0.0.2", port: 1433)
        func frame(_ start: Int, _ length: Int, syn: Bool = false) throws -> PcapFrame {
            let sequence = UInt32.max &- 20 &+ UInt32(start)  // wraps around in the middle
            let segment = TCPSegment(
                source: client, destination: server, sequence: syn ? sequence &- 1 : sequence, acknowledged: 0, flags: syn ? .syn : [.psh, .ack],
                payload: try #require(bytes.getSlice(at: start, length: length)))
            return PcapFrame(time: 0, bytes: try #require(segment.ethernetFrame()))
        }
        // Out of order, twice, overlapping.
        let frames = [try frame(0, 0, syn: true), try frame(40, 20), try frame(0, 10), try frame(0, 10), try frame(20, 20), try frame(5, 15), try frame(30, 5)]
        let connections = RecordedConnection.connections(in: PcapFile(frames: frames))
        #expect(connections.first?.pieces.map(\.bytes) == [bytes] && connections.first?.client == client)
        // One is missing.
        let gap = RecordedConnection.connections(in: PcapFile(frames: [frames[0], frames[2], frames[1]]))
        #expect(gap.first?.pieces.map(\.followsGap) == [false, true])
    }

    @Test func framesReadBack() throws {
        let segment = TCPSegment(
            source: .init(address: "192.0.2.7", port: 65000), destination: .init(address: "192.0.2.9", port: 1433), sequence: 0xFFFF_FFFF, acknowledged: 5,
            flags: [.psh, .ack], payload: ByteBuffer(string: "odd"))
        let frame = PcapFrame(time: 1_700_000_000_123_456_000, bytes: try #require(segment.ethernetFrame()))
        #expect(TCPSegment(frame: frame, linkType: .ethernet) == segment)
        var file = ByteBuffer()
        file.writePcapHeader()
        file.writePcapFrame(frame)
        #expect(try PcapFile(reading: file).frames == [frame])
        #expect(TCPSegment(source: .init(address: "::1", port: 1), destination: segment.destination, sequence: 0, acknowledged: 0, flags: []).ethernetFrame() == nil)
    }

    /// A recording that was cut off gives the packets before the cut, or an error; other bytes never a trap.
    @Test func damagedFiles() throws {
        let session = try SampleSession()
        for name in ["c.pcap", "c.pcap.gz"] {
            let file = try session.record(name)
            let whole = try PcapFile(reading: file).frames
            for length in stride(from: 0, to: file.readableBytes, by: 97) {
                let part = try #require(file.getSlice(at: 0, length: length))
                do {
                    let frames = try PcapFile(reading: part).frames
                    #expect(whole.starts(with: frames))
                } catch {
                    #expect(error.code != .differs)
                }
            }
            for position in stride(from: 0, to: file.readableBytes, by: 41) {
                var changed = file
                changed.setInteger(UInt8(0xFF), at: position)
                guard let damaged = try? PcapFile(reading: changed) else { continue }
                for connection in RecordedConnection.connections(in: damaged) { _ = try? connection.packets() }
            }
        }
    }
}

@Suite struct ReplayTests {
    func script(_ session: SampleSession) throws -> ReplayServerScript {
        try ReplayServerScript(try #require(RecordedConnection.connections(in: try PcapFile(reading: try session.record("r.pcap"))).first))
    }

    @Test func sameClient() throws {
        var script = try script(try SampleSession())
        // Another host, another password, other activity ids: the same session.
        let session = try SampleSession(hostName: "a-much-longer-host-name", password: "x", activity: 7)
        var answers: [Packet] = []
        for (fromClient, packet) in session.packets where fromClient { answers += try script.clientPacket(packet) }
        #expect(script.isFinished && script.greeting.isEmpty)
        let recorded = session.packets.filter { !$0.fromClient }.map(\.1)
        #expect(answers.map(\.header.type) == recorded.map(\.header.type))
        #expect(answers.dropFirst() == recorded.dropFirst())
        var preLogin = answers[0].payload
        #expect(try preLogin.readPreLogin(from: .server).encryption == .notSupported)
        #expect(Int(answers[0].header.length) == answers[0].payload.readableBytes + 8)
        #expect(throws: RecordingError.self) { try script.clientPacket(AttentionMessage.packet) }
    }

    @Test func anotherClient() throws {
        var script = try script(try SampleSession())
        var failure: RecordingError?
        do {
            for (fromClient, packet) in try SampleSession(text: "SELECT 2 AS n").packets where fromClient { _ = try script.clientPacket(packet) }
        } catch let error as RecordingError {
            failure = error
        }
        #expect(failure?.code == .differs && failure?.message.contains("sqlBatch") == true)
        #expect(failure?.message.contains("differs from byte 62 of") == true, "\(failure?.message ?? "")")
    }

    @Test func anotherLogin() throws {
        var script = try script(try SampleSession())
        var session = try SampleSession()
        session.packets = []
        var buffer = ByteBuffer()
        try buffer.writePreLogin(PreLogin(encryption: .notSupported, instance: .name(ByteBuffer()), threadID: .id(1), mars: false))
        session.add(true, .preLogin, buffer)
        buffer = ByteBuffer()
        try buffer.writeLogin7(Login7(userName: "somebody else", password: "geheim"))
        session.add(true, .login7, buffer)
        _ = try script.clientPacket(session.packets[0].1)
        let error = #expect(throws: RecordingError.self) { try script.clientPacket(session.packets[1].1) }
        #expect(error?.code == .differs && error?.message.contains("somebody else") == true && error?.message.contains("geheim") == false)
    }
}
