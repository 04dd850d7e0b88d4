import NIOCore
import TDSWire
import Testing

@testable import SQLServerSimulator

/// The front-end with the engine behind it, seen from the wire.
@Suite("Server: sessions", .serialized, .timeLimit(.minutes(15)))
struct ServerSessionTests {
    private static func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] } }

    @Test("Logins that fail: their numbers, an error DONE, and the end of the connection")
    func failures() async throws {
        try await withServer { server in
            let cases: [((inout Login7) -> Void, [Int32])] = [
                ({ $0.password = "wrong" }, [18456]), ({ $0.userName = "nobody" }, [18456]), ({ $0.database = "nowhere" }, [4060, 18456]),
            ]
            for (change, numbers) in cases {
                try await WireClient.with(server) { client in
                    let response = try await client.logIn(server, .loginOnly, change: change)
                    #expect(response.errors.map(\.number) == numbers)
                    #expect(response.loginAck == nil)
                    #expect(response.dones.last?.status == .error)
                    await #expect(throws: ConnectionClosed.self) { try await client.response() }
                }
            }
        }
    }

    @Test("A login tells database and language, by ENVCHANGE and messages")
    func loginEvents() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                let response = try await client.logIn(server)
                #expect(response.infos.map(\.number) == [5701, 5703])
                #expect(response.changes.contains { if case .database("test", _) = $0 { true } else { false } })
                #expect(response.changes.contains { if case .language("us_english", _) = $0 { true } else { false } })
            }
        }
    }

    @Test("A batch of several statements: a result for each, DONE with its count, MORE on all but the last")
    func batch() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                let response = try await client.batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY, n nvarchar(10)); INSERT INTO t VALUES (1, N'x'), (2, NULL); SELECT id, n FROM t ORDER BY id; PRINT 'hi'; SELECT 7 AS seven")
                #expect(response.errors.isEmpty)
                #expect(response.rows == [[[1, 0, 0, 0], Self.utf16("x")], [[2, 0, 0, 0], nil], [[7, 0, 0, 0]]])
                #expect(response.columns.map { $0.map(\.name) } == [["id", "n"], ["seven"]])
                #expect(response.columns.first?.first?.typeInfo.dataType == .int4)
                #expect(response.dones.compactMap(\.validRowCount) == [2, 2, 1])
                #expect(response.infos.map(\.text) == ["hi"])
                #expect(response.infos.map(\.severity) == [0])

                let failed = try await client.batch("SELECT * FROM nowhere")
                #expect(failed.errors.map(\.number) == [208])
                #expect(failed.dones.last?.status.contains(.error) == true)
            }
        }
    }

    @Test("sp_executesql: parameters by position and by name, output parameters by their place in the call")
    func executeSQL() async throws {
        try await withServer { server in
            try await WireClient.with(server, { client in
                _ = try await client.logIn(server)
                let response = try await client.call([
                    RPCRequest(
                        .id(.executeSQL),
                        parameters: [
                            .text("", "SELECT @a AS a, @b AS b; SET @o = @a * 2"), .text("", "@a int, @b nvarchar(10), @o int OUTPUT"), .int("@a", 21),
                            .text("@b", "ä"), .int("@o", nil, output: true),
                        ])
                ])
                #expect(response.errors.isEmpty)
                #expect(response.rows == [[[21, 0, 0, 0], Self.utf16("ä")]])
                let output = try #require(response.returnValues.first)
                #expect(output.name == "@o" && output.ordinal == 4)
                #expect(output.value?.getInteger(at: 0, endianness: .little, as: Int32.self) == 42)
                #expect(response.returnStatus == 0)
                #expect(response.dones.first?.kind == .doneInProc)
                #expect(response.dones.last?.kind == .doneProc)

                let failed = try await client.call([RPCRequest(.id(.executeSQL), parameters: [.text("", "SELECT 1/0")])])
                #expect(failed.errors.map(\.number) == [8134])
                #expect(failed.dones.last?.status.contains(.error) == true)

                let unknown = try await client.call([RPCRequest(.name("dbo.no_such_procedure"), parameters: [.int("@x", 1)])])
                #expect(unknown.errors.map(\.number) == [2812])
            })
        }
    }

    @Test("Prepared statements run with each call's values")
    func prepared() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                let first = try await client.call([
                    RPCRequest(
                        .id(.prepExec), parameters: [.int("", nil, output: true), .text("", "@p int"), .text("", "SELECT @p + 1"), .int("@p", 1)])
                ])
                #expect(first.rows == [[[2, 0, 0, 0]]])
                let handle = try #require(first.returnValues.first?.value?.getInteger(at: 0, endianness: .little, as: Int32.self))
                for value in Int32(10)..<13 {
                    let response = try await client.call([RPCRequest(.id(.execute), parameters: [.int("", handle), .int("@p", value)])])
                    #expect(response.rows == [[[UInt8(value) + 1, 0, 0, 0]]])
                }
            }
        }
    }

    @Test("An attention stops a result, a wait and a lock's wait; the connection goes on", arguments: [WireEncryption.none, .full])
    func attention(encryption: WireEncryption) async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server, encryption)
                _ = try await client.batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY)")
                _ = try await client.batch("INSERT INTO t VALUES " + (1...1000).map { "(\($0))" }.joined(separator: ","))
                for sql in ["SELECT a.id FROM t a CROSS JOIN t b CROSS JOIN t c", "WAITFOR DELAY '23:00:00'"] {
                    try await client.sendBatch(sql)
                    try await Task.sleep(for: .milliseconds(100))
                    try await client.attention()
                    let response = try await client.response()
                    #expect(response.dones.last?.status.contains(.attention) == true)
                    let next = try await client.batch("SELECT 5")
                    #expect(next.rows == [[[5, 0, 0, 0]]])
                    #expect(next.dones.allSatisfy { !$0.status.contains(.attention) })
                }
                // A lock that another session holds.
                try await WireClient.with(server) { other in
                    _ = try await other.logIn(server)
                    _ = try await other.batch("BEGIN TRANSACTION; UPDATE t SET id = 5000 WHERE id = 1")
                    try await client.sendBatch("UPDATE t SET id = 5001 WHERE id = 1")
                    try await Task.sleep(for: .milliseconds(100))
                    try await client.attention()
                    #expect(try await client.response().dones.last?.status.contains(.attention) == true)
                }
                #expect(try await client.batch("SELECT 6").rows == [[[6, 0, 0, 0]]])
            }
        }
    }

    @Test("A result that nobody reads makes its session wait, and arrives whole in the end")
    func backPressure() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server) { $0.packetSize = 8000 }
                _ = try await client.batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY, v varchar(8000))")
                for first in stride(from: 0, to: 1000, by: 100) {
                    _ = try await client.batch("INSERT INTO t VALUES " + (first..<first + 100).map { "(\($0), REPLICATE('x', 7000))" }.joined(separator: ","))
                }
                try await client.sendBatch("SELECT a.id, a.v FROM t a CROSS JOIN (VALUES (1),(2),(3),(4)) AS m (n)")
                try await Task.sleep(for: .milliseconds(300))
                let response = try await client.response()
                #expect(response.rows.count == 4000)
                #expect(response.dones.last?.validRowCount == 4000)
            }
        }
    }

    @Test("Transaction manager requests: begin and end by ENVCHANGE, with the descriptor; DONE says when one is open")
    func transactions() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY)")
                func request(_ request: TransactionManagerRequest.Request, _ descriptor: UInt64 = 0) async throws -> WireResponse {
                    var message = ByteBuffer()
                    try message.writeTransactionManagerRequest(TransactionManagerRequest(request, headers: AllHeaders(transactionDescriptor: descriptor)))
                    try await client.send(.transactionManagerRequest, message)
                    return try await client.response()
                }
                let begun = try await request(.begin(.readCommitted, name: ""))
                let descriptor = try #require(begun.changes.compactMap { if case .beginTransaction(let descriptor) = $0 { descriptor } else { nil } }.first)
                #expect(descriptor != 0)
                let insert = try await client.batch("INSERT INTO t VALUES (1)", descriptor: descriptor)
                #expect(insert.dones.last?.status.contains(.inTransaction) == true)
                let ended = try await request(.rollback(name: "", next: nil), descriptor)
                #expect(ended.changes == [.rollbackTransaction(descriptor: descriptor)])
                #expect(ended.dones.last?.status.contains(.inTransaction) == false)
                #expect(try await client.batch("SELECT COUNT(*) FROM t").rows == [[[0, 0, 0, 0]]])

                let again = try await request(.begin(.current, name: ""))
                _ = try await client.batch("INSERT INTO t VALUES (2)")
                let next = try await request(.commit(name: "", next: .init(isolationLevel: .snapshot)))
                #expect(next.changes.count == 2)
                #expect(again.errors.isEmpty && next.errors.isEmpty)
                // The reset rolls the second one back and says nothing of rows.
                _ = try await client.batch("INSERT INTO t VALUES (3)")
                #expect(try await client.batch("SELECT COUNT(*) FROM t", status: .resetConnection).rows == [[[1, 0, 0, 0]]])

                #expect(try await request(.promote).errors.map(\.number) == [8501])
                #expect(try await client.batch("SELECT 1").errors.isEmpty)
            }
        }
    }

    @Test("Bulk load: rows go in, all or none")
    func bulk() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY, n nvarchar(20) NULL, d decimal(9,2) NULL)")
                let columns = [
                    ColumnMetadata("id", TypeInfo(.intN, maximumLength: 4)),
                    ColumnMetadata("n", TypeInfo(.nVarChar, maximumLength: 40, collation: .sqlLatin1GeneralCP1CIAS)),
                ]
                func load(_ rows: [(Int32, String?)]) async throws -> WireResponse {
                    let begun = try await client.batch("INSERT BULK [t] ([id] int, [n] nvarchar(20) COLLATE SQL_Latin1_General_CP1_CI_AS) WITH (TABLOCK)")
                    #expect(begun.errors.isEmpty)
                    var message = ByteBuffer()
                    try message.writeBulkLoad(
                        BulkLoad(
                            columns: columns,
                            rows: rows.map { id, text in [ByteBuffer(integer: id, endianness: .little), text.map { ByteBuffer(bytes: Self.utf16($0)) }] }))
                    try await client.send(.bulkLoad, message)
                    return try await client.response()
                }
                let good = try await load((0..<500).map { ($0, $0 % 3 == 0 ? nil : "row \($0)") })
                #expect(good.errors.isEmpty)
                #expect(good.dones.last?.validRowCount == 500)
                let bad = try await load([(1000, "x"), (0, "again")])
                #expect(bad.errors.map(\.number) == [2627])
                let rows = try await client.batch("SELECT COUNT(*), COUNT(n), MAX(id) FROM t").rows
                #expect(rows == [[[0xF4, 1, 0, 0], [0x4D, 1, 0, 0], [0xF3, 1, 0, 0]]])
                #expect(try await client.batch("INSERT BULK nowhere (id int)").errors.map(\.number) == [208])
                // Rows that nobody announced.
                try await client.send(.bulkLoad, ByteBuffer(bytes: [0xFD] + [UInt8](repeating: 0, count: 12)))
                #expect(try await client.response().errors.first?.severity == 20)
            }
        }
    }

    @Test("NULL bitmaps on demand; text of UTF-8 columns for clients with and without UTF8_SUPPORT; older versions' types")
    func abilities() async throws {
        try await withServer { server in
            let table = "CREATE TABLE t (id int NOT NULL PRIMARY KEY, u varchar(20) COLLATE Latin1_General_100_CI_AS_SC_UTF8, d date, m nvarchar(max), "
                + (1...30).map { "c\($0) int" }.joined(separator: ", ") + "); INSERT INTO t (id, u, d, m, c29) VALUES (1, N'日本', '2024-02-29', N'é', 9), (2, NULL, NULL, NULL, NULL)"
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch(table)
                let plain = try await client.batch("SELECT * FROM t ORDER BY id")
                server.faults.update { $0.usesNullBitmapRows = true }
                let bitmaps = try await client.batch("SELECT * FROM t ORDER BY id")
                server.faults.removeAll()
                #expect(bitmaps.rows == plain.rows)
                #expect(bitmaps.packets.reduce(0, +) < plain.packets.reduce(0, +))
                #expect(plain.rows.first?.prefix(4) == [[1, 0, 0, 0], Self.utf16("日本"), [0x80, 0x46, 0x0B], Self.utf16("é")])
                #expect(plain.columns.first?[1].typeInfo.dataType == .nVarChar)
            }
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server) { $0.features = [FeatureRequest(.utf8Support)] }
                let response = try await client.batch("SELECT u FROM t WHERE id = 1")
                #expect(response.rows == [[Array("日本".utf8)]])
                #expect(response.columns.first?.first?.typeInfo.collation?.isUTF8 == true)
            }
            for version in [TDSVersion.v7_1, .v7_2, .v7_3_a, .v7_3_b] {
                try await WireClient.with(server) { client in
                    let login = try await client.logIn(server) { $0.version = version }
                    #expect(login.loginAck?.version == version)
                    let response = try await client.batch("SELECT d, m FROM t ORDER BY id")
                    let date = version < .v7_3_a ? Self.utf16("2024-02-29") : [0x80, 0x46, 0x0B]
                    #expect(response.rows == [[date, Self.utf16("é")], [nil, nil]], "\(version)")
                    #expect(response.columns.first?[1].typeInfo.dataType == (version < .v7_2 ? .nText : .nVarChar))
                    #expect(response.dones.last?.validRowCount == 2)
                }
            }
        }
    }

    @Test("What Microsoft's clients ask before a bulk copy: a list of columns made row by row in order, and the columns' collations")
    func bulkCopyMetadata() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("CREATE TABLE t (b int NOT NULL PRIMARY KEY, a nvarchar(5), c int)")
                let list = try await client.batch(
                    "DECLARE @n nvarchar(max); SELECT @n = COALESCE(@n + N', ', N'') + QUOTENAME(name) FROM sys.all_columns WHERE object_id = OBJECT_ID(N't') ORDER BY name DESC; SELECT @n")
                #expect(list.rows == [[Self.utf16("[c], [b], [a]")]])
                let collations = try await client.batch("EXEC tempdb..sp_tablecollations_100 N'.[t]'")
                #expect(collations.columns.first?.map(\.name) == ["colid", "name", "tds_collation", "collation"])
                #expect(collations.rows.count == 3)
                #expect(collations.rows.dropFirst().first == [[2, 0, 0, 0], Self.utf16("a"), [9, 4, 0xD0, 0, 0x34], Self.utf16("SQL_Latin1_General_CP1_CI_AS")])
            }
        }
    }

    @Test("A reader's rights are checked, and its errors have the right numbers")
    func reader() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY)")
            }
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server, .full) {
                    $0.userName = "flow_capture"
                    $0.password = "Reader1!"
                }
                #expect(try await client.batch("SELECT id FROM t").errors.isEmpty)
                #expect(try await client.batch("INSERT INTO t VALUES (1)").errors.map(\.number) == [229])
            }
        }
    }
}
