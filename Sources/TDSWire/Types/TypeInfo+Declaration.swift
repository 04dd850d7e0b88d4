extension TypeInfo {
    /// The type as T-SQL declares it, for sp_executesql's parameter list: `nvarchar(4000)`, `decimal(38,4)`, `varbinary(max)`.
    public var declaration: String {
        switch dataType {
        case .null: return "sql_variant"
        case .int1: return "tinyint"
        case .int2: return "smallint"
        case .int4: return "int"
        case .int8: return "bigint"
        case .intN:
            return switch maximumLength {
            case 1: "tinyint"
            case 2: "smallint"
            case 8: "bigint"
            default: "int"
            }
        case .bit, .bitN: return "bit"
        case .flt4: return "real"
        case .flt8: return "float"
        case .fltN: return maximumLength == 4 ? "real" : "float"
        case .money: return "money"
        case .money4: return "smallmoney"
        case .moneyN: return maximumLength == 4 ? "smallmoney" : "money"
        case .dateTime: return "datetime"
        case .dateTim4: return "smalldatetime"
        case .dateTimN: return maximumLength == 4 ? "smalldatetime" : "datetime"
        case .decimal, .decimalN: return "decimal(\(precision),\(scale))"
        case .numeric, .numericN: return "numeric(\(precision),\(scale))"
        case .dateN: return "date"
        case .timeN: return "time(\(scale))"
        case .dateTime2N: return "datetime2(\(scale))"
        case .dateTimeOffsetN: return "datetimeoffset(\(scale))"
        case .guid: return "uniqueidentifier"
        case .char, .bigChar: return "char(\(length()))"
        case .varChar, .bigVarChar: return "varchar(\(length()))"
        case .nChar: return "nchar(\(length(unit: 2)))"
        case .nVarChar: return "nvarchar(\(length(unit: 2)))"
        case .binary, .bigBinary: return "binary(\(length()))"
        case .varBinary, .bigVarBin: return "varbinary(\(length()))"
        case .text: return "text"
        case .nText: return "ntext"
        case .image: return "image"
        case .ssVariant: return "sql_variant"
        case .xml:
            guard let schema = xmlSchema else { return "xml" }
            return "xml(" + Self.name([schema.database, schema.owningSchema, schema.collection]) + ")"
        case .json: return "json"
        case .vector:
            let elements = vectorElementType == 1 ? (maximumLength - 8) / 2 : (maximumLength - 8) / 4
            return vectorElementType == 1 ? "vector(\(elements), float16)" : "vector(\(elements))"
        case .udt, .tvp: return Self.name([udt?.database ?? "", udt?.schema ?? "", udt?.typeName ?? ""])
        }
    }

    /// A declared length; 0, which a type of only NULL has, can't be declared.
    private func length(unit: Int = 1) -> String {
        maximumLength == Self.unlimited ? "max" : String(max(1, maximumLength / unit))
    }

    /// A name in parts, each in brackets but for plain ones; empty parts are left out.
    private static func name(_ parts: [String]) -> String {
        parts.filter { !$0.isEmpty }.map { part in
            let plain = part.utf8.allSatisfy { (97...122).contains($0) || (65...90).contains($0) || $0 == 0x5F || (48...57).contains($0) }
            guard !plain || (part.utf8.first.map { (48...57).contains($0) } ?? true) else { return part }
            return "[" + part.split(separator: "]", omittingEmptySubsequences: false).joined(separator: "]]") + "]"
        }.joined(separator: ".")
    }
}
