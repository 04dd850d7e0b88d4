public import Logging
import NIOCore
import Synchronization
public import TDSWire

/// A connection to a SQL Server: one session, one request at a time.
///
/// ```swift
/// let configuration = TDSConnectionConfiguration(host: "localhost", authentication: .sqlServer(user: "sa", password: password))
/// try await TDSConnection.withConnection(configuration) { connection in
///     for try await row in try await connection.query("SELECT id, name FROM dbo.users WHERE city = \(city)") {
///         let (id, name) = try row.decode((Int.self, String.self))
///     }
/// }
/// ```
/// Cancelling the task that waits for a request cancels the request on the server; the connection stays good, or is closed.
public final class TDSConnection: Sendable {
    let channel: any Channel
    private let handler: NIOLoopBound<TDSChannelHandler>
    private let nextRequestID = Atomic<Int>(0)
    let instruments: ConnectionInstruments
    /// What the connection logs to, at the level debug.
    public var logger: Logger { instruments.logger }
    /// What the server said about itself and the session when the login was through.
    public let loginResult: ClientLoginStateMachine.LoginResult

    init(
        channel: any Channel, handler: NIOLoopBound<TDSChannelHandler>, loginResult: ClientLoginStateMachine.LoginResult,
        instruments: ConnectionInstruments
    ) {
        self.channel = channel
        self.handler = handler
        self.loginResult = loginResult
        self.instruments = instruments
        instruments.connectionOpened()
        channel.closeFuture.whenComplete { _ in instruments.connectionClosed() }
    }

    deinit { channel.close(promise: nil) }

    /// The server's version.
    public var serverVersion: ServerVersion { loginResult.acknowledgement.serverVersion }

    /// Closes the connection. A request in progress fails.
    public func close() async {
        onHandler { $0.fail(TDSError(.connectionClosed, "the connection was closed by the client")) }
        try? await channel.closeFuture.get()
    }

    /// What is known about the session now: database, collation, transaction.
    ///
    /// - Throws: ``TDSError`` that closed the connection.
    public var session: ClientRequestStateMachine.Session {
        get async throws {
            try await channel.eventLoop.submit { [handler] in try handler.value.session.get() }.get()
        }
    }

    /// Whether the connection can still be used.
    public var isUsable: Bool {
        get async { (try? await session) != nil }
    }

    // MARK: Requests

    /// Runs a query and gives its rows as they come. Rows of several result sets follow each other; ``TDSRow/columns`` tells them apart.
    ///
    /// The sequence must be read by one task; leaving it early cancels the query.
    public func query(_ query: TDSQuery) -> TDSRowSequence {
        TDSRowSequence(connection: self, request: Self.request(query))
    }

    /// Runs a query whose rows nobody wants.
    ///
    /// - Throws: ``TDSError``; with `server`, all errors of the response.
    @discardableResult
    public func execute(_ query: TDSQuery) async throws -> ClientRequestStateMachine.Response {
        try await run(Self.request(query), into: DiscardingSink()).response
    }

    /// Runs a query and hands its rows to a sink, decoded in one pass from the wire's bytes.
    ///
    /// - Parameters:
    ///   - sink: Gets every row, on the connection's event loop: what it does holds up other connections of that loop.
    ///   - whenFull: Called when ``TDSWire/RowSink/isFull`` is true; nothing is read until it returns. If it throws, the query is cancelled.
    /// - Returns: the sink after the last row, and what the server said besides rows.
    /// - Throws: ``TDSError``, and what `whenFull` throws. Rows that the sink took since the last `whenFull` are lost then.
    public func read<Sink: RowSink & Sendable>(
        _ query: TDSQuery, into sink: Sink, whenFull: (inout Sink) async throws -> Void = { _ in }
    ) async throws -> (sink: Sink, response: ClientRequestStateMachine.Response) {
        try await run(Self.request(query), into: sink, whenFull: whenFull)
    }

    /// Begins a transaction, by a transaction manager request.
    public func beginTransaction(isolationLevel: TransactionManagerRequest.IsolationLevel) async throws {
        try await transaction(.begin(isolationLevel, name: ""))
    }

    /// Commits the transaction in progress.
    ///
    /// - Throws: ``TDSError``; also if the server has rolled the transaction back by itself.
    public func commit() async throws { try await transaction(.commit(name: "", next: nil)) }

    /// Rolls the transaction in progress back.
    public func rollback() async throws { try await transaction(.rollback(name: "", next: nil)) }

    private func transaction(_ request: TransactionManagerRequest.Request) async throws {
        _ = try await run(.transaction(request), into: DiscardingSink())
    }

    /// The next request is preceded by a reset of the session: SET options, temporary tables and an open transaction are gone. The
    /// isolation level is not reset by older servers: set it.
    public func resetBeforeNextRequest() {
        channel.eventLoop.execute { [handler] in handler.value.resetBeforeNextRequest() }
    }

    private static func request(_ query: TDSQuery) -> TDSRequest {
        query.parameters.isEmpty ? .batch(query.sql) : .executeSQL(query)
    }

    private func run<Sink: RowSink & Sendable>(
        _ request: TDSRequest, into sink: Sink, whenFull: (inout Sink) async throws -> Void = { _ in }
    ) async throws -> (sink: Sink, response: ClientRequestStateMachine.Response) {
        let stream = RequestStream(self, request, sink: sink)
        while true {
            switch try await stream.next() {
            case .finished(let sink, let response):
                if let error = response.error { throw error }
                return (sink, response)
            case .failed(_, let error): throw error
            case .full(var sink):
                do {
                    try await whenFull(&sink)
                } catch {
                    stream.cancel()
                    throw error
                }
                stream.giveBack(sink)
            }
        }
    }

    // MARK: The way to the event loop and back

    var eventLoop: any EventLoop { channel.eventLoop }

    func newRequestID() -> Int { nextRequestID.add(1, ordering: .relaxed).newValue }

    func cancel(_ id: Int) {
        channel.eventLoop.execute { [handler] in handler.value.cancel(id) }
    }

    func onHandler(_ body: @escaping @Sendable (TDSChannelHandler) -> Void) {
        channel.eventLoop.execute { [handler] in body(handler.value) }
    }
}
