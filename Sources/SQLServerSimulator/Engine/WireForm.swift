import NIOCore

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
                out.append(contentsOf: CodePage.encode(text, type.collation ?? .default))
            }
        default: break
        }
    }

    private static func scaledTime(_ time: Int64, _ scale: UInt8, _ out: inout [UInt8]) {
        let divisor: Int64 = [10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1][Int(min(scale, 7))]
        little(UInt64(time / divisor), scale <= 2 ? 3 : scale <= 4 ? 4 : 5, &out)
    }

    private static func fixed(_ value: SQLValue, _ type: SQLType, _ out: inout [UInt8]) {
        switch value {
        case .int(let number): little(UInt64(bitPattern: number), type.maxLength, &out)
        case .bit(let flag): out.append(flag ? 1 : 0)
        case .float(let number): little(number.bitPattern, 8, &out)
        case .real(let number): little(UInt64(number.bitPattern), 4, &out)
        case .money(let number):
            if type.kind == .smallmoney {
                little(UInt64(bitPattern: number), 4, &out)
            } else {
                little(UInt64(bitPattern: number) >> 32, 4, &out)
                little(UInt64(bitPattern: number), 4, &out)
            }
        case .decimal(let number):
            let scaled = number.rescaled(to: type.scale) ?? number
            out.append(scaled.unscaled < 0 ? 0 : 1)
            let magnitude = scaled.unscaled.magnitude
            little(UInt64(truncatingIfNeeded: magnitude), min(8, type.maxLength - 1), &out)
            if type.maxLength > 9 { little(UInt64(truncatingIfNeeded: magnitude >> 64), type.maxLength - 9, &out) }
        case .date(let day): little(UInt64(UInt32(bitPattern: day)), 3, &out)
        case .time(let time): scaledTime(time, type.scale, &out)
        case .datetime(let days, let ticks):
            little(UInt64(UInt32(bitPattern: days)), 4, &out)
            little(UInt64(UInt32(bitPattern: ticks)), 4, &out)
        case .smalldatetime(let days, let minutes):
            little(UInt64(days), 2, &out)
            little(UInt64(minutes), 2, &out)
        case .datetime2(let days, let time):
            scaledTime(time, type.scale, &out)
            little(UInt64(UInt32(bitPattern: days)), 3, &out)
        case .datetimeoffset(let days, let time, let offset):
            scaledTime(time, type.scale, &out)
            little(UInt64(UInt32(bitPattern: days)), 3, &out)
            little(UInt64(UInt16(bitPattern: offset)), 2, &out)
        case .uniqueidentifier(let guid): out.append(contentsOf: guid.bytes)
        case .null, .string, .binary, .variant: break
        }
    }

    /// sql_variant (MS-TDS 2.2.5.5.4): length, base type, its properties, the value.
    private static func variant(_ value: SQLValue, _ out: inout [UInt8]) {
        guard case .variant(let type, let inner) = value else { return encodeNull(SQLType(.variant), to: &out) }
        let start = out.count
        out.append(contentsOf: [0, 0, 0, 0])
        func collation() -> [UInt8] { (type.collation ?? .default).wireBytes }
        func small(_ number: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)] }
        switch type.kind {
        case .tinyint: out += [0x30, 0]
        case .smallint: out += [0x34, 0]
        case .int, .null: out += [0x38, 0]
        case .bigint: out += [0x7F, 0]
        case .bit: out += [0x32, 0]
        case .float: out += [0x3E, 0]
        case .real: out += [0x3B, 0]
        case .money: out += [0x3C, 0]
        case .smallmoney: out += [0x7A, 0]
        case .datetime: out += [0x3D, 0]
        case .smalldatetime: out += [0x3A, 0]
        case .uniqueidentifier: out += [0x24, 0]
        case .date: out += [0x28, 0]
        case .time: out += [0x29, 1, type.scale]
        case .datetime2: out += [0x2A, 1, type.scale]
        case .datetimeoffset: out += [0x2B, 1, type.scale]
        case .decimal, .numeric: out += [type.kind == .decimal ? 0x6A : 0x6C, 2, type.precision, type.scale]
        case .char: out += [0xAF, 7] + collation() + small(type.length)
        case .varchar, .text: out += [0xA7, 7] + collation() + small(type.length)
        case .nchar: out += [0xEF, 7] + collation() + small(type.length * 2)
        case .nvarchar, .ntext, .xml: out += [0xE7, 7] + collation() + small(type.length * 2)
        case .binary: out += [0xAD, 2] + small(type.length)
        case .varbinary, .image, .rowversion, .hierarchyid, .variant: out += [0xA5, 2] + small(max(type.length, 0))
        }
        switch inner {
        case .string, .binary: content(inner, type, &out)
        default: fixed(inner, type, &out)
        }
        patch(UInt64(out.count - start - 4), 4, at: start, &out)
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
            return count == 0 ? .null : variantValue(UnsafeRawBufferPointer(rebasing: bytes[(offset + 4)..<(offset + 4 + count)]))
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
        case .nchar, .nvarchar, .ntext, .xml:
            var isASCII = true
            var index = 0
            while index + 1 < bytes.count {
                if bytes[index] >= 0x80 || bytes[index + 1] != 0 {
                    isASCII = false
                    break
                }
                index += 2
            }
            let count = bytes.count / 2
            if isASCII {
                return .string(String(unsafeUninitializedCapacity: count) { out in
                    for index in 0..<count { out[index] = bytes[index * 2] }
                    return count
                })
            }
            var units: [UInt16] = []
            units.reserveCapacity(count)
            for index in 0..<count { units.append(UInt16(bytes[index * 2]) | UInt16(bytes[index * 2 + 1]) << 8) }
            return .string(String(decoding: units, as: UTF16.self))
        default: return .string(CodePage.decode(bytes, type.collation ?? .default))
        }
    }

    private static func unscaledTime(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ scale: UInt8) -> (Int64, Int) {
        let width = scale <= 2 ? 3 : scale <= 4 ? 4 : 5
        let factor: Int64 = [10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1][Int(min(scale, 7))]
        return (Int64(read(bytes, offset, width)) * factor, width)
    }

    private static func fixedValue(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ type: SQLType) -> SQLValue {
        switch type.kind {
        case .tinyint: return .int(Int64(bytes[offset]))
        case .smallint: return .int(Int64(Int16(truncatingIfNeeded: read(bytes, offset, 2))))
        case .int, .null: return .int(Int64(Int32(truncatingIfNeeded: read(bytes, offset, 4))))
        case .bigint: return .int(Int64(bitPattern: read(bytes, offset, 8)))
        case .bit: return .bit(bytes[offset] != 0)
        case .float: return .float(Double(bitPattern: read(bytes, offset, 8)))
        case .real: return .real(Float(bitPattern: UInt32(truncatingIfNeeded: read(bytes, offset, 4))))
        case .money: return .money(Int64(bitPattern: read(bytes, offset, 4) << 32 | read(bytes, offset + 4, 4)))
        case .smallmoney: return .money(Int64(Int32(truncatingIfNeeded: read(bytes, offset, 4))))
        case .datetime:
            return .datetime(days: Int32(truncatingIfNeeded: read(bytes, offset, 4)), ticks: Int32(truncatingIfNeeded: read(bytes, offset + 4, 4)))
        case .smalldatetime:
            return .smalldatetime(days: UInt16(truncatingIfNeeded: read(bytes, offset, 2)), minutes: UInt16(truncatingIfNeeded: read(bytes, offset + 2, 2)))
        case .decimal, .numeric:
            let width = type.maxLength - 1
            var magnitude = UInt128(read(bytes, offset + 1, min(8, width)))
            if width > 8 { magnitude |= UInt128(read(bytes, offset + 9, width - 8)) << 64 }
            let signed = Int128(truncatingIfNeeded: magnitude)
            return .decimal(SQLDecimal(bytes[offset] == 0 ? -signed : signed, scale: type.scale))
        case .date: return .date(Int32(truncatingIfNeeded: read(bytes, offset, 3)))
        case .time: return .time(unscaledTime(bytes, offset, type.scale).0)
        case .datetime2:
            let (time, width) = unscaledTime(bytes, offset, type.scale)
            return .datetime2(days: Int32(truncatingIfNeeded: read(bytes, offset + width, 3)), time: time)
        case .datetimeoffset:
            let (time, width) = unscaledTime(bytes, offset, type.scale)
            return .datetimeoffset(
                days: Int32(truncatingIfNeeded: read(bytes, offset + width, 3)), time: time,
                offset: Int16(truncatingIfNeeded: read(bytes, offset + width + 3, 2)))
        case .uniqueidentifier:
            guard let guid = GUID(bytes: bytes[offset..<(offset + 16)]) else { return .null }
            return .uniqueidentifier(guid)
        default: return .null
        }
    }

    private static func variantValue(_ bytes: UnsafeRawBufferPointer) -> SQLValue {
        let properties = Int(bytes[1])
        let start = 2 + properties
        var type: SQLType
        func collation() -> SQLCollation? { .default }
        func length() -> Int { Int(bytes[7]) | Int(bytes[8]) << 8 }
        switch bytes[0] {
        case 0x30: type = .tinyint
        case 0x34: type = .smallint
        case 0x38: type = .int
        case 0x7F: type = .bigint
        case 0x32: type = .bit
        case 0x3E: type = .float
        case 0x3B: type = .real
        case 0x3C: type = .money
        case 0x7A: type = SQLType(.smallmoney)
        case 0x3D: type = .datetime
        case 0x3A: type = SQLType(.smalldatetime)
        case 0x24: type = .uniqueidentifier
        case 0x28: type = .date
        case 0x29: type = SQLType(.time, scale: bytes[2])
        case 0x2A: type = SQLType(.datetime2, scale: bytes[2])
        case 0x2B: type = SQLType(.datetimeoffset, scale: bytes[2])
        case 0x6A: type = SQLType(.decimal, precision: bytes[2], scale: bytes[3])
        case 0x6C: type = SQLType(.numeric, precision: bytes[2], scale: bytes[3])
        case 0xAF: type = SQLType(.char, length: length(), collation: collation())
        case 0xA7: type = SQLType(.varchar, length: length(), collation: collation())
        case 0xEF: type = SQLType(.nchar, length: length() / 2, collation: collation())
        case 0xE7: type = SQLType(.nvarchar, length: length() / 2, collation: collation())
        case 0xAD: type = SQLType(.binary, length: Int(bytes[2]) | Int(bytes[3]) << 8)
        default: type = SQLType(.varbinary, length: Int(bytes[2]) | Int(bytes[3]) << 8)
        }
        switch type.kind {
        case .char, .varchar, .nchar, .nvarchar, .binary, .varbinary:
            return .variant(type, contentValue(UnsafeRawBufferPointer(rebasing: bytes[start...]), type))
        default: return .variant(type, fixedValue(bytes, start, type))
        }
    }
}
