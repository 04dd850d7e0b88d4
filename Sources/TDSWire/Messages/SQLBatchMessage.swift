public import NIOCore

/// SQLBatch (MS-TDS 2.2.6.7), packets of type 0x01: T-SQL to be run.
///
/// ```
/// +-----------------------+------------------+
/// | ALL_HEADERS, from 7.2 | text as UTF-16LE |
/// +-----------------------+------------------+
/// ```
public struct SQLBatchMessage: Hashable, Sendable {
    /// nil before TDS 7.2.
    public var headers: AllHeaders?
    public var text: String

    public init(_ text: String, headers: AllHeaders? = AllHeaders()) {
        self.text = text
        self.headers = headers
    }
}

extension ByteBuffer {
    /// Reads a whole SQL batch message.
    ///
    /// - Throws: as ``readAllHeaders()``, or ``WireError/Code/malformed`` if the text has an odd number of bytes.
    public mutating func readSQLBatch(version: TDSVersion = .v7_4) throws(WireError) -> SQLBatchMessage {
        try readSQLBatchText(headers: try readAllHeaders(version: version))
    }

    /// Reads a whole SQL batch message of a session whose version is not known (``readAllHeadersIfPresent()``).
    public mutating func readSQLBatchOfUnknownVersion() throws(WireError) -> SQLBatchMessage {
        try readSQLBatchText(headers: try readAllHeadersIfPresent())
    }

    private mutating func readSQLBatchText(headers: AllHeaders?) throws(WireError) -> SQLBatchMessage {
        guard readableBytes % 2 == 0 else { throw WireError(.malformed, "SQLBatch SQLText", "an odd number of bytes") }
        return SQLBatchMessage(try readUTF16(units: readableBytes / 2, "SQLBatch SQLText"), headers: headers)
    }

    /// Writes a whole SQL batch message.
    public mutating func writeSQLBatch(_ message: SQLBatchMessage) throws(WireError) {
        if let headers = message.headers { try writeAllHeaders(headers) }
        reserveCapacity(minimumWritableBytes: message.text.utf8.count * 2)
        writeUTF16(message.text)
    }
}
