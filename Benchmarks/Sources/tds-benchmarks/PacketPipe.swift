import NIOCore
import TDSWire

/// A wire without a network: cuts a message that comes piece by piece into packets, writes them into a small ring of buffers, and takes
/// them apart again.
struct PacketPipe {
    private var encoder: PacketEncoder
    private var decoder = PacketDecoder()
    /// The decoder refers to the bytes that it was given last, so that one buffer alone could not be written again in place.
    private var ring = [ByteBuffer](repeating: ByteBuffer(), count: 4)
    private var next = 0
    private(set) var wireBytes: UInt64 = 0

    init(_ type: PacketType, packetSize: Int) {
        encoder = PacketEncoder(type: type, packetSize: packetSize)
    }

    /// Sends a piece of the message; `receive` gets the payloads of the packets that are full.
    mutating func send(_ piece: ByteBuffer, _ receive: (ByteBuffer) throws -> Void) throws {
        for packet in encoder.append(piece) { try pass(packet, receive) }
    }

    /// Ends the message.
    mutating func finish(_ receive: (ByteBuffer) throws -> Void) throws {
        try pass(encoder.finish(), receive)
    }

    private mutating func pass(_ packet: Packet, _ receive: (ByteBuffer) throws -> Void) throws {
        next = (next + 1) % ring.count
        ring[next].clear()
        ring[next].writePacketHeader(packet.header)
        ring[next].writeImmutableBuffer(packet.payload)
        wireBytes += UInt64(ring[next].readableBytes)
        decoder.append(ring[next])
        while let packet = try decoder.next() { try receive(packet.payload) }
    }
}
