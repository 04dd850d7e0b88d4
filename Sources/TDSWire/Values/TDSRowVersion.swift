public import NIOCore

/// A rowversion (timestamp): a counter of the database. On the wire binary(8), big-endian, so that bytes sort as the numbers do.
public struct TDSRowVersion: WireValue, Comparable {
    public var value: UInt64

    public init(_ value: UInt64) { self.value = value }

    /// The UserType that COLMETADATA has for a rowversion column.
    public static let userType: UInt32 = 80

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes) }

    /// Reads the eight bytes of a rowversion.
    public init(wire bytes: RawSpan) throws(WireError) {
        try bytes.expect(byteCount: 8, "rowversion")
        value = try bytes.loadBE(at: 0, "rowversion")
    }

    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) { buffer.writeBE(value) }

    /// `0x00000000000007D1`
    public var description: String {
        var text = ASCIIText(capacity: 18)
        text.append("0")
        text.append("x")
        for shift in stride(from: 56, through: 0, by: -8) { text.appendHex(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
        return text.string
    }

    public static func < (a: TDSRowVersion, b: TDSRowVersion) -> Bool { a.value < b.value }
}
