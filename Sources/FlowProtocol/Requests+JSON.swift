// Requests from their JSON form: unknown fields are passed over, `null` is the default, 64-bit numbers may be strings.

import ExactJSON

extension Request {
    /// Decodes one message. Throws `JSONError` if it isn't JSON, or not a request that this connector knows.
    public init(json: ArraySlice<UInt8>) throws(JSONError) {
        var parser = JSONParser(json)
        var requests: [Request] = []
        try parser.object { (key, parser) throws(JSONError) in
            switch key {
            case "spec": requests.append(.spec(try Spec(&parser)))
            case "discover": requests.append(.discover(try Discover(&parser)))
            case "validate": requests.append(.validate(try Validate(&parser)))
            case "apply": requests.append(.apply(try Apply(&parser)))
            case "open": requests.append(.open(try Open(&parser)))
            case "acknowledge": requests.append(.acknowledge(try Acknowledge(&parser)))
            default: try parser.skip()
            }
        }
        try parser.end()
        guard let request = requests.first, requests.count == 1 else {
            throw parser.error(requests.isEmpty ? "a request of an unknown kind" : "more than one request in a message")
        }
        self = request
    }
}

extension JSONParser {
    mutating func text() throws(JSONError) -> String {
        if try null() { return "" }
        guard case .string(let text) = try value() else { throw error("a string is expected") }
        return text
    }

    /// Enums arrive as their names, or as numbers where the sender does not know the name.
    mutating func name() throws(JSONError) -> String {
        switch try value() {
        case .null: return ""
        case .string(let text): return text
        case .integer(let number): return String(number)
        default: throw error("a name is expected")
        }
    }

    mutating func unsigned() throws(JSONError) -> UInt32 {
        if try null() { return 0 }
        guard let number = try value().integer, let unsigned = UInt32(exactly: number) else { throw error("a number of 32 bits is expected") }
        return unsigned
    }

    mutating func document() throws(JSONError) -> RawJSON? { try null() ? nil : try raw() }

    mutating func list<Element>(_ element: (inout JSONParser) throws(JSONError) -> Element) throws(JSONError) -> [Element] {
        if try null() { return [] }
        var elements: [Element] = []
        try array { (parser) throws(JSONError) in elements.append(try element(&parser)) }
        return elements
    }

    mutating func message(_ member: (String, inout JSONParser) throws(JSONError) -> Void) throws(JSONError) {
        if try null() { return }
        try object(member)
    }
}

extension Request.Spec {
    init(_ parser: inout JSONParser) throws(JSONError) {
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "connectorType": connectorType = try parser.name()
            case "config": config = try parser.document()
            default: try parser.skip()
            }
        }
    }
}

extension Request.Discover {
    init(_ parser: inout JSONParser) throws(JSONError) {
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "connectorType": connectorType = try parser.name()
            case "config": config = try parser.document()
            case "name": name = try parser.text()
            default: try parser.skip()
            }
        }
    }
}

extension Request.Validate {
    init(_ parser: inout JSONParser) throws(JSONError) {
        var linked: [CollectionSpec] = []
        var indices: [Int] = []
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "name": name = try parser.text()
            case "connectorType": connectorType = try parser.name()
            case "config": config = try parser.document()
            case "bindings":
                bindings = try parser.list { (parser) throws(JSONError) in
                    let (binding, index) = try Binding.decode(&parser)
                    indices.append(index)
                    return binding
                }
            case "lastCapture": lastCapture = try parser.null() ? nil : try CaptureSpec(&parser)
            case "lastVersion": lastVersion = try parser.text()
            case "linkedCollections": linked = try parser.list { (parser) throws(JSONError) in try CollectionSpec(&parser) }
            default: try parser.skip()
            }
        }
        guard !linked.isEmpty else { return }
        for (position, index) in indices.enumerated() {
            guard linked.indices.contains(index) else { throw parser.error("binding \(position): collectionIndex \(index) is out of bounds") }
            bindings[position].collection = linked[index]
        }
    }
}

