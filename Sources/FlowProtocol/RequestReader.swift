// Requests from standard input. Reading blocks, so it has a thread of its own and never one of the concurrency runtime's few.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import Foundation

/// The runtime's requests, until the end of the input.
///
/// Throws `FlowProtocolError` or `JSONError` for what is no request. An unfinished message at the end is an error too.
public struct RequestReader: AsyncSequence, Sendable {
    public typealias Element = Request

    private let stream: AsyncThrowingStream<Request, any Error>

    /// Starts reading the file descriptor, which stays the caller's to close.
    public init(descriptor: Int32 = 0, codec: any FlowCodec) {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Request.self)
        self.stream = stream
        let thread = Thread {
            do {
                try Self.read(descriptor, codec) { continuation.yield($0) }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        thread.name = "requests"
        thread.start()
    }

    public func makeAsyncIterator() -> AsyncThrowingStream<Request, any Error>.AsyncIterator { stream.makeAsyncIterator() }

    private static func read(_ descriptor: Int32, _ codec: any FlowCodec, _ deliver: (Request) -> Void) throws {
        var pending: [UInt8] = []
        var start = 0
        var scanned = 0
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            while let (message, next) = try codec.frame(pending[start...], scanned: scanned) {
                if let request = try codec.decode(pending[message]) { deliver(request) }
                start = next
                scanned = 0
            }
            scanned = pending.count - start
            if start > 0 {
                pending.removeSubrange(..<start)
                start = 0
            }
            let count = chunk.withUnsafeMutableBytes { buffer in
                #if canImport(Darwin)
                Darwin.read(descriptor, buffer.baseAddress, buffer.count)
                #elseif canImport(Musl)
                Musl.read(descriptor, buffer.baseAddress, buffer.count)
                #else
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                #endif
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FlowProtocolError("reading requests failed: \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            pending.append(contentsOf: chunk[..<count])
        }
        // A last message may lack its line break; one that was torn off is no JSON, and an error.
        if !pending.isEmpty, let request = try codec.decode(pending[...]) { deliver(request) }
    }
}
