@testable import SQLServerSimulator
import Testing

/// SELECT, expressions and types on the engine itself.
@Suite struct EngineQueryTests {
    @Test func expressionsAndTypes() throws {
        let s = try Engine().session()
        #expect(s.text("SELECT 1 + 2 * 3, 7 / 2, 7 % 4, -5, 'a' + 'b'") == ["7|3|3|-5|ab"])
        // decimal(38,6) rules: 1/3.0 has scale 6.
        #expect(s.text("SELECT 1 / 3.0, 10.5 * 2.25, CAST(2 AS decimal(10,2)) / 3") == ["0.333333|23.625|0.666666"])
        #expect(s.text("SELECT CAST('12:34:54.1234567' AS time), CAST('1991-08-31T12:34:54.111' AS datetime2(3))") == ["12:34:54.1234567|1991-08-31 12:34:54.111"])
        // datetime rounds to 1/300 s.
        #expect(s.text("SELECT CONVERT(varchar(30), CAST('2024-01-01 00:00:00.005' AS datetime), 121)") == ["2024-01-01 00:00:00.007"])
        #expect(s.text("SELECT CAST(1234.5678 AS money), CONVERT(varchar(20), CAST(1234567.891 AS money), 1)") == ["1234.57|1,234,567.89"])
        #expect(s.text("SELECT CASE WHEN NULL = NULL THEN 1 ELSE 2 END, COALESCE(NULL, 3), ISNULL(NULL, 4), NULLIF(1, 1), IIF(1 < 2, 'y', 'n')") == ["2|3|4|NULL|y"])
        #expect(s.text("SELECT LEN('ab  '), DATALENGTH(N'ab'), SUBSTRING('hello', 2, 3), CHARINDEX('l', 'hello'), REPLACE('aXa', 'x', '-')") == ["2|4|ell|3|a-a"])
        #expect(s.text("SELECT DATEADD(month, 1, CAST('2024-01-31' AS date)), DATEDIFF(day, '2024-01-01', '2024-03-01'), DATEPART(year, '2024-05-06')") == ["2024-02-29|60|2024"])
        #expect(s.text("SELECT CAST(0x5B5E AS hierarchyid).ToString(), CAST('/2/1/' AS hierarchyid)") == ["/1/2/3/|/2/1/"])
        #expect(s.text("SELECT 'a' WHERE 'ABC' LIKE 'a_c' AND 'x%y' LIKE 'x!%y' ESCAPE '!' AND 'b' LIKE '[a-c]' AND NOT 'd' LIKE '[a-c]'") == ["a"])
        #expect(s.text("SELECT TRY_CAST('x' AS int), TRY_CONVERT(date, '2024-02-30')") == ["NULL|NULL"])
    }

