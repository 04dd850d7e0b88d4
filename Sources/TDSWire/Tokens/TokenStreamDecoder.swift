public import NIOCore

/// Decodes the token stream of a server's response (MS-TDS 2.2.7), resumably.
///
/// Append the payloads of packets as they come, then call ``decode(into:)`` until it asks for more. Rows go to the sink; every
/// other token is returned. What stays buffered is at most the bytes of one unfinished token or column; values larger than a few
/// kilobytes are streamed through the sink.
///
/// A thrown error is final: the position in the stream is lost, and the connection has to be closed.
public struct TokenStreamDecoder: Sendable {
    /// What ``decode(into:)`` stopped for.
    public enum Event: Hashable, Sendable {
        case token(Token)
        /// All bytes are used up, but for the beginning of something.
        case needMoreData
        /// The sink says that it is full. Call again when it was emptied.
        case sinkFull
    }

    /// The most bytes that a token with a 4-byte length may have (FEDAUTHINFO, SESSIONSTATE, FEATUREEXTACK's features).
    public static let longTokenLimit = 1 << 20

    /// The version that was negotiated; it decides about a few field sizes. LOGINACK sets it.
    public var version: TDSVersion
    @usableFromInline var buffer = ByteBuffer()
    @usableFromInline var rows = RowDecoder(columns: [])
    @usableFromInline var hasMetadata = false
    var pending = Pending.none

    /// A token without length that has begun.
    enum Pending: Sendable {
        case none
        case columnMetadata(remaining: Int, [ColumnMetadata])
        case returnValue(ReturnValue, RowDecoder, ValueCollector)
    }

    public init(version: TDSVersion = .v7_4) {
        self.version = version
    }

