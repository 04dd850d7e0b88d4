import DequeModule
import Foundation
import NIOCore

/// Runs a batch statement by statement, as far as its events are asked for.
final class BatchRun {
    /// Where the interpreter is.
    enum Frame {
        case statements([Statement], Int)
        case loop(Expression, Statement)
        case tryBlock([Statement])
        case catchBlock
        /// The text of EXEC or sp_executesql: what to go back to.
        case scope(previous: Environment, database: Database, outputs: [(inner: Variable, outer: Variable)])
    }

    let session: EngineSession
    var environment: Environment
    var frames: [Frame] = []
    var outbox: Deque<EngineEvent> = []
    private var text: String?
    private var isFinished = false
    private let outputs: [ParameterBinding.Output]
    private let isProcedure: Bool
    var returnStatus: Int32 = 0
    /// The SELECT whose rows are being given out.
    private var active: QueryPlan?
    private var activeRows: UInt64 = 0
    private var activeLine: Int32 = 0
    private var activeLimit = UInt64.max

    init(session: EngineSession, sql: String, environment: Environment, outputs: [ParameterBinding.Output] = [], isProcedure: Bool = false) {
        self.session = session
        self.environment = environment
        self.outputs = outputs
        self.isProcedure = isProcedure
        text = sql
    }
    /// Statements that need no parsing.
    init(session: EngineSession, statements: [Statement], environment: Environment) {
        self.session = session
        self.environment = environment
        outputs = []
        isProcedure = false
        frames = [.statements(statements, 0)]
    }
    /// A request that is over already.
    init(session: EngineSession, failure: (any Error)?) {
        self.session = session
        environment = Environment(session: session)
        outputs = []
        isProcedure = false
        isFinished = true
        flush()
        if let failure {
            report(failure, line: 1)
            outbox.append(.done(StatementCompletion(rowCount: nil, command: StatementCompletion.Command.other, isError: true)))
        } else {
            outbox.append(.done(StatementCompletion(rowCount: nil, command: StatementCompletion.Command.other)))
        }
    }

    // MARK: Events

    func next() -> EngineEvent? {
        while true {
            if let event = outbox.popFirst() { return event }
            if active != nil {
                if let row = nextRow() { return .row(row) }
                continue
            }
            if isFinished { return nil }
            step()
        }
    }

    private func nextRow() -> [SQLValue]? {
        guard let plan = active else { return nil }
        do {
            if activeRows < activeLimit, try plan.next() {
                activeRows += 1
                return plan.row
            }
            finishSelect()
        } catch { failSelect(error) }
        return nil
    }
    private func finishSelect() {
        active = nil
        session.endStatement()
        session.rowCount = activeRows
        session.lastError = 0
        outbox.append(.done(StatementCompletion(rowCount: session.settings.noCount ? nil : activeRows, command: StatementCompletion.Command.select)))
        flush()
    }
    private func failSelect(_ error: any Error) {
        active = nil
        handle(error, line: activeLine, marks: nil, command: StatementCompletion.Command.select)
    }

    /// By which of its columns, from 1, the current result is sorted.
    var order: [UInt16] { active?.sortedColumns ?? [] }

    /// Appends rows as ROW tokens; see `Cursor.appendRows`.
    func appendRows(to buffer: inout ByteBuffer, limit: Int) -> Int {
        guard outbox.isEmpty, let plan = active else { return 0 }
        let begin = buffer.writerIndex
        var count = 0
        do {
            if let direct = plan.direct {
                count = try append(direct.scan, direct.columns, plan, to: &buffer, limit: limit)
                if count > 0 { return count }
                finishSelect()
                return 0
            }
            var row: [UInt8] = []
            while buffer.writerIndex - begin < limit, activeRows < activeLimit {
                guard try plan.next() else {
                    if count == 0 { finishSelect() }
                    return count
                }
                row.removeAll(keepingCapacity: true)
                row.append(0xD1)
                for (index, column) in plan.columns.enumerated() {
                    WireForm.encode(plan.value(index), column.type, nullable: column.isNullable, to: &row)
                }
                buffer.writeBytes(row)
                activeRows += 1
                count += 1
            }
            if count == 0 { finishSelect() }
        } catch {
            // The rows so far are good; the error comes next.
            failSelect(error)
        }
        return count
    }

