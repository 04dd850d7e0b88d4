import ArgumentParser
import CTCapture
import NIOCore
import TDSWire

/// `tds-benchmarks decode`.
struct DecodeBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "decode", abstract: "Measures decoding and transcoding from memory, on one core.")

    @Option(help: "Rows in the token stream.")
    var rows = 1_000_000

    @Option(help: "Payload bytes handed to the decoder at a time, as packets would.")
    var packet = 4088

    @Option(help: "Packets that come in one read.")
    var packetsPerRead = 16

    @Option(help: "Runs of each; the best is shown.")
    var runs = 5

    mutating func run() throws {
        let stream = try BenchmarkRows.tokenStream(rows: rows)
        let megabytes = Double(stream.readableBytes) / 1e6
        var documentBytes = 0
        func measure(_ name: String, _ body: () throws -> Int) throws {
            var best = Duration.seconds(3600)
            let clock = ContinuousClock()
            for _ in 0..<runs {
                var count = 0
                let time = try clock.measure { count = try body() }
                guard count == rows else { throw ValidationError("\(name): \(count) rows of \(rows)") }
                best = min(best, time)
            }
            let seconds = Double(best.components.seconds) + Double(best.components.attoseconds) / 1e18
            let millions = (Double(rows) / seconds / 1e4).rounded() / 100
            let speed = (megabytes / seconds).rounded()
            print("\(name): \(millions) M rows/s, \(speed) MB/s of wire bytes, \((seconds * 1e9 / Double(rows)).rounded()) ns a row")
        }
        try measure("decode, discard") {
            var sink = DiscardingSink()
            try feed(stream, into: &sink)
            return Int(sink.rowCount)
        }
        try measure("decode, transcode to JSON documents") {
            let layout = DocumentLayout(
                source: .backfill, schema: "dbo", table: "benchrows", key: ["id"], prefix: Array(#"{"captured":{"binding":1,"doc":"#.utf8),
                suffix: Array("}}\n".utf8))
            var sink = DocumentWriter(layout, buffer: DocumentBuffer(capacity: 2 << 20))
            try feed(stream, into: &sink)
            documentBytes = sink.byteCount
            return sink.documentCount
        }
        print("\(rows) rows, \(stream.readableBytes / rows) wire bytes and \(documentBytes / rows) document bytes a row")
    }

    /// Hands the stream to a decoder as packets would, and empties the sink when it is full.
    func feed<Sink: EmptiableSink>(_ stream: ByteBuffer, into sink: inout Sink) throws {
        var stream = stream
        var decoder = TokenStreamDecoder()
        while stream.readableBytes > 0 {
            for _ in 0..<packetsPerRead {
                guard let payload = stream.readSlice(length: min(packet, stream.readableBytes)), payload.readableBytes > 0 else { break }
                decoder.append(copying: payload.readableBytesSpan)
            }
            decoding: while true {
                switch try decoder.decode(into: &sink) {
                case .token: continue
                case .sinkFull: sink.empty()
                case .needMoreData: break decoding
                }
            }
        }
    }
}

protocol EmptiableSink: RowSink {
    mutating func empty()
}

extension DiscardingSink: EmptiableSink {
    mutating func empty() {}
}

extension DocumentWriter: EmptiableSink {
    mutating func empty() {
        let full = takeBuffer()
        _ = takeBuffer(replacing: full)
    }
}
