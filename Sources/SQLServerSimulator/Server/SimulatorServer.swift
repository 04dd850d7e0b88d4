// The network front-end: listens, and gives every connection its handlers and its session's thread.
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TDSRecording
import TDSTLS

/// What a simulator listens with, beside what its engine starts with.
public struct SimulatorServerConfiguration: Sendable {
    /// The engine's databases and logins.
    public var engine: SimulatorConfiguration
    /// An IP address or a name of this machine.
    public var host: String
    /// 0 takes any free port.
    public var port: Int
    /// Nil does what the client asks for, as a server that was just installed.
    public var encryption: EncryptionPolicy?
    /// The server's certificate and TLS versions; nil makes a self-signed certificate at `start`.
    public var tls: TLSServerConfiguration?
    public var logger: Logger
    /// Threads for the network; each session has one of its own besides.
    public var eventLoops: Int
    /// Records all sessions, as they are without TLS and with blanked credentials. Whoever made it closes it, after `stop`.
    public var recording: SessionRecorder?

    public init(
        engine: SimulatorConfiguration = SimulatorConfiguration(), host: String = "127.0.0.1", port: Int = 0, encryption: EncryptionPolicy? = nil,
        tls: TLSServerConfiguration? = nil, logger: Logger = Logger(label: "sqlserver-simulator"), eventLoops: Int = 1,
        recording: SessionRecorder? = nil
    ) {
        self.engine = engine
        self.host = host
        self.port = port
        self.encryption = encryption
        self.tls = tls
        self.logger = logger
        self.eventLoops = eventLoops
        self.recording = recording
    }
}

/// A simulated SQL Server on a TCP port.
public final class SimulatorServer: Sendable {
    public let configuration: SimulatorServerConfiguration
    /// The engine, for a test that wants to look at it or change it behind the clients' backs.
    public let engine: SimulatedServer
    /// Troubles on command.
    public let faults = FaultInjection()

    private struct Running {
        var group: MultiThreadedEventLoopGroup
        var channel: any Channel
        var certificate: SelfSignedCertificate?
    }
    private let running = Mutex<Running?>(nil)
    private let connections = Mutex<[ObjectIdentifier: any Channel]>([:])

    public init(configuration: SimulatorServerConfiguration) {
        self.configuration = configuration
        engine = SimulatedServer(configuration: configuration.engine)
    }

    /// Starts to listen.
    /// - Throws: `TLSError` for a certificate that can't be used, an `IOError` for an address that can't be had.
    public func start() async throws {
        var certificate: SelfSignedCertificate?
        let identity: TLSServerConfiguration
        if let given = configuration.tls {
            identity = given
        } else {
            let made = try SelfSignedCertificate()
            certificate = made
            identity = TLSServerConfiguration(identity: .selfSigned(made))
        }
        let environment = ConnectionEnvironment(
            engine: engine, tls: try TLSContext(server: identity), encryption: configuration.encryption, faults: faults, logger: configuration.logger,
            recording: configuration.recording)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(configuration.eventLoops, 1))
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
                // Large enough that a session's thread need not be woken for every few packets.
                .childChannelOption(.writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 18, high: 1 << 20))
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        self.add(channel)
                        try channel.pipeline.syncOperations.addHandlers([
                            TornWriteHandler(faults: environment.faults), ConnectionHandler(environment: environment, channel: channel),
                        ])
                    }
                }
                .bind(host: configuration.host, port: configuration.port).get()
            running.withLock { $0 = Running(group: group, channel: channel, certificate: certificate) }
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func add(_ channel: any Channel) {
        let identifier = ObjectIdentifier(channel)
        connections.withLock { $0[identifier] = channel }
        channel.closeFuture.whenComplete { _ in
            self.connections.withLock { _ = $0.removeValue(forKey: identifier) }
        }
    }

    /// The port, once started.
    public var port: Int { running.withLock { $0?.channel.localAddress?.port } ?? 0 }

    /// The address, once started.
    public var host: String { running.withLock { $0?.channel.localAddress?.ipAddress } ?? configuration.host }

    /// The self-signed certificate, if it made one: give it to clients as their authority.
    public var certificate: SelfSignedCertificate? { running.withLock { $0?.certificate } }

    /// The number of open connections.
    public var connectionCount: Int { connections.withLock { $0.count } }

    /// Breaks all connections, as a failover does. The server goes on listening.
    public func dropConnections() {
        for child in connections.withLock({ Array($0.values) }) { child.close(promise: nil) }
    }

    /// Stops listening, closes all connections and ends the network's threads. A session that computes ends at its next step.
    public func stop() async throws {
        guard let old = running.withLock({ state in
            defer { state = nil }
            return state
        }) else { return }
        try? await old.channel.close().get()
        dropConnections()
        try await old.group.shutdownGracefully()
    }
}
