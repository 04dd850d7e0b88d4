// Values in the wire's form (MS-TDS 2.2.5.5), without their length prefix: parameters in, output parameters out.
import NIOCore
import TDSWire

extension SQLValue {
    /// A value from its bytes. Throws `WireError` where they can't be a value of the type.
    init(wire content: ByteBuffer?, _ info: TypeInfo) throws(WireError) {
        guard var bytes = content else {
            self = .null
            return
        }
        switch info.dataType {
        case .null: self = .null
        case .int1, .int2, .int4, .int8, .intN:
            switch bytes.readableBytes {
            case 1: self = .int(Int64(try bytes.readLE("value", as: UInt8.self)))
            case 2: self = .int(Int64(try bytes.readLE("value", as: Int16.self)))
            case 4: self = .int(Int64(try bytes.readLE("value", as: Int32.self)))
            case 8: self = .int(try bytes.readLE("value"))
            default: throw WireError(.malformed, "value", "an integer of \(bytes.readableBytes) bytes")
            }
        case .bit, .bitN: self = .bit(try bytes.readLE("value", as: UInt8.self) != 0)
        case .flt4, .flt8, .fltN:
            if bytes.readableBytes == 4 {
                self = .real(Float(bitPattern: try bytes.readLE("value")))
            } else {
                self = .float(Double(bitPattern: try bytes.readLE("value")))
            }
        case .money4, .money, .moneyN:
            if bytes.readableBytes == 4 {
                self = .money(Int64(try bytes.readLE("value", as: Int32.self)))
            } else {
                let high: Int32 = try bytes.readLE("value")
                let low: UInt32 = try bytes.readLE("value")
                self = .money(Int64(high) << 32 | Int64(low))
            }
        case .dateTim4, .dateTime, .dateTimN:
            if bytes.readableBytes == 4 {
                self = .smalldatetime(days: try bytes.readLE("value"), minutes: try bytes.readLE("value"))
            } else {
                self = .datetime(days: try bytes.readLE("value"), ticks: try bytes.readLE("value"))
            }
        case .decimal, .decimalN, .numeric, .numericN:
            let sign: UInt8 = try bytes.readLE("value")
            guard bytes.readableBytes <= 16 else { throw WireError(.malformed, "value", "a decimal of \(bytes.readableBytes) bytes") }
            var magnitude: UInt128 = 0
            for byte in bytes.readableBytesView.reversed() { magnitude = magnitude << 8 | UInt128(byte) }
            guard magnitude < UInt128(SQLDecimal.powers[38]), let unscaled = Int128(exactly: magnitude) else {
                throw WireError(.malformed, "value", "a decimal of more than 38 digits")
            }
            self = .decimal(SQLDecimal(sign == 0 ? -unscaled : unscaled, scale: info.scale))
        case .guid:
            guard let guid = GUID(bytes: bytes.readableBytesView) else { throw WireError(.malformed, "value", "a uniqueidentifier's length") }
            self = .uniqueidentifier(guid)
        case .dateN: self = .date(try bytes.readDays())
        case .timeN: self = .time(try bytes.readTimeOfDay(scale: info.scale, count: bytes.readableBytes))
        case .dateTime2N:
            let time = try bytes.readTimeOfDay(scale: info.scale, count: bytes.readableBytes - 3)
            self = .datetime2(days: try bytes.readDays(), time: time)
        case .dateTimeOffsetN:
            let time = try bytes.readTimeOfDay(scale: info.scale, count: bytes.readableBytes - 5)
            self = .datetimeoffset(days: try bytes.readDays(), time: time, offset: try bytes.readLE("value"))
        case .char, .varChar, .bigChar, .bigVarChar, .text:
            var text = ""
            TDSWire.CodePage(for: info.collation).decode(bytes, into: &text)
            self = .string(text)
        case .nChar, .nVarChar, .nText: self = .string(String(utf16LE: bytes.readableBytesView))
        case .xml:
            // Clients may put a byte order mark before it.
            if bytes.getInteger(at: bytes.readerIndex, endianness: .little, as: UInt16.self) == 0xFEFF { bytes.moveReaderIndex(forwardBy: 2) }
            self = .string(String(utf16LE: bytes.readableBytesView))
        case .binary, .varBinary, .bigBinary, .bigVarBin, .image, .udt: self = .binary(Array(bytes.readableBytesView))
        case .ssVariant: self = try SQLValue(variant: &bytes)
        case .json, .vector, .tvp: throw WireError(.unknownType, "value", "\(info.dataType) parameters")
        }
    }

