public import NIOCore

/// SESSIONSTATE (MS-TDS 2.2.7.21): what a client has to hand back to recover the session on a new connection.
///
/// ```
/// +------+--------+-------+--------+ then per state
/// | 0xE4 | Length | SeqNo | Status | +---------+-----------------------------+-------+
/// | BYTE | DWORD  | DWORD | BYTE   | | StateId | StateLen: BYTE, or 0xFF and | Value |
/// +------+--------+-------+--------+ | BYTE    | DWORD                       |       |
///                                    +---------+-----------------------------+-------+
/// ```
public struct SessionState: Hashable, Sendable {
    public var sequenceNumber: UInt32
    /// fRecoverable: whether the session can be recovered from here on.
    public var isRecoverable: Bool
    /// The states that changed, by id.
    public var states: [State]

    public struct State: Hashable, Sendable {
        public var id: UInt8
        public var value: ByteBuffer

        public init(id: UInt8, value: ByteBuffer) {
            self.id = id
            self.value = value
        }
    }

    public init(sequenceNumber: UInt32, isRecoverable: Bool, states: [State]) {
        self.sequenceNumber = sequenceNumber
        self.isRecoverable = isRecoverable
        self.states = states
    }
}

extension ByteBuffer {
    /// Reads a SESSIONSTATE's body, after token byte and length.
    mutating func readSessionState() throws(WireError) -> SessionState {
        let sequence: UInt32 = try readLE("SESSIONSTATE SeqNo")
        let status: UInt8 = try readLE("SESSIONSTATE Status")
        return SessionState(sequenceNumber: sequence, isRecoverable: status & 1 != 0, states: try readSessionStates())
    }

    /// Reads session states to the end of the buffer (also in the session recovery feature's data).
    mutating func readSessionStates() throws(WireError) -> [SessionState.State] {
        var states: [SessionState.State] = []
        while readableBytes > 0 {
            let id: UInt8 = try readLE("SESSIONSTATE StateId")
            let short: UInt8 = try readLE("SESSIONSTATE StateLen")
            let length = short == 0xFF ? Int(try readLE("SESSIONSTATE StateLen", as: UInt32.self)) : Int(short)
            states.append(.init(id: id, value: try readWireSlice(length, "SESSIONSTATE StateValue")))
        }
        return states
    }

    /// Writes a SESSIONSTATE token.
    public mutating func writeSessionState(_ state: SessionState) throws(WireError) {
        writeLE(TokenType.sessionState.rawValue)
        try writeLengthPrefixed(as: UInt32.self, "SESSIONSTATE Length") { buffer throws(WireError) in
            buffer.writeLE(state.sequenceNumber)
            buffer.writeLE(UInt8(state.isRecoverable ? 1 : 0))
            buffer.writeSessionStates(state.states)
        }
    }

    mutating func writeSessionStates(_ states: [SessionState.State]) {
        for state in states {
            writeLE(state.id)
            if state.value.readableBytes >= 0xFF {
                writeLE(UInt8(0xFF))
                writeLE(UInt32(truncatingIfNeeded: state.value.readableBytes))
            } else {
                writeLE(UInt8(state.value.readableBytes))
            }
            writeImmutableBuffer(state.value)
        }
    }
}
