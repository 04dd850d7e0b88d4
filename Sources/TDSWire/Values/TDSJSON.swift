public import NIOCore

/// A json value (SQL Server 2025, Azure SQL): UTF-8 text, once the JSONSUPPORT feature was acknowledged (MS-TDS 2.2.5.5.7).
///
/// The text is kept as it came; nothing here checks that it is JSON.
public struct TDSJSON: WireValue, ExpressibleByStringLiteral {
    public var text: String

    public init(_ text: String) { self.text = text }
    public init(stringLiteral value: String) { text = value }

    public init(wire bytes: RawSpan, _ type: TypeInfo) { self.init(wire: bytes) }

    /// Reads the whole text; broken UTF-8 becomes U+FFFD.
    public init(wire bytes: RawSpan) { text = CodePage.utf8.string(bytes) }

    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) { buffer.writeString(text) }

    public var description: String { text }
}
