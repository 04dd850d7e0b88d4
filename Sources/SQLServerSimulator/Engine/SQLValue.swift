public import TDSWire

/// A value, apart from its type: `tinyint` 1 and `bigint` 1 are the same case here, the column or the expression knows the type.
///
/// What TDSWire's types say beside the value is always the same here, so that equal values compare as equal: decimals have precision 38
/// (but a scale of their own), times have scale 7.
public enum SQLValue: Sendable, Hashable {
    case null
    /// tinyint, smallint, int, bigint.
    case int(Int64)
    case bit(Bool)
    case decimal(TDSDecimal)
    /// money and smallmoney.
    case money(TDSMoney)
    case float(Double)
    case real(Float)
    /// Every character type and xml.
    case string(String)
    /// binary, varbinary, image, rowversion (big-endian) and hierarchyid.
    case binary([UInt8])
    case date(TDSDate)
    case time(TDSTime)
    case datetime(TDSDateTime)
    case smalldatetime(TDSSmallDateTime)
    case datetime2(TDSDateTime2)
    case datetimeoffset(TDSDateTimeOffset)
    case uniqueidentifier(TDSGUID)
    /// A sql_variant's content with its own type; never NULL and never a variant again.
    indirect case variant(SQLType, SQLValue)

    public var isNull: Bool {
        if case .null = self { return true }
        return false
    }
}
