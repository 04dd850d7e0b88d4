import ExactJSON
import Foundation
import OrderedCollections
import TDSClient
import TDSWire

/// The runtime's part: it keeps the connector's state, and every collection's documents reduced by key.
final class CaptureRun {
    private let connector: String
    private let configuration: OrderedDictionary<String, JSONValue>
    private var bindings: [JSONValue] = []
    /// The connector's state: merge patches folded together.
    private(set) var state: JSONValue = .object([:])
    /// By binding and key: the last document, deletes removed.
    private var documents: [Int: [String: JSONValue]] = [:]

    init(connector: String, configuration: OrderedDictionary<String, JSONValue>) {
        self.connector = connector
        self.configuration = configuration
    }

    private func config(_ advanced: JSONValue) -> JSONValue {
        var config = configuration
        config["advanced"] = advanced
        return .object(config)
    }

    /// Starts a connector, which is asked for its spec first, as the runtime does.
    private func start(environment: [String: String] = [:]) async throws -> ChildProcess {
        let process = try ChildProcess(
            connector, [], environment: environment.merging(["FLOW_RUNTIME_CODEC": "json", "LOG_LEVEL": "warn", "LOG_FORMAT": "text"]) { $1 })
        try process.write(#"{"spec":{"connectorType":"LOCAL","config":{}}}"#)
        guard let line = await process.nextLine(), try JSONValue(parsing: line)["spec"] != nil else { throw DemoError("the connector did not answer spec") }
        return process
    }

    /// One request and its response.
    private func ask(_ kind: String, _ request: JSONValue, answer: String) async throws -> JSONValue {
        let process = try await start()
        try process.write(JSONValue.object([kind: request]).text())
        process.closeInput()
        guard let line = await process.nextLine(), let response = try JSONValue(parsing: line)[answer] else {
            throw DemoError("the connector did not answer \(kind); its exit status is \(process.wait())")
        }
        guard process.wait() == 0 else { throw DemoError("the connector failed after \(kind)") }
        return response
    }

    func discover(advanced: JSONValue) async throws {
        let discovered = try await ask("discover", ["connectorType": "LOCAL", "config": config(advanced)], answer: "discovered")
        bindings = discovered["bindings"]?.array ?? []
        for binding in bindings {
            let key = binding["key"]?.array?.compactMap(\.string).joined(separator: ", ") ?? ""
            say("  \(binding["recommendedName"]?.string ?? "?"), key \(key)")
            for (name, column) in Self.columns(of: binding) { say("      \(name): \(column["description"]?.string ?? "")") }
        }
        guard bindings.count == 5 else { throw DemoError("\(bindings.count) tables were discovered, not 5") }
    }

    private static func columns(of binding: JSONValue) -> OrderedDictionary<String, JSONValue> {
        binding["documentSchema"]?["$defs"]?.object?.values.first?["properties"]?.object ?? [:]
    }

    private func captureSpec(_ advanced: JSONValue) -> JSONValue {
        let captured = bindings.map { binding -> JSONValue in
            let resource = binding["resourceConfig"] ?? .null
            let path = [resource["namespace"]?.string ?? "", resource["stream"]?.string ?? ""]
            return [
                "resourceConfig": resource, "resourcePath": .array(path.map { .string($0) }), "stateKey": .string(path.joined(separator: "%2F")),
                "collection": [
                    "name": .string("demo/" + (binding["recommendedName"]?.string ?? "")), "key": binding["key"] ?? [],
                    "writeSchema": binding["documentSchema"] ?? [:], "projections": [], "partitionFields": [],
                ],
            ]
        }
        return ["name": "demo/capture", "connectorType": "LOCAL", "config": config(advanced), "intervalSeconds": 300, "bindings": .array(captured)]
    }

    /// Validates, applies and opens the capture, and runs it until it has caught up.
    func open(advanced: JSONValue) async throws {
        let capture = captureSpec(advanced)
        let asked = capture["bindings"]?.array?.map { binding -> JSONValue in
            ["resourceConfig": binding["resourceConfig"] ?? .null, "collection": binding["collection"] ?? .null]
        }
        let validated = try await ask(
            "validate", ["name": "demo/capture", "connectorType": "LOCAL", "config": config(advanced), "bindings": .array(asked ?? [])], answer: "validated")
        guard validated["bindings"]?.array?.count == bindings.count else { throw DemoError("validate did not answer for every binding") }
        _ = try await ask("apply", ["capture": capture, "version": "1"], answer: "applied")

        let process = try await start(environment: ["SHUTDOWN_AFTER_POLLING": "yes"])
        try process.write(JSONValue.object(["open": ["capture": capture, "version": "1", "state": state, "range": ["keyEnd": 4_294_967_295, "rClockEnd": 4_294_967_295]]]).text())
        var pending: [(Int, JSONValue)] = []
        var shown = 0
        while let line = await process.nextLine() {
            let message = try JSONValue(parsing: line)
            if let captured = message["captured"], let document = captured["doc"] {
                pending.append((Int(captured["binding"]?.integer ?? 0), document))
                say("  " + document.text())
                shown += 1
            } else if let checkpoint = message["checkpoint"] {
                if let update = checkpoint["state"] {
                    state = update["mergePatch"]?.bool == true ? state.merging(update["updated"] ?? .object([:])) : update["updated"] ?? .object([:])
                }
                for (binding, document) in pending { reduce(binding, document) }
                pending = []
                try? process.write(#"{"acknowledge":{"checkpoints":1}}"#)
            }
        }
        process.closeInput()
        let status = process.wait()
        guard status == 0 else { throw DemoError("the connector ended with status \(status)") }
        guard pending.isEmpty else { throw DemoError("\(pending.count) documents came after the last checkpoint") }
        say("  -- \(shown) documents")
    }

    private func reduce(_ binding: Int, _ document: JSONValue) {
        let key = keyText(binding, document)
        if document["_meta"]?["op"]?.string == "d" {
            documents[binding, default: [:]][key] = nil
        } else {
            var members = document.object ?? [:]
            members["_meta"] = nil
            documents[binding, default: [:]][key] = .object(members)
        }
    }

    private func keyText(_ binding: Int, _ document: JSONValue) -> String {
        let pointers = bindings[binding]["key"]?.array?.compactMap(\.string) ?? []
        return pointers.map { (document[String($0.dropFirst())] ?? .null).text() }.joined(separator: "|")
    }

    /// Reads every table by plain SELECT and compares its rows with the documents.
    func compare(_ connection: TDSConnection) async throws -> Bool {
        var isEqual = true
        for (index, binding) in bindings.enumerated() {
            let schema = binding["resourceConfig"]?["namespace"]?.string ?? ""
            let table = binding["resourceConfig"]?["stream"]?.string ?? ""
            var rows: [String: JSONValue] = [:]
            for try await row in connection.query(TDSQuery(unsafeSQL: "SELECT * FROM [\(schema)].[\(table)]")) {
                var members = OrderedDictionary<String, JSONValue>()
                for (column, metadata) in row.columns.metadata.enumerated() { members[metadata.name] = try Self.json(try row.value(column)) }
                rows[keyText(index, .object(members))] = .object(members)
            }
            let captured = documents[index] ?? [:]
            let wrong = rows.filter { !Self.same(captured[$0.key], $0.value) }
            let extra = captured.keys.filter { rows[$0] == nil }
            say("  \(schema).\(table): \(rows.count) rows, \(captured.count) documents\(wrong.isEmpty && extra.isEmpty ? ", equal" : ", DIFFERENT")")
            for (key, row) in wrong { say("    row \(row.text()), document \(captured[key]?.text() ?? "missing")") }
            for key in extra { say("    a document without a row: \(key)") }
            if !wrong.isEmpty || !extra.isEmpty || rows.isEmpty { isEqual = false }
        }
        return isEqual
    }

    /// Equal members, in any order; numbers by value.
    private static func same(_ a: JSONValue?, _ b: JSONValue) -> Bool {
        guard let a = a?.object, let b = b.object, a.count == b.count else { return false }
        return b.allSatisfy { name, value in
            if a[name] == value { return true }
            if case .number(let text)? = a[name], case .number(let other) = value { return Double(text) == Double(other) }
            return false
        }
    }

    /// A value as its document has it, made from the decoded value and not from its bytes: an independent way to the same text.
    private static func json(_ value: TDSValue) throws -> JSONValue {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int16(let value): .integer(Int64(value))
        case .int32(let value): .integer(Int64(value))
        case .int64(let value): .integer(value)
        case .double(let value): .number(value.description)
        case .decimal(let value): .string(value.description)
        case .string(let value): .string(value)
        case .guid(let value): .string(value.text(uppercase: false))
        case .date(let value): .string(value.description)
        case .dateTime2(let value):
            // "2024-06-03 17:45:12.5000000" in UTC
            .string(Self.timestamp(value.description))
        default: throw DemoError("the demo's tables have no such type")
        }
    }

    private static func timestamp(_ text: String) -> String {
        let parts = text.split(separator: ".")
        var fraction = parts.count > 1 ? String(parts[1]) : ""
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return parts[0].replacingOccurrences(of: " ", with: "T") + (fraction.isEmpty ? "" : ".") + fraction + "Z"
    }
}
