import TDSWire

/// Conversions to the numeric types and to bit.
extension Conversion {
    static func range(_ kind: SQLType.Kind) -> ClosedRange<Int64> {
        switch kind {
        case .tinyint: return 0...255
        case .smallint: return -32768...32767
        case .int: return -2_147_483_648...2_147_483_647
        default: return Int64.min...Int64.max
        }
    }

    static func bit(_ value: SQLValue, _ from: SQLType, _ to: SQLType, isExplicit: Bool) throws -> Bool {
        switch value {
        case .bit(let flag): return flag
        case .int(let number): return number != 0
        case .decimal(let number): return number.magnitude != 0
        case .money(let amount): return amount.tenThousandths != 0
        case .float(let number): return number != 0
        case .real(let number): return number != 0
        case .string(let text):
            let trimmed = trim(text)
            if trimmed.lowercased() == "true" { return true }
            if trimmed.lowercased() == "false" || trimmed.isEmpty { return false }
            guard let number = Int64(trimmed) else { throw Messages.conversionFailed(from.name, text, "bit") }
            return number != 0
        case .binary(let bytes): return bytes.contains { $0 != 0 }
        default: throw incompatible(from, to, isExplicit)
        }
    }

    static func integer(_ value: SQLValue, _ from: SQLType, _ to: SQLType) throws -> Int64 {
        let range = range(to.kind)
        switch value {
        case .int(let number):
            if range.contains(number) { return number }
            if to.kind == .int { throw Messages.overflow("expression", "int") }
            throw Messages.overflow220(to.name, String(number))
        case .bit(let flag): return flag ? 1 : 0
        case .decimal(let number):
            guard let result = Int64(exactly: number.truncated), range.contains(result) else { throw Messages.overflow(from.name, to.name) }
            return result
        case .money(let amount):
            // money rounds where decimal cuts.
            guard let rounded = TDSDecimal(amount).scaled(to: 0).flatMap(Int64.init(exactly:)), range.contains(rounded) else {
                throw Messages.overflow("money", to.name)
            }
            return rounded
        case .float(let number):
            let cut = number.rounded(.towardZero)
            guard cut > -9.3e18, cut < 9.3e18, let result = Int64(exactly: cut), range.contains(result) else {
                if to.kind == .bigint || to.kind == .int { throw Messages.overflow("expression", to.name) }
                throw Messages.overflow220(to.name, Formatting.float(number, style: 0))
            }
            return result
        case .real(let number): return try integer(.float(Double(number)), from, to)
        case .string(let text): return try integer(text, from, to, range)
        case .binary(let bytes):
            let number = bigEndian(bytes.suffix(to.maxLength))
            switch to.kind {
            case .tinyint: return Int64(number & 0xFF)
            case .smallint: return Int64(Int16(truncatingIfNeeded: number))
            case .int: return Int64(Int32(truncatingIfNeeded: number))
            default: return Int64(bitPattern: number)
            }
        case .datetime(let value):
            let rounded = Int64(value.days) + (value.ticks >= TDSDateTime.ticksPerDay / 2 ? 1 : 0)
            if !range.contains(rounded) { throw Messages.overflow("datetime", to.name) }
            return rounded
        case .smalldatetime(let value): return Int64(value.days) + (value.minutes >= 720 ? 1 : 0)
        default: throw Messages.clash(from.name, to.name)
        }
    }

