import Foundation

/// A program whose lines are read, and which is written to.
final class ChildProcess {
    private let process = Process()
    private let input = Pipe()
    private let lines: AsyncStream<String>
    private var iterator: AsyncStream<String>.Iterator
    private let errors = Pipe()

    /// Starts a program. Its standard error goes to this one's, or is kept for ``errorText()``.
    init(_ path: String, _ arguments: [String], environment: [String: String] = [:], keepErrors: Bool = false) throws {
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        if keepErrors { process.standardError = errors }
        try process.run()
        let descriptor = output.fileHandleForReading
        lines = AsyncStream { continuation in
            // A thread of its own: reads block.
            Thread.detachNewThread {
                var rest = Data()
                while case let data = descriptor.availableData, !data.isEmpty {
                    rest.append(data)
                    while let end = rest.firstIndex(of: 0x0A) {
                        continuation.yield(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                        rest = Data(rest[rest.index(after: end)...])
                    }
                }
                continuation.finish()
            }
        }
        iterator = lines.makeAsyncIterator()
    }

    /// The next line of its standard output, without the line end; nil at the end.
    func nextLine() async -> String? { await iterator.next() }

    func write(_ line: String) throws { try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8)) }

    func closeInput() { try? input.fileHandleForWriting.close() }

    /// Waits for its end; the exit status.
    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// What it wrote to standard error, to the end of it.
    func errorText() -> String { String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }

    func terminate() {
        process.terminate()
        process.waitUntilExit()
    }
}
