// Reading a configuration strictly: a field that is not known is more likely a mistake than something to pass over.

import ExactJSON
import OrderedCollections

/// What is wrong with a configuration, in plain words. Never holds a value of a secret field.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Takes the members of an object one by one; `finish()` refuses those that nobody has taken.
struct ConfigurationReader {
    private var members: OrderedDictionary<String, JSONValue>
    private let path: String

    /// Throws `ConfigurationError` if `value` is no object.
    init(_ value: JSONValue, path: String = "") throws(ConfigurationError) {
        guard let members = value.object else {
            throw ConfigurationError("\(path.isEmpty ? "the configuration" : "'\(path)'") must be an object, but is \(value.kind)")
        }
        self.members = members
        self.path = path
    }

    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The member, unless it is missing or null.
    mutating func take(_ key: String) -> JSONValue? {
        guard let value = members.removeValue(forKey: key), !value.isNull else { return nil }
        return value
    }

    private func mismatch(_ key: String, _ wanted: String, _ value: JSONValue) -> ConfigurationError {
        ConfigurationError("'\(name(key))' must be \(wanted), but is \(value.kind)")
    }

    mutating func string(_ key: String) throws(ConfigurationError) -> String? {
        guard let value = take(key) else { return nil }
        guard case .string(let text) = value else { throw mismatch(key, "a string", value) }
        return text
    }

    mutating func bool(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let value = take(key) else { return nil }
        guard case .bool(let flag) = value else { throw mismatch(key, "true or false", value) }
        return flag
    }

    mutating func integer(_ key: String) throws(ConfigurationError) -> Int? {
        guard let value = take(key) else { return nil }
        guard case .integer(let number) = value, let result = Int(exactly: number) else { throw mismatch(key, "a whole number", value) }
        return result
    }

    mutating func strings(_ key: String) throws(ConfigurationError) -> [String]? {
        guard let value = take(key) else { return nil }
        guard case .array(let elements) = value else { throw mismatch(key, "a list of strings", value) }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else { throw mismatch(key, "a list of strings", element) }
            texts.append(text)
        }
        return texts
    }

    mutating func object(_ key: String) throws(ConfigurationError) -> ConfigurationReader? {
        guard let value = take(key) else { return nil }
        return try ConfigurationReader(value, path: name(key))
    }

    /// Throws `ConfigurationError` if members are left.
    func finish() throws(ConfigurationError) {
        guard let unknown = members.keys.first else { return }
        throw ConfigurationError("unknown field '\(name(unknown))'")
    }
}

/// Intervals as the configuration writes them: "500ms", "30s", "15m", "1h".
enum Interval {
    static func parse(_ text: String, field: String, within range: ClosedRange<Duration>, _ bounds: String) throws(ConfigurationError) -> Duration {
        let digits = text.prefix { ("0"..."9").contains($0) }
        // Nine digits of hours are 114000 years: more is no interval, and would overflow.
        guard let number = Int64(digits), digits.count <= 9, let unit = unit(text.dropFirst(digits.count)) else {
            throw ConfigurationError("'\(field)' must be a number and a unit (ms, s, m or h), like \"500ms\" or \"15m\", but is \"\(text)\"")
        }
        let interval = unit * Int(number)
        guard range.contains(interval) else { throw ConfigurationError("'\(field)' must be between \(bounds), but is \"\(text)\"") }
        return interval
    }

    private static func unit(_ text: Substring) -> Duration? {
        switch text {
        case "ms": .milliseconds(1)
        case "s": .seconds(1)
        case "m": .seconds(60)
        case "h": .seconds(3600)
        default: nil
        }
    }
}