    /// Adds the payload of a packet.
    public mutating func append(_ payload: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = payload
        } else {
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(payload)
        }
    }

    /// Adds the payload of a packet by copying it, which keeps no other storage alive.
    public mutating func append(copying span: RawSpan) {
        if buffer.readableBytes == 0 {
            buffer.clear()
        } else if buffer.readerIndex >= buffer.readableBytes {
            // Moves no more than was read since the last time, so that a large rest isn't moved for every packet.
            buffer.discardReadBytes()
        }
        buffer.writeBytes(span)
    }

    /// Whether nothing is left over: at a message's end anything else is a truncated response.
    public var isAtTokenBoundary: Bool {
        guard case .none = pending else { return false }
        return buffer.readableBytes == 0 && !rows.inRow
    }

    /// Decodes until a token other than a row is complete, the sink is full, or the bytes are used up.
    @inlinable
    public mutating func decode<Sink: RowSink & ~Copyable>(into sink: inout Sink) throws(WireError) -> Event {
        if try decodeRows(into: &sink) { return .sinkFull }
        if rows.inRow { return .needMoreData }
        guard let token = try nextToken() else { return .needMoreData }
        if case .columnMetadata(let columns?) = token { try sink.columns(columns) }
        return .token(token)
    }

    /// Decodes the rows at hand. Returns whether the sink is full.
    @inlinable
    mutating func decodeRows<Sink: RowSink & ~Copyable>(into sink: inout Sink) throws(WireError) -> Bool {
        // A second reference, so that the span borrows a constant and `rows` stays free to be changed.
        let bytes = buffer
        var offset = 0
        let full = try rows.decodeRows(bytes.readableBytesSpan, at: &offset, hasMetadata: hasMetadata, into: &sink)
        buffer.moveReaderIndex(forwardBy: offset)
        return full
    }

    /// Decodes one token that isn't a row; nil when more bytes are needed. Public for readers that know that no rows can come.
    @usableFromInline
    mutating func nextToken() throws(WireError) -> Token? {
        switch pending {
        case .none: break
        case .columnMetadata(let remaining, let columns): return try continueColumnMetadata(remaining, columns)
        case .returnValue(let value, let decoder, let collector): return try continueReturnValue(value, decoder, collector)
        }
        guard let byte = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return nil }
        guard let type = TokenType(rawValue: byte) else { throw WireError(.unknownToken, "token", "byte \(byte)") }
        switch type {
        case .row, .nbcRow: return nil  // an NBCROW whose bitmap is not there yet
        case .done, .doneProc, .doneInProc:
            guard buffer.readableBytes > (version.isYukonOrLater ? 12 : 8), let kind = Done.Kind(rawValue: byte) else { return nil }
            buffer.moveReaderIndex(forwardBy: 1)
            return .done(try buffer.readDone(kind, version: version))
        case .returnStatus:
            guard buffer.readableBytes >= 5 else { return nil }
            buffer.moveReaderIndex(forwardBy: 1)
            return .returnStatus(try buffer.readLE("RETURNSTATUS"))
        case .offset:
            guard buffer.readableBytes >= 5 else { return nil }
            buffer.moveReaderIndex(forwardBy: 1)
            return .offset(identifier: try buffer.readLE("OFFSET"), length: try buffer.readLE("OFFSET"))
        case .columnMetadata:
            guard buffer.readableBytes >= 3, let count = buffer.getInteger(at: buffer.readerIndex + 1, endianness: .little, as: UInt16.self)
            else { return nil }
            buffer.moveReaderIndex(forwardBy: 3)
            if count == 0xFFFF { return .columnMetadata(nil) }
            return try continueColumnMetadata(Int(count), [])
        case .returnValue:
            return try whole { buffer, version throws(WireError) in try buffer.readReturnValueHead(version: version) }.flatMap { head throws(WireError) in
                try continueReturnValue(head, RowDecoder(columns: [ColumnMetadata("", head.typeInfo)]), ValueCollector())
            }
        case .featureExtAck:
            return try whole { buffer, _ throws(WireError) in .featureExtAck(try buffer.readFeatureExtAck()) }
        case .fedAuthInfo:
            return try lengthPrefixed(as: UInt32.self) { body, _ throws(WireError) in .fedAuthInfo(try body.readFedAuthInfo()) }
        case .sessionState:
            return try lengthPrefixed(as: UInt32.self) { body, _ throws(WireError) in .sessionState(try body.readSessionState()) }
        case .error:
            return try lengthPrefixed { body, version throws(WireError) in .error(try body.readServerMessage(version: version)) }
        case .info:
            return try lengthPrefixed { body, version throws(WireError) in .info(try body.readServerMessage(version: version)) }
        case .envChange:
            return try lengthPrefixed { body, _ throws(WireError) in .environmentChange(try body.readEnvironmentChange()) }
        case .loginAck:
            let token = try lengthPrefixed { body, _ throws(WireError) in .loginAck(try body.readLoginAck()) }
            if case .loginAck(let ack) = token { version = ack.version }
            return token
        case .order:
            return try lengthPrefixed { body, _ throws(WireError) in .order(try body.readOrder()) }
        case .tabName:
            return try lengthPrefixed { body, version throws(WireError) in .tabName(try body.readTabName(version: version)) }
        case .colInfo:
            return try lengthPrefixed { body, _ throws(WireError) in .colInfo(try body.readColInfo()) }
        case .sspi:
            return try lengthPrefixed { body, _ throws(WireError) in .sspi(body) }
        case .altMetadata, .altRow, .dataClassification, .tvpRow:
            throw WireError(.unknownToken, "token", "\(type) was not negotiated")
        }
    }

    /// Reads a token whose length follows its first byte; nil while it isn't whole.
    private mutating func lengthPrefixed<T: FixedWidthInteger>(
        as lengthType: T.Type = UInt16.self, _ read: (inout ByteBuffer, TDSVersion) throws(WireError) -> Token
    ) throws(WireError) -> Token? {
        let head = 1 + MemoryLayout<T>.size
        guard let raw = buffer.getInteger(at: buffer.readerIndex + 1, endianness: .little, as: T.self) else { return nil }
        guard let length = Int(exactly: raw), length <= Self.longTokenLimit else { throw WireError(.tooLarge, "token length") }
        guard buffer.readableBytes >= head + length else { return nil }
        buffer.moveReaderIndex(forwardBy: head)
        var body = try buffer.readWireSlice(length, "token")
        do {
            return try read(&body, version)
        } catch where error.code == .truncated {
            // The token is whole by its own length, so waiting for more would be for ever.
            throw WireError(.malformed, error.element, "longer than its token")
        }
    }

    /// Reads a token without length after its first byte; nil, with nothing consumed, while it isn't whole.
    private mutating func whole<R>(_ read: (inout ByteBuffer, TDSVersion) throws(WireError) -> R) throws(WireError) -> R? {
        var attempt = buffer
        attempt.moveReaderIndex(forwardBy: 1)
        do {
            let result = try read(&attempt, version)
            buffer = attempt
            return result
        } catch where error.code == .truncated {
            return nil
        }
    }

    private mutating func continueColumnMetadata(_ remaining: Int, _ columns: [ColumnMetadata]) throws(WireError) -> Token? {
        var columns = columns
        var remaining = remaining
        pending = .none
        while remaining > 0 {
            var attempt = buffer
            do {
                columns.append(try attempt.readColumnMetadata(version: version))
            } catch where error.code == .truncated {
                pending = .columnMetadata(remaining: remaining, columns)
                return nil
            }
            buffer = attempt
            remaining -= 1
        }
        rows = RowDecoder(columns: columns)
        hasMetadata = true
        return .columnMetadata(columns)
    }

    private mutating func continueReturnValue(_ head: ReturnValue, _ decoder: RowDecoder, _ collector: ValueCollector) throws(WireError) -> Token? {
        var (head, decoder, collector) = (head, decoder, collector)
        var offset = 0
        let bytes = buffer
        let complete = try decoder.decodeColumns(bytes.readableBytesSpan, at: &offset, into: &collector)
        buffer.moveReaderIndex(forwardBy: offset)
        guard complete else {
            pending = .returnValue(head, decoder, collector)
            return nil
        }
        pending = .none
        head.value = collector.content
        return .returnValue(head)
    }
}

/// Collects one value: the content of a RETURNVALUE.
struct ValueCollector: RowSink, Sendable {
    var content: ByteBuffer?

    mutating func columns(_ columns: [ColumnMetadata]) {}
    mutating func rowBegins() {}
    mutating func null(column: Int) { content = nil }
    mutating func value(_ bytes: RawSpan, column: Int) {
        content = ByteBuffer()
        content?.writeBytes(bytes)
    }
    mutating func largeValueBegins(column: Int, length: UInt64?) { content = ByteBuffer() }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { content?.writeBytes(bytes) }
    mutating func largeValueEnds(column: Int) {}
    mutating func rowEnds() {}
}
