public import NIOCore

/// A smalldatetime: days since 1900-01-01 and minutes since midnight (MS-TDS 2.2.5.5.1.4). Two UInt16, little-endian.
public struct TDSSmallDateTime: WireValue, Comparable {
    /// Days since 1900-01-01, to 2079-06-06.
    public let days: UInt16
    /// Minutes since midnight, below 1440.
    public let minutes: UInt16

    /// - Throws: ``WireError/Code/valueOutOfRange`` for 1440 minutes and more.
    public init(days: UInt16, minutes: UInt16) throws(WireError) {
        guard minutes < 1440 else { throw WireError(.valueOutOfRange, "smalldatetime") }
        self.days = days
        self.minutes = minutes
    }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes) }

    /// Reads the four bytes of a smalldatetime.
    public init(wire bytes: RawSpan) throws(WireError) {
        try bytes.expect(byteCount: 4, "smalldatetime")
        let minutes: UInt16 = try bytes.loadLE(at: 2, "smalldatetime")
        guard minutes < 1440 else { throw WireError(.malformed, "smalldatetime", "24 hours or more") }
        days = try bytes.loadLE(at: 0, "smalldatetime")
        self.minutes = minutes
    }

    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) {
        buffer.writeLE(days)
        buffer.writeLE(minutes)
    }

    /// The date and time rounded to minutes as SQL Server rounds: up to 29.998 seconds down, from 29.999 on up.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` before 1900-01-01 or after 2079-06-06.
    public static func rounding(_ date: TDSDate, _ time: TDSTime) throws(WireError) -> Rounded<TDSSmallDateTime> {
        let units = time.hundredNanoseconds
        // SQL Server goes through datetime's 1/300 seconds first, whence 29.999 counts as 30 (Microsoft, smalldatetime (Transact-SQL)).
        var minutes = ((units * 3 + 50_000) / 100_000 + 9000) / 18_000
        var days = date.days - TDSDate.daysTo1900
        if minutes >= 1440 {
            minutes = 0
            days += 1
        }
        guard let day = UInt16(exactly: days) else { throw WireError(.valueOutOfRange, "smalldatetime") }
        let value = try TDSSmallDateTime(days: day, minutes: UInt16(truncatingIfNeeded: minutes))
        return Rounded(value, isExact: units % 600_000_000 == 0)
    }

    public var date: TDSDate { TDSDate(unchecked: Int32(days) + TDSDate.daysTo1900) }
    public var time: TDSTime { TDSTime(unchecked: UInt64(minutes) * 60, scale: 0) }

    /// `YYYY-MM-DD hh:mm:00`
    public var description: String { TDSDateTime2(date: date, time: time).description }

    public static func < (a: TDSSmallDateTime, b: TDSSmallDateTime) -> Bool { (a.days, a.minutes) < (b.days, b.minutes) }
}
