// tdsql: runs a query and prints its rows, or reads and discards them to measure.

import ArgumentParser
import NIOCore
import TDSClient
import TDSRecording
import TDSTLS
import TDSWire

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@main
struct TDSQL: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tdsql", abstract: "Runs a query on a SQL Server and prints its rows, tab-separated.",
        discussion: "The password is read from --password or the environment variable TDS_PASSWORD.")

    enum Encryption: String, ExpressibleByArgument, CaseIterable {
        case login, required, strict, off
    }

    @Option(name: .shortAndLong, help: "HOST or HOST:PORT.")
    var server = "localhost"
    @Option(name: .shortAndLong, help: "The login's name.")
    var user = "sa"
    @Option(name: .shortAndLong, help: "The login's password.")
    var password: String?
    @Option(name: .shortAndLong, help: "The database to begin in.")
    var database = ""
    @Option(help: "When to encrypt: login, required, strict (TDS 8.0) or off.")
    var encrypt = Encryption.required
    @Flag(help: "Accept any certificate.")
    var trustServerCertificate = false
    @Option(help: "A PEM file with the authority to trust.")
    var caFile: String?
    @Option(help: "The name that the certificate is for, if not the server's.")
    var hostNameInCertificate: String?
    @Option(help: "The packet size to ask for.")
    var packetSize = 32767
    @Option(
        help: ArgumentHelp(
            "Record the session into a pcap file, decrypted: rows and SQL text as they are, the password blanked. Compressed if the name ends in .gz.",
            valueName: "file"))
    var record: String?
    @Flag(help: "Read the rows through a sink that throws them away, and print how fast.")
    var discard = false
    @Flag(help: "Read the rows as an asynchronous sequence, throw them away, and print how fast.")
    var discardRows = false
    @Argument(help: "The SQL text.")
    var sql: String

    func run() async throws {
        var connectionConfiguration = try configuration()
        guard let record else { return try await run(connectionConfiguration) }
        let recorder = try SessionRecorder(path: record)
        connectionConfiguration.recording = recorder
        let signals = RecordingSignals(recorder)
        defer { signals.cancel() }
        do {
            try await run(connectionConfiguration)
        } catch {
            // The file's trouble is the smaller one.
            try? recorder.close()
            throw error
        }
        try recorder.close()
    }

    private func run(_ connectionConfiguration: TDSConnectionConfiguration) async throws {
        do {
            try await TDSConnection.withConnection(connectionConfiguration) { connection in
                if discard {
                    try await measure { Int(try await connection.read(TDSQuery(unsafeSQL: sql), into: DiscardingSink()).sink.rowCount) }
                } else if discardRows {
                    try await measure {
                        var count = 0
                        for try await _ in connection.query(TDSQuery(unsafeSQL: sql)) { count += 1 }
                        return count
                    }
                } else {
                    try await printRows(connection)
                }
            }
        } catch let error as TDSError {
            for message in error.serverErrors { writeError("Msg \(message.number), Level \(message.severity), State \(message.state), Line \(message.line)\n\(message.text)\n") }
            if error.serverErrors.isEmpty { writeError("tdsql: \(error)\n") }
            throw ExitCode.failure
        }
    }

    private func configuration() throws -> TDSConnectionConfiguration {
        let (host, port) = try Self.split(server)
        guard let secret = password ?? getenv("TDS_PASSWORD").map({ String(cString: $0) }) else {
            throw ValidationError("a password is needed: --password or TDS_PASSWORD")
        }
        var configuration = TDSConnectionConfiguration(host: host, port: port, authentication: .sqlServer(user: user, password: secret), database: database)
        configuration.packetSize = packetSize
        configuration.applicationName = "tdsql"
        configuration.encryption =
            switch encrypt {
            case .login: .loginOnly
            case .required: .required
            case .strict: .strict
            case .off: .disabled
            }
        if trustServerCertificate {
            configuration.tls.trust = .anything
        } else if let caFile {
            configuration.tls.trust = .authorityFile(caFile)
        }
        configuration.tls.hostNameInCertificate = hostNameInCertificate
        return configuration
    }

    /// HOST, HOST:PORT or [IPv6]:PORT.
    static func split(_ text: String) throws -> (host: String, port: Int) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            if rest.isEmpty { return (host, 1433) }
            guard rest.first == ":", let port = Int(rest.dropFirst()) else { throw ValidationError("--server is HOST or HOST:PORT") }
            return (host, port)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count != 2 { return (text, 1433) }
        guard let port = Int(parts[1]), (1...65535).contains(port) else { throw ValidationError("--server is HOST or HOST:PORT") }
        return (String(parts[0]), port)
    }

    private func measure(_ body: () async throws -> Int) async throws {
        let clock = ContinuousClock()
        let begin = clock.now
        let rows = try await body()
        let time = begin.duration(to: clock.now).components
        let seconds = Double(time.seconds) + Double(time.attoseconds) / 1e18
        print("rows=\(rows) seconds=\((seconds * 1000).rounded() / 1000) million_rows_per_s=\((Double(rows) / seconds / 1e4).rounded() / 100)")
    }

    private func printRows(_ connection: TDSConnection) async throws {
        var resultSet = -1
        for try await row in connection.query(TDSQuery(unsafeSQL: sql)) {
            if row.columns.resultSet != resultSet {
                if resultSet >= 0 { print() }
                resultSet = row.columns.resultSet
                print(row.columns.metadata.map(\.name).joined(separator: "\t"))
            }
            var values: [String] = []
            for column in 0..<row.count { values.append(try row.value(column).description) }
            print(values.joined(separator: "\t"))
        }
    }

    private func writeError(_ text: String) {
        text.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
    }
}
