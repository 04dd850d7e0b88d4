// Key values between the wire and the saved state: what a chunk's last row had, and what the next chunk's parameters are.

import NIOCore
import TDSWire

extension KeyValue {
    /// The value of a key column, from its type and its bytes on the wire. Throws `WireError` for bytes that are no such value, and
    /// `StateError` for a type that no key position can hold.
    init(_ type: TypeInfo, wire content: [UInt8]) throws {
        if type.dataType == .guid {
            self = .uniqueidentifier(content)
            return
        }
        if type.dataType == .udt {
            // The one CLR type that can be a key is hierarchyid, and its bytes sort as it does.
            self = .bytes(content)
            return
        }
        switch try TDSValue(wire: ByteBuffer(bytes: content), typeInfo: type) {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .uint8(let value): self = .integer(Int64(value))
        case .int16(let value): self = .integer(Int64(value))
        case .int32(let value): self = .integer(Int64(value))
        case .int64(let value): self = .integer(value)
        // The existing connector reads a real as a double.
        case .float(let value): self = .double(Double(value))
        case .double(let value): self = .double(value)
        case .decimal(let value): self = .text(value.description)
        case .money(let value), .smallMoney(let value): self = .text(value.description)
        case .string(let value): self = .text(value)
        case .bytes(let value): self = .bytes(Array(value.readableBytesView))
        case .date(let value): self = .text("\(value)T00:00:00.000000000Z")
        case .time(let value): self = .text("0001-01-01T\(TemporalKey.clock(value, digits: 9))Z")
        case .dateTime(let value): self = .text("\(value.date)T\(TemporalKey.clock(value.time, digits: 3))")
        case .smallDateTime(let value): self = .text("\(value.date)T\(TemporalKey.clock(value.time, digits: 3))")
        case .dateTime2(let value): self = .text("\(value.date)T\(TemporalKey.clock(value.time, digits: 9))Z")
        case .dateTimeOffset(let value):
            let local = value.local
            self = .text("\(local.date)T\(TemporalKey.clock(local.time, digits: 9))\(TemporalKey.offset(value.offsetMinutes))")
        default: throw StateError("a column of type \(type.declaration) cannot be part of a key position")
        }
    }

    /// The value as a parameter of a column's type. Throws `StateError` or `WireError` if it is no value of that type.
    func parameter(for type: ColumnType) throws -> TDSValue {
        switch (type.kind, self) {
        case (_, .null): return .null
        case (_, .bool(let value)): return .bool(value)
        case (_, .integer(let value)): return .int64(value)
        case (_, .float(let value)): return .float(value)
        case (.real, .double(let value)): return .float(Float(value))
        case (_, .double(let value)): return .double(value)
        case (_, .bytes(let value)): return .bytes(ByteBuffer(bytes: value))
        case (_, .uniqueidentifier(let value)):
            return .guid(try TDSGUID(wire: ByteBuffer(bytes: value), TypeInfo(.guid, maximumLength: 16)))
        case (.exactNumber, .text(let text)):
            if type.name == "money" || type.name == "smallmoney" { return .money(try TDSMoney.parse(text).value) }
            return .decimal(try TDSDecimal(text: text))
        case (.date, .text(let text)): return .date(try TemporalKey(text).date)
        case (.time, .text(let text)): return .time(try TemporalKey(text).time(scale: type.scale))
        case (.datetime, .text(let text)): return .dateTime(try TDSDateTime.rounding(TemporalKey(text).date, TemporalKey(text).time(scale: 7)).value)
        case (.smalldatetime, .text(let text)):
            return .smallDateTime(try TDSSmallDateTime.rounding(TemporalKey(text).date, TemporalKey(text).time(scale: 7)).value)
        case (.datetime2, .text(let text)):
            let key = try TemporalKey(text)
            return .dateTime2(TDSDateTime2(date: key.date, time: try key.time(scale: type.scale)))
        case (.datetimeoffset, .text(let text)):
            let key = try TemporalKey(text)
            return .dateTimeOffset(try TDSDateTimeOffset(local: TDSDateTime2(date: key.date, time: try key.time(scale: type.scale)), offsetMinutes: key.offsetMinutes))
        case (_, .text(let text)): return .string(text)
        }
    }
}

/// A temporal key's text: "2006-01-02T15:04:05.000" or RFC 3339 with up to nine fraction digits.
struct TemporalKey {
    let date: TDSDate
    let offsetMinutes: Int16
    private let hour: Int
    private let minute: Int
    private let second: Int
    /// Nanoseconds.
    private let fraction: Int

