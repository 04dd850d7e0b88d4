// TLS in a channel's pipeline, in the three ways that TDS uses it.
import NIOCore

/// Events that a `TDSTLSHandler` sends up the pipeline.
public enum TDSTLSEvent: Sendable, Hashable {
    /// TLS is up: what is written from now on (and what was queued) is encrypted.
    case handshakeCompleted(TLSHandshakeInfo)
    /// Login-only encryption: the login's first packet is through, and everything after it is clear.
    case encryptionEnded
}

/// Encrypts the connection, client or server.
///
/// **Writes**: the layer above writes one `ByteBuffer` for each TDS packet, header included. Each becomes one `SSL_write`, thus one TLS record
/// (SQL Server drops connections whose records hold more or less than a packet): an encrypted session's packets must not exceed 16384 bytes.
/// What is written before the handshake is over waits. Ciphertext is passed on at a flush, or earlier when much has gathered.
///
/// **Reads**: plaintext comes as it was decrypted, with no regard to packets.
///
/// Add it as the first handler (`position: .first`) to a channel that is connected: after PRELOGIN was answered (`full`, `loginOnly`), or at
/// once (`strict`). The handshake starts when it is added or when the channel becomes active. When it is over, `TDSTLSEvent` says so; when it
/// fails, a `TLSError` goes up as `errorCaught`, the writes that waited fail with it, and the channel is closed.
public final class TDSTLSHandler: ChannelDuplexHandler, RemovableChannelHandler {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = ByteBuffer
    public typealias OutboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    public enum Mode: Sendable, Hashable {
        /// TDS 7.x: handshake in PRELOGIN packets, then everything encrypted.
        case full
        /// TDS 7.x: handshake in PRELOGIN packets, then only the first packet of LOGIN7 encrypted (ENCRYPT_OFF on both sides).
        case loginOnly
        /// TDS 8.0: TLS from the first byte.
        case strict
    }

    private enum State {
        case waiting, handshaking, established
        /// TLS is gone after the login: bytes pass as they are.
        case clear
        case failed
    }

    private enum Mark { case packet(ByteBuffer, EventLoopPromise<Void>?), flush }

    private let mode: Mode
    private let role: TLSContext.Role
    private let session: TLSSession
    private var state = State.waiting
    private var wrapped: WrappedHandshake?
    private var loginBoundary = LoginBoundary()
    /// Received bytes that are no whole record yet; used for login-only, where the clear bytes after a record must not reach TLS.
    private var records = ByteBuffer()
    private var queue: [Mark] = []
    private var promises: [EventLoopPromise<Void>] = []
    /// Decrypted bytes. The storage is used again when those above are done with it.
    private var plaintext = ByteBuffer()

    /// Ciphertext that gathers without a flush is passed on beyond so many bytes.
    private static let gatherLimit = 1 << 17

    /// - Parameters:
    ///   - serverName: the host name or IP address that a client connected to; see `TLSSession`.
    ///   - wrapperType: the type of a server's handshake packets: 0x12, or 0x04 as some servers send.
    /// - Throws: `TLSError` with `configuration`.
    public init(context: TLSContext, mode: Mode, serverName: String? = nil, wrapperType: UInt8? = nil) throws(TLSError) {
        self.mode = mode
        role = context.role
        session = try TLSSession(context: context, profile: mode == .strict ? .strict : .wrapped, serverName: serverName)
        if mode != .strict {
            wrapped = WrappedHandshake(role: context.role, sentType: wrapperType ?? WrappedHandshake.preloginType)
        }
    }

    public func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    public func channelActive(context: ChannelHandlerContext) {
        if case .waiting = state { start(context) }
        context.fireChannelActive()
    }

