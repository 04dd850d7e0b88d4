public import NIOCore

/// A value of any SQL Server type.
///
/// For readers that want values one by one. Whoever moves many rows takes bytes from a ``RowSink`` and reads them with the types'
/// own initialisers, which allocate nothing.
public enum TDSValue: Hashable, Sendable {
    case null
    /// bit
    case bool(Bool)
    /// tinyint, which has no sign
    case uint8(UInt8)
    /// smallint
    case int16(Int16)
    /// int
    case int32(Int32)
    /// bigint
    case int64(Int64)
    /// real
    case float(Float)
    /// float
    case double(Double)
    /// decimal and numeric
    case decimal(TDSDecimal)
    case money(TDSMoney)
    case smallMoney(TDSMoney)
    /// char, varchar, text, nchar, nvarchar, ntext
    case string(String)
    /// binary, varbinary, image, rowversion
    case bytes(ByteBuffer)
    case date(TDSDate)
    case time(TDSTime)
    case dateTime(TDSDateTime)
    case smallDateTime(TDSSmallDateTime)
    case dateTime2(TDSDateTime2)
    case dateTimeOffset(TDSDateTimeOffset)
    case guid(TDSGUID)
    case xml(TDSXML)
    case json(TDSJSON)
    case vector(TDSVector)
    case hierarchyID(TDSHierarchyID)
    /// geometry and geography
    case spatial(TDSSpatial)
    /// Any other CLR type.
    case udt(TDSUDT)
    /// sql_variant
    indirect case variant(TDSVariant)

    public var isNull: Bool { self == .null }
}

extension TDSValue: CustomStringConvertible {
    /// The value's canonical text: `NULL`, 1 and 0 for bits, `0x…` for bytes, ISO dates.
    public var description: String {
        switch self {
        case .null: "NULL"
        case .bool(let value): value ? "1" : "0"
        case .uint8(let value): value.description
        case .int16(let value): value.description
        case .int32(let value): value.description
        case .int64(let value): value.description
        case .float(let value): value.description
        case .double(let value): value.description
        case .decimal(let value): value.description
        case .money(let value), .smallMoney(let value): value.description
        case .string(let value): value
        case .bytes(let value): value.sqlHex
        case .date(let value): value.description
        case .time(let value): value.description
        case .dateTime(let value): value.description
        case .smallDateTime(let value): value.description
        case .dateTime2(let value): value.description
        case .dateTimeOffset(let value): value.description
        case .guid(let value): value.description
        case .xml(let value): value.description
        case .json(let value): value.description
        case .vector(let value): value.description
        case .hierarchyID(let value): value.description
        case .spatial(let value): value.description
        case .udt(let value): value.description
        case .variant(let value): value.description
        }
    }
}

extension TDSValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByNilLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(nilLiteral: ()) { self = .null }
}

extension TDSValue: ExpressibleByIntegerLiteral {
    /// An int where the number fits, else a bigint.
    public init(integerLiteral value: Int64) {
        if let small = Int32(exactly: value) { self = .int32(small) } else { self = .int64(value) }
    }
}
