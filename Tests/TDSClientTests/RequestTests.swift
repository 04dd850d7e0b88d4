import NIOCore
import TDSWire
import Testing

@testable import TDSClient

@Suite("Requests", .timeLimit(.minutes(15)))
struct RequestTests {
    /// What the server gets of each kind of value: the declaration, and the value itself.
    static func parameters() throws -> [(TDSValue, String)] {
        let date = try TDSDate(year: 2026, month: 11, day: 24)
        let time = try TDSTime(text: "12:34:56.1234567")
        let dateTime2 = TDSDateTime2(date: date, time: time)
        return [
            (.null, "nvarchar(4000)"), (.bool(true), "bit"), (.uint8(255), "tinyint"), (.int16(-32768), "smallint"), (.int32(-5), "int"),
            (.int64(.max), "bigint"), (.float(1.5), "real"), (.double(-2.25), "float"), (.decimal(try TDSDecimal(isNegative: true, magnitude: 123_456_789, scale: 4)), "decimal(38,4)"),
            (.money(TDSMoney(tenThousandths: -1)), "money"), (.smallMoney(TDSMoney(tenThousandths: 12345)), "smallmoney"),
            (.string("Grüße 🚲"), "nvarchar(4000)"), (.string(""), "nvarchar(4000)"), (.string(String(repeating: "ß", count: 4001)), "nvarchar(max)"),
            (.bytes(ByteBuffer(bytes: [0, 1, 255])), "varbinary(8000)"), (.bytes(ByteBuffer(repeating: 9, count: 20_000)), "varbinary(max)"),
            (.date(date), "date"), (.time(time), "time(7)"), (.dateTime2(dateTime2), "datetime2(7)"),
            (.dateTimeOffset(try TDSDateTimeOffset(utc: dateTime2, offsetMinutes: -330)), "datetimeoffset(7)"),
            (.guid(try TDSGUID(text: "6F9619FF-8B86-D011-B42D-00C04FC964FF")), "uniqueidentifier"), (.xml(TDSXML("<a/>")), "xml"),
            (.json(TDSJSON("{\"a\":1}")), "nvarchar(max)"),
        ]
    }

    @Test("sp_executesql: every kind of value arrives as it is, and is declared") func everyParameter() async throws {
        let given = try Self.parameters()
        try await TestServer.session { server, connection in
            let query = TDSQuery(
                unsafeSQL: "SELECT 1", parameters: given.enumerated().map { TDSParameter("@p\($0.offset)", $0.element.0) })
            _ = try await connection.execute(query)
            let call = try #require(server.snapshot.requests.first).call()
            #expect(call.procedure == .id(.executeSQL))
            let values = try call.parameters.map { try $0.scalar }
            #expect(values[0] == .string("SELECT 1"))
            let declarations = given.enumerated().map { "@p\($0.offset) \($0.element.1)" }.joined(separator: ", ")
            #expect(values[1] == .string(declarations))
            for (index, (value, declaration)) in given.enumerated() {
                let found = values[index + 2]
                if case .json(let text) = value {
                    #expect(found == .string(text.description))
                } else {
                    #expect(found == value, "\(declaration)")
                }
                #expect(call.parameters[index + 2].name == "@p\(index)")
            }
            #expect(call.parameters.count == given.count + 2)
        }
    }

