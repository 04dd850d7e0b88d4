/// A Windows collation's name without its comparison flags, and the locale it stands for (Microsoft, Windows collation name).
struct WindowsCollationFamily: Sendable {
    /// With the version: `Latin1_General`, `Latin1_General_100`.
    var name: String
    var lcid: UInt32
    /// 0 = 80, 1 = 90, 2 = 100, 3 = 140.
    var version: UInt8

    /// - Parameter versions: of which tables there are.
    private static func family(_ name: String, _ lcid: UInt32, _ versions: UInt8...) -> [WindowsCollationFamily] {
        versions.map { version in
            let suffix = version == 0 ? "" : version == 1 ? "_90" : version == 2 ? "_100" : "_140"
            return WindowsCollationFamily(name: name + suffix, lcid: lcid, version: version)
        }
    }

    static let all: [WindowsCollationFamily] = european + others

    private static let european: [WindowsCollationFamily] = [
        family("Latin1_General", 0x0409, 0, 2), family("Albanian", 0x041C, 0, 2), family("Bosnian_Cyrillic", 0x201A, 2),
        family("Bosnian_Latin", 0x141A, 2), family("Breton", 0x047E, 2), family("Corsican", 0x0483, 2), family("Croatian", 0x041A, 0, 2),
        family("Cyrillic_General", 0x0419, 0, 2), family("Czech", 0x0405, 0, 2), family("Danish_Norwegian", 0x0406, 0),
        family("Danish_Greenlandic", 0x0406, 2), family("Estonian", 0x0425, 0, 2), family("Finnish_Swedish", 0x040B, 0, 2),
        family("French", 0x040C, 0, 2), family("Frisian", 0x0462, 2), family("German_PhoneBook", 0x1_0407, 0, 2), family("Greek", 0x0408, 0, 2),
        family("Hungarian", 0x040E, 0, 2), family("Hungarian_Technical", 0x1_040E, 0, 2), family("Icelandic", 0x040F, 0, 2),
        family("Latvian", 0x0426, 0, 2), family("Lithuanian", 0x0427, 0, 2), family("Lithuanian_Classic", 0x0827, 0),
        family("Macedonian_FYROM", 0x042F, 1, 2), family("Maltese", 0x043A, 2), family("Modern_Spanish", 0x0C0A, 0, 2),
        family("Norwegian", 0x0414, 2), family("Polish", 0x0415, 0, 2), family("Romanian", 0x0418, 0, 2), family("Romansh", 0x0417, 2),
        family("Sami_Norway", 0x043B, 2), family("Sami_Sweden_Finland", 0x083B, 2), family("Serbian_Cyrillic", 0x0C1A, 2),
        family("Serbian_Latin", 0x081A, 2), family("Slovak", 0x041B, 0, 2), family("Slovenian", 0x0424, 0, 2),
        family("Traditional_Spanish", 0x040A, 0, 2), family("Turkish", 0x041F, 0, 2), family("Ukrainian", 0x0422, 0, 2),
        family("Upper_Sorbian", 0x042E, 2), family("Welsh", 0x0452, 2),
    ].flatMap { $0 }

    private static let others: [WindowsCollationFamily] = [
        family("Arabic", 0x0401, 0, 2), family("Assamese", 0x044D, 2), family("Azeri_Cyrillic", 0x082C, 1, 2), family("Azeri_Latin", 0x042C, 1, 2),
        family("Bashkir", 0x046D, 2), family("Bengali", 0x0445, 2), family("Chinese_Hong_Kong_Stroke", 0x0C04, 1),
        family("Chinese_PRC", 0x0804, 0, 1), family("Chinese_PRC_Stroke", 0x2_0804, 0, 1), family("Chinese_Simplified_Pinyin", 0x0804, 2),
        family("Chinese_Simplified_Stroke_Order", 0x2_0804, 2), family("Chinese_Taiwan_Bopomofo", 0x3_0404, 0, 1),
        family("Chinese_Taiwan_Stroke", 0x0404, 0, 1), family("Chinese_Traditional_Bopomofo", 0x3_0404, 2),
        family("Chinese_Traditional_Pinyin", 0x1404, 2), family("Chinese_Traditional_Stroke_Count", 0x0404, 2),
        family("Chinese_Traditional_Stroke_Order", 0x2_1404, 2), family("Dari", 0x048C, 2), family("Divehi", 0x0465, 1, 2),
        family("Georgian_Modern_Sort", 0x1_0437, 0, 2), family("Hebrew", 0x040D, 0, 2), family("Hindi", 0x0439, 0),
        family("Indic_General", 0x0439, 1, 2), family("Japanese", 0x0411, 0, 1), family("Japanese_Unicode", 0x1_0411, 0),
        family("Japanese_Bushu_Kakusu", 0x4_0411, 2, 3), family("Japanese_XJIS", 0x0411, 2, 3), family("Kazakh", 0x043F, 1, 2),
        family("Khmer", 0x0453, 2), family("Korean", 0x0412, 1, 2), family("Korean_Wansung", 0x0412, 0),
        family("Korean_Wansung_Unicode", 0x1_0412, 0), family("Lao", 0x0454, 2), family("Maori", 0x0481, 2), family("Mapudungan", 0x047A, 2),
        family("Mohawk", 0x047C, 2), family("Nepali", 0x0461, 2), family("Pashto", 0x0463, 2), family("Persian", 0x0429, 2),
        family("Syriac", 0x045A, 1, 2), family("Tamazight", 0x085F, 2), family("Tatar", 0x0444, 1, 2), family("Thai", 0x041E, 0, 2),
        family("Tibetan", 0x0451, 2), family("Turkmen", 0x0442, 2), family("Uighur", 0x0480, 2), family("Urdu", 0x0420, 2),
        family("Uzbek_Latin", 0x0443, 1, 2), family("Vietnamese", 0x042A, 0, 2), family("Yakut", 0x0485, 2),
    ].flatMap { $0 }
}
