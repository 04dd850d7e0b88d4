// Requests of a session that is logged in, one after another.
import Logging
import NIOCore
import TDSWire

/// Owned by the session's thread.
struct RequestRunner {
    let thread: SessionThread
    let session: EngineSession
    let abilities: ClientAbilities
    private var version: TDSVersion { abilities.version }
    var writer: ResponseWriter
    private var database: String
    var prepared = PreparedStatements()
    /// What INSERT BULK named: the next message holds its rows.
    var bulk: BulkInsert?

    init(thread: SessionThread, session: EngineSession, abilities: ClientAbilities, writer: ResponseWriter, database: String) {
        self.thread = thread
        self.session = session
        self.abilities = abilities
        self.writer = writer
        self.database = database
    }

    func close() { session.close() }

    /// Answers a message. Returns false when the connection is to be closed.
    mutating func answer(_ message: ClientMessage) throws -> Bool {
        var response = Response(writer: writer, session: session, thread: thread, abilities: abilities, database: database)
        if message.status.contains(.resetConnection) || message.status.contains(.resetConnectionSkipTransaction) {
            prepared.removeAll()
            bulk = nil
            session.reset(keepingTransaction: message.status.contains(.resetConnectionSkipTransaction))
            try response.environment(.resetConnectionAcknowledged)
        }
        var payload = message.payload
        do {
            switch message.type {
            case .sqlBatch: try batch(payload.readSQLBatch(version: version), &response)
            case .rpc: try call(payload.readRPCRequest(version: version), &response)
            case .bulkLoad: try load(payload.readBulkLoad(version: version), &response)
            case .transactionManagerRequest: try transaction(payload.readTransactionManagerRequest(version: version), &response)
            default: throw WireError(.unexpectedMessage, "request", "\(message.type)")
            }
        } catch let error as SQLServerMessage {
            try response.message(error)
            response.hold(Done(status: .error))
        } catch let error as WireError {
            // What a SQL Server says of a stream that it can't read, before it hangs up.
            thread.environment.logger.info("a request that can't be read", metadata: ["error": "\(error)"])
            try response.message(
                SQLServerMessage(
                    number: 4002, severity: 20, text: "The incoming tabular data stream (TDS) protocol stream is incorrect. The stream ended unexpectedly."))
            response.hold(Done(status: .error))
        }
        try response.end()
        writer = response.writer
        database = response.database
        return !response.isFatal
    }

    /// The answer to a message that the client took back with the IGNORE bit: nothing was done.
    mutating func answerIgnored() throws {
        writer.payload.writeDone(Done(status: .error), version: version)
        try writer.endMessage()
    }

    /// An attention that came when no answer was under way any more.
    mutating func answerAttention() throws {
        guard thread.takeAttention() else { return }
        writer.payload.writeDone(Done(status: .attention), version: version)
        try writer.endMessage()
    }

    private mutating func batch(_ message: SQLBatchMessage, _ response: inout Response) throws {
        if let reply = thread.environment.faults.current.reply?(message.text) {
            response.reply(reply)
            return
        }
        if let insert = BulkInsert(message.text) { return try prepare(insert, &response) }
        var cursor = session.batch(message.text)
        _ = try response.play(&cursor, .batch)
    }

    /// MS-TDS 2.2.6.9. A distributed transaction has no coordinator here.
    private func transaction(_ message: TransactionManagerRequest, _ response: inout Response) throws {
        func play(_ cursor: Cursor) throws {
            var cursor = cursor
            _ = try response.play(&cursor, .batch)
        }
        func begin(_ next: TransactionManagerRequest.Next?) throws {
            guard let next else { return }
            try play(session.beginTransaction(isolationLevel: next.isolationLevel.rawValue, name: next.name))
        }
        switch message.request {
        case .begin(let level, let name): try play(session.beginTransaction(isolationLevel: level.rawValue, name: name))
        case .commit(let name, let next):
            try play(session.commitTransaction(name: name))
            try begin(next)
        case .rollback(let name, let next):
            try play(session.rollbackTransaction(name: name))
            try begin(next)
        case .save(let name): try play(session.saveTransaction(name: name))
        case .getDTCAddress, .propagate, .promote:
            throw SQLServerMessage(number: 8501, state: 3, severity: 16, text: "MSDTC on server '\(session.server.configuration.serverName)' is unavailable.")
        }
    }
}