    /// The content of a sql_variant (MS-TDS 2.2.5.5.4): base type, length of its properties, properties, value.
    private init(variant bytes: inout ByteBuffer) throws(WireError) {
        let byte: UInt8 = try bytes.readLE("sql_variant base type")
        guard let base = DataType(rawValue: byte) else { throw WireError(.unknownType, "sql_variant base type", "byte \(byte)") }
        let count: UInt8 = try bytes.readLE("sql_variant properties")
        var properties = try bytes.readWireSlice(Int(count), "sql_variant properties")
        var info = TypeInfo(base, maximumLength: bytes.readableBytes)
        switch base {
        case .bigVarChar, .bigChar, .nVarChar, .nChar:
            info.collation = try properties.readCollation("sql_variant collation")
            info.maximumLength = Int(try properties.readLE("sql_variant length", as: UInt16.self))
        case .bigVarBin, .bigBinary:
            info.maximumLength = Int(try properties.readLE("sql_variant length", as: UInt16.self))
        case .decimalN, .numericN, .decimal, .numeric:
            info.precision = try properties.readLE("sql_variant precision")
            info.scale = try properties.readLE("sql_variant scale")
        case .timeN, .dateTime2N, .dateTimeOffsetN:
            info.scale = try properties.readLE("sql_variant scale")
        default:
            break
        }
        guard let type = SQLType(info) else { throw WireError(.unknownType, "sql_variant base type", "\(base)") }
        self = .variant(type, try SQLValue(wire: bytes, info))
    }

    /// The value's bytes as a value of `type`; nil is NULL. Throws `valueOutOfRange` for a value of another type.
    func wireContent(as type: SQLType) throws(WireError) -> ByteBuffer? {
        var bytes = ByteBuffer()
        switch (self, type.kind) {
        case (.null, _):
            return nil
        case (.int(let value), .tinyint): bytes.writeLE(UInt8(truncatingIfNeeded: value))
        case (.int(let value), .smallint): bytes.writeLE(Int16(truncatingIfNeeded: value))
        case (.int(let value), .int), (.int(let value), .null): bytes.writeLE(Int32(truncatingIfNeeded: value))
        case (.int(let value), .bigint): bytes.writeLE(value)
        case (.bit(let value), .bit): bytes.writeLE(UInt8(value ? 1 : 0))
        case (.real(let value), .real): bytes.writeLE(value.bitPattern)
        case (.float(let value), .float): bytes.writeLE(value.bitPattern)
        case (.money(let value), .smallmoney): bytes.writeLE(Int32(truncatingIfNeeded: value))
        case (.money(let value), .money):
            bytes.writeLE(Int32(truncatingIfNeeded: value >> 32))
            bytes.writeLE(UInt32(truncatingIfNeeded: value))
        case (.smalldatetime(let days, let minutes), .smalldatetime):
            bytes.writeLE(days)
            bytes.writeLE(minutes)
        case (.datetime(let days, let ticks), .datetime):
            bytes.writeLE(days)
            bytes.writeLE(ticks)
        case (.decimal(let value), .decimal), (.decimal(let value), .numeric):
            guard let scaled = value.rescaled(to: type.scale) else { throw WireError(.valueOutOfRange, "value", "a decimal's scale") }
            bytes.writeLE(UInt8(scaled.unscaled < 0 ? 0 : 1))
            var magnitude = scaled.unscaled.magnitude
            for _ in 0..<(type.precision <= 9 ? 4 : type.precision <= 19 ? 8 : type.precision <= 28 ? 12 : 16) {
                bytes.writeLE(UInt8(truncatingIfNeeded: magnitude))
                magnitude >>= 8
            }
        case (.uniqueidentifier(let value), .uniqueidentifier): bytes.writeBytes(value.bytes)
        case (.date(let days), .date): bytes.writeDays(days)
        case (.time(let time), .time): bytes.writeTimeOfDay(time, scale: type.scale)
        case (.datetime2(let days, let time), .datetime2):
            bytes.writeTimeOfDay(time, scale: type.scale)
            bytes.writeDays(days)
        case (.datetimeoffset(let days, let time, let offset), .datetimeoffset):
            bytes.writeTimeOfDay(time, scale: type.scale)
            bytes.writeDays(days)
            bytes.writeLE(offset)
        case (.string(let text), .char), (.string(let text), .varchar), (.string(let text), .text):
            _ = TDSWire.CodePage(for: (type.collation ?? .default).wire).encode(text, into: &bytes)
        case (.string(let text), .nchar), (.string(let text), .nvarchar), (.string(let text), .ntext), (.string(let text), .xml):
            bytes.writeUTF16(text)
        case (.binary(let value), .binary), (.binary(let value), .varbinary), (.binary(let value), .image), (.binary(let value), .rowversion),
            (.binary(let value), .hierarchyid):
            bytes.writeBytes(value)
        case (.variant(let base, let value), .variant):
            try bytes.writeVariant(base, value)
        default:
            throw WireError(.valueOutOfRange, "value", "the value is no \(type.name)")
        }
        return bytes
    }
}

