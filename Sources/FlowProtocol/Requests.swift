// What the Flow runtime asks of a capture connector. Only the fields of the public protocol; JSON names.

import ExactJSON

/// A message from the runtime.
public enum Request: Hashable, Sendable {
    case spec(Spec)
    case discover(Discover)
    case validate(Validate)
    case apply(Apply)
    case open(Open)
    case acknowledge(Acknowledge)

    /// Asks for the configuration's schemas; the first request of every process, with an empty configuration.
    public struct Spec: Hashable, Sendable {
        public var connectorType = ""
        public var config: RawJSON?
        public init() {}
    }

    /// Asks what could be captured.
    public struct Discover: Hashable, Sendable {
        public var connectorType = ""
        public var config: RawJSON?
        public var name = ""
        public init() {}
    }

    /// Asks whether a capture could run.
    public struct Validate: Hashable, Sendable {
        public var name = ""
        public var connectorType = ""
        public var config: RawJSON?
        public var bindings: [Binding] = []
        public var lastCapture: CaptureSpec?
        public var lastVersion = ""
        public init() {}

        public struct Binding: Hashable, Sendable {
            public var resourceConfig: RawJSON?
            public var collection = CollectionSpec()
            public var backfill: UInt32 = 0
            public init() {}
        }
    }

    /// Announces a capture that is about to run.
    public struct Apply: Hashable, Sendable {
        public var capture = CaptureSpec()
        public var version = ""
        public var lastCapture: CaptureSpec?
        public var lastVersion = ""
        public init() {}
    }

    /// Starts the capture.
    public struct Open: Hashable, Sendable {
        public var capture = CaptureSpec()
        public var version = ""
        public var range = RangeSpec()
        /// The state that the connector's checkpoints have built up.
        public var state: RawJSON?
        public init() {}
    }

    /// Says that checkpoints, in order, are committed.
    public struct Acknowledge: Hashable, Sendable {
        /// How many; at least 1.
        public var checkpoints: UInt32 = 1
        public init() {}
    }
}

/// A capture as the control plane has built it.
public struct CaptureSpec: Hashable, Sendable {
    public var name = ""
    public var connectorType = ""
    public var config: RawJSON?
    public var bindings: [Binding] = []
    public var intervalSeconds: UInt32 = 0
    /// Bindings that were removed or disabled.
    public var inactiveBindings: [Binding] = []
    public init() {}

    public struct Binding: Hashable, Sendable {
        public var resourceConfig: RawJSON?
        public var resourcePath: [String] = []
        public var collection = CollectionSpec()
        /// Raised by the user to ask for a new backfill.
        public var backfill: UInt32 = 0
        /// Names the binding in the connector's state, over changes of the list.
        public var stateKey = ""
        public init() {}
    }
}

/// A collection that documents are captured into. Only the parts that this connector uses are kept.
public struct CollectionSpec: Hashable, Sendable {
    public var name = ""
    /// JSON pointers.
    public var key: [String] = []
    public var writeSchema: RawJSON?
    public var readSchema: RawJSON?
    public init() {}
}

/// The part of the key space that this shard serves.
public struct RangeSpec: Hashable, Sendable {
    public var keyBegin: UInt32 = 0
    public var keyEnd: UInt32 = 0
    public var rClockBegin: UInt32 = 0
    public var rClockEnd: UInt32 = 0
    public init() {}
}
