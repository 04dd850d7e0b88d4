import Logging
import NIOCore
import NIOEmbedded
import TDSTLS
import TDSWire
import Testing

@testable import TDSClient

/// The channel handler without a socket: every byte at its own moment.
@Suite("Channel handler", .timeLimit(.minutes(15)))
struct HandlerTests {
    /// Records what a request's rows and end are; full after `limit` rows.
    private final class Recorder: RowConsumer {
        struct Sink: RowSink {
            var rows: [[ByteBuffer?]] = []
            var limit = Int.max
            private var row: [ByteBuffer?] = []
            private var large = ByteBuffer()
            var isFull: Bool { rows.count >= limit }
            mutating func columns(_ columns: [ColumnMetadata]) {}
            mutating func rowBegins() { row = [] }
            mutating func null(column: Int) { row.append(nil) }
            mutating func value(_ bytes: RawSpan, column: Int) { row.append(Self.copy(bytes)) }
            mutating func largeValueBegins(column: Int, length: UInt64?) { large = ByteBuffer() }
            mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { large.writeImmutableBuffer(Self.copy(bytes)) }
            mutating func largeValueEnds(column: Int) { row.append(large) }
            mutating func rowEnds() { rows.append(row) }
            private static func copy(_ bytes: RawSpan) -> ByteBuffer {
                var buffer = ByteBuffer()
                for offset in 0..<bytes.byteCount { buffer.writeInteger(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) }
                return buffer
            }
        }

        var sink = Sink()
        var rows: [[ByteBuffer?]] = []
        var handOvers = 0
        var results: [Result<ClientRequestStateMachine.Response, TDSError>] = []

        func consume(_ decoder: inout TokenStreamDecoder) throws(WireError) -> TokenStreamDecoder.Event { try sink.decode(from: &decoder) }
        func handOver() {
            handOvers += 1
            empty()
        }
        func empty() {
            rows += sink.rows
            sink.rows = []
        }
        func finish(_ result: Result<ClientRequestStateMachine.Response, TDSError>) {
            empty()
            results.append(result)
        }
        var error: TDSError? { if case .failure(let error)? = results.first { error } else { nil } }
        var response: ClientRequestStateMachine.Response? { try? results.first?.get() }
    }

    private struct Session {
        let channel = EmbeddedChannel()
        let handler: TDSChannelHandler

        /// - Parameter feed: how the login's bytes reach the channel.
        init(feed: (EmbeddedChannel, ByteBuffer) throws -> Void = { try $0.writeInbound($1) }) throws {
            let configuration = TDSConnectionConfiguration(host: "test", authentication: .sqlServer(user: "sa", password: "x"), encryption: .disabled)
            let promise = channel.eventLoop.makePromise(of: TDSChannelHandler.LoginOutcome.self)
            handler = TDSChannelHandler(
                login: ClientLoginStateMachine(
                    encryption: configuration.loginEncryption, preLogin: configuration.preLogin, login: configuration.login7(server: "test", database: "")),
                promise: promise, tls: try TLSContext(client: TLSClientConfiguration(trust: .anything)), serverName: "test", version: .v7_4,
                cancelTimeout: .seconds(5), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1433), promise: nil)
            try channel.pipeline.syncOperations.addHandler(handler)
            var preLogin = ByteBuffer()
            try preLogin.writePreLogin(PreLogin(version: PreLogin.Version(major: 16, minor: 0, build: 1), encryption: .notSupported, mars: false))
            try feed(channel, preLogin.packets())
            var login = ByteBuffer()
            try login.writeLogin()
            try feed(channel, login.packets())
            _ = try promise.futureResult.wait()
            _ = try sent()
        }