extension ByteBuffer {
    fileprivate mutating func readDays() throws(WireError) -> Int32 {
        let low: UInt16 = try readLE("date")
        return Int32(low) | Int32(try readLE("date", as: UInt8.self)) << 16
    }

    fileprivate mutating func writeDays(_ days: Int32) {
        writeLE(UInt16(truncatingIfNeeded: days))
        writeLE(UInt8(truncatingIfNeeded: days >> 16))
    }

    /// Units of 10^-scale seconds in 3 to 5 bytes, as 100-nanosecond units.
    fileprivate mutating func readTimeOfDay(scale: UInt8, count: Int) throws(WireError) -> Int64 {
        guard (3...5).contains(count), scale <= 7 else { throw WireError(.malformed, "value", "a time of \(count) bytes") }
        var units: Int64 = 0
        for index in 0..<count { units |= Int64(try readLE("time", as: UInt8.self)) << Int64(8 * index) }
        for _ in scale..<7 { units *= 10 }
        guard units < 864_000_000_000 else { throw WireError(.valueOutOfRange, "value", "a time beyond midnight") }
        return units
    }

    fileprivate mutating func writeTimeOfDay(_ time: Int64, scale: UInt8) {
        var units = time
        for _ in scale..<7 { units /= 10 }
        for index in 0..<(scale <= 2 ? 3 : scale <= 4 ? 4 : 5) { writeLE(UInt8(truncatingIfNeeded: units >> Int64(8 * index))) }
    }

    fileprivate mutating func writeVariant(_ type: SQLType, _ value: SQLValue) throws(WireError) {
        let info = type.typeInfo(isNullable: false, database: "")
        guard let content = try value.wireContent(as: type) else { throw WireError(.valueOutOfRange, "sql_variant", "NULL has no base type") }
        writeLE(info.dataType.rawValue)
        switch info.dataType {
        case .bigVarChar, .bigChar, .nVarChar, .nChar:
            writeLE(UInt8(7))
            writeCollation(info.collation ?? .sqlLatin1GeneralCP1CIAS)
            writeLE(UInt16(clamping: info.maximumLength))
        case .bigVarBin, .bigBinary:
            writeLE(UInt8(2))
            writeLE(UInt16(clamping: info.maximumLength))
        case .decimalN, .numericN:
            writeLE(UInt8(2))
            writeLE(info.precision)
            writeLE(info.scale)
        case .timeN, .dateTime2N, .dateTimeOffsetN:
            writeLE(UInt8(1))
            writeLE(info.scale)
        default:
            writeLE(UInt8(0))
        }
        writeImmutableBuffer(content)
    }
}
