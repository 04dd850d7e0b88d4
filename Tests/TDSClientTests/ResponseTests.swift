import NIOCore
import TDSWire
import Testing

@testable import TDSClient

@Suite("Responses", .timeLimit(.minutes(15)))
struct ResponseTests {
    @Test("A batch's rows, counts and messages") func batch() async throws {
        let infos = try Tokens.message(.info(0, "hello")) + Tokens.ints([1, 2, 3])
        try await TestServer.session(TestServer.answering(["SELECT n": .tokens(infos), "DELETE": .tokens(Tokens.done(count: 7))])) { server, connection in
            #expect(try await connection.ints("SELECT n") == [1, 2, 3])
            let (_, response) = try await connection.read("SELECT n", into: DiscardingSink())
            #expect(response.rowCounts == [3])
            #expect(response.infos.map(\.text) == ["hello"])
            #expect(try await connection.execute("DELETE").rowCounts == [7])
            var rows = connection.query("SELECT n").makeAsyncIterator()
            while try await rows.next() != nil {}
            #expect(rows.response?.infos.map(\.text) == ["hello"])
        }
    }

    @Test("Several results, some of them empty or without rows") func severalResults() async throws {
        let tokens = try Tokens.ints([1, 2], name: "a", more: true) + Tokens.done(.more, count: 5) + Tokens.ints([], name: "b", more: true)
            + Tokens.ints([3], name: "c")
        try await TestServer.session(TestServer.answering(["go": .tokens(tokens)])) { _, connection in
            var found: [String] = []
            for try await row in connection.query("go") {
                found.append("\(row.columns.resultSet)\(row.columns.metadata[0].name)\(try row.decode("\(row.columns.metadata[0].name)", as: Int.self))")
            }
            #expect(found == ["0a1", "0a2", "2c3"])
            #expect(try await connection.execute("go").rowCounts == [2, 5, 0, 1])
        }
    }

    @Test("Rows, then all errors") func errorsAfterRows() async throws {
        let tokens = try Tokens.ints([1, 2], more: true) + Tokens.message(.error(8134, "Divide by zero error encountered.")) + Tokens.done([.error, .more])
            + Tokens.ints([3], more: true) + Tokens.message(.info(3621, "The statement has been terminated.")) + Tokens.message(.error(208, "Invalid object name 'x'."))
            + Tokens.done(.error)
        try await TestServer.session(TestServer.answering(["go": .tokens(tokens)])) { _, connection in
            var found: [Int] = []
            let error = try await failure { for try await row in connection.query("go") { found.append(try row.decode(0)) } }
            #expect(found == [1, 2, 3])
            #expect(error.code == .server)
            #expect(error.number == 8134)
            #expect(error.serverErrors.map(\.number) == [8134, 208])
            #expect(error.serverErrors.map(\.line) == [3, 3])
            #expect(error.serverInfos.map(\.number) == [3621])
            let whole = try await fails(.server) { try await connection.execute("go") }
            #expect(whole.serverErrors.count == 2)
            // The connection is as good as before.
            #expect(await connection.isUsable)
            _ = try await connection.execute("SELECT 1")
        }
    }

    @Test("A statement that fails without a word") func silentError() async throws {
        try await TestServer.session(TestServer.answering(["go": .tokens(Tokens.done(.error))])) { _, connection in
            try await fails(.server) { try await connection.execute("go") }
            #expect(await connection.isUsable)
        }
    }

    @Test("An error of severity 20 ends the session") func fatalError() async throws {
        let tokens = try Tokens.ints([1], more: true) + Tokens.message(.error(596, "Cannot continue the execution because the session is in the kill state.", severity: 21))
            + Tokens.done(.error)
        try await TestServer.session(TestServer.answering(["go": .tokens(tokens)])) { server, connection in
            let error = try await failure { try await connection.execute("go") }
            #expect(error.number == 596)
            #expect(await !connection.isUsable)
            let next = try await failure { try await connection.execute("SELECT 1") }
            #expect(next.code == .connectionClosed)
            #expect(next.number == 596)
        }
    }

