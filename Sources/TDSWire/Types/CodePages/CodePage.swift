public import NIOCore

/// The encoding of char, varchar and text: every code page that SQL Server has collations for.
public enum CodePage: UInt16, Hashable, Sendable, CaseIterable {
    case cp437 = 437, cp850 = 850
    /// Thai, Japanese (Shift JIS), simplified Chinese (GBK), Korean (UHC), traditional Chinese (Big5).
    case cp874 = 874, cp932 = 932, cp936 = 936, cp949 = 949, cp950 = 950
    case cp1250 = 1250, cp1251 = 1251, cp1252 = 1252, cp1253 = 1253, cp1254 = 1254, cp1255 = 1255, cp1256 = 1256, cp1257 = 1257, cp1258 = 1258
    case utf8 = 65001

    /// The encoding of text with `collation`; that of SQL_Latin1_General_CP1_CI_AS where there is none (TDS 7.0) or its locale is unknown.
    ///
    /// Collations of locales that only Unicode can write (Hindi, Georgian, …) have no code page; SQL Server treats their char columns
    /// as 1252.
    public init(for collation: Collation?) {
        self = collation?.codePage ?? .cp1252
    }

    enum Kind {
        case utf8
        case single(SingleByteTable)
        case double(DoubleByteTable)
    }

    var kind: Kind {
        switch self {
        case .utf8: .utf8
        case .cp437: .single(.cp437)
        case .cp850: .single(.cp850)
        case .cp874: .single(.cp874)
        case .cp1250: .single(.cp1250)
        case .cp1251: .single(.cp1251)
        case .cp1252: .single(.cp1252)
        case .cp1253: .single(.cp1253)
        case .cp1254: .single(.cp1254)
        case .cp1255: .single(.cp1255)
        case .cp1256: .single(.cp1256)
        case .cp1257: .single(.cp1257)
        case .cp1258: .single(.cp1258)
        case .cp932: .double(.cp932)
        case .cp936: .double(.cp936)
        case .cp949: .double(.cp949)
        case .cp950: .double(.cp950)
        }
    }

    /// The most bytes that one UTF-16 unit takes.
    public var bytesPerUnit: Int {
        switch self {
        case .utf8: 3
        case .cp932, .cp936, .cp949, .cp950: 2
        default: 1
        }
    }

    /// Appends `bytes` to `buffer` as UTF-8. What isn't a character becomes U+FFFD.
    public func decode(_ bytes: RawSpan, into buffer: inout ByteBuffer) {
        let ascii = bytes.asciiPrefix(from: 0)
        if ascii == bytes.byteCount {
            buffer.writeBytes(bytes)
            return
        }
        switch kind {
        case .utf8: buffer.writeString(bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
        case .single(let table): table.decode(bytes, into: &buffer)
        case .double(let table): table.decode(bytes, into: &buffer)
        }
    }

    /// Appends the readable bytes of `content` to `string`. What isn't a character becomes U+FFFD.
    public func decode(_ content: ByteBuffer, into string: inout String) {
        string += self.string(content.readableBytesSpan)
    }

    /// `bytes` as a string. What isn't a character becomes U+FFFD.
    public func string(_ bytes: RawSpan) -> String {
        if self == .utf8 || bytes.asciiPrefix(from: 0) == bytes.byteCount { return bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
        var buffer = ByteBuffer()
        decode(bytes, into: &buffer)
        return String(buffer: buffer)
    }

    /// Appends `string` in this code page; `?` stands for a character that it doesn't have.
    ///
    /// - Returns: the number of characters (Unicode scalars) that were lost.
    @discardableResult
    public func encode(_ string: String, into buffer: inout ByteBuffer) -> Int {
        if case .utf8 = self {
            buffer.writeString(string)
            return 0
        }
        var lost = 0
        let kind = self.kind
        buffer.reserveCapacity(minimumWritableBytes: string.utf8.count)
        for scalar in string.unicodeScalars {
            if scalar.value < 0x80 {
                buffer.writeInteger(UInt8(truncatingIfNeeded: scalar.value))
                continue
            }
            let code: UInt16? =
                if let unit = UInt16(exactly: scalar.value) {
                    switch kind {
                    case .single(let table): table.code(unit)
                    case .double(let table): table.code(unit)
                    case .utf8: nil
                    }
                } else {
                    nil
                }
            guard let code else {
                lost += 1
                buffer.writeInteger(UInt8(ascii: "?"))
                continue
            }
            if code > 0xFF { buffer.writeInteger(code) } else { buffer.writeInteger(UInt8(truncatingIfNeeded: code)) }
        }
        return lost
    }

    /// `string` in this code page; `?` stands for a character that it doesn't have.
    public func encode(_ string: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        encode(string, into: &buffer)
        return buffer
    }
}

extension RawSpan {
    /// The offset of the first byte from `start` on that isn't ASCII, or the end.
    func asciiPrefix(from start: Int) -> Int {
        let count = byteCount
        var offset = start
        while count &- offset >= 8, unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 { offset &+= 8 }
        while offset < count, unsafeLoad(fromByteOffset: offset, as: UInt8.self) < 0x80 { offset &+= 1 }
        return offset
    }
}
