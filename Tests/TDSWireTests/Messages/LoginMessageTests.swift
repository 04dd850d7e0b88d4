import NIOCore
import TDSWire
import Testing

@Suite struct LoginMessageTests {
    @Test func preLoginOfAClient() throws {
        let message = PreLogin(
            version: .init(major: 16, minor: 1, build: 0x1234, subBuild: 7), encryption: .on.withClientCertificate, instance: .name(ByteBuffer(string: "SQLEXPRESS")),
            threadID: .id(0xDB8), mars: false, traceID: .init(connectionID: bytes(16), activityID: bytes(16, from: 9), activitySequence: 5), fedAuthRequired: 1,
            nonce: bytes(32), unknownOptions: [.init(token: 0x2A, data: bytes(3))])
        try roundTrip(message, write: { try $0.writePreLogin($1) }, read: { try $0.readPreLogin(from: .client) })
    }

    @Test func preLoginOfAServer() throws {
        let message = PreLogin(
            version: .init(major: 16, minor: 0, build: 4135), encryption: .required, instance: .matches(false), threadID: .absent, mars: true, fedAuthRequired: 0)
        try roundTrip(message, write: { try $0.writePreLogin($1) }, read: { try $0.readPreLogin(from: .server) })
    }

    @Test func malformedPreLogins() throws {
        for (hex, code) in [
            ("01 00 06 00 01 ff 00", WireError.Code.malformed),  // no VERSION
            ("00 00 06 00 05 ff 10 00 00 00 00", .malformed),  // VERSION of five bytes
            ("00 00 06 00 07 ff 10 00 00 00 00 00 00", .malformed),  // VERSION of seven bytes
            ("00 00 06 00 06 00 00 06 00 06 ff 10 00 00 00 00 00", .malformed),  // VERSION twice
            ("00 00 00 00 06 01", .truncated),  // no terminator
            ("00 ff f0 00 06 ff 10 00 00 00 00 00", .malformed),  // outside the message
        ] {
            var buffer = try ByteBuffer(hex: hex)
            let error = #expect(throws: WireError.self) { try buffer.readPreLogin(from: .client) }
            #expect(error?.code == code, "\(hex)")
        }
    }

    @Test(arguments: [
        (PreLogin.Encryption.off, PreLogin.Encryption.off, EncryptionNegotiation.Outcome.loginOnly),
        (.off, .on, .full), (.off, .required, .full), (.off, .notSupported, .none),
        (.on, .off, .refuse), (.on, .on, .full), (.on, .required, .full), (.on, .notSupported, .refuse),
        (.required, .on, .full), (.required, .notSupported, .refuse),
        (.notSupported, .notSupported, .none), (.notSupported, .required, .refuse), (.notSupported, .on, .refuse), (.notSupported, .off, .none),
        (.off.withClientCertificate, .off, .loginOnly), (.off.withClientCertificate, .notSupported, .refuse),
        (.notSupported.withClientCertificate, .off, .refuse), (.on.withClientCertificate, .on, .full),
    ]) func encryptionTable(client: PreLogin.Encryption, server: PreLogin.Encryption, outcome: EncryptionNegotiation.Outcome) {
        #expect(EncryptionNegotiation.outcome(client: client, server: server) == outcome)
    }

    /// MS-TDS 2.2.6.5's table of a server's answers.
    @Test func serverAnswers() {
        typealias P = EncryptionNegotiation.Policy
        let rows: [(PreLogin.Encryption, [(P, PreLogin.Encryption, EncryptionNegotiation.Outcome)])] = [
            (.off, [(.optional, .off, .loginOnly), (.required, .required, .full), (.unsupported, .notSupported, .none)]),
            (.on, [(.optional, .on, .full), (.required, .on, .full), (.unsupported, .notSupported, .refuse)]),
            (.notSupported, [(.optional, .notSupported, .none), (.required, .required, .refuse), (.unsupported, .notSupported, .none)]),
            (.required, [(.optional, .on, .full), (.required, .on, .full), (.unsupported, .notSupported, .refuse)]),
            (.off.withClientCertificate, [(.optional, .off, .loginOnly), (.required, .required, .full), (.unsupported, .notSupported, .refuse)]),
            (.notSupported.withClientCertificate, [(.optional, .required, .refuse), (.required, .required, .refuse), (.unsupported, .required, .refuse)]),
        ]
        for (client, answers) in rows {
            for (policy, answer, outcome) in answers {
                let result = EncryptionNegotiation.server(policy: policy, client: client)
                #expect(result.answer == answer && result.outcome == outcome, "client \(client), server \(policy): \(result)")
            }
        }
    }

