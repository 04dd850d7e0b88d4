// gzip (RFC 1952) by zlib, for recordings whose name ends in `.gz`.
import CZlib
import NIOCore

/// What is wrong with a recording.
public struct RecordingError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// Not a pcap file, or of a kind that this library does not read.
        case notAPcap
        /// The file ends inside a packet.
        case truncated
        /// The file's compression is broken.
        case compression
        /// The file can't be opened, read or written.
        case file
        /// A client's packet differs from the recorded one.
        case differs
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}

/// Compresses as the bytes come. Ends with ``finish(into:)``; what was written before a crash can be read up to the last ``flush(into:)``.
final class GzipWriter {
    /// At a place of its own: zlib keeps its address.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() throws(RecordingError) {
        stream.initialize(to: z_stream())
        // 15 bits of window and 16 for gzip's header instead of zlib's; 8 is zlib's default memory level.
        guard deflateInit2_(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw RecordingError(.compression, "zlib can't be started") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func write(_ bytes: ByteBuffer, into output: inout ByteBuffer) throws(RecordingError) { try deflate(bytes, Z_NO_FLUSH, &output) }
    func flush(into output: inout ByteBuffer) throws(RecordingError) { try deflate(ByteBuffer(), Z_SYNC_FLUSH, &output) }
    func finish(into output: inout ByteBuffer) throws(RecordingError) { try deflate(ByteBuffer(), Z_FINISH, &output) }

    private func deflate(_ bytes: ByteBuffer, _ flush: Int32, _ output: inout ByteBuffer) throws(RecordingError) {
        var input = bytes
        var status = Z_OK
        input.withUnsafeMutableReadableBytes { input in
            stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(input.count)
            repeat {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: 1 << 14) { room in
                    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(room.count)
                    status = CZlib.deflate(stream, flush)
                    return room.count - Int(stream.pointee.avail_out)
                }
            } while status == Z_OK && stream.pointee.avail_out == 0
            stream.pointee.next_in = nil
        }
        // Z_BUF_ERROR only says that there was nothing to do.
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { throw RecordingError(.compression, "zlib error \(status)") }
    }
}

/// Unpacks a gzip file. A file whose end is missing gives what there is: a recording that was cut off can still be read.
///
/// - Parameter limit: the most bytes that the file may unpack to.
func gunzip(_ bytes: ByteBuffer, limit: Int) throws(RecordingError) -> ByteBuffer {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { throw RecordingError(.compression, "zlib can't be started") }
    defer { inflateEnd(stream) }
    var input = bytes
    var output = ByteBuffer()
    var status = Z_OK
    input.withUnsafeMutableReadableBytes { input in
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(clamping: input.count)
        while status == Z_OK, output.readableBytes <= limit {
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: 1 << 16) { room in
                stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(clamping: room.count)
                status = inflate(stream, Z_NO_FLUSH)
                return room.count - Int(stream.pointee.avail_out)
            }
            // Members one after the other are one file.
            if status == Z_STREAM_END, stream.pointee.avail_in > 0 { status = inflateReset(stream) }
        }
        stream.pointee.next_in = nil
    }
    guard output.readableBytes <= limit else { throw RecordingError(.compression, "more than \(limit) bytes") }
    guard status == Z_STREAM_END || status == Z_BUF_ERROR || status == Z_OK else { throw RecordingError(.compression, "zlib error \(status)") }
    return output
}