    @Test func errorsHaveTheirNumbers() throws {
        let s = try Engine().session()
        s.run("CREATE TABLE t (id int PRIMARY KEY, v varchar(3) NOT NULL, n tinyint)")
        let cases: [(String, Int32)] = [
            ("SELECT FROM", 156), ("SELEC 1", 2812), ("SELECT 'abc", 105), ("SELECT * FROM missing", 208), ("SELECT nope FROM t", 207), ("SELECT x.id FROM t", 4104),
            ("SELECT nofunction(1)", 195), ("EXEC nothing", 2812), ("SELECT 1/0", 8134), ("SELECT CAST('x' AS int)", 245), ("SELECT CAST('x' AS date)", 241),
            ("INSERT t VALUES (1, 'abcd', 1)", 2628), ("INSERT t VALUES (1, NULL, 1)", 515), ("INSERT t VALUES (1, 'a', 300)", 220), ("INSERT t VALUES (1, 'a')", 213),
            ("CREATE TABLE t (id int)", 2714), ("DROP TABLE missing", 3701), ("SELECT @x", 137), ("COMMIT", 3902), ("ROLLBACK", 3903), ("USE nodb", 911),
            ("SELECT a.id FROM t a JOIN t b ON a.id = b.id WHERE id = 1", 209), ("ALTER TABLE missing ADD x int", 4902), ("SELECT id FROM t GROUP BY v", 8120),
            ("SELECT 2147483647 + 1", 8115), ("SELECT CAST('abc' AS decimal(5,2))", 8114), ("SELECT (SELECT value FROM GENERATE_SERIES(1, 2))", 512),
        ]
        for (sql, number) in cases { #expect(s.ask(sql).errors == [number], "\(sql)") }
        s.run("INSERT t VALUES (1, 'a', 1)")
        #expect(s.ask("INSERT t VALUES (1, 'b', 2)").errors == [2627])
        #expect(s.ask("INSERT t VALUES (2, 'b', 2), (2, 'c', 3)").errors == [2627])
        #expect(s.text("SELECT COUNT(*) FROM t") == ["1"])
        // A table of all of these: none of them may have ended the session.
        #expect(s.text("SELECT 1") == ["1"])
    }

    @Test func joinsGroupsAndSets() throws {
        let s = try Engine().session()
        s.run("CREATE TABLE a (id int PRIMARY KEY, g varchar(5)); CREATE TABLE b (aid int, v decimal(6,2))")
        s.run("INSERT a VALUES (1, 'x'), (2, 'y'), (3, 'x'); INSERT b VALUES (1, 1.5), (1, 2.5), (3, 4), (9, 7)")
        #expect(s.text("SELECT a.id, SUM(b.v) FROM a LEFT JOIN b ON b.aid = a.id GROUP BY a.id ORDER BY a.id") == ["1|4.00", "2|NULL", "3|4.00"])
        #expect(s.text("SELECT b.v, a.id FROM a RIGHT JOIN b ON a.id = b.aid ORDER BY b.v") == ["1.50|1", "2.50|1", "4.00|3", "7.00|NULL"])
        #expect(s.text("SELECT g, COUNT(*) c FROM a GROUP BY g HAVING COUNT(*) > 1") == ["x|2"])
        #expect(s.text("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.aid = a.id) ORDER BY id DESC") == ["3", "1"])
        #expect(s.text("SELECT id FROM a WHERE id NOT IN (SELECT aid FROM b) ORDER BY id") == ["2"])
        #expect(s.text("SELECT id FROM a UNION SELECT aid FROM b ORDER BY id") == ["1", "2", "3", "9"])
        #expect(s.text("SELECT id FROM a EXCEPT SELECT aid FROM b") == ["2"])
        #expect(s.text("WITH c AS (SELECT 1 n UNION ALL SELECT n + 1 FROM c WHERE n < 4) SELECT SUM(n) FROM c") == ["10"])
        #expect(s.text("SELECT a.id, t.v FROM a CROSS APPLY (SELECT TOP (1) v FROM b WHERE b.aid = a.id ORDER BY v DESC) t ORDER BY a.id") == ["1|2.50", "3|4.00"])
        #expect(s.text("SELECT id, ROW_NUMBER() OVER (PARTITION BY g ORDER BY id DESC) FROM a ORDER BY id") == ["1|2", "2|1", "3|1"])
        #expect(s.text("SELECT id FROM a ORDER BY id OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY") == ["2"])
        #expect(s.text("SELECT STRING_AGG(g, ',') WITHIN GROUP (ORDER BY id) FROM a") == ["x,y,x"])
        #expect(s.text("SELECT DISTINCT g FROM a ORDER BY g") == ["x", "y"])
    }

    @Test func compositeKeysetSeeks() throws {
        let s = try Engine().session()
        s.run("CREATE TABLE k (a int, b varchar(10), v int, PRIMARY KEY (a, b))")
        s.run("INSERT k SELECT value / 10, CAST(value % 10 AS varchar(10)), value FROM GENERATE_SERIES(0, 999)")
        let sql = "SELECT TOP (3) v FROM k WHERE a >= @p1 AND (a > @p1 OR (a = @p1 AND b > @p2)) ORDER BY a, b"
        let answer = EngineSession.drain(
            s.executeSQL(
                sql, parameterDeclarations: "@p1 int, @p2 varchar(10)",
                parameters: [EngineParameter(name: "@p1", type: .int, value: .int(41)), EngineParameter(name: "@p2", type: .varchar(10), value: .string("8"))]))
        #expect(answer.text == ["419", "420", "421"])
        #expect(s.text("SELECT COUNT(*) FROM k WHERE a BETWEEN 10 AND 19 AND b = '5'") == ["10"])
        #expect(s.text("SELECT COUNT(*) FROM k WHERE a < 10") == ["100"])
    }

    @Test func writesFromOtherTables() throws {
        let s = try Engine().session()
        s.run("CREATE TABLE t (id int IDENTITY(10, 5) PRIMARY KEY, v int DEFAULT 7, w AS v * 2)")
        s.run("INSERT t (v) VALUES (1), (2); INSERT t DEFAULT VALUES")
        #expect(s.text("SELECT * FROM t") == ["10|1|2", "15|2|4", "20|7|14"])
        #expect(s.text("SELECT SCOPE_IDENTITY(), @@IDENTITY") == ["20|20"])
        s.run("CREATE TABLE u (id int, n int); INSERT u VALUES (10, 100), (15, 150)")
        s.run("UPDATE t SET v = u.n FROM t JOIN u ON u.id = t.id")
        #expect(s.text("SELECT v, w FROM t ORDER BY id") == ["100|200", "150|300", "7|14"])
        #expect(s.text("DELETE x OUTPUT deleted.id FROM t x JOIN u ON u.id = x.id WHERE u.n = 100") == ["10"])
        s.run("MERGE t AS d USING (VALUES (15, 1), (99, 2)) AS q(id, n) ON d.id = q.id WHEN MATCHED THEN UPDATE SET v = q.n WHEN NOT MATCHED THEN INSERT (v) VALUES (q.n);")
        #expect(s.text("SELECT id, v FROM t ORDER BY id") == ["15|1", "20|7", "25|2"])
        s.run("SET IDENTITY_INSERT t ON; INSERT t (id, v) VALUES (100, 0); SET IDENTITY_INSERT t OFF; INSERT t (v) VALUES (0)")
        #expect(s.text("SELECT MAX(id) FROM t") == ["105"])
        s.run("UPDATE t SET v = v + 1 WHERE id = 105; SELECT * INTO copy FROM t WHERE id > 20")
        #expect(s.text("SELECT COUNT(*) FROM copy") == ["3"])
    }
}

/// Control of flow, transactions, isolation, permissions.
@Suite struct EngineSessionTests {
    @Test func batchesWithControlOfFlow() throws {
        let s = try Engine().session()
        #expect(s.text("DECLARE @i int = 0, @s varchar(20) = ''; WHILE @i < 5 BEGIN SET @i += 1; IF @i = 3 CONTINUE; SET @s = @s + CAST(@i AS varchar(5)) END; SELECT @s") == ["1245"])
        #expect(s.text("BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_MESSAGE() END CATCH") == ["8134|Divide by zero error encountered."])
        #expect(s.ask("BEGIN TRY THROW 50001, 'mine', 3 END TRY BEGIN CATCH THROW END CATCH; SELECT 1").errors == [50001])
        #expect(s.text("DECLARE @r int; EXEC sp_executesql N'SELECT @o = @a * 2', N'@a int, @o int OUTPUT', @a = 21, @o = @r OUTPUT; SELECT @r") == ["42"])
        #expect(s.text("DECLARE @t TABLE (id int PRIMARY KEY, v int); INSERT @t VALUES (1, 2), (2, 3); SELECT SUM(v) FROM @t") == ["5"])
        #expect(s.text("CREATE TABLE #x (a int); INSERT #x VALUES (1); SELECT a FROM #x") == ["1"])
        #expect(s.ask("RAISERROR('%s is %d', 16, 1, 'a', 5)").messages.first?.text == "a is 5")
        #expect(s.ask("PRINT 'hello'").messages.first?.text == "hello")
    }

