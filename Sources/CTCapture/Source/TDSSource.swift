// The source protocol over TDSClient.

import Foundation
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TDSClient
import TDSRecording
import TDSTLS
import TDSWire

/// A SQL Server database, reached over connections that are kept for the next use.
public final class TDSSource: CaptureSource {
    private let configuration: TDSConnectionConfiguration
    private let logger: Logger
    private let idle = Mutex<[TDSConnection]>([])
    /// Connections that are kept; more are closed after use.
    private let kept: Int

    /// Connects once, so that wrong settings are found at once. Throws ``SourceError`` in plain words.
    ///
    /// - Parameter recording: gets what all connections send and receive; see ``TDSClient/TDSConnectionConfiguration/recording``.
    public init(_ configuration: CaptureConfiguration, logger: Logger, recording: SessionRecorder? = nil) async throws {
        var settings = Self.connection(configuration)
        settings.recording = recording
        self.configuration = settings
        self.logger = logger
        kept = configuration.advanced.backfillParallelism + 1
        let connection = try await connect()
        idle.withLock { $0.append(connection) }
    }

    /// The client's settings for a capture's.
    static func connection(_ configuration: CaptureConfiguration) -> TDSConnectionConfiguration {
        let advanced = configuration.advanced
        var tls = TLSClientConfiguration()
        if advanced.trustServerCertificate {
            tls.trust = .anything
        } else if let authority = advanced.certificateAuthority {
            tls.trust = .authorities(pem: Array(authority.utf8))
        }
        tls.hostNameInCertificate = advanced.certificateHostName
        let encryption: TDSConnectionConfiguration.Encryption =
            switch advanced.encryption {
            case .required: .required
            case .strict: .strict
            case .login: .loginOnly
            case .off: .disabled
            }
        return TDSConnectionConfiguration(
            host: configuration.host, port: configuration.port, authentication: .sqlServer(user: configuration.user, password: configuration.password),
            database: configuration.database, encryption: encryption, tls: tls, applicationName: "swift-tds capture")
    }

    public func withSession<Result: Sendable>(_ body: @Sendable (any CaptureSession) async throws -> Result) async throws -> Result {
        let connection = try await take()
        do {
            let result = try await body(TDSSession(connection))
            await giveBack(connection)
            return result
        } catch {
            await giveBack(connection)
            throw error
        }
    }

    /// Closes the connections that are not in use.
    public func close() async {
        let connections = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        for connection in connections { await connection.close() }
    }

    private func take() async throws -> TDSConnection {
        while let connection = idle.withLock({ $0.popLast() }) {
            if await connection.isUsable { return connection }
            await connection.close()
        }
        return try await connect()
    }

    private func giveBack(_ connection: TDSConnection) async {
        // One with a transaction left open by an error is not worth cleaning up.
        let isClean = ((try? await connection.session)?.transactionDescriptor ?? 1) == 0
        let isKept = isClean && idle.withLock { idle in
            guard idle.count < kept else { return false }
            idle.append(connection)
            return true
        }
        if !isKept { await connection.close() }
    }

    private func connect() async throws -> TDSConnection {
        do { return try await TDSConnection.connect(configuration, logger: logger) } catch let error as TDSError {
            throw Self.connectError(error, configuration)
        }
    }

    /// Why there is no connection, in plain words.
    static func connectError(_ error: TDSError, _ configuration: TDSConnectionConfiguration) -> SourceError {
        let numbers = Set(error.serverErrors.map { Int($0.number) })
        let user = switch configuration.authentication { case .sqlServer(let user, _): user }
        let said = error.serverErrors.first.map { " (the server says: \($0.text))" } ?? ""
        if numbers.contains(4060) || numbers.contains(4063) {
            return SourceError(
                number: 4060, message: "the database \"\(configuration.database)\" does not exist, or the user \"\(user)\" may not use it\(said)")
        }
        if numbers.contains(18456) {
            return SourceError(number: 18456, message: "the server refused the user \"\(user)\" or the password\(said)")
        }
        var source = SourceError(error)
        if error.serverErrors.isEmpty { source.message = "cannot connect to \(configuration.host):\(configuration.port): \(reason(error))" }
        return source
    }

