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
    /// Whether COLMETADATA has a CekTable. FEATUREEXTACK sets it when it acknowledges column encryption.
    public var columnEncryption = false
    /// The version of DATACLASSIFICATION (1 or 2) that FEATUREEXTACK acknowledged; nil if it didn't: the token is then an error.
    public var dataClassificationVersion: UInt8?
    @usableFromInline var buffer = ByteBuffer()
    @usableFromInline var rows = RowDecoder(columns: [])
    @usableFromInline var hasMetadata = false
    var pending = Pending.none
    /// The ALTMETADATA of the statement in progress, by id.
    var alternates: [UInt16: AlternateMetadata] = [:]

    /// A token without length that has begun.
    enum Pending: Sendable {
        case none
        /// The CekTable is still to come.
        case encryptionKeys(columns: Int)
        case columnMetadata(remaining: Int, [ColumnMetadata], keys: [ColumnEncryptionKey]?)
        case alternateRow(id: UInt16, RowDecoder, AlternateRowCollector)
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

    /// Whether a token other than a row has begun and not ended.
    @usableFromInline var isInToken: Bool {
        if case .none = pending { false } else { true }
    }

    /// Whether nothing is left over: at a message's end anything else is a truncated response.
    public var isAtTokenBoundary: Bool {
        !isInToken && buffer.readableBytes == 0 && !rows.inRow
    }

    /// A message has ended: rows without a COLMETADATA of their own would be read by the columns of another request's result.
    public mutating func messageEnded() {
        rows = RowDecoder(columns: [])
        hasMetadata = false
    }

    /// Decodes until a token other than a row is complete, the sink is full, or the bytes are used up.
    @inlinable
    public mutating func decode<Sink: RowSink & ~Copyable>(into sink: inout Sink) throws(WireError) -> Event {
        // What an unfinished token goes on with may look like a row's token byte.
        if !isInToken, try decodeRows(into: &sink) { return .sinkFull }
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
        case .encryptionKeys(let columns): return try continueEncryptionKeys(columns)
        case .columnMetadata(let remaining, let columns, let keys): return try continueColumnMetadata(remaining, columns, keys)
        case .alternateRow(let id, let decoder, let collector): return try continueAlternateRow(id, decoder, collector)
        case .returnValue(let value, let decoder, let collector): return try continueReturnValue(value, decoder, collector)
        }
        guard let byte = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return nil }
        guard let type = TokenType(rawValue: byte) else { throw WireError(.unknownToken, "token", "byte \(byte)") }
        switch type {
        case .row, .nbcRow: return nil  // an NBCROW whose bitmap is not there yet
        case .done, .doneProc, .doneInProc:
            guard buffer.readableBytes > (version.isYukonOrLater ? 12 : 8), let kind = Done.Kind(rawValue: byte) else { return nil }
            buffer.moveReaderIndex(forwardBy: 1)
            if !alternates.isEmpty { alternates = [:] }
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
            return columnEncryption ? try continueEncryptionKeys(Int(count)) : try continueColumnMetadata(Int(count), [], nil)
        case .returnValue:
            let columnEncryption = columnEncryption
            return try whole { buffer, version throws(WireError) in
                try buffer.readReturnValueHead(version: version, columnEncryption: columnEncryption)
            }.flatMap { head throws(WireError) in
                try continueReturnValue(head, RowDecoder(columns: [ColumnMetadata("", head.typeInfo)]), ValueCollector())
            }
        case .featureExtAck:
            let features = try whole { buffer, _ throws(WireError) in try buffer.readFeatureExtAck() }
            guard let features else { return nil }
            for feature in features { acknowledged(feature) }
            return .featureExtAck(features)
        case .fedAuthInfo:
            return try lengthPrefixed(as: UInt32.self) { body, _ throws(WireError) in .fedAuthInfo(try body.readFedAuthInfo()) }
        case .sessionState:
            return try lengthPrefixed(as: UInt32.self) { body, _ throws(WireError) in .sessionState(try body.readSessionState()) }
        case .error:
            return try lengthPrefixed { body, version throws(WireError) in .error(try body.readServerMessage(version: version)) }
        case .info:
            return try lengthPrefixed { body, version throws(WireError) in .info(try body.readServerMessage(version: version)) }
        case .envChange:
            // A promoted transaction's Length counts its type only (MS-TDS 2.2.7.9).
            if buffer.getInteger(at: buffer.readerIndex + 1, endianness: .little, as: UInt16.self) == 1 {
                return try whole { buffer, _ throws(WireError) in
                    _ = try buffer.readLE("ENVCHANGE Length", as: UInt16.self)
                    guard try buffer.readLE("ENVCHANGE Type", as: UInt8.self) == 15 else { throw WireError(.malformed, "ENVCHANGE Length") }
                    return .environmentChange(try buffer.readPromotedTransaction())
                }
            }
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
        case .altMetadata:
            let metadata = try whole { buffer, version throws(WireError) in try buffer.readAlternateMetadata(version: version) }
            guard let metadata else { return nil }
            alternates[metadata.id] = metadata
            return .alternateMetadata(metadata)
        case .altRow:
            guard buffer.readableBytes >= 3, let id = buffer.getInteger(at: buffer.readerIndex + 1, endianness: .little, as: UInt16.self)
            else { return nil }
            guard let metadata = alternates[id] else { throw WireError(.malformed, "ALTROW Id", "a row without its ALTMETADATA") }
            buffer.moveReaderIndex(forwardBy: 3)
            return try continueAlternateRow(id, RowDecoder(columns: metadata.columns.map(\.metadata)), AlternateRowCollector())
        case .dataClassification:
            guard let classificationVersion = dataClassificationVersion else {
                throw WireError(.unknownToken, "token", "data classification was not negotiated")
            }
            return try lengthPrefixed { body, _ throws(WireError) in
                .dataClassification(try body.readDataClassification(version: classificationVersion))
            }
        case .tvpRow: throw WireError(.unknownToken, "token", "a row of a table-valued parameter in a response")
        }
    }

    /// Remembers the features that change the form of later tokens.
    private mutating func acknowledged(_ feature: FeatureAcknowledgement) {
        let bytes = feature.data.readableBytesView
        switch feature.id {
        case .columnEncryption: columnEncryption = (bytes.first ?? 0) > 0
        case .dataClassification:
            guard let version = bytes.first, version > 0, bytes.dropFirst().first != 0 else { return }
            dataClassificationVersion = version
        default: break
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
            guard buffer.readableBytes <= Self.longTokenLimit else { throw WireError(.tooLarge, error.element) }
            return nil
        }
    }

    private mutating func continueEncryptionKeys(_ columns: Int) throws(WireError) -> Token? {
        var attempt = buffer
        do {
            let keys = try attempt.readColumnEncryptionKeys()
            buffer = attempt
            return try continueColumnMetadata(columns, [], keys)
        } catch where error.code == .truncated {
            guard buffer.readableBytes <= Self.longTokenLimit else { throw WireError(.tooLarge, error.element) }
            pending = .encryptionKeys(columns: columns)
            return nil
        }
    }

    private mutating func continueColumnMetadata(
        _ remaining: Int, _ columns: [ColumnMetadata], _ keys: [ColumnEncryptionKey]?
    ) throws(WireError) -> Token? {
        var columns = columns
        var remaining = remaining
        pending = .none
        while remaining > 0 {
            var attempt = buffer
            do {
                columns.append(try attempt.readColumnMetadata(version: version, keys: keys))
            } catch where error.code == .truncated {
                pending = .columnMetadata(remaining: remaining, columns, keys: keys)
                return nil
            }
            buffer = attempt
            remaining -= 1
        }
        rows = RowDecoder(columns: columns)
        hasMetadata = true
        return .columnMetadata(columns)
    }

    private mutating func continueAlternateRow(_ id: UInt16, _ decoder: RowDecoder, _ collector: AlternateRowCollector) throws(WireError) -> Token? {
        var (decoder, collector) = (decoder, collector)
        var offset = 0
        let bytes = buffer
        let complete = try decoder.decodeColumns(bytes.readableBytesSpan, at: &offset, into: &collector)
        buffer.moveReaderIndex(forwardBy: offset)
        guard complete else {
            pending = .alternateRow(id: id, decoder, collector)
            return nil
        }
        pending = .none
        return .alternateRow(AlternateRow(id: id, values: collector.values))
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
