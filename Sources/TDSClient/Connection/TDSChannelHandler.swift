import Logging
import NIOCore
import TDSRecording
import TDSTLS
import TDSWire

/// Drives one connection on its event loop: packets in and out, TLS added when the login says so. It decides nothing: that is done by
/// ``ClientLoginStateMachine`` and ``ClientRequestStateMachine``, whose actions it carries out.
///
/// Reads are asked for one by one, and not while a sink is full: what the reader doesn't take stays in the socket.
final class TDSChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Where the login ended.
    enum LoginOutcome: Sendable {
        case session(ClientLoginStateMachine.LoginResult)
        case redirect(EnvironmentChange.Routing)
    }

    enum Phase {
        case login(ClientLoginStateMachine, EventLoopPromise<LoginOutcome>)
        case session(ClientRequestStateMachine)
        case closed(TDSError)
    }

    struct Active {
        var id: Int
        var consumer: any RowConsumer
        /// The sink is with its task.
        var isPaused = false
        /// The consumer that waits for the end of a cancelled request.
        var cancelled: (any RowConsumer)?
    }

    let tls: TLSContext
    let serverName: String
    let cancelTimeout: TimeAmount
    let logger: Logger
    /// Gets the bytes of both directions. They are plain here: TLS is below this handler.
    let recording: SessionRecorder.Connection?
    var phase: Phase
    var packets = PacketDecoder()
    var decoder = TokenStreamDecoder()
    var preLogin: ByteBuffer?
    var packetSize = 4096
    var version: TDSVersion
    /// Whether the decoder has used up what it could of what it was given.
    var decoderWantsData = true
    /// The last packet of the message was appended to the decoder.
    var messageIsWhole = false
    var active: Active?
    /// A request that waits for a cancelled one to end.
    var next: (id: Int, request: TDSRequest, consumer: any RowConsumer)?
    var cancelDeadline: Scheduled<Void>?
    var context: ChannelHandlerContext?
    var hasStarted = false
    var isReading = false
    var isProcessing = false
    var isEncrypted = false
    /// The server has closed the connection while the task had the sink: what came before is delivered first.
    var inputEnd: TDSError?
    /// What the login waits for, for messages.
    var stage = "an answer to PRELOGIN"

    init(
        login: ClientLoginStateMachine, promise: EventLoopPromise<LoginOutcome>, tls: TLSContext, serverName: String, version: TDSVersion,
        cancelTimeout: TimeAmount, logger: Logger, recording: SessionRecorder.Connection? = nil
    ) {
        phase = .login(login, promise)
        self.tls = tls
        self.serverName = serverName
        self.version = version
        self.cancelTimeout = cancelTimeout
        self.logger = logger
        self.recording = recording
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        recording?.closed()
        if inputEnd == nil { fail(TDSError(.connectionClosed, "the connection is closed")) }
    }

    func channelActive(context: ChannelHandlerContext) {
        start()
        context.fireChannelActive()
    }

    func start() {
        guard !hasStarted, case .login(var machine, let promise) = phase else { return }
        hasStarted = true
        let action = machine.start()
        phase = .login(machine, promise)
        perform(action)
        read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        switch phase {
        case .login:
            let hint = stage.hasSuffix("PRELOGIN") ? "; a server that wants strict encryption (TDS 8.0) does so" : ""
            fail(TDSError(.connectionClosed, "the server closed the connection during the login, while \(stage) was awaited\(hint)"))
        case .session:
            let error = TDSError(.connectionClosed, "the server closed the connection")
            if active?.isPaused == true { inputEnd = error } else { fail(error) }
        case .closed: break
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as TLSError: fail(TDSError(error))
        case let error as TDSError: fail(error)
        default: fail(TDSError(.connectionClosed, "the connection failed", underlying: error))
        }
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let info)? = event as? TDSTLSEvent else { return context.fireUserInboundEventTriggered(event) }
        stage = "an answer to PRELOGIN"
        logger.debug("TLS is established", metadata: ["tls": "\(info)"])
        guard case .login(var machine, let promise) = phase else { return }
        let action = machine.tlsEstablished()
        phase = .login(machine, promise)
        perform(action)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        recording?.received(bytes)
        packets.append(bytes)
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        if active?.isPaused != true { read() }
    }

    func read() {
        guard !isReading, let context else { return }
        isReading = true
        context.read()
    }

    // MARK: Messages

    /// Decodes what is there, until more is needed or the sink is full.
    func process() {
        // Called again from within, the loop below goes on by itself.
        guard !isProcessing else { return }
        isProcessing = true
        defer {
            isProcessing = false
            if case .closed = phase { decoder = TokenStreamDecoder() }
        }
        do throws(WireError) {
            while active?.isPaused != true {
                if case .closed = phase { return }
                // What a full sink left over comes first: appending behind it would move it again and again.
                if !messageIsWhole, decoderWantsData {
                    var appended = false
                    while !messageIsWhole, let packet = try packets.next() {
                        try append(packet)
                        appended = true
                    }
                    guard appended else {
                        if let inputEnd { fail(inputEnd) }
                        return
                    }
                }
                if let message = preLogin {
                    guard messageIsWhole else { return }
                    preLogin = nil
                    messageIsWhole = false
                    try receivePreLogin(message)
                    continue
                }
                guard try decodeTokens() else { return }
            }
        } catch {
            fail(TDSError(.protocolViolation, "the server sent what MS-TDS does not allow", underlying: error))
        }
    }

    func append(_ packet: Packet) throws(WireError) {
        switch packet.header.type {
        case .tabularResult: break
        case .preLogin where preLogin != nil: break
        default: throw WireError(.unknownPacketType, "packet Type", "a \(packet.header.type) packet from a server")
        }
        if preLogin != nil {
            preLogin?.writeImmutableBuffer(packet.payload)
            guard (preLogin?.readableBytes ?? 0) <= 1 << 16 else { throw WireError(.tooLarge, "PRELOGIN") }
        } else {
            decoder.append(copying: packet.payload.readableBytesSpan)
        }
        if packet.header.status.contains(.endOfMessage) { messageIsWhole = true }
    }

    func receivePreLogin(_ message: ByteBuffer) throws(WireError) {
        guard case .login(var machine, let promise) = phase else { return }
        var message = message
        let answer = try message.readPreLogin(from: .server)
        let action = machine.preLoginReceived(answer)
        phase = .login(machine, promise)
        perform(action)
    }

    /// Decodes tokens until the bytes are used up or the sink is full.
    ///
    /// - Returns: whether to go on with more packets.
    func decodeTokens() throws(WireError) -> Bool {
        while true {
            if case .closed = phase { return false }
            let event: TokenStreamDecoder.Event
            if let consumer = active?.consumer {
                event = try consumer.consume(&decoder)
            } else if case .login = phase {
                // A logon trigger's rows.
                var discard = DiscardingSink()
                event = try decoder.decode(into: &discard)
            } else {
                var refuse = RefusingSink()
                event = try decoder.decode(into: &refuse)
            }
            switch event {
            case .token(let token): receive(token)
            case .sinkFull:
                decoderWantsData = false
                active?.isPaused = true
                active?.consumer.handOver()
                return false
            case .needMoreData:
                decoderWantsData = true
                guard messageIsWhole else { return true }
                guard decoder.isAtTokenBoundary else { throw WireError(.truncated, "response", "the message ends inside a token") }
                messageIsWhole = false
                decoder.messageEnded()
                messageEnded()
                return true
            }
        }
    }

    func receive(_ token: Token) {
        switch phase {
        case .login(var machine, let promise):
            let action = machine.tokenReceived(token)
            phase = .login(machine, promise)
            perform(action)
        case .session(var machine):
            let action = machine.tokenReceived(token)
            phase = .session(machine)
            perform(action)
        case .closed: break
        }
    }

    func messageEnded() {
        switch phase {
        case .login(var machine, let promise):
            let action = machine.messageEnded()
            phase = .login(machine, promise)
            perform(action)
        case .session(var machine):
            let action = machine.messageEnded()
            phase = .session(machine)
            perform(action)
        case .closed: break
        }
    }

    // MARK: Packets and the end

    /// Writes a message: one write for each packet where TLS needs to tell them apart, else one for all.
    func send(_ message: ByteBuffer, _ type: PacketType, _ status: PacketStatus = []) {
        guard let context else { return }
        var bytes = ByteBuffer()
        // TLS carries one packet in one record, and a record holds 16384 bytes.
        let size = isEncrypted ? min(packetSize, 16384) : packetSize
        bytes.writePackets(of: message, type: type, packetSize: size, status: status)
        recording?.sent(bytes)
        while let length = bytes.getInteger(at: bytes.readerIndex + 2, endianness: .big, as: UInt16.self), let packet = bytes.readSlice(length: Int(length)) {
            context.write(wrapOutboundOut(packet), promise: nil)
        }
        context.flush()
    }

    /// Gives the connection up: it is never used again.
    func fail(_ error: TDSError) {
        if case .closed = phase { return }
        var error = error
        let previous = phase
        if case .session(var machine) = previous {
            // What the server said before it closed tells more than that it closed.
            let response = machine.connectionClosed()
            if error.serverErrors.isEmpty { error.serverErrors = response.errors }
            if error.serverInfos.isEmpty { error.serverInfos = response.infos }
        }
        phase = .closed(error)
        inputEnd = nil
        cancelDeadline?.cancel()
        cancelDeadline = nil
        if case .login(_, let promise) = previous { promise.fail(error) }
        let current = active
        active = nil
        let waiting = next
        next = nil
        current?.consumer.finish(.failure(error))
        current?.cancelled?.finish(.failure(error))
        waiting?.consumer.finish(.failure(error))
        // What came with a large result is not kept until the last reference goes.
        packets = PacketDecoder()
        if !isProcessing { decoder = TokenStreamDecoder() }
        context?.close(promise: nil)
    }
}
