public import NIOCore
import Synchronization
import TDSWire

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Records connections into a pcap file: plain TDS packets, credentials blanked, with made-up Ethernet, IP and TCP headers. Wireshark
/// and tshark read it and dissect TDS. Compressed by gzip if the file's name ends in `.gz`.
///
/// Blanked are what ``CredentialBlanking`` knows: LOGIN7's passwords and tokens, SSPI and FEDAUTH messages. Everything else is there as
/// it was: login and host names, SQL text and parameters (a password in `CREATE LOGIN`, too), and every row that was read. A new file
/// is readable by its owner only.
///
/// Any number of connections may be recorded at a time, each by its own ``Connection``. Bytes are written where they come from, a
/// connection's event loop for example. An error while writing ends the recording silently for the connections, which are worth more
/// than their recording; ``close()`` throws it.
public final class SessionRecorder: Sendable {
    private struct State {
        /// Of the open file; nil once it is closed.
        var file: Int32?
        var gzip: GzipWriter?
        var error: RecordingError?
        var connections = 0
    }

    private let state: Mutex<State>

    /// Creates the file, or empties it.
    ///
    /// - Throws: ``RecordingError`` of ``RecordingError/Code/file`` if that is not possible.
    public init(path: String) throws(RecordingError) {
        let gzip = path.hasSuffix(".gz") ? try GzipWriter() : nil
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw RecordingError(.file, "'\(path)' can't be written: \(String(cString: strerror(errno)))") }
        state = Mutex(State(file: file, gzip: gzip))
        var header = ByteBuffer()
        header.writePcapHeader()
        write(header)
    }

    deinit { try? close() }

    /// Begins to record a connection.
    ///
    /// - Parameter server: the port that the recording shows, which decides whether Wireshark recognises TDS.
    public func connection(serverPort: UInt16 = 1433) -> Connection {
        let number = state.withLock { state in
            state.connections += 1
            return state.connections
        }
        return Connection(recorder: self, number: number, serverPort: serverPort)
    }

    /// Ends the recording; what connections do afterwards is not recorded. Throws the first error of writing it.
    public func close() throws(RecordingError) {
        let error: RecordingError? = state.withLock { state in
            guard let file = state.file else { return state.error }
            Self.write(&state) { gzip, output throws(RecordingError) in try gzip.finish(into: &output) }
            state.file = nil
            state.gzip = nil
            // NFS and quotas tell at the end.
            if systemClose(file) != 0, state.error == nil { state.error = RecordingError(.file, "the recording's end can't be written") }
            return state.error
        }
        if let error { throw error }
    }

    fileprivate func write(_ bytes: ByteBuffer) {
        state.withLock { state in
            if state.gzip == nil {
                Self.write(bytes, &state)
            } else {
                Self.write(&state) { gzip, output throws(RecordingError) in try gzip.write(bytes, into: &output) }
            }
        }
    }

    /// What was recorded until now can be read, even if the process ends without ``close()``.
    fileprivate func flush() {
        state.withLock { state in
            Self.write(&state) { gzip, output throws(RecordingError) in try gzip.flush(into: &output) }
        }
    }

    /// Writes what the compression gives; nothing where there is none.
    private static func write(_ state: inout State, _ body: (GzipWriter, inout ByteBuffer) throws(RecordingError) -> Void) {
        guard state.error == nil, state.file != nil, let gzip = state.gzip else { return }
        var output = ByteBuffer()
        do throws(RecordingError) {
            try body(gzip, &output)
        } catch {
            state.error = error
        }
        write(output, &state)
    }

    private static func write(_ bytes: ByteBuffer, _ state: inout State) {
        guard state.error == nil, let file = state.file else { return }
        let error: RecordingError? = bytes.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = systemWrite(file, UnsafeRawBufferPointer(rebasing: rest))
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    return RecordingError(.file, "the recording can't be written: \(String(cString: strerror(errno)))")
                }
            }
            return nil
        }
        if let error { state.error = error }
    }

    /// One connection of a recording. Give it the bytes of both directions as they are without TLS, in whatever pieces.
    public final class Connection: Sendable {
        private let recorder: SessionRecorder
        private let frames: Mutex<ConnectionFrames>

        fileprivate init(recorder: SessionRecorder, number: Int, serverPort: UInt16) {
            self.recorder = recorder
            frames = Mutex(ConnectionFrames(number: number, serverPort: serverPort))
            record { $0.open(time: $1) }
        }

        /// The client sent these bytes.
        public func sent(_ bytes: ByteBuffer) { record { $0.clientSent(bytes, time: $1) } }
        /// The server sent these bytes.
        public func received(_ bytes: ByteBuffer) { record { $0.serverSent(bytes, time: $1) } }
        /// The connection is closed.
        public func closed() {
            record { $0.close(time: $1) }
            recorder.flush()
        }

        private func record(_ body: (inout ConnectionFrames, UInt64) -> ByteBuffer) {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            let time = UInt64(clamping: now.tv_sec) * 1_000_000_000 + UInt64(clamping: now.tv_nsec)
            // Written under the connection's lock, so that its frames stay in order.
            frames.withLock { frames in
                let bytes = body(&frames, time)
                if bytes.readableBytes > 0 { recorder.write(bytes) }
            }
        }
    }
}

