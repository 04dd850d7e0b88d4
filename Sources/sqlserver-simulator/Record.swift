import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import TDSRecording

/// `sqlserver-simulator record`: a proxy that writes what it passes on into a pcap file, credentials blanked. It made Fixtures/recordings.
struct Record: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stands between clients and a server, and records their sessions until SIGTERM or SIGINT.",
        discussion: """
            Prints "listening on HOST:PORT" when clients can connect. What is encrypted can't be recorded: serve with --encryption off, and have \
            clients ask for none.
            """,
        shouldDisplay: false)

    @Option(help: ArgumentHelp("Where to listen; port 0 takes any free port.", valueName: "host:port"))
    var listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 0)

    @Option(help: ArgumentHelp("The server.", valueName: "host:port"))
    var server: ListenAddress

    @Option(help: ArgumentHelp("The recording, a pcap file; compressed if its name ends in .gz.", valueName: "file"))
    var output: String

    func run() async throws {
        let signals = await Signals()
        let recorder = try SessionRecorder(path: output)
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: listen.host, port: listen.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: false))
                }
            }
        let address = ListenAddress(host: listen.host, port: listener.channel.localAddress?.port ?? 0)
        FileHandle.standardOutput.write(Data("listening on \(address)\n".utf8))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await listener.executeThenClose { clients in
                    await withTaskGroup(of: Void.self) { sessions in
                        do {
                            for try await client in clients { sessions.addTask { await relay(client, recorder) } }
                        } catch {
                            // The listener was closed.
                        }
                        sessions.cancelAll()
                    }
                }
            }
            await signals.wait()
            group.cancelAll()
        }
        try recorder.close()
    }

    /// One connection, until either end closes it. Bytes are recorded before they are passed on, so that a request is always before its answer.
    private func relay(_ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ recorder: SessionRecorder) async {
        let connection = recorder.connection()
        do {
            try await client.executeThenClose { fromClient, toClient in
                let upstream = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(host: server.host, port: server.port) { channel in
                    channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
                }
                try await upstream.executeThenClose { fromServer, toServer in
                    try await withThrowingTaskGroup(of: Void.self) { directions in
                        directions.addTask {
                            for try await bytes in fromClient {
                                connection.sent(bytes)
                                try await toServer.write(bytes)
                            }
                        }
                        directions.addTask {
                            for try await bytes in fromServer {
                                connection.received(bytes)
                                try await toClient.write(bytes)
                            }
                        }
                        try await directions.next()
                        directions.cancelAll()
                    }
                }
            }
        } catch {
            // An end that vanishes ends the session; its recording stays.
        }
        connection.closed()
    }
}
