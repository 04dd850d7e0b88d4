// The hot path: rows of a query become documents, wire bytes to JSON bytes, in one pass.

import Foundation
import NIOCore
public import TDSWire

/// A ``RowSink`` that writes every row as a JSON document.
///
/// The query selects the columns in bytewise order of their names, which is the order of a document's members; `_meta` is put in
/// its place among them. The writer fills its ``buffer`` until ``DocumentLayout/fullSize``; whoever drives it takes the bytes and
/// goes on.
///
/// Of a change whose row is gone by the time of the read (I or U, but no row) nothing is written: its delete has a version of its own.
/// A change that says D although a row is there becomes an update.
public struct DocumentWriter: RowSink, Sendable {
    /// Documents, each between the layout's prefix and suffix.
    public var buffer: DocumentBuffer
    /// Rows that the query returned.
    public private(set) var rowCount = 0
    /// Documents that were written.
    public private(set) var documentCount = 0
    /// Bytes written since the writer was made, whether or not they were taken meanwhile.
    public var byteCount: Int { taken + buffer.count }

    public let layout: DocumentLayout
    var taken = 0
    var columns: [DocumentColumn] = []
    var metadata: [ColumnMetadata] = []
    /// The column names as they are written, then the other constant pieces; padded, so that whole words can be copied.
    var pieces: [UInt8] = []
    var prefixPiece = 0..<0
    var suffixPiece = 0..<0
    var metaHead = 0..<0
    var metaMiddle = 0..<0
    var metaEnd = 0..<0
    /// The result column before which `_meta` stands; the number of columns if it is the last member.
    var metaColumn = 0
    var zone: ZoneOffsets

    // The row in progress.
    var documentStart = 0
    var membersStart = 0
    var operation: UInt8 = 0
    var version: Int64 = 0
    var isDelete = false
    var isSkipped = false
    /// A large value that comes in pieces.
    var large: [UInt8] = []

    // The last key that was read: its columns' bytes one after the other.
    var keyBytes = DocumentBuffer(capacity: 2048)
    var keyColumns: [(column: Int, end: Int)] = []
    var keyCount = 0

    public init(_ layout: DocumentLayout, buffer: DocumentBuffer = DocumentBuffer()) {
        self.layout = layout
        self.buffer = buffer
        zone = ZoneOffsets(layout.zone)
    }

    @inlinable public var isFull: Bool { buffer.count >= layout.fullSize }

    /// Gives the written bytes away and goes on with `empty`, a buffer that was taken before, or a new one.
    public mutating func takeBuffer(replacing empty: DocumentBuffer = DocumentBuffer()) -> DocumentBuffer {
        var full = empty
        full.removeAll()
        swap(&full, &buffer)
        taken += full.count
        return full
    }

    /// The key of the last row, in key order: types and wire contents. Nil before the first row.
    public var lastKey: [(type: TypeInfo, content: [UInt8])]? {
        guard rowCount > 0 else { return nil }
        var found: [(type: TypeInfo, content: [UInt8])] = []
        for name in layout.key {
            var start = 0
            for (column, end) in keyColumns.prefix(keyCount) {
                if metadata[column].name == name { found.append((metadata[column].typeInfo, Array(keyBytes.storage[start..<end]))) }
                start = end
            }
        }
        return found.count == layout.key.count ? found : nil
    }

    // MARK: RowSink

