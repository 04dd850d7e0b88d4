public import NIOCore

/// Cuts a stream of bytes into packets (MS-TDS 2.2.3). Holds at most one unfinished packet.
public struct PacketDecoder: Sendable {
    private var buffer = ByteBuffer()
    /// The largest packet accepted, with header. Before login that is 4096 by the specification, but servers may answer in more.
    public var maximumPacketSize: Int

    public init(maximumPacketSize: Int = 32768) {
        self.maximumPacketSize = maximumPacketSize
    }

    /// Adds bytes as they came from the transport.
    public mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The next whole packet, or nil when more bytes are needed.
    ///
    /// - Throws: ``WireError/Code/unknownPacketType``, ``WireError/Code/malformed``, ``WireError/Code/tooLarge``.
    public mutating func next() throws(WireError) -> Packet? {
        guard buffer.readableBytes >= PacketHeader.size else { return nil }
        var attempt = buffer
        let header = try attempt.readPacketHeader()
        guard Int(header.length) <= maximumPacketSize else { throw WireError(.tooLarge, "packet Length", "\(header.length)") }
        guard let payload = attempt.readSlice(length: Int(header.length) - PacketHeader.size) else { return nil }
        buffer = attempt
        return Packet(header: header, payload: payload)
    }

    /// Takes out what has not been decoded: what follows belongs to another protocol (TLS begins or ends).
    public mutating func takeRemainingBytes() -> ByteBuffer {
        defer { buffer = ByteBuffer() }
        return buffer
    }

    /// Whether a packet has begun and not ended.
    public var isInPacket: Bool { buffer.readableBytes > 0 }
}
