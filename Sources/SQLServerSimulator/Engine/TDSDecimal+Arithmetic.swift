import TDSWire

/// Exact arithmetic on decimals. Results have precision 38, as every decimal in the engine; nil is an overflow of 38 digits.
extension TDSDecimal {
    /// The digits with their sign, without the point.
    var unscaled: Int128 { isNegative ? -Int128(magnitude) : Int128(magnitude) }

    /// nil unless `unscaled` fits 38 digits and `scale` is at most 38.
    init?(unscaled: Int128, scale: UInt8) {
        guard let value = try? TDSDecimal(isNegative: unscaled < 0, magnitude: unscaled.magnitude, scale: scale) else { return nil }
        self = value
    }

    /// An integer, with precision 38.
    init(integer value: Int64) { self.init(unchecked: value < 0, UInt128(value.magnitude), 38, 0) }

    /// An amount with four digits behind the point.
    init(_ money: TDSMoney) { self.init(unchecked: money.tenThousandths < 0, UInt128(money.tenThousandths.magnitude), 38, 4) }

    /// The number in text that may have blanks around it; nil if it is none or has more than 38 digits.
    init?(number text: some StringProtocol) {
        guard let value = try? TDSDecimal(text: Conversion.trim(String(text))) else { return nil }
        self = value.widest
    }

