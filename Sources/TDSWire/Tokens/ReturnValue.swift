public import NIOCore

/// RETURNVALUE (MS-TDS 2.2.7.18): an output parameter of a procedure, or the result of a function.
///
/// ```
/// +------+--------------+-----------+--------+----------+--------+-----------+-------+
/// | 0xAC | ParamOrdinal | ParamName | Status | UserType | Flags  | TYPE_INFO | Value |
/// | BYTE | USHORT       | B_VARCHAR | BYTE   | ULONG    | USHORT |           |       |  (UserType USHORT before TDS 7.2)
/// +------+--------------+-----------+--------+----------+--------+-----------+-------+
/// ```
public struct ReturnValue: Hashable, Sendable {
    /// The parameter's position in the request, from 0.
    public var ordinal: UInt16
    /// With the leading `@`; empty if the request named none.
    public var name: String
    /// 1 for an output parameter, 2 for a user-defined function's result.
    public var status: UInt8
    public var userType: UInt32
    public var flags: ColumnMetadata.Flags
    public var typeInfo: TypeInfo
    /// How the value is encrypted; nil if it isn't. ``typeInfo`` is that of the ciphertext.
    public var encryption: ColumnEncryption?
    /// The value's content as in a row, without its length; nil is NULL.
    public var value: ByteBuffer?

    public init(
        ordinal: UInt16, name: String, status: UInt8 = 1, userType: UInt32 = 0, flags: ColumnMetadata.Flags = [], typeInfo: TypeInfo,
        encryption: ColumnEncryption? = nil, value: ByteBuffer?
    ) {
        self.ordinal = ordinal
        self.name = name
        self.status = status
        self.userType = userType
        self.flags = flags
        self.typeInfo = typeInfo
        self.encryption = encryption
        self.value = value
    }
}

extension ByteBuffer {
    /// Reads everything of a RETURNVALUE between token byte and value. Throws ``WireError/Code/truncated`` when more bytes are needed.
    mutating func readReturnValueHead(version: TDSVersion, columnEncryption: Bool = false) throws(WireError) -> ReturnValue {
        let ordinal: UInt16 = try readLE("RETURNVALUE ParamOrdinal")
        let name = try readBVarchar("RETURNVALUE ParamName")
        let status: UInt8 = try readLE("RETURNVALUE Status")
        let userType = version.isYukonOrLater ? try readLE("RETURNVALUE UserType") : UInt32(try readLE("RETURNVALUE UserType", as: UInt16.self))
        let flags = ColumnMetadata.Flags(rawValue: try readLE("RETURNVALUE Flags"))
        if flags.contains(.encrypted), !columnEncryption { throw WireError(.malformed, "RETURNVALUE Flags", "an encrypted value, though it was not negotiated") }
        let type = try readTypeInfo(.columnMetadata, version: version)
        let encryption = flags.contains(.encrypted) ? try readColumnEncryption(keys: nil, version: version) : nil
        return ReturnValue(
            ordinal: ordinal, name: name, status: status, userType: userType, flags: flags, typeInfo: type, encryption: encryption, value: nil)
    }

    /// Writes a RETURNVALUE token.
    public mutating func writeReturnValue(_ value: ReturnValue, version: TDSVersion = .v7_4) throws(WireError) {
        writeLE(TokenType.returnValue.rawValue)
        writeLE(value.ordinal)
        try writeBVarchar(value.name, "RETURNVALUE ParamName")
        writeLE(value.status)
        if version.isYukonOrLater {
            writeLE(value.userType)
        } else {
            writeLE(UInt16(truncatingIfNeeded: value.userType))
        }
        writeLE(value.encryption == nil ? value.flags.subtracting(.encrypted).rawValue : value.flags.union(.encrypted).rawValue)
        try writeTypeInfo(value.typeInfo, .columnMetadata, version: version)
        if let encryption = value.encryption { try writeColumnEncryption(encryption, ordinal: nil, version: version) }
        try writeWireValue(value.value, value.typeInfo)
    }

    /// Writes a value as it stands in a row, with the length prefix of its type (TYPE_VARBYTE, MS-TDS 2.2.5.2.3).
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` if the content is longer than the type allows, or NULL where it allows none.
    public mutating func writeWireValue(_ content: ByteBuffer?, _ type: TypeInfo) throws(WireError) {
        let length = content?.readableBytes ?? 0
        func check(_ maximum: Int) throws(WireError) {
            if length > maximum { throw WireError(.valueOutOfRange, "value", "\(length) bytes in a \(type.dataType) of \(maximum)") }
        }
        switch type.layout {
        case .fixed(let size):
            guard length == size, content != nil || size == 0 else { throw WireError(.valueOutOfRange, "value", "\(type.dataType) needs \(size) bytes") }
        case .byteLength(let maximum):
            try check(maximum)
            writeLE(UInt8(truncatingIfNeeded: length))
        case .shortLength(let maximum):
            try check(min(maximum, 0xFFFE))
            writeLE(content == nil ? 0xFFFF : UInt16(truncatingIfNeeded: length))
        case .longLength(let maximum):
            try check(maximum)
            writeLE(UInt32(truncatingIfNeeded: length))
        case .textPointer:
            guard content != nil else { return writeLE(UInt8(0)) }
            try check(0x7FFF_FFFF)
            // A server's text pointer and timestamp mean nothing to a reader; 16 and 8 bytes as SQL Server sends them to one without UPDATETEXT.
            writeLE(UInt8(16))
            writeRepeatingByte(0x64, count: 16)
            writeRepeatingByte(0x64, count: 8)
            writeLE(UInt32(truncatingIfNeeded: length))
        case .plp:
            guard content != nil else { return writeLE(UInt64.max) }
            try check(0x7FFF_FFFF)
            writeLE(UInt64(length))
            if length > 0 { writeLE(UInt32(truncatingIfNeeded: length)) }
        }
        if let content { writeImmutableBuffer(content) }
        if case .plp = type.layout { writeLE(UInt32(0)) }
    }
}
