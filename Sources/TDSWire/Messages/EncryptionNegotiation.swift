/// What comes of the ENCRYPTION options of both PRELOGIN messages (MS-TDS 2.2.6.5), for TDS 7.x. In TDS 8.0 (strict) TLS comes
/// first and the options mean nothing.
///
/// ```
///              server answers
/// client sends   OFF         ON      NOT_SUP   REQ
///   OFF          loginOnly   full    none      full
///   ON, REQ      refuse      full    refuse    full
///   NOT_SUP      none (*)    refuse  none      refuse
/// ```
/// (*) contradicts the specification, which has such a server answer NOT_SUP; but nothing is lost by going on in the clear, as both wanted.
public enum EncryptionNegotiation {
    /// What both ends do after PRELOGIN.
    public enum Outcome: Hashable, Sendable {
        /// Everything in the clear, the password only obfuscated.
        case none
        /// TLS for the first packet of LOGIN7 only; in the clear from the response on.
        case loginOnly
        /// TLS for everything.
        case full
        /// The ends' demands contradict each other: close the connection.
        case refuse
    }

    /// What a client or server wants.
    public enum Policy: Hashable, Sendable, CaseIterable {
        /// No TLS at all.
        case unsupported
        /// TLS for the login, and for everything if the other end wants that.
        case optional
        /// TLS for everything, or no connection.
        case required

        /// The value of ENCRYPTION that a client with this policy sends.
        public var request: PreLogin.Encryption {
            switch self {
            case .unsupported: .notSupported
            case .optional: .off
            case .required: .on
            }
        }
    }

    /// What both ends do, by what each of them sent.
    ///
    /// A client that must not show its password has to treat ``Outcome/none`` as a refusal too (``client(policy:server:allowPlainLogin:)``).
    public static func outcome(client: PreLogin.Encryption, server: PreLogin.Encryption) -> Outcome {
        // A client certificate has no place without TLS.
        if client.usesClientCertificate, client.base == .notSupported || server.base == .notSupported { return .refuse }
        return switch (client.base, server.base) {
        case (.off, .off): .loginOnly
        case (.off, .on), (.off, .required): .full
        case (.off, .notSupported): .none
        case (.on, .on), (.on, .required), (.required, .on), (.required, .required): .full
        case (.notSupported, .notSupported), (.notSupported, .off): .none
        default: .refuse
        }
    }

    /// What a client of this policy does after the server's answer. A server that leaves the option out cannot encrypt.
    ///
    /// - Parameter allowPlainLogin: whether ``Policy/optional`` includes a login in the clear with a server that cannot encrypt.
    public static func client(policy: Policy, server: PreLogin.Encryption?, allowPlainLogin: Bool) -> Outcome {
        let outcome = outcome(client: policy.request, server: server ?? .notSupported)
        return outcome == .none && policy == .optional && !allowPlainLogin ? .refuse : outcome
    }

    /// What a server of this policy answers, and what it then does. A client that leaves the option out cannot encrypt.
    public static func server(policy: Policy, client: PreLogin.Encryption?) -> (answer: PreLogin.Encryption, outcome: Outcome) {
        let client = client ?? .notSupported
        let answer: PreLogin.Encryption =
            switch (policy, client.base) {
            case (_, .notSupported) where client.usesClientCertificate: .required
            case (.unsupported, _): .notSupported
            case (.optional, .off): .off
            case (.optional, .on), (.optional, .required): .on
            case (.optional, _): .notSupported
            case (.required, .on), (.required, .required): .on
            case (.required, _): .required
            }
        return (answer, outcome(client: client, server: answer))
    }
}
