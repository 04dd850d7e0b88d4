// Reading changes: what changed since a version, joined with the rows as they are now.

/// Reads a table's changes since a version, ordered by key.
///
/// The first three columns are the operation (I, U or D), the version, and whether a row of that key is there: a document's `_meta`
/// may come before any of its columns, and without the marker a row that is gone would look like a row of NULLs.
public struct ChangeQuery: Hashable, Sendable {
    /// How many columns come before the table's own.
    public static let leadingColumns = 3

    public var table: TableName
    /// What is selected of the row, in this order. Key columns come from the change, so that a delete has them too.
    public var columns: [ColumnInfo]
    /// The primary key, in key order.
    public var key: [ColumnInfo]
    /// Changes after this version.
    public var since: Int64

    public init(table: TableName, columns: [ColumnInfo], key: [ColumnInfo], since: Int64) {
        self.table = table
        self.columns = columns
        self.key = key
        self.since = since
    }

    public var statement: SQLStatement {
        let name = SQLText.table(table)
        let keys = key.map { SQLText.identifier($0.name) }
        let keyNames = Set(key.map(\.name))
        // A primary key's column is never NULL in a row that is there.
        let presence = keys.first.map { "CASE WHEN base.\($0) IS NULL THEN 0 ELSE 1 END" } ?? "0"
        let list = columns.map { "\(keyNames.contains($0.name) ? "ct" : "base").\(SQLText.identifier($0.name))" }
        let selected = (["ct.SYS_CHANGE_OPERATION", "ct.SYS_CHANGE_VERSION", "\(presence) AS row_present"] + list).joined(separator: ", ")
        let join = keys.map { "base.\($0) = ct.\($0)" }.joined(separator: " AND ")
        let order = keys.map { "ct.\($0)" }.joined(separator: ", ")
        return SQLStatement(
            "SELECT \(selected) FROM CHANGETABLE(CHANGES \(name), @since) AS ct LEFT JOIN \(name) AS base ON \(join) ORDER BY \(order)",
            [SQLParameter("@since", .bigint, .integer(since))]
        )
    }
}

/// Asks of many tables at once which have changes: one row a table that has some, holding its place in the list.
public struct ProbeQuery: Hashable, Sendable {
    /// SQL Server takes 2100 parameters; a batch of this many tables also keeps its text and plan small.
    public static let batchSize = 200

    public var tables: [(name: TableName, since: Int64)] { zip(names, versions).map { ($0, $1) } }
    private let names: [TableName]
    private let versions: [Int64]

    public init(_ tables: [(name: TableName, since: Int64)]) {
        names = tables.map(\.name)
        versions = tables.map(\.since)
    }

    public var statement: SQLStatement {
        var parts: [String] = []
        var parameters: [SQLParameter] = []
        for (index, table) in tables.enumerated() {
            parts.append("SELECT \(index) AS position WHERE EXISTS (SELECT 1 FROM CHANGETABLE(CHANGES \(SQLText.table(table.name)), @v\(index)) AS ct)")
            parameters.append(SQLParameter("@v\(index)", .bigint, .integer(table.since)))
        }
        return SQLStatement(parts.joined(separator: " UNION ALL "), parameters)
    }
}
