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

    private enum Phase {
        case login(ClientLoginStateMachine, EventLoopPromise<LoginOutcome>)
        case session(ClientRequestStateMachine)
        case closed(TDSError)
    }

    private struct Active {
        var id: Int
        var consumer: any RowConsumer
        /// The sink is with its task.
        var isPaused = false
        /// The consumer that waits for the end of a cancelled request.
        var cancelled: (any RowConsumer)?
    }

    private let tls: TLSContext
    private let serverName: String
    private let cancelTimeout: TimeAmount
    private let logger: Logger
    /// Gets the bytes of both directions. They are plain here: TLS is below this handler.
    private let recording: SessionRecorder.Connection?
    private var phase: Phase
    private var packets = PacketDecoder()
    private var decoder = TokenStreamDecoder()
    private var preLogin: ByteBuffer?
    private var packetSize = 4096
    private var version: TDSVersion
    /// Whether the decoder has used up what it could of what it was given.
    private var decoderWantsData = true
    /// The last packet of the message was appended to the decoder.
    private var messageIsWhole = false
    private var active: Active?
    /// A request that waits for a cancelled one to end.
    private var next: (id: Int, request: TDSRequest, consumer: any RowConsumer)?
    private var cancelDeadline: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    private var hasStarted = false
    private var isReading = false
    private var isProcessing = false
    private var isEncrypted = false
    /// The server has closed the connection while the task had the sink: what came before is delivered first.
    private var inputEnd: TDSError?
    /// What the login waits for, for messages.
    private var stage = "an answer to PRELOGIN"

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

    private func start() {
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

    private func read() {
        guard !isReading, let context else { return }
        isReading = true
        context.read()
    }

    // MARK: Messages

    /// Decodes what is there, until more is needed or the sink is full.
    private func process() {
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

    private func append(_ packet: Packet) throws(WireError) {
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

    private func receivePreLogin(_ message: ByteBuffer) throws(WireError) {
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
    private func decodeTokens() throws(WireError) -> Bool {
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

    private func receive(_ token: Token) {
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

    private func messageEnded() {
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

    // MARK: Actions of the login

    private func perform(_ action: ClientLoginStateMachine.Action) {
        guard case .login(_, let promise) = phase, let context else { return }
        switch action {
        case .wait: break
        case .startTLS(let mode): startTLS(mode, context)
        case .sendPreLogin(let message):
            var buffer = ByteBuffer()
            do {
                try buffer.writePreLogin(message)
            } catch {
                return fail(TDSError(.invalidConfiguration, "PRELOGIN can't be written", underlying: error))
            }
            preLogin = ByteBuffer()
            send(buffer, .preLogin)
        case .sendLogin(var login):
            stage = "an answer to LOGIN7"
            // A TLS record holds no larger packet, and this is known only now: a server may want more encryption than was asked for.
            if isEncrypted { login.packetSize = min(login.packetSize, 16383) }
            var buffer = ByteBuffer()
            do {
                try buffer.writeLogin7(login)
            } catch {
                return fail(TDSError(.invalidConfiguration, "LOGIN7 can't be written", underlying: error))
            }
            // In packets of 4096 bytes: servers accept no larger ones before the login, whatever it asks for.
            send(buffer, .login7)
        case .setPacketSize(let size): packetSize = size
        case .continueSSPI, .acquireFedAuthToken:
            fail(TDSError(.loginFailed, "the server asks for an authentication that this connection is not configured for"))
        case .succeeded(let result):
            version = result.acknowledgement.version
            phase = .session(
                ClientRequestStateMachine(
                    session: .init(database: result.database, collation: result.collation, packetSize: result.packetSize, language: result.language)))
            promise.succeed(.session(result))
        case .redirect(let target):
            phase = .closed(TDSError(.connectionClosed, "the server sent the client elsewhere"))
            promise.succeed(.redirect(target))
            context.close(promise: nil)
        case .failed(let failure):
            switch failure {
            case .refused(let errors, let infos):
                fail(
                    errors.isEmpty
                        ? TDSError(.loginFailed, "the server refused the login without saying why", serverInfos: infos)
                        : TDSError(server: errors, infos: infos, code: .loginFailed))
            case .encryption(let server):
                let what = server.map { "the server answers \($0)" } ?? "the server says nothing about encryption"
                fail(TDSError(.encryptionRefused, "client and server don't agree about encryption: \(what)"))
            case .unexpected(let what): fail(TDSError(.protocolViolation, what))
            }
        }
    }

    private func startTLS(_ mode: ClientLoginStateMachine.TLSMode, _ context: ChannelHandlerContext) {
        let handlerMode: TDSTLSHandler.Mode =
            switch mode {
            case .full: .full
            case .loginOnly: .loginOnly
            case .strict: .strict
            }
        stage = "the TLS handshake"
        do {
            isEncrypted = mode != .loginOnly
            let handler = try TDSTLSHandler(context: tls, mode: handlerMode, serverName: serverName)
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch let error as TLSError {
            fail(TDSError(error))
        } catch {
            fail(TDSError(.tls, "TLS can't be started", underlying: error))
        }
    }

    // MARK: Requests

    /// Sends a request; its rows and its end go to the consumer. While a cancelled request ends, one other may wait for that.
    func send(_ request: TDSRequest, id: Int, consumer: any RowConsumer) {
        switch phase {
        case .closed(let error): consumer.finish(.failure(Self.unusable(error)))
        case .login: consumer.finish(.failure(TDSError(.connectionClosed, "the login is not complete")))
        case .session(let machine):
            if machine.isCancelling, next == nil {
                next = (id, request, consumer)
            } else {
                begin(request, id, consumer, machine)
            }
        }
    }

    private func begin(_ request: TDSRequest, _ id: Int, _ consumer: any RowConsumer, _ machine: ClientRequestStateMachine) {
        var machine = machine
        guard let status = machine.begin() else {
            return consumer.finish(.failure(TDSError(.requestInProgress, "another request of this connection is in progress")))
        }
        let type: PacketType
        let message: ByteBuffer
        do {
            (type, message) = try request.message(session: machine.session, version: version)
        } catch {
            return consumer.finish(.failure(error))
        }
        machine.sent()
        phase = .session(machine)
        active = Active(id: id, consumer: consumer)
        send(message, type, status)
        read()
    }

    /// What a request on a connection that was given up fails with: the reason, as one that concerns the connection and not the request.
    private static func unusable(_ reason: TDSError) -> TDSError {
        guard reason.code != .connectionClosed else { return reason }
        return TDSError(.connectionClosed, "the connection was closed after an earlier error", underlying: reason)
    }

    /// Whether a request waits for a cancelled one to end.
    var hasWaitingRequest: Bool { next != nil }

    /// The sink is back.
    func resume(_ id: Int, consumer: any RowConsumer) {
        guard let current = active, current.id == id, current.cancelled == nil else {
            let error: TDSError = if case .closed(let error) = phase { error } else { TDSError(.cancelled, "the request was cancelled") }
            return consumer.finish(.failure(error))
        }
        active?.isPaused = false
        process()
        if active?.isPaused != true { read() }
    }

    /// Nobody wants the rest of the request with this id; nothing happens if it is over.
    func cancel(_ id: Int) {
        if let waiting = next, waiting.id == id {
            next = nil
            waiting.consumer.finish(.failure(TDSError(.cancelled, "the request was cancelled before it was sent")))
            return
        }
        guard case .session(var machine) = phase, let current = active, current.id == id, current.cancelled == nil else { return }
        if let inputEnd { return fail(inputEnd) }
        let action = machine.cancel()
        phase = .session(machine)
        active = Active(id: id, consumer: DiscardingConsumer(), cancelled: current.consumer)
        perform(action)
        process()
        read()
    }

    private func perform(_ action: ClientRequestStateMachine.Action) {
        switch action {
        case .none, .sendIgnore: break
        case .sendAttention:
            guard let context else { return }
            send(ByteBuffer(), .attention)
            if case .closed = phase { return }
            cancelDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: cancelTimeout) { [weak self] in self?.cancelDeadlinePassed() }
        case .setPacketSize(let size): packetSize = size
        case .complete(let response):
            let finished = active
            active = nil
            finished?.consumer.finish(.success(response))
            endIfFatal(response)
        case .cancelled(let response):
            cancelDeadline?.cancel()
            cancelDeadline = nil
            let finished = active
            active = nil
            finished?.cancelled?.finish(
                .failure(TDSError(.cancelled, "the request was cancelled", serverErrors: response.errors, serverInfos: response.infos)))
            endIfFatal(response)
            guard let waiting = next else { return }
            next = nil
            send(waiting.request, id: waiting.id, consumer: waiting.consumer)
        case .close(let reason): fail(TDSError(.protocolViolation, reason))
        }
    }

    /// An error of severity 20 or above ends the session; the server closes the connection a moment later.
    private func endIfFatal(_ response: ClientRequestStateMachine.Response) {
        guard response.errors.contains(where: { $0.severity >= 20 }) else { return }
        fail(TDSError(.connectionClosed, "the server ended the session", serverErrors: response.errors))
    }

    private func cancelDeadlinePassed() {
        guard case .session(var machine) = phase else { return }
        let action = machine.cancelDeadlinePassed()
        phase = .session(machine)
        perform(action)
    }

    /// What a login that takes too long waits for.
    var loginStage: String { stage }

    /// What is known about the session, or why there is none.
    var session: Result<ClientRequestStateMachine.Session, TDSError> {
        switch phase {
        case .session(let machine): inputEnd.map { .failure($0) } ?? .success(machine.session)
        case .closed(let error): .failure(error)
        case .login: .failure(TDSError(.connectionClosed, "the login is not complete"))
        }
    }

    /// The next request is preceded by a reset of the session (sp_reset_connection).
    func resetBeforeNextRequest() {
        guard case .session(var machine) = phase else { return }
        machine.resetBeforeNextRequest()
        phase = .session(machine)
    }

    // MARK: Packets and the end

    /// Writes a message: one write for each packet where TLS needs to tell them apart, else one for all.
    private func send(_ message: ByteBuffer, _ type: PacketType, _ status: PacketStatus = []) {
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
