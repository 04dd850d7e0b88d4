import NIOCore

extension TDSValue {
    /// The type that a parameter with this value is declared with, unless the caller says another.
    ///
    /// There are few on purpose: every declaration is a plan of its own in the server's cache, so lengths come in two sizes only, and a
    /// decimal always has 38 digits.
    ///
    /// | value | type |
    /// |---|---|
    /// | null | nvarchar(4000) |
    /// | string of up to 4000 UTF-16 units, longer | nvarchar(4000), nvarchar(max) |
    /// | bytes of up to 8000, more | varbinary(8000), varbinary(max) |
    /// | decimal | decimal(38, its scale) |
    /// | time, dateTime2, dateTimeOffset | time(n), datetime2(n), datetimeoffset(n), n its scale |
    /// | json | nvarchar(max): servers before 2025 don't know the type |
    /// | everything else | the type of the same name |
    ///
    /// - Parameter collation: of text; that of the database, as ENVCHANGE said it.
    public func parameterType(collation: Collation = .sqlLatin1GeneralCP1CIAS) -> TypeInfo {
        switch self {
        case .null: TypeInfo(.nVarChar, maximumLength: 8000, collation: collation)
        case .bool: TypeInfo(.bitN, maximumLength: 1)
        case .uint8: TypeInfo(.intN, maximumLength: 1)
        case .int16: TypeInfo(.intN, maximumLength: 2)
        case .int32: TypeInfo(.intN, maximumLength: 4)
        case .int64: TypeInfo(.intN, maximumLength: 8)
        case .float: TypeInfo(.fltN, maximumLength: 4)
        case .double: TypeInfo(.fltN, maximumLength: 8)
        case .decimal(let value): TypeInfo(.decimalN, maximumLength: 17, precision: 38, scale: value.scale)
        case .money: TypeInfo(.moneyN, maximumLength: 8)
        case .smallMoney: TypeInfo(.moneyN, maximumLength: 4)
        case .string(let value):
            TypeInfo(.nVarChar, maximumLength: value.utf16.count <= 4000 ? 8000 : TypeInfo.unlimited, collation: collation)
        case .bytes(let value): TypeInfo(.bigVarBin, maximumLength: value.readableBytes <= 8000 ? 8000 : TypeInfo.unlimited)
        case .date: TypeInfo(.dateN, maximumLength: 3)
        case .time(let value): TypeInfo(temporal: .timeN, scale: value.scale)
        case .dateTime: TypeInfo(.dateTimN, maximumLength: 8)
        case .smallDateTime: TypeInfo(.dateTimN, maximumLength: 4)
        case .dateTime2(let value): TypeInfo(temporal: .dateTime2N, scale: value.scale)
        case .dateTimeOffset(let value): TypeInfo(temporal: .dateTimeOffsetN, scale: value.utc.scale)
        case .guid: TypeInfo(.guid, maximumLength: 16)
        case .xml: TypeInfo(.xml, maximumLength: TypeInfo.unlimited)
        case .json: TypeInfo(.nVarChar, maximumLength: TypeInfo.unlimited, collation: collation)
        case .vector(let value): value.typeInfo
        case .hierarchyID: .systemCLRType("hierarchyid")
        case .spatial(let value): .systemCLRType(value.kind == .geometry ? "geometry" : "geography")
        case .udt(let value): TypeInfo(.udt, maximumLength: TypeInfo.unlimited, udt: value.type)
        case .variant: TypeInfo(.ssVariant, maximumLength: 8009)
        }
    }

    /// What kind of value it is, for messages.
    var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .uint8: "uint8"
        case .int16: "int16"
        case .int32: "int32"
        case .int64: "int64"
        case .float: "float"
        case .double: "double"
        case .decimal: "decimal"
        case .money: "money"
        case .smallMoney: "smallMoney"
        case .string: "string"
        case .bytes: "bytes"
        case .date: "date"
        case .time: "time"
        case .dateTime: "dateTime"
        case .smallDateTime: "smallDateTime"
        case .dateTime2: "dateTime2"
        case .dateTimeOffset: "dateTimeOffset"
        case .guid: "guid"
        case .xml: "xml"
        case .json: "json"
        case .vector: "vector"
        case .hierarchyID: "hierarchyID"
        case .spatial: "spatial"
        case .udt: "udt"
        case .variant: "variant"
        }
    }
}

extension TypeInfo {
    /// One of the CLR types that every database has.
    static func systemCLRType(_ name: String) -> TypeInfo {
        TypeInfo(.udt, maximumLength: unlimited, udt: UDTInfo(database: "", schema: "", typeName: name))
    }
}
