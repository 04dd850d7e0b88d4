import CTCapture
import Logging

/// How the connector reaches a database.
enum Source {
    /// Connects by TDSClient. Throws `SourceError` or `ConfigurationError`.
    static let make: FlowConnector.SourceMaker = { configuration, logger in
        guard configuration.tunnel == nil else {
            throw ConfigurationError("'networkTunnel' is not supported yet: the database must be reachable from where the connector runs")
        }
        return try await TDSSource(configuration, logger: logger)
    }
}
