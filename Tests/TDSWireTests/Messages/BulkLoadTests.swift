import NIOCore
import TDSWire
import Testing

@Suite struct BulkLoadTests {
    /// Type NULL has no bytes, so only the type says that it is NULL: a row whose bitmap says so, and one that says nothing, are the same.
    /// (Found by fuzzing: Fuzz/regressions/bulk/null-type-in-nbcrow.)
    @Test func valuesOfTypeNullAreNullInEveryRow() throws {
        let columns = [ColumnMetadata("n", TypeInfo(.null, maximumLength: 0)), ColumnMetadata("i", TypeInfo(.intN, maximumLength: 4))]
        let row: [ByteBuffer?] = [nil, ByteBuffer(bytes: [7, 0, 0, 0])]
        var bytes = ByteBuffer()
        try bytes.writeColumnMetadata(columns)
        try bytes.writeRow(row, columns)
        try bytes.writeNBCRow(row, columns)
        bytes.writeBytes([TokenType.nbcRow.rawValue, 0b00, 4, 7, 0, 0, 0])
        bytes.writeDone(Done())
        #expect(try bytes.readBulkLoad() == BulkLoad(columns: columns, rows: [row, row, row]))
    }
}
