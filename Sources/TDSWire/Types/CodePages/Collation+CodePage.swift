extension Collation {
    /// The code page of char, varchar and text with this collation; nil for a locale that only Unicode can write, or an unknown one.
    ///
    /// A SQL collation's is that of its sort id, a Windows collation's that of its LCID, and the UTF-8 flag is above both
    /// (Microsoft, Collation and Unicode support; sys.fn_helpcollations and COLLATIONPROPERTY(…, 'CodePage')).
    public var codePage: CodePage? {
        if isUTF8 { return .utf8 }
        if sortID != 0, let page = Self.codePage(sortID: sortID) { return page }
        return Self.codePage(lcid: lcid)
    }

    /// The code page of a sort order of SQL Server 7.0 and before, which `SQL_` collations go on using.
    static func codePage(sortID: UInt8) -> CodePage? {
        switch sortID {
        case 30...35: .cp437
        case 40...45, 49, 55...61: .cp850
        case 50...54, 71...75, 183...186, 210...217: .cp1252
        case 80...98: .cp1250
        case 104...108: .cp1251
        case 112...114, 120...124: .cp1253
        case 128...130: .cp1254
        case 136...138: .cp1255
        case 144...146: .cp1256
        case 152...160: .cp1257
        case 192, 193, 200: .cp932
        case 194, 195, 201: .cp949
        case 196, 197, 202: .cp950
        case 198, 199, 203: .cp936
        case 204...206: .cp874
        default: nil
        }
    }

    /// The ANSI code page of a Windows locale. Languages in several scripts or countries differ by sublanguage, the others don't.
    static func codePage(lcid: UInt32) -> CodePage? {
        // The sort version (bits 16 to 19, phone book and the like) does not change the code page, but for Georgian, which then has one.
        if lcid == 0x1_0437 { return .cp1252 }
        switch lcid & 0xFFFF {
        case 0x0404, 0x0C04, 0x1404: return .cp950
        case 0x0804, 0x1004: return .cp936
        case 0x082C, 0x0843, 0x0C1A, 0x1C1A, 0x201A, 0x281A, 0x301A: return .cp1251
        case 0x042C, 0x0443: return .cp1254
        case 0x045D: return nil
        default: break
        }
        switch lcid & 0x3FF {
        case 0x01, 0x20, 0x29, 0x80, 0x8C: return .cp1256
        case 0x02, 0x19, 0x22, 0x23, 0x28, 0x2F, 0x3F, 0x40, 0x44, 0x50, 0x6D, 0x85: return .cp1251
        case 0x05, 0x0E, 0x15, 0x18, 0x1A, 0x1B, 0x1C, 0x24, 0x42: return .cp1250
        case 0x08: return .cp1253
        case 0x0D: return .cp1255
        case 0x11: return .cp932
        case 0x12: return .cp949
        case 0x1E: return .cp874
        case 0x1F: return .cp1254
        case 0x25, 0x26, 0x27: return .cp1257
        case 0x2A: return .cp1258
        case 0x03, 0x06, 0x07, 0x09, 0x0A, 0x0B, 0x0C, 0x0F, 0x10, 0x13, 0x14, 0x16, 0x17, 0x1D, 0x21, 0x2D, 0x2E, 0x32, 0x34, 0x35, 0x36,
            0x38, 0x3B, 0x3C, 0x3E, 0x41, 0x52, 0x56, 0x5D, 0x5F, 0x62, 0x64, 0x68, 0x6A, 0x6B, 0x6C, 0x6E, 0x6F, 0x70, 0x7A, 0x7C, 0x7E, 0x82,
            0x83, 0x84, 0x86, 0x87, 0x88, 0x91:
            return .cp1252
        default: return nil
        }
    }
}
