// Text as JSON strings: UTF-16LE, UTF-8 and single bytes become escaped UTF-8.

extension DocumentCursor {
    /// What a byte or unit below 0x80 is written as: 0 as itself, 1 as \u00XX, else a backslash and this letter.
    static let escapes: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 128)
        for control in 0..<0x20 { table[control] = 1 }
        table[0x08] = UInt8(ascii: "b")
        table[0x09] = UInt8(ascii: "t")
        table[0x0A] = UInt8(ascii: "n")
        table[0x0C] = UInt8(ascii: "f")
        table[0x0D] = UInt8(ascii: "r")
        table[0x22] = UInt8(ascii: "\"")
        table[0x5C] = UInt8(ascii: "\\")
        return table
    }()

    /// A byte below 0x80, escaped where JSON wants it. At most 6 bytes.
    @inline(__always)
    mutating func appendASCII(_ byte: UInt8) {
        if byte >= 0x20, byte != 0x22, byte != 0x5C { return append(byte) }
        appendEscaped(byte)
    }

    @inline(never)
    private mutating func appendEscaped(_ byte: UInt8) {
        let escape = Self.escapes[Int(byte & 0x7F)]
        append(UInt8(ascii: "\\"))
        guard escape == 1 else { return append(escape) }
        append("u00")
        append(Self.hexDigit(byte >> 4))
        append(Self.hexDigit(byte & 15))
    }

    @inline(__always)
    static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }

    /// Whether four UTF-16 units, or eight bytes, are all plain: ASCII, no control, quote or backslash.
    ///
    /// The test is exact for lanes of `lane` bits: with the high bits clear, `x - 0x20` borrows only below 0x20, and `x ^ c` is zero
    /// only for c, found with the same borrow.
    @inline(__always)
    static func isPlain16(_ units: UInt64) -> Bool {
        guard units & 0xFF80_FF80_FF80_FF80 == 0 else { return false }
        let controls = units &- 0x0020_0020_0020_0020
        let quotes = (units ^ 0x0022_0022_0022_0022) &- 0x0001_0001_0001_0001
        let backslashes = (units ^ 0x005C_005C_005C_005C) &- 0x0001_0001_0001_0001
        return (controls | quotes | backslashes) & 0x8000_8000_8000_8000 == 0
    }

    @inline(__always)
    static func isPlain8(_ bytes: UInt64) -> Bool {
        guard bytes & 0x8080_8080_8080_8080 == 0 else { return false }
        let controls = bytes &- 0x2020_2020_2020_2020
        let quotes = (bytes ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
        let backslashes = (bytes ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
        return (controls | quotes | backslashes) & 0x8080_8080_8080_8080 == 0
    }

    /// UTF-16LE as the inside of a JSON string; an unpaired surrogate becomes U+FFFD. At most 6 bytes a unit.
    @inline(__always)
    mutating func appendUTF16(_ bytes: RawSpan) {
        let end = bytes.byteCount & ~1
        var offset = 0
        while offset < end {
            if offset &+ 8 <= end {
                let four = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
                if Self.isPlain16(four) {
                    // Every second byte: 00AA00BB00CC00DD -> AABBCCDD
                    let pairs = (four | four >> 8) & 0x0000_FFFF_0000_FFFF
                    append(raw: UInt32(truncatingIfNeeded: pairs | pairs >> 16).littleEndian)
                    offset &+= 8
                    continue
                }
            }
            let unit = UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
            if unit < 0x80 {
                appendASCII(UInt8(truncatingIfNeeded: unit))
            } else if unit & 0xF800 != 0xD800 {
                appendScalar(UInt32(unit))
            } else if unit < 0xDC00, offset < end,
                case let low = UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)), low & 0xFC00 == 0xDC00
            {
                offset &+= 2
                appendScalar(0x10000 &+ (UInt32(unit & 0x3FF) << 10 | UInt32(low & 0x3FF)))
            } else {
                appendScalar(0xFFFD)
            }
        }
    }

    /// A scalar of at least 0x80 as UTF-8.
    @inline(__always)
    mutating func appendScalar(_ scalar: UInt32) {
        if scalar < 0x800 {
            append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
        } else {
            if scalar < 0x10000 {
                append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            } else {
                append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
                append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
            }
            append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
        }
        append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    }

    /// Bytes below 0x80 at the start of `bytes`, as the inside of a JSON string; returns how many there were. At most 6 bytes each.
    @inline(__always)
    mutating func appendASCIIPrefix(_ bytes: RawSpan) -> Int {
        let end = bytes.byteCount
        var offset = 0
        while offset < end {
            if offset &+ 8 <= end {
                let eight = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
                if Self.isPlain8(eight) {
                    append(raw: eight.littleEndian)
                    offset &+= 8
                    continue
                }
            }
            let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            guard byte < 0x80 else { break }
            appendASCII(byte)
            offset &+= 1
        }
        return offset
    }

    /// A Swift string as the inside of a JSON string. At most 6 bytes a UTF-8 byte.
    mutating func appendText(_ text: String) {
        for byte in text.utf8 {
            if byte < 0x80 { appendASCII(byte) } else { append(byte) }
        }
    }

    /// Base64 with padding (RFC 4648). At most (n + 2) / 3 * 4 bytes.
    @inline(__always)
    mutating func appendBase64(_ bytes: RawSpan) {
        let count = bytes.byteCount
        var offset = 0
        let alphabet = Self.base64Alphabet
        while offset &+ 3 <= count {
            let a = UInt32(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            let b = UInt32(bytes.unsafeLoad(fromByteOffset: offset &+ 1, as: UInt8.self))
            let c = UInt32(bytes.unsafeLoad(fromByteOffset: offset &+ 2, as: UInt8.self))
            let group = a << 16 | b << 8 | c
            append(alphabet[Int(group >> 18)])
            append(alphabet[Int(group >> 12 & 63)])
            append(alphabet[Int(group >> 6 & 63)])
            append(alphabet[Int(group & 63)])
            offset &+= 3
        }
        guard offset < count else { return }
        let a = UInt32(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
        let b: UInt32 = offset &+ 1 < count ? UInt32(bytes.unsafeLoad(fromByteOffset: offset &+ 1, as: UInt8.self)) : 0
        append(alphabet[Int(a >> 2)])
        append(alphabet[Int((a << 4 | b >> 4) & 63)])
        append(offset &+ 1 < count ? alphabet[Int(b << 2 & 63)] : UInt8(ascii: "="))
        append(UInt8(ascii: "="))
    }

    private static let base64Alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}
