public import NIOCore

/// ALTMETADATA (MS-TDS 2.2.7.1): the columns of a row that a COMPUTE clause adds to a result (up to SQL Server 2008 R2).
///
/// ```
/// +------+-------+--------+--------+---------+ then per aggregate:
/// | 0x88 | Count | Id     | ByCols | ColNum… | +------+---------+----------+-------+-----------+-----------+---------+
/// | BYTE | USHORT| USHORT | BYTE   | USHORT  | | Op   | Operand | UserType | Flags | TYPE_INFO | TableName | ColName |
/// +------+-------+--------+--------+---------+ | BYTE | USHORT  | ULONG    | USHORT|           |           |B_VARCHAR|
///                                              +------+---------+----------+-------+-----------+-----------+---------+
/// ```
public struct AlternateMetadata: Hashable, Sendable {
    /// Which COMPUTE clause of the statement; ALTROW refers to it.
    public var id: UInt16
    /// The numbers of the columns of its BY list.
    public var byColumns: [UInt16]
    public var columns: [Column]

    public init(id: UInt16, byColumns: [UInt16] = [], columns: [Column]) {
        self.id = id
        self.byColumns = byColumns
        self.columns = columns
    }

    /// One aggregate.
    public struct Column: Hashable, Sendable {
        /// The Op field.
        public var function: Function
        /// The number (from 1) of the result's column that is aggregated.
        public var operand: UInt16
        public var metadata: ColumnMetadata

        public init(_ function: Function, operand: UInt16, _ metadata: ColumnMetadata) {
            self.function = function
            self.operand = operand
            self.metadata = metadata
        }
    }

    /// An aggregate function.
    public struct Function: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let standardDeviation = Function(rawValue: 0x30)
        public static let standardDeviationOfPopulation = Function(rawValue: 0x31)
        public static let variance = Function(rawValue: 0x32)
        public static let varianceOfPopulation = Function(rawValue: 0x33)
        public static let count = Function(rawValue: 0x4B)
        public static let sum = Function(rawValue: 0x4D)
        public static let average = Function(rawValue: 0x4F)
        public static let minimum = Function(rawValue: 0x51)
        public static let maximum = Function(rawValue: 0x52)
        public static let countBig = Function(rawValue: 0x09)
    }
}

/// ALTROW (MS-TDS 2.2.7.2): a row of aggregates. Token byte 0xD3, USHORT Id of its ALTMETADATA, the values as in ROW.
public struct AlternateRow: Hashable, Sendable {
    public var id: UInt16
    /// The values' contents, without length prefixes; nil is NULL.
    public var values: [ByteBuffer?]

    public init(id: UInt16, values: [ByteBuffer?]) {
        self.id = id
        self.values = values
    }
}

extension ByteBuffer {
    /// Reads an ALTMETADATA after its token byte. Throws ``WireError/Code/truncated`` when more bytes are needed.
    mutating func readAlternateMetadata(version: TDSVersion) throws(WireError) -> AlternateMetadata {
        let count = try readLE("ALTMETADATA Count", as: UInt16.self)
        var metadata = AlternateMetadata(id: try readLE("ALTMETADATA Id"), columns: [])
        for _ in 0..<(try readLE("ALTMETADATA ByCols", as: UInt8.self)) { metadata.byColumns.append(try readLE("ALTMETADATA ColNum")) }
        for _ in 0..<count {
            let function = AlternateMetadata.Function(rawValue: try readLE("ALTMETADATA Op"))
            let operand: UInt16 = try readLE("ALTMETADATA Operand")
            metadata.columns.append(AlternateMetadata.Column(function, operand: operand, try readColumnMetadata(version: version)))
        }
        return metadata
    }

    /// Writes an ALTMETADATA token.
    public mutating func writeAlternateMetadata(_ metadata: AlternateMetadata, version: TDSVersion = .v7_4) throws(WireError) {
        guard let count = UInt16(exactly: metadata.columns.count), let byColumns = UInt8(exactly: metadata.byColumns.count) else {
            throw WireError(.valueOutOfRange, "ALTMETADATA Count")
        }
        writeLE(TokenType.altMetadata.rawValue)
        writeLE(count)
        writeLE(metadata.id)
        writeLE(byColumns)
        for column in metadata.byColumns { writeLE(column) }
        for column in metadata.columns {
            writeLE(column.function.rawValue)
            writeLE(column.operand)
            try writeColumn(column.metadata, version: version)
        }
    }

    /// Writes an ALTROW token.
    public mutating func writeAlternateRow(_ row: AlternateRow, _ metadata: AlternateMetadata) throws(WireError) {
        guard row.values.count == metadata.columns.count else { throw WireError(.valueOutOfRange, "ALTROW", "not as many values as columns") }
        writeLE(TokenType.altRow.rawValue)
        writeLE(row.id)
        for (value, column) in zip(row.values, metadata.columns) { try writeWireValue(value, column.metadata.typeInfo) }
    }
}

/// Collects the values of one ALTROW.
struct AlternateRowCollector: RowSink, Sendable {
    var values: [ByteBuffer?] = []

    mutating func columns(_ columns: [ColumnMetadata]) {}
    mutating func rowBegins() {}
    mutating func null(column: Int) { values.append(nil) }
    mutating func value(_ bytes: RawSpan, column: Int) { values.append(ByteBuffer(copying: bytes)) }
    mutating func largeValueBegins(column: Int, length: UInt64?) { values.append(ByteBuffer()) }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) throws(WireError) {
        guard var value = values.popLast() ?? nil else { return }
        guard value.readableBytes + bytes.byteCount <= TokenStreamDecoder.longTokenLimit else { throw WireError(.tooLarge, "ALTROW") }
        value.writeBytes(bytes)
        values.append(value)
    }
    mutating func largeValueEnds(column: Int) {}
    mutating func rowEnds() {}
}