    private func append(_ scan: TableScan, _ columns: [Int]?, _ plan: QueryPlan, to buffer: inout ByteBuffer, limit: Int) throws -> Int {
        let begin = buffer.writerIndex
        var count = 0
        while buffer.writerIndex - begin < limit {
            try environment.checkCancelled()
            let allowed = min(plan.remaining, Int(clamping: activeLimit - activeRows))
            // Rows of one page, as many as fit by a guess from the page's average.
            let room = limit - (buffer.writerIndex - begin)
            guard let run = scan.nextRun(min(allowed, max(1, room / 64 + 1))) else { break }
            plan.consumed(run.rows.count)
            activeRows += UInt64(run.rows.count)
            count += run.rows.count
            if let columns {
                DirectCopy.append(run.page, run.rows, columns, scan.table, to: &buffer)
            } else {
                buffer.writeBytes(run.page.rows[run.page.rowStart(run.rows.lowerBound)..<Int(run.page.rowEnds[run.rows.upperBound - 1])])
            }
        }
        return count
    }

    func emit(_ event: EngineEvent) { outbox.append(event) }
    func flush() {
        for event in session.pending { outbox.append(event) }
        session.pending = []
    }
    private func finished(_ message: SQLServerMessage, line: Int32) -> SQLServerMessage {
        var message = message
        message.server = session.server.configuration.serverName
        if message.line == 0 { message.line = max(1, line) }
        return message
    }
    private func report(_ error: any Error, line: Int32) {
        for message in messages(of: error) { outbox.append(.message(finished(message, line: line))) }
    }
    private func messages(of error: any Error) -> [SQLServerMessage] {
        if let message = error as? SQLServerMessage { return [message] }
        if let several = error as? SeveralMessages { return several.messages }
        if let thrown = error as? Thrown { return [thrown.message] }
        return [SQLServerMessage(number: 50000, severity: 16, text: "\(error)")]
    }

    // MARK: Steps

    private func step() {
        if let text {
            self.text = nil
            do {
                let statements = try Parser.parseBatch(text, quotedIdentifiers: session.settings.quotedIdentifier)
                frames.append(.statements(statements, 0))
            } catch {
                report(error, line: 1)
                session.lastError = messages(of: error).last?.number ?? 0
                outbox.append(.done(StatementCompletion(rowCount: nil, command: StatementCompletion.Command.other, isError: true)))
                returnStatus = session.lastError
                end()
            }
            return
        }
        guard let top = frames.last else {
            end()
            return
        }
        switch top {
        case .statements(let list, let index):
            if index >= list.count {
                frames.removeLast()
                return
            }
            frames[frames.count - 1] = .statements(list, index + 1)
            run(list[index])
        case .loop(let condition, let body):
            do {
                try environment.checkCancelled()
                if try evaluate(condition) == true { frames.append(.statements([body], 0)) } else { frames.removeLast() }
            } catch { handle(error, line: body.line, marks: nil, command: StatementCompletion.Command.other) }
        case .tryBlock: frames.removeLast()
        case .catchBlock:
            frames.removeLast()
            _ = environment.caughtErrors.popLast()
        case .scope(let previous, let database, let outputs):
            frames.removeLast()
            for pair in outputs {
                pair.outer.value = (try? Conversion.convert(pair.inner.value, from: pair.inner.type, to: pair.outer.type)) ?? .null
            }
            environment.dropTableVariables()
            environment = previous
            session.nestLevel -= 1
            if session.database !== database { session.use(database) }
            flush()
        }
    }

