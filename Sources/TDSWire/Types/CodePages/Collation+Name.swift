extension Collation {
    /// The collation of a name as sys.fn_helpcollations lists them, in any case: `SQL_Latin1_General_CP1_CI_AS`, `Japanese_XJIS_140_CI_AS_UTF8`.
    ///
    /// nil for a name that SQL Server doesn't have. `_SC` and `_VSS` (supplementary characters, variation selectors) are accepted; the
    /// wire has no place for them.
    public init?(named name: String) {
        let lower = name.lowercased()
        if let sql = Self.sqlCollations.first(where: { $0.name.lowercased() == lower }) {
            self = sql.collation
            return
        }
        var parts = lower.split(separator: "_", omittingEmptySubsequences: false)[...]
        var suffix: [Substring] = []
        while let last = parts.last, Self.suffixes.contains(String(last)) {
            suffix.insert(last, at: 0)
            parts = parts.dropLast()
        }
        let family = parts.joined(separator: "_")
        guard let found = WindowsCollationFamily.all.first(where: { $0.name.lowercased() == family }) else { return nil }
        guard let flags = Self.flags(suffix, version: found.version) else { return nil }
        self.init(info: found.lcid | flags | UInt32(found.version) << 28, sortID: 0)
    }

    /// The name, where there is one. Of collations that differ only in what the wire doesn't say the name without `_SC` and `_VSS` is given.
    public var name: String? {
        if sortID != 0 { return Self.sqlCollations.first { $0.collation.sortID == sortID }?.name }
        guard let family = WindowsCollationFamily.all.first(where: { $0.lcid == lcid && $0.version == version }) else { return nil }
        var name = family.name
        if isBinary {
            name += "_BIN"
        } else if isBinary2 {
            name += "_BIN2"
        } else {
            name += ignoresCase ? "_CI" : "_CS"
            name += ignoresAccent ? "_AI" : "_AS"
            if !ignoresKana { name += "_KS" }
            if !ignoresWidth { name += "_WS" }
            // Before version 140 only collations with supplementary characters have UTF-8.
            if isUTF8, version < 3 { name += "_SC" }
        }
        if isUTF8 { name += "_UTF8" }
        return name
    }

    private static let suffixes: Set<String> = ["bin", "bin2", "ci", "cs", "ai", "as", "ks", "ws", "sc", "vss", "utf8"]

    /// The comparison flags of a Windows collation's suffixes; nil if they aren't in order.
    private static func flags(_ suffixes: [Substring], version: UInt8) -> UInt32? {
        var rest = suffixes[...]
        func take(_ suffix: String) -> Bool {
            guard let first = rest.first, first == suffix else { return false }
            rest = rest.dropFirst()
            return true
        }
        var flags: UInt32 = 0
        var supplementary = version >= 3
        if take("bin") {
            flags = 0x0100_0000
        } else if take("bin2") {
            flags = 0x0200_0000
            supplementary = true
        } else {
            if take("ci") { flags |= 0x0010_0000 } else if !take("cs") { return nil }
            if take("ai") { flags |= 0x0020_0000 } else if !take("as") { return nil }
            if !take("ks") { flags |= 0x0040_0000 }
            if !take("ws") { flags |= 0x0080_0000 }
            if take("sc") {
                guard version == 1 || version == 2 else { return nil }
                supplementary = true
            }
            if take("vss"), version < 3 { return nil }
        }
        if take("utf8") {
            guard supplementary, version > 0 else { return nil }
            flags |= 0x0400_0000
        }
        return rest.isEmpty ? flags : nil
    }

    struct SQLCollation: Sendable {
        var name: String
        var collation: Collation

        init(_ sortID: UInt8, _ name: String, _ lcid: UInt32 = 0x0409) {
            self.name = name
            var info = lcid
            if name.hasSuffix("_BIN") {
                info |= 0x0100_0000
            } else if name.hasSuffix("_BIN2") {
                info |= 0x0200_0000
            } else {
                info |= 0x00C0_0000
                if name.contains("_CI_") { info |= 0x0010_0000 }
                if name.hasSuffix("_AI") { info |= 0x0020_0000 }
            }
            collation = Collation(info: info, sortID: sortID)
        }
    }

    /// The collations that go on using the sort orders of SQL Server 7.0, by sort id. Text of theirs that isn't Unicode compares by its own
    /// table; what decides about its code page is the sort id.
    static let sqlCollations: [SQLCollation] = [
        SQLCollation(30, "SQL_Latin1_General_CP437_BIN"), SQLCollation(31, "SQL_Latin1_General_CP437_CS_AS"),
        SQLCollation(32, "SQL_Latin1_General_CP437_CI_AS"), SQLCollation(33, "SQL_Latin1_General_Pref_CP437_CI_AS"),
        SQLCollation(34, "SQL_Latin1_General_CP437_CI_AI"), SQLCollation(35, "SQL_Latin1_General_CP437_BIN2"),
        SQLCollation(40, "SQL_Latin1_General_CP850_BIN"), SQLCollation(41, "SQL_Latin1_General_CP850_CS_AS"),
        SQLCollation(42, "SQL_Latin1_General_CP850_CI_AS"), SQLCollation(43, "SQL_Latin1_General_Pref_CP850_CI_AS"),
        SQLCollation(44, "SQL_Latin1_General_CP850_CI_AI"), SQLCollation(45, "SQL_Latin1_General_CP850_BIN2"),
        SQLCollation(49, "SQL_1xCompat_CP850_CI_AS"), SQLCollation(51, "SQL_Latin1_General_CP1_CS_AS"),
        SQLCollation(52, "SQL_Latin1_General_CP1_CI_AS"), SQLCollation(53, "SQL_Latin1_General_Pref_CP1_CI_AS"),
        SQLCollation(54, "SQL_Latin1_General_CP1_CI_AI"), SQLCollation(55, "SQL_AltDiction_CP850_CS_AS"),
        SQLCollation(56, "SQL_AltDiction_Pref_CP850_CI_AS"), SQLCollation(57, "SQL_AltDiction_CP850_CI_AI"),
        SQLCollation(58, "SQL_Scandinavian_Pref_CP850_CI_AS"), SQLCollation(59, "SQL_Scandinavian_CP850_CS_AS"),
        SQLCollation(60, "SQL_Scandinavian_CP850_CI_AS"), SQLCollation(61, "SQL_AltDiction_CP850_CI_AS"),
        SQLCollation(81, "SQL_Latin1_General_CP1250_CS_AS"), SQLCollation(82, "SQL_Latin1_General_CP1250_CI_AS"),
        SQLCollation(83, "SQL_Czech_CP1250_CS_AS", 0x0405), SQLCollation(84, "SQL_Czech_CP1250_CI_AS", 0x0405),
        SQLCollation(85, "SQL_Hungarian_CP1250_CS_AS", 0x040E), SQLCollation(86, "SQL_Hungarian_CP1250_CI_AS", 0x040E),
        SQLCollation(87, "SQL_Polish_CP1250_CS_AS", 0x0415), SQLCollation(88, "SQL_Polish_CP1250_CI_AS", 0x0415),
        SQLCollation(89, "SQL_Romanian_CP1250_CS_AS", 0x0418), SQLCollation(90, "SQL_Romanian_CP1250_CI_AS", 0x0418),
        SQLCollation(91, "SQL_Croatian_CP1250_CS_AS", 0x041A), SQLCollation(92, "SQL_Croatian_CP1250_CI_AS", 0x041A),
        SQLCollation(93, "SQL_Slovak_CP1250_CS_AS", 0x041B), SQLCollation(94, "SQL_Slovak_CP1250_CI_AS", 0x041B),
        SQLCollation(95, "SQL_Slovenian_CP1250_CS_AS", 0x0424), SQLCollation(96, "SQL_Slovenian_CP1250_CI_AS", 0x0424),
        SQLCollation(105, "SQL_Latin1_General_CP1251_CS_AS", 0x0419), SQLCollation(106, "SQL_Latin1_General_CP1251_CI_AS", 0x0419),
        SQLCollation(107, "SQL_Ukrainian_CP1251_CS_AS", 0x0422), SQLCollation(108, "SQL_Ukrainian_CP1251_CI_AS", 0x0422),
        SQLCollation(113, "SQL_Latin1_General_CP1253_CS_AS", 0x0408), SQLCollation(114, "SQL_Latin1_General_CP1253_CI_AS", 0x0408),
        SQLCollation(120, "SQL_MixDiction_CP1253_CS_AS", 0x0408), SQLCollation(121, "SQL_AltDiction_CP1253_CS_AS", 0x0408),
        SQLCollation(122, "SQL_AltDiction2_CP1253_CS_AS", 0x0408), SQLCollation(124, "SQL_Latin1_General_CP1253_CI_AI", 0x0408),
        SQLCollation(129, "SQL_Latin1_General_CP1254_CS_AS", 0x041F), SQLCollation(130, "SQL_Latin1_General_CP1254_CI_AS", 0x041F),
        SQLCollation(137, "SQL_Latin1_General_CP1255_CS_AS", 0x040D), SQLCollation(138, "SQL_Latin1_General_CP1255_CI_AS", 0x040D),
        SQLCollation(145, "SQL_Latin1_General_CP1256_CS_AS", 0x0401), SQLCollation(146, "SQL_Latin1_General_CP1256_CI_AS", 0x0401),
        SQLCollation(153, "SQL_Latin1_General_CP1257_CS_AS", 0x0425), SQLCollation(154, "SQL_Latin1_General_CP1257_CI_AS", 0x0425),
        SQLCollation(155, "SQL_Estonian_CP1257_CS_AS", 0x0425), SQLCollation(156, "SQL_Estonian_CP1257_CI_AS", 0x0425),
        SQLCollation(157, "SQL_Latvian_CP1257_CS_AS", 0x0426), SQLCollation(158, "SQL_Latvian_CP1257_CI_AS", 0x0426),
        SQLCollation(159, "SQL_Lithuanian_CP1257_CS_AS", 0x0427), SQLCollation(160, "SQL_Lithuanian_CP1257_CI_AS", 0x0427),
        SQLCollation(183, "SQL_Danish_Pref_CP1_CI_AS", 0x0406), SQLCollation(184, "SQL_SwedishPhone_Pref_CP1_CI_AS", 0x041D),
        SQLCollation(185, "SQL_SwedishStd_Pref_CP1_CI_AS", 0x041D), SQLCollation(186, "SQL_Icelandic_Pref_CP1_CI_AS", 0x040F),
        SQLCollation(210, "SQL_EBCDIC037_CP1_CS_AS"), SQLCollation(211, "SQL_EBCDIC273_CP1_CS_AS"), SQLCollation(212, "SQL_EBCDIC277_CP1_CS_AS"),
        SQLCollation(213, "SQL_EBCDIC278_CP1_CS_AS"), SQLCollation(214, "SQL_EBCDIC280_CP1_CS_AS"), SQLCollation(215, "SQL_EBCDIC284_CP1_CS_AS"),
        SQLCollation(216, "SQL_EBCDIC285_CP1_CS_AS"), SQLCollation(217, "SQL_EBCDIC297_CP1_CS_AS"),
    ]
}
