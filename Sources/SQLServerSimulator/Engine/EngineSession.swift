import NIOCore
import Synchronization

// The contract between the engine and the network front-end.

/// What a simulated server starts with.
public struct SimulatorConfiguration: Sendable {
    public enum Role: String, Sendable { case sysadmin, reader }
    public struct Login: Sendable {
        public var name: String
        public var password: String
        public var role: Role
        public init(name: String, password: String, role: Role) {
            self.name = name
            self.password = password
            self.role = role
        }
    }

    /// User databases beside master; the first is every login's default database.
    public var databases: [String]
    public var logins: [Login]
    /// Name of the server's and the databases' collation.
    public var collation: String
    public var serverName: String
    /// Major, minor, build, revision.
    public var version: [Int]
    /// Whether the databases start with change tracking on (2 days, automatic clean-up).
    public var changeTracking: Bool
    /// Whether the databases start with ALLOW_SNAPSHOT_ISOLATION on.
    public var snapshotIsolation: Bool

    public init(
        databases: [String] = ["test"], logins: [Login] = [], collation: String = "SQL_Latin1_General_CP1_CI_AS", serverName: String = "simulator",
        version: [Int] = [16, 0, 4165, 4], changeTracking: Bool = true, snapshotIsolation: Bool = true
    ) {
        self.databases = databases
        self.logins = logins
        self.collation = collation
        self.serverName = serverName
        self.version = version
        self.changeTracking = changeTracking
        self.snapshotIsolation = snapshotIsolation
    }
}

/// Stops what a session is doing, from any thread: the attention signal. The batch ends with no further event.
public final class CancellationFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    public init() {}
    public func cancel() { flag.store(true, ordering: .releasing) }
    public func reset() { flag.store(false, ordering: .releasing) }
    public var isCancelled: Bool { flag.load(ordering: .acquiring) }
}

/// A parameter of `sp_executesql`.
public struct EngineParameter: Sendable {
    /// With its `@`; nil for a parameter that is matched by position.
    public var name: String?
    public var type: SQLType
    public var value: SQLValue
    public var isOutput: Bool
    public init(name: String?, type: SQLType, value: SQLValue, isOutput: Bool = false) {
        self.name = name
        self.type = type
        self.value = value
        self.isOutput = isOutput
    }
}

/// A column of a result. It goes out in the fixed-length wire type if it isn't nullable and `type.hasFixedForm`, else in the
/// nullable one; `Cursor.appendRows` encodes rows by the same rule.
public struct ResultColumn: Sendable, Hashable {
    public var name: String
    public var type: SQLType
    public var isNullable: Bool
    public var isIdentity: Bool
    public var isComputed: Bool
    /// Part of the table's name for text, ntext and image columns, whose COLMETADATA holds it.
    public var tableName: [String]
    public init(
        name: String, type: SQLType, isNullable: Bool = true, isIdentity: Bool = false, isComputed: Bool = false, tableName: [String] = []
    ) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.isIdentity = isIdentity
        self.isComputed = isComputed
        self.tableName = tableName
    }
}

/// A statement's end.
public struct StatementCompletion: Sendable, Hashable {
    /// Values of the DONE token's CurCmd.
    public enum Command {
        public static let select: UInt16 = 0xC1
        public static let insert: UInt16 = 0xC3
        public static let delete: UInt16 = 0xC4
        public static let update: UInt16 = 0xC5
        public static let merge: UInt16 = 0x117
        public static let other: UInt16 = 0xC6
    }
    /// Rows affected or returned; nil where DONE_COUNT isn't set.
    public var rowCount: UInt64?
    public var command: UInt16
    public var isError: Bool
    public init(rowCount: UInt64?, command: UInt16, isError: Bool = false) {
        self.rowCount = rowCount
        self.command = command
        self.isError = isError
    }
}

/// What the client is told of a changed session, as ENVCHANGE tokens.
public enum EnvironmentChange: Sendable, Hashable {
    case database(new: String, old: String)
    case language(new: String, old: String)
    case beginTransaction(UInt64)
    case commitTransaction(UInt64)
    case rollbackTransaction(UInt64)
    /// After `EngineSession.reset`.
    case resetAcknowledged
}

public enum EngineEvent: Sendable {
    /// A result begins.
    case columns([ResultColumn])
    case row([SQLValue])
    /// A statement ended. The front-end keeps it back until it knows whether another event follows (DONE_MORE); a batch that ends
    /// without one still needs a final DONE.
    case done(StatementCompletion)
    case message(SQLServerMessage)
    case environment(EnvironmentChange)
    case returnStatus(Int32)
    case outputParameter(name: String, ordinal: Int, type: SQLType, value: SQLValue)
}

/// The answer to a request, computed step by step as it is asked for. Not for use by two threads.
public struct Cursor {
    let run: BatchRun
    init(_ run: BatchRun) { self.run = run }

    /// The next event; nil at the end. May block (locks, WAITFOR), so not for an event loop.
    public mutating func next() -> EngineEvent? { run.next() }

    /// After `.columns`: by which of its columns, from 1, the result is sorted (ORDER BY), as far as they are in it.
    public var order: [UInt16] { run.order }

    /// After `.columns`: appends ROW tokens (0xD1 and the row's body) of the current result until `limit` bytes are written or the
    /// result ends. Returns the number of rows; 0 means that the result has ended and `next()` goes on.
    public mutating func appendRows(to buffer: inout ByteBuffer, limit: Int) -> Int { run.appendRows(to: &buffer, limit: limit) }
}
