// What the catalogue says about a column's type, apart from the wire: schemas, parameters and key positions are built from it.

/// A column's SQL type, with alias types resolved to their base type.
public struct ColumnType: Hashable, Sendable {
    /// The base type's name, lower-case ("varchar", "datetime2"); a CLR type's own name.
    public var name: String
    /// `sys.columns.max_length`: bytes, -1 for (max).
    public var maxLength: Int
    /// `sys.columns.precision`: digits of a number, or the width of a temporal type's text.
    public var precision: Int
    /// `sys.columns.scale`: digits after the point, of a number or of a second.
    public var scale: Int
    /// The collation of a character type.
    public var collation: String?

    public init(name: String, maxLength: Int = 0, precision: Int = 0, scale: Int = 0, collation: String? = nil) {
        self.name = name
        self.maxLength = maxLength
        self.precision = precision
        self.scale = scale
        self.collation = collation
    }

    /// How the kind of value travels: in documents, in key positions and as a parameter.
    public enum Kind: Hashable, Sendable {
        case integer, bit, exactNumber, real, float
        case character, nationalCharacter, xml
        case binary, rowversion
        case date, time, datetime, smalldatetime, datetime2, datetimeoffset
        case uniqueidentifier
        case hierarchyid
        /// sql_variant, geometry, geography, json, vector and CLR types.
        case other
    }

    public var kind: Kind {
        switch name {
        case "tinyint", "smallint", "int", "bigint": .integer
        case "bit": .bit
        case "decimal", "numeric", "money", "smallmoney": .exactNumber
        case "real": .real
        case "float": .float
        case "char", "varchar", "text": .character
        case "nchar", "nvarchar", "ntext": .nationalCharacter
        case "xml": .xml
        case "binary", "varbinary", "image": .binary
        case "timestamp", "rowversion": .rowversion
        case "date": .date
        case "time": .time
        case "datetime": .datetime
        case "smalldatetime": .smalldatetime
        case "datetime2": .datetime2
        case "datetimeoffset": .datetimeoffset
        case "uniqueidentifier": .uniqueidentifier
        case "hierarchyid": .hierarchyid
        default: .other
        }
    }

    /// Whether a key position can hold values of the type.
    public var canBeKey: Bool {
        switch kind {
        case .other, .xml: false
        default: true
        }
    }

    /// The length in characters of char(n), varchar(n), nchar(n) and nvarchar(n); `nil` for (max) and everything else.
    public var characterLength: Int? {
        guard maxLength > 0 else { return nil }
        return switch name {
        case "char", "varchar": maxLength
        case "nchar", "nvarchar": maxLength / 2
        default: nil
        }
    }

    /// The type as a declaration, with everything that makes it exact: "decimal(10,5)", "varchar(32)", "datetime2(7)".
    public var declaration: String {
        switch name {
        case "char", "varchar", "binary", "varbinary": maxLength < 0 ? "\(name)(max)" : "\(name)(\(max(maxLength, 1)))"
        case "nchar", "nvarchar": maxLength < 0 ? "\(name)(max)" : "\(name)(\(max(maxLength / 2, 1)))"
        case "decimal", "numeric": "\(name)(\(precision),\(scale))"
        case "time", "datetime2", "datetimeoffset": "\(name)(\(scale))"
        case "float": "float(53)"
        case "timestamp", "rowversion": "binary(8)"
        default: name
        }
    }

    /// The type as the existing connector names it in a column's description: the length of text, nothing else.
    public var descriptionName: String {
        switch name {
        case "char", "varchar", "nchar", "nvarchar": declaration
        default: name
        }
    }
}