    @Test func transactionsRollBackAndSave() throws {
        let s = try Engine().session()
        s.run("CREATE TABLE t (id int PRIMARY KEY)")
        s.run("BEGIN TRAN; INSERT t VALUES (1); SAVE TRAN a; INSERT t VALUES (2); ROLLBACK TRAN a; INSERT t VALUES (3); COMMIT")
        #expect(s.text("SELECT id FROM t") == ["1", "3"])
        s.run("BEGIN TRAN; CREATE TABLE gone (id int); DELETE t; ROLLBACK")
        #expect(s.text("SELECT COUNT(*), OBJECT_ID('gone') FROM t") == ["2|NULL"])
        // A failed statement undoes itself, not the transaction.
        #expect(s.ask("BEGIN TRAN; INSERT t VALUES (4); INSERT t VALUES (5), (1); COMMIT").errors == [2627])
        #expect(s.text("SELECT id FROM t") == ["1", "3", "4"])
        // With XACT_ABORT the transaction goes.
        #expect(s.ask("SET XACT_ABORT ON; BEGIN TRAN; INSERT t VALUES (6); INSERT t VALUES (1); COMMIT").errors == [2627])
        #expect(s.text("SELECT COUNT(*), @@TRANCOUNT FROM t") == ["3|0"])
    }

