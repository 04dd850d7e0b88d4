// The executable: no argument speaks the Flow protocol on standard input and output; the subcommands are for a person.

import ArgumentParser
import CTCapture
import FlowProtocol
import Foundation
import Logging
import Synchronization
import UnixSignals

@main
struct ConnectorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connector",
        abstract: "Captures Microsoft SQL Server tables by change tracking.",
        discussion: "Without a subcommand it speaks the Flow capture protocol on standard input and output; FLOW_RUNTIME_CODEC says how.",
        subcommands: [SpecCommand.self, CheckCommand.self, DiscoverCommand.self, PreviewCommand.self])

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let handler = FlowLogHandler(environment: environment)
        let logger = Logger(label: "connector") { _ in handler }
        let stop = StopSignal()
        do {
            let codec = try FlowCodecChoice.codec(environment: environment)
            let writer = ResponseWriter(codec: codec)
            let connector = FlowConnector(
                codec: codec, writer: writer, logger: logger, log: .standardError, makeSource: Source.make,
                shutdownAfterPolling: environment["SHUTDOWN_AFTER_POLLING"] == "yes")
            let running = Task {
                do { try await connector.run(RequestReader(codec: codec), until: stop) } catch {
                    // What has been answered is still the runtime's to have; that it has gone is not worth a second error.
                    try? await writer.flush()
                    throw error
                }
            }
            try await Signals.stopping(stop, running) { connector.isCapturing.load(ordering: .relaxed) }
        } catch {
            handler.fatal("\(error)")
            throw ExitCode.failure
        }
    }
}

/// SIGTERM and SIGINT end the process in good order, with exit status 0.
enum Signals {
    /// How long a capture may take to come to a checkpoint before it is interrupted.
    static let grace = Duration.seconds(5)

    /// Waits for `task`. A signal first asks `stop`, and cancels the task after a while, or at once if no capture is running.
    static func stopping(_ stop: StopSignal, _ task: Task<Void, any Error>, isCapturing: @escaping @Sendable () -> Bool) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let listener = Task { for await _ in signals { stop.stop() } }
        defer { listener.cancel() }
        let interrupter = Task {
            await stop.stopped()
            guard stop.isStopped else { return }
            if isCapturing() { try await Task.sleep(for: grace) }
            task.cancel()
        }
        defer { interrupter.cancel() }
        do { try await task.value } catch is CancellationError where stop.isStopped { return }
    }
}
