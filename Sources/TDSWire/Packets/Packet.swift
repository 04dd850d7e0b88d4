public import NIOCore

/// The Type of a packet (MS-TDS 2.2.3.1.1).
public enum PacketType: UInt8, Hashable, Sendable, CaseIterable {
    case sqlBatch = 0x01
    /// Login of TDS 4.2 and 5.0; never accepted.
    case preTDS7Login = 0x02
    case rpc = 0x03
    /// Every response of a server.
    case tabularResult = 0x04
    case attention = 0x06
    case bulkLoad = 0x07
    case federatedAuthenticationToken = 0x08
    case transactionManagerRequest = 0x0E
    case login7 = 0x10
    case sspi = 0x11
    case preLogin = 0x12
}

/// The Status bits of a packet (MS-TDS 2.2.3.1.2).
public struct PacketStatus: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The last packet of the message.
    public static let endOfMessage = PacketStatus(rawValue: 0x01)
    /// The message is to be ignored; together with ``endOfMessage``.
    public static let ignore = PacketStatus(rawValue: 0x02)
    /// Seen from SQL Server in the middle of large responses; means nothing to a client.
    public static let eventNotification = PacketStatus(rawValue: 0x04)
    /// Reset the connection before this request.
    public static let resetConnection = PacketStatus(rawValue: 0x08)
    /// Reset the connection before this request, but keep the transaction.
    public static let resetConnectionSkipTransaction = PacketStatus(rawValue: 0x10)
}

/// The eight bytes before every packet's payload (MS-TDS 2.2.3.1).
///
/// ```
/// +------+--------+------------+------------+----------+--------+
/// | Type | Status | Length, BE | SPID, BE   | PacketID | Window |   Length counts the header
/// | BYTE | BYTE   | USHORT     | USHORT     | BYTE     | BYTE   |
/// +------+--------+------------+------------+----------+--------+
/// ```
public struct PacketHeader: Hashable, Sendable {
    public static let size = 8
    /// The smallest and largest packet that may be negotiated, with header.
    public static let packetSizes = 512...32767

    public var type: PacketType
    public var status: PacketStatus
    /// The packet's length with its header.
    public var length: UInt16
    /// The server's process id; clients send 0.
    public var spid: UInt16
    /// Counts the packets of a message modulo 256; receivers ignore it.
    public var packetID: UInt8
    public var window: UInt8

    public init(type: PacketType, status: PacketStatus, length: UInt16, spid: UInt16 = 0, packetID: UInt8 = 1, window: UInt8 = 0) {
        self.type = type
        self.status = status
        self.length = length
        self.spid = spid
        self.packetID = packetID
        self.window = window
    }
}

/// A packet: its header and its payload.
public struct Packet: Hashable, Sendable {
    public var header: PacketHeader
    public var payload: ByteBuffer

    public init(header: PacketHeader, payload: ByteBuffer) {
        self.header = header
        self.payload = payload
    }
}

extension ByteBuffer {
    /// Reads a packet header. Throws ``WireError/Code/unknownPacketType`` or, for a length below 8, ``WireError/Code/malformed``.
    public mutating func readPacketHeader() throws(WireError) -> PacketHeader {
        guard readableBytes >= PacketHeader.size else { throw WireError(.truncated, "packet header") }
        let typeByte = try readLE("packet Type", as: UInt8.self)
        guard let type = PacketType(rawValue: typeByte) else { throw WireError(.unknownPacketType, "packet Type", "byte \(typeByte)") }
        let status = PacketStatus(rawValue: try readLE("packet Status"))
        let length: UInt16 = try readBE("packet Length")
        guard length >= PacketHeader.size else { throw WireError(.malformed, "packet Length", "\(length)") }
        return PacketHeader(
            type: type, status: status, length: length, spid: try readBE("packet SPID"), packetID: try readLE("packet PacketID"),
            window: try readLE("packet Window"))
    }

    public mutating func writePacketHeader(_ header: PacketHeader) {
        writeLE(header.type.rawValue)
        writeLE(header.status.rawValue)
        writeBE(header.length)
        writeBE(header.spid)
        writeLE(header.packetID)
        writeLE(header.window)
    }

    /// Splits a message into packets of at most `packetSize` bytes, header included, and appends them.
    ///
    /// - Parameter each: called after each packet with the index of its first byte; what TLS needs, which has to put every packet
    ///   into a record of its own.
    public mutating func writePackets(
        of message: ByteBuffer, type: PacketType, packetSize: Int, status: PacketStatus = [], spid: UInt16 = 0
    ) {
        var message = message
        let room = max(packetSize, PacketHeader.packetSizes.lowerBound) - PacketHeader.size
        var packetID: UInt8 = 1
        repeat {
            let length = min(room, message.readableBytes)
            let last = length == message.readableBytes
            // The reset bits go with the first packet only (MS-TDS 2.2.3.1.2).
            var bits: PacketStatus = packetID == 1 && message.readerIndex == 0 ? status : status.subtracting([.resetConnection, .resetConnectionSkipTransaction])
            if last { bits.insert(.endOfMessage) } else { bits.remove(.endOfMessage) }
            writePacketHeader(
                PacketHeader(type: type, status: bits, length: UInt16(truncatingIfNeeded: length + PacketHeader.size), spid: spid, packetID: packetID))
            if let payload = message.readSlice(length: length) { writeImmutableBuffer(payload) }
            packetID &+= 1
        } while message.readableBytes > 0
    }
}
