import NIOCore
public import TDSWire

/// Plays the server's side of a recorded connection: for each of the client's packets, what the server answered. Fails at the first
/// packet of the client that differs from the recorded one.
///
/// The replay is in the clear, whatever the recorded connection was: the server's PRELOGIN answer says that it cannot encrypt. Not
/// compared are credentials (a recording has none) and what differs with the place, the time and the client's version, and has no
/// influence on what follows: in PRELOGIN the version, ENCRYPTION, thread and trace ids and the nonce; in LOGIN7 the client's version,
/// process, time zone, host name and address, the server's name, the packet size (the recorded answer decides it, and encrypted
/// sessions ask for less), and whether it is TDS 7.4 or 8.0, which are the same inside TLS.
///
/// Requests are compared byte by byte but for the trace activity of their headers.
///
/// A value without input or output.
public struct ReplayServerScript: Sendable {
    private struct Step: Sendable {
        var expected: Packet
        /// What the server sent after it, before the client's next packet.
        var answer: [Packet]
    }

    private let steps: [Step]
    /// What the server sent before any packet of the client; nothing, in TDS.
    public let greeting: [Packet]
    /// The version that the client's LOGIN7 asked for, once it came.
    public private(set) var version = TDSVersion.v7_4
    private var position = 0
    /// The client's packets of an unfinished message that is compared as a whole, and the recorded ones.
    private var received: [Packet] = []
    private var expected: [Packet] = []

    /// - Throws: `WireError` if the recording is not of TDS packets.
    public init(_ connection: RecordedConnection) throws(WireError) {
        var steps: [Step] = []
        var greeting: [Packet] = []
        var answersPreLogin = false
        for event in try connection.packets() {
            switch event.direction {
            case .toServer:
                answersPreLogin = event.packet.header.type == .preLogin
                steps.append(Step(expected: event.packet, answer: []))
            case .toClient:
                let packet = answersPreLogin ? Self.withoutEncryption(event.packet) : event.packet
                answersPreLogin = false
                if steps.isEmpty { greeting.append(packet) } else { steps[steps.count - 1].answer.append(packet) }
            }
        }
        self.steps = steps
        self.greeting = greeting
    }

    /// Whether the client has sent all that was recorded.
    public var isFinished: Bool { position == steps.count }

    /// How many packets of the client were right.
    public var matchedPackets: Int { position }

    /// How many packets the client sent in the recording.
    public var packetCount: Int { steps.count }

    /// Whether the recording ends before the server's last answer does: the server closed the connection there, or the recording was cut off.
    public var endsInAnswer: Bool {
        guard let last = steps.last, last.expected.header.status.contains(.endOfMessage) else { return false }
        return !(last.answer.last?.header.status.contains(.endOfMessage) ?? false)
    }

    /// The client sent a packet.
    ///
    /// - Returns: what the server answers; nothing in the middle of a message.
    /// - Throws: ``RecordingError`` of ``RecordingError/Code/differs`` if it is not the recorded one. It says where, never what.
    public mutating func clientPacket(_ packet: Packet) throws(RecordingError) -> [Packet] {
        guard position < steps.count else { throw RecordingError(.differs, "packet \(position + 1) of the client: the recording ends before it") }
        let step = steps[position]
        guard packet.header.type == step.expected.header.type else {
            throw RecordingError(.differs, "packet \(position + 1) of the client: \(packet.header.type), recorded was \(step.expected.header.type)")
        }
        if packet.header.type == .preLogin || CredentialBlanking.concerns(packet.header.type) {
            // A host name of another length may need other packets, so the recording's packets are taken as one message.
            received.append(packet)
            guard packet.header.status.contains(.endOfMessage) else { return [] }
            var answer: [Packet] = []
            while position < steps.count {
                let step = steps[position]
                expected.append(step.expected)
                answer += step.answer
                position += 1
                if step.expected.header.status.contains(.endOfMessage) { break }
            }
            var message = Self.message(received)
            let difference = Self.difference(message, Self.message(expected), type: packet.header.type)
            if packet.header.type == .login7, let login = try? message.readLogin7() { version = login.version }
            (received, expected) = ([], [])
            if let difference { throw RecordingError(.differs, "packet \(position) of the client: \(difference)") }
            return answer
        }
        guard packet.header.status == step.expected.header.status else {
            throw RecordingError(
                .differs, "packet \(position + 1) of the client: status \(packet.header.status.rawValue), recorded was \(step.expected.header.status.rawValue)")
        }
        guard packet.payload == step.expected.payload || isAlikeButForTracing(packet, step.expected) else {
            let length = packet.payload.readableBytes
            let common = zip(packet.payload.readableBytesView, step.expected.payload.readableBytesView).prefix { $0 == $1 }.count
            throw RecordingError(
                .differs,
                "packet \(position + 1) of the client (\(packet.header.type)): differs from byte \(common) of \(length) on; recorded were \(step.expected.payload.readableBytes)"
            )
        }
        position += 1
        return step.answer
    }

