import NIOCore
import TDSWire
import Testing

@testable import SQLServerSimulator

/// char and varchar columns of collations other than Latin1's.
@Suite("Engine: code pages")
struct CodePageTests {
    @Test("Text of a column's code page is kept, what it lacks becomes a likeness or a question mark")
    func storing() throws {
        let s = try Engine().session()
        s.run("""
            CREATE TABLE t (id int PRIMARY KEY, c varchar(20) COLLATE Cyrillic_General_CI_AS, j varchar(10) COLLATE Japanese_CI_AS, l varchar(20))
            INSERT INTO t VALUES (1, N'Привет, é日🎉', N'日本語é', N'Привет, é日')
            """)
        #expect(s.text("SELECT c, j, l, DATALENGTH(c), DATALENGTH(j), LEN(j) FROM t") == ["Привет, e???|日本語e|??????, é?|12|7|4"])
        #expect(s.text("SELECT CAST(c AS varbinary(6)), CAST(j AS varbinary(8)) FROM t") == ["0xCFF0E8E2E5F2|0x93FA967B8CEA65"])
        #expect(s.text("SELECT CAST(0xCFF0E8 AS varchar(3)) COLLATE Latin1_General_CI_AS") == ["Ïðè"])
    }

    @Test("A char's length counts bytes: whole characters are cut and padded")
    func lengths() throws {
        let s = try Engine().session()
        s.run("CREATE TABLE t (j char(5) COLLATE Japanese_CI_AS, v varchar(3) COLLATE Japanese_CI_AS)")
        #expect(s.ask("INSERT INTO t (v) VALUES (N'日本')").errors.first == 2628)
        s.run("INSERT INTO t (j) VALUES (N'日本')")
        #expect(s.text("SELECT DATALENGTH(j), j + N'|' FROM t") == ["5|日本 |"])
        #expect(s.text("SELECT CAST(N'日本語' COLLATE Japanese_CI_AS AS varchar(5))") == ["日本"])
    }

    @Test("Comparisons go by the collation: case in Cyrillic, kana and width in Japanese")
    func comparing() throws {
        let s = try Engine().session()
        s.run("""
            CREATE TABLE t (id int PRIMARY KEY, c varchar(20) COLLATE Cyrillic_General_CI_AS, s varchar(20) COLLATE Cyrillic_General_CS_AS,
                j varchar(20) COLLATE Japanese_CI_AS, w varchar(20) COLLATE Japanese_CS_AS_KS_WS, b varchar(20) COLLATE Japanese_BIN2)
            INSERT INTO t VALUES (1, N'борщ', N'борщ', N'かな', N'かな', N'ア'), (2, N'Арбуз', N'Арбуз', N'ｶﾞ', N'ｶﾞ', N'亜'), (3, N'ВОДА', N'ВОДА', N'ＡＢＣ', N'ＡＢＣ', N'ｱ')
            """)
        #expect(s.text("SELECT id FROM t ORDER BY c") == ["2", "1", "3"])
        #expect(s.text("SELECT id FROM t WHERE c = N'вода'") == ["3"])
        #expect(s.text("SELECT id FROM t WHERE s = N'вода'") == [])
        #expect(s.text("SELECT id FROM t WHERE j IN (N'カナ', N'ガ', N'abc') ORDER BY id") == ["1", "2", "3"])
        #expect(s.text("SELECT id FROM t WHERE w IN (N'カナ', N'ガ', N'abc')") == [])
        // By the bytes of code page 932: 0xB1, 0x8341, 0x889F.
        #expect(s.text("SELECT id FROM t ORDER BY b") == ["1", "2", "3"])
    }

    @Test("What is known of a collation: its code page, its name as SQL Server writes it")
    func properties() throws {
        let s = try Engine(collation: "cyrillic_general_ci_as").session()
        #expect(s.text("SELECT CHAR(207), ASCII(N'П' COLLATE Cyrillic_General_CI_AS), DATABASEPROPERTYEX(DB_NAME(), 'Collation')") == ["П|207|Cyrillic_General_CI_AS"])
        #expect(
            s.text("SELECT COLLATIONPROPERTY('japanese_ci_as', 'CodePage'), COLLATIONPROPERTY('SQL_Latin1_General_CP850_BIN', 'CodePage'), COLLATIONPROPERTY('Indic_General_90_CI_AS', 'CodePage')")
                == ["932|850|0"])
        #expect(SQLCollation(named: "latin1_general_100_ci_as_ks_ws_sc_utf8")?.name == "Latin1_General_100_CI_AS_KS_WS_SC_UTF8")
        #expect(SQLCollation(named: "japanese_xjis_140_ci_as_vss")?.name == "Japanese_XJIS_140_CI_AS_VSS")
        #expect(SQLCollation(named: "Klingon_CI_AS") == nil)
        s.run("CREATE TABLE t (v varchar(10) COLLATE Japanese_CI_AS)")
        #expect(s.text("SELECT COLLATION_NAME, CHARACTER_SET_NAME FROM INFORMATION_SCHEMA.COLUMNS") == ["Japanese_CI_AS|cp932"])
        #expect(s.ask("CREATE TABLE u (v varchar(10) COLLATE Indic_General_90_CI_AS)").errors.first == 459)
    }

    @Test("On the wire: a batch's text comes back in the column's code page, with its collation")
    func wire() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                let response = try await client.batch("""
                    CREATE TABLE t (c varchar(20) COLLATE Cyrillic_General_CI_AS, j varchar(max) COLLATE Japanese_CI_AS, k char(4) COLLATE Korean_Wansung_CI_AS NOT NULL)
                    INSERT INTO t VALUES (N'Ёж', N'日本', N'한')
                    SELECT c, j, k FROM t
                    """)
                #expect(response.errors.isEmpty)
                let columns = try #require(response.columns.first)
                #expect(columns.map { CodePage(for: $0.typeInfo.collation) } == [.cp1251, .cp932, .cp949])
                let row = try #require(response.rows.first)
                let texts = try zip(columns, row).map { column, bytes in try TDSValue(wire: ByteBuffer(bytes: bytes ?? []), typeInfo: column.typeInfo).description }
                #expect(texts == ["Ёж", "日本", "한  "])
                #expect(row.first == [0xA8, 0xE6])
            }
        }
    }
}
