import NIOCore
import TDSRecording
import TDSWire
import Testing

/// What the recorded clients said and were told, compared with what Tests/conformance/record.py made them say: the statements, the values of their
/// parameters and bulk loads, and the rows that its SETUP puts into the table. The script's literals are the source, not our decoder.
@Suite struct RecordedClientValueTests {
    /// Statements of record.py that have no parameter.
    static let batch = "SELECT 1 AS one, N'zwölf' AS twelve, NULL AS nothing; PRINT N'between'; SELECT id FROM dbo.types ORDER BY id"
    static let all = "SELECT * FROM dbo.types ORDER BY id"
    static let missingTable = "SELECT * FROM no_such_table"
    static let duplicate = "INSERT INTO dbo.keys (id) VALUES (2)"
    static let delete = "DELETE FROM dbo.keys"

    /// The values that `common` passes, and the two inserts.
    static let common: [[String]] = [["-5"], ["1099511627776"], ["naïve 🎉"], [String(repeating: "x", count: 5000)]]
    static let inserts: [[String]] = [["1", "eins"], ["2", "zwei"]]
    /// The values of further types.
    static let typed: [[String]] = [
        ["12345.678"], ["2024-02-29"], ["2024-02-29 12:34:56.789000"], ["0x0001FF"], ["1"], ["6F9619FF-8B86-D011-B42D-00C04FC964FF"],
    ]

    /// Row 1 of dbo.types by column, as its INSERT in record.py's SETUP has it (char and nchar padded to their length).
    static let row: [String: String] = [
        "id": "1", "c_bit": "1", "c_tinyint": "255", "c_smallint": "-32768", "c_bigint": "-9223372036854775808",
        "c_decimal": "1234567890123456789012345678.0123456789", "c_money": "922337203685477.5807", "c_smallmoney": "-214748.3648",
        "c_float": "1.7976931348623157e+308", "c_real": "-1.5", "c_char": "naïve ", "c_varchar": "Zürich – €", "c_varcharmax": String(repeating: "x", count: 9000),
        "c_nchar": "日本  ", "c_nvarchar": "Ünïcödé 🎉", "c_nvarcharmax": String(repeating: "é", count: 5000), "c_text": "some text", "c_ntext": "some ntext ✓",
        "c_binary": "0x00FF01FE", "c_varbinary": "0xDEADBEEF", "c_varbinarymax": "0x0102", "c_image": "0x0304", "c_date": "9999-12-31",
        "c_time": "23:59:59.9999999", "c_datetime": "1753-01-01 00:00:00.000", "c_smalldatetime": "2079-06-06 23:59:00",
        "c_datetime2": "2024-02-29 12:34:56.789", "c_datetimeoffset": "2024-02-29 12:34:56 +05:30", "c_guid": "6F9619FF-8B86-D011-B42D-00C04FC964FF",
        "c_xml": "<a b=\"1\">é</a>",
    ]

    @Test func mssqlPython() throws {
        let session = try Session("mssql-python")
        #expect(session.statements == [Self.batch, Self.all, Self.missingTable, Self.duplicate, Self.delete])
        #expect(session.parameters == Self.common + [["NULL"], ["1.5"]] + Self.inserts + Self.typed)
        // The handles of sp_prepexec and sp_prepare.
        #expect(session.returnValues.count == 13 + 1)
        // 2812: its question for the type of NULL, a procedure that the simulator doesn't have.
        #expect(session.errors == [2812, 208, 2627])
        try session.expectRowsOfTypes(columns: 30, times: 1)
        // It declares datetime2, which has seven digits, and sends six.
        var typed = Self.typed
        typed[2] = ["2024-02-29 12:34:56.7890000"]
        try session.expectEchoes(Self.common + [["NULL"], ["1.5"]] + typed)
    }

