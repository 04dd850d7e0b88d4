public import NIOCore

/// The client's way from a connected transport to a session (MS-TDS 3.2.5.1 to 3.2.5.3): PRELOGIN, TLS, LOGIN7, the server's answer.
///
/// A value without input or output: an event goes in, what is to be done comes out.
///
/// ```
///            TDS 7.x                                      TDS 8.0
///  start ──> sendPreLogin                        start ──> startTLS(.strict)
///        preLoginReceived ──> startTLS or sendLogin    tlsEstablished ──> sendPreLogin
///            tlsEstablished ──> sendLogin          preLoginReceived ──> sendLogin
///  tokenReceived* (ENVCHANGE, LOGINACK, …), messageEnded ──> succeeded | redirect | failed | continue the authentication
/// ```
public struct ClientLoginStateMachine: Sendable {
    /// When TLS is used.
    public enum Encryption: Hashable, Sendable {
        /// TDS 7.x: negotiated by PRELOGIN.
        case negotiated(EncryptionNegotiation.Policy, allowPlainLogin: Bool)
        /// TDS 8.0: TLS first.
        case strict
    }

    /// How TLS is put under the session.
    public enum TLSMode: Hashable, Sendable {
        /// Handshake in PRELOGIN packets, TLS for all that follows.
        case full
        /// Handshake in PRELOGIN packets, TLS for LOGIN7 only.
        case loginOnly
        /// TLS before the first packet.
        case strict
    }

    /// What the driver of the machine has to do next.
    public enum Action: Hashable, Sendable {
        case wait
        case startTLS(TLSMode)
        case sendPreLogin(PreLogin)
        case sendLogin(Login7)
        /// Packets from the next one on have this size, in both directions.
        case setPacketSize(Int)
        /// Answer the server's SSPI bytes with an SSPI message.
        case continueSSPI(ByteBuffer)
        /// Get a token from where the server says, and send it.
        case acquireFedAuthToken(FedAuthInfo)
        case succeeded(LoginResult)
        /// Close this connection, connect to that server and start again.
        case redirect(EnvironmentChange.Routing)
        /// Close the connection.
        case failed(Failure)
    }

    /// Why there is no session.
    public enum Failure: Hashable, Sendable, Error {
        /// The server said no; it always says why in an ERROR.
        case refused(errors: [ServerMessage], infos: [ServerMessage])
        /// Client and server don't agree about encryption: what the server answered (nil: nothing).
        case encryption(server: PreLogin.Encryption?)
        /// The server sent what it must not send here.
        case unexpected(String)
    }

    /// What a login brought.
    public struct LoginResult: Hashable, Sendable {
        public var acknowledgement: LoginAck
        public var database: String
        public var language: String
        /// The database's collation.
        public var collation: Collation?
        public var packetSize: Int
        public var features: [FeatureAcknowledgement]
        public var infos: [ServerMessage]
        /// The mirroring partner, if the server named one.
        public var mirroringPartner: String?
    }

    private enum State: Hashable, Sendable {
        case initial, strictTLS, preLogin, tls, response, finished
    }

    private var state = State.initial
    private let encryption: Encryption
    private let preLogin: PreLogin
    private let login: Login7
    private var result: LoginResult
    private var acknowledged = false
    private var errors: [ServerMessage] = []
    private var routing: EnvironmentChange.Routing?
    private var sspi: ByteBuffer?
    private var fedAuth: FedAuthInfo?
    private var lastDone: Done?

    public init(encryption: Encryption, preLogin: PreLogin, login: Login7) {
        self.encryption = encryption
        self.preLogin = preLogin
        self.login = login
        result = LoginResult(
            acknowledgement: LoginAck(version: login.version, serverVersion: ServerVersion(major: 0, minor: 0, build: 0)), database: "", language: "",
            packetSize: 4096, features: [], infos: [])
    }

    /// The transport is connected.
    public mutating func start() -> Action {
        guard state == .initial else { return unexpected("started twice") }
        if case .strict = encryption {
            state = .strictTLS
            return .startTLS(.strict)
        }
        state = .preLogin
        return .sendPreLogin(preLogin)
    }

