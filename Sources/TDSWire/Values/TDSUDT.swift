public import NIOCore

/// A value of a CLR type that has no form of its own here: its name and its bytes, untouched.
public struct TDSUDT: Hashable, Sendable, CustomStringConvertible {
    /// Database, schema and name; empty where the server did not say them.
    public var type: TypeInfo.UDTInfo
    /// The value as the type serialises itself.
    public var bytes: ByteBuffer

    public init(type: TypeInfo.UDTInfo, bytes: ByteBuffer) {
        self.type = type
        self.bytes = bytes
    }

    /// `0x` and upper-case hexadecimal digits, as SQL Server prints it.
    public var description: String { bytes.sqlHex }
}

extension ByteBuffer {
    /// The readable bytes as a binary literal of T-SQL: `0x` and upper-case hexadecimal digits.
    public var sqlHex: String {
        var text = ASCIIText(capacity: 2 + readableBytes * 2)
        text.append("0")
        text.append("x")
        for byte in readableBytesView { text.appendHex(byte) }
        return text.string
    }
}
