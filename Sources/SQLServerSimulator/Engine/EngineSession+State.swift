import Synchronization
import Foundation
import NIOCore

/// One connection: current database, SET options, transaction, isolation level. For one thread at a time.
public final class EngineSession {
    public let server: SimulatedServer
    public let cancellation = CancellationFlag()
    /// `@@SPID`.
    public let processID: UInt16
    let login: LoginDef
    let applicationName: String
    let hostName: String
    let started: Double

    var database: Database
    private let loginDatabase: Database
    /// Temporary tables and table variables.
    let privateDatabase: Database
    var settings = SessionSettings()
    var isolation = IsolationLevel.readCommitted

    /// The transaction that BEGIN TRANSACTION began.
    var transaction: Transaction?
    var transactionDepth = 0
    /// Of a statement outside any transaction.
    private var statementTransaction: Transaction?

    var rowCount: UInt64 = 0
    var lastError: Int32 = 0
    var lastIdentity = SQLValue.null
    var scopeIdentity = SQLValue.null
    var nestLevel = 0
    /// Events to be sent before what comes next.
    var pending: [EngineEvent] = []
    var contextInfo: [UInt8] = []

    init(server: SimulatedServer, login: LoginDef, database: Database, processID: UInt16, applicationName: String, hostName: String) {
        self.server = server
        self.login = login
        self.database = database
        loginDatabase = database
        self.processID = processID
        self.applicationName = applicationName
        self.hostName = hostName
        started = server.now
        privateDatabase = Database(id: 2, name: "tempdb", created: server.now, isPrivate: true, options: DatabaseOptions(collation: server.collation))
    }

    /// 0 where no transaction is open.
    public var transactionDescriptor: UInt64 { transaction?.id ?? 0 }

    /// The current database's collation.
    var collation: SQLCollation { database.state.withLock { $0.options.collation } }

    /// What the login response tells: database and language (ENVCHANGE and messages 5701, 5703).
    public var loginEvents: [EngineEvent] {
        [
            .environment(.database(new: database.name, old: "master")),
            .message(info(5701, state: 2, "Changed database context to '\(database.name)'.")),
            .environment(.language(new: "us_english", old: "")),
            .message(info(5703, state: 1, "Changed language setting to us_english.")),
        ]
    }
    func info(_ number: Int32, state: UInt8, _ text: String) -> SQLServerMessage {
        SQLServerMessage(number: number, state: state, severity: number == 0 ? 0 : 10, text: text, server: server.configuration.serverName, line: 1)
    }

    // MARK: Transactions

    var current: Transaction {
        if let transaction { return transaction }
        if let statementTransaction { return statementTransaction }
        let new = Transaction(server: server, id: UInt64(server.transactionIDs.take()), isSnapshot: isolation == .snapshot)
        statementTransaction = new
        return new
    }
    func context(_ database: Database) throws -> DatabaseContext { try current.context(database) }

    var waiter: LockManager.Waiter {
        LockManager.Waiter(transaction: current.id, process: processID, timeout: settings.lockTimeout, cancellation: cancellation)
    }

    /// A statement begins: outside a transaction it gets one of its own.
    func beginStatement() { (transaction ?? statementTransaction)?.beginStatement() }
    /// It is done: outside a transaction its work is committed.
    func endStatement() {
        guard let own = statementTransaction else { return }
        statementTransaction = nil
        own.commit()
    }
    /// It failed outside a transaction.
    func abandonStatement() {
        guard let own = statementTransaction else { return }
        statementTransaction = nil
        own.rollback()
    }
    /// A row had changed under it: it runs again, on what is committed now, with the locks that it has.
    func restartStatement() {
        statementTransaction?.roll(back: [:])
    }
    var isInStatementTransaction: Bool { statementTransaction != nil }

    func begin(name: String?) {
        if transaction != nil {
            transactionDepth += 1
            return
        }
        let new = Transaction(server: server, id: UInt64(server.transactionIDs.take()), isSnapshot: isolation == .snapshot)
        new.name = name
        transaction = new
        transactionDepth = 1
        pending.append(.environment(.beginTransaction(new.id)))
    }
    func commit() throws {
        guard let open = transaction else { throw Messages.commitWithout }
        if open.isDoomed { throw Messages.doomed }
        transactionDepth -= 1
        if transactionDepth > 0 { return }
        transaction = nil
        let id = open.id
        open.commit()
        pending.append(.environment(.commitTransaction(id)))
    }
    func rollback(to name: String?) throws {
        guard let open = transaction else { throw Messages.rollbackWithout }
        if let name, open.name.map({ !Names.same($0, name, .default) }) ?? true {
            guard let index = open.savepoints.lastIndex(where: { Names.same($0.name, name, .default) }) else { throw Messages.noSavepoint(name) }
            if open.isDoomed { throw Messages.doomed }
            open.roll(back: open.savepoints[index].marks)
            open.savepoints.removeSubrange((index + 1)...)
            return
        }
        rollbackAll()
    }
    func rollbackAll() {
        guard let open = transaction else { return }
        transaction = nil
        transactionDepth = 0
        let id = open.id
        open.rollback()
        pending.append(.environment(.rollbackTransaction(id)))
    }
    func save(_ name: String) throws {
        guard let open = transaction else { throw Messages.saveWithout }
        open.savepoints.append((name, open.marks))
    }

