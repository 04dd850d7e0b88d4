public import NIOCore

// ORDER, RETURNSTATUS, TABNAME, COLINFO, OFFSET, SSPI: tokens of a few fields each.
//
// ORDER        0xA9  USHORT length, USHORT column numbers                       MS-TDS 2.2.7.17
// RETURNSTATUS 0x79  LONG (no length)                                           MS-TDS 2.2.7.18
// TABNAME      0xA4  USHORT length, tables: BYTE parts, US_VARCHAR each (7.1 rev 1 and later; before: US_VARCHAR)  2.2.7.23
// COLINFO      0xA5  USHORT length, columns: BYTE ColNum, BYTE TableNum, BYTE Status, [B_VARCHAR ColName]  2.2.7.5
// OFFSET       0x78  USHORT identifier, USHORT offset (no length)               MS-TDS 2.2.7.16
// SSPI         0xED  USHORT length, bytes                                       MS-TDS 2.2.7.22

/// One column of COLINFO: which table of TABNAME it comes from (browse mode and cursors).
public struct ColInfo: Hashable, Sendable {
    /// The Status field.
    public struct Status: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The result of an expression.
        public static let expression = Status(rawValue: 0x4)
        /// Part of a key of its table.
        public static let key = Status(rawValue: 0x8)
        /// Not asked for, added because it is part of a key.
        public static let hidden = Status(rawValue: 0x10)
        /// The column's name in its table differs and follows.
        public static let differentName = Status(rawValue: 0x20)
    }

    /// From 1.
    public var column: UInt8
    /// From 1; 0 for an expression.
    public var table: UInt8
    public var status: Status
    /// The name in the base table, with ``Status/differentName``.
    public var name: String?

    public init(column: UInt8, table: UInt8, status: Status, name: String? = nil) {
        self.column = column
        self.table = table
        self.status = status
        self.name = name
    }
}

extension ByteBuffer {
    mutating func readOrder() throws(WireError) -> [UInt16] {
        guard readableBytes % 2 == 0 else { throw WireError(.malformed, "ORDER Length") }
        var columns: [UInt16] = []
        while readableBytes > 0 { columns.append(try readLE("ORDER ColNum")) }
        return columns
    }

    /// Writes an ORDER token: the numbers (from 1) of the columns that the result is sorted by.
    public mutating func writeOrder(_ columns: [UInt16]) throws(WireError) {
        writeLE(TokenType.order.rawValue)
        try writeLengthPrefixed(as: UInt16.self, "ORDER Length") { buffer throws(WireError) in
            for column in columns { buffer.writeLE(column) }
        }
    }

    /// Writes a RETURNSTATUS token: what a procedure returned.
    public mutating func writeReturnStatus(_ value: Int32) {
        writeLE(TokenType.returnStatus.rawValue)
        writeLE(value)
    }

    mutating func readTabName(version: TDSVersion) throws(WireError) -> [[String]] {
        var tables: [[String]] = []
        while readableBytes > 0 {
            if version >= .v7_1_1 {
                let parts = try readLE("TABNAME NumParts", as: UInt8.self)
                var name: [String] = []
                for _ in 0..<parts { name.append(try readUSVarchar("TABNAME PartName")) }
                tables.append(name)
            } else {
                tables.append([try readUSVarchar("TABNAME TableName")])
            }
        }
        return tables
    }

    /// Writes a TABNAME token: the tables of a result in browse mode, each in one to four parts.
    public mutating func writeTabName(_ tables: [[String]], version: TDSVersion = .v7_4) throws(WireError) {
        writeLE(TokenType.tabName.rawValue)
        try writeLengthPrefixed(as: UInt16.self, "TABNAME Length") { buffer throws(WireError) in
            for table in tables {
                if version >= .v7_1_1 {
                    guard let parts = UInt8(exactly: table.count) else { throw WireError(.valueOutOfRange, "TABNAME NumParts") }
                    buffer.writeLE(parts)
                    for part in table { try buffer.writeUSVarchar(part, "TABNAME PartName") }
                } else {
                    try buffer.writeUSVarchar(table.joined(separator: "."), "TABNAME TableName")
                }
            }
        }
    }

    mutating func readColInfo() throws(WireError) -> [ColInfo] {
        var columns: [ColInfo] = []
        while readableBytes > 0 {
            let column: UInt8 = try readLE("COLINFO ColNum")
            let table: UInt8 = try readLE("COLINFO TableNum")
            let status = ColInfo.Status(rawValue: try readLE("COLINFO Status"))
            let name = status.contains(.differentName) ? try readBVarchar("COLINFO ColName") : nil
            columns.append(ColInfo(column: column, table: table, status: status, name: name))
        }
        return columns
    }

    /// Writes a COLINFO token.
    public mutating func writeColInfo(_ columns: [ColInfo]) throws(WireError) {
        writeLE(TokenType.colInfo.rawValue)
        try writeLengthPrefixed(as: UInt16.self, "COLINFO Length") { buffer throws(WireError) in
            for column in columns {
                buffer.writeLE(column.column)
                buffer.writeLE(column.table)
                buffer.writeLE(column.status.rawValue)
                if column.status.contains(.differentName) { try buffer.writeBVarchar(column.name ?? "", "COLINFO ColName") }
            }
        }
    }

    /// Writes an OFFSET token (SET OFFSETS; removed from SQL Server 2012).
    public mutating func writeOffset(identifier: UInt16, length: UInt16) {
        writeLE(TokenType.offset.rawValue)
        writeLE(identifier)
        writeLE(length)
    }

    /// Writes an SSPI token: the server's next bytes of an integrated authentication.
    public mutating func writeSSPIToken(_ bytes: ByteBuffer) throws(WireError) {
        writeLE(TokenType.sspi.rawValue)
        try writeLengthPrefixed(as: UInt16.self, "SSPI Length") { buffer throws(WireError) in _ = buffer.writeImmutableBuffer(bytes) }
    }
}
