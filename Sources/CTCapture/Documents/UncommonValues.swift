import NIOCore
import TDSWire

/// Values that the existing connector leaves to `{}`: their JSON is ours to choose, and documented in docs/documents.md.
enum UncommonValues {
    /// json as it is; a vector as an array of numbers; geometry and geography as well-known text; what can't be read as base64.
    static func json(_ bytes: RawSpan, _ type: TypeInfo, largest: Int) throws(WireError) -> [UInt8] {
        switch type.dataType {
        case .json:
            guard bytes.byteCount <= largest else { return base64(bytes, largest) }
            // White space between tokens may be line breaks, and a document is one line. Inside strings JSON has none.
            return (0..<bytes.byteCount).map { index in
                let byte = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
                return byte < 0x20 ? 0x20 : byte
            }
        case .vector: return vector(try TDSVector(wire: bytes).floats)
        case .udt:
            var content = ByteBuffer()
            content.writeBytes(bytes)
            let kind: TDSSpatial.Kind = type.udt?.typeName == "geography" ? .geography : .geometry
            guard let text = try? TDSSpatial(kind, bytes: content).wellKnownText, text.utf8.count <= largest else { return base64(bytes, largest) }
            return Array(DocumentLayout.quoted(text).utf8)
        default: return base64(bytes, largest)
        }
    }

    private static func vector(_ values: [Float]) -> [UInt8] {
        var buffer = DocumentBuffer()
        buffer.append(Array("[".utf8))
        for (index, value) in values.enumerated() {
            if index > 0 { buffer.append(Array(",".utf8)) }
            buffer.write(atMost: DocumentCursor.doubleRoom) { $0.appendDouble(Double(value)) }
        }
        buffer.append(Array("]".utf8))
        return Array(buffer.bytes)
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