    @Test("Large values over many packets, of known and unknown length") func largeValues() async throws {
        let text = String(repeating: "Grüße 🚲 ", count: 40_000)
        let bytes = ByteBuffer(bytes: (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let types = [Tokens.int, Tokens.maxText, Tokens.maxBytes]
        let known = try Tokens.columns([("id", types[0]), ("t", types[1]), ("b", types[2])])
            + Tokens.row([.int32(1), .string(text), .bytes(bytes)], types) + Tokens.row([.int32(2), .null, .bytes(ByteBuffer())], types)
            + Tokens.row([.int32(3), .string(""), .null], types) + Tokens.done(count: 3)
        let utf16 = Array(text.utf16).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        // Chunks that end inside a UTF-16 unit.
        let chunks = stride(from: 0, to: utf16.count, by: 7777).map { Array(utf16[$0..<min($0 + 7777, utf16.count)]) }
        let unknown = try Tokens.columns([("t", types[1])]) + Tokens.plpRow(chunks: chunks) + Tokens.plpRow(chunks: []) + Tokens.done(count: 2)
        var behaviour = TestServer.answering(["known": .tokens(known), "unknown": .tokens(unknown)])
        behaviour.packetSize = 512
        try await TestServer.session(behaviour) { _, connection in
            let rows = try await connection.query("known").collect()
            #expect(rows.count == 3)
            #expect(try rows[0].decode((Int.self, String.self, ByteBuffer.self)) == (1, text, bytes))
            #expect(try rows[1].decode((Int.self, String?.self, ByteBuffer.self)) == (2, nil, ByteBuffer()))
            #expect(try rows[2].decode((Int.self, String.self, ByteBuffer?.self)) == (3, "", nil))
            let streamed = try await connection.query("unknown").collect()
            #expect(try streamed.map { try $0.decode(0, as: String.self) } == [text, ""])
            let (sink, _) = try await connection.read("known", into: DiscardingSink())
            #expect(sink.rowCount == 3)
            #expect(sink.byteCount == UInt64(12 + utf16.count + bytes.readableBytes))
        }
    }

    @Test("NBCROW with 1, 7, 8, 9 and 1024 columns", arguments: [1, 7, 8, 9, 1024]) func nullBitmaps(_ count: Int) async throws {
        let types = Array(repeating: Tokens.int, count: count)
        let rows: [[TDSValue]] = (0..<3).map { row in (0..<count).map { column in Self.value(row, column) } }
        var tokens = try Tokens.columns(types.enumerated().map { ("c\($0.offset)", $0.element) })
        for row in rows { tokens = tokens + (try Tokens.nbcRow(row, types)) }
        tokens = tokens + Tokens.done(count: 3)
        try await TestServer.session(TestServer.answering(["go": .tokens(tokens)])) { _, connection in
            let found = try await connection.query("go").collect()
            #expect(try found.map { row in try (0..<row.count).map { try row.value($0) } } == rows)
        }
    }

    private static func value(_ row: Int, _ column: Int) -> TDSValue {
        (column * 7 + row) % 3 == 0 ? .null : .int32(Int32(column + row))
    }

    @Test("A result of many rows and packets, through the sequence and through a sink") func manyRows() async throws {
        let types = [Tokens.int, Tokens.text]
        var tokens = try Tokens.columns([("id", types[0]), ("name", types[1])])
        for number in 0..<20_000 {
            tokens = tokens + (try Tokens.row([.int32(Int32(number)), number % 5 == 0 ? .null : .string("name \(number)")], types))
        }
        tokens = tokens + Tokens.done(count: 20_000)
        try await TestServer.session(TestServer.answering(["go": .tokens(tokens)])) { _, connection in
            var next = 0
            for try await row in connection.query("go") {
                #expect(try row.decode(0) == next)
                #expect(try row.decode("name", as: String?.self) == (next % 5 == 0 ? nil : "name \(next)"))
                next += 1
            }
            #expect(next == 20_000)
            let (sink, response) = try await connection.read("go", into: DiscardingSink())
            #expect(sink.rowCount == 20_000)
            #expect(response.rowCounts == [20_000])
        }
    }

    @Test("A response in writes of one byte") func bytewise() async throws {
        var behaviour = TestServer.answering(["go": .tokens(try Tokens.ints([1, 2, 3]))])
        behaviour.largestWrite = 1
        for encryption in [TDSConnectionConfiguration.Encryption.disabled, .required] {
            try await TestServer.run(behaviour) { server in
                try await TDSConnection.withConnection(server.configuration(encryption)) { connection in
                    let found = try await connection.ints("go")
                    #expect(found == [1, 2, 3])
                }
            }
        }
    }

    @Test("The server closes the connection in the middle of a row") func closedInRow() async throws {
        var whole = try Tokens.ints([1, 2, 3])
        // Without the DONE and two bytes of the last row.
        whole.moveWriterIndex(to: whole.writerIndex - 15)
        // A packet that promises more than comes.
        var cut = ByteBuffer()
        cut.writePacketHeader(PacketHeader(type: .tabularResult, status: .endOfMessage, length: UInt16(whole.readableBytes + 8)))
        cut.writeImmutableBuffer(whole)
        try await TestServer.session(TestServer.answering(["go": .bytesAndClose(cut)])) { _, connection in
            var found: [Int] = []
            let error = try await failure { for try await row in connection.query("go") { found.append(try row.decode(0)) } }
            #expect(found == [1, 2])
            #expect(error.code == .protocolViolation || error.code == .connectionClosed)
            #expect(await !connection.isUsable)
            try await fails(.connectionClosed) { try await connection.execute("x") }
        }
        var open = whole.packets()
        open.setInteger(UInt8(0), at: 1)
        try await TestServer.session(TestServer.answering(["go": .bytesAndClose(open)])) { _, connection in
            let error = try await failure { try await connection.execute("go") }
            #expect(error.code == .connectionClosed)
            #expect(await !connection.isUsable)
        }
    }

    @Test("What came before the server closed the connection is read first, however slowly") func closedWhilePaused() async throws {
        let count: Int32 = 10_000
        let tokens = try Tokens.ints(0..<count, more: true) + Tokens.message(.error(6005, "SHUTDOWN is in progress.", severity: 14)) + Tokens.done(.error)
        try await TestServer.session(TestServer.answering(["go": .tokensAndClose(tokens)])) { server, connection in
            var found = 0
            let error = try await failure {
                for try await row in connection.query("go") {
                    #expect(try row.decode(0) == found)
                    if found == 0 {
                        try await server.wait("closed") { $0.open == 0 }
                        try await Task.sleep(for: .milliseconds(50))
                    }
                    found += 1
                }
            }
            #expect(found == Int(count))
            #expect(error.number == 6005)
            #expect(error.code == .server)
            #expect(await !connection.isUsable)
        }
    }

    @Test("Malformed bytes close the connection", arguments: [
        [0x13], [0xD1, 0, 0, 0, 0], [0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0x99], [0xFD, 0, 0], [0xFD, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0xFD, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0xAD, 4, 0, 1, 0, 0, 0], [0xE3, 2, 0, 4, 9], [],
    ] as [[UInt8]])
    func malformed(_ bytes: [UInt8]) async throws {
        try await TestServer.session(TestServer.answering(["go": .tokens(ByteBuffer(bytes: bytes))])) { server, connection in
            // A result before, whose columns must not be taken for those of a row without any.
            let error = try await failure { try await connection.execute("go") }
            #expect(error.code == .protocolViolation, "\(error)")
            #expect(await !connection.isUsable)
            let next = try await failure { try await connection.execute("SELECT 1") }
            #expect(next.code == .connectionClosed)
            #expect(server.snapshot.requests.count == 1)
            try await server.wait("closed") { $0.open == 0 }
        }
    }

    @Test("Rows that follow no columns of their own") func rowsWithoutColumns() async throws {
        let replies = ["one": Behaviour.Reply.tokens(try Tokens.ints([1])), "two": .tokens(try Tokens.row([.int32(2)], [Tokens.int]) + Tokens.done(count: 1))]
        try await TestServer.session(TestServer.answering(replies)) { _, connection in
            #expect(try await connection.ints("one") == [1])
            try await fails(.protocolViolation) { try await connection.ints("two") }
            #expect(await !connection.isUsable)
        }
    }

    @Test("A packet of a wrong type, or of an impossible length") func wrongPackets() async throws {
        let wrong: [ByteBuffer] = [
            Tokens.done().packets(type: .rpc), ByteBuffer(bytes: [4, 1, 0, 3, 0, 0, 1, 0]), ByteBuffer(bytes: [0x77, 1, 0, 8, 0, 0, 1, 0]),
            Tokens.done().packets(type: .preLogin),
        ]
        for bytes in wrong {
            try await TestServer.session(TestServer.answering(["go": .bytes(bytes)])) { _, connection in
                try await fails(.protocolViolation) { try await connection.execute("go") }
                #expect(await !connection.isUsable)
            }
        }
    }

    @Test("A result that nobody asked for closes the connection") func unsolicited() async throws {
        let twice = Tokens.done().packets() + (try Tokens.ints([9])).packets()
        try await TestServer.session(TestServer.answering(["go": .bytes(twice)])) { _, connection in
            _ = try? await connection.execute("go")
            for _ in 0..<20_000 where await connection.isUsable { try await Task.sleep(for: .milliseconds(5)) }
            #expect(await !connection.isUsable)
            try await fails(.connectionClosed) { try await connection.ints("go") }
        }
    }

    @Test("A second request while one runs") func requestInProgress() async throws {
        try await TestServer.session(TestServer.answering(["wait": .beginning(try Tokens.ints([1], more: true))])) { server, connection in
            let first = Task { try await connection.execute("wait") }
            try await server.wait("the first request") { $0.requests.count == 1 }
            try await fails(.requestInProgress) { try await connection.execute("SELECT 1") }
            #expect(server.snapshot.requests.count == 1)
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            _ = try await connection.execute("SELECT 1")
        }
    }

    @Test("Closing while a request runs") func closing() async throws {
        try await TestServer.session(TestServer.answering(["wait": .beginning(ByteBuffer())])) { server, connection in
            let running = Task { try await connection.execute("wait") }
            try await server.wait("the request") { $0.requests.count == 1 }
            await connection.close()
            let error = try await failure { try await running.value }
            #expect(error.code == .connectionClosed)
            #expect(error.message.contains("by the client"))
        }
    }

    @Test("A connection that is dropped is closed") func dropped() async throws {
        try await TestServer.run { server in
            var connection: TDSConnection? = try await TDSConnection.connect(server.configuration())
            #expect(await connection?.isUsable == true)
            connection = nil
            try await server.wait("closed") { $0.open == 0 }
        }
    }
}
