/// A message of SQL Server: an error (class above 10) or information (class 10 and below), as the ERROR and INFO tokens of
/// MS-TDS 2.2.7.10 and 2.2.7.13 carry it.
public struct SQLServerMessage: Error, Sendable, Hashable, CustomStringConvertible {
    /// Message number, as in `sys.messages`.
    public var number: Int32
    public var state: UInt8
    /// Severity. 11...19 end a statement, 20 and more end the connection.
    public var severity: UInt8
    public var text: String
    public var server: String
    /// The stored procedure it came from, or an empty string.
    public var procedure: String
    /// Line in the batch, counted from 1.
    public var line: Int32

    public init(
        number: Int32, state: UInt8 = 1, severity: UInt8, text: String,
        server: String = "", procedure: String = "", line: Int32 = 0
    ) {
        self.number = number
        self.state = state
        self.severity = severity
        self.text = text
        self.server = server
        self.procedure = procedure
        self.line = line
    }

    /// Whether it goes out as an ERROR token; else it is an INFO token.
    public var isError: Bool { severity > 10 }

    /// Whether SQL Server abandons the whole batch on it, not just the statement, whatever `XACT_ABORT` says.
    var endsBatch: Bool {
        switch number {
        case 102, 105, 107, 113, 116, 120, 121, 109, 110, 130, 134, 137, 141, 147, 156, 174, 189, 191, 195, 205, 206, 207, 208, 209, 213, 241, 242, 245, 248, 257,
            264, 271, 272, 273, 402, 468, 529, 911, 916, 1087, 1205, 3930, 3951, 3952, 3960, 3961, 4104, 4121, 4145, 8114, 8117, 8120, 8155, 8156:
            return true
        default: return severity >= 20
        }
    }

    public var description: String { "Msg \(number), Level \(severity), State \(state), Line \(line): \(text)" }
}
