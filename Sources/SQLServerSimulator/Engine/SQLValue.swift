/// A value, apart from its type: `tinyint` 1 and `bigint` 1 are the same case here, the column or the expression knows the type.
public enum SQLValue: Sendable, Hashable {
    case null
    /// tinyint, smallint, int, bigint.
    case int(Int64)
    case bit(Bool)
    case decimal(SQLDecimal)
    /// money and smallmoney, in ten-thousandths.
    case money(Int64)
    case float(Double)
    case real(Float)
    /// Every character type and xml.
    case string(String)
    /// binary, varbinary, image, rowversion (big-endian) and hierarchyid.
    case binary([UInt8])
    /// Days since 0001-01-01.
    case date(Int32)
    /// 100-nanosecond units since midnight.
    case time(Int64)
    /// Days since 1900-01-01, and 1/300 seconds since midnight.
    case datetime(days: Int32, ticks: Int32)
    /// Days since 1900-01-01, and minutes since midnight.
    case smalldatetime(days: UInt16, minutes: UInt16)
    /// Days since 0001-01-01, and 100-nanosecond units since midnight.
    case datetime2(days: Int32, time: Int64)
    /// The point in time in UTC, and the offset in minutes that it is shown with.
    case datetimeoffset(days: Int32, time: Int64, offset: Int16)
    case uniqueidentifier(GUID)
    /// A sql_variant's content with its own type; never NULL and never a variant again.
    indirect case variant(SQLType, SQLValue)

    public var isNull: Bool {
        if case .null = self { return true }
        return false
    }
}

/// The 16 bytes of a uniqueidentifier, in the order of the wire (the first three groups little-endian).
public struct GUID: Sendable, Hashable {
    public var high: UInt64
    public var low: UInt64

    /// From wire bytes; nil unless there are 16.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var high: UInt64 = 0, low: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            if index < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        self.high = high
        self.low = low
    }

    public var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(16)
        for half in [high, low] {
            for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: half >> shift)) }
        }
        return out
    }

    static let textOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
    /// SQL Server compares the last group first.
    static let sortOrder = [10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3]

    /// From text such as `6F9619FF-8B86-D011-B42D-00C04FC964FF`, braces allowed; what follows the 36 characters is ignored, as SQL Server does.
    public init?(text: String) {
        var digits = text.utf8[...]
        let braced = digits.first == UInt8(ascii: "{")
        if braced { digits = digits.dropFirst() }
        guard digits.count >= 36 else { return nil }
        if braced, digits.dropFirst(36).first != UInt8(ascii: "}") { return nil }
        var plain: [UInt8] = []
        for (index, character) in digits.prefix(36).enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard character == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = hexDigit(character) else { return nil }
            plain.append(digit)
        }
        var bytes = [UInt8](repeating: 0, count: 16)
        for index in 0..<16 { bytes[GUID.textOrder[index]] = plain[index * 2] << 4 | plain[index * 2 + 1] }
        self.init(bytes: bytes)
    }

    /// Upper case, as SQL Server prints it.
    public var text: String {
        let bytes = self.bytes
        var out: [UInt8] = []
        out.reserveCapacity(36)
        for (index, position) in GUID.textOrder.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { out.append(UInt8(ascii: "-")) }
            out.append(upperHex(bytes[position] >> 4))
            out.append(upperHex(bytes[position] & 15))
        }
        return String(decoding: out, as: UTF8.self)
    }
}

func hexDigit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): return character - UInt8(ascii: "A") + 10
    default: return nil
    }
}
func upperHex(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble + UInt8(ascii: "0") : nibble - 10 + UInt8(ascii: "A") }
