// The examples of docs/client.md, run against the simulator.

import SQLServerSimulator
import TDSClient
import TDSTLS
import TDSWire
import Testing

private struct Customer: Equatable {
    var id: Int
    var name: String
    var city: String?
}

private func customers(_ configuration: TDSConnectionConfiguration, in city: String) async throws -> [Customer] {
    try await TDSConnection.withConnection(configuration) { connection in
        var found: [Customer] = []
        for try await row in connection.query("SELECT id, name, city FROM dbo.customers WHERE city = \(city) ORDER BY id") {
            found.append(Customer(id: try row.decode("id"), name: try row.decode("name"), city: try row.decode("city")))
        }
        return found
    }
}

private func rename(_ connection: TDSConnection, id: Int, to name: String) async throws -> UInt64 {
    try await connection.beginTransaction(isolationLevel: .readCommitted)
    do {
        let response = try await connection.execute("UPDATE dbo.customers SET name = \(name) WHERE id = \(id)")
        try await connection.commit()
        return response.rowCounts.reduce(0, +)
    } catch {
        try? await connection.rollback()
        throw error
    }
}

@Test(.timeLimit(.minutes(15))) func theGuidesExamplesRun() async throws {
    let engine = SimulatorConfiguration(databases: ["shop"], logins: [.init(name: "app", password: "Secret-1234", role: .sysadmin)])
    let simulator = SimulatorServer(configuration: SimulatorServerConfiguration(engine: engine, port: 0))
    try simulator.engine.runScript(
        "CREATE TABLE dbo.customers (id int PRIMARY KEY, name nvarchar(50) NOT NULL, city nvarchar(50))\nINSERT INTO dbo.customers VALUES (1, N'Åsa', N'Malmö'), (2, N'Bo', NULL), (7, N'Cid', N'Malmö')"
    )
    try await simulator.start()
    let certificate = try #require(simulator.certificate).certificatePEM
    let configuration = TDSConnectionConfiguration(
        host: "127.0.0.1", port: simulator.port, authentication: .sqlServer(user: "app", password: "Secret-1234"), database: "shop",
        tls: TLSClientConfiguration(trust: .authorities(pem: certificate)))
    let found = try await customers(configuration, in: "Malmö")
    #expect(found == [Customer(id: 1, name: "Åsa", city: "Malmö"), Customer(id: 7, name: "Cid", city: "Malmö")])
    try await TDSConnection.withConnection(configuration) { connection in
        let renamed = try await rename(connection, id: 7, to: "Sid")
        #expect(renamed == 1)
        var seen: [String] = []
        for try await row in connection.query("SELECT id, name FROM dbo.customers WHERE city = \("Malmö") ORDER BY id") {
            let (id, name) = try row.decode((Int.self, String.self))
            seen.append("\(id) \(name)")
        }
        #expect(seen == ["1 Åsa", "7 Sid"])
    }
    try await simulator.stop()
}
