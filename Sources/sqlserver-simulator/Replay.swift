import ArgumentParser
import Foundation
import TDSRecording

/// `sqlserver-simulator replay`: the server's side of a recording, for a client that is to do again what it did.
struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Plays the server's side of a recorded session to clients.",
        discussion: """
            The first client to connect gets the first recorded connection, and so on. Each gets the recorded answers as long as it sends what was \
            recorded (its password, host name and packet size may differ), and else an error that says where it differs. There is no TLS: have the \
            client ask for none.

            Prints "listening on HOST:PORT" when clients can connect, and a line for each that has gone. Ends when all recorded connections were \
            played, or by SIGTERM or SIGINT. Exit status 1 if a client sent something else or left early.
            """,
        shouldDisplay: false)

    @Argument(help: ArgumentHelp("The recording: a pcap file, compressed by gzip or not.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Where to listen; port 0 takes any free port.", valueName: "host:port"))
    var listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 0)

    @Flag(help: "Begin again with the first connection after the last, until SIGTERM or SIGINT.")
    var `repeat` = false

    func run() async throws {
        let signals = await Signals()
        let server = try ReplayServer(path: file, repeats: `repeat`)
        try await server.start(host: listen.host, port: listen.port)
        Self.say("listening on \(ListenAddress(host: listen.host, port: server.port)), recorded connections: \(server.connectionCount)")
        let last = `repeat` ? Int.max : server.connectionCount
        let isRight = await withTaskGroup(of: Bool?.self) { group in
            group.addTask {
                await signals.wait()
                return nil
            }
            group.addTask { await Self.report(server, upTo: last) }
            // Whichever comes first; a signal ends the other one by ending its stream.
            var result = await group.next() ?? nil
            if result == nil {
                try? await server.stop()
                result = await group.next() ?? nil
            }
            group.cancelAll()
            return result ?? true
        }
        try await server.stop()
        if !isRight { throw ExitCode.failure }
    }

    /// Says how each connection ended, until all were played. Returns whether all were as recorded.
    private static func report(_ server: ReplayServer, upTo last: Int) async -> Bool {
        var isRight = true
        var count = 0
        for await connection in server.ended {
            count += 1
            switch connection.outcome {
            case .finished: say("connection \(connection.number): as recorded")
            case .unfinished(let matched, let all):
                isRight = false
                say("connection \(connection.number): the client left after \(matched) of \(all) packets")
            case .failed(let error):
                isRight = false
                say("connection \(connection.number): \(error.message)")
            }
            if count >= last { break }
        }
        return isRight
    }

    private static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}
