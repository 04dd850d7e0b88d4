import NIOCore
import TDSWire
import Testing

@testable import SQLServerSimulator

@Suite("Server: results that are not a table's rows")
struct ServerCatalogTests {
    private func text(_ response: WireResponse, result: Int = 0) throws -> [[String: String]] {
        let columns = response.columns[result]
        return try response.rows.map { row in
            var texts: [String: String] = [:]
            for (column, bytes) in zip(columns, row) {
                guard let bytes else { continue }
                texts[column.name] = try TDSValue(wire: ByteBuffer(bytes: bytes), typeInfo: column.typeInfo).description
            }
            return texts
        }
    }

    @Test("ORDER tells by which columns a result is sorted; without ORDER BY there is none")
    func order() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("CREATE TABLE t (a int PRIMARY KEY, b int, c int)")
                func order(_ sql: String) async throws -> [[UInt16]] {
                    let response = try await client.batch(sql)
                    #expect(response.errors.isEmpty)
                    return response.tokens.compactMap { if case .order(let columns) = $0 { columns } else { nil } }
                }
                #expect(try await order("SELECT a, b, c FROM t ORDER BY c DESC, a") == [[3, 1]])
                #expect(try await order("SELECT b AS x, a FROM t ORDER BY 2, x") == [[2, 1]])
                #expect(try await order("SELECT a FROM t UNION SELECT b FROM t ORDER BY a") == [[1]])
                #expect(try await order("SELECT a FROM t; SELECT a FROM t ORDER BY c") == [])
            }
        }
    }

    @Test("Rows of an OUTPUT clause")
    func output() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("CREATE TABLE t (a int IDENTITY PRIMARY KEY, c varchar(10) COLLATE Cyrillic_General_CI_AS); CREATE TABLE u (c varchar(10) COLLATE Cyrillic_General_CI_AS)")
                let response = try await client.batch("INSERT INTO t (c) OUTPUT INSERTED.a VALUES ('x'), ('y')")
                #expect(response.rows == [[[1, 0, 0, 0]], [[2, 0, 0, 0]]])
                #expect(response.dones.compactMap(\.validRowCount) == [2])
                let into = try await client.batch("INSERT INTO t (c) OUTPUT INSERTED.c INTO u VALUES (N'да'); SELECT c FROM u")
                #expect(into.rows == [[[0xE4, 0xE0]]])
            }
        }
    }

    @Test("A bulk load keeps text of the column's code page, across many rows")
    func bulkText() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY, c varchar(20) COLLATE Cyrillic_General_CI_AS)")
                let collation = try #require(Collation(named: "Cyrillic_General_CI_AS"))
                _ = try await client.batch("INSERT BULK t ([id] int, [c] varchar(20) COLLATE Cyrillic_General_CI_AS)")
                var message = ByteBuffer()
                let columns = [ColumnMetadata("id", TypeInfo(.intN, maximumLength: 4)), ColumnMetadata("c", TypeInfo(.bigVarChar, maximumLength: 20, collation: collation))]
                let rows = (0..<Int32(3000)).map { [ByteBuffer(integer: $0, endianness: .little), CodePage.cp1251.encode("ряд \($0)")] as [ByteBuffer?] }
                try message.writeBulkLoad(BulkLoad(columns: columns, rows: rows))
                try await client.send(.bulkLoad, message)
                let loaded = try await client.response()
                #expect(loaded.errors.isEmpty)
                #expect(loaded.dones.last?.validRowCount == 3000)
                let row = try await text(client.batch("SELECT COUNT(*) AS n, (SELECT c FROM t WHERE id = 2999) AS c FROM t"))
                #expect(row == [["n": "3000", "c": "ряд 2999"]])
            }
        }
    }

    @Test("sp_describe_first_result_set: the first query's columns, not run")
    func describe() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("CREATE TABLE t (id int NOT NULL IDENTITY PRIMARY KEY, v varchar(max) COLLATE Japanese_CI_AS, d decimal(10,2))")
                let response = try await client.batch("EXEC sp_describe_first_result_set N'DECLARE @x int; SELECT id, v, @p, 1/0 FROM t ORDER BY id', N'@p decimal(5,1)'")
                #expect(response.errors.isEmpty)
                #expect(response.columns.first?.count == 39)
                let rows = try text(response)
                #expect(rows.map { $0["column_ordinal"] } == ["1", "2", "3", "4"])
                #expect(rows.map { $0["name"] } == ["id", "v", nil, nil])
                #expect(rows.map { $0["system_type_name"] } == ["int", "varchar(max)", "decimal(5,1)", "int"])
                #expect(rows.map { $0["is_nullable"] } == ["0", "1", "1", "1"])
                #expect(rows.map { $0["is_identity_column"] } == ["1", "0", "0", "0"])
                #expect(rows.map { $0["tds_type_id"] } == ["56", "167", "106", "38"])
                #expect(rows.map { $0["ordinal_in_order_by_list"] } == ["1", nil, nil, nil])
                #expect(rows.map { $0["collation_name"] } == [nil, "Japanese_CI_AS", nil, nil])
                #expect(try await client.batch("EXEC sp_describe_first_result_set N'DELETE FROM t'").rows.isEmpty)
                #expect(try await client.batch("EXEC sp_describe_first_result_set N'SELECT * FROM nowhere'").errors.map(\.number) == [208])
            }
        }
    }

    @Test("sp_columns, sp_columns_100 and sp_stored_procedures: patterns, and what ODBC calls the types")
    func catalogue() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                _ = try await client.batch("CREATE TABLE t1 (id bigint NOT NULL IDENTITY PRIMARY KEY, n nvarchar(10), m datetime2(3)); CREATE TABLE other (x int)")
                let response = try await client.batch("EXEC sp_columns_100 N't_', N'dbo', NULL, N'%', @ODBCVer = 3")
                #expect(response.errors.isEmpty)
                #expect(response.columns.first?.count == 29)
                let rows = try text(response)
                #expect(rows.map { $0["COLUMN_NAME"] } == ["id", "n", "m"])
                #expect(rows.map { $0["DATA_TYPE"] } == ["-5", "-9", "93"])
                #expect(rows.map { $0["TYPE_NAME"] } == ["bigint identity", "nvarchar", "datetime2"])
                #expect(rows.map { $0["PRECISION"] } == ["19", "10", "23"])
                #expect(rows.map { $0["CHAR_OCTET_LENGTH"] } == [nil, "20", nil])
                #expect(rows.map { $0["IS_NULLABLE"] } == ["NO", "YES", "YES"])
                #expect(rows.map { $0["SS_IS_IDENTITY"] } == ["1", "0", "0"])
                #expect(try await client.batch("EXEC sp_columns N'other'").columns.first?.count == 19)
                let procedures = try await text(client.batch("EXEC sp_stored_procedures N'sp_col%'"))
                #expect(procedures.map { $0["PROCEDURE_NAME"] } == ["sp_columns;1", "sp_columns_100;1"])
            }
        }
    }
}
