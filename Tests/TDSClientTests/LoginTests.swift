import Foundation
import Logging
import NIOCore
import NIOPosix
import TDSTLS
import TDSWire
import Testing

@testable import TDSClient

@Suite("Login", .timeLimit(.minutes(15)))
struct LoginTests {
    @Test("TLS: an authority's file, a pinned certificate, anything", arguments: [TDSConnectionConfiguration.Encryption.required, .strict, .loginOnly])
    func trust(_ encryption: TDSConnectionConfiguration.Encryption) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("client-ca-\(UUID().uuidString).pem")
        defer { try? FileManager.default.removeItem(at: file) }
        try await TestServer.run { server in
            let certificate = try server.certificate
            try Data(certificate.certificatePEM).write(to: file)
            for trust in [TLSTrust.authorityFile(file.path), .pinned(certificate.fingerprint), .anything] {
                var configuration = server.configuration(encryption)
                configuration.tls.trust = trust
                configuration.database = "shop"
                try await TDSConnection.withConnection(configuration) { connection in
                    #expect(try await connection.session.database == "shop")
                    _ = try await connection.execute("SELECT 1")
                }
            }
            let seen = server.snapshot
            #expect(seen.logins.count == 3)
            #expect(seen.logins.allSatisfy { $0.userName == "sa" && $0.password == password && $0.serverName == "127.0.0.1" })
            #expect(seen.requests.count == 3)
            #expect(seen.preLogins.map(\.encryption) == Array(repeating: encryption == .required ? .on : encryption == .strict ? .notSupported : .off, count: 3))
        }
    }

    @Test("Without TLS") func plain() async throws {
        try await TestServer.session { server, connection in
            #expect(connection.serverVersion == ServerVersion(major: 16, minor: 0, build: 1000))
            #expect(connection.loginResult.infos.map(\.number) == [5701])
            #expect(await connection.isUsable)
            _ = try await connection.execute("SELECT 1")
            #expect(server.snapshot.requests.first?.text == "SELECT 1")
        }
    }

    @Test("A certificate that can't be trusted, or is another host's", arguments: [TDSConnectionConfiguration.Encryption.required, .strict, .loginOnly])
    func untrusted(_ encryption: TDSConnectionConfiguration.Encryption) async throws {
        try await TestServer.run { server in
            var configuration = server.configuration(encryption)
            configuration.tls.trust = .systemRoots
            let unknown = try await failure { try await TDSConnection.connect(configuration) }
            #expect(unknown.code == .tls)
            #expect(unknown.message.contains("authority") && unknown.message.contains("pin"), "\(unknown)")

            configuration = server.configuration(encryption)
            configuration.tls.hostNameInCertificate = "sql.example.com"
            let other = try await failure { try await TDSConnection.connect(configuration) }
            #expect(other.code == .tls)
            #expect(other.message.contains("another host"), "\(other)")

            configuration.tls.hostNameInCertificate = nil
            configuration.tls.trust = .pinned(try CertificateFingerprint(bytes: [UInt8](repeating: 7, count: 32)))
            let pinned = try await failure { try await TDSConnection.connect(configuration) }
            #expect(pinned.code == .tls)
            // Nothing was said to a server that isn't the right one.
            #expect(server.snapshot.logins.isEmpty)
            for error in [unknown, other, pinned] { #expect(!"\(error)".contains(password)) }
        }
    }

    @Test("Client and server don't agree about encryption") func encryptionRefused() async throws {
        var behaviour = Behaviour()
        behaviour.encryption = .unsupported
        try await TestServer.run(behaviour) { server in
            for encryption in [TDSConnectionConfiguration.Encryption.required, .loginOnly] {
                let error = try await failure { try await TDSConnection.connect(server.configuration(encryption)) }
                #expect(error.code == .encryptionRefused)
            }
            #expect(server.snapshot.logins.isEmpty)
            var configuration = server.configuration(.loginOnly)
            configuration.allowsPlainLogin = true
            try await TDSConnection.withConnection(configuration) { _ = try await $0.execute("SELECT 1") }

            server.change { $0.encryption = .required }
            let error = try await failure { try await TDSConnection.connect(server.configuration(.disabled)) }
            #expect(error.code == .encryptionRefused)

            // A server that wants more than the login encrypted gets it, with packets that fit into a TLS record.
            configuration.packetSize = 32767
            try await TDSConnection.withConnection(configuration) { _ = try await $0.execute("SELECT 1") }
            #expect(server.snapshot.logins.last?.packetSize == 16383)
        }
    }

    @Test("A server without TDS 8.0") func noStrict() async throws {
        var behaviour = Behaviour()
        behaviour.refusesStrict = true
        try await TestServer.run(behaviour) { server in
            let error = try await failure { try await TDSConnection.connect(server.configuration(.strict)) }
            #expect(error.code == .tls, "\(error)")
        }
    }

    @Test("A wrong password: the server's words, and no password anywhere") func wrongPassword() async throws {
        var behaviour = Behaviour()
        let refusal = ServerMessage(number: 18456, state: 1, severity: 14, text: "Login failed for user 'sa'.", server: "test", line: 65536)
        behaviour.login = { _ in .refuse([refusal]) }
        try await TestServer.run(behaviour) { server in
            for encryption in [TDSConnectionConfiguration.Encryption.required, .disabled] {
                let configuration = server.configuration(encryption)
                let error = try await failure { try await TDSConnection.connect(configuration) }
                #expect(error.code == .loginFailed)
                #expect(error.number == 18456)
                #expect(error.serverErrors == [refusal])
                var dumped = ""
                dump(configuration, to: &dumped)
                dump(error, to: &dumped)
                for text in ["\(error)", String(reflecting: error), "\(configuration)", String(reflecting: configuration), dumped] {
                    #expect(!text.contains(password))
                }
                #expect("\(error)".contains("Login failed for user 'sa'."))
                #expect(String(describing: configuration.authentication) == "sa")
            }
        }
    }

    @Test("An unknown database: both errors") func unknownDatabase() async throws {
        var behaviour = Behaviour()
        behaviour.login = { login in
            .refuse([
                .error(4060, "Cannot open database \"\(login.database)\" requested by the login. The login failed.", severity: 11),
                .error(18456, "Login failed for user 'sa'.", severity: 14),
            ])
        }
        try await TestServer.run(behaviour) { server in
            var configuration = server.configuration()
            configuration.database = "nowhere"
            let error = try await failure { [configuration] in try await TDSConnection.connect(configuration) }
            #expect(error.code == .loginFailed)
            #expect(error.serverErrors.map(\.number) == [4060, 18456])
            #expect(error.message.contains("nowhere"))
        }
    }

    @Test("More tokens than usual in the answer, a logon trigger's rows among them") func extraTokens() async throws {
        var behaviour = Behaviour()
        behaviour.login = { _ in
            var tokens = ByteBuffer()
            do {
                tokens = try Tokens.columns([("x", Tokens.int)]) + Tokens.row([.int32(1)], [Tokens.int])
                tokens.writeDone(Done(.doneInProc, status: [.more, .count], currentCommand: 0xC1, rowCount: 1))
                try tokens.writeServerMessage(.info(50000, "from the trigger"))
                try tokens.writeOrder([1])
                tokens.writeReturnStatus(0)
                try tokens.writeLogin()
            } catch { Issue.record(error) }
            return .tokens(tokens)
        }
        try await TestServer.session(behaviour) { _, connection in
            #expect(connection.loginResult.infos.map(\.number) == [50000, 5701])
            _ = try await connection.execute("SELECT 1")
        }
    }

    @Test("PRELOGIN answered with packets of type 0x12, and so the handshake's") func packetTypes() async throws {
        for type in [PacketType.tabularResult, .preLogin] {
            var behaviour = Behaviour()
            behaviour.preLoginPacketType = type
            behaviour.wrapperType = type.rawValue
            behaviour.largestWrite = 500
            try await TestServer.run(behaviour) { server in
                try await TDSConnection.withConnection(server.configuration(.required)) { _ = try await $0.execute("SELECT 1") }
            }
        }
    }

    @Test("A login of more than one packet: of 4096 bytes, whatever was asked for", arguments: [TDSConnectionConfiguration.Encryption.loginOnly, .required, .strict, .disabled])
    func longLogin(_ encryption: TDSConnectionConfiguration.Encryption) async throws {
        try await TestServer.run { server in
            // The longest names there are don't fill a packet, so more of a login than the driver sends: through the channel handler itself.
            var login = server.configuration(encryption).login7(server: "127.0.0.1", database: "")
            for number in 0..<5 { login.features.append(FeatureRequest(FeatureID(rawValue: UInt8(0x40 + number)), data: ByteBuffer(repeating: 7, count: 2000))) }
            let (channel, outcome) = try await logIn(server, encryption, login)
            if case .redirect = outcome { Issue.record("\(outcome)") }
            #expect(server.snapshot.loginPackets.count > 2)
            #expect(server.snapshot.loginPackets.allSatisfy { $0 <= 4096 })
            #expect(server.snapshot.logins.first?.password == password)
            try await channel.close()
        }
    }

    private func logIn(
        _ server: TestServer, _ encryption: TDSConnectionConfiguration.Encryption, _ login: Login7
    ) async throws -> (any Channel, TDSChannelHandler.LoginOutcome) {
        let configuration = server.configuration(encryption)
        let tls = try TLSContext(client: configuration.tls)
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: TDSChannelHandler.LoginOutcome.self)
        let channel = try await ClientBootstrap(group: loop).channelOption(.autoRead, value: false).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let machine = ClientLoginStateMachine(encryption: configuration.loginEncryption, preLogin: configuration.preLogin, login: login)
                try channel.pipeline.syncOperations.addHandler(
                    TDSChannelHandler(
                        login: machine, promise: promise, tls: tls, serverName: "127.0.0.1", version: .v7_4, cancelTimeout: .seconds(1), logger: .init(label: "test")))
            }
        }.connect(host: "127.0.0.1", port: server.port).get()
        return (channel, try await promise.futureResult.get())
    }

    @Test("Nobody listens") func nobody() async throws {
        let port = try await TestServer.run { $0.port }
        let configuration = TDSConnectionConfiguration(host: "127.0.0.1", port: port, authentication: .sqlServer(user: "sa", password: password))
        let error = try await failure { try await TDSConnection.connect(configuration) }
        #expect(error.code == .connectionFailed)
        #expect(error.message.contains("127.0.0.1:\(port)"))
    }

    @Test("A name with several addresses of which one answers") func severalAddresses() async throws {
        try await TestServer.run { server in
            // localhost is often ::1 first, where nobody listens.
            try await TDSConnection.withConnection(server.configuration(host: "localhost")) { connection in
                _ = try await connection.execute("SELECT 1")
            }
        }
    }

    @Test("A server that never answers", arguments: ["PRELOGIN", "LOGIN7"]) func deadline(_ stage: String) async throws {
        var behaviour = Behaviour()
        if stage == "PRELOGIN" { behaviour.answersPreLogin = false } else { behaviour.login = { _ in .silence } }
        try await TestServer.run(behaviour) { server in
            var configuration = server.configuration()
            configuration.connectTimeout = .milliseconds(100)
            var error: TDSError
            repeat {
                // On a machine that is busy with other things the deadline may come before the stage; a later one won't.
                configuration.connectTimeout = configuration.connectTimeout * 4
                error = try await failure { [configuration] in try await TDSConnection.connect(configuration) }
                #expect(error.code == .connectTimeout)
            } while !error.message.contains(stage) && configuration.connectTimeout < .seconds(60)
            #expect(error.message.contains(stage), "\(error)")
            try await server.wait("the client hangs up") { $0.open == 0 }
        }
    }

    @Test("A black hole: an address that drops every packet") func blackHole() async throws {
        // A listener that takes no connection, and whose queue of them is full, answers no more.
        let hole = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 0).serverChannelOption(.autoRead, value: false).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(hole.localAddress?.port)
        defer { hole.close(promise: nil) }
        var fillers: [any Channel] = []
        defer { for filler in fillers { filler.close(promise: nil) } }
        for _ in 0..<3 {
            let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.milliseconds(300))
            if let filler = try? await bootstrap.connect(host: "127.0.0.1", port: port).get() { fillers.append(filler) }
        }
        let configuration = TDSConnectionConfiguration(
            host: "127.0.0.1", port: port, authentication: .sqlServer(user: "sa", password: password), connectTimeout: .milliseconds(300))
        let error = try await failure { try await TDSConnection.connect(configuration) }
        #expect(error.code == .connectTimeout)

        // Cancelling doesn't wait for the deadline.
        var patient = configuration
        patient.connectTimeout = .seconds(100_000)
        let task = Task { [patient] in try await TDSConnection.connect(patient) }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("Cancelled in the middle of the login") func cancelled() async throws {
        var behaviour = Behaviour()
        behaviour.login = { _ in .silence }
        try await TestServer.run(behaviour) { server in
            let task = Task { try await TDSConnection.connect(server.configuration()) }
            try await server.wait("a login") { $0.logins.count == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await server.wait("the client hangs up") { $0.open == 0 }
        }
    }

    @Test("The server hangs up during the login") func hangsUp() async throws {
        var behaviour = Behaviour()
        behaviour.login = { _ in .close }
        try await TestServer.run(behaviour) { server in
            let error = try await failure { try await TDSConnection.connect(server.configuration()) }
            #expect(error.code == .connectionClosed)
            #expect(error.message.contains("LOGIN7"), "\(error)")
        }
    }

    @Test("Garbage in place of PRELOGIN") func garbage() async throws {
        var behaviour = Behaviour()
        behaviour.login = { _ in .tokens(ByteBuffer(bytes: [0x13, 0x37])) }
        try await TestServer.run(behaviour) { server in
            let error = try await failure { try await TDSConnection.connect(server.configuration()) }
            #expect(error.code == .protocolViolation)
        }
    }

    @Test("The server sends the client elsewhere; the name in the login stays", arguments: [TDSConnectionConfiguration.Encryption.required, .disabled])
    func routing(_ encryption: TDSConnectionConfiguration.Encryption) async throws {
        try await TestServer.run { second in
            var behaviour = Behaviour()
            let target = EnvironmentChange.Routing(port: UInt16(second.port), server: "127.0.0.1\\instance")
            behaviour.login = { _ in .redirect(target) }
            try await TestServer.run(behaviour) { first in
                var configuration = first.configuration(encryption, host: "localhost")
                configuration.readOnlyIntent = true
                try await TDSConnection.withConnection(configuration) { _ = try await $0.execute("SELECT 1") }
                #expect(first.snapshot.logins.count == 1)
                #expect(second.snapshot.logins.map(\.serverName) == ["localhost"])
                #expect(second.snapshot.logins.map { $0.typeFlags.contains(.readOnlyIntent) } == [true])
                #expect(second.snapshot.requests.count == 1)
                try await first.wait("the first connection ends") { $0.open == 0 }
            }
        }
    }

    @Test("Two servers that send the client to each other") func routingLoop() async throws {
        try await TestServer.run { server in
            let port = UInt16(server.port)
            server.change { $0.login = { _ in .redirect(EnvironmentChange.Routing(port: port, server: "127.0.0.1")) } }
            var configuration = server.configuration()
            configuration.maximumRoutingHops = 3
            let error = try await failure { [configuration] in try await TDSConnection.connect(configuration) }
            #expect(error.code == .routingLoop)
            #expect(server.snapshot.logins.count == 4)
            configuration.maximumRoutingHops = -1
            let none = try await failure { [configuration] in try await TDSConnection.connect(configuration) }
            #expect(none.code == .routingLoop)
        }
    }
}
