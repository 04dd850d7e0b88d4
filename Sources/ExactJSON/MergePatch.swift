// RFC 7396, JSON Merge Patch: how the Flow runtime folds a checkpoint into the capture's state.

import OrderedCollections

extension JSONValue {
    /// This value after `patch`: members of objects are merged, `null` removes a member, anything else replaces.
    public func merging(_ patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members = object ?? [:]
        for (key, change) in changes {
            if change.isNull {
                members.removeValue(forKey: key)
            } else {
                members[key] = (members[key] ?? .null).merging(change)
            }
        }
        return .object(members)
    }

    /// The smallest patch that turns `old` into `new`, or `nil` if they are equal. Values of `new` must not hold `null` members, which
    /// no merge patch can make.
    public static func patch(from old: JSONValue, to new: JSONValue) -> JSONValue? {
        guard old != new else { return nil }
        guard case .object(let before) = old, case .object(let after) = new else { return new }
        var changes = OrderedDictionary<String, JSONValue>()
        for (key, value) in after {
            guard let previous = before[key] else { changes[key] = value; continue }
            if let change = patch(from: previous, to: value) { changes[key] = change }
        }
        for key in before.keys where after[key] == nil { changes[key] = .null }
        // Objects that differ only in the order of their members are the same to a merge patch.
        return changes.isEmpty ? nil : .object(changes)
    }
}
