public import NIOCore

/// RPCRequest (MS-TDS 2.2.6.6), packets of type 0x03: calls of procedures.
///
/// ```
/// ALL_HEADERS (from 7.2), then per call, separated by 0xFF (0x80 before 7.2), or by 0xFE after a call that is not to be executed:
/// +---------------------------------------+-------------+-----------------+
/// | USHORT length and name in UTF-16,     | OptionFlags | parameters      |   up to the separator or the end of the message
/// | or 0xFFFF and USHORT ProcID           | USHORT      |                 |
/// +---------------------------------------+-------------+-----------------+
/// parameter:
/// +-----------+-------------+----------------------------+-------+-------------------------+
/// | name      | StatusFlags | TYPE_INFO or TVP_TYPE_INFO | value | ParamCipherInfo, if     |
/// | B_VARCHAR | BYTE        |                            |       | fEncrypted is set       |
/// +-----------+-------------+----------------------------+-------+-------------------------+
/// ```
/// Values stand as in a row, but those of text, ntext and image, which have a LONG length only (-1 is NULL).
/// For values too large to be held, ``RPCRequestEncoder`` and ``RPCRequestDecoder`` work chunk by chunk.
public struct RPCRequestMessage: Hashable, Sendable {
    /// nil before TDS 7.2.
    public var headers: AllHeaders?
    public var requests: [RPCRequest]

    public init(_ requests: [RPCRequest], headers: AllHeaders? = AllHeaders()) {
        self.requests = requests
        self.headers = headers
    }
}

/// One call of an ``RPCRequestMessage``.
public struct RPCRequest: Hashable, Sendable {
    public var procedure: RPCProcedure
    public var options: Options
    /// With column encryption from version 2 on: what the server's enclave needs.
    public var enclavePackage: ByteBuffer?
    public var parameters: [RPCParameter]
    /// False if the call is followed by NoExecFlag: the server answers it with an error.
    public var isExecuted: Bool

    public init(
        _ procedure: RPCProcedure, parameters: [RPCParameter] = [], options: Options = [], enclavePackage: ByteBuffer? = nil, isExecuted: Bool = true
    ) {
        self.procedure = procedure
        self.parameters = parameters
        self.options = options
        self.enclavePackage = enclavePackage
        self.isExecuted = isExecuted
    }

    /// OptionFlags.
    public struct Options: OptionSet, Hashable, Sendable {
        public var rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// fWithRecomp
        public static let withRecompile = Options(rawValue: 0x0001)
        /// fNoMetaData: the server may leave COLMETADATA out.
        public static let noMetadata = Options(rawValue: 0x0002)
        /// fReuseMetaData
        public static let reuseMetadata = Options(rawValue: 0x0004)
    }
}

/// What an RPC calls.
public enum RPCProcedure: Hashable, Sendable {
    /// By name, as in T-SQL: `dbo.p`, `[p]`; at most 523 UTF-16 units.
    case name(String)
    /// By number: one of the special procedures.
    case id(WellKnownProcedure)

    /// The procedure's name.
    public var name: String {
        switch self {
        case .name(let name): name
        case .id(let id): id.name
        }
    }
}

