// RPC requests (MS-TDS 2.2.6.6): sp_executesql, prepared statements, and procedures by name.
import NIOCore
import TDSWire

/// A session's prepared statements, by handle. They end with the session, and with sp_reset_connection.
struct PreparedStatements {
    struct Statement {
        var sql: String
        var declarations: String
    }
    private var statements: [Int32: Statement] = [:]
    private var last: Int32 = 0

    mutating func add(_ statement: Statement) -> Int32 {
        last += 1
        statements[last] = statement
        return last
    }

    func find(_ handle: Int32) throws(SQLServerMessage) -> Statement {
        guard let statement = statements[handle] else {
            throw SQLServerMessage(number: 8179, state: 2, severity: 16, text: "Could not find prepared statement with handle \(handle).")
        }
        return statement
    }

    mutating func remove(_ handle: Int32) throws(SQLServerMessage) {
        _ = try find(handle)
        statements[handle] = nil
    }

    mutating func removeAll() { statements = [:] }
}

extension RequestRunner {
    mutating func call(_ message: RPCRequestMessage, _ response: inout Response) throws {
        for (index, request) in message.requests.enumerated() {
            let isLast = index == message.requests.count - 1
            do {
                guard request.isExecuted else {
                    throw SQLServerMessage(number: 3991, severity: 16, text: "The procedure call was not executed: the client asked for that.")
                }
                try call(request, isLast: isLast, &response)
            } catch let error as SQLServerMessage {
                // What the call could not even begin with; the other calls of the message go on.
                try response.message(error)
                var outcome = Response.Outcome()
                outcome.failed = true
                outcome.firstError = error.number
                try response.endProcedure(outcome, isLast: isLast)
            }
            if session.cancellation.isCancelled { return }
        }
    }

    private mutating func call(_ request: RPCRequest, isLast: Bool, _ response: inout Response) throws {
        let id: WellKnownProcedure? =
            switch request.procedure {
            case .id(let id): id
            case .name(let name): WellKnownProcedure(name: Self.plainName(name))
            }
        let parameters = request.parameters
        switch id {
        case .executeSQL?:
            let sql = try text(parameters, 0, "sp_executesql")
            let declarations = parameters.count > 1 ? try text(parameters, 1, "sp_executesql") : ""
            if let reply = thread.environment.faults.current.reply?(sql) { return response.reply(reply) }
            let outcome = try run(sql, declarations, parameters, from: 2, &response)
            try response.endProcedure(outcome, isLast: isLast, parameters: parameters, offset: 2)
        case .prepare?:
            let statement = PreparedStatements.Statement(sql: try text(parameters, 2, "sp_prepare"), declarations: try text(parameters, 1, "sp_prepare"))
            try response.endProcedure(Response.Outcome(), isLast: isLast, handle: prepared.add(statement), parameters: parameters)
        case .execute?:
            let statement = try prepared.find(try handle(parameters, "sp_execute"))
            let outcome = try run(statement.sql, statement.declarations, parameters, from: 1, &response)
            try response.endProcedure(outcome, isLast: isLast, parameters: parameters, offset: 1)
        case .prepExec?:
            // A handle that is given is one to be dropped.
            if let old = try? handle(parameters, "sp_prepexec") { try? prepared.remove(old) }
            let statement = PreparedStatements.Statement(sql: try text(parameters, 2, "sp_prepexec"), declarations: try text(parameters, 1, "sp_prepexec"))
            let new = prepared.add(statement)
            let outcome = try run(statement.sql, statement.declarations, parameters, from: 3, &response)
            try response.endProcedure(outcome, isLast: isLast, handle: new, parameters: parameters, offset: 3)
        case .unprepare?:
            try prepared.remove(try handle(parameters, "sp_unprepare"))
            try response.endProcedure(Response.Outcome(), isLast: isLast)
        case .prepExecRPC?:
            throw Self.unsupported("sp_prepexecrpc")
        case let id?:
            throw Self.unsupported(id.name)
        case nil:
            try callByName(request, isLast: isLast, &response)
        }
    }

    /// What SQL Server says of a cursor procedure that it doesn't offer.
    private static func unsupported(_ name: String) -> SQLServerMessage {
        SQLServerMessage(number: 16937, severity: 16, text: "\(name): server cursors are not supported here.", procedure: name)
    }

