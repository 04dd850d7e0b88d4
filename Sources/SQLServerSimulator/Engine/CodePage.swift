/// Text to and from a code page. Windows-1252 and UTF-8, which is what the supported collations use.
enum CodePage {
    /// Windows-1252's characters 0x80...0x9F.
    private static let upper: [UInt32] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
        0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
    ]
    private static let fromUnicode: [UInt32: UInt8] = {
        var map: [UInt32: UInt8] = [:]
        for (index, scalar) in upper.enumerated() { map[scalar] = UInt8(0x80 + index) }
        // Windows' best fit for some of what the code page lacks.
        let bestFit: [(UInt32, Character)] = [
            (0x0100, "A"), (0x0101, "a"), (0x0102, "A"), (0x0103, "a"), (0x0104, "A"), (0x0105, "a"), (0x0106, "C"), (0x0107, "c"), (0x010C, "C"),
            (0x010D, "c"), (0x010E, "D"), (0x010F, "d"), (0x0112, "E"), (0x0113, "e"), (0x0118, "E"), (0x0119, "e"), (0x011A, "E"), (0x011B, "e"),
            (0x011E, "G"), (0x011F, "g"), (0x0130, "I"), (0x0131, "i"), (0x0141, "L"), (0x0142, "l"), (0x0143, "N"), (0x0144, "n"), (0x0147, "N"),
            (0x0148, "n"), (0x0158, "R"), (0x0159, "r"), (0x015A, "S"), (0x015B, "s"), (0x015E, "S"), (0x015F, "s"), (0x0164, "T"), (0x0165, "t"),
            (0x016E, "U"), (0x016F, "u"), (0x0179, "Z"), (0x017A, "z"), (0x017B, "Z"), (0x017C, "z"), (0x2010, "-"), (0x2011, "-"), (0x2032, "'"),
            (0x2212, "-"), (0x2215, "/"), (0x221A, "v"), (0x221E, "8"), (0x2044, "/"), (0x03B1, "a"), (0x0393, "G"), (0x03B4, "d"), (0x03C0, "p"),
        ]
        for (scalar, character) in bestFit { map[scalar] = character.asciiValue ?? UInt8(ascii: "?") }
        for scalar in UInt32(0xFF01)...0xFF5E { map[scalar] = UInt8(scalar - 0xFF01 + 0x21) }
        return map
    }()

    static func encode(_ text: String, _ collation: SQLCollation) -> [UInt8] {
        if collation.isUTF8 { return Array(text.utf8) }
        var text = text
        let ascii = text.withUTF8 { buffer -> [UInt8]? in
            buffer.allSatisfy { $0 < 0x80 } ? Array(buffer) : nil
        }
        if let ascii { return ascii }
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            let value = scalar.value
            if value < 0x80 || (value >= 0xA0 && value <= 0xFF) {
                out.append(UInt8(value))
            } else if let byte = fromUnicode[value] {
                out.append(byte)
            } else {
                out.append(UInt8(ascii: "?"))
                if value > 0xFFFF { out.append(UInt8(ascii: "?")) }
            }
        }
        return out
    }

    static func decode(_ bytes: some Collection<UInt8>, _ collation: SQLCollation) -> String {
        if collation.isUTF8 || bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        var text = String.UnicodeScalarView()
        for byte in bytes {
            let value = byte >= 0x80 && byte <= 0x9F ? upper[Int(byte - 0x80)] : UInt32(byte)
            if let scalar = Unicode.Scalar(value) { text.append(scalar) }
        }
        return String(text)
    }

    /// What a string becomes when it is stored as varchar.
    static func roundTrip(_ text: String, _ collation: SQLCollation) -> String {
        if collation.isUTF8 || text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        return decode(encode(text, collation), collation)
    }

    /// Length in bytes.
    static func length(_ text: String, _ collation: SQLCollation) -> Int {
        if collation.isUTF8 { return text.utf8.count }
        let utf8 = text.utf8.count
        let scalars = text.unicodeScalars
        return utf8 < 2 ? utf8 : scalars.reduce(0) { $0 + ($1.value > 0xFFFF ? 2 : 1) }
    }
}
