// The answer to LOGIN7 (MS-TDS 3.3.5.5, "Login Ready"): in a SQL Server's order, database, language, LOGINACK, packet size, features, DONE.
import NIOCore
import TDSWire

struct LoginResponse {
    let thread: SessionThread
    let login: Login7
    let isEncrypted: Bool
    let isStrict: Bool

    /// SQL Server's packet size when the client leaves it open, and its limit under TLS: a record holds 16 KiB.
    private static let usualPacketSize = 4096
    private static let encryptedLimit = 16_383

    /// Sends the answer. Returns what serves the session; nil if the login failed.
    func send() throws -> RequestRunner? {
        var writer = ResponseWriter(output: thread.output, faults: thread.environment.faults)
        writer.isEncrypted = isEncrypted
        // A client of a later version gets the latest that the server speaks.
        let version = isStrict || login.version == .v8_0 ? TDSVersion.v8_0 : min(login.version, .v7_4)
        do {
            let session = try logIn()
            writer.spid = session.processID
            thread.adopt(session.cancellation)
            try acknowledge(session, version, &writer)
            let size = packetSize
            try writer.endMessage()
            writer.packetSize = size
            return RequestRunner(thread: thread, session: session,
                abilities: ClientAbilities(version: version, readsUTF8: login.feature(.utf8Support) != nil), writer: writer,
                database: database(of: session))
        } catch let error as SQLServerMessage {
            try refuse(error, version, &writer)
            return nil
        }
    }

    private func database(of session: EngineSession) -> String {
        for case .environment(.database(let new, _)) in session.loginEvents.reversed() { return new }
        return login.database
    }

    private var packetSize: Int {
        let wanted = Int(clamping: login.packetSize)
        let size = wanted == 0 ? Self.usualPacketSize : min(max(wanted, PacketHeader.packetSizes.lowerBound), PacketHeader.packetSizes.upperBound)
        return isEncrypted ? min(size, Self.encryptedLimit) : size
    }

    private func logIn() throws -> EngineSession {
        if login.options2.contains(.integratedSecurity) || login.sspi != nil {
            throw SQLServerMessage(
                number: 18452, severity: 14,
                text: "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.")
        }
        if login.feature(.federatedAuthentication) != nil {
            throw SQLServerMessage(number: 18456, severity: 14, text: "Login failed for user '<token-identified principal>'.")
        }
        return try thread.environment.engine.login(
            user: login.userName, password: login.password, database: login.database.isEmpty ? nil : login.database,
            applicationName: login.applicationName, hostName: login.hostName)
    }

    private func acknowledge(_ session: EngineSession, _ version: TDSVersion, _ writer: inout ResponseWriter) throws(WireError) {
        let configuration = session.server.configuration
        let collation = (SQLCollation(named: configuration.collation) ?? .default).wire
        var hasCollation = !version.hasCollations
        for event in session.loginEvents {
            switch event {
            case .environment(let change):
                if let wire = change.wire { try writer.payload.writeEnvironmentChange(wire) }
            case .message(let message):
                // The collation comes between the database's message and the language.
                try writer.payload.writeServerMessage(message.wire(server: configuration.serverName), version: version)
                if !hasCollation {
                    hasCollation = true
                    try writer.payload.writeEnvironmentChange(.collation(new: collation, old: nil))
                }
            default:
                break
            }
        }
        if !hasCollation { try writer.payload.writeEnvironmentChange(.collation(new: collation, old: nil)) }
        try writer.payload.writeLoginAck(LoginAck(version: version, serverVersion: configuration.wireVersion))
        try writer.payload.writeEnvironmentChange(.packetSize(new: packetSize, old: Self.usualPacketSize))
        let features = acknowledgedFeatures
        if !features.isEmpty { writer.payload.writeFeatureExtAck(features) }
        writer.payload.writeDone(Done(), version: version)
    }

    /// Only what really works here is acknowledged: UTF-8 collations.
    private var acknowledgedFeatures: [FeatureAcknowledgement] {
        login.feature(.utf8Support) == nil ? [] : [FeatureAcknowledgement(.utf8Support, data: ByteBuffer(bytes: [1]))]
    }

    private func refuse(_ error: SQLServerMessage, _ version: TDSVersion, _ writer: inout ResponseWriter) throws {
        let server = thread.environment.engine.configuration.serverName
        try writer.payload.writeServerMessage(error.wire(server: server), version: version)
        if error.number == 4060 {
            // The database can't be opened, so the login fails: both are told.
            let failed = SQLServerMessage(number: 18456, severity: 14, text: "Login failed for user '\(login.userName)'.")
            try writer.payload.writeServerMessage(failed.wire(server: server), version: version)
        }
        writer.payload.writeDone(Done(status: .error), version: version)
        try writer.endMessage()
    }
}

extension EnvironmentChange {
    /// The ENVCHANGE; nil for what the front-end tells by itself.
    var wire: TDSWire.EnvironmentChange? {
        switch self {
        case .database(let new, let old): .database(new: new, old: old)
        case .language(let new, let old): .language(new: new, old: old)
        case .beginTransaction(let descriptor): .beginTransaction(descriptor: descriptor)
        case .commitTransaction(let descriptor): .commitTransaction(descriptor: descriptor)
        case .rollbackTransaction(let descriptor): .rollbackTransaction(descriptor: descriptor)
        case .resetAcknowledged: nil
        }
    }
}

extension SQLServerMessage {
    func wire(server name: String) -> ServerMessage {
        // The ERROR token's length has 16 bits; a RAISERROR's text ends after 2047 characters anyhow. Severity 10 is sent as 0, as every
        // SQL Server does; FreeTDS takes anything above for an error.
        ServerMessage(
            number: number, state: state, severity: severity == 10 ? 0 : severity, text: text.utf16.count > 4000 ? String(text.prefix(2000)) : text,
            server: server.isEmpty ? name : server, procedure: procedure, line: line)
    }
}
