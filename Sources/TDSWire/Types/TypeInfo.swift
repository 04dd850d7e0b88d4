public import NIOCore

/// A TYPE_INFO (MS-TDS 2.2.5.6): the static type of a column, parameter or return value.
///
/// ```
/// +------+-------------------------+----------------------------+-----------+-----------+
/// | TYPE | length: 0,1,2 or 4 byte | precision, scale / scale   | COLLATION | XML / UDT |
/// +------+-------------------------+----------------------------+-----------+-----------+
/// ```
public struct TypeInfo: Hashable, Sendable {
    public var dataType: DataType
    /// The largest length in bytes that a value may have; ``unlimited`` for `(max)`, xml, udt and json.
    public var maximumLength: Int
    /// Digits of a decimal or numeric, 1 to 38; 0 for other types.
    public var precision: UInt8
    /// Digits after the decimal point, or of the second's fraction (0 to 7) of time, datetime2 and datetimeoffset.
    public var scale: UInt8
    /// The collation of char, varchar, text, nchar, nvarchar and ntext from TDS 7.1 on.
    public var collation: Collation?
    /// The schema collection of a typed xml.
    public var xmlSchema: XMLSchemaCollection?
    /// The CLR type of a udt.
    public var udt: UDTInfo?
    /// The element type of a vector: 0 float32, 1 float16.
    public var vectorElementType: UInt8

    /// ``maximumLength`` of types whose values come as partially length-prefixed chunks (PLP, MS-TDS 2.2.5.2.3).
    public static let unlimited = Int.max

    public init(
        _ dataType: DataType, maximumLength: Int, precision: UInt8 = 0, scale: UInt8 = 0, collation: Collation? = nil,
        xmlSchema: XMLSchemaCollection? = nil, udt: UDTInfo? = nil, vectorElementType: UInt8 = 0
    ) {
        self.dataType = dataType
        self.maximumLength = maximumLength
        self.precision = precision
        self.scale = scale
        self.collation = collation
        self.xmlSchema = xmlSchema
        self.udt = udt
        self.vectorElementType = vectorElementType
    }

    /// The schema collection that a typed xml column is bound to (XML_INFO, MS-TDS 2.2.5.5.3).
    public struct XMLSchemaCollection: Hashable, Sendable {
        public var database: String
        public var owningSchema: String
        public var collection: String

        public init(database: String, owningSchema: String, collection: String) {
            self.database = database
            self.owningSchema = owningSchema
            self.collection = collection
        }
    }

    /// The CLR type of a udt column or parameter (UDT_INFO, MS-TDS 2.2.5.5.2).
    public struct UDTInfo: Hashable, Sendable {
        public var database: String
        public var schema: String
        public var typeName: String
        /// In COLMETADATA only; RPC requests do not carry it.
        public var assemblyQualifiedName: String?
        /// MAX_BYTE_SIZE, in COLMETADATA only: 0xFFFF is unlimited. The value is PLP whatever it says.
        public var maximumByteSize: UInt16

        public init(
            database: String, schema: String, typeName: String, assemblyQualifiedName: String? = nil, maximumByteSize: UInt16 = 0xFFFF
        ) {
            self.database = database
            self.schema = schema
            self.typeName = typeName
            self.assemblyQualifiedName = assemblyQualifiedName
            self.maximumByteSize = maximumByteSize
        }
    }

    /// Where a TYPE_INFO stands: its UDT_INFO differs between COLMETADATA (with the assembly's name) and an RPC parameter (without).
    public enum Context: Hashable, Sendable {
        case columnMetadata
        case parameter
    }

