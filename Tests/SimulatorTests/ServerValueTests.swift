import NIOCore
import TDSWire
import Testing

@testable import SQLServerSimulator

@Suite("Server: types and values on the wire")
struct ServerValueTests {
    static let samples: [(SQLType, [SQLValue])] = [
        (.tinyint, [.int(0), .int(255)]), (.smallint, [.int(-32768), .int(32767)]), (.int, [.int(-2_147_483_648), .int(7)]),
        (.bigint, [.int(.min), .int(.max)]), (.bit, [.bit(true), .bit(false)]),
        (.decimal(5, 2), [.decimal(SQLDecimal(-99999, scale: 2)), .decimal(SQLDecimal(0, scale: 2))]),
        (.decimal(19, 0), [.decimal(SQLDecimal(9_999_999_999_999_999_999, scale: 0))]),
        (.decimal(28, 10), [.decimal(SQLDecimal(-1, scale: 10))]),
        (.decimal(38, 38), [.decimal(SQLDecimal(SQLDecimal.powers[38] - 1, scale: 38)), .decimal(SQLDecimal(1 - SQLDecimal.powers[38], scale: 38))]),
        (SQLType(.numeric, precision: 18, scale: 4), [.decimal(SQLDecimal(123, scale: 4))]),
        (.money, [.money(.min), .money(.max), .money(-1)]), (SQLType(.smallmoney), [.money(-2_147_483_648), .money(1)]),
        (.float, [.float(-0.1), .float(.greatestFiniteMagnitude)]), (.real, [.real(0.1)]),
        (SQLType(.char, length: 5, collation: .default), [.string("a€é  ")]), (.varchar(20), [.string(""), .string("naïve – “x”")]),
        (.varchar(-1), [.string(String(repeating: "y", count: 9000))]), (SQLType(.text, collation: .default), [.string("text")]),
        (SQLType(.varchar, length: 30, collation: SQLCollation(named: "Latin1_General_100_CI_AS_SC_UTF8")), [.string("日本語 🎉")]),
        (SQLType(.nchar, length: 4, collation: .default), [.string("日本🎉")]), (.nvarchar(20), [.string("Zürich 🎉")]),
        (.nvarchar(-1), [.string(String(repeating: "ä", count: 5000))]), (SQLType(.ntext, collation: .default), [.string("ntext ✓")]),
        (SQLType(.xml), [.string("<a b=\"1\">é</a>")]), (SQLType(.binary, length: 3), [.binary([0, 255, 1])]), (.varbinary(10), [.binary([]), .binary([1])]),
        (.varbinary(-1), [.binary([UInt8](repeating: 7, count: 20000))]), (SQLType(.image), [.binary([9, 8])]),
        (.date, [.date(0), .date(3_652_058)]), (SQLType(.time, scale: 0), [.time(863_990_000_000)]), (SQLType(.time, scale: 7), [.time(863_999_999_999)]),
        (SQLType(.time, scale: 3), [.time(12_345_670_000)]), (.datetime, [.datetime(days: -53690, ticks: 0), .datetime(days: 2_958_463, ticks: 25_919_999)]),
        (SQLType(.smalldatetime), [.smalldatetime(days: 65535, minutes: 1439)]),
        (SQLType(.datetime2, scale: 7), [.datetime2(days: 3_652_058, time: 863_999_999_999)]),
        (SQLType(.datetime2, scale: 2), [.datetime2(days: 1, time: 100_000)]),
        (SQLType(.datetimeoffset, scale: 5), [.datetimeoffset(days: 738_000, time: 863_999_999_900, offset: -840)]),
        (.uniqueidentifier, [GUID(text: "6F9619FF-8B86-D011-B42D-00C04FC964FF").map(SQLValue.uniqueidentifier) ?? .null]),
        (SQLType(.hierarchyid), [.binary([0x58])]),
        (
            SQLType(.variant),
            [
                .variant(.int, .int(5)), .variant(.nvarchar(10), .string("ü")), .variant(.decimal(10, 3), .decimal(SQLDecimal(-5, scale: 3))),
                .variant(.varbinary(4), .binary([1, 2])), .variant(SQLType(.datetime2, scale: 3), .datetime2(days: 5, time: 10_000)),
            ]
        ),
    ]