    private static func integer(_ text: String, _ from: SQLType, _ to: SQLType, _ range: ClosedRange<Int64>) throws -> Int64 {
        let trimmed = trim(text)
        if trimmed.isEmpty { return 0 }
        let body = trimmed.hasPrefix("+") ? String(trimmed.dropFirst()) : trimmed
        if let number = Int64(body) {
            if range.contains(number) { return number }
            if to.kind == .int { throw Messages.overflow248(from.name, text) }
            throw Messages.overflow244(from.name, text, to.kind == .tinyint ? "INT1" : "INT2")
        }
        if body.utf8.allSatisfy({ ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: "-") }), TDSDecimal(number: body) != nil {
            if to.kind == .bigint { throw Messages.overflow("expression", "bigint") }
            throw Messages.overflow248(from.name, text)
        }
        if to.kind == .bigint { throw Messages.errorConverting(from.name, "bigint") }
        throw Messages.conversionFailed(from.name, text, to.name)
    }

    static func decimal(_ value: SQLValue, _ from: SQLType, _ to: SQLType, isExplicit: Bool) throws -> TDSDecimal {
        let number: TDSDecimal
        switch value {
        case .int(let value): number = TDSDecimal(integer: value)
        case .bit(let flag): number = TDSDecimal(integer: flag ? 1 : 0)
        case .decimal(let value): number = value
        case .money(let value): number = TDSDecimal(value)
        case .float(let value): number = try decimal(value, from, to, scale: to.scale)
        case .real(let value): number = try decimal(Double(value), from, to, scale: to.scale)
        case .string(let text):
            guard let parsed = TDSDecimal(number: text) else { throw Messages.errorConverting(from.name, to.name) }
            number = parsed
        case .datetime(let value):
            let days = Int128(value.days) * 10_000_000_000 + Int128(value.ticks) * 10_000_000_000 / Int128(TDSDateTime.ticksPerDay)
            guard let parsed = TDSDecimal(unscaled: days, scale: 10) else { throw Messages.overflow(from.name, to.name) }
            number = parsed
        default: throw incompatible(from, to, isExplicit)
        }
        guard let scaled = number.scaled(to: to.scale), scaled.fits(to.precision) else { throw Messages.overflow(from.name, to.name) }
        return scaled
    }

    private static func decimal(_ value: Double, _ from: SQLType, _ to: SQLType, scale: UInt8) throws -> TDSDecimal {
        guard let exact = TDSDecimal(value, scale: scale) else { throw Messages.overflow(from.name, to.name) }
        return exact
    }

    static func money(_ value: SQLValue, _ from: SQLType, _ to: SQLType, isExplicit: Bool) throws -> TDSMoney {
        let number: TDSDecimal
        switch value {
        case .money(let value): number = TDSDecimal(value)
        case .int(let value): number = TDSDecimal(integer: value)
        case .bit(let flag): number = TDSDecimal(integer: flag ? 1 : 0)
        case .decimal(let value): number = value
        case .float(let value): number = try decimal(value, from, to, scale: 4)
        case .real(let value): number = try decimal(Double(value), from, to, scale: 4)
        case .string(let text):
            var body = trim(text).filter { $0 != "," }
            if body.isEmpty { return TDSMoney(tenThousandths: 0) }
            var negative = false
            if body.hasPrefix("-") {
                negative = true
                body.removeFirst()
            } else if body.hasPrefix("+") {
                body.removeFirst()
            }
            if let first = body.first, "$£¥€¤".contains(first) { body.removeFirst() }
            if body.hasPrefix("-") {
                negative.toggle()
                body.removeFirst()
            }
            guard let parsed = TDSDecimal(number: body) else { throw Messages.moneyConversion }
            number = negative ? parsed.negated : parsed
        case .binary(let bytes): number = TDSDecimal(TDSMoney(tenThousandths: Int64(bitPattern: bigEndian(bytes.suffix(8)))))
        default: throw incompatible(from, to, isExplicit)
        }
        guard let result = try? TDSMoney.rounding(number).value, to.kind == .money || Int32(exactly: result.tenThousandths) != nil else {
            throw Messages.overflow(from.isInteger ? "expression" : from.name, to.name)
        }
        return result
    }

    static func double(_ value: SQLValue, _ from: SQLType, _ to: SQLType, isExplicit: Bool) throws -> Double {
        switch value {
        case .float(let number): return number
        case .real(let number): return Double(number)
        case .int(let number): return Double(number)
        case .bit(let flag): return flag ? 1 : 0
        case .decimal(let number): return number.double.value
        case .money(let amount): return TDSDecimal(amount).double.value
        case .string(let text):
            let trimmed = trim(text)
            if trimmed.isEmpty { return 0 }
            let allowed = trimmed.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || [43, 45, 46, 69, 101].contains($0) }
            guard allowed, let number = Double(trimmed) else { throw Messages.errorConverting(from.name, to.name) }
            if number.isInfinite { throw Messages.overflow(from.name, to.name) }
            return number
        case .datetime(let value): return Double(value.days) + Double(value.ticks) / Double(TDSDateTime.ticksPerDay)
        case .smalldatetime(let value): return Double(value.days) + Double(value.minutes) / 1440
        default: throw incompatible(from, to, isExplicit)
        }
    }

    static func bigEndian(_ bytes: some Collection<UInt8>) -> UInt64 {
        var number: UInt64 = 0
        for byte in bytes { number = number << 8 | UInt64(byte) }
        return number
    }
}
