import CTCapture
import Foundation
import Logging
import TDSRecording

/// How the connector reaches a database.
enum Source {
    /// Connects by TDSClient. Throws `SourceError` or `ConfigurationError`.
    static let make: FlowConnector.SourceMaker = { configuration, logger in
        guard configuration.tunnel == nil else {
            throw ConfigurationError("'networkTunnel' is not supported yet: the database must be reachable from where the connector runs")
        }
        return try await TDSSource(configuration, logger: logger, recording: try recording.get())
    }

    /// Where the environment names a file for it: what all connections send and receive, decrypted, credentials blanked. For finding faults.
    private static let recording: Result<SessionRecorder?, RecordingError> = {
        guard let path = ProcessInfo.processInfo.environment["CONNECTOR_RECORD"], !path.isEmpty else { return .success(nil) }
        return Result { () throws(RecordingError) in
            let recorder = try SessionRecorder(path: path)
            // The connector ends by `exit`, after signals too.
            atexit { Source.finishRecording() }
            return recorder
        }
    }()

    private static func finishRecording() {
        if case .success(let recorder?) = recording { try? recorder.close() }
    }
}
