public import NIOCore

/// A table-valued parameter: TVP_TYPE_INFO (MS-TDS 2.2.5.5.5) and its rows. TDS 7.3 and later.
///
/// ```
/// +------+---------+--------------+----------+-----------------------------+----------------------+-------------+------+------+------+
/// | 0xF3 | DbName  | OwningSchema | TypeName | 0xFFFF (NULL), or           | [0x10 order, unique] | [0x11 column| 0x00 | rows | 0x00 |
/// |      |B_VARCHAR| B_VARCHAR    | B_VARCHAR| USHORT count and columns    |                      |  ordering]  |      |      |      |
/// +------+---------+--------------+----------+-----------------------------+----------------------+-------------+------+------+------+
/// column:  ULONG UserType, USHORT Flags, TYPE_INFO, B_VARCHAR name (empty)
/// order:   USHORT count, then USHORT column and BYTE flags each
/// ordering:USHORT count, then USHORT column each
/// row:     0x01, then the value of every column without the default flag, as in a ROW
/// ```
public struct TableValuedParameter: Hashable, Sendable {
    /// Everything before the rows.
    public struct Head: Hashable, Sendable {
        /// Has to be empty by the specification.
        public var database: String
        public var schema: String
        public var typeName: String
        /// nil is a NULL table (TVP_NULL_TOKEN).
        public var columns: [ColumnMetadata]?
        public var orderUnique: [OrderUnique]
        /// The columns of the table type, from 1, in the order in which ``columns`` lists them; empty if that is the type's order.
        public var columnOrdering: [UInt16]

        public init(
            database: String = "", schema: String, typeName: String, columns: [ColumnMetadata]?, orderUnique: [OrderUnique] = [],
            columnOrdering: [UInt16] = []
        ) {
            self.database = database
            self.schema = schema
            self.typeName = typeName
            self.columns = columns
            self.orderUnique = orderUnique
            self.columnOrdering = columnOrdering
        }

        /// The columns whose values are sent: those without ``ColumnMetadata/Flags/defaultValue``.
        public var sentColumns: [ColumnMetadata] { columns?.filter { !$0.flags.contains(.defaultValue) } ?? [] }
    }

    /// TVP_ORDER_UNIQUE: what the client knows of the rows' order and uniqueness.
    public struct OrderUnique: Hashable, Sendable {
        public struct Flags: OptionSet, Hashable, Sendable {
            public var rawValue: UInt8
            public init(rawValue: UInt8) { self.rawValue = rawValue }

            public static let ascending = Flags(rawValue: 0x01)
            public static let descending = Flags(rawValue: 0x02)
            public static let unique = Flags(rawValue: 0x04)
        }

        /// From 1.
        public var column: UInt16
        public var flags: Flags

        public init(column: UInt16, flags: Flags) {
            self.column = column
            self.flags = flags
        }
    }

    public var head: Head
    /// Per row the values of ``Head/sentColumns``, without their lengths; nil is NULL.
    public var rows: [[ByteBuffer?]]

    public init(_ head: Head, rows: [[ByteBuffer?]] = []) {
        self.head = head
        self.rows = rows
    }

    enum Tag {
        static let end: UInt8 = 0x00, row: UInt8 = 0x01, orderUnique: UInt8 = 0x10, columnOrdering: UInt8 = 0x11
        static let null: UInt16 = 0xFFFF
    }
    /// MS-TDS: a table has 1 to 1024 columns.
    static let columnLimit = 1024
}

extension ColumnMetadata.Flags {
    /// fDefault, in table-valued parameters only: the column gets its default, and rows don't hold it.
    public static let defaultValue = ColumnMetadata.Flags(rawValue: 0x0200)
}

