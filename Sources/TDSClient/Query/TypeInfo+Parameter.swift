public import TDSWire

/// The types of parameters, as a query names them: `\(name, as: .varchar(20))`.
extension TypeInfo {
    /// varchar(n), with the collation of the column that it is compared with; `length` is in bytes, 1 to 8000.
    public static func varchar(_ length: Int, collation: Collation = .sqlLatin1GeneralCP1CIAS) -> TypeInfo {
        TypeInfo(.bigVarChar, maximumLength: length, collation: collation)
    }

    /// nvarchar(n); `length` is in UTF-16 units, 1 to 4000.
    public static func nvarchar(_ length: Int, collation: Collation = .sqlLatin1GeneralCP1CIAS) -> TypeInfo {
        TypeInfo(.nVarChar, maximumLength: length * 2, collation: collation)
    }

    /// nvarchar(max).
    public static func nvarcharMax(collation: Collation = .sqlLatin1GeneralCP1CIAS) -> TypeInfo {
        TypeInfo(.nVarChar, maximumLength: unlimited, collation: collation)
    }

    /// varbinary(n); `length` is in bytes, 1 to 8000.
    public static func varbinary(_ length: Int) -> TypeInfo { TypeInfo(.bigVarBin, maximumLength: length) }

    /// decimal(p, s).
    public static func decimal(_ precision: UInt8, _ scale: UInt8) -> TypeInfo {
        TypeInfo(.decimalN, maximumLength: 17, precision: precision, scale: scale)
    }

    public static var bit: TypeInfo { TypeInfo(.bitN, maximumLength: 1) }
    public static var tinyint: TypeInfo { TypeInfo(.intN, maximumLength: 1) }
    public static var smallint: TypeInfo { TypeInfo(.intN, maximumLength: 2) }
    public static var int: TypeInfo { TypeInfo(.intN, maximumLength: 4) }
    public static var bigint: TypeInfo { TypeInfo(.intN, maximumLength: 8) }
    public static var float: TypeInfo { TypeInfo(.fltN, maximumLength: 8) }
    public static var uniqueidentifier: TypeInfo { TypeInfo(.guid, maximumLength: 16) }
    public static var datetime: TypeInfo { TypeInfo(.dateTimN, maximumLength: 8) }
}
