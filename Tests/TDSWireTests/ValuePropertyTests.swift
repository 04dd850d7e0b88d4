import NIOCore
import TDSWire
import Testing

/// Random values of every type go to the wire and back; random bytes never trap.
@Suite struct ValuePropertyTests {
    /// SplitMix64: the same values in every run.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
    }

    static let moscow = Collation(info: 0x00D0_0419, sortID: 0)
    static let tokyo = Collation(info: 0x00D0_0411, sortID: 0)
    static let utf8 = Collation(info: 0x24D0_0409, sortID: 0)
    static func udt(_ name: String) -> TypeInfo {
        TypeInfo(.udt, maximumLength: TypeInfo.unlimited, udt: .init(database: "", schema: "sys", typeName: name))
    }

    /// One TYPE_INFO or several of every type that a row can have.
    static let types: [TypeInfo] =
        [
            TypeInfo(.null, maximumLength: 0), TypeInfo(.int1, maximumLength: 1), TypeInfo(.bit, maximumLength: 1), TypeInfo(.int2, maximumLength: 2),
            TypeInfo(.int4, maximumLength: 4), TypeInfo(.int8, maximumLength: 8), TypeInfo(.flt4, maximumLength: 4), TypeInfo(.flt8, maximumLength: 8),
            TypeInfo(.money4, maximumLength: 4), TypeInfo(.money, maximumLength: 8), TypeInfo(.dateTim4, maximumLength: 4),
            TypeInfo(.dateTime, maximumLength: 8), TypeInfo(.guid, maximumLength: 16), TypeInfo(.bitN, maximumLength: 1),
            TypeInfo(.fltN, maximumLength: 4), TypeInfo(.fltN, maximumLength: 8), TypeInfo(.moneyN, maximumLength: 4), TypeInfo(.moneyN, maximumLength: 8),
            TypeInfo(.dateTimN, maximumLength: 4), TypeInfo(.dateTimN, maximumLength: 8), TypeInfo(.dateN, maximumLength: 3),
            TypeInfo(.bigVarBin, maximumLength: 100), TypeInfo(.bigBinary, maximumLength: 100), TypeInfo(.varBinary, maximumLength: 100),
            TypeInfo(.binary, maximumLength: 100), TypeInfo(.image, maximumLength: 0x7FFF_FFFF), TypeInfo(.xml, maximumLength: TypeInfo.unlimited),
            TypeInfo(.json, maximumLength: TypeInfo.unlimited), TypeInfo(.ssVariant, maximumLength: 8009), udt("hierarchyid"), udt("geometry"),
            udt("geography"), udt("Temperature"), TypeInfo(.vector, maximumLength: 20), TypeInfo(.vector, maximumLength: 14, vectorElementType: 1),
            TypeInfo(.tvp, maximumLength: 0),
        ] + [1, 2, 4, 8].map { TypeInfo(.intN, maximumLength: $0) }
        + (UInt8(0)...7).flatMap { scale in [DataType.timeN, .dateTime2N, .dateTimeOffsetN].map { TypeInfo(temporal: $0, scale: scale) } }
        + [(5, 2), (9, 0), (10, 10), (19, 4), (20, 0), (28, 28), (29, 1), (38, 19)].flatMap { precision, scale in
            [DataType.decimal, .numeric, .decimalN, .numericN].map {
                TypeInfo($0, maximumLength: TDSDecimal.wireSize(precision: UInt8(precision)), precision: UInt8(precision), scale: UInt8(scale))
            }
        }
        + [moscow, tokyo, utf8, .sqlLatin1GeneralCP1CIAS].flatMap { collation in
            [
                TypeInfo(.bigVarChar, maximumLength: 8000, collation: collation), TypeInfo(.bigChar, maximumLength: 8000, collation: collation),
                TypeInfo(.nVarChar, maximumLength: 8000, collation: collation), TypeInfo(.nChar, maximumLength: 8000, collation: collation),
                TypeInfo(.text, maximumLength: 0x7FFF_FFFF, collation: collation), TypeInfo(.nText, maximumLength: 0x7FFF_FFFF, collation: collation),
                TypeInfo(.varChar, maximumLength: 255), TypeInfo(.char, maximumLength: 255),
                TypeInfo(.nVarChar, maximumLength: TypeInfo.unlimited, collation: collation),
                TypeInfo(.bigVarChar, maximumLength: TypeInfo.unlimited, collation: collation),
            ]
        }

    static func text(_ page: CodePage, _ random: inout Seeded, units: Int) -> String {
        // What the page has: decoded from random bytes, without what isn't a character.
        var bytes = ByteBuffer()
        for _ in 0..<Int.random(in: 0...units, using: &random) { bytes.writeInteger(UInt8.random(in: 0...255, using: &random)) }
        return page.string(bytes.readableBytesSpan).replacing("\u{FFFD}", with: "")
    }

    static func value(_ type: TypeInfo, _ random: inout Seeded) throws -> TDSValue? {
        let size = type.maximumLength
        func date(_ random: inout Seeded) throws -> TDSDate { try TDSDate(days: .random(in: 1...3_652_057, using: &random)) }
        func time(_ random: inout Seeded) throws -> TDSTime {
            try TDSTime(ticks: .random(in: 0..<(86_400 * (0..<type.scale).reduce(1) { unit, _ in unit * 10 }), using: &random), scale: type.scale)
        }
        switch type.dataType {
        case .null, .tvp: return nil
        case .int1, .int2, .int4, .int8, .intN:
            return switch size {
            case 1: .uint8(.random(in: 0...255, using: &random))
            case 2: .int16(.random(in: .min ... .max, using: &random))
            case 4: .int32(.random(in: .min ... .max, using: &random))
            default: .int64(.random(in: .min ... .max, using: &random))
            }
        case .bit, .bitN: return .bool(.random(using: &random))
        case .flt4, .flt8, .fltN:
            return size == 4 ? .float(.random(in: -1e30...1e30, using: &random)) : .double(.random(in: -1e300...1e300, using: &random))
        case .money, .money4, .moneyN:
            return size == 4
                ? .smallMoney(TDSMoney(tenThousandths: Int64(Int32.random(in: .min ... .max, using: &random))))
                : .money(TDSMoney(tenThousandths: .random(in: .min ... .max, using: &random)))
        case .decimal, .numeric, .decimalN, .numericN:
            var limit: UInt128 = 1
            for _ in 0..<type.precision { limit *= 10 }
            let magnitude = (UInt128(random.next()) << 64 | UInt128(random.next())) % limit
            return .decimal(try TDSDecimal(isNegative: .random(using: &random), magnitude: magnitude, precision: type.precision, scale: type.scale))
        case .dateTime, .dateTim4, .dateTimN:
            return size == 4
                ? .smallDateTime(try TDSSmallDateTime(days: .random(in: 0...65535, using: &random), minutes: .random(in: 0...1439, using: &random)))
                : .dateTime(try TDSDateTime(days: .random(in: -53690...2_958_463, using: &random), ticks: .random(in: 0..<25_920_000, using: &random)))
        case .dateN: return .date(try date(&random))
        case .timeN: return .time(try time(&random))
        case .dateTime2N: return .dateTime2(TDSDateTime2(date: try date(&random), time: try time(&random)))
        case .dateTimeOffsetN:
            let utc = TDSDateTime2(date: try date(&random), time: try time(&random))
            return .dateTimeOffset(try TDSDateTimeOffset(utc: utc, offsetMinutes: .random(in: -840...840, using: &random)))
        case .guid: return .guid(TDSGUID(high: random.next(), low: random.next()))
        case .char, .varChar, .bigChar, .bigVarChar, .text: return .string(text(CodePage(for: type.collation), &random, units: 80))
        case .nChar, .nVarChar, .nText: return .string(text(.utf8, &random, units: 500) + text(.cp950, &random, units: 100) + "😀")
        case .binary, .varBinary, .bigBinary, .bigVarBin, .image:
            return .bytes(ByteBuffer(bytes: (0..<Int.random(in: 0...100, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }))
        case .xml: return .xml(TDSXML("<a>" + text(.cp949, &random, units: 100) + "</a>"))
        case .json: return .json(TDSJSON("{\"a\":\"" + text(.cp1251, &random, units: 100) + "\"}"))
        case .udt:
            switch type.udt?.typeName {
            case "hierarchyid":
                return .hierarchyID(
                    try TDSHierarchyID(
                        levels: (0..<Int.random(in: 0...5, using: &random)).map { _ in
                            (0..<Int.random(in: 1...3, using: &random)).map { _ in
                                Int64.random(in: -281_479_271_682_120...281_479_271_683_150, using: &random) >> Int64.random(in: 0...48, using: &random)
                            }
                        }))
            case "geometry": return .spatial(TDSSpatial(.geometry, bytes: ByteBuffer(bytes: [1, 2, 3])))
            case "geography": return .spatial(TDSSpatial(.geography, bytes: ByteBuffer(bytes: [1, 2, 3])))
            default: return .udt(TDSUDT(type: try #require(type.udt), bytes: ByteBuffer(bytes: [1, 2, 3])))
            }
        case .vector:
            return type.vectorElementType == 0
                ? .vector(try TDSVector(.float32([1, .random(in: -1...1, using: &random), 3])))
                : .vector(try TDSVector(.float16([1, .random(in: 0...0x7BFF, using: &random), 3])))
        case .ssVariant:
            while true {
                guard let base = types.randomElement(using: &random), base.dataType != .ssVariant, let inner = try value(base, &random) else { continue }
                if let variant = try? TDSVariant(inner, type: base) { return .variant(variant) }
            }
        }
    }

    @Test func randomValuesThereAndBack() throws {
        var random = Seeded(state: 1)
        #expect(Set(Self.types.map(\.dataType)) == Set(DataType.allCases))
        for type in Self.types {
            for _ in 0..<60 {
                guard let value = try Self.value(type, &random) else { continue }
                let content = try value.wireContent(for: type)
                #expect(try TDSValue(wire: content, typeInfo: type) == value, "\(type.declaration)")
                // And with the length prefix, as in a row.
                var buffer = ByteBuffer()
                try buffer.writeColumnMetadata([ColumnMetadata("a", type)])
                buffer.writeInteger(UInt8(0xD1))
                try buffer.writeWireValue(content, type)
                var decoder = TokenStreamDecoder()
                decoder.append(buffer)
                var sink = LastValueSink()
                _ = try decoder.decode(into: &sink)
                _ = try decoder.decode(into: &sink)
                // A BYTE length of 0 is NULL, so those types have no empty value.
                if case .byteLength = type.layout, content?.readableBytes == 0 { continue }
                #expect(sink.value == content, "\(type.declaration)")
            }
        }
    }

    @Test func defaultParameterTypesHoldTheirValues() throws {
        var random = Seeded(state: 2)
        for type in Self.types {
            for _ in 0..<20 {
                guard let value = try Self.value(type, &random) else { continue }
                let parameter = value.parameterType()
                #expect(!parameter.declaration.isEmpty)
                let back = try TDSValue(wire: value.wireContent(for: parameter), typeInfo: parameter)
                switch value {
                case .json, .decimal: #expect(back.description == value.description)
                case .udt(let udt): if case .udt(let other) = back { #expect(udt.bytes == other.bytes) } else { Issue.record("\(back)") }
                default: #expect(back == value, "\(parameter.declaration)")
                }
                var buffer = ByteBuffer()
                try buffer.writeTypeInfo(parameter, .parameter)
                #expect(try buffer.readTypeInfo(.parameter).declaration == parameter.declaration)
            }
        }
    }

    @Test func randomBytesNeverTrap() throws {
        var random = Seeded(state: 3)
        for type in Self.types {
            for round in 0..<400 {
                let length = round < 40 ? round : Int.random(in: 0...60, using: &random)
                let mask: UInt8 = round % 3 == 0 ? 0x03 : 0xFF
                let bytes = ByteBuffer(bytes: (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) & mask })
                do throws(WireError) {
                    let value = try TDSValue(wire: bytes, typeInfo: type)
                    _ = value.description
                    // What could be read can be written. Characters that the page hasn't are the only loss.
                    _ = try value.wireContent(for: type)
                } catch {
                    let allowed: [WireError.Code] = [.malformed, .truncated, .unknownType, .notRepresentable, .valueOutOfRange]
                    #expect(allowed.contains(error.code))
                }
            }
        }
    }

    @Test func mutatedShapesNeverTrap() throws {
        var random = Seeded(state: 4)
        var shape = ByteBuffer()
        for field: any SpatialField in [
            Int32(0), UInt8(2), UInt8(4), Int32(5), 0.0, 0.0, 2.0, 0.0, 2.0, 2.0, 0.0, 1.0, 0.0, 0.0, Int32(1), UInt8(3), Int32(0), Int32(2), Int32(-1), Int32(0),
            UInt8(7), Int32(0), Int32(0), UInt8(10), Int32(3), UInt8(2), UInt8(0), UInt8(3),
        ] {
            field.write(to: &shape)
        }
        #expect(try TDSSpatial(.geometry, bytes: shape).wellKnownText.hasPrefix("GEOMETRYCOLLECTION (CURVEPOLYGON (COMPOUNDCURVE ("))
        for _ in 0..<20_000 {
            var mutated = shape
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                mutated.setInteger(UInt8.random(in: 0...255, using: &random) & (.random(using: &random) ? 0x0F : 0xFF), at: .random(in: 4..<shape.readableBytes, using: &random))
            }
            _ = try? TDSSpatial(.geography, bytes: mutated).wellKnownText
        }
    }
}

/// Keeps the last value's bytes.
struct LastValueSink: RowSink {
    var value: ByteBuffer?
    mutating func columns(_ columns: [ColumnMetadata]) {}
    mutating func rowBegins() {}
    mutating func null(column: Int) { value = nil }
    mutating func value(_ bytes: RawSpan, column: Int) {
        value = ByteBuffer()
        value?.writeBytes(bytes)
    }
    mutating func largeValueBegins(column: Int, length: UInt64?) { value = ByteBuffer() }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { value?.writeBytes(bytes) }
    mutating func largeValueEnds(column: Int) {}
    mutating func rowEnds() {}
}