    @Test func snapshotSeesOneMoment() throws {
        let engine = Engine()
        let a = try engine.session(), b = try engine.session()
        a.run("CREATE TABLE t (id int PRIMARY KEY, v int); ALTER TABLE t ENABLE CHANGE_TRACKING; INSERT t VALUES (1, 1)")
        b.run("SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN")
        #expect(b.text("SELECT v, CHANGE_TRACKING_CURRENT_VERSION() FROM t") == ["1|1"])
        a.run("UPDATE t SET v = 2; INSERT t VALUES (2, 2)")
        #expect(b.text("SELECT v, CHANGE_TRACKING_CURRENT_VERSION() FROM t") == ["1|1"])
        #expect(b.text("SELECT COUNT(*) FROM CHANGETABLE(CHANGES t, 1) c") == ["0"])
        #expect(b.ask("UPDATE t SET v = 3 WHERE id = 1").errors == [3960])
        #expect(b.text("SELECT @@TRANCOUNT, v FROM t WHERE id = 1") == ["0|2"])
        a.run("ALTER DATABASE test SET ALLOW_SNAPSHOT_ISOLATION OFF")
        #expect(b.ask("SELECT * FROM t").errors == [3952])
    }

    @Test func writersWaitForEachOther() throws {
        let engine = Engine()
        let a = try engine.session(), b = try engine.session()
        a.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT t VALUES (1, 1), (2, 2)")
        a.run("BEGIN TRAN; UPDATE t SET v = 10 WHERE id = 1")
        #expect(b.ask("SET LOCK_TIMEOUT 50; UPDATE t SET v = 20 WHERE id = 1").errors == [1222])
        b.run("UPDATE t SET v = 20 WHERE id = 2")
        // Readers don't wait; they see what is committed.
        #expect(b.text("SELECT v FROM t WHERE id = 1") == ["1"])
        a.run("COMMIT")
        b.run("UPDATE t SET v += 1 WHERE id = 1")
        #expect(b.text("SELECT v FROM t") == ["11", "20"])
    }