    /// What the operating system or TLS said, without NIO's structure around it.
    private static func reason(_ error: TDSError) -> String {
        guard let failure = error.underlying as? NIOConnectionError else { return error.underlying.map { "\(error.message): \($0)" } ?? error.message }
        let reasons = failure.connectionErrors.map { single in
            (single.error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(single.error)"
        }
        if let first = reasons.first { return first }
        return (failure.dnsAError ?? failure.dnsAAAAError) == nil ? error.message : "the host name cannot be resolved"
    }
}

extension SourceError {
    /// What a client error means to a capture.
    init(_ error: TDSError) {
        let first = error.serverErrors.first
        let isFatal = error.serverErrors.contains { $0.severity >= 20 }
        // A refusal without a number comes from the connection: whether it was ever there, or has gone.
        self.init(number: first.map { Int($0.number) }, message: first?.text ?? error.message, connectionLost: first == nil || isFatal)
    }
}

/// One connection as a session.
struct TDSSession: CaptureSession {
    private let connection: TDSConnection

    init(_ connection: TDSConnection) { self.connection = connection }

    func rows(_ statement: SQLStatement) async throws -> [[SourceValue]] {
        let query = try await query(statement)
        return try await translated {
            var rows: [[SourceValue]] = []
            for try await row in connection.query(query) {
                rows.append(try (0..<row.count).map { SourceValue(try row.value($0)) })
            }
            return rows
        }
    }

    func execute(_ text: String) async throws {
        try await translated { _ = try await connection.execute(TDSQuery(unsafeSQL: text)) }
    }

    func backfill(_ query: BackfillQuery, _ layout: DocumentLayout, into output: any DocumentOutput) async throws -> DocumentsRead {
        try await documents(query.statement, layout, output)
    }

    func changes(_ query: ChangeQuery, _ layout: DocumentLayout, into output: any DocumentOutput) async throws -> DocumentsRead {
        try await documents(query.statement, layout, output)
    }

    /// Rows become documents on the connection's event loop while the buffer before is on its way out.
    private func documents(_ statement: SQLStatement, _ layout: DocumentLayout, _ output: any DocumentOutput) async throws -> DocumentsRead {
        let query = try await query(statement)
        return try await translated {
            var spare = DocumentBuffer(capacity: layout.fullSize + layout.fullSize / 8)
            let (writer, _) = try await connection.read(query, into: DocumentWriter(layout)) { writer in
                spare = try await output.write(documents: writer.takeBuffer(replacing: spare))
            }
            var last = writer
            let read = DocumentsRead(
                rows: last.rowCount, documents: last.documentCount, bytes: last.byteCount,
                lastKey: try last.lastKey?.map { try KeyValue($0.type, wire: $0.content) })
            if last.buffer.count > 0 { _ = try await output.write(documents: last.takeBuffer()) }
            return read
        }
    }

    private func query(_ statement: SQLStatement) async throws -> TDSQuery {
        guard !statement.parameters.isEmpty else { return TDSQuery(unsafeSQL: statement.text) }
        // Text parameters are of the database's own collation; the statement names any other.
        let collation = try await translated { try await connection.session }.collation ?? .sqlLatin1GeneralCP1CIAS
        return TDSQuery(
            unsafeSQL: statement.text,
            parameters: try statement.parameters.map { parameter in
                TDSParameter(parameter.name, try parameter.value.parameter(for: parameter.type), type: try parameter.type.typeInfo(collation: collation))
            })
    }

    private func translated<Result>(_ body: () async throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        do { return try await body() } catch let error as TDSError {
            if Task.isCancelled { throw CancellationError() }
            throw SourceError(error)
        } catch let error as WireError {
            throw SourceError(message: "\(error)")
        } catch let error as StateError {
            throw SourceError(message: "\(error)")
        }
    }
}

extension SourceValue {
    /// Numbers and truth values as integers, anything else as its text.
    init(_ value: TDSValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .integer(value ? 1 : 0)
        case .uint8(let value): self = .integer(Int64(value))
        case .int16(let value): self = .integer(Int64(value))
        case .int32(let value): self = .integer(Int64(value))
        case .int64(let value): self = .integer(value)
        case .string(let value): self = .text(value)
        default: self = .text(value.description)
        }
    }
}
