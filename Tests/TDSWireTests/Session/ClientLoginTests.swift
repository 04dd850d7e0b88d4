import NIOCore
import TDSWire
import Testing

@Suite struct ClientLoginTests {
    typealias Machine = ClientLoginStateMachine
    static let login = Login7(userName: "u", password: "p", features: [FeatureRequest(.utf8Support, data: bytes(1))])
    static let ack = LoginAck(version: .v7_4, serverVersion: ServerVersion(major: 16, minor: 0, build: 4135))
    static let server = PreLogin.Version(major: 16, minor: 0, build: 4135)
    static let wrongPassword = ServerMessage(number: 18456, severity: 14, text: "Login failed for user 'u'.")
    static let done = Token.done(Done())

    /// A machine whose LOGIN7 was sent.
    static func sent(_ login: Login7 = login, preLogin: PreLogin = PreLogin()) -> Machine {
        var machine = Machine(encryption: .negotiated(.unsupported, allowPlainLogin: true), preLogin: preLogin, login: login)
        #expect(machine.start() == .sendPreLogin(preLogin))
        #expect(machine.preLoginReceived(PreLogin(version: server, encryption: .notSupported)) == .sendLogin(login))
        return machine
    }

    @Test(arguments: [
        (EncryptionNegotiation.Policy.optional, PreLogin.Encryption.off, Machine.TLSMode.loginOnly), (.optional, .required, .full), (.required, .on, .full),
    ]) func negotiatedTLS(policy: EncryptionNegotiation.Policy, answer: PreLogin.Encryption, mode: Machine.TLSMode) {
        let preLogin = PreLogin(encryption: policy.request)
        var machine = Machine(encryption: .negotiated(policy, allowPlainLogin: false), preLogin: preLogin, login: Self.login)
        #expect(machine.start() == .sendPreLogin(preLogin))
        #expect(machine.preLoginReceived(PreLogin(version: Self.server, encryption: answer)) == .startTLS(mode))
        #expect(machine.tlsEstablished() == .sendLogin(Self.login))
    }

    @Test func strictTLS() {
        var machine = Machine(encryption: .strict, preLogin: PreLogin(), login: Self.login)
        #expect(machine.start() == .startTLS(.strict))
        #expect(machine.tlsEstablished() == .sendPreLogin(PreLogin()))
        // The option means nothing here, whatever it is.
        #expect(machine.preLoginReceived(PreLogin(version: Self.server, encryption: .notSupported)) == .sendLogin(Self.login))
    }

    @Test func noPasswordInTheClear() {
        for (policy, answer) in [(EncryptionNegotiation.Policy.required, PreLogin.Encryption?.some(.off)), (.required, .notSupported), (.optional, nil)] {
            var machine = Machine(encryption: .negotiated(policy, allowPlainLogin: false), preLogin: PreLogin(), login: Self.login)
            _ = machine.start()
            #expect(machine.preLoginReceived(PreLogin(version: Self.server, encryption: answer)) == .failed(.encryption(server: answer)))
            #expect(machine.tlsEstablished() == .failed(.unexpected("TLS at an unexpected moment")))
        }
    }

