import NIOCore
import Synchronization
import TDSWire
import Testing

@testable import TDSClient

// One at a time: servers that send without end leave little of a small machine to each other.
@Suite("Cancellation and back-pressure", .serialized, .timeLimit(.minutes(15)))
struct CancellationTests {
    /// Many rows, some hundred bytes each.
    static func endless() throws -> Behaviour.Reply {
        let types = [Tokens.int, Tokens.text]
        var rows = ByteBuffer()
        for number in 0..<100 { rows = rows + (try Tokens.row([.int32(Int32(number)), .string(String(repeating: "x", count: 100))], types)) }
        return .endless(head: try Tokens.columns([("id", types[0]), ("text", types[1])]), rows: rows)
    }

    static func works(_ connection: TDSConnection) async throws {
        let found = try await connection.ints("SELECT n")
        #expect(found == [1, 2, 3])
    }

    static func behaviour(_ reply: Behaviour.Reply) throws -> Behaviour {
        TestServer.answering(["go": reply, "SELECT n": .tokens(try Tokens.ints([1, 2, 3]))])
    }

    @Test("Before it is sent: nothing is sent") func before() async throws {
        try await TestServer.session(Self.behaviour(Self.endless())) { server, connection in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await connection.execute("go")
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            let rows = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await connection.query("go").collect().count
            }
            await #expect(throws: CancellationError.self) { try await rows.value }
            try await Self.works(connection)
            #expect(server.snapshot.requests.map(\.text) == ["SELECT n"])
            #expect(server.snapshot.attentions == 0)
        }
    }

    @Test("Before the server has answered") func waiting() async throws {
        try await TestServer.session(Self.behaviour(.beginning(ByteBuffer()))) { server, connection in
            let task = Task { try await connection.execute("go") }
            try await server.wait("the request") { $0.requests.count == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(server.snapshot.attentions == 1)
            try await Self.works(connection)
        }
    }

    @Test("While rows come", arguments: [TDSConnectionConfiguration.Encryption.disabled, .required])
    func receiving(_ encryption: TDSConnectionConfiguration.Encryption) async throws {
        try await TestServer.run(Self.behaviour(Self.endless())) { server in
            try await TDSConnection.withConnection(server.configuration(encryption)) { connection in
                for _ in 0..<3 {
                    let sent = server.snapshot.bytesSent
                    let task = Task { try await connection.execute("go") }
                    try await server.wait("rows") { $0.bytesSent > sent + 1_000_000 }
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                    try await Self.works(connection)
                }
                #expect(server.snapshot.attentions == 3)
            }
        }
    }

    @Test("While the task has the rows, and does not come back for more") func paused() async throws {
        try await TestServer.session(Self.behaviour(Self.endless())) { server, connection in
            let read = Mutex(0)
            let task = Task {
                for try await _ in connection.query("go") {
                    let count = read.withLock { count in
                        count += 1
                        return count
                    }
                    if count == 1000 { try? await Task.sleep(for: .seconds(100)) }
                }
            }
            try await server.wait("rows") { _ in read.withLock { $0 } == 1000 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await Self.works(connection)
            #expect(server.snapshot.attentions == 1)
        }
    }

    @Test("After the end") func after() async throws {
        try await TestServer.session(Self.behaviour(.tokens(try Tokens.ints([7])))) { server, connection in
            let done = Mutex(false)
            let task = Task {
                let found = try await connection.ints("go")
                done.withLock { $0 = true }
                try? await Task.sleep(for: .seconds(100))
                return found
            }
            try await server.wait("the end") { _ in done.withLock { $0 } }
            task.cancel()
            let found = try await task.value
            #expect(found == [7])
            try await Self.works(connection)
            #expect(server.snapshot.attentions == 0)
        }
    }

    @Test("Leaving the loop early") func breaking() async throws {
        try await TestServer.session(Self.behaviour(Self.endless())) { server, connection in
            for _ in 0..<3 {
                var count = 0
                for try await _ in connection.query("go") {
                    count += 1
                    if count == 10 { break }
                }
                try await Self.works(connection)
            }
            #expect(server.snapshot.attentions == 3)
        }
    }

    @Test("The attention crosses the end of the response") func crossing() async throws {
        try await TestServer.session(Self.behaviour(.crossing(try Tokens.ints([5, 6])))) { server, connection in
            for _ in 0..<3 {
                let requests = server.snapshot.requests.count
                let task = Task { try await connection.execute("go") }
                try await server.wait("the request") { $0.requests.count > requests }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                // Not a row of the cancelled one.
                try await Self.works(connection)
            }
            #expect(server.snapshot.attentions == 3)
        }
    }

    @Test("Cancelled at some moment, again and again") func anyMoment() async throws {
        try await TestServer.session(Self.behaviour(.tokens(try Tokens.ints(0..<3000)))) { server, connection in
            for round in 0..<200 {
                let task = Task { try await connection.ints("go") }
                if round % 4 != 0 { try await Task.sleep(for: .microseconds(round * 5)) }
                task.cancel()
                do {
                    let found = try await task.value
                    #expect(found == Array(0..<3000))
                } catch is CancellationError {}
                try await Self.works(connection)
            }
            #expect(await connection.isUsable)
        }
    }

    @Test("No acknowledgement: the connection is closed", arguments: [true, false]) func noAcknowledgement(rowsCome: Bool) async throws {
        var behaviour = try Self.behaviour(rowsCome ? Self.endless() : .beginning(ByteBuffer()))
        behaviour.attention = .ignore
        try await TestServer.run(behaviour) { server in
            var configuration = server.configuration()
            configuration.cancelTimeout = .milliseconds(100)
            let connection = try await TDSConnection.connect(configuration)
            let task = Task { try await connection.execute("go") }
            try await server.wait("the request") { $0.requests.count == 1 }
            task.cancel()
            let error = try await failure { try await task.value }
            #expect(error.code == .protocolViolation)
            #expect(error.message.contains("acknowledge"))
            #expect(await !connection.isUsable)
            try await fails(.connectionClosed) { try await connection.execute("SELECT n") }
            try await server.wait("closed") { $0.open == 0 }
        }
    }

    @Test("A request waits for a cancelled one to end; one more is refused, and one that is cancelled while it waits is never sent")
    func waitingRequests() async throws {
        var behaviour = try Self.behaviour(.beginning(ByteBuffer()))
        behaviour.attention = .ignore
        try await TestServer.session(behaviour) { server, connection in
            let first = Task { try await connection.execute("go") }
            try await server.wait("the request") { $0.requests.count == 1 }
            first.cancel()
            try await server.wait("the attention") { $0.attentions == 1 }
            let second = Task { try await connection.execute("second") }
            await connection.requestWaits()
            try await fails(.requestInProgress) { try await connection.execute("third") }
            second.cancel()
            await #expect(throws: CancellationError.self) { try await second.value }
            // A request that can't be encoded gives its place up.
            let broken = Task { try await connection.execute(TDSQuery(unsafeSQL: "x", parameters: [TDSParameter("@p", .string("x"), type: Tokens.int)])) }
            await connection.requestWaits()
            server.change { $0.attention = .acknowledge }
            _ = try await connection.acknowledge(server)
            await #expect(throws: CancellationError.self) { try await first.value }
            try await fails(.invalidParameter) { try await broken.value }
            try await Self.works(connection)
            #expect(server.snapshot.requests.map(\.text) == ["go", "SELECT n"])
        }
    }

    @Test("A reader that does not read: the client takes no more than its buffers hold", arguments: [TDSConnectionConfiguration.Encryption.disabled, .required])
    func backPressure(_ encryption: TDSConnectionConfiguration.Encryption) async throws {
        try await TestServer.run(Self.behaviour(Self.endless())) { server in
            try await TDSConnection.withConnection(server.configuration(encryption)) { connection in
                let counter = ByteCounter()
                try await connection.channel.pipeline.addHandler(counter.handler(), position: .first).get()
                var rows = 0
                var readWhilePaused: [Int] = []
                for try await _ in connection.query("go") {
                    rows += 1
                    if rows % 2000 == 1 {
                        // As much as comes at all has come when nothing more does.
                        var before = -1
                        while before != counter.bytes {
                            before = counter.bytes
                            try await Task.sleep(for: .milliseconds(100))
                        }
                        readWhilePaused.append(counter.bytes)
                    }
                    if rows == 10_001 { break }
                }
                // About 210 bytes a row, a batch of 128 KiB, one read of 256 KiB or two ahead.
                for (index, bytes) in readWhilePaused.enumerated() {
                    #expect(bytes < index * 2000 * 230 + 1_200_000, "after \(index * 2000) rows")
                }
                #expect(readWhilePaused.count == 6)
                try await Self.works(connection)
            }
        }
    }

    @Test("A sink is handed over when it is full, and nothing is read until it is back") func whenFull() async throws {
        try await TestServer.session(Self.behaviour(.tokens(try Tokens.ints(0..<10_000)))) { server, connection in
            var calls = 0
            let (sink, response) = try await connection.read("go", into: CollectingSink(limit: 100)) { sink in
                calls += 1
                #expect(sink.values.count == 100)
                sink.values.removeAll(keepingCapacity: true)
                await Task.yield()
            }
            #expect(calls == 100)
            #expect(sink.total == 10_000)
            #expect(response.rowCounts == [10_000])
        }
    }

    @Test("A whenFull that throws cancels the query") func whenFullThrows() async throws {
        struct Enough: Error {}
        try await TestServer.session(Self.behaviour(Self.endless())) { server, connection in
            for round in 1...3 {
                await #expect(throws: Enough.self) {
                    try await connection.read("go", into: CollectingSink(limit: 100)) { _ in throw Enough() }
                }
                try await Self.works(connection)
                #expect(server.snapshot.attentions == round)
            }
        }
    }

    @Test("Cancelled while whenFull runs") func cancelledInWhenFull() async throws {
        try await TestServer.session(Self.behaviour(Self.endless())) { server, connection in
            let isFull = Mutex(false)
            let task = Task {
                try await connection.read("go", into: CollectingSink(limit: 100)) { sink in
                    sink.values.removeAll()
                    isFull.withLock { $0 = true }
                    try? await Task.sleep(for: .seconds(100))
                }.response
            }
            try await server.wait("full") { _ in isFull.withLock { $0 } }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await Self.works(connection)
        }
    }

    @Test("What a sink refuses ends the connection") func sinkThrows() async throws {
        try await TestServer.session(Self.behaviour(Self.endless())) { server, connection in
            let error = try await failure { try await connection.read("go", into: CollectingSink(limit: 100, throwsAt: 50)).response }
            #expect(error.code == .protocolViolation)
            #expect((error.underlying as? WireError)?.code == .valueOutOfRange)
            #expect(await !connection.isUsable)
        }
    }
}

