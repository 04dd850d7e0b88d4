public import NIOCore

/// The header of a MARS session packet (MC-SMP 2.2), before every TDS packet once MARS was negotiated. This library recognises MARS
/// and never asks for it.
///
/// ```
/// +------+-------+--------+--------+--------+--------+
/// | SMID | FLAGS | SID    | LENGTH | SEQNUM | WNDW   |   little-endian; LENGTH counts the header
/// | 0x53 | BYTE  | USHORT | ULONG  | ULONG  | ULONG  |
/// +------+-------+--------+--------+--------+--------+
/// ```
public struct SMPHeader: Hashable, Sendable {
    public static let size = 16
    /// SMID, the first byte. No TDS packet type has this value.
    public static let identifier: UInt8 = 0x53

    public struct Flags: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Opens a session.
        public static let syn = Flags(rawValue: 0x01)
        /// Acknowledges packets: moves the window.
        public static let ack = Flags(rawValue: 0x02)
        /// Closes the session.
        public static let fin = Flags(rawValue: 0x04)
        /// A TDS packet follows.
        public static let data = Flags(rawValue: 0x08)
    }

    public var flags: Flags
    public var sessionID: UInt16
    /// With this header.
    public var length: UInt32
    public var sequenceNumber: UInt32
    public var window: UInt32

    public init(flags: Flags, sessionID: UInt16, length: UInt32 = 16, sequenceNumber: UInt32, window: UInt32) {
        self.flags = flags
        self.sessionID = sessionID
        self.length = length
        self.sequenceNumber = sequenceNumber
        self.window = window
    }
}

extension ByteBuffer {
    /// Reads an SMP header.
    ///
    /// - Throws: ``WireError/Code/truncated``, or ``WireError/Code/malformed`` for another first byte, a length below 16, or flags other
    ///   than one of those four.
    public mutating func readSMPHeader() throws(WireError) -> SMPHeader {
        guard readableBytes >= SMPHeader.size else { throw WireError(.truncated, "SMP header") }
        guard try readLE("SMP SMID", as: UInt8.self) == SMPHeader.identifier else { throw WireError(.malformed, "SMP SMID") }
        let flags = SMPHeader.Flags(rawValue: try readLE("SMP FLAGS"))
        guard [.syn, .ack, .fin, .data].contains(flags) else { throw WireError(.malformed, "SMP FLAGS") }
        let header = SMPHeader(
            flags: flags, sessionID: try readLE("SMP SID"), length: try readLE("SMP LENGTH"), sequenceNumber: try readLE("SMP SEQNUM"),
            window: try readLE("SMP WNDW"))
        guard header.length >= SMPHeader.size, flags == .data || header.length == SMPHeader.size else { throw WireError(.malformed, "SMP LENGTH") }
        return header
    }

    public mutating func writeSMPHeader(_ header: SMPHeader) {
        writeLE(SMPHeader.identifier)
        writeLE(header.flags.rawValue)
        writeLE(header.sessionID)
        writeLE(header.length)
        writeLE(header.sequenceNumber)
        writeLE(header.window)
    }
}
