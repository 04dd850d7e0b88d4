// The Flow protocol's commands. One process serves one RPC: `spec`, then one more request; after `open` only acknowledgements.

import CTCapture
import ExactJSON
import FlowProtocol
import Logging
import OrderedCollections
import Synchronization

/// Answers the runtime's requests until they end.
final class FlowConnector: Sendable {
    /// How a database is reached; tests put one in memory here.
    typealias SourceMaker = @Sendable (CaptureConfiguration, Logger) async throws -> any CaptureSource

    let codec: any FlowCodec
    let writer: ResponseWriter
    let logger: Logger
    let log: LogOutput
    let makeSource: SourceMaker
    /// `SHUTDOWN_AFTER_POLLING=yes`: end as soon as everything is captured.
    let shutdownAfterPolling: Bool
    /// Whether a capture is open: only then there is something to bring to an end.
    let isCapturing = Atomic(false)

    init(
        codec: any FlowCodec, writer: ResponseWriter, logger: Logger, log: LogOutput, makeSource: @escaping SourceMaker, shutdownAfterPolling: Bool = false
    ) {
        self.codec = codec
        self.writer = writer
        self.logger = logger
        self.log = log
        self.makeSource = makeSource
        self.shutdownAfterPolling = shutdownAfterPolling
    }

    private var status: ConnectorStatus { ConnectorStatus(logger: logger) }

    /// Runs until the requests end, an open capture ends, or `stop` is asked for. Everything that was answered has been written then.
    func run(_ requests: RequestReader, until stop: StopSignal) async throws {
        status.report("Initializing connector")
        for try await request in requests {
            switch request {
            case .spec: try await writer.send(.spec(ConfigurationSchema.spec()))
            case .discover(let request): try await writer.send(.discovered(try await discover(request)))
            case .validate(let request): try await writer.send(.validated(try await validate(request)))
            case .apply(let request): try await writer.send(.applied(try await apply(request)))
            case .acknowledge: throw FlowProtocolError("an acknowledgement before a capture was opened")
            case .open(let request):
                try await open(request, requests, until: stop)
                return try await writer.flush()
            }
        }
        try await writer.flush()
    }

    // MARK: Configuration

    private func configuration(_ document: RawJSON?) throws -> CaptureConfiguration {
        guard let document else { throw ConfigurationError("the request holds no configuration") }
        let configuration = try CaptureConfiguration(try document.value())
        for secret in configuration.secrets { log.blank(secret: secret) }
        return configuration
    }

    private func resource(_ document: RawJSON?) throws -> ResourceConfiguration {
        guard let document else { throw ConfigurationError("a binding holds no resource configuration") }
        return try ResourceConfiguration(try document.value())
    }

    private func connect(_ configuration: CaptureConfiguration) async throws -> any CaptureSource {
        status.report("Connecting to database")
        return try await makeSource(configuration, logger)
    }

    // MARK: Unary requests

    func discover(_ request: Request.Discover) async throws -> Response.Discovered {
        let configuration = try configuration(request.config)
        let catalog = try await connect(configuration).withSession { try await Catalog.read($0) }
        let bindings = try Discovery.discover(catalog, configuration).map { found in
            Response.Discovered.Binding(
                recommendedName: found.recommendedName,
                resourceConfig: RawJSON(["namespace": .string(found.table.schema), "stream": .string(found.table.table)] as JSONValue),
                documentSchema: RawJSON(found.documentSchema), key: found.key)
        }
        logger.info("discovered \(bindings.count) tables")
        return Response.Discovered(bindings: bindings)
    }

