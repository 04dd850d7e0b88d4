import NIOCore
import TDSWire

/// A request as the channel handler sends it; its message is built when the session's state is known.
enum TDSRequest: Sendable {
    case batch(String)
    case executeSQL(TDSQuery)
    case transaction(TransactionManagerRequest.Request)

    /// The message, and the type of its packets.
    func message(session: ClientRequestStateMachine.Session, version: TDSVersion) throws(TDSError) -> (PacketType, ByteBuffer) {
        let headers = version.isYukonOrLater ? AllHeaders(transactionDescriptor: session.transactionDescriptor) : nil
        var buffer = ByteBuffer()
        do throws(WireError) {
            switch self {
            case .batch(let text):
                try buffer.writeSQLBatch(SQLBatchMessage(text, headers: headers))
                return (.sqlBatch, buffer)
            case .transaction(let request):
                try buffer.writeTransactionManagerRequest(TransactionManagerRequest(request, headers: headers))
                return (.transactionManagerRequest, buffer)
            case .executeSQL(let query):
                let call = try Self.executeSQL(query, collation: session.collation ?? .sqlLatin1GeneralCP1CIAS)
                try buffer.writeRPCRequest(RPCRequestMessage([call], headers: headers), version: version)
                return (.rpc, buffer)
            }
        } catch {
            throw TDSError(.invalidParameter, "the request can't be put on the wire", underlying: error)
        }
    }

    /// sp_executesql with the statement, the declarations and the values.
    private static func executeSQL(_ query: TDSQuery, collation: Collation) throws(WireError) -> RPCRequest {
        func text(_ string: String) throws(WireError) -> RPCParameter {
            let value = TDSValue.string(string)
            let type = value.parameterType(collation: collation)
            return RPCParameter("", type, try value.wireContent(for: type))
        }
        var declarations: [String] = []
        var values: [RPCParameter] = []
        for parameter in query.parameters {
            let type = parameter.type ?? parameter.value.parameterType(collation: collation)
            declarations.append("\(parameter.name) \(type.declaration)\(parameter.isOutput ? " OUTPUT" : "")")
            values.append(RPCParameter(parameter.name, type, try parameter.value.wireContent(for: type), status: parameter.isOutput ? .byReference : []))
        }
        return RPCRequest(.id(.executeSQL), parameters: [try text(query.sql), try text(declarations.joined(separator: ", "))] + values)
    }
}
