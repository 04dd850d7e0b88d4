public import Logging
public import NIOCore
public import NIOPosix
import Synchronization
import TDSTLS
public import TDSWire

/// A connection to a SQL Server: one session, one request at a time.
///
/// ```swift
/// let configuration = TDSConnectionConfiguration(host: "localhost", authentication: .sqlServer(user: "sa", password: password))
/// try await TDSConnection.withConnection(configuration) { connection in
///     for try await row in try await connection.query("SELECT id, name FROM dbo.users WHERE city = \(city)") {
///         let (id, name) = try row.decode((Int.self, String.self))
///     }
/// }
/// ```
/// Cancelling the task that waits for a request cancels the request on the server; the connection stays good, or is closed.
public final class TDSConnection: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<TDSChannelHandler>
    private let nextRequestID = Atomic<Int>(0)
    public let logger: Logger
    /// What the server said about itself and the session when the login was through.
    public let loginResult: ClientLoginStateMachine.LoginResult

    private init(channel: any Channel, handler: NIOLoopBound<TDSChannelHandler>, loginResult: ClientLoginStateMachine.LoginResult, logger: Logger) {
        self.channel = channel
        self.handler = handler
        self.loginResult = loginResult
        self.logger = logger
    }

    /// The server's version.
    public var serverVersion: ServerVersion { loginResult.acknowledgement.serverVersion }

    // MARK: Connecting

    /// Connects and logs in, follows redirections, and closes the connection when `body` is done.
    ///
    /// - Throws: ``TDSError``, and what `body` throws.
    public static func withConnection<Result: Sendable>(
        _ configuration: TDSConnectionConfiguration, on eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any(),
        logger: Logger = Logger(label: "swift-tds", factory: { _ in SwiftLogNoOpLogHandler() }),
        _ body: (TDSConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await connect(configuration, on: eventLoop, logger: logger)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Connects and logs in, and follows redirections. The caller closes the connection.
    ///
    /// - Throws: ``TDSError`` with one of the codes `connectionFailed`, `connectTimeout`, `tls`, `encryptionRefused`, `loginFailed`,
    ///   `routingLoop`, `invalidConfiguration`, `protocolViolation`, `cancelled`.
    public static func connect(
        _ configuration: TDSConnectionConfiguration, on eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any(),
        logger: Logger = Logger(label: "swift-tds", factory: { _ in SwiftLogNoOpLogHandler() })
    ) async throws -> TDSConnection {
        let tls: TLSContext
        do {
            tls = try TLSContext(client: configuration.tls)
        } catch {
            throw TDSError(.invalidConfiguration, error.message, underlying: error)
        }
        let deadline = NIODeadline.now() + configuration.connectTimeout
        var target = (host: configuration.host, port: configuration.port)
        for _ in 0...configuration.maximumRoutingHops {
            let (channel, handler, outcome) = try await logIn(configuration, tls, target, deadline, eventLoop, logger)
            switch outcome {
            case .session(let result):
                return TDSConnection(channel: channel, handler: handler, loginResult: result, logger: logger)
            case .redirect(let routing):
                logger.debug("the server sends the client elsewhere", metadata: ["server": "\(routing.server)", "port": "\(routing.port)"])
                // A named instance is of no use in a name that is to be resolved.
                target = (String(routing.server.prefix { $0 != "\\" }), Int(routing.port))
            }
        }
        throw TDSError(.routingLoop, "the server sent the client elsewhere more than \(configuration.maximumRoutingHops) times")
    }

    private static func logIn(
        _ configuration: TDSConnectionConfiguration, _ tls: TLSContext, _ target: (host: String, port: Int), _ deadline: NIODeadline,
        _ eventLoop: any EventLoop, _ logger: Logger
    ) async throws -> (any Channel, NIOLoopBound<TDSChannelHandler>, TDSChannelHandler.LoginOutcome) {
        let machine = ClientLoginStateMachine(
            encryption: configuration.loginEncryption, preLogin: configuration.preLogin, login: configuration.login7(server: configuration.host))
        let promise = eventLoop.makePromise(of: TDSChannelHandler.LoginOutcome.self)
        let version: TDSVersion = .v7_4
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(deadline - .now())
            .channelOption(.autoRead, value: false)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 18))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        TDSChannelHandler(
                            login: machine, promise: promise, tls: tls, serverName: target.host, version: version,
                            cancelTimeout: configuration.cancelTimeout, logger: logger))
                }
            }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(host: target.host, port: target.port).get()
        } catch {
            let failure =
                NIODeadline.now() >= deadline
                ? TDSError(.connectTimeout, "no connection to \(target.host):\(target.port) within \(configuration.connectTimeout.seconds) s", underlying: error)
                : TDSError(.connectionFailed, "no connection to \(target.host):\(target.port)", underlying: error)
            promise.fail(failure)
            throw failure
        }
        let handler = try await channel.eventLoop.submit {
            NIOLoopBound(try channel.pipeline.syncOperations.handler(type: TDSChannelHandler.self), eventLoop: channel.eventLoop)
        }.get()
        let timeout = channel.eventLoop.scheduleTask(deadline: deadline) {
            handler.value.fail(TDSError(.connectTimeout, "the login at \(target.host):\(target.port) took longer than \(configuration.connectTimeout.seconds) s"))
        }
        defer { timeout.cancel() }
        let outcome = try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            channel.eventLoop.execute { handler.value.fail(TDSError(.cancelled, "connecting was cancelled")) }
        }
        return (channel, handler, outcome)
    }

    /// Closes the connection. A request in progress fails.
    public func close() async {
        try? await channel.close().get()
    }

    /// What is known about the session now: database, collation, transaction.
    ///
    /// - Throws: ``TDSError`` that closed the connection.
    public var session: ClientRequestStateMachine.Session {
        get async throws {
            try await channel.eventLoop.submit { [handler] in try handler.value.session.get() }.get()
        }
    }

    /// Whether the connection can still be used.
    public var isUsable: Bool {
        get async { (try? await session) != nil }
    }

    // MARK: Requests

    /// Runs a query and gives its rows as they come. Rows of several result sets follow each other; ``TDSRow/columns`` tells them apart.
    ///
    /// The sequence must be read by one task; leaving it early cancels the query.
    public func query(_ query: TDSQuery) -> TDSRowSequence {
        TDSRowSequence(connection: self, request: Self.request(query))
    }

    /// Runs a query whose rows nobody wants.
    ///
    /// - Throws: ``TDSError``; with `server`, all errors of the response.
    @discardableResult
    public func execute(_ query: TDSQuery) async throws -> ClientRequestStateMachine.Response {
        try await run(Self.request(query), into: DiscardingSink()).response
    }

    /// Runs a query and hands its rows to a sink, decoded in one pass from the wire's bytes.
    ///
    /// - Parameters:
    ///   - sink: Gets every row, on the connection's event loop: what it does holds up other connections of that loop.
    ///   - whenFull: Called when ``TDSWire/RowSink/isFull`` is true; nothing is read until it returns. If it throws, the query is cancelled.
    /// - Returns: the sink after the last row, and what the server said besides rows.
    /// - Throws: ``TDSError``, and what `whenFull` throws.
    public func read<Sink: RowSink & Sendable>(
        _ query: TDSQuery, into sink: Sink, whenFull: (inout Sink) async throws -> Void = { _ in }
    ) async throws -> (sink: Sink, response: ClientRequestStateMachine.Response) {
        try await run(Self.request(query), into: sink, whenFull: whenFull)
    }

    /// Begins a transaction, by a transaction manager request.
    public func beginTransaction(isolationLevel: TransactionManagerRequest.IsolationLevel) async throws {
        try await transaction(.begin(isolationLevel, name: ""))
    }

    /// Commits the transaction in progress.
    ///
    /// - Throws: ``TDSError``; also if the server has rolled the transaction back by itself.
    public func commit() async throws { try await transaction(.commit(name: "", next: nil)) }

    /// Rolls the transaction in progress back.
    public func rollback() async throws { try await transaction(.rollback(name: "", next: nil)) }

    private func transaction(_ request: TransactionManagerRequest.Request) async throws {
        _ = try await run(.transaction(request), into: DiscardingSink())
    }

    /// The next request is preceded by a reset of the session: SET options, temporary tables and an open transaction are gone. The
    /// isolation level is not reset by older servers: set it.
    public func resetBeforeNextRequest() {
        channel.eventLoop.execute { [handler] in handler.value.resetBeforeNextRequest() }
    }

    private static func request(_ query: TDSQuery) -> TDSRequest {
        query.parameters.isEmpty ? .batch(query.sql) : .executeSQL(query)
    }

    private func run<Sink: RowSink & Sendable>(
        _ request: TDSRequest, into sink: Sink, whenFull: (inout Sink) async throws -> Void = { _ in }
    ) async throws -> (sink: Sink, response: ClientRequestStateMachine.Response) {
        let stream = RequestStream(self, request, sink: sink)
        while true {
            switch try await stream.next() {
            case .finished(let sink, let response): return (sink, response)
            case .full(var sink):
                do {
                    try await whenFull(&sink)
                } catch {
                    stream.cancel()
                    throw error
                }
                stream.giveBack(sink)
            }
        }
    }

    // MARK: The way to the event loop and back

    func newRequestID() -> Int { nextRequestID.add(1, ordering: .relaxed).newValue }

    func cancel(_ id: Int) {
        channel.eventLoop.execute { [handler] in handler.value.cancel(id) }
    }

    func onHandler(_ body: @escaping @Sendable (TDSChannelHandler) -> Void) {
        channel.eventLoop.execute { [handler] in body(handler.value) }
    }
}

extension TimeAmount {
    fileprivate var seconds: Double { Double(nanoseconds) / 1e9 }
}
