// Two embedded channels that talk to each other through TLS, and the bytes in between for a test to look at, cut and change.
import NIOCore
import NIOEmbedded
import TDSTLS
import Testing

/// Collects what comes out of the top of a pipeline.
final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var bytes = ByteBuffer()
    var events: [TDSTLSEvent] = []
    var errors: [any Error] = []
    var reads = 0
    var onEvent: ((ChannelHandlerContext, TDSTLSEvent) -> Void)?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = unwrapInboundIn(data)
        reads += 1
        bytes.writeBuffer(&part)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TDSTLSEvent else { return }
        events.append(event)
        onEvent?(context, event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.append(error) }

    var info: TLSHandshakeInfo? {
        for case .handshakeCompleted(let info) in events { return info }
        return nil
    }
    var tlsError: TLSError? { errors.lazy.compactMap { $0 as? TLSError }.first }
    var encryptionEnded: Bool { events.contains(.encryptionEnded) }
    var text: String { String(buffer: bytes) }
}

/// What a test sees of a client and a server that are connected.
final class Pair {
    let client: EmbeddedChannel
    let server: EmbeddedChannel
    let atClient = Collector()
    let atServer = Collector()
    /// Everything that went over the line, both ways.
    var fromClient = ByteBuffer()
    var fromServer = ByteBuffer()
    /// How bytes are cut into reads.
    var cut: (ByteBuffer) -> [ByteBuffer] = { [$0] }

    init(
        client clientContext: TLSContext, server serverContext: TLSContext, mode: TDSTLSHandler.Mode, name: String? = "localhost",
        wrapperType: UInt8? = nil
    ) throws {
        client = EmbeddedChannel()
        server = EmbeddedChannel()
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1433)
        server.connect(to: address, promise: nil)
        client.connect(to: address, promise: nil)
        try server.pipeline.syncOperations.addHandler(TDSTLSHandler(context: serverContext, mode: mode, wrapperType: wrapperType))
        try server.pipeline.syncOperations.addHandler(atServer)
        try client.pipeline.syncOperations.addHandler(atClient)
        try client.pipeline.syncOperations.addHandler(
            TDSTLSHandler(context: clientContext, mode: mode, serverName: name), position: .first)
    }

    /// Carries bytes until nobody has any.
    func pump() throws {
        while true {
            var moved = false
            while let bytes = try client.readOutbound(as: ByteBuffer.self) {
                moved = true
                fromClient.writeImmutableBuffer(bytes)
                for part in cut(bytes) where server.isActive { try server.writeInbound(part) }
            }
            while let bytes = try server.readOutbound(as: ByteBuffer.self) {
                moved = true
                fromServer.writeImmutableBuffer(bytes)
                for part in cut(bytes) where client.isActive { try client.writeInbound(part) }
            }
            if !moved { return }
        }
    }

    func finish() {
        _ = try? client.finish(acceptAlreadyClosed: true)
        _ = try? server.finish(acceptAlreadyClosed: true)
    }
}

/// One TDS packet.
func packet(type: UInt8, last: Bool = true, payload: [UInt8]) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeInteger(type)
    buffer.writeInteger(UInt8(last ? 1 : 0))
    buffer.writeInteger(UInt16(payload.count + 8))
    buffer.writeBytes([0, 0, 1, 0])
    buffer.writeBytes(payload)
    return buffer
}

/// The lengths of the TLS records (type 0x17, application data) in raw TLS bytes.
func applicationRecords(_ bytes: ByteBuffer) throws -> [Int] {
    var bytes = bytes
    var lengths: [Int] = []
    while bytes.readableBytes > 0 {
        guard let header = bytes.readBytes(length: 5) else { throw TLSError(.protocolViolation, "a record's header is cut") }
        let length = Int(header[3]) << 8 | Int(header[4])
        guard bytes.readSlice(length: length) != nil else { throw TLSError(.protocolViolation, "a record is cut") }
        if header[0] == 0x17 { lengths.append(length) }
    }
    return lengths
}

/// One self-signed certificate for all tests: an RSA key takes its time.
enum Shared {
    static let identity: Result<SelfSignedCertificate, TLSError> = Result { () throws(TLSError) in try SelfSignedCertificate() }
    static func server(
        minimum: TLSVersion = .v1_2, maximum: TLSVersion? = nil, protocols: [String] = ["tds/8.0"], ciphers: String? = nil
    ) throws -> TLSContext {
        try TLSContext(
            server: TLSServerConfiguration(
                identity: .selfSigned(identity.get()), minimumVersion: minimum, maximumVersion: maximum, cipherList: ciphers, applicationProtocols: protocols))
    }
    static func client(trust: TLSTrust? = nil, name: String? = nil, minimum: TLSVersion = .v1_2, maximum: TLSVersion? = nil) throws -> TLSContext {
        try TLSContext(
            client: TLSClientConfiguration(
                trust: trust ?? .authorities(pem: identity.get().certificatePEM), hostNameInCertificate: name, minimumVersion: minimum,
                maximumVersion: maximum))
    }
}
