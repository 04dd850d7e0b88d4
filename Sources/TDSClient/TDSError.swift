import TDSTLS
public import TDSWire

/// Everything that can go wrong with a connection or a request.
///
/// Carries all that the server said. Never contains a password, a token or a value of a row.
public struct TDSError: Error, Sendable, CustomStringConvertible {
    /// The kind of error. A struct and not an enum, so that a later version can add codes without breaking callers.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        enum Base: String, Sendable {
            case server, loginFailed, connectionFailed, connectTimeout, tls, encryptionRefused, protocolViolation, connectionClosed
            case cancelled, routingLoop, invalidConfiguration, invalidParameter, decodingFailed, requestInProgress
        }
        let base: Base

        /// The server reported an error for the request; see ``TDSError/serverErrors``. The connection stays good unless its severity is 20 or above.
        public static let server = Code(base: .server)
        /// The server refused the login; see ``TDSError/serverErrors``.
        public static let loginFailed = Code(base: .loginFailed)
        /// No connection could be made: name resolution, routing, or nobody listens.
        public static let connectionFailed = Code(base: .connectionFailed)
        /// Connecting and logging in took longer than ``TDSConnectionConfiguration/connectTimeout``.
        public static let connectTimeout = Code(base: .connectTimeout)
        /// TLS failed; see ``TDSError/underlying``.
        public static let tls = Code(base: .tls)
        /// Client and server don't agree about encryption.
        public static let encryptionRefused = Code(base: .encryptionRefused)
        /// The server sent what MS-TDS does not allow. The connection is closed.
        public static let protocolViolation = Code(base: .protocolViolation)
        /// The connection was closed, by either side or the network.
        public static let connectionClosed = Code(base: .connectionClosed)
        /// The request was cancelled. The connection is good if ``TDSConnection/isUsable`` says so.
        public static let cancelled = Code(base: .cancelled)
        /// The server sent the client from one address to the next too often.
        public static let routingLoop = Code(base: .routingLoop)
        /// Settings that contradict each other or can't be read.
        public static let invalidConfiguration = Code(base: .invalidConfiguration)
        /// A parameter that its type cannot hold.
        public static let invalidParameter = Code(base: .invalidParameter)
        /// A value of a row that the requested Swift type cannot hold.
        public static let decodingFailed = Code(base: .decodingFailed)
        /// A second request was made while the first still runs.
        public static let requestInProgress = Code(base: .requestInProgress)

        public var description: String { base.rawValue }
    }

    public var code: Code
    public var message: String
    /// Every ERROR of the response, in order.
    public var serverErrors: [ServerMessage]
    /// Every INFO of the response, in order.
    public var serverInfos: [ServerMessage]
    public var underlying: (any Error)?

    public init(_ code: Code, _ message: String, serverErrors: [ServerMessage] = [], serverInfos: [ServerMessage] = [], underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.serverErrors = serverErrors
        self.serverInfos = serverInfos
        self.underlying = underlying
    }

    /// The errors of a response.
    init(server errors: [ServerMessage], infos: [ServerMessage], code: Code = .server) {
        self.init(code, errors.first?.text ?? "the server reported an error without a message", serverErrors: errors, serverInfos: infos)
    }

    /// What went wrong in TLS, with its remedy.
    init(_ error: TLSError) {
        self.init(.tls, error.description, underlying: error)
    }

    /// The number of the first server error, for example 208 for an unknown object.
    public var number: Int32? { serverErrors.first?.number }

    public var description: String {
        var text = "\(code): \(message)"
        for error in serverErrors { text += error.text == message ? " [\(error.summary)]" : "; \(error)" }
        if let underlying, case let cause = "\(underlying)", !message.contains(cause) { text += " (\(cause))" }
        return text
    }
}

extension ServerMessage {
    /// Everything but the text.
    fileprivate var summary: String {
        "\(number), severity \(severity), state \(state)" + (procedure.isEmpty ? "" : ", procedure \(procedure)") + (line > 0 ? ", line \(line)" : "")
    }
}
