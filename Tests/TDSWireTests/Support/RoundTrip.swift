import NIOCore
import TDSWire
import Testing

/// Encodes, decodes, compares; then decodes every proper prefix of the bytes, which must throw ``WireError`` (a trap would end the
/// tests) unless `prefixesMayDecode` says that a shorter message can be a valid one.
func roundTrip<Message: Equatable>(
    _ message: Message, write: (inout ByteBuffer, Message) throws -> Void, read: (inout ByteBuffer) throws -> Message,
    prefixesMayDecode: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    var bytes = ByteBuffer()
    try write(&bytes, message)
    var copy = bytes
    let decoded = try read(&copy)
    #expect(decoded == message, sourceLocation: sourceLocation)
    #expect(copy.readableBytes == 0, "bytes left over", sourceLocation: sourceLocation)
    for length in 0..<bytes.readableBytes {
        guard var prefix = bytes.getSlice(at: bytes.readerIndex, length: length) else { continue }
        do {
            let shorter = try read(&prefix)
            #expect(prefixesMayDecode && shorter != message, "the first \(length) of \(bytes.readableBytes) bytes decode", sourceLocation: sourceLocation)
        } catch {
            #expect(error is WireError, sourceLocation: sourceLocation)
        }
    }
}

/// A buffer of `count` bytes that differ from their neighbours.
func bytes(_ count: Int, from first: UInt8 = 1) -> ByteBuffer {
    ByteBuffer(bytes: (0..<count).map { first &+ UInt8(truncatingIfNeeded: $0 &* 7) })
}

extension ByteBuffer {
    /// The bytes as lowercase hex, for comparison in messages of failed expectations.
    var hex: String {
        readableBytesView.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined(separator: " ")
    }

    init(hex: String) throws {
        self.init()
        var high: UInt8?
        for character in hex where !character.isWhitespace {
            guard let digit = character.hexDigitValue else { throw HexError.notHex(character) }
            if let first = high {
                writeInteger(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        if high != nil { throw HexError.oddDigits }
    }
}

enum HexError: Error {
    case notHex(Character)
    case oddDigits
}
