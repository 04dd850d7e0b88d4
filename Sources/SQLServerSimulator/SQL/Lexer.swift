import TDSWire

/// A token of T-SQL. Text lies in the source; only what must be unescaped or interpreted is decoded.
enum Token: Equatable {
    case end
    /// A regular identifier or keyword.
    case word(String)
    /// A delimited identifier: `[x]` or `"x"`.
    case quoted(String)
    /// `@x` and `@@x`, with the signs.
    case variable(String)
    case string(String, unicode: Bool)
    /// A number without exponent: `1`, `1.50`.
    case number(String)
    /// A number with exponent: a float.
    case floatNumber(String)
    /// `$1.50`.
    case moneyNumber(String)
    case binary([UInt8])
    /// Operators and punctuation.
    case symbol(Symbol)
}

enum Symbol: String {
    case comma = ",", dot = ".", open = "(", close = ")", semicolon = ";", star = "*", plus = "+", minus = "-", slash = "/", percent = "%"
    case equal = "=", less = "<", greater = ">", lessEqual = "<=", greaterEqual = ">=", notEqual = "<>", bangEqual = "!=", notLess = "!<", notGreater = "!>"
    case ampersand = "&", bar = "|", caret = "^", tilde = "~", colon = ":", doubleColon = "::"
    case plusEqual = "+=", minusEqual = "-=", starEqual = "*=", slashEqual = "/=", percentEqual = "%=", andEqual = "&=", orEqual = "|=", xorEqual = "^="
    case openBrace = "{", closeBrace = "}"
}

/// Splits a batch into tokens, one at a time.
struct Lexer {
    let source: [UInt8]
    private(set) var position = 0
    /// Line of `position`, from 1.
    private(set) var line: Int32 = 1
    /// SET QUOTED_IDENTIFIER.
    var quotedIdentifiers = true

    init(_ text: String, quotedIdentifiers: Bool = true) {
        source = Array(text.utf8)
        self.quotedIdentifiers = quotedIdentifiers
    }

    private func at(_ offset: Int) -> UInt8 {
        let index = position + offset
        return index < source.count ? source[index] : 0
    }

    func text(from start: Int, to end: Int) -> String {
        guard start < end, end <= source.count else { return "" }
        return String(decoding: source[start..<end], as: UTF8.self)
    }

    private mutating func skipBlanks() throws {
        while position < source.count {
            let character = source[position]
            switch character {
            case 10:
                line += 1
                position += 1
            case 9, 11, 12, 13, 32: position += 1
            case UInt8(ascii: "-") where at(1) == UInt8(ascii: "-"):
                while position < source.count, source[position] != 10 { position += 1 }
            case UInt8(ascii: "/") where at(1) == UInt8(ascii: "*"):
                var depth = 0
                repeat {
                    if position >= source.count { throw Messages.missingEndComment(line: line) }
                    if source[position] == UInt8(ascii: "/"), at(1) == UInt8(ascii: "*") {
                        depth += 1
                        position += 2
                    } else if source[position] == UInt8(ascii: "*"), at(1) == UInt8(ascii: "/") {
                        depth -= 1
                        position += 2
                    } else {
                        if source[position] == 10 { line += 1 }
                        position += 1
                    }
                } while depth > 0
            case 0xC2 where at(1) == 0xA0: position += 2
            case 0xEF where at(1) == 0xBB && at(2) == 0xBF: position += 3
            default: return
            }
        }
    }

