import Foundation
import NIOCore
import TDSWire

/// Built-in scalar functions: strings, numbers, logic. Dates and metadata have their own files.
extension Compiler {
    func function(_ call: FunctionCall) throws -> Compiled {
        let name = call.name.uppercased()
        if call.over != nil { return try windowReference(call) }
        if !call.prefix.isEmpty {
            // Schema-qualified: a few of sys; user functions there are none.
            if call.prefix.last?.lowercased() == "sys" {
                if let found = try metadataFunction(name, call) { return found }
            }
            let full = (call.prefix + [call.name]).joined(separator: ".")
            throw SQLServerMessage(
                number: 4121, severity: 16,
                text: "Cannot find either column \"\(call.prefix.first ?? "")\" or the user-defined function or aggregate \"\(full)\", or the name is ambiguous.")
        }
        if let kind = Aggregate.names[name] { return try aggregate(call, kind) }
        if let found = try dateFunction(name, call) { return found }
        if let found = try stringFunction(name, call) { return found }
        if let found = try mathFunction(name, call) { return found }
        if let found = try logicFunction(name, call) { return found }
        if let found = try metadataFunction(name, call) { return found }
        throw Messages.notAFunction(call.name)
    }

    // MARK: Helpers

    func arguments(_ call: FunctionCall, _ range: ClosedRange<Int>) throws -> [Compiled] {
        guard range.contains(call.arguments.count) else {
            throw range.lowerBound == range.upperBound
                ? Messages.functionArguments(call.name.lowercased(), range.lowerBound)
                : Messages.functionArguments(call.name.lowercased(), from: range.lowerBound, to: range.upperBound)
        }
        return try call.arguments.map { try compile($0) }
    }
    /// As text: character types stay what they are.
    func text(_ value: Compiled) -> Compiled {
        value.type.isCharacter ? value : value.converted(to: SQLType(value.type.isBinary ? .varchar : .nvarchar, length: value.type.isBinary ? 8000 : 4000), environment: environment)
    }
    func int(_ value: Compiled) -> () throws -> SQLValue { value.converted(to: .bigint, environment: environment).eval }
    func stringType(like value: Compiled, length: Int? = nil) -> SQLType {
        let unicode = value.type.isUnicode
        let own = value.type.isMax || value.type.kind == .text || value.type.kind == .ntext ? -1 : max(1, value.type.length)
        return SQLType(unicode ? .nvarchar : .varchar, length: length ?? own, collation: value.type.collation)
    }
    func unary(_ value: Compiled, _ type: SQLType, _ body: @escaping (SQLValue) throws -> SQLValue) -> Compiled {
        let eval = value.eval
        if let constant = value.constant, let folded = try? constant.isNull ? .null : body(constant) { return .constant(folded, type) }
        return Compiled(type: type, isNullable: value.isNullable) {
            let input = try eval()
            return input.isNull ? .null : try body(input)
        }
    }

    // MARK: Strings

