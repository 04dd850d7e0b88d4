import NIOCore
import TDSWire

/// What SQL Server makes of text that it stores in a code page: TDSWire's encoding, and Windows' best fit for characters that the page lacks.
extension CodePage {
    /// The bytes of text that this code page has.
    func bytes(_ text: String) -> [UInt8] { self == .utf8 || text.isASCII ? Array(text.utf8) : Array(encode(text).readableBytesView) }

    /// `text` in this code page. A character that it lacks becomes one that looks like it, else `?` for each UTF-16 unit.
    func storing(_ text: String) -> ByteBuffer {
        var bytes = ByteBuffer()
        guard encode(text, into: &bytes) > 0 else { return bytes }
        bytes.clear()
        for scalar in text.unicodeScalars {
            let before = bytes.writerIndex
            guard encode(String(scalar), into: &bytes) > 0 else { continue }
            bytes.moveWriterIndex(to: before)
            if let fit = Self.bestFit[scalar] {
                bytes.writeInteger(fit)
            } else {
                bytes.writeRepeatingByte(UInt8(ascii: "?"), count: UTF16.width(scalar))
            }
        }
        return bytes
    }

    /// What `text` has become when it is read again.
    func stored(_ text: String) -> String {
        if self == .utf8 || text.isASCII { return text }
        return string(storing(text).readableBytesSpan)
    }

    /// The bytes that text takes that this code page has.
    func size(of text: String) -> Int {
        if self == .utf8 || text.isASCII { return text.utf8.count }
        return text.unicodeScalars.reduce(0) { $0 + size(of: $1) }
    }

    /// The bytes that a character takes that this code page has.
    func size(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x80 { return 1 }
        if self == .utf8 { return UTF8.width(scalar) }
        return bytesPerUnit == 1 ? 1 : encode(String(scalar)).readableBytes
    }

    /// Characters that Windows' code pages replace by a letter or sign of ASCII where they don't have them (Unicode's
    /// MAPPINGS/VENDORS/MICSFT/WindowsBestFit).
    private static let bestFit: [Unicode.Scalar: UInt8] = {
        let rows: [(Character, String)] = [
            ("A", "ÀÁÂÃÄÅĀĂĄǍ"), ("a", "àáâãäåāăąǎα"), ("C", "ÇĆĈĊČ"), ("c", "çćĉċč"), ("D", "ÐĎĐ"), ("d", "ďđδ"), ("E", "ÈÉÊËĒĔĖĘĚ"),
            ("e", "èéêëēĕėęě"), ("G", "ĜĞĠĢΓ"), ("g", "ĝğġģ"), ("H", "ĤĦ"), ("h", "ĥħ"), ("I", "ÌÍÎÏĨĪĬĮİ"), ("i", "ìíîïĩīĭįı"), ("J", "Ĵ"), ("j", "ĵ"),
            ("K", "Ķ"), ("k", "ķ"), ("L", "ĹĻĽŁ"), ("l", "ĺļľł"), ("N", "ÑŃŅŇ"), ("n", "ñńņň"), ("O", "ÒÓÔÕÖØŌŎŐ"), ("o", "òóôõöøōŏő"), ("p", "π"),
            ("R", "ŔŖŘ"), ("r", "ŕŗř"), ("S", "ŚŜŞŠ"), ("s", "śŝşš"), ("T", "ŢŤŦ"), ("t", "ţťŧ"), ("U", "ÙÚÛÜŨŪŬŮŰŲ"), ("u", "ùúûüũūŭůűų"), ("W", "Ŵ"),
            ("w", "ŵ"), ("Y", "ÝŶŸ"), ("y", "ýÿŷ"), ("Z", "ŹŻŽ"), ("z", "źżž"), ("-", "\u{2010}\u{2011}−"), ("'", "′"), ("/", "⁄∕"), ("v", "√"),
            ("8", "∞"),
        ]
        var map: [Unicode.Scalar: UInt8] = [:]
        for (letter, scalars) in rows {
            for scalar in scalars.unicodeScalars { map[scalar] = letter.asciiValue }
        }
        // The full-width forms of ASCII.
        for value in UInt32(0xFF01)...0xFF5E {
            if let scalar = Unicode.Scalar(value) { map[scalar] = UInt8(truncatingIfNeeded: value - 0xFF01 + 0x21) }
        }
        return map
    }()
}

extension String {
    var isASCII: Bool { utf8.allSatisfy { $0 < 0x80 } }
}