    private func end() {
        if isFinished { return }
        isFinished = true
        frames = []
        if let open = session.transaction, open.isDoomed {
            session.rollbackAll()
            report(Messages.doomedAtEnd, line: 1)
            outbox.append(.done(StatementCompletion(rowCount: nil, command: StatementCompletion.Command.other, isError: true)))
        }
        environment.dropTableVariables()
        flush()
        guard isProcedure else { return }
        outbox.append(.returnStatus(returnStatus))
        for output in outputs { outbox.append(.outputParameter(name: output.name, ordinal: output.ordinal, type: output.variable.type, value: output.variable.value)) }
    }

    /// A condition, as a statement of its own.
    func evaluate(_ condition: Expression) throws -> Bool? {
        session.beginStatement()
        environment.statementTime = session.server.now
        defer { session.endStatement() }
        return try Compiler(environment: environment, scope: Scope(parent: nil, collation: session.collation)).compilePredicate(condition)()
    }
    func value(_ expression: Expression) throws -> (SQLValue, SQLType) {
        session.beginStatement()
        environment.statementTime = session.server.now
        defer { session.endStatement() }
        let compiled = try Compiler(environment: environment, scope: Scope(parent: nil, collation: session.collation)).compile(expression)
        return (try compiled.eval(), compiled.type)
    }

    private func run(_ statement: Statement) {
        let command = BatchRun.command(statement.kind)
        var attempts = 0
        while true {
            session.beginStatement()
            environment.statementTime = session.server.now
            let marks = session.transaction?.marks
            do {
                try environment.checkCancelled()
                try execute(statement)
                if active == nil { session.endStatement() }
                flush()
                return
            } catch is RestartStatement where attempts < 1000 {
                attempts += 1
                if let marks { session.transaction?.roll(back: marks) } else { session.restartStatement() }
            } catch {
                handle(error, line: statement.line, marks: marks, command: command)
                return
            }
        }
    }

    /// Starts giving out a SELECT's rows.
    func stream(_ plan: QueryPlan, line: Int32) throws {
        if session.settings.formatOnly {
            emit(.columns(plan.columns))
            emit(.done(StatementCompletion(rowCount: 0, command: StatementCompletion.Command.select)))
            return
        }
        try plan.open()
        emit(.columns(plan.columns))
        active = plan
        activeRows = 0
        activeLine = line
        activeLimit = session.settings.rowLimit > 0 ? UInt64(session.settings.rowLimit) : UInt64.max
    }

    // MARK: Errors

