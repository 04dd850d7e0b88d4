// What goes wrong in TLS, said so that a person can act on it. Never holds key material, passwords or plaintext.
import COpenSSL

/// An error of the TLS layer: a handshake that failed, a certificate that was refused, a setting that can't work.
public struct TLSError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of error it is. More may be added: compare with the constants and keep a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case configuration, handshakeFailed, certificateRefused, closedDuringHandshake, protocolViolation, recordFailed, sessionClosed
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        public var description: String { value.rawValue }

        /// A setting is invalid or a file can't be read (certificate, key, cipher list, TLS version).
        public static let configuration = Code(.configuration)
        /// The peers found no common ground, or one of them refused the other.
        public static let handshakeFailed = Code(.handshakeFailed)
        /// The server's certificate was not accepted: unknown authority, other host, expired, other than the pinned one.
        public static let certificateRefused = Code(.certificateRefused)
        /// The connection was closed before the handshake was over.
        public static let closedDuringHandshake = Code(.closedDuringHandshake)
        /// The peer sent bytes that are neither the expected TDS packet nor the expected TLS record.
        public static let protocolViolation = Code(.protocolViolation)
        /// A record could not be encrypted or decrypted after the handshake.
        public static let recordFailed = Code(.recordFailed)
        /// The session was used after its end.
        public static let sessionClosed = Code(.sessionClosed)
    }

    /// Why OpenSSL refused a certificate (`X509_V_ERR_…`).
    public struct Verification: Sendable, Hashable {
        /// The number of X509_V_ERR_….
        public var code: Int
        /// OpenSSL's text for it.
        public var text: String
    }

    public var code: Code
    /// What happened.
    public var message: String
    /// OpenSSL's reasons, oldest first.
    public var reasons: [String]
    /// The result of the certificate's verification, when that was the cause.
    public var verification: Verification?
    /// What can be done about it.
    public var remedy: String?

    public init(_ code: Code, _ message: String, reasons: [String] = [], verification: Verification? = nil, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.reasons = reasons
        self.verification = verification
        self.remedy = remedy
    }

    public var description: String {
        var text = message
        if let verification { text += ": \(verification.text)" }
        if !reasons.isEmpty { text += " (\(reasons.joined(separator: "; ")))" }
        if let remedy { text += ". \(remedy)" }
        return text
    }
}

/// The entries of this thread's OpenSSL error queue, which is emptied.
struct OpenSSLErrors {
    private(set) var codes: [UInt] = []

    init() {
        while case let code = ERR_get_error(), code != 0, codes.count < 32 { codes.append(UInt(code)) }
        ERR_clear_error()
    }

    /// The reason numbers (`SSL_R_…`, `X509_R_…`) of the entries.
    var reasonNumbers: [Int32] { codes.map { ERR_GET_REASON(UInt($0)) } }

    /// The reasons as text: "wrong version number".
    var reasons: [String] {
        codes.map { code in
            if let text = ERR_reason_error_string(code) { return String(cString: text) }
            return "error 0x" + String(code, radix: 16)
        }
    }

    func error(_ code: TLSError.Code, _ message: String) -> TLSError {
        TLSError(code, message, reasons: reasons, remedy: Self.remedy(reasonNumbers))
    }

    /// What a person can do about a failed handshake, by OpenSSL's reason number.
    static func remedy(_ numbers: [Int32]) -> String? {
        for number in numbers {
            switch number {
            case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_UNSUPPORTED_SSL_VERSION,
                SSL_R_VERSION_TOO_LOW:
                return "The peer's TLS versions and ours don't meet: install the server's TLS 1.2 update (Microsoft KB3135244), or lower the "
                    + "minimum TLS version for this connection, together with the cipher list DEFAULT@SECLEVEL=0"
            case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
                return "The server lacks secure renegotiation (RFC 5746): update it, or allow legacy servers for this connection"
            case SSL_R_CA_MD_TOO_WEAK, SSL_R_CA_KEY_TOO_SMALL, SSL_R_EE_KEY_TOO_SMALL, SSL_R_DH_KEY_TOO_SMALL, SSL_R_WRONG_SIGNATURE_TYPE:
                return "The server's certificate or key is weaker than OpenSSL's security level allows: give the server a certificate with "
                    + "SHA-256 and at least 2048 bits, or set the cipher list DEFAULT@SECLEVEL=0 for this connection"
            case SSL_R_NO_SHARED_CIPHER, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, SSL_R_NO_CIPHERS_AVAILABLE:
                return "The peers share no cipher: check the cipher list and the minimum TLS version on both sides"
            case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
                return "The peer did not answer with TLS: is it a SQL Server, and (for strict encryption) SQL Server 2022 or later?"
            case SSL_R_NO_APPLICATION_PROTOCOL, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
                return "The peers share no application protocol: strict encryption needs a server that speaks TDS 8.0"
            case SSL_R_TLSV1_ALERT_UNKNOWN_CA, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
                return "The client does not trust the server's certificate: give the client the certificate's authority, or pin the certificate"
            default:
                continue
            }
        }
        return nil
    }

    /// What a person can do about a refused certificate, by X509_V_ERR_….
    static func remedy(verification: Int32, fingerprint: String?) -> String? {
        let pin = fingerprint.map { " (its SHA-256 is \($0))" } ?? ""
        switch verification {
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
            return "The certificate's authority is not known here: give its CA certificate, or pin the server's certificate\(pin)"
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            return "The certificate is for another host: connect by a name in it, set the host name to expect in it, or pin it\(pin)"
        case X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID:
            return "Renew the server's certificate, check this machine's clock, or pin the certificate\(pin)"
        case X509_V_ERR_CA_MD_TOO_WEAK, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_EE_KEY_TOO_SMALL:
            return "Give the server a stronger certificate, or set the cipher list DEFAULT@SECLEVEL=0 for this connection"
        default:
            return nil
        }
    }
}