    /// A client that wants its password encrypted tells "off" from "not supported".
    @Test func noPasswordInTheClear() {
        #expect(EncryptionNegotiation.client(policy: .optional, server: .notSupported, allowPlainLogin: false) == .refuse)
        #expect(EncryptionNegotiation.client(policy: .optional, server: nil, allowPlainLogin: false) == .refuse)
        #expect(EncryptionNegotiation.client(policy: .optional, server: .notSupported, allowPlainLogin: true) == .none)
        #expect(EncryptionNegotiation.client(policy: .optional, server: .off, allowPlainLogin: false) == .loginOnly)
        #expect(EncryptionNegotiation.client(policy: .required, server: .off, allowPlainLogin: true) == .refuse)
    }

    static let fullLogin = Login7(
        packetSize: 8000, clientProgramVersion: 0x0102_0304, clientPID: 77, connectionID: 5, options1: [.useDB, .setLanguage, .dumpLoadOff],
        options2: [.odbc, .integratedSecurity], typeFlags: [.tsql, .readOnlyIntent], options3: [.binaryXML, .changePassword, .extension, .unknownCollationHandling],
        timeZone: -60, lcid: 0x0407, hostName: "höst", userName: "sa", password: "pä$$ 🐘", applicationName: "app", serverName: "sql.example.com",
        libraryName: "swift-tds", language: "us_english", database: "test", clientID: [1, 2, 3, 4, 5, 6], sspi: bytes(40),
        attachDatabaseFile: "C:\\data\\x.mdf", newPassword: "nëw", features: [FeatureRequest(.sessionRecovery), FeatureRequest(.utf8Support, data: bytes(1))])

    @Test func login7() throws {
        try roundTrip(Self.fullLogin, write: { try $0.writeLogin7($1) }, read: { try $0.readLogin7() })
        try roundTrip(Login7(userName: "u", password: "p"), write: { try $0.writeLogin7($1) }, read: { try $0.readLogin7() })
    }

    @Test func login7OfTDS70() throws {
        let login = Login7(version: .v7_0, options3: [], userName: "sa", password: "secret", libraryName: "DB-Library", sspi: nil)
        var buffer = ByteBuffer()
        try buffer.writeLogin7(login)
        #expect(buffer.readableBytes == 86 + 2 * ("sa" + "secret" + "DB-Library").count)
        try roundTrip(login, write: { try $0.writeLogin7($1) }, read: { try $0.readLogin7() })
    }

    @Test func longSSPI() throws {
        let login = Login7(sspi: bytes(70000), features: [FeatureRequest(.jsonSupport, data: bytes(1))])
        var buffer = ByteBuffer()
        try buffer.writeLogin7(login)
        #expect(try buffer.readLogin7().sspi == login.sspi)
    }

    @Test func login7HidesSecrets() throws {
        let text = "\(Self.fullLogin)" + String(reflecting: Self.fullLogin)
        #expect(!text.contains("pä$$") && !text.contains("nëw") && text.contains("redacted"))
        var dumped = ""
        dump(Self.fullLogin, to: &dumped)
        #expect(!dumped.contains("pä$$") && !dumped.contains("nëw"))
    }

    /// Fields outside the message, inside the fixed part or too long are refused, whatever field it is.
    @Test func login7FieldsOutside() throws {
        var bytes = ByteBuffer()
        try bytes.writeLogin7(Self.fullLogin)
        for field in [36, 40, 44, 48, 52, 56, 60, 64, 68, 78, 82, 86] {
            for (offset, length) in [(0xFFF0, 20), (10, 4), (bytes.readableBytes - 1, 100), (94, 0x7FFF)] {
                var changed = bytes
                changed.setInteger(UInt16(offset), at: field, endianness: .little)
                changed.setInteger(UInt16(length), at: field + 2, endianness: .little)
                #expect(throws: WireError.self, "field \(field), offset \(offset), length \(length)") { try changed.readLogin7() }
            }
        }
        var longer = bytes
        longer.writeInteger(UInt8(0))
        #expect(throws: WireError.self) { try longer.readLogin7() }
        #expect(throws: WireError.self) { var buffer = ByteBuffer(); try buffer.writeLogin7(Login7(userName: String(repeating: "x", count: 129))) }
    }

