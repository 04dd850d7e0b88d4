// Keyset chunks: each starts behind the last key of the one before.

/// Reads the next rows of a table in the order of a unique key.
public struct BackfillQuery: Hashable, Sendable {
    public var table: TableName
    /// What is selected, in this order.
    public var columns: [ColumnInfo]
    /// The unique key that orders the chunks.
    public var key: [ColumnInfo]
    /// The last key that has been read; `nil` at the start.
    public var after: [KeyValue]?
    public var limit: Int
    /// A condition of the binding's configuration, as it is.
    public var filter: String?
    /// The database's own collation: a varchar parameter can only carry its code page.
    public var databaseCollation: String?
    /// Read one moment's rows, without waiting for writers or holding them up.
    public var inSnapshot: Bool

    public init(
        table: TableName, columns: [ColumnInfo], key: [ColumnInfo], after: [KeyValue]?, limit: Int, filter: String? = nil, databaseCollation: String? = nil,
        inSnapshot: Bool = false
    ) {
        self.table = table
        self.columns = columns
        self.key = key
        self.after = after
        self.limit = limit
        self.filter = filter
        self.databaseCollation = databaseCollation
        self.inSnapshot = inSnapshot
    }

    public var statement: SQLStatement {
        var parameters = [SQLParameter("@limit", .bigint, .integer(Int64(limit)))]
        var conditions: [String] = []
        if let after {
            var operands: [String] = []
            for (index, (column, value)) in zip(key, after).enumerated() {
                let (operand, parameter) = bound(column, value, "@k\(index)")
                operands.append(operand)
                parameters.append(parameter)
            }
            conditions.append(Self.predicate(columns: key.map { SQLText.identifier($0.name) }, operands: operands))
        }
        if let filter, !filter.isEmpty { conditions.append("(\(filter))") }
        let list = columns.map { SQLText.identifier($0.name) }.joined(separator: ", ")
        let condition = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        let order = key.map { SQLText.identifier($0.name) }.joined(separator: ", ")
        // Within sp_executesql the level is back to the session's own at the end.
        let level = inSnapshot ? "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; " : ""
        return SQLStatement("\(level)SELECT TOP (@limit) \(list) FROM \(SQLText.table(table))\(condition) ORDER BY \(order)", parameters)
    }

    /// (a, b, c) > (x, y, z), written so that the index can be seeked by its first column: `a >= x AND (a > x OR (b > y OR …))` with
    /// the equal prefix implied at each level.
    static func predicate(columns: [String], operands: [String]) -> String {
        guard let column = columns.first, let operand = operands.first else { return "1 = 1" }
        guard columns.count > 1 else { return "\(column) > \(operand)" }
        let rest = predicate(columns: Array(columns.dropFirst()), operands: Array(operands.dropFirst()))
        return "\(column) >= \(operand) AND (\(column) > \(operand) OR (\(rest)))"
    }

    /// A parameter and how it is written in the text. A varchar of another code page than the database's would be converted, and could
    /// lose characters, on its way into the variable: it travels as nvarchar and becomes a varchar of the column's collation in place.
    private func bound(_ column: ColumnInfo, _ value: KeyValue, _ name: String) -> (String, SQLParameter) {
        // A CLR value travels as its bytes; only an explicit conversion makes it one again.
        if column.type.kind == .hierarchyid {
            return ("CAST(\(name) AS hierarchyid)", SQLParameter(name, ColumnType(name: "varbinary", maxLength: 892), value))
        }
        guard column.type.kind == .character, let collation = column.type.collation, let databaseCollation,
            collation.caseInsensitiveCompare(with: databaseCollation) == false
        else { return (name, SQLParameter(name, column.type, value)) }
        let wide = ColumnType(name: "nvarchar", maxLength: column.type.maxLength > 4000 ? -1 : column.type.maxLength * 2)
        return ("CAST(\(name) COLLATE \(collation) AS \(column.type.declaration))", SQLParameter(name, wide, value))
    }
}

extension String {
    /// Equal but for case.
    func caseInsensitiveCompare(with other: String) -> Bool { lowercased() == other.lowercased() }
}
