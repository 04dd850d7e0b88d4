// The capture's saved state, the existing connector's form:
// {"cursor": {"dbo.foo": 123}, "bindingStateV1": {"dbo%2FFoo": {"mode", "key_columns", "scanned", "metadata"?, "backfilled"}}}

import ExactJSON
import OrderedCollections

/// What is wrong with a saved state.
public struct StateError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Where a binding is.
public enum BindingMode: String, Hashable, Sendable {
    /// Added, nothing done yet.
    case pending = "Pending"
    /// Being backfilled; the existing connector leaves out changes of keys that it has not come to.
    case backfill = "Backfill"
    /// Being backfilled, with all changes captured meanwhile.
    case unfilteredBackfill = "UnfilteredBackfill"
    /// Being backfilled without a key.
    case keylessBackfill = "KeylessBackfill"
    /// Backfilled; only changes are captured.
    case active = "Active"
    /// The table has gone.
    case missing = "Missing"
    /// No longer captured.
    case ignore = "Ignore"

    public var isBackfill: Bool { self == .backfill || self == .unfilteredBackfill || self == .keylessBackfill }
}

/// A binding's state.
public struct BindingState: Hashable, Sendable {
    public var mode: BindingMode
    public var keyColumns: [String]
    /// The last key that has been backfilled, as ``KeyPosition`` writes it; empty before the first.
    public var scanned: String
    /// Members that are not ours are kept as they are.
    public var metadata: JSONValue?
    /// Rows that the backfill has captured.
    public var backfilled: Int64

    public init(mode: BindingMode, keyColumns: [String] = [], scanned: String = "", metadata: JSONValue? = nil, backfilled: Int64 = 0) {
        self.mode = mode
        self.keyColumns = keyColumns
        self.scanned = scanned
        self.metadata = metadata
        self.backfilled = backfilled
    }

    /// What tells a table from another of the same name: kept in `metadata`, which the existing connector leaves alone. Its own decoder
    /// refuses fields that it does not know anywhere else.
    public var identity: TableIdentity? {
        get {
            guard let object = metadata?["object_id"]?.integer, let begin = metadata?["begin_version"]?.integer else { return nil }
            return TableIdentity(objectID: object, beginVersion: begin)
        }
        set {
            var members = metadata?.object ?? [:]
            members["object_id"] = newValue.map { .integer($0.objectID) }
            members["begin_version"] = newValue.map { .integer($0.beginVersion) }
            metadata = members.isEmpty ? nil : .object(members)
        }
    }

    /// The columns whose order the backfill follows, where they are not the primary key's; with ``setPosition(_:of:)``.
    ///
    /// Kept in `metadata` together with the position, and `scanned` left empty: the existing connector only knows positions in the primary
    /// key, and would start such a backfill again.
    public var scanKey: [String]? { metadata?["scan_key"]?.array?.compactMap(\.string) }

    /// The last key that has been backfilled, as ``KeyPosition`` writes it; empty before the first.
    public var position: String { scanKey == nil ? scanned : metadata?["scanned"]?.string ?? "" }

    /// Sets how far the backfill has come in the order of `key`; an empty position forgets it.
    public mutating func setPosition(_ position: String, of key: [String]) {
        let isOwn = key != keyColumns && !position.isEmpty
        scanned = isOwn ? "" : position
        var members = metadata?.object ?? [:]
        members["scan_key"] = isOwn ? .array(key.map { .string($0) }) : nil
        members["scanned"] = isOwn ? .string(position) : nil
        metadata = members.isEmpty ? nil : .object(members)
    }

    init(_ value: JSONValue, key: String) throws(StateError) {
        guard let members = value.object else { throw StateError("the state of binding '\(key)' is \(value.kind)") }
        let name = members["mode"]?.string ?? ""
        guard let mode = name.isEmpty ? .pending : BindingMode(rawValue: name) else { throw StateError("binding '\(key)' has the unknown mode \"\(name)\"") }
        self.init(
            mode: mode, keyColumns: members["key_columns"]?.array?.compactMap(\.string) ?? [], scanned: members["scanned"]?.string ?? "",
            metadata: members["metadata"].flatMap { $0.isNull ? nil : $0 }, backfilled: members["backfilled"]?.integer ?? 0)
    }

    var json: JSONValue {
        var members: OrderedDictionary<String, JSONValue> = ["backfilled": .integer(backfilled)]
        if !keyColumns.isEmpty { members["key_columns"] = .array(keyColumns.map { .string($0) }) }
        if let metadata { members["metadata"] = metadata }
        members["mode"] = .string(mode.rawValue)
        if !scanned.isEmpty { members["scanned"] = .string(scanned) }
        return .object(members)
    }
}

/// A table, and one tracking of its changes.
public struct TableIdentity: Hashable, Sendable {
    /// `sys.tables.object_id`: another one means that the table was dropped and created again.
    public var objectID: Int64
    /// `sys.change_tracking_tables.begin_version`: another one means that tracking was turned off and on, or the table truncated.
    public var beginVersion: Int64

    public init(objectID: Int64, beginVersion: Int64) {
        self.objectID = objectID
        self.beginVersion = beginVersion
    }
}

/// The whole capture's state.
///
/// Read leniently: members that are missing have defaults, those that are not known are left alone. Written as merge patches.
public struct CaptureState: Hashable, Sendable {
    /// Per table (``CursorKey``): every change up to this version has been captured.
    public var cursors: OrderedDictionary<String, Int64> = [:]
    /// Per state key.
    public var bindings: OrderedDictionary<String, BindingState> = [:]
    public init() {}

    /// Throws `StateError` for a state that cannot be understood; nothing that was saved is passed over in silence.
    public init(_ value: JSONValue) throws(StateError) {
        guard !value.isNull else { return }
        guard let members = value.object else { throw StateError("the state is \(value.kind), not an object") }
        if let cursor = members["cursor"], !cursor.isNull {
            guard let entries = cursor.object else { throw StateError("the state's cursor is \(cursor.kind), not an object of versions") }
            for (table, version) in entries where !version.isNull {
                guard let version = version.integer else { throw StateError("the state's cursor of '\(table)' is \(version.kind), not a version") }
                cursors[table] = version
            }
        }
        for (key, binding) in members["bindingStateV1"]?.object ?? [:] where !binding.isNull { bindings[key] = try BindingState(binding, key: key) }
    }

    public var json: JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [:]
        members["bindingStateV1"] = .object(bindings.mapValues(\.json))
        members["cursor"] = .object(cursors.mapValues { .integer($0) })
        return .object(members)
    }

    /// The merge patch that turns `old` into this state: only what changed, `null` for what is gone. An empty object if nothing did.
    public func patch(from old: CaptureState) -> JSONValue { JSONValue.patch(from: old.json, to: json) ?? .object([:]) }
}
