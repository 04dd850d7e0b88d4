// The catalogue model: what discovery, prerequisites and query building know about a table.

/// A table's two-part name, as the server spells it.
public struct TableName: Hashable, Sendable, CustomStringConvertible {
    public var schema: String
    public var table: String

    public init(schema: String, table: String) {
        self.schema = schema
        self.table = table
    }

    /// The lower-case name that people and the existing connector's messages use: "dbo.foo".
    public var description: String { "\(schema).\(table)".lowercased() }
}

/// A column, as the catalogue describes it.
public struct ColumnInfo: Hashable, Sendable {
    public var name: String
    /// `sys.columns.column_id`.
    public var ordinal: Int
    public var type: ColumnType
    public var isNullable: Bool
    public var isComputed: Bool
    public var isIdentity: Bool
    /// The column's MS_Description.
    public var description: String?

    public init(
        name: String, ordinal: Int, type: ColumnType, isNullable: Bool = true, isComputed: Bool = false, isIdentity: Bool = false, description: String? = nil
    ) {
        self.name = name
        self.ordinal = ordinal
        self.type = type
        self.isNullable = isNullable
        self.isComputed = isComputed
        self.isIdentity = isIdentity
        self.description = description
    }
}

/// A user table.
public struct TableInfo: Hashable, Sendable {
    public var name: TableName
    /// `sys.tables.object_id`: another one under the same name means that the table was dropped and created again.
    public var objectID: Int64
    /// In order of their ordinals.
    public var columns: [ColumnInfo]
    /// The primary key's columns in key order; empty without one.
    public var primaryKey: [String]
    /// The columns of a unique clustered index, in key order; empty without one.
    public var clusteredKey: [String]
    /// The version from which changes are tracked (`sys.change_tracking_tables.begin_version`); `nil` if they are not.
    public var beginVersion: Int64?

    public init(
        name: TableName, objectID: Int64, columns: [ColumnInfo] = [], primaryKey: [String] = [], clusteredKey: [String] = [], beginVersion: Int64? = nil
    ) {
        self.name = name
        self.objectID = objectID
        self.columns = columns
        self.primaryKey = primaryKey
        self.clusteredKey = clusteredKey
        self.beginVersion = beginVersion
    }

    /// What tells this table and its tracking from another of the same name; `nil` if changes are not tracked.
    public var identity: TableIdentity? { beginVersion.map { TableIdentity(objectID: objectID, beginVersion: $0) } }

    /// Whether change tracking is on for the table.
    public var isTracked: Bool { beginVersion != nil }

    /// The unique key by which the table is read in chunks: the clustered one where the primary key is not, as the rows lie in its order.
    /// A column that may be NULL, or of a type that no key position holds, rules it out.
    public var scanKey: [String] {
        guard !clusteredKey.isEmpty, clusteredKey != primaryKey else { return primaryKey }
        let isUsable = clusteredKey.allSatisfy { name in
            guard let column = column(name), !column.isNullable else { return false }
            return column.type.canBeKey
        }
        return isUsable ? clusteredKey : primaryKey
    }

    /// The column of that name.
    public func column(_ name: String) -> ColumnInfo? { columns.first { $0.name == name } }

    /// The columns in the order of a document's members: bytewise by name.
    public var columnsInDocumentOrder: [ColumnInfo] {
        columns.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}
