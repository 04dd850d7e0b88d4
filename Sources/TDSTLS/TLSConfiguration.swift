// The settings of either end of a TLS connection. What is fixed by TDS (the TLS 1.2 cap of the wrapped handshake, the
// application protocol of TDS 8.0) is no setting: see TLSProfile.
import COpenSSL

/// A version of TLS. The raw value is its number on the wire.
public enum TLSVersion: UInt16, Sendable, Hashable, Comparable, CaseIterable, CustomStringConvertible {
    case v1_0 = 0x0301
    case v1_1 = 0x0302
    case v1_2 = 0x0303
    case v1_3 = 0x0304

    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }

    public var description: String {
        switch self {
        case .v1_0: "TLSv1.0"
        case .v1_1: "TLSv1.1"
        case .v1_2: "TLSv1.2"
        case .v1_3: "TLSv1.3"
        }
    }
}

/// The SHA-256 of a certificate in DER form, as tools print it: `openssl x509 -noout -fingerprint -sha256`.
public struct CertificateFingerprint: Sendable, Hashable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// - Throws: `TLSError` with `configuration` unless there are 32 bytes.
    public init(bytes: [UInt8]) throws(TLSError) {
        guard bytes.count == 32 else { throw TLSError(.configuration, "a certificate's SHA-256 has 32 bytes, not \(bytes.count)") }
        self.bytes = bytes
    }

    /// Reads 64 hexadecimal digits; colons, spaces and the prefix "SHA256:" don't matter.
    /// - Throws: `TLSError` with `configuration` for anything else.
    public init(hexadecimal text: String) throws(TLSError) {
        var digits = text.utf8.filter { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: " ") }
        let prefix = Array("SHA256".utf8)
        if digits.count == 64 + prefix.count, digits.prefix(prefix.count).elementsEqual(prefix, by: { $0 & 0xDF == $1 || $0 == $1 }) {
            digits.removeFirst(prefix.count)
        }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
            default: throw TLSError(.configuration, "a certificate's SHA-256 is written in hexadecimal digits")
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        guard high == nil else { throw TLSError(.configuration, "a certificate's SHA-256 has 64 hexadecimal digits") }
        try self.init(bytes: bytes)
    }

    /// Upper-case hexadecimal with colons.
    public var description: String {
        let digits = Array("0123456789ABCDEF")
        return bytes.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined(separator: ":")
    }
}

/// What a client accepts as a server's certificate.
public enum TLSTrust: Sendable, Hashable {
    /// A chain to an authority that this system trusts (OpenSSL's default paths; SSL_CERT_FILE and SSL_CERT_DIR are obeyed), for the server's name.
    case systemRoots
    /// A chain to a certificate in this PEM file, for the server's name. May be the server's own certificate.
    case authorityFile(String)
    /// A chain to one of these certificates (PEM), for the server's name. May be the server's own certificate.
    case authorities(pem: [UInt8])
    /// Exactly this certificate, whatever its name, dates and authority.
    case pinned(CertificateFingerprint)
    /// Any certificate: no protection from a third party in between.
    case anything
}

/// The client's settings.
public struct TLSClientConfiguration: Sendable, Hashable {
    public var trust: TLSTrust
    /// The name that the certificate must be for, if that is not the name (or address) that was connected to. It is also sent as SNI.
    public var hostNameInCertificate: String?
    /// TLS versions below this one are refused. Below 1.2 OpenSSL 3 also needs the cipher list `DEFAULT@SECLEVEL=0`.
    public var minimumVersion: TLSVersion
    /// The highest version to offer. The wrapped handshake of TDS 7.x never offers more than TLS 1.2.
    public var maximumVersion: TLSVersion?
    /// OpenSSL's cipher list (TLS 1.2 and below, and `@SECLEVEL`); nil means OpenSSL's default.
    public var cipherList: String?
    /// Whether a server without secure renegotiation (RFC 5746) is accepted.
    public var allowsLegacyServers: Bool

    public init(
        trust: TLSTrust = .systemRoots, hostNameInCertificate: String? = nil, minimumVersion: TLSVersion = .v1_2, maximumVersion: TLSVersion? = nil,
        cipherList: String? = nil, allowsLegacyServers: Bool = false
    ) {
        self.trust = trust
        self.hostNameInCertificate = hostNameInCertificate
        self.minimumVersion = minimumVersion
        self.maximumVersion = maximumVersion
        self.cipherList = cipherList
        self.allowsLegacyServers = allowsLegacyServers
    }
}

/// The server's settings.
public struct TLSServerConfiguration: Sendable {
    /// Where the certificate and its private key come from.
    public enum Identity: Sendable {
        /// PEM files: the certificate with its chain, and the key.
        case files(certificate: String, key: String)
        case selfSigned(SelfSignedCertificate)
    }
    public var identity: Identity
    public var minimumVersion: TLSVersion
    public var maximumVersion: TLSVersion?
    public var cipherList: String?
    /// The protocols that are accepted when a client offers some (ALPN). With none in common the handshake fails (RFC 7301).
    public var applicationProtocols: [String]

    public init(
        identity: Identity, minimumVersion: TLSVersion = .v1_2, maximumVersion: TLSVersion? = nil, cipherList: String? = nil,
        applicationProtocols: [String] = [TLSProfile.strictApplicationProtocol]
    ) {
        self.identity = identity
        self.minimumVersion = minimumVersion
        self.maximumVersion = maximumVersion
        self.cipherList = cipherList
        self.applicationProtocols = applicationProtocols
    }
}

/// What TDS fixes about TLS.
public enum TLSProfile: Sendable, Hashable {
    /// TDS 7.x: the handshake travels in PRELOGIN packets and ends where the login starts. TLS 1.3's late messages (session tickets, the
    /// client's Finished) don't fit, so TLS 1.2 is the highest version.
    case wrapped
    /// TDS 8.0: TLS comes first, with any version and the application protocol `tds/8.0`.
    case strict

    /// The ALPN name of TDS 8.0 (MS-TDS 3.2.5.1).
    public static let strictApplicationProtocol = "tds/8.0"
}
