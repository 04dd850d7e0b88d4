public import NIOCore

/// A time(n): units of 10^-n seconds since midnight (MS-TDS 2.2.5.5.1.8). Little-endian in 3 bytes for n ≤ 2, 4 for n ≤ 4, 5 for n ≤ 7.
public struct TDSTime: WireValue {
    /// Units of 10^-``scale`` seconds since midnight.
    public let ticks: UInt64
    /// Digits of the second's fraction, 0 to 7.
    public let scale: UInt8

    /// - Throws: ``WireError/Code/valueOutOfRange`` for a scale above 7 or a time of 24 hours and more.
    public init(ticks: UInt64, scale: UInt8) throws(WireError) {
        guard scale <= 7, ticks < Self.ticksPerDay(scale: scale) else { throw WireError(.valueOutOfRange, "time") }
        self.init(unchecked: ticks, scale: scale)
    }

    package init(unchecked ticks: UInt64, scale: UInt8) {
        self.ticks = ticks
        self.scale = scale
    }

    /// - Parameter fraction: units of 10^-`scale` seconds.
    /// - Throws: ``WireError/Code/valueOutOfRange`` for a time that the clock doesn't have.
    public init(hour: Int, minute: Int, second: Int, fraction: Int = 0, scale: UInt8 = 7) throws(WireError) {
        guard (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second), scale <= 7,
            fraction >= 0, UInt64(fraction) < Power10.uint64[Int(scale)]
        else { throw WireError(.valueOutOfRange, "time") }
        self.init(unchecked: UInt64(hour * 3600 + minute * 60 + second) * Power10.uint64[Int(scale)] + UInt64(fraction), scale: scale)
    }

    static func ticksPerDay(scale: UInt8) -> UInt64 { 86_400 * Power10.uint64[Int(scale)] }

    /// Bytes on the wire: 3, 4 or 5.
    public static func wireSize(scale: UInt8) -> Int { scale <= 2 ? 3 : scale <= 4 ? 4 : 5 }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes, scale: type.scale) }

    /// Reads a time(`scale`).
    public init(wire bytes: RawSpan, scale: UInt8) throws(WireError) {
        try bytes.expect(byteCount: Self.wireSize(scale: scale), "time")
        try self.init(wire: bytes, prefixWithScale: scale)
    }

    /// Reads a time(`scale`) from the first bytes.
    init(wire bytes: RawSpan, prefixWithScale scale: UInt8) throws(WireError) {
        guard scale <= 7 else { throw WireError(.malformed, "time", "scale \(scale)") }
        let ticks = try bytes.loadLE(at: 0, size: Self.wireSize(scale: scale), "time")
        guard ticks < Self.ticksPerDay(scale: scale) else { throw WireError(.malformed, "time", "24 hours or more") }
        self.init(unchecked: ticks, scale: scale)
    }

    /// Writes the value with `type`'s scale. Throws ``WireError/Code/notRepresentable`` if digits would be lost.
    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError) {
        try exactly(scale: type.scale).write(to: &buffer)
    }

    func write(to buffer: inout ByteBuffer) {
        for index in 0..<Self.wireSize(scale: scale) { buffer.writeLE(UInt8(truncatingIfNeeded: ticks >> UInt64(index * 8))) }
    }

    /// The same time with another scale. Throws ``WireError/Code/notRepresentable`` if digits would be lost.
    public func exactly(scale newScale: UInt8) throws(WireError) -> TDSTime {
        let (time, carry, exact) = try rescaled(newScale)
        guard exact, !carry else { throw WireError(.notRepresentable, "time", "more digits than scale \(newScale)") }
        return time
    }

    /// The time with another scale, rounded half up as SQL Server does; what rounds to 24:00 becomes 00:00.
    public func rounded(scale newScale: UInt8) throws(WireError) -> Rounded<TDSTime> {
        let (time, _, exact) = try rescaled(newScale)
        return Rounded(time, isExact: exact)
    }

    /// The rounded time, whether it wrapped to the next day, and whether nothing was lost.
    func rescaled(_ newScale: UInt8) throws(WireError) -> (time: TDSTime, carry: Bool, exact: Bool) {
        guard newScale <= 7 else { throw WireError(.valueOutOfRange, "time", "scale \(newScale)") }
        if newScale >= scale {
            return (TDSTime(unchecked: ticks * Power10.uint64[Int(newScale - scale)], scale: newScale), false, true)
        }
        let divisor = Power10.uint64[Int(scale - newScale)]
        var quotient = (ticks + divisor / 2) / divisor
        let carry = quotient >= Self.ticksPerDay(scale: newScale)
        if carry { quotient = 0 }
        return (TDSTime(unchecked: quotient, scale: newScale), carry, ticks % divisor == 0)
    }

    /// 100-nanosecond units since midnight: every time(n) exactly.
    public var hundredNanoseconds: UInt64 { ticks * Power10.uint64[Int(7 - scale)] }
    /// Hour, minute, second and units of 10^-``scale`` seconds.
    public var components: (hour: Int, minute: Int, second: Int, fraction: Int) {
        let unit = Power10.uint64[Int(scale)]
        let seconds = Int(ticks / unit)
        return (seconds / 3600, seconds / 60 % 60, seconds % 60, Int(ticks % unit))
    }

    /// Parses `hh:mm[:ss[.fffffff]]`; the scale is the number of digits of the fraction. Throws ``WireError/Code/malformed`` for other text.
    public init(text: some StringProtocol) throws(WireError) {
        var parser = TemporalParser(text)
        self = try parser.time()
        try parser.end()
    }

    /// `hh:mm:ss[.fffffff]` with as many digits as the scale says.
    public var description: String {
        var text = ASCIIText(capacity: 16)
        append(to: &text)
        return text.string
    }

    func append(to text: inout ASCIIText) {
        let (hour, minute, second, fraction) = components
        text.append(UInt64(hour), width: 2)
        text.append(":")
        text.append(UInt64(minute), width: 2)
        text.append(":")
        text.append(UInt64(second), width: 2)
        if scale > 0 {
            text.append(".")
            text.append(UInt64(fraction), width: Int(scale))
        }
    }
}
