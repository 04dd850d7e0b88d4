import NIOCore
import TDSWire
import Testing

/// Numbers, dates, times and identifiers: wire bytes, text and rounding.
@Suite struct ValueTests {
    static let decimalType = TypeInfo(.decimalN, maximumLength: 17, precision: 38, scale: 0)

    @Test func decimalTextAndWire() throws {
        let value = try TDSDecimal(text: "-1234567891234.2900")
        #expect(value.description == "-1234567891234.2900")
        #expect(value.scale == 4 && value.precision == 17)
        let type = TypeInfo(.decimalN, maximumLength: 9, precision: 19, scale: 4)
        let bytes = try value.wireContent(type)
        #expect(Array(bytes.readableBytesView) == [0, 0x74, 0xCB, 0x14, 0x5E, 0x54, 0xDC, 0x2B, 0x00])
        #expect(try TDSDecimal(wire: bytes, type).description == "-1234567891234.2900")
        #expect(try TDSDecimal(text: "0.05").description == "0.05")
        #expect(try TDSDecimal(text: ".5").precision == 1)
        #expect(try TDSDecimal(text: "-0.00") == TDSDecimal(text: "0.00"))
        for bad in ["", "-", ".", "1.2.3", "1e3", " 1", "1 ", "٣", String(repeating: "9", count: 39), "0." + String(repeating: "0", count: 39)] {
            #expect(throws: WireError.self) { try TDSDecimal(text: bad) }
        }
    }

    @Test func decimalRescalesExactly() throws {
        let value = try TDSDecimal(text: "2.345")
        #expect(try value.rescaled(to: 2).value.description == "2.35")
        #expect(try !value.rescaled(to: 2).isExact)
        #expect(try TDSDecimal(text: "-2.345").rescaled(to: 2).value.description == "-2.35")
        #expect(try value.rescaled(to: 5).value.description == "2.34500")
        #expect(try TDSDecimal(text: "2.3449").rescaled(to: 2).value.description == "2.34")
        #expect(throws: WireError.self) { try TDSDecimal(text: String(repeating: "9", count: 38)).rescaled(to: 1) }
        #expect(try TDSDecimal(text: "99999999999999999999999999999999999999").compared(to: TDSDecimal(text: "0.00000000000000000000000000000000000001")) == 1)
        #expect(try TDSDecimal(text: "1.0").compared(to: TDSDecimal(text: "1.000")) == 0)
        #expect(try TDSDecimal(text: "-1.1").compared(to: TDSDecimal(text: "-1.09")) == -1)
        #expect(try TDSDecimal(text: "0.5").double == Rounded(0.5, isExact: true))
        #expect(try TDSDecimal(text: "0.1").double == Rounded(0.1, isExact: false))
        #expect(try TDSDecimal(text: "9007199254740993").double.isExact == false)
        #expect(try Int32(exactly: TDSDecimal(text: "-2147483648.00")) == Int32.min)
        #expect(try Int32(exactly: TDSDecimal(text: "2147483648")) == nil)
        #expect(try Int32(exactly: TDSDecimal(text: "1.5")) == nil)
    }

    @Test func decimalEveryPrecisionAndScale() throws {
        for precision in UInt8(1)...38 {
            for scale in UInt8(0)...precision {
                let type = TypeInfo(.decimalN, maximumLength: TDSDecimal.wireSize(precision: precision), precision: precision, scale: scale)
                var limit: UInt128 = 1
                for _ in 0..<precision { limit *= 10 }
                for magnitude in [0, 1, limit / 2, limit - 1] {
                    for negative in [false, true] {
                        let value = try TDSDecimal(isNegative: negative, magnitude: magnitude, precision: precision, scale: scale)
                        let bytes = try value.wireContent(type)
                        #expect(bytes.readableBytes == type.maximumLength)
                        #expect(try TDSDecimal(wire: bytes, type) == value)
                        #expect(try TDSDecimal(text: value.description).compared(to: value) == 0)
                    }
                }
                if precision < 38 {
                    let tooLarge = try TDSDecimal(magnitude: limit, precision: 38, scale: scale)
                    #expect(throws: WireError.self) { try tooLarge.wireContent(type) }
                }
            }
        }
    }

