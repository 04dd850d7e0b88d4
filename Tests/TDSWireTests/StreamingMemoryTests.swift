import NIOCore
@testable import TDSWire
import Testing

/// What the decoder holds stays small however large the response is. `tds-benchmarks memory-proof` is the large form of these.
@Suite struct StreamingMemoryTests {
    /// Decodes a response that comes in pieces, in packets, and notes the most bytes that were buffered between packets.
    private struct Reader {
        var packets: PacketEncoder
        var decoder = TokenStreamDecoder()
        var sink = DiscardingSink()
        var done: Done?
        var mostBuffered = 0
        var mostStorage = 0

        init(packetSize: Int) { packets = PacketEncoder(type: .tabularResult, packetSize: packetSize) }

        mutating func send(_ piece: ByteBuffer) throws {
            for packet in packets.append(piece) { try receive(packet) }
        }

        mutating func finish() throws { try receive(packets.finish()) }

        private mutating func receive(_ packet: Packet) throws {
            decoder.append(copying: packet.payload.readableBytesSpan)
            mostBuffered = max(mostBuffered, decoder.buffer.readableBytes)
            mostStorage = max(mostStorage, decoder.buffer.storageCapacity)
            while true {
                switch try decoder.decode(into: &sink) {
                case .token(.done(let token)): done = token
                case .token, .sinkFull: continue
                case .needMoreData: return
                }
            }
        }
    }

    /// 64 MiB in chunks of 8000 bytes, the length unknown.
    @Test(arguments: [4096, 32767]) func largeValue(packetSize: Int) throws {
        let size = 64 << 20
        var reader = Reader(packetSize: packetSize)
        var piece = ByteBuffer()
        try piece.writeColumnMetadata([ColumnMetadata("value", TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited))])
        piece.writeLE(TokenType.row.rawValue)
        piece.writeLE(UInt64.max - 1)
        try reader.send(piece)
        let content = ByteBuffer(repeating: 0xD1, count: 8000)
        var rest = size
        while rest > 0 {
            let length = min(rest, 8000)
            piece.clear()
            piece.writeLE(UInt32(length))
            piece.writeBytes(content.readableBytesView.prefix(length))
            try reader.send(piece)
            rest -= length
        }
        piece.clear()
        piece.writeLE(UInt32(0))
        piece.writeDone(Done(status: .count, currentCommand: 0xC1, rowCount: 1))
        try reader.send(piece)
        try reader.finish()
        #expect(reader.sink.byteCount == UInt64(size) && reader.sink.rowCount == 1 && reader.done?.rowCount == 1)
        #expect(reader.mostBuffered <= 2 * packetSize, "\(reader.mostBuffered) bytes were buffered")
        // A buffer's storage grows to powers of two.
        #expect(reader.mostStorage <= 4 * packetSize + 4, "\(reader.mostStorage) bytes of storage")
    }

    @Test(arguments: [4096, 32767]) func manyRows(packetSize: Int) throws {
        let rows = 1_000_000
        var reader = Reader(packetSize: packetSize)
        var piece = ByteBuffer()
        try piece.writeColumnMetadata([
            ColumnMetadata("id", TypeInfo(.int8, maximumLength: 8), flags: []), ColumnMetadata("value", TypeInfo(.bigVarBin, maximumLength: 100)),
        ])
        // Rows differ by their id only: a block of them is written again with the next ids.
        let block = 1000
        let length = 1 + 8 + 2 + 30
        var template = ByteBuffer()
        for _ in 0..<block {
            template.writeLE(TokenType.row.rawValue)
            template.writeLE(Int64(0))
            template.writeLE(UInt16(30))
            template.writeRepeatingByte(0xD1, count: 30)
        }
        for first in stride(from: 0, to: rows, by: block) {
            try reader.send(piece)
            for index in 0..<block { template.setInteger(Int64(first + index), at: index * length + 1, endianness: .little) }
            piece = template
        }
        piece.writeDone(Done(status: .count, currentCommand: 0xC1, rowCount: UInt64(rows)))
        try reader.send(piece)
        try reader.finish()
        #expect(reader.sink.rowCount == UInt64(rows) && reader.sink.byteCount == UInt64(rows * 38) && reader.done?.rowCount == UInt64(rows))
        #expect(reader.mostBuffered <= 2 * packetSize, "\(reader.mostBuffered) bytes were buffered")
        #expect(reader.mostStorage <= 4 * packetSize + 4, "\(reader.mostStorage) bytes of storage")
    }

    /// A parameter of 16 MiB goes out by the chunk and comes in by the chunk.
    @Test func largeParameter() throws {
        struct Sink: RPCSink {
            var byteCount = 0
            var largestPiece = 0
            var requests = 0

            mutating func headers(_ headers: AllHeaders?) {}
            mutating func requestBegins(_ procedure: RPCProcedure, options: RPCRequest.Options, enclavePackage: ByteBuffer?) {}
            mutating func parameterBegins(_ name: String, status: RPCParameter.Status, type: TypeInfo) {}
            mutating func tableBegins(_ name: String, status: RPCParameter.Status, _ table: TableValuedParameter.Head) {}
            mutating func parameterEnds(cipherInfo: ParameterCipherInfo?) {}
            mutating func requestEnds(isExecuted: Bool) { requests += 1 }
            mutating func columns(_ columns: [ColumnMetadata]) {}
            mutating func rowBegins() {}
            mutating func null(column: Int) {}
            mutating func value(_ bytes: RawSpan, column: Int) { largeValueChunk(bytes, column: column) }
            mutating func largeValueBegins(column: Int, length: UInt64?) {}
            mutating func largeValueChunk(_ bytes: RawSpan, column: Int) {
                byteCount += bytes.byteCount
                largestPiece = max(largestPiece, bytes.byteCount)
            }
            mutating func largeValueEnds(column: Int) {}
            mutating func rowEnds() {}
        }
        var sink = Sink()
        var encoder = RPCRequestEncoder()
        var decoder = RPCRequestDecoder()
        var packets = PacketEncoder(type: .rpc, packetSize: 4096)
        var piece = ByteBuffer()
        let chunk = ByteBuffer(repeating: 7, count: 8000)
        let count = 2000
        func send() throws {
            for packet in packets.append(piece) {
                decoder.append(packet.payload)
                try decoder.decode(into: &sink)
            }
            #expect(packets.pendingBytes <= 4096)
            piece.clear()
        }
        try encoder.begin(AllHeaders(), into: &piece)
        try encoder.beginRequest(.name("dbo.store"), into: &piece)
        try encoder.beginLargeParameter("@value", TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited), into: &piece)
        for _ in 0..<count {
            try encoder.largeChunk(chunk, into: &piece)
            #expect(piece.readableBytes < 8200)
            try send()
        }
        try encoder.endLargeParameter(into: &piece)
        try encoder.finish(into: &piece)
        try send()
        decoder.append(packets.finish().payload)
        try decoder.decode(into: &sink)
        try decoder.finish(into: &sink)
        #expect(sink.requests == 1 && sink.byteCount == count * 8000 && sink.largestPiece <= 8192)
    }
}
