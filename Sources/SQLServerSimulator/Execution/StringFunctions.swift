import Foundation
import NIOCore
import TDSWire

/// Functions on text.
extension Compiler {
    func stringFunction(_ name: String, _ call: FunctionCall) throws -> Compiled? {
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
}
