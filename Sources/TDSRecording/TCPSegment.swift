public import NIOCore

/// An address and a port, as text such as `192.0.2.1` or `2001:db8:0:0:0:0:0:1`.
public struct TCPEndpoint: Hashable, Sendable, CustomStringConvertible {
    public var address: String
    public var port: UInt16

    public init(address: String, port: UInt16) {
        self.address = address
        self.port = port
    }

    public var description: String { address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)" }
}

/// A TCP segment out of a frame, over IPv4 (RFC 791) or IPv6 (RFC 8200).
///
/// ```
/// Ethernet: 6 bytes to, 6 from, USHORT type: 0800 IPv4, 86DD IPv6, 8100 a VLAN tag of 4 bytes first
/// IPv4:     version and length/4, TOS, USHORT length, USHORT id, USHORT fragment, TTL, protocol 6, USHORT checksum, from, to
/// TCP:      USHORT from, USHORT to, ULONG sequence, ULONG acknowledged, length/4 << 4, flags, USHORT window, USHORT checksum, USHORT urgent
/// ```
/// All big-endian.
public struct TCPSegment: Hashable, Sendable {
    public struct Flags: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let fin = Flags(rawValue: 0x01)
        public static let syn = Flags(rawValue: 0x02)
        public static let rst = Flags(rawValue: 0x04)
        public static let psh = Flags(rawValue: 0x08)
        public static let ack = Flags(rawValue: 0x10)
    }

    public var source: TCPEndpoint
    public var destination: TCPEndpoint
    public var sequence: UInt32
    public var acknowledged: UInt32
    public var flags: Flags
    public var payload: ByteBuffer

    public init(source: TCPEndpoint, destination: TCPEndpoint, sequence: UInt32, acknowledged: UInt32, flags: Flags, payload: ByteBuffer = ByteBuffer()) {
        self.source = source
        self.destination = destination
        self.sequence = sequence
        self.acknowledged = acknowledged
        self.flags = flags
        self.payload = payload
    }

    /// Takes the segment out of a frame; nil if it holds none (another protocol, a fragment, or cut off inside its headers).
    public init?(frame: PcapFrame, linkType: PcapLinkType) {
        var bytes = frame.bytes
        switch linkType {
        case .ethernet:
            guard bytes.readableBytes >= 14 else { return nil }
            bytes.moveReaderIndex(forwardBy: 12)
            while bytes.getInteger(at: bytes.readerIndex, as: UInt16.self) == 0x8100, bytes.readableBytes >= 6 { bytes.moveReaderIndex(forwardBy: 4) }
            guard let type = bytes.readInteger(as: UInt16.self), type == 0x0800 || type == 0x86DD else { return nil }
        case .raw: break
        case .null:
            guard bytes.readableBytes >= 4 else { return nil }
            bytes.moveReaderIndex(forwardBy: 4)
        case .linuxSLL:
            guard bytes.readableBytes >= 16 else { return nil }
            bytes.moveReaderIndex(forwardBy: 16)
        default: return nil
        }
        guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return nil }
        let from: String
        let to: String
        switch first >> 4 {
        case 4:
            let header = Int(first & 0x0F) * 4
            guard header >= 20, bytes.readableBytes >= header, let length = bytes.getInteger(at: bytes.readerIndex + 2, as: UInt16.self).map(Int.init),
                length >= header, let fragment = bytes.getInteger(at: bytes.readerIndex + 6, as: UInt16.self), fragment & 0x3FFF == 0,
                bytes.getInteger(at: bytes.readerIndex + 9, as: UInt8.self) == 6,
                let source = bytes.getBytes(at: bytes.readerIndex + 12, length: 4), let destination = bytes.getBytes(at: bytes.readerIndex + 16, length: 4)
            else { return nil }
            // Ethernet pads short frames.
            if bytes.readableBytes > length, let packet = bytes.getSlice(at: bytes.readerIndex, length: length) { bytes = packet }
            bytes.moveReaderIndex(forwardBy: header)
            from = source.map(String.init).joined(separator: ".")
            to = destination.map(String.init).joined(separator: ".")
        case 6:
            guard bytes.readableBytes >= 40, let length = bytes.getInteger(at: bytes.readerIndex + 4, as: UInt16.self).map(Int.init),
                bytes.getInteger(at: bytes.readerIndex + 6, as: UInt8.self) == 6,
                let source = bytes.getBytes(at: bytes.readerIndex + 8, length: 16), let destination = bytes.getBytes(at: bytes.readerIndex + 24, length: 16)
            else { return nil }
            bytes.moveReaderIndex(forwardBy: 40)
            if bytes.readableBytes > length, let packet = bytes.getSlice(at: bytes.readerIndex, length: length) { bytes = packet }
            func text(_ bytes: [UInt8]) -> String {
                stride(from: 0, to: 16, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
            }
            from = text(source)
            to = text(destination)
        default: return nil
        }
        guard let sourcePort = bytes.readInteger(as: UInt16.self), let destinationPort = bytes.readInteger(as: UInt16.self),
            let sequence = bytes.readInteger(as: UInt32.self), let acknowledged = bytes.readInteger(as: UInt32.self),
            let offset = bytes.readInteger(as: UInt8.self), let flags = bytes.readInteger(as: UInt8.self)
        else { return nil }
        let header = Int(offset >> 4) * 4
        guard header >= 20, bytes.readableBytes >= header - 14 else { return nil }
        bytes.moveReaderIndex(forwardBy: header - 14)
        self.init(
            source: TCPEndpoint(address: from, port: sourcePort), destination: TCPEndpoint(address: to, port: destinationPort), sequence: sequence,
            acknowledged: acknowledged, flags: Flags(rawValue: flags), payload: bytes)
    }

    /// The segment in an Ethernet frame over IPv4. Both addresses have to be IPv4's; nil if they are not, or the payload is too long
    /// for an IP packet (65495 bytes).
    public func ethernetFrame() -> ByteBuffer? {
        func octets(_ endpoint: TCPEndpoint) -> [UInt8]? {
            let parts = endpoint.address.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            let octets = parts.compactMap { $0 }
            return parts.count == 4 && octets.count == 4 ? octets : nil
        }
        guard let from = octets(source), let to = octets(destination), let length = UInt16(exactly: 40 + payload.readableBytes) else { return nil }
        var tcp = ByteBuffer()
        tcp.writeInteger(source.port)
        tcp.writeInteger(destination.port)
        tcp.writeInteger(sequence)
        tcp.writeInteger(acknowledged)
        tcp.writeInteger(5 << 4 as UInt8)
        tcp.writeInteger(flags.rawValue)
        tcp.writeInteger(65535 as UInt16)
        tcp.writeInteger(0 as UInt32)
        tcp.writeImmutableBuffer(payload)
        var pseudo = ByteBuffer()
        pseudo.writeBytes(from)
        pseudo.writeBytes(to)
        pseudo.writeInteger(6 as UInt16)
        pseudo.writeInteger(length - 20)
        let start = Self.sum(pseudo.readableBytesView)
        tcp.setInteger(Self.fold(Self.sum(tcp.readableBytesView, start)), at: 16)

        var frame = ByteBuffer()
        frame.reserveCapacity(54 + payload.readableBytes)
        // Locally administered addresses: the last octets are the IP addresses'.
        frame.writeBytes([0x02, 0x00] + to + [0x02, 0x00] + from)
        frame.writeInteger(0x0800 as UInt16)
        var ip = ByteBuffer()
        ip.writeBytes([0x45, 0x00])
        ip.writeInteger(length)
        ip.writeInteger(0x0000_4000 as UInt32)
        ip.writeBytes([64, 6, 0, 0])
        ip.writeBytes(from)
        ip.writeBytes(to)
        ip.setInteger(Self.fold(Self.sum(ip.readableBytesView)), at: 10)
        frame.writeImmutableBuffer(ip)
        frame.writeImmutableBuffer(tcp)
        return frame
    }

    private static func sum(_ bytes: ByteBufferView, _ start: UInt64 = 0) -> UInt64 {
        var sum = start
        var high = true
        for byte in bytes {
            sum += high ? UInt64(byte) << 8 : UInt64(byte)
            high.toggle()
        }
        return sum
    }

    private static func fold(_ sum: UInt64) -> UInt16 {
        var sum = sum
        while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