extension TDSConnection {
    /// Returns when a request waits for a cancelled one to end.
    fileprivate func requestWaits() async {
        func waits() async -> Bool {
            await withCheckedContinuation { continuation in onHandler { continuation.resume(returning: $0.hasWaitingRequest) } }
        }
        while await !waits() { await Task.yield() }
    }

    /// Makes the server acknowledge: one more attention, straight from the channel.
    fileprivate func acknowledge(_ server: TestServer) async throws {
        var packet = ByteBuffer()
        packet.writePackets(of: ByteBuffer(), type: .attention, packetSize: 512)
        try await channel.writeAndFlush(packet).get()
    }
}

/// Keeps the first column's numbers.
struct CollectingSink: RowSink, Sendable {
    var limit: Int
    var throwsAt = Int.max
    var values: [Int32] = []
    var total = 0

    init(limit: Int, throwsAt: Int = .max) {
        self.limit = limit
        self.throwsAt = throwsAt
    }

    var isFull: Bool { values.count >= limit }
    mutating func columns(_ columns: [ColumnMetadata]) {}
    mutating func rowBegins() {}
    mutating func null(column: Int) {}
    mutating func value(_ bytes: RawSpan, column: Int) throws(WireError) {
        guard column == 0 else { return }
        guard total < throwsAt else { throw WireError(.valueOutOfRange, "test", "enough") }
        values.append(bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self))
        total += 1
    }
    mutating func largeValueBegins(column: Int, length: UInt64?) {}
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) {}
    mutating func largeValueEnds(column: Int) {}
    mutating func rowEnds() {}
}

/// Counts what a channel reads from its socket.
final class ByteCounter: Sendable {
    private let count = Mutex(0)
    var bytes: Int { count.withLock { $0 } }

    private final class Handler: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let counter: ByteCounter
        init(_ counter: ByteCounter) { self.counter = counter }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            counter.count.withLock { $0 += unwrapInboundIn(data).readableBytes }
            context.fireChannelRead(data)
        }
    }

    func handler() -> some ChannelHandler & Sendable { Handler(self) }
}