    /// The nearest decimal to a double's shortest text, rounded to `scale`; nil if it needs more than 38 digits.
    init?(_ value: Double, scale: UInt8) {
        guard value.isFinite, abs(value) < 1e38 else { return nil }
        let text = value.description
        var mantissa = Substring(text), exponent = 0
        if let e = text.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            mantissa = text[..<e]
            exponent = Int(text[text.index(after: e)...]) ?? 0
        }
        guard let number = TDSDecimal(number: mantissa) else { return nil }
        // The exponent moves the point.
        let moved = Int(number.scale) - exponent
        let shifted: TDSDecimal?
        if moved > 76 {
            shifted = .zero(scale: scale)
        } else if moved > 38 {
            shifted = TDSDecimal(unscaled: number.unscaled / Int128(Power10.uint128[moved - 38]), scale: 38)
        } else if moved >= 0 {
            shifted = TDSDecimal(unscaled: number.unscaled, scale: UInt8(moved))
        } else {
            let (product, overflow) = number.unscaled.multipliedReportingOverflow(by: Int128(Power10.uint128[min(-moved, 38)]))
            shifted = overflow ? nil : TDSDecimal(unscaled: product, scale: 0)
        }
        guard let value = shifted?.scaled(to: scale) else { return nil }
        self = value
    }

    static func zero(scale: UInt8) -> TDSDecimal { TDSDecimal(unchecked: false, 0, 38, min(scale, 38)) }

    /// The same number with precision 38.
    var widest: TDSDecimal { TDSDecimal(unchecked: isNegative, magnitude, 38, scale) }

    /// With another scale, rounded half away from zero.
    func scaled(to newScale: UInt8) -> TDSDecimal? { try? rescaled(to: newScale).value }

    /// Without the digits behind the point.
    var truncated: TDSDecimal { TDSDecimal(unchecked: isNegative, magnitude / Power10.uint128[Int(scale)], 38, 0) }

    /// Whether it has no more than `precision` digits.
    func fits(_ precision: UInt8) -> Bool { magnitude < Power10.uint128[Int(min(precision, 38))] }

    var negated: TDSDecimal { TDSDecimal(unchecked: !isNegative, magnitude, 38, scale) }
    var absolute: TDSDecimal { TDSDecimal(unchecked: false, magnitude, 38, scale) }

    /// The next integer below or above, with scale 0.
    func rounded(up: Bool) -> TDSDecimal {
        let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: Power10.uint128[Int(scale)])
        // Away from zero only in the direction that was asked for.
        let away: UInt128 = remainder != 0 && up != isNegative ? 1 : 0
        return TDSDecimal(unchecked: isNegative, quotient + away, 38, 0)
    }

    /// ROUND: to so many digits behind the point (before it, if negative), with the scale it has.
    func rounded(places: Int64, truncating: Bool) -> TDSDecimal? {
        if places >= Int64(scale) { return self }
        let drop = Int(scale) - Int(max(places, -40))
        if drop > 38 { return .zero(scale: scale) }
        let power = Power10.uint128[drop]
        var (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: power)
        if !truncating, remainder >= power - remainder { quotient += 1 }
        let (product, overflow) = quotient.multipliedReportingOverflow(by: power)
        guard !overflow, product < Power10.uint128[38] else { return nil }
        return TDSDecimal(unchecked: isNegative, product, 38, scale)
    }

    func adding(_ other: TDSDecimal) -> TDSDecimal? {
        let common = max(scale, other.scale)
        guard let left = scaled(to: common), let right = other.scaled(to: common) else { return nil }
        // Two numbers of 38 digits: their sum fits 128 bits.
        return TDSDecimal(unscaled: left.unscaled + right.unscaled, scale: common)
    }

    /// The product with `newScale` digits behind the point, or all of them if there are fewer; rounded half up.
    func multiplied(by other: TDSDecimal, scale newScale: UInt8) -> TDSDecimal? {
        let wide = magnitude.multipliedFullWidth(by: other.magnitude)
        let natural = Int(scale) + Int(other.scale)
        let drop = max(0, natural - Int(newScale))
        guard let product = Self.divide(wide.high, wide.low, byPowerOfTen: drop), product < Power10.uint128[38], natural - drop <= 38 else { return nil }
        return TDSDecimal(unchecked: isNegative != other.isNegative, product, 38, UInt8(natural - drop))
    }

    /// The quotient with `newScale` digits behind the point, the rest cut off. `other` isn't zero.
    func divided(by other: TDSDecimal, scale newScale: UInt8) -> TDSDecimal? {
        // (a / 10^sa) / (b / 10^sb) with s digits: a * 10^(s + sb - sa) / b.
        let shift = Int(newScale) + Int(other.scale) - Int(scale)
        var numerator = (high: UInt128(0), low: magnitude)
        var denominator = other.magnitude
        if shift >= 0 {
            guard let scaled = Self.multiply(numerator, byPowerOfTen: shift) else { return nil }
            numerator = scaled
        } else {
            let (product, overflow) = denominator.multipliedReportingOverflow(by: Power10.uint128[min(38, -shift)])
            if overflow { return .zero(scale: newScale) }
            denominator = product
        }
        guard numerator.high < denominator else { return nil }
        let quotient = denominator.dividingFullWidth((numerator.high, numerator.low)).quotient
        guard quotient < Power10.uint128[38] else { return nil }
        return TDSDecimal(unchecked: isNegative != other.isNegative, quotient, 38, newScale)
    }

    /// What is left of the division of integers, with the sign of this number. `other` isn't zero.
    func remainder(dividingBy other: TDSDecimal) -> TDSDecimal? {
        let common = max(scale, other.scale)
        guard let left = scaled(to: common), let right = other.scaled(to: common), right.magnitude != 0 else { return nil }
        return TDSDecimal(unchecked: isNegative, left.magnitude % right.magnitude, 38, common)
    }

    /// 256 bits by a power of ten, rounded half up; nil if the result needs more than 128 bits.
    private static func divide(_ high: UInt128, _ low: UInt128, byPowerOfTen power: Int) -> UInt128? {
        var high = high, low = low, power = power
        while power > 18 {
            let step = Power10.uint128[18]
            let (quotient, rest) = high.quotientAndRemainder(dividingBy: step)
            low = step.dividingFullWidth((rest, low)).quotient
            high = quotient
            power -= 18
        }
        if power > 0 {
            let step = Power10.uint128[power]
            let (first, rest) = high.quotientAndRemainder(dividingBy: step)
            let (second, remainder) = step.dividingFullWidth((rest, low))
            high = first
            low = second
            if remainder * 2 >= step {
                let (sum, overflow) = low.addingReportingOverflow(1)
                low = sum
                if overflow { high += 1 }
            }
        }
        return high == 0 ? low : nil
    }

    private static func multiply(_ value: (high: UInt128, low: UInt128), byPowerOfTen power: Int) -> (high: UInt128, low: UInt128)? {
        var value = value, power = power
        while power > 0 {
            let step = min(power, 38)
            let factor = Power10.uint128[step]
            let low = value.low.multipliedFullWidth(by: factor)
            let (high, overflow) = value.high.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            let (sum, carry) = high.addingReportingOverflow(low.high)
            if carry { return nil }
            value = (sum, low.low)
            power -= step
        }
        return value
    }
}
