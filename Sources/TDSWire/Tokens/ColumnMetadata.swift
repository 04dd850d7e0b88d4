public import NIOCore

/// One column of a COLMETADATA token (MS-TDS 2.2.7.4).
///
/// ```
/// +------+-------+ then per column:
/// | 0x81 | Count | +----------+-------+-----------+-------------------------------+---------+
/// | BYTE | USHORT| | UserType | Flags | TYPE_INFO | TableName (text, ntext, image)| ColName |
/// +------+-------+ | ULONG    | USHORT|           | BYTE parts, US_VARCHAR each   |B_VARCHAR|
///                  +----------+-------+-----------+-------------------------------+---------+
/// ```
/// With column encryption a CekTable stands before the columns, and a CryptoMetaData before the ColName of an encrypted one.
/// Before TDS 7.2 UserType is a USHORT and TableName a single US_VARCHAR.
public struct ColumnMetadata: Hashable, Sendable {
    public var name: String
    public var typeInfo: TypeInfo
    public var flags: Flags
    /// The id of an alias type (`CREATE TYPE … FROM …`), or 0; 80 for timestamp/rowversion.
    public var userType: UInt32
    /// For text, ntext and image: the table that the column comes from, in one to four parts.
    public var tableName: [String]
    /// How the values are encrypted; nil if they aren't. ``typeInfo`` is that of the ciphertext.
    public var encryption: ColumnEncryption?

    public init(
        _ name: String, _ typeInfo: TypeInfo, flags: Flags = .nullable, userType: UInt32 = 0, tableName: [String] = [],
        encryption: ColumnEncryption? = nil
    ) {
        self.name = name
        self.typeInfo = typeInfo
        self.flags = flags
        self.userType = userType
        self.tableName = tableName
        self.encryption = encryption
    }

    /// The Flags field.
    public struct Flags: OptionSet, Hashable, Sendable {
        public var rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let nullable = Flags(rawValue: 0x0001)
        public static let caseSensitive = Flags(rawValue: 0x0002)
        /// usUpdateable, two bits: 0 read-only, 1 read/write, 2 unknown.
        public static let updatable = Flags(rawValue: 0x0004)
        public static let updatabilityUnknown = Flags(rawValue: 0x0008)
        public static let identity = Flags(rawValue: 0x0010)
        public static let computed = Flags(rawValue: 0x0020)
        public static let fixedLengthCLRType = Flags(rawValue: 0x0100)
        public static let sparseColumnSet = Flags(rawValue: 0x0400)
        public static let encrypted = Flags(rawValue: 0x0800)
        public static let hidden = Flags(rawValue: 0x2000)
        public static let key = Flags(rawValue: 0x4000)
        public static let nullableUnknown = Flags(rawValue: 0x8000)
    }
}

extension ByteBuffer {
    /// Reads one column of COLMETADATA. Throws ``WireError/Code/truncated`` when more bytes are needed.
    ///
    /// - Parameter keys: the CekTable, if column encryption was acknowledged.
    mutating func readColumnMetadata(version: TDSVersion, keys: [ColumnEncryptionKey]? = nil) throws(WireError) -> ColumnMetadata {
        let userType = version.isYukonOrLater ? try readLE("COLMETADATA UserType", as: UInt32.self) : UInt32(try readLE("COLMETADATA UserType", as: UInt16.self))
        let flags = ColumnMetadata.Flags(rawValue: try readLE("COLMETADATA Flags"))
        if flags.contains(.encrypted), keys == nil {
            throw WireError(.malformed, "COLMETADATA Flags", "an encrypted column, though column encryption was not negotiated")
        }
        let type = try readTypeInfo(.columnMetadata, version: version)
        var table: [String] = []
        switch type.dataType {
        case .text, .nText, .image:
            if version.isYukonOrLater {
                let parts = try readLE("COLMETADATA TableName", as: UInt8.self)
                for _ in 0..<parts { table.append(try readUSVarchar("COLMETADATA TableName")) }
            } else {
                table = [try readUSVarchar("COLMETADATA TableName")]
            }
        default: break
        }
        let encryption = flags.contains(.encrypted) ? try readColumnEncryption(keys: keys, version: version) : nil
        return ColumnMetadata(
            try readBVarchar("COLMETADATA ColName"), type, flags: flags, userType: userType, tableName: table, encryption: encryption)
    }

    /// Writes a whole COLMETADATA token. Throws ``WireError/Code/valueOutOfRange`` if something does not fit in its field.
    ///
    /// - Parameter columnEncryption: whether column encryption was acknowledged to this client; without it an encrypted column is refused
    ///   with ``WireError/Code/notRepresentable``.
    public mutating func writeColumnMetadata(
        _ columns: [ColumnMetadata], version: TDSVersion = .v7_4, columnEncryption: Bool = false
    ) throws(WireError) {
        writeLE(TokenType.columnMetadata.rawValue)
        guard let count = UInt16(exactly: columns.count), count != 0xFFFF else { throw WireError(.valueOutOfRange, "COLMETADATA Count") }
        writeLE(count)
        var keys: [ColumnEncryptionKey] = []
        if columnEncryption {
            for column in columns {
                if let key = column.encryption?.key, !keys.contains(key) { keys.append(key) }
            }
            try writeColumnEncryptionKeys(keys)
        }
        for column in columns { try writeColumn(column, version: version, keys: columnEncryption ? keys : nil) }
    }

    /// Writes one column of COLMETADATA or ALTMETADATA.
    mutating func writeColumn(_ column: ColumnMetadata, version: TDSVersion, keys: [ColumnEncryptionKey]? = nil) throws(WireError) {
        if version.isYukonOrLater {
            writeLE(column.userType)
        } else {
            writeLE(UInt16(truncatingIfNeeded: column.userType))
        }
        writeLE(column.encryption == nil ? column.flags.subtracting(.encrypted).rawValue : column.flags.union(.encrypted).rawValue)
        try writeTypeInfo(column.typeInfo, .columnMetadata, version: version)
        switch column.typeInfo.dataType {
        case .text, .nText, .image:
            if version.isYukonOrLater {
                guard let parts = UInt8(exactly: column.tableName.count) else { throw WireError(.valueOutOfRange, "COLMETADATA TableName") }
                writeLE(parts)
                for part in column.tableName { try writeUSVarchar(part, "COLMETADATA TableName") }
            } else {
                try writeUSVarchar(column.tableName.joined(separator: "."), "COLMETADATA TableName")
            }
        default: break
        }
        if let encryption = column.encryption {
            guard let key = encryption.key, let index = keys?.firstIndex(of: key) else {
                throw WireError(.notRepresentable, "CryptoMetaData", "an encrypted column without key, or to a client without column encryption")
            }
            try writeColumnEncryption(encryption, ordinal: UInt16(truncatingIfNeeded: index), version: version)
        }
        try writeBVarchar(column.name, "COLMETADATA ColName")
    }
}
