public import NIOCore

/// UTF-16LE text of nchar, nvarchar, ntext and xml, turned into UTF-8.
public enum UTF16Text {
    /// Appends the UTF-16LE `bytes` to `buffer` as UTF-8. Unpaired surrogates and a last odd byte become U+FFFD.
    public static func decode(_ bytes: RawSpan, into buffer: inout ByteBuffer) {
        bytes.withUnsafeBytes { source in
            _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity(source.count)) { transcode(source, into: $0) }
        }
    }

    /// The UTF-16LE `bytes` as a string. Unpaired surrogates and a last odd byte become U+FFFD.
    public static func string(_ bytes: RawSpan) -> String {
        bytes.withUnsafeBytes { source in
            String(unsafeUninitializedCapacity: capacity(source.count)) { transcode(source, into: UnsafeMutableRawBufferPointer($0)) }
        }
    }

    /// The most UTF-8 bytes that so many bytes of UTF-16 become: a unit three at most, and so an odd byte at the end.
    private static func capacity(_ count: Int) -> Int { (count / 2 + count % 2) * 3 }

    /// Writes the UTF-8 of `source` to `target`, which has at least ``capacity(_:)`` bytes; returns how many it wrote.
    private static func transcode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = source.count
        var offset = 0
        var end = 0
        func put(_ unit: UInt16) {
            if unit < 0x80 {
                target[end] = UInt8(truncatingIfNeeded: unit)
                end &+= 1
            } else if unit < 0x800 {
                target[end] = UInt8(truncatingIfNeeded: 0xC0 | unit &>> 6)
                target[end &+ 1] = UInt8(truncatingIfNeeded: 0x80 | unit & 0x3F)
                end &+= 2
            } else {
                target[end] = UInt8(truncatingIfNeeded: 0xE0 | unit &>> 12)
                target[end &+ 1] = UInt8(truncatingIfNeeded: 0x80 | unit &>> 6 & 0x3F)
                target[end &+ 2] = UInt8(truncatingIfNeeded: 0x80 | unit & 0x3F)
                end &+= 3
            }
        }
        while offset < count {
            // Four ASCII units at a time: what most text is.
            while count &- offset >= 8 {
                var four = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                guard four & 0xFF80_FF80_FF80_FF80 == 0 else { break }
                four = (four | four &>> 8) & 0x0000_FFFF_0000_FFFF
                target.storeBytes(of: UInt32(truncatingIfNeeded: four | four &>> 16).littleEndian, toByteOffset: end, as: UInt32.self)
                offset &+= 8
                end &+= 4
            }
            guard count &- offset >= 2 else { break }
            let unit = UInt16(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
            guard unit & 0xF800 == 0xD800 else {
                put(unit)
                continue
            }
            let low = count &- offset >= 2 ? UInt16(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) : 0
            guard unit < 0xDC00, low & 0xFC00 == 0xDC00 else {
                put(0xFFFD)
                continue
            }
            offset &+= 2
            let scalar = 0x10000 &+ (UInt32(unit & 0x3FF) &<< 10 | UInt32(low & 0x3FF))
            target[end] = UInt8(truncatingIfNeeded: 0xF0 | scalar &>> 18)
            target[end &+ 1] = UInt8(truncatingIfNeeded: 0x80 | scalar &>> 12 & 0x3F)
            target[end &+ 2] = UInt8(truncatingIfNeeded: 0x80 | scalar &>> 6 & 0x3F)
            target[end &+ 3] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
            end &+= 4
        }
        if count & 1 != 0 { put(0xFFFD) }
        return end
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