    /// How a value of this type is laid out in a row.
    public var layout: ValueLayout {
        switch dataType {
        case .null: .fixed(0)
        case .int1, .bit: .fixed(1)
        case .int2: .fixed(2)
        case .int4, .dateTim4, .flt4, .money4: .fixed(4)
        case .int8, .dateTime, .flt8, .money: .fixed(8)
        case .guid, .intN, .bitN, .decimal, .numeric, .decimalN, .numericN, .fltN, .moneyN, .dateTimN, .dateN, .timeN,
            .dateTime2N, .dateTimeOffsetN, .char, .varChar, .binary, .varBinary:
            .byteLength(maximumLength)
        case .bigVarBin, .bigVarChar, .nVarChar:
            maximumLength == Self.unlimited ? .plp : .shortLength(maximumLength)
        case .bigBinary, .bigChar, .nChar, .vector: .shortLength(maximumLength)
        case .xml, .udt, .json: .plp
        case .text, .nText, .image: .textPointer
        case .ssVariant: .longLength(maximumLength)
        case .tvp: .plp  // never in a row; its parameter form has a decoder of its own
        }
    }

    /// Whether text of this type is UTF-16LE on the wire.
    @inlinable
    public var isUTF16: Bool {
        switch dataType {
        case .nVarChar, .nChar, .nText, .xml: true
        default: false
        }
    }
}

/// How the bytes of a value follow each other in ROW, NBCROW and RETURNVALUE (TYPE_VARBYTE, MS-TDS 2.2.5.2.3).
public enum ValueLayout: Hashable, Sendable {
    /// Always this many bytes, never NULL.
    case fixed(Int)
    /// A BYTE length, at most the given; 0 is NULL.
    case byteLength(Int)
    /// A USHORT length, at most the given; 0xFFFF is NULL.
    case shortLength(Int)
    /// A LONG length, at most the given; 0 is NULL (sql_variant).
    case longLength(Int)
    /// A BYTE length of a text pointer (0 is NULL), the pointer, an 8-byte timestamp, a LONG length, the data (text, ntext, image).
    case textPointer
    /// A ULONGLONG total length (all ones is NULL, all ones but the last bit unknown), then chunks with a ULONG length, the last 0.
    case plp
}