    /// The TLS handshake is complete.
    public mutating func tlsEstablished() -> Action {
        switch state {
        case .strictTLS:
            state = .preLogin
            return .sendPreLogin(preLogin)
        case .tls: return sendLogin()
        default: return unexpected("TLS at an unexpected moment")
        }
    }

    /// The server's PRELOGIN arrived.
    public mutating func preLoginReceived(_ answer: PreLogin) -> Action {
        guard state == .preLogin else { return unexpected("PRELOGIN at an unexpected moment") }
        guard case .negotiated(let policy, let allowPlainLogin) = encryption else { return sendLogin() }
        let outcome = EncryptionNegotiation.client(policy: policy, server: answer.encryption, allowPlainLogin: allowPlainLogin || policy == .unsupported)
        switch outcome {
        case .none: return sendLogin()
        case .loginOnly: return startTLS(.loginOnly)
        case .full: return startTLS(.full)
        case .refuse:
            state = .finished
            return .failed(.encryption(server: answer.encryption))
        }
    }

    /// A token of the answer to LOGIN7 arrived.
    public mutating func tokenReceived(_ token: Token) -> Action {
        guard state == .response else { return unexpected("a token before the login") }
        switch token {
        case .loginAck(let ack):
            acknowledged = true
            result.acknowledgement = ack
        case .environmentChange(let change):
            switch change {
            case .database(let new, _): result.database = new
            case .language(let new, _): result.language = new
            case .collation(let new, _): result.collation = new
            case .packetSize(let new, _):
                result.packetSize = new
                return .setPacketSize(new)
            case .routing(let target), .enhancedRouting(let target): routing = target
            case .databaseMirroringPartner(let name): result.mirroringPartner = name
            default: break
            }
        case .error(let message): errors.append(message)
        case .info(let message): result.infos.append(message)
        case .featureExtAck(let features):
            // MS-TDS 2.2.7.11 calls it an error to acknowledge what was not asked for.
            if let other = features.first(where: { login.feature($0.id) == nil }) { return unexpected("\(other.id) was acknowledged, but not asked for") }
            result.features += features
        case .sspi(let bytes): sspi = bytes
        case .fedAuthInfo(let info): fedAuth = info
        // A logon trigger's statements may report before the login's own DONE.
        case .done(let done): lastDone = done
        default: break
        }
        return .wait
    }

    /// The answer's last packet was read to its end.
    public mutating func messageEnded() -> Action {
        guard state == .response else { return unexpected("a message before the login") }
        if let bytes = sspi {
            sspi = nil
            return .continueSSPI(bytes)
        }
        if let info = fedAuth {
            fedAuth = nil
            return .acquireFedAuthToken(info)
        }
        state = .finished
        // Errors beside a LOGINACK are a logon trigger's or a failed database change that the login survived: the session is there.
        guard acknowledged else { return .failed(.refused(errors: errors, infos: result.infos)) }
        if lastDone?.status.contains(.error) == true, !errors.isEmpty { return .failed(.refused(errors: errors, infos: result.infos)) }
        // Routing is obeyed when the rest of the answer was read.
        if let routing { return .redirect(routing) }
        if let problem = federatedAuthenticationProblem() { return .failed(.unexpected(problem)) }
        return .succeeded(result)
    }

    /// What is wrong with the server's proof that it is the one that the token is for (MS-TDS 3.2.5.4): the acknowledgement has to be
    /// there and to hold the client's nonce, if and only if the client sent one.
    private func federatedAuthenticationProblem() -> String? {
        guard login.feature(.federatedAuthentication) != nil else { return nil }
        guard let acknowledgement = try? result.features.first(FederatedAuthenticationFeature.Acknowledgement.self) else {
            return "the server did not acknowledge the federated authentication"
        }
        return acknowledgement.nonce == preLogin.nonce ? nil : "the server's nonce is not the client's"
    }

    private mutating func startTLS(_ mode: TLSMode) -> Action {
        state = .tls
        return .startTLS(mode)
    }

    private mutating func sendLogin() -> Action {
        state = .response
        return .sendLogin(login)
    }

    private mutating func unexpected(_ what: String) -> Action {
        state = .finished
        return .failed(.unexpected(what))
    }
}
