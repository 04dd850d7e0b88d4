/// The comma-separated `feature_flags`. Two of them do something here; the others belong to the existing connector's history, and
/// are only named in a log line.
public struct FeatureFlags: Hashable, Sendable {
    /// `initial_backfill_cursor=N`: the version from which tables of a new capture are followed.
    public var initialBackfillCursor: Int64?
    /// `force_reset_cursor=N`: every table's version at the start of the session.
    public var forceResetCursor: Int64?
    /// Flags that have no effect.
    public var ignored: [String] = []

    public init() {}

    /// Throws `ConfigurationError` for a cursor that is no version.
    public init(_ list: String, field: String) throws(ConfigurationError) {
        for part in list.split(separator: ",") {
            let flag = String(part).trimmed
            let sides = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0).trimmed }
            switch sides.first {
            case nil, "": continue
            case "initial_backfill_cursor": initialBackfillCursor = try Self.version(sides, field)
            case "force_reset_cursor": forceResetCursor = try Self.version(sides, field)
            default: ignored.append(flag)
            }
        }
    }

    private static func version(_ sides: [String], _ field: String) throws(ConfigurationError) -> Int64 {
        guard sides.count == 2, let version = Int64(sides[1]), version >= 0 else {
            throw ConfigurationError("'\(field)': \(sides.first ?? "") must be given a change tracking version, like \(sides.first ?? "")=123")
        }
        return version
    }
}
