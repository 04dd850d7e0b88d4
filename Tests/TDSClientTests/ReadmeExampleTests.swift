import Foundation
import TDSClient
import Testing

// README.md's example but for `@main`; it is compiled here, and compared with README's text below.
struct Example {
    static func main() async throws {
        let configuration = TDSConnectionConfiguration(
            host: "db.example.com", authentication: .sqlServer(user: "app", password: "…"), database: "shop")
        try await TDSConnection.withConnection(configuration) { connection in
            let city = "Malmö"
            // Interpolated values become parameters, never text.
            for try await row in connection.query("SELECT id, name FROM dbo.customers WHERE city = \(city)") {
                let (id, name) = try row.decode((Int.self, String.self))
                print(id, name)
            }
            let response = try await connection.execute("UPDATE dbo.customers SET city = \(city) WHERE id = \(7)")
            print("rows affected:", response.rowCounts)
        }
    }
}

@Test func theReadmesExampleIsTheOneThatCompiles() throws {
    /// The lines from `struct Example {` to its closing brace.
    func example(_ path: String) throws -> [Substring] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(path)
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(lines.firstIndex(of: "struct Example {"))
        return Array(lines[first...(try #require(lines[first...].firstIndex(of: "}")))])
    }
    let compiled = try example("ReadmeExampleTests.swift")
    #expect(compiled.count > 10)
    #expect(try example("../../README.md") == compiled)
}
