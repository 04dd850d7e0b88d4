// A strict RFC 8259 reader over bytes in memory. It can skip a value and hand out its bytes, so that embedded documents (configurations,
// states, schemas) are passed on as they came.

import OrderedCollections

/// Why bytes are not JSON, and where.
public struct JSONError: Error, CustomStringConvertible, Hashable, Sendable {
    /// What is wrong; never the text itself, which may hold a secret.
    public let reason: String
    /// The offset of the first byte that does not fit.
    public let offset: Int

    public var description: String { "invalid JSON at byte \(offset): \(reason)" }
}

/// Reads one JSON value from bytes, either into a `JSONValue` or member by member.
public struct JSONParser {
    /// How deep values may be nested: deeper ones are refused rather than risking the stack.
    public static let maximumDepth = 512

    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private var depth = 0

    /// A parser at the first of `bytes`.
    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        self.position = bytes.startIndex
    }

    public init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    // MARK: Reading

    /// Reads the next value. Throws `JSONError`.
    public mutating func value() throws(JSONError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"):
            var members = OrderedDictionary<String, JSONValue>()
            try object { (key, parser) throws(JSONError) in members[key] = try parser.value() }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try array { (parser) throws(JSONError) in elements.append(try parser.value()) }
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): try literal("true"); return .bool(true)
        case UInt8(ascii: "f"): try literal("false"); return .bool(false)
        case UInt8(ascii: "n"): try literal("null"); return .null
        default: return try number()
        }
    }

    /// Checks the next value and hands back its bytes as they are. Throws `JSONError`.
    public mutating func raw() throws(JSONError) -> RawJSON {
        _ = try peek()
        let start = position
        try skip()
        return RawJSON(unchecked: Array(bytes[start..<position]))
    }

    /// Checks the next value and passes over it. Throws `JSONError`.
    public mutating func skip() throws(JSONError) {
        switch try peek() {
        case UInt8(ascii: "{"): try object { (_, parser) throws(JSONError) in try parser.skip() }
        case UInt8(ascii: "["): try array { (parser) throws(JSONError) in try parser.skip() }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number()
        }
    }

    /// Whether the next value is `null`, which is then passed over.
    public mutating func null() throws(JSONError) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    /// Reads an object, calling `member` with each key; it has to read or skip that member's value. Throws `JSONError`.
    public mutating func object(_ member: (String, inout JSONParser) throws(JSONError) -> Void) throws(JSONError) {
        try enter(UInt8(ascii: "{"), "an object")
        if try peek() == UInt8(ascii: "}") { position += 1; depth -= 1; return }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw error("a member's name is expected") }
            let key = try string()
            guard try peek() == UInt8(ascii: ":") else { throw error("':' is expected") }
            position += 1
            try member(key, &self)
            if try separator(closing: UInt8(ascii: "}")) { break }
        }
        depth -= 1
    }

    /// Reads an array, calling `element` once for each; it has to read or skip it. Throws `JSONError`.
    public mutating func array(_ element: (inout JSONParser) throws(JSONError) -> Void) throws(JSONError) {
        try enter(UInt8(ascii: "["), "an array")
        if try peek() == UInt8(ascii: "]") { position += 1; depth -= 1; return }
        while true {
            try element(&self)
            if try separator(closing: UInt8(ascii: "]")) { break }
        }
        depth -= 1
    }

    /// Checks that nothing but white space is left. Throws `JSONError`.
    public mutating func end() throws(JSONError) {
        skipWhiteSpace()
        guard position == bytes.endIndex else { throw error("more follows the value") }
    }

    /// An error at the place the parser is at.
    public func error(_ reason: String) -> JSONError {
        JSONError(reason: reason, offset: position - bytes.startIndex)
    }

    // MARK: Lexical

    private mutating func skipWhiteSpace() {
        while position < bytes.endIndex {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func peek() throws(JSONError) -> UInt8 {
        skipWhiteSpace()
        guard position < bytes.endIndex else { throw error("it ends too early") }
        return bytes[position]
    }

    private mutating func enter(_ opening: UInt8, _ what: String) throws(JSONError) {
        guard try peek() == opening else { throw error("\(what) is expected") }
        guard depth < Self.maximumDepth else { throw error("it is nested more than \(Self.maximumDepth) deep") }
        position += 1
        depth += 1
    }

    /// Passes over ',' (false) or the closing bracket (true).
    private mutating func separator(closing: UInt8) throws(JSONError) -> Bool {
        let byte = try peek()
        guard byte == closing || byte == UInt8(ascii: ",") else { throw error("',' or a closing bracket is expected") }
        position += 1
        return byte == closing
    }

    private mutating func literal(_ text: StaticString) throws(JSONError) {
        let matches = text.withUTF8Buffer { expected in
            bytes.endIndex - position >= expected.count && bytes[position..<position + expected.count].elementsEqual(expected)
        }
        guard matches else { throw error("a value is expected") }
        position += text.utf8CodeUnitCount
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        var isInteger = true
        func isDigit(_ index: Int) -> Bool { index < bytes.endIndex && (0x30...0x39).contains(bytes[index]) }
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        guard isDigit(position) else { throw error("a value is expected") }
        if bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            while isDigit(position) { position += 1 }
        }
        if position < bytes.endIndex, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard isDigit(position) else { throw error("a digit is expected") }
            while isDigit(position) { position += 1 }
        }
        if position < bytes.endIndex, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.endIndex, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") { position += 1 }
            guard isDigit(position) else { throw error("a digit is expected") }
            while isDigit(position) { position += 1 }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        // "-0" is no Int64, and must be written back as it was.
        if isInteger, text != "-0", let value = Int64(text) { return .integer(value) }
        return .number(text)
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                guard let text = String(validating: bytes[start..<position], as: UTF8.self) else { throw error("a string is not UTF-8") }
                position += 1
                return text
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw error("a control character in a string")
            default: position += 1
            }
        }
        throw error("a string does not end")
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw error("a string is not UTF-8") }
                return string
            case UInt8(ascii: "\\"):
                guard position < bytes.endIndex else { throw error("a string does not end") }
                let escape = bytes[position]
                position += 1
                switch escape {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
                case UInt8(ascii: "b"): text.append(0x08)
                case UInt8(ascii: "f"): text.append(0x0C)
                case UInt8(ascii: "n"): text.append(0x0A)
                case UInt8(ascii: "r"): text.append(0x0D)
                case UInt8(ascii: "t"): text.append(0x09)
                case UInt8(ascii: "u"): text.append(contentsOf: try unicodeEscape().utf8)
                default: throw error("an unknown escape in a string")
                }
            case 0..<0x20: throw error("a control character in a string")
            default: text.append(byte)
            }
        }
        throw error("a string does not end")
    }

    /// A lone surrogate has no UTF-8 form: it becomes U+FFFD, as in most readers.
    private mutating func unicodeEscape() throws(JSONError) -> String {
        let first = try hexadecimal()
        if (0xD800..<0xDC00).contains(first), bytes.endIndex - position >= 6, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        {
            let mark = position
            position += 2
            let second = try hexadecimal()
            if (0xDC00..<0xE000).contains(second), let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)) {
                return String(scalar)
            }
            position = mark
        }
        return Unicode.Scalar(first).map { String($0) } ?? "\u{FFFD}"
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard bytes.endIndex - position >= 4 else { throw error("a string does not end") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: throw error("four hexadecimal digits are expected")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}

extension JSONValue {
    /// The value that `bytes` hold. Throws `JSONError` if they are not one JSON value.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes)
        self = try parser.value()
        try parser.end()
    }

    public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}