    func validate(_ request: Request.Validate) async throws -> Response.Validated {
        status.report("Validating capture configuration")
        let configuration = try configuration(request.config)
        var problems: [String] = []
        var resources: [ResourceConfiguration] = []
        for (index, binding) in request.bindings.enumerated() {
            do { resources.append(try resource(binding.resourceConfig)) } catch { problems.append("binding \(index): \(error)") }
        }
        var seen: Set<TableName> = []
        for resource in resources where !seen.insert(resource.table).inserted { problems.append("table \"\(resource.table)\" is captured by two bindings") }
        problems += backfillProblems(request)
        let source = try await connect(configuration)
        status.report("Verifying capture requirements")
        let checked = resources
        problems += try await source.withSession { try await Prerequisites.check($0, tables: checked) }.compactMap(\.problem)
        guard problems.isEmpty else { throw PrerequisiteError(problems) }
        return Response.Validated(resourcePaths: resources.map(\.path))
    }

    /// A changed way of backfilling only makes sense with a new backfill.
    private func backfillProblems(_ request: Request.Validate) -> [String] {
        guard let last = request.lastCapture else { return [] }
        var before: [[String]: (ResourceConfiguration, UInt32)] = [:]
        for binding in last.bindings {
            if let resource = try? resource(binding.resourceConfig) { before[resource.path] = (resource, binding.backfill) }
        }
        return request.bindings.compactMap { binding in
            guard let now = try? resource(binding.resourceConfig), let (then, counter) = before[now.path], binding.backfill <= counter else { return nil }
            if now.mode != then.mode { return "table \"\(now.table)\": a change of its backfill mode needs a higher backfill counter" }
            if now.backfillFilter != then.backfillFilter { return "table \"\(now.table)\": a change of its backfill filter needs a higher backfill counter" }
            return nil
        }
    }

    func apply(_ request: Request.Apply) async throws -> Response.Applied {
        status.report("Applying capture configuration")
        let configuration = try configuration(request.capture.config)
        let resources = try request.capture.bindings.map { try resource($0.resourceConfig) }
        let catalog = try await connect(configuration).withSession { try await Catalog.read($0) }
        let missing = resources.filter { catalog.table($0.table) == nil }.map { "table \"\($0.table)\" does not exist" }
        guard missing.isEmpty else { throw PrerequisiteError(missing) }
        return Response.Applied(actionDescription: "")
    }

    // MARK: Open

    private func open(_ request: Request.Open, _ requests: RequestReader, until stop: StopSignal) async throws {
        isCapturing.store(true, ordering: .relaxed)
        status.report("Starting capture")
        let configuration = try configuration(request.capture.config)
        let bindings = try request.capture.bindings.enumerated().map { index, binding in
            let resource = try resource(binding.resourceConfig)
            return CaptureBinding(index: index, stateKey: binding.stateKey.isEmpty ? resource.path.joined(separator: "/") : binding.stateKey, resource: resource)
        }
        let state = try CaptureState(request.state?.value() ?? .object([:]))
        let source = try await connect(configuration)
        let output = FlowOutput(writer: writer, codec: codec, status: status)
        var options = Capture.Options()
        options.shutdownAfterPolling = shutdownAfterPolling
        let capture = Capture(
            configuration: configuration, bindings: bindings, state: state, source: source, output: output, logger: logger, options: options)
        try await writer.send(.opened(.init(explicitAcknowledgements: true)))

        let endsByItself = shutdownAfterPolling
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                do { try await capture.run(until: stop) } catch where stop.isStopped && Self.isCancellation(error) { try await output.closeTransaction() }
                return true
            }
            group.addTask {
                try await self.acknowledgements(requests)
                return false
            }
            while let isCapture = try await group.next() {
                if isCapture { break }
                // The runtime has gone: nobody will read what comes. A capture that ends by itself may still be read from.
                if !endsByItself { stop.stop() }
            }
            group.cancelAll()
        }
    }

    private static func isCancellation(_ error: any Error) -> Bool {
        error is CancellationError || (error as? SourceError)?.connectionLost == true || Task.isCancelled
    }

    /// Reads acknowledgements until the requests end: the runtime does not go on past one that nobody reads.
    private func acknowledgements(_ requests: RequestReader) async throws {
        for try await request in requests {
            guard case .acknowledge = request else { throw FlowProtocolError("only acknowledgements may follow after a capture was opened") }
        }
    }
}
