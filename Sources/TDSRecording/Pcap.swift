// TDSRecording: connections recorded as pcap files, and played again. A target of its own, because TDSWire does neither input nor
// output and needs no zlib.
public import NIOCore

/// A packet of a pcap file: a captured frame.
///
/// ```
/// file:   magic ULONG, version USHORT 2, USHORT 4, zone LONG 0, accuracy ULONG 0, snaplen ULONG, link type ULONG
/// packet: seconds ULONG, microseconds (or nanoseconds, by the magic) ULONG, captured length ULONG, original length ULONG, bytes
/// ```
/// Byte order by the magic: A1B2C3D4 for microseconds, A1B23C4D for nanoseconds.
public struct PcapFrame: Hashable, Sendable {
    /// Nanoseconds since 1970.
    public var time: UInt64
    public var bytes: ByteBuffer
    /// The frame's length before it was cut.
    public var originalLength: Int

    public init(time: UInt64, bytes: ByteBuffer, originalLength: Int? = nil) {
        self.time = time
        self.bytes = bytes
        self.originalLength = originalLength ?? bytes.readableBytes
    }
}

/// What a frame begins with (LINKTYPE).
public struct PcapLinkType: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// BSD loopback: 4 bytes of address family.
    public static let null = PcapLinkType(rawValue: 0)
    public static let ethernet = PcapLinkType(rawValue: 1)
    public static let raw = PcapLinkType(rawValue: 101)
    /// Linux "cooked": 16 bytes.
    public static let linuxSLL = PcapLinkType(rawValue: 113)
}

/// A pcap file in memory.
public struct PcapFile: Hashable, Sendable {
    public var linkType: PcapLinkType
    public var frames: [PcapFrame]

    public init(linkType: PcapLinkType = .ethernet, frames: [PcapFrame] = []) {
        self.linkType = linkType
        self.frames = frames
    }

    static let headerSize = 24
    static let frameHeaderSize = 16
    /// libpcap's MAXIMUM_SNAPLEN.
    static let frameLimit = 262_144
    static let unpackedLimit = 1 << 30

    /// Reads a file; gzip is recognised by its first bytes.
    ///
    /// - Throws: ``RecordingError``. A last frame that is cut off is left out, as long as others are there: a recording of a program
    ///   that crashed is of use.
    public init(reading file: ByteBuffer) throws(RecordingError) {
        var file = file
        if file.getInteger(at: file.readerIndex, as: UInt16.self) == 0x1F8B { file = try gunzip(file, limit: Self.unpackedLimit) }
        guard file.readableBytes >= Self.headerSize, let magic = file.readInteger(endianness: .little, as: UInt32.self) else {
            throw RecordingError(.notAPcap, "shorter than a pcap file's header")
        }
        let endianness: Endianness
        let unit: UInt64
        switch magic {
        case 0xA1B2_C3D4: (endianness, unit) = (.little, 1000)
        case 0xD4C3_B2A1: (endianness, unit) = (.big, 1000)
        case 0xA1B2_3C4D: (endianness, unit) = (.little, 1)
        case 0x4D3C_B2A1: (endianness, unit) = (.big, 1)
        default: throw RecordingError(.notAPcap, "no pcap file's magic number; a pcapng file has to be converted")
        }
        file.moveReaderIndex(forwardBy: 16)
        guard let link = file.readInteger(endianness: endianness, as: UInt32.self) else { throw RecordingError(.notAPcap, "no link type") }
        // The upper bits say things about checksums.
        self.init(linkType: PcapLinkType(rawValue: link & 0x0FFF_FFFF))
        while let seconds = file.readInteger(endianness: endianness, as: UInt32.self) {
            guard let fraction = file.readInteger(endianness: endianness, as: UInt32.self), let captured = file.readInteger(endianness: endianness, as: UInt32.self),
                let original = file.readInteger(endianness: endianness, as: UInt32.self)
            else { break }
            guard captured <= Self.frameLimit else { throw RecordingError(.notAPcap, "a frame of \(captured) bytes") }
            guard let bytes = file.readSlice(length: Int(captured)) else { break }
            frames.append(PcapFrame(time: UInt64(seconds) * 1_000_000_000 + UInt64(fraction) * unit, bytes: bytes, originalLength: Int(original)))
        }
        guard file.readableBytes == 0 || !frames.isEmpty else { throw RecordingError(.truncated, "the file ends inside its first frame") }
    }
}

extension ByteBuffer {
    /// Writes a pcap file's header: little-endian, microseconds.
    public mutating func writePcapHeader(_ linkType: PcapLinkType = .ethernet) {
        writeInteger(0xA1B2_C3D4 as UInt32, endianness: .little)
        writeInteger(2 as UInt16, endianness: .little)
        writeInteger(4 as UInt16, endianness: .little)
        writeInteger(0 as UInt64, endianness: .little)
        writeInteger(UInt32(PcapFile.frameLimit), endianness: .little)
        writeInteger(linkType.rawValue, endianness: .little)
    }

    /// Writes a frame with its header. What is beyond ``PcapFile``'s limit of 256 KiB is cut off.
    public mutating func writePcapFrame(_ frame: PcapFrame) {
        let length = min(frame.bytes.readableBytes, PcapFile.frameLimit)
        writeInteger(UInt32(truncatingIfNeeded: frame.time / 1_000_000_000), endianness: .little)
        writeInteger(UInt32(truncatingIfNeeded: frame.time % 1_000_000_000 / 1000), endianness: .little)
        writeInteger(UInt32(length), endianness: .little)
        writeInteger(UInt32(truncatingIfNeeded: frame.originalLength), endianness: .little)
        writeBytes(frame.bytes.readableBytesView.prefix(length))
    }
}
