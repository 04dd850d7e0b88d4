import CTCapture
import ExactJSON
import FlowProtocol
import Foundation
import Logging
import OrderedCollections
import Synchronization
import Testing

@testable import connector

/// A server on which every request fails, or that cannot be reached at all.
private struct FailingSource: CaptureSource {
    func withSession<Result: Sendable>(_ body: @Sendable (any CaptureSession) async throws -> Result) async throws -> Result {
        throw SourceError(number: 18456, message: "the server refused the user or the password")
    }
}

@Suite(.timeLimit(.minutes(15))) struct FlowConnectorTests {
    static let config = #"{"address":"h","database":"d","user":"u","password":"hunter22","historyMode":false}"#

    /// Feeds lines to a connector and returns what it answered, and its log.
    private func converse(_ lines: [String]) async throws -> (responses: [JSONValue], log: String, error: (any Error)?) {
        var input: [Int32] = [0, 0]
        var output: [Int32] = [0, 0]
        try #require(pipe(&input) == 0 && pipe(&output) == 0)
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        #expect(write(input[1], text, text.count) == text.count)
        close(input[1])
        let log = Mutex("")
        let logOutput = LogOutput { bytes in log.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }
        let codec = JSONLinesCodec()
        let writer = ResponseWriter(descriptor: output[1], codec: codec)
        let connector = FlowConnector(
            codec: codec, writer: writer, logger: Logger(label: "t") { _ in FlowLogHandler(output: logOutput) }, log: logOutput,
            makeSource: { _, _ in FailingSource() })
        var failure: (any Error)?
        do { try await connector.run(RequestReader(descriptor: input[0], codec: codec), until: StopSignal()) } catch { failure = error }
        try await writer.flush()
        close(output[1])
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = read(output[0], &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        close(output[0])
        close(input[0])
        let responses = try bytes.split(separator: 0x0A).map { try JSONValue(parsing: Array($0)) }
        return (responses, log.withLock { $0 }, failure)
    }

    @Test func specIsAnsweredAndTheEndIsClean() async throws {
        let (responses, _, error) = try await converse([#"{"spec":{"connectorType":"IMAGE","config":{}}}"#, #"{"spec":{}}"#])
        #expect(error == nil && responses.count == 2)
        let spec = try #require(responses.first?["spec"])
        #expect(spec["protocol"] == 3_032_023)
        #expect(spec["resourcePathPointers"] == ["/namespace", "/stream"] as JSONValue)
        #expect(spec["configSchema"]?["required"] == ["address", "user", "password", "database", "historyMode"] as JSONValue)
        #expect(spec["resourceConfigSchema"]?["required"] == ["namespace", "stream"] as JSONValue)
    }

    /// Every option of the schema is one that the configuration takes, and its default changes nothing.
    @Test func schemaAndConfigurationAgree() throws {
        let advanced = try #require(ConfigurationSchema.endpoint["properties"]?["advanced"]?["properties"]?.object)
        var defaults = OrderedDictionary<String, JSONValue>()
        for (name, schema) in advanced {
            let type = schema["type"]?.string
            defaults[name] = schema["default"] ?? (type == "boolean" ? false : type == "integer" ? 0 : "")
        }
        var members = try #require(JSONValue(parsing: Self.config).object)
        let plain = try CaptureConfiguration(.object(members))
        members["advanced"] = .object(defaults)
        #expect(try CaptureConfiguration(.object(members)) == plain)
    }

    @Test func errorsEndTheConversationInPlainWords() async throws {
        let (responses, log, error) = try await converse([#"{"spec":{}}"#, #"{"discover":{"config":\#(Self.config)}}"#])
        #expect(responses.count == 1)
        #expect("\(try #require(error))" == "the server refused the user or the password")
        #expect(!log.contains("hunter22") && log.contains("\"eventType\":\"connectorStatus\""))
    }

    @Test func unknownFieldsOfTheConfigurationAreNamed() async throws {
        let (_, _, error) = try await converse([#"{"discover":{"config":{"address":"h","database":"d","user":"u","password":"p","advanced":{"colour":1}}}}"#])
        #expect("\(try #require(error))" == "unknown field 'advanced.colour'")
    }

    @Test func acknowledgementsOnlyFollowAnOpen() async throws {
        let (_, _, error) = try await converse([#"{"acknowledge":{}}"#])
        #expect(error is FlowProtocolError)
    }

    @Test func configurationFiles() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let yaml = directory.appendingPathComponent("c.yaml").path
        try "address: h\ndatabase: d\nuser: u\npassword: '0123'\nhistoryMode: true\nadvanced:\n  backfill_chunk_size: 7\n  skip_backfills: \"*.*\"\ndiscoveryFilters:\n  include_schemas: [a, no]\ntimezone: ~\n"
            .write(toFile: yaml, atomically: true, encoding: .utf8)
        let configuration = try CaptureConfiguration(ConfigurationFile.value(yaml))
        #expect(configuration.password == "0123" && configuration.historyMode && configuration.advanced.backfillChunkSize == 7)
        #expect(configuration.discoveryFilters.includeSchemas == ["a", "no"])
        let json = directory.appendingPathComponent("c.json").path
        try Self.config.write(toFile: json, atomically: true, encoding: .utf8)
        #expect(try CaptureConfiguration(ConfigurationFile.value(json)).password == "hunter22")
        #expect(throws: ConfigurationError.self) { try ConfigurationFile.value(directory.appendingPathComponent("none").path) }
    }
}
