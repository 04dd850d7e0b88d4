public import NIOCore

/// What COLMETADATA and RETURNVALUE say about an encrypted column (Always Encrypted; MS-TDS 2.2.7.4, CryptoMetaData), once the
/// COLUMNENCRYPTION feature was acknowledged. The bytes of the column's values are ciphertext: a varbinary.
///
/// ```
/// +---------+----------+--------------+----------------+------------+--------------------+-------------+
/// | Ordinal | UserType | BaseTypeInfo | EncryptionAlgo | [AlgoName] | EncryptionAlgoType | NormVersion |  Ordinal in COLMETADATA only
/// | USHORT  | ULONG    | TYPE_INFO    | BYTE           | B_VARCHAR  | BYTE               | BYTE        |  AlgoName for algorithm 0
/// +---------+----------+--------------+----------------+------------+--------------------+-------------+
/// ```
public struct ColumnEncryption: Hashable, Sendable {
    /// The type of the plain values.
    public var typeInfo: TypeInfo
    public var userType: UInt32
    /// 0 for the algorithm of ``algorithmName``, 2 for AEAD_AES_256_CBC_HMAC_SHA256.
    public var algorithm: UInt8
    public var algorithmName: String?
    /// 0 plain text, 1 deterministic, 2 randomized.
    public var kind: UInt8
    /// How values were normalised before they were encrypted; 1.
    public var normalizationVersion: UInt8
    /// The key, from COLMETADATA's CekTable; nil in RETURNVALUE, which has none.
    public var key: ColumnEncryptionKey?

    public init(
        typeInfo: TypeInfo, userType: UInt32 = 0, algorithm: UInt8 = 2, algorithmName: String? = nil, kind: UInt8, normalizationVersion: UInt8 = 1,
        key: ColumnEncryptionKey?
    ) {
        self.typeInfo = typeInfo
        self.userType = userType
        self.algorithm = algorithm
        self.algorithmName = algorithmName
        self.kind = kind
        self.normalizationVersion = normalizationVersion
        self.key = key
    }
}

/// An entry of COLMETADATA's CekTable (EK_INFO, MS-TDS 2.2.7.4): a column encryption key, encrypted by one or more master keys.
///
/// ```
/// +------------+-------+------------+--------------+-------+ then per value:
/// | DatabaseId | CekId | CekVersion | CekMDVersion | Count | +--------------+--------------+------------+----------------+
/// | ULONG      | ULONG | ULONG      | ULONGLONG    | BYTE  | | EncryptedKey | KeyStoreName | KeyPath    | AsymmetricAlgo |
/// +------------+-------+------------+--------------+-------+ | US_VARBYTE   | B_VARCHAR    | US_VARCHAR | B_VARCHAR      |
///                                                            +--------------+--------------+------------+----------------+
/// ```
public struct ColumnEncryptionKey: Hashable, Sendable {
    /// The key, encrypted by one master key.
    public struct Value: Hashable, Sendable {
        public var encryptedKey: ByteBuffer
        /// The key store's provider, for example `AZURE_KEY_VAULT`.
        public var keyStoreName: String
        /// Where the provider finds the master key.
        public var keyPath: String
        /// How the key is encrypted, for example `RSA_OAEP`.
        public var algorithm: String

        public init(encryptedKey: ByteBuffer, keyStoreName: String, keyPath: String, algorithm: String) {
            self.encryptedKey = encryptedKey
            self.keyStoreName = keyStoreName
            self.keyPath = keyPath
            self.algorithm = algorithm
        }
    }

    public var databaseID: UInt32
    public var keyID: UInt32
    public var keyVersion: UInt32
    public var metadataVersion: UInt64
    public var values: [Value]

    public init(databaseID: UInt32, keyID: UInt32, keyVersion: UInt32, metadataVersion: UInt64, values: [Value]) {
        self.databaseID = databaseID
        self.keyID = keyID
        self.keyVersion = keyVersion
        self.metadataVersion = metadataVersion
        self.values = values
    }
}

