/// Where decoded rows go: the decoder hands every column's bytes to the sink, once, in wire order.
///
/// The bytes are the value's content as MS-TDS 2.2.5.5 lays it out, without its length prefix; what they mean is said by the
/// ``ColumnMetadata`` that ``columns(_:)`` announced. A span is only valid during the call. No value is boxed, and no closure or
/// existential stands between the decoder and a concrete sink: ``TokenStreamDecoder/decode(into:)`` is generic and inlinable, so
/// that it is specialised in the module that defines the sink.
///
/// Short values (fixed types, and lengths up to 8000 bytes) arrive whole in ``value(_:column:)``. Values of unlimited types
/// (PLP: `(max)`, xml, udt, json; and text, ntext, image) arrive in ``value(_:column:)`` when they lie whole in the bytes at
/// hand, else as ``largeValueBegins(column:length:)``, any number of ``largeValueChunk(_:column:)``, ``largeValueEnds(column:)``.
/// A chunk may end anywhere, even inside a UTF-16 unit.
///
/// A method that throws ends the decoding; the connection is then of no more use.
public protocol RowSink: ~Copyable {
    /// A result set begins (COLMETADATA).
    mutating func columns(_ columns: [ColumnMetadata]) throws(WireError)
    /// A row begins (ROW or NBCROW).
    mutating func rowBegins() throws(WireError)
    /// The value of a column is NULL.
    mutating func null(column: Int) throws(WireError)
    /// A whole value.
    mutating func value(_ bytes: RawSpan, column: Int) throws(WireError)
    /// A large value begins; `length` is its length in bytes where the server said it. It is a hint: never reserve it unseen.
    mutating func largeValueBegins(column: Int, length: UInt64?) throws(WireError)
    /// The next bytes of the large value.
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) throws(WireError)
    /// The large value is complete.
    mutating func largeValueEnds(column: Int) throws(WireError)
    /// The row is complete.
    mutating func rowEnds() throws(WireError)
    /// Whether the sink wants to be emptied before it takes more. Asked after every row: keep it cheap. The decoder stops at the
    /// next row boundary.
    var isFull: Bool { get }
    /// Decodes what `decoder` holds into this sink, as ``TokenStreamDecoder/decode(into:)`` does. There is no need to implement it: it is a
    /// requirement so that its default, compiled with the conformance, is specialised for the sink, and whoever drives sinks of
    /// unknown types (a client) pays one dynamic call for each read and none for each value.
    mutating func decode(from decoder: inout TokenStreamDecoder) throws(WireError) -> TokenStreamDecoder.Event
}

extension RowSink where Self: ~Copyable {
    /// A sink that never fills up.
    @inlinable public var isFull: Bool { false }

    @inlinable
    public mutating func decode(from decoder: inout TokenStreamDecoder) throws(WireError) -> TokenStreamDecoder.Event {
        try decoder.decode(into: &self)
    }
}

/// A sink that counts rows and bytes and keeps nothing: for benchmarks, and for responses whose rows nobody wants.
public struct DiscardingSink: RowSink, Sendable {
    public private(set) var rowCount: UInt64 = 0
    /// Bytes of values, without length prefixes.
    public private(set) var byteCount: UInt64 = 0

    public init() {}

    @inlinable public mutating func columns(_ columns: [ColumnMetadata]) {}
    @inlinable public mutating func rowBegins() {}
    @inlinable public mutating func null(column: Int) {}
    public mutating func value(_ bytes: RawSpan, column: Int) { byteCount &+= UInt64(bytes.byteCount) }
    @inlinable public mutating func largeValueBegins(column: Int, length: UInt64?) {}
    public mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { byteCount &+= UInt64(bytes.byteCount) }
    @inlinable public mutating func largeValueEnds(column: Int) {}
    public mutating func rowEnds() { rowCount &+= 1 }
}