extension ByteBuffer {
    /// Reads a TYPE_INFO.
    ///
    /// - Throws: ``WireError/Code/truncated`` when more bytes are needed, ``WireError/Code/unknownType``, or
    ///   ``WireError/Code/malformed`` when a length, precision or scale is outside what the type allows.
    public mutating func readTypeInfo(_ context: TypeInfo.Context, version: TDSVersion = .v7_4) throws(WireError) -> TypeInfo {
        let byte = try readLE("TYPE_INFO", as: UInt8.self)
        guard let type = DataType(rawValue: byte) else { throw WireError(.unknownType, "TYPE_INFO", "type byte \(byte)") }
        switch type {
        case .null: return TypeInfo(type, maximumLength: 0)
        case .int1, .bit: return TypeInfo(type, maximumLength: 1)
        case .int2: return TypeInfo(type, maximumLength: 2)
        case .int4, .dateTim4, .flt4, .money4: return TypeInfo(type, maximumLength: 4)
        case .int8, .dateTime, .flt8, .money: return TypeInfo(type, maximumLength: 8)
        case .guid, .intN, .bitN, .fltN, .moneyN, .dateTimN:
            let length = Int(try readLE("TYPE_INFO length", as: UInt8.self))
            let allowed: [Int] =
                switch type {
                case .guid: [16]
                case .intN: [1, 2, 4, 8]
                case .bitN: [1]
                default: [4, 8]
                }
            // A length of 0 declares a type whose only value is NULL (a NULL literal's column).
            guard allowed.contains(length) || length == 0 else { throw WireError(.malformed, "TYPE_INFO length", "\(type) of \(length) bytes") }
            return TypeInfo(type, maximumLength: length)
        case .dateN: return TypeInfo(type, maximumLength: 3)
        case .timeN, .dateTime2N, .dateTimeOffsetN:
            let scale = try readLE("TYPE_INFO scale", as: UInt8.self)
            guard scale <= 7 else { throw WireError(.malformed, "TYPE_INFO scale", "\(scale)") }
            return TypeInfo(temporal: type, scale: scale)
        case .decimal, .numeric, .decimalN, .numericN:
            let length = try readLE("TYPE_INFO length", as: UInt8.self)
            let precision = try readLE("TYPE_INFO precision", as: UInt8.self)
            let scale = try readLE("TYPE_INFO scale", as: UInt8.self)
            // Microsoft's Rust client (mssql-python 1.16) writes the type's byte where the length belongs in bulk loads, and SQL Server takes
            // it: the precision says the length. Any other length that no decimal has is an error.
            guard (1...38).contains(precision), scale <= precision, length <= 17 || length == byte else {
                throw WireError(.malformed, "TYPE_INFO", "decimal of \(length) bytes, precision \(precision), scale \(scale)")
            }
            return TypeInfo(type, maximumLength: min(Int(length), 17), precision: precision, scale: scale)
        case .char, .varChar, .binary, .varBinary:
            return TypeInfo(type, maximumLength: Int(try readLE("TYPE_INFO length", as: UInt8.self)))
        case .bigVarChar, .bigChar, .nVarChar, .nChar:
            let length = try readShortLength(type)
            return TypeInfo(type, maximumLength: length, collation: version.hasCollations ? try readCollation("TYPE_INFO collation") : nil)
        case .bigVarBin, .bigBinary:
            return TypeInfo(type, maximumLength: try readShortLength(type))
        case .vector:
            let length = try readLE("TYPE_INFO length", as: UInt16.self)
            return TypeInfo(type, maximumLength: Int(length), vectorElementType: try readLE("TYPE_INFO vector element type"))
        case .text, .nText:
            let length = try readLongLength()
            return TypeInfo(type, maximumLength: length, collation: version.hasCollations ? try readCollation("TYPE_INFO collation") : nil)
        case .image, .ssVariant:
            return TypeInfo(type, maximumLength: try readLongLength())
        case .xml:
            guard try readLE("XML_INFO", as: UInt8.self) != 0 else { return TypeInfo(type, maximumLength: TypeInfo.unlimited) }
            let schema = TypeInfo.XMLSchemaCollection(
                database: try readBVarchar("XML_INFO database"), owningSchema: try readBVarchar("XML_INFO schema"),
                collection: try readUSVarchar("XML_INFO collection"))
            return TypeInfo(type, maximumLength: TypeInfo.unlimited, xmlSchema: schema)
        case .udt:
            let size: UInt16 = context == .columnMetadata ? try readLE("UDT_INFO MAX_BYTE_SIZE") : 0xFFFF
            var udt = TypeInfo.UDTInfo(
                database: try readBVarchar("UDT_INFO database"), schema: try readBVarchar("UDT_INFO schema"),
                typeName: try readBVarchar("UDT_INFO type"), maximumByteSize: size)
            if context == .columnMetadata { udt.assemblyQualifiedName = try readUSVarchar("UDT_INFO assembly") }
            return TypeInfo(type, maximumLength: TypeInfo.unlimited, udt: udt)
        case .json: return TypeInfo(type, maximumLength: TypeInfo.unlimited)
        case .tvp: throw WireError(.malformed, "TYPE_INFO", "a table-valued parameter outside an RPC request")
        }
    }

    private mutating func readShortLength(_ type: DataType) throws(WireError) -> Int {
        let length = try readLE("TYPE_INFO length", as: UInt16.self)
        if length == 0xFFFF {
            guard type != .bigChar, type != .nChar, type != .bigBinary else { throw WireError(.malformed, "TYPE_INFO length", "\(type)(max)") }
            return TypeInfo.unlimited
        }
        guard length <= 8000 else { throw WireError(.malformed, "TYPE_INFO length", "\(type) of \(length) bytes") }
        return Int(length)
    }

