// tshark, whose TDS dissector is nobody's of us.
import Foundation
import Testing

struct Tshark {
    private let executable: String
    /// Such as "4.0.17".
    let version: String

    /// Nil, said loudly, if it is not installed.
    init?() throws {
        let candidates = ["/usr/bin/tshark", "/usr/local/bin/tshark", "/opt/homebrew/bin/tshark"]
        guard let executable = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            print("SKIPPED: tshark is not installed; nobody but us has read our recordings (.ci/run installs it)")
            return nil
        }
        self.executable = executable
        let text = try Self.output(executable, ["--version"])
        version = try #require(try /TShark \(Wireshark\) ([0-9.]+)/.firstMatch(in: text.text).map { String($0.1) })
    }

    func run(_ path: String, _ arguments: [String]) throws -> String {
        let (text, status) = try Self.output(
            executable, ["-r", path, "-d", "tcp.port==1433,tds", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"] + arguments)
        #expect(status == 0)
        return text
    }

    /// The numbers of the frames that it calls malformed.
    func malformedFrames(_ path: String) throws -> Set<Int> {
        Set(try run(path, ["-Y", "_ws.malformed", "-T", "fields", "-e", "frame.number"]).split(whereSeparator: \.isWhitespace).compactMap { Int($0) })
    }

    /// How many frames have TDS in them.
    func tdsFrames(_ path: String) throws -> Int {
        try run(path, ["-Y", "tds", "-T", "fields", "-e", "frame.number"]).split(whereSeparator: \.isWhitespace).count
    }

    private static func output(_ executable: String, _ arguments: [String]) throws -> (text: String, status: Int32) {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (text, process.terminationStatus)
    }
}
