public import NIOCore

/// LOGINACK (MS-TDS 2.2.7.14): the login succeeded.
///
/// ```
/// +------+--------+-----------+------------+-----------+-------+-------+--------+--------+
/// | 0xAD | Length | Interface | TDSVersion | ProgName  | Major | Minor | BuildHi| BuildLo|
/// | BYTE | USHORT | BYTE      | DWORD, BE! | B_VARCHAR | BYTE  | BYTE  | BYTE   | BYTE   |
/// +------+--------+-----------+------------+-----------+-------+-------+--------+--------+
/// ```
public struct LoginAck: Hashable, Sendable {
    /// 1 is SQL_TSQL.
    public var interface: UInt8
    /// The version that the server chose.
    public var version: TDSVersion
    public var programName: String
    /// The server's version, for example 16.0.4135: major, minor, build.
    public var serverVersion: ServerVersion

    public init(interface: UInt8 = 1, version: TDSVersion, programName: String = "Microsoft SQL Server", serverVersion: ServerVersion) {
        self.interface = interface
        self.version = version
        self.programName = programName
        self.serverVersion = serverVersion
    }
}

/// A SQL Server's version: 10.0 is 2008, 10.50 2008 R2, 11 2012, 12 2014 and Azure SQL, 13 2016, 14 2017, 15 2019, 16 2022, 17 2025.
public struct ServerVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var major: UInt8
    public var minor: UInt8
    public var build: UInt16

    public init(major: UInt8, minor: UInt8, build: UInt16) {
        self.major = major
        self.minor = minor
        self.build = build
    }

    public static func < (a: ServerVersion, b: ServerVersion) -> Bool {
        (a.major, a.minor, a.build) < (b.major, b.minor, b.build)
    }

    public var description: String { "\(major).\(minor).\(build)" }
}

extension ByteBuffer {
    /// Reads a LOGINACK's body, after token byte and length.
    mutating func readLoginAck() throws(WireError) -> LoginAck {
        let interface: UInt8 = try readLE("LOGINACK Interface")
        // The one big-endian version field: SQL Server 2005 and later send 72 09 00 02 for what a client writes as 02 00 09 72.
        let raw = try readBE("LOGINACK TDSVersion", as: UInt32.self)
        let name = try readBVarchar("LOGINACK ProgName")
        let major: UInt8 = try readLE("LOGINACK version")
        let minor: UInt8 = try readLE("LOGINACK version")
        let build: UInt16 = try readBE("LOGINACK version")
        return LoginAck(
            interface: interface, version: TDSVersion(loginAck: raw), programName: name,
            serverVersion: ServerVersion(major: major, minor: minor, build: build))
    }

    /// Writes a LOGINACK token.
    public mutating func writeLoginAck(_ ack: LoginAck) throws(WireError) {
        writeLE(TokenType.loginAck.rawValue)
        try writeLengthPrefixed(as: UInt16.self, "LOGINACK Length") { buffer throws(WireError) in
            buffer.writeLE(ack.interface)
            buffer.writeBE(ack.version.loginAckValue)
            try buffer.writeBVarchar(ack.programName, "LOGINACK ProgName")
            buffer.writeLE(ack.serverVersion.major)
            buffer.writeLE(ack.serverVersion.minor)
            buffer.writeBE(ack.serverVersion.build)
        }
    }
}

extension TDSVersion {
    /// The version that LOGINACK's field says: 7.0 appears as 07 00 00 00 and 7.1 as 07 01 00 00 or 71 00 00 01.
    init(loginAck raw: UInt32) {
        switch raw {
        case 0x0700_0000: self = .v7_0
        case 0x0701_0000: self = .v7_1
        default: self.init(rawValue: raw)
        }
    }

    var loginAckValue: UInt32 {
        switch self {
        case .v7_0: 0x0700_0000
        case .v7_1: 0x0701_0000
        default: rawValue
        }
    }
}