    private mutating func readLongLength() throws(WireError) -> Int {
        let length = try readLE("TYPE_INFO length", as: UInt32.self)
        guard length <= 0x7FFF_FFFF else { throw WireError(.malformed, "TYPE_INFO length", "more than 2 GiB") }
        return Int(length)
    }

    /// Writes a TYPE_INFO.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` if a length or name does not fit in its field.
    public mutating func writeTypeInfo(_ info: TypeInfo, _ context: TypeInfo.Context, version: TDSVersion = .v7_4) throws(WireError) {
        writeLE(info.dataType.rawValue)
        switch info.dataType {
        case .null, .int1, .bit, .int2, .int4, .int8, .dateTim4, .dateTime, .flt4, .flt8, .money4, .money, .dateN, .json: break
        case .guid, .intN, .bitN, .fltN, .moneyN, .dateTimN, .char, .varChar, .binary, .varBinary:
            writeLE(try info.fieldLength(as: UInt8.self))
        case .timeN, .dateTime2N, .dateTimeOffsetN: writeLE(info.scale)
        case .decimal, .numeric, .decimalN, .numericN:
            writeLE(try info.fieldLength(as: UInt8.self))
            writeLE(info.precision)
            writeLE(info.scale)
        case .bigVarChar, .bigChar, .nVarChar, .nChar:
            writeLE(info.maximumLength == TypeInfo.unlimited ? 0xFFFF : try info.fieldLength(as: UInt16.self))
            if version.hasCollations { writeCollation(info.collation ?? .sqlLatin1GeneralCP1CIAS) }
        case .bigVarBin, .bigBinary:
            writeLE(info.maximumLength == TypeInfo.unlimited ? 0xFFFF : try info.fieldLength(as: UInt16.self))
        case .vector:
            writeLE(try info.fieldLength(as: UInt16.self))
            writeLE(info.vectorElementType)
        case .text, .nText:
            writeLE(try info.fieldLength(as: UInt32.self))
            if version.hasCollations { writeCollation(info.collation ?? .sqlLatin1GeneralCP1CIAS) }
        case .image, .ssVariant: writeLE(try info.fieldLength(as: UInt32.self))
        case .xml:
            writeLE(UInt8(info.xmlSchema == nil ? 0 : 1))
            if let schema = info.xmlSchema {
                try writeBVarchar(schema.database, "XML_INFO database")
                try writeBVarchar(schema.owningSchema, "XML_INFO schema")
                try writeUSVarchar(schema.collection, "XML_INFO collection")
            }
        case .udt:
            if context == .columnMetadata { writeLE(info.udt?.maximumByteSize ?? 0xFFFF) }
            try writeBVarchar(info.udt?.database ?? "", "UDT_INFO database")
            try writeBVarchar(info.udt?.schema ?? "", "UDT_INFO schema")
            try writeBVarchar(info.udt?.typeName ?? "", "UDT_INFO type")
            if context == .columnMetadata { try writeUSVarchar(info.udt?.assemblyQualifiedName ?? "", "UDT_INFO assembly") }
        case .tvp: throw WireError(.notRepresentable, "TYPE_INFO", "a table-valued parameter is written by its own encoder")
        }
    }
}

extension TypeInfo {
    /// time, datetime2 or datetimeoffset with `scale` digits of a second's fraction.
    public init(temporal type: DataType, scale: UInt8) {
        let time = scale <= 2 ? 3 : scale <= 4 ? 4 : 5
        let rest = type == .timeN ? 0 : type == .dateTime2N ? 3 : 5
        self.init(type, maximumLength: time + rest, scale: scale)
    }

    fileprivate func fieldLength<T: FixedWidthInteger>(as type: T.Type) throws(WireError) -> T {
        guard let length = T(exactly: maximumLength) else {
            throw WireError(.valueOutOfRange, "TYPE_INFO length", "\(dataType) of \(maximumLength) bytes")
        }
        return length
    }
}
