// The small protocol through which the capture talks to a server. TDSClient implements it; tests implement it in memory.

/// A value of a catalogue query or another small result.
public enum SourceValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case text(String)

    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    public var text: String? { if case .text(let value) = self { value } else { nil } }
}

/// What a server said no to, or that it could not be reached.
public struct SourceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// SQL Server's error number; `nil` if the connection failed or broke.
    public var number: Int?
    /// In plain words; holds no secret.
    public var message: String
    /// Whether the session is unusable from here on.
    public var connectionLost: Bool

    public init(number: Int? = nil, message: String, connectionLost: Bool = false) {
        self.number = number
        self.message = message
        self.connectionLost = connectionLost
    }

    public var description: String { message }

    /// Whether the same request may well succeed later: deadlocks, lock time-outs, Azure's throttling and failovers, lost connections.
    public var isTransient: Bool {
        guard let number else { return connectionLost }
        return Self.transientNumbers.contains(number)
    }

    private static let transientNumbers: Set<Int> = [
        1205, 1222, 3960, 3961, 4221, 8628, 8645, 8651, 10053, 10054, 10060, 10928, 10929, 40143, 40166, 40197, 40501, 40540, 40613, 42108, 42109, 49918, 49919, 49920,
    ]
}

/// What streaming a query's rows into documents came to.
public struct DocumentsRead: Hashable, Sendable {
    /// Rows that the server sent.
    public var rows = 0
    /// Documents that were made of them.
    public var documents = 0
    /// Bytes of the documents.
    public var bytes = 0
    /// The key of the last row, in key order; `nil` without rows.
    public var lastKey: [KeyValue]?

    public init(rows: Int = 0, documents: Int = 0, bytes: Int = 0, lastKey: [KeyValue]? = nil) {
        self.rows = rows
        self.documents = documents
        self.bytes = bytes
        self.lastKey = lastKey
    }
}

/// Takes documents, suspending while whoever reads them is slow.
public protocol DocumentOutput: Sendable {
    /// Takes the buffer's documents and hands back a buffer to go on with: an empty one, perhaps one that was given before.
    func write(documents: consuming DocumentBuffer) async throws -> DocumentBuffer
}

/// A connection to the server, used by one task at a time.
///
/// All calls throw ``SourceError``.
public protocol CaptureSession: Sendable {
    /// Runs a statement with a small result and returns its rows.
    func rows(_ statement: SQLStatement) async throws -> [[SourceValue]]

    /// Runs a batch for its effect: transactions, `ALTER … CHANGE_TRACKING`.
    func execute(_ text: String) async throws

    /// Reads a chunk of a table as documents.
    func backfill(_ query: BackfillQuery, _ layout: DocumentLayout, into output: any DocumentOutput) async throws -> DocumentsRead

    /// Reads changes of a table as documents.
    func changes(_ query: ChangeQuery, _ layout: DocumentLayout, into output: any DocumentOutput) async throws -> DocumentsRead

    /// Which of the query's tables have changes: their positions.
    func probe(_ query: ProbeQuery) async throws -> [Int]
}

extension CaptureSession {
    public func probe(_ query: ProbeQuery) async throws -> [Int] {
        try await rows(query.statement).compactMap { $0.first?.integer }.map { Int($0) }
    }

    public func rows(_ text: String) async throws -> [[SourceValue]] { try await rows(SQLStatement(text)) }
}

/// A server's database that is captured.
public protocol CaptureSource: Sendable {
    /// Lends a session, which is given back or closed when `body` returns or throws.
    func withSession<Result: Sendable>(_ body: @Sendable (any CaptureSession) async throws -> Result) async throws -> Result
}
