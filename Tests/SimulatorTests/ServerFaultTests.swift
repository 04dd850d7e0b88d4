import NIOCore
import TDSWire
import Testing

@testable import SQLServerSimulator

@Suite("Server: troubles on command, and messages taken back", .serialized, .timeLimit(.minutes(15)))
struct ServerFaultTests {
    /// A result of one int column.
    private static func numbers(_ count: Int32) throws -> ByteBuffer {
        var reply = ByteBuffer()
        try reply.writeColumnMetadata([ColumnMetadata("n", TypeInfo(.int4, maximumLength: 4), flags: [])])
        for number in 0..<count {
            reply.writeInteger(TokenType.row.rawValue)
            reply.writeInteger(number, endianness: .little)
        }
        reply.writeDone(Done(status: .count, currentCommand: 0xC1, rowCount: UInt64(count)))
        return reply
    }

    @Test("Torn writes: every size of piece gives the same answer", arguments: [1, 2, 7, 8, 9, 1000], [WireEncryption.none, .full])
    func torn(size: Int, encryption: WireEncryption) async throws {
        let reply = try Self.numbers(3000)
        try await withServer { server in
            server.faults.update {
                $0.largestWrite = size
                $0.reply = { _ in reply }
            }
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server, encryption)
                let response = try await client.batch("numbers")
                #expect(response.rows.count == 3000)
                #expect(response.rows.last == [[0xB7, 0x0B, 0, 0]])
                #expect(response.dones.last?.validRowCount == 3000)
            }
        }
    }

    @Test("A connection breaks after as many packets as it is told")
    func breaks() async throws {
        let reply = try Self.numbers(30_000)
        try await withServer { server in
            server.faults.update { $0.reply = { _ in reply } }
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                server.faults.update { $0.packetsUntilBreak = 3 }
                await #expect(throws: ConnectionClosed.self) { try await client.batch("numbers") }
            }
            // The next one lives.
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                #expect(try await client.batch("numbers").rows.count == 30_000)
            }
        }
    }

    @Test("Latency delays the answer")
    func latency() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                server.faults.update { $0.latency = .milliseconds(200) }
                let clock = ContinuousClock()
                let start = clock.now
                _ = try await client.batch("")
                #expect(start.duration(to: clock.now) >= .milliseconds(190))
            }
        }
    }

    @Test("An attention after the answer is acknowledged by itself; a lost one is not")
    func attention() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("")
                try await client.attention()
                let response = try await client.response()
                #expect(response.dones.map(\.status) == [.attention])
                // Nothing stays behind.
                #expect(try await client.batch("").dones.map(\.status) == [[]])

                server.faults.update { $0.ignoresAttention = true }
                try await client.attention()
                #expect(try await client.batch("").dones.map(\.status) == [[]])
            }
        }
    }

    @Test("A message with the IGNORE bit is not carried out")
    func ignored() async throws {
        let reply = try Self.numbers(1)
        try await withServer { server in
            server.faults.update { $0.reply = { _ in reply } }
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                var packets = ByteBuffer()
                packets.writePacketHeader(PacketHeader(type: .sqlBatch, status: [], length: 10))
                packets.writeBytes([1, 2])
                packets.writePacketHeader(PacketHeader(type: .sqlBatch, status: [.endOfMessage, .ignore], length: 8, packetID: 2))
                try await client.send(raw: packets)
                let response = try await client.response()
                #expect(response.rows.isEmpty)
                #expect(response.dones.count == 1)
                #expect(try await client.batch("numbers").rows.count == 1)
            }
        }
    }

    @Test("The reset bit is acknowledged")
    func reset() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                #expect(try await client.batch("", status: .resetConnection).changes == [.resetConnectionAcknowledged])
                #expect(try await client.batch("").changes == [])
            }
        }
    }

    @Test("All connections can be dropped, and the server stops with connections open")
    func drop() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                #expect(server.connectionCount == 1)
                server.dropConnections()
                await #expect(throws: ConnectionClosed.self) { try await client.receive() }
            }
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                try await server.stop()
                await #expect(throws: ConnectionClosed.self) { try await client.receive() }
            }
        }
    }
}

@Suite("Server: scripts")
struct ServerScriptTests {
    @Test("GO separates batches, but not inside of comments and quoted text")
    func batches() {
        let script = SQLScript("SELECT 1\nGO\n\n  go 2 \r\nSELECT 'a\nGO\nb'\n/* x\nGO\n/* y */\nGO */ SELECT [GO\nGO\n]\nGo -- end\nSELECT \"\nGO\n\" -- '\nGO 3\nx")
        #expect(
            script.batches.map(\.text) == [
                "SELECT 1", "SELECT 'a\nGO\nb'\n/* x\nGO\n/* y */\nGO */ SELECT [GO\nGO\n]", "SELECT \"\nGO\n\" -- '", "SELECT \"\nGO\n\" -- '",
                "SELECT \"\nGO\n\" -- '", "x",
            ])
        #expect(script.batches.map(\.firstLine) == [1, 5, 15, 15, 15, 19])
        #expect(SQLScript("").batches.isEmpty)
        #expect(SQLScript("GO\r\ngo\r\nSELECT 1\r\nGO").batches == [.init(text: "SELECT 1", firstLine: 3)])
    }
}
