import TDSWire
import Testing

/// LCIDs and code pages of Windows collations, as servers have them.
///
/// From microsoft/go-mssqldb's lcid test, a query that a server answers only if `COLLATIONPROPERTY(name, 'LCID')` and `'CodePage'` are these, and if
/// there are no others outside code page 1252. Danish_Greenlandic_100 is from SQL Server Reporting Services' table of collations (RdlCollations).
@Suite struct CollationLocaleTests {
    @Test(arguments: [
        ("Thai_100", 0x041E, 874), ("Japanese_XJIS_100", 0x0411, 932), ("Japanese_Unicode", 0x1_0411, 932), ("Japanese_Bushu_Kakusu_100", 0x4_0411, 932),
        ("Chinese_Simplified_Pinyin_100", 0x0804, 936), ("Chinese_Simplified_Stroke_Order_100", 0x2_0804, 936), ("Korean_100", 0x0412, 949),
        ("Chinese_Traditional_Stroke_Count_100", 0x0404, 950), ("Chinese_Traditional_Pinyin_100", 0x1404, 950), ("Chinese_Hong_Kong_Stroke_90", 0x0C04, 950),
        ("Chinese_Traditional_Bopomofo_100", 0x3_0404, 950), ("Chinese_Traditional_Stroke_Order_100", 0x2_1404, 950), ("Albanian_100", 0x041C, 1250),
        ("Croatian_100", 0x041A, 1250), ("Czech_100", 0x0405, 1250), ("Hungarian_100", 0x040E, 1250), ("Polish_100", 0x0415, 1250), ("Romanian_100", 0x0418, 1250),
        ("Slovak_100", 0x041B, 1250), ("Slovenian_100", 0x0424, 1250), ("Hungarian_Technical_100", 0x1_040E, 1250), ("Turkmen_100", 0x0442, 1250),
        ("Serbian_Latin_100", 0x081A, 1250), ("Bosnian_Latin_100", 0x141A, 1250), ("Macedonian_FYROM_100", 0x042F, 1251), ("Cyrillic_General_100", 0x0419, 1251),
        ("Serbian_Cyrillic_100", 0x0C1A, 1251), ("Ukrainian_100", 0x0422, 1251), ("Kazakh_100", 0x043F, 1251), ("Tatar_100", 0x0444, 1251),
        ("Azeri_Cyrillic_100", 0x082C, 1251), ("Bashkir_100", 0x046D, 1251), ("Yakut_100", 0x0485, 1251), ("Bosnian_Cyrillic_100", 0x201A, 1251),
        ("Greek_100", 0x0408, 1253), ("Turkish_100", 0x041F, 1254), ("Azeri_Latin_100", 0x042C, 1254), ("Uzbek_Latin_100", 0x0443, 1254), ("Hebrew_100", 0x040D, 1255),
        ("Arabic_100", 0x0401, 1256), ("Persian_100", 0x0429, 1256), ("Urdu_100", 0x0420, 1256), ("Uighur_100", 0x0480, 1256), ("Dari_100", 0x048C, 1256),
        ("Estonian_100", 0x0425, 1257), ("Latvian_100", 0x0426, 1257), ("Lithuanian_100", 0x0427, 1257), ("Vietnamese_100", 0x042A, 1258),
        ("Danish_Greenlandic_100", 0x0406, 1252),
    ] as [(String, UInt32, UInt16)])
    func windowsCollations(_ family: String, _ lcid: UInt32, _ codePage: UInt16) throws {
        let collation = try #require(Collation(named: family + "_BIN2"))
        #expect(collation.info & 0xF_FFFF == lcid)
        #expect(collation.codePage?.rawValue == codePage)
    }
}
