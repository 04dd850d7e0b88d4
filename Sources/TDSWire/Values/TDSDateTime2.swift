public import NIOCore

/// A datetime2(n): a time(n) and a date (MS-TDS 2.2.5.5.1.8), in this order on the wire.
public struct TDSDateTime2: WireValue {
    public let date: TDSDate
    public let time: TDSTime

    public init(date: TDSDate, time: TDSTime) {
        self.date = date
        self.time = time
    }

    /// Digits of the second's fraction.
    public var scale: UInt8 { time.scale }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes, scale: type.scale) }

    /// Reads a datetime2(`scale`).
    public init(wire bytes: RawSpan, scale: UInt8) throws(WireError) {
        let size = TDSTime.wireSize(scale: scale)
        try bytes.expect(byteCount: size + 3, "datetime2")
        time = try TDSTime(wire: bytes, prefixWithScale: scale)
        date = try TDSDate(wire: bytes, at: size)
    }

    /// Writes the value with `type`'s scale. Throws ``WireError/Code/notRepresentable`` if digits would be lost.
    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError) {
        try time.exactly(scale: type.scale).write(to: &buffer)
        date.write(to: &buffer)
    }

    /// The value with another scale, rounded half up, over midnight where need be.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` if that leaves the year 9999.
    public func rounded(scale newScale: UInt8) throws(WireError) -> Rounded<TDSDateTime2> {
        let (time, carry, exact) = try time.rescaled(newScale)
        return Rounded(TDSDateTime2(date: carry ? try TDSDate(days: date.days + 1) : date, time: time), isExact: exact)
    }

    /// Parses `YYYY-MM-DD[ hh:mm[:ss[.fffffff]]]`, `T` allowed for the blank. Throws ``WireError/Code/malformed`` for other text.
    public init(text: some StringProtocol) throws(WireError) {
        var parser = TemporalParser(text)
        date = try parser.date()
        time = parser.separator() ? try parser.time() : TDSTime(unchecked: 0, scale: 0)
        try parser.end()
    }

    /// `YYYY-MM-DD hh:mm:ss[.fffffff]`
    public var description: String {
        var text = ASCIIText(capacity: 28)
        append(to: &text)
        return text.string
    }

    func append(to text: inout ASCIIText) {
        date.append(to: &text)
        text.append(" ")
        time.append(to: &text)
    }
}
