public import NIOCore

/// A uniqueidentifier (MS-TDS 2.2.5.5.1.7): on the wire the first three groups are little-endian.
///
/// `<` is SQL Server's order, which compares the last group first, and not that of the text.
public struct TDSGUID: WireValue, Comparable {
    /// The first eight bytes in the text's order.
    public var high: UInt64
    /// The last eight bytes.
    public var low: UInt64

    /// From the sixteen bytes in the text's order.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes) }

    /// Reads the sixteen bytes of a uniqueidentifier.
    public init(wire bytes: RawSpan) throws(WireError) {
        try bytes.expect(byteCount: 16, "uniqueidentifier")
        let first: UInt32 = try bytes.loadLE(at: 0, "uniqueidentifier")
        let second: UInt16 = try bytes.loadLE(at: 4, "uniqueidentifier")
        let third: UInt16 = try bytes.loadLE(at: 6, "uniqueidentifier")
        high = UInt64(first) << 32 | UInt64(second) << 16 | UInt64(third)
        low = try bytes.loadBE(at: 8, "uniqueidentifier")
    }

    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) { write(to: &buffer) }

    func write(to buffer: inout ByteBuffer) {
        buffer.writeLE(UInt32(truncatingIfNeeded: high >> 32))
        buffer.writeLE(UInt16(truncatingIfNeeded: high >> 16))
        buffer.writeLE(UInt16(truncatingIfNeeded: high))
        buffer.writeBE(low)
    }

    /// Parses `6F9619FF-8B86-D011-B42D-00C04FC964FF` in any case, braces allowed. Throws ``WireError/Code/malformed`` for other text.
    public init(text: some StringProtocol) throws(WireError) {
        var bytes = Array(text.utf8)[...]
        if bytes.first == 0x7B, bytes.last == 0x7D { bytes = bytes.dropFirst().dropLast() }
        guard bytes.count == 36 else { throw WireError(.malformed, "uniqueidentifier text") }
        var value: UInt128 = 0
        for (index, byte) in bytes.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == 0x2D else { throw WireError(.malformed, "uniqueidentifier text") }
                continue
            }
            guard let digit = byte.hexDigitValue else { throw WireError(.malformed, "uniqueidentifier text") }
            value = value << 4 | UInt128(digit)
        }
        self.init(high: UInt64(truncatingIfNeeded: value >> 64), low: UInt64(truncatingIfNeeded: value))
    }

    /// Upper-case text without braces, as SQL Server prints it.
    public var description: String { text(uppercase: true) }

    public func text(uppercase: Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(36)
        let letter: UInt8 = uppercase ? 55 : 87
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(0x2D) }
            let half = index < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: half >> UInt64(60 - (index & 15) * 4)) & 15
            text.append(digit < 10 ? 48 + digit : letter + digit)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// SQL Server's order as a number: wire bytes 10-15, 8-9, 6-7, 4-5, 0-3 (Microsoft, Comparing GUID and uniqueidentifier values).
    package var sortKey: (UInt64, UInt64) {
        let node = low << 16 | low >> 48
        let third = UInt64(UInt16(truncatingIfNeeded: high).byteSwapped)
        let second = UInt64(UInt16(truncatingIfNeeded: high >> 16).byteSwapped)
        let first = UInt64(UInt32(truncatingIfNeeded: high >> 32).byteSwapped)
        return (node, third << 48 | second << 32 | first)
    }

    public static func < (a: TDSGUID, b: TDSGUID) -> Bool { a.sortKey < b.sortKey }
}