    private static func isWordStart(_ c: UInt8) -> Bool {
        (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c == 95 || c == 35 || c >= 0x80
    }
    private static func isWordPart(_ c: UInt8) -> Bool {
        isWordStart(c) || (c >= 48 && c <= 57) || c == 36 || c == 64
    }
    private static func isDigit(_ c: UInt8) -> Bool { c >= 48 && c <= 57 }

    /// The next token; `.end` at the end.
    mutating func next() throws -> Token {
        try skipBlanks()
        guard position < source.count else { return .end }
        let c = source[position]
        switch c {
        case UInt8(ascii: "'"):
            return .string(try delimited(UInt8(ascii: "'"), opening: 1), unicode: false)
        case UInt8(ascii: "N"), UInt8(ascii: "n"):
            if at(1) == UInt8(ascii: "'") { return .string(try delimited(UInt8(ascii: "'"), opening: 2), unicode: true) }
            return word()
        case UInt8(ascii: "["):
            return .quoted(try delimited(UInt8(ascii: "]"), opening: 1))
        case UInt8(ascii: "\""):
            let text = try delimited(UInt8(ascii: "\""), opening: 1)
            return quotedIdentifiers ? .quoted(text) : .string(text, unicode: false)
        case UInt8(ascii: "@"):
            let start = position
            position += 1
            while position < source.count, Lexer.isWordPart(source[position]) { position += 1 }
            return .variable(text(from: start, to: position))
        case UInt8(ascii: "$"):
            if Lexer.isDigit(at(1)) || (at(1) == UInt8(ascii: "-") && Lexer.isDigit(at(2))) || (at(1) == UInt8(ascii: ".") && Lexer.isDigit(at(2))) {
                position += 1
                let start = position
                if source[position] == UInt8(ascii: "-") { position += 1 }
                while position < source.count, Lexer.isDigit(source[position]) || source[position] == UInt8(ascii: ".") { position += 1 }
                return .moneyNumber(text(from: start, to: position))
            }
            let start = position
            position += 1
            while position < source.count, Lexer.isWordPart(source[position]) { position += 1 }
            return .word(text(from: start, to: position))
        case UInt8(ascii: "0") where at(1) == UInt8(ascii: "x") || at(1) == UInt8(ascii: "X"):
            return hexadecimal()
        case _ where Lexer.isDigit(c) || (c == UInt8(ascii: ".") && Lexer.isDigit(at(1))):
            return number()
        case _ where Lexer.isWordStart(c):
            return word()
        default:
            return try symbol()
        }
    }

    private mutating func word() -> Token {
        let start = position
        position += 1
        while position < source.count, Lexer.isWordPart(source[position]) { position += 1 }
        return .word(text(from: start, to: position))
    }

    private mutating func hexadecimal() -> Token {
        position += 2
        var digits: [UInt8] = []
        while position < source.count {
            if let digit = source[position].hexDigitValue {
                digits.append(digit)
                position += 1
            } else if source[position] == UInt8(ascii: "\\"), at(1) == 10 || (at(1) == 13 && at(2) == 10) {
                position += at(1) == 10 ? 2 : 3
                line += 1
            } else {
                break
            }
        }
        if digits.count % 2 == 1 { digits.insert(0, at: 0) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        var index = 0
        while index < digits.count {
            bytes.append(digits[index] << 4 | digits[index + 1])
            index += 2
        }
        return .binary(bytes)
    }

    private mutating func number() -> Token {
        let start = position
        var point = false
        while position < source.count {
            if Lexer.isDigit(source[position]) {
                position += 1
            } else if source[position] == UInt8(ascii: "."), !point {
                point = true
                position += 1
            } else {
                break
            }
        }
        if position < source.count, source[position] | 0x20 == UInt8(ascii: "e") {
            let end = position
            position += 1
            if position < source.count, source[position] == UInt8(ascii: "+") || source[position] == UInt8(ascii: "-") { position += 1 }
            while position < source.count, Lexer.isDigit(source[position]) { position += 1 }
            var digits = text(from: start, to: position)
            if !Lexer.isDigit(source[position - 1]) { digits = text(from: start, to: end) }
            return .floatNumber(digits)
        }
        return .number(text(from: start, to: position))
    }

    /// Reads to the closing character; a doubled one stands for itself.
    private mutating func delimited(_ close: UInt8, opening: Int) throws -> String {
        let begin = position
        let firstLine = line
        position += opening
        var start = position
        var parts: [UInt8]?
        while position < source.count {
            let c = source[position]
            if c == close {
                if at(1) == close {
                    parts = (parts ?? []) + source[start...position]
                    position += 2
                    start = position
                    continue
                }
                let end = position
                position += 1
                if var parts {
                    parts += source[start..<end]
                    return String(decoding: parts, as: UTF8.self)
                }
                return text(from: start, to: end)
            }
            if c == 10 { line += 1 }
            position += 1
        }
        throw Messages.unclosedQuote(text(from: begin + opening, to: source.count), line: firstLine)
    }

    private mutating func symbol() throws -> Token {
        let c = source[position], n = at(1)
        func pair(_ symbol: Symbol) -> (Symbol, Int) { (symbol, 2) }
        let found: (Symbol, Int)
        let equals = n == UInt8(ascii: "=")
        switch c {
        case UInt8(ascii: ","): found = (.comma, 1)
        case UInt8(ascii: "."): found = (.dot, 1)
        case UInt8(ascii: "("): found = (.open, 1)
        case UInt8(ascii: ")"): found = (.close, 1)
        case UInt8(ascii: ";"): found = (.semicolon, 1)
        case UInt8(ascii: "*"): found = equals ? pair(.starEqual) : (.star, 1)
        case UInt8(ascii: "+"): found = equals ? pair(.plusEqual) : (.plus, 1)
        case UInt8(ascii: "-"): found = equals ? pair(.minusEqual) : (.minus, 1)
        case UInt8(ascii: "/"): found = equals ? pair(.slashEqual) : (.slash, 1)
        case UInt8(ascii: "%"): found = equals ? pair(.percentEqual) : (.percent, 1)
        case UInt8(ascii: "&"): found = equals ? pair(.andEqual) : (.ampersand, 1)
        case UInt8(ascii: "|"): found = equals ? pair(.orEqual) : (.bar, 1)
        case UInt8(ascii: "^"): found = equals ? pair(.xorEqual) : (.caret, 1)
        case UInt8(ascii: "~"): found = (.tilde, 1)
        case UInt8(ascii: "="): found = (.equal, 1)
        case UInt8(ascii: "<"): found = equals ? pair(.lessEqual) : n == UInt8(ascii: ">") ? pair(.notEqual) : (.less, 1)
        case UInt8(ascii: ">"): found = equals ? pair(.greaterEqual) : (.greater, 1)
        case UInt8(ascii: "!"):
            switch n {
            case UInt8(ascii: "="): found = pair(.bangEqual)
            case UInt8(ascii: "<"): found = pair(.notLess)
            case UInt8(ascii: ">"): found = pair(.notGreater)
            default: throw Messages.syntax("!", line: line)
            }
        case UInt8(ascii: ":"): found = n == UInt8(ascii: ":") ? pair(.doubleColon) : (.colon, 1)
        case UInt8(ascii: "{"): found = (.openBrace, 1)
        case UInt8(ascii: "}"): found = (.closeBrace, 1)
        default: throw Messages.syntax(String(UnicodeScalar(c)), line: line)
        }
        position += found.1
        return .symbol(found.0)
    }
}

extension Token {
    /// How error 102 names it.
    var text: String {
        switch self {
        case .end: return ""
        case .word(let text), .quoted(let text), .variable(let text), .string(let text, _), .number(let text), .floatNumber(let text),
            .moneyNumber(let text):
            return text
        case .binary(let bytes): return Formatting.hex(bytes)
        case .symbol(let symbol): return symbol.rawValue
        }
    }
}