    /// `sys.sp_executesql`, `[sp_executesql]`, `master..sp_executesql`: the last part without its marks.
    private static func plainName(_ name: String) -> String {
        var last = name.split(separator: ".").last.map(String.init) ?? name
        // A trailing `;1` is a procedure's number in its group.
        if let number = last.lastIndex(of: ";") { last = String(last[..<number]) }
        if last.hasPrefix("["), last.hasSuffix("]") { last = String(last.dropFirst().dropLast()) }
        return last
    }

    /// Any other procedure, as the EXECUTE statement would call it.
    private mutating func callByName(_ request: RPCRequest, isLast: Bool, _ response: inout Response) throws {
        let name = request.procedure.name
        if Self.plainName(name).lowercased() == "sp_reset_connection" {
            prepared.removeAll()
            session.reset()
            try response.environment(.resetConnectionAcknowledged)
            return try response.endProcedure(Response.Outcome(), isLast: isLast)
        }
        var arguments: [String] = []
        var declarations: [String] = []
        var values: [RPCParameter] = []
        for (index, parameter) in request.parameters.enumerated() {
            let assigned = parameter.name.isEmpty ? "" : parameter.name + " = "
            if parameter.status.contains(.defaultValue) {
                arguments.append(assigned + "DEFAULT")
                continue
            }
            guard case .scalar(let type, let content) = parameter.value else { throw Self.tableParameter }
            let isOutput = parameter.status.contains(.byReference)
            arguments.append(assigned + "@__rpc\(index)" + (isOutput ? " OUTPUT" : ""))
            declarations.append("@__rpc\(index) " + type.declaration + (isOutput ? " OUTPUT" : ""))
            values.append(RPCParameter("@__rpc\(index)", type, content, status: parameter.status))
        }
        let sql = "EXECUTE \(name)" + (arguments.isEmpty ? "" : " " + arguments.joined(separator: ", "))
        let outcome = try run(sql, declarations.joined(separator: ", "), values, from: 0, &response)
        try response.endProcedure(outcome, isLast: isLast, parameters: request.parameters)
    }

    private static let tableParameter = SQLServerMessage(number: 349, severity: 16, text: "Table-valued parameters are not supported here.")

    private func run(
        _ sql: String, _ declarations: String, _ parameters: [RPCParameter], from first: Int, _ response: inout Response
    ) throws -> Response.Outcome {
        var values: [EngineParameter] = []
        for (index, parameter) in parameters.enumerated().dropFirst(first) {
            guard case .scalar(let info, let content) = parameter.value else { throw Self.tableParameter }
            guard let type = SQLType(info) else {
                throw SQLServerMessage(
                    number: 8064, severity: 16,
                    text: "Parameter \(index + 1) ([\(parameter.name)]): The type \(info.declaration) is not supported here.")
            }
            values.append(
                EngineParameter(
                    name: parameter.name.isEmpty ? nil : parameter.name, type: type, value: try SQLValue(wire: content, info),
                    isOutput: parameter.status.contains(.byReference)))
        }
        var cursor = session.executeSQL(sql, parameterDeclarations: declarations, parameters: values)
        return try response.play(&cursor, .procedure)
    }

    private func text(_ parameters: [RPCParameter], _ index: Int, _ procedure: String) throws -> String {
        guard index < parameters.count else { throw Self.missing(index, procedure) }
        guard case .scalar(let type, let content) = parameters[index].value else { throw Self.notText(index, procedure) }
        switch try SQLValue(wire: content, type) {
        case .string(let text): return text
        case .null: return ""
        default: throw Self.notText(index, procedure)
        }
    }

    private func handle(_ parameters: [RPCParameter], _ procedure: String) throws -> Int32 {
        guard let first = parameters.first else { throw Self.missing(0, procedure) }
        guard case .scalar(let type, let content) = first.value, case .int(let value) = try SQLValue(wire: content, type), let handle = Int32(exactly: value)
        else { throw SQLServerMessage(number: 8178, severity: 16, text: "The handle given to \(procedure) is not an integer.", procedure: procedure) }
        return handle
    }

    private static func notText(_ index: Int, _ procedure: String) -> SQLServerMessage {
        SQLServerMessage(
            number: 214, state: 2, severity: 16, text: "Procedure expects parameter '\(index == 1 ? "@params" : "@statement")' of type 'ntext/nchar/nvarchar'.",
            procedure: procedure, line: 1)
    }

    private static func missing(_ index: Int, _ procedure: String) -> SQLServerMessage {
        SQLServerMessage(
            number: 201, state: 10, severity: 16, text: "Procedure or function '\(procedure)' expects parameter \(index + 1), which was not supplied.",
            procedure: procedure, line: 0)
    }
}
