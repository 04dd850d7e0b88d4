// The catalogue queries. Only views and functions of SQL Server 2008, all readable with SELECT on the tables and VIEW CHANGE TRACKING;
// names in lower case, as they are in a case-sensitive database.

/// The texts that read the catalogue, with their columns in the order that ``CatalogReader`` expects.
public enum CatalogQueries {
    /// One row about the server and the current database. `DB_NAME()` finds the database: on Azure SQL Database `DB_ID()` need not be
    /// the `database_id` of sys.databases.
    public static let database = """
        SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version,
            CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition,
            DB_NAME() AS database_name,
            CAST(d.snapshot_isolation_state AS int) AS snapshot_isolation_state,
            CAST(DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS nvarchar(128)) AS updateability,
            CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128)) AS collation_name,
            CAST(ct.retention_period AS int) AS retention_period,
            CAST(ct.retention_period_units AS int) AS retention_period_units
        FROM sys.databases AS d
        LEFT JOIN sys.change_tracking_databases AS ct ON ct.database_id = DB_ID()
        WHERE d.name = DB_NAME()
        """

    /// One row a table that the login may see.
    public static let tables = """
        SELECT t.object_id, s.name AS schema_name, t.name AS table_name, ct.begin_version
        FROM sys.tables AS t
        JOIN sys.schemas AS s ON s.schema_id = t.schema_id
        LEFT JOIN sys.change_tracking_tables AS ct ON ct.object_id = t.object_id
        WHERE t.is_ms_shipped = 0
        ORDER BY t.object_id
        """

    /// One row a column, in order of the tables and their columns. An alias type's base is the type whose user_type_id is the column's
    /// system_type_id; a CLR type has none and is its own.
    public static let columns = columns(where: "")

    /// The columns of some tables only: read with every poll that found changes, so that a new column is captured from its first change on.
    public static func columns(of tables: [Int64]) -> String {
        columns(where: " AND t.object_id IN (\(tables.map { String($0) }.joined(separator: ", ")))")
    }

    private static func columns(where condition: String) -> String {
        """
        SELECT c.object_id, c.column_id, c.name AS column_name, COALESCE(b.name, u.name) AS type_name,
            c.max_length, c.[precision], c.scale, c.collation_name, c.is_nullable, c.is_computed, c.is_identity,
            CAST(p.value AS nvarchar(3750)) AS column_description
        FROM sys.tables AS t
        JOIN sys.columns AS c ON c.object_id = t.object_id
        JOIN sys.types AS u ON u.user_type_id = c.user_type_id
        LEFT JOIN sys.types AS b ON b.user_type_id = c.system_type_id
        LEFT JOIN sys.extended_properties AS p ON p.class = 1 AND p.major_id = c.object_id AND p.minor_id = c.column_id AND p.name = N'MS_Description'
        WHERE t.is_ms_shipped = 0\(condition)
        ORDER BY c.object_id, c.column_id
        """
    }

    /// One row a column of a primary key or of a unique clustered index (type 1), in key order.
    public static let keys = """
        SELECT i.object_id, i.index_id, i.type, i.is_primary_key, k.key_ordinal, c.name AS column_name
        FROM sys.tables AS t
        JOIN sys.indexes AS i ON i.object_id = t.object_id
        JOIN sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id
        JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
        WHERE t.is_ms_shipped = 0 AND i.is_unique = 1 AND (i.is_primary_key = 1 OR i.type = 1) AND k.key_ordinal > 0
        ORDER BY i.object_id, i.index_id, k.key_ordinal
        """

    /// One row a tracked table: what tells whether its changes since a version are all still there.
    /// `CHANGE_TRACKING_MIN_VALID_VERSION` is NULL where the login may not see the table's changes.
    public static let trackedTables = """
        SELECT t.object_id, s.name AS schema_name, t.name AS table_name, ct.begin_version, CHANGE_TRACKING_MIN_VALID_VERSION(ct.object_id) AS min_valid_version
        FROM sys.change_tracking_tables AS ct
        JOIN sys.tables AS t ON t.object_id = ct.object_id
        JOIN sys.schemas AS s ON s.schema_id = t.schema_id
        """

    /// One row a table: about how many rows it has, for progress only.
    public static let rowCounts = """
        SELECT p.object_id, SUM(p.rows) AS row_count FROM sys.partitions AS p WHERE p.index_id IN (0, 1) GROUP BY p.object_id
        """

    /// One row, one column: how many transactions are open. An error may have ended the one that the session was in.
    public static let openTransactions = "SELECT @@TRANCOUNT AS open_transactions"

    /// One row, one column: the version of the last committed change; NULL if change tracking is off.
    public static let currentVersion = "SELECT CHANGE_TRACKING_CURRENT_VERSION() AS current_version"

    /// Turns change tracking on for the current database, as the existing connector does.
    public static func enableChangeTracking(database: String) -> String {
        "ALTER DATABASE \(SQLText.identifier(database)) SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON)"
    }

    /// Turns change tracking on for a table.
    public static func enableChangeTracking(table: TableName) -> String {
        "ALTER TABLE \(SQLText.table(table)) ENABLE CHANGE_TRACKING"
    }

    /// Begins a transaction that sees one moment of the database.
    public static let beginSnapshot = "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION"

    /// Ends it, and returns to the level that a session starts with.
    public static let endSnapshot = "COMMIT TRANSACTION; SET TRANSACTION ISOLATION LEVEL READ COMMITTED"

    /// Ends it after an error; the transaction may be gone already.
    public static let abandonSnapshot = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION; SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
}
