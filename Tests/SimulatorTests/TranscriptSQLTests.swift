import Foundation
@testable import SQLServerSimulator
import Testing

/// All SQL of the recorded transcripts has to run, where they are present.
@Suite struct TranscriptSQLTests {
    static let folder = "/work/shared/acceptance/transcripts"

    @Test(.enabled(if: FileManager.default.fileExists(atPath: folder)))
    func everyStatementRuns() throws {
        let session = try Engine().session()
        for file in try FileManager.default.contentsOfDirectory(atPath: TranscriptSQLTests.folder).sorted() {
            let text = try String(contentsOfFile: TranscriptSQLTests.folder + "/" + file, encoding: .utf8)
            var tables: [String] = []
            var statement: String?
            func flush() {
                guard let sql = statement else { return }
                statement = nil
                session.run(sql)
                let words = sql.split(whereSeparator: { $0 == " " || $0 == "\n" || $0 == "(" }).map(String.init)
                if words.count > 2, words[0] == "CREATE", words[1] == "TABLE" {
                    tables.append(words[2])
                    if file != "TestKeylessDiscovery" { session.run("ALTER TABLE \(words[2]) ENABLE CHANGE_TRACKING") }
                }
            }
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasPrefix("sql> ") {
                    flush()
                    statement = String(line.dropFirst(5))
                } else if line.hasPrefix("=== ") {
                    flush()
                } else if statement != nil {
                    statement? += "\n" + line
                }
            }
            flush()
            for table in tables { session.run("IF OBJECT_ID('\(table)', 'U') IS NOT NULL DROP TABLE \(table)") }
        }
        #expect(session.text("SELECT COUNT(*) FROM sys.tables") == ["0"])
    }

    /// The order in which chunks of one row were captured from a real server.
    @Test func varcharOrderOfSortOrder52() throws {
        let session = try Engine().session()
        session.run("CREATE TABLE dbo.c (id VarChar(32) COLLATE SQL_Latin1_General_CP1_CI_AS PRIMARY KEY, data TEXT)")
        let keys = ["a?a", "a€a", "aŠa", "a’a", "a•a", "a×a", "a÷a", "aaa 0", "aÀa 1", "aab", "aba", "aca", "aÖa 1", "aØa 2", "aÖb 1", "aØb 2", "aßa", "aÿa"]
        for key in keys.reversed() { session.run("INSERT INTO dbo.c VALUES ('\(key)', 'x')") }
        #expect(session.text("SELECT id FROM dbo.c ORDER BY id") == keys)
        #expect(session.text("SELECT id FROM dbo.c") == keys)
    }
}
