// Responses to standard output. Writes happen on a queue of their own: a producer goes on while the pipe is slow, until a few
// megabytes wait, and is then suspended instead of blocking a thread.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import DequeModule
import Dispatch
import Synchronization

/// Writes messages in the order of the calls.
///
/// Documents are gathered to about 1 MiB before they are written; anything else is written at once, with what waits before it.
/// Every call throws `FlowProtocolError` once the reader has gone away.
public final class ResponseWriter: Sendable {
    /// Documents are gathered up to this many bytes.
    public static let bufferSize = 1 << 20
    /// Calls suspend while more than this many bytes wait for the pipe.
    public static let highWaterMark = 4 << 20

    private struct State {
        var gathered: [UInt8] = []
        /// Each with how many of its bytes count.
        var queue: Deque<(bytes: [UInt8], count: Int)> = []
        /// Bytes in `queue`, and of the buffer being written.
        var waiting = 0
        var isWriting = false
        var failure: FlowProtocolError?
        /// Who waits until at most so many bytes are left.
        var waiters: [(limit: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let descriptor: Int32
    private let codec: any FlowCodec
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "responses")

    /// A writer on a file descriptor, which stays the caller's to close.
    public init(descriptor: Int32 = 1, codec: any FlowCodec) {
        self.descriptor = descriptor
        self.codec = codec
        // A reader that has gone away is an error to report, not a signal to die of.
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// Appends complete messages, made with the codec's document framing: the first `count` of `bytes`, or all of them.
    ///
    /// A large buffer is kept until it is written, not copied.
    public func write(documents bytes: [UInt8], count: Int? = nil) async throws {
        let count = min(count ?? bytes.count, bytes.count)
        guard count > 0 else { return }
        state.withLock { state in
            if count >= Self.bufferSize / 4 {
                Self.enqueueGathered(&state)
                Self.enqueue(bytes, count, &state)
            } else {
                state.gathered.append(contentsOf: bytes[..<count])
                if state.gathered.count >= Self.bufferSize { Self.enqueueGathered(&state) }
            }
        }
        startWriting()
        try await drain(to: Self.highWaterMark)
    }

    /// Writes a message; everything but `captured` is handed to the pipe at once.
    public func send(_ response: Response) async throws {
        state.withLock { state in
            codec.encode(response, to: &state.gathered)
            if case .captured = response, state.gathered.count < Self.bufferSize { return }
            Self.enqueueGathered(&state)
        }
        startWriting()
        try await drain(to: Self.highWaterMark)
    }

    /// Waits until everything has been written.
    public func flush() async throws {
        state.withLock { Self.enqueueGathered(&$0) }
        startWriting()
        try await drain(to: 0)
    }

    // MARK: The queue

    private static func enqueue(_ bytes: [UInt8], _ count: Int, _ state: inout State) {
        guard state.failure == nil else { return }
        state.waiting += count
        state.queue.append((bytes, count))
    }

    private static func enqueueGathered(_ state: inout State) {
        guard !state.gathered.isEmpty else { return }
        let bytes = state.gathered
        state.gathered = []
        enqueue(bytes, bytes.count, &state)
    }

    private func startWriting() {
        let start = state.withLock { state in
            guard !state.isWriting, !state.queue.isEmpty else { return false }
            state.isWriting = true
            return true
        }
        if start { queue.async { self.writeQueue() } }
    }

    private func drain(to limit: Int) async throws {
        await withCheckedContinuation { continuation in
            let resume = state.withLock { state in
                if state.failure != nil || state.waiting <= limit { return true }
                state.waiters.append((limit, continuation))
                return false
            }
            if resume { continuation.resume() }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func writeQueue() {
        while true {
            let next: (bytes: [UInt8], count: Int)? = state.withLock { state in
                guard let next = state.queue.popFirst() else {
                    state.isWriting = false
                    return nil
                }
                return next
            }
            guard let (bytes, byteCount) = next else { return }
            let failure = write(bytes, byteCount)
            let resumed = state.withLock { state in
                state.waiting -= byteCount
                if let failure {
                    state.failure = failure
                    state.queue.removeAll()
                    state.waiting = 0
                }
                let waiting = state.waiting
                let ready = state.waiters.filter { $0.limit >= waiting }
                state.waiters.removeAll { $0.limit >= waiting }
                return ready.map(\.continuation)
            }
            for continuation in resumed { continuation.resume() }
        }
    }

    /// Blocks until the pipe has taken the first `length` of `bytes`.
    private func write(_ bytes: [UInt8], _ length: Int) -> FlowProtocolError? {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < length {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset..<length])
                #if canImport(Darwin)
                let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
                #elseif canImport(Musl)
                let count = Musl.write(descriptor, rest.baseAddress, rest.count)
                #else
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                #endif
                if count >= 0 {
                    offset += count
                } else if errno == EAGAIN {
                    // The runtime may have left the pipe non-blocking.
                    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&entry, 1, 1000)
                } else if errno == EPIPE {
                    return FlowProtocolError("the runtime has closed the connector's output")
                } else if errno != EINTR {
                    return FlowProtocolError("writing responses failed: \(String(cString: strerror(errno)))")
                }
            }
            return nil
        }
    }
}
