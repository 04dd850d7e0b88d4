// What must be true before a capture can run. Every failing check is one line of one error.

/// Everything that keeps the capture from running.
public struct PrerequisiteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// How many lines are shown.
    static let limit = 20

    /// One line a failing check.
    public let problems: [String]

    public init(_ problems: [String]) { self.problems = problems }

    public var description: String {
        var lines = ["the capture cannot run due to the following error(s):"] + problems.prefix(Self.limit).map { " - \($0)" }
        if problems.count > Self.limit { lines.append(" - and \(problems.count - Self.limit) more") }
        return lines.joined(separator: "\n")
    }
}

/// One check and how it came out, for `connector check`.
public struct PrerequisiteCheck: Hashable, Sendable {
    public var name: String
    /// `nil` if all is well.
    public var problem: String?
    /// What a person can do about it.
    public var remedy: String?
    /// Something that the check did, or worth knowing.
    public var note: String?
}

public enum Prerequisites {
    /// Checks the database and `tables`, turning change tracking on where it is off and the login may. Returns every check's outcome.
    ///
    /// Throws ``SourceError`` only if the server can no longer be asked.
    public static func check(_ session: any CaptureSession, tables: [ResourceConfiguration]) async throws -> [PrerequisiteCheck] {
        var checks: [PrerequisiteCheck] = []
        var database = try await DatabaseInfo.read(session)
        checks.append(PrerequisiteCheck(name: "connect and see the database", note: "SQL Server \(database.productVersion), database \"\(database.name)\""))

        var writable = PrerequisiteCheck(name: "the database takes writes")
        if database.isReadOnly {
            writable.problem = "the database \"\(database.name)\" is read-only, or a read-only replica: its change tracking cannot be used"
            writable.remedy = "connect to the primary replica"
        }
        checks.append(writable)

        var tracking = PrerequisiteCheck(name: "change tracking of the database")
        if !database.isChangeTrackingOn {
            let statement = CatalogQueries.enableChangeTracking(database: database.name)
            var reason = ""
            if !database.isReadOnly {
                do {
                    try await session.execute(statement)
                    database = try await DatabaseInfo.read(session)
                    tracking.note = "turned on"
                } catch let error as SourceError where !error.connectionLost { reason = ": \(error.message)" }
            }
            if !database.isChangeTrackingOn {
                tracking.problem = "change tracking is not enabled for the database \"\(database.name)\" and could not be turned on\(reason)"
                tracking.remedy = statement
            }
        }
        checks.append(tracking)
        if !database.allowsSnapshot {
            checks.append(
                PrerequisiteCheck(
                    name: "snapshot isolation", note: "off: every poll is checked again after reading; ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON makes it one consistent read"))
        }

        let catalog = try await Catalog.read(session)
        for resource in tables { checks.append(try await check(session, resource, catalog, isTrackingOn: database.isChangeTrackingOn)) }
        return checks
    }

    /// Throws ``PrerequisiteError`` if a check fails.
    public static func require(_ session: any CaptureSession, tables: [ResourceConfiguration]) async throws {
        let problems = try await check(session, tables: tables).compactMap(\.problem)
        guard problems.isEmpty else { throw PrerequisiteError(problems) }
    }

    private static func check(
        _ session: any CaptureSession, _ resource: ResourceConfiguration, _ catalog: Catalog, isTrackingOn: Bool
    ) async throws -> PrerequisiteCheck {
        let name = resource.table
        var check = PrerequisiteCheck(name: "table \(name)")
        guard let table = catalog.table(name) else {
            check.problem = "table \"\(name)\" does not exist"
            check.remedy = "disable the binding, or let the login see the table: GRANT SELECT ON \(SQLText.table(name)) TO …"
            return check
        }
        guard !table.primaryKey.isEmpty else {
            check.problem = "table \"\(name)\" has no primary key, which change tracking needs"
            check.remedy = "add a primary key"
            return check
        }
        if let problem = keyMismatch(resource, table) {
            check.problem = "table \"\(name)\": \(problem)"
            check.remedy = "configure no key, or the primary key"
            return check
        }
        // Without change tracking of the database no table can have it: that is one problem, not one a table.
        if !table.isTracked, isTrackingOn {
            let statement = CatalogQueries.enableChangeTracking(table: table.name)
            do {
                try await session.execute(statement)
                check.note = "change tracking turned on"
            } catch let error as SourceError where !error.connectionLost {
                check.problem = "change tracking is not enabled for table \"\(name)\" and could not be turned on: \(error.message)"
                check.remedy = statement
                return check
            }
        }
        do {
            // Reads nothing, but needs every permission that the capture needs.
            let text = "SELECT TOP (0) * FROM \(SQLText.table(table.name))"
            _ = try await session.rows(text)
            if table.isTracked { _ = try await session.rows("SELECT TOP (0) * FROM CHANGETABLE(CHANGES \(SQLText.table(table.name)), 0) AS ct") }
        } catch let error as SourceError where !error.connectionLost && !error.isTransient {
            check.problem = "table \"\(name)\" cannot be read: \(error.message)"
            check.remedy = "GRANT SELECT, VIEW CHANGE TRACKING ON \(SQLText.table(table.name)) TO …"
        }
        return check
    }

    /// What is wrong with the configured key, if anything.
    public static func keyMismatch(_ resource: ResourceConfiguration, _ table: TableInfo) -> String? {
        let configured = resource.mode == .withoutPrimaryKey ? [] : resource.primaryKey ?? table.primaryKey
        guard configured != table.primaryKey else { return nil }
        func list(_ columns: [String]) -> String { "[\(columns.map { "\"\($0)\"" }.joined(separator: " "))]" }
        return "configured primary key \(list(configured)) does not match the table's current primary key \(list(table.primaryKey)); Change Tracking requires matching keys"
    }
}
