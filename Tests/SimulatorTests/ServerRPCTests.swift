import NIOCore
import TDSWire
import Testing

@testable import SQLServerSimulator

extension WireClient {
    func call(_ requests: [RPCRequest], status: PacketStatus = []) async throws -> WireResponse {
        var message = ByteBuffer()
        try message.writeRPCRequest(RPCRequestMessage(requests, headers: version.isYukonOrLater ? AllHeaders() : nil), version: version)
        try await send(.rpc, message, status: status)
        return try await response()
    }
}

extension RPCParameter {
    static func text(_ name: String, _ text: String) -> RPCParameter {
        var content = ByteBuffer()
        content.writeUTF16(text)
        return RPCParameter(name, TypeInfo(.nVarChar, maximumLength: 8000, collation: .sqlLatin1GeneralCP1CIAS), content)
    }
    static func int(_ name: String, _ value: Int32?, output: Bool = false) -> RPCParameter {
        RPCParameter(
            name, TypeInfo(.intN, maximumLength: 4), value.map { ByteBuffer(integer: $0, endianness: .little) }, status: output ? .byReference : [])
    }
}

@Suite("Server: RPC", .serialized, .timeLimit(.minutes(15)))
struct ServerRPCTests {
    @Test("Prepared statements: prepared, executed, dropped; a handle that is not there is error 8179")
    func prepared() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                let prepare = try await client.call([
                    RPCRequest(.id(.prepare), parameters: [.int("", nil, output: true), .text("", ""), .text("", "SELECT 1"), .int("", 1)])
                ])
                #expect(prepare.returnStatus == 0)
                let handle = try #require(prepare.returnValues.first?.value?.getInteger(at: 0, endianness: .little, as: Int32.self))
                #expect(prepare.dones.map(\.kind) == [.doneProc])

                let execute = try await client.call([RPCRequest(.id(.execute), parameters: [.int("", handle)])])
                #expect(execute.errors.isEmpty)
                #expect(execute.dones.last?.kind == .doneProc)

                let byName = try await client.call([RPCRequest(.name("sp_unprepare"), parameters: [.int("@handle", handle)])])
                #expect(byName.errors.isEmpty)
                for id in [WellKnownProcedure.execute, .unprepare] {
                    let gone = try await client.call([RPCRequest(.id(id), parameters: [.int("", handle)])])
                    #expect(gone.errors.map(\.number) == [8179])
                    #expect(gone.dones.last?.status.contains(.error) == true)
                }

                let both = try await client.call([
                    RPCRequest(.id(.prepExec), parameters: [.int("", nil, output: true), .text("", ""), .text("", "SELECT 1")])
                ])
                let second = try #require(both.returnValues.first?.value?.getInteger(at: 0, endianness: .little, as: Int32.self))
                #expect(second != handle)
                // A reset drops them.
                let reset = try await client.call([RPCRequest(.id(.execute), parameters: [.int("", second)])], status: .resetConnection)
                #expect(reset.changes == [.resetConnectionAcknowledged])
                #expect(reset.errors.map(\.number) == [8179])
            }
        }
    }

    @Test("Several calls in one message: each ends with DONEPROC, all but the last with the batch bit; an error doesn't stop the others")
    func several() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                let response = try await client.call([
                    RPCRequest(.id(.executeSQL), parameters: [.text("", "")]),
                    RPCRequest(.id(.execute), parameters: [.int("", 99)]),
                    RPCRequest(.id(.executeSQL), parameters: [.text("", "")], isExecuted: false),
                    RPCRequest(.name("[sys].[sp_executesql]"), parameters: [.text("@stmt", "")]),
                ])
                let ends = response.dones.filter { $0.kind == .doneProc }
                #expect(ends.map(\.status) == [[.more, .rpcInBatch], [.more, .rpcInBatch, .error], [.more, .rpcInBatch, .error], []])
                #expect(response.errors.map(\.number) == [8179, 3991])
            }
        }
    }

    @Test("Calls that can't be carried out say why")
    func refused() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                let calls: [(RPCRequest, Int32)] = [
                    (RPCRequest(.id(.cursorOpen), parameters: [.int("", nil)]), 16937), (RPCRequest(.name("sp_cursorfetch")), 16937),
                    (RPCRequest(.id(.executeSQL)), 201), (RPCRequest(.id(.executeSQL), parameters: [.int("", 5)]), 214),
                    (RPCRequest(.id(.execute)), 201), (RPCRequest(.id(.execute), parameters: [.int("", nil)]), 8178),
                    (
                        RPCRequest(
                            .id(.executeSQL),
                            parameters: [
                                .text("", "SELECT 1"), .text("", "@t dbo.T READONLY"),
                                RPCParameter("@t", .table(TableValuedParameter(.init(database: "", schema: "dbo", typeName: "T", columns: nil)))),
                            ]), 349
                    ),
                    (
                        RPCRequest(
                            .id(.executeSQL),
                            parameters: [
                                .text("", "SELECT 1"), .text("", "@j json"), RPCParameter("@j", TypeInfo(.json, maximumLength: TypeInfo.unlimited), nil),
                            ]), 8064
                    ),
                ]
                for (request, number) in calls {
                    let response = try await client.call([request])
                    #expect(response.errors.map(\.number) == [number], "\(request.procedure)")
                    #expect(response.dones.last?.kind == .doneProc)
                }
                // The connection is as good as before.
                #expect(try await client.batch("").errors.isEmpty)
            }
        }
    }

    @Test("sp_reset_connection as a call")
    func reset() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                #expect(try await client.call([RPCRequest(.name("sp_reset_connection"))]).changes == [.resetConnectionAcknowledged])
            }
        }
    }
}