    @Test("Every type's values go out and come back", arguments: samples.indices)
    func roundTrip(index: Int) throws {
        let (type, values) = Self.samples[index]
        let info = type.typeInfo(isNullable: true, database: "test")
        // The TYPE_INFO itself survives the wire, as a column's and as a parameter's.
        var buffer = ByteBuffer()
        try buffer.writeTypeInfo(info, .columnMetadata)
        #expect(try buffer.readTypeInfo(.columnMetadata) == info)
        let back = try #require(SQLType(info))
        #expect(back.kind == type.kind)
        #expect(back.length == type.length && back.precision == type.precision && back.scale == type.scale)
        for value in values + [.null] {
            let content = try value.wireContent(as: type)
            #expect(try SQLValue(wire: content, info) == value, "\(type.declaration)")
            // And it fits the type's layout.
            try buffer.writeWireValue(content, info)
        }
    }

    @Test("Columns: flags, user types, and the fixed form of what can't be NULL")
    func columns() {
        func column(_ type: SQLType, nullable: Bool = true, identity: Bool = false, computed: Bool = false) -> ColumnMetadata {
            ResultColumn(name: "c", type: type, isNullable: nullable, isIdentity: identity, isComputed: computed).metadata(database: "test")
        }
        #expect(column(.int, nullable: false).typeInfo.dataType == .int4)
        #expect(column(.int).typeInfo.dataType == .intN)
        #expect(column(.null).typeInfo == TypeInfo(.intN, maximumLength: 4))
        #expect(column(.date, nullable: false).typeInfo.dataType == .dateN)
        #expect(column(.int, nullable: false, identity: true).flags == [.identity])
        #expect(column(.int, computed: true).flags == [.nullable, .computed])
        #expect(column(.nvarchar(5, SQLCollation(named: "Latin1_General_CS_AS") ?? .default)).flags.contains(.caseSensitive))
        #expect(column(.nvarchar(5)).flags == [.nullable, .updatabilityUnknown])
        #expect(column(SQLType(.rowversion), nullable: false).userType == 80)
        #expect(column(.nvarchar(-1)).typeInfo.maximumLength == TypeInfo.unlimited)
        #expect(column(SQLType(.hierarchyid)).typeInfo.udt?.typeName == "hierarchyid")
    }

    @Test("Values that their bytes can't be are errors, not traps")
    func malformed() {
        let cases: [(TypeInfo, [UInt8])] = [
            (TypeInfo(.intN, maximumLength: 4), [1, 2, 3]), (TypeInfo(.intN, maximumLength: 8), []), (TypeInfo(.fltN, maximumLength: 8), [1]),
            (TypeInfo(.guid, maximumLength: 16), [1]), (TypeInfo(.decimalN, maximumLength: 17, precision: 38, scale: 0), [UInt8](repeating: 255, count: 17)),
            (TypeInfo(.decimalN, maximumLength: 17, precision: 38, scale: 0), []), (TypeInfo(temporal: .timeN, scale: 7), [255, 255, 255, 255, 255]),
            (TypeInfo(temporal: .dateTime2N, scale: 7), [1]), (TypeInfo(temporal: .dateTimeOffsetN, scale: 0), [1, 2, 3, 4]),
            (TypeInfo(.dateTimN, maximumLength: 8), [1, 2, 3]), (TypeInfo(.ssVariant, maximumLength: 8009), [0x38]),
            (TypeInfo(.ssVariant, maximumLength: 8009), [0x99, 0]), (TypeInfo(.ssVariant, maximumLength: 8009), [0xE7, 7, 1]),
            (TypeInfo(.ssVariant, maximumLength: 8009), [0x62, 0]), (TypeInfo(.json, maximumLength: TypeInfo.unlimited), [1]),
        ]
        for (info, bytes) in cases {
            #expect(throws: WireError.self, "\(info)") { try SQLValue(wire: ByteBuffer(bytes: bytes), info) }
        }
    }

    @Test("INSERT BULK statements")
    func bulk() {
        let insert = BulkInsert("insert bulk [dbo].[t (1)] ([a, b] int, \"c\" nvarchar(10) COLLATE X, d decimal(10, 2), [e]]f] bit) with (TABLOCK)")
        #expect(insert?.table == "[dbo].[t (1)]")
        #expect(insert?.columns == ["[a, b]", "\"c\"", "d", "[e]]f]"])
        #expect(BulkInsert("INSERT BULK t(a int)")?.columns == ["a"])
        for other in ["INSERT INTO bulk (a) VALUES (1)", "INSERT BULK t", "INSERT BULK t (a int", "INSERT BULK (a int)", "insert bulkt (a int)", ""] {
            #expect(BulkInsert(other) == nil, "\(other)")
        }
    }
}
