import NIOCore
import TDSWire

/// A column's bytes in a ROW token (MS-TDS 2.2.5.4 and 2.2.7.19): what rows are stored as, so that reading a table is copying.
///
/// Columns that can't be NULL use the fixed-length types where there are such, as on a real server (`ResultColumn`'s rule).
enum WireForm {
    static func isFixed(_ type: SQLType, nullable: Bool) -> Bool { !nullable && type.hasFixedForm }

    @inline(__always)
    private static func little(_ number: UInt64, _ width: Int, _ out: inout [UInt8]) {
        var number = number
        for _ in 0..<width {
            out.append(UInt8(truncatingIfNeeded: number))
            number >>= 8
        }
    }

    /// Whether it is sent as PLP (MS-TDS 2.2.5.2.3).
    static func isPLP(_ type: SQLType) -> Bool {
        switch type.kind {
        case .xml, .hierarchyid: return true
        case .varchar, .nvarchar, .varbinary: return type.length == -1
        default: return false
        }
    }

    static func encode(_ value: SQLValue, _ type: SQLType, nullable: Bool, to out: inout [UInt8]) {
        if case .null = value {
            encodeNull(type, to: &out)
            return
        }
        switch type.kind {
        case .tinyint, .smallint, .int, .bigint, .bit, .float, .real, .money, .smallmoney, .datetime, .smalldatetime, .null:
            if nullable || type.kind == .null { out.append(UInt8(type.maxLength)) }
            fixed(value, type, &out)
        case .decimal, .numeric, .date, .time, .datetime2, .datetimeoffset, .uniqueidentifier:
            out.append(UInt8(type.maxLength))
            fixed(value, type, &out)
        case .char, .varchar, .nchar, .nvarchar, .binary, .varbinary, .rowversion, .xml, .hierarchyid, .text, .ntext, .image:
            let start = out.count
            if isPLP(type) {
                out.append(contentsOf: repeatElement(0, count: 12))
                content(value, type, &out)
                let count = out.count - start - 12
                patch(UInt64(count), 8, at: start, &out)
                if count == 0 {
                    // No chunk at all: only the terminator.
                    out.removeLast(4)
                } else {
                    patch(UInt64(count), 4, at: start + 8, &out)
                }
                little(0, 4, &out)
            } else if type.kind == .text || type.kind == .ntext || type.kind == .image {
                out.append(16)
                out.append(contentsOf: textPointer)
                out.append(contentsOf: repeatElement(0, count: 4))
                content(value, type, &out)
                patch(UInt64(out.count - start - 29), 4, at: start + 25, &out)
            } else {
                out.append(0)
                out.append(0)
                content(value, type, &out)
                patch(UInt64(out.count - start - 2), 2, at: start, &out)
            }
        case .variant: variant(value, &out)
        }
    }
    /// 16 bytes text pointer and 8 bytes timestamp: what a server sends where the text has no pointer of its own.
    private static let textPointer: [UInt8] = Array("dummy textptr\0\0\0".utf8) + Array("dummyTS\0".utf8)

    private static func patch(_ number: UInt64, _ width: Int, at index: Int, _ out: inout [UInt8]) {
        for offset in 0..<width { out[index + offset] = UInt8(truncatingIfNeeded: number >> UInt64(offset * 8)) }
    }

    private static func encodeNull(_ type: SQLType, to out: inout [UInt8]) {
        switch type.kind {
        case .char, .varchar, .nchar, .nvarchar, .binary, .varbinary, .rowversion:
            if isPLP(type) { out.append(contentsOf: repeatElement(0xFF, count: 8)) } else { out.append(contentsOf: [0xFF, 0xFF]) }
        case .xml, .hierarchyid: out.append(contentsOf: repeatElement(0xFF, count: 8))
        case .variant: out.append(contentsOf: [0, 0, 0, 0])
        default: out.append(0)
        }
    }

    private static func content(_ value: SQLValue, _ type: SQLType, _ out: inout [UInt8]) {
        switch value {
        case .binary(let bytes): out.append(contentsOf: bytes)
        case .string(let text):
            if type.isUnicode {
                for unit in text.utf16 {
                    out.append(UInt8(truncatingIfNeeded: unit))
                    out.append(UInt8(truncatingIfNeeded: unit >> 8))
                }
            } else {
                let page = (type.collation ?? .default).codePage
                if page == .utf8 || text.isASCII { out.append(contentsOf: text.utf8) } else { out.append(contentsOf: page.encode(text).readableBytesView) }
            }
        default: break
        }
    }

