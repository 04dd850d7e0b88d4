// Which tables can be captured, under which names, and what their documents look like.

import ExactJSON

/// A table that discovery offers.
public struct DiscoveredTable: Hashable, Sendable {
    public var table: TableName
    public var recommendedName: String
    public var documentSchema: JSONValue
    /// JSON pointers of the key.
    public var key: [String]
}

/// Two tables that cannot be told apart.
public struct DiscoveryError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
}

public enum Discovery {
    /// Tables of Flow's own that nobody wants captured.
    private static let internalTables: Set<String> = ["flow_materializations_v2", "flow_checkpoints_v1"]
    /// A column that marks what Flow has materialised here: capturing it would go in circles.
    private static let materializationColumn = "flow_published_at"

    /// The catalogue's tables that pass the configuration's filters, in order of their names. Throws ``DiscoveryError`` if two differ
    /// only in case, as their collections and state could not be told apart.
    public static func tables(_ catalog: Catalog, _ configuration: CaptureConfiguration) throws(DiscoveryError) -> [TableInfo] {
        let filters = configuration.discoveryFilters
        let tables = catalog.tables.filter { table in
            guard !table.primaryKey.isEmpty, table.isTracked || configuration.discoversTablesWithoutCT else { return false }
            guard !internalTables.contains(table.name.table), !table.columns.contains(where: { $0.name == materializationColumn }) else { return false }
            guard filters.includeSchemas.isEmpty || filters.includeSchemas.contains(table.name.schema) else { return false }
            guard !filters.excludeSchemas.contains(table.name.schema) else { return false }
            return filters.tablePatterns.isEmpty || filters.tablePatterns.contains { $0.matches(table.name) }
        }
        var seen: [String: TableName] = [:]
        for table in tables {
            if let other = seen.updateValue(table.name, forKey: table.name.description) {
                throw DiscoveryError(
                    description:
                        "the tables \"\(other.schema).\(other.table)\" and \"\(table.name.schema).\(table.name.table)\" differ only in case: leave one of them out by the discovery filters"
                )
            }
        }
        return tables
    }

    /// What discovery answers. Throws ``DiscoveryError``.
    public static func discover(_ catalog: Catalog, _ configuration: CaptureConfiguration) throws(DiscoveryError) -> [DiscoveredTable] {
        try tables(catalog, configuration).map { table in
            DiscoveredTable(
                table: table.name, recommendedName: recommendedName(table.name),
                documentSchema: DocumentSchema.collection(table, historyMode: configuration.historyMode), key: table.primaryKey.map(pointer))
        }
    }

    /// Lower-case schema/table with everything but letters, digits, `-`, `_` and `.` as `_`.
    public static func recommendedName(_ table: TableName) -> String {
        func cleaned(_ name: String) -> String {
            String(String.UnicodeScalarView(name.lowercased().unicodeScalars.map { scalar in
                switch scalar {
                case "a"..."z", "0"..."9", "-", "_", ".": scalar
                default: "_"
                }
            }))
        }
        return "\(cleaned(table.schema))/\(cleaned(table.table))"
    }

    /// The JSON pointer of a column.
    public static func pointer(_ column: String) -> String {
        "/" + column.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
