// The example of docs/capture.md, run against the simulator: a capture without Flow, stopped and gone on with.

import ExactJSON
import Foundation
import Logging
import OrderedCollections
import SQLServerSimulator
import Synchronization
import TDSClient
import Testing

import CTCapture

private final class FileOutput: CaptureOutput {
    private let documents: FileHandle
    private let stateFile: URL
    private let state: Mutex<JSONValue>

    init(documents: FileHandle, stateFile: URL, state: JSONValue) {
        self.documents = documents
        self.stateFile = stateFile
        self.state = Mutex(state)
    }

    func framing(binding: Int) -> (prefix: [UInt8], suffix: [UInt8]) { ([], [0x0A]) }

    func write(documents buffer: consuming DocumentBuffer) async throws -> DocumentBuffer {
        try documents.write(contentsOf: Data(buffer.bytes))
        return buffer
    }

    func checkpoint(_ patch: JSONValue) async throws {
        try documents.synchronize()
        let now = state.withLock { state in
            state = state.merging(patch)
            return state
        }
        try Data(now.text().utf8).write(to: stateFile, options: .atomic)
    }

    func sourcedSchema(_ schema: JSONValue, binding: Int) async throws {}
    func backfillBegins(binding: Int) async throws {}
    func backfillCompletes(binding: Int) async throws {}
    func status(_ message: String, fields: [String: Int64]) {}
}

private func follow(_ table: TableName, _ configuration: CaptureConfiguration, documents: URL, stateFile: URL, until stop: StopSignal) async throws {
    let logger = Logger(label: "follow")
    let saved = try? JSONValue(parsing: String(contentsOf: stateFile, encoding: .utf8))
    if !FileManager.default.fileExists(atPath: documents.path) { try Data().write(to: documents) }
    let file = try FileHandle(forWritingTo: documents)
    try file.seekToEnd()
    let source = try await TDSSource(configuration, logger: logger)
    let capture = Capture(
        configuration: configuration,
        bindings: [CaptureBinding(index: 0, stateKey: "\(table.schema)%2F\(table.table)", resource: ResourceConfiguration(table: table))],
        state: try CaptureState(saved ?? .object([:])), source: source,
        output: FileOutput(documents: file, stateFile: stateFile, state: saved ?? .object([:])), logger: logger)
    try await capture.run(until: stop)
    await source.close()
}

@Test(.timeLimit(.minutes(15))) func theGuidesCaptureRuns() async throws {
    let engine = SimulatorConfiguration(databases: ["test"], logins: [.init(name: "sa", password: "Admin-1234", role: .sysadmin)])
    let simulator = SimulatorServer(configuration: SimulatorServerConfiguration(engine: engine, port: 0))
    for batch in [
        "CREATE TABLE dbo.t (id int PRIMARY KEY, v nvarchar(10))", "ALTER TABLE dbo.t ENABLE CHANGE_TRACKING", "INSERT INTO dbo.t VALUES (1, N'one'), (2, N'two')",
    ] { try simulator.engine.runScript(batch) }
    try await simulator.start()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("guide-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let documents = folder.appendingPathComponent("documents.jsonl")
    var configuration = CaptureConfiguration(host: "127.0.0.1", port: simulator.port, database: "test", user: "sa", password: "Admin-1234")
    configuration.advanced.pollingInterval = .milliseconds(20)
    func lines() throws -> [String] { try String(contentsOf: documents, encoding: .utf8).split(separator: "\n").map(String.init) }
    // Two sessions: rows, then what changed between them.
    for expected in [2, 4] {
        let stop = StopSignal()
        let session = Task { [configuration] in
            try await follow(
                TableName(schema: "dbo", table: "t"), configuration, documents: documents, stateFile: folder.appendingPathComponent("state.json"), until: stop)
        }
        for _ in 0..<10_000 {
            if let now = try? lines(), now.count >= expected { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        stop.stop()
        try await session.value
        #expect(try lines().count == expected)
        try simulator.engine.runScript("UPDATE dbo.t SET v = N'zwei' WHERE id = 2\nDELETE FROM dbo.t WHERE id = 1")
    }
    #expect(try lines().suffix(2).map { $0.contains(#""op":"d""#) } == [true, false])
    try await simulator.stop()
}