    /// A time with the type's digits; what is beyond them was rounded before.
    private static func time(_ time: TDSTime, _ scale: UInt8, _ out: inout [UInt8]) {
        little(time.hundredNanoseconds / Power10.uint64[Int(7 - min(scale, 7))], TDSTime.wireSize(scale: scale), &out)
    }

    private static func fixed(_ value: SQLValue, _ type: SQLType, _ out: inout [UInt8]) {
        switch value {
        case .int(let number): little(UInt64(bitPattern: number), type.maxLength, &out)
        case .bit(let flag): out.append(flag ? 1 : 0)
        case .float(let number): little(number.bitPattern, 8, &out)
        case .real(let number): little(UInt64(number.bitPattern), 4, &out)
        case .money(let amount):
            let bits = UInt64(bitPattern: amount.tenThousandths)
            if type.kind != .smallmoney { little(bits >> 32, 4, &out) }
            little(bits, 4, &out)
        case .decimal(let number):
            let scaled = number.scale == type.scale ? number : number.scaled(to: type.scale) ?? number
            out.append(scaled.isNegative ? 0 : 1)
            little(UInt64(truncatingIfNeeded: scaled.magnitude), min(8, type.maxLength - 1), &out)
            if type.maxLength > 9 { little(UInt64(truncatingIfNeeded: scaled.magnitude >> 64), type.maxLength - 9, &out) }
        case .date(let date): little(UInt64(date.days), 3, &out)
        case .time(let value): time(value, type.scale, &out)
        case .datetime(let value):
            little(UInt64(UInt32(bitPattern: value.days)), 4, &out)
            little(UInt64(value.ticks), 4, &out)
        case .smalldatetime(let value):
            little(UInt64(value.days), 2, &out)
            little(UInt64(value.minutes), 2, &out)
        case .datetime2(let value):
            time(value.time, type.scale, &out)
            little(UInt64(value.date.days), 3, &out)
        case .datetimeoffset(let value):
            time(value.utc.time, type.scale, &out)
            little(UInt64(value.utc.date.days), 3, &out)
            little(UInt64(UInt16(bitPattern: value.offsetMinutes)), 2, &out)
        case .uniqueidentifier(let guid):
            little(guid.high >> 32, 4, &out)
            little(guid.high >> 16, 2, &out)
            little(guid.high, 2, &out)
            little(guid.low.byteSwapped, 8, &out)
        case .null, .string, .binary, .variant: break
        }
    }

    /// sql_variant (MS-TDS 2.2.5.5.4): length, then what TDSWire writes.
    private static func variant(_ value: SQLValue, _ out: inout [UInt8]) {
        guard let content = try? value.wireContent(as: SQLType(.variant)) else { return encodeNull(SQLType(.variant), to: &out) }
        little(UInt64(content.readableBytes), 4, &out)
        out.append(contentsOf: content.readableBytesView)
    }

    // MARK: Decoding what was encoded here

    @inline(__always)
    private static func read(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ width: Int) -> UInt64 {
        var number: UInt64 = 0
        var index = width - 1
        while index >= 0 {
            number = number << 8 | UInt64(bytes[at + index])
            index -= 1
        }
        return number
    }

