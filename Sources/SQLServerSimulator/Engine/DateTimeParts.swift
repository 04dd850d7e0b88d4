import TDSWire

/// A moment taken apart, whatever temporal type it comes from.
struct DateTimeParts {
    /// nil for a bare time.
    var day: TDSDate?
    /// 100-nanosecond units since midnight.
    var time: Int64 = 0
    /// Minutes east of UTC; `day` and `time` are local.
    var offset: Int16?
    /// Digits of the second's fraction as written, if it comes from text.
    var fractionDigits = 0

    static let unitsPerSecond: Int64 = 10_000_000
    static let unitsPerDay: Int64 = 864_000_000_000

    init(day: TDSDate? = nil, time: Int64 = 0, offset: Int16? = nil) {
        self.day = day
        self.time = time
        self.offset = offset
    }

    init(_ moment: TDSDateTime2, offset: Int16? = nil) {
        self.init(day: moment.date, time: Int64(moment.time.hundredNanoseconds), offset: offset)
    }

    /// From seconds since 1970.
    init(unix seconds: Double) {
        let units = Int64((seconds * 10_000_000).rounded())
        let rest = units % Self.unitsPerDay
        let time = rest < 0 ? rest + Self.unitsPerDay : rest
        let days = Int32(clamping: (units - time) / Self.unitsPerDay)
        self.init(day: (try? TDSDate(days: TDSDate.daysTo1970 + days)) ?? .first1900, time: time)
    }

    /// A temporal value taken apart; local time for datetimeoffset; nil for other values. A datetime has the milliseconds that are printed.
    init?(_ value: SQLValue) {
        switch value {
        case .date(let day): self.init(day: day)
        case .time(let time): self.init(time: Int64(time.hundredNanoseconds))
        case .datetime(let value): self.init(TDSDateTime2(date: value.date, time: value.time))
        case .smalldatetime(let value): self.init(TDSDateTime2(date: value.date, time: value.time))
        case .datetime2(let value): self.init(value)
        case .datetimeoffset(let value): self.init(value.local, offset: value.offsetMinutes)
        default: return nil
        }
    }

    /// With day 1900-01-01 where there is none.
    var dayOrDefault: TDSDate { day ?? .first1900 }
    var clock: TDSTime { TDSTime(unchecked: UInt64(min(max(0, time), Self.unitsPerDay - 1)), scale: 7) }
    var moment: TDSDateTime2 { TDSDateTime2(date: dayOrDefault, time: clock) }
}

extension TDSTime {
    /// The same time in 100-nanosecond units, as the engine keeps it.
    var widest: TDSTime { TDSTime(unchecked: hundredNanoseconds, scale: 7) }
    /// Rounded to so many digits of the second, over midnight where need be, and kept in 100-nanosecond units.
    func settled(_ digits: UInt8) -> TDSTime { ((try? rounded(scale: min(digits, 7)).value) ?? self).widest }
}

extension TDSDateTime2 {
    var widest: TDSDateTime2 { TDSDateTime2(date: date, time: time.widest) }

    /// Rounded to so many digits of the second and kept in 100-nanosecond units. What would leave the year 9999 is cut.
    func settled(_ digits: UInt8) -> TDSDateTime2 {
        if let rounded = try? rounded(scale: min(digits, 7)).value { return rounded.widest }
        let unit = Power10.uint64[Int(7 - min(digits, 7))]
        return TDSDateTime2(date: date, time: TDSTime(unchecked: time.hundredNanoseconds / unit * unit, scale: 7))
    }
}

extension TDSDateTime {
    /// With the full third of a hundredth and not the milliseconds that are printed: what date arithmetic and conversions go by.
    var exact: TDSDateTime2 { (try? dateTime2(scale: 7).value) ?? TDSDateTime2(date: date, time: time) }
}

extension TDSDateTimeOffset {
    var widest: TDSDateTimeOffset { (try? rounded(scale: 7).value) ?? self }
}
