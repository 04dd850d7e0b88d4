import TDSWire

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
        case (.datetime(let left), .datetime(let right)): return .datetime(try datetime(op, left, right))
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

    private static func datetime(_ op: BinaryOperator, _ a: TDSDateTime, _ b: TDSDateTime) throws -> TDSDateTime {
        let sign: Int64 = op == .add ? 1 : -1
        var days = Int64(a.days) + sign * Int64(b.days), ticks = Int64(a.ticks) + sign * Int64(b.ticks)
        let perDay = Int64(TDSDateTime.ticksPerDay)
        if ticks < 0 {
            ticks += perDay
            days -= 1
        } else if ticks >= perDay {
            ticks -= perDay
            days += 1
        }
        guard let result = try? TDSDateTime(days: Int32(clamping: days), ticks: UInt32(clamping: ticks)) else { throw Messages.overflow("expression", "datetime") }
        return result
    }

    private static func money(_ op: BinaryOperator, _ a: TDSMoney, _ b: TDSMoney, _ type: SQLType) throws -> TDSMoney {
        let left = Int128(a.tenThousandths), right = Int128(b.tenThousandths)
        let result: Int128
        switch op {
        case .add: result = left + right
        case .subtract: result = left - right
        case .multiply:
            let product = left * right
            result = (product + (product < 0 ? -5000 : 5000)) / 10000
        case .divide:
            if right == 0 { throw Messages.divideByZero }
            result = left * 10000 / right
        default:
            if right == 0 { throw Messages.divideByZero }
            result = left % right
        }
        guard let value = Int64(exactly: result) else { throw Messages.overflow("expression", type.name) }
        return TDSMoney(tenThousandths: value)
    }

    private static func decimal(_ op: BinaryOperator, _ a: TDSDecimal, _ b: TDSDecimal, _ type: SQLType) throws -> TDSDecimal {
        if op == .divide || op == .modulo, b.magnitude == 0 { throw Messages.divideByZero }
        let result: TDSDecimal?
        switch op {
        case .add: result = a.adding(b)
        case .subtract: result = a.adding(b.negated)
        case .multiply: result = a.multiplied(by: b, scale: type.scale)
        case .divide: result = a.divided(by: b, scale: type.scale)
        case .modulo: result = a.remainder(dividingBy: b)
        default: throw Messages.invalidForOperator("numeric", op.rawValue)
        }
        guard let scaled = result?.scaled(to: type.scale) else { throw Messages.overflow("expression", "numeric") }
        return scaled
    }

    static func negate(_ value: SQLValue, _ type: SQLType) throws -> SQLValue {
        switch value {
        case .null: return .null
        case .int(let number):
            let (result, overflow) = Int64(0).subtractingReportingOverflow(number)
            if overflow || !Conversion.range(type.kind).contains(result) { throw Messages.overflow("expression", type.name) }
            return .int(result)
        case .decimal(let number): return .decimal(number.negated)
        case .money(let amount):
            let (result, overflow) = Int64(0).subtractingReportingOverflow(amount.tenThousandths)
            if overflow { throw Messages.overflow("expression", type.name) }
            return .money(TDSMoney(tenThousandths: result))
        case .float(let number): return .float(-number)
        case .real(let number): return .real(-number)
        default: throw Messages.invalidForOperator(type.name, "minus")
        }
    }
}
