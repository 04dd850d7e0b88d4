// A client as small as a test needs: TDSWire's encoders on a socket.
import NIOCore
import NIOPosix
import TDSTLS
import TDSWire
import Testing

@testable import SQLServerSimulator

/// What a response holds.
struct WireResponse {
    var tokens: [TDSWire.Token] = []
    var rows: [[[UInt8]?]] = []
    /// Sizes of the packets, with headers.
    var packets: [Int] = []
    var spids: Set<UInt16> = []

    var errors: [ServerMessage] { tokens.compactMap { if case .error(let error) = $0 { error } else { nil } } }
    var infos: [ServerMessage] { tokens.compactMap { if case .info(let info) = $0 { info } else { nil } } }
    var changes: [TDSWire.EnvironmentChange] { tokens.compactMap { if case .environmentChange(let change) = $0 { change } else { nil } } }
    var dones: [Done] { tokens.compactMap { if case .done(let done) = $0 { done } else { nil } } }
    var returnValues: [ReturnValue] { tokens.compactMap { if case .returnValue(let value) = $0 { value } else { nil } } }
    var returnStatus: Int32? { tokens.compactMap { if case .returnStatus(let status) = $0 { status } else { nil } }.first }
    var loginAck: LoginAck? { tokens.compactMap { if case .loginAck(let ack) = $0 { ack } else { nil } }.first }
    var columns: [[ColumnMetadata]] { tokens.compactMap { if case .columnMetadata(let columns?) = $0 { columns } else { nil } } }
}

/// Keeps rows as bytes.
struct KeepingSink: RowSink {
    var rows: [[[UInt8]?]] = []
    private var row: [[UInt8]?] = []
    private var large: [UInt8] = []
    private var count = 0

    mutating func columns(_ columns: [ColumnMetadata]) { count = columns.count }
    mutating func rowBegins() { row = [] }
    mutating func null(column: Int) { row.append(nil) }
    mutating func value(_ bytes: RawSpan, column: Int) {
        row.append(bytes.withUnsafeBytes { Array($0) })
    }
    mutating func largeValueBegins(column: Int, length: UInt64?) { large = [] }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) {
        bytes.withUnsafeBytes { large.append(contentsOf: $0) }
    }
    mutating func largeValueEnds(column: Int) { row.append(large) }
    mutating func rowEnds() { rows.append(row) }
}

struct ConnectionClosed: Error {}

/// How a client asks for encryption.
enum WireEncryption: Sendable, CaseIterable {
    case none, loginOnly, full, strict

    var option: PreLogin.Encryption {
        switch self {
        case .none: .notSupported
        case .loginOnly: .off
        case .full: .on
        case .strict: .notSupported
        }
    }
}

final class WireClient {
    let channel: any Channel
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var decoder = PacketDecoder()
    var version = TDSVersion.v7_4
    var packetSize = 4096
    var preLogin: PreLogin?

    private init(
        channel: any Channel, inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        self.inbound = inbound
        self.outbound = outbound
    }

    /// Connects, and closes after the body.
    @discardableResult
    static func with<Result>(_ server: SimulatorServer, _ body: (WireClient) async throws -> Result) async throws -> Result {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: server.host, port: server.port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await connection.executeThenClose { inbound, outbound in
            try await body(WireClient(channel: connection.channel, inbound: inbound.makeAsyncIterator(), outbound: outbound))
        }
    }