/// Makes the frames of a recorded connection. A value without input or output.
public struct ConnectionFrames: Sendable {
    private let client: TCPEndpoint
    private let server: TCPEndpoint
    /// The next sequence numbers.
    private var clientSequence: UInt32 = 1000
    private var serverSequence: UInt32 = 2000
    private var clientPackets = PacketDecoder(maximumPacketSize: 65535)
    private var serverPackets = PacketDecoder(maximumPacketSize: 65535)
    /// The packets of an unfinished message that holds credentials.
    private var secret: [Packet] = []
    private var isClosed = false
    private var isBroken = false

    /// - Parameter number: tells the connections of a recording apart: it becomes the client's port.
    public init(number: Int, serverPort: UInt16 = 1433) {
        // 192.0.2.0/24 is for documentation (RFC 5737).
        client = TCPEndpoint(address: "192.0.2.1", port: UInt16(49152 + number % 16384))
        server = TCPEndpoint(address: "192.0.2.2", port: serverPort)
    }

    /// The three-way handshake.
    public mutating func open(time: UInt64) -> ByteBuffer {
        var output = ByteBuffer()
        frame(toServer: true, .syn, time: time, &output)
        clientSequence &+= 1
        frame(toServer: false, [.syn, .ack], time: time, &output)
        serverSequence &+= 1
        frame(toServer: true, .ack, time: time, &output)
        return output
    }

    /// Frames for bytes of the client; none while a message with credentials is not whole.
    public mutating func clientSent(_ bytes: ByteBuffer, time: UInt64) -> ByteBuffer {
        var output = ByteBuffer()
        guard !isClosed, !isBroken else { return output }
        clientPackets.append(bytes)
        do throws(WireError) {
            while let packet = try clientPackets.next() {
                guard CredentialBlanking.concerns(packet.header.type) else {
                    data(packet, toServer: true, time: time, &output)
                    continue
                }
                secret.append(packet)
                guard packet.header.status.contains(.endOfMessage) else { continue }
                for blanked in blankedSecret(packet.header.type) { data(blanked, toServer: true, time: time, &output) }
            }
        } catch {
            // Bytes that are no TDS packets may be anything: they are not recorded.
            isBroken = true
        }
        return output
    }

    /// Frames for bytes of the server.
    public mutating func serverSent(_ bytes: ByteBuffer, time: UInt64) -> ByteBuffer {
        var output = ByteBuffer()
        guard !isClosed, !isBroken else { return output }
        serverPackets.append(bytes)
        do throws(WireError) {
            while let packet = try serverPackets.next() { data(packet, toServer: false, time: time, &output) }
        } catch {
            isBroken = true
        }
        return output
    }

    /// Both ends close.
    public mutating func close(time: UInt64) -> ByteBuffer {
        var output = ByteBuffer()
        guard !isClosed else { return output }
        isClosed = true
        frame(toServer: true, [.fin, .ack], time: time, &output)
        clientSequence &+= 1
        frame(toServer: false, [.fin, .ack], time: time, &output)
        serverSequence &+= 1
        frame(toServer: true, .ack, time: time, &output)
        return output
    }

    private mutating func blankedSecret(_ type: PacketType) -> [Packet] {
        var message = ByteBuffer()
        for packet in secret { message.writeImmutableBuffer(packet.payload) }
        var blanked = CredentialBlanking.blank(message, type: type)
        let packets = secret.map { Packet(header: $0.header, payload: blanked.readSlice(length: $0.payload.readableBytes) ?? ByteBuffer()) }
        secret = []
        return packets
    }

    private mutating func data(_ packet: Packet, toServer: Bool, time: UInt64, _ output: inout ByteBuffer) {
        var bytes = ByteBuffer()
        bytes.writePacketHeader(packet.header)
        bytes.writeImmutableBuffer(packet.payload)
        // One segment a packet, but for packets longer than IP's.
        while bytes.readableBytes > 0, let part = bytes.readSlice(length: min(bytes.readableBytes, 60000)) {
            frame(toServer: toServer, [.psh, .ack], part, time: time, &output)
            if toServer { clientSequence &+= UInt32(part.readableBytes) } else { serverSequence &+= UInt32(part.readableBytes) }
        }
    }

    private func frame(toServer: Bool, _ flags: TCPSegment.Flags, _ payload: ByteBuffer = ByteBuffer(), time: UInt64, _ output: inout ByteBuffer) {
        let segment = TCPSegment(
            source: toServer ? client : server, destination: toServer ? server : client, sequence: toServer ? clientSequence : serverSequence,
            acknowledged: flags.contains(.ack) ? (toServer ? serverSequence : clientSequence) : 0, flags: flags, payload: payload)
        if let bytes = segment.ethernetFrame() { output.writePcapFrame(PcapFrame(time: time, bytes: bytes)) }
    }
}

// Beside methods of the same names.
private func systemClose(_ file: Int32) -> Int32 { close(file) }
private func systemWrite(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int { write(file, bytes.baseAddress, bytes.count) }
