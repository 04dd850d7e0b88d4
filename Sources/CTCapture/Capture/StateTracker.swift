// The state in memory, and what of it the output has not been told yet.

import ExactJSON
import OrderedCollections

/// Keeps the state and collects what changes, so that a checkpoint of a few tables costs nothing for the thousands of others.
struct StateTracker {
    private(set) var state: CaptureState
    /// What the checkpoints so far amount to.
    private var saved: CaptureState
    private var changedCursors: OrderedSet<String> = []
    private var changedBindings: OrderedSet<String> = []

    init(_ state: CaptureState) {
        self.state = state
        self.saved = state
    }

    /// A table's cursor, by its ``CursorKey``.
    func cursor(_ key: String) -> Int64? { state.cursors[key] }

    /// Sets a cursor. With `lazily` it is not worth a checkpoint of its own, and goes along with ``patch(includingLazy:)``.
    mutating func setCursor(_ key: String, _ version: Int64?, lazily: Bool = false) {
        guard state.cursors[key] != version else { return }
        state.cursors[key] = version
        if !lazily { changedCursors.append(key) }
    }

    /// Removes the cursors of all tables but these.
    mutating func removeCursors(except tables: Set<String>) {
        for key in state.cursors.keys where !tables.contains(key) {
            state.cursors[key] = nil
            changedCursors.append(key)
        }
    }

    func binding(_ key: String) -> BindingState? { state.bindings[key] }

    mutating func setBinding(_ key: String, _ binding: BindingState) {
        guard state.bindings[key] != binding else { return }
        state.bindings[key] = binding
        changedBindings.append(key)
    }

    /// Whether there is anything that deserves a checkpoint.
    var isDirty: Bool { !changedCursors.isEmpty || !changedBindings.isEmpty }

    /// The merge patch of what has changed since the last one; an empty object if nothing has.
    mutating func patch(includingLazy: Bool = false) -> JSONValue {
        if includingLazy { changedCursors.append(contentsOf: state.cursors.keys.filter { state.cursors[$0] != saved.cursors[$0] }) }
        var members: OrderedDictionary<String, JSONValue> = [:]
        var bindings: OrderedDictionary<String, JSONValue> = [:]
        for key in changedBindings {
            guard let new = state.bindings[key] else { continue }
            if let change = JSONValue.patch(from: saved.bindings[key]?.json ?? .object([:]), to: new.json) { bindings[key] = change }
            saved.bindings[key] = new
        }
        var cursors: OrderedDictionary<String, JSONValue> = [:]
        for key in changedCursors where state.cursors[key] != saved.cursors[key] {
            cursors[key] = state.cursors[key].map { .integer($0) } ?? .null
            saved.cursors[key] = state.cursors[key]
        }
        changedBindings.removeAll()
        changedCursors.removeAll()
        if !bindings.isEmpty { members["bindingStateV1"] = .object(bindings) }
        if !cursors.isEmpty { members["cursor"] = .object(cursors) }
        return .object(members)
    }
}
