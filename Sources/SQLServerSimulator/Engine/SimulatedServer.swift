import NIOCore
import Synchronization

/// A simulated SQL Server: its databases and logins, shared by all sessions.
public final class SimulatedServer: Sendable {
    public let configuration: SimulatorConfiguration

    public init(configuration: SimulatorConfiguration) {
        self.configuration = configuration
    }

    /// Opens a session. Throws message 18456 (wrong name or password) or 4060 (database can't be opened), as at a real login.
    /// The session's first events (database and language changes, messages 5701 and 5703) come from `EngineSession.loginEvents`.
    public func login(
        user: String, password: String, database: String?, applicationName: String = "", hostName: String = ""
    ) throws(SQLServerMessage) -> EngineSession {
        EngineSession(server: self)
    }

    /// Runs a script, its batches separated by lines that hold only `GO`, as a sysadmin in the default database. Throws the first error.
    public func runScript(_ sql: String) throws {
    }
}
/// One connection: current database, SET options, transaction, isolation level. For one thread at a time.
public final class EngineSession {
    public let server: SimulatedServer
    public let cancellation = CancellationFlag()
    /// `@@SPID`.
    public internal(set) var processID: UInt16 = 51
    /// 0 where no transaction is open.
    public internal(set) var transactionDescriptor: UInt64 = 0

    init(server: SimulatedServer) { self.server = server }

    /// What the login response tells: database and language (ENVCHANGE and messages 5701, 5703).
    public var loginEvents: [EngineEvent] { [] }

    /// Runs a SQL batch.
    public func batch(_ sql: String) -> Cursor { Cursor(BatchRun()) }

    /// Runs `sp_executesql`. `parameterDeclarations` is as in `N'@p1 int, @p2 nvarchar(10) output'`.
    public func executeSQL(_ sql: String, parameterDeclarations: String, parameters: [EngineParameter]) -> Cursor { Cursor(BatchRun()) }

    /// What `sp_reset_connection` does: rolls back, drops SET options; keeps the login's database. The isolation level stays, as on real
    /// servers before compatibility level changes.
    public func reset(keepingTransaction: Bool = false) {}

    /// Transaction manager requests. Isolation level: 0 unchanged, 1 read uncommitted ... 5 snapshot (MS-TDS 2.2.6.9).
    public func beginTransaction(isolationLevel: UInt8 = 0, name: String = "") -> Cursor { Cursor(BatchRun()) }
    public func commitTransaction(name: String = "") -> Cursor { Cursor(BatchRun()) }
    public func rollbackTransaction(name: String = "") -> Cursor { Cursor(BatchRun()) }
    public func saveTransaction(name: String) -> Cursor { Cursor(BatchRun()) }

    /// Rolls back and releases what the connection holds; called when it ends.
    public func close() {}
}
final class BatchRun {
    func next() -> EngineEvent? { nil }
    func appendRows(to buffer: inout ByteBuffer, limit: Int) -> Int { 0 }
}
