public import NIOCore

/// A date: days since 0001-01-01 in the proleptic Gregorian calendar (MS-TDS 2.2.5.5.1.9). Three bytes, little-endian.
public struct TDSDate: WireValue, Comparable {
    /// Days since 0001-01-01, 0 to 3652058 (9999-12-31).
    public let days: Int32

    /// The days that a date can have.
    public static let range: ClosedRange<Int32> = 0...3_652_058
    /// 1900-01-01, from which datetime and smalldatetime count.
    public static let daysTo1900: Int32 = 693_595
    /// 1970-01-01, from which Unix counts.
    public static let daysTo1970: Int32 = 719_162

    /// - Throws: ``WireError/Code/valueOutOfRange`` before 0001-01-01 and after 9999-12-31.
    public init(days: Int32) throws(WireError) {
        guard Self.range.contains(days) else { throw WireError(.valueOutOfRange, "date") }
        self.days = days
    }

    package init(unchecked days: Int32) { self.days = days }

    /// - Throws: ``WireError/Code/valueOutOfRange`` for a day that the calendar doesn't have.
    public init(year: Int, month: Int, day: Int) throws(WireError) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= Self.daysInMonth(year, month) else {
            throw WireError(.valueOutOfRange, "date")
        }
        // Years begin in March here, so that the leap day is the last of its year.
        let shifted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let count = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 306
        self.init(unchecked: Int32(truncatingIfNeeded: count))
    }

    package static func daysInMonth(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Year, month (1-12) and day (1-31).
    public var civil: (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 306
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let index = (5 * dayOfYear + 2) / 153
        let month = index < 10 ? index + 3 : index - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * index + 2) / 5 + 1)
    }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes) }

    /// Reads the three bytes of a date.
    public init(wire bytes: RawSpan) throws(WireError) {
        try bytes.expect(byteCount: 3, "date")
        try self.init(wire: bytes, at: 0)
    }

    init(wire bytes: RawSpan, at offset: Int) throws(WireError) {
        let days = Int32(truncatingIfNeeded: try bytes.loadLE(at: offset, size: 3, "date"))
        guard days <= Self.range.upperBound else { throw WireError(.malformed, "date", "after 9999-12-31") }
        self.init(unchecked: days)
    }

    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) { write(to: &buffer) }

    func write(to buffer: inout ByteBuffer) {
        buffer.writeLE(UInt16(truncatingIfNeeded: days))
        buffer.writeLE(UInt8(truncatingIfNeeded: days >> 16))
    }

    /// Parses `YYYY-MM-DD`. Throws ``WireError/Code/malformed`` for other text.
    public init(text: some StringProtocol) throws(WireError) {
        var parser = TemporalParser(text)
        self = try parser.date()
        try parser.end()
    }

    /// `YYYY-MM-DD`
    public var description: String {
        var text = ASCIIText(capacity: 10)
        append(to: &text)
        return text.string
    }

    func append(to text: inout ASCIIText) {
        let (year, month, day) = civil
        text.append(UInt64(max(0, year)), width: 4)
        text.append("-")
        text.append(UInt64(month), width: 2)
        text.append("-")
        text.append(UInt64(day), width: 2)
    }

    public static func < (a: TDSDate, b: TDSDate) -> Bool { a.days < b.days }
}
