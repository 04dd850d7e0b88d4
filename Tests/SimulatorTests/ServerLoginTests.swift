import NIOCore
import TDSTLS
import TDSWire
import Testing

@testable import SQLServerSimulator

@Suite("Server: PRELOGIN, TLS and LOGIN7", .serialized, .timeLimit(.minutes(15)))
struct ServerLoginTests {
    @Test("A login with every kind of encryption", arguments: WireEncryption.allCases)
    func login(encryption: WireEncryption) async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                let response = try await client.logIn(server, encryption)
                #expect(client.preLogin?.version.major == 16)
                let ack = try #require(response.loginAck)
                #expect(ack.programName == "Microsoft SQL Server")
                #expect(ack.serverVersion.major == 16)
                #expect(ack.version == (encryption == .strict ? .v8_0 : .v7_4))
                #expect(response.errors.isEmpty)
                #expect(response.changes.contains(.packetSize(new: 4096, old: 4096)))
                #expect(response.changes.contains { if case .collation(let new?, _) = $0 { new == .sqlLatin1GeneralCP1CIAS } else { false } })
                #expect(response.dones.last?.status == [])
                // The session works, in the clear or not.
                let next = try await client.batch("")
                #expect(next.errors.isEmpty)
                #expect(next.spids == response.spids)
            }
        }
    }

    /// What both ends do, and what the server says of it.
    @Test("Every policy meets every wish")
    func negotiation() {
        typealias Row = (policy: EncryptionPolicy?, client: PreLogin.Encryption?, answer: PreLogin.Encryption, outcome: EncryptionNegotiation.Outcome)
        let table: [Row] = [
            (.off, .off, .notSupported, .none), (.off, .on, .notSupported, .refuse), (.off, .required, .notSupported, .refuse),
            (.off, .notSupported, .notSupported, .none), (.off, nil, .notSupported, .none),
            (nil, .off, .off, .loginOnly), (nil, .on, .on, .full), (nil, .required, .on, .full), (nil, .notSupported, .notSupported, .none),
            (nil, nil, .notSupported, .none),
            (.login, .off, .off, .loginOnly), (.login, .on, .on, .full), (.login, .required, .on, .full), (.login, .notSupported, .required, .refuse),
            (.login, nil, .required, .refuse),
            (.required, .off, .required, .full), (.required, .on, .on, .full), (.required, .required, .on, .full),
            (.required, .notSupported, .required, .refuse), (.required, nil, .required, .refuse),
            (.strict, .off, .required, .refuse), (.strict, .on, .required, .refuse), (.strict, .required, .required, .refuse),
            (.strict, .notSupported, .required, .refuse), (.strict, nil, .required, .refuse),
        ]
        for row in table {
            let (answer, outcome) = EncryptionPolicy.answer(row.policy, to: row.client)
            #expect(answer == row.answer && outcome == row.outcome, "\(String(describing: row))")
        }
    }

    @Test("A server that requires encryption closes a connection without; one without TLS closes a connection with")
    func refused() async throws {
        for policy in [EncryptionPolicy.required, .login] {
            try await withServer(encryption: policy) { server in
                try await WireClient.with(server) { client in
                    await #expect(throws: (any Error).self) { try await client.logIn(server, .none) }
                    #expect(client.preLogin?.encryption == .required)
                }
                try await WireClient.with(server) { client in
                    let response = try await client.logIn(server, .full)
                #expect(response.loginAck != nil)
                }
            }
        }
        try await withServer(encryption: .strict) { server in
            try await WireClient.with(server) { client in
                await #expect(throws: (any Error).self) { try await client.logIn(server, .full) }
                #expect(client.preLogin == nil)
            }
            try await WireClient.with(server) { client in
                let response = try await client.logIn(server, .strict)
                #expect(response.loginAck != nil)
            }
        }
        try await withServer(encryption: .off) { server in
            try await WireClient.with(server) { client in
                await #expect(throws: (any Error).self) { try await client.logIn(server, .strict) }
            }
            try await WireClient.with(server) { client in
                let response = try await client.logIn(server, .none)
                #expect(response.loginAck != nil)
            }
        }
    }

    @Test("Without a certificate the server makes one of its own, for clients to trust")
    func ownCertificate() async throws {
        let server = SimulatorServer(configuration: SimulatorServerConfiguration(encryption: .strict))
        try await server.start()
        let made = try #require(server.certificate)
        let tls = try TLSContext(client: TLSClientConfiguration(trust: .authorities(pem: made.certificatePEM)))
        try await WireClient.with(server) { client in
            try await client.startTLS(tls, .strict)
            var message = ByteBuffer()
            try message.writePreLogin(PreLogin())
            try await client.send(.preLogin, message)
            #expect(try await client.receive().count == 1)
        }
        try await server.stop()
    }

    @Test("The packet size is what was asked for, within limits", arguments: [(0, 4096), (100, 512), (512, 512), (8000, 8000), (40_000, 32_767)])
    func packetSize(wanted: UInt32, size: Int) async throws {
        try await withServer { server in
            var reply = ByteBuffer()
            try reply.writeServerMessage(ServerMessage(number: 50_000, severity: 1, text: String(repeating: "x", count: 30_000)))
            reply.writeDone(Done())
            let tokens = reply
            server.faults.update { $0.reply = { $0 == "large" ? tokens : nil } }
            for encryption in [WireEncryption.none, .full] {
                // A TLS record holds 16 KiB.
                let size = encryption == .full ? min(size, 16_383) : size
                try await WireClient.with(server) { client in
                    let response = try await client.logIn(server, encryption) { $0.packetSize = wanted }
                    #expect(response.changes.contains(.packetSize(new: size, old: 4096)))
                    let large = try await client.batch("large")
                    #expect(large.infos.first?.text.count == 30_000)
                    #expect(large.packets.dropLast().allSatisfy { $0 == size })
                    #expect(large.packets.last ?? 0 <= size)
                }
            }
        }
    }

    @Test("UTF-8 support is acknowledged when asked for, nothing else")
    func features() async throws {
        try await withServer { server in
            try await WireClient.with(server) { client in
                let response = try await client.logIn(server) {
                    $0.features = [
                        FeatureRequest(.sessionRecovery), FeatureRequest(.columnEncryption, data: ByteBuffer(bytes: [1])), FeatureRequest(.utf8Support),
                        FeatureRequest(.jsonSupport, data: ByteBuffer(bytes: [1])),
                    ]
                }
                let acknowledged = response.tokens.compactMap { if case .featureExtAck(let features) = $0 { features } else { nil } }.flatMap { $0 }
                #expect(acknowledged.map(\.id) == [.utf8Support])
            }
        }
    }

    @Test("Integrated and federated authentication are refused by their numbers")
    func otherAuthentication() async throws {
        try await withServer { server in
            for (change, number) in [
                ({ $0.sspi = ByteBuffer(bytes: [1, 2, 3]); $0.options2.insert(.integratedSecurity) }, 18452),
                ({ $0.features = [FeatureRequest(.federatedAuthentication, data: ByteBuffer(bytes: [2, 0, 0, 0, 0]))] }, 18456),
            ] as [((inout Login7) -> Void, Int32)] {
                try await WireClient.with(server) { client in
                    let response = try await client.logIn(server, .full, change: change)
                    #expect(response.errors.map(\.number) == [number])
                    #expect(response.dones.last?.status.contains(.error) == true)
                    await #expect(throws: ConnectionClosed.self) { try await client.response() }
                }
            }
        }
    }

    @Test("Bytes that are no TDS, and messages out of turn, end the connection")
    func nonsense() async throws {
        try await withServer { server in
            for bytes in [Array("GET / HTTP/1.1\r\n\r\n".utf8), [0x12, 1, 0, 9, 0, 0, 1, 0, 0xFF], [1, 1, 0, 8, 0, 0, 1, 0], [0x12, 1, 0, 2, 0, 0, 0, 0]] {
                try await WireClient.with(server) { client in
                    try await client.send(raw: ByteBuffer(bytes: bytes))
                    await #expect(throws: ConnectionClosed.self) { try await client.receive() }
                }
            }
            try await WireClient.with(server) { client in
                _ = try await client.logIn(server)
                try await client.send(.login7, ByteBuffer(bytes: [1, 2, 3]))
                #expect(try await client.response().errors.first?.severity == 20)
                await #expect(throws: ConnectionClosed.self) { try await client.receive() }
            }
            // The server forgets a connection when its socket is closed, a moment after the client has seen the end.
            for _ in 0..<10_000 where server.connectionCount > 0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(server.connectionCount == 0)
        }
    }
}
