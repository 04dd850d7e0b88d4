import NIOCore
import TDSWire

/// Everything that a token stream says, in order: what decoding has to give however the bytes are cut.
struct RecordedStream: Equatable {
    enum Event: Equatable {
        case token(Token)
        case columns([ColumnMetadata])
        case row([ByteBuffer?])
    }

    var events: [Event] = []

    var tokens: [Token] { events.compactMap { if case .token(let token) = $0 { token } else { nil } } }
    var rows: [[ByteBuffer?]] { events.compactMap { if case .row(let row) = $0 { row } else { nil } } }
}

/// Records rows whole, whether their values came whole or in chunks; and checks the order of the calls.
struct RecordingSink: RowSink {
    var events: [RecordedStream.Event] = []
    private var row: [ByteBuffer?]?
    private var large: ByteBuffer?
    private var announced: UInt64?
    /// Calls that broke the protocol of ``RowSink``.
    var violations: [String] = []

    mutating func columns(_ columns: [ColumnMetadata]) {
        if row != nil { violations.append("columns in a row") }
        events.append(.columns(columns))
    }
    mutating func rowBegins() {
        if row != nil { violations.append("a row in a row") }
        row = []
    }
    mutating func null(column: Int) { put(nil, column) }
    mutating func value(_ bytes: RawSpan, column: Int) {
        var value = ByteBuffer()
        value.writeBytes(bytes)
        put(value, column)
    }
    mutating func largeValueBegins(column: Int, length: UInt64?) {
        if large != nil { violations.append("a value in a value") }
        large = ByteBuffer()
        announced = length
    }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) {
        if large == nil { violations.append("a chunk without value") }
        large?.writeBytes(bytes)
    }
    mutating func largeValueEnds(column: Int) {
        let value = large
        large = nil
        if let announced, announced != UInt64(value?.readableBytes ?? -1) { violations.append("not the announced length") }
        put(value, column)
    }
    mutating func rowEnds() {
        if let row { events.append(.row(row)) } else { violations.append("no row to end") }
        row = nil
    }

    private mutating func put(_ value: ByteBuffer?, _ column: Int) {
        if row?.count != column { violations.append("column \(column) at the wrong moment") }
        row?.append(value)
    }
}

struct IncompleteStream: Error, Equatable {
    var violations: [String] = []
}

/// Decodes a stream that comes in these parts. Throws ``IncompleteStream`` if it ends inside a token.
func decodeStream(_ parts: some Sequence<ByteBuffer>, version: TDSVersion = .v7_4) throws -> RecordedStream {
    var decoder = TokenStreamDecoder(version: version)
    var sink = RecordingSink()
    for part in parts {
        decoder.append(part)
        decoding: while true {
            switch try decoder.decode(into: &sink) {
            case .token(let token): sink.events.append(.token(token))
            case .needMoreData, .sinkFull: break decoding
            }
        }
    }
    guard decoder.isAtTokenBoundary, sink.violations.isEmpty else { throw IncompleteStream(violations: sink.violations) }
    return RecordedStream(events: sink.events)
}

extension ByteBuffer {
    /// The bytes in two parts, cut at `position`.
    func split(at position: Int) -> [ByteBuffer] {
        [getSlice(at: readerIndex, length: position), getSlice(at: readerIndex + position, length: readableBytes - position)].compactMap { $0 }
    }

    var singleBytes: [ByteBuffer] { readableBytesView.map { ByteBuffer(bytes: [$0]) } }
}