    @Test("Interpolated values become parameters") func interpolation() async throws {
        try await TestServer.session { server, connection in
            let (name, nothing) = ("O'Neill; DROP TABLE x", String?.none)
            _ = try await connection.execute("SELECT * FROM \(unsafeSQL: "t") WHERE a = \(name) AND b = \(42) AND c = \(nothing) AND d = \("x", as: .varchar(20))")
            let call = try #require(server.snapshot.requests.first).call()
            let values = try call.parameters.map { try $0.scalar }
            #expect(values == [
                .string("SELECT * FROM t WHERE a = @p1 AND b = @p2 AND c = @p3 AND d = @p4"),
                .string("@p1 nvarchar(4000), @p2 bigint, @p3 nvarchar(4000), @p4 varchar(20)"), .string(name), .int64(42), .null, .string("x"),
            ])
        }
    }

    @Test("A parameter that its type can't hold: nothing is sent") func badParameter() async throws {
        try await TestServer.session { server, connection in
            let error = try await fails(.invalidParameter) {
                try await connection.execute(TDSQuery(unsafeSQL: "x", parameters: [TDSParameter("@secret", .string("hunter2"), type: Tokens.int)]))
            }
            #expect(!"\(error)".contains("hunter2"))
            #expect(server.snapshot.requests.isEmpty)
            _ = try await connection.execute("SELECT 1")
        }
    }

    @Test("Output parameters and the return status") func outputParameters() async throws {
        var tokens = ByteBuffer()
        tokens.writeDone(Done(.doneInProc, status: [.more, .count], currentCommand: 0xC3, rowCount: 2))
        tokens.writeReturnStatus(-6)
        try tokens.writeReturnValue(ReturnValue(ordinal: 2, name: "@total", typeInfo: Tokens.int, value: ByteBuffer(integer: Int32(99), endianness: .little)))
        let long = String(repeating: "long ", count: 3000)
        try tokens.writeReturnValue(
            ReturnValue(ordinal: 3, name: "@text", typeInfo: Tokens.maxText, value: TDSValue.string(long).wireContent(for: Tokens.maxText)))
        try tokens.writeReturnValue(ReturnValue(ordinal: 4, name: "@none", typeInfo: Tokens.int, value: nil))
        tokens.writeDone(Done(.doneProc, currentCommand: 0xE0))
        var behaviour = Behaviour()
        let reply = tokens
        behaviour.reply = { _ in .tokens(reply) }
        behaviour.packetSize = 512
        try await TestServer.session(behaviour) { server, connection in
            let query = TDSQuery(
                unsafeSQL: "EXEC p @total OUTPUT, @text OUTPUT",
                parameters: [
                    TDSParameter("@total", .null, type: Tokens.int, isOutput: true), TDSParameter("@text", .string("in"), type: Tokens.maxText, isOutput: true),
                    TDSParameter("@none", .int32(4), isOutput: true),
                ])
            let response = try await connection.execute(query)
            #expect(try response.output("@total", as: Int.self) == 99)
            #expect(try response.output("@TEXT", as: String.self) == long)
            #expect(try response.output("@none", as: Int?.self) == nil)
            #expect(throws: TDSError.self) { try response.output("@none", as: Int.self) }
            #expect(throws: TDSError.self) { try response.output("@other", as: Int.self) }
            #expect(response.returnStatus == -6)
            #expect(response.rowCounts == [2])
            let call = try #require(server.snapshot.requests.first).call()
            #expect(call.parameters.map { $0.status.contains(.byReference) } == [false, false, true, true, true])
            #expect(try call.parameters[1].scalar
                == .string("@total int OUTPUT, @text nvarchar(max) OUTPUT, @none int OUTPUT"))
        }
    }

    @Test("Every request names the transaction it is in: by ENVCHANGE alone") func transactionDescriptor() async throws {
        var behaviour = Behaviour()
        behaviour.reply = { request in
            do {
                if request.type == .transactionManagerRequest {
                    switch try request.transaction().request {
                    case .begin: return .tokens(try Tokens.change(.beginTransaction(descriptor: 0x1122_3344_5566)) + Tokens.done())
                    case .commit: return .tokens(try Tokens.change(.commitTransaction(descriptor: 0x1122_3344_5566)) + Tokens.done())
                    default: return .tokens(try Tokens.change(.rollbackTransaction(descriptor: 7)) + Tokens.done())
                    }
                }
                switch request.text {
                case "BEGIN TRAN": return .tokens(try Tokens.change(.beginTransaction(descriptor: 7)) + Tokens.done())
                // XACT_ABORT: the server rolls back by itself.
                case "fail":
                    return .tokens(try Tokens.message(.error(547, "conflict")) + Tokens.change(.rollbackTransaction(descriptor: 7)) + Tokens.done(.error))
                default: return .tokens(Tokens.done())
                }
            } catch {
                Issue.record(error)
                return .tokens(Tokens.done(.error))
            }
        }
        try await TestServer.session(behaviour) { server, connection in
            func descriptor() async throws -> UInt64? {
                _ = try await connection.execute("SELECT 1")
                let batch = try #require(server.snapshot.requests.last).batch()
                return batch.headers?.transactionDescriptor
            }
            var found: [UInt64?] = [try await descriptor()]
            try await connection.beginTransaction(isolationLevel: .snapshot)
            found.append(try await descriptor())
            try await connection.commit()
            found.append(try await descriptor())
            _ = try await connection.execute("BEGIN TRAN")
            found.append(try await descriptor())
            try await connection.rollback()
            found.append(try await descriptor())
            _ = try await connection.execute("BEGIN TRAN")
            found.append(try await connection.session.transactionDescriptor)
            try await fails(.server) { try await connection.execute("fail") }
            found.append(try await descriptor())
            #expect(found == [0, 0x1122_3344_5566, 0, 7, 0, 7, 0])
            let begin = try #require(server.snapshot.requests.first { $0.type == .transactionManagerRequest }).transaction()
            #expect(begin.request == .begin(.snapshot, name: ""))
            let parameterised = try await connection.execute("SELECT \(1)")
            #expect(parameterised.errors.isEmpty)
        }
    }

    @Test("The packet size changes in the middle of a session") func packetSize() async throws {
        var behaviour = Behaviour()
        behaviour.packetSize = 8000
        behaviour.reply = { request in
            (try? .tokens(request.text == "smaller" ? Tokens.change(.packetSize(new: 512, old: 8000)) + Tokens.done() : Tokens.done())) ?? .beginning(ByteBuffer())
        }
        try await TestServer.run(behaviour) { server in
            for encryption in [TDSConnectionConfiguration.Encryption.disabled, .required] {
                try await TDSConnection.withConnection(server.configuration(encryption)) { connection in
                    let long = TDSQuery(unsafeSQL: "--" + String(repeating: "x", count: 9000))
                    _ = try await connection.execute(long)
                    #expect(server.snapshot.requests.last?.packets == [8000, 8000, 18_026 + 3 * 8 - 16_000])
                    _ = try await connection.execute("smaller")
                    #expect(try await connection.session.packetSize == 512)
                    _ = try await connection.execute(long)
                    let packets = try #require(server.snapshot.requests.last?.packets)
                    #expect(packets.dropLast().allSatisfy { $0 == 512 } && packets.count == 36)
                    #expect(server.snapshot.requests.last?.text.utf8.count == 9002)
                }
            }
        }
    }

    @Test("The reset bit goes with the next request, and only with its first packet") func reset() async throws {
        var behaviour = Behaviour()
        behaviour.packetSize = 512
        behaviour.reply = { request in
            var tokens = ByteBuffer()
            do {
                if request.status.contains(.resetConnection) { tokens = try Tokens.change(.resetConnectionAcknowledged) }
                if request.text == "USE other" { tokens = try Tokens.change(.database(new: "other", old: "master")) }
            } catch { Issue.record(error) }
            return .tokens(tokens + Tokens.done())
        }
        try await TestServer.session(behaviour) { server, connection in
            _ = try await connection.execute("USE other")
            #expect(try await connection.session.database == "other")
            connection.resetBeforeNextRequest()
            // What can't be sent does not use it up.
            try await fails(.invalidParameter) {
                try await connection.execute(TDSQuery(unsafeSQL: "x", parameters: [TDSParameter("@p", .string("x"), type: Tokens.int)]))
            }
            _ = try await connection.execute(TDSQuery(unsafeSQL: "--" + String(repeating: "x", count: 2000)))
            #expect(try await connection.session.database == "master")
            _ = try await connection.execute("SELECT 1")
            #expect(server.snapshot.requests.map { $0.status.contains(.resetConnection) } == [false, true, false])
        }
    }

    @Test("Many requests one after the other, from several tasks in turn") func manyRequests() async throws {
        try await TestServer.session(TestServer.answering(["SELECT n": .tokens(try Tokens.ints([1, 2, 3]))])) { server, connection in
            for _ in 0..<200 {
                let found = try await Task { try await connection.ints("SELECT n") }.value
                #expect(found == [1, 2, 3])
            }
            #expect(server.snapshot.requests.count == 200)
        }
    }
}

extension RPCParameter {
    fileprivate var scalar: TDSValue {
        get throws {
            guard case .scalar(let type, let content) = value else { throw TimedOut() }
            return try TDSValue(wire: content, typeInfo: type)
        }
    }
}
