// The command line of the simulator.
import ArgumentParser
import Foundation
import Logging
import SQLServerSimulator
import TDSRecording
import TDSTLS
import UnixSignals

@main
struct SimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sqlserver-simulator",
        abstract: "A stand-in for a SQL Server, with change tracking, over the real wire protocol.",
        subcommands: [Serve.self, Record.self, Replay.self])
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Listens until SIGTERM or SIGINT.",
        discussion: """
            Prints "listening on HOST:PORT" when clients can connect. Databases live in memory: what a script makes is gone when it ends. \
            A sysadmin may do everything; a reader may SELECT, see change tracking and see the database's state.
            """)

    @Option(help: ArgumentHelp("Where to listen; port 0 takes any free port.", valueName: "host:port"))
    var listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 1433)

    @Option(help: "A database; the first is every login's default. May be given more than once.")
    var database: [String] = ["test"]

    @Option(help: ArgumentHelp("A login, its password and its role: sysadmin or reader. May be given more than once.", valueName: "name:password:role"))
    var login: [String] = []

    @Option(help: ArgumentHelp("SQL to run at the start as a sysadmin; GO separates batches. May be given more than once.", valueName: "file"))
    var script: [String] = []

    @Option(help: "off, login, required or strict. Without it the server does what the client asks for.")
    var encryption: EncryptionPolicy?

    @Option(help: ArgumentHelp("The server's certificate, PEM, with its chain. Without it the server makes a self-signed one.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("The certificate's private key, PEM.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("Writes the certificate that the server made for itself to a file, for clients to trust.", valueName: "file"))
    var writeCertificate: String?

    @Option(help: "The collation of the server and its databases.")
    var collation: String = "SQL_Latin1_General_CP1_CI_AS"

    @Option(
        help: ArgumentHelp(
            "Record all sessions into a pcap file, decrypted: rows and SQL text as they are, passwords blanked. Compressed if the name ends in .gz.",
            valueName: "file"))
    var record: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical; to standard error.")
    var logLevel: Logger.Level = .notice

    func validate() throws {
        guard (certificate == nil) == (key == nil) else { throw ValidationError("--certificate and --key belong together") }
        guard login.allSatisfy({ SimulatorConfiguration.Login(argument: $0) != nil }) else {
            throw ValidationError("--login takes NAME:PASSWORD:ROLE, where the role is sysadmin or reader")
        }
        guard writeCertificate == nil || certificate == nil else { throw ValidationError("--write-certificate is for the certificate that the server makes") }
    }

    func run() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "sqlserver-simulator")
        logger.logLevel = logLevel
        // Signals are waited for, not obeyed where they strike.
        let signals = await Signals()

        var configuration = SimulatorServerConfiguration(
            engine: SimulatorConfiguration(databases: database, logins: login.compactMap(SimulatorConfiguration.Login.init(argument:)), collation: collation), host: listen.host,
            port: listen.port, encryption: encryption, logger: logger)
        if let certificate, let key {
            configuration.tls = TLSServerConfiguration(identity: .files(certificate: certificate, key: key))
        }
        let recorder = try record.map { path throws(RecordingError) in try SessionRecorder(path: path) }
        configuration.recording = recorder
        let server = SimulatorServer(configuration: configuration)
        for file in script { try Self.run(file, on: server.engine) }
        try await server.start()
        if let writeCertificate, let made = server.certificate {
            try Data(made.certificatePEM).write(to: URL(fileURLWithPath: writeCertificate))
        }
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        // Past any buffer of the C library: whoever started this waits for the line.
        FileHandle.standardOutput.write(Data("listening on \(host):\(server.port)\n".utf8))
        await signals.wait()
        try await server.stop()
        try recorder?.close()
    }

    private static func run(_ file: String, on engine: SimulatedServer) throws {
        let sql: String
        do {
            sql = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw ScriptFailure(description: "\(file): can't be read as UTF-8 text")
        }
        for batch in SQLScript(sql).batches {
            do {
                try engine.runScript(batch.text)
            } catch let error as SQLServerMessage {
                // The engine counts lines in its batch, from 1.
                let line = batch.firstLine + max(Int(error.line), 1) - 1
                throw ScriptFailure(description: "\(file):\(line): error \(error.number): \(error.text)")
            }
        }
    }
}

/// What ends the start: its text goes to standard error.
struct ScriptFailure: Error, CustomStringConvertible { var description: String }

/// `host:port`, `[IPv6]:port`, or a host alone.
struct ListenAddress: ExpressibleByArgument, Sendable, CustomStringConvertible {
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(argument: String) {
        var host = argument[...]
        var port = 1433
        if let colon = argument.lastIndex(of: ":"), !(argument.hasPrefix("[") && argument.hasSuffix("]")) {
            guard let number = UInt16(argument[argument.index(after: colon)...]) else { return nil }
            port = Int(number)
            host = argument[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    var defaultValueDescription: String { description }
}

extension SimulatorConfiguration.Login {
    /// `name:password:role`; the password may hold colons. Not parsed as an argument, whose error message would print the password.
    init?(argument: String) {
        guard let first = argument.firstIndex(of: ":"), let last = argument.lastIndex(of: ":"), first < last,
            let role = SimulatorConfiguration.Role(rawValue: String(argument[argument.index(after: last)...]))
        else { return nil }
        let name = String(argument[..<first])
        guard !name.isEmpty else { return nil }
        self.init(name: name, password: String(argument[argument.index(after: first)..<last]), role: role)
    }
}

extension EncryptionPolicy: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}

/// Waits for SIGTERM or SIGINT.
struct Signals: Sendable {
    /// Also of signals that came before it is read.
    private let received: UnixSignalsSequence

    init() async { received = await UnixSignalsSequence(trapping: .sigterm, .sigint) }

    func wait() async {
        for await _ in received { return }
    }
}
