public import NIOCore

/// UTF-16LE text of nchar, nvarchar, ntext and xml, turned into UTF-8.
public enum UTF16Text {
    /// Appends the UTF-16LE `bytes` to `buffer` as UTF-8. Unpaired surrogates and a last odd byte become U+FFFD.
    public static func decode(_ bytes: RawSpan, into buffer: inout ByteBuffer) {
        let count = bytes.byteCount
        var offset = 0
        buffer.reserveCapacity(minimumWritableBytes: count / 2)
        while offset < count {
            // Four ASCII units at a time: what most text is.
            while count &- offset >= 8 {
                var four = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
                guard four & 0xFF80_FF80_FF80_FF80 == 0 else { break }
                four = (four | four &>> 8) & 0x0000_FFFF_0000_FFFF
                buffer.writeInteger(UInt32(truncatingIfNeeded: four | four &>> 16), endianness: .little)
                offset &+= 8
            }
            guard count &- offset >= 2 else { break }
            let unit = UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
            if unit & 0xF800 != 0xD800 {
                buffer.writeUTF8(basic: unit)
            } else if unit < 0xDC00, count &- offset >= 2 {
                let low = UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
                if low & 0xFC00 == 0xDC00 {
                    offset &+= 2
                    let scalar = 0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(low & 0x3FF))
                    buffer.writeInteger(
                        0xF080_8080 | (scalar & 0x1C_0000) << 6 | (scalar & 0x3_F000) << 4 | (scalar & 0xFC0) << 2 | scalar & 0x3F)
                } else {
                    buffer.writeUTF8(basic: 0xFFFD)
                }
            } else {
                buffer.writeUTF8(basic: 0xFFFD)
            }
        }
        if count & 1 != 0 { buffer.writeUTF8(basic: 0xFFFD) }
    }

    /// The UTF-16LE `bytes` as a string. Unpaired surrogates and a last odd byte become U+FFFD.
    public static func string(_ bytes: RawSpan) -> String {
        var buffer = ByteBuffer()
        decode(bytes, into: &buffer)
        return String(buffer: buffer)
    }
}

extension ByteBuffer {
    /// Writes a character of the basic multilingual plane, not a surrogate, as UTF-8.
    mutating func writeUTF8(basic unit: UInt16) {
        if unit < 0x80 {
            writeInteger(UInt8(truncatingIfNeeded: unit))
        } else if unit < 0x800 {
            writeInteger(0xC080 | (unit & 0x7C0) << 2 | unit & 0x3F)
        } else {
            writeInteger(UInt8(truncatingIfNeeded: 0xE0 | unit >> 12))
            writeInteger(0x8080 | (unit & 0xFC0) << 2 | unit & 0x3F)
        }
    }
}
