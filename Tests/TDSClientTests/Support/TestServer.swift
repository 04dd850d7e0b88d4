// A server that does exactly what a test says: TDSWire's server side on a socket, without any SQL.
import NIOCore
import NIOPosix
import Synchronization
import TDSTLS
import TDSWire
import Testing

/// What a test server does.
struct Behaviour: Sendable {
    enum LoginAnswer: Sendable {
        case accept
        case refuse([ServerMessage])
        case redirect(EnvironmentChange.Routing)
        /// The tokens of the whole answer.
        case tokens(ByteBuffer)
        case silence
        case close
    }

    /// What a request is answered with.
    enum Reply: Sendable {
        /// The tokens of a whole message.
        case tokens(ByteBuffer)
        /// Tokens without an end of the message; then nothing, until an attention.
        case beginning(ByteBuffer)
        /// Tokens, then more and more of the others, as fast as the socket takes them, until an attention.
        case endless(head: ByteBuffer, rows: ByteBuffer)
        /// The tokens of a whole message, sent when an attention has come: the two have crossed.
        case crossing(ByteBuffer)
        /// Bytes as they are, then the end of the connection.
        case bytesAndClose(ByteBuffer)
        /// The tokens of a whole message, then the end of the connection.
        case tokensAndClose(ByteBuffer)
        case bytes(ByteBuffer)
    }

    enum AttentionAnswer: Sendable { case acknowledge, ignore }

    var encryption: EncryptionNegotiation.Policy = .optional
    var refusesStrict = false
    /// The type of the packets that answer PRELOGIN, and of those of the handshake.
    var preLoginPacketType = PacketType.tabularResult
    var wrapperType: UInt8?
    var answersPreLogin = true
    /// As the login tells it.
    var packetSize = 4096
    var largestWrite: Int?
    var loginInfos: [ServerMessage] = []
    var login: @Sendable (Login7) -> LoginAnswer = { _ in .accept }
    var reply: @Sendable (Received) -> Reply = { _ in .tokens(Tokens.done()) }
    var attention = AttentionAnswer.acknowledge
}

/// A message that a server received after the login.
struct Received: Sendable {
    var type: PacketType
    /// Of the first packet.
    var status: PacketStatus
    var payload: ByteBuffer
    /// Sizes of its packets, headers included.
    var packets: [Int]

    func batch() throws -> SQLBatchMessage {
        var payload = payload
        return try payload.readSQLBatch(version: .v7_4)
    }
    func call() throws -> RPCRequest {
        var payload = payload
        return try #require(try payload.readRPCRequest(version: .v7_4).requests.first)
    }
    func transaction() throws -> TransactionManagerRequest {
        var payload = payload
        return try payload.readTransactionManagerRequest(version: .v7_4)
    }
    var text: String { (try? batch().text) ?? "" }
}

/// What a server has seen.
struct Seen: Sendable {
    var connections = 0
    var open = 0
    var preLogins: [PreLogin] = []
    var logins: [Login7] = []
    var loginPackets: [Int] = []
    var requests: [Received] = []
    var attentions = 0
    var bytesSent = 0
}

final class TestServer: Sendable {
    static let identity: Result<SelfSignedCertificate, TLSError> = Result { () throws(TLSError) in try SelfSignedCertificate() }

    private let behaviour: Mutex<Behaviour>
    let seen = Mutex(Seen())
    private let channel = Mutex<(any Channel)?>(nil)
    private let children = Mutex<[ObjectIdentifier: any Channel]>([:])
    fileprivate let tls: TLSContext

    private init(_ behaviour: Behaviour) throws {
        self.behaviour = Mutex(behaviour)
        tls = try TLSContext(server: TLSServerConfiguration(identity: .selfSigned(Self.identity.get())))
    }

