import TDSWire

/// Text that isn't plain ASCII, or is long: the paths off the hot one.
enum TextDecoding {
    /// UTF-16LE; unpaired surrogates become U+FFFD.
    static func utf16(_ bytes: RawSpan) -> String {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.byteCount / 2)
        for index in 0..<bytes.byteCount / 2 {
            units.append(UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// Bytes of a char, varchar or text column, in its collation's code page.
    static func string(_ bytes: RawSpan, _ collation: Collation?) -> String { CodePage(for: collation).string(bytes) }

    /// The longest beginning of `text` with at most `limit` UTF-8 bytes that ends at a scalar's boundary.
    static func cut(_ text: String, atMost limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while end > text.startIndex, text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(decoding: text.utf8[..<end], as: UTF8.self)
    }
}
