import InMemoryTracing
import Logging
import Metrics
import MetricsTestKit
import NIOCore
import Synchronization
import TDSWire
import Testing
import Tracing

@testable import TDSClient

@Suite("Metrics, spans, logs", .serialized, .timeLimit(.minutes(15)))
struct ObservabilityTests {
    /// For the whole process: each system can be set up once.
    private static let systems: (metrics: TestMetrics, tracer: InMemoryTracer) = {
        let metrics = TestMetrics()
        let tracer = InMemoryTracer()
        MetricsSystem.bootstrap(metrics)
        InstrumentationSystem.bootstrap(tracer)
        return (metrics, tracer)
    }()

    private struct Recording: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            lines.add("\(event.level) \(event.message) \(event.metadata.map { "\($0)" } ?? "")")
        }
    }
    private final class Lines: Sendable {
        private let all = Mutex<[String]>([])
        func add(_ line: String) { all.withLock { $0.append(line) } }
        var text: String { all.withLock { $0.joined(separator: "\n") } }
    }

    @Test("A request's metrics, span and log line; nothing of the statement or its parameters") func requests() async throws {
        let (metrics, tracer) = Self.systems
        var behaviour = Behaviour()
        let rows = try Tokens.message(.info(0, "hello")) + Tokens.ints([1, 2, 3])
        let error = try Tokens.message(.error(208, "Invalid object name 'hush'.")) + Tokens.done(.error)
        behaviour.reply = { $0.type == .rpc ? .tokens(error) : .tokens(rows) }
        let lines = Lines()
        try await TestServer.run(behaviour) { server in
            var configuration = server.configuration()
            configuration.database = "observed"
            var logger = Logger(label: "test", factory: { _ in Recording(lines: lines) })
            logger.logLevel = .debug
            let port = server.port
            let dimensions = [("db.system", "mssql"), ("db.namespace", "observed"), ("server.address", "127.0.0.1"), ("server.port", "\(port)")]
            try await TDSConnection.withConnection(configuration, logger: logger) { connection in
                #expect(try metrics.expectMeter("db.client.connection.count", dimensions).values.last == 1)
                _ = try await connection.ints("SELECT hush")
                try await fails(.server) { try await connection.execute("SELECT \("hush")") }
                for try await _ in connection.query("SELECT 1") { break }
            }
            try await server.wait("closed") { $0.open == 0 }
            #expect(try metrics.expectCounter("db.client.requests", dimensions).totalValue == 3)
            #expect(try metrics.expectCounter("db.client.rows", dimensions).totalValue >= 3)
            #expect(try metrics.expectCounter("db.client.errors", dimensions + [("error.type", "208")]).totalValue == 1)
            #expect(try metrics.expectTimer("db.client.operation.duration", dimensions).values.count == 3)
            let spans = tracer.finishedSpans.filter { $0.attributes.get("server.port") == .int64(Int64(port)) || $0.attributes.get("server.port") == .int32(Int32(port)) }
            #expect(spans.count == 3)
            for span in spans {
                #expect(span.operationName == "db.client")
                #expect(span.kind == .client)
                #expect(span.attributes.get("db.system") == .string("mssql"))
                #expect(span.attributes.get("db.namespace") == .string("observed"))
                #expect(span.attributes.get("server.address") == .string("127.0.0.1"))
                var text = ""
                span.attributes.forEach { text += "\($0)=\($1) " }
                #expect(!text.contains("hush"))
            }
            let failed = try #require(spans.first { $0.status?.code == .error })
            #expect(failed.attributes.get("db.operation.name") == .string("sp_executesql"))
            #expect(failed.attributes.get("db.response.status_code") == .string("208"))
            #expect(failed.errors.isEmpty)
            #expect(lines.text.contains("request ended"))
            #expect(lines.text.contains("hello"))
            #expect(!lines.text.contains("hush"))
            #expect(!lines.text.contains(password))
        }
    }
}
