/// An exact decimal number: an integer of at most 38 digits and the number of digits behind the point.
public struct SQLDecimal: Sendable, Hashable {
    public var unscaled: Int128
    public var scale: UInt8

    public init(_ unscaled: Int128, scale: UInt8) {
        self.unscaled = unscaled
        self.scale = scale
    }

    /// 10^0 ... 10^38.
    static let powers: [Int128] = {
        var all: [Int128] = [1]
        for _ in 1...38 { all.append((all.last ?? 1) * 10) }
        return all
    }()
    /// The largest magnitude that fits `precision` digits.
    static func limit(_ precision: Int) -> Int128 { powers[min(max(precision, 0), 38)] }

    /// The number of digits before and behind the point that it needs.
    var digits: Int {
        let magnitude = unscaled.magnitude
        var count = 1
        while count < 38, magnitude >= UInt128(SQLDecimal.powers[count]) { count += 1 }
        return count
    }

    /// With another scale: rounded half away from zero (or cut) where digits are lost; nil if it does not fit 38 digits.
    func rescaled(to newScale: UInt8, truncating: Bool = false) -> SQLDecimal? {
        if newScale == scale { return self }
        if newScale > scale {
            let (product, overflow) = unscaled.multipliedReportingOverflow(by: SQLDecimal.powers[Int(min(newScale - scale, 38))])
            if overflow || product.magnitude >= UInt128(SQLDecimal.powers[38]) { return nil }
            return SQLDecimal(product, scale: newScale)
        }
        let divisor = SQLDecimal.powers[Int(min(scale - newScale, 38))]
        var (quotient, remainder) = unscaled.quotientAndRemainder(dividingBy: divisor)
        if !truncating, remainder.magnitude * 2 >= divisor.magnitude { quotient += unscaled < 0 ? -1 : 1 }
        return SQLDecimal(quotient, scale: newScale)
    }

    /// Whether it has no more than `precision` digits.
    func fits(_ precision: UInt8) -> Bool { unscaled.magnitude < UInt128(SQLDecimal.limit(Int(precision))) }

    public var text: String {
        var digits = String(unscaled.magnitude)
        if scale > 0 {
            if digits.utf8.count <= Int(scale) { digits = String(repeating: "0", count: Int(scale) + 1 - digits.utf8.count) + digits }
            let point = digits.index(digits.endIndex, offsetBy: -Int(scale))
            digits = digits[..<point] + "." + digits[point...]
        }
        return unscaled < 0 ? "-" + digits : digits
    }

    var double: Double {
        // Text is the way that rounds once; multiplication by a power of ten would round twice.
        Double(text) ?? 0
    }

    /// Parses `[+-]digits[.digits]`, blanks around allowed; nil if it is not a number or has more than 38 digits.
    init?(parsing text: some StringProtocol) {
        var value: Int128 = 0
        var scale = 0, count = 0, significant = 0
        var negative = false, point = false, begun = false, ended = false
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: " "), 9, 10, 13:
                if begun { ended = true }
                continue
            case UInt8(ascii: "-"), UInt8(ascii: "+"):
                if begun || ended { return nil }
                begun = true
                negative = character == UInt8(ascii: "-")
            case UInt8(ascii: "."):
                if point || ended { return nil }
                point = true
                begun = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if ended { return nil }
                begun = true
                count += 1
                if significant > 0 || character != UInt8(ascii: "0") { significant += 1 }
                if significant > 38 { return nil }
                value = value * 10 + Int128(character - UInt8(ascii: "0"))
                if point { scale += 1 }
            default: return nil
            }
        }
        if count == 0 || scale > 38 { return nil }
        self.init(negative ? -value : value, scale: UInt8(scale))
    }

    /// Three-way comparison of the numbers, whatever their scales.
    static func compare(_ a: SQLDecimal, _ b: SQLDecimal) -> Int {
        if a.scale == b.scale { return a.unscaled < b.unscaled ? -1 : a.unscaled == b.unscaled ? 0 : 1 }
        if (a.unscaled < 0) != (b.unscaled < 0) { return a.unscaled < 0 ? -1 : 1 }
        let scale = max(a.scale, b.scale)
        let left = a.unscaled.magnitude.multipliedFullWidth(by: UInt128(powers[Int(scale - a.scale)]))
        let right = b.unscaled.magnitude.multipliedFullWidth(by: UInt128(powers[Int(scale - b.scale)]))
        let order = left.high != right.high ? (left.high < right.high ? -1 : 1) : (left.low < right.low ? -1 : left.low == right.low ? 0 : 1)
        return a.unscaled < 0 ? -order : order
    }
}
