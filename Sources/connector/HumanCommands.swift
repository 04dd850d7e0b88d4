// Subcommands for a person: what the configuration looks like, whether a capture could run, what it would capture.

import ArgumentParser
import CTCapture
import ExactJSON
import FlowProtocol
import Foundation
import Logging
import OrderedCollections

/// What the subcommands have in common.
struct ConnectionOptions: ParsableArguments {
    @Option(name: .long, help: "The endpoint configuration: a YAML or JSON file.")
    var config: String

    /// The configuration, and a log on standard error that blanks its secrets.
    func load() throws -> (CaptureConfiguration, Logger, FlowLogHandler) {
        let environment = ProcessInfo.processInfo.environment
        var quiet = environment
        if quiet["LOG_LEVEL"] == nil { quiet["LOG_LEVEL"] = "warn" }
        let handler = FlowLogHandler(environment: quiet, defaultFormat: isatty(2) == 1 ? .color : .text)
        let configuration = try CaptureConfiguration(try ConfigurationFile.value(config))
        for secret in configuration.secrets { LogOutput.standardError.blank(secret: secret) }
        return (configuration, Logger(label: "connector") { _ in handler }, handler)
    }
}

/// Says why a subcommand cannot go on, and ends it with status 1.
private func explained<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let code as ExitCode { throw code } catch {
        FileHandle.standardError.write(Data("error: \(error)\n".utf8))
        throw ExitCode.failure
    }
}

struct SpecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "spec", abstract: "Print the configuration's JSON schemas.")

    func run() async throws {
        let spec: JSONValue = ["configSchema": ConfigurationSchema.endpoint, "resourceConfigSchema": ConfigurationSchema.resource]
        print(pretty(spec))
    }
}

/// JSON over lines, for reading.
func pretty(_ value: JSONValue, indent: String = "") -> String {
    let inner = indent + "  "
    switch value {
    case .object(let members) where !members.isEmpty:
        return "{\n" + members.map { "\(inner)\(JSONValue.string($0.key).text()): \(pretty($0.value, indent: inner))" }.joined(separator: ",\n") + "\n\(indent)}"
    case .array(let elements) where !elements.isEmpty:
        return "[\n" + elements.map { inner + pretty($0, indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
    default: return value.text()
    }
}

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check every prerequisite of a capture, and say what to do about those that fail.")

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "Tables to check, as schema.table; by default those that discovery finds.")
    var tables: [String] = []

    func run() async throws {
        try await explained {
            let (configuration, logger, _) = try connection.load()
            let source = try await Source.make(configuration, logger)
            let names = try tables.map { text throws -> TableName in
                let parts = text.split(separator: ".", maxSplits: 1)
                guard parts.count == 2 else { throw ConfigurationError("\"\(text)\" is not schema.table") }
                return TableName(schema: String(parts[0]), table: String(parts[1]))
            }
            let checks = try await source.withSession { session in
                let chosen = names.isEmpty ? try Discovery.tables(await Catalog.read(session), configuration).map(\.name) : names
                return try await Prerequisites.check(session, tables: chosen.map { ResourceConfiguration(table: $0) })
            }
            for check in checks {
                print("\(check.problem == nil ? "ok  " : "FAIL")  \(check.name)\(check.note.map { " (\($0))" } ?? "")")
                if let problem = check.problem { print("      \(problem)") }
                if let remedy = check.remedy, check.problem != nil { print("      what to do: \(remedy)") }
            }
            if checks.contains(where: { $0.problem != nil }) { throw ExitCode.failure }
        }
    }
}

struct DiscoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "discover", abstract: "List the tables that can be captured.")

    @OptionGroup var connection: ConnectionOptions

    @Flag(name: .long, help: "Print whole bindings, with their schemas, as JSON.")
    var json = false

    func run() async throws {
        try await explained {
            let (configuration, logger, _) = try connection.load()
            let catalog = try await Source.make(configuration, logger).withSession { try await Catalog.read($0) }
            for found in try Discovery.discover(catalog, configuration) {
                guard json else {
                    print("\(found.table.schema).\(found.table.table)  key \(found.key.joined(separator: ", "))  -> \(found.recommendedName)")
                    continue
                }
                print(
                    pretty([
                        "recommendedName": .string(found.recommendedName),
                        "resourceConfig": ["namespace": .string(found.table.schema), "stream": .string(found.table.table)],
                        "documentSchema": found.documentSchema, "key": .array(found.key.map { .string($0) }),
                    ]))
            }
        }
    }
}

struct PreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview", abstract: "Capture tables and print their documents as JSON lines.",
        discussion: "Every line is [\"schema.table\", document]. With --state the capture goes on where an earlier one ended.")

    @OptionGroup var connection: ConnectionOptions

    @Option(name: .long, help: "Where the state is kept; read at the start, written with every checkpoint.")
    var state: String?

    @Flag(name: .long, help: "End as soon as everything is captured, instead of following changes.")
    var once = false

    @Argument(help: "Tables to capture, as schema.table; by default those that discovery finds.")
    var tables: [String] = []

    func run() async throws {
        try await explained {
            let (configuration, logger, _) = try connection.load()
            let source = try await Source.make(configuration, logger)
            let found = try await source.withSession { try Discovery.tables(await Catalog.read($0), configuration).map(\.name) }
            let wanted = Set(tables.map { $0.lowercased() })
            let chosen = wanted.isEmpty ? found : found.filter { wanted.contains($0.description) }
            guard !chosen.isEmpty else { throw ConfigurationError(wanted.isEmpty ? "there are no tables to capture" : "none of these tables can be captured") }
            let bindings = chosen.enumerated().map { index, table in
                CaptureBinding(index: index, stateKey: "\(table.schema)/\(table.table)", resource: ResourceConfiguration(table: table))
            }
            var saved = JSONValue.object([:])
            if let state, FileManager.default.fileExists(atPath: state) { saved = try ConfigurationFile.value(state) }
            let output = PreviewOutput(names: chosen, state: saved, file: state)
            var options = Capture.Options()
            options.shutdownAfterPolling = once
            let capture = Capture(
                configuration: configuration, bindings: bindings, state: try CaptureState(saved), source: source, output: output, logger: logger, options: options)
            let stop = StopSignal()
            try await Signals.stopping(stop, Task { try await capture.run(until: stop) }) { true }
            try await output.finish()
        }
    }
}
