/// Proleptic Gregorian calendar on day numbers; day 0 is 0001-01-01, as in `date` on the wire.
enum CalendarMath {
    /// Day number of 1900-01-01, day 0 of datetime.
    static let days1900: Int32 = 693_595
    /// Day number of 9999-12-31.
    static let lastDay: Int32 = 3_652_058
    /// Day number of 1970-01-01.
    static let daysUnix: Int32 = 719_162
    /// Day number of 1753-01-01, datetime's first.
    static let days1753: Int32 = 639_905
    static let ticksPerDay: Int64 = 864_000_000_000
    static let ticksPerSecond: Int64 = 10_000_000

    struct Parts {
        var year: Int, month: Int, day: Int
    }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
    static func daysIn(year: Int, month: Int) -> Int {
        [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// nil unless it is a date of the years 1...9999.
    static func day(year: Int, month: Int, day: Int) -> Int32? {
        guard year >= 1, year <= 9999, month >= 1, month <= 12, day >= 1, day <= daysIn(year: year, month: month) else { return nil }
        let y = year - 1
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1] + (month > 2 && isLeap(year) ? 1 : 0)
        return Int32(y * 365 + y / 4 - y / 100 + y / 400 + before + day - 1)
    }

    static func parts(_ day: Int32) -> Parts {
        // Days since 0000-03-01, in eras of 400 years.
        let shifted = Int(day) + 306
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return Parts(year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month, day: day)
    }

    static func dayOfYear(_ day: Int32) -> Int {
        let parts = parts(day)
        return Int(day - (self.day(year: parts.year, month: 1, day: 1) ?? 0)) + 1
    }
    /// 1 is Monday.
    static func isoWeekday(_ day: Int32) -> Int { Int(day % 7) + 1 }
    static func isoWeek(_ day: Int32) -> Int {
        // The week's Thursday decides the year.
        let thursday = day - Int32(isoWeekday(day)) + 4
        return (dayOfYear(thursday) - 1) / 7 + 1
    }

    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    static let dayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    /// 100-nanosecond units rounded half up to `scale` digits of the second; may give a whole day.
    static func round(_ time: Int64, scale: UInt8) -> Int64 {
        let unit = [10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1][Int(min(scale, 7))] as Int64
        return (time + unit / 2) / unit * unit
    }
    /// 1/300 seconds to 100-nanosecond units, rounded.
    static func ticksToTime(_ ticks: Int32) -> Int64 { (Int64(ticks) * 100_000 + 1) / 3 }
    static func timeToTicks(_ time: Int64) -> Int64 { (time * 3 + 50_000) / 100_000 }
    /// Milliseconds as SQL Server shows them: 0, 3, 7, 10 ...
    static func ticksToMilliseconds(_ ticks: Int32) -> Int { (Int(ticks) * 10 + 1) / 3 }
}
/// A moment taken apart, whatever temporal type it comes from.
struct DateTimeParts {
    /// Days since 0001-01-01; nil for a bare time.
    var day: Int32?
    /// 100-nanosecond units since midnight.
    var time: Int64 = 0
    /// Minutes east of UTC; `day` and `time` are local.
    var offset: Int16?
    /// Digits of the second's fraction as written.
    var fractionDigits = 0

    /// With day 1900-01-01 where there is none.
    var dayOrDefault: Int32 { day ?? CalendarMath.days1900 }

    /// Moves to UTC or another offset.
    func shifted(minutes: Int) -> DateTimeParts {
        var result = self
        let total = time + Int64(minutes) * 600_000_000
        let days = total >= 0 ? total / CalendarMath.ticksPerDay : -((-total + CalendarMath.ticksPerDay - 1) / CalendarMath.ticksPerDay)
        result.day = dayOrDefault + Int32(clamping: days)
        result.time = total - days * CalendarMath.ticksPerDay
        return result
    }
}
