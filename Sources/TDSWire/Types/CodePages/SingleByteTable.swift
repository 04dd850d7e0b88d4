import NIOCore

/// A code page of one byte a character: ASCII, and 128 characters of its own.
struct SingleByteTable: Sendable {
    /// The characters of bytes 0x80 to 0xFF.
    let characters: [UInt16]
    /// The same pairs sorted by character: character << 8 | byte.
    private let codes: [UInt32]

    init(_ characters: [UInt16]) {
        self.characters = characters
        codes = characters.enumerated().map { UInt32($0.element) << 8 | UInt32($0.offset + 0x80) }.sorted()
    }

    static let cp437 = SingleByteTable(SingleByteTables.cp437)
    static let cp850 = SingleByteTable(SingleByteTables.cp850)
    static let cp874 = SingleByteTable(SingleByteTables.cp874)
    static let cp1250 = SingleByteTable(SingleByteTables.cp1250)
    static let cp1251 = SingleByteTable(SingleByteTables.cp1251)
    static let cp1252 = SingleByteTable(SingleByteTables.cp1252)
    static let cp1253 = SingleByteTable(SingleByteTables.cp1253)
    static let cp1254 = SingleByteTable(SingleByteTables.cp1254)
    static let cp1255 = SingleByteTable(SingleByteTables.cp1255)
    static let cp1256 = SingleByteTable(SingleByteTables.cp1256)
    static let cp1257 = SingleByteTable(SingleByteTables.cp1257)
    static let cp1258 = SingleByteTable(SingleByteTables.cp1258)

    func decode(_ bytes: RawSpan, into buffer: inout ByteBuffer) {
        let count = bytes.byteCount
        var offset = 0
        buffer.reserveCapacity(minimumWritableBytes: count + count / 2)
        while offset < count {
            let end = bytes.asciiPrefix(from: offset)
            if end > offset { buffer.writeBytes(bytes.extracting(offset..<end)) }
            offset = end
            while offset < count {
                let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
                guard byte >= 0x80 else { break }
                buffer.writeUTF8(basic: characters[Int(byte &- 0x80)])
                offset &+= 1
            }
        }
    }

    /// The byte of a character that isn't ASCII; nil if there is none.
    func code(_ character: UInt16) -> UInt16? {
        let wanted = UInt32(character) << 8
        var low = 0
        var high = codes.count
        while low < high {
            let middle = (low + high) / 2
            if codes[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        guard low < codes.count, codes[low] >> 8 == UInt32(character) else { return nil }
        return UInt16(truncatingIfNeeded: codes[low] & 0xFF)
    }
}
