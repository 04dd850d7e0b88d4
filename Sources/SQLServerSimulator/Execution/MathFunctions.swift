import Foundation
import TDSWire

/// Mathematical functions.
extension Compiler {
    func mathFunction(_ name: String, _ call: FunctionCall) throws -> Compiled? {
        func float(_ body: @escaping (Double) -> Double) throws -> Compiled {
            let a = try arguments(call, 1...1)[0].converted(to: .float, environment: environment)
            return unary(a, .float) { value in
                guard case .float(let number) = value else { return .null }
                let result = body(number)
                if result.isNaN || result.isInfinite { throw Messages.invalidFloat }
                return .float(result)
            }
        }
        switch name {
        case "ABS", "CEILING", "FLOOR", "SIGN":
            var a = try arguments(call, 1...1)[0]
            if a.type.isCharacter { a = a.converted(to: .float, environment: environment) }
            if a.type.kind == .tinyint || a.type.kind == .smallint || a.type.kind == .bit { a = a.converted(to: .int, environment: environment) }
            var type = a.type
            type.precision = type.isDecimal ? type.precision : 0
            if type.isDecimal, name == "CEILING" || name == "FLOOR" { type.scale = 0 }
            let result = type
            return unary(a, result) { value in
                switch value {
                case .int(let number):
                    if name == "SIGN" { return .int(number.signum()) }
                    if name == "ABS" {
                        if !Conversion.range(result.kind).contains(number == Int64.min ? 0 : -number) || number == Int64.min { throw Messages.overflow("expression", result.name) }
                        return .int(abs(number))
                    }
                    return value
                case .decimal(let number):
                    switch name {
                    case "ABS": return .decimal(number.absolute)
                    case "SIGN":
                        guard let sign = TDSDecimal(integer: Int64(number.unscaled.signum())).scaled(to: number.scale) else { throw Messages.overflow("expression", "numeric") }
                        return .decimal(sign)
                    default: return .decimal(number.rounded(up: name == "CEILING"))
                    }
                case .money(let amount):
                    let number = TDSDecimal(amount)
                    let changed: TDSDecimal
                    switch name {
                    case "ABS": changed = number.absolute
                    case "SIGN": changed = TDSDecimal(integer: amount.tenThousandths.signum())
                    default: changed = number.rounded(up: name == "CEILING")
                    }
                    guard let result = try? TDSMoney.rounding(changed).value else { throw Messages.overflow("expression", result.name) }
                    return .money(result)
                case .float(let number):
                    switch name {
                    case "ABS": return .float(abs(number))
                    case "SIGN": return .float(number > 0 ? 1 : number < 0 ? -1 : 0)
                    case "FLOOR": return .float(number.rounded(.down))
                    default: return .float(number.rounded(.up))
                    }
                case .real(let number):
                    switch name {
                    case "ABS": return .real(abs(number))
                    case "SIGN": return .real(number > 0 ? 1 : number < 0 ? -1 : 0)
                    case "FLOOR": return .real(number.rounded(.down))
                    default: return .real(number.rounded(.up))
                    }
                default: throw Messages.invalidForOperator(result.name, name.lowercased())
                }
            }
        case "ROUND":
            let list = try arguments(call, 2...3)
            var a = list[0]
            if a.type.isCharacter { a = a.converted(to: .float, environment: environment) }
            if a.type.kind == .tinyint || a.type.kind == .smallint { a = a.converted(to: .int, environment: environment) }
            let places = int(list[1])
            let mode = list.count > 2 ? int(list[2]) : { .int(0) }
            let type = a.type
            return Compiled(type: type) {
                guard case .int(let digits) = try places(), case .int(let cut) = try mode() else { return .null }
                func rounded(_ number: TDSDecimal) throws -> TDSDecimal {
                    guard let result = number.rounded(places: digits, truncating: cut != 0) else { throw Messages.overflow("expression", type.name) }
                    return result
                }
                switch try a.eval() {
                case .decimal(let number): return .decimal(try rounded(number))
                case .int(let number):
                    guard let result = Int64(exactly: try rounded(TDSDecimal(integer: number))), Conversion.range(type.kind).contains(result) else {
                        throw Messages.overflow("expression", type.name)
                    }
                    return .int(result)
                case .money(let amount):
                    guard let result = try? TDSMoney.rounding(rounded(TDSDecimal(amount))).value else { throw Messages.overflow("expression", type.name) }
                    return .money(result)
                case .float(let number):
                    let factor = pow(10, Double(digits))
                    return .float(cut == 0 ? (number * factor).rounded() / factor : (number * factor).rounded(.towardZero) / factor)
                case .real(let number):
                    let factor = pow(10, Double(digits))
                    return .real(Float(cut == 0 ? (Double(number) * factor).rounded() / factor : (Double(number) * factor).rounded(.towardZero) / factor))
                default: return .null
                }
            }
        case "SQRT": return try float { $0.squareRoot() }
        case "SQUARE": return try float { $0 * $0 }
        case "EXP": return try float { exp($0) }
        case "LOG10": return try float { log10($0) }
        case "SIN": return try float { sin($0) }
        case "COS": return try float { cos($0) }
        case "TAN": return try float { tan($0) }
        case "ASIN": return try float { asin($0) }
        case "ACOS": return try float { acos($0) }
        case "ATAN": return try float { atan($0) }
        case "DEGREES": return try float { $0 * 180 / .pi }
        case "RADIANS": return try float { $0 * .pi / 180 }
        case "PI":
            _ = try arguments(call, 0...0)
            return .constant(.float(.pi), .float)
        case "LOG":
            let list = try arguments(call, 1...2).map { $0.converted(to: .float, environment: environment).eval }
            return Compiled(type: .float) {
                guard case .float(let number) = try list[0]() else { return .null }
                if number <= 0 { throw Messages.invalidFloat }
                if list.count > 1 {
                    guard case .float(let base) = try list[1]() else { return .null }
                    return .float(log(number) / log(base))
                }
                return .float(log(number))
            }
        case "POWER":
            let list = try arguments(call, 2...2)
            let base = list[0].converted(to: .float, environment: environment).eval, exponent = list[1].converted(to: .float, environment: environment).eval
            let type = list[0].type.isCharacter ? .float : list[0].type.kind == .tinyint || list[0].type.kind == .smallint ? .int : list[0].type
            return Compiled(type: type) {
                guard case .float(let a) = try base(), case .float(let b) = try exponent() else { return .null }
                return try Conversion.convert(.float(pow(a, b).rounded(.toNearestOrAwayFromZero) == pow(a, b) || type.kind == .float ? pow(a, b) : pow(a, b)), from: .float, to: type)
            }
        case "RAND":
            _ = try arguments(call, 0...1)
            return Compiled(type: .float, isNullable: false) { .float(Double.random(in: 0..<1)) }
        default: return nil
        }
    }
}