    /// Whether two requests' first packets differ in nothing but the trace activity of ALL_HEADERS, which drivers make up each time.
    private func isAlikeButForTracing(_ packet: Packet, _ recorded: Packet) -> Bool {
        guard position == 0 || steps[position - 1].expected.header.status.contains(.endOfMessage) else { return false }
        switch packet.header.type {
        case .sqlBatch, .rpc, .transactionManagerRequest: break
        default: return false
        }
        var (rest, recordedRest) = (packet.payload, recorded.payload)
        guard var headers = try? rest.readAllHeadersIfPresent(), var recordedHeaders = try? recordedRest.readAllHeadersIfPresent(),
            headers.traceActivity != nil, recordedHeaders.traceActivity != nil
        else { return false }
        headers.traceActivity = nil
        recordedHeaders.traceActivity = nil
        return headers == recordedHeaders && rest == recordedRest
    }

    private static func message(_ packets: [Packet]) -> ByteBuffer {
        var message = ByteBuffer()
        for packet in packets { message.writeImmutableBuffer(packet.payload) }
        return message
    }

    /// What is different about two messages; nil if they are alike but for what is not compared.
    private static func difference(_ message: ByteBuffer, _ recorded: ByteBuffer, type: PacketType) -> String? {
        var (message, recorded) = (message, recorded)
        do throws(WireError) {
            switch type {
            case .preLogin:
                return normalized(try message.readPreLogin(from: .client)) == normalized(try recorded.readPreLogin(from: .client)) ? nil : "another PRELOGIN"
            case .login7:
                let (login, expected) = (normalized(try message.readLogin7()), normalized(try recorded.readLogin7()))
                return login == expected ? nil : "another LOGIN7: \(login); recorded was \(expected)"
            default:
                // An authentication never gives the same bytes twice.
                return nil
            }
        } catch {
            return "\(type) that can't be read: \(error)"
        }
    }

    private static func normalized(_ message: PreLogin) -> PreLogin {
        var message = message
        message.version = PreLogin.Version(major: 0, minor: 0, build: 0)
        message.encryption = nil
        message.threadID = nil
        message.traceID = nil
        message.nonce = nil
        return message
    }

    private static func normalized(_ login: Login7) -> Login7 {
        var login = login
        login.password = ""
        login.newPassword = ""
        login.sspi = login.sspi.map { _ in ByteBuffer() }
        login.version = login.version == .v8_0 ? .v7_4 : login.version
        login.packetSize = 0
        login.clientProgramVersion = 0
        login.clientPID = 0
        login.connectionID = 0
        login.timeZone = 0
        login.hostName = ""
        login.serverName = ""
        login.clientID = [0, 0, 0, 0, 0, 0]
        login.features = login.features.filter { $0.id != .federatedAuthentication }
        return login
    }

    /// The server's PRELOGIN answer with ENCRYPT_NOT_SUP; the packet itself if it is none.
    private static func withoutEncryption(_ packet: Packet) -> Packet {
        var payload = packet.payload
        guard var answer = try? payload.readPreLogin(from: .server) else { return packet }
        answer.encryption = .notSupported
        var changed = ByteBuffer()
        guard (try? changed.writePreLogin(answer)) != nil else { return packet }
        var header = packet.header
        header.length = UInt16(truncatingIfNeeded: changed.readableBytes + PacketHeader.size)
        return Packet(header: header, payload: changed)
    }
}
