import Foundation
import Synchronization

/// A login of the server.
struct LoginDef: Sendable {
    var id: Int32
    var name: String
    var password: String
    var isSysadmin: Bool
    var defaultDatabase: String
}

/// A simulated SQL Server: its databases and logins, shared by all sessions.
public final class SimulatedServer: Sendable {
    public let configuration: SimulatorConfiguration

    struct State: Sendable {
        var databases: [Database] = []
        var logins: [LoginDef] = []
        var nextDatabaseID: Int32 = 1
        var nextLoginID: Int32 = 256
        var nextProcess: UInt16 = 51
        var sessions: [UInt16: SessionInfo] = [:]
        /// Seconds that the clock is ahead (tests).
        var clockOffset: Double = 0
    }
    struct SessionInfo: Sendable {
        var login: String
        var database: String
        var application: String
        var host: String
        var started: Double
    }
    let state = Mutex(State())
    let locks = LockManager()
    let transactionIDs = SharedCounter(1)
    let sequentialIDs = SharedCounter(1_000_000)
    let started: Double
    let collation: SQLCollation

    public init(configuration: SimulatorConfiguration) {
        self.configuration = configuration
        collation = SQLCollation(named: configuration.collation) ?? .default
        started = Date().timeIntervalSince1970
        state.withLock { state in
            for (index, login) in configuration.logins.enumerated() {
                state.logins.append(
                    LoginDef(
                        id: login.name.lowercased() == "sa" ? 1 : Int32(256 + index), name: login.name, password: login.password,
                        isSysadmin: login.role == .sysadmin, defaultDatabase: configuration.databases.first ?? "master"))
            }
            state.nextLoginID = Int32(256 + configuration.logins.count)
        }
        let system = ["master", "tempdb", "model", "msdb"]
        for name in system + configuration.databases where !system.contains(name) || database(named: name) == nil {
            _ = createDatabase(name, collation: nil)
        }
        for name in configuration.databases {
            guard let database = database(named: name) else { continue }
            database.state.withLock { state in
                state.options.snapshotIsolation = configuration.snapshotIsolation
                if configuration.changeTracking, !system.contains(name.lowercased()) { state.options.tracking = TrackingOptions() }
                for (index, login) in configuration.logins.enumerated() where login.role == .reader {
                    let id = Int32(5 + index)
                    state.catalog.principals.append(PrincipalDef(id: id, name: login.name, kind: .user, login: login.name))
                    for permission in ["CONNECT", "SELECT", "VIEW CHANGE TRACKING", "VIEW DATABASE STATE", "VIEW DATABASE PERFORMANCE STATE"] {
                        state.catalog.permissions.insert(PermissionDef(principal: id, permission: permission, scope: .database, isDenied: false))
                    }
                }
            }
        }
    }

    /// Now, in seconds since 1970: the machine's clock and what tests have advanced it by.
    public var now: Double { Date().timeIntervalSince1970 + state.withLock { $0.clockOffset } }

    var versionNumbers: String { configuration.version.map(String.init).joined(separator: ".") }
    var versionText: String {
        let names = [10: "2008", 11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"]
        let name = names[configuration.version.first ?? 16] ?? "2022"
        return "Microsoft SQL Server \(name) (RTM) - \(versionNumbers) (X64) \n\tSimulator\n\tDeveloper Edition (64-bit) on Linux <X64>"
    }

    // MARK: Databases

    func database(named name: String) -> Database? {
        state.withLock { state in state.databases.first { Names.same($0.name, name, collation) } }
    }
    func database(id: Int32) -> Database? { state.withLock { $0.databases.first { $0.id == id } } }
    var databases: [Database] { state.withLock { $0.databases } }

    /// nil if there is one of that name.
    func createDatabase(_ name: String, collation given: SQLCollation?) -> Database? {
        let time = now
        return state.withLock { state in
            if state.databases.contains(where: { Names.same($0.name, name, collation) }) { return nil }
            let options = DatabaseOptions(collation: given ?? collation)
            let database = Database(id: state.nextDatabaseID, name: name, created: time, options: options)
            state.nextDatabaseID += 1
            state.databases.append(database)
            return database
        }
    }
    func dropDatabase(_ database: Database) { state.withLock { state in state.databases.removeAll { $0 === database } } }

    // MARK: Sessions

    /// Opens a session. Throws message 18456 (wrong name or password) or 4060 (database can't be opened), as at a real login.
    /// The session's first events (database and language changes, messages 5701 and 5703) come from `EngineSession.loginEvents`.
    public func login(
        user: String, password: String, database: String?, applicationName: String = "", hostName: String = ""
    ) throws(SQLServerMessage) -> EngineSession {
        guard let login = state.withLock({ state in state.logins.first { $0.name.lowercased() == user.lowercased() } }), login.password == password else {
            throw named(Messages.loginFailed(user))
        }
        let wanted = database.flatMap { $0.isEmpty ? nil : $0 } ?? login.defaultDatabase
        guard let target = self.database(named: wanted), Permissions.canConnect(login, target) else { throw named(Messages.cannotOpen(wanted)) }
        return open(login: login, database: target, applicationName: applicationName, hostName: hostName)
    }

    private func named(_ message: SQLServerMessage) -> SQLServerMessage {
        var message = message
        message.server = configuration.serverName
        message.line = 1
        return message
    }

    private func open(login: LoginDef, database: Database, applicationName: String, hostName: String) -> EngineSession {
        let info = SessionInfo(login: login.name, database: database.name, application: applicationName, host: hostName, started: now)
        let process = state.withLock { state in
            var process = state.nextProcess
            while state.sessions[process] != nil { process = process == UInt16.max ? 51 : process + 1 }
            state.nextProcess = process == UInt16.max ? 51 : process + 1
            state.sessions[process] = info
            return process
        }
        return EngineSession(server: self, login: login, database: database, processID: process, applicationName: applicationName, hostName: hostName)
    }
    func sessionEnded(_ process: UInt16) { state.withLock { $0.sessions[process] = nil } }

    /// Runs a script, its batches separated by lines that hold only `GO`, as a sysadmin in the default database. Throws the first error.
    public func runScript(_ sql: String) throws {
        let name = configuration.databases.first ?? "master"
        guard let database = database(named: name) else { throw Messages.noDatabase(name) }
        let session = open(
            login: LoginDef(id: 1, name: "sa", password: "", isSysadmin: true, defaultDatabase: name), database: database, applicationName: "script", hostName: "")
        defer { session.close() }
        for batch in SimulatedServer.batches(sql) {
            var cursor = session.batch(batch)
            var failure: SQLServerMessage?
            while let event = cursor.next() {
                if case .message(let message) = event, message.isError, failure == nil { failure = message }
            }
            if let failure { throw failure }
        }
    }

    /// Splits at lines that hold only GO.
    static func batches(_ sql: String) -> [String] {
        var batches: [String] = []
        var current = ""
        for line in sql.split(separator: "\n", omittingEmptySubsequences: false) {
            let trimmed = line.trimmingCharacters(in: .whitespaces.union(.newlines))
            if trimmed.uppercased() == "GO" {
                batches.append(current)
                current = ""
            } else {
                current += line
                current += "\n"
            }
        }
        batches.append(current)
        return batches.filter { !$0.allSatisfy(\.isWhitespace) }
    }
}
