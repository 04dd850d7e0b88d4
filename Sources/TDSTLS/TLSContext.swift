// The settings of many TLS connections, in OpenSSL's form (SSL_CTX).
import COpenSSL

/// Settings for the TLS connections of one client or one server: made once, used for every connection, on any thread.
public final class TLSContext: Sendable {
    public enum Role: Sendable, Hashable { case client, server }
    public let role: Role
    /// A client's settings.
    let client: TLSClientConfiguration?
    let minimumVersion: TLSVersion
    let maximumVersion: TLSVersion?

    // An SSL_CTX may be shared between threads as long as nobody changes it (OpenSSL, "threads"): it is complete when `init` returns, and
    // later only SSL_new is called with it, whose reference count is atomic.
    nonisolated(unsafe) let pointer: OpaquePointer
    // The protocols for the ALPN callback: a length and a name each, then kept until the context goes. Never written after `init`.
    nonisolated(unsafe) private let protocols: UnsafeMutablePointer<ALPNList>?

    struct ALPNList { var bytes: [UInt8] }

    /// A client's context.
    /// - Throws: `TLSError` with `configuration`: a file that can't be read, no certificate in it, an unknown cipher.
    public init(client configuration: TLSClientConfiguration) throws(TLSError) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw OpenSSLErrors().error(.configuration, "can't make a TLS context") }
        do throws(TLSError) {
            try Self.setCommon(context, configuration.minimumVersion, configuration.maximumVersion, configuration.cipherList)
            if configuration.allowsLegacyServers { SSL_CTX_set_options(context, COpenSSL_OP_LEGACY_SERVER_CONNECT()) }
            switch configuration.trust {
            case .systemRoots:
                guard SSL_CTX_set_default_verify_paths(context) == 1 else {
                    throw OpenSSLErrors().error(.configuration, "can't load the system's certificate authorities")
                }
                SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
            case .authorityFile(let path):
                guard SSL_CTX_load_verify_locations(context, path, nil) == 1 else {
                    throw OpenSSLErrors().error(.configuration, "can't load certificate authorities from \(path)")
                }
                Self.acceptPartialChains(context)
                SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
            case .authorities(let pem):
                try Self.addAuthorities(context, pem)
                Self.acceptPartialChains(context)
                SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
            case .pinned, .anything:
                // The pin is compared after the handshake and before anything is sent: see TLSSession.handshake.
                SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
            }
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        role = .client
        client = configuration
        minimumVersion = configuration.minimumVersion
        maximumVersion = configuration.maximumVersion
        pointer = context
        protocols = nil
    }

    /// A server's context.
    /// - Throws: `TLSError` with `configuration`: files that can't be read, a key of another certificate, an unknown cipher.
    public init(server configuration: TLSServerConfiguration) throws(TLSError) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw OpenSSLErrors().error(.configuration, "can't make a TLS context") }
        var list: UnsafeMutablePointer<ALPNList>?
        do throws(TLSError) {
            try Self.setCommon(context, configuration.minimumVersion, configuration.maximumVersion, configuration.cipherList)
            SSL_CTX_set_options(context, COpenSSL_OP_NO_TICKET() | COpenSSL_OP_CIPHER_SERVER_PREFERENCE())
            SSL_CTX_set_num_tickets(context, 0)
            COpenSSL_CTX_disable_session_cache(context)
            try Self.setIdentity(context, configuration.identity)
            if !configuration.applicationProtocols.isEmpty {
                let made = UnsafeMutablePointer<ALPNList>.allocate(capacity: 1)
                made.initialize(to: ALPNList(bytes: try Self.wireForm(configuration.applicationProtocols)))
                list = made
                SSL_CTX_set_alpn_select_cb(context, Self.selectProtocol, made)
            }
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        role = .server
        client = nil
        minimumVersion = configuration.minimumVersion
        maximumVersion = configuration.maximumVersion
        pointer = context
        protocols = list
    }

    deinit {
        // The sessions hold this object, so none of them is left to call back.
        SSL_CTX_free(pointer)
        protocols?.deinitialize(count: 1)
        protocols?.deallocate()
    }

    private static func setCommon(
        _ context: OpaquePointer, _ minimum: TLSVersion, _ maximum: TLSVersion?, _ ciphers: String?
    ) throws(TLSError) {
        if let maximum, maximum < minimum {
            throw TLSError(.configuration, "the highest TLS version (\(maximum)) is below the lowest (\(minimum))")
        }
        // Empty fragments before a CBC record (TLS 1.0) would break "one packet, one record", which SQL Server needs. End of file is never
        // shown to OpenSSL here (memory BIOs answer "try again"), so SSL_OP_IGNORE_UNEXPECTED_EOF has no part: a TDS message has its length.
        SSL_CTX_set_options(
            context, COpenSSL_OP_NO_RENEGOTIATION() | COpenSSL_OP_NO_COMPRESSION() | COpenSSL_OP_DONT_INSERT_EMPTY_FRAGMENTS())
        // Frees the 34 KiB of record buffers of a connection that waits, as a pool's or a poller's does most of the time. Measured with records
        // of 4 and 16 KiB (OpenSSL 3.0, TLS 1.2, AES-256-GCM, about 2 GB/s each way): no difference beyond the noise of a few percent.
        COpenSSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        guard COpenSSL_CTX_set_min_proto_version(context, Int32(minimum.rawValue)) == 1,
            COpenSSL_CTX_set_max_proto_version(context, Int32(maximum?.rawValue ?? 0)) == 1
        else { throw OpenSSLErrors().error(.configuration, "this OpenSSL does not know \(minimum)") }
        if let ciphers, SSL_CTX_set_cipher_list(context, ciphers) != 1 {
            throw OpenSSLErrors().error(.configuration, "the cipher list has no cipher that OpenSSL knows")
        }
    }

    /// Lets a chain end at any certificate that was given, not only at a self-signed one: the server's own or an intermediate authority.
    private static func acceptPartialChains(_ context: OpaquePointer) {
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    private static func addAuthorities(_ context: OpaquePointer, _ pem: [UInt8]) throws(TLSError) {
        var count = 0
        try withPEM(pem) { bio throws(TLSError) in
            while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) {
                if X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1 { count += 1 }
                X509_free(certificate)
            }
        }
        // The end of the input is an error of PEM_read_bio_X509 too.
        ERR_clear_error()
        guard count > 0 else { throw TLSError(.configuration, "the certificate authorities hold no certificate in PEM form") }
    }

    private static func setIdentity(_ context: OpaquePointer, _ identity: TLSServerConfiguration.Identity) throws(TLSError) {
        switch identity {
        case .files(let certificate, let key):
            guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
                throw OpenSSLErrors().error(.configuration, "can't load the certificate \(certificate)")
            }
            guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
                throw OpenSSLErrors().error(.configuration, "can't load the private key \(key)")
            }
        case .selfSigned(let made):
            try withPEM(made.certificatePEM) { bio throws(TLSError) in
                guard let certificate = PEM_read_bio_X509(bio, nil, nil, nil) else {
                    throw OpenSSLErrors().error(.configuration, "can't read the self-signed certificate")
                }
                defer { X509_free(certificate) }
                guard SSL_CTX_use_certificate(context, certificate) == 1 else {
                    throw OpenSSLErrors().error(.configuration, "can't use the self-signed certificate")
                }
            }
            try withPEM(made.keyPEM) { bio throws(TLSError) in
                guard let key = PEM_read_bio_PrivateKey(bio, nil, nil, nil) else {
                    throw OpenSSLErrors().error(.configuration, "can't read the self-signed certificate's key")
                }
                defer { EVP_PKEY_free(key) }
                guard SSL_CTX_use_PrivateKey(context, key) == 1 else {
                    throw OpenSSLErrors().error(.configuration, "can't use the self-signed certificate's key")
                }
            }
        }
        guard SSL_CTX_check_private_key(context) == 1 else {
            throw OpenSSLErrors().error(.configuration, "the private key is not the certificate's")
        }
    }

    private static func withPEM(_ bytes: [UInt8], _ body: (OpaquePointer) throws(TLSError) -> Void) throws(TLSError) {
        guard let bio = BIO_new(BIO_s_mem()) else { throw OpenSSLErrors().error(.configuration, "no memory for a certificate") }
        defer { BIO_free(bio) }
        guard let length = Int32(exactly: bytes.count), BIO_write(bio, bytes, length) == length else {
            throw OpenSSLErrors().error(.configuration, "no memory for a certificate")
        }
        try body(bio)
    }

    /// ALPN's list of names: a length byte before each.
    static func wireForm(_ names: [String]) throws(TLSError) -> [UInt8] {
        var bytes: [UInt8] = []
        for name in names {
            guard let length = UInt8(exactly: name.utf8.count), length > 0 else {
                throw TLSError(.configuration, "an application protocol's name has 1 to 255 bytes")
            }
            bytes.append(length)
            bytes.append(contentsOf: name.utf8)
        }
        return bytes
    }

    private static let selectProtocol: SSL_CTX_alpn_select_cb_func = { _, selected, selectedLength, offered, offeredLength, argument in
        guard let list = argument?.assumingMemoryBound(to: ALPNList.self), let offered, let selected, let selectedLength else {
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        return list.pointee.bytes.withUnsafeBufferPointer { ours -> Int32 in
            var chosen: UnsafeMutablePointer<UInt8>?
            var length: UInt8 = 0
            guard SSL_select_next_proto(&chosen, &length, ours.baseAddress, UInt32(ours.count), offered, offeredLength)
                == OPENSSL_NPN_NEGOTIATED, let chosen
            else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            // The choice points into the server's list; the client's copy of the same name surely outlives this call.
            let name = UnsafeBufferPointer(start: chosen, count: Int(length))
            var offset = 0
            while offset < Int(offeredLength) {
                let size = Int(offered[offset])
                guard offset + 1 + size <= Int(offeredLength) else { break }
                if UnsafeBufferPointer(start: offered + offset + 1, count: size).elementsEqual(name) {
                    selected.pointee = offered + offset + 1
                    selectedLength.pointee = length
                    return SSL_TLSEXT_ERR_OK
                }
                offset += 1 + size
            }
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
    }
}
