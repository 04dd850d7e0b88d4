import NIOCore
import TDSWire
import Testing

@testable import CTCapture

/// Key values from the wire to the saved state and back, to the same bytes.
@Suite struct KeyWireTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var type: ColumnType
        var value: TDSValue
        var key: KeyValue
        var testDescription: String { "\(type.declaration) \(value)" }

        init(_ name: String, _ value: TDSValue, _ key: KeyValue, maxLength: Int = 0, precision: Int = 0, scale: Int = 0) {
            type = ColumnType(name: name, maxLength: maxLength, precision: precision, scale: scale)
            self.value = value
            self.key = key
        }
    }

    static let cases: [Case] = {
        do {
            let date = try TDSDate(year: 1991, month: 8, day: 31)
            let time = try TDSTime(hour: 12, minute: 34, second: 54, fraction: 1_234_567, scale: 7)
            let short = try TDSTime(hour: 23, minute: 59, second: 59, fraction: 12, scale: 2)
            return [
                Case("tinyint", .uint8(255), .integer(255)), Case("smallint", .int16(-3), .integer(-3)), Case("int", .int32(.min), .integer(Int64(Int32.min))),
                Case("bigint", .int64(.max), .integer(.max)), Case("bit", .bool(true), .bool(true)),
                Case("decimal", .decimal(try TDSDecimal(text: "-12345.12050")), .text("-12345.12050"), precision: 10, scale: 5),
                Case("numeric", .decimal(try TDSDecimal(text: "99999999999999999999999999999999999999")), .text("99999999999999999999999999999999999999"), precision: 38),
                Case("money", .money(TDSMoney(tenThousandths: -12_345_678)), .text("-1234.5678")),
                Case("smallmoney", .smallMoney(TDSMoney(tenThousandths: 5)), .text("0.0005")), Case("float", .double(-0.1), .double(-0.1)),
                Case("real", .float(1.1), .double(Double(Float(1.1)))), Case("varchar", .string("aé€"), .text("aé€"), maxLength: 32),
                Case("char", .string("ab  "), .text("ab  "), maxLength: 4), Case("nvarchar", .string("aд😀"), .text("aд😀"), maxLength: 64),
                Case("nchar", .string("x   "), .text("x   "), maxLength: 8), Case("varbinary", .bytes([0, 255].buffer), .bytes([0, 255]), maxLength: 16),
                Case("date", .date(date), .text("1991-08-31T00:00:00.000000000Z")),
                Case("time", .time(time), .text("0001-01-01T12:34:54.123456700Z"), scale: 7), Case("time", .time(short), .text("0001-01-01T23:59:59.120000000Z"), scale: 2),
                Case("datetime2", .dateTime2(TDSDateTime2(date: date, time: time)), .text("1991-08-31T12:34:54.123456700Z"), scale: 7),
                Case(
                    "datetimeoffset", .dateTimeOffset(try TDSDateTimeOffset(local: TDSDateTime2(date: date, time: time), offsetMinutes: -330)),
                    .text("1991-08-31T12:34:54.123456700-05:30"), scale: 7),
                Case(
                    "smalldatetime", .smallDateTime(try TDSSmallDateTime(days: 0, minutes: 61)), .text("1900-01-01T01:01:00.000")),
                Case("uniqueidentifier", .guid(TDSGUID(high: 1, low: 2)), .uniqueidentifier([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2])),
            ]
        } catch {
            Issue.record("the cases: \(error)")
            return []
        }
    }()

    @Test(arguments: cases) func roundTrip(_ item: Case) throws {
        let type = try item.type.typeInfo(collation: .sqlLatin1GeneralCP1CIAS)
        let wire = Array(try #require(try item.value.wireContent(for: type)).readableBytesView)
        let key = try KeyValue(type, wire: wire)
        #expect(key == item.key)
        // Through the saved state, and back to the very bytes.
        let saved = try KeyPosition.decode(KeyPosition.encode([key]))
        let again = try #require(try saved.first?.parameter(for: item.type).wireContent(for: type))
        #expect(Array(again.readableBytesView) == wire)
        #expect(type.declaration == item.type.declaration.replacing("float(53)", with: "float"))
    }

    /// All 300 ticks of a second survive the three digits that the state has for them.
    @Test func everyTickOfADatetime() throws {
        let type = ColumnType(name: "datetime")
        let info = try type.typeInfo(collation: .sqlLatin1GeneralCP1CIAS)
        for tick in 0..<UInt32(300) {
            let value = try TDSDateTime(days: 33480, ticks: 1_000_000 + tick)
            let wire = Array(try #require(try TDSValue.dateTime(value).wireContent(for: info)).readableBytesView)
            let key = try KeyValue(info, wire: wire)
            #expect(try key.parameter(for: type) == .dateTime(value))
        }
        #expect(try KeyValue.text("1991-08-31T12:34:54.333").parameter(for: type).description.hasPrefix("1991-08-31"))
    }

    @Test(arguments: ["", "1991-08-31", "1991-13-31T00:00:00Z", "1991-08-31T25:00:00Z", "x"]) func refuses(_ text: String) {
        #expect(throws: (any Error).self) { try KeyValue.text(text).parameter(for: ColumnType(name: "datetime2", scale: 7)) }
    }

    @Test func typesThatCannotBeKeys() {
        #expect(throws: StateError.self) { try ColumnType(name: "xml", maxLength: -1).typeInfo(collation: .sqlLatin1GeneralCP1CIAS) }
    }
}

extension [UInt8] {
    fileprivate var buffer: ByteBuffer { ByteBuffer(bytes: self) }
}
