public import NIOCore

/// The server's way from a connected transport to a session (MS-TDS 3.3.5.1 to 3.3.5.7): PRELOGIN, TLS, LOGIN7, authentication.
///
/// A value without input or output: an event goes in, what is to be done comes out. It decides about the protocol only; who may log in
/// is for its driver to say.
///
/// ```
///  firstByte ──> startTLS(.strict) or wait
///  packetReceived(PRELOGIN) ──> answerPreLogin(…, then: TLS or nothing)
///  packetReceived(LOGIN7)   ──> authenticate
///      authenticationContinues(SSPI) ──> sendSSPI         packetReceived(SSPI)    ──> authenticateSSPI
///      tokenNeeded                   ──> sendFedAuthInfo  packetReceived(FEDAUTH) ──> authenticateToken
///  accepted / rejected
/// ```
public struct ServerLoginStateMachine: Sendable {
    /// How the server deals with TDS 8.0, where TLS comes first.
    public enum StrictPolicy: Hashable, Sendable { case off, allowed, required }

    public struct Configuration: Hashable, Sendable {
        public var version: PreLogin.Version
        /// For TDS 7.x.
        public var encryption: EncryptionNegotiation.Policy
        public var strict: StrictPolicy
        /// The answer to FEDAUTHREQUIRED; nil if the server knows nothing of it.
        public var requiresFedAuth: Bool?
        /// 32 random bytes of this connection, sent to clients that send a nonce of their own.
        public var nonce: ByteBuffer?
        /// The instance's name; clients that ask for another are told so. `MSSQLServer` and the empty name are always right.
        public var instanceName: String
        /// The largest LOGIN7, SSPI or FEDAUTH message in bytes; they may hold long tokens.
        public var messageLimit = 1 << 17

        public init(
            version: PreLogin.Version, encryption: EncryptionNegotiation.Policy = .optional, strict: StrictPolicy = .allowed,
            requiresFedAuth: Bool? = nil, nonce: ByteBuffer? = nil, instanceName: String = ""
        ) {
            self.version = version
            self.encryption = encryption
            self.strict = strict
            self.requiresFedAuth = requiresFedAuth
            self.nonce = nonce
            self.instanceName = instanceName
        }
    }

    /// What the driver of the machine has to do next.
    public enum Action: Hashable, Sendable {
        case wait
        /// Set TLS up before any packet; the first byte belongs to it.
        case startTLS(ClientLoginStateMachine.TLSMode)
        /// Send the answer in packets of type 0x04, then set TLS up if `then` says so, or close if `refuses`.
        case answerPreLogin(PreLogin, then: ClientLoginStateMachine.TLSMode?, refuses: Bool)
        /// Check who it is; then call ``accepted()``, ``rejected()``, ``authenticationContinues(_:)`` or ``tokenNeeded(_:)``.
        case authenticate(Login7)
        case authenticateSSPI(SSPIMessage)
        case authenticateToken(FedAuthTokenMessage)
        /// Send an SSPI token in a message of its own.
        case sendSSPI(ByteBuffer)
        /// Send a FEDAUTHINFO token in a message of its own.
        case sendFedAuthInfo(FedAuthInfo)
        /// Send an ERROR ("login failed") with the reason for the log, and close.
        case refuse(String)
        /// Close without a word.
        case close(String)
    }

    private enum State: Hashable, Sendable {
        case initial, preLogin, login, authenticating, sspi, token, finished
    }

    private let configuration: Configuration
    private var state = State.initial
    private var assembler: MessageAssembler
    private var isStrict = false
    private var answer: PreLogin?
    private var clientNonce: ByteBuffer?
    /// LOGIN7, once it came.
    public private(set) var login: Login7?
    /// Whether the session stays encrypted after the login.
    public private(set) var isEncrypted = false

    public init(configuration: Configuration) {
        self.configuration = configuration
        assembler = MessageAssembler(limit: configuration.messageLimit)
    }

    /// Whether the login is over, one way or the other.
    public var isFinished: Bool { state == .finished }

    /// The first byte of the connection arrived: 0x16 begins a TLS handshake, thus TDS 8.0.
    public mutating func firstByte(_ byte: UInt8) -> Action {
        guard state == .initial else { return close("the first byte twice") }
        state = .preLogin
        if byte == 0x16 {
            guard configuration.strict != .off else { return close("a client that wants strict encryption, which is off") }
            isStrict = true
            isEncrypted = true
            return .startTLS(.strict)
        }
        guard configuration.strict != .required else { return close("a client without strict encryption") }
        return .wait
    }

    /// A packet arrived.
    public mutating func packetReceived(_ packet: Packet) -> Action {
        guard state != .finished else { return .wait }
        do throws(WireError) {
            switch try assembler.receive(packet) {
            case .incomplete: return .wait
            case .ignored, .attention: return close("an attention before the login")
            case .message(let message): return try receive(message)
            }
        } catch {
            return close("\(error)")
        }
    }