    /// Changes the current database, with the events that tell the client.
    func use(_ database: Database) {
        let old = self.database.name
        self.database = database
        pending.append(.environment(.database(new: database.name, old: old)))
        pending.append(.message(info(5701, state: 1, "Changed database context to '\(database.name)'.")))
    }

    // MARK: Requests

    /// Runs a SQL batch.
    public func batch(_ sql: String) -> Cursor {
        cancellation.reset()
        return Cursor(BatchRun(session: self, sql: sql, environment: Environment(session: self)))
    }

    /// Runs `sp_executesql`. `parameterDeclarations` is as in `N'@p1 int, @p2 nvarchar(10) output'`.
    public func executeSQL(_ sql: String, parameterDeclarations: String, parameters: [EngineParameter]) -> Cursor {
        cancellation.reset()
        let environment = Environment(session: self)
        do {
            let outputs = try ParameterBinding.bind(parameterDeclarations, parameters, environment)
            return Cursor(BatchRun(session: self, sql: sql, environment: environment, outputs: outputs, isProcedure: true))
        } catch {
            return Cursor(BatchRun(session: self, failure: error))
        }
    }

    /// Inserts rows of a bulk load. `table` and `columns` are as INSERT BULK names them, with their marks.
    func insert(_ rows: [[SQLValue]], types: [SQLType], into table: String, columns: [String]) -> Cursor {
        cancellation.reset()
        do {
            var parser = Parser(table, quotedIdentifiers: settings.quotedIdentifier)
            let target = DMLTarget.name(try parser.objectName())
            let names = try columns.map { name throws in
                var parser = Parser(name, quotedIdentifiers: settings.quotedIdentifier)
                return try parser.objectName().name
            }
            let statement = InsertStatement(target: target, columns: names, source: .rows(rows, types: types))
            return Cursor(BatchRun(session: self, statements: [Statement(.insert(statement), line: 1)], environment: Environment(session: self)))
        } catch {
            return Cursor(BatchRun(session: self, failure: error))
        }
    }

    /// What `sp_reset_connection` does: rolls back, drops temporary tables and SET options, goes back to the login's database. The
    /// isolation level goes back to READ COMMITTED, as since SQL Server 2014.
    public func reset(keepingTransaction: Bool = false) {
        if !keepingTransaction { rollbackAll() }
        abandonStatement()
        settings = SessionSettings()
        isolation = .readCommitted
        database = loginDatabase
        contextInfo = []
        lastError = 0
        privateDatabase.state.withLock { state in
            let options = state.options
            state = DatabaseState(options: options)
            state.catalog = Catalog.initial()
        }
        pending = []
    }

    /// Transaction manager requests. Isolation level: 0 unchanged, 1 read uncommitted ... 5 snapshot (MS-TDS 2.2.6.9).
    public func beginTransaction(isolationLevel: UInt8 = 0, name: String = "") -> Cursor {
        request {
            if let level = IsolationLevel(rawValue: isolationLevel) { isolation = level }
            begin(name: name.isEmpty ? nil : name)
        }
    }
    public func commitTransaction(name: String = "") -> Cursor { request { try commit() } }
    public func rollbackTransaction(name: String = "") -> Cursor { request { try rollback(to: name.isEmpty ? nil : name) } }
    public func saveTransaction(name: String) -> Cursor { request { try save(name) } }

    private func request(_ body: () throws -> Void) -> Cursor {
        cancellation.reset()
        do {
            try body()
            return Cursor(BatchRun(session: self, failure: nil))
        } catch { return Cursor(BatchRun(session: self, failure: error)) }
    }

    /// Rolls back and releases what the connection holds; called when it ends.
    public func close() {
        rollbackAll()
        abandonStatement()
        server.sessionEnded(processID)
    }
    deinit {
        transaction?.rollback()
        statementTransaction?.rollback()
        server.sessionEnded(processID)
    }
}
