public import NIOCore

/// Cuts a message that comes piece by piece into packets: full ones at once, the last when the message ends (MS-TDS 2.2.3).
public struct PacketEncoder: Sendable {
    public let type: PacketType
    /// With header.
    public let packetSize: Int
    private let spid: UInt16
    /// Status bits of the first packet: reset-connection bits.
    private var firstStatus: PacketStatus
    private var packetID: UInt8
    private var pending = ByteBuffer()

    /// Whether a packet has been made: from then on the message has to be ended by ``finish()`` or ``abandon()``.
    public private(set) var hasBegun = false

    /// - Parameter packetSize: with header; clamped to ``PacketHeader/packetSizes``.
    public init(type: PacketType, packetSize: Int, firstStatus: PacketStatus = [], spid: UInt16 = 0, firstPacketID: UInt8 = 1) {
        self.type = type
        self.packetSize = min(max(packetSize, PacketHeader.packetSizes.lowerBound), PacketHeader.packetSizes.upperBound)
        self.firstStatus = firstStatus.subtracting([.endOfMessage, .ignore])
        self.spid = spid
        packetID = firstPacketID
    }

    /// The bytes that wait for a full packet or the message's end.
    public var pendingBytes: Int { pending.readableBytes }

    /// Adds bytes of the message.
    ///
    /// - Returns: the packets that are full now. The last one of the message is kept back until ``finish()``.
    public mutating func append(_ bytes: ByteBuffer) -> [Packet] {
        if pending.readableBytes == 0 {
            pending = bytes
        } else {
            pending.discardReadBytes()
            pending.writeImmutableBuffer(bytes)
        }
        var packets: [Packet] = []
        let room = packetSize - PacketHeader.size
        while pending.readableBytes > room, let payload = pending.readSlice(length: room) { packets.append(packet(payload, [])) }
        return packets
    }

    /// Ends the message: its last packet.
    public mutating func finish() -> Packet {
        defer { pending = ByteBuffer() }
        return packet(pending, .endOfMessage)
    }

    /// Ends the message so that the server ignores it: an empty packet with IGNORE and EOM (MS-TDS 2.2.3.1.2).
    public mutating func abandon() -> Packet {
        pending = ByteBuffer()
        return packet(ByteBuffer(), [.endOfMessage, .ignore])
    }

    private mutating func packet(_ payload: ByteBuffer, _ status: PacketStatus) -> Packet {
        let header = PacketHeader(
            type: type, status: status.union(firstStatus), length: UInt16(truncatingIfNeeded: payload.readableBytes + PacketHeader.size), spid: spid,
            packetID: packetID)
        firstStatus = []
        packetID &+= 1
        hasBegun = true
        return Packet(header: header, payload: payload)
    }
}
