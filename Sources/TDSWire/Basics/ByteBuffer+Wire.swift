// Bounds-checked reads and writes in the wire's byte order (little-endian but for packet headers and PRELOGIN).

public import NIOCore

extension ByteBuffer {
    /// Reads a little-endian integer, or throws ``WireError/Code/truncated`` and leaves the buffer as it was.
    @inlinable
    public mutating func readLE<T: FixedWidthInteger>(_ element: @autoclosure () -> String, as type: T.Type = T.self) throws(WireError) -> T {
        guard let value = readInteger(endianness: .little, as: T.self) else { throw WireError(.truncated, element()) }
        return value
    }

    /// Reads a big-endian integer, or throws ``WireError/Code/truncated`` and leaves the buffer as it was.
    @inlinable
    public mutating func readBE<T: FixedWidthInteger>(_ element: @autoclosure () -> String, as type: T.Type = T.self) throws(WireError) -> T {
        guard let value = readInteger(endianness: .big, as: T.self) else { throw WireError(.truncated, element()) }
        return value
    }

    /// Reads `length` bytes as a slice that shares storage, or throws ``WireError/Code/truncated``.
    @inlinable
    public mutating func readWireSlice(_ length: Int, _ element: @autoclosure () -> String) throws(WireError) -> ByteBuffer {
        guard length >= 0, let slice = readSlice(length: length) else { throw WireError(.truncated, element()) }
        return slice
    }

    /// Skips `length` bytes, or throws ``WireError/Code/truncated``.
    @inlinable
    public mutating func skip(_ length: Int, _ element: @autoclosure () -> String) throws(WireError) {
        guard length >= 0, readableBytes >= length else { throw WireError(.truncated, element()) }
        moveReaderIndex(forwardBy: length)
    }

    @inlinable
    public mutating func writeLE<T: FixedWidthInteger>(_ value: T) {
        writeInteger(value, endianness: .little)
    }

    @inlinable
    public mutating func writeBE<T: FixedWidthInteger>(_ value: T) {
        writeInteger(value, endianness: .big)
    }

    /// Reads `units` UTF-16LE code units as a `String`; an unpaired surrogate becomes U+FFFD.
    public mutating func readUTF16(units: Int, _ element: @autoclosure () -> String) throws(WireError) -> String {
        guard units >= 0 else { throw WireError(.malformed, element(), "negative length") }
        let slice = try readWireSlice(units * 2, element())
        return String(utf16LE: slice.readableBytesView)
    }

    /// B_VARCHAR (MS-TDS 2.2.5.1.2): one byte that counts UTF-16 code units, then the units.
    public mutating func readBVarchar(_ element: @autoclosure () -> String) throws(WireError) -> String {
        let units = try readLE(element(), as: UInt8.self)
        return try readUTF16(units: Int(units), element())
    }

    /// US_VARCHAR (MS-TDS 2.2.5.1.2): a little-endian USHORT that counts UTF-16 code units, then the units.
    public mutating func readUSVarchar(_ element: @autoclosure () -> String) throws(WireError) -> String {
        let units = try readLE(element(), as: UInt16.self)
        return try readUTF16(units: Int(units), element())
    }

    /// Writes a string as UTF-16LE without a length; returns the number of code units.
    @discardableResult
    public mutating func writeUTF16(_ string: String) -> Int {
        var units = 0
        for unit in string.utf16 {
            writeLE(unit)
            units += 1
        }
        return units
    }

    /// Writes a B_VARCHAR. Throws ``WireError/Code/valueOutOfRange`` above 255 code units.
    public mutating func writeBVarchar(_ string: String, _ element: @autoclosure () -> String) throws(WireError) {
        guard let count = UInt8(exactly: string.utf16.count) else {
            throw WireError(.valueOutOfRange, element(), "more than 255 UTF-16 code units")
        }
        writeLE(count)
        writeUTF16(string)
    }

    /// Writes a US_VARCHAR. Throws ``WireError/Code/valueOutOfRange`` above 65535 code units.
    public mutating func writeUSVarchar(_ string: String, _ element: @autoclosure () -> String) throws(WireError) {
        guard let count = UInt16(exactly: string.utf16.count) else {
            throw WireError(.valueOutOfRange, element(), "more than 65535 UTF-16 code units")
        }
        writeLE(count)
        writeUTF16(string)
    }

    /// Writes what `body` writes, preceded by its length in bytes as a little-endian `T`.
    /// Throws ``WireError/Code/valueOutOfRange`` if the length does not fit in `T`.
    public mutating func writeLengthPrefixed<T: FixedWidthInteger>(
        as type: T.Type, _ element: @autoclosure () -> String, _ body: (inout ByteBuffer) throws(WireError) -> Void
    ) throws(WireError) {
        let position = writerIndex
        writeLE(T.zero)
        try body(&self)
        guard let length = T(exactly: writerIndex - position - MemoryLayout<T>.size) else {
            throw WireError(.valueOutOfRange, element(), "longer than its length field can say")
        }
        setInteger(length, at: position, endianness: .little)
    }
}

extension String {
    /// Decodes UTF-16LE bytes; an unpaired surrogate or a trailing odd byte becomes U+FFFD.
    public init(utf16LE bytes: some Collection<UInt8>) {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        var low: UInt8?
        for byte in bytes {
            if let first = low {
                units.append(UInt16(first) | UInt16(byte) << 8)
                low = nil
            } else {
                low = byte
            }
        }
        if low != nil { units.append(0xFFFD) }
        self = String(decoding: units, as: UTF16.self)
    }
}
