import TDSWire

/// How one result column becomes a member of the document. Trivial, so that the writer's loop touches no reference counts.
struct DocumentColumn: Sendable {
    enum Kind: UInt8, Sendable {
        case operation, version, presence
        case unsignedByte, integer, bit, float, decimal, money
        case utf16, utf8, codePage, base64
        case date, time, dateTime, smallDateTime, dateTime2, dateTimeOffset
        case guid, json, vector, variant, spatial
    }

    var kind: Kind
    var scale: UInt8 = 0
    var isKey = false
    /// `,"name":` in the writer's names; without the comma from one further on.
    var nameStart = 0
    var nameEnd = 0

    init(_ column: ColumnMetadata) throws(WireError) {
        let type = column.typeInfo
        scale = type.scale
        kind =
            switch type.dataType {
            case .int1: .unsignedByte
            case .intN where type.maximumLength == 1: .unsignedByte
            case .int2, .int4, .int8, .intN, .null: .integer
            case .bit, .bitN: .bit
            case .flt4, .flt8, .fltN: .float
            case .decimal, .numeric, .decimalN, .numericN: .decimal
            case .money, .money4, .moneyN: .money
            case .nChar, .nVarChar, .nText, .xml: .utf16
            case .char, .varChar, .bigChar, .bigVarChar, .text: type.collation?.isUTF8 == true ? .utf8 : .codePage
            case .binary, .varBinary, .bigBinary, .bigVarBin, .image: .base64
            // hierarchyid and CLR types as their bytes, as the existing connector has them; shapes as text.
            case .udt: ["geometry", "geography"].contains(type.udt?.typeName) ? .spatial : .base64
            case .dateN: .date
            case .timeN: .time
            case .dateTime: .dateTime
            case .dateTim4: .smallDateTime
            case .dateTimN: type.maximumLength == 4 ? .smallDateTime : .dateTime
            case .dateTime2N: .dateTime2
            case .dateTimeOffsetN: .dateTimeOffset
            case .guid: .guid
            case .json: .json
            case .vector: .vector
            case .ssVariant: .variant
            case .tvp: throw WireError(.malformed, "COLMETADATA", "a table-valued column")
            }
    }
}