    @Test func success() throws {
        var machine = Self.sent()
        let features = [FeatureAcknowledgement(.utf8Support, data: bytes(1))]
        // A logon trigger's statement may report first.
        #expect(machine.tokenReceived(.done(Done(.doneInProc, status: [.more, .count], rowCount: 1))) == .wait)
        #expect(machine.tokenReceived(.environmentChange(.database(new: "test", old: "master"))) == .wait)
        #expect(machine.tokenReceived(.environmentChange(.collation(new: .sqlLatin1GeneralCP1CIAS, old: nil))) == .wait)
        #expect(machine.tokenReceived(.environmentChange(.language(new: "us_english", old: ""))) == .wait)
        #expect(machine.tokenReceived(.info(ServerMessage(number: 5701, severity: 0, text: "Changed database context"))) == .wait)
        #expect(machine.tokenReceived(.loginAck(Self.ack)) == .wait)
        #expect(machine.tokenReceived(.featureExtAck(features)) == .wait)
        #expect(machine.tokenReceived(.environmentChange(.packetSize(new: 8000, old: 4096))) == .setPacketSize(8000))
        #expect(machine.tokenReceived(Self.done) == .wait)
        guard case .succeeded(let result) = machine.messageEnded() else { throw Unexpected() }
        #expect(result.acknowledgement == Self.ack && result.database == "test" && result.packetSize == 8000 && result.features == features)
        #expect(result.collation == .sqlLatin1GeneralCP1CIAS && result.language == "us_english" && result.infos.map(\.number) == [5701])
    }

    @Test func wrongPassword() {
        var machine = Self.sent()
        #expect(machine.tokenReceived(.error(Self.wrongPassword)) == .wait)
        #expect(machine.tokenReceived(.done(Done(status: .error))) == .wait)
        #expect(machine.messageEnded() == .failed(.refused(errors: [Self.wrongPassword], infos: [])))
    }

    @Test func silentServer() {
        var machine = Self.sent()
        #expect(machine.tokenReceived(Self.done) == .wait)
        #expect(machine.messageEnded() == .failed(.refused(errors: [], infos: [])))
    }

    /// Routing is obeyed only when the response was read to its end.
    @Test func routing() {
        for (change, target) in [
            (EnvironmentChange.routing(.init(port: 11001, server: "b.example.com")), EnvironmentChange.Routing(port: 11001, server: "b.example.com")),
            (.enhancedRouting(.init(port: 1, server: "c", database: "d")), .init(port: 1, server: "c", database: "d")),
        ] {
            var machine = Self.sent()
            #expect(machine.tokenReceived(.loginAck(Self.ack)) == .wait)
            #expect(machine.tokenReceived(.environmentChange(change)) == .wait)
            #expect(machine.tokenReceived(Self.done) == .wait)
            #expect(machine.messageEnded() == .redirect(target))
        }
    }

    @Test func sspi() {
        var machine = Self.sent()
        for _ in 0..<2 {
            #expect(machine.tokenReceived(.sspi(bytes(9))) == .wait)
            #expect(machine.messageEnded() == .continueSSPI(bytes(9)))
        }
        #expect(machine.tokenReceived(.loginAck(Self.ack)) == .wait)
        #expect(machine.tokenReceived(Self.done) == .wait)
        guard case .succeeded = machine.messageEnded() else { Issue.record("no session"); return }
    }