    func startTLS(_ context: TLSContext, _ mode: TDSTLSHandler.Mode) async throws {
        let channel = self.channel
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(
                TDSTLSHandler(context: context, mode: mode, serverName: "127.0.0.1"), position: .first)
        }.get()
    }

    func send(raw bytes: ByteBuffer) async throws { try await outbound.write(bytes) }

    func send(_ type: PacketType, _ message: ByteBuffer, status: PacketStatus = []) async throws {
        var packets = ByteBuffer()
        packets.writePackets(of: message, type: type, packetSize: packetSize, status: status)
        // One write a packet, as TLS needs.
        while let length = packets.getInteger(at: packets.readerIndex + 2, endianness: .big, as: UInt16.self),
            let packet = packets.readSlice(length: Int(length))
        {
            try await outbound.write(packet)
        }
    }

    /// The packets of the next message. Throws `ConnectionClosed` at the connection's end.
    func receive() async throws -> [Packet] {
        var packets: [Packet] = []
        while true {
            while let packet = try decoder.next() {
                packets.append(packet)
                if packet.header.status.contains(.endOfMessage) { return packets }
            }
            guard let bytes = try await inbound.next(isolation: nil) else { throw ConnectionClosed() }
            decoder.append(bytes)
        }
    }

    func response() async throws -> WireResponse {
        var tokens = TokenStreamDecoder(version: version)
        var result = WireResponse()
        for packet in try await receive() {
            #expect(packet.header.type == .tabularResult)
            result.packets.append(Int(packet.header.length))
            result.spids.insert(packet.header.spid)
            tokens.append(packet.payload)
        }
        var sink = KeepingSink()
        while case .token(let token) = try tokens.decode(into: &sink) { result.tokens.append(token) }
        #expect(tokens.isAtTokenBoundary)
        result.rows = sink.rows
        for case .packetSize(let new, _) in result.changes { packetSize = new }
        // Exactly one DONE ends a message, the last token.
        if let last = result.dones.last { #expect(!last.status.contains(.more)) }
        for done in result.dones.dropLast() { #expect(done.status.contains(.more)) }
        return result
    }

    /// PRELOGIN, TLS and LOGIN7.
    func logIn(
        _ server: SimulatorServer, _ encryption: WireEncryption = .none, login: Login7? = nil, change: (inout Login7) -> Void = { _ in }
    ) async throws -> WireResponse {
        let trust = try serverIdentity.get().certificatePEM
        let tls = try TLSContext(client: TLSClientConfiguration(trust: .authorities(pem: trust)))
        if encryption == .strict { try await startTLS(tls, .strict) }
        var message = ByteBuffer()
        try message.writePreLogin(
            PreLogin(
                version: .init(major: 17, minor: 0, build: 0), encryption: encryption.option, instance: .name(ByteBuffer()), threadID: .id(7), mars: false))
        try await send(.preLogin, message)
        var answer = ByteBuffer()
        for packet in try await receive() { answer.writeImmutableBuffer(packet.payload) }
        preLogin = try answer.readPreLogin(from: .server)
        switch encryption {
        case .loginOnly: try await startTLS(tls, .loginOnly)
        case .full: try await startTLS(tls, .full)
        case .none, .strict: break
        }
        var request = login ?? Login7(userName: "sa", password: "Secret1!", applicationName: "test", serverName: "127.0.0.1", database: "test")
        if encryption == .strict { request.version = .v8_0 }
        change(&request)
        version = request.version
        message.clear()
        try message.writeLogin7(request)
        try await send(.login7, message)
        return try await response()
    }

    func batch(_ sql: String, status: PacketStatus = [], descriptor: UInt64 = 0) async throws -> WireResponse {
        try await sendBatch(sql, status: status, descriptor: descriptor)
        return try await response()
    }

    func sendBatch(_ sql: String, status: PacketStatus = [], descriptor: UInt64 = 0) async throws {
        var message = ByteBuffer()
        try message.writeSQLBatch(SQLBatchMessage(sql, headers: version.isYukonOrLater ? AllHeaders(transactionDescriptor: descriptor) : nil))
        try await send(.sqlBatch, message, status: status)
    }

    func attention() async throws {
        try await send(.attention, ByteBuffer())
    }
}

/// One certificate for all servers: making an RSA key takes its time.
let serverIdentity: Result<SelfSignedCertificate, TLSError> = Result { () throws(TLSError) in try SelfSignedCertificate() }

/// A server for a test, stopped after it.
@discardableResult
func withServer<Result>(
    encryption: EncryptionPolicy? = nil, engine: SimulatorConfiguration? = nil, _ body: (SimulatorServer) async throws -> Result
) async throws -> Result {
    let identity = try serverIdentity.get()
    let server = SimulatorServer(
        configuration: SimulatorServerConfiguration(
            engine: engine
                ?? SimulatorConfiguration(logins: [
                    .init(name: "sa", password: "Secret1!", role: .sysadmin), .init(name: "flow_capture", password: "Reader1!", role: .reader),
                ]), encryption: encryption, tls: TLSServerConfiguration(identity: .selfSigned(identity))))
    try await server.start()
    do {
        let result = try await body(server)
        try await server.stop()
        return result
    } catch {
        try await server.stop()
        throw error
    }
}
