public import NIOCore

/// BulkLoadBCP (MS-TDS 2.2.6.1), packets of type 0x07: rows for the table that an `INSERT BULK` statement named.
///
/// ```
/// +-------------+-------------+------+
/// | COLMETADATA | ROW, NBCROW | DONE |   the same tokens as in a response;
/// |             | …           |      |   some clients leave DONE out
/// +-------------+-------------+------+
/// ```
/// ``BulkLoadEncoder`` and ``BulkLoadDecoder`` work row by row; this struct holds a whole load.
public struct BulkLoad: Hashable, Sendable {
    public var columns: [ColumnMetadata]
    /// Per row the columns' values, without their lengths; nil is NULL.
    public var rows: [[ByteBuffer?]]

    public init(columns: [ColumnMetadata], rows: [[ByteBuffer?]]) {
        self.columns = columns
        self.rows = rows
    }
}

/// Writes a bulk load row by row.
public struct BulkLoadEncoder: Sendable {
    public let columns: [ColumnMetadata]
    public let version: TDSVersion
    private(set) public var rowCount: UInt64 = 0

    public init(columns: [ColumnMetadata], version: TDSVersion = .v7_4) {
        self.columns = columns
        self.version = version
    }

    /// Writes the metadata.
    public func begin(into buffer: inout ByteBuffer) throws(WireError) {
        try buffer.writeColumnMetadata(columns, version: version)
    }

    /// Writes a row: a value, without its length, for each column. Throws ``WireError/Code/valueOutOfRange`` if one does not fit.
    public mutating func row(_ values: [ByteBuffer?], into buffer: inout ByteBuffer) throws(WireError) {
        guard values.count == columns.count else { throw WireError(.valueOutOfRange, "ROW", "the number of values") }
        buffer.writeLE(TokenType.row.rawValue)
        for (value, column) in zip(values, columns) { try buffer.writeWireValue(value, column.typeInfo) }
        rowCount += 1
    }

    /// Writes the final DONE. Its fields mean nothing to a server.
    public func finish(into buffer: inout ByteBuffer) {
        buffer.writeDone(Done(), version: version)
    }
}

/// Decodes a bulk load resumably: append the payloads of its packets and call ``decode(into:)`` after each; ``finish()`` after the last.
public struct BulkLoadDecoder: Sendable {
    private var tokens: TokenStreamDecoder
    private var hasColumns = false
    private var isDone = false

    public init(version: TDSVersion = .v7_4) {
        tokens = TokenStreamDecoder(version: version)
    }

    /// Adds the payload of a packet.
    public mutating func append(_ payload: ByteBuffer) { tokens.append(payload) }

    /// Decodes what is there.
    ///
    /// - Returns: whether the sink is full: call again when it was emptied.
    /// - Throws: ``WireError/Code/unexpectedMessage`` for a token that has no place in a bulk load.
    public mutating func decode<Sink: RowSink & ~Copyable>(into sink: inout Sink) throws(WireError) -> Bool {
        while true {
            switch try tokens.decode(into: &sink) {
            case .needMoreData: return false
            case .sinkFull: return true
            case .token(.columnMetadata(.some)) where !hasColumns && !isDone: hasColumns = true
            case .token(.done(let done)) where done.kind == .done && hasColumns && !isDone: isDone = true
            case .token: throw WireError(.unexpectedMessage, "BulkLoadBCP", "a token that has no place in it")
            }
        }
    }

    /// Ends the message. Throws ``WireError/Code/truncated`` if there is no metadata, or a row or token has no end.
    ///
    /// The DONE that MS-TDS asks for may be missing, as from FreeTDS, or have the four-byte row count of TDS 7.1 whatever the version,
    /// as from Microsoft's clients (SqlClient, mssql-python): SQL Server takes the message's end for the load's.
    public func finish() throws(WireError) {
        guard hasColumns else { throw WireError(.truncated, "BulkLoadBCP") }
        if tokens.isAtTokenBoundary { return }
        let rest = tokens.buffer
        guard !isDone, !tokens.rows.isInRow, rest.readableBytes == 9, rest.getInteger(at: rest.readerIndex, as: UInt8.self) == TokenType.done.rawValue
        else { throw WireError(.truncated, "BulkLoadBCP") }
    }
}

extension ByteBuffer {
    /// Reads a whole bulk load.
    public mutating func readBulkLoad(version: TDSVersion = .v7_4) throws(WireError) -> BulkLoad {
        var decoder = BulkLoadDecoder(version: version)
        var collector = BulkCollector()
        decoder.append(self)
        _ = try decoder.decode(into: &collector)
        try decoder.finish()
        moveReaderIndex(to: writerIndex)
        return BulkLoad(columns: collector.columns, rows: collector.rows)
    }

    /// Writes a whole bulk load.
    public mutating func writeBulkLoad(_ load: BulkLoad, version: TDSVersion = .v7_4) throws(WireError) {
        var encoder = BulkLoadEncoder(columns: load.columns, version: version)
        try encoder.begin(into: &self)
        for row in load.rows { try encoder.row(row, into: &self) }
        encoder.finish(into: &self)
    }
}

private struct BulkCollector: RowSink {
    var columns: [ColumnMetadata] = []
    var rows: [[ByteBuffer?]] = []
    private var row: [ByteBuffer?] = []
    private var large = ByteBuffer()

    mutating func columns(_ columns: [ColumnMetadata]) { self.columns = columns }
    mutating func rowBegins() { row = [] }
    mutating func null(column: Int) { row.append(nil) }
    mutating func value(_ bytes: RawSpan, column: Int) {
        var value = ByteBuffer()
        value.writeBytes(bytes)
        row.append(value)
    }
    mutating func largeValueBegins(column: Int, length: UInt64?) { large = ByteBuffer() }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { large.writeBytes(bytes) }
    mutating func largeValueEnds(column: Int) { row.append(large) }
    mutating func rowEnds() { rows.append(row) }
}