        /// The packets that were written since the last time.
        func sent() throws -> [Packet] {
            var decoder = PacketDecoder()
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) { decoder.append(bytes) }
            var packets: [Packet] = []
            while let packet = try decoder.next() { packets.append(packet) }
            return packets
        }

        func finish() { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    /// Every token that a response may hold, values of all layouts, rows of both kinds, two results.
    private static func response() throws -> (tokens: ByteBuffer, rows: Int) {
        let types = [Tokens.int, Tokens.text, Tokens.maxText, TypeInfo(.int4, maximumLength: 4), Tokens.maxBytes]
        let columns = types.enumerated().map { ("c\($0.offset)", $0.element) }
        var tokens = try Tokens.message(.info(1, "begin")) + Tokens.columns(columns)
        try tokens.writeOrder([1])
        tokens = tokens + (try Tokens.row([.int32(1), .string("é"), .string("max"), .int32(2), .bytes(ByteBuffer(bytes: [1, 2]))], types))
        tokens = tokens + (try Tokens.row([.null, .null, .null, .int32(-1), .null], types))
        tokens = tokens + (try Tokens.nbcRow([.int32(9), .null, .string(""), .int32(0), .bytes(ByteBuffer(repeating: 3, count: 20))], types))
        tokens.writeDone(Done(status: [.more, .count], currentCommand: 0xC1, rowCount: 3))
        tokens = tokens + (try Tokens.columns([("t", Tokens.maxText)])) + Tokens.plpRow(chunks: [[65], [0, 66, 0], []].filter { !$0.isEmpty })
        tokens.writeDone(Done(.doneInProc, status: [.more, .count], currentCommand: 0xC1, rowCount: 1))
        tokens = tokens + (try Tokens.change(.database(new: "shop", old: "master"))) + (try Tokens.message(.error(50000, "oops")))
        tokens.writeReturnStatus(3)
        try tokens.writeReturnValue(ReturnValue(ordinal: 0, name: "@a", typeInfo: Tokens.int, value: ByteBuffer(integer: Int32(5), endianness: .little)))
        tokens.writeDone(Done(.doneProc, status: .error, currentCommand: 0xE0))
        return (tokens, 4)
    }

    private static func run(_ session: Session, _ recorder: Recorder, id: Int = 1, _ parts: [ByteBuffer]) throws {
        session.handler.send(.batch("x"), id: id, consumer: recorder)
        for part in parts {
            try session.channel.writeInbound(part)
            while recorder.sink.limit < .max, recorder.handOvers > 0, recorder.results.isEmpty {
                recorder.handOvers = 0
                session.handler.resume(id, consumer: recorder)
            }
        }
    }

    @Test("A response torn at every byte gives the same", arguments: [4096, 512, 20]) func torn(packetSize: Int) throws {
        let (tokens, count) = try Self.response()
        var bytes = ByteBuffer()
        // Packets smaller than any server's, so that tokens and values are cut by headers too.
        var rest = tokens
        var id: UInt8 = 1
        while rest.readableBytes > 0 {
            let length = min(packetSize - 8, rest.readableBytes)
            bytes.writePacketHeader(
                PacketHeader(type: .tabularResult, status: length == rest.readableBytes ? .endOfMessage : [], length: UInt16(length + 8), packetID: id))
            if let part = rest.readSlice(length: length) { bytes.writeImmutableBuffer(part) }
            id &+= 1
        }
        let whole = Recorder()
        let session = try Session()
        defer { session.finish() }
        try Self.run(session, whole, [bytes])
        #expect(whole.rows.count == count)
        #expect(whole.response?.errors.map(\.number) == [50000])
        #expect(whole.response?.rowCounts == [3, 1])
        #expect(whole.response?.returnStatus == 3)
        #expect(whole.response?.returnValues.count == 1)

        // In two parts, cut anywhere; the sink never full, and full after every row.
        for split in 0...bytes.readableBytes {
            for limit in [Int.max, 1] {
                let recorder = Recorder()
                recorder.sink.limit = limit
                let parts = [bytes.getSlice(at: 0, length: split), bytes.getSlice(at: split, length: bytes.readableBytes - split)].compactMap { $0 }
                try Self.run(session, recorder, id: split * 2 + (limit == 1 ? 3 : 2), parts)
                #expect(recorder.rows == whole.rows, "cut at \(split)")
                #expect(recorder.response == whole.response, "cut at \(split)")
            }
        }
        // Byte by byte, the login too.
        func bytewise(_ channel: EmbeddedChannel, _ bytes: ByteBuffer) throws {
            for byte in bytes.readableBytesView { try channel.writeInbound(ByteBuffer(bytes: [byte])) }
        }
        let slow = try Session(feed: bytewise)
        defer { slow.finish() }
        let recorder = Recorder()
        try Self.run(slow, recorder, bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) })
        #expect(recorder.rows == whole.rows)
        #expect(recorder.response == whole.response)
    }

    @Test("A response cut short anywhere and ended: a failure, once, and never a success") func truncated() throws {
        let (tokens, _) = try Self.response()
        let bytes = tokens.packets()
        for length in stride(from: 0, to: bytes.readableBytes, by: 3) {
            let session = try Session()
            defer { session.finish() }
            let recorder = Recorder()
            try Self.run(session, recorder, [bytes.getSlice(at: 0, length: length)].compactMap { $0 })
            #expect(recorder.results.isEmpty)
            if length % 2 == 0 {
                session.channel.pipeline.fireChannelInactive()
            } else {
                session.channel.pipeline.fireErrorCaught(ChannelError.ioOnClosedChannel)
            }
            session.handler.fail(TDSError(.tls, "once more"))
            #expect(recorder.results.count == 1)
            #expect(recorder.error?.code == .connectionClosed)
            // After the end of the message, what is missing is a violation.
            var cut = ByteBuffer()
            cut.writePackets(of: tokens.getSlice(at: 0, length: max(length - 8, 0)) ?? ByteBuffer(), type: .tabularResult, packetSize: 4096)
            let other = try Session()
            defer { other.finish() }
            let second = Recorder()
            try Self.run(other, second, [cut])
            #expect(second.results.count == 1)
            #expect(second.error?.code == .protocolViolation, "\(length)")
        }
    }

    @Test("Any byte changed: no trap, one end") func changed() throws {
        let (tokens, _) = try Self.response()
        let bytes = tokens.packets()
        for index in 0..<bytes.readableBytes {
            for value: UInt8 in [0x00, 0xFF, 0x81, 0xD1, 0xFD] {
                let session = try Session()
                defer { session.finish() }
                let recorder = Recorder()
                var wrong = bytes
                wrong.setInteger(value, at: index)
                try Self.run(session, recorder, [wrong])
                if session.channel.isActive { session.channel.pipeline.fireChannelInactive() }
                #expect(recorder.results.count == 1)
            }
        }
    }

    @Test("Cancelling: one attention, and the end comes once") func cancel() throws {
        let session = try Session()
        defer { session.finish() }
        let recorder = Recorder()
        session.handler.send(.batch("x"), id: 1, consumer: recorder)
        #expect(try session.sent().map(\.header.type) == [.sqlBatch])
        session.handler.cancel(1)
        session.handler.cancel(1)
        session.handler.cancel(7)
        #expect(try session.sent().map(\.header.type) == [.attention])
        #expect(recorder.results.isEmpty)
        // The response's own end is not the end.
        try session.channel.writeInbound(Tokens.done().packets())
        #expect(recorder.results.isEmpty)
        let next = Recorder()
        session.handler.send(.batch("y"), id: 2, consumer: next)
        #expect(try session.sent().isEmpty)
        try session.channel.writeInbound(Tokens.done(.attention).packets())
        #expect(recorder.results.count == 1)
        #expect(recorder.error?.code == .cancelled)
        #expect(try session.sent().map(\.header.type) == [.sqlBatch])
        try session.channel.writeInbound(try Tokens.ints([1]).packets())
        #expect(next.rows.count == 1)
        #expect(next.response?.rowCounts == [1])
        // Of the request that is over nothing can be cancelled any more.
        session.handler.cancel(1)
        session.handler.cancel(2)
        #expect(try session.sent().isEmpty)
        // The deadline went with the acknowledgement.
        session.channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect((try? session.handler.session.get()) != nil)
    }

    @Test("No acknowledgement within the deadline") func deadline() throws {
        let session = try Session()
        defer { session.finish() }
        let (recorder, next) = (Recorder(), Recorder())
        session.handler.send(.batch("x"), id: 1, consumer: recorder)
        session.handler.cancel(1)
        session.handler.send(.batch("y"), id: 2, consumer: next)
        session.channel.embeddedEventLoop.advanceTime(by: .milliseconds(4900))
        #expect(recorder.results.isEmpty)
        session.channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        #expect(recorder.error?.code == .protocolViolation)
        #expect(next.error?.code == .protocolViolation)
        #expect(!session.channel.isActive)
    }

    @Test("Cancelled in the middle of a row and of a large value, then read to the acknowledgement") func cancelInRow() throws {
        let (tokens, _) = try Self.response()
        let bytes = tokens.packets()
        for split in 8..<bytes.readableBytes {
            let session = try Session()
            defer { session.finish() }
            let recorder = Recorder()
            try Self.run(session, recorder, [bytes.getSlice(at: 0, length: split)].compactMap { $0 })
            session.handler.cancel(1)
            let rest = try #require(bytes.getSlice(at: split, length: bytes.readableBytes - split))
            try session.channel.writeInbound(rest)
            #expect(recorder.results.isEmpty)
            try session.channel.writeInbound(Tokens.done(.attention).packets())
            #expect(recorder.error?.code == .cancelled)
            let next = Recorder()
            try Self.run(session, next, id: 2, [try Tokens.ints([1]).packets()])
            #expect(next.rows.count == 1)
        }
    }

    @Test("A request that is made while the connection closes, and after") func closed() throws {
        let session = try Session()
        session.channel.pipeline.fireChannelInactive()
        let late = Recorder()
        session.handler.send(.batch("x"), id: 1, consumer: late)
        #expect(late.error?.code == .connectionClosed)
        session.finish()
        let later = Recorder()
        session.handler.send(.batch("x"), id: 2, consumer: later)
        session.handler.resume(2, consumer: later)
        session.handler.cancel(2)
        #expect(later.results.allSatisfy { if case .failure = $0 { true } else { false } })
    }

    @Test("An error between two requests is kept for the next one that fails") func lastWords() throws {
        let session = try Session()
        defer { session.finish() }
        try session.channel.writeInbound((try Tokens.message(.error(6005, "SHUTDOWN is in progress.", severity: 14)) + Tokens.done(.error)).packets())
        session.channel.pipeline.fireChannelInactive()
        let late = Recorder()
        session.handler.send(.batch("x"), id: 1, consumer: late)
        #expect(late.error?.number == 6005)
    }

    @Test("Reads stop while the sink is full") func demand() throws {
        final class Reads: ChannelOutboundHandler {
            typealias OutboundIn = ByteBuffer
            var count = 0
            func read(context: ChannelHandlerContext) {
                count += 1
                context.read()
            }
        }
        let session = try Session()
        defer { session.finish() }
        let reads = Reads()
        try session.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        let recorder = Recorder()
        recorder.sink.limit = 2
        session.handler.send(.batch("x"), id: 1, consumer: recorder)
        reads.count = 0
        let bytes = try Tokens.ints(0..<4).packets()
        try session.channel.writeInbound(bytes)
        #expect(recorder.rows.count == 2)
        #expect(reads.count == 0)
        session.handler.resume(1, consumer: recorder)
        #expect(recorder.rows.count == 4)
        #expect(reads.count == 0)
        session.handler.resume(1, consumer: recorder)
        #expect(recorder.response?.rowCounts == [4])
        #expect(reads.count == 1)
    }
}
