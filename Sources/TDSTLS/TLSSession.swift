// One TLS connection without input or output: ciphertext in, ciphertext out, plaintext on the other side.
import COpenSSL
import NIOCore

/// What a finished handshake agreed on.
public struct TLSHandshakeInfo: Sendable, Hashable {
    /// "TLSv1.2", "TLSv1.3".
    public var version: String
    /// OpenSSL's name of the cipher suite.
    public var cipher: String
    /// The protocol that ALPN chose: "tds/8.0", or nil.
    public var applicationProtocol: String?
    /// The SHA-256 of the peer's certificate; nil in a server, which asks for none.
    public var peerCertificate: CertificateFingerprint?
}

/// One TLS connection: an SSL object and two memory BIOs. Not Sendable: it belongs to one event loop.
///
/// The order of calls: `handshake()` until it returns true, feeding with `receive` and sending what `drain` gives in between; then `read`
/// and `write`, again with `receive` and `drain`.
public final class TLSSession {
    public enum ReadResult: Sendable, Hashable {
        /// Everything that was received is decrypted.
        case needsMore
        /// The buffer got as many bytes as were allowed; there may be more.
        case full
        /// The peer ended TLS (close_notify).
        case closed
    }

    private let context: TLSContext
    private let ssl: OpaquePointer
    // Owned by `ssl`.
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let expectedName: String?
    private var isDone = false
    private var isFailed = false
    private var refused: CertificateFingerprint?

    /// - Parameters:
    ///   - profile: TDS 7.x or 8.0.
    ///   - serverName: the name or the IP address that the client connects to; what the certificate must be for unless the context says
    ///     otherwise. A name (not an address) is also sent as SNI (RFC 6066 section 3). Not used by a server.
    /// - Throws: `TLSError` with `configuration`.
    public init(context: TLSContext, profile: TLSProfile, serverName: String? = nil) throws(TLSError) {
        ERR_clear_error()
        if profile == .wrapped, context.minimumVersion > .v1_2 {
            throw TLSError(.configuration, "the TLS handshake of TDS 7.x can't be \(context.minimumVersion)", remedy: "Use strict encryption (TDS 8.0)")
        }
        guard let ssl = SSL_new(context.pointer) else { throw OpenSSLErrors().error(.configuration, "can't make a TLS session") }
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw OpenSSLErrors().error(.configuration, "can't make a TLS session")
        }
        SSL_set_bio(ssl, input, output)
        self.context = context
        self.ssl = ssl
        self.input = input
        self.output = output
        let name = context.client?.hostNameInCertificate ?? serverName
        expectedName = name.map(Self.bareName)

