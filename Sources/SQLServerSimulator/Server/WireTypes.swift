// The engine's types in the wire's terms, and back.
import TDSWire

extension ResultColumn {
    /// The column of COLMETADATA.
    func metadata(database: String) -> ColumnMetadata {
        var flags: ColumnMetadata.Flags = isNullable ? .nullable : []
        if type.isCharacter, type.collation?.ignoresCase == false { flags.insert(.caseSensitive) }
        if isIdentity { flags.insert(.identity) }
        if isComputed { flags.insert(.computed) } else if !isIdentity { flags.insert(.updatabilityUnknown) }
        return ColumnMetadata(
            name, type.typeInfo(isNullable: isNullable, database: database), flags: flags, userType: type.wireUserType, tableName: tableName)
    }
}

extension SQLType {
    var wireUserType: UInt32 {
        if isSysname { return 256 }
        return kind == .rowversion ? 80 : 0
    }

    /// The type's TYPE_INFO; the form without length bytes for a type that has one and can't be NULL.
    func typeInfo(isNullable: Bool, database: String) -> TypeInfo {
        let fixed = !isNullable && hasFixedForm
        func number(_ size: Int, _ form: DataType, _ nullable: DataType) -> TypeInfo { TypeInfo(fixed ? form : nullable, maximumLength: size) }
        let bytes = length < 0 ? TypeInfo.unlimited : length
        let text = (collation ?? .default).wire
        switch kind {
        case .tinyint: return number(1, .int1, .intN)
        case .smallint: return number(2, .int2, .intN)
        case .int: return number(4, .int4, .intN)
        case .null: return TypeInfo(.intN, maximumLength: 4)
        case .bigint: return number(8, .int8, .intN)
        case .bit: return number(1, .bit, .bitN)
        case .real: return number(4, .flt4, .fltN)
        case .float: return number(8, .flt8, .fltN)
        case .smallmoney: return number(4, .money4, .moneyN)
        case .money: return number(8, .money, .moneyN)
        case .smalldatetime: return number(4, .dateTim4, .dateTimN)
        case .datetime: return number(8, .dateTime, .dateTimN)
        case .decimal, .numeric:
            return TypeInfo(
                kind == .decimal ? .decimalN : .numericN, maximumLength: TDSDecimal.wireSize(precision: precision), precision: precision, scale: scale)
        case .char: return TypeInfo(.bigChar, maximumLength: length, collation: text)
        case .varchar: return TypeInfo(.bigVarChar, maximumLength: bytes, collation: text)
        case .nchar: return TypeInfo(.nChar, maximumLength: length * 2, collation: text)
        case .nvarchar: return TypeInfo(.nVarChar, maximumLength: length < 0 ? TypeInfo.unlimited : length * 2, collation: text)
        case .text: return TypeInfo(.text, maximumLength: 0x7FFF_FFFF, collation: text)
        case .ntext: return TypeInfo(.nText, maximumLength: 0x7FFF_FFFE, collation: text)
        case .image: return TypeInfo(.image, maximumLength: 0x7FFF_FFFF)
        case .xml: return TypeInfo(.xml, maximumLength: TypeInfo.unlimited)
        case .binary: return TypeInfo(.bigBinary, maximumLength: length)
        case .rowversion: return TypeInfo(.bigBinary, maximumLength: 8)
        case .varbinary: return TypeInfo(.bigVarBin, maximumLength: bytes)
        case .hierarchyid:
            return TypeInfo(
                .udt, maximumLength: TypeInfo.unlimited,
                udt: TypeInfo.UDTInfo(
                    database: database, schema: "sys", typeName: "hierarchyid",
                    assemblyQualifiedName:
                        "Microsoft.SqlServer.Types.SqlHierarchyId, Microsoft.SqlServer.Types, Version=11.0.0.0, Culture=neutral, PublicKeyToken=89845dcd8080cc91",
                    maximumByteSize: 892))
        case .date: return TypeInfo(.dateN, maximumLength: 3)
        case .time: return TypeInfo(temporal: .timeN, scale: scale)
        case .datetime2: return TypeInfo(temporal: .dateTime2N, scale: scale)
        case .datetimeoffset: return TypeInfo(temporal: .dateTimeOffsetN, scale: scale)
        case .uniqueidentifier: return TypeInfo(.guid, maximumLength: 16)
        case .variant: return TypeInfo(.ssVariant, maximumLength: 8009)
        }
    }

    /// The engine's type for a parameter's TYPE_INFO; nil for one that the engine lacks (UDTs other than hierarchyid, JSON, vectors, tables).
    init?(_ info: TypeInfo) {
        let collation = SQLCollation(wire: info.collation)
        let length = info.maximumLength == TypeInfo.unlimited ? -1 : info.maximumLength
        switch info.dataType {
        case .int1: self.init(.tinyint)
        case .int2: self.init(.smallint)
        case .int4: self.init(.int)
        case .int8: self.init(.bigint)
        case .intN: self.init(length == 1 ? .tinyint : length == 2 ? .smallint : length == 8 ? .bigint : .int)
        case .bit, .bitN: self.init(.bit)
        case .flt4: self.init(.real)
        case .flt8: self.init(.float)
        case .fltN: self.init(length == 4 ? .real : .float)
        case .money4: self.init(.smallmoney)
        case .money: self.init(.money)
        case .moneyN: self.init(length == 4 ? .smallmoney : .money)
        case .dateTim4: self.init(.smalldatetime)
        case .dateTime: self.init(.datetime)
        case .dateTimN: self.init(length == 4 ? .smalldatetime : .datetime)
        case .decimal, .decimalN: self.init(.decimal, precision: info.precision, scale: info.scale)
        case .numeric, .numericN: self.init(.numeric, precision: info.precision, scale: info.scale)
        case .guid: self.init(.uniqueidentifier)
        case .dateN: self.init(.date)
        case .timeN: self.init(.time, scale: info.scale)
        case .dateTime2N: self.init(.datetime2, scale: info.scale)
        case .dateTimeOffsetN: self.init(.datetimeoffset, scale: info.scale)
        case .char, .bigChar: self.init(.char, length: max(length, 1), collation: collation)
        case .varChar, .bigVarChar: self.init(.varchar, length: length == 0 ? 1 : length, collation: collation)
        case .nChar: self.init(.nchar, length: max(length / 2, 1), collation: collation)
        case .nVarChar: self.init(.nvarchar, length: length < 0 ? -1 : max(length / 2, 1), collation: collation)
        case .text: self.init(.text, collation: collation)
        case .nText: self.init(.ntext, collation: collation)
        case .image: self.init(.image)
        case .xml: self.init(.xml)
        case .binary, .bigBinary: self.init(.binary, length: max(length, 1))
        case .varBinary, .bigVarBin: self.init(.varbinary, length: length == 0 ? 1 : length)
        case .ssVariant: self.init(.variant)
        case .udt:
            guard info.udt?.typeName.lowercased() == "hierarchyid" else { return nil }
            self.init(.hierarchyid)
        case .null: self.init(.null)
        case .json, .vector, .tvp: return nil
        }
    }
}
