import NIOCore

/// What a client has to remember of a session to set it up again on a new connection (SESSIONRECOVERY, MS-TDS 2.2.6.4): the state right
/// after the login, and what has changed since.
///
/// A value: give it every token of the session. It collects only if the server acknowledged the feature.
public struct SessionRecoveryState: Hashable, Sendable {
    /// The state after the login; nil if the server did not acknowledge the feature.
    public private(set) var initial: SessionRecoveryFeature.Data?
    private var current = SessionRecoveryFeature.Data()
    /// By state id: the last token that named it.
    private var latest: [UInt8: Latest] = [:]
    /// The sequence numbers are used up: never again on this connection (MS-TDS 2.2.7.21).
    private var isDisabled = false

    private struct Latest: Hashable, Sendable {
        var sequenceNumber: UInt32
        var isRecoverable: Bool
    }

    /// - Parameter login: what the login brought, with the server's acknowledgements.
    /// - Throws: ``WireError/Code/malformed`` if the acknowledgement's data are not right.
    public init(login: ClientLoginStateMachine.LoginResult) throws(WireError) {
        guard let acknowledgement = try login.features.first(SessionRecoveryFeature.Acknowledgement.self) else { return }
        let data = SessionRecoveryFeature.Data(
            database: login.database, collation: login.collation, language: login.language, states: acknowledgement.states)
        initial = data
        current = data
    }

    /// A token of a response arrived.
    public mutating func tokenReceived(_ token: Token) {
        guard let initial else { return }
        switch token {
        case .sessionState(let state):
            if state.sequenceNumber == .max { isDisabled = true }
            for change in state.states {
                if let known = latest[change.id], known.sequenceNumber > state.sequenceNumber { continue }
                latest[change.id] = Latest(sequenceNumber: state.sequenceNumber, isRecoverable: state.isRecoverable)
                if let index = current.states.firstIndex(where: { $0.id == change.id }) {
                    current.states[index] = change
                } else {
                    current.states.append(change)
                }
            }
        case .environmentChange(.database(let new, _)): current.database = new
        case .environmentChange(.language(let new, _)): current.language = new
        case .environmentChange(.collation(let new, _)): current.collation = new
        // Further changes are on top of the initial state.
        case .environmentChange(.resetConnectionAcknowledged):
            current = initial
            latest = [:]
        default: break
        }
    }

    /// Whether a broken connection may be recovered now: the feature is there, and no state says otherwise.
    public var isRecoverable: Bool { initial != nil && !isDisabled && latest.values.allSatisfy(\.isRecoverable) }

    /// The feature of the LOGIN7 that recovers the session; nil if it cannot be recovered. The login's version has to be the session's.
    public var recovery: SessionRecoveryFeature? {
        guard var initial, isRecoverable else { return nil }
        var toBe = current
        if toBe.database == initial.database { toBe.database = "" }
        if toBe.collation == initial.collation { toBe.collation = nil }
        if toBe.language == initial.language { toBe.language = "" }
        toBe.states.removeAll { initial.states.contains($0) || $0.value.readableBytes == 0 }
        // A state without a value is not sent back (MS-TDS 2.2.7.21, StateLen).
        initial.states.removeAll { $0.value.readableBytes == 0 }
        return SessionRecoveryFeature(recovery: .init(initial: initial, toBe: toBe))
    }
}