extension ByteBuffer {
    /// Reads a CekTable. Throws ``WireError/Code/truncated`` when more bytes are needed.
    mutating func readColumnEncryptionKeys() throws(WireError) -> [ColumnEncryptionKey] {
        var keys: [ColumnEncryptionKey] = []
        for _ in 0..<(try readLE("COLMETADATA EkValueCount", as: UInt16.self)) {
            var key = ColumnEncryptionKey(
                databaseID: try readLE("EK_INFO DatabaseId"), keyID: try readLE("EK_INFO CekId"), keyVersion: try readLE("EK_INFO CekVersion"),
                metadataVersion: try readLE("EK_INFO CekMDVersion"), values: [])
            for _ in 0..<(try readLE("EK_INFO Count", as: UInt8.self)) {
                let length = Int(try readLE("EK_INFO EncryptedKey", as: UInt16.self))
                key.values.append(
                    ColumnEncryptionKey.Value(
                        encryptedKey: try readWireSlice(length, "EK_INFO EncryptedKey"), keyStoreName: try readBVarchar("EK_INFO KeyStoreName"),
                        keyPath: try readUSVarchar("EK_INFO KeyPath"), algorithm: try readBVarchar("EK_INFO AsymmetricAlgo")))
            }
            keys.append(key)
        }
        return keys
    }

    mutating func writeColumnEncryptionKeys(_ keys: [ColumnEncryptionKey]) throws(WireError) {
        guard let count = UInt16(exactly: keys.count) else { throw WireError(.valueOutOfRange, "COLMETADATA EkValueCount") }
        writeLE(count)
        for key in keys {
            writeLE(key.databaseID)
            writeLE(key.keyID)
            writeLE(key.keyVersion)
            writeLE(key.metadataVersion)
            guard let values = UInt8(exactly: key.values.count) else { throw WireError(.valueOutOfRange, "EK_INFO Count") }
            writeLE(values)
            for value in key.values {
                try writeLengthPrefixed(as: UInt16.self, "EK_INFO EncryptedKey") { buffer throws(WireError) in
                    _ = buffer.writeImmutableBuffer(value.encryptedKey)
                }
                try writeBVarchar(value.keyStoreName, "EK_INFO KeyStoreName")
                try writeUSVarchar(value.keyPath, "EK_INFO KeyPath")
                try writeBVarchar(value.algorithm, "EK_INFO AsymmetricAlgo")
            }
        }
    }

    /// Reads a CryptoMetaData.
    ///
    /// - Parameter keys: COLMETADATA's CekTable; nil in RETURNVALUE, where there is no ordinal either.
    mutating func readColumnEncryption(keys: [ColumnEncryptionKey]?, version: TDSVersion) throws(WireError) -> ColumnEncryption {
        var key: ColumnEncryptionKey?
        if let keys {
            let ordinal = Int(try readLE("CryptoMetaData Ordinal", as: UInt16.self))
            guard ordinal < keys.count else { throw WireError(.malformed, "CryptoMetaData Ordinal", "no such key") }
            key = keys[ordinal]
        }
        let userType: UInt32 = try readLE("CryptoMetaData UserType")
        let type = try readTypeInfo(.columnMetadata, version: version)
        let algorithm: UInt8 = try readLE("CryptoMetaData EncryptionAlgo")
        let name = algorithm == 0 ? try readBVarchar("CryptoMetaData AlgoName") : nil
        return ColumnEncryption(
            typeInfo: type, userType: userType, algorithm: algorithm, algorithmName: name, kind: try readLE("CryptoMetaData EncryptionAlgoType"),
            normalizationVersion: try readLE("CryptoMetaData NormVersion"), key: key)
    }

    mutating func writeColumnEncryption(_ encryption: ColumnEncryption, ordinal: UInt16?, version: TDSVersion) throws(WireError) {
        if let ordinal { writeLE(ordinal) }
        writeLE(encryption.userType)
        try writeTypeInfo(encryption.typeInfo, .columnMetadata, version: version)
        writeLE(encryption.algorithm)
        if encryption.algorithm == 0 { try writeBVarchar(encryption.algorithmName ?? "", "CryptoMetaData AlgoName") }
        writeLE(encryption.kind)
        writeLE(encryption.normalizationVersion)
    }
}
