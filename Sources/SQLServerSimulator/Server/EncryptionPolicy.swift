// What a server answers to a client's ENCRYPTION option, and what follows: TDSWire's table (MS-TDS 2.2.6.5) and what a server may demand.
//
//                    off               login               none given          required             strict
// client OFF         NOT_SUP, clear    OFF, login only     OFF, login only     REQ, everything      REQ, closed
// client ON, REQ     NOT_SUP, closed   ON, everything      ON, everything      ON, everything       REQ, closed
// client NOT_SUP     NOT_SUP, clear    REQ, closed         NOT_SUP, clear      REQ, closed          REQ, closed
//
// A connection that begins with TLS (TDS 8.0) is welcome unless the policy is `off`; its ENCRYPTION option has no meaning.
import TDSWire

/// What a server demands about encryption.
public enum EncryptionPolicy: String, Sendable, Hashable, CaseIterable {
    /// No TLS at all, as a server without any certificate.
    case off
    /// At least the login is encrypted.
    case login
    /// Everything is encrypted ("Force Encryption").
    case required
    /// TDS 8.0 only ("Force Strict Encryption").
    case strict

    /// The server's answer and what both do then.
    /// - Parameter policy: nil does what the client asks for, as a server that was just installed.
    static func answer(
        _ policy: EncryptionPolicy?, to client: PreLogin.Encryption?
    ) -> (answer: PreLogin.Encryption, outcome: EncryptionNegotiation.Outcome) {
        switch policy {
        case nil: return EncryptionNegotiation.server(policy: .optional, client: client)
        case .off: return EncryptionNegotiation.server(policy: .unsupported, client: client)
        case .required: return EncryptionNegotiation.server(policy: .required, client: client)
        case .login:
            let negotiated = EncryptionNegotiation.server(policy: .optional, client: client)
            return negotiated.outcome == .none ? (.required, .refuse) : negotiated
        case .strict: return (.required, .refuse)
        }
    }
}
