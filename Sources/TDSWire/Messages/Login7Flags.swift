// The four bytes of flags of LOGIN7 (MS-TDS 2.2.6.4).

/// OptionFlags1.
public struct LoginOptions1: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// fByteOrder: big-endian numbers. Never seen.
    public static let bigEndian = LoginOptions1(rawValue: 0x01)
    /// fChar: EBCDIC.
    public static let ebcdic = LoginOptions1(rawValue: 0x02)
    /// fFloat, two bits: 0 IEEE 754, 1 VAX, 2 ND5000.
    public static let floatVAX = LoginOptions1(rawValue: 0x04)
    public static let floatND5000 = LoginOptions1(rawValue: 0x08)
    /// fDumpLoad: BCP's dump/load is switched off.
    public static let dumpLoadOff = LoginOptions1(rawValue: 0x10)
    /// fUseDB: report USE by ENVCHANGE and INFO 5701.
    public static let useDB = LoginOptions1(rawValue: 0x20)
    /// fDatabase: fail if the initial database cannot be opened.
    public static let initialDatabaseFatal = LoginOptions1(rawValue: 0x40)
    /// fSetLang: report SET LANGUAGE by INFO 5703.
    public static let setLanguage = LoginOptions1(rawValue: 0x80)
}

/// OptionFlags2.
public struct LoginOptions2: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// fLanguage: fail if the initial language cannot be set.
    public static let initialLanguageFatal = LoginOptions2(rawValue: 0x01)
    /// fODBC: set ANSI_DEFAULTS and the like as for ODBC.
    public static let odbc = LoginOptions2(rawValue: 0x02)
    public static let transactionBoundary = LoginOptions2(rawValue: 0x04)
    public static let cacheConnect = LoginOptions2(rawValue: 0x08)
    /// fUserType, three bits: 0 normal, 1 server, 2 distributed query login, 3 replication login.
    public static let userTypeServer = LoginOptions2(rawValue: 0x10)
    public static let userTypeRemote = LoginOptions2(rawValue: 0x20)
    /// fIntSecurity: integrated security; the SSPI field holds its first bytes.
    public static let integratedSecurity = LoginOptions2(rawValue: 0x80)
}

/// TypeFlags.
public struct LoginTypeFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// fSQLType, four bits: 0 default, 1 T-SQL.
    public static let tsql = LoginTypeFlags(rawValue: 0x01)
    /// fOLEDB.
    public static let oleDB = LoginTypeFlags(rawValue: 0x10)
    /// fReadOnlyIntent: ApplicationIntent=ReadOnly.
    public static let readOnlyIntent = LoginTypeFlags(rawValue: 0x20)
}

/// OptionFlags3.
public struct LoginOptions3: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// fChangePassword: ``Login7/newPassword`` is set.
    public static let changePassword = LoginOptions3(rawValue: 0x01)
    /// fSendYukonBinaryXML: the client understands binary XML.
    public static let binaryXML = LoginOptions3(rawValue: 0x02)
    /// fUserInstance: the client asks for a user instance.
    public static let userInstance = LoginOptions3(rawValue: 0x04)
    /// fUnknownCollationHandling: the client copes with collations newer than itself.
    public static let unknownCollationHandling = LoginOptions3(rawValue: 0x08)
    /// fExtension: ``Login7/features`` are there.
    public static let `extension` = LoginOptions3(rawValue: 0x10)
}
