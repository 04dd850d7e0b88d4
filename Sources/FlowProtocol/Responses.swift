// What a capture connector answers. Only the fields of the public protocol; defaults are left out on output.

import ExactJSON

/// A message to the runtime.
public enum Response: Hashable, Sendable {
    case spec(Spec)
    case discovered(Discovered)
    case validated(Validated)
    case applied(Applied)
    case opened(Opened)
    case captured(Captured)
    case checkpoint(Checkpoint)
    case sourcedSchema(SourcedSchema)
    case backfillBegin(binding: UInt32)
    case backfillComplete(binding: UInt32)

    /// The connector's configuration schemas.
    public struct Spec: Hashable, Sendable {
        /// The protocol's version.
        public static let protocolVersion: UInt32 = 3_032_023

        public var configSchema: RawJSON
        public var resourceConfigSchema: RawJSON
        public var documentationUrl: String
        /// Where in a resource configuration the parts of a resource path are.
        public var resourcePathPointers: [String]

        public init(configSchema: RawJSON, resourceConfigSchema: RawJSON, documentationUrl: String, resourcePathPointers: [String]) {
            self.configSchema = configSchema
            self.resourceConfigSchema = resourceConfigSchema
            self.documentationUrl = documentationUrl
            self.resourcePathPointers = resourcePathPointers
        }
    }

    /// What could be captured.
    public struct Discovered: Hashable, Sendable {
        public var bindings: [Binding]
        public init(bindings: [Binding]) { self.bindings = bindings }

        public struct Binding: Hashable, Sendable {
            public var recommendedName: String
            public var resourceConfig: RawJSON
            public var documentSchema: RawJSON
            /// JSON pointers.
            public var key: [String]
            public var disable: Bool
            public var resourcePath: [String]
            public var isFallbackKey: Bool

            public init(
                recommendedName: String, resourceConfig: RawJSON, documentSchema: RawJSON, key: [String], disable: Bool = false, resourcePath: [String] = [],
                isFallbackKey: Bool = false
            ) {
                self.recommendedName = recommendedName
                self.resourceConfig = resourceConfig
                self.documentSchema = documentSchema
                self.key = key
                self.disable = disable
                self.resourcePath = resourcePath
                self.isFallbackKey = isFallbackKey
            }
        }
    }

    /// The resource paths of a request's bindings, in the same order.
    public struct Validated: Hashable, Sendable {
        public var resourcePaths: [[String]]
        public init(resourcePaths: [[String]]) { self.resourcePaths = resourcePaths }
    }

    public struct Applied: Hashable, Sendable {
        public var actionDescription: String
        public init(actionDescription: String) { self.actionDescription = actionDescription }
    }

    public struct Opened: Hashable, Sendable {
        public var explicitAcknowledgements: Bool
        public init(explicitAcknowledgements: Bool) { self.explicitAcknowledgements = explicitAcknowledgements }
    }

    /// A document. The hot path writes these in place instead, see ``FlowCodec/documentFraming(binding:)``.
    public struct Captured: Hashable, Sendable {
        public var binding: UInt32
        public var doc: RawJSON

        public init(binding: UInt32, doc: RawJSON) {
            self.binding = binding
            self.doc = doc
        }
    }

    /// The end of a transaction, with the change of the connector's state.
    public struct Checkpoint: Hashable, Sendable {
        public var updated: RawJSON
        /// Whether `updated` is an RFC 7396 merge patch rather than the whole state.
        public var mergePatch: Bool

        public init(updated: RawJSON, mergePatch: Bool = true) {
            self.updated = updated
            self.mergePatch = mergePatch
        }
    }

    /// What the source says about a binding's documents.
    public struct SourcedSchema: Hashable, Sendable {
        public var binding: UInt32
        public var documentSchema: RawJSON

        public init(binding: UInt32, documentSchema: RawJSON) {
            self.binding = binding
            self.documentSchema = documentSchema
        }
    }
}
