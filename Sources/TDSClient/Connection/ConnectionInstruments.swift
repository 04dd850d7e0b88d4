import Logging
import Metrics
import Synchronization
import TDSWire
import Tracing

/// A connection's metrics, spans and log lines: each at the request level, nothing per row.
///
/// Metrics (swift-metrics), with the dimensions `db.system`, `db.namespace` (the database of the login), `server.address` and
/// `server.port`, named after OpenTelemetry's semantic conventions for databases:
///
/// | label | kind | |
/// |---|---|---|
/// | `db.client.connection.count` | meter | open connections |
/// | `db.client.requests` | counter | requests that ended, in whatever way |
/// | `db.client.errors` | counter | those that ended with an error; dimension `error.type`: the ``TDSError/Code``, and for the server's own errors the number |
/// | `db.client.rows` | counter | rows returned or affected, by the server's counts |
/// | `db.client.operation.duration` | timer | from sending the request to the end of its response, the reader's own time included |
///
/// Spans (swift-distributed-tracing) are called `db.client`, of kind client, with the attributes `db.system`, `db.namespace` (of the
/// session at that moment), `db.operation.name`, `server.address`, `server.port`, and in case of an error `error.type` and
/// `db.response.status_code`. Neither the statement's text nor its parameters nor the server's messages are in them, for all of these may
/// hold personal data.
struct ConnectionInstruments: Sendable {
    let logger: Logger
    private let host: String
    private let port: Int
    private let dimensions: [(String, String)]
    private let connections: Meter
    private let requests: Counter
    private let rows: Counter
    private let duration: Metrics.Timer

    init(host: String, port: Int, database: String, logger: Logger) {
        self.host = host
        self.port = port
        self.logger = logger
        dimensions = [("db.system", "mssql"), ("db.namespace", database), ("server.address", host), ("server.port", "\(port)")]
        connections = Meter(label: "db.client.connection.count", dimensions: dimensions)
        requests = Counter(label: "db.client.requests", dimensions: dimensions)
        rows = Counter(label: "db.client.rows", dimensions: dimensions)
        duration = Metrics.Timer(label: "db.client.operation.duration", dimensions: dimensions, preferredDisplayUnit: .milliseconds)
    }

    func connectionOpened() { connections.increment() }
    func connectionClosed() { connections.decrement() }

    /// A request is about to be sent.
    ///
    /// - Parameter context: of the task that makes it: the span's parent.
    func begins(_ request: TDSRequest, database: String?, context: ServiceContext?) -> RequestObservation {
        let span = startSpan("db.client", context: context ?? .topLevel, ofKind: .client)
        if span.isRecording {
            span.updateAttributes { attributes in
                attributes["db.system"] = "mssql"
                if let database { attributes["db.namespace"] = database }
                attributes["db.operation.name"] = request.operationName
                attributes["server.address"] = host
                attributes["server.port"] = port
            }
        }
        return RequestObservation(instruments: self, span: span, operation: request.operationName)
    }

    fileprivate func ended(_ time: Duration, _ response: ClientRequestStateMachine.Response?, _ error: TDSError?, _ operation: String) {
        requests.increment()
        let returned = (response?.rowCounts ?? []).reduce(into: UInt64(0)) { $0 = $0.addingReportingOverflow($1).partialValue }
        if returned > 0 { rows.increment(by: Int64(clamping: returned)) }
        duration.record(duration: time)
        if let error { Counter(label: "db.client.errors", dimensions: dimensions + [("error.type", error.kind)]).increment() }
        guard logger.logLevel <= .debug else { return }
        for message in response?.infos ?? error?.serverInfos ?? [] {
            logger.debug("the server says", metadata: ["number": "\(message.number)", "message": "\(message.text)"])
        }
        var metadata: Logger.Metadata = ["operation": "\(operation)", "duration": "\(time)", "rows": "\(returned)"]
        if let error {
            metadata["error"] = "\(error.code)"
            if let number = error.number { metadata["number"] = "\(number)" }
        }
        logger.debug("request ended", metadata: metadata)
    }
}

/// A request that is under way.
struct RequestObservation: Sendable {
    fileprivate let instruments: ConnectionInstruments
    fileprivate let span: any Span
    fileprivate let operation: String
    private let begin = ContinuousClock.now

    fileprivate init(instruments: ConnectionInstruments, span: any Span, operation: String) {
        self.instruments = instruments
        self.span = span
        self.operation = operation
    }

    /// To be called once.
    func ended(_ response: ClientRequestStateMachine.Response?, _ error: TDSError?) {
        instruments.ended(begin.duration(to: .now), response, error, operation)
        if let error {
            span.attributes["error.type"] = error.kind
            if let number = error.number { span.attributes["db.response.status_code"] = "\(number)" }
            span.setStatus(SpanStatus(code: .error))
        }
        span.end()
    }
}

extension TDSError {
    /// As OpenTelemetry's `error.type` wants it: few values.
    fileprivate var kind: String { code == .server ? number.map(String.init) ?? code.description : code.description }
}

extension TDSRequest {
    /// What is asked for, without any text of the caller's.
    var operationName: String {
        switch self {
        case .batch: "batch"
        case .executeSQL: "sp_executesql"
        case .transaction(let request):
            switch request {
            case .begin: "begin"
            case .commit: "commit"
            case .rollback: "rollback"
            case .save: "save"
            case .getDTCAddress, .propagate, .promote: "transaction"
            }
        }
    }
}