/// ProcID: the special procedures that have a number.
public struct WellKnownProcedure: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let cursor = WellKnownProcedure(rawValue: 1)
    public static let cursorOpen = WellKnownProcedure(rawValue: 2)
    public static let cursorPrepare = WellKnownProcedure(rawValue: 3)
    public static let cursorExecute = WellKnownProcedure(rawValue: 4)
    public static let cursorPrepExec = WellKnownProcedure(rawValue: 5)
    public static let cursorUnprepare = WellKnownProcedure(rawValue: 6)
    public static let cursorFetch = WellKnownProcedure(rawValue: 7)
    public static let cursorOption = WellKnownProcedure(rawValue: 8)
    public static let cursorClose = WellKnownProcedure(rawValue: 9)
    public static let executeSQL = WellKnownProcedure(rawValue: 10)
    public static let prepare = WellKnownProcedure(rawValue: 11)
    public static let execute = WellKnownProcedure(rawValue: 12)
    public static let prepExec = WellKnownProcedure(rawValue: 13)
    public static let prepExecRPC = WellKnownProcedure(rawValue: 14)
    public static let unprepare = WellKnownProcedure(rawValue: 15)

    private static let names = [
        "sp_cursor", "sp_cursoropen", "sp_cursorprepare", "sp_cursorexecute", "sp_cursorprepexec", "sp_cursorunprepare", "sp_cursorfetch",
        "sp_cursoroption", "sp_cursorclose", "sp_executesql", "sp_prepare", "sp_execute", "sp_prepexec", "sp_prepexecrpc", "sp_unprepare",
    ]

    /// The procedure's name, for example `sp_executesql`; `procedure 99` for a number that MS-TDS does not name.
    public var name: String {
        (1...Self.names.count).contains(Int(rawValue)) ? Self.names[Int(rawValue) - 1] : "procedure \(rawValue)"
    }

    /// By name, as clients write it that call these procedures without number.
    public init?(name: String) {
        guard let index = Self.names.firstIndex(of: name.lowercased()) else { return nil }
        self.init(rawValue: UInt16(index + 1))
    }
}

/// A parameter of an RPC.
public struct RPCParameter: Hashable, Sendable {
    /// With its `@`; empty for a parameter by position.
    public var name: String
    public var status: Status
    public var value: Value
    /// How the value was encrypted, with ``Status/encrypted``.
    public var cipherInfo: ParameterCipherInfo?

    public init(_ name: String, _ value: Value, status: Status = [], cipherInfo: ParameterCipherInfo? = nil) {
        self.name = name
        self.value = value
        self.status = status
        self.cipherInfo = cipherInfo
    }

    /// A scalar: `content` as in a row, without its length; nil is NULL.
    public init(_ name: String, _ type: TypeInfo, _ content: ByteBuffer?, status: Status = []) {
        self.init(name, .scalar(type, content), status: status)
    }

    public enum Value: Hashable, Sendable {
        case scalar(TypeInfo, ByteBuffer?)
        case table(TableValuedParameter)
    }

    /// StatusFlags.
    public struct Status: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// fByRefValue: an OUTPUT parameter.
        public static let byReference = Status(rawValue: 0x01)
        /// fDefaultValue: the parameter's default is to be used; the value is NULL.
        public static let defaultValue = Status(rawValue: 0x02)
        /// fEncrypted: the value is encrypted (Always Encrypted).
        public static let encrypted = Status(rawValue: 0x08)
    }
}

/// ParamCipherInfo: how an encrypted parameter's value was encrypted. Recognised; the library neither encrypts nor decrypts.
///
/// ```
/// +-----------+---------------+-----------+----------------+------------+-------+------------+--------------+-------------+
/// | TYPE_INFO | EncryptionAlgo| AlgoName, | EncryptionType | DatabaseId | CekId | CekVersion | CekMDVersion | NormVersion |
/// |           | BYTE          | if algo 0 | BYTE           | ULONG      | ULONG | ULONG      | ULONGLONG    | BYTE        |
/// +-----------+---------------+-----------+----------------+------------+-------+------------+--------------+-------------+
/// ```
public struct ParameterCipherInfo: Hashable, Sendable {
    /// The type before encryption.
    public var typeInfo: TypeInfo
    /// 1 is AEAD_AES_256_CBC_HMAC_SHA512; 0 is ``algorithmName``.
    public var algorithm: UInt8
    public var algorithmName: String
    /// 1 deterministic, 2 randomized.
    public var encryptionType: UInt8
    public var databaseID: UInt32
    public var keyID: UInt32
    public var keyVersion: UInt32
    public var keyMetadataVersion: UInt64
    public var normalizationVersion: UInt8

