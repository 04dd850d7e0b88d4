public import NIOCore
public import TDSWire

/// A connection out of a recording: its bytes in both directions, in order.
public struct RecordedConnection: Hashable, Sendable {
    public enum Direction: Hashable, Sendable { case toServer, toClient }

    /// Bytes that went in one direction without others between them.
    public struct Piece: Hashable, Sendable {
        public var direction: Direction
        public var bytes: ByteBuffer
        /// Nanoseconds since 1970, of the first of its segments.
        public var time: UInt64
        /// Whether segments before it are missing.
        public var followsGap: Bool
    }

    public var client: TCPEndpoint
    public var server: TCPEndpoint
    public var pieces: [Piece] = []

    /// A TDS packet with its direction.
    public struct PacketEvent: Hashable, Sendable {
        public var direction: Direction
        public var packet: Packet
        public var time: UInt64
    }

    /// The TDS packets, in the order in which they were complete.
    ///
    /// - Throws: `WireError` where the bytes are no TDS packets (another protocol, or TLS), or one has no end.
    public func packets() throws(WireError) -> [PacketEvent] {
        var decoders = [Direction.toServer: PacketDecoder(maximumPacketSize: 65535), .toClient: PacketDecoder(maximumPacketSize: 65535)]
        var events: [PacketEvent] = []
        for piece in pieces {
            var decoder = decoders[piece.direction] ?? PacketDecoder()
            if piece.followsGap, decoder.isInPacket { throw WireError(.truncated, "packet", "a segment is missing") }
            decoder.append(piece.bytes)
            while let packet = try decoder.next() { events.append(PacketEvent(direction: piece.direction, packet: packet, time: piece.time)) }
            decoders[piece.direction] = decoder
        }
        guard !decoders.values.contains(where: \.isInPacket) else { throw WireError(.truncated, "packet") }
        return events
    }

    /// The connections of a recording, in the order in which they begin.
    ///
    /// The client is who sent the SYN; where none was recorded, who talks to port 1433, else to the lower port. Segments are put in order by their
    /// sequence numbers, and repeated ones are dropped. A segment that never comes leaves a gap.
    public static func connections(in file: PcapFile) -> [RecordedConnection] {
        var assemblers: [Assembler] = []
        var current: [Set<TCPEndpoint>: Int] = [:]
        for frame in file.frames {
            guard let segment = TCPSegment(frame: frame, linkType: file.linkType) else { continue }
            let key: Set = [segment.source, segment.destination]
            // A SYN on a connection that has data begins another one with the same ports.
            if let index = current[key], !(segment.flags.contains(.syn) && assemblers[index].hasData) {
                assemblers[index].add(segment, time: frame.time)
            } else {
                current[key] = assemblers.count
                var assembler = Assembler(segment)
                assembler.add(segment, time: frame.time)
                assemblers.append(assembler)
            }
        }
        return assemblers.map { $0.finished() }
    }
}

/// Puts a connection's segments in order.
private struct Assembler {
    private struct Side {
        /// The sequence number of the next byte; nil before the first segment.
        var next: UInt32?
        /// Segments that came too early.
        var early: [(sequence: UInt32, bytes: ByteBuffer, time: UInt64)] = []
        var followsGap = false
    }

    private var connection: RecordedConnection
    private var toServer = Side()
    private var toClient = Side()

    init(_ first: TCPSegment) {
        let isFromClient =
            switch (first.source.port, first.destination.port) {
            case _ where first.flags.contains(.syn): !first.flags.contains(.ack)
            case (1433, let other) where other != 1433: false
            case (let other, 1433) where other != 1433: true
            case (let source, let destination): destination <= source
            }
        connection = RecordedConnection(
            client: isFromClient ? first.source : first.destination, server: isFromClient ? first.destination : first.source)
    }

    var hasData: Bool { !connection.pieces.isEmpty }

    mutating func add(_ segment: TCPSegment, time: UInt64) {
        let direction: RecordedConnection.Direction = segment.source == connection.client ? .toServer : .toClient
        var side = direction == .toServer ? toServer : toClient
        if segment.flags.contains(.syn) {
            side.next = segment.sequence &+ 1
        } else if segment.payload.readableBytes > 0 {
            if side.next == nil { side.next = segment.sequence }
            side.early.append((segment.sequence, segment.payload, time))
            deliver(&side, direction)
        }
        if direction == .toServer { toServer = side } else { toClient = side }
    }

    /// Moves what is next from the early segments to the connection.
    private mutating func deliver(_ side: inout Side, _ direction: RecordedConnection.Direction) {
        var progress = true
        while progress, let next = side.next {
            progress = false
            for index in side.early.indices {
                let (sequence, bytes, time) = side.early[index]
                // How many bytes of it are known already; negative if something is missing before it.
                let known = Int32(bitPattern: next &- sequence)
                guard known >= 0 else { continue }
                side.early.remove(at: index)
                progress = true
                guard Int(known) < bytes.readableBytes, let new = bytes.getSlice(at: bytes.readerIndex + Int(known), length: bytes.readableBytes - Int(known))
                else { break }
                append(new, direction, time, followsGap: side.followsGap)
                side.followsGap = false
                side.next = next &+ UInt32(truncatingIfNeeded: new.readableBytes)
                break
            }
        }
    }

    private mutating func append(_ bytes: ByteBuffer, _ direction: RecordedConnection.Direction, _ time: UInt64, followsGap: Bool) {
        if let last = connection.pieces.indices.last, connection.pieces[last].direction == direction, !followsGap {
            connection.pieces[last].bytes.writeImmutableBuffer(bytes)
        } else {
            connection.pieces.append(.init(direction: direction, bytes: bytes, time: time, followsGap: followsGap))
        }
    }

    /// What is still early follows a gap.
    func finished() -> RecordedConnection {
        var copy = self
        for direction in [RecordedConnection.Direction.toServer, .toClient] {
            var side = direction == .toServer ? toServer : toClient
            while let first = side.early.min(by: { Int32(bitPattern: $0.sequence &- $1.sequence) < 0 }) {
                side.next = first.sequence
                side.followsGap = true
                copy.deliver(&side, direction)
            }
        }
        return copy.connection
    }
}
