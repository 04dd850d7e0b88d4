import Synchronization

/// A number that goes up, shared by a table's versions: identity values and row numbers aren't given back by a rollback.
final class SharedCounter: Sendable {
    private let value: Atomic<Int64>
    init(_ start: Int64) { value = Atomic(start) }
    /// Adds and returns the value before.
    func take(_ amount: Int64 = 1) -> Int64 { value.wrappingAdd(amount, ordering: .relaxed).oldValue }
    var current: Int64 { value.load(ordering: .relaxed) }
    func set(_ new: Int64) { value.store(new, ordering: .relaxed) }
    /// Sets it if the new value is higher (or lower, for descending counters).
    func raise(to new: Int64, descending: Bool = false) {
        var old = value.load(ordering: .relaxed)
        while descending ? new < old : new > old {
            let (done, original) = value.compareExchange(expected: old, desired: new, ordering: .relaxed)
            if done { return }
            old = original
        }
    }
}

/// A table's content at one moment.
struct TableData: Sendable {
    /// Changes with every commit to the table.
    var version: UInt64
    var rows = TableTree()
    /// Nonclustered indexes by id: key is the index's columns and then the row's clustering key; the "row" is the clustering key.
    var indexes: [Int32: TableTree] = [:]
    var tracking: TrackedTable?
    /// Last identity value given out; nil while none was.
    var identity: SharedCounter
    /// Whether `identity` has given out a value.
    var identityUsed: SharedCounter
    var rowNumbers: SharedCounter

    init(version: UInt64) {
        self.version = version
        identity = SharedCounter(0)
        identityUsed = SharedCounter(0)
        rowNumbers = SharedCounter(1)
    }
}

/// Names, tables, views, principals: everything of a database but the rows.
struct Catalog: Sendable {
    var schemas: [SchemaDef] = []
    var tables: [Int32: TableDef] = [:]
    var views: [Int32: ViewDef] = [:]
    var principals: [PrincipalDef] = []
    var permissions: Set<PermissionDef> = []
    var properties: [ExtendedProperty] = []
    /// Object by `schema_id` and folded name.
    var names: [String: Int32] = [:]
    /// Grows with every change of the catalogue.
    var version: UInt64 = 0
}

struct DatabaseOptions: Sendable {
    var collation: SQLCollation
    var snapshotIsolation = false
    var readCommittedSnapshot = false
    var isReadOnly = false
    var compatibilityLevel = 160
    var recoveryModel = "SIMPLE"
    /// nil: change tracking is off.
    var tracking: TrackingOptions?
    /// Options that are only remembered.
    var others: [String: String] = [:]
}

/// A database at one moment. Copying it is taking a snapshot.
struct DatabaseState: Sendable {
    var catalog = Catalog()
    var tables: [Int32: TableData] = [:]
    var options: DatabaseOptions
    /// Last commit's change tracking version.
    var trackingVersion: Int64 = 0
    var commits = CommitLog()
    /// Number of this state: grows with every commit.
    var sequence: UInt64 = 0
}

/// A database: its current state, behind a lock that is only held to copy or replace it.
final class Database: Sendable {
    let id: Int32
    let name: String
    let created: Double
    /// Of the session (temporary tables and table variables), not of the server.
    let isPrivate: Bool
    let state: Mutex<DatabaseState>
    let rowversion = SharedCounter(2000)
    let objectIDs: SharedCounter

    init(id: Int32, name: String, created: Double, isPrivate: Bool = false, options: DatabaseOptions) {
        self.id = id
        self.name = name
        self.created = created
        self.isPrivate = isPrivate
        objectIDs = SharedCounter(901_578_250)
        var state = DatabaseState(options: options)
        state.catalog = Catalog.initial()
        self.state = Mutex(state)
    }

    /// Committed state now.
    var current: DatabaseState { state.withLock { $0 } }

    /// Object ids look like a real server's: they step by a number that leaves gaps.
    func newObjectID() -> Int32 {
        let step = objectIDs.take(16_000_057)
        return Int32(truncatingIfNeeded: step % 2_147_483_000)
    }
}

extension Catalog {
    static func nameKey(_ schema: Int32, _ name: String, _ collation: SQLCollation) -> String { "\(schema).\(Names.fold(name, collation))" }

    static func initial() -> Catalog {
        var catalog = Catalog()
        catalog.schemas = [
            SchemaDef(id: 1, name: "dbo", owner: 1), SchemaDef(id: 2, name: "guest", owner: 2),
            SchemaDef(id: 3, name: "INFORMATION_SCHEMA", owner: 3), SchemaDef(id: 4, name: "sys", owner: 4),
        ]
        let roles = [
            "db_owner", "db_accessadmin", "db_securityadmin", "db_ddladmin", "db_backupoperator", "db_datareader", "db_datawriter",
            "db_denydatareader", "db_denydatawriter",
        ]
        for (index, role) in roles.enumerated() {
            let number = Int32(16384 + (index < 5 ? index : index + 1))
            catalog.schemas.append(SchemaDef(id: number, name: role, owner: number))
            catalog.principals.append(PrincipalDef(id: number, name: role, kind: .role, isFixedRole: true))
        }
        catalog.principals += [
            PrincipalDef(id: 0, name: "public", kind: .role), PrincipalDef(id: 1, name: "dbo", kind: .user, login: "sa"),
            PrincipalDef(id: 2, name: "guest", kind: .user), PrincipalDef(id: 3, name: "INFORMATION_SCHEMA", kind: .user),
            PrincipalDef(id: 4, name: "sys", kind: .user),
        ]
        return catalog
    }

    func schema(named name: String, _ collation: SQLCollation) -> SchemaDef? { schemas.first { Names.same($0.name, name, collation) } }
    func schemaName(_ id: Int32) -> String { schemas.first { $0.id == id }?.name ?? "" }
    func objectID(schema: Int32, name: String, _ collation: SQLCollation) -> Int32? {
        names[Catalog.nameKey(schema, name, collation)]
    }
}
