// FoundationDB's tuple layer, the encoding of key positions in the saved state
// (https://github.com/apple/foundationdb/blob/main/design/tuple.md). Encoded tuples sort bytewise as their elements do.

/// An element of a tuple.
public enum TupleElement: Hashable, Sendable {
    case null
    case bytes([UInt8])
    case text(String)
    case nested([TupleElement])
    case integer(Int64)
    /// Integers beyond `Int64`, which the format knows up to eight bytes.
    case unsigned(UInt64)
    case float(Float)
    case double(Double)
    case bool(Bool)
}

/// Why bytes are no tuple.
public struct TupleError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
}

/// Encodes and decodes tuples:
/// ```
/// 00                  null; inside a nested tuple 00 FF
/// 01 … 00, 02 … 00    bytes, UTF-8 text; each 00 within is 00 FF
/// 05 … 00             nested tuple
/// 0C…13               negative integer of 8…1 bytes: big-endian, minus 2^(8n) - 1
/// 14                  zero
/// 15…1C               positive integer of 1…8 bytes, big-endian
/// 20, 21              float, double: big-endian; sign bit flipped if it was 0, else all bits flipped
/// 26, 27              false, true
/// ```
public enum Tuple {
    /// How deep tuples may be nested in what is decoded.
    static let maximumDepth = 32

    public static func encode(_ elements: [TupleElement]) -> [UInt8] {
        var output: [UInt8] = []
        for element in elements { encode(element, nested: false, to: &output) }
        return output
    }

    private static func encode(_ element: TupleElement, nested: Bool, to output: inout [UInt8]) {
        switch element {
        case .null: output.append(contentsOf: nested ? [0x00, 0xFF] : [0x00])
        case .bytes(let bytes): escape(bytes, code: 0x01, to: &output)
        case .text(let text): escape(text.utf8, code: 0x02, to: &output)
        case .nested(let elements):
            output.append(0x05)
            for element in elements { encode(element, nested: true, to: &output) }
            output.append(0x00)
        case .integer(let value):
            if value >= 0 {
                encode(magnitude: UInt64(value), to: &output)
            } else {
                let count = significantBytes(value.magnitude)
                // The magnitude's complement within its bytes, so that larger negatives come later.
                let limit: UInt64 = count == 8 ? .max : (1 << (8 * UInt64(count))) - 1
                output.append(0x14 - UInt8(count))
                append(limit - value.magnitude, count: count, to: &output)
            }
        case .unsigned(let value): encode(magnitude: value, to: &output)
        case .float(let value):
            output.append(0x20)
            let bits = value.bitPattern
            append(UInt64(bits >> 31 == 0 ? bits ^ (1 << 31) : ~bits), count: 4, to: &output)
        case .double(let value):
            output.append(0x21)
            let bits = value.bitPattern
            append(bits >> 63 == 0 ? bits ^ (1 << 63) : ~bits, count: 8, to: &output)
        case .bool(let value): output.append(value ? 0x27 : 0x26)
        }
    }

    private static func encode(magnitude: UInt64, to output: inout [UInt8]) {
        let count = significantBytes(magnitude)
        output.append(0x14 + UInt8(count))
        append(magnitude, count: count, to: &output)
    }

    private static func significantBytes(_ value: UInt64) -> Int { (64 - value.leadingZeroBitCount + 7) / 8 }

    private static func append(_ value: UInt64, count: Int, to output: inout [UInt8]) {
        for index in (0..<count).reversed() { output.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
    }

    private static func escape(_ bytes: some Sequence<UInt8>, code: UInt8, to output: inout [UInt8]) {
        output.append(code)
        for byte in bytes {
            output.append(byte)
            if byte == 0 { output.append(0xFF) }
        }
        output.append(0x00)
    }

    /// Decodes a tuple. Throws `TupleError` for bytes that are none, or hold an element of an unknown kind.
    public static func decode(_ bytes: [UInt8]) throws(TupleError) -> [TupleElement] {
        var reader = Reader(bytes: bytes)
        var elements: [TupleElement] = []
        while let code = reader.next() { elements.append(try reader.element(code, depth: 0)) }
        return elements
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        mutating func next() -> UInt8? {
            guard position < bytes.count else { return nil }
            defer { position += 1 }
            return bytes[position]
        }

        func ends() -> TupleError { TupleError(description: "the tuple ends within an element") }

        mutating func element(_ code: UInt8, depth: Int) throws(TupleError) -> TupleElement {
            switch code {
            case 0x00: return .null
            case 0x01: return .bytes(try escaped())
            case 0x02:
                guard let text = String(validating: try escaped(), as: UTF8.self) else { throw TupleError(description: "a text of the tuple is not UTF-8") }
                return .text(text)
            case 0x05:
                guard depth < Tuple.maximumDepth else { throw TupleError(description: "the tuple is nested too deep") }
                return .nested(try nested(depth: depth + 1))
            case 0x0C...0x13:
                let count = Int(0x14 - code)
                let limit: UInt64 = count == 8 ? .max : (1 << (8 * UInt64(count))) - 1
                let magnitude = limit - (try number(count))
                guard magnitude <= UInt64(Int64.max) + 1 else { throw TupleError(description: "an integer of the tuple is below -2^63") }
                return .integer(Int64(truncatingIfNeeded: 0 &- magnitude))
            case 0x14: return .integer(0)
            case 0x15...0x1C:
                let value = try number(Int(code - 0x14))
                return Int64(exactly: value).map { .integer($0) } ?? .unsigned(value)
            case 0x20:
                let bits = UInt32(truncatingIfNeeded: try number(4))
                return .float(Float(bitPattern: bits >> 31 == 1 ? bits ^ (1 << 31) : ~bits))
            case 0x21:
                let bits = try number(8)
                return .double(Double(bitPattern: bits >> 63 == 1 ? bits ^ (1 << 63) : ~bits))
            case 0x26: return .bool(false)
            case 0x27: return .bool(true)
            default: throw TupleError(description: "the tuple holds an element of the unknown kind \(code)")
            }
        }

        mutating func nested(depth: Int) throws(TupleError) -> [TupleElement] {
            var elements: [TupleElement] = []
            while let code = next() {
                guard code == 0 else { elements.append(try element(code, depth: depth)); continue }
                guard position < bytes.count, bytes[position] == 0xFF else { return elements }
                position += 1
                elements.append(.null)
            }
            throw ends()
        }

        mutating func escaped() throws(TupleError) -> [UInt8] {
            var value: [UInt8] = []
            while let byte = next() {
                guard byte == 0 else { value.append(byte); continue }
                guard position < bytes.count, bytes[position] == 0xFF else { return value }
                position += 1
                value.append(0)
            }
            throw ends()
        }

        mutating func number(_ count: Int) throws(TupleError) -> UInt64 {
            guard bytes.count - position >= count else { throw ends() }
            defer { position += count }
            return bytes[position..<position + count].reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}
