import NIOCore
import NIOPosix
import Synchronization
import TDSWire

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Plays the server's side of a recording to clients, over TCP: the first client to connect gets the first recorded connection, and so on. Each is
/// answered with the recorded packets, as long as it sends what was recorded (``ReplayServerScript`` says what is compared).
///
/// At the first packet that differs the client gets an error of severity 20, which says where, and the connection is closed. There is no TLS: a client
/// has to be configured to do without encryption, whatever the recorded session used.
public final class ReplayServer: Sendable {
    /// How a client's connection ended.
    public enum Outcome: Hashable, Sendable {
        /// The client sent all that was recorded, and got all answers.
        case finished
        /// The client closed the connection before.
        case unfinished(matchedPackets: Int, of: Int)
        /// The client sent something else; or it is one more than was recorded.
        case failed(RecordingError)
    }

    /// A client's connection that has ended.
    public struct Ended: Hashable, Sendable {
        /// Of the connection, from 1, in the order in which clients connected.
        public var number: Int
        public var outcome: Outcome

        public init(number: Int, outcome: Outcome) {
            self.number = number
            self.outcome = outcome
        }
    }

    /// The connections as they end, for one reader. It ends with ``stop()``.
    public let ended: AsyncStream<Ended>
    private let endings: AsyncStream<Ended>.Continuation
    private let scripts: [ReplayServerScript]
    private let repeats: Bool

    private struct State {
        var group: MultiThreadedEventLoopGroup?
        var listener: (any Channel)?
        var clients: [ObjectIdentifier: any Channel] = [:]
        var count = 0
    }
    private let state = Mutex(State())

    /// - Parameters:
    ///   - connections: what ``RecordedConnection/connections(in:)`` found in a file.
    ///   - repeats: Whether to begin again with the first connection after the last; else clients beyond the last are refused.
    /// - Throws: ``RecordingError`` of ``RecordingError/Code/notAPcap`` if there is no connection, or one is not of TDS packets.
    public init(_ connections: [RecordedConnection], repeats: Bool = false) throws(RecordingError) {
        guard !connections.isEmpty else { throw RecordingError(.notAPcap, "the recording has no TCP connection") }
        var scripts: [ReplayServerScript] = []
        for (index, connection) in connections.enumerated() {
            do throws(WireError) {
                scripts.append(try ReplayServerScript(connection))
            } catch {
                throw RecordingError(.notAPcap, "connection \(index + 1) of the recording, \(connection.client) to \(connection.server), is not TDS in the clear: \(error)")
            }
        }
        self.scripts = scripts
        self.repeats = repeats
        (ended, endings) = AsyncStream.makeStream()
    }

    /// Reads a pcap file, gzip or not.
    ///
    /// - Throws: ``RecordingError``
    public convenience init(path: String, repeats: Bool = false) throws(RecordingError) {
        try self.init(RecordedConnection.connections(in: PcapFile(path: path)), repeats: repeats)
    }

    /// Starts to listen.
    ///
    /// - Parameter port: 0 takes any free port.
    /// - Throws: an `IOError` for an address that can't be had.
    public func start(host: String = "127.0.0.1", port: Int = 0) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let (number, script) = self.accept(channel)
                        try channel.pipeline.syncOperations.addHandler(ReplayHandler(number: number, script: script, recorded: self.scripts.count, endings: self.endings))
                    }
                }
                .bind(host: host, port: port).get()
            state.withLock { ($0.group, $0.listener) = (group, listener) }
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func accept(_ channel: any Channel) -> (Int, ReplayServerScript?) {
        let identifier = ObjectIdentifier(channel)
        channel.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.clients.removeValue(forKey: identifier) } }
        return state.withLock { state in
            state.clients[identifier] = channel
            state.count += 1
            let index = repeats ? (state.count - 1) % scripts.count : state.count - 1
            return (state.count, index < scripts.count ? scripts[index] : nil)
        }
    }

    /// The port, once started.
    public var port: Int { state.withLock { $0.listener?.localAddress?.port } ?? 0 }

    /// How many connections were recorded.
    public var connectionCount: Int { scripts.count }

    /// Stops to listen and closes all connections.
    public func stop() async throws {
        let (group, listener) = state.withLock { state in
            defer { (state.group, state.listener) = (nil, nil) }
            return (state.group, state.listener)
        }
        try? await listener?.close().get()
        for client in state.withLock({ Array($0.clients.values) }) { try? await client.close().get() }
        try await group?.shutdownGracefully()
        endings.finish()
    }
}

