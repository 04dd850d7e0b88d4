import NIOCore
import TDSWire
import Testing

@Suite struct ServerTests {
    typealias LoginMachine = ServerLoginStateMachine
    typealias RequestMachine = ServerRequestStateMachine
    static let configuration = LoginMachine.Configuration(
        version: .init(major: 16, minor: 0, build: 4135), requiresFedAuth: true, nonce: bytes(32), instanceName: "SQLEXPRESS")

    static func packet(_ type: PacketType, _ payload: ByteBuffer = ByteBuffer(), _ status: PacketStatus = .endOfMessage) -> Packet {
        Packet(header: PacketHeader(type: type, status: status, length: UInt16(payload.readableBytes + 8)), payload: payload)
    }

    static func packet(_ message: PreLogin) throws -> Packet {
        var buffer = ByteBuffer()
        try buffer.writePreLogin(message)
        return packet(.preLogin, buffer)
    }

    static func packet(_ login: Login7) throws -> Packet {
        var buffer = ByteBuffer()
        try buffer.writeLogin7(login)
        return packet(.login7, buffer)
    }

    @Test func passwordLogin() throws {
        var machine = LoginMachine(configuration: Self.configuration)
        #expect(machine.firstByte(0x12) == .wait)
        let answer = PreLogin(version: Self.configuration.version, encryption: .off, instance: .matches(true), threadID: .absent, mars: false)
        let request = PreLogin(encryption: .off, instance: .name(ByteBuffer(string: "sqlexpress")), threadID: .id(3), mars: true)
        #expect(machine.packetReceived(try Self.packet(request)) == .answerPreLogin(answer, then: .loginOnly, refuses: false))
        let login = Login7(userName: "u", password: "p")
        #expect(machine.packetReceived(try Self.packet(login)) == .authenticate(login))
        #expect(!machine.isEncrypted && machine.login == login && machine.federatedAuthenticationAcknowledgement == nil)
        machine.accepted()
        #expect(machine.isFinished)
    }

    @Test func wrongInstance() throws {
        var machine = LoginMachine(configuration: Self.configuration)
        guard case .answerPreLogin(let answer, _, _) = machine.packetReceived(try Self.packet(PreLogin(instance: .name(ByteBuffer(string: "other"))))) else {
            throw Unexpected()
        }
        #expect(answer.instance == .matches(false))
    }

    @Test func strictPolicies() {
        for (policy, tls, plain) in [
            (LoginMachine.StrictPolicy.off, LoginMachine.Action.close("a client that wants strict encryption, which is off"), LoginMachine.Action.wait),
            (.allowed, .startTLS(.strict), .wait), (.required, .startTLS(.strict), .close("a client without strict encryption")),
        ] {
            var configuration = Self.configuration
            configuration.strict = policy
            var machine = LoginMachine(configuration: configuration)
            #expect(machine.firstByte(0x16) == tls)
            machine = LoginMachine(configuration: configuration)
            #expect(machine.firstByte(0x12) == plain)
        }
    }

    @Test func loginWithoutPreLogin() throws {
        let login = try Self.packet(Login7(version: .v7_0, options3: []))
        var machine = LoginMachine(configuration: Self.configuration)
        guard case .authenticate = machine.packetReceived(login) else { throw Unexpected() }
        var configuration = Self.configuration
        configuration.encryption = .required
        machine = LoginMachine(configuration: configuration)
        #expect(machine.packetReceived(login) == .close("LOGIN7 without PRELOGIN"))
    }

    @Test func sspi() throws {
        var machine = LoginMachine(configuration: Self.configuration)
        _ = machine.packetReceived(try Self.packet(PreLogin(encryption: .notSupported)))
        _ = machine.packetReceived(try Self.packet(Login7(options2: .integratedSecurity, sspi: bytes(8))))
        #expect(machine.authenticationContinues(bytes(3)) == .sendSSPI(bytes(3)))
        #expect(machine.packetReceived(Self.packet(.sspi, bytes(5))) == .authenticateSSPI(SSPIMessage(bytes(5))))
        machine.rejected()
        #expect(machine.isFinished)
    }

    @Test func federatedAuthentication() throws {
        let clientNonce = bytes(32, from: 8)
        func machine(_ feature: FederatedAuthenticationFeature) throws -> (LoginMachine, LoginMachine.Action) {
            var machine = LoginMachine(configuration: Self.configuration)
            guard case .answerPreLogin(let answer, then: .full, refuses: false) = machine.packetReceived(
                try Self.packet(PreLogin(encryption: .on, fedAuthRequired: 1, nonce: clientNonce)))
            else { throw Unexpected() }
            #expect(answer.fedAuthRequired == 1 && answer.nonce == Self.configuration.nonce)
            let action = machine.packetReceived(try Self.packet(Login7(features: [try FeatureRequest(feature)])))
            return (machine, action)
        }
        guard case (var adal, .authenticate) = try machine(.init(.adal(.interactive), echo: true)) else { throw Unexpected() }
        let info = FedAuthInfo(stsURL: "https://sts", spn: "spn")
        #expect(adal.tokenNeeded(info) == .sendFedAuthInfo(info))
        var token = ByteBuffer()
        try token.writeFedAuthToken(.init(token: bytes(9), nonce: Self.configuration.nonce))
        #expect(adal.packetReceived(Self.packet(.federatedAuthenticationToken, token)) == .authenticateToken(.init(token: bytes(9), nonce: Self.configuration.nonce)))
        #expect(adal.federatedAuthenticationAcknowledgement?.nonce == clientNonce)

        guard case (_, .refuse) = try machine(.init(.adal(.interactive), echo: false)) else { throw Unexpected() }
        guard case (_, .refuse) = try machine(.init(.securityToken(bytes(9), nonce: nil), echo: true)) else { throw Unexpected() }
        guard case (_, .refuse) = try machine(.init(.securityToken(bytes(9), nonce: clientNonce), echo: true)) else { throw Unexpected() }
        guard case (_, .authenticate) = try machine(.init(.securityToken(bytes(9), nonce: Self.configuration.nonce), echo: true)) else { throw Unexpected() }
    }