    @Test func federatedAuthentication() throws {
        let nonce = bytes(32)
        let info = FedAuthInfo(stsURL: "https://sts.example.com/", spn: "https://database.example.com/")
        let login = Login7(features: [try FeatureRequest(FederatedAuthenticationFeature(.adal(.usernamePassword), echo: true))])
        let answers: [([FeatureAcknowledgement], Bool)] = [
            ([try FeatureAcknowledgement(FederatedAuthenticationFeature.Acknowledgement(nonce: nonce))], true),
            ([try FeatureAcknowledgement(FederatedAuthenticationFeature.Acknowledgement(nonce: bytes(32, from: 2)))], false),
            ([try FeatureAcknowledgement(FederatedAuthenticationFeature.Acknowledgement())], false), ([], false),
        ]
        for (features, good) in answers {
            var machine = Self.sent(login, preLogin: PreLogin(fedAuthRequired: 1, nonce: nonce))
            #expect(machine.tokenReceived(.fedAuthInfo(info)) == .wait)
            #expect(machine.messageEnded() == .acquireFedAuthToken(info))
            #expect(machine.tokenReceived(.loginAck(Self.ack)) == .wait)
            if !features.isEmpty { #expect(machine.tokenReceived(.featureExtAck(features)) == .wait) }
            #expect(machine.tokenReceived(Self.done) == .wait)
            switch machine.messageEnded() {
            case .succeeded: #expect(good)
            case .failed(.unexpected): #expect(!good)
            case let other: Issue.record("\(other)")
            }
        }
    }

    @Test func unrequestedFeature() {
        var machine = Self.sent()
        guard case .failed(.unexpected) = machine.tokenReceived(.featureExtAck([FeatureAcknowledgement(.jsonSupport, data: bytes(1))])) else {
            Issue.record("accepted")
            return
        }
    }

    @Test func disorder() {
        var machine = Machine(encryption: .strict, preLogin: PreLogin(), login: Self.login)
        #expect(machine.tokenReceived(Self.done) == .failed(.unexpected("a token before the login")))
        machine = Machine(encryption: .strict, preLogin: PreLogin(), login: Self.login)
        #expect(machine.messageEnded() == .failed(.unexpected("a message before the login")))
        machine = Machine(encryption: .strict, preLogin: PreLogin(), login: Self.login)
        _ = machine.start()
        #expect(machine.start() == .failed(.unexpected("started twice")))
    }

    @Test func sessionRecovery() throws {
        let state = { (id: UInt8, value: UInt8) in SessionState.State(id: id, value: ByteBuffer(bytes: [value])) }
        var machine = Self.sent(Login7(features: [FeatureRequest(.sessionRecovery)]))
        _ = machine.tokenReceived(.environmentChange(.database(new: "test", old: "")))
        _ = machine.tokenReceived(.environmentChange(.language(new: "us_english", old: "")))
        _ = machine.tokenReceived(.loginAck(Self.ack))
        let acknowledgement = SessionRecoveryFeature.Acknowledgement(states: [state(1, 0), state(2, 0)])
        _ = machine.tokenReceived(.featureExtAck([try FeatureAcknowledgement(acknowledgement)]))
        _ = machine.tokenReceived(Self.done)
        guard case .succeeded(let result) = machine.messageEnded() else { throw Unexpected() }
        var recovery = try SessionRecoveryState(login: result)
        #expect(recovery.recovery?.recovery?.toBe == .init())
        recovery.tokenReceived(.environmentChange(.database(new: "other", old: "test")))
        recovery.tokenReceived(.sessionState(.init(sequenceNumber: 1, isRecoverable: true, states: [state(2, 7), state(3, 1)])))
        #expect(recovery.recovery?.recovery?.initial == .init(database: "test", language: "us_english", states: acknowledgement.states))
        #expect(recovery.recovery?.recovery?.toBe == .init(database: "other", states: [state(2, 7), state(3, 1)]))
        // A state that has no value any more is not sent back.
        var emptied = recovery
        emptied.tokenReceived(.sessionState(.init(sequenceNumber: 2, isRecoverable: true, states: [.init(id: 2, value: ByteBuffer())])))
        #expect(emptied.recovery?.recovery?.toBe == .init(database: "other", states: [state(3, 1)]))
        recovery.tokenReceived(.sessionState(.init(sequenceNumber: 0, isRecoverable: false, states: [state(3, 9)])))  // too late to count
        #expect(recovery.isRecoverable)
        recovery.tokenReceived(.sessionState(.init(sequenceNumber: 2, isRecoverable: false, states: [state(3, 2)])))
        #expect(!recovery.isRecoverable && recovery.recovery == nil)
        recovery.tokenReceived(.environmentChange(.resetConnectionAcknowledged))
        #expect(recovery.recovery?.recovery?.toBe == .init())
        recovery.tokenReceived(.sessionState(.init(sequenceNumber: .max, isRecoverable: true, states: [state(1, 1)])))
        recovery.tokenReceived(.environmentChange(.resetConnectionAcknowledged))
        #expect(!recovery.isRecoverable)
    }
}

struct Unexpected: Error {}
