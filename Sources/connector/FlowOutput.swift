// The capture's results as messages to the Flow runtime.

import CTCapture
import ExactJSON
import FlowProtocol
import Logging
import OrderedCollections
import Synchronization

/// Writes documents and checkpoints to the runtime, and status lines to the log.
final class FlowOutput: CaptureOutput {
    private let writer: ResponseWriter
    private let codec: any FlowCodec
    private let status: ConnectorStatus
    /// Whether documents have been written that no checkpoint follows yet.
    private let hasPending = Atomic(false)

    init(writer: ResponseWriter, codec: any FlowCodec, status: ConnectorStatus) {
        self.writer = writer
        self.codec = codec
        self.status = status
    }

    func framing(binding: Int) -> (prefix: [UInt8], suffix: [UInt8]) {
        let framing = codec.documentFraming(binding: UInt32(clamping: binding))
        return (framing.prefix, framing.suffix)
    }

    func write(documents: consuming DocumentBuffer) async throws -> DocumentBuffer {
        let documents = documents
        hasPending.store(true, ordering: .relaxed)
        try await writer.write(documents: documents.storage, count: documents.count)
        return DocumentBuffer(capacity: documents.count + documents.count / 8)
    }

    func sourcedSchema(_ schema: JSONValue, binding: Int) async throws {
        try await writer.send(.sourcedSchema(.init(binding: UInt32(clamping: binding), documentSchema: RawJSON(schema))))
    }

    func checkpoint(_ patch: JSONValue) async throws {
        hasPending.store(false, ordering: .relaxed)
        try await writer.send(.checkpoint(.init(updated: RawJSON(patch))))
    }

    /// Ends the transaction that an interruption has left open: its documents will come again.
    func closeTransaction() async throws {
        if hasPending.load(ordering: .relaxed) { try await checkpoint(.object([:])) }
    }

    func backfillBegins(binding: Int) async throws { try await writer.send(.backfillBegin(binding: UInt32(clamping: binding))) }
    func backfillCompletes(binding: Int) async throws { try await writer.send(.backfillComplete(binding: UInt32(clamping: binding))) }

    func status(_ message: String, fields: [String: Int64]) {
        status.report(message, fields.mapValues { .stringConvertible($0) })
    }
}
