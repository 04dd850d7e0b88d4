// `make demo`: a stand-in for the Flow runtime drives the connector against the simulator, shows what happens, and checks at the end
// that what was captured equals what is in the tables.

import ArgumentParser
import ExactJSON
import Foundation
import OrderedCollections
import TDSClient
import TDSTLS
import TDSWire

@main
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Captures a small shop database from the simulator through the Flow protocol.",
        discussion: "Starts the simulator and the connector that lie beside it, and ends by itself. Exit status 0 only if everything was captured.")

    @Option(help: "The folder with shop.sql and changes.sql.")
    var scripts = "Demo"

    func run() async throws {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        let work = FileManager.default.temporaryDirectory.appendingPathComponent("swift-tds-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: work) }
        let certificate = work.appendingPathComponent("certificate.pem").path
        let (admin, reader) = (Self.password(), Self.password())

        heading("1. A SQL Server stand-in with the shop's five tables")
        let simulator = try ChildProcess(
            folder.appendingPathComponent("sqlserver-simulator").path,
            [
                "serve", "--listen", "127.0.0.1:0", "--database", "shop", "--login", "sa:\(admin):sysadmin", "--login", "flow_capture:\(reader):reader",
                "--script", "\(scripts)/shop.sql", "--write-certificate", certificate,
            ])
        defer { simulator.terminate() }
        guard let line = await simulator.nextLine(), let port = line.split(separator: ":").last.flatMap({ Int($0) }), line.contains("listening on") else {
            throw DemoError("the simulator did not start")
        }
        say("sqlserver-simulator is \(line)")

        let address = "127.0.0.1:\(port)"
        let capture = CaptureRun(
            connector: folder.appendingPathComponent("connector").path,
            configuration: [
                "address": .string(address), "database": "shop", "user": "flow_capture", "password": .string(reader), "historyMode": false,
            ])

        heading("2. connector: spec and discover, over TCP without encryption")
        let plain: JSONValue = ["encryption": "off"]
        try await capture.discover(advanced: plain)
        heading("3. connector: validate, apply, open: the backfill, over TCP without encryption")
        try await capture.open(advanced: plain)

        heading("4. The shop goes on: inserts, updates, deletes (\(scripts)/changes.sql)")
        try await apply(changes: "\(scripts)/changes.sql", port: port, password: admin, certificate: certificate)

        heading("5. connector: open again from the saved state: the changes, over TLS with the server's certificate verified")
        let pem = try String(contentsOfFile: certificate, encoding: .utf8)
        try await capture.open(advanced: ["encryption": "required", "trust_server_certificate": false, "certificate_authority": .string(pem)])

        heading("6. The final state, as the runtime keeps it")
        say(capture.state.text(keys: .sorted))

        heading("7. Is what was captured what is in the tables?")
        let configuration = Self.connection(port: port, password: admin, certificate: certificate)
        let isEqual = try await TDSConnection.withConnection(configuration) { try await capture.compare($0) }
        guard isEqual else { throw DemoError("the captured documents differ from the tables") }
        say("\nEverything was captured.")
    }

    private static func password() -> String { String((0..<20).compactMap { _ in "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789".randomElement() }) }

    private static func connection(port: Int, password: String, certificate: String) -> TDSConnectionConfiguration {
        TDSConnectionConfiguration(
            host: "127.0.0.1", port: port, authentication: .sqlServer(user: "sa", password: password), database: "shop",
            tls: TLSClientConfiguration(trust: .authorityFile(certificate)))
    }

    private func apply(changes file: String, port: Int, password: String, certificate: String) async throws {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try await TDSConnection.withConnection(Self.connection(port: port, password: password, certificate: certificate)) { connection in
            for batch in text.components(separatedBy: "\nGO\n") where !batch.allSatisfy(\.isWhitespace) {
                let response = try await connection.execute(TDSQuery(unsafeSQL: batch))
                for line in batch.split(separator: "\n") where !line.hasPrefix("--") { say("  " + line) }
                say("  -- rows affected: \(response.rowCounts.map(String.init).joined(separator: ", "))")
            }
        }
    }
}

/// Something did not happen as it should.
struct DemoError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Written at once, so that the lines stay in order with those of the programs that are run.
func say(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

func heading(_ text: String) {
    say(isatty(STDOUT_FILENO) == 1 ? "\n\u{1B}[1m\(text)\u{1B}[0m" : "\n== \(text)")
}
