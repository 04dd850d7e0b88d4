import TDSWire

/// What DATEPART and DATENAME want to know of a date.
extension TDSDate {
    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    static let dayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    /// 1900-01-01, the date of a time that has none.
    static let first1900 = TDSDate(unchecked: TDSDate.daysTo1900)

    /// The first of January.
    var startOfYear: TDSDate { (try? TDSDate(year: civil.year, month: 1, day: 1)) ?? self }
    /// 1 is the first of January.
    var dayOfYear: Int { Int(days - startOfYear.days) + 1 }
    /// 1 is Monday.
    var isoWeekday: Int { Int(days % 7) + 1 }
    /// 1 is the week with the year's first Thursday.
    var isoWeek: Int {
        // The week's Thursday decides the year. The last week of 9999 has one outside of the calendar's range.
        let thursday = TDSDate(unchecked: min(days - Int32(isoWeekday) + 4, TDSDate.range.upperBound))
        return (thursday.dayOfYear - 1) / 7 + 1
    }
}