    public init(
        typeInfo: TypeInfo, algorithm: UInt8, algorithmName: String = "", encryptionType: UInt8, databaseID: UInt32, keyID: UInt32, keyVersion: UInt32,
        keyMetadataVersion: UInt64, normalizationVersion: UInt8 = 1
    ) {
        self.typeInfo = typeInfo
        self.algorithm = algorithm
        self.algorithmName = algorithmName
        self.encryptionType = encryptionType
        self.databaseID = databaseID
        self.keyID = keyID
        self.keyVersion = keyVersion
        self.keyMetadataVersion = keyMetadataVersion
        self.normalizationVersion = normalizationVersion
    }
}

extension ByteBuffer {
    mutating func readParameterCipherInfo(version: TDSVersion) throws(WireError) -> ParameterCipherInfo {
        let type = try readTypeInfo(.parameter, version: version)
        let algorithm: UInt8 = try readLE("ParamCipherInfo EncryptionAlgo")
        let name = algorithm == 0 ? try readBVarchar("ParamCipherInfo AlgoName") : ""
        return ParameterCipherInfo(
            typeInfo: type, algorithm: algorithm, algorithmName: name, encryptionType: try readLE("ParamCipherInfo EncryptionType"),
            databaseID: try readLE("ParamCipherInfo DatabaseId"), keyID: try readLE("ParamCipherInfo CekId"),
            keyVersion: try readLE("ParamCipherInfo CekVersion"), keyMetadataVersion: try readLE("ParamCipherInfo CekMDVersion"),
            normalizationVersion: try readLE("ParamCipherInfo NormVersion"))
    }

    mutating func writeParameterCipherInfo(_ info: ParameterCipherInfo, version: TDSVersion) throws(WireError) {
        try writeTypeInfo(info.typeInfo, .parameter, version: version)
        writeLE(info.algorithm)
        if info.algorithm == 0 { try writeBVarchar(info.algorithmName, "ParamCipherInfo AlgoName") }
        writeLE(info.encryptionType)
        writeLE(info.databaseID)
        writeLE(info.keyID)
        writeLE(info.keyVersion)
        writeLE(info.keyMetadataVersion)
        writeLE(info.normalizationVersion)
    }

    /// Reads a whole RPC message.
    ///
    /// - Parameter hasEnclavePackages: whether column encryption of version 2 or later was negotiated.
    /// - Throws: ``WireError/Code/truncated``, ``WireError/Code/malformed``, ``WireError/Code/unknownType``.
    public mutating func readRPCRequest(version: TDSVersion = .v7_4, hasEnclavePackages: Bool = false) throws(WireError) -> RPCRequestMessage {
        var decoder = RPCRequestDecoder(version: version, hasEnclavePackages: hasEnclavePackages)
        var collector = RPCCollector()
        decoder.append(self)
        try decoder.decode(into: &collector)
        try decoder.finish(into: &collector)
        moveReaderIndex(to: writerIndex)
        return RPCRequestMessage(collector.requests, headers: collector.headers)
    }

    /// Reads a whole RPC message of a session whose version is not known: with headers it is read as TDS 7.4, without as 7.1.
    public mutating func readRPCRequestOfUnknownVersion() throws(WireError) -> RPCRequestMessage {
        var probe = self
        return try readRPCRequest(version: try probe.readAllHeadersIfPresent() == nil ? .v7_1 : .v7_4)
    }

    /// Writes a whole RPC message.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` if a name or value does not fit in its field or type.
    public mutating func writeRPCRequest(_ message: RPCRequestMessage, version: TDSVersion = .v7_4) throws(WireError) {
        var encoder = RPCRequestEncoder(version: version)
        try encoder.begin(message.headers, into: &self)
        for request in message.requests { try encoder.write(request, into: &self) }
        try encoder.finish(into: &self)
    }
}
