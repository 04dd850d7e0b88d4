import TDSWire

/// The type of a column, a variable or an expression, with what SQL Server keeps beside the type's name.
public struct SQLType: Hashable, Sendable {
    public enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        case tinyint, smallint, int, bigint, bit
        case decimal, numeric, money, smallmoney, float, real
        case char, varchar, text, nchar, nvarchar, ntext, xml
        case binary, varbinary, image, rowversion, hierarchyid
        case date, time, datetime, smalldatetime, datetime2, datetimeoffset
        case uniqueidentifier, variant
        /// The type of a bare NULL. It leaves the engine as `int`, as from a real server.
        case null
    }

    public var kind: Kind
    /// Declared length: characters (UTF-16 units) for nchar and nvarchar, bytes for char, varchar, binary and varbinary, -1 for
    /// `max`; 0 where the type has none.
    public var length: Int
    /// Decimal and numeric: 1...38.
    public var precision: UInt8
    /// Decimal and numeric: digits after the point; time, datetime2 and datetimeoffset: digits of the second's fraction.
    public var scale: UInt8
    /// Of character types only.
    public var collation: SQLCollation?
    /// `sysname`, the alias of nvarchar(128) NOT NULL: the same on the wire, another `user_type_id`.
    public var isSysname: Bool

    public init(
        _ kind: Kind, length: Int = 0, precision: UInt8 = 0, scale: UInt8 = 0, collation: SQLCollation? = nil, isSysname: Bool = false
    ) {
        self.kind = kind
        self.length = length
        self.precision = precision
        self.scale = scale
        self.collation = collation
        self.isSysname = isSysname
    }

    public static let tinyint = SQLType(.tinyint)
    public static let smallint = SQLType(.smallint)
    public static let int = SQLType(.int)
    public static let bigint = SQLType(.bigint)
    public static let bit = SQLType(.bit)
    public static let float = SQLType(.float)
    public static let real = SQLType(.real)
    public static let money = SQLType(.money)
    public static let datetime = SQLType(.datetime)
    public static let date = SQLType(.date)
    public static let uniqueidentifier = SQLType(.uniqueidentifier)
    public static let null = SQLType(.null)
    public static let sysname = SQLType(.nvarchar, length: 128, collation: .default, isSysname: true)
    public static func decimal(_ precision: Int, _ scale: Int) -> SQLType {
        SQLType(.decimal, precision: UInt8(clamping: precision), scale: UInt8(clamping: scale))
    }
    public static func nvarchar(_ length: Int, _ collation: SQLCollation = .default) -> SQLType {
        SQLType(.nvarchar, length: length, collation: collation)
    }
    public static func varchar(_ length: Int, _ collation: SQLCollation = .default) -> SQLType {
        SQLType(.varchar, length: length, collation: collation)
    }
    public static func varbinary(_ length: Int) -> SQLType { SQLType(.varbinary, length: length) }

    public var isMax: Bool { length == -1 }

    public var isCharacter: Bool {
        switch kind {
        case .char, .varchar, .text, .nchar, .nvarchar, .ntext: return true
        default: return false
        }
    }
    public var isUnicode: Bool {
        switch kind {
        case .nchar, .nvarchar, .ntext, .xml: return true
        default: return false
        }
    }
    public var isInteger: Bool {
        switch kind {
        case .tinyint, .smallint, .int, .bigint: return true
        default: return false
        }
    }
    var isExactNumeric: Bool {
        switch kind {
        case .tinyint, .smallint, .int, .bigint, .bit, .decimal, .numeric, .money, .smallmoney: return true
        default: return false
        }
    }
    var isNumeric: Bool { isExactNumeric || kind == .float || kind == .real }
    var isDecimal: Bool { kind == .decimal || kind == .numeric }
    var isBinary: Bool {
        switch kind {
        case .binary, .varbinary, .image, .rowversion: return true
        default: return false
        }
    }
    var isTemporal: Bool {
        switch kind {
        case .date, .time, .datetime, .smalldatetime, .datetime2, .datetimeoffset: return true
        default: return false
        }
    }
    var isLOB: Bool { kind == .text || kind == .ntext || kind == .image || kind == .xml || length == -1 }

    /// The name as `sys.types` has it.
    public var name: String {
        switch kind {
        case .tinyint: return "tinyint"
        case .smallint: return "smallint"
        case .int, .null: return "int"
        case .bigint: return "bigint"
        case .bit: return "bit"
        case .decimal: return "decimal"
        case .numeric: return "numeric"
        case .money: return "money"
        case .smallmoney: return "smallmoney"
        case .float: return "float"
        case .real: return "real"
        case .char: return "char"
        case .varchar: return "varchar"
        case .text: return "text"
        case .nchar: return "nchar"
        case .nvarchar: return isSysname ? "sysname" : "nvarchar"
        case .ntext: return "ntext"
        case .xml: return "xml"
        case .binary: return "binary"
        case .varbinary: return "varbinary"
        case .image: return "image"
        case .rowversion: return "timestamp"
        case .hierarchyid: return "hierarchyid"
        case .date: return "date"
        case .time: return "time"
        case .datetime: return "datetime"
        case .smalldatetime: return "smalldatetime"
        case .datetime2: return "datetime2"
        case .datetimeoffset: return "datetimeoffset"
        case .uniqueidentifier: return "uniqueidentifier"
        case .variant: return "sql_variant"
        }
    }

    /// The declaration, e.g. `decimal(10,5)`, `varchar(max)`.
    public var declaration: String {
        switch kind {
        case .decimal, .numeric: return "\(name)(\(precision),\(scale))"
        case .char, .varchar, .nchar, .nvarchar, .binary, .varbinary:
            return isSysname ? "sysname" : "\(name)(\(isMax ? "max" : String(length)))"
        case .time, .datetime2, .datetimeoffset: return "\(name)(\(scale))"
        default: return name
        }
    }

    /// `system_type_id` of `sys.types`.
    var systemTypeID: UInt8 {
        switch kind {
        case .image: return 34
        case .text: return 35
        case .uniqueidentifier: return 36
        case .date: return 40
        case .time: return 41
        case .datetime2: return 42
        case .datetimeoffset: return 43
        case .tinyint: return 48
        case .smallint: return 52
        case .int, .null: return 56
        case .smalldatetime: return 58
        case .real: return 59
        case .money: return 60
        case .datetime: return 61
        case .float: return 62
        case .variant: return 98
        case .ntext: return 99
        case .bit: return 104
        case .decimal: return 106
        case .numeric: return 108
        case .smallmoney: return 122
        case .bigint: return 127
        case .varbinary: return 165
        case .varchar: return 167
        case .binary: return 173
        case .char: return 175
        case .rowversion: return 189
        case .nvarchar: return 231
        case .nchar: return 239
        case .hierarchyid: return 240
        case .xml: return 241
        }
    }
    var userTypeID: Int {
        if isSysname { return 256 }
        return kind == .hierarchyid ? 128 : Int(systemTypeID)
    }

    /// `max_length` of `sys.columns`: bytes, -1 for `max` and xml.
    var maxLength: Int {
        switch kind {
        case .tinyint, .bit: return 1
        case .smallint: return 2
        case .int, .real, .smallmoney, .smalldatetime, .null: return 4
        case .bigint, .float, .money, .datetime, .rowversion: return 8
        case .decimal, .numeric: return TDSDecimal.wireSize(precision: precision)
        case .char, .varchar, .binary, .varbinary: return length
        case .nchar, .nvarchar: return length < 0 ? -1 : length * 2
        case .text, .ntext, .image, .uniqueidentifier: return 16
        case .xml: return -1
        case .hierarchyid: return 892
        case .date: return 3
        case .time: return TDSTime.wireSize(scale: scale)
        case .datetime2: return TDSTime.wireSize(scale: scale) + 3
        case .datetimeoffset: return TDSTime.wireSize(scale: scale) + 5
        case .variant: return 8016
        }
    }

    /// `precision` of `sys.columns`.
    var catalogPrecision: Int {
        switch kind {
        case .tinyint: return 3
        case .smallint: return 5
        case .int, .smallmoney, .null, .date: return 10
        case .bigint, .money: return 19
        case .bit: return 1
        case .decimal, .numeric: return Int(precision)
        case .float: return 53
        case .real: return 24
        case .time: return scale == 0 ? 8 : 9 + Int(scale)
        case .datetime: return 23
        case .smalldatetime: return 16
        case .datetime2: return scale == 0 ? 19 : 20 + Int(scale)
        case .datetimeoffset: return scale == 0 ? 26 : 27 + Int(scale)
        default: return 0
        }
    }
    /// `scale` of `sys.columns`.
    var catalogScale: Int {
        switch kind {
        case .decimal, .numeric, .time, .datetime2, .datetimeoffset: return Int(scale)
        case .money, .smallmoney: return 4
        case .datetime: return 3
        default: return 0
        }
    }
    /// Whether the wire has a form without a length byte for it, which goes out for columns that can't be NULL
    /// (MS-TDS 2.2.5.4.1, fixed-length types).
    public var hasFixedForm: Bool {
        switch kind {
        case .tinyint, .smallint, .int, .bigint, .bit, .float, .real, .money, .smallmoney, .datetime, .smalldatetime: return true
        default: return false
        }
    }
}
