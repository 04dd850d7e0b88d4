/// Tables that are not backfilled, compared without case.
public struct SkipBackfills: Hashable, Sendable {
    private var all = false
    private var names: Set<String> = []

    public init() {}

    /// A comma-separated list of schema.table, or `*.*`. Throws `ConfigurationError`.
    public init(_ list: String, field: String) throws(ConfigurationError) {
        for part in list.split(separator: ",") {
            let name = String(part).trimmed
            if name.isEmpty { continue }
            if name == "*.*" {
                all = true
                continue
            }
            guard name.contains(".") else { throw ConfigurationError("'\(field)' must be a comma-separated list of schema.table, but holds \"\(name)\"") }
            names.insert(name.lowercased())
        }
    }

    /// Whether the table is to be left out of backfills.
    public func contains(_ table: TableName) -> Bool { all || names.contains(table.description) }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }
}
