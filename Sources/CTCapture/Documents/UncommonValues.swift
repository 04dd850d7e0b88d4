import TDSWire

/// Values that the existing connector leaves to `{}`: their JSON is ours to choose, and documented in docs/documents.md.
enum UncommonValues {
    /// json as it is; a vector as an array of numbers; a sql_variant as its base type would be, or base64 where that isn't text.
    static func json(_ bytes: RawSpan, _ type: TypeInfo, largest: Int) throws(WireError) -> [UInt8] {
        switch type.dataType {
        case .json:
            guard bytes.byteCount <= largest else { return base64(bytes, largest) }
            // White space between tokens may be line breaks, and a document is one line. Inside strings JSON has none.
            return (0..<bytes.byteCount).map { index in
                let byte = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
                return byte < 0x20 ? 0x20 : byte
            }
        default: return base64(bytes, largest)
        }
    }

    private static func base64(_ bytes: RawSpan, _ largest: Int) -> [UInt8] {
        var buffer = DocumentBuffer()
        let cut = bytes.extracting(0..<min(bytes.byteCount, largest))
        buffer.write(atMost: (cut.byteCount + 2) / 3 * 4 + 2) { cursor in
            cursor.append(UInt8(ascii: "\""))
            cursor.appendBase64(cut)
            cursor.append(UInt8(ascii: "\""))
        }
        return Array(buffer.bytes)
    }
}
