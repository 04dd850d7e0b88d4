// Where a capture's results go. A Flow connector is one such place; a tool that writes files is another.

import ExactJSON

/// Takes what a capture produces, in order.
public protocol CaptureOutput: DocumentOutput {
    /// What to put before and after each document of a binding.
    func framing(binding: Int) -> (prefix: [UInt8], suffix: [UInt8])

    /// What the source says about a binding's documents, from the next checkpoint on.
    func sourcedSchema(_ schema: JSONValue, binding: Int) async throws

    /// Ends a transaction: with the documents since the one before, the state changes by this merge patch.
    func checkpoint(_ patch: JSONValue) async throws

    /// A binding's backfill begins: the first of its messages in this transaction.
    func backfillBegins(binding: Int) async throws

    /// A binding's backfill is complete: the last of its messages in this transaction.
    func backfillCompletes(binding: Int) async throws

    /// What the capture is doing, for the user.
    func status(_ message: String, fields: [String: Int64])
}

/// A table that is captured.
public struct CaptureBinding: Hashable, Sendable {
    /// Its place in the output's numbering.
    public var index: Int
    /// Its name in the state.
    public var stateKey: String
    public var resource: ResourceConfiguration

    public init(index: Int, stateKey: String, resource: ResourceConfiguration) {
        self.index = index
        self.stateKey = stateKey
        self.resource = resource
    }
}
