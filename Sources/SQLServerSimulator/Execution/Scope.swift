/// Where a row source puts its current row.
final class Slot {
    var values: [SQLValue]
    /// Where the row is stored, for copying it as it is; nil for computed rows.
    var page: Page?
    var index = 0
    init(width: Int) { values = Array(repeating: .null, count: width) }
    func setNull() {
        for index in values.indices { values[index] = .null }
        page = nil
    }
}

struct BoundColumn {
    var name: String
    var type: SQLType
    var isNullable: Bool
    var isIdentity = false
    var isComputed = false
}

/// A table, derived table or function in FROM, with the names that it can be called by.
final class SourceBinding {
    /// Alias, or the table's name.
    let alias: String
    let schema: String?
    let database: String?
    var columns: [BoundColumn]
    let slot: Slot
    /// Which columns something reads: only these are decoded.
    var used: [Bool]
    /// The table behind it, if it is one.
    let table: TableDef?
    /// On the outer side of an outer join: all its columns may be NULL.
    var isOuter = false

    init(alias: String, schema: String? = nil, database: String? = nil, columns: [BoundColumn], table: TableDef? = nil) {
        self.alias = alias
        self.schema = schema
        self.database = database
        self.columns = columns
        self.table = table
        slot = Slot(width: columns.count)
        used = Array(repeating: false, count: columns.count)
    }
}

/// The names that an expression may use.
final class Scope {
    var sources: [SourceBinding] = []
    let parent: Scope?
    let collation: SQLCollation
    /// Whether something in it referred to a column outside.
    var isCorrelated = false
    /// In a grouped query: what stands for grouped expressions and aggregates.
    var grouping: Grouping?
    var commonTables: [String: CommonTableBinding] = [:]
    /// Window functions of the SELECT whose list and ORDER BY are being compiled.
    var windows: WindowSet?

    init(parent: Scope?, collation: SQLCollation) {
        self.parent = parent
        self.collation = collation
    }

    struct Found {
        let source: SourceBinding
        let ordinal: Int
        let scope: Scope
    }

    private func matches(_ source: SourceBinding, _ prefix: ArraySlice<String>) -> Bool {
        guard let last = prefix.last, Names.same(last, source.alias, collation) else { return false }
        var rest = prefix.dropLast()
        if let schema = rest.popLast(), !schema.isEmpty {
            guard let own = source.schema, Names.same(schema, own, collation) else { return false }
        }
        if let database = rest.popLast(), !database.isEmpty {
            guard let own = source.database, Names.same(database, own, .default) else { return false }
        }
        return true
    }

    func source(named prefix: [String]) -> SourceBinding? { sources.first { matches($0, prefix[...]) } }

    /// Looks a column up, here and then outside. Throws 207, 209 or 4104.
    func resolve(_ parts: [String]) throws -> Found {
        let name = parts[parts.count - 1]
        if parts.count == 1 {
            var scope: Scope? = self
            while let current = scope {
                var found: Found?
                for source in current.sources {
                    for (ordinal, column) in source.columns.enumerated() where Names.same(column.name, name, collation) {
                        if found != nil { throw Messages.ambiguousColumn(name) }
                        found = Found(source: source, ordinal: ordinal, scope: current)
                        break
                    }
                }
                if let found {
                    mark(upTo: current)
                    return found
                }
                scope = current.parent
            }
            throw Messages.invalidColumn(name)
        }
        let prefix = parts.dropLast()
        var scope: Scope? = self
        while let current = scope {
            for source in current.sources where matches(source, prefix) {
                guard let ordinal = source.columns.firstIndex(where: { Names.same($0.name, name, collation) }) else { throw Messages.invalidColumn(name) }
                mark(upTo: current)
                return Found(source: source, ordinal: ordinal, scope: current)
            }
            scope = current.parent
        }
        throw Messages.unbound(parts.joined(separator: "."))
    }
    private func mark(upTo owner: Scope) {
        var scope: Scope? = self
        while let current = scope, current !== owner {
            current.isCorrelated = true
            scope = current.parent
        }
    }

    func commonTable(_ name: String) -> CommonTableBinding? {
        var scope: Scope? = self
        while let current = scope {
            if let found = current.commonTables[Names.fold(name, collation)] { return found }
            scope = current.parent
        }
        return nil
    }
}

/// A common table expression, compiled anew where it is used.
final class CommonTableBinding {
    let table: CommonTable
    /// The scope in which its query is compiled: that of the tables before it.
    let scope: Scope
    /// While a recursive one is running: the rows of the last step.
    var recursion: RecursiveTable?
    init(table: CommonTable, scope: Scope) {
        self.table = table
        self.scope = scope
    }
}
final class RecursiveTable {
    var columns: [BoundColumn]
    var rows: [[SQLValue]] = []
    init(columns: [BoundColumn]) { self.columns = columns }
}

/// A grouped query's columns: first the GROUP BY expressions, then the aggregates as they are met.
final class Grouping {
    struct Key {
        let text: String
        let source: SourceBinding?
        let ordinal: Int
        let compiled: Compiled
    }
    var keys: [Key] = []
    var aggregates: [Aggregate] = []
    let slot = Slot(width: 0)
    /// Set while an aggregate's own argument is compiled: that sees the rows before grouping.
    var isInsideAggregate = false
    var isAllowed = true
}
