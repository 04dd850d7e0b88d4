public import NIOCore

extension ByteBuffer {
    /// Writes a ROW token (MS-TDS 2.2.7.19).
    ///
    /// - Parameter row: the content of each value as in ``ReturnValue/value``, nil for NULL; as many as there are columns.
    /// - Throws: ``WireError/Code/valueOutOfRange`` if a value does not fit its column, or their number is another.
    public mutating func writeRow(_ row: [ByteBuffer?], _ columns: [ColumnMetadata]) throws(WireError) {
        try checkCount(row, columns, "ROW")
        writeLE(TokenType.row.rawValue)
        for (value, column) in zip(row, columns) { try writeWireValue(value, column.typeInfo) }
    }

    /// Writes an NBCROW token (MS-TDS 2.2.7.14, from TDS 7.3 revision B on): NULLs are a bit each.
    ///
    /// - Parameter row: the content of each value as in ``ReturnValue/value``, nil for NULL; as many as there are columns.
    /// - Throws: ``WireError/Code/valueOutOfRange`` if a value does not fit its column, or their number is another.
    public mutating func writeNBCRow(_ row: [ByteBuffer?], _ columns: [ColumnMetadata]) throws(WireError) {
        try checkCount(row, columns, "NBCROW")
        writeLE(TokenType.nbcRow.rawValue)
        var bitmap = [UInt8](repeating: 0, count: (columns.count + 7) / 8)
        for (index, value) in row.enumerated() where value == nil { bitmap[index / 8] |= 1 << UInt8(index % 8) }
        writeBytes(bitmap)
        for (value, column) in zip(row, columns) where value != nil { try writeWireValue(value, column.typeInfo) }
    }

    private func checkCount(_ row: [ByteBuffer?], _ columns: [ColumnMetadata], _ token: String) throws(WireError) {
        guard row.count == columns.count else { throw WireError(.valueOutOfRange, token, "\(row.count) values for \(columns.count) columns") }
    }
}