    @Test func readersMayOnlyRead() throws {
        let engine = Engine()
        let sa = try engine.session(), reader = try engine.session("reader")
        sa.run("CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t ENABLE CHANGE_TRACKING; INSERT t VALUES (1)")
        #expect(reader.text("SELECT id FROM t") == ["1"])
        #expect(reader.text("SELECT id, SYS_CHANGE_OPERATION FROM CHANGETABLE(CHANGES t, 0) c") == ["1|I"])
        let cases: [(String, [Int32])] = [
            ("INSERT t VALUES (2)", [229]), ("UPDATE t SET id = 3", [229]), ("DELETE t", [229]), ("CREATE TABLE x (id int)", [262]), ("DROP TABLE t", [3701]),
            ("ALTER TABLE t ADD x int", [4902]), ("TRUNCATE TABLE t", [4701]), ("ALTER DATABASE test SET READ_ONLY", [5011, 5069]), ("CREATE DATABASE x", [262]),
        ]
        for (sql, numbers) in cases { #expect(reader.ask(sql).errors == numbers, "\(sql)") }
        sa.run("CREATE LOGIN small WITH PASSWORD = 'p'; CREATE USER small FOR LOGIN small; GRANT SELECT ON t TO small")
        let small = try engine.server.login(user: "small", password: "p", database: "test")
        #expect(small.text("SELECT id FROM t") == ["1"])
        #expect(small.ask("SELECT * FROM CHANGETABLE(CHANGES t, 0) c").errors == [229])
        #expect(small.text("SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID('t'))") == ["NULL"])
        #expect(small.ask("SELECT * FROM sys.dm_tran_commit_table").errors == [262, 297])
        sa.run("GRANT VIEW CHANGE TRACKING ON SCHEMA::dbo TO small")
        #expect(small.text("SELECT COUNT(*) FROM CHANGETABLE(CHANGES t, 0) c") == ["1"])
        #expect(throws: SQLServerMessage.self) { try engine.server.login(user: "sa", password: "wrong", database: nil) }
    }
}

/// Change tracking, as the documentation of CHANGETABLE has it.
@Suite struct ChangeTrackingTests {
    private func changes(_ s: EngineSession, _ since: Int) -> [String] {
        s.text("SELECT id, SYS_CHANGE_OPERATION, SYS_CHANGE_VERSION, SYS_CHANGE_CREATION_VERSION FROM CHANGETABLE(CHANGES dbo.t, \(since)) AS c ORDER BY id")
    }

    @Test func netOperations() throws {
        let s = try Engine().session()
        s.run("CREATE TABLE dbo.t (id int PRIMARY KEY, v int); ALTER TABLE dbo.t ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON)")
        s.run("INSERT dbo.t VALUES (1, 1), (2, 2), (3, 3)")
        #expect(s.text("SELECT CHANGE_TRACKING_CURRENT_VERSION()") == ["1"])
        s.run("UPDATE dbo.t SET v = 20 WHERE id = 2")
        s.run("DELETE dbo.t WHERE id = 3")
        s.run("UPDATE dbo.t SET id = 4 WHERE id = 1")
        #expect(changes(s, 0) == ["1|D|4|1", "2|I|2|1", "3|D|3|1", "4|I|4|4"])
        #expect(changes(s, 1) == ["1|D|4|NULL", "2|U|2|NULL", "3|D|3|NULL", "4|I|4|4"])
        // Deleted and inserted again: an update of all columns.
        s.run("DELETE dbo.t WHERE id = 2; INSERT dbo.t VALUES (2, 0)")
        #expect(s.text("SELECT SYS_CHANGE_OPERATION, SYS_CHANGE_COLUMNS FROM CHANGETABLE(CHANGES dbo.t, 4) c") == ["U|NULL"])
        #expect(s.text("SELECT CHANGE_TRACKING_IS_COLUMN_IN_MASK(2, SYS_CHANGE_COLUMNS), CHANGE_TRACKING_IS_COLUMN_IN_MASK(1, SYS_CHANGE_COLUMNS) FROM CHANGETABLE(CHANGES dbo.t, 1) c WHERE id = 2") == ["1|1"])
        s.run("DECLARE @c varbinary(128) = 0x0102; WITH CHANGE_TRACKING_CONTEXT (@c) UPDATE dbo.t SET v = 5 WHERE id = 4")
        #expect(s.text("SELECT SYS_CHANGE_CONTEXT, SYS_CHANGE_COLUMNS FROM CHANGETABLE(CHANGES dbo.t, 6) c") == ["0x0102|0x02000000"])
        #expect(s.text("SELECT v.SYS_CHANGE_VERSION FROM dbo.t CROSS APPLY CHANGETABLE(VERSION dbo.t, (id), (t.id)) AS v ORDER BY t.id") == ["6", "7"])
        // One transaction, one version; a rolled back one, none.
        s.run("BEGIN TRAN; INSERT dbo.t VALUES (7, 7); INSERT dbo.t VALUES (8, 8); COMMIT; BEGIN TRAN; DELETE dbo.t; ROLLBACK")
        #expect(s.text("SELECT CHANGE_TRACKING_CURRENT_VERSION()") == ["8"])
    }