    @Test func passwordObfuscation() {
        for byte in UInt8.min...UInt8.max { #expect(PasswordObfuscation.reveal(PasswordObfuscation.obfuscate(byte)) == byte) }
        // MS-TDS 4.2: the password's first unit 'f' 00 is B3 A5 in the example of the Login Request.
        #expect(PasswordObfuscation.obfuscate(0x00) == 0xA5)
    }

    @Test func features() throws {
        func check<T: LoginFeature>(_ feature: T) throws {
            let request = try FeatureRequest(feature)
            #expect(try request.decode(as: T.self) == feature)
            #expect(try FeatureRequest(FeatureID(rawValue: 0x77), data: request.data).decode(as: T.self) == nil)
        }
        func check<T: LoginFeatureAcknowledgement>(ack: T) throws {
            let acknowledgement = try FeatureAcknowledgement(ack)
            #expect(try acknowledgement.decode(as: T.self) == ack)
            var list = ByteBuffer()
            list.writeFeatureExtAck([acknowledgement])
            var decoder = TokenStreamDecoder()
            decoder.append(list)
            var sink = DiscardingSink()
            #expect(try decoder.decode(into: &sink) == .token(.featureExtAck([acknowledgement])))
        }
        let states = [SessionState.State(id: 3, value: bytes(2)), .init(id: 9, value: bytes(300))]
        try check(SessionRecoveryFeature())
        try check(SessionRecoveryFeature(recovery: .init(
            initial: .init(database: "master", collation: .sqlLatin1GeneralCP1CIAS, language: "us_english", states: states),
            toBe: .init(database: "test", states: [states[1]]))))
        try check(ack: SessionRecoveryFeature.Acknowledgement(states: states))
        try check(FederatedAuthenticationFeature(.securityToken(bytes(100), nonce: bytes(32)), echo: true))
        try check(FederatedAuthenticationFeature(.securityToken(bytes(5000), nonce: nil), echo: false))
        try check(FederatedAuthenticationFeature(.adal(.interactive), echo: true))
        try check(FederatedAuthenticationFeature(.liveID(token: bytes(9), signedData: bytes(64)), echo: false))
        try check(ack: FederatedAuthenticationFeature.Acknowledgement())
        try check(ack: FederatedAuthenticationFeature.Acknowledgement(nonce: bytes(32), signature: bytes(32, from: 3)))
        try check(ColumnEncryptionFeature(version: 2))
        try check(ack: ColumnEncryptionFeature.Acknowledgement(version: 1))
        try check(ack: ColumnEncryptionFeature.Acknowledgement(version: 2, enclaveType: "VBS"))
        try check(GlobalTransactionsFeature())
        try check(ack: GlobalTransactionsFeature.Acknowledgement(isEnabled: true))
        try check(AzureSQLSupportFeature())
        try check(ack: AzureSQLSupportFeature.Acknowledgement(isSupported: true))
        try check(DataClassificationFeature())
        try check(ack: DataClassificationFeature.Acknowledgement(version: 2, isEnabled: true, versionData: bytes(3)))
        try check(UTF8Feature())
        try check(ack: UTF8Feature.Acknowledgement(isSupported: false))
        try check(DNSCachingFeature())
        try check(ack: DNSCachingFeature.Acknowledgement(isSupported: true))
        try check(JSONFeature())
        try check(ack: JSONFeature.Acknowledgement(version: 1))
        try check(VectorFeature(version: 2))
        try check(ack: VectorFeature.Acknowledgement(version: 2))
        try check(EnhancedRoutingFeature())
        try check(ack: EnhancedRoutingFeature.Acknowledgement(isEnabled: false))
        try check(UserAgentFeature("1|swift-tds|1.0|Linux|6.1|x86_64|Swift 6.3"))
        #expect(UserAgentFeature("1|swift-tds|1.0").parts == ["1", "swift-tds", "1.0"] && UserAgentFeature(payload: ByteBuffer(string: "{}a")).parts == nil)
    }

    @Test func malformedFeatures() throws {
        #expect(throws: WireError(.malformed, "LOGIN7 JSONSUPPORT", "too short")) { try FeatureRequest(.jsonSupport).decode(as: JSONFeature.self) }
        #expect(throws: WireError.self) { try FeatureRequest(.jsonSupport, data: bytes(2)).decode(as: JSONFeature.self) }
        #expect(throws: WireError.self) { try FeatureRequest(.federatedAuthentication, data: bytes(1, from: 0xFE)).decode(as: FederatedAuthenticationFeature.self) }
        let full = try FeatureRequest(FederatedAuthenticationFeature(.securityToken(bytes(20), nonce: bytes(32)), echo: true))
        for length in 0..<full.data.readableBytes where length != 25 {
            let cut = try #require(full.data.getSlice(at: full.data.readerIndex, length: length))
            #expect(throws: WireError.self) { try FeatureRequest(.federatedAuthentication, data: cut).decode(as: FederatedAuthenticationFeature.self) }
        }
    }
}
