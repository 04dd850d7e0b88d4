public import NIOCore

/// ERROR and INFO (MS-TDS 2.2.7.10, 2.2.7.13): what the server has to say about a request.
///
/// ```
/// +-----------+--------+--------+-------+-------+------------+------------+-----------+------------+
/// | 0xAA 0xAB | Length | Number | State | Class | MsgText    | ServerName | ProcName  | LineNumber |
/// | BYTE      | USHORT | LONG   | BYTE  | BYTE  | US_VARCHAR | B_VARCHAR  | B_VARCHAR | LONG       | (USHORT before TDS 7.2)
/// +-----------+--------+--------+-------+-------+------------+------------+-----------+------------+
/// ```
public struct ServerMessage: Hashable, Sendable, CustomStringConvertible {
    /// The message's number, for example 208 "Invalid object name". Negative numbers don't occur, 50000 and above are users'.
    public var number: Int32
    public var state: UInt8
    /// The severity: up to 10 is information, 11 to 16 the user's fault, 17 and above the server's; 20 and above end the connection.
    public var severity: UInt8
    public var text: String
    public var server: String
    /// The procedure in which it happened, or empty.
    public var procedure: String
    /// The line in the batch or procedure, from 1; 0 where there is none.
    public var line: Int32

    public init(number: Int32, state: UInt8 = 1, severity: UInt8, text: String, server: String = "", procedure: String = "", line: Int32 = 1) {
        self.number = number
        self.state = state
        self.severity = severity
        self.text = text
        self.server = server
        self.procedure = procedure
        self.line = line
    }

    public var description: String {
        let place = procedure.isEmpty ? "line \(line)" : "procedure \(procedure), line \(line)"
        return "\(number) (severity \(severity), state \(state), \(place)): \(text)"
    }
}

extension ByteBuffer {
    /// Reads an ERROR's or INFO's body, after token byte and length.
    mutating func readServerMessage(version: TDSVersion) throws(WireError) -> ServerMessage {
        let number: Int32 = try readLE("ERROR Number")
        let state: UInt8 = try readLE("ERROR State")
        let severity: UInt8 = try readLE("ERROR Class")
        let text = try readUSVarchar("ERROR MsgText")
        let server = try readBVarchar("ERROR ServerName")
        let procedure = try readBVarchar("ERROR ProcName")
        let line = version.isYukonOrLater ? try readLE("ERROR LineNumber") : Int32(try readLE("ERROR LineNumber", as: UInt16.self))
        return ServerMessage(number: number, state: state, severity: severity, text: text, server: server, procedure: procedure, line: line)
    }

    /// Writes an ERROR (severity above 10) or INFO token. Throws ``WireError/Code/valueOutOfRange`` if a text is too long.
    public mutating func writeServerMessage(_ message: ServerMessage, version: TDSVersion = .v7_4) throws(WireError) {
        try writeServerMessage(message, as: message.severity > 10 ? .error : .info, version: version)
    }

    mutating func writeServerMessage(_ message: ServerMessage, as type: TokenType, version: TDSVersion) throws(WireError) {
        writeLE(type.rawValue)
        try writeLengthPrefixed(as: UInt16.self, "ERROR Length") { buffer throws(WireError) in
            buffer.writeLE(message.number)
            buffer.writeLE(message.state)
            buffer.writeLE(message.severity)
            try buffer.writeUSVarchar(message.text, "ERROR MsgText")
            try buffer.writeBVarchar(message.server, "ERROR ServerName")
            try buffer.writeBVarchar(message.procedure, "ERROR ProcName")
            if version.isYukonOrLater {
                buffer.writeLE(message.line)
            } else {
                buffer.writeLE(UInt16(clamping: message.line))
            }
        }
    }
}