    @Test func nonsenseBeforeTheLogin() throws {
        for packet in [Self.packet(.sqlBatch, bytes(4)), Self.packet(.attention), Self.packet(.tabularResult), Self.packet(.preLogin, bytes(3)), Self.packet(.sspi)] {
            var machine = LoginMachine(configuration: Self.configuration)
            guard case .close = machine.packetReceived(packet) else { throw Unexpected() }
            #expect(machine.packetReceived(packet) == .wait)
        }
        var machine = LoginMachine(configuration: Self.configuration)
        for _ in 0..<40 where !machine.isFinished { _ = machine.packetReceived(Self.packet(.preLogin, bytes(4000), [])) }
        #expect(machine.isFinished, "an endless message")
    }

    @Test func requestsInPackets() {
        var machine = RequestMachine()
        #expect(machine.packetReceived(Self.packet(.rpc, bytes(10), .resetConnection)) == .none)
        var whole = bytes(10)
        whole.writeImmutableBuffer(bytes(5))
        #expect(machine.packetReceived(Self.packet(.rpc, bytes(5))) == .execute(ClientMessage(type: .rpc, reset: .resetConnection, payload: whole)))
        #expect(machine.isExecuting && machine.responseFinished() == .none && !machine.isExecuting)
    }

    @Test func attentionWhileExecuting() {
        var machine = RequestMachine()
        _ = machine.packetReceived(Self.packet(.sqlBatch, bytes(4)))
        #expect(machine.packetReceived(AttentionMessage.packet) == .cancel)
        #expect(machine.packetReceived(AttentionMessage.packet) == .none)
        #expect(machine.responseFinished() == .acknowledgeAttention)
        #expect(machine.acknowledged() == .none)
    }

    @Test func attentionWhileIdle() {
        var machine = RequestMachine()
        #expect(machine.packetReceived(AttentionMessage.packet) == .acknowledgeAttention)
        // The next request may be there before the acknowledgement is out.
        #expect(machine.packetReceived(Self.packet(.sqlBatch, bytes(4))) == .none)
        #expect(machine.acknowledged() == .execute(ClientMessage(type: .sqlBatch, payload: bytes(4))))
    }

    @Test func ignoredRequest() {
        var machine = RequestMachine()
        #expect(machine.packetReceived(Self.packet(.rpc, bytes(4), [])) == .none)
        // An attention in the middle of a message is lost.
        #expect(machine.packetReceived(AttentionMessage.packet) == .none)
        #expect(machine.packetReceived(Self.packet(.rpc, ByteBuffer(), [.endOfMessage, .ignore])) == .answerIgnored)
        #expect(machine.ignoredAnswered() == .none)
        #expect(machine.packetReceived(Self.packet(.rpc, bytes(4))) == .execute(ClientMessage(type: .rpc, payload: bytes(4))))
    }

    @Test func queuedRequests() {
        var machine = RequestMachine(waitingLimit: 2)
        _ = machine.packetReceived(Self.packet(.sqlBatch, bytes(1)))
        #expect(machine.packetReceived(Self.packet(.sqlBatch, bytes(2))) == .none)
        #expect(machine.packetReceived(Self.packet(.sqlBatch, ByteBuffer(), [.endOfMessage, .ignore])) == .none)
        #expect(machine.responseFinished() == .execute(ClientMessage(type: .sqlBatch, payload: bytes(2))))
        #expect(machine.responseFinished() == .answerIgnored)
        _ = machine.ignoredAnswered()
        for _ in 0..<3 { _ = machine.packetReceived(Self.packet(.sqlBatch, bytes(1))) }
        #expect(machine.packetReceived(Self.packet(.sqlBatch, bytes(1))) == .close("too many requests at once"))
        #expect(machine.packetReceived(Self.packet(.sqlBatch, bytes(1))) == .none)
    }

    @Test func nonsenseInASession() throws {
        for packets in [
            [Self.packet(.login7)], [Self.packet(.rpc, bytes(1), []), Self.packet(.sqlBatch, bytes(1))], [Self.packet(.tabularResult)], [Self.packet(.preTDS7Login)],
        ] {
            var machine = RequestMachine()
            var last = RequestMachine.Action.none
            for packet in packets { last = machine.packetReceived(packet) }
            guard case .close = last else { throw Unexpected() }
        }
        var machine = RequestMachine(messageLimit: 10)
        guard case .close = machine.packetReceived(Self.packet(.rpc, bytes(11), [])) else { throw Unexpected() }
    }
}