    private func stringFunction(_ name: String, _ call: FunctionCall) throws -> Compiled? {
        switch name {
        case "LEN":
            let a = text(try arguments(call, 1...1)[0])
            return unary(a, a.type.isMax ? .bigint : .int) { value in
                guard case .string(let text) = value else { return .null }
                var units = Array(text.utf16)[...]
                while units.last == 32 { units.removeLast() }
                return .int(Int64(units.count))
            }
        case "DATALENGTH":
            let a = try arguments(call, 1...1)[0]
            let type = settled(a.type)
            return unary(a, type.isMax ? .bigint : .int) { value in
                switch value {
                case .string(let text): return .int(Int64(type.size(of: text) * (type.isUnicode ? 2 : 1)))
                case .binary(let bytes): return .int(Int64(bytes.count))
                case .variant(let inner, .string(let text)): return .int(Int64(inner.isUnicode ? text.utf16.count * 2 : text.utf8.count))
                case .variant(let inner, _): return .int(Int64(inner.maxLength))
                default: return .int(Int64(type.maxLength))
                }
            }
        case "UPPER", "LOWER", "LTRIM", "RTRIM", "TRIM", "REVERSE":
            let list = try arguments(call, 1...(name.hasSuffix("TRIM") ? 2 : 1))
            let a = text(list[0])
            var characters: Set<Unicode.Scalar> = [" "]
            if list.count > 1, case .string(let set)? = list[1].constant { characters = Set(set.unicodeScalars) }
            return unary(a, stringType(like: a)) { value in
                guard case .string(let text) = value else { return .null }
                switch name {
                case "UPPER": return .string(text.uppercased())
                case "LOWER": return .string(text.lowercased())
                case "REVERSE": return .string(String(text.reversed()))
                default:
                    var view = Substring(text).unicodeScalars
                    if name != "RTRIM" { while let first = view.first, characters.contains(first) { view.removeFirst() } }
                    if name != "LTRIM" { while let last = view.last, characters.contains(last) { view.removeLast() } }
                    return .string(String(view))
                }
            }
        case "LEFT", "RIGHT":
            let list = try arguments(call, 2...2)
            let a = text(list[0]), count = int(list[1])
            var type = stringType(like: a)
            if case .int(let number)? = list[1].constant, number > 0, type.length > 0 { type.length = min(type.length, Int(clamping: number)) }
            return Compiled(type: type) {
                guard case .string(let text) = try a.eval(), case .int(let number) = try count() else { return .null }
                if number < 0 { throw Messages.invalidParameter(name.lowercased()) }
                let units = Array(text.utf16)
                let part = name == "LEFT" ? units.prefix(Int(clamping: number)) : units.suffix(Int(clamping: number))
                return .string(String(decoding: part, as: UTF16.self))
            }
        case "SUBSTRING":
            let list = try arguments(call, 2...3)
            let from = int(list[1])
            let count = list.count > 2 ? int(list[2]) : { .int(Int64.max / 2) }
            if list[0].type.isBinary {
                return Compiled(type: .varbinary(list[0].type.isMax ? -1 : max(1, list[0].type.length))) {
                    guard case .binary(let bytes) = try list[0].eval(), case .int(let start) = try from(), case .int(let length) = try count() else { return .null }
                    if length < 0 { throw Messages.invalidParameter("substring") }
                    let low = max(0, start - 1), high = max(low, min(Int64(bytes.count), start - 1 + length))
                    return .binary(low < bytes.count ? Array(bytes[Int(low)..<Int(high)]) : [])
                }
            }
            let a = text(list[0])
            var type = stringType(like: a)
            if list.count > 2, case .int(let number)? = list[2].constant, number > 0, type.length > 0 { type.length = min(type.length, Int(clamping: number)) }
            return Compiled(type: type) {
                guard case .string(let text) = try a.eval(), case .int(let start) = try from(), case .int(let length) = try count() else { return .null }
                if length < 0 { throw Messages.invalidParameter("substring") }
                let units = Array(text.utf16)
                let low = max(0, start - 1), high = max(low, min(Int64(units.count), start - 1 + length))
                return .string(low < units.count ? String(decoding: units[Int(low)..<Int(high)], as: UTF16.self) : "")
            }
        case "CHARINDEX", "PATINDEX":
            let list = try arguments(call, name == "CHARINDEX" ? 2...3 : 2...2)
            let needle = text(list[0]), hay = text(list[1])
            let from = list.count > 2 ? int(list[2]) : { .int(1) }
            let used = hay.type.collation ?? needle.type.collation ?? collation
            let unicode = hay.type.isUnicode
            return Compiled(type: hay.type.isMax ? .bigint : .int) {
                guard case .string(let wanted) = try needle.eval(), case .string(let content) = try hay.eval(), case .int(let start) = try from() else { return .null }
                let characters = Array(content)
                if name == "PATINDEX" {
                    let anchored = !wanted.hasPrefix("%")
                    let pattern = LikePattern(anchored ? wanted : String(wanted.dropFirst()), escape: nil, collation: used, unicode: unicode)
                    for index in 0...max(0, characters.count) {
                        if pattern.matches(String(characters[min(index, characters.count)...])) { return .int(Int64(index + 1)) }
                        if anchored { break }
                    }
                    return .int(0)
                }
                let target = Array(wanted)
                if target.isEmpty { return .int(0) }
                var index = Int(max(1, start)) - 1
                while index + target.count <= characters.count {
                    let part = String(characters[index..<(index + target.count)])
                    if CollationKeys.compare(part, wanted, used, unicode: unicode) == 0 { return .int(Int64(index + 1)) }
                    index += 1
                }
                return .int(0)
            }
        case "REPLACE":
            let list = try arguments(call, 3...3).map { text($0) }
            let used = list[0].type.collation ?? collation
            let type = SQLType(list[0].type.isUnicode || list[2].type.isUnicode ? .nvarchar : .varchar, length: list[0].type.isMax ? -1 : list[0].type.isUnicode ? 4000 : 8000, collation: list[0].type.collation)
            return Compiled(type: type) {
                guard case .string(let content) = try list[0].eval(), case .string(let wanted) = try list[1].eval(), case .string(let with) = try list[2].eval() else { return .null }
                if wanted.isEmpty { return .string(content) }
                if !used.ignoresCase { return .string(content.replacingOccurrences(of: wanted, with: with)) }
                return .string(content.replacingOccurrences(of: wanted, with: with, options: [.caseInsensitive]))
            }
        case "REPLICATE", "SPACE":
            let list = try arguments(call, name == "SPACE" ? 1...1 : 2...2)
            let a = name == "SPACE" ? Compiled.constant(.string(" "), .varchar(1)) : text(list[0])
            let count = int(list[list.count - 1])
            return Compiled(type: stringType(like: a, length: a.type.isMax ? -1 : a.type.isUnicode ? 4000 : 8000)) {
                guard case .string(let text) = try a.eval(), case .int(let number) = try count(), number >= 0 else { return .null }
                let limit = a.type.isMax ? Int.max : (a.type.isUnicode ? 4000 : 8000) / max(1, text.utf16.count) + 1
                let repeated = String(repeating: text, count: min(Int(clamping: number), limit))
                return .string(Conversion.fit(repeated, SQLType(.nvarchar, length: a.type.isMax ? -1 : a.type.isUnicode ? 4000 : 8000)))
            }
        case "STUFF":
            let list = try arguments(call, 4...4)
            let a = text(list[0]), from = int(list[1]), count = int(list[2]), with = text(list[3])
            return Compiled(type: stringType(like: a, length: a.type.isUnicode ? 4000 : 8000)) {
                guard case .string(let content) = try a.eval(), case .int(let start) = try from(), case .int(let length) = try count() else { return .null }
                let units = Array(content.utf16)
                guard start >= 1, start <= units.count, length >= 0 else { return .null }
                var insert = ""
                if case .string(let text) = try with.eval() { insert = text }
                let end = min(units.count, Int(start) - 1 + Int(clamping: length))
                return .string(String(decoding: units[..<(Int(start) - 1)], as: UTF16.self) + insert + String(decoding: units[end...], as: UTF16.self))
            }
        case "CONCAT", "CONCAT_WS":
            guard call.arguments.count >= 2 else { throw Messages.functionArguments(call.name.lowercased(), from: 2, to: 254) }
            let list = try call.arguments.map { text(try compile($0)) }
            let unicode = list.contains { $0.type.isUnicode }
            let isMax = list.contains { $0.type.isMax }
            let total = list.reduce(0) { $0 + max(0, $1.type.length) }
            return Compiled(type: SQLType(unicode ? .nvarchar : .varchar, length: isMax ? -1 : min(unicode ? 4000 : 8000, max(1, total))), isNullable: false) {
                var parts: [String] = []
                for item in list { if case .string(let text) = try item.eval() { parts.append(text) } else if name == "CONCAT" || parts.isEmpty { parts.append("") } }
                if name == "CONCAT" { return .string(parts.joined()) }
                return .string(parts.dropFirst().joined(separator: parts.first ?? ""))
            }
        case "ASCII", "UNICODE":
            let a = text(try arguments(call, 1...1)[0])
            let used = a.type.collation ?? collation
            return unary(a, .int) { value in
                guard case .string(let text) = value, let first = text.unicodeScalars.first else { return .null }
                if name == "UNICODE" { return .int(Int64(text.utf16.first ?? 0)) }
                return .int(Int64(used.codePage.storing(String(first)).readableBytesView.first ?? 63))
            }
        case "CHAR", "NCHAR":
            let a = try arguments(call, 1...1)[0]
            let number = int(a)
            let used = collation
            return Compiled(type: SQLType(name == "CHAR" ? .char : .nchar, length: 1)) {
                guard case .int(let code) = try number() else { return .null }
                if name == "CHAR" { return code >= 0 && code <= 255 ? .string(used.codePage.string([UInt8(code)].span.bytes)) : .null }
                return code >= 0 && code <= 65535 ? .string(String(decoding: [UInt16(code)], as: UTF16.self)) : .null
            }
        case "QUOTENAME":
            let list = try arguments(call, 1...2)
            let a = text(list[0])
            let quote = list.count > 1 ? text(list[1]).eval : { .string("[") }
            return Compiled(type: .nvarchar(258)) {
                guard case .string(let content) = try a.eval(), case .string(let mark) = try quote(), content.utf16.count <= 128 else { return .null }
                switch mark {
                case "[", "]", "": return .string("[" + content.replacingOccurrences(of: "]", with: "]]") + "]")
                case "'": return .string("'" + content.replacingOccurrences(of: "'", with: "''") + "'")
                case "\"": return .string("\"" + content.replacingOccurrences(of: "\"", with: "\"\"") + "\"")
                case "(", ")": return .string("(" + content.replacingOccurrences(of: ")", with: "))") + ")")
                case "{", "}": return .string("{" + content.replacingOccurrences(of: "}", with: "}}") + "}")
                default: return .null
                }
            }
        case "STR":
            let list = try arguments(call, 1...3)
            let number = list[0].converted(to: .float, environment: environment).eval
            let width = list.count > 1 ? int(list[1]) : { .int(10) }
            let places = list.count > 2 ? int(list[2]) : { .int(0) }
            return Compiled(type: .varchar(8000)) {
                guard case .float(let value) = try number(), case .int(let total) = try width(), case .int(let decimals) = try places() else { return .null }
                let text = String(format: "%.\(min(16, max(0, decimals)))f", value)
                return .string(text.count > total ? String(repeating: "*", count: Int(total)) : String(repeating: " ", count: Int(total) - text.count) + text)
            }
        case "FORMATMESSAGE": return nil
        case "STRING_ESCAPE":
            let a = text(try arguments(call, 2...2)[0])
            return unary(a, .nvarchar(-1)) { value in
                guard case .string(let text) = value else { return .null }
                var out = ""
                for scalar in text.unicodeScalars {
                    switch scalar {
                    case "\"": out += "\\\""
                    case "\\": out += "\\\\"
                    case "/": out += "\\/"
                    case "\n": out += "\\n"
                    case "\r": out += "\\r"
                    case "\t": out += "\\t"
                    default: out.unicodeScalars.append(scalar)
                    }
                }
                return .string(out)
            }
        case "HASHBYTES", "SOUNDEX", "DIFFERENCE", "TRANSLATE": return nil
        case "CHECKSUM", "BINARY_CHECKSUM":
            let list = try call.arguments.map { try compile($0) }
            return Compiled(type: .int, isNullable: false) {
                var hash: UInt32 = 0
                for item in list {
                    var key: [UInt8] = []
                    NormalizedKey.append(try item.eval(), self.settled(item.type), descending: false, to: &key)
                    for byte in key { hash = (hash << 4 | hash >> 28) ^ UInt32(byte) }
                }
                return .int(Int64(Int32(bitPattern: hash)))
            }
        default: return nil
        }
    }

