// A binding's configuration: which table, and how it is backfilled.

import ExactJSON

/// How a table is backfilled.
public enum BackfillMode: String, Hashable, Sendable {
    /// The connector decides.
    case automatic = ""
    case normal = "Normal"
    case precise = "Precise"
    case onlyChanges = "Only Changes"
    case withoutPrimaryKey = "Without Primary Key"
}

/// One captured table.
public struct ResourceConfiguration: Hashable, Sendable {
    public var table: TableName
    public var priority: Int
    public var mode: BackfillMode
    /// Key columns that the user has configured; `nil` takes the table's primary key.
    public var primaryKey: [String]?
    /// A condition for backfill queries, as SQL text.
    public var backfillFilter: String?

    public init(table: TableName, priority: Int = 0, mode: BackfillMode = .automatic, primaryKey: [String]? = nil, backfillFilter: String? = nil) {
        self.table = table
        self.priority = priority
        self.mode = mode
        self.primaryKey = primaryKey
        self.backfillFilter = backfillFilter
    }

    /// Reads the JSON form. Throws `ConfigurationError`.
    public init(_ value: JSONValue) throws(ConfigurationError) {
        var reader = try ConfigurationReader(value)
        guard let schema = try reader.string("namespace"), !schema.isEmpty else { throw ConfigurationError("missing 'namespace'") }
        guard let table = try reader.string("stream"), !table.isEmpty else { throw ConfigurationError("missing 'stream'") }
        self.init(table: TableName(schema: schema, table: table))
        priority = try reader.integer("priority") ?? 0
        if let text = try reader.string("mode") {
            guard let mode = BackfillMode(rawValue: text) else { throw ConfigurationError("'mode' of \(self.table) is not known: \"\(text)\"") }
            self.mode = mode
        }
        if let columns = try reader.strings("primary_key"), !columns.isEmpty { primaryKey = columns }
        if var advanced = try reader.object("advanced") {
            if let filter = try advanced.string("additional_backfill_filter"), !filter.trimmed.isEmpty { backfillFilter = filter }
            try advanced.finish()
        }
        _ = try reader.string("syncMode")
        // Stored there by the control plane.
        _ = reader.take("_meta")
        try reader.finish()
    }

    /// The path that identifies the binding.
    public var path: [String] { [table.schema, table.table] }
}
