import Foundation

/// `+ - * / %` and the bitwise operators on values of the operator's result type.
enum Arithmetic {
    /// Both sides are already of `type`, except that decimals keep their own scales, and datetimes may be given as they are.
    static func apply(_ op: BinaryOperator, _ a: SQLValue, _ b: SQLValue, _ type: SQLType) throws -> SQLValue {
        switch (a, b) {
        case (.null, _), (_, .null): return .null
        case (.int(let left), .int(let right)): return .int(try integer(op, left, right, type))
        case (.decimal(let left), .decimal(let right)): return .decimal(try decimal(op, left, right, type))
        case (.float(let left), .float(let right)): return .float(try double(op, left, right))
        case (.real(let left), .real(let right)): return .real(Float(try double(op, Double(left), Double(right))))
        case (.money(let left), .money(let right)): return .money(try money(op, left, right, type))
        case (.string(let left), .string(let right)): return .string(Conversion.fit(left + right, type))
        case (.binary(let left), .binary(let right)): return .binary(left + right)
        case (.bit(let left), .bit(let right)):
            switch op {
            case .bitAnd: return .bit(left && right)
            case .bitOr: return .bit(left || right)
            default: return .bit(left != right)
            }
        case (.datetime(let d1, let t1), .datetime(let d2, let t2)):
            var days = Int64(d1), ticks = Int64(t1)
            if op == .add {
                days += Int64(d2)
                ticks += Int64(t2)
            } else {
                days -= Int64(d2)
                ticks -= Int64(t2)
            }
            if ticks < 0 {
                ticks += 25_920_000
                days -= 1
            } else if ticks >= 25_920_000 {
                ticks -= 25_920_000
                days += 1
            }
            guard days >= -53690, days <= 2_958_463 else { throw Messages.overflow("expression", "datetime") }
            return .datetime(days: Int32(days), ticks: Int32(ticks))
        default: throw Messages.invalidForOperator(type.name, op.rawValue)
        }
    }

    private static func integer(_ op: BinaryOperator, _ a: Int64, _ b: Int64, _ type: SQLType) throws -> Int64 {
        let result: (partialValue: Int64, overflow: Bool)
        switch op {
        case .add: result = a.addingReportingOverflow(b)
        case .subtract: result = a.subtractingReportingOverflow(b)
        case .multiply: result = a.multipliedReportingOverflow(by: b)
        case .divide:
            if b == 0 { throw Messages.divideByZero }
            result = a.dividedReportingOverflow(by: b)
        case .modulo:
            if b == 0 { throw Messages.divideByZero }
            result = b == -1 ? (0, false) : a.remainderReportingOverflow(dividingBy: b)
        case .bitAnd: return a & b
        case .bitOr: return a | b
        case .bitXor: return a ^ b
        }
        if result.overflow || !Conversion.range(type.kind).contains(result.partialValue) { throw Messages.overflow("expression", type.name) }
        return result.partialValue
    }

    private static func double(_ op: BinaryOperator, _ a: Double, _ b: Double) throws -> Double {
        let result: Double
        switch op {
        case .add: result = a + b
        case .subtract: result = a - b
        case .multiply: result = a * b
        default:
            if b == 0 { throw Messages.divideByZero }
            result = a / b
        }
        if !result.isFinite { throw Messages.overflow("expression", "float") }
        return result
    }

    private static func money(_ op: BinaryOperator, _ a: Int64, _ b: Int64, _ type: SQLType) throws -> Int64 {
        let result: Int128
        switch op {
        case .add: result = Int128(a) + Int128(b)
        case .subtract: result = Int128(a) - Int128(b)
        case .multiply:
            let product = Int128(a) * Int128(b)
            result = (product + (product < 0 ? -5000 : 5000)) / 10000
        case .divide:
            if b == 0 { throw Messages.divideByZero }
            result = Int128(a) * 10000 / Int128(b)
        default:
            if b == 0 { throw Messages.divideByZero }
            result = Int128(a % b)
        }
        guard let value = Int64(exactly: result) else { throw Messages.overflow("expression", type.name) }
        return value
    }