    /// Where the column that begins at `offset` ends.
    static func end(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ type: SQLType, nullable: Bool) -> Int {
        switch type.kind {
        case .tinyint, .smallint, .int, .bigint, .bit, .float, .real, .money, .smallmoney, .datetime, .smalldatetime:
            return nullable ? offset + 1 + Int(bytes[offset]) : offset + type.maxLength
        case .decimal, .numeric, .date, .time, .datetime2, .datetimeoffset, .uniqueidentifier, .null:
            return offset + 1 + Int(bytes[offset])
        case .variant: return offset + 4 + Int(read(bytes, offset, 4))
        case .text, .ntext, .image:
            return bytes[offset] == 0 ? offset + 1 : offset + 29 + Int(read(bytes, offset + 25, 4))
        default:
            if isPLP(type) {
                let count = read(bytes, offset, 8)
                if count == UInt64.max { return offset + 8 }
                return count == 0 ? offset + 12 : offset + 16 + Int(count)
            }
            let count = Int(read(bytes, offset, 2))
            return count == 0xFFFF ? offset + 2 : offset + 2 + count
        }
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ type: SQLType, nullable: Bool) -> SQLValue {
        switch type.kind {
        case .tinyint, .smallint, .int, .bigint, .bit, .float, .real, .money, .smallmoney, .datetime, .smalldatetime, .null:
            if !nullable, type.kind != .null { return fixedValue(bytes, offset, type) }
            return bytes[offset] == 0 ? .null : fixedValue(bytes, offset + 1, type)
        case .decimal, .numeric, .date, .time, .datetime2, .datetimeoffset, .uniqueidentifier:
            return bytes[offset] == 0 ? .null : fixedValue(bytes, offset + 1, type)
        case .variant:
            let count = Int(read(bytes, offset, 4))
            if count == 0 { return .null }
            let content = UnsafeRawBufferPointer(rebasing: bytes[(offset + 4)..<(offset + 4 + count)])
            return (try? SQLValue(TDSVariant(wire: content.bytes))) ?? .null
        case .text, .ntext, .image:
            if bytes[offset] == 0 { return .null }
            let count = Int(read(bytes, offset + 25, 4))
            return contentValue(UnsafeRawBufferPointer(rebasing: bytes[(offset + 29)..<(offset + 29 + count)]), type)
        default:
            let start: Int, count: Int
            if isPLP(type) {
                let total = read(bytes, offset, 8)
                if total == UInt64.max { return .null }
                count = Int(total)
                start = offset + 12
            } else {
                count = Int(read(bytes, offset, 2))
                if count == 0xFFFF { return .null }
                start = offset + 2
            }
            return contentValue(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)]), type)
        }
    }

    private static func contentValue(_ bytes: UnsafeRawBufferPointer, _ type: SQLType) -> SQLValue {
        switch type.kind {
        case .binary, .varbinary, .image, .rowversion, .hierarchyid: return .binary(Array(bytes))
        case .nchar, .nvarchar, .ntext, .xml: return .string(UTF16Text.string(bytes.bytes))
        default: return .string((type.collation ?? .default).codePage.string(bytes.bytes))
        }
    }

    /// NULL where the bytes are none of the type's: they are our own, so that cannot be.
    private static func fixedValue(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ type: SQLType) -> SQLValue {
        switch type.kind {
        case .tinyint: return .int(Int64(bytes[offset]))
        case .smallint: return .int(Int64(Int16(truncatingIfNeeded: read(bytes, offset, 2))))
        case .int, .null: return .int(Int64(Int32(truncatingIfNeeded: read(bytes, offset, 4))))
        case .bigint: return .int(Int64(bitPattern: read(bytes, offset, 8)))
        case .bit: return .bit(bytes[offset] != 0)
        case .float: return .float(Double(bitPattern: read(bytes, offset, 8)))
        case .real: return .real(Float(bitPattern: UInt32(truncatingIfNeeded: read(bytes, offset, 4))))
        default: return (try? wireValue(UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + type.maxLength)]).bytes, type)) ?? .null
        }
    }

    private static func wireValue(_ bytes: RawSpan, _ type: SQLType) throws(WireError) -> SQLValue {
        switch type.kind {
        case .money, .smallmoney: return .money(try TDSMoney(wire: bytes))
        case .datetime: return .datetime(try TDSDateTime(wire: bytes))
        case .smalldatetime: return .smalldatetime(try TDSSmallDateTime(wire: bytes))
        case .decimal, .numeric: return .decimal(try TDSDecimal(wire: bytes, precision: type.precision, scale: type.scale).widest)
        case .date: return .date(try TDSDate(wire: bytes))
        case .time: return .time(try TDSTime(wire: bytes, scale: type.scale).widest)
        case .datetime2: return .datetime2(try TDSDateTime2(wire: bytes, scale: type.scale).widest)
        case .datetimeoffset: return .datetimeoffset(try TDSDateTimeOffset(wire: bytes, scale: type.scale).widest)
        case .uniqueidentifier: return .uniqueidentifier(try TDSGUID(wire: bytes))
        default: return .null
        }
    }
}
