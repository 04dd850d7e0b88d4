// An engine's events as tokens (MS-TDS 2.2.7), with DONE's bits as a server sets them.
import NIOCore
import TDSWire

/// Writes the answer to one message.
struct Response {
    enum Form {
        /// Statements end with DONE.
        case batch
        /// Statements end with DONEINPROC, the procedure with RETURNSTATUS, output parameters and DONEPROC.
        case procedure
    }

    var writer: ResponseWriter
    let session: EngineSession
    let thread: SessionThread
    let abilities: ClientAbilities
    /// The session's database, which a UDT's TYPE_INFO names.
    private(set) var database: String
    private var version: TDSVersion { abilities.version }
    /// For the current result's rows that don't go out as the engine keeps them.
    private var rowWriter: RowWriter?
    /// A statement's end that is kept back until it is known whether more follows.
    private var held: Done?
    /// Severity 20 and above ends the connection.
    private(set) var isFatal = false
    private var isScripted = false

    private static let rowBytes = 1 << 16

    init(writer: ResponseWriter, session: EngineSession, thread: SessionThread, abilities: ClientAbilities, database: String) {
        self.writer = writer
        self.session = session
        self.thread = thread
        self.abilities = abilities
        self.database = database
    }

    private var transactionBit: Done.Status { session.transactionDescriptor != 0 ? .inTransaction : [] }

    /// Writes what was held back: more follows.
    mutating func more() {
        guard var done = held else { return }
        held = nil
        done.status.insert(.more)
        writer.payload.writeDone(done, version: version)
    }

    /// Keeps a DONE back.
    mutating func hold(_ done: Done) {
        more()
        held = done
    }

    mutating func message(_ message: SQLServerMessage) throws(WireError) {
        more()
        try writer.payload.writeServerMessage(message.wire(server: session.server.configuration.serverName), version: version)
        if message.severity >= 20 { isFatal = true }
    }

    mutating func environment(_ change: TDSWire.EnvironmentChange) throws(WireError) {
        more()
        try writer.payload.writeEnvironmentChange(change)
    }

    /// What a procedure's run told besides its rows.
    struct Outcome {
        var returnStatus: Int32?
        var failed = false
        var firstError: Int32?
    }

    /// Plays a cursor to its end, or until an attention stops it.
    mutating func play(_ cursor: inout Cursor, _ form: Form) throws -> Outcome {
        var outcome = Outcome()
        var outputs: [EngineEvent] = []
        while let event = cursor.next() {
            switch event {
            case .columns(let columns):
                more()
                let sent = columns.map(abilities.column)
                try writer.payload.writeColumnMetadata(sent.map { $0.metadata(database: database) }, version: version)
                let usesNullBitmap = version >= .v7_3_b && thread.environment.faults.current.usesNullBitmapRows
                let order = cursor.order
                if !order.isEmpty { try writer.payload.writeOrder(order) }
                rowWriter = RowWriter(from: columns, to: sent, usesNullBitmap: usesNullBitmap)
                guard sent == columns, !usesNullBitmap else { continue }
                while cursor.appendRows(to: &writer.payload, limit: Self.rowBytes) > 0 {
                    try writer.sendIfLarge()
                    if session.cancellation.isCancelled { break }
                }
            case .row(let values):
                try rowWriter?.write(values, to: &writer.payload)
            case .done(let completion):
                var status = transactionBit
                if completion.rowCount != nil { status.insert(.count) }
                if completion.isError { status.insert(.error) }
                let done = Done(
                    form == .batch ? .done : .doneInProc, status: status, currentCommand: completion.command, rowCount: completion.rowCount ?? 0)
                hold(done)
                if form == .procedure { more() }
            case .message(let message):
                try self.message(message)
                if message.isError {
                    outcome.failed = true
                    if outcome.firstError == nil { outcome.firstError = message.number }
                }
            case .environment(let change):
                if case .database(let new, _) = change { database = new }
                if let wire = change.wire { try environment(wire) }
            case .returnStatus(let status):
                outcome.returnStatus = status
            case .outputParameter:
                outputs.append(event)
            }
            try writer.sendIfLarge()
            if session.cancellation.isCancelled { break }
        }
        if form == .procedure {
            more()
            outputParameters.append(contentsOf: outputs)
        }
        return outcome
    }

    /// Output parameters that wait for the procedure's end.
    private var outputParameters: [EngineEvent] = []

    /// The end of a procedure: RETURNSTATUS, RETURNVALUEs, DONEPROC.
    /// - Parameters:
    ///   - handle: what sp_prepare and sp_prepexec return in their first parameter.
    ///   - parameters: the call's parameters, of which those from `offset` on are the statement's own.
    mutating func endProcedure(
        _ outcome: Outcome, isLast: Bool, handle: Int32? = nil, parameters: [RPCParameter] = [], offset: Int = 0
    ) throws {
        more()
        writer.payload.writeReturnStatus(outcome.returnStatus ?? outcome.firstError ?? 0)
        if let handle {
            try writer.payload.writeReturnValue(
                ReturnValue(
                    ordinal: 0, name: parameters.first?.name ?? "", flags: .nullable, typeInfo: TypeInfo(.intN, maximumLength: 4),
                    value: ByteBuffer(integer: handle, endianness: .little)),
                version: version)
        }
        for case .outputParameter(let name, let ordinal, let type, let value) in outputParameters {
            let index = ordinal + offset
            try writer.payload.writeReturnValue(
                ReturnValue(
                    ordinal: UInt16(clamping: index), name: index < parameters.count ? parameters[index].name : name, userType: type.wireUserType,
                    flags: .nullable, typeInfo: type.typeInfo(isNullable: true, database: database), value: try value.wireContent(as: type)),
                version: version)
        }
        outputParameters = []
        var status = transactionBit
        if outcome.failed { status.insert(.error) }
        if !isLast { status.insert(.rpcInBatch) }
        hold(Done(.doneProc, status: status, currentCommand: 0xE0))
    }

    /// A scripted answer: the tokens of a whole message, its DONE included.
    mutating func reply(_ tokens: ByteBuffer) {
        writer.payload.writeImmutableBuffer(tokens)
        isScripted = true
    }

    /// The message's end. An attention that came is acknowledged instead of whatever was to come.
    mutating func end() throws {
        if session.cancellation.isCancelled {
            // The flag is set before the attention is noted, by the same thread, in one critical section.
            _ = thread.takeAttention()
            more()
            writer.payload.writeDone(Done(status: [.attention, transactionBit]), version: version)
        } else if let done = held {
            held = nil
            writer.payload.writeDone(done, version: version)
        } else if !isScripted {
            writer.payload.writeDone(Done(status: transactionBit), version: version)
        }
        try writer.endMessage()
    }
}
