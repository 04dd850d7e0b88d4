public import NIOCore

/// DONE, DONEPROC and DONEINPROC (MS-TDS 2.2.7.6 to 2.2.7.8): a statement, procedure or statement of a procedure is complete.
///
/// ```
/// +-------------------+--------+--------+--------------+
/// | 0xFD 0xFE 0xFF    | Status | CurCmd | DoneRowCount |
/// | BYTE              | USHORT | USHORT | ULONGLONG    |  (LONG before TDS 7.2)
/// +-------------------+--------+--------+--------------+
/// ```
public struct Done: Hashable, Sendable {
    public enum Kind: UInt8, Hashable, Sendable {
        case done = 0xFD
        case doneProc = 0xFE
        case doneInProc = 0xFF
    }

    /// The Status field.
    public struct Status: OptionSet, Hashable, Sendable {
        public var rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// DONE_MORE: the response goes on.
        public static let more = Status(rawValue: 0x0001)
        /// DONE_ERROR: the statement failed; an ERROR token came before.
        public static let error = Status(rawValue: 0x0002)
        /// DONE_INXACT: a transaction is in progress.
        public static let inTransaction = Status(rawValue: 0x0004)
        /// DONE_COUNT: ``Done/rowCount`` is valid.
        public static let count = Status(rawValue: 0x0010)
        /// DONE_ATTN: the server acknowledges an attention.
        public static let attention = Status(rawValue: 0x0020)
        /// DONE_RPCINBATCH: ends one RPC of several in a message.
        public static let rpcInBatch = Status(rawValue: 0x0080)
        /// DONE_SRVERROR: the request failed so badly that the result is to be discarded.
        public static let serverError = Status(rawValue: 0x0100)
    }

    public var kind: Kind
    public var status: Status
    /// The token of the statement, for example 0xC1 SELECT, 0xC3 INSERT.
    public var currentCommand: UInt16
    /// The row count as sent; mean something only with ``Status/count``.
    public var rowCount: UInt64

    public init(_ kind: Kind = .done, status: Status = [], currentCommand: UInt16 = 0, rowCount: UInt64 = 0) {
        self.kind = kind
        self.status = status
        self.currentCommand = currentCommand
        self.rowCount = rowCount
    }

    /// The row count, if the server sent a valid one.
    public var validRowCount: UInt64? { status.contains(.count) ? rowCount : nil }
}

extension ByteBuffer {
    /// Reads a DONE, DONEPROC or DONEINPROC after its token byte.
    mutating func readDone(_ kind: Done.Kind, version: TDSVersion) throws(WireError) -> Done {
        guard readableBytes >= (version.isYukonOrLater ? 12 : 8) else { throw WireError(.truncated, "DONE") }
        let status = Done.Status(rawValue: try readLE("DONE Status"))
        let command: UInt16 = try readLE("DONE CurCmd")
        let count = version.isYukonOrLater ? try readLE("DONE DoneRowCount") : UInt64(try readLE("DONE DoneRowCount", as: UInt32.self))
        return Done(kind, status: status, currentCommand: command, rowCount: count)
    }

    /// Writes a DONE, DONEPROC or DONEINPROC token.
    public mutating func writeDone(_ done: Done, version: TDSVersion = .v7_4) {
        writeLE(done.kind.rawValue)
        writeLE(done.status.rawValue)
        writeLE(done.currentCommand)
        if version.isYukonOrLater {
            writeLE(done.rowCount)
        } else {
            writeLE(UInt32(truncatingIfNeeded: done.rowCount))
        }
    }
}
