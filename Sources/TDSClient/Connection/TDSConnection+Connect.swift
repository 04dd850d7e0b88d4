public import Logging
public import NIOCore
public import NIOPosix
import Synchronization
import TDSRecording
import TDSTLS
import TDSWire

extension TDSConnection {
    /// Connects and logs in, follows redirections, and closes the connection when `body` is done.
    ///
    /// - Throws: as ``connect(_:on:logger:)`` does, and what `body` throws.
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
    /// - Throws: ``TDSError`` with one of the codes `connectionFailed`, `connectTimeout`, `connectionClosed`, `tls`, `encryptionRefused`,
    ///   `loginFailed`, `routingLoop`, `invalidConfiguration`, `protocolViolation`; `CancellationError` if the task was cancelled.
    public static func connect(
        _ configuration: TDSConnectionConfiguration, on eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any(),
        logger: Logger = Logger(label: "swift-tds", factory: { _ in SwiftLogNoOpLogHandler() })
    ) async throws -> TDSConnection {
        let tls: TLSContext
        do {
            tls = try TLSContext(client: configuration.tls)
        } catch {
            throw TDSError(.invalidConfiguration, error.description, underlying: error)
        }
        let deadline = NIODeadline.now() + configuration.connectTimeout
        var target = LoginAttempt.Target(host: configuration.host, port: configuration.port, database: configuration.database)
        for _ in 0...max(configuration.maximumRoutingHops, 0) {
            logger.debug("connecting", metadata: ["server.address": "\(target.host)", "server.port": "\(target.port)"])
            let attempt = LoginAttempt(configuration, tls, target, deadline, eventLoop, logger)
            let (channel, handler, outcome) = try await attempt.run()
            switch outcome {
            case .session(let result):
                logger.debug(
                    "logged in", metadata: ["db.namespace": "\(result.database)", "server.version": "\(result.acknowledgement.serverVersion)"])
                for message in result.infos {
                    logger.debug("the server says", metadata: ["number": "\(message.number)", "message": "\(message.text)"])
                }
                return TDSConnection(
                    channel: channel, handler: handler, loginResult: result,
                    instruments: ConnectionInstruments(host: target.host, port: target.port, database: result.database, logger: logger))
            case .redirect(let routing):
                logger.debug("the server sends the client elsewhere", metadata: ["server": "\(routing.server)", "port": "\(routing.port)"])
                // A named instance is of no use in a name that is to be resolved.
                target.host = String(routing.server.prefix { $0 != "\\" })
                target.port = Int(routing.port)
                if let database = routing.database, !database.isEmpty { target.database = database }
            }
        }
        throw TDSError(.routingLoop, "the server sent the client elsewhere more than \(configuration.maximumRoutingHops) times")
    }
}

/// One way to one server: a TCP connection and what the server answers to the login on it. The first of result, deadline and cancellation
/// counts; what comes too late is closed.
private final class LoginAttempt: Sendable {
    struct Target: Sendable {
        var host: String
        var port: Int
        var database: String
    }
    typealias Result = (channel: any Channel, handler: NIOLoopBound<TDSChannelHandler>, outcome: TDSChannelHandler.LoginOutcome)

    private let configuration: TDSConnectionConfiguration
    private let tls: TLSContext
    private let target: Target
    private let deadline: NIODeadline
    private let eventLoop: any EventLoop
    private let logger: Logger
    /// Once TCP is connected.
    private let handler = Mutex<NIOLoopBound<TDSChannelHandler>?>(nil)
    private let isOver = Atomic<Bool>(false)

    init(
        _ configuration: TDSConnectionConfiguration, _ tls: TLSContext, _ target: Target, _ deadline: NIODeadline, _ eventLoop: any EventLoop,
        _ logger: Logger
    ) {
        self.configuration = configuration
        self.tls = tls
        self.target = target
        self.deadline = deadline
        self.eventLoop = eventLoop
        self.logger = logger
    }

    func run() async throws -> Result {
        // Of several completions the first one counts.
        let promise = eventLoop.makePromise(of: Result.self)
        let timeout = eventLoop.scheduleTask(deadline: deadline) { self.giveUp(self.timeout(), promise) }
        defer { timeout.cancel() }
        do {
            return try await withTaskCancellationHandler {
                connect(promise)
                return try await promise.futureResult.get()
            } onCancel: {
                eventLoop.execute { self.giveUp(TDSError(.cancelled, "connecting was cancelled"), promise) }
            }
        } catch let error as TDSError where error.code == .cancelled {
            throw CancellationError()
        }
    }

    private func connect(_ promise: EventLoopPromise<Result>) {
        let bootstrap = ClientBootstrap(group: eventLoop)
            // The deadline's own task comes first, and says more.
            .connectTimeout(max(deadline - .now(), .zero) + .seconds(1))
            .channelOption(.autoRead, value: false)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 18))
        bootstrap.connect(host: target.host, port: target.port).hop(to: eventLoop).whenComplete { result in
            switch result {
            case .failure(let error):
                promise.fail(TDSError(.connectionFailed, "no connection to \(self.target.host):\(self.target.port)", underlying: error))
            case .success(let channel): self.logIn(channel, promise)
            }
        }
    }

    /// The handler is added to the channel that won: with several addresses, others are tried and closed beside it.
    private func logIn(_ channel: any Channel, _ promise: EventLoopPromise<Result>) {
        guard !isOver.load(ordering: .relaxed) else { return channel.close(promise: nil) }
        let login = eventLoop.makePromise(of: TDSChannelHandler.LoginOutcome.self)
        let machine = ClientLoginStateMachine(
            encryption: configuration.loginEncryption, preLogin: configuration.preLogin,
            login: configuration.login7(server: configuration.host, database: target.database))
        let made = TDSChannelHandler(
            login: machine, promise: login, tls: tls, serverName: target.host, version: .v7_4, cancelTimeout: configuration.cancelTimeout, logger: logger,
            recording: configuration.recording?.connection())
        let bound = NIOLoopBound(made, eventLoop: eventLoop)
        login.futureResult.map { (channel, bound, $0) }.cascade(to: promise)
        handler.withLock { $0 = bound }
        do {
            try channel.pipeline.syncOperations.addHandler(made)
            if !channel.isActive { made.fail(TDSError(.connectionClosed, "the server closed the connection at once")) }
        } catch {
            made.fail(TDSError(.connectionClosed, "the server closed the connection at once", underlying: error))
        }
    }

    /// On the event loop.
    private func giveUp(_ error: TDSError, _ promise: EventLoopPromise<Result>) {
        isOver.store(true, ordering: .relaxed)
        handler.withLock { $0 }?.value.fail(error)
        promise.fail(error)
    }

    private func timeout() -> TDSError {
        let server = "\(target.host):\(target.port)"
        let seconds = Double(configuration.connectTimeout.nanoseconds) / 1e9
        guard let handler = handler.withLock({ $0 }) else {
            return TDSError(.connectTimeout, "no connection to \(server) within \(seconds) s")
        }
        return TDSError(.connectTimeout, "\(server) did not let us log in within \(seconds) s: it owes us \(handler.value.loginStage)")
    }
}
