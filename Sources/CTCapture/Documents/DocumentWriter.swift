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
    private var taken = 0
    private var columns: [DocumentColumn] = []
    private var metadata: [ColumnMetadata] = []
    /// The column names as they are written, then the other constant pieces; padded, so that whole words can be copied.
    private var pieces: [UInt8] = []
    private var prefixPiece = 0..<0
    private var suffixPiece = 0..<0
    private var metaHead = 0..<0
    private var metaMiddle = 0..<0
    private var metaEnd = 0..<0
    /// The result column before which `_meta` stands; the number of columns if it is the last member.
    private var metaColumn = 0
    private var zone: ZoneOffsets

    // The row in progress.
    private var documentStart = 0
    private var membersStart = 0
    private var operation: UInt8 = 0
    private var version: Int64 = 0
    private var isDelete = false
    private var isSkipped = false
    /// A large value that comes in pieces.
    private var large: [UInt8] = []

    // The last key that was read: its columns' bytes one after the other.
    private var keyBytes = DocumentBuffer(capacity: 2048)
    private var keyColumns: [(column: Int, end: Int)] = []
    private var keyCount = 0

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

    private mutating func addPiece(_ bytes: [UInt8]) -> Range<Int> {
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

    @inline(__always)
    private mutating func writeValue(_ plan: DocumentColumn, _ bytes: RawSpan, _ column: Int) throws(WireError) {
        switch plan.kind {
        case .integer:
            let value = try Self.signedInteger(bytes)
            writeMember(plan, atMost: DocumentCursor.integerRoom) { $0.appendInteger(value) }
        case .utf16:
            guard bytes.byteCount / 2 <= layout.largestValue / 4 else { return try writeCut(bytes, column) }
            writeMember(plan, atMost: bytes.byteCount &* 3 &+ 2) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendUTF16(bytes)
                cursor.append(UInt8(ascii: "\""))
            }
        case .codePage, .utf8:
            guard bytes.byteCount <= layout.largestValue / 4 else { return try writeCut(bytes, column) }
            try writeBytesAsText(plan, bytes, column)
        case .decimal:
            try writeDecimal(plan, bytes)
        case .dateTime2:
            guard bytes.byteCount >= 6 else { throw Self.wrongLength(column) }
            let days = Self.threeBytes(bytes, bytes.byteCount &- 3)
            let (seconds, ticks) = try Self.timeOfDay(bytes, bytes.byteCount &- 3, plan.scale)
            let offset = zone.offset(local: Int64(days &- daysToYear1970) &* 86400 &+ Int64(seconds))
            writeMember(plan, atMost: DocumentCursor.temporalRoom) {
                $0.appendTimestamp(days: days, seconds: seconds, ticks: ticks, offsetMinutes: offset / 60)
            }
        case .bit:
            guard bytes.byteCount == 1 else { throw Self.wrongLength(column) }
            let value = bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) != 0
            writeMember(plan, atMost: 5) { $0.append(value ? "true" : "false") }
        case .float:
            let value: Double
            switch bytes.byteCount {
            case 8: value = Double(bitPattern: UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)))
            case 4: value = Double(Float(bitPattern: UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self))))
            default: throw Self.wrongLength(column)
            }
            writeMember(plan, atMost: DocumentCursor.doubleRoom) { $0.appendDouble(value) }
        default: try writeLessCommon(plan, bytes, column)
        }
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
    private func isWanted(_ plan: DocumentColumn) -> Bool {
        !isSkipped && (!isDelete || plan.isKey)
    }

    @inline(__always)
    private mutating func writeMember(_ plan: DocumentColumn, atMost room: Int, _ body: (inout DocumentCursor) -> Void) {
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
    private mutating func withBuffer(_ body: (borrowing DocumentWriter, inout DocumentBuffer) -> Void) {
        var moved = DocumentBuffer(movedOut: ())
        swap(&moved, &buffer)
        body(self, &moved)
        swap(&moved, &buffer)
    }

    @inline(__always)
    private mutating func appendMeta() {
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

    private mutating func setPresence(_ present: Bool) {
        switch (operation, present) {
        case (UInt8(ascii: "d"), true): operation = UInt8(ascii: "u")
        case (UInt8(ascii: "d"), false): isDelete = true
        case (_, false): isSkipped = true
        default: break
        }
    }

    @inline(__always)
    private mutating func noteKey(_ bytes: RawSpan, _ column: Int) {
        keyBytes.append(bytes)
        keyColumns[keyCount] = (column, keyBytes.count)
        keyCount &+= 1
    }

    @inline(__always)
    private mutating func writeDecimal(_ plan: DocumentColumn, _ bytes: RawSpan) throws(WireError) {
        let length = bytes.byteCount
        guard length == 5 || length == 9 || length == 13 || length == 17 else { throw WireError(.malformed, "decimal", "\(length) bytes") }
        let negative = bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == 0
        if length <= 9 {
            let magnitude: UInt64 =
                length == 5
                ? UInt64(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt32.self)))
                : UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt64.self))
            return writeMember(plan, atMost: DocumentCursor.decimalRoom) {
                $0.appendDecimal(negative: negative, magnitude: magnitude, scale: Int(plan.scale))
            }
        }
        var magnitude: UInt128 = 0
        for index in (1..<length).reversed() { magnitude = magnitude << 8 | UInt128(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)) }
        writeMember(plan, atMost: DocumentCursor.decimalRoom) {
            $0.appendDecimal(negative: negative, magnitude: magnitude, scale: Int(plan.scale))
        }
    }

    @inline(__always)
    private mutating func writeBytesAsText(_ plan: DocumentColumn, _ bytes: RawSpan, _ column: Int) throws(WireError) {
        var plain = 0
        // Room for six bytes each: more than any code page's character becomes in UTF-8, or a control in JSON.
        writeMember(plan, atMost: bytes.byteCount &* 6 &+ 2) { cursor in
            cursor.append(UInt8(ascii: "\""))
            plain = cursor.appendASCIIPrefix(bytes)
            if plain == bytes.byteCount { cursor.append(UInt8(ascii: "\"")) }
        }
        if plain < bytes.byteCount { try writeRestOfText(bytes.extracting(plain..<bytes.byteCount), column) }
    }

    /// What is left of a text after its ASCII beginning, and the closing quote.
    @inline(never)
    private mutating func writeRestOfText(_ bytes: RawSpan, _ column: Int) throws(WireError) {
        let text = TextDecoding.string(bytes, metadata[column].typeInfo.collation)
        buffer.write(atMost: text.utf8.count &* 6 &+ 1) { cursor in
            cursor.appendText(text)
            cursor.append(UInt8(ascii: "\""))
        }
    }

    @inline(never)
    private mutating func writeLessCommon(_ plan: DocumentColumn, _ bytes: RawSpan, _ column: Int) throws(WireError) {
        let count = bytes.byteCount
        switch plan.kind {
        case .operation:
            guard count >= 1 else { throw Self.wrongLength(column) }
            switch bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) {
            case UInt8(ascii: "I"): operation = UInt8(ascii: "c")
            case UInt8(ascii: "U"): operation = UInt8(ascii: "u")
            case UInt8(ascii: "D"): operation = UInt8(ascii: "d")
            default: throw WireError(.malformed, "SYS_CHANGE_OPERATION", "neither I, U nor D")
            }
        case .version: version = try Self.signedInteger(bytes)
        case .presence: setPresence(try Self.signedInteger(bytes) != 0)
        case .unsignedByte:
            guard count == 1 else { throw Self.wrongLength(column) }
            let value = UInt64(bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self))
            writeMember(plan, atMost: DocumentCursor.integerRoom) { $0.appendInteger(value) }
        case .money:
            let amount: Int64
            switch count {
            case 4: amount = Int64(Int32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self)))
            case 8:
                // The high half comes first.
                let high = UInt64(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)))
                let low = UInt64(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self)))
                amount = Int64(bitPattern: high << 32 | low)
            default: throw Self.wrongLength(column)
            }
            writeMember(plan, atMost: DocumentCursor.decimalRoom) {
                $0.appendDecimal(negative: amount < 0, magnitude: amount.magnitude, scale: 4)
            }
        case .base64:
            let cut = bytes.extracting(0..<min(count, layout.largestValue))
            writeMember(plan, atMost: (cut.byteCount &+ 2) / 3 &* 4 &+ 2) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendBase64(cut)
                cursor.append(UInt8(ascii: "\""))
            }
        case .guid:
            guard count == 16 else { throw Self.wrongLength(column) }
            writeMember(plan, atMost: 38) { cursor in
                cursor.append(UInt8(ascii: "\""))
                for (place, index) in [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].enumerated() {
                    if place == 4 || place == 6 || place == 8 || place == 10 { cursor.append(UInt8(ascii: "-")) }
                    let byte = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
                    cursor.append(DocumentCursor.hexDigit(byte >> 4))
                    cursor.append(DocumentCursor.hexDigit(byte & 15))
                }
                cursor.append(UInt8(ascii: "\""))
            }
        case .date:
            guard count == 3 else { throw Self.wrongLength(column) }
            let days = Self.threeBytes(bytes, 0)
            writeMember(plan, atMost: DocumentCursor.temporalRoom) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendDate(days)
                cursor.append(UInt8(ascii: "\""))
            }
        case .time:
            let (seconds, ticks) = try Self.timeOfDay(bytes, count, plan.scale)
            writeMember(plan, atMost: DocumentCursor.temporalRoom) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendTime(seconds: seconds, ticks: ticks)
                cursor.append(UInt8(ascii: "\""))
            }
        case .dateTime:
            guard count == 8 else { throw Self.wrongLength(column) }
            let days = Int(Int32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self)))
            let ticks = Int(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            guard (-53690..<2_958_464).contains(days), ticks < 25_920_000 else { throw WireError(.valueOutOfRange, "datetime") }
            // 1/300 s, rounded to milliseconds as SQL Server prints them: .000, .003, .007
            let milliseconds = (ticks % 300 &* 10 &+ 1) / 3
            writeLocal(plan, days: days &+ daysToYear1900, seconds: ticks / 300, ticks: milliseconds &* 10_000)
        case .smallDateTime:
            guard count == 4 else { throw Self.wrongLength(column) }
            let days = Int(UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt16.self)))
            let minutes = Int(UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            guard minutes < 1440 else { throw WireError(.valueOutOfRange, "smalldatetime") }
            writeLocal(plan, days: days &+ daysToYear1900, seconds: minutes &* 60, ticks: 0)
        case .dateTimeOffset:
            guard count >= 8 else { throw Self.wrongLength(column) }
            let offset = Int(Int16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: count &- 2, as: Int16.self)))
            guard offset.magnitude <= 840 else { throw WireError(.valueOutOfRange, "datetimeoffset") }
            let (seconds, ticks) = try Self.timeOfDay(bytes, count &- 5, plan.scale)
            // The wire holds UTC; the text shows the local time of the offset.
            var local = seconds &+ offset &* 60
            var days = Self.threeBytes(bytes, count &- 5)
            if local < 0 { (days, local) = (days &- 1, local &+ 86400) } else if local >= 86400 { (days, local) = (days &+ 1, local &- 86400) }
            writeMember(plan, atMost: DocumentCursor.temporalRoom) {
                $0.appendTimestamp(days: days, seconds: local, ticks: ticks, offsetMinutes: offset)
            }
        default: try writeUncommon(plan, bytes, column)
        }
    }

    private mutating func writeLocal(_ plan: DocumentColumn, days: Int, seconds: Int, ticks: Int) {
        let offset = zone.offset(local: Int64(days &- daysToYear1970) &* 86400 &+ Int64(seconds))
        writeMember(plan, atMost: DocumentCursor.temporalRoom) {
            $0.appendTimestamp(days: days, seconds: seconds, ticks: ticks, offsetMinutes: offset / 60)
        }
    }

    /// Types that a document shows in a form of its own: sql_variant as a column of its base type would be, vector, json, shapes.
    @inline(never)
    private mutating func writeUncommon(_ plan: DocumentColumn, _ bytes: RawSpan, _ column: Int) throws(WireError) {
        if plan.kind == .variant {
            let variant = try TDSVariant(wire: bytes)
            guard let content = try variant.value.wireContent(for: variant.type) else { return writeMember(plan, atMost: 4) { $0.append("null") } }
            let declared = metadata[column]
            metadata[column].typeInfo = variant.type
            defer { metadata[column] = declared }
            var base = try DocumentColumn(metadata[column])
            (base.nameStart, base.nameEnd) = (plan.nameStart, plan.nameEnd)
            guard base.kind != .variant else { throw WireError(.malformed, "sql_variant", "a variant in a variant") }
            return try writeValue(base, content.readableBytesSpan, column)
        }
        let json = try UncommonValues.json(bytes, metadata[column].typeInfo, largest: layout.largestValue)
        writeMember(plan, atMost: json.count) { $0.append(json.span.bytes) }
    }

    /// A text or binary value that may be longer than documents hold.
    @inline(never)
    private mutating func writeCut(_ bytes: RawSpan, _ column: Int) throws(WireError) {
        let plan = columns[column]
        if plan.isKey { noteKey(bytes, column) }
        switch plan.kind {
        case .utf16, .codePage, .utf8:
            let text = plan.kind == .utf16 ? TextDecoding.utf16(bytes) : TextDecoding.string(bytes, metadata[column].typeInfo.collation)
            let cut = TextDecoding.cut(text, atMost: layout.largestValue)
            writeMember(plan, atMost: cut.utf8.count &* 6 &+ 2) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendText(cut)
                cursor.append(UInt8(ascii: "\""))
            }
        default: try writeLessCommon(plan, bytes, column)
        }
    }

    // MARK: Wire forms

    @inline(__always)
    private static func signedInteger(_ bytes: RawSpan) throws(WireError) -> Int64 {
        switch bytes.byteCount {
        case 4: Int64(Int32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self)))
        case 8: Int64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int64.self))
        case 2: Int64(Int16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int16.self)))
        case 1: Int64(bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self))
        default: throw WireError(.malformed, "integer", "\(bytes.byteCount) bytes")
        }
    }

    @inline(__always)
    private static func threeBytes(_ bytes: RawSpan, _ offset: Int) -> Int {
        Int(UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
            | Int(bytes.unsafeLoad(fromByteOffset: offset &+ 2, as: UInt8.self)) << 16
    }

    /// The time of day in the first `length` bytes: seconds, and the fraction in 100 ns.
    @inline(__always)
    private static func timeOfDay(_ bytes: RawSpan, _ length: Int, _ scale: UInt8) throws(WireError) -> (seconds: Int, ticks: Int) {
        var value: Int
        switch length {
        case 5:
            value = Int(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)))
                | Int(bytes.unsafeLoad(fromByteOffset: 4, as: UInt8.self)) << 32
        case 4: value = Int(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)))
        case 3: value = threeBytes(bytes, 0)
        default: throw WireError(.malformed, "time", "\(length) bytes")
        }
        if scale == 7 {
            guard value < 864_000_000_000 else { throw WireError(.valueOutOfRange, "time") }
            return (value / 10_000_000, value % 10_000_000)
        }
        var missing = scale
        while missing < 7 {
            value = value &* 10
            missing &+= 1
        }
        guard value < 864_000_000_000 else { throw WireError(.valueOutOfRange, "time") }
        return (value / 10_000_000, value % 10_000_000)
    }

    private static func wrongLength(_ column: Int) -> WireError {
        WireError(.malformed, "ROW", "column \(column): a value of the wrong length")
    }
}
