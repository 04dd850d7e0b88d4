/// Decodes ROW and NBCROW tokens into a ``RowSink``, resumably: after every column the position is kept, so that a row split over
/// packets goes on where it stopped, and nothing but the length prefix of a value that wasn't whole is read twice.
///
/// ROW (MS-TDS 2.2.7.19) is the token byte and each column's value. NBCROW (2.2.7.15) has, before the values, a bitmap of
/// ⌈columns / 8⌉ bytes, bit `i % 8` of byte `i / 8` (least significant first) set where column `i` is NULL and has no bytes at all.
///
/// The hot path of the library: `steps` holds only trivial values, and the generic functions are inlinable so that a sink of
/// another module is specialised. Every read is preceded by an explicit bounds check that returns "need more".
@frozen
public struct RowDecoder: Sendable {
    /// What one column's bytes look like, without references, so that the loop neither retains nor releases.
    @frozen @usableFromInline
    struct Step: Sendable {
        @frozen @usableFromInline enum Kind: UInt8, Sendable { case null, fixed, byteLength, shortLength, longLength, textPointer, plp }
        @usableFromInline var kind: Kind
        /// The exact size (fixed) or the largest length allowed.
        @usableFromInline var size: Int

        @usableFromInline
        init(_ layout: ValueLayout) {
            switch layout {
            // Type NULL: always NULL, and no byte long.
            case .fixed(0): (kind, self.size) = (.null, 0)
            case .fixed(let size): (kind, self.size) = (.fixed, size)
            case .byteLength(let size): (kind, self.size) = (.byteLength, size)
            case .shortLength(let size): (kind, self.size) = (.shortLength, size)
            // A sql_variant holds at most 8000 bytes and 9 of base type and properties; whatever the metadata says.
            case .longLength(let size): (kind, self.size) = (.longLength, min(size, 8016))
            case .textPointer: (kind, self.size) = (.textPointer, 0x7FFF_FFFF)
            case .plp: (kind, self.size) = (.plp, TypeInfo.unlimited)
            }
        }
    }

    /// The large value in progress.
    @frozen @usableFromInline
    enum Large: Sendable {
        case none
        /// Between chunks: the next four bytes are a chunk's length.
        case chunkHeader
        /// This many bytes of the chunk are still to come.
        case chunk(Int)
        /// This many bytes of a text, ntext or image are still to come.
        case text(Int)
    }

    @usableFromInline var steps: [Step]
    /// The next column of the row in progress; 0 and `!inRow` between rows.
    @usableFromInline var column = 0
    @usableFromInline var inRow = false
    /// The NULL bitmap of the NBCROW in progress; empty for a ROW.
    @usableFromInline var nullBitmap: [UInt8] = []
    @usableFromInline var large = Large.none
    /// Bytes of the large value that are still to come by its announced total, or -1 where that is unknown.
    @usableFromInline var largeExpected: Int64 = -1

    /// PLP and text values up to this many bytes are waited for and handed over whole.
    @usableFromInline static var wholeLimit: Int { 8192 }

    public init(columns: [ColumnMetadata]) {
        steps = columns.map { Step($0.typeInfo.layout) }
    }

    /// Whether a row has begun and not ended.
    public var isInRow: Bool { inRow }

    /// Decodes rows from `offset` on until another token begins, the bytes are used up, or the sink is full; moves `offset`.
    ///
    /// - Returns: whether the sink is full.
    @inlinable
    mutating func decodeRows<Sink: RowSink & ~Copyable>(
        _ span: RawSpan, at offset: inout Int, hasMetadata: Bool, into sink: inout Sink
    ) throws(WireError) -> Bool {
        let count = span.byteCount
        while true {
            if !inRow {
                guard offset < count else { return false }
                switch span.unsafeLoad(fromByteOffset: offset, as: UInt8.self) {
                case 0xD1:
                    offset &+= 1
                    if !nullBitmap.isEmpty { nullBitmap = [] }
                case 0xD2:
                    let bytes = (steps.count + 7) / 8
                    guard count - offset > bytes else { return false }
                    nullBitmap.removeAll(keepingCapacity: true)
                    for index in 0..<bytes { nullBitmap.append(span.unsafeLoad(fromByteOffset: offset + 1 + index, as: UInt8.self)) }
                    offset += 1 + bytes
                default: return false
                }
                guard hasMetadata else { throw WireError(.malformed, "ROW", "a row before COLMETADATA") }
                inRow = true
                try sink.rowBegins()
            }
            guard try decodeColumns(span, at: &offset, into: &sink) else { return false }
            column = 0
            inRow = false
            try sink.rowEnds()
            if sink.isFull { return true }
        }
    }

