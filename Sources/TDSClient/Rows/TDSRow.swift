public import NIOCore
public import TDSWire

/// The columns of a result set.
public struct TDSColumns: Sendable, Hashable {
    public let metadata: [ColumnMetadata]
    /// From 0: which of the response's result sets this is.
    public let resultSet: Int

    /// The index of the first column of that name (compared as written).
    public func index(of name: String) -> Int? { metadata.firstIndex { $0.name == name } }
}

/// A row whose values are decoded when asked for: it holds the row's bytes and where each column's begin.
public struct TDSRow: Sendable {
    private let batch: TDSRowBatch
    private let index: Int

    init(batch: TDSRowBatch, index: Int) {
        self.batch = batch
        self.index = index
    }

    public var columns: TDSColumns { batch.columns }
    public var count: Int { batch.columns.metadata.count }

    /// The bytes of a column's value as they came, without length; nil is NULL.
    ///
    /// - Precondition: `column` is below ``count``.
    public func bytes(_ column: Int) -> ByteBuffer? { batch.bytes(row: index, column: column) }

    /// A column's value.
    ///
    /// - Throws: ``TDSError/Code/decodingFailed`` if there is no such column, or its bytes are no value of its type.
    public func value(_ column: Int) throws(TDSError) -> TDSValue {
        guard batch.columns.metadata.indices.contains(column) else { throw TDSError(.decodingFailed, "the row has no column \(column)") }
        do {
            return try TDSValue(wire: bytes(column), typeInfo: batch.columns.metadata[column].typeInfo)
        } catch {
            throw TDSError(.decodingFailed, "column \(column)", underlying: error)
        }
    }

    /// A column's value by name.
    public func value(_ name: String) throws(TDSError) -> TDSValue {
        guard let column = columns.index(of: name) else { throw TDSError(.decodingFailed, "the row has no column named \(name)") }
        return try value(column)
    }

    /// A column's value as a Swift type: `let id: Int = try row.decode(0)`, `row.decode(1, as: String?.self)`.
    ///
    /// - Parameter column: from 0.
    /// - Throws: ``TDSError/Code/decodingFailed`` if there is no such column, for NULL unless the type is optional, and where the type can't
    ///   hold the value without loss.
    public func decode<T: TDSDecodable>(_ column: Int, as type: T.Type = T.self) throws(TDSError) -> T {
        let value = try value(column)
        do {
            return try T(tdsValue: value)
        } catch {
            throw TDSError(.decodingFailed, "column \(column) (\(columns.metadata[column].name)): \(error.message)", underlying: error.underlying)
        }
    }

    /// A column's value by name as a Swift type: `let name: String? = try row.decode("name")`. Of several columns of that name the first.
    ///
    /// - Throws: as ``decode(_:as:)-(Int,_)``.
    public func decode<T: TDSDecodable>(_ name: String, as type: T.Type = T.self) throws(TDSError) -> T {
        guard let column = columns.index(of: name) else { throw TDSError(.decodingFailed, "the row has no column named \(name)") }
        return try decode(column, as: type)
    }

    /// The first columns as a tuple: `let (id, name) = try row.decode((Int.self, String?.self))`.
    ///
    /// - Throws: as ``decode(_:as:)-(Int,_)``.
    public func decode<each T: TDSDecodable>(_ types: (repeat (each T).Type)) throws(TDSError) -> (repeat each T) {
        var column = -1
        func next<U: TDSDecodable>(_: U.Type) throws(TDSError) -> U {
            column += 1
            return try decode(column, as: U.self)
        }
        return try (repeat next(each types))
    }
}