    private mutating func receive(_ message: ClientMessage) throws(WireError) -> Action {
        var payload = message.payload
        switch (state, message.type) {
        case (.initial, .preLogin), (.preLogin, .preLogin): return try preLogin(try payload.readPreLogin(from: .client))
        // Clients of TDS 7.0 begin with LOGIN7.
        case (.initial, .login7), (.preLogin, .login7):
            guard !isStrict, configuration.encryption != .required, configuration.strict != .required else { return close("LOGIN7 without PRELOGIN") }
            return try login(try payload.readLogin7())
        case (.login, .login7): return try login(try payload.readLogin7())
        case (.sspi, .sspi):
            state = .authenticating
            return .authenticateSSPI(try payload.readSSPIMessage())
        case (.token, .federatedAuthenticationToken):
            let token = try payload.readFedAuthToken()
            guard token.nonce == (clientNonce == nil ? nil : answer?.nonce) else { return refuse("the nonce is not the one that was sent") }
            state = .authenticating
            return .authenticateToken(token)
        default: return close("\(message.type) at an unexpected moment")
        }
    }

    private mutating func preLogin(_ request: PreLogin) throws(WireError) -> Action {
        // In TDS 8.0 the option means nothing; servers answer that they can't do more.
        let (encryption, outcome): (PreLogin.Encryption, EncryptionNegotiation.Outcome) =
            isStrict ? (.notSupported, .none) : EncryptionNegotiation.server(policy: configuration.encryption, client: request.encryption)
        clientNonce = request.nonce
        let answer = PreLogin(
            version: configuration.version, encryption: encryption, instance: .matches(matches(request.instance)), threadID: .absent, mars: false,
            fedAuthRequired: request.fedAuthRequired == nil ? nil : configuration.requiresFedAuth.map { $0 ? 1 : 0 },
            nonce: request.nonce == nil ? nil : configuration.nonce)
        self.answer = answer
        state = .login
        switch outcome {
        case .none: return .answerPreLogin(answer, then: nil, refuses: false)
        case .loginOnly: return .answerPreLogin(answer, then: .loginOnly, refuses: false)
        case .full:
            isEncrypted = true
            return .answerPreLogin(answer, then: .full, refuses: false)
        case .refuse:
            state = .finished
            return .answerPreLogin(answer, then: nil, refuses: true)
        }
    }

    /// MS-TDS 3.3.5.5: what a FEDAUTH feature has to look like, by what PRELOGIN said.
    private mutating func login(_ login: Login7) throws(WireError) -> Action {
        self.login = login
        state = .authenticating
        guard let feature = try login.feature(FederatedAuthenticationFeature.self) else { return .authenticate(login) }
        if login.options2.contains(.integratedSecurity) { return close("integrated security and federated authentication at once") }
        guard feature.echo == (answer?.fedAuthRequired == 1) else { return refuse("fFedAuthEcho is not what PRELOGIN said") }
        switch feature.method {
        case .securityToken(_, let nonce):
            guard nonce == answer?.nonce else { return refuse("the nonce is not the one that was sent") }
        case .liveID:
            guard clientNonce != nil else { return refuse("a Live ID token without NONCEOPT") }
        case .adal: break
        }
        return .authenticate(login)
    }

    /// The login is good: send LOGINACK and what belongs to it. The packet size of later packets is for the driver to choose.
    public mutating func accepted() {
        if state == .authenticating { state = .finished }
    }

    /// The login is no good: send the ERROR, and close.
    public mutating func rejected() {
        state = .finished
    }

    /// SSPI has something more to say to the client.
    public mutating func authenticationContinues(_ bytes: ByteBuffer) -> Action {
        guard state == .authenticating else { return close("SSPI at an unexpected moment") }
        state = .sspi
        return .sendSSPI(bytes)
    }

    /// The client asked for an ADAL/MSAL workflow: tell it where to get its token.
    public mutating func tokenNeeded(_ info: FedAuthInfo) -> Action {
        guard state == .authenticating else { return close("FEDAUTHINFO at an unexpected moment") }
        state = .token
        return .sendFedAuthInfo(info)
    }

    /// The acknowledgement of FEDAUTH that belongs into FEATUREEXTACK; nil if the client did not use it. A Live ID login needs a
    /// signature besides.
    public var federatedAuthenticationAcknowledgement: FederatedAuthenticationFeature.Acknowledgement? {
        guard login?.feature(.federatedAuthentication) != nil else { return nil }
        return .init(nonce: clientNonce)
    }

    private func matches(_ instance: PreLogin.Instance?) -> Bool {
        guard case .name(let name)? = instance else { return true }
        let text = String(buffer: name).lowercased()
        return text.isEmpty || text == "mssqlserver" || text == configuration.instanceName.lowercased()
    }

    private mutating func refuse(_ reason: String) -> Action {
        state = .finished
        return .refuse(reason)
    }

    private mutating func close(_ reason: String) -> Action {
        state = .finished
        return .close(reason)
    }
}