    var current: Behaviour { behaviour.withLock { $0 } }
    func change(_ change: @Sendable (inout Behaviour) -> Void) { behaviour.withLock { change(&$0) } }
    var snapshot: Seen { seen.withLock { $0 } }
    var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }
    var certificate: SelfSignedCertificate { get throws { try Self.identity.get() } }

    /// Runs a server for as long as `body` does.
    static func run<R: Sendable>(_ behaviour: Behaviour = Behaviour(), host: String = "127.0.0.1", _ body: (TestServer) async throws -> R) async throws -> R {
        let server = try TestServer(behaviour)
        let listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Little is under way when a reader stops.
            .childChannelOption(.socketOption(.so_sndbuf), value: 1 << 16)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    server.added(channel)
                    try channel.pipeline.syncOperations.addHandler(TestServerHandler(server))
                }
            }
            .bind(host: host, port: 0).get()
        server.channel.withLock { $0 = listening }
        do {
            let result = try await body(server)
            try await server.stop()
            return result
        } catch {
            try await server.stop()
            throw error
        }
    }

    private func added(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        children.withLock { $0[id] = channel }
        seen.withLock { seen in
            seen.connections += 1
            seen.open += 1
        }
        channel.closeFuture.whenComplete { _ in
            self.children.withLock { _ = $0.removeValue(forKey: id) }
            self.seen.withLock { $0.open -= 1 }
        }
    }

    /// Stops listening: whoever connects is refused.
    func stop() async throws {
        let listening = channel.withLock { $0.take() }
        try? await listening?.close().get()
        dropConnections()
    }

    func dropConnections() {
        for child in children.withLock({ Array($0.values) }) { child.close(promise: nil) }
    }

    /// Waits until it has seen what the test waits for.
    func wait(_ what: String, until condition: (Seen) -> Bool) async throws {
        for _ in 0..<20_000 {
            if condition(snapshot) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("timed out: \(what)")
        throw TimedOut()
    }
}

struct TimedOut: Error {}

