// Compact JSON text: no white space, so that one value is one line.

import OrderedCollections

/// How the members of objects are ordered when written.
public enum JSONKeyOrder: Sendable {
    /// As the object holds them.
    case kept
    /// Bytewise by their UTF-8: the canonical form, the same for equal values.
    case sorted
}

extension JSONValue {
    /// Appends the value as compact JSON text.
    public func write(to output: inout [UInt8], keys: JSONKeyOrder = .kept) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let text): output.append(contentsOf: text.utf8)
        case .string(let text): Self.write(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.write(to: &output, keys: keys)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            let order =
                switch keys {
                case .kept: Array(members.keys)
                case .sorted: members.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                }
            for (index, key) in order.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.write(key, to: &output)
                output.append(UInt8(ascii: ":"))
                (members[key] ?? .null).write(to: &output, keys: keys)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Appends `text` as a JSON string with its quotes. Only what JSON demands is escaped.
    public static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0x08: output.append(contentsOf: "\\b".utf8)
            case 0x09: output.append(contentsOf: "\\t".utf8)
            case 0x0A: output.append(contentsOf: "\\n".utf8)
            case 0x0C: output.append(contentsOf: "\\f".utf8)
            case 0x0D: output.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                output.append(contentsOf: "\\u00".utf8)
                output.append(digits[Int(byte >> 4)])
                output.append(digits[Int(byte & 15)])
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// The compact JSON text.
    public func text(keys: JSONKeyOrder = .kept) -> String {
        var output: [UInt8] = []
        write(to: &output, keys: keys)
        return String(decoding: output, as: UTF8.self)
    }
}