    @Test func refusals() throws {
        let engine = Engine(databases: ["test", "off"])
        let s = try engine.session()
        s.run("CREATE TABLE h (id int); CREATE TABLE t (id int CONSTRAINT pk PRIMARY KEY)")
        #expect(s.ask("ALTER TABLE h ENABLE CHANGE_TRACKING").errors == [4997])
        s.run("ALTER TABLE t ENABLE CHANGE_TRACKING")
        #expect(s.ask("ALTER TABLE t ENABLE CHANGE_TRACKING").errors == [4996])
        #expect(s.ask("ALTER TABLE h DISABLE CHANGE_TRACKING").errors == [4998])
        #expect(s.ask("ALTER TABLE t DROP CONSTRAINT pk").errors == [3735, 3727])
        #expect(s.ask("SELECT * FROM CHANGETABLE(CHANGES h, 0) c").errors == [22105])
        #expect(s.ask("ALTER DATABASE test SET CHANGE_TRACKING = OFF").errors == [22115, 5069])
        #expect(s.ask("ALTER DATABASE test SET CHANGE_TRACKING = ON").errors == [5088, 5069])
        s.run("ALTER DATABASE [off] SET CHANGE_TRACKING = OFF; USE [off]; CREATE TABLE t (id int PRIMARY KEY)")
        #expect(s.text("SELECT CHANGE_TRACKING_CURRENT_VERSION()") == ["NULL"])
        #expect(s.ask("ALTER TABLE t ENABLE CHANGE_TRACKING").errors == [1718])
    }

    @Test func validityAfterCleanUpTruncateAndRestore() throws {
        let engine = Engine()
        let s = try engine.session()
        s.run("CREATE TABLE dbo.t (id int PRIMARY KEY, v int); ALTER TABLE dbo.t ENABLE CHANGE_TRACKING")
        let valid = "SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID('dbo.t'))"
        s.run("INSERT dbo.t VALUES (1, 1)")
        let backup = try engine.server.backup(database: "test")
        s.run("INSERT dbo.t VALUES (2, 2)")
        #expect(s.text(valid) == ["0"])
        engine.server.advanceClock(by: 3 * 86400)
        s.run("INSERT dbo.t VALUES (3, 3)")
        try engine.server.cleanUpChangeTracking(database: "test")
        #expect(s.text(valid) == ["2"])
        #expect(changes(s, 0) == ["3|I|3|3"])
        #expect(s.text("SELECT commit_ts FROM sys.dm_tran_commit_table") == ["3"])
        s.run("TRUNCATE TABLE dbo.t")
        #expect(s.text(valid) == ["3"])
        try engine.server.restore(backup)
        #expect(s.text("SELECT CHANGE_TRACKING_CURRENT_VERSION(), COUNT(*) FROM dbo.t") == ["1|1"])
        s.run("DROP TABLE dbo.t; CREATE TABLE dbo.t (id int PRIMARY KEY, v int); ALTER TABLE dbo.t ENABLE CHANGE_TRACKING")
        #expect(s.text(valid) == ["1"])
        #expect(changes(s, 0) == [])
    }
}
