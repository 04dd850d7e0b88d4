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
    static func string(_ bytes: RawSpan, _ collation: Collation?) -> String {
        var all: [UInt8] = []
        all.reserveCapacity(bytes.byteCount)
        for index in 0..<bytes.byteCount { all.append(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)) }
        if collation?.isUTF8 == true { return String(decoding: all, as: UTF8.self) }
        return String(String.UnicodeScalarView(all.map { windows1252[Int($0)] }))
    }

    private static let windows1252: [Unicode.Scalar] = (0..<256).map { byte in
        let high: [UInt32] = [
            0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
            0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
        ]
        return Unicode.Scalar((0x80..<0xA0).contains(byte) ? high[byte - 0x80] : UInt32(byte)) ?? "\u{FFFD}"
    }

    /// The longest beginning of `text` with at most `limit` UTF-8 bytes that ends at a scalar's boundary.
    static func cut(_ text: String, atMost limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while end > text.startIndex, text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(decoding: text.utf8[..<end], as: UTF8.self)
    }
}
