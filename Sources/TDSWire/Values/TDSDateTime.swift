public import NIOCore

/// A datetime: days since 1900-01-01, and 1/300 seconds since midnight (MS-TDS 2.2.5.5.1.4). Int32 and UInt32, little-endian.
public struct TDSDateTime: WireValue, Comparable {
    /// Days since 1900-01-01, -53690 (1753-01-01) to 2958463 (9999-12-31).
    public let days: Int32
    /// 1/300 seconds since midnight.
    public let ticks: UInt32

    public static let dayRange: ClosedRange<Int32> = -53_690...2_958_463
    public static let ticksPerDay: UInt32 = 25_920_000

    /// - Throws: ``WireError/Code/valueOutOfRange`` before 1753, after 9999, or for a time of 24 hours and more.
    public init(days: Int32, ticks: UInt32) throws(WireError) {
        guard Self.dayRange.contains(days), ticks < Self.ticksPerDay else { throw WireError(.valueOutOfRange, "datetime") }
        self.days = days
        self.ticks = ticks
    }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes) }

    /// Reads the eight bytes of a datetime.
    public init(wire bytes: RawSpan) throws(WireError) {
        try bytes.expect(byteCount: 8, "datetime")
        let days: Int32 = try bytes.loadLE(at: 0, "datetime")
        let ticks: UInt32 = try bytes.loadLE(at: 4, "datetime")
        guard Self.dayRange.contains(days), ticks < Self.ticksPerDay else { throw WireError(.malformed, "datetime", "out of range") }
        self.days = days
        self.ticks = ticks
    }

    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) {
        buffer.writeLE(days)
        buffer.writeLE(ticks)
    }

    /// The date and time rounded to 1/300 seconds as SQL Server rounds, half up, over midnight where need be.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` before 1753 or after 9999.
    public static func rounding(_ date: TDSDate, _ time: TDSTime) throws(WireError) -> Rounded<TDSDateTime> {
        let units = time.hundredNanoseconds * 3
        var ticks = (units + 50_000) / 100_000
        var days = date.days - TDSDate.daysTo1900
        if ticks >= UInt64(ticksPerDay) {
            ticks = 0
            days += 1
        }
        let value = try TDSDateTime(days: days, ticks: UInt32(truncatingIfNeeded: ticks))
        return Rounded(value, isExact: units % 100_000 == 0)
    }

    /// The datetime2 that SQL Server converts this to from compatibility level 130 on: the third of a hundredth rounded to `scale`
    /// digits (`.0033333`), and not the `.003` that is printed.
    public func dateTime2(scale: UInt8) throws(WireError) -> Rounded<TDSDateTime2> {
        guard scale <= 7 else { throw WireError(.valueOutOfRange, "datetime2", "scale \(scale)") }
        let scaled = UInt64(ticks) * Power10.uint64[Int(scale)]
        var units = (scaled + 150) / 300
        var day = date.days
        if units >= TDSTime.ticksPerDay(scale: scale) {
            units = 0
            day += 1
        }
        return Rounded(TDSDateTime2(date: try TDSDate(days: day), time: TDSTime(unchecked: units, scale: scale)), isExact: scaled % 300 == 0)
    }

    public var date: TDSDate { TDSDate(unchecked: days + TDSDate.daysTo1900) }
    /// The time as printed: milliseconds ending in 0, 3 or 7, as a time(3).
    public var time: TDSTime { TDSTime(unchecked: (UInt64(ticks) * 10 + 1) / 3, scale: 3) }

    /// Parses `YYYY-MM-DD hh:mm:ss[.fff]`, rounded. Throws ``WireError/Code/malformed`` for other text.
    public static func parse(_ text: some StringProtocol) throws(WireError) -> Rounded<TDSDateTime> {
        let value = try TDSDateTime2(text: text)
        return try rounding(value.date, value.time)
    }

    /// `YYYY-MM-DD hh:mm:ss.fff`, where the last digit is 0, 3 or 7.
    public var description: String { TDSDateTime2(date: date, time: time).description }

    public static func < (a: TDSDateTime, b: TDSDateTime) -> Bool { (a.days, a.ticks) < (b.days, b.ticks) }
}