    /// Reads as many columns of the row in progress as `span` holds from `offset` on, and moves `offset` behind them.
    ///
    /// - Returns: whether the row is complete.
    @inlinable
    mutating func decodeColumns<Sink: RowSink & ~Copyable>(_ span: RawSpan, at offset: inout Int, into sink: inout Sink) throws(WireError) -> Bool {
        let count = span.byteCount
        while column < steps.count {
            if !nullBitmap.isEmpty, nullBitmap[column >> 3] & (1 &<< UInt8(column & 7)) != 0 {
                try sink.null(column: column)
                column &+= 1
                continue
            }
            let step = steps[column]
            let available = count &- offset
            switch step.kind {
            case .null: try sink.null(column: column)
            case .fixed:
                guard available >= step.size else { return false }
                try sink.value(span.extracting(offset..<offset &+ step.size), column: column)
                offset &+= step.size
            case .byteLength:
                guard available >= 1 else { return false }
                let length = Int(span.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
                if length == 0 {
                    offset &+= 1
                    try sink.null(column: column)
                } else {
                    guard length <= step.size else { throw RowDecoder.tooLong(column) }
                    guard available > length else { return false }
                    try sink.value(span.extracting(offset &+ 1..<offset &+ 1 &+ length), column: column)
                    offset &+= 1 &+ length
                }
            case .shortLength:
                guard available >= 2 else { return false }
                let length = Int(UInt16(littleEndian: span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
                if length == 0xFFFF {
                    offset &+= 2
                    try sink.null(column: column)
                } else {
                    guard length <= step.size else { throw RowDecoder.tooLong(column) }
                    guard available >= 2 &+ length else { return false }
                    try sink.value(span.extracting(offset &+ 2..<offset &+ 2 &+ length), column: column)
                    offset &+= 2 &+ length
                }
            case .longLength:
                guard available >= 4 else { return false }
                let length = Int(UInt32(littleEndian: span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                if length == 0 {
                    offset &+= 4
                    try sink.null(column: column)
                } else {
                    guard length <= step.size else { throw RowDecoder.tooLong(column) }
                    guard available >= 4 &+ length else { return false }
                    try sink.value(span.extracting(offset &+ 4..<offset &+ 4 &+ length), column: column)
                    offset &+= 4 &+ length
                }
            case .plp, .textPointer:
                guard try decodeLarge(step.kind, span, at: &offset, into: &sink) else { return false }
            }
            column &+= 1
        }
        return true
    }

    /// Begins or goes on with the large value of the current column.
    ///
    /// - Returns: whether it is complete.
    @inlinable
    mutating func decodeLarge<Sink: RowSink & ~Copyable>(
        _ kind: Step.Kind, _ span: RawSpan, at offset: inout Int, into sink: inout Sink
    ) throws(WireError) -> Bool {
        let count = span.byteCount
        while true {
            switch large {
            case .none:
                guard let begun = try beginLarge(kind, span, at: &offset, into: &sink) else { return false }
                if begun == .complete { return true }
            case .chunkHeader:
                guard count - offset >= 4 else { return false }
                let length = Int(UInt32(littleEndian: span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                offset += 4
                if length == 0 {
                    guard largeExpected <= 0 else { throw WireError(.malformed, "PLP value", "shorter than its announced length") }
                    large = .none
                    try sink.largeValueEnds(column: column)
                    return true
                }
                large = .chunk(length)
            case .chunk(let remaining):
                let take = min(remaining, count - offset)
                guard take > 0 else { return false }
                if largeExpected >= 0 {
                    guard Int64(take) <= largeExpected else { throw WireError(.malformed, "PLP value", "longer than its announced length") }
                    largeExpected -= Int64(take)
                }
                try sink.largeValueChunk(span.extracting(offset..<offset + take), column: column)
                offset += take
                large = take == remaining ? .chunkHeader : .chunk(remaining - take)
            case .text(let remaining):
                let take = min(remaining, count - offset)
                guard take > 0 || remaining == 0 else { return false }
                if take > 0 { try sink.largeValueChunk(span.extracting(offset..<offset + take), column: column) }
                offset += take
                if take == remaining {
                    large = .none
                    try sink.largeValueEnds(column: column)
                    return true
                }
                large = .text(remaining - take)
            }
        }
    }

    @frozen @usableFromInline enum Begun: Sendable { case complete, streaming }

    /// Reads the head of a large value; a small one that lies whole in the span is delivered at once.
    ///
    /// - Returns: nil when more bytes are needed.
    @inlinable
    mutating func beginLarge<Sink: RowSink & ~Copyable>(
        _ kind: Step.Kind, _ span: RawSpan, at offset: inout Int, into sink: inout Sink
    ) throws(WireError) -> Begun? {
        let available = span.byteCount - offset
        if kind == .textPointer {
            guard available >= 1 else { return nil }
            let pointer = Int(span.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            if pointer == 0 {
                offset += 1
                try sink.null(column: column)
                return .complete
            }
            let head = 1 + pointer + 8 + 4
            guard available >= head else { return nil }
            let length = Int(UInt32(littleEndian: span.unsafeLoadUnaligned(fromByteOffset: offset + head - 4, as: UInt32.self)))
            guard length <= 0x7FFF_FFFF else { throw RowDecoder.tooLong(column) }
            if available >= head + length {
                try sink.value(span.extracting(offset + head..<offset + head + length), column: column)
                offset += head + length
                return .complete
            }
            if length <= RowDecoder.wholeLimit { return nil }
            offset += head
            large = .text(length)
            try sink.largeValueBegins(column: column, length: UInt64(length))
            return .streaming
        }
        guard available >= 8 else { return nil }
        let total = UInt64(littleEndian: span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
        if total == .max {
            offset += 8
            try sink.null(column: column)
            return .complete
        }
        let unknown = total == .max - 1
        if !unknown {
            guard total <= UInt64(Int64.max) else { throw RowDecoder.tooLong(column) }
            // A value in one chunk, or empty, whole in the span: no streaming for what most rows hold.
            if total == 0 {
                guard available >= 12 else { return nil }
                if span.unsafeLoadUnaligned(fromByteOffset: offset + 8, as: UInt32.self) == 0 {
                    try sink.value(span.extracting(offset..<offset), column: column)
                    offset += 12
                    return .complete
                }
            } else if let length = Int(exactly: total), available >= 16, length <= available - 16 {
                let chunk = Int(UInt32(littleEndian: span.unsafeLoadUnaligned(fromByteOffset: offset + 8, as: UInt32.self)))
                if chunk == length, span.unsafeLoadUnaligned(fromByteOffset: offset + 12 + length, as: UInt32.self) == 0 {
                    try sink.value(span.extracting(offset + 12..<offset + 12 + length), column: column)
                    offset += 16 + length
                    return .complete
                }
            } else if total <= UInt64(RowDecoder.wholeLimit) {
                return nil
            }
        }
        offset += 8
        large = .chunkHeader
        largeExpected = unknown ? -1 : Int64(total)
        try sink.largeValueBegins(column: column, length: unknown ? nil : total)
        return .streaming
    }

    @usableFromInline
    static func tooLong(_ column: Int) -> WireError {
        WireError(.malformed, "ROW", "column \(column): a value longer than its type allows")
    }
}
