// One connection's protocol up to the login, and its packets after that (MS-TDS 3.3.5, server's states).
import Logging
import NIOCore
import TDSRecording
import TDSTLS
import TDSWire

/// What all connections of a server share.
struct ConnectionEnvironment: Sendable {
    let engine: SimulatedServer
    let tls: TLSContext
    let encryption: EncryptionPolicy?
    let faults: FaultInjection
    let logger: Logger
    let recording: SessionRecorder?
}

/// A whole message of a client.
struct ClientMessage: Sendable {
    var type: PacketType
    /// Of the first packet: the reset bits.
    var status: PacketStatus
    var payload: ByteBuffer
}

final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Nothing has come yet: the first byte tells TDS 7.x from 8.0.
        case first
        case preLogin
        /// TLS is being set up, and LOGIN7 comes next.
        case login
        case running
        case closing
    }

    private let environment: ConnectionEnvironment
    private let session: SessionThread
    /// Gets the plain bytes of both directions: TLS is below this handler.
    private let recording: SessionRecorder.Connection?
    private var state = State.first
    private var decoder = PacketDecoder()
    private var isStrict = false
    private var isEncrypted = false
    /// The packets of an unfinished message.
    private var message: ClientMessage?

    /// A LOGIN7 with a large token, and a batch as large as SQL Server takes: 65536 packets of the default size.
    private static let loginLimit = 1 << 17
    private static let messageLimit = 65_536 * 4096

    init(environment: ConnectionEnvironment, channel: any Channel) {
        self.environment = environment
        session = SessionThread(environment: environment, output: ConnectionOutput(channel: channel))
        recording = environment.recording?.connection()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if case .closing = state { return }
        if case .first = state, let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) {
            state = .preLogin
            // A TLS record of the handshake: TDS 8.0.
            if first == 0x16 {
                guard environment.encryption != .off else { return close(context, "a client that wants strict encryption, which is off") }
                isStrict = true
                isEncrypted = true
                guard startTLS(context, .strict) else { return }
                // From the head once more, through TLS.
                context.pipeline.fireChannelRead(bytes)
                return
            }
            if environment.encryption == .strict { return close(context, "a client without strict encryption") }
        }
        recording?.sent(bytes)
        decoder.append(bytes)
        do throws(WireError) {
            while let packet = try decoder.next() {
                try receive(context, packet)
                if case .closing = state { return }
            }
        } catch {
            close(context, "\(error)")
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        state = .closing
        recording?.closed()
        session.connectionClosed()
        context.fireChannelInactive()
    }

    /// What the session's thread writes.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if let recording { recording.received(unwrapOutboundIn(data)) }
        context.write(data, promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        environment.logger.debug("connection error", metadata: ["error": "\(error)", "client": "\(context.remoteAddress?.description ?? "")"])
        close(context, nil)
    }

    private func close(_ context: ChannelHandlerContext, _ reason: String?) {
        if let reason {
            environment.logger.debug("closing", metadata: ["reason": "\(reason)", "client": "\(context.remoteAddress?.description ?? "")"])
        }
        state = .closing
        context.close(promise: nil)
    }

    private func startTLS(_ context: ChannelHandlerContext, _ mode: TDSTLSHandler.Mode) -> Bool {
        do {
            let handler = try TDSTLSHandler(context: environment.tls, mode: mode)
            try context.pipeline.syncOperations.addHandler(handler, position: .before(self))
            return true
        } catch {
            close(context, "TLS: \(error)")
            return false
        }
    }

    // MARK: Packets

    private func receive(_ context: ChannelHandlerContext, _ packet: Packet) throws(WireError) {
        let header = packet.header
        if header.type == .attention {
            // An attention in the middle of a message is lost on a SQL Server; one before the login is nonsense.
            guard case .running = state else { throw WireError(.unexpectedMessage, "attention") }
            if message == nil { session.attention() }
            return
        }
        if header.type == .tabularResult { throw WireError(.unknownPacketType, "packet Type", "a client's packet of a server's type") }
        if message == nil {
            message = ClientMessage(type: header.type, status: header.status, payload: packet.payload)
        } else {
            guard message?.type == header.type else { throw WireError(.unexpectedMessage, "packet Type", "another message before the end of one") }
            message?.payload.writeImmutableBuffer(packet.payload)
        }
        let limit = if case .running = state { Self.messageLimit } else { Self.loginLimit }
        guard message?.payload.readableBytes ?? 0 <= limit else { throw WireError(.tooLarge, "message", "more than \(limit) bytes") }
        guard header.status.contains(.endOfMessage), let whole = message else { return }
        message = nil
        if header.status.contains(.ignore) {
            if case .running = state { session.ignored() }
            return
        }
        switch state {
        case .preLogin: try preLogin(context, whole)
        case .login:
            guard whole.type == .login7 else { throw WireError(.unexpectedMessage, "LOGIN7", "\(whole.type)") }
            var payload = whole.payload
            let login = try payload.readLogin7()
            state = .running
            session.login(login, isEncrypted: isEncrypted, isStrict: isStrict)
        case .running: session.request(whole)
        case .first, .closing: break
        }
    }

    private func preLogin(_ context: ChannelHandlerContext, _ message: ClientMessage) throws(WireError) {
        if message.type == .login7, environment.encryption == nil || environment.encryption == .off {
            // TDS 7.0 clients had no PRELOGIN.
            var payload = message.payload
            let login = try payload.readLogin7()
            state = .running
            session.login(login, isEncrypted: false, isStrict: isStrict)
            return
        }
        guard message.type == .preLogin else { throw WireError(.unexpectedMessage, "PRELOGIN", "\(message.type)") }
        var payload = message.payload
        let request = try payload.readPreLogin(from: .client)
        let (answer, outcome) = isStrict ? (.notSupported, .none) : EncryptionPolicy.answer(environment.encryption, to: request.encryption)

        let version = environment.engine.configuration.wireVersion
        var response = PreLogin(
            version: PreLogin.Version(major: version.major, minor: version.minor, build: version.build), encryption: answer,
            instance: .matches(matches(request.instance)), threadID: .absent, mars: false)
        // Answered only when asked, and never required.
        if request.fedAuthRequired != nil { response.fedAuthRequired = 0 }
        var body = ByteBuffer()
        try body.writePreLogin(response)
        var packets = ByteBuffer()
        packets.writePackets(of: body, type: .tabularResult, packetSize: 4096)
        recording?.received(packets)
        context.writeAndFlush(wrapOutboundOut(packets), promise: nil)

        state = .login
        switch outcome {
        case .none: break
        case .loginOnly: _ = startTLS(context, .loginOnly)
        case .full:
            isEncrypted = true
            _ = startTLS(context, .full)
        case .refuse: close(context, "client and server don't agree on encryption")
        }
    }

    /// Whether the instance that the client asks for is this one: an empty name asks nothing, and a default instance is called MSSQLServer.
    private func matches(_ instance: PreLogin.Instance?) -> Bool {
        guard case .name(let name)? = instance else { return true }
        let text = String(buffer: name).lowercased()
        return text.isEmpty || text == "mssqlserver" || text == environment.engine.configuration.serverName.lowercased()
    }
}

extension SimulatorConfiguration {
    var wireVersion: ServerVersion {
        func part(_ index: Int) -> Int { index < version.count ? version[index] : 0 }
        return ServerVersion(major: UInt8(clamping: part(0)), minor: UInt8(clamping: part(1)), build: UInt16(clamping: part(2)))
    }
}
