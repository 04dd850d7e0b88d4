import NIOCore
import TDSTLS
import TDSWire
import Testing

@testable import TDSClient

let password = "Sekr3t?Pässwörd"

extension TestServer {
    func configuration(_ encryption: TDSConnectionConfiguration.Encryption = .disabled, host: String = "127.0.0.1") -> TDSConnectionConfiguration {
        var configuration = TDSConnectionConfiguration(
            host: host, port: port, authentication: .sqlServer(user: "sa", password: password), encryption: encryption, connectTimeout: .seconds(600),
            cancelTimeout: .seconds(600))
        if let pem = try? certificate.certificatePEM { configuration.tls.trust = .authorities(pem: pem) }
        return configuration
    }

    func connect<R: Sendable>(_ body: (TDSConnection) async throws -> R) async throws -> R {
        try await TDSConnection.withConnection(configuration(), body)
    }

    /// Runs a server and a connection to it, without TLS.
    static func session<R: Sendable>(_ behaviour: Behaviour = Behaviour(), _ body: (TestServer, TDSConnection) async throws -> R) async throws -> R {
        try await run(behaviour) { server in try await server.connect { try await body(server, $0) } }
    }

    /// A server that answers each batch by its text.
    static func answering(_ replies: [String: Behaviour.Reply]) -> Behaviour {
        var behaviour = Behaviour()
        behaviour.reply = { replies[$0.text] ?? .tokens(Tokens.done()) }
        return behaviour
    }
}

/// The error of a call that must not succeed.
func failure(_ body: () async throws -> some Sendable, sourceLocation: SourceLocation = #_sourceLocation) async throws -> TDSError {
    do {
        _ = try await body()
    } catch let error as TDSError {
        return error
    }
    Issue.record("it did not fail", sourceLocation: sourceLocation)
    throw TimedOut()
}

/// A call that must fail with this code.
@discardableResult
func fails(_ code: TDSError.Code, _ body: () async throws -> some Sendable, sourceLocation: SourceLocation = #_sourceLocation) async throws -> TDSError {
    let error = try await failure(body, sourceLocation: sourceLocation)
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    return error
}

/// Runs the body, but not for ever: a test that hangs says nothing.
func within<R: Sendable>(_ time: Duration, _ body: @escaping @Sendable () async throws -> R) async throws -> R {
    try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: time)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
            Issue.record("it took longer than \(time)")
            throw TimedOut()
        }
        return result
    }
}

extension TDSConnection {
    func ints(_ query: TDSQuery) async throws -> [Int] {
        var found: [Int] = []
        for try await row in self.query(query) { found.append(try row.decode(0)) }
        return found
    }
}
