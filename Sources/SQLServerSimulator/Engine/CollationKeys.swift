import Foundation
import TDSWire

/// Sort keys: bytes whose `memcmp` order is the collation's order, and that are equal exactly where the collation says so.
///
/// Levels are separated by 0: primary (letters), secondary (accents), tertiary (case), then what Windows' word sort leaves for the end
/// (hyphen and apostrophe). Trailing blanks don't count.
enum CollationKeys {
    static func append(_ text: String, _ collation: SQLCollation, unicode: Bool, to key: inout [UInt8]) {
        if collation.order == .binary { return appendBinary(text, collation, unicode: unicode, to: &key) }
        if collation.order == .sql, !unicode, collation.codePage == .cp1252 { return appendSQL(text, collation, to: &key) }
        appendWindows(text, collation, to: &key)
    }

    static func key(_ text: String, _ collation: SQLCollation, unicode: Bool) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(text.utf8.count * 2 + 4)
        append(text, collation, unicode: unicode, to: &key)
        return key
    }

    static func compare(_ a: String, _ b: String, _ collation: SQLCollation, unicode: Bool) -> Int {
        if a.utf8.elementsEqual(b.utf8) { return 0 }
        return compareBytes(key(a, collation, unicode: unicode), key(b, collation, unicode: unicode))
    }

    // MARK: Binary

    private static func appendBinary(_ text: String, _ collation: SQLCollation, unicode: Bool, to key: inout [UInt8]) {
        let start = key.count
        if unicode {
            for unit in text.utf16 {
                key.append(UInt8(unit >> 8))
                key.append(UInt8(truncatingIfNeeded: unit))
            }
            while key.count > start + 1, key[key.count - 1] == 0x20, key[key.count - 2] == 0 { key.removeLast(2) }
        } else {
            key += collation.codePage.bytes(text)
            while key.count > start, key[key.count - 1] == 0x20 { key.removeLast() }
        }
    }

    // MARK: SQL sort orders 51, 52 and 54 (code page 1252)

    private struct SQLWeights {
        var primary = [UInt8](repeating: 0, count: 256)
        /// Second character of an expansion (æ, ß), or 0.
        var expansion = [UInt8](repeating: 0, count: 256)
        var accent = [UInt8](repeating: 1, count: 256)
        var upper = [Bool](repeating: false, count: 256)
    }
    private static let sql: SQLWeights = {
        var weights = SQLWeights()
        var next: UInt8 = 1
        func isLetterOrDigit(_ c: Int) -> Bool {
            (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5A) || (c >= 0x61 && c <= 0x7A) || (c >= 0xC0 && c != 0xD7 && c != 0xF7)
        }
        for code in 0..<256 where !isLetterOrDigit(code) {
            weights.primary[code] = next
            next += 1
        }
        for code in 0x30...0x39 {
            weights.primary[code] = next
            next += 1
        }
        // Each letter with its accented forms in the order of their accents.
        let variants: [(Character, [UInt8])] = [
            ("a", [0xE0, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5]), ("c", [0xE7]), ("e", [0xE8, 0xE9, 0xEA, 0xEB]), ("i", [0xEC, 0xED, 0xEE, 0xEF]), ("n", [0xF1]),
            ("o", [0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF8]), ("u", [0xF9, 0xFA, 0xFB, 0xFC]), ("y", [0xFD, 0xFF]),
        ]
        let byLetter = Dictionary(uniqueKeysWithValues: variants.map { ($0.0.asciiValue ?? 0, $0.1) })
        for lower in UInt8(ascii: "a")...UInt8(ascii: "z") {
            weights.primary[Int(lower)] = next
            weights.primary[Int(lower) - 32] = next
            weights.upper[Int(lower) - 32] = true
            for (index, variant) in (byLetter[lower] ?? []).enumerated() {
                weights.primary[Int(variant)] = next
                weights.accent[Int(variant)] = UInt8(index + 2)
                if variant != 0xFF {
                    weights.primary[Int(variant) - 32] = next
                    weights.accent[Int(variant) - 32] = UInt8(index + 2)
                    weights.upper[Int(variant) - 32] = true
                }
            }
            next += 1
        }
        for lower in [0xF0, 0xFE] {
            weights.primary[lower] = next
            weights.primary[lower - 32] = next
            weights.upper[lower - 32] = true
            next += 1
        }
        let a = weights.primary[0x61], e = weights.primary[0x65], s = weights.primary[0x73]
        for code in [0xC6, 0xE6] {
            weights.primary[code] = a
            weights.expansion[code] = e
            weights.accent[code] = 8
        }
        weights.upper[0xC6] = true
        weights.primary[0xDF] = s
        weights.expansion[0xDF] = s
        weights.accent[0xDF] = 8
        return weights
    }()

    private static func appendSQL(_ text: String, _ collation: SQLCollation, to key: inout [UInt8]) {
        var bytes = collation.codePage.bytes(text)[...]
        while bytes.last == 0x20 { bytes.removeLast() }
        let weights = sql
        var accented = false
        for byte in bytes {
            let index = Int(byte)
            key.append(weights.primary[index])
            let expansion = weights.expansion[index]
            if expansion != 0 { key.append(expansion) }
            if weights.accent[index] != 1 { accented = true }
        }
        key.append(0)
        if accented, !collation.ignoresAccents {
            let start = key.count
            for byte in bytes {
                key.append(weights.accent[Int(byte)])
                if weights.expansion[Int(byte)] != 0 { key.append(weights.accent[Int(byte)]) }
            }
            while key.count > start, key[key.count - 1] == 1 { key.removeLast() }
        }
        if !collation.ignoresCase {
            key.append(0)
            // Upper case sorts before lower case in these orders.
            let start = key.count
            for byte in bytes { key.append(weights.upper[Int(byte)] ? 1 : 2) }
            while key.count > start, key[key.count - 1] == 2 { key.removeLast() }
            key.append(2)
        }
    }

    // MARK: Windows order

    /// Punctuation and symbols in Windows' order (as far as code page 1252 goes).
    private static let symbols: [UInt32: UInt8] = {
        let order = "\u{01}\u{02}\u{03}\u{04}\u{05}\u{06}\u{07}\u{08}\u{0E}\u{0F}\u{10}\u{1F}\u{7F}\t\n\u{0B}\u{0C}\r\u{85}\u{A0} !\"#%&()*,./:;?@[\\]^_`{|}~¡¦¨¯´¸¿ˆ˜‘’‚‹›“”„–—+<=>±«»×÷¢£¤¥§©¬®°µ¶·…†‡•‰™$€"
        var map: [UInt32: UInt8] = [:]
        for (index, scalar) in order.unicodeScalars.enumerated() { map[scalar.value] = UInt8(min(index + 2, 250)) }
        map[0x20] = 2
        map[0xA0] = 2
        return map
    }()
    /// A letter's base and accent: 1 is none.
    private struct Letter {
        var base: UInt8
        var second: UInt8
        var accent: UInt8
    }
    private static let letters: [UInt32: Letter] = {
        let table = [
            "aáàâäãåāăąǎ", "cçćĉċč", "dďđ", "eéèêëēĕėęě", "gĝğġģ", "hĥħ", "iíìîïĩīĭįı", "jĵ", "kķ", "lĺļľŀł", "nñńņňŉ", "oóòôöõøōŏőǒ", "rŕŗř",
            "sśŝşš", "tţťŧ", "uúùûüũūŭůűų", "wŵ", "yýÿŷ", "zźżž",
        ]
        var map: [UInt32: Letter] = [:]
        for row in table {
            let scalars = Array(row.unicodeScalars)
            for (index, scalar) in scalars.enumerated() where index > 0 {
                map[scalar.value] = Letter(base: UInt8(scalars[0].value), second: 0, accent: UInt8(index + 1))
            }
        }
        map[0xE6] = Letter(base: UInt8(ascii: "a"), second: UInt8(ascii: "e"), accent: 20)
        map[0xDF] = Letter(base: UInt8(ascii: "s"), second: UInt8(ascii: "s"), accent: 20)
        map[0x153] = Letter(base: UInt8(ascii: "o"), second: UInt8(ascii: "e"), accent: 20)
        map[0xFE] = Letter(base: UInt8(ascii: "t"), second: UInt8(ascii: "h"), accent: 20)
        map[0xF0] = Letter(base: UInt8(ascii: "d"), second: 0, accent: 20)
        return map
    }()
    private static let digitBase: UInt8 = 0x0C
    private static let letterBase: UInt8 = 0x0E

    /// Full and half width forms made the same, and hiragana katakana, where the collation doesn't tell them apart.
    private static func folded(_ text: String, _ collation: SQLCollation) -> String {
        guard collation.wire.ignoresWidth || collation.wire.ignoresKana, text.utf16.contains(where: { $0 >= 0x3041 }) else { return text }
        var text = text
        if collation.wire.ignoresWidth, text.unicodeScalars.contains(where: isWidthForm) {
            var result = "", run = String.UnicodeScalarView()
            for scalar in text.unicodeScalars {
                if isWidthForm(scalar) {
                    run.append(scalar)
                    continue
                }
                result += widened(run)
                run = String.UnicodeScalarView()
                result.unicodeScalars.append(scalar)
            }
            text = result + widened(run)
        }
        guard collation.wire.ignoresKana else { return text }
        var folded = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isHiragana = (0x3041...0x3096).contains(scalar.value) || (0x309D...0x309E).contains(scalar.value)
            folded.append(isHiragana ? Unicode.Scalar(scalar.value + 0x60) ?? scalar : scalar)
        }
        return String(folded)
    }
    /// Twice, because Foundation leaves the half-width voice marks apart from their kana at first.
    private static func widened(_ run: String.UnicodeScalarView) -> String {
        String(run).precomposedStringWithCompatibilityMapping.precomposedStringWithCanonicalMapping
    }
    /// The block of half and full width forms.
    private static func isWidthForm(_ scalar: Unicode.Scalar) -> Bool { (0xFF01...0xFFEE).contains(scalar.value) }

    private static func appendWindows(_ text: String, _ collation: SQLCollation, to key: inout [UInt8]) {
        var scalars = Array(folded(text, collation).unicodeScalars)[...]
        while scalars.last == " " { scalars.removeLast() }
        var accents: [UInt8] = [], cases: [UInt8] = [], specials: [UInt8] = []
        var accented = false
        var position = 0
        func plain(_ accent: UInt8 = 1, _ level: UInt8 = 1) {
            accents.append(accent)
            cases.append(level)
            if accent != 1 { accented = true }
            position += 1
        }
        for scalar in scalars {
            var value = scalar.value
            if value == 0x2D || value == 0x27 || value == 0xAD {
                specials += [UInt8(truncatingIfNeeded: position >> 8), UInt8(truncatingIfNeeded: position), value == 0x27 ? 1 : 2]
                continue
            }
            if value == 0 { continue }
            if value >= 0x300, value <= 0x36F {
                // A combining mark belongs to the letter before it.
                if let last = accents.indices.last { accents[last] = UInt8(30 + (value - 0x300) % 200) }
                accented = true
                continue
            }
            if value >= 0x30, value <= 0x39 {
                key.append(digitBase)
                key.append(UInt8(value))
                plain()
                continue
            }
            var level: UInt8 = 1
            if value >= 0x41, value <= 0x5A {
                value += 32
                level = 2
            } else if value >= 0x80 {
                let mapping = scalar.properties.lowercaseMapping.unicodeScalars
                if mapping.count == 1, let lower = mapping.first, lower != scalar {
                    value = lower.value
                    level = 2
                }
            }
            if value >= 0x61, value <= 0x7A {
                key.append(letterBase)
                key.append(UInt8(value))
                plain(1, level)
            } else if let letter = letters[value] {
                key.append(letterBase)
                key.append(letter.base)
                plain(letter.accent, level)
                if letter.second != 0 {
                    key.append(letterBase)
                    key.append(letter.second)
                    plain(letter.accent, level)
                }
            } else if let weight = symbols[value] {
                key.append(1)
                key.append(weight)
                plain()
            } else if scalar.properties.isAlphabetic {
                key.append(0x20)
                key.append(UInt8(truncatingIfNeeded: value >> 16) &+ 1)
                key.append(UInt8(truncatingIfNeeded: value >> 8))
                key.append(UInt8(truncatingIfNeeded: value))
                plain(1, level)
            } else {
                key.append(2)
                key.append(UInt8(truncatingIfNeeded: value >> 16) &+ 1)
                key.append(UInt8(truncatingIfNeeded: value >> 8))
                key.append(UInt8(truncatingIfNeeded: value))
                plain()
            }
        }
        key.append(0)
        if accented, !collation.ignoresAccents {
            while accents.last == 1 { accents.removeLast() }
            key += accents
        }
        key.append(0)
        if !collation.ignoresCase {
            while cases.last == 1 { cases.removeLast() }
            key += cases
        }
        key.append(0)
        key += specials
    }
}

/// `memcmp` with the shorter one first where one is a prefix of the other.
func compareBytes(_ a: [UInt8], _ b: [UInt8]) -> Int {
    let count = min(a.count, b.count)
    let order = a.withUnsafeBufferPointer { left in
        b.withUnsafeBufferPointer { right in
            var index = 0
            while index < count {
                if left[index] != right[index] { return left[index] < right[index] ? -1 : 1 }
                index &+= 1
            }
            return 0
        }
    }
    if order != 0 { return order }
    return a.count < b.count ? -1 : a.count == b.count ? 0 : 1
}
