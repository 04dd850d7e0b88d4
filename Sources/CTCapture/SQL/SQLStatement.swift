// Statements that the capture sends, as text and typed parameters.

/// A value of a key column, or another small parameter.
///
/// Temporal types and exact numbers are text, in the forms of ``KeyPosition``, which are also those of the saved state.
public enum KeyValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case bool(Bool)
    case float(Float)
    case double(Double)
    case text(String)
    case bytes([UInt8])
    /// The 16 bytes of a uniqueidentifier in the order of the wire.
    case uniqueidentifier([UInt8])
}

/// A parameter: bound with exactly its column's type, so that the server can seek.
public struct SQLParameter: Hashable, Sendable {
    /// With its "@".
    public var name: String
    public var type: ColumnType
    public var value: KeyValue

    public init(_ name: String, _ type: ColumnType, _ value: KeyValue) {
        self.name = name
        self.type = type
        self.value = value
    }
}

/// A statement and its parameters.
public struct SQLStatement: Hashable, Sendable {
    public var text: String
    public var parameters: [SQLParameter]

    public init(_ text: String, _ parameters: [SQLParameter] = []) {
        self.text = text
        self.parameters = parameters
    }
}

extension ColumnType {
    /// Parameters that count rows, and versions.
    static let bigint = ColumnType(name: "bigint", maxLength: 8, precision: 19)
}

/// Names in SQL text.
enum SQLText {
    /// `name` in square brackets, with `]` doubled: any legal identifier.
    static func identifier(_ name: String) -> String {
        "[\(String(name.flatMap { $0 == "]" ? "]]" : String($0) }))]"
    }

    /// A two-part name. Three-part names are no option: Azure SQL Database refuses them.
    static func table(_ name: TableName) -> String { "\(identifier(name.schema)).\(identifier(name.table))" }

    /// `text` as a Unicode literal.
    static func literal(_ text: String) -> String {
        "N'\(String(text.flatMap { $0 == "'" ? "''" : String($0) }))'"
    }
}
