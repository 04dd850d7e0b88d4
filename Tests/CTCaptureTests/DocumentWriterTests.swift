import Foundation
import NIOCore
import TDSWire
import Testing

@testable import CTCapture

/// Feeds rows through the token stream into a document writer.
struct DocumentFixture {
    var columns: [ColumnMetadata]
    var rows: [[TDSValue]]
    var layout: DocumentLayout

    init(_ columns: [ColumnMetadata], _ rows: [[TDSValue]], source: DocumentLayout.Source = .backfill, key: [String] = ["id"], zone: TimeZone = .gmt) {
        self.columns = columns
        self.rows = rows
        layout = DocumentLayout(source: source, schema: "dbo", table: "t", key: key, zone: zone)
    }

    func stream(nbc: Bool = false) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        try buffer.writeColumnMetadata(columns)
        for row in rows {
            buffer.writeInteger(nbc ? UInt8(0xD2) : UInt8(0xD1))
            if nbc {
                var bitmap = [UInt8](repeating: 0, count: (columns.count + 7) / 8)
                for (index, value) in row.enumerated() where value.isNull { bitmap[index / 8] |= 1 << UInt8(index % 8) }
                buffer.writeBytes(bitmap)
            }
            for (column, value) in zip(columns, row) where !(nbc && value.isNull) {
                try buffer.writeWireValue(try value.wireContent(for: column.typeInfo), column.typeInfo)
            }
        }
        buffer.writeDone(Done(status: .count, currentCommand: 0xC1, rowCount: UInt64(rows.count)))
        return buffer
    }

    /// The documents, the stream cut at `split` (nil: not at all).
    func documents(split: Int? = nil, nbc: Bool = false) throws -> [String] {
        var stream = try stream(nbc: nbc)
        var writer = DocumentWriter(layout)
        var decoder = TokenStreamDecoder()
        var parts: [ByteBuffer] = []
        if let split, let first = stream.readSlice(length: split) { parts.append(first) }
        parts.append(stream)
        for part in parts {
            decoder.append(copying: part.readableBytesSpan)
            while case .token = try decoder.decode(into: &writer) {}
        }
        return String(decoding: writer.buffer.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    var length: Int { get throws { try stream().readableBytes } }
}

private func column(_ name: String, _ type: TypeInfo) -> ColumnMetadata { ColumnMetadata(name, type) }
private let int4 = TypeInfo(.intN, maximumLength: 4)
private let collation = Collation.sqlLatin1GeneralCP1CIAS
private func nvarchar(_ length: Int) -> TypeInfo { TypeInfo(.nVarChar, maximumLength: length < 0 ? TypeInfo.unlimited : length * 2, collation: collation) }
private func varchar(_ length: Int) -> TypeInfo { TypeInfo(.bigVarChar, maximumLength: length < 0 ? TypeInfo.unlimited : length, collation: collation) }
private let meta = #""_meta":{"op":"c","source":{"schema":"dbo","snapshot":true,"table":"t"}}"#

@Suite("Document writer")
struct DocumentWriterTests {
    private func one(_ type: TypeInfo, _ value: TDSValue, zone: TimeZone = .gmt) throws -> String {
        let documents = try DocumentFixture([column("id", int4), column("v", type)], [[.int32(1), value]], zone: zone).documents()
        let document = try #require(documents.first)
        let start = try #require(document.range(of: #""v":"#))
        return String(document[start.upperBound...].dropLast())
    }

    @Test func integers() throws {
        let bigint = TypeInfo(.intN, maximumLength: 8)
        let values: [Int64] = [
            0, 1, 9, 10, 99, 100, 12_345_678, 99_999_999, 100_000_000, 123_456_789_012, 9_999_999_999_999_999, 10_000_000_000_000_000, .max, -1, .min,
        ]
        for value in values { #expect(try one(bigint, .int64(value)) == "\(value)") }
        #expect(try one(TypeInfo(.intN, maximumLength: 1), .uint8(255)) == "255")
        #expect(try one(TypeInfo(.intN, maximumLength: 2), .int16(-32768)) == "-32768")
        #expect(try one(int4, .null) == "null")
    }

    @Test func decimalsKeepTheirScale() throws {
        for (text, precision, scale) in [
            ("123.00", 18, 2), ("-0.01", 5, 2), ("0.0000", 9, 4), ("1234567891234.2900", 19, 4), ("7", 9, 0), ("12345678901234567890123456789012345678", 38, 0),
            ("-0.00000000000000000000000000000000000001", 38, 38), ("0.5", 3, 1), ("1.00000000000000000001", 38, 20), ("99999999.99999999", 16, 8),
        ] as [(String, UInt8, UInt8)] {
            let exact = TypeInfo(.decimalN, maximumLength: 17, precision: precision, scale: scale)
            #expect(try one(exact, .decimal(TDSDecimal(text: text))) == "\"\(text)\"")
        }
        #expect(try one(TypeInfo(.moneyN, maximumLength: 8), .money(TDSMoney(tenThousandths: .min))) == #""-922337203685477.5808""#)
    }

    @Test func floatsReadBackTheSame() throws {
        let float = TypeInfo(.fltN, maximumLength: 8)
        for (value, text) in [
            (1234.5, "1234.5"), (-1234.5, "-1234.5"), (0, "0"), (12_345_678_901.2345, "12345678901.2345"), (9.87654321e-10, "9.87654321e-10"), (0.1, "0.1"),
            (1e22, "1e+22"), (0.3, "0.3"), (100, "100"), (5e-324, "5e-324"), (123456.7891, "123456.7891"),
        ] as [(Double, String)] {
            #expect(try one(float, .double(value)) == text)
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let value = Double(bitPattern: generator.next())
            guard value.isFinite else { continue }
            #expect(Double(try one(float, .double(value))) == value)
            let short = (value.truncatingRemainder(dividingBy: 1e9) * 100).rounded() / 100
            if short.isFinite { #expect(Double(try one(float, .double(short))) == short) }
        }
        #expect(try one(TypeInfo(.fltN, maximumLength: 4), .float(9.876e-10)) == "9.876000017783326e-10")
    }

    @Test func textIsEscaped() throws {
        #expect(try one(nvarchar(100), "a\"b\\c\nd\u{1}é🦊") == #""a\"b\\c\nd\u0001é🦊""#)
        #expect(try one(varchar(100), "plain text, long enough") == #""plain text, long enough""#)
        #expect(try one(varchar(100), "eight by\"tes\tand €uro é") == #""eight by\"tes\tand €uro é""#)
        #expect(try one(nvarchar(-1), "") == #""""#)
        #expect(try one(nvarchar(10), .null) == "null")
        // Every ASCII character at every place of a word.
        for code in UInt8(0)..<128 {
            for place in 0..<9 {
                var text = "abcdefghi"
                text.replaceSubrange(text.index(text.startIndex, offsetBy: place)...text.index(text.startIndex, offsetBy: place), with: String(UnicodeScalar(code)))
                for type in [nvarchar(20), varchar(20)] {
                    let json = try one(type, .string(text))
                    let parsed = try JSONSerialization.jsonObject(with: Data("[\(json)]".utf8)) as? [String]
                    #expect(parsed?.first == text)
                }
            }
        }
    }

    @Test func unpairedSurrogatesBecomeReplacementCharacters() throws {
        var stream = ByteBuffer()
        try stream.writeColumnMetadata([column("id", int4), column("v", nvarchar(10))])
        stream.writeBytes([0xD1, 4, 1, 0, 0, 0, 6, 0, 0x00, 0xD8, 0x41, 0x00, 0x00, 0xDC])
        var writer = DocumentWriter(DocumentLayout(source: .backfill, schema: "dbo", table: "t", key: ["id"]))
        var decoder = TokenStreamDecoder()
        decoder.append(stream)
        while case .token = try decoder.decode(into: &writer) {}
        #expect(String(decoding: writer.buffer.bytes, as: UTF8.self).contains("\"v\":\"\u{FFFD}A\u{FFFD}\""))
    }

    private func dateTime(_ date: String, ticks: UInt32) throws -> TDSDateTime {
        try TDSDateTime(days: TDSDate(text: date).days - Int32(daysToYear1900), ticks: ticks)
    }

    @Test func temporalValues() throws {
        let chicago = try #require(TimeZone(identifier: "America/Chicago"))
        #expect(try one(TypeInfo(.dateN, maximumLength: 3), .date(TDSDate(text: "1991-08-31"))) == #""1991-08-31""#)
        #expect(try one(TypeInfo(.dateN, maximumLength: 3), .date(TDSDate(text: "0001-01-01"))) == #""0001-01-01""#)
        #expect(try one(TypeInfo(.dateN, maximumLength: 3), .date(TDSDate(text: "9999-12-31"))) == #""9999-12-31""#)
        #expect(try one(TypeInfo(temporal: .timeN, scale: 7), .time(TDSTime(text: "12:34:54.1250000"))) == #""12:34:54.125""#)
        #expect(try one(TypeInfo(temporal: .timeN, scale: 0), .time(TDSTime(text: "00:00:00"))) == #""00:00:00""#)
        let datetime2 = TypeInfo(temporal: .dateTime2N, scale: 7)
        let value = TDSValue.dateTime2(try TDSDateTime2(text: "1900-01-01 23:59:59.9999999"))
        #expect(try one(datetime2, value) == #""1900-01-01T23:59:59.9999999Z""#)
        #expect(try one(datetime2, value, zone: chicago) == #""1900-01-01T23:59:59.9999999-06:00""#)
        #expect(try one(datetime2, .dateTime2(TDSDateTime2(text: "2000-06-15 06:30:00.0000000")), zone: chicago) == #""2000-06-15T06:30:00-05:00""#)
        let datetime = TypeInfo(.dateTimN, maximumLength: 8)
        #expect(try one(datetime, .dateTime(dateTime("1991-08-31", ticks: (12 * 3600 + 34 * 60 + 56) * 300 + 237)), zone: chicago) == #""1991-08-31T12:34:56.79-05:00""#)
        #expect(try one(datetime, .dateTime(dateTime("1753-01-01", ticks: 1))) == #""1753-01-01T00:00:00.003Z""#)
        let offset = TypeInfo(temporal: .dateTimeOffsetN, scale: 7)
        #expect(try one(offset, .dateTimeOffset(TDSDateTimeOffset(text: "1900-01-01 23:59:59.9990000 +05:30"))) == #""1900-01-01T23:59:59.999+05:30""#)
        #expect(try one(offset, .dateTimeOffset(TDSDateTimeOffset(text: "2024-01-15 00:00:00.0000000 +00:00"))) == #""2024-01-15T00:00:00Z""#)
    }

    /// A local time that the zone skips or repeats, as Go's time.Date resolves it.
    @Test func localTimesThatAreSkippedOrRepeated() throws {
        let chicago = try #require(TimeZone(identifier: "America/Chicago"))
        var zone = ZoneOffsets(chicago)
        func offset(_ text: String) throws -> Int {
            let value = try TDSDateTime2(text: text)
            return zone.offset(local: Int64(Int(value.date.days) - daysToYear1970) * 86400 + 2 * 3600 + 1800) / 3600
        }
        // 2024-03-10 02:30 does not exist, 2024-11-03 01:30 is there twice (Go: first daylight time's offset as looked up).
        #expect(try offset("2024-03-10 00:00:00.0000000") == -5)
        #expect(try offset("2024-01-10 00:00:00.0000000") == -6)
        #expect(try offset("2024-07-10 00:00:00.0000000") == -5)
    }

    @Test func binaryIsBase64() throws {
        let type = TypeInfo(.bigVarBin, maximumLength: 8000)
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }
            #expect(try one(type, .bytes(ByteBuffer(bytes: bytes))) == "\"\(Data(bytes).base64EncodedString())\"")
        }
        #expect(
            try one(TypeInfo(.guid, maximumLength: 16), .guid(TDSGUID(text: "8292F3CB-0CCE-41E8-86AA-AE09BCC988E9")))
                == #""8292f3cb-0cce-41e8-86aa-ae09bcc988e9""#)
    }

    @Test func metaStandsInOrder() throws {
        let names = ["CAPITALIZED", "_a", "_meta2", "data", "id"]
        let documents = try DocumentFixture(names.map { column($0, int4) }, [[1, 2, 3, 4, 5]]).documents()
        #expect(documents == [#"{"CAPITALIZED":1,"_a":2,"# + meta + #","_meta2":3,"data":4,"id":5}"#])
        let last = try DocumentFixture([column("A", int4)], [[7]], key: ["A"]).documents()
        #expect(last == [#"{"A":7,"# + meta + "}"])
    }

    @Test func everySplitGivesTheSameDocuments() throws {
        let fixture = DocumentFixture(
            [
                column("big", nvarchar(-1)), column("code", varchar(20)), column("id", int4), column("n", TypeInfo(.decimalN, maximumLength: 9, precision: 18, scale: 4)),
                column("xml", TypeInfo(.xml, maximumLength: TypeInfo.unlimited)),
            ],
            [
                [.string(String(repeating: "ä€x", count: 20)), "first", 1, .decimal(try TDSDecimal(text: "1.2500")), .null],
                [.null, .null, 2, .null, .xml(TDSXML("<a>ü</a>"))],
                ["", "", 3, .decimal(try TDSDecimal(text: "-7.0000")), .null],
            ])
        for nbc in [false, true] {
            let whole = try fixture.documents(nbc: nbc)
            #expect(whole.count == 3)
            for split in 0...(try fixture.stream(nbc: nbc).readableBytes) { #expect(try fixture.documents(split: split, nbc: nbc) == whole) }
        }
    }

    @Test func changes() throws {
        let leading = [column("op", TypeInfo(.nChar, maximumLength: 2, collation: collation)), column("version", TypeInfo(.intN, maximumLength: 8)), column("present", int4)]
        var fixture = DocumentFixture(
            leading + [column("data", nvarchar(10)), column("id", int4)],
            [
                ["I", .int64(5), 1, "one", 1], ["U", .int64(6), 1, "two", 2], ["D", .int64(7), 0, .null, 3],
                // Rule 2: the row is gone, though the change says I; and it is there, though the change says D.
                ["I", .int64(8), 0, .null, 4], ["D", .int64(9), 1, "back", 5],
            ], source: .changes)
        fixture.layout.tag = "x"
        func source(_ op: String, _ version: Int) -> String { #""_meta":{"op":"\#(op)","source":{"schema":"dbo","table":"t","tag":"x","version":\#(version)}}"# }
        #expect(
            try fixture.documents() == [
                "{" + source("c", 5) + #","data":"one","id":1}"#, "{" + source("u", 6) + #","data":"two","id":2}"#, "{" + source("d", 7) + #","id":3}"#,
                "{" + source("u", 9) + #","data":"back","id":5}"#,
            ])
    }

    @Test func longTextIsCutAtACharacter() throws {
        var fixture = DocumentFixture([column("id", int4), column("v", nvarchar(-1)), column("w", varchar(-1))], [[1, .string(String(repeating: "é", count: 60)), "0123456789012345678901234567890"]])
        fixture.layout.largestValue = 21
        let document = try #require(try fixture.documents().first)
        #expect(document.contains(#""v":"éééééééééé","#))
        #expect(document.contains(#""w":"012345678901234567890"}"#))
    }

    @Test func variantsAreAsTheirBaseType() throws {
        let variant = TypeInfo(.ssVariant, maximumLength: 8009)
        func write(_ value: TDSVariant) throws -> String { try one(variant, .variant(value)) }
        #expect(try write(TDSVariant(.int32(42))) == "42")
        #expect(try write(TDSVariant("text é")) == #""text é""#)
        #expect(try write(TDSVariant(.decimal(TDSDecimal(text: "1.50")))) == #""1.50""#)
        #expect(try write(TDSVariant(.bool(true))) == "true")
    }

    @Test func lastKeyIsKept() throws {
        let fixture = DocumentFixture([column("a", int4), column("b", varchar(10)), column("id", int4)], [[1, "x", 10], [2, "yz", 11]], key: ["id", "b"])
        var writer = DocumentWriter(fixture.layout)
        #expect(writer.lastKey == nil)
        var decoder = TokenStreamDecoder()
        decoder.append(try fixture.stream())
        while case .token = try decoder.decode(into: &writer) {}
        let key = try #require(writer.lastKey)
        #expect(key.map(\.content) == [[11, 0, 0, 0], Array("yz".utf8)])
    }

    @Test func theWriterStopsWhenFull() throws {
        var fixture = DocumentFixture([column("id", int4)], (0..<100).map { [.int32($0)] })
        fixture.layout.fullSize = 200
        var writer = DocumentWriter(fixture.layout)
        var decoder = TokenStreamDecoder()
        decoder.append(try fixture.stream())
        var all: [UInt8] = []
        var fulls = 0
        loop: while true {
            switch try decoder.decode(into: &writer) {
            case .token: continue
            case .sinkFull:
                fulls += 1
                all += writer.takeBuffer().bytes
            case .needMoreData: break loop
            }
        }
        all += writer.buffer.bytes
        #expect(fulls > 10)
        #expect(String(decoding: all, as: UTF8.self).split(separator: "\n").count == 100)
        #expect(writer.documentCount == 100)
    }
}