    @Test func pythonTDS() throws {
        let session = try Session("python-tds")
        #expect(
            session.statements == [
                Self.batch, Self.all, "SELECT NULL AS v", Self.missingTable, Self.duplicate, Self.delete, "INSERT BULK [dbo].[loaded]([id] INT,[name] NVARCHAR(50)) ",
                "SELECT COUNT(*) FROM dbo.loaded", "SELECT TOP 3000 a.id, a.c_nvarchar FROM dbo.types a CROSS JOIN dbo.types b", "SELECT 1 AS after_cancel",
            ])
        // callproc passes sp_executesql's statement and declarations as parameters like any other.
        #expect(session.parameters == Self.common + [["1.5"]] + Self.inserts + Self.typed + [["21", "NULL"]])
        #expect(session.errors == [208, 2627])
        #expect(session.loaded == [["1", "eins"], ["2", "NULL"], ["3", "drei"]])
        // SET @o = @i * 2, with 21.
        #expect(session.returnValues == ["42"])
        try session.expectRowsOfTypes(columns: 30, times: 1)
        try session.expectEchoes(Self.common + [["NULL"], ["1.5"]] + Self.typed)
        let names = [["1", "Ünïcödé 🎉"], ["2", "NULL"]]
        #expect(session.results.contains { $0.names == ["id", "c_nvarchar"] && $0.rows.count == 4 && $0.rows.allSatisfy { names.contains($0) } })
        #expect(session.results.contains { $0.rows == [["3"]] })
        #expect(session.results.last?.names == ["after_cancel"] && session.results.last?.rows == [["1"]])
    }

    @Test func pymssql() throws {
        let session = try Session("pymssql")
        // FreeTDS writes the parameters into the statement, and asks for transactions in batches.
        let own = session.statements.filter { !["BEGIN TRAN", "COMMIT TRAN", "ROLLBACK TRAN"].contains($0) }.dropFirst(2)
        let literals = ["-5", "1099511627776", "N'naïve 🎉'", "N'" + String(repeating: "x", count: 5000) + "'", "NULL", "1.5"]
        #expect(
            Array(own.prefix(14)) == [Self.batch, Self.all] + literals.map { "SELECT \($0) AS v" } + [
                "INSERT INTO dbo.keys (id, name) VALUES (1, N'eins')", "INSERT INTO dbo.keys (id, name) VALUES (2, N'zwei')", Self.missingTable, Self.duplicate, Self.delete,
                "SELECT 1 AS after_cancel",
            ])
        #expect(own.last == "insert bulk dbo.loaded ([id] INT, [name] NVARCHAR(50), [at] DATETIME2)")
        #expect(session.errors == [208, 2627])
        // Declared as DATETIME2, which has seven digits.
        #expect(session.loaded == [["4", "vier", "2024-02-29 12:34:56.7890000"], ["5", "NULL", "NULL"]])
        try session.expectRowsOfTypes(columns: 30, times: 1)
        try session.expectEchoes(Self.common + [["NULL"], ["1.5"]])
        #expect(session.results.contains { $0.names == ["seven"] && $0.rows == [["7"]] })
    }

    @Test func connectorX() throws {
        let session = try Session("connectorx")
        // It asks for the query's columns first; tiberius declares no parameters.
        #expect(session.statements == ["SELECT 1"] && session.parameters == [[], []])
        #expect(session.errors.isEmpty)
        try session.expectRowsOfTypes(columns: 15, times: 2)
    }

    /// A recorded session, decoded to text.
    struct Session {
        struct Result: Equatable {
            var names: [String]
            var rows: [[String]] = []
        }

        var statements: [String] = []
        /// By RPC: the values of a statement's own parameters.
        var parameters: [[String]] = []
        var loaded: [[String]] = []
        var errors: [Int32] = []
        var returnValues: [String] = []
        var results: [Result] = []

        init(_ name: String) throws {
            for connection in try RecordedClientTests.connections(name) {
                var version = TDSVersion.v7_4
                var answersPreLogin = true
                for (direction, type, payload) in try CaptureTests.messages(connection) {
                    var message = payload
                    switch (direction, type) {
                    case (.toServer, .login7): version = try message.readLogin7().version
                    case (.toServer, .sqlBatch): statements.append(try message.readSQLBatch(version: version).text)
                    case (.toServer, .rpc): try add(message.readRPCRequest(version: version))
                    case (.toServer, .bulkLoad):
                        let load = try message.readBulkLoad(version: version)
                        loaded += try load.rows.map { try zip($0, load.columns).map { try TDSValue(wire: $0, typeInfo: $1.typeInfo).description } }
                    case (.toClient, .tabularResult) where answersPreLogin: answersPreLogin = false
                    case (.toClient, .tabularResult): try addAnswer(message, version)
                    default: break
                    }
                }
            }
        }

        /// Leaves out what belongs to the procedure: handles, statements, declarations, options.
        private mutating func add(_ message: RPCRequestMessage) throws {
            for request in message.requests {
                let own: Int
                switch request.procedure.name {
                case "sp_executesql": own = 2
                case "sp_prepexec": own = 3
                case "sp_execute": own = 1
                case "sp_prepare", "sp_unprepare", "sp_describe_undeclared_parameters": continue
                case let other:
                    Issue.record("\(other)")
                    continue
                }
                parameters.append(
                    try request.parameters.dropFirst(own).map {
                        guard case .scalar(let type, let content) = $0.value else { return "table" }
                        return try TDSValue(wire: content, typeInfo: type).description
                    })
            }
        }

        private mutating func addAnswer(_ message: ByteBuffer, _ version: TDSVersion) throws {
            var decoder = TokenStreamDecoder(version: version)
            var sink = TextSink()
            decoder.append(message)
            while case .token(let token) = try decoder.decode(into: &sink) {
                switch token {
                case .error(let error): errors.append(error.number)
                case .returnValue(let value): returnValues.append(try TDSValue(wire: value.value, typeInfo: value.typeInfo).description)
                default: break
                }
            }
            if let failure = sink.failure { throw failure }
            results += sink.results
        }

        /// The first row of dbo.types has record.py's values, the second none but its key.
        func expectRowsOfTypes(columns: Int, times: Int) throws {
            let found = results.filter { $0.names.count == columns && $0.names.starts(with: ["id", "c_bit", "c_tinyint", "c_smallint", "c_bigint"]) }
            #expect(found.count == times)
            for result in found {
                #expect(result.rows.count == 2)
                for (name, value) in zip(result.names, result.rows.first ?? []) { #expect(value == RecordedClientValueTests.row[name], "\(name)") }
                #expect(result.rows.last == ["2"] + [String](repeating: "NULL", count: columns - 1))
            }
        }

        /// The server echoed the values of `SELECT … AS v`, one row each.
        func expectEchoes(_ values: [[String]]) throws {
            #expect(results.filter { $0.names == ["v"] }.map(\.rows) == values.map { [$0] })
        }
    }
}

/// Turns rows into text.
private struct TextSink: RowSink {
    var results: [RecordedClientValueTests.Session.Result] = []
    var failure: (any Error)?
    private var types: [TypeInfo] = []
    private var large = ByteBuffer()

    mutating func columns(_ columns: [ColumnMetadata]) {
        types = columns.map(\.typeInfo)
        results.append(.init(names: columns.map(\.name)))
    }
    mutating func rowBegins() { results[results.count - 1].rows.append([]) }
    mutating func null(column: Int) { add("NULL") }
    mutating func value(_ bytes: RawSpan, column: Int) {
        do { add(try TDSValue(wire: bytes, typeInfo: types[column]).description) } catch { failure = error }
    }
    mutating func largeValueBegins(column: Int, length: UInt64?) { large = ByteBuffer() }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { large.writeBytes(bytes) }
    mutating func largeValueEnds(column: Int) {
        do { add(try TDSValue(wire: large, typeInfo: types[column]).description) } catch { failure = error }
    }
    mutating func rowEnds() {}

    private mutating func add(_ text: String) { results[results.count - 1].rows[results[results.count - 1].rows.count - 1].append(text) }
}