    // MARK: Numbers

    private func mathFunction(_ name: String, _ call: FunctionCall) throws -> Compiled? {
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

    // MARK: Logic

    private func logicFunction(_ name: String, _ call: FunctionCall) throws -> Compiled? {
        switch name {
        case "ISNULL":
            let list = try arguments(call, 2...2)
            // The first argument decides the type.
            let type = list[0].type.kind == .null ? list[1].type : list[0].type
            let first = list[0].eval, second = list[1].converted(to: settled(type), environment: environment).eval
            return Compiled(type: type, isNullable: list[0].isNullable && list[1].isNullable) {
                let value = try first()
                return value.isNull ? try second() : value
            }
        case "COALESCE":
            guard call.arguments.count >= 2 else { throw Messages.syntax(")", line: 0) }
            let list = try call.arguments.map { try compile($0) }
            let type = try unified(list)
            let values = list.map { $0.converted(to: type, environment: environment).eval }
            return Compiled(type: type, isNullable: list.allSatisfy { $0.isNullable }) {
                for value in values {
                    let result = try value()
                    if !result.isNull { return result }
                }
                return .null
            }
        case "NULLIF":
            guard call.arguments.count == 2 else { throw Messages.functionArguments("nullif", 2) }
            let value = try compile(call.arguments[0])
            let same = try compilePredicate(.compare(.equal, call.arguments[0], call.arguments[1]))
            return Compiled(type: value.type) { try same() == true ? .null : try value.eval() }
        case "IIF":
            guard call.arguments.count == 3 else { throw Messages.functionArguments("iif", 3) }
            return try compile(.caseWhen(operand: nil, [CaseBranch(condition: call.arguments[0], result: call.arguments[1])], otherwise: call.arguments[2]))
        case "CHOOSE":
            guard call.arguments.count >= 2 else { throw Messages.functionArguments("choose", from: 2, to: 255) }
            let index = int(try compile(call.arguments[0]))
            let list = try call.arguments.dropFirst().map { try compile($0) }
            let type = try unified(list)
            let values = list.map { $0.converted(to: type, environment: environment).eval }
            return Compiled(type: type) {
                guard case .int(let number) = try index(), number >= 1, number <= values.count else { return .null }
                return try values[Int(number) - 1]()
            }
        case "GREATEST", "LEAST":
            let list = try call.arguments.map { try compile($0) }
            guard !list.isEmpty else { throw Messages.functionArguments(name.lowercased(), from: 1, to: 254) }
            let type = settled(try unified(list))
            let values = list.map { $0.converted(to: type, environment: environment).eval }
            return Compiled(type: type) {
                var best = SQLValue.null
                for value in values {
                    let candidate = try value()
                    if candidate.isNull { continue }
                    if let order = Comparison.compare(candidate, best, type) {
                        if name == "GREATEST" ? order > 0 : order < 0 { best = candidate }
                    } else {
                        best = candidate
                    }
                }
                return best
            }
        case "ISNUMERIC":
            let a = try arguments(call, 1...1)[0]
            return Compiled(type: .int, isNullable: false) {
                switch try a.eval() {
                case .int, .bit, .decimal, .money, .float, .real: return .int(1)
                case .string(let text):
                    let trimmed = Conversion.trim(text)
                    let isMoney = (try? Conversion.convert(.string(trimmed), from: .varchar(50), to: .money)) != nil
                    return .int(!trimmed.isEmpty && (Double(trimmed) != nil || isMoney) ? 1 : 0)
                default: return .int(0)
                }
            }
        case "NEWID":
            return Compiled(type: .uniqueidentifier, isNullable: false) {
                var generator = SystemRandomNumberGenerator()
                // Version 4, variant 1.
                return .uniqueidentifier(
                    TDSGUID(
                        high: generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low: generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000))
            }
        case "NEWSEQUENTIALID":
            let server = environment.session.server
            return Compiled(type: .uniqueidentifier, isNullable: false) {
                let number = UInt32(truncatingIfNeeded: server.sequentialIDs.take())
                return .uniqueidentifier(TDSGUID(high: UInt64(number) << 32 | 0x5B3D_11EF, low: 0x8A01_0015_5D01_0203))
            }
        case "SQL_VARIANT_PROPERTY":
            let list = try arguments(call, 2...2)
            return Compiled(type: SQLType(.variant)) {
                guard case .string(let property) = try list[1].eval() else { return .null }
                var value = try list[0].eval(), type = list[0].type
                if case .variant(let inner, let content) = value {
                    type = inner
                    value = content
                }
                if value.isNull { return .null }
                switch property.lowercased() {
                case "basetype": return .variant(.sysname, .string(type.name))
                case "precision": return .variant(.int, .int(Int64(type.catalogPrecision)))
                case "scale": return .variant(.int, .int(Int64(type.catalogScale)))
                case "maxlength": return .variant(.int, .int(Int64(type.maxLength)))
                case "collation": return type.isCharacter ? .variant(.sysname, .string((type.collation ?? .default).name)) : .null
                default: return .null
                }
            }
        case "HIERARCHYID::PARSE":
            let a = text(try arguments(call, 1...1)[0])
            return a.converted(to: SQLType(.hierarchyid), environment: environment)
        case "HIERARCHYID::GETROOT": return .constant(.binary([]), SQLType(.hierarchyid))
        default: return nil
        }
    }
}
