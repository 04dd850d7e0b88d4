// Logs on standard error as the Flow runtime reads them: one JSON object a line.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import ExactJSON
import Logging
import OrderedCollections
import Synchronization

/// How log lines look.
public enum LogFormat: String, Sendable {
    /// One JSON object a line: `time`, `level`, `msg`, and the metadata as further fields.
    case json
    /// For a person.
    case text
    /// For a person at a terminal.
    case color
}

/// Where log lines go, and what must not be in them.
public final class LogOutput: Sendable {
    private struct State {
        var secrets: [String] = []
    }

    private let state = Mutex(State())
    private let write: @Sendable ([UInt8]) -> Void

    /// Standard error.
    public static let standardError = LogOutput { bytes in
        // One call a line: other processes and threads may write there too.
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                #if canImport(Darwin)
                let count = Darwin.write(2, rest.baseAddress, rest.count)
                #elseif canImport(Musl)
                let count = Musl.write(2, rest.baseAddress, rest.count)
                #else
                let count = Glibc.write(2, rest.baseAddress, rest.count)
                #endif
                if count < 0 && errno != EINTR { return }
                offset += max(0, count)
            }
        }
    }

    public init(_ write: @escaping @Sendable ([UInt8]) -> Void) { self.write = write }

    /// Text that is blanked wherever it would appear in a line. Very short texts would blank half of every line, and are not taken.
    public func blank(secret: String) {
        guard secret.utf8.count >= 4 else { return }
        state.withLock { $0.secrets.append(secret) }
    }

    func blanked(_ text: String) -> String {
        let secrets = state.withLock { $0.secrets }
        var text = text
        for secret in secrets where text.contains(secret) { text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***") }
        return text
    }

    func line(_ bytes: [UInt8]) { write(bytes) }
}

/// A swift-log handler in the runtime's format.
public struct FlowLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let format: LogFormat
    private let output: LogOutput

    public init(level: Logger.Level = .info, format: LogFormat = .json, output: LogOutput = .standardError) {
        self.logLevel = level
        self.format = format
        self.output = output
    }

    /// `LOG_LEVEL` (trace, debug, info, warn, error; default info) and `LOG_FORMAT` (json, text, color). What it does not know is the
    /// default: a log setting is no reason not to run.
    public init(environment: [String: String], defaultFormat: LogFormat = .json, output: LogOutput = .standardError) {
        let level: Logger.Level =
            switch environment["LOG_LEVEL"]?.lowercased() {
            case "trace": .trace
            case "debug": .debug
            case "warn", "warning": .warning
            case "error": .error
            default: .info
            }
        self.init(level: level, format: environment["LOG_FORMAT"].flatMap { LogFormat(rawValue: $0.lowercased()) } ?? defaultFormat, output: output)
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let given = event.metadata { fields.merge(given) { $1 } }
        write(level: Self.name(event.level), message: event.message.description, fields: fields)
    }

    /// Writes the line that says why the process ends. The runtime shows the last line on standard error to the user.
    public func fatal(_ message: String) { write(level: "fatal", message: message, fields: metadata) }

    private func write(level: String, message: String, fields: Logger.Metadata) {
        var line: [UInt8] = []
        let message = output.blanked(message)
        switch format {
        case .json:
            var members: OrderedDictionary<String, JSONValue> = ["time": .string(Self.timestamp()), "level": .string(level), "msg": .string(message)]
            for (key, value) in fields.sorted(by: { $0.key < $1.key }) where members[key] == nil { members[key] = json(value) }
            JSONValue.object(members).write(to: &line)
        case .text, .color:
            let shown = format == .color ? "\(Self.color(level))\(level)\u{1B}[0m" : level
            var text = "\(Self.timestamp()) \(shown): \(message)"
            for (key, value) in fields.sorted(by: { $0.key < $1.key }) where key != "eventType" { text += " \(key)=\(output.blanked("\(value)"))" }
            line.append(contentsOf: text.utf8)
        }
        line.append(0x0A)
        output.line(line)
    }

    private func json(_ value: Logger.Metadata.Value) -> JSONValue {
        switch value {
        case .string(let text): .string(output.blanked(text))
        // Numbers and booleans stay what they are; everything else is its description.
        case .stringConvertible(let value as any FixedWidthInteger): Int64(exactly: value).map { .integer($0) } ?? .string("\(value)")
        case .stringConvertible(let value as Bool): .bool(value)
        case .stringConvertible(let value): .string(output.blanked(value.description))
        case .array(let values): .array(values.map(json))
        case .dictionary(let members):
            .object(OrderedDictionary(uniqueKeysWithValues: members.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }))
        }
    }

    private static func name(_ level: Logger.Level) -> String {
        switch level {
        case .trace: "trace"
        case .debug: "debug"
        case .info, .notice: "info"
        case .warning: "warn"
        case .error: "error"
        case .critical: "fatal"
        }
    }

    private static func color(_ level: String) -> String {
        switch level {
        case "fatal", "error": "\u{1B}[31m"
        case "warn": "\u{1B}[33m"
        case "info": "\u{1B}[36m"
        default: "\u{1B}[90m"
        }
    }

    /// Now, RFC 3339 in UTC with milliseconds.
    static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        var seconds = now.tv_sec
        gmtime_r(&seconds, &parts)
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        return "\(date)T\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2)).\(padded(now.tv_nsec / 1_000_000, 3))Z"
    }
}

/// Status lines: what the user sees of a running connector.
public struct ConnectorStatus: Sendable {
    private let logger: Logger

    public init(logger: Logger) { self.logger = logger }

    /// Makes `message` the connector's status.
    public func report(_ message: String, _ fields: Logger.Metadata = [:]) {
        logger.info("\(message)", metadata: fields.merging(["eventType": "connectorStatus"]) { $1 })
    }
}
