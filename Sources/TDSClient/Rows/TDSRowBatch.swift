import NIOCore
import TDSWire

/// Some rows of one result set: their values' bytes one after the other, and where each begins.
/// A class, so that a row holds one reference.
final class TDSRowBatch: Sendable {
    let columns: TDSColumns
    let storage: ByteBuffer
    /// One more than there are values: value `i` is `storage[ends[i]..<ends[i + 1]]`; a negative end (its complement counts) is NULL.
    let ends: [Int32]
    let rowCount: Int

    init(columns: TDSColumns, storage: ByteBuffer, ends: [Int32], rowCount: Int) {
        self.columns = columns
        self.storage = storage
        self.ends = ends
        self.rowCount = rowCount
    }

    func bytes(row: Int, column: Int) -> ByteBuffer? {
        let index = row * columns.metadata.count + column
        let end = Int(ends[index + 1])
        guard end >= 0 else { return nil }
        let start = Int(ends[index] >= 0 ? ends[index] : ~ends[index])
        return storage.getSlice(at: start, length: end - start)
    }
}

/// A sink that copies rows into batches: what the row sequence reads.
struct RowBatchSink: RowSink, Sendable {
    /// A batch is given away when it has as many bytes or rows; a single row may be larger.
    private let fullBytes: Int
    private let fullRows: Int
    private var resultSet = -1
    private var columns = TDSColumns(metadata: [], resultSet: 0)
    private var storage = ByteBuffer()
    private var ends: [Int32] = [0]
    private var rowCount = 0
    private var finished: [TDSRowBatch] = []

    init(fullBytes: Int = 1 << 17, fullRows: Int = 4096) {
        self.fullBytes = fullBytes
        self.fullRows = fullRows
    }

    var isFull: Bool { storage.writerIndex >= fullBytes || rowCount >= fullRows || finished.count > 1 }

    /// The batches gathered so far; the sink begins anew.
    mutating func take() -> [TDSRowBatch] {
        closeBatch()
        defer { finished = [] }
        return finished
    }

    private mutating func closeBatch() {
        guard rowCount > 0 else { return }
        finished.append(TDSRowBatch(columns: columns, storage: storage, ends: ends, rowCount: rowCount))
        storage = ByteBuffer()
        storage.reserveCapacity(fullBytes)
        let capacity = ends.count
        ends = [0]
        ends.reserveCapacity(capacity)
        rowCount = 0
    }

    mutating func columns(_ metadata: [ColumnMetadata]) {
        closeBatch()
        resultSet += 1
        columns = TDSColumns(metadata: metadata, resultSet: resultSet)
    }

    mutating func rowBegins() {}

    mutating func null(column: Int) { ends.append(~Int32(truncatingIfNeeded: storage.writerIndex)) }

    mutating func value(_ bytes: RawSpan, column: Int) throws(WireError) {
        storage.writeBytes(bytes)
        try endValue()
    }

    mutating func largeValueBegins(column: Int, length: UInt64?) {}

    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) throws(WireError) {
        storage.writeBytes(bytes)
        guard storage.writerIndex <= Int(Int32.max) else { throw Self.tooLarge }
    }

    mutating func largeValueEnds(column: Int) throws(WireError) { try endValue() }

    mutating func rowEnds() { rowCount += 1 }

    private mutating func endValue() throws(WireError) {
        guard let end = Int32(exactly: storage.writerIndex) else { throw Self.tooLarge }
        ends.append(end)
    }

    private static var tooLarge: WireError { WireError(.tooLarge, "ROW", "more than 2 GiB in a row; read it through a sink") }
}
