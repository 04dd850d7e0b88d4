public import TDSWire

/// A collation by its name, which says more than the five bytes on the wire (`_SC`, `_VSS`), and what the engine asks of it often.
public struct SQLCollation: Sendable, Hashable {
    /// How strings are ordered.
    public enum Order: UInt8, Sendable {
        /// A SQL Server sort order (`SQL_...`): varchar by its own weight table, nvarchar by the Windows one.
        case sql
        /// Windows linguistic order.
        case windows
        /// `_BIN` and `_BIN2`: code points (code page bytes for varchar).
        case binary
    }

    public let name: String
    /// Code page, locale and comparison flags, as they are on the wire.
    public let wire: Collation
    public let order: Order
    /// The code page of char, varchar and text; 1252 for a collation that has none.
    public let codePage: CodePage

    public var ignoresCase: Bool { wire.ignoresCase }
    public var ignoresAccents: Bool { wire.ignoresAccent }
    /// Whether the locale's scripts are in no code page: such a collation is for Unicode columns only.
    public var isUnicodeOnly: Bool { wire.codePage == nil }

    /// COLLATIONPROPERTY's COMPARISONSTYLE: Windows' NORM_IGNORE flags; 0 for binary collations.
    var comparisonStyle: Int64 {
        (wire.ignoresCase ? 1 : 0) + (wire.ignoresAccent ? 2 : 0) + (wire.ignoresKana ? 0x1_0000 : 0) + (wire.ignoresWidth ? 0x2_0000 : 0)
    }

    /// COLLATIONPROPERTY's SQLCHARSETNAME.
    var characterSetName: String {
        switch codePage {
        case .utf8: "utf8"
        case .cp1252: "iso_1"
        default: "cp\(codePage.rawValue)"
        }
    }

    public static func == (a: SQLCollation, b: SQLCollation) -> Bool { a.name == b.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// SQL_Latin1_General_CP1_CI_AS, what a server installed in the United States has.
    public static let `default` = SQLCollation(name: "SQL_Latin1_General_CP1_CI_AS", wire: .sqlLatin1GeneralCP1CIAS)

    private init(name: String, wire: Collation) {
        self.name = name
        self.wire = wire
        order = wire.isBinary || wire.isBinary2 ? .binary : wire.sortID != 0 ? .sql : .windows
        codePage = CodePage(for: wire)
    }

    /// A collation by name, in any case; nil if there is none.
    public init?(named given: String) {
        let lower = given.lowercased()
        if lower == "sql_latin1_general_cp1_ci_as" || lower == "database_default" || lower == "catalog_default" {
            self = .default
            return
        }
        guard let wire = Collation(named: given), let canonical = wire.name else { return nil }
        // The wire's name lacks some suffixes, but it has the case that SQL Server writes.
        let family = zip(lower.utf8, canonical.lowercased().utf8).prefix { $0 == $1 }.count
        self.init(name: String(canonical.prefix(family)) + given.dropFirst(family).uppercased(), wire: wire)
    }

    /// A parameter's collation; the default where there is none or it is unknown.
    init(wire: Collation?) {
        if let wire, wire != SQLCollation.default.wire, let name = wire.name {
            self.init(name: name, wire: wire)
        } else {
            self = .default
        }
    }
}
