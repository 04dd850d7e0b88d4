// Responses in their JSON form: one compact object, defaults left out.

import ExactJSON

/// Writes an object's members, leaving out defaults.
struct JSONMessageWriter: ~Copyable {
    private var output: [UInt8]
    private var first = true

    init(appendingTo output: consuming [UInt8]) {
        self.output = output
        self.output.append(UInt8(ascii: "{"))
    }

    private mutating func key(_ name: String) {
        if !first { output.append(UInt8(ascii: ",")) }
        first = false
        JSONValue.write(name, to: &output)
        output.append(UInt8(ascii: ":"))
    }

    mutating func number(_ name: String, _ value: UInt32) {
        guard value != 0 else { return }
        key(name)
        output.append(contentsOf: String(value).utf8)
    }

    mutating func text(_ name: String, _ value: String) {
        guard !value.isEmpty else { return }
        key(name)
        JSONValue.write(value, to: &output)
    }

    mutating func flag(_ name: String, _ value: Bool) {
        guard value else { return }
        key(name)
        output.append(contentsOf: "true".utf8)
    }

    mutating func texts(_ name: String, _ values: [String]) {
        guard !values.isEmpty else { return }
        key(name)
        JSONValue.array(values.map { .string($0) }).write(to: &output)
    }

    mutating func document(_ name: String, _ value: RawJSON) {
        key(name)
        value.write(to: &output)
    }

    /// A message within the message; written even when it is empty.
    mutating func message(_ name: String, _ members: (inout JSONMessageWriter) -> Void) {
        key(name)
        let outer = output
        output = []
        var inner = JSONMessageWriter(appendingTo: outer)
        members(&inner)
        output = inner.finish()
    }

    /// A list of messages.
    mutating func messages<Elements: Sequence>(_ name: String, _ elements: Elements, _ members: (Elements.Element, inout JSONMessageWriter) -> Void) {
        key(name)
        output.append(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            let outer = output
            output = []
            var inner = JSONMessageWriter(appendingTo: outer)
            members(element, &inner)
            output = inner.finish()
        }
        output.append(UInt8(ascii: "]"))
    }

    consuming func finish() -> [UInt8] {
        var result = output
        result.append(UInt8(ascii: "}"))
        return result
    }
}

extension Response {
    /// The message as one compact JSON object.
    public func json() -> [UInt8] {
        var writer = JSONMessageWriter(appendingTo: [])
        switch self {
        case .spec(let spec):
            writer.message("spec") { writer in
                writer.number("protocol", Spec.protocolVersion)
                writer.document("configSchema", spec.configSchema)
                writer.document("resourceConfigSchema", spec.resourceConfigSchema)
                writer.text("documentationUrl", spec.documentationUrl)
                writer.texts("resourcePathPointers", spec.resourcePathPointers)
            }
        case .discovered(let discovered):
            writer.message("discovered") { writer in
                guard !discovered.bindings.isEmpty else { return }
                writer.messages("bindings", discovered.bindings) { binding, writer in
                    writer.text("recommendedName", binding.recommendedName)
                    writer.document("resourceConfig", binding.resourceConfig)
                    writer.document("documentSchema", binding.documentSchema)
                    writer.texts("key", binding.key)
                    writer.flag("disable", binding.disable)
                    writer.texts("resourcePath", binding.resourcePath)
                    writer.flag("isFallbackKey", binding.isFallbackKey)
                }
            }
        case .validated(let validated):
            writer.message("validated") { writer in
                guard !validated.resourcePaths.isEmpty else { return }
                writer.messages("bindings", validated.resourcePaths) { path, writer in writer.texts("resourcePath", path) }
            }
        case .applied(let applied): writer.message("applied") { $0.text("actionDescription", applied.actionDescription) }
        case .opened(let opened): writer.message("opened") { $0.flag("explicitAcknowledgements", opened.explicitAcknowledgements) }
        case .captured(let captured):
            writer.message("captured") { writer in
                writer.number("binding", captured.binding)
                writer.document("doc", captured.doc)
            }
        case .checkpoint(let checkpoint):
            writer.message("checkpoint") { writer in
                writer.message("state") { writer in
                    writer.document("updated", checkpoint.updated)
                    writer.flag("mergePatch", checkpoint.mergePatch)
                }
            }
        case .sourcedSchema(let sourced):
            writer.message("sourcedSchema") { writer in
                writer.number("binding", sourced.binding)
                writer.document("documentSchema", sourced.documentSchema)
            }
        case .backfillBegin(let binding): writer.message("backfillBegin") { $0.number("binding", binding) }
        case .backfillComplete(let binding): writer.message("backfillComplete") { $0.number("binding", binding) }
        }
        return writer.finish()
    }
}