        // From here on deinit frees.
        if profile == .wrapped {
            let highest = min(context.maximumVersion ?? .v1_2, .v1_2)
            guard COpenSSL_set_max_proto_version(ssl, Int32(highest.rawValue)) == 1 else {
                throw OpenSSLErrors().error(.configuration, "can't limit TLS to \(highest)")
            }
        }
        switch context.role {
        case .server:
            SSL_set_accept_state(ssl)
        case .client:
            SSL_set_connect_state(ssl)
            // The SSL object doesn't outlive this one, and calls back only from within handshake().
            SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
            SSL_set_verify(ssl, SSL_get_verify_mode(ssl), Self.verified)
            if profile == .strict {
                let names = try TLSContext.wireForm([TLSProfile.strictApplicationProtocol])
                guard SSL_set_alpn_protos(ssl, names, UInt32(names.count)) == 0 else {
                    throw OpenSSLErrors().error(.configuration, "can't offer the application protocol")
                }
            }
            try setServerName()
        }
    }

    deinit { SSL_free(ssl) }

    /// Without the brackets of an IPv6 address, the zone of a link-local one, and the dot at the end of a full name.
    private static func bareName(_ name: String) -> String {
        var name = name[...]
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        if name.contains(":"), let zone = name.firstIndex(of: "%") { name = name[..<zone] }
        if name.hasSuffix(".") { name = name.dropLast() }
        return String(name)
    }

    private func setServerName() throws(TLSError) {
        guard let name = expectedName, !name.isEmpty else {
            switch context.client?.trust {
            case .pinned, .anything, nil: return
            default: throw TLSError(.configuration, "there is no host name to check the server's certificate for")
            }
        }
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        let parameters = SSL_get0_param(ssl)
        if isAddress {
            guard X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 else {
                throw OpenSSLErrors().error(.configuration, "can't check a certificate for the address \(name)")
            }
        } else {
            X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            guard X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1, COpenSSL_set_server_name(ssl, name) == 1 else {
                throw OpenSSLErrors().error(.configuration, "\(name) can't be the host name of a certificate")
            }
        }
    }

    /// Takes a step of the handshake with what was received. What must be sent then waits in `drain`, also when this throws (an alert).
    /// - Returns: true when the handshake is over, and the server's certificate accepted.
    /// - Throws: `TLSError`: `certificateRefused` or `handshakeFailed`. The session can't be used any more.
    public func handshake() throws(TLSError) -> Bool {
        if isDone { return true }
        guard !isFailed else { throw TLSError(.sessionClosed, "the TLS handshake failed before") }
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 {
            if case .pinned(let pin) = context.client?.trust {
                let peer = try peerFingerprint()
                guard peer == pin else {
                    isFailed = true
                    throw TLSError(
                        .certificateRefused, "the server's certificate is not the pinned one" + (peer.map { ": its SHA-256 is \($0)" } ?? ""),
                        remedy: "If the server got a new certificate on purpose, pin that one")
                }
            }
            isDone = true
            return true
        }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            return false
        default:
            isFailed = true
            throw handshakeError()
        }
    }

    private func handshakeError() -> TLSError {
        let errors = OpenSSLErrors()
        let result = Int32(SSL_get_verify_result(ssl))
        guard context.role == .client, result != X509_V_OK, errors.reasonNumbers.contains(SSL_R_CERTIFICATE_VERIFY_FAILED) else {
            return errors.error(.handshakeFailed, "the TLS handshake failed")
        }
        let fingerprint = refused?.description
        var message = "the server's certificate is refused"
        if let name = expectedName, result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH {
            message += " for \(name)"
        }
        return TLSError(
            .certificateRefused, message,
            verification: TLSError.Verification(code: Int(result), text: String(cString: X509_verify_cert_error_string(Int(result)))),
            remedy: OpenSSLErrors.remedy(verification: result, fingerprint: fingerprint))
    }

    /// OpenSSL forgets a refused certificate, but a person may want to pin it: its SHA-256 is kept when its verification fails.
    private static let verified: @convention(c) (Int32, OpaquePointer?) -> Int32 = { accepted, store in
        if accepted != 1, let store, let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let session = SSL_get_ex_data(OpaquePointer(ssl), 0), let certificate = X509_STORE_CTX_get0_cert(store)
        {
            Unmanaged<TLSSession>.fromOpaque(session).takeUnretainedValue().refused = try? certificateFingerprint(certificate)
        }
        return accepted
    }

    private func peerFingerprint() throws(TLSError) -> CertificateFingerprint? {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
        defer { X509_free(certificate) }
        return try certificateFingerprint(certificate)
    }

    /// What the handshake agreed on; meaningful when it is over.
    public var info: TLSHandshakeInfo {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        let selected = name.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(length)), as: UTF8.self) }
        return TLSHandshakeInfo(
            version: String(cString: SSL_get_version(ssl)),
            cipher: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "",
            applicationProtocol: length > 0 ? selected : nil,
            peerCertificate: (try? peerFingerprint()) ?? nil)
    }

    /// Takes ciphertext from the peer, all of the buffer's readable bytes.
    public func receive(_ ciphertext: inout ByteBuffer) throws(TLSError) {
        let accepted = ciphertext.readWithUnsafeReadableBytes { bytes -> (Int, Bool) in
            guard let length = Int32(exactly: bytes.count) else { return (0, false) }
            return length == 0 || BIO_write(input, bytes.baseAddress, length) == length ? (bytes.count, true) : (0, false)
        }
        guard accepted else { throw OpenSSLErrors().error(.recordFailed, "can't take in \(ciphertext.readableBytes) bytes of TLS") }
    }

    /// The number of received bytes that are not decrypted yet.
    public var receivedBytes: Int { COpenSSL_BIO_pending(input) }

    /// Decrypts what was received into the buffer's writable space, in steps of a record (16 KiB).
    /// - Parameter limit: stop after at least so many bytes.
    /// - Throws: `TLSError` with `recordFailed`. The session can't be used any more.
    public func read(into plaintext: inout ByteBuffer, limit: Int = .max) throws(TLSError) -> ReadResult {
        guard !isFailed else { throw TLSError(.sessionClosed, "the TLS session has failed") }
        ERR_clear_error()
        var total = 0
        while total < limit {
            var count = 0
            var result: Int32 = 0
            // A record holds at most 16 KiB; a smaller one doesn't need so much space.
            let space = min(16_384, max(COpenSSL_BIO_pending(input), Int(SSL_pending(ssl)), 1))
            plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: space) { bytes in
                result = SSL_read_ex(ssl, bytes.baseAddress, bytes.count, &count)
                return result == 1 ? count : 0
            }
            if result == 1 {
                total += count
                continue
            }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
                return .needsMore
            case SSL_ERROR_ZERO_RETURN:
                return .closed
            default:
                isFailed = true
                throw OpenSSLErrors().error(.recordFailed, "a TLS record could not be decrypted")
            }
        }
        return .full
    }

    /// Encrypts the buffer's readable bytes: one record if they are at most 16384. The ciphertext waits in `drain`.
    /// - Throws: `TLSError` with `recordFailed`.
    public func write(_ plaintext: ByteBuffer) throws(TLSError) {
        guard plaintext.readableBytes > 0 else { return }
        guard isDone, !isFailed else { throw TLSError(.sessionClosed, "nothing can be sent before the TLS handshake") }
        ERR_clear_error()
        var written = 0
        let result = plaintext.withUnsafeReadableBytes { SSL_write_ex(ssl, $0.baseAddress, $0.count, &written) }
        guard result == 1, written == plaintext.readableBytes else {
            isFailed = true
            throw OpenSSLErrors().error(.recordFailed, "a TLS record could not be encrypted")
        }
    }

    /// The number of bytes that wait to be sent.
    public var pendingBytes: Int { COpenSSL_BIO_pending(output) }

    /// Moves what must be sent to the peer to the end of the buffer.
    public func drain(into ciphertext: inout ByteBuffer) {
        while case let pending = COpenSSL_BIO_pending(output), pending > 0 {
            ciphertext.writeWithUnsafeMutableBytes(minimumWritableBytes: pending) { bytes in
                max(0, Int(BIO_read(output, bytes.baseAddress, Int32(clamping: min(bytes.count, pending)))))
            }
        }
    }

    /// Tells the peer that nothing more will be sent (close_notify); it waits in `drain`.
    public func close() {
        guard isDone, !isFailed else { return }
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }
}
