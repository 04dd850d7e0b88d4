import CTCapture
import Testing

@Suite struct QueryTests {
    private let int = ColumnType(name: "int", maxLength: 4, precision: 10)
    private let table = TableName(schema: "a]b", table: "it's \"T\".1")

    @Test func chunksSeekByTheLeadingColumn() {
        let key = [ColumnInfo(name: "a", ordinal: 1, type: int), ColumnInfo(name: "b", ordinal: 2, type: int), ColumnInfo(name: "c", ordinal: 3, type: int)]
        let query = BackfillQuery(table: table, columns: key, key: key, after: [.integer(1), .integer(2), .integer(3)], limit: 10, filter: "a < 5 OR b = 1")
        #expect(
            query.statement.text == """
                SELECT TOP (@limit) [a], [b], [c] FROM [a]]b].[it's "T".1] WHERE [a] >= @k0 AND ([a] > @k0 OR ([b] >= @k1 AND ([b] > @k1 OR ([c] > @k2)))) \
                AND (a < 5 OR b = 1) ORDER BY [a], [b], [c]
                """)
        #expect(query.statement.parameters.map(\.name) == ["@limit", "@k0", "@k1", "@k2"])
        #expect(query.statement.parameters.last == SQLParameter("@k2", int, .integer(3)))
        var first = query
        first.after = nil
        first.filter = nil
        first.inSnapshot = true
        #expect(first.statement.text == "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; SELECT TOP (@limit) [a], [b], [c] FROM [a]]b].[it's \"T\".1] ORDER BY [a], [b], [c]")
        first.inSnapshot = false
        #expect(first.statement.text == "SELECT TOP (@limit) [a], [b], [c] FROM [a]]b].[it's \"T\".1] ORDER BY [a], [b], [c]")
    }

    @Test func varcharOfAnotherCodePageTravelsAsUnicode() {
        let type = ColumnType(name: "varchar", maxLength: 32, collation: "Cyrillic_General_CI_AS")
        let key = [ColumnInfo(name: "k", ordinal: 1, type: type)]
        var query = BackfillQuery(
            table: table, columns: key, key: key, after: [.text("д")], limit: 1, databaseCollation: "SQL_Latin1_General_CP1_CI_AS")
        #expect(query.statement.text.contains("WHERE [k] > CAST(@k0 COLLATE Cyrillic_General_CI_AS AS varchar(32)) ORDER"))
        #expect(query.statement.parameters.last?.type.declaration == "nvarchar(32)")
        query.databaseCollation = "cyrillic_general_ci_as"
        #expect(query.statement.text.contains("WHERE [k] > @k0 ORDER"))
        #expect(query.statement.parameters.last?.type.declaration == "varchar(32)")
    }

    @Test func changesCarryAPresenceMarkerAndTheirOwnKeys() {
        let id = ColumnInfo(name: "id", ordinal: 1, type: int)
        let query = ChangeQuery(table: TableName(schema: "dbo", table: "T"), columns: [ColumnInfo(name: "B", ordinal: 2, type: int), id], key: [id], since: 7)
        #expect(
            query.statement.text == """
                SELECT ct.SYS_CHANGE_OPERATION, ct.SYS_CHANGE_VERSION, CASE WHEN base.[id] IS NULL THEN 0 ELSE 1 END AS row_present, base.[B], ct.[id] \
                FROM CHANGETABLE(CHANGES [dbo].[T], @since) AS ct LEFT JOIN [dbo].[T] AS base ON base.[id] = ct.[id] ORDER BY ct.[id]
                """)
        #expect(query.statement.parameters == [SQLParameter("@since", ColumnType(name: "bigint", maxLength: 8, precision: 19), .integer(7))])
    }

    @Test func probesStayUnderTheParameterLimit() {
        let tables = (0..<ProbeQuery.batchSize).map { (name: TableName(schema: "s", table: "t\($0)"), since: Int64($0)) }
        let statement = ProbeQuery(tables).statement
        #expect(statement.parameters.count < 2100)
        #expect(statement.text.components(separatedBy: " UNION ALL ").count == ProbeQuery.batchSize)
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] { split(separator: separator) }
}
