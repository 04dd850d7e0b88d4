// Dates and times as JSON strings, from their wire forms.

/// A civil date of the proleptic Gregorian calendar.
struct CivilDate {
    var year: Int
    var month: Int
    var day: Int

    /// From days since 0001-01-01.
    @inline(__always)
    init(daysSinceYear1 days: Int) {
        // Counted from 0000-03-01, so that leap days end the years; eras of 400 years are 146097 days.
        let shifted = days &+ 306
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let monthIndex = (5 &* dayOfYear &+ 2) / 153
        day = dayOfYear &- (153 &* monthIndex &+ 2) / 5 &+ 1
        month = monthIndex < 10 ? monthIndex &+ 3 : monthIndex &- 9
        year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
    }
}

/// Days from 0001-01-01 to 1900-01-01 and to 1970-01-01.
let daysToYear1900 = 693_595
let daysToYear1970 = 719_162

extension DocumentCursor {
    /// The longest form, quoted, and what a store of eight writes too much.
    static var temporalRoom: Int { 56 }

    @inline(__always)
    mutating func appendDate(_ days: Int) {
        let date = CivilDate(daysSinceYear1: days)
        let digits = eightDigits(UInt64(truncatingIfNeeded: date.year &* 10_000 &+ date.month &* 100 &+ date.day)) | 0x3030_3030_3030_3030
        append(digits, count: 4)
        append(UInt64(UInt8(ascii: "-")) | (digits &>> 32 & 0xFFFF) &<< 8 | UInt64(UInt8(ascii: "-")) &<< 24 | (digits &>> 48) &<< 32, count: 6)
    }

    /// HH:MM:SS and the fraction in ticks of 100 ns, its trailing zeros cut.
    @inline(__always)
    mutating func appendTime(seconds: Int, ticks: Int) {
        let minutes = seconds / 60
        let hours = minutes / 60
        let digits = eightDigits(UInt64(truncatingIfNeeded: hours &* 10_000 &+ (minutes &- hours &* 60) &* 100 &+ (seconds &- minutes &* 60))) | 0x3030_3030_3030_3030
        let colon = UInt64(UInt8(ascii: ":"))
        append((digits &>> 16 & 0xFFFF) | colon &<< 16 | (digits &>> 32 & 0xFFFF) &<< 24 | colon &<< 40 | (digits &>> 48) &<< 48, count: 8)
        guard ticks > 0 else { return }
        append(UInt8(ascii: "."))
        let fraction = eightDigits(UInt64(truncatingIfNeeded: ticks)) &>> 8
        let zeros = fraction.leadingZeroBitCount &>> 3
        append(fraction | 0x3030_3030_3030_3030, count: 8 &- zeros)
    }

    /// Z, or +HH:MM.
    @inline(__always)
    mutating func appendOffset(minutes: Int) {
        guard minutes != 0 else { return append(UInt8(ascii: "Z")) }
        append(minutes < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        appendTwoDigits(Int(minutes.magnitude) / 60)
        append(UInt8(ascii: ":"))
        appendTwoDigits(Int(minutes.magnitude) % 60)
    }

    /// A moment as RFC 3339: local days and time of day, and the offset that they have.
    @inline(__always)
    mutating func appendTimestamp(days: Int, seconds: Int, ticks: Int, offsetMinutes: Int) {
        append(UInt8(ascii: "\""))
        appendDate(days)
        append(UInt8(ascii: "T"))
        appendTime(seconds: seconds, ticks: ticks)
        appendOffset(minutes: offsetMinutes)
        append(UInt8(ascii: "\""))
    }
}
