/// A collation: its name, and what follows from the name: code page, what counts as equal, and the five bytes on the wire.
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
    public let order: Order
    public let ignoresCase: Bool
    public let ignoresAccents: Bool
    public let isUTF8: Bool
    public let codePage: UInt16
    /// Five bytes: LCID and flags (little-endian), sort id (MS-TDS 2.2.5.1.2).
    public let lcidAndFlags: UInt32
    public let sortID: UInt8

    public var wireBytes: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: lcidAndFlags >> UInt32($0 * 8)) } + [sortID]
    }

    public static func == (a: SQLCollation, b: SQLCollation) -> Bool { a.name == b.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// SQL_Latin1_General_CP1_CI_AS, what a server installed in the United States has.
    public static let `default` = SQLCollation(
        name: "SQL_Latin1_General_CP1_CI_AS", order: .sql, ignoresCase: true, ignoresAccents: false, isUTF8: false, codePage: 1252,
        lcidAndFlags: 0x00D0_0409, sortID: 52
    )

    private init(
        name: String, order: Order, ignoresCase: Bool, ignoresAccents: Bool, isUTF8: Bool, codePage: UInt16, lcidAndFlags: UInt32, sortID: UInt8
    ) {
        self.name = name
        self.order = order
        self.ignoresCase = ignoresCase
        self.ignoresAccents = ignoresAccents
        self.isUTF8 = isUTF8
        self.codePage = codePage
        self.lcidAndFlags = lcidAndFlags
        self.sortID = sortID
    }

    /// Locale part of Windows collation names: LCID and code page. The ones of one code page with plain ordering.
    private static let locales: [(prefix: String, lcid: UInt32, codePage: UInt16)] = [
        ("Latin1_General", 0x0409, 1252), ("Finnish_Swedish", 0x040B, 1252), ("French", 0x040C, 1252), ("German_PhoneBook", 0x10407, 1252),
        ("Modern_Spanish", 0x0C0A, 1252), ("Traditional_Spanish", 0x040A, 1252), ("Danish_Norwegian", 0x0406, 1252), ("Icelandic", 0x040F, 1252),
    ]

    /// A collation by name, in any case; nil if there is none or it isn't supported here.
    public init?(named given: String) {
        let lower = given.lowercased()
        if lower == "sql_latin1_general_cp1_ci_as" || lower == "database_default" || lower == "catalog_default" {
            self = .default
            return
        }
        var parts = lower.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
        let isSQL = parts.first == "sql"
        var caseInsensitive = true, accentInsensitive = false, binary = false, binary2 = false, utf8 = false, kana = true, width = true
        func has(_ flag: String) -> Bool { parts.contains(flag) }
        if has("cs") { caseInsensitive = false } else if !has("ci") && !has("bin") && !has("bin2") { return nil }
        if has("ai") { accentInsensitive = true }
        if has("bin") { binary = true }
        if has("bin2") { binary2 = true }
        if has("utf8") { utf8 = true }
        if has("ks") { kana = false }
        if has("ws") { width = false }
        if isSQL {
            let known: [String: UInt8] = [
                "sql_latin1_general_cp1_cs_as": 51, "sql_latin1_general_cp1_ci_as": 52, "sql_latin1_general_pref_cp1_ci_as": 53,
                "sql_latin1_general_cp1_ci_ai": 54,
            ]
            guard let sortID = known[lower] else { return nil }
            var flags: UInt32 = 0x00C0_0000
            if caseInsensitive { flags |= 0x0010_0000 }
            if accentInsensitive { flags |= 0x0020_0000 }
            self.init(
                name: "SQL_Latin1_General_" + (sortID == 53 ? "Pref_" : "") + "CP1_" + (caseInsensitive ? "CI" : "CS") + (accentInsensitive ? "_AI" : "_AS"),
                order: .sql, ignoresCase: caseInsensitive, ignoresAccents: accentInsensitive, isUTF8: false, codePage: 1252,
                lcidAndFlags: 0x0409 | flags, sortID: sortID
            )
            return
        }
        guard let locale = SQLCollation.locales.first(where: { lower.hasPrefix($0.prefix.lowercased() + "_") }) else { return nil }
        parts.removeFirst(locale.prefix.split(separator: "_").count)
        var version: UInt32 = 0
        if let first = parts.first, ["90", "100", "140", "160"].contains(first) {
            version = first == "90" ? 1 : 2
            parts.removeFirst()
        }
        let allowed: Set<String> = ["ci", "cs", "as", "ai", "ks", "ws", "bin", "bin2", "sc", "vss", "utf8"]
        guard parts.allSatisfy({ allowed.contains($0) }) else { return nil }
        if binary || binary2 { caseInsensitive = false }
        var flags: UInt32 = 0
        if binary { flags = 0x0100_0000 } else if binary2 { flags = 0x0200_0000 } else {
            if caseInsensitive { flags |= 0x0010_0000 }
            if accentInsensitive { flags |= 0x0020_0000 }
            if kana { flags |= 0x0040_0000 }
            if width { flags |= 0x0080_0000 }
        }
        if utf8 { flags |= 0x0400_0000 }
        let tail = parts.map { $0.uppercased() }.joined(separator: "_")
        let middle = lower.dropFirst(locale.prefix.utf8.count + 1).split(separator: "_").first.map(String.init) ?? ""
        let versionText = ["90", "100", "140", "160"].contains(middle) ? middle + "_" : ""
        self.init(
            name: locale.prefix + "_" + versionText + tail, order: binary || binary2 ? .binary : .windows, ignoresCase: caseInsensitive,
            ignoresAccents: accentInsensitive, isUTF8: utf8, codePage: utf8 ? 65001 : locale.codePage,
            lcidAndFlags: locale.lcid | flags | version << 28, sortID: 0
        )
    }
}
