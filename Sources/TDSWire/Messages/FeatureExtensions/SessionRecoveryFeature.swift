public import NIOCore

/// SESSIONRECOVERY (0x01, MS-TDS 2.2.6.4, 2.2.7.11): a broken session is set up again on a new connection.
///
/// ```
/// LOGIN7, first login: no data
/// LOGIN7, recovery:    InitSessionRecoveryData SessionRecoveryDataToBe, each:
///   +--------+------------------+-------------------+------------------+---------------------+
///   | Length | RecoveryDatabase | RecoveryCollation | RecoveryLanguage | SessionStateDataSet |  Length does not count itself
///   | DWORD  | B_VARCHAR        | BYTE, 0 or 5 bytes| B_VARCHAR        | as in SESSIONSTATE  |
///   +--------+------------------+-------------------+------------------+---------------------+
/// FEATUREEXTACK:       SessionStateDataSet
/// ```
public struct SessionRecoveryFeature: LoginFeature {
    public static let id = FeatureID.sessionRecovery

    /// A session's state, in one of the two sets.
    public struct Data: Hashable, Sendable {
        /// Empty in the second set if unchanged.
        public var database: String
        public var collation: Collation?
        public var language: String
        public var states: [SessionState.State]

        public init(database: String = "", collation: Collation? = nil, language: String = "", states: [SessionState.State] = []) {
            self.database = database
            self.collation = collation
            self.language = language
            self.states = states
        }
    }

    /// What to recover; nil in a first login, which only says that the client can do it.
    public struct Recovery: Hashable, Sendable {
        /// The state right after the first login.
        public var initial: Data
        /// What is to differ from it.
        public var toBe: Data

        public init(initial: Data, toBe: Data) {
            self.initial = initial
            self.toBe = toBe
        }
    }

    public var recovery: Recovery?

    public init(recovery: Recovery? = nil) { self.recovery = recovery }

    public init(reading data: inout ByteBuffer) throws(WireError) {
        guard data.readableBytes > 0 else { return }
        recovery = Recovery(initial: try data.readSessionRecoveryData(), toBe: try data.readSessionRecoveryData())
    }

    public func write(to data: inout ByteBuffer) throws(WireError) {
        guard let recovery else { return }
        try data.writeSessionRecoveryData(recovery.initial)
        try data.writeSessionRecoveryData(recovery.toBe)
    }

    /// The server's answer: the session's state after the login.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.sessionRecovery

        public var states: [SessionState.State]

        public init(states: [SessionState.State]) { self.states = states }
        public init(reading data: inout ByteBuffer) throws(WireError) { states = try data.readSessionStates() }
        public func write(to data: inout ByteBuffer) throws(WireError) { data.writeSessionStates(states) }
    }
}

extension ByteBuffer {
    fileprivate mutating func readSessionRecoveryData() throws(WireError) -> SessionRecoveryFeature.Data {
        let length = Int(try readLE("SESSIONRECOVERY Length", as: UInt32.self))
        var body = try readWireSlice(length, "SESSIONRECOVERY")
        var data = SessionRecoveryFeature.Data(database: try body.readBVarchar("SESSIONRECOVERY RecoveryDatabase"))
        switch try body.readLE("SESSIONRECOVERY RecoveryCollation", as: UInt8.self) {
        case 0: break
        case 5: data.collation = try body.readCollation("SESSIONRECOVERY RecoveryCollation")
        default: throw WireError(.malformed, "SESSIONRECOVERY RecoveryCollation")
        }
        data.language = try body.readBVarchar("SESSIONRECOVERY RecoveryLanguage")
        data.states = try body.readSessionStates()
        return data
    }

    fileprivate mutating func writeSessionRecoveryData(_ data: SessionRecoveryFeature.Data) throws(WireError) {
        try writeLengthPrefixed(as: UInt32.self, "SESSIONRECOVERY Length") { buffer throws(WireError) in
            try buffer.writeBVarchar(data.database, "SESSIONRECOVERY RecoveryDatabase")
            buffer.writeLE(UInt8(data.collation == nil ? 0 : 5))
            if let collation = data.collation { buffer.writeCollation(collation) }
            try buffer.writeBVarchar(data.language, "SESSIONRECOVERY RecoveryLanguage")
            buffer.writeSessionStates(data.states)
        }
    }
}
