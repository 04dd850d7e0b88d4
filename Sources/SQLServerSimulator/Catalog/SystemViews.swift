import TDSWire

/// A catalogue view: its columns, and its rows computed when it is read.
struct SystemView: Sendable {
    let schema: String
    let name: String
    let columns: [ResultColumn]
    /// Throws where the login may not read it at all.
    let check: @Sendable (CatalogReader) throws -> Void
    private let make: @Sendable (CatalogReader) throws -> [[String: SQLValue]]

    /// `spec`: `name type` pairs, `!` after the type for NOT NULL.
    init(
        _ schema: String, _ name: String, _ spec: String, check: @escaping @Sendable (CatalogReader) throws -> Void = { _ in },
        rows: @escaping @Sendable (CatalogReader) throws -> [[String: SQLValue]]
    ) {
        self.schema = schema
        self.name = name
        self.check = check
        make = rows
        columns = spec.split(separator: ",").map { part in
            let words = part.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
            let nullable = !(words.last?.hasSuffix("!") ?? false)
            let type = words.count > 1 ? words[1].replacing("!", with: "") : "int"
            return ResultColumn(name: words.first ?? "", type: SystemView.type(type), isNullable: nullable)
        }
    }
    private static func type(_ name: String) -> SQLType {
        switch name {
        case "sysname": return .sysname
        case "int": return .int
        case "bigint": return .bigint
        case "smallint": return .smallint
        case "tinyint": return .tinyint
        case "bit": return .bit
        case "datetime": return .datetime
        case "datetime2": return SQLType(.datetime2, scale: 7)
        case "char1": return SQLType(.char, length: 1, collation: .default)
        case "char2": return SQLType(.char, length: 2, collation: .default)
        case "char4": return SQLType(.char, length: 4, collation: .default)
        case "varchar": return SQLType(.varchar, length: 128, collation: .default)
        case "nvarchar60": return .nvarchar(60)
        case "nvarchar": return .nvarchar(256)
        case "nvarchar4000": return .nvarchar(4000)
        case "nvarcharmax": return .nvarchar(-1)
        case "variant": return SQLType(.variant)
        case "varbinary": return .varbinary(85)
        case "uniqueidentifier": return .uniqueidentifier
        case "float": return .float
        case "real": return .real
        default: return .int
        }
    }

    func rows(_ reader: CatalogReader) throws -> [[SQLValue]] {
        try make(reader).map { row in
            columns.map { column in
                if let value = row[column.name] { return value }
                if column.isNullable { return .null }
                switch column.type.kind {
                case .bit: return .bit(false)
                case .tinyint, .smallint, .int, .bigint: return .int(0)
                case .datetime: return reader.time(reader.session.server.started)
                case .varbinary: return .binary([1])
                case .uniqueidentifier: return .uniqueidentifier(TDSGUID(high: 0, low: 0))
                default: return .string("")
                }
            }
        }
    }
}

/// What catalogue views read from.
struct CatalogReader {
    let environment: Environment
    let context: DatabaseContext
    var session: EngineSession { environment.session }
    var catalog: Catalog { context.catalog }
    var server: SimulatedServer { session.server }

    func text(_ text: String) -> SQLValue { .string(text) }
    func text(_ text: String?) -> SQLValue { text.map { .string($0) } ?? .null }
    func int(_ number: some BinaryInteger) -> SQLValue { .int(Int64(number)) }
    func time(_ seconds: Double) -> SQLValue {
        let parts = DateTimeParts(unix: seconds)
        return (try? Conversion.convert(.datetime2(parts.moment), from: SQLType(.datetime2, scale: 7), to: .datetime)) ?? .null
    }

    /// Tables that the login may see, in order of their ids.
    var tables: [TableDef] {
        catalog.tables.values.filter { Permissions.isVisible(objectID: $0.id, schemaID: $0.schemaID, context, session) }.sorted { $0.id < $1.id }
    }
    var views: [ViewDef] {
        catalog.views.values.filter { Permissions.isVisible(objectID: $0.id, schemaID: $0.schemaID, context, session) }.sorted { $0.id < $1.id }
    }
    func data(_ table: TableDef) -> TableData? { context.data(table.id) }

    /// Columns of a view, by planning it.
    func columns(of view: ViewDef) -> [ResultColumn] {
        let plan = try? QueryPlanner(environment: environment, isInsideView: true).plan(view.query, scope: Scope(parent: nil, collation: context.collation))
        return (plan?.columns ?? []).enumerated().map { index, column in
            var column = column
            if index < view.columns.count { column.name = view.columns[index] }
            return column
        }
    }
}

enum SystemViews {
    static let all: [SystemView] = DatabaseViews.all + ObjectViews.all + ColumnViews.all + TrackingViews.all + PrincipalViews.all + ServerViews.all + InformationSchema.all
    private static let byName: [String: SystemView] = Dictionary(all.map { ("\($0.schema.lowercased()).\($0.name.lowercased())", $0) }) { first, _ in first }

    static func find(schema: String, name: String, _ collation: SQLCollation) -> SystemView? {
        guard let found = byName["\(schema.lowercased()).\(name.lowercased())"] else { return nil }
        return Names.same(found.name, name, collation) ? found : nil
    }
    /// Views of SQL Server 2000 that are found without a schema.
    static func legacy(_ name: String) -> SystemView? {
        ["sysobjects", "sysdatabases", "syscolumns", "sysusers", "systypes", "sysindexes"].contains(name.lowercased()) ? byName["sys.\(name.lowercased())"] : nil
    }
}
