// TLS handshake bytes inside TDS packets (MS-TDS 2.2.6.5, last paragraph of "Stream Function"):
//
//   type (1)  status (1)  length, big endian (2)  SPID (2)  packet number (1)  window (1)  TLS bytes (length - 8)
//
// The client's packets have type 0x12 (PRELOGIN); servers answer with 0x12 or with 0x04. Packets and TLS records have nothing to do with
// each other: a flight may be split over packets anywhere, and one read may bring several packets.
import NIOCore

struct WrappedHandshake {
    static let preloginType: UInt8 = 0x12
    static let responseType: UInt8 = 0x04
    static let headerLength = 8
    /// Before the login nobody has agreed on a packet size, and 4096 is what everybody takes.
    static let maximumPacket = 4096

    enum Step: Equatable {
        case needsMore
        /// TLS bytes.
        case bytes(ByteBuffer)
        /// The next byte is no packet of the handshake: the raw TLS stream starts here.
        case raw
    }

    let accepted: Set<UInt8>
    let sentType: UInt8
    private var received = ByteBuffer()
    /// How many bytes of the current packet are still to come.
    private var remaining = 0

    init(role: TLSContext.Role, sentType: UInt8 = WrappedHandshake.preloginType) {
        accepted = role == .client ? [Self.preloginType, Self.responseType] : [Self.preloginType]
        self.sentType = sentType
    }

    mutating func receive(_ bytes: inout ByteBuffer) {
        if received.readableBytes == 0 {
            received = bytes
            bytes.moveReaderIndex(to: bytes.writerIndex)
        } else {
            received.writeBuffer(&bytes)
        }
    }

    /// The next TLS bytes out of what was received: at most a packet's, as they come.
    /// - Parameter isDone: whether the handshake is over. Then the byte after a packet tells whether another packet follows: TLS records
    ///   start with 0x14 to 0x17, which is no type of a handshake packet.
    /// - Throws: `protocolViolation` for a packet of another type or of an impossible length.
    mutating func next(isDone: Bool) throws(TLSError) -> Step {
        if remaining == 0 {
            guard let type = received.getInteger(at: received.readerIndex, as: UInt8.self) else { return isDone ? .raw : .needsMore }
            guard accepted.contains(type) else {
                if isDone { return .raw }
                throw Self.unexpected(type)
            }
            guard received.readableBytes >= Self.headerLength,
                let length = received.getInteger(at: received.readerIndex + 2, endianness: .big, as: UInt16.self)
            else { return .needsMore }
            guard length >= Self.headerLength else {
                throw TLSError(.protocolViolation, "a packet of the TLS handshake has an impossible length of \(length)")
            }
            received.moveReaderIndex(forwardBy: Self.headerLength)
            remaining = Int(length) - Self.headerLength
            if remaining == 0 { return try next(isDone: isDone) }
        }
        let count = min(remaining, received.readableBytes)
        guard count > 0, let slice = received.readSlice(length: count) else { return .needsMore }
        remaining -= count
        return .bytes(slice)
    }

    /// What is left when the raw stream starts.
    mutating func takeRest() -> ByteBuffer {
        defer { received = ByteBuffer() }
        return received
    }

    private static func unexpected(_ type: UInt8) -> TLSError {
        if (0x14...0x17).contains(type) {
            return TLSError(
                .protocolViolation, "the peer sent TLS outside of PRELOGIN packets during the handshake",
                remedy: "A peer that expects TLS first needs strict encryption (TDS 8.0)")
        }
        return TLSError(.protocolViolation, "a packet of type 0x\(String(type, radix: 16)) came in the middle of the TLS handshake")
    }

    /// TLS bytes as one message of one or more packets.
    func wrap(_ bytes: inout ByteBuffer, allocator: ByteBufferAllocator) -> ByteBuffer {
        let payload = Self.maximumPacket - Self.headerLength
        let packets = (bytes.readableBytes + payload - 1) / payload
        var message = allocator.buffer(capacity: bytes.readableBytes + packets * Self.headerLength)
        var number: UInt8 = 1
        while bytes.readableBytes > 0, var part = bytes.readSlice(length: min(payload, bytes.readableBytes)) {
            message.writeInteger(sentType)
            message.writeInteger(UInt8(bytes.readableBytes == 0 ? 1 : 0))
            message.writeInteger(UInt16(part.readableBytes + Self.headerLength))
            message.writeInteger(UInt16(0))
            message.writeInteger(number)
            message.writeInteger(UInt8(0))
            message.writeBuffer(&part)
            number &+= 1
        }
        return message
    }
}

/// Follows the packets of a LOGIN7 message in a stream of bytes that may be cut anywhere, to find its end.
struct LoginBoundary {
    static let loginType: UInt8 = 0x10
    private var header = ByteBuffer()
    private var remaining = 0
    private var isLast = false
    /// Complete packets of the message so far.
    private(set) var packets = 0
    /// Whether the message's last packet is complete.
    private(set) var isComplete = false

    /// - Throws: `protocolViolation` for anything but LOGIN7 packets.
    mutating func consume(_ bytes: ByteBuffer) throws(TLSError) {
        var bytes = bytes
        while bytes.readableBytes > 0, !isComplete {
            if remaining == 0 {
                guard var part = bytes.readSlice(length: min(bytes.readableBytes, WrappedHandshake.headerLength - header.readableBytes)) else { return }
                header.writeBuffer(&part)
                guard header.readableBytes == WrappedHandshake.headerLength else { return }
                guard let type = header.readInteger(as: UInt8.self), let status = header.readInteger(as: UInt8.self),
                    let length = header.readInteger(endianness: .big, as: UInt16.self), type == Self.loginType,
                    length > WrappedHandshake.headerLength
                else { throw TLSError(.protocolViolation, "the first message after the TLS handshake is no login") }
                header.clear()
                isLast = status & 1 == 1
                remaining = Int(length) - WrappedHandshake.headerLength
            }
            let count = min(remaining, bytes.readableBytes)
            bytes.moveReaderIndex(forwardBy: count)
            remaining -= count
            if remaining == 0 {
                packets += 1
                isComplete = isLast
            }
        }
    }
}
