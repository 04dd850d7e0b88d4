import ArgumentParser
import Foundation
import NIOCore
import TDSWire

/// `tds-benchmarks memory-proof`: streams more than memory holds through the decoders and the encoders, and looks at the process's peak.
struct MemoryProof: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory-proof", abstract: "Fails if a huge value, a huge result, a huge parameter or a huge bulk load needs much memory.",
        discussion: """
            Everything is generated piece by piece, cut into packets, taken apart and decoded. Nothing is stored. Prints the process's peak \
            resident memory after each part, and exits with 1 if it reaches the limit.
            """)

    @Option(help: "MiB of the varbinary(max) value and of the parameter.")
    var value = 4096

    @Option(help: "Rows of the result; the bulk load has a tenth of them.")
    var rows = 100_000_000

    @Option(help: "MiB of resident memory that must not be reached.")
    var limit = 64

    mutating func run() throws {
        let valueBytes = UInt64(value) << 20
        var peak = 0
        func part(_ name: String, _ body: () throws -> UInt64) throws {
            var bytes: UInt64 = 0
            let time = try ContinuousClock().measure { bytes = try body() }
            let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
            peak = try Self.peakResidentBytes()
            print("\(name): \(bytes) bytes on the wire, \((seconds * 10).rounded() / 10) s; peak \(Self.mebibytes(peak)) MiB")
        }
        print("before: peak \(Self.mebibytes(try Self.peakResidentBytes())) MiB")
        for size in [4096, 32767] {
            try part("varbinary(max) of \(value) MiB decoded, packets of \(size)") { try Self.decodeValue(bytes: valueBytes, packetSize: size) }
        }
        for size in [4096, 32767] {
            try part("result of \(rows) rows decoded, packets of \(size)") { try Self.decodeRows(rows, packetSize: size) }
        }
        for size in [4096, 32767] {
            try part("parameter of \(value) MiB encoded and decoded, packets of \(size)") { try Self.sendParameter(bytes: valueBytes, packetSize: size) }
        }
        try part("bulk load of \(rows / 10) rows encoded and decoded, packets of 4096") { try Self.sendBulkLoad(rows: rows / 10, packetSize: 4096) }
        guard peak < limit << 20 else {
            print("FAILED: \(limit) MiB reached")
            throw ExitCode(1)
        }
        print("passed: less than \(limit) MiB")
    }

    /// A result of one row with one value of unknown length, in chunks of 8000 bytes as SQL Server sends them.
    static func decodeValue(bytes: UInt64, packetSize: Int) throws -> UInt64 {
        let metadata = [ColumnMetadata("value", TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited))]
        var response = ResponseReader()
        var pipe = PacketPipe(.tabularResult, packetSize: packetSize)
        var piece = ByteBuffer()
        try piece.writeColumnMetadata(metadata)
        piece.writeLE(TokenType.row.rawValue)
        piece.writeLE(UInt64.max - 1)
        try pipe.send(piece) { try response.read($0) }
        let content = ByteBuffer(bytes: (0..<8000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        var rest = bytes
        while rest > 0 {
            let length = Int(min(rest, 8000))
            piece.clear()
            piece.writeLE(UInt32(length))
            piece.writeBytes(content.readableBytesView.prefix(length))
            try pipe.send(piece) { try response.read($0) }
            rest -= UInt64(length)
        }
        piece.clear()
        piece.writeLE(UInt32(0))
        piece.writeDone(Done(status: .count, currentCommand: 0xC1, rowCount: 1))
        try pipe.send(piece) { try response.read($0) }
        try pipe.finish { try response.read($0) }
        try response.check(rows: 1, bytes: bytes)
        return pipe.wireBytes
    }

    static func decodeRows(_ rows: Int, packetSize: Int) throws -> UInt64 {
        var response = ResponseReader()
        var pipe = PacketPipe(.tabularResult, packetSize: packetSize)
        let maker = BenchmarkRows()
        var piece = ByteBuffer()
        try piece.writeColumnMetadata(BenchmarkRows.columns)
        for index in 0..<rows {
            maker.write(row: index, into: &piece)
            guard piece.readableBytes >= 65_536 else { continue }
            try pipe.send(piece) { try response.read($0) }
            piece.clear()
        }
        piece.writeDone(Done(status: .count, currentCommand: 0xC1, rowCount: UInt64(rows)))
        try pipe.send(piece) { try response.read($0) }
        try pipe.finish { try response.read($0) }
        try response.check(rows: UInt64(rows), bytes: nil)
        return pipe.wireBytes
    }

    /// A call with one varbinary(max) parameter, sent and received chunk by chunk.
    static func sendParameter(bytes: UInt64, packetSize: Int) throws -> UInt64 {
        var pipe = PacketPipe(.rpc, packetSize: packetSize)
        var encoder = RPCRequestEncoder()
        var decoder = RPCRequestDecoder()
        var sink = CountingRPCSink()
        func receive(_ payload: ByteBuffer) throws {
            decoder.append(payload)
            try decoder.decode(into: &sink)
        }
        var piece = ByteBuffer()
        try encoder.begin(AllHeaders(), into: &piece)
        try encoder.beginRequest(.name("dbo.store"), into: &piece)
        try encoder.beginLargeParameter("@value", TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited), into: &piece)
        let content = ByteBuffer(bytes: (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        var rest = bytes
        while rest > 0 {
            guard let chunk = content.getSlice(at: 0, length: Int(min(rest, 65_536))) else { throw ProofError("no chunk") }
            try encoder.largeChunk(chunk, into: &piece)
            try pipe.send(piece, receive)
            piece.clear()
            rest -= UInt64(chunk.readableBytes)
        }
        try encoder.endLargeParameter(into: &piece)
        try encoder.finish(into: &piece)
        try pipe.send(piece, receive)
        try pipe.finish(receive)
        try decoder.finish(into: &sink)
        guard sink.byteCount == bytes, sink.requests == 1 else { throw ProofError("\(sink.byteCount) bytes of \(bytes) arrived in \(sink.requests) calls") }
        return pipe.wireBytes
    }

    static func sendBulkLoad(rows: Int, packetSize: Int) throws -> UInt64 {
        var pipe = PacketPipe(.bulkLoad, packetSize: packetSize)
        var encoder = BulkLoadEncoder(columns: [
            ColumnMetadata("id", TypeInfo(.int8, maximumLength: 8), flags: []), ColumnMetadata("value", TypeInfo(.bigVarBin, maximumLength: 100)),
        ])
        var decoder = BulkLoadDecoder()
        var sink = DiscardingSink()
        func receive(_ payload: ByteBuffer) throws {
            decoder.append(payload)
            while try decoder.decode(into: &sink) {}
        }
        let content = ByteBuffer(bytes: (0..<80).map { UInt8($0) })
        var piece = ByteBuffer()
        var id = ByteBuffer()
        try encoder.begin(into: &piece)
        for index in 0..<rows {
            id.clear()
            id.writeLE(Int64(index))
            try encoder.row([id, index % 16 == 0 ? nil : content], into: &piece)
            guard piece.readableBytes >= 65_536 else { continue }
            try pipe.send(piece, receive)
            piece.clear()
        }
        encoder.finish(into: &piece)
        try pipe.send(piece, receive)
        try pipe.finish(receive)
        try decoder.finish()
        guard sink.rowCount == UInt64(rows) else { throw ProofError("\(sink.rowCount) rows of \(rows) arrived") }
        return pipe.wireBytes
    }

    /// The most memory that the process has had resident so far.
    static func peakResidentBytes() throws -> Int {
        #if os(Linux)
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
                let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
            else { throw ProofError("no VmHWM in /proc/self/status") }
            return kibibytes << 10
        #else
            var usage = rusage()
            guard getrusage(RUSAGE_SELF, &usage) == 0 else { throw ProofError("getrusage") }
            return usage.ru_maxrss
        #endif
    }

    static func mebibytes(_ bytes: Int) -> Double { (Double(bytes) / 1_048_576 * 10).rounded() / 10 }
}

struct ProofError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Reads a response as a client does, and counts.
private struct ResponseReader {
    private var decoder = TokenStreamDecoder()
    private var sink = DiscardingSink()
    private var done: Done?

    mutating func read(_ payload: ByteBuffer) throws {
        decoder.append(copying: payload.readableBytesSpan)
        while true {
            switch try decoder.decode(into: &sink) {
            case .token(.done(let token)): done = token
            case .token, .sinkFull: continue
            case .needMoreData: return
            }
        }
    }

    func check(rows: UInt64, bytes: UInt64?) throws {
        guard decoder.isAtTokenBoundary, done?.rowCount == rows, sink.rowCount == rows, bytes.map({ $0 == sink.byteCount }) ?? true else {
            throw ProofError("\(sink.rowCount) rows of \(rows) with \(sink.byteCount) bytes were decoded")
        }
    }
}

private struct CountingRPCSink: RPCSink {
    var byteCount: UInt64 = 0
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
    mutating func value(_ bytes: RawSpan, column: Int) { byteCount += UInt64(bytes.byteCount) }
    mutating func largeValueBegins(column: Int, length: UInt64?) {}
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { byteCount += UInt64(bytes.byteCount) }
    mutating func largeValueEnds(column: Int) {}
    mutating func rowEnds() {}
}