    public func channelInactive(context: ChannelHandlerContext) {
        switch state {
        case .waiting, .handshaking:
            fail(
                context,
                TLSError(
                    .closedDuringHandshake, "the peer closed the connection during the TLS handshake",
                    remedy: "The server's log tells why; often the TLS versions or ciphers don't meet, or the server can't use its certificate"))
        case .established, .clear, .failed:
            break
        }
        failWrites(ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        failWrites(ChannelError.ioOnClosedChannel)
    }

    private func start(_ context: ChannelHandlerContext) {
        state = .handshaking
        // A server has nothing to say before the ClientHello.
        if role == .client { continueHandshake(context) }
    }

    // MARK: Handshake

    private func continueHandshake(_ context: ChannelHandlerContext) {
        do throws(TLSError) {
            let isDone = try session.handshake()
            sendHandshake(context)
            if isDone { completed(context) }
        } catch {
            // The alert, so that the peer's log says why.
            sendHandshake(context)
            fail(context, error)
        }
    }

    private func sendHandshake(_ context: ChannelHandlerContext) {
        guard session.pendingBytes > 0 else { return }
        var bytes = context.channel.allocator.buffer(capacity: session.pendingBytes)
        session.drain(into: &bytes)
        if let wrapped { bytes = wrapped.wrap(&bytes, allocator: context.channel.allocator) }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    private func completed(_ context: ChannelHandlerContext) {
        // Writes from within this event queue up behind those that waited.
        context.fireUserInboundEventTriggered(TDSTLSEvent.handshakeCompleted(session.info))
        guard case .handshaking = state else { return }
        state = .established
        while let mark = queue.first {
            switch mark {
            case .packet(let packet, let promise):
                send(context, packet, promise)
            case .flush:
                passOn(context)
                context.flush()
            }
            // A failure has emptied the queue.
            if queue.isEmpty { break }
            queue.removeFirst()
        }
    }

    private func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        if case .failed = state { return }
        state = .failed
        failWrites(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    private func failWrites(_ error: any Error) {
        let waiting = queue
        let sent = promises
        queue = []
        promises = []
        for case .packet(_, let promise?) in waiting { promise.fail(error) }
        for promise in sent { promise.fail(error) }
    }

    // MARK: Reading

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .clear = state {
            context.fireChannelRead(data)
            return
        }
        var bytes = unwrapInboundIn(data)
        do throws(TLSError) {
            if wrapped != nil {
                try receiveWrapped(context, &bytes)
            } else {
                try receiveRaw(context, &bytes)
            }
        } catch {
            fail(context, error)
        }
    }

    private func receiveWrapped(_ context: ChannelHandlerContext, _ bytes: inout ByteBuffer) throws(TLSError) {
        wrapped?.receive(&bytes)
        while true {
            let isDone = if case .established = state { true } else { false }
            if case .failed = state { return }
            switch try wrapped?.next(isDone: isDone) ?? .raw {
            case .needsMore:
                return
            case .bytes(var part):
                try session.receive(&part)
                if isDone {
                    try deliver(context)
                } else {
                    continueHandshake(context)
                }
            case .raw:
                var rest = wrapped?.takeRest() ?? ByteBuffer()
                // With nothing at hand it isn't known yet whether another handshake packet comes (a server's session ticket, say).
                guard rest.readableBytes > 0 else { return }
                wrapped = nil
                return try receiveRaw(context, &rest)
            }
        }
    }

    private func receiveRaw(_ context: ChannelHandlerContext, _ bytes: inout ByteBuffer) throws(TLSError) {
        switch state {
        case .waiting, .handshaking:
            try session.receive(&bytes)
            continueHandshake(context)
            // The client's first packets may have come with its Finished.
            if case .established = state, session.receivedBytes > 0 { try deliver(context) }
        case .established where mode == .loginOnly && role == .server:
            try receiveLogin(context, &bytes)
        case .established:
            try session.receive(&bytes)
            try deliver(context)
        case .clear:
            context.fireChannelRead(wrapInboundOut(bytes))
        case .failed:
            break
        }
    }

    /// A server's login-only phase: record by record, for clear bytes may follow in the same read. Some clients encrypt the whole LOGIN7
    /// message, some only its first packet; the first byte of what follows tells (a TLS record starts with 0x14 to 0x17, a packet with 0x10).
    private func receiveLogin(_ context: ChannelHandlerContext, _ bytes: inout ByteBuffer) throws(TLSError) {
        records.writeBuffer(&bytes)
        while let type = records.getInteger(at: records.readerIndex, as: UInt8.self) {
            if loginBoundary.isComplete || (loginBoundary.packets > 0 && !(0x14...0x17).contains(type)) {
                let rest = records
                records = ByteBuffer()
                endEncryption(context)
                context.fireChannelRead(wrapInboundOut(rest))
                return
            }
            guard let length = records.getInteger(at: records.readerIndex + 3, endianness: .big, as: UInt16.self),
                var record = records.readSlice(length: 5 + Int(length))
            else { return }
            try session.receive(&record)
            try deliver(context) { [self] part throws(TLSError) in try loginBoundary.consume(part) }
            if case .failed = state { return }
        }
        records.discardReadBytes()
        if loginBoundary.isComplete { endEncryption(context) }
    }

    private func deliver(
        _ context: ChannelHandlerContext, inspect: ((ByteBuffer) throws(TLSError) -> Void)? = nil
    ) throws(TLSError) {
        while true {
            plaintext.clear(minimumCapacity: min(max(session.receivedBytes, 256), Self.gatherLimit))
            let result = try session.read(into: &plaintext, limit: Self.gatherLimit - 16_384)
            if plaintext.readableBytes > 0 {
                let part = plaintext
                try inspect?(part)
                // First, for whoever answers the login at once must find the line clear.
                if loginBoundary.isComplete { endEncryption(context) }
                context.fireChannelRead(wrapInboundOut(part))
            }
            switch result {
            case .needsMore:
                return
            case .full:
                continue
            case .closed:
                // Answer and close, as TLS asks for; nothing more can come.
                session.close()
                passOn(context)
                context.flush()
                context.close(promise: nil)
                return
            }
        }
    }

    private func endEncryption(_ context: ChannelHandlerContext) {
        guard case .established = state else { return }
        passOn(context)
        state = .clear
        wrapped = nil
        context.fireUserInboundEventTriggered(TDSTLSEvent.encryptionEnded)
    }

    // MARK: Writing

    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard queue.isEmpty else {
            queue.append(.packet(unwrapOutboundIn(data), promise))
            return
        }
        switch state {
        case .waiting, .handshaking:
            queue.append(.packet(unwrapOutboundIn(data), promise))
        case .established:
            send(context, unwrapOutboundIn(data), promise)
        case .clear:
            context.write(data, promise: promise)
        case .failed:
            promise?.fail(ChannelError.ioOnClosedChannel)
        }
    }

    private func send(_ context: ChannelHandlerContext, _ packet: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        switch state {
        case .established:
            break
        case .clear:
            // The login before it in the queue ended the encryption.
            context.write(wrapOutboundOut(packet), promise: promise)
            return
        case .waiting, .handshaking, .failed:
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        do throws(TLSError) {
            try session.write(packet)
        } catch {
            promise?.fail(error)
            fail(context, error)
            return
        }
        if let promise { promises.append(promise) }
        // Only the first packet of the login is encrypted: so do Microsoft's drivers, and so expects the server, however long the login is.
        if mode == .loginOnly, role == .client, Self.isLoginPacket(packet) {
            endEncryption(context)
        } else if session.pendingBytes >= Self.gatherLimit {
            passOn(context)
        }
    }

    private static func isLoginPacket(_ packet: ByteBuffer) -> Bool {
        packet.getInteger(at: packet.readerIndex, as: UInt8.self) == LoginBoundary.loginType
    }

    /// Passes on the ciphertext that has gathered, as one write.
    private func passOn(_ context: ChannelHandlerContext) {
        guard session.pendingBytes > 0 else {
            // Empty packets make no record.
            let done = promises
            promises = []
            for promise in done { promise.succeed(()) }
            return
        }
        var bytes = context.channel.allocator.buffer(capacity: session.pendingBytes)
        session.drain(into: &bytes)
        var promise: EventLoopPromise<Void>?
        if promises.count == 1 {
            promise = promises.first
        } else if promises.count > 1 {
            let all = promises
            let made = context.eventLoop.makePromise(of: Void.self)
            made.futureResult.whenComplete { result in
                for promise in all { promise.completeWith(result) }
            }
            promise = made
        }
        promises = []
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    public func flush(context: ChannelHandlerContext) {
        guard queue.isEmpty else {
            queue.append(.flush)
            context.flush()
            return
        }
        switch state {
        case .waiting, .handshaking:
            queue.append(.flush)
            // Bytes that passed before this handler was added may wait for it.
            context.flush()
        case .established:
            passOn(context)
            context.flush()
        case .clear, .failed:
            context.flush()
        }
    }

    public func close(context: ChannelHandlerContext, mode closing: CloseMode, promise: EventLoopPromise<Void>?) {
        if case .established = state, closing != .input {
            session.close()
            passOn(context)
            context.flush()
        }
        context.close(mode: closing, promise: promise)
    }
}
