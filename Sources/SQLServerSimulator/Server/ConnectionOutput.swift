// The way from a session's thread to its socket.
import Dispatch
import NIOCore
import Synchronization
import TDSWire

/// The connection went away while an answer was being sent.
struct ConnectionGone: Error {}

/// Takes packets from a session's thread and writes them on the channel's event loop. A thread that is too far ahead of the socket waits.
final class ConnectionOutput: Sendable {
    private struct State {
        /// Bytes that were given to the channel and that the socket hasn't taken yet.
        var unsent = 0
        var isWaiting = false
        var isClosed = false
    }

    let channel: any Channel
    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)
    /// How far a thread may be ahead of the socket, in bytes.
    private static let limit = 1 << 20

    init(channel: any Channel) { self.channel = channel }

    /// Writes and flushes. Blocks while too much is unsent.
    func send(_ buffers: [ByteBuffer], byteCount: Int) throws(ConnectionGone) {
        while true {
            let (isClosed, mustWait) = state.withLock { state in
                if state.isClosed { return (true, false) }
                if state.unsent > Self.limit {
                    state.isWaiting = true
                    return (false, true)
                }
                state.unsent += byteCount
                return (false, false)
            }
            if isClosed { throw ConnectionGone() }
            if !mustWait { break }
            room.wait()
        }
        let channel = self.channel
        let output = self
        channel.eventLoop.execute {
            for buffer in buffers.dropLast() { channel.write(buffer, promise: nil) }
            guard let last = buffers.last else { return }
            channel.writeAndFlush(last).whenComplete { _ in output.sent(byteCount) }
        }
    }

    private func sent(_ byteCount: Int) {
        let wakes = state.withLock { state in
            state.unsent -= byteCount
            guard state.isWaiting, state.unsent <= Self.limit / 2 else { return false }
            state.isWaiting = false
            return true
        }
        if wakes { room.signal() }
    }

    /// To be called when the channel is closed: a thread that waits goes on, to find out.
    func closed() {
        let wakes = state.withLock { state in
            state.isClosed = true
            defer { state.isWaiting = false }
            return state.isWaiting
        }
        if wakes { room.signal() }
    }

    /// Closes the connection once everything before is written.
    func close() {
        // A closed channel's event loop may be gone.
        if state.withLock({ $0.isClosed }) { return }
        let channel = self.channel
        channel.eventLoop.execute { channel.close(promise: nil) }
    }
}

/// Puts tokens into packets of the negotiated size: a message is written token by token into `payload`, and goes out when enough is there.
struct ResponseWriter {
    /// Tokens that are in no packet yet.
    var payload = ByteBuffer()
    /// With the header.
    var packetSize = 4096
    var spid: UInt16 = 0
    /// One packet a write, for each needs a TLS record of its own.
    var isEncrypted = false
    let output: ConnectionOutput
    let faults: FaultInjection
    private var packetID: UInt8 = 1
    /// Packets go out when about so much is there: large writes are what makes a socket fast.
    private static let batch = 1 << 16

    init(output: ConnectionOutput, faults: FaultInjection) {
        self.output = output
        self.faults = faults
    }

    /// Sends full packets if there are enough of them.
    mutating func sendIfLarge() throws(ConnectionGone) {
        if payload.readableBytes >= Self.batch { try send(last: false) }
    }

    /// Sends the message's rest, with its end.
    mutating func endMessage() throws(ConnectionGone) {
        try send(last: true)
        packetID = 1
    }

    private mutating func send(last: Bool) throws(ConnectionGone) {
        let room = packetSize - PacketHeader.size
        let count = payload.readableBytes
        var packets = ByteBuffer()
        packets.reserveCapacity(count + (count / room + 1) * PacketHeader.size)
        var lengths: [Int] = []
        // The last packet is kept back until it is known to be the last.
        while payload.readableBytes > room || (last && (payload.readableBytes > 0 || lengths.isEmpty)) {
            let length = min(room, payload.readableBytes)
            let isEnd = last && length == payload.readableBytes
            packets.writePacketHeader(
                PacketHeader(
                    type: .tabularResult, status: isEnd ? .endOfMessage : [], length: UInt16(truncatingIfNeeded: length + PacketHeader.size),
                    spid: spid, packetID: packetID))
            if let part = payload.readSlice(length: length) { packets.writeImmutableBuffer(part) }
            lengths.append(length + PacketHeader.size)
            packetID &+= 1
            if faults.countPacket() {
                // The connection breaks in the middle of this packet.
                let kept = packets.writerIndex - length / 2
                packets.moveWriterIndex(to: kept)
                try output.send([packets], byteCount: packets.readableBytes)
                output.close()
                throw ConnectionGone()
            }
        }
        if payload.readableBytes == 0 { payload.clear() } else { payload.discardReadBytes() }
        guard !lengths.isEmpty else { return }
        let byteCount = packets.readableBytes
        if isEncrypted {
            var parts: [ByteBuffer] = []
            parts.reserveCapacity(lengths.count)
            for length in lengths { if let part = packets.readSlice(length: length) { parts.append(part) } }
            try output.send(parts, byteCount: byteCount)
        } else {
            try output.send([packets], byteCount: byteCount)
        }
    }
}
