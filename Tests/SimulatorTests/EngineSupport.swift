import NIOCore
@testable import SQLServerSimulator
import Testing

/// Runs SQL on an engine session, for tests.
struct Engine {
    let server: SimulatedServer
    init(databases: [String] = ["test"], collation: String = "SQL_Latin1_General_CP1_CI_AS", changeTracking: Bool = true, snapshot: Bool = true) {
        server = SimulatedServer(
            configuration: SimulatorConfiguration(
                databases: databases,
                logins: [
                    .init(name: "sa", password: "secret", role: .sysadmin), .init(name: "reader", password: "reader", role: .reader),
                ], collation: collation, changeTracking: changeTracking, snapshotIsolation: snapshot))
    }
    func session(_ user: String = "sa") throws -> EngineSession {
        try server.login(user: user, password: user == "sa" ? "secret" : "reader", database: nil)
    }
}

/// What a batch answered.
struct Answer {
    var columns: [[ResultColumn]] = []
    var results: [[[SQLValue]]] = []
    var messages: [SQLServerMessage] = []
    var counts: [UInt64?] = []
    var outputs: [String: SQLValue] = [:]
    var status: Int32?
    var errors: [Int32] { messages.filter(\.isError).map(\.number) }
    /// The only result's rows as text, columns separated by `|`.
    var text: [String] {
        guard let rows = results.last, let columns = columns.last else { return [] }
        return rows.map { row in
            zip(row, columns).map { value, column in value.isNull ? "NULL" : (try? Formatting.text(value, column.type)) ?? "?" }.joined(separator: "|")
        }
    }
    var scalar: SQLValue? { results.last?.first?.first }
}

extension EngineSession {
    func ask(_ sql: String) -> Answer { EngineSession.drain(batch(sql)) }
    static func drain(_ cursor: Cursor) -> Answer {
        var cursor = cursor
        var answer = Answer()
        while let event = cursor.next() {
            switch event {
            case .columns(let columns):
                answer.columns.append(columns)
                answer.results.append([])
            case .row(let row): answer.results[answer.results.count - 1].append(row)
            case .message(let message): answer.messages.append(message)
            case .done(let done): answer.counts.append(done.rowCount)
            case .outputParameter(let name, _, _, let value): answer.outputs[name] = value
            case .returnStatus(let status): answer.status = status
            case .environment: break
            }
        }
        return answer
    }
    /// Runs what must succeed.
    @discardableResult
    func run(_ sql: String, sourceLocation: SourceLocation = #_sourceLocation) -> Answer {
        let answer = ask(sql)
        #expect(answer.messages.filter(\.isError) == [], "\(sql)", sourceLocation: sourceLocation)
        return answer
    }
    func text(_ sql: String, sourceLocation: SourceLocation = #_sourceLocation) -> [String] { run(sql, sourceLocation: sourceLocation).text }
}
