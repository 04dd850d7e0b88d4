// A certificate that a server makes for itself, as SQL Server does when it has none.
import COpenSSL
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A self-signed RSA-2048 certificate with SHA-256, and its private key.
///
/// The subject's name is `SSL_Self_Signed_Fallback`, as that of SQL Server's own; the alternative names are what a client on this machine
/// connects to, so that a client that trusts this certificate can also check the host.
public struct SelfSignedCertificate: Sendable {
    /// The certificate in PEM form: give it to a client as its authority.
    public let certificatePEM: [UInt8]
    /// The certificate's SHA-256.
    public let fingerprint: CertificateFingerprint
    /// The private key in PEM form (PKCS #8, not encrypted). Not printed, not logged.
    let keyPEM: [UInt8]

    /// Makes a key and a certificate for it, which takes some tenths of a second.
    /// - Parameters:
    ///   - dnsNames: DNS names that the certificate is for; nil means localhost and this machine's name.
    ///   - addresses: IP addresses that the certificate is for.
    ///   - validDays: from yesterday to this many days from now.
    /// - Throws: `TLSError` with `configuration` when OpenSSL refuses (a name with a comma, no entropy).
    public init(dnsNames: [String]? = nil, addresses: [String] = ["127.0.0.1", "::1"], validDays: Int = 365) throws(TLSError) {
        ERR_clear_error()
        guard let key = COpenSSL_generate_RSA(2048) else { throw OpenSSLErrors().error(.configuration, "can't make an RSA key") }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw OpenSSLErrors().error(.configuration, "can't make a certificate") }
        defer { X509_free(certificate) }

        let names = (dnsNames ?? ["localhost", Self.hostName].compactMap { $0 }).map { "DNS:" + $0 } + addresses.map { "IP:" + $0 }
        // 2: an X.509 version 3 certificate. 64 bits of serial number: positive, as RFC 5280 wants.
        guard X509_set_version(certificate, 2) == 1, Self.setSerial(certificate), Self.setNames(certificate),
            X509_gmtime_adj(X509_getm_notBefore(certificate), -86_400) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate), validDays * 86_400) != nil,
            X509_set_pubkey(certificate, key) == 1,
            Self.addExtension(certificate, NID_basic_constraints, "critical,CA:FALSE"),
            Self.addExtension(certificate, NID_ext_key_usage, "serverAuth"),
            names.isEmpty || Self.addExtension(certificate, NID_subject_alt_name, names.joined(separator: ",")),
            X509_sign(certificate, key, EVP_sha256()) > 0
        else { throw OpenSSLErrors().error(.configuration, "can't make a self-signed certificate") }

        certificatePEM = try Self.pem { PEM_write_bio_X509($0, certificate) }
        keyPEM = try Self.pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
        fingerprint = try certificateFingerprint(certificate)
    }

    private static var hostName: String? {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, 255) == 0 else { return nil }
        let name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Anything else would be read as a list by OpenSSL's extension syntax.
        let isPlain = name.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        return name.isEmpty || name == "localhost" || !isPlain ? nil : name
    }

    private static func setSerial(_ certificate: OpaquePointer) -> Bool {
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64(Int64.max))) == 1
    }

    private static func setNames(_ certificate: OpaquePointer) -> Bool {
        guard let name = X509_get_subject_name(certificate) else { return false }
        let common = Array("SSL_Self_Signed_Fallback".utf8)
        return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, Int32(common.count), -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
    }

    private static func addExtension(_ certificate: OpaquePointer, _ identifier: Int32, _ value: String) -> Bool {
        guard let made = X509V3_EXT_conf_nid(nil, nil, identifier, value) else { return false }
        defer { X509_EXTENSION_free(made) }
        return X509_add_ext(certificate, made, -1) == 1
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws(TLSError) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { throw OpenSSLErrors().error(.configuration, "no memory for a certificate") }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw OpenSSLErrors().error(.configuration, "can't write a certificate") }
        var bytes = [UInt8](repeating: 0, count: COpenSSL_BIO_pending(bio))
        let count = BIO_read(bio, &bytes, Int32(bytes.count))
        guard count == bytes.count else { throw TLSError(.configuration, "can't write a certificate") }
        return bytes
    }
}

/// The SHA-256 of a certificate's DER form.
func certificateFingerprint(_ certificate: OpaquePointer) throws(TLSError) -> CertificateFingerprint {
    var digest = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 0
    guard X509_digest(certificate, EVP_sha256(), &digest, &count) == 1, count == 32 else {
        throw OpenSSLErrors().error(.handshakeFailed, "can't compute a certificate's SHA-256")
    }
    return try CertificateFingerprint(bytes: digest)
}
