// Configurations for the subcommands: YAML, of which JSON is a part.

import CTCapture
import ExactJSON
import Foundation
import OrderedCollections
import Yams

enum ConfigurationFile {
    /// Reads a file's value. Throws `ConfigurationError`.
    static func value(_ path: String) throws(ConfigurationError) -> JSONValue {
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch { throw ConfigurationError("cannot read \(path): \(error.localizedDescription)") }
        if let value = try? JSONValue(parsing: text) { return value }
        do {
            guard let node = try Yams.compose(yaml: text) else { throw ConfigurationError("\(path) is empty") }
            return try value(node)
        } catch let error as ConfigurationError { throw error } catch { throw ConfigurationError("\(path): \(error)") }
    }

    private static func value(_ node: Node) throws -> JSONValue {
        switch node {
        case .mapping(let mapping):
            var members = OrderedDictionary<String, JSONValue>()
            for (key, member) in mapping {
                guard let name = key.string else { throw ConfigurationError("a key of the file is no text") }
                members[name] = try value(member)
            }
            return .object(members)
        case .sequence(let sequence): return .array(try sequence.map(value))
        case .scalar(let scalar):
            if node.null != nil, scalar.style == .plain { return .null }
            if let flag = node.bool, scalar.style == .plain, ["true", "false"].contains(scalar.string) { return .bool(flag) }
            if let number = Int64(scalar.string), scalar.style == .plain { return .integer(number) }
            return .string(scalar.string)
        case .alias: throw ConfigurationError("aliases are not supported in configuration files")
        }
    }
}
