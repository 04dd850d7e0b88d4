// Documents as JSON lines on standard output, the state in a file, progress on the terminal.

import CTCapture
import ExactJSON
import FlowProtocol
import Foundation
import OrderedCollections
import Synchronization

final class PreviewOutput: CaptureOutput {
    private struct State {
        var state: JSONValue
        var documents = 0
    }

    private let names: [String]
    private let file: String?
    private let writer = ResponseWriter(codec: JSONLinesCodec())
    private let state: Mutex<State>
    private let isTerminal = isatty(2) == 1

    init(names: [TableName], state: JSONValue, file: String?) {
        self.names = names.map { "\($0.schema).\($0.table)" }
        self.file = file
        self.state = Mutex(State(state: state))
    }

    func framing(binding: Int) -> (prefix: [UInt8], suffix: [UInt8]) {
        let name = names.indices.contains(binding) ? names[binding] : ""
        return (Array("[\(JSONValue.string(name).text()),".utf8), Array("]\n".utf8))
    }

    func write(documents: consuming DocumentBuffer) async throws -> DocumentBuffer {
        let documents = documents
        let lines = documents.bytes.count { $0 == 0x0A }
        state.withLock { $0.documents += lines }
        try await writer.write(documents: documents.storage, count: documents.count)
        return DocumentBuffer(capacity: documents.count + documents.count / 8)
    }

    func sourcedSchema(_ schema: JSONValue, binding: Int) async throws {}
    func backfillBegins(binding: Int) async throws {}
    func backfillCompletes(binding: Int) async throws {}

    /// The state is written only behind its documents, and whole or not at all.
    func checkpoint(_ patch: JSONValue) async throws {
        try await writer.flush()
        let (now, documents) = state.withLock { state in
            state.state = state.state.merging(patch)
            return (state.state, state.documents)
        }
        if let file { try Data((pretty(now) + "\n").utf8).write(to: URL(fileURLWithPath: file), options: .atomic) }
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K\(documents) documents".utf8)) }
    }

    func status(_ message: String, fields: [String: Int64]) {
        guard isTerminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(message)\n".utf8))
    }

    func finish() async throws {
        try await writer.flush()
        if isTerminal { FileHandle.standardError.write(Data("\n".utf8)) }
    }
}