/// One client of a replay.
private final class ReplayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let number: Int
    private var script: ReplayServerScript?
    private let recorded: Int
    private let endings: AsyncStream<ReplayServer.Ended>.Continuation
    private var packets = PacketDecoder(maximumPacketSize: 65535)
    private var failure: RecordingError?
    private var isAfterPreLogin = false

    init(number: Int, script: ReplayServerScript?, recorded: Int, endings: AsyncStream<ReplayServer.Ended>.Continuation) {
        self.number = number
        self.script = script
        self.recorded = recorded
        self.endings = endings
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        guard let script else { return fail(context, RecordingError(.differs, "connection \(number): there are \(recorded) in the recording")) }
        write(context, script.greeting)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil, script != nil else { return }
        let bytes = unwrapInboundIn(data)
        if script?.matchedPackets == 0, !packets.isInPacket, bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) == 0x16 {
            return fail(context, RecordingError(.differs, "packet 1 of the client: it begins with TLS (strict encryption); a replay has none"))
        }
        packets.append(bytes)
        do {
            while let packet = try packets.next() {
                write(context, try script?.clientPacket(packet) ?? [])
                isAfterPreLogin = true
            }
        } catch let error as RecordingError {
            return fail(context, error)
        } catch {
            return fail(context, RecordingError(.differs, "packet \((script?.matchedPackets ?? 0) + 1) of the client: no TDS packet: \(error)"))
        }
        // The recorded server said no more: neither would this one.
        if let script, script.isFinished, script.endsInAnswer { finishOutput(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let outcome: ReplayServer.Outcome =
            if let failure { .failed(failure) } else if let script, !script.isFinished {
                .unfinished(matchedPackets: script.matchedPackets, of: script.packetCount)
            } else { .finished }
        endings.yield(.init(number: number, outcome: outcome))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that vanishes; what was matched counts.
        context.close(promise: nil)
    }

    private func write(_ context: ChannelHandlerContext, _ answer: [Packet]) {
        guard !answer.isEmpty else { return }
        var bytes = ByteBuffer()
        for packet in answer {
            bytes.writePacketHeader(packet.header)
            bytes.writeImmutableBuffer(packet.payload)
        }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Tells the client, if it is past PRELOGIN, whose answer has no place for errors; and closes.
    private func fail(_ context: ChannelHandlerContext, _ error: RecordingError) {
        failure = error
        var tokens = ByteBuffer()
        let version = script?.version ?? .v7_4
        // MsgText holds no more characters than this.
        let text = String("The recording is of another session: \(error.message)".prefix(2000))
        if isAfterPreLogin, (try? tokens.writeServerMessage(ServerMessage(number: 50000, severity: 20, text: text, server: "replay"), version: version)) != nil {
            tokens.writeDone(Done(status: .error), version: version)
            var bytes = ByteBuffer()
            bytes.writePackets(of: tokens, type: .tabularResult, packetSize: 4096)
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        }
        finishOutput(context)
    }

    /// Closes this end after what was written. The client's end stays open, for closing it with unread bytes would take our last words from the client.
    private func finishOutput(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
    }
}

extension PcapFile {
    /// Reads a file; gzip is recognised by its first bytes.
    ///
    /// - Throws: ``RecordingError``
    public init(path: String) throws(RecordingError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw RecordingError(.file, "'\(path)' can't be read: \(String(cString: strerror(errno)))") }
        defer { _ = close(file) }
        var bytes = ByteBuffer()
        while true {
            var count = 0
            bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 1 << 16) { room in
                count = read(file, room.baseAddress, room.count)
                return max(count, 0)
            }
            if count == 0 { break }
            guard count > 0 || errno == EINTR else { throw RecordingError(.file, "'\(path)' can't be read: \(String(cString: strerror(errno)))") }
            guard bytes.readableBytes <= Self.unpackedLimit else { throw RecordingError(.file, "'\(path)' has more than \(Self.unpackedLimit) bytes") }
        }
        try self.init(reading: bytes)
    }
}