    private static func decimal(_ op: BinaryOperator, _ a: SQLDecimal, _ b: SQLDecimal, _ type: SQLType) throws -> SQLDecimal {
        let overflow = Messages.overflow("expression", "numeric")
        func checked(_ value: SQLDecimal?) throws -> SQLDecimal {
            guard let value, let scaled = value.rescaled(to: type.scale), scaled.fits(38) else { throw overflow }
            return scaled
        }
        switch op {
        case .add, .subtract:
            let scale = max(a.scale, b.scale)
            guard let left = a.rescaled(to: scale), let right = b.rescaled(to: scale) else { throw overflow }
            let sum = op == .add ? left.unscaled.addingReportingOverflow(right.unscaled) : left.unscaled.subtractingReportingOverflow(right.unscaled)
            if sum.overflow { throw overflow }
            return try checked(SQLDecimal(sum.partialValue, scale: scale))
        case .multiply:
            let negative = (a.unscaled < 0) != (b.unscaled < 0)
            let wide = a.unscaled.magnitude.multipliedFullWidth(by: b.unscaled.magnitude)
            let drop = Int(a.scale) + Int(b.scale) - Int(type.scale)
            guard let magnitude = divide(wide.high, wide.low, byPowerOfTen: max(0, drop)) else { throw overflow }
            guard let signed = Int128(exactly: magnitude) else { throw overflow }
            return try checked(SQLDecimal(negative ? -signed : signed, scale: drop > 0 ? type.scale : UInt8(Int(a.scale) + Int(b.scale))))
        case .divide:
            if b.unscaled == 0 { throw Messages.divideByZero }
            // (a / 10^sa) / (b / 10^sb) at scale s: a * 10^(s + sb - sa) / b, cut.
            let shift = Int(type.scale) + Int(b.scale) - Int(a.scale)
            let negative = (a.unscaled < 0) != (b.unscaled < 0)
            var numerator = (high: UInt128(0), low: a.unscaled.magnitude)
            var denominator = b.unscaled.magnitude
            if shift >= 0 {
                guard let scaled = multiply(numerator, byPowerOfTen: shift) else { throw overflow }
                numerator = scaled
            } else {
                let (product, over) = denominator.multipliedReportingOverflow(by: UInt128(SQLDecimal.powers[min(38, -shift)]))
                if over { return SQLDecimal(0, scale: type.scale) }
                denominator = product
            }
            guard numerator.high < denominator else { throw overflow }
            let quotient = denominator.dividingFullWidth((numerator.high, numerator.low)).quotient
            guard let signed = Int128(exactly: quotient) else { throw overflow }
            return try checked(SQLDecimal(negative ? -signed : signed, scale: type.scale))
        case .modulo:
            if b.unscaled == 0 { throw Messages.divideByZero }
            let scale = max(a.scale, b.scale)
            guard let left = a.rescaled(to: scale), let right = b.rescaled(to: scale) else { throw overflow }
            return try checked(SQLDecimal(left.unscaled % right.unscaled, scale: scale))
        default: throw Messages.invalidForOperator("numeric", op.rawValue)
        }
    }

    /// 256 bits by a power of ten, rounded half up; nil if the result needs more than 128 bits.
    private static func divide(_ high: UInt128, _ low: UInt128, byPowerOfTen power: Int) -> UInt128? {
        var high = high, low = low, power = power
        while power > 18 {
            let step = UInt128(SQLDecimal.powers[18])
            let (q1, r1) = high.quotientAndRemainder(dividingBy: step)
            low = step.dividingFullWidth((r1, low)).quotient
            high = q1
            power -= 18
        }
        if power > 0 {
            let step = UInt128(SQLDecimal.powers[power])
            let (q1, r1) = high.quotientAndRemainder(dividingBy: step)
            let (q2, r2) = step.dividingFullWidth((r1, low))
            high = q1
            low = q2
            if r2 * 2 >= step {
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
            let factor = UInt128(SQLDecimal.powers[step])
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

    static func negate(_ value: SQLValue, _ type: SQLType) throws -> SQLValue {
        switch value {
        case .null: return .null
        case .int(let number):
            let (result, overflow) = Int64(0).subtractingReportingOverflow(number)
            if overflow || !Conversion.range(type.kind).contains(result) { throw Messages.overflow("expression", type.name) }
            return .int(result)
        case .decimal(let number): return .decimal(SQLDecimal(-number.unscaled, scale: number.scale))
        case .money(let number):
            if number == Int64.min { throw Messages.overflow("expression", type.name) }
            return .money(-number)
        case .float(let number): return .float(-number)
        case .real(let number): return .real(-number)
        default: throw Messages.invalidForOperator(type.name, "minus")
        }
    }
}