private final class TestServerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: TestServer
    private var packets = PacketDecoder()
    private var message: Received?
    private var isFirst = true
    private var isStrict = false
    private var isRunning = false
    private var packetSize = 4096
    private var running: Behaviour.Reply?
    private var sendsEndless = false
    private var packetID: UInt8 = 1

    init(_ server: TestServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if isFirst, let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) {
            isFirst = false
            if first == 0x16 {
                guard !server.current.refusesStrict else { return context.close(promise: nil) }
                isStrict = true
                startTLS(context, .strict)
                return context.pipeline.fireChannelRead(bytes)
            }
        }
        packets.append(bytes)
        do {
            while let packet = try packets.next() { try receive(context, packet) }
        } catch {
            Issue.record("the client sent what it must not: \(error)")
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { sendEndless(context) }
        context.fireChannelWritabilityChanged()
    }

    private func startTLS(_ context: ChannelHandlerContext, _ mode: TDSTLSHandler.Mode) {
        do {
            let handler = try TDSTLSHandler(context: server.tls, mode: mode, wrapperType: server.current.wrapperType)
            try context.pipeline.syncOperations.addHandler(handler, position: .before(self))
        } catch {
            Issue.record(error)
        }
    }

    private func receive(_ context: ChannelHandlerContext, _ packet: Packet) throws {
        let header = packet.header
        if header.type == .attention { return try attention(context) }
        if message == nil {
            message = Received(type: header.type, status: header.status, payload: packet.payload, packets: [])
        } else {
            message?.payload.writeImmutableBuffer(packet.payload)
        }
        message?.packets.append(Int(header.length))
        guard header.status.contains(.endOfMessage), let whole = message else { return }
        message = nil
        if isRunning {
            server.seen.withLock { $0.requests.append(whole) }
            answer(context, server.current.reply(whole))
            return
        }
        var payload = whole.payload
        switch whole.type {
        case .preLogin: try preLogin(context, payload.readPreLogin(from: .client))
        case .login7:
            let login = try payload.readLogin7()
            server.seen.withLock { seen in
                seen.logins.append(login)
                seen.loginPackets = whole.packets
            }
            try answer(context, login)
        default: Issue.record("\(whole.type) during the login")
        }
    }

    private func preLogin(_ context: ChannelHandlerContext, _ request: PreLogin) throws {
        let behaviour = server.current
        server.seen.withLock { $0.preLogins.append(request) }
        guard behaviour.answersPreLogin else { return }
        let (option, outcome) = isStrict ? (.notSupported, .none) : EncryptionNegotiation.server(policy: behaviour.encryption, client: request.encryption)
        var body = ByteBuffer()
        try body.writePreLogin(PreLogin(version: PreLogin.Version(major: 16, minor: 0, build: 1000), encryption: option, mars: false))
        write(context, body, type: behaviour.preLoginPacketType)
        switch outcome {
        case .none: break
        case .loginOnly: startTLS(context, .loginOnly)
        case .full: startTLS(context, .full)
        case .refuse: context.close(promise: nil)
        }
    }

    private func answer(_ context: ChannelHandlerContext, _ login: Login7) throws {
        let behaviour = server.current
        var tokens = ByteBuffer()
        switch behaviour.login(login) {
        case .accept:
            for info in behaviour.loginInfos { try tokens.writeServerMessage(info) }
            try tokens.writeLogin(database: login.database.isEmpty ? "master" : login.database, packetSize: behaviour.packetSize, version: login.version)
            write(context, tokens)
            packetSize = behaviour.packetSize
            isRunning = true
        case .tokens(let given):
            write(context, given)
            isRunning = true
        case .redirect(let routing):
            try tokens.writeLogin(database: "master", packetSize: 4096, version: login.version, routing: routing)
            write(context, tokens)
        case .refuse(let errors):
            for error in errors { try tokens.writeServerMessage(error) }
            tokens.writeDone(Done(status: .error))
            write(context, tokens)
            context.close(promise: nil)
        case .silence: break
        case .close: context.close(promise: nil)
        }
    }

    private func answer(_ context: ChannelHandlerContext, _ reply: Behaviour.Reply) {
        running = nil
        switch reply {
        case .tokens(let tokens): write(context, tokens)
        case .beginning(let tokens):
            running = reply
            if tokens.readableBytes > 0 { write(context, tokens, isEnd: false) }
        case .endless(let head, _):
            running = reply
            write(context, head, isEnd: false)
            sendsEndless = true
            sendEndless(context)
        case .crossing: running = reply
        case .bytes(let bytes): send(context, bytes)
        case .bytesAndClose(let bytes):
            send(context, bytes)
            context.close(promise: nil)
        case .tokensAndClose(let tokens):
            write(context, tokens)
            context.close(promise: nil)
        }
    }

    private func sendEndless(_ context: ChannelHandlerContext) {
        guard sendsEndless, case .endless(_, let rows)? = running else { return }
        guard context.channel.isWritable, context.channel.isActive else { return }
        write(context, rows, isEnd: false)
        // Not in a loop: the attention has to be read.
        context.eventLoop.assumeIsolated().execute { self.sendEndless(context) }
    }

    private func attention(_ context: ChannelHandlerContext) throws {
        server.seen.withLock { $0.attentions += 1 }
        guard server.current.attention == .acknowledge else { return }
        sendsEndless = false
        if case .crossing(let tokens)? = running { write(context, tokens) }
        running = nil
        var tokens = ByteBuffer()
        tokens.writeDone(Done(status: .attention))
        write(context, tokens)
    }

    /// Tokens in packets; one write for each, as TLS wants it.
    private func write(_ context: ChannelHandlerContext, _ tokens: ByteBuffer, type: PacketType = .tabularResult, isEnd: Bool = true) {
        var tokens = tokens
        repeat {
            let length = min(tokens.readableBytes, packetSize - PacketHeader.size)
            let isLast = isEnd && length == tokens.readableBytes
            var packet = ByteBuffer()
            packet.writePacketHeader(
                PacketHeader(type: type, status: isLast ? .endOfMessage : [], length: UInt16(length + PacketHeader.size), packetID: packetID))
            packetID = isLast ? 1 : packetID &+ 1
            if let part = tokens.readSlice(length: length) { packet.writeImmutableBuffer(part) }
            send(context, packet)
        } while tokens.readableBytes > 0
    }

    private func send(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
        let server = server
        let count = bytes.readableBytes
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenSuccess { server.seen.withLock { $0.bytesSent += count } }
        guard let largest = server.current.largestWrite else { return context.writeAndFlush(wrapOutboundOut(bytes), promise: promise) }
        var bytes = bytes
        while bytes.readableBytes > largest, let part = bytes.readSlice(length: largest) { context.writeAndFlush(wrapOutboundOut(part), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
    }
}