extension ByteBuffer {
    /// Reads everything of a table-valued parameter between its type byte and its rows.
    mutating func readTableHead(version: TDSVersion) throws(WireError) -> TableValuedParameter.Head {
        var head = TableValuedParameter.Head(
            database: try readBVarchar("TVP DbName"), schema: try readBVarchar("TVP OwningSchema"), typeName: try readBVarchar("TVP TypeName"), columns: nil)
        let count: UInt16 = try readLE("TVP Count")
        if count != TableValuedParameter.Tag.null {
            guard (1...TableValuedParameter.columnLimit).contains(Int(count)) else { throw WireError(.malformed, "TVP Count", "\(count)") }
            var columns: [ColumnMetadata] = []
            for _ in 0..<count {
                let userType: UInt32 = try readLE("TVP UserType")
                let flags = ColumnMetadata.Flags(rawValue: try readLE("TVP Flags"))
                let type = try readTypeInfo(.parameter, version: version)
                columns.append(ColumnMetadata(try readBVarchar("TVP ColName"), type, flags: flags, userType: userType))
            }
            head.columns = columns
        }
        while true {
            let tag: UInt8 = try readLE("TVP metadata token")
            switch tag {
            case TableValuedParameter.Tag.end: return head
            case TableValuedParameter.Tag.orderUnique:
                guard head.orderUnique.isEmpty else { throw WireError(.malformed, "TVP_ORDER_UNIQUE", "twice") }
                for _ in 0..<(try readColumnCount("TVP_ORDER_UNIQUE Count")) {
                    head.orderUnique.append(
                        .init(column: try readLE("TVP_ORDER_UNIQUE ColNum"), flags: .init(rawValue: try readLE("TVP_ORDER_UNIQUE flags"))))
                }
            case TableValuedParameter.Tag.columnOrdering:
                guard head.columnOrdering.isEmpty else { throw WireError(.malformed, "TVP_COLUMN_ORDERING", "twice") }
                for _ in 0..<(try readColumnCount("TVP_COLUMN_ORDERING Count")) { head.columnOrdering.append(try readLE("TVP_COLUMN_ORDERING ColNum")) }
            default: throw WireError(.unknownToken, "TVP metadata token", "byte \(tag)")
            }
        }
    }

    private mutating func readColumnCount(_ element: String) throws(WireError) -> UInt16 {
        let count: UInt16 = try readLE(element)
        guard (1...TableValuedParameter.columnLimit).contains(Int(count)) else { throw WireError(.malformed, element, "\(count)") }
        return count
    }

    /// Writes a table-valued parameter's type byte and everything before its rows.
    mutating func writeTableHead(_ head: TableValuedParameter.Head, version: TDSVersion) throws(WireError) {
        guard version >= .v7_3_a else { throw WireError(.unsupportedVersion, "TVP", "table-valued parameters came with TDS 7.3") }
        writeLE(DataType.tvp.rawValue)
        try writeBVarchar(head.database, "TVP DbName")
        try writeBVarchar(head.schema, "TVP OwningSchema")
        try writeBVarchar(head.typeName, "TVP TypeName")
        if let columns = head.columns {
            guard (1...TableValuedParameter.columnLimit).contains(columns.count) else { throw WireError(.valueOutOfRange, "TVP Count") }
            writeLE(UInt16(truncatingIfNeeded: columns.count))
            for column in columns {
                writeLE(column.userType)
                writeLE(column.flags.rawValue)
                try writeTypeInfo(column.typeInfo, .parameter, version: version)
                try writeBVarchar(column.name, "TVP ColName")
            }
        } else {
            writeLE(TableValuedParameter.Tag.null)
        }
        if !head.orderUnique.isEmpty {
            writeLE(TableValuedParameter.Tag.orderUnique)
            guard head.orderUnique.count <= TableValuedParameter.columnLimit else { throw WireError(.valueOutOfRange, "TVP_ORDER_UNIQUE Count") }
            writeLE(UInt16(truncatingIfNeeded: head.orderUnique.count))
            for column in head.orderUnique {
                writeLE(column.column)
                writeLE(column.flags.rawValue)
            }
        }
        if !head.columnOrdering.isEmpty {
            writeLE(TableValuedParameter.Tag.columnOrdering)
            guard head.columnOrdering.count <= TableValuedParameter.columnLimit else { throw WireError(.valueOutOfRange, "TVP_COLUMN_ORDERING Count") }
            writeLE(UInt16(truncatingIfNeeded: head.columnOrdering.count))
            for column in head.columnOrdering { writeLE(column) }
        }
        writeLE(TableValuedParameter.Tag.end)
    }
}