extension Request.Validate.Binding {
    static func decode(_ parser: inout JSONParser) throws(JSONError) -> (Self, collectionIndex: Int) {
        var binding = Self()
        var index = 0
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "resourceConfig": binding.resourceConfig = try parser.document()
            case "collection": binding.collection = try CollectionSpec(&parser)
            case "collectionIndex": index = Int(try parser.unsigned())
            case "backfill": binding.backfill = try parser.unsigned()
            default: try parser.skip()
            }
        }
        return (binding, index)
    }
}

extension Request.Apply {
    init(_ parser: inout JSONParser) throws(JSONError) {
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "capture": capture = try CaptureSpec(&parser)
            case "version": version = try parser.text()
            case "lastCapture": lastCapture = try parser.null() ? nil : try CaptureSpec(&parser)
            case "lastVersion": lastVersion = try parser.text()
            default: try parser.skip()
            }
        }
    }
}

extension Request.Open {
    init(_ parser: inout JSONParser) throws(JSONError) {
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "capture": capture = try CaptureSpec(&parser)
            case "version": version = try parser.text()
            case "range": range = try RangeSpec(&parser)
            case "state": state = try parser.document()
            default: try parser.skip()
            }
        }
    }
}

extension Request.Acknowledge {
    init(_ parser: inout JSONParser) throws(JSONError) {
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "checkpoints": checkpoints = max(1, try parser.unsigned())
            default: try parser.skip()
            }
        }
    }
}

extension CaptureSpec {
    init(_ parser: inout JSONParser) throws(JSONError) {
        var linked: [CollectionSpec] = []
        var active: [Int] = []
        var inactive: [Int] = []
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "name": name = try parser.text()
            case "connectorType": connectorType = try parser.name()
            case "config": config = try parser.document()
            case "bindings":
                bindings = try parser.list { (parser) throws(JSONError) in
                    let (binding, index) = try Binding.decode(&parser)
                    active.append(index)
                    return binding
                }
            case "intervalSeconds": intervalSeconds = try parser.unsigned()
            case "inactiveBindings":
                inactiveBindings = try parser.list { (parser) throws(JSONError) in
                    let (binding, index) = try Binding.decode(&parser)
                    inactive.append(index)
                    return binding
                }
            case "linkedCollections": linked = try parser.list { (parser) throws(JSONError) in try CollectionSpec(&parser) }
            default: try parser.skip()
            }
        }
        guard !linked.isEmpty else { return }
        for (position, index) in active.enumerated() {
            guard linked.indices.contains(index) else { throw parser.error("binding \(position): collectionIndex \(index) is out of bounds") }
            bindings[position].collection = linked[index]
        }
        // An inactive binding's collection is not used: one out of bounds is left as it is.
        for (position, index) in inactive.enumerated() where linked.indices.contains(index) { inactiveBindings[position].collection = linked[index] }
    }
}

extension CaptureSpec.Binding {
    static func decode(_ parser: inout JSONParser) throws(JSONError) -> (Self, collectionIndex: Int) {
        var binding = Self()
        var index = 0
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "resourceConfig": binding.resourceConfig = try parser.document()
            case "resourcePath": binding.resourcePath = try parser.list { (parser) throws(JSONError) in try parser.text() }
            case "collection": binding.collection = try CollectionSpec(&parser)
            case "collectionIndex": index = Int(try parser.unsigned())
            case "backfill": binding.backfill = try parser.unsigned()
            case "stateKey": binding.stateKey = try parser.text()
            default: try parser.skip()
            }
        }
        return (binding, index)
    }
}

extension CollectionSpec {
    init(_ parser: inout JSONParser) throws(JSONError) {
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "name": name = try parser.text()
            case "key": self.key = try parser.list { (parser) throws(JSONError) in try parser.text() }
            case "writeSchema": writeSchema = try parser.document()
            case "readSchema": readSchema = try parser.document()
            default: try parser.skip()
            }
        }
    }
}

extension RangeSpec {
    init(_ parser: inout JSONParser) throws(JSONError) {
        try parser.message { (key, parser) throws(JSONError) in
            switch key {
            case "keyBegin": keyBegin = try parser.unsigned()
            case "keyEnd": keyEnd = try parser.unsigned()
            case "rClockBegin": rClockBegin = try parser.unsigned()
            case "rClockEnd": rClockEnd = try parser.unsigned()
            default: try parser.skip()
            }
        }
    }
}