    @Test func money() throws {
        let type = TypeInfo(.moneyN, maximumLength: 8)
        for (amount, text) in [
            (Int64.min, "-922337203685477.5808"), (.max, "922337203685477.5807"), (0, "0.0000"), (-1, "-0.0001"), (10_000, "1.0000"),
        ] {
            let value = TDSMoney(tenThousandths: amount)
            #expect(value.description == text)
            #expect(try TDSMoney(wire: value.wireContent(type), type) == value)
            #expect(try TDSMoney.parse(text) == Rounded(value, isExact: true))
        }
        #expect(try Array(TDSMoney(tenThousandths: 0x0102_0304_0506_0708).wireContent(type).readableBytesView) == [4, 3, 2, 1, 8, 7, 6, 5])
        #expect(throws: WireError.self) { try TDSMoney.parse("922337203685477.5808") }
        #expect(try TDSMoney.parse("1.00005") == Rounded(TDSMoney(tenThousandths: 10_001), isExact: false))
        #expect(throws: WireError.self) { try TDSMoney(tenThousandths: Int64(Int32.max) + 1).wireContent(TypeInfo(.moneyN, maximumLength: 4)) }
    }

    @Test func everyDayOfTheCalendar() throws {
        var (year, month, day) = (1, 1, 1)
        for days in TDSDate.range {
            let date = try TDSDate(days: days)
            let civil = date.civil
            if civil.year != year || civil.month != month || civil.day != day {
                Issue.record("day \(days)")
                return
            }
            if days % 97 == 0 { #expect(try TDSDate(year: year, month: month, day: day) == date) }
            day += 1
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length = month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
            if day > length { (day, month) = (1, month + 1) }
            if month > 12 { (month, year) = (1, year + 1) }
        }
        #expect(year == 10_000)
        #expect(try TDSDate(year: 1900, month: 1, day: 1).days == TDSDate.daysTo1900)
        #expect(try TDSDate(year: 1970, month: 1, day: 1).days == TDSDate.daysTo1970)
        for (year, month, day) in [(0, 1, 1), (10_000, 1, 1), (2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31), (2024, 1, 0)] {
            #expect(throws: WireError.self) { try TDSDate(year: year, month: month, day: day) }
        }
    }

    @Test func everyTickOfASecond() throws {
        let type = TypeInfo(.dateTimN, maximumLength: 8)
        for tick in UInt32(0)..<300 {
            let value = try TDSDateTime(days: 0, ticks: 300 * 86_399 + tick)
            let milliseconds = (Double(tick) * 1000 / 300).rounded()
            let digits = String(Int(milliseconds) + 1000).dropFirst()
            #expect(value.description == "1900-01-01 23:59:59.\(digits)")
            #expect(["0", "3", "7"].contains(digits.suffix(1)))
            #expect(try TDSDateTime.parse(value.description).value == value)
            #expect(try TDSDateTime(wire: value.wireContent(type), type) == value)
        }
        // Microsoft, datetime (Transact-SQL): rounding of datetime fractional second precision.
        for (text, rounded) in [
            ("1998-01-01 23:59:59.999", "1998-01-02 00:00:00.000"), ("1998-01-01 23:59:59.995", "1998-01-01 23:59:59.997"),
            ("1998-01-01 23:59:59.998", "1998-01-01 23:59:59.997"), ("1998-01-01 23:59:59.992", "1998-01-01 23:59:59.993"),
            ("1998-01-01 23:59:59.994", "1998-01-01 23:59:59.993"), ("1998-01-01 23:59:59.991", "1998-01-01 23:59:59.990"),
        ] {
            #expect(try TDSDateTime.parse(text).value.description == rounded)
        }
        #expect(throws: WireError.self) { try TDSDateTime.parse("1752-12-31 00:00:00") }
        #expect(throws: WireError.self) { try TDSDateTime.parse("9999-12-31 23:59:59.999") }
        #expect(try TDSDateTime(days: 0, ticks: 1).dateTime2(scale: 7).value.description == "1900-01-01 00:00:00.0033333")
        #expect(try TDSDateTime(days: 0, ticks: 2).dateTime2(scale: 7).value.description == "1900-01-01 00:00:00.0066667")
        #expect(try TDSDateTime(days: 0, ticks: 25_919_999).dateTime2(scale: 0).value.description == "1900-01-02 00:00:00")
    }

    @Test func everyOffset() throws {
        for offset in Int16(-840)...840 {
            for text in ["2024-03-01 00:00:00.1234567", "0001-01-02 12:00:00.0000000", "9999-12-30 23:59:59.9999999"] {
                let local = try TDSDateTime2(text: text)
                let value = try TDSDateTimeOffset(local: local, offsetMinutes: offset)
                #expect(value.local == local)
                let type = TypeInfo(temporal: .dateTimeOffsetN, scale: 7)
                #expect(try TDSDateTimeOffset(wire: value.wireContent(type), type) == value)
                #expect(try TDSDateTimeOffset(text: value.description) == value)
            }
        }
        for offset in [Int16(-841), 841, .min, .max] {
            #expect(throws: WireError.self) { try TDSDateTimeOffset(local: TDSDateTime2(text: "2024-01-01 00:00"), offsetMinutes: offset) }
        }
        // 2016-04-14 10:00:00 +02:00 is 08:00 UTC on the wire.
        let value = try TDSDateTimeOffset(text: "2016-04-14 10:00:00 +02:00")
        #expect(value.utc.description == "2016-04-14 08:00:00")
        #expect(Array(try value.wireContent(TypeInfo(temporal: .dateTimeOffsetN, scale: 0)).readableBytesView) == [0x80, 0x70, 0, 0x43, 0x3B, 0x0B, 0x78, 0])
        #expect(throws: WireError.self) { try TDSDateTimeOffset(text: "0001-01-01 00:00:00 +14:00") }
        #expect(throws: WireError.self) { try TDSDateTimeOffset(utc: TDSDateTime2(text: "9999-12-31 23:00:00"), offsetMinutes: 60) }
    }

    @Test func timesOfEveryScale() throws {
        for scale in UInt8(0)...7 {
            let type = TypeInfo(temporal: .timeN, scale: scale)
            var unit: UInt64 = 1
            for _ in 0..<scale { unit *= 10 }
            for ticks in [0, 1, 86_400 * unit - 1, 43_200 * unit] {
                let value = try TDSTime(ticks: ticks, scale: scale)
                let bytes = try value.wireContent(type)
                #expect(bytes.readableBytes == type.maximumLength)
                #expect(try TDSTime(wire: bytes, type) == value)
                #expect(try TDSTime(text: value.description) == value)
            }
            #expect(throws: WireError.self) { try TDSTime(ticks: 86_400 * unit, scale: scale) }
            let midnight = ByteBuffer(bytes: [UInt8](repeating: 0xFF, count: type.maximumLength))
            #expect(throws: WireError.self) { try TDSTime(wire: midnight, type) }
        }
        let late = try TDSTime(text: "23:59:59.9999999")
        #expect(try late.rounded(scale: 6) == Rounded(TDSTime(ticks: 0, scale: 6), isExact: false))
        #expect(try TDSDateTime2(text: "2023-12-31 23:59:59.9999999").rounded(scale: 3).value.description == "2024-01-01 00:00:00.000")
        #expect(throws: WireError.self) { try TDSDateTime2(text: "9999-12-31 23:59:59.9999999").rounded(scale: 3) }
        #expect(throws: WireError.self) { try late.wireContent(TypeInfo(temporal: .timeN, scale: 3)) }
    }

    @Test func smallDateTimeRounds() throws {
        // Microsoft, smalldatetime (Transact-SQL): 29.998 rounds down, 29.999 up.
        let day = try TDSDate(year: 1998, month: 1, day: 1)
        #expect(try TDSSmallDateTime.rounding(day, TDSTime(text: "12:35:29.998")).value.description == "1998-01-01 12:35:00")
        #expect(try TDSSmallDateTime.rounding(day, TDSTime(text: "12:35:29.999")).value.description == "1998-01-01 12:36:00")
        #expect(try TDSSmallDateTime.rounding(day, TDSTime(text: "23:59:30")).value.description == "1998-01-02 00:00:00")
        #expect(throws: WireError.self) { try TDSSmallDateTime.rounding(TDSDate(year: 2079, month: 6, day: 7), TDSTime(ticks: 0, scale: 0)) }
        #expect(try TDSSmallDateTime(days: 65_535, minutes: 1439).description == "2079-06-06 23:59:00")
    }

    @Test func guidTextWireAndOrder() throws {
        let value = try TDSGUID(text: "6F9619FF-8B86-D011-B42D-00C04FC964FF")
        let bytes = try value.wireContent(TypeInfo(.guid, maximumLength: 16))
        #expect(Array(bytes.readableBytesView) == [0xFF, 0x19, 0x96, 0x6F, 0x86, 0x8B, 0x11, 0xD0, 0xB4, 0x2D, 0, 0xC0, 0x4F, 0xC9, 0x64, 0xFF])
        #expect(value.description == "6F9619FF-8B86-D011-B42D-00C04FC964FF")
        #expect(value.text(uppercase: false) == "6f9619ff-8b86-d011-b42d-00c04fc964ff")
        #expect(try TDSGUID(text: "{6f9619ff-8b86-d011-b42d-00c04fc964ff}") == value)
        // Every byte set to 1 in turn: the order in which SQL Server looks at them, least significant first.
        var ones: [TDSGUID] = []
        for index in [3, 2, 1, 0, 5, 4, 7, 6, 9, 8, 15, 14, 13, 12, 11, 10] {
            var wire = [UInt8](repeating: 0, count: 16)
            wire[index] = 1
            ones.append(try TDSGUID(wire: ByteBuffer(bytes: wire), TypeInfo(.guid, maximumLength: 16)))
        }
        #expect(ones.sorted() == ones)
    }

    @Test func declarations() throws {
        let long = String(repeating: "a", count: 4001)
        let rows: [(TDSValue, String)] = [
            (.null, "nvarchar(4000)"), (true, "bit"), (.uint8(1), "tinyint"), (.int16(1), "smallint"), (1, "int"), (.int64(1), "bigint"),
            (.float(1), "real"), (1.5, "float"), (.decimal(try TDSDecimal(text: "1.25")), "decimal(38,2)"),
            (.money(TDSMoney(tenThousandths: 1)), "money"), (.smallMoney(TDSMoney(tenThousandths: 1)), "smallmoney"), ("", "nvarchar(4000)"),
            (.string(String(long.dropFirst())), "nvarchar(4000)"), (.string(long), "nvarchar(max)"),
            (.string(String(repeating: "😀", count: 2001)), "nvarchar(max)"), (.bytes(ByteBuffer()), "varbinary(8000)"),
            (.bytes(ByteBuffer(repeating: 0, count: 8001)), "varbinary(max)"), (.date(try TDSDate(days: 0)), "date"),
            (.time(try TDSTime(ticks: 0, scale: 7)), "time(7)"), (.dateTime(try TDSDateTime(days: 0, ticks: 0)), "datetime"),
            (.smallDateTime(try TDSSmallDateTime(days: 0, minutes: 0)), "smalldatetime"),
            (.dateTime2(try TDSDateTime2(text: "2024-01-01 00:00:00.000")), "datetime2(3)"),
            (.dateTimeOffset(try TDSDateTimeOffset(text: "2024-01-01 00:00:00Z")), "datetimeoffset(0)"),
            (.guid(TDSGUID(high: 0, low: 0)), "uniqueidentifier"), (.xml("<a/>"), "xml"), (.json("{}"), "nvarchar(max)"),
        ]
        for (value, declaration) in rows {
            let type = value.parameterType()
            #expect(type.declaration == declaration)
            if value == .null { continue }
            let content = try value.wireContent(for: type)
            let back = try TDSValue(wire: content, typeInfo: type)
            switch value {
            case .json(let json): #expect(back == .string(json.text))
            case .decimal(let decimal): #expect(back.description == decimal.description)
            default: #expect(back == value)
            }
        }
    }
}
