// The catalogue, read in four queries whatever the number of tables.

/// What the catalogue says about the database itself.
public struct DatabaseInfo: Hashable, Sendable {
    /// "16.0.4135.4"; its first number is 10 for SQL Server 2008 and 2008 R2.
    public var productVersion: String
    /// `SERVERPROPERTY('EngineEdition')`: 5 is Azure SQL Database, 8 a managed instance.
    public var engineEdition: Int
    public var name: String
    /// Whether `SNAPSHOT` transactions may be used (`snapshot_isolation_state` 1; 2 and 3 are on the way).
    public var allowsSnapshot: Bool
    /// Whether the database or the replica takes no writes.
    public var isReadOnly: Bool
    public var collation: String?
    /// `nil` if change tracking is off.
    public var retention: Duration?

    public init(
        productVersion: String, engineEdition: Int, name: String, allowsSnapshot: Bool, isReadOnly: Bool, collation: String?, retention: Duration?
    ) {
        self.productVersion = productVersion
        self.engineEdition = engineEdition
        self.name = name
        self.allowsSnapshot = allowsSnapshot
        self.isReadOnly = isReadOnly
        self.collation = collation
        self.retention = retention
    }

    public var isChangeTrackingOn: Bool { retention != nil }

    /// Throws ``SourceError``.
    public static func read(_ session: any CaptureSession) async throws -> DatabaseInfo {
        guard let row = try await session.rows(CatalogQueries.database).first, row.count >= 8 else {
            throw SourceError(message: "the login cannot see the database in sys.databases")
        }
        let period = row[6].integer
        // retention_period_units: 1 minutes, 2 hours, 3 days.
        let unit: Int64 =
            switch row[7].integer {
            case 1: 60
            case 2: 3600
            default: 86400
            }
        return DatabaseInfo(
            productVersion: row[0].text ?? "", engineEdition: Int(row[1].integer ?? 0), name: row[2].text ?? "", allowsSnapshot: row[3].integer == 1,
            isReadOnly: row[4].text?.uppercased() == "READ_ONLY", collation: row[5].text,
            // Without cleanup a period of 0 means for ever; more than a century needs no exact figure.
            retention: period.map { .seconds(min($0, 36500) * unit) })
    }
}

/// The user tables that the login may see.
public struct Catalog: Hashable, Sendable {
    /// In order of schema and name.
    public var tables: [TableInfo]
    private var exact: [TableName: Int] = [:]
    private var folded: [String: Int] = [:]

    public init(tables: [TableInfo]) {
        self.tables = tables.sorted { ($0.name.schema, $0.name.table) < ($1.name.schema, $1.name.table) }
        for (index, table) in self.tables.enumerated() {
            exact[table.name] = index
            folded[table.name.description] = index
        }
    }

    /// The table of that name, spelled exactly so; else, in a database that is not case-sensitive, the one that differs in case.
    public func table(_ name: TableName) -> TableInfo? {
        (exact[name] ?? folded[name.description]).map { tables[$0] }
    }

    /// Throws ``SourceError``.
    public static func read(_ session: any CaptureSession) async throws -> Catalog {
        let tableRows = try await session.rows(CatalogQueries.tables)
        let columns = Self.columns(try await session.rows(CatalogQueries.columns))
        let keyRows = try await session.rows(CatalogQueries.keys)

        var primary: [Int64: [String]] = [:]
        var clustered: [Int64: [String]] = [:]
        for row in keyRows {
            guard row.count >= 6, let table = row[0].integer, let name = row[5].text else { continue }
            if row[3].integer == 1 { primary[table, default: []].append(name) }
            if row[2].integer == 1 { clustered[table, default: []].append(name) }
        }
        return Catalog(
            tables: tableRows.compactMap { row in
                guard row.count >= 4, let id = row[0].integer, let schema = row[1].text, let name = row[2].text else { return nil }
                return TableInfo(
                    name: TableName(schema: schema, table: name), objectID: id, columns: columns[id] ?? [], primaryKey: primary[id] ?? [],
                    clusteredKey: clustered[id] ?? [], beginVersion: row[3].integer)
            })
    }

    /// The columns of some tables, by object_id. Throws ``SourceError``.
    static func columns(of tables: [Int64], _ session: any CaptureSession) async throws -> [Int64: [ColumnInfo]] {
        columns(try await session.rows(CatalogQueries.columns(of: tables)))
    }

    private static func columns(_ rows: [[SourceValue]]) -> [Int64: [ColumnInfo]] {
        var columns: [Int64: [ColumnInfo]] = [:]
        for row in rows {
            guard row.count >= 12, let table = row[0].integer, let ordinal = row[1].integer, let name = row[2].text else { continue }
            let type = ColumnType(
                name: (row[3].text ?? "").lowercased(), maxLength: Int(row[4].integer ?? 0), precision: Int(row[5].integer ?? 0), scale: Int(row[6].integer ?? 0),
                collation: row[7].text)
            columns[table, default: []].append(
                ColumnInfo(
                    name: name, ordinal: Int(ordinal), type: type, isNullable: row[8].integer != 0, isComputed: row[9].integer == 1, isIdentity: row[10].integer == 1,
                    description: row[11].text))
        }
        return columns
    }
}
