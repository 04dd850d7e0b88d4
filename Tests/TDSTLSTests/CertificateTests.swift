import NIOCore
import NIOEmbedded
import Testing

@testable import TDSTLS
#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Which server certificates a client accepts")
struct CertificateTests {
    private func connect(_ client: TLSContext, name: String?, mode: TDSTLSHandler.Mode = .full) throws -> Pair {
        let pair = try Pair(client: client, server: Shared.server(), mode: mode, name: name)
        try pair.pump()
        return pair
    }

    @Test("A known authority and the right name or address", arguments: ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "::1", "[::1]"])
    func good(name: String) throws {
        let pair = try connect(Shared.client(), name: name)
        #expect(pair.atClient.info != nil)
        #expect(pair.atClient.errors.isEmpty)
        pair.finish()
    }

    @Test("Another name or address is refused, and the error tells what to do", arguments: ["db.example.com", "127.0.0.2", "::2"])
    func wrongHost(name: String) throws {
        let pair = try connect(Shared.client(), name: name)
        let error = try #require(pair.atClient.tlsError)
        #expect(error.code == .certificateRefused)
        #expect(error.verification?.text.lowercased().contains("mismatch") == true)
        #expect(error.message.contains(name))
        #expect(try error.remedy?.contains(Shared.identity.get().fingerprint.description) == true)
        #expect(pair.atClient.info == nil)
        // The alert reached the server, in a packet.
        #expect(pair.atServer.tlsError?.code == .handshakeFailed)
        pair.finish()
    }

    @Test("The name in the certificate may be given")
    func override() throws {
        let pair = try connect(Shared.client(name: "localhost"), name: "10.1.2.3")
        #expect(pair.atClient.info != nil)
        pair.finish()
    }

    @Test("SNI is sent for names, not for addresses")
    func serverName() throws {
        for (name, sent) in [("localhost", true), ("127.0.0.1", false)] {
            let session = try TLSSession(context: Shared.client(), profile: .strict, serverName: name)
            _ = try session.handshake()
            var hello = ByteBuffer()
            session.drain(into: &hello)
            #expect(String(buffer: hello).contains(name) == sent)
        }
    }

    @Test("An unknown authority is refused")
    func unknownAuthority() throws {
        let other = try SelfSignedCertificate()
        for trust in [TLSTrust.systemRoots, .authorities(pem: other.certificatePEM)] {
            let pair = try connect(Shared.client(trust: trust), name: "localhost")
            let error = try #require(pair.atClient.tlsError)
            #expect(error.code == .certificateRefused)
            #expect(error.remedy?.contains("authority") == true)
            pair.finish()
        }
    }

    @Test("Authorities from a file; a file without any is an error of the configuration")
    func file() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("tds-tls-\(UInt64.random(in: 0 ... .max)).pem").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(Shared.identity.get().certificatePEM).write(to: URL(fileURLWithPath: path))
        let pair = try connect(Shared.client(trust: .authorityFile(path)), name: "localhost")
        #expect(pair.atClient.info != nil)
        pair.finish()
        try Data("no certificate".utf8).write(to: URL(fileURLWithPath: path))
        for trust in [TLSTrust.authorityFile(path), .authorityFile(path + ".missing"), .authorities(pem: Array("nothing".utf8)), .authorities(pem: [])] {
            let error = #expect(throws: TLSError.self) { try Shared.client(trust: trust) }
            #expect(error?.code == .configuration)
        }
    }

    @Test("A server's certificate and key from files; a key of another certificate is an error of the configuration")
    func serverFiles() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tds-tls-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let identity = try Shared.identity.get()
        let certificate = directory.appendingPathComponent("server.pem")
        let key = directory.appendingPathComponent("server.key")
        try Data(identity.certificatePEM).write(to: certificate)
        try Data(identity.keyPEM).write(to: key)
        let server = try TLSContext(server: TLSServerConfiguration(identity: .files(certificate: certificate.path, key: key.path)))
        let pair = try Pair(client: Shared.client(), server: server, mode: .strict)
        try pair.pump()
        #expect(pair.atClient.info?.peerCertificate == identity.fingerprint)
        pair.finish()

        try Data(SelfSignedCertificate().keyPEM).write(to: key)
        let error = #expect(throws: TLSError.self) {
            try TLSContext(server: TLSServerConfiguration(identity: .files(certificate: certificate.path, key: key.path)))
        }
        #expect(error?.code == .configuration)
    }

    @Test("A pinned certificate is accepted under any name; another one is not")
    func pinned() throws {
        let pin = try Shared.identity.get().fingerprint
        let good = try connect(Shared.client(trust: .pinned(pin)), name: "anything.example")
        #expect(good.atClient.info?.peerCertificate == pin)
        good.finish()
        let other = try CertificateFingerprint(bytes: [UInt8](repeating: 1, count: 32))
        for mode in [TDSTLSHandler.Mode.full, .strict] {
            let bad = try Pair(client: Shared.client(trust: .pinned(other)), server: Shared.server(), mode: mode)
            bad.client.writeAndFlush(packet(type: 0x10, payload: Array("secret".utf8)), promise: nil)
            try bad.pump()
            #expect(bad.atClient.tlsError?.code == .certificateRefused)
            #expect(bad.atClient.info == nil)
            #expect(bad.atServer.bytes.readableBytes == 0)
            bad.finish()
        }
    }

    @Test("Trusting anything accepts anything, without a name too")
    func anything() throws {
        let pair = try connect(Shared.client(trust: .anything), name: nil)
        #expect(pair.atClient.info != nil)
        pair.finish()
        #expect(throws: TLSError.self) { try TLSSession(context: Shared.client(), profile: .wrapped, serverName: nil) }
    }

    @Test("TLS versions that don't meet: both ends say so")
    func versions() throws {
        // OpenSSL's security level must go down for TLS 1.1 to be possible at all.
        let server = try Shared.server(minimum: .v1_0, maximum: .v1_1, ciphers: "DEFAULT@SECLEVEL=0")
        let pair = try Pair(client: Shared.client(), server: server, mode: .full)
        try pair.pump()
        let error = try #require(pair.atClient.tlsError)
        #expect(error.code == .handshakeFailed)
        #expect(error.remedy?.contains("TLS 1.2") == true)
        pair.finish()

        let old = try TLSContext(
            client: TLSClientConfiguration(
                trust: .authorities(pem: Shared.identity.get().certificatePEM), minimumVersion: .v1_0, cipherList: "DEFAULT@SECLEVEL=0"))
        let works = try Pair(client: old, server: server, mode: .full)
        try works.pump()
        #expect(works.atClient.info?.version == "TLSv1.1")
        works.finish()
    }

    @Test("TLS 1.3 as the lowest version can't be had inside TDS 7.x; impossible settings are errors")
    func settings() throws {
        let client = try Shared.client(minimum: .v1_3)
        let error = #expect(throws: TLSError.self) { try TLSSession(context: client, profile: .wrapped, serverName: "localhost") }
        #expect(error?.remedy?.contains("strict") == true)
        #expect(throws: TLSError.self) { try Shared.client(minimum: .v1_3, maximum: .v1_2) }
        #expect(throws: TLSError.self) { try TLSContext(client: TLSClientConfiguration(cipherList: "NO-SUCH-CIPHER")) }
        #expect(throws: TLSError.self) {
            try TLSContext(server: TLSServerConfiguration(identity: .files(certificate: "/nowhere.pem", key: "/nowhere.key")))
        }
    }

    @Test("Fingerprints are read as tools print them")
    func fingerprints() throws {
        let plain = String(repeating: "0a", count: 32)
        let colons = Array(repeating: "0A", count: 32).joined(separator: ":")
        let expected = try CertificateFingerprint(bytes: [UInt8](repeating: 10, count: 32))
        for text in [plain, colons, "SHA256:" + plain, "sha256:" + colons] { #expect(try CertificateFingerprint(hexadecimal: text) == expected) }
        #expect(expected.description == colons)
        for text in ["", "0a", plain + "0a", plain.dropLast() + "g", "SHA1:" + plain] {
            #expect(throws: TLSError.self) { try CertificateFingerprint(hexadecimal: String(text)) }
        }
    }
}
