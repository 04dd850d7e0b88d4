// JSON text that is passed on, not looked into.

/// The bytes of one JSON value, known to be valid.
public struct RawJSON: Hashable, Sendable {
    /// The text, UTF-8.
    public let bytes: [UInt8]

    init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Checks `bytes`. Throws `JSONError` if they are not one JSON value.
    public init(_ bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes)
        self = try parser.raw()
        try parser.end()
    }

    /// The compact text of `value`.
    public init(_ value: JSONValue, keys: JSONKeyOrder = .kept) {
        var output: [UInt8] = []
        value.write(to: &output, keys: keys)
        self.bytes = output
    }

    /// The value, parsed. Throws `JSONError` (which cannot happen for bytes that this type has checked).
    public func value() throws(JSONError) -> JSONValue { try JSONValue(parsing: bytes) }

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Appends the text on one line: line breaks may stand between JSON's tokens, but would break JSON-lines framing.
    public func write(to output: inout [UInt8]) {
        if bytes.contains(where: { $0 == 0x0A || $0 == 0x0D }) {
            for byte in bytes { output.append(byte == 0x0A || byte == 0x0D ? 0x20 : byte) }
        } else {
            output.append(contentsOf: bytes)
        }
    }
}
