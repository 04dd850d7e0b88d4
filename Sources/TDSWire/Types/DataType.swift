/// The type byte of a TYPE_INFO (MS-TDS 2.2.5.4).
public enum DataType: UInt8, Hashable, Sendable, CaseIterable {
    // Zero and fixed length, 2.2.5.4.1
    case null = 0x1F
    case int1 = 0x30, bit = 0x32, int2 = 0x34, int4 = 0x38, int8 = 0x7F
    case dateTim4 = 0x3A, dateTime = 0x3D
    case flt4 = 0x3B, flt8 = 0x3E
    case money4 = 0x7A, money = 0x3C

    // Variable length with a BYTE length, 2.2.5.4.2
    case guid = 0x24
    case intN = 0x26, bitN = 0x68
    case decimal = 0x37, numeric = 0x3F, decimalN = 0x6A, numericN = 0x6C
    case fltN = 0x6D, moneyN = 0x6E, dateTimN = 0x6F
    case dateN = 0x28, timeN = 0x29, dateTime2N = 0x2A, dateTimeOffsetN = 0x2B
    /// The four legacy types of SQL Server 6.5, BYTE length.
    case char = 0x2F, varChar = 0x27, binary = 0x2D, varBinary = 0x25

    // Variable length with a USHORT length; 0xFFFF in the TYPE_INFO means PLP
    case bigVarBin = 0xA5, bigVarChar = 0xA7, bigBinary = 0xAD, bigChar = 0xAF
    case nVarChar = 0xE7, nChar = 0xEF
    /// SQL Server 2025 and Azure SQL, after the VECTORSUPPORT feature was acknowledged.
    case vector = 0xF5

    // PLP always
    case xml = 0xF1, udt = 0xF0
    /// SQL Server 2025 and Azure SQL, after the JSONSUPPORT feature was acknowledged. UTF-8.
    case json = 0xF4

    // Variable length with a LONG length
    case text = 0x23, image = 0x22, nText = 0x63, ssVariant = 0x62

    /// A table-valued parameter; only in RPC requests, 2.2.5.5.5.
    case tvp = 0xF3
}
