public import NIOCore

/// A datetimeoffset(n): a point in time, and the offset from UTC that it is shown with (MS-TDS 2.2.5.5.1.8).
///
/// On the wire the time(n) and date are those of **UTC**, then comes the offset in minutes as an Int16.
public struct TDSDateTimeOffset: WireValue {
    /// Date and time in UTC.
    public let utc: TDSDateTime2
    /// Minutes east of UTC, -840 to 840.
    public let offsetMinutes: Int16

    public static let offsetRange: ClosedRange<Int16> = -840...840

    /// - Throws: ``WireError/Code/valueOutOfRange`` for an offset beyond 14 hours, or if the local date is outside the years 1 to 9999.
    public init(utc: TDSDateTime2, offsetMinutes: Int16) throws(WireError) {
        guard Self.offsetRange.contains(offsetMinutes) else { throw WireError(.valueOutOfRange, "datetimeoffset", "offset") }
        _ = try Self.shift(utc, minutes: Int64(offsetMinutes))
        self.utc = utc
        self.offsetMinutes = offsetMinutes
    }

    /// - Parameter local: date and time as shown, that is in the offset's zone.
    public init(local: TDSDateTime2, offsetMinutes: Int16) throws(WireError) {
        guard Self.offsetRange.contains(offsetMinutes) else { throw WireError(.valueOutOfRange, "datetimeoffset", "offset") }
        utc = try Self.shift(local, minutes: -Int64(offsetMinutes))
        self.offsetMinutes = offsetMinutes
    }

    static func shift(_ value: TDSDateTime2, minutes: Int64) throws(WireError) -> TDSDateTime2 {
        let perDay = Int64(TDSTime.ticksPerDay(scale: value.scale))
        var ticks = Int64(value.time.ticks) + minutes * 60 * Int64(Power10.uint64[Int(value.scale)])
        var days = value.date.days
        if ticks < 0 {
            ticks += perDay
            days -= 1
        } else if ticks >= perDay {
            ticks -= perDay
            days += 1
        }
        return TDSDateTime2(date: try TDSDate(days: days), time: TDSTime(unchecked: UInt64(ticks), scale: value.scale))
    }

    /// Date and time as shown: in the offset's zone.
    public var local: TDSDateTime2 {
        // Cannot fail: the initialisers have tried it.
        (try? Self.shift(utc, minutes: Int64(offsetMinutes))) ?? utc
    }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes, scale: type.scale) }

    /// Reads a datetimeoffset(`scale`).
    public init(wire bytes: RawSpan, scale: UInt8) throws(WireError) {
        let size = TDSTime.wireSize(scale: scale)
        try bytes.expect(byteCount: size + 5, "datetimeoffset")
        let utc = TDSDateTime2(date: try TDSDate(wire: bytes, at: size), time: try TDSTime(wire: bytes, prefixWithScale: scale))
        let offset: Int16 = try bytes.loadLE(at: size + 3, "datetimeoffset")
        do {
            try self.init(utc: utc, offsetMinutes: offset)
        } catch {
            throw WireError(.malformed, "datetimeoffset", "out of range")
        }
    }

    /// Writes the value with `type`'s scale. Throws ``WireError/Code/notRepresentable`` if digits would be lost.
    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError) {
        try utc.write(to: &buffer, as: type)
        buffer.writeLE(offsetMinutes)
    }

    /// The value with another scale, rounded half up. Throws ``WireError/Code/valueOutOfRange`` if that leaves the year 9999.
    public func rounded(scale newScale: UInt8) throws(WireError) -> Rounded<TDSDateTimeOffset> {
        let rounded = try utc.rounded(scale: newScale)
        return Rounded(try TDSDateTimeOffset(utc: rounded.value, offsetMinutes: offsetMinutes), isExact: rounded.isExact)
    }

    /// Parses `YYYY-MM-DD hh:mm:ss[.fffffff] +hh:mm` (or `Z`), local time as printed. Throws ``WireError/Code/malformed`` for other text.
    public init(text: some StringProtocol) throws(WireError) {
        var parser = TemporalParser(text)
        let date = try parser.date()
        let time = parser.separator() ? try parser.time() : TDSTime(unchecked: 0, scale: 0)
        let offset = try parser.offset()
        try parser.end()
        try self.init(local: TDSDateTime2(date: date, time: time), offsetMinutes: offset)
    }

    /// `YYYY-MM-DD hh:mm:ss[.fffffff] +hh:mm`, in local time.
    public var description: String {
        var text = ASCIIText(capacity: 35)
        local.append(to: &text)
        text.append(" ")
        text.append(offsetMinutes < 0 ? "-" : "+")
        let magnitude = UInt64(offsetMinutes.magnitude)
        text.append(magnitude / 60, width: 2)
        text.append(":")
        text.append(magnitude % 60, width: 2)
        return text.string
    }
}