    public mutating func columns(_ metadata: [ColumnMetadata]) throws(WireError) {
        self.metadata = metadata
        let leading = layout.source == .changes ? ChangeQuery.leadingColumns : 0
        guard metadata.count >= leading else { throw WireError(.malformed, "COLMETADATA", "fewer columns than the change query selects") }
        columns = []
        pieces = []
        metaColumn = metadata.count
        for (index, column) in metadata.enumerated() {
            var plan = try DocumentColumn(column)
            if index < leading {
                plan.kind = index == 0 ? .operation : index == 1 ? .version : .presence
            } else {
                plan.isKey = layout.key.contains(column.name)
                let name = addPiece(Array(("," + DocumentLayout.quoted(column.name) + ":").utf8))
                (plan.nameStart, plan.nameEnd) = (name.lowerBound, name.upperBound)
                if metaColumn == metadata.count, "_meta".utf8.lexicographicallyPrecedes(column.name.utf8) { metaColumn = index }
            }
            columns.append(plan)
        }
        let meta = layout.metaParts
        prefixPiece = addPiece(layout.prefix)
        suffixPiece = addPiece(Array("}".utf8) + layout.suffix)
        metaHead = addPiece(Array(",".utf8) + meta.beforeOperation)
        metaMiddle = addPiece(meta.beforeVersion + Array((layout.source == .changes ? #","version":"# : "").utf8))
        metaEnd = addPiece(meta.end)
        pieces += [UInt8](repeating: 0, count: 8)
        keyColumns = Array(repeating: (column: 0, end: 0), count: columns.count { $0.isKey })
    }

    mutating func addPiece(_ bytes: [UInt8]) -> Range<Int> {
        let start = pieces.count
        pieces += bytes
        return start..<pieces.count
    }

    @inline(__always)
    public mutating func rowBegins() {
        documentStart = buffer.count
        keyBytes.removeAll()
        keyCount = 0
        isDelete = false
        isSkipped = false
        operation = UInt8(ascii: "c")
        withBuffer { writer, buffer in
            buffer.write(atMost: writer.prefixPiece.count &+ 8) { $0.append(writer.pieces.span.bytes, writer.prefixPiece) }
        }
        membersStart = buffer.count
    }

    @inline(__always)
    public mutating func rowEnds() {
        rowCount &+= 1
        if isSkipped { return buffer.truncate(to: documentStart) }
        if metaColumn == columns.count { appendMeta() }
        documentCount &+= 1
        withBuffer { writer, buffer in
            buffer.write(atMost: writer.suffixPiece.count &+ 9) { cursor in
                if cursor.position == writer.membersStart { cursor.append(UInt8(ascii: "{")) }
                cursor.append(writer.pieces.span.bytes, writer.suffixPiece)
            }
        }
    }

    @inline(__always)
    public mutating func null(column: Int) throws(WireError) {
        let plan = columns[column]
        if column == metaColumn { appendMeta() }
        switch plan.kind {
        case .operation, .version: throw WireError(.malformed, "CHANGETABLE", "a change without operation or version")
        case .presence: setPresence(false)
        default:
            guard isWanted(plan) else { return }
            writeMember(plan, atMost: 4) { $0.append("null") }
        }
    }

    @inline(__always)
    public mutating func value(_ bytes: RawSpan, column: Int) throws(WireError) {
        if column == metaColumn { appendMeta() }
        let plan = columns[column]
        guard isWanted(plan) else { return }
        if plan.isKey { noteKey(bytes, column) }
        try writeValue(plan, bytes, column)
    }

    public mutating func largeValueBegins(column: Int, length: UInt64?) throws(WireError) {
        if column == metaColumn { appendMeta() }
        large.removeAll(keepingCapacity: true)
    }

    public mutating func largeValueChunk(_ bytes: RawSpan, column: Int) throws(WireError) {
        guard isWanted(columns[column]) else { return }
        // UTF-16 takes two bytes for what may be one of UTF-8; what lies behind that is cut anyway.
        let room = layout.largestValue * 2 + 4 - large.count
        guard room > 0 else { return }
        let take = bytes.extracting(0..<min(room, bytes.byteCount))
        large.append(addingCapacity: take.byteCount) { output in
            for index in 0..<take.byteCount { output.append(take.unsafeLoad(fromByteOffset: index, as: UInt8.self)) }
        }
    }

    public mutating func largeValueEnds(column: Int) throws(WireError) {
        guard isWanted(columns[column]) else { return }
        let bytes = large
        try writeCut(bytes.span.bytes, column)
        if large.capacity > 1 << 20 { large = [] }
    }

    // MARK: Members

    /// Whether a column is part of the document: a delete has only its key.
    @inline(__always)
    func isWanted(_ plan: DocumentColumn) -> Bool {
        !isSkipped && (!isDelete || plan.isKey)
    }

    @inline(__always)
    mutating func writeMember(_ plan: DocumentColumn, atMost room: Int, _ body: (inout DocumentCursor) -> Void) {
        withBuffer { writer, buffer in
            buffer.write(atMost: plan.nameEnd &- plan.nameStart &+ 9 &+ room) { cursor in
                if cursor.position == writer.membersStart {
                    cursor.append(UInt8(ascii: "{"))
                    cursor.append(writer.pieces.span.bytes, plan.nameStart &+ 1..<plan.nameEnd)
                } else {
                    cursor.append(writer.pieces.span.bytes, plan.nameStart..<plan.nameEnd)
                }
                body(&cursor)
            }
        }
    }

    /// Moves the buffer out while `body` writes into it, so that the rest of the writer can be read without copies (and their
    /// reference counts) at the same time.
    @inline(__always)
    mutating func withBuffer(_ body: (borrowing DocumentWriter, inout DocumentBuffer) -> Void) {
        var moved = DocumentBuffer(movedOut: ())
        swap(&moved, &buffer)
        body(self, &moved)
        swap(&moved, &buffer)
    }

    @inline(__always)
    mutating func appendMeta() {
        guard !isSkipped else { return }
        withBuffer { writer, buffer in
            buffer.write(atMost: writer.metaHead.count &+ writer.metaMiddle.count &+ writer.metaEnd.count &+ 64) { cursor in
                if cursor.position == writer.membersStart {
                    cursor.append(UInt8(ascii: "{"))
                    cursor.append(writer.pieces.span.bytes, writer.metaHead.lowerBound &+ 1..<writer.metaHead.upperBound)
                } else {
                    cursor.append(writer.pieces.span.bytes, writer.metaHead)
                }
                cursor.append(writer.operation)
                cursor.append(writer.pieces.span.bytes, writer.metaMiddle)
                if writer.layout.source == .changes { cursor.appendInteger(writer.version) }
                cursor.append(writer.pieces.span.bytes, writer.metaEnd)
            }
        }
    }

    mutating func setPresence(_ present: Bool) {
        switch (operation, present) {
        case (UInt8(ascii: "d"), true): operation = UInt8(ascii: "u")
        case (UInt8(ascii: "d"), false): isDelete = true
        case (_, false): isSkipped = true
        default: break
        }
    }

    @inline(__always)
    mutating func noteKey(_ bytes: RawSpan, _ column: Int) {
        keyBytes.append(bytes)
        keyColumns[keyCount] = (column, keyBytes.count)
        keyCount &+= 1
    }
}
