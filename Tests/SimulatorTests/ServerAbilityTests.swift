import NIOCore
import TDSWire
import Testing

@testable import SQLServerSimulator

@Suite("Server: what older clients get")
struct ServerAbilityTests {
    @Test("Types that a version doesn't know go out as others")
    func types() {
        let utf8 = SQLCollation(named: "Latin1_General_100_CI_AS_SC_UTF8")
        let cases: [(SQLType, TDSVersion, Bool, SQLType)] = [
            (.date, .v7_2, false, .nvarchar(10)), (SQLType(.time, scale: 7), .v7_2, false, .nvarchar(16)),
            (SQLType(.datetime2, scale: 3), .v7_1, false, .nvarchar(27)), (SQLType(.datetimeoffset, scale: 0), .v7_2, false, .nvarchar(34)),
            (.date, .v7_3_a, false, .date), (SQLType(.xml), .v7_1, false, SQLType(.ntext, collation: .default)), (SQLType(.xml), .v7_2, false, SQLType(.xml)),
            (.nvarchar(-1), .v7_1, false, SQLType(.ntext, collation: .default)), (.varchar(-1), .v7_0, false, SQLType(.text, collation: .default)),
            (.varbinary(-1), .v7_1, false, SQLType(.image)), (.varbinary(-1), .v7_4, false, .varbinary(-1)),
            (SQLType(.varchar, length: 10, collation: utf8), .v7_4, false, SQLType(.nvarchar, length: 10, collation: utf8)),
            (SQLType(.varchar, length: 8000, collation: utf8), .v7_4, false, SQLType(.nvarchar, length: -1, collation: utf8)),
            (SQLType(.varchar, length: 10, collation: utf8), .v7_4, true, SQLType(.varchar, length: 10, collation: utf8)),
            (.varchar(10), .v7_4, false, .varchar(10)),
        ]
        for (type, version, readsUTF8, sent) in cases {
            let column = ClientAbilities(version: version, readsUTF8: readsUTF8).column(ResultColumn(name: "c", type: type))
            #expect(column.type == sent, "\(type.declaration) for \(version)")
        }
    }

    @Test("Rows value by value: converted, and with a NULL bitmap where that is shorter")
    func rows() throws {
        let from = [
            ResultColumn(name: "a", type: .int, isNullable: false), ResultColumn(name: "d", type: .date), ResultColumn(name: "t", type: SQLType(.datetime2, scale: 3)),
            ResultColumn(name: "x", type: .nvarchar(-1)),
        ]
        let old = ClientAbilities(version: .v7_1)
        var writer = RowWriter(from: from, to: from.map(old.column), usesNullBitmap: false)
        var buffer = ByteBuffer()
        try buffer.writeColumnMetadata(from.map { old.column($0).metadata(database: "") }, version: .v7_1)
        try writer.write([.int(5), .date(try TDSDate(days: 738_944)), .datetime2(try TDSDateTime2(text: "2024-02-29 01:00:00").widest), .string("é")], to: &buffer)
        try writer.write([.int(6), .null, .null, .null], to: &buffer)
        buffer.writeDone(Done(), version: .v7_1)
        var decoder = TokenStreamDecoder(version: .v7_1)
        decoder.append(buffer)
        var sink = KeepingSink()
        while case .token = try decoder.decode(into: &sink) {}
        func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] } }
        #expect(sink.rows == [[[5, 0, 0, 0], utf16("2024-02-29"), utf16("2024-02-29 01:00:00.000"), utf16("é")], [[6, 0, 0, 0], nil, nil, nil]])

        // Columns around the bitmap's bytes.
        for count in [1, 7, 8, 9, 17, 64] {
            let columns = (0..<count).map { ResultColumn(name: "c\($0)", type: .int) }
            var writer = RowWriter(from: columns, to: columns, usesNullBitmap: true)
            var buffer = ByteBuffer()
            try buffer.writeColumnMetadata(columns.map { $0.metadata(database: "") })
            let values = (0..<count).map { $0 % 9 == 8 ? SQLValue.int(Int64($0)) : .null }
            let start = buffer.writerIndex
            try writer.write(values, to: &buffer)
            #expect(buffer.getInteger(at: start, as: UInt8.self) == (count >= 7 ? 0xD2 : 0xD1))
            buffer.writeDone(Done())
            var decoder = TokenStreamDecoder()
            decoder.append(buffer)
            var sink = KeepingSink()
            while case .token = try decoder.decode(into: &sink) {}
            let expected: [[UInt8]?] = (0..<UInt8(count)).map { number in number % 9 == 8 ? [number, 0, 0, 0] : nil }
            #expect(sink.rows.count == 1)
            #expect(sink.rows.first == expected)
        }
    }
}