    /// What SQL Server does after an error: the statement is undone; CATCH, or the message; the batch goes on, or ends, perhaps with the
    /// transaction.
    func handle(_ error: any Error, line: Int32, marks: [ObjectIdentifier: DatabaseContext.Mark]?, command: UInt16) {
        if error is Cancelled {
            session.abandonStatement()
            if session.settings.xactAbort { session.rollbackAll() } else if let marks { session.transaction?.roll(back: marks) }
            frames = []
            outbox.removeAll()
            active = nil
            isFinished = true
            environment.dropTableVariables()
            session.pending = []
            return
        }
        let list = messages(of: error).map { finished($0, line: line) }
        guard let last = list.last else { return }
        session.lastError = last.number
        if session.isInStatementTransaction { session.abandonStatement() } else if let marks { session.transaction?.roll(back: marks) }
        let kills = list.contains { BatchRun.endsTransaction($0.number) }
        let isThrown = error is Thrown
        if let index = frames.lastIndex(where: { if case .tryBlock = $0 { return true } else { return false } }), last.severity < 20 {
            // Back to the TRY, through EXEC's scopes.
            while frames.count > index + 1 {
                if case .scope(let previous, let database, _)? = frames.popLast() {
                    environment.dropTableVariables()
                    environment = previous
                    session.nestLevel -= 1
                    if session.database !== database { session.use(database) }
                }
            }
            guard case .tryBlock(let handler)? = frames.popLast() else { return }
            if kills || session.settings.xactAbort || isThrown && session.settings.xactAbort {
                session.transaction?.isDoomed = true
                if kills, let open = session.transaction {
                    // Its locks go at once; the transaction stays, to be rolled back.
                    session.server.locks.release(open.id)
                    open.contexts = [:]
                }
            }
            flush()
            environment.caughtErrors.append(last)
            frames.append(.catchBlock)
            frames.append(.statements(handler, 0))
            return
        }
        for message in list { outbox.append(.message(message)) }
        if [StatementCompletion.Command.insert, StatementCompletion.Command.update, StatementCompletion.Command.delete, StatementCompletion.Command.merge].contains(command),
            !last.endsBatch, !kills {
            outbox.append(.message(finished(Messages.terminated, line: line)))
        }
        if kills || session.settings.xactAbort && !(last.number == 50000 && !isThrown) {
            session.rollbackAll()
        }
        returnStatus = last.number
        let ends = last.endsBatch || kills || isThrown || (session.settings.xactAbort && last.number != 50000)
        outbox.append(.done(StatementCompletion(rowCount: nil, command: command, isError: true)))
        flush()
        if ends {
            frames = []
            end()
        }
    }
    /// Errors after which the whole transaction is rolled back.
    private static func endsTransaction(_ number: Int32) -> Bool {
        [1205, 3960, 3961, 3951, 3952, 245, 241, 242, 248, 8114, 3930].contains(number)
    }

    static func command(_ kind: StatementKind) -> UInt16 {
        switch kind {
        case .select: return StatementCompletion.Command.select
        case .insert: return StatementCompletion.Command.insert
        case .update: return StatementCompletion.Command.update
        case .delete: return StatementCompletion.Command.delete
        case .merge: return StatementCompletion.Command.merge
        default: return StatementCompletion.Command.other
        }
    }

    /// Rows of EXEC within INSERT.
    static func collect(_ call: ExecuteStatement, environment: Environment) throws -> [(values: [SQLValue], types: [SQLType])] {
        let run = BatchRun(session: environment.session, sql: "", environment: environment)
        run.text = nil
        var rows: [(values: [SQLValue], types: [SQLType])] = []
        var types: [SQLType] = []
        run.frames = [.statements([Statement(.execute(call), line: 1)], 0)]
        while let event = run.next() {
            switch event {
            case .columns(let columns): types = columns.map(\.type)
            case .row(let row): rows.append((row, types))
            case .message(let message) where message.isError: throw message
            default: continue
            }
        }
        return rows
    }
}

/// Several errors of one statement.
struct SeveralMessages: Error {
    let messages: [SQLServerMessage]
}
/// THROW: like any error, but the batch always ends with it.
struct Thrown: Error {
    let message: SQLServerMessage
}

/// Copies chosen columns of stored rows.
enum DirectCopy {
    static func append(_ page: Page, _ rows: Range<Int>, _ columns: [Int], _ table: TableDef, to buffer: inout ByteBuffer) {
        let layout = table.columns.map { (type: $0.type, nullable: $0.isNullable) }
        let last = columns.max() ?? 0
        var starts = [Int](repeating: 0, count: last + 2)
        page.rows.withUnsafeBytes { bytes in
            let total = Int(page.rowEnds[rows.upperBound - 1]) - page.rowStart(rows.lowerBound)
            buffer.reserveCapacity(minimumWritableBytes: total)
            for row in rows {
                var offset = page.rowStart(row) + 1
                starts[0] = offset
                var column = 0
                while column <= last {
                    offset = WireForm.end(bytes, offset, layout[column].type, nullable: layout[column].nullable)
                    column += 1
                    starts[column] = offset
                }
                buffer.writeInteger(UInt8(0xD1))
                for column in columns { buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[starts[column]..<starts[column + 1]])) }
            }
        }
    }
}