    /// Throws `StateError` or `WireError`.
    init(_ text: String) throws {
        guard let match = text.wholeMatch(of: #/(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?/#),
            let hour = Int(match.2), let minute = Int(match.3), let second = Int(match.4)
        else { throw StateError("'scanned' holds a date or time of an unknown form") }
        (date, self.hour, self.minute, self.second) = (try TDSDate(text: match.1), hour, minute, second)
        let digits = match.5.map { String($0) } ?? ""
        fraction = Int(digits + String(repeating: "0", count: 9 - digits.count)) ?? 0
        if let zone = match.6, zone != "Z", let hours = Int16(zone.dropFirst().prefix(2)), let minutes = Int16(zone.suffix(2)) {
            offsetMinutes = (zone.first == "-" ? -1 : 1) * (hours * 60 + minutes)
        } else {
            offsetMinutes = 0
        }
    }

    /// The time of day, cut to `scale` digits. Throws `WireError`.
    func time(scale: Int) throws -> TDSTime {
        let scale = max(0, min(scale, 7))
        var divisor = 1
        for _ in scale..<9 { divisor *= 10 }
        return try TDSTime(hour: hour, minute: minute, second: second, fraction: fraction / divisor, scale: UInt8(scale))
    }

    /// "15:04:05.123000000" with so many fraction digits.
    static func clock(_ time: TDSTime, digits: Int) -> String {
        let (hour, minute, second, fraction) = time.components
        var text = padded(fraction, Int(time.scale)).prefix(digits)
        while text.count < digits { text += "0" }
        return "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)).\(text)"
    }

    static func offset(_ minutes: Int16) -> String {
        guard minutes != 0 else { return "Z" }
        return "\(minutes < 0 ? "-" : "+")\(padded(abs(Int(minutes)) / 60, 2)):\(padded(abs(Int(minutes)) % 60, 2))"
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        guard width > 0 else { return "" }
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension ColumnType {
    /// The type of a parameter that is compared with such a column. Throws `StateError` for types that cannot be keys.
    func typeInfo(collation: Collation) throws(StateError) -> TypeInfo {
        let length = maxLength < 0 ? TypeInfo.unlimited : maxLength
        let scale = UInt8(clamping: scale)
        switch name {
        case "tinyint": return TypeInfo(.intN, maximumLength: 1)
        case "smallint": return TypeInfo(.intN, maximumLength: 2)
        case "int": return TypeInfo(.intN, maximumLength: 4)
        case "bigint": return TypeInfo(.intN, maximumLength: 8)
        case "bit": return TypeInfo(.bitN, maximumLength: 1)
        case "decimal", "numeric":
            let precision = UInt8(clamping: precision)
            return TypeInfo(
                name == "decimal" ? .decimalN : .numericN, maximumLength: TDSDecimal.wireSize(precision: precision), precision: precision, scale: scale)
        case "money": return TypeInfo(.moneyN, maximumLength: 8)
        case "smallmoney": return TypeInfo(.moneyN, maximumLength: 4)
        case "real": return TypeInfo(.fltN, maximumLength: 4)
        case "float": return TypeInfo(.fltN, maximumLength: 8)
        case "char": return TypeInfo(.bigChar, maximumLength: length, collation: collation)
        case "varchar": return TypeInfo(.bigVarChar, maximumLength: length, collation: collation)
        case "nchar": return TypeInfo(.nChar, maximumLength: length, collation: collation)
        case "nvarchar": return TypeInfo(.nVarChar, maximumLength: length, collation: collation)
        case "binary": return TypeInfo(.bigBinary, maximumLength: length)
        case "varbinary": return TypeInfo(.bigVarBin, maximumLength: length)
        case "timestamp", "rowversion": return TypeInfo(.bigBinary, maximumLength: 8)
        case "date": return TypeInfo(.dateN, maximumLength: 3)
        case "time": return TypeInfo(.timeN, maximumLength: TDSTime.wireSize(scale: scale), scale: scale)
        case "datetime": return TypeInfo(.dateTimN, maximumLength: 8)
        case "smalldatetime": return TypeInfo(.dateTimN, maximumLength: 4)
        case "datetime2": return TypeInfo(.dateTime2N, maximumLength: TDSTime.wireSize(scale: scale) + 3, scale: scale)
        case "datetimeoffset": return TypeInfo(.dateTimeOffsetN, maximumLength: TDSTime.wireSize(scale: scale) + 5, scale: scale)
        case "uniqueidentifier": return TypeInfo(.guid, maximumLength: 16)
        default: throw StateError("a column of type \(name) cannot be part of a key position")
        }
    }
}
