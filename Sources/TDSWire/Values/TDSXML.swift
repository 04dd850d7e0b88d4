public import NIOCore

/// An xml value: UTF-16LE text (MS-TDS 2.2.5.5.3). What SQL Server sends may begin with a byte order mark, which isn't part of it.
public struct TDSXML: WireValue, ExpressibleByStringLiteral {
    public var text: String

    public init(_ text: String) { self.text = text }
    public init(stringLiteral value: String) { text = value }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes) }

    /// Reads the whole text. Throws ``WireError/Code/malformed`` for an odd number of bytes.
    public init(wire bytes: RawSpan) throws(WireError) {
        guard bytes.byteCount % 2 == 0 else { throw WireError(.malformed, "xml", "an odd number of bytes") }
        var start = 0
        if bytes.byteCount >= 2, try bytes.loadLE(at: 0, "xml", as: UInt16.self) == 0xFEFF { start = 2 }
        text = UTF16Text.string(bytes.extracting(start..<bytes.byteCount))
    }

    /// Writes a byte order mark and the text: with it the server knows the encoding, whatever the text says about itself.
    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) {
        buffer.writeLE(UInt16(0xFEFF))
        buffer.writeUTF16(text)
    }

    public var description: String { text }
}
