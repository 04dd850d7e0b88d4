import NIOCore
import TDSWire
import Testing

@testable import SQLServerSimulator

@Suite("Server: types and values on the wire")
struct ServerValueTests {
    /// Values that their types refuse would be a fault of the test.
    private static func value(_ make: () throws -> SQLValue) -> SQLValue {
        do {
            return try make()
        } catch {
            Issue.record(error)
            return .null
        }
    }
    private static func decimal(_ text: String) -> SQLValue { value { .decimal(try TDSDecimal(text: text).widest) } }
    private static func money(_ amount: Int64) -> SQLValue { .money(TDSMoney(tenThousandths: amount)) }
    private static func date(_ text: String) -> SQLValue { value { .date(try TDSDate(text: text)) } }
    private static func time(_ text: String) -> SQLValue { value { .time(try TDSTime(text: text).widest) } }
    private static func datetime2(_ text: String) -> SQLValue { value { .datetime2(try TDSDateTime2(text: text).widest) } }
    private static func text(_ text: String, _ collation: String, _ kind: SQLType.Kind = .varchar, length: Int = 20) -> (SQLType, [SQLValue]) {
        (SQLType(kind, length: length, collation: SQLCollation(named: collation)), [.string(text)])
    }

    static let samples: [(SQLType, [SQLValue])] = [
        (.tinyint, [.int(0), .int(255)]), (.smallint, [.int(-32768), .int(32767)]), (.int, [.int(-2_147_483_648), .int(7)]),
        (.bigint, [.int(.min), .int(.max)]), (.bit, [.bit(true), .bit(false)]),
        (.decimal(5, 2), [decimal("-999.99"), decimal("0.00")]), (.decimal(19, 0), [decimal("9999999999999999999")]),
        (.decimal(28, 10), [decimal("-0.0000000001")]),
        (.decimal(38, 38), [decimal("0." + String(repeating: "9", count: 38)), decimal("-0." + String(repeating: "9", count: 38))]),
        (SQLType(.numeric, precision: 18, scale: 4), [decimal("0.0123")]),
        (.money, [money(.min), money(.max), money(-1)]), (SQLType(.smallmoney), [money(-2_147_483_648), money(1)]),
        (.float, [.float(-0.1), .float(.greatestFiniteMagnitude)]), (.real, [.real(0.1)]),
        (SQLType(.char, length: 5, collation: .default), [.string("a€é  ")]), (.varchar(20), [.string(""), .string("naïve – “x”")]),
        (.varchar(-1), [.string(String(repeating: "y", count: 9000))]), (SQLType(.text, collation: .default), [.string("text")]),
        (SQLType(.varchar, length: 30, collation: SQLCollation(named: "Latin1_General_100_CI_AS_SC_UTF8")), [.string("日本語 🎉")]),
        (SQLType(.nchar, length: 4, collation: .default), [.string("日本🎉")]), (.nvarchar(20), [.string("Zürich 🎉")]),
        (.nvarchar(-1), [.string(String(repeating: "ä", count: 5000))]), (SQLType(.ntext, collation: .default), [.string("ntext ✓")]),
        (SQLType(.xml), [.string("<a b=\"1\">é</a>")]), (SQLType(.binary, length: 3), [.binary([0, 255, 1])]), (.varbinary(10), [.binary([]), .binary([1])]),
        (.varbinary(-1), [.binary([UInt8](repeating: 7, count: 20000))]), (SQLType(.image), [.binary([9, 8])]),
        (.date, [date("0001-01-01"), date("9999-12-31")]), (SQLType(.time, scale: 0), [time("23:59:59")]),
        (SQLType(.time, scale: 7), [time("23:59:59.9999999")]), (SQLType(.time, scale: 3), [time("00:20:34.567")]),
        (.datetime, [value { .datetime(try TDSDateTime(days: -53690, ticks: 0)) }, value { .datetime(try TDSDateTime(days: 2_958_463, ticks: 25_919_999)) }]),
        (SQLType(.smalldatetime), [value { .smalldatetime(try TDSSmallDateTime(days: 65535, minutes: 1439)) }]),
        (SQLType(.datetime2, scale: 7), [datetime2("9999-12-31 23:59:59.9999999")]), (SQLType(.datetime2, scale: 2), [datetime2("0001-01-02 00:00:00.01")]),
        (SQLType(.datetimeoffset, scale: 5), [value { .datetimeoffset(try TDSDateTimeOffset(text: "2021-08-06 09:59:59.99999 -14:00").widest) }]),
        (.uniqueidentifier, [value { .uniqueidentifier(try TDSGUID(text: "6F9619FF-8B86-D011-B42D-00C04FC964FF")) }]),
        text("Привет", "Cyrillic_General_CI_AS"), text("日本語ｶﾅ", "Japanese_CI_AS"), text("中文", "Chinese_PRC_CI_AS", .char, length: 4),
        text("Ελλάδα", "Greek_CS_AI"), text("شمس", "SQL_Latin1_General_CP1256_CI_AS"), text("▒é", "SQL_Latin1_General_CP437_CI_AS"),
        (SQLType(.hierarchyid), [.binary([0x58])]),
        (
            SQLType(.variant),
            [
                .variant(.int, .int(5)), .variant(.nvarchar(10), .string("ü")), .variant(.decimal(10, 3), decimal("-0.005")),
                .variant(.varbinary(4), .binary([1, 2])), .variant(SQLType(.datetime2, scale: 3), datetime2("0001-01-06 00:00:00.001")),
                .variant(SQLType(.varchar, length: 6, collation: SQLCollation(named: "Cyrillic_General_CI_AS")), .string("шесть")),
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
