public import NIOCore

/// A COLLATION (MS-TDS 2.2.5.1.3): how text of a column, parameter or database is compared, and in which code page it is stored.
///
/// ```
///  0        LCID                19 20      flags      27 28 version 31 | 32 SortId 39
/// +--------------------------------+--------------------+--------------+-------------+
/// ```
/// The first four bytes are one little-endian DWORD; the flags are fIgnoreCase (20), fIgnoreAccent (21), fIgnoreKana (22),
/// fIgnoreWidth (23), fBinary (24), fBinary2 (25), fUTF8 (26).
public struct Collation: Hashable, Sendable {
    /// LCID, comparison flags and version, as on the wire.
    public var info: UInt32
    /// The sort id of a SQL collation (`SQL_…`), or 0 for a Windows collation.
    public var sortID: UInt8

    @inlinable
    public init(info: UInt32, sortID: UInt8) {
        self.info = info
        self.sortID = sortID
    }

    /// SQL_Latin1_General_CP1_CI_AS, the default of an installation in US English: bytes 09 04 D0 00 34.
    public static let sqlLatin1GeneralCP1CIAS = Collation(info: 0x00D0_0409, sortID: 52)

    /// The Windows locale id (20 bits).
    public var lcid: UInt32 { info & 0x000F_FFFF }
    public var ignoresCase: Bool { info & 0x0010_0000 != 0 }
    public var ignoresAccent: Bool { info & 0x0020_0000 != 0 }
    public var ignoresKana: Bool { info & 0x0040_0000 != 0 }
    public var ignoresWidth: Bool { info & 0x0080_0000 != 0 }
    public var isBinary: Bool { info & 0x0100_0000 != 0 }
    public var isBinary2: Bool { info & 0x0200_0000 != 0 }
    /// Text of (var)char columns is UTF-8 (SQL Server 2019; names ending in `_UTF8`).
    public var isUTF8: Bool { info & 0x0400_0000 != 0 }
    /// Version of the sort tables: 0 = 80, 1 = 90, 2 = 100, 3 = 140 or 160.
    public var version: UInt8 { UInt8(truncatingIfNeeded: info >> 28) }
}

extension ByteBuffer {
    /// Reads the five bytes of a COLLATION.
    public mutating func readCollation(_ element: @autoclosure () -> String) throws(WireError) -> Collation {
        guard readableBytes >= 5 else { throw WireError(.truncated, element()) }
        return Collation(info: try readLE(element()), sortID: try readLE(element()))
    }

    /// Writes the five bytes of a COLLATION.
    public mutating func writeCollation(_ collation: Collation) {
        writeLE(collation.info)
        writeLE(collation.sortID)
    }
}
