/// Reads the ISO forms of dates and times that the values of this directory print.
struct TemporalParser {
    private var rest: ArraySlice<UInt8>

    init(_ text: some StringProtocol) { rest = Array(text.utf8)[...] }

    private static let error = WireError(.malformed, "date or time text")

    private mutating func number(digits: Int) throws(WireError) -> Int {
        guard rest.count >= digits else { throw Self.error }
        var value = 0
        for _ in 0..<digits {
            guard let byte = rest.popFirst(), (48...57).contains(byte) else { throw Self.error }
            value = value * 10 + Int(byte - 48)
        }
        return value
    }

    private mutating func skip(_ character: UInt8) -> Bool {
        guard rest.first == character else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func date() throws(WireError) -> TDSDate {
        let year = try number(digits: 4)
        guard skip(0x2D) else { throw Self.error }
        let month = try number(digits: 2)
        guard skip(0x2D) else { throw Self.error }
        return try TDSDate(year: year, month: month, day: try number(digits: 2))
    }

    mutating func time() throws(WireError) -> TDSTime {
        let hour = try number(digits: 2)
        guard skip(0x3A) else { throw Self.error }
        let minute = try number(digits: 2)
        let second = skip(0x3A) ? try number(digits: 2) : 0
        var fraction = 0
        var scale: UInt8 = 0
        if skip(0x2E) {
            while let byte = rest.first, (48...57).contains(byte) {
                guard scale < 7 else { throw Self.error }
                fraction = fraction * 10 + Int(byte - 48)
                scale += 1
                rest = rest.dropFirst()
            }
            guard scale > 0 else { throw Self.error }
        }
        return try TDSTime(hour: hour, minute: minute, second: second, fraction: fraction, scale: scale)
    }

    /// Whether a time follows a date, after a blank or a `T`.
    mutating func separator() -> Bool { skip(0x20) || skip(0x54) }

    /// Minutes east of UTC: `Z`, `+hh:mm`, `-hh:mm`, a blank before allowed.
    mutating func offset() throws(WireError) -> Int16 {
        _ = skip(0x20)
        if skip(0x5A) { return 0 }
        let negative = skip(0x2D)
        guard negative || skip(0x2B) else { throw Self.error }
        let hours = try number(digits: 2)
        guard skip(0x3A) else { throw Self.error }
        let minutes = try number(digits: 2)
        guard minutes < 60 else { throw Self.error }
        let total = Int16(hours * 60 + minutes)
        return negative ? -total : total
    }

    func end() throws(WireError) {
        guard rest.isEmpty else { throw Self.error }
    }
}
