import Foundation
import NIOCore
import TDSWire

/// Values as text: CAST and CONVERT to character types, PRINT, messages.
enum Formatting {
    static func pad(_ value: Int, _ width: Int, _ fill: Character = "0") -> String {
        let digits = String(value)
        return digits.count >= width ? digits : String(repeating: fill, count: width - digits.count) + digits
    }
    static func offset(_ minutes: Int16) -> String {
        let magnitude = abs(Int(minutes))
        return "\(minutes < 0 ? "-" : "+")\(pad(magnitude / 60, 2)):\(pad(magnitude % 60, 2))"
    }
    /// money with 2 (style 0), thousands (1) or 4 digits (2).
    static func money(_ value: TDSMoney, style: Int64) -> String {
        if style == 2 { return value.description }
        let cents = TDSDecimal(value).scaled(to: 2)?.description ?? "0.00"
        guard style == 1 else { return cents }
        let negative = cents.hasPrefix("-")
        let whole = cents.dropLast(3).drop { $0 == "-" }
        var grouped = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { grouped += "," }
            grouped.append(digit)
        }
        return (negative ? "-" : "") + grouped + cents.suffix(3)
    }

    static func float(_ value: Double, style: Int64) -> String {
        if style == 0 {
            var text = String(format: "%.6g", value)
            // C prints at least two exponent digits, SQL Server three.
            if let e = text.firstIndex(of: "e") {
                let mantissa = text[..<e]
                let sign = text[text.index(after: e)]
                let digits = text[text.index(e, offsetBy: 2)...]
                text = mantissa + "e" + String(sign) + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
            }
            return text
        }
        let digits = style == 1 ? 7 : style == 2 ? 15 : 16
        let text = String(format: "%.\(digits)e", value)
        guard let e = text.firstIndex(of: "e") else { return text }
        let sign = text[text.index(after: e)]
        let exponent = text[text.index(e, offsetBy: 2)...]
        return text[..<e] + "e" + String(sign) + String(repeating: "0", count: max(0, 3 - exponent.count)) + exponent
    }

    /// `0x` and upper-case digits.
    static func hex(_ bytes: [UInt8]) -> String { ByteBuffer(bytes: bytes).sqlHex }

    /// A temporal value by CONVERT's style; nil if there's no such style. `fractionScale`: digits that the type has.
    static func temporal(_ parts: DateTimeParts, type: SQLType, style: Int64) -> String? {
        let day = parts.dayOrDefault
        let d = day.civil
        let isDatetime = type.kind == .datetime || type.kind == .smalldatetime
        let scale: UInt8 = type.kind == .datetime ? 3 : type.kind == .smalldatetime ? 0 : type.scale
        let seconds = Int(parts.time / DateTimeParts.unitsPerSecond)
        let hour = seconds / 3600, minute = seconds / 60 % 60, second = seconds % 60
        let y4 = pad(d.year, 4), y2 = pad(d.year % 100, 2), m = pad(d.month, 2), dd = pad(d.day, 2)
        let mon = String(TDSDate.monthNames[d.month - 1].prefix(3))
        let hasDate = type.kind != .time, hasTime = type.kind != .date
        let dateOnly = "\(y4)-\(m)-\(dd)"
        let hms = "\(pad(hour, 2)):\(pad(minute, 2)):\(pad(second, 2))"
        let millis = type.kind == .datetime ? pad(Int(parts.time % DateTimeParts.unitsPerSecond / 10_000), 3) : String(pad(Int(parts.time % DateTimeParts.unitsPerSecond), 7).prefix(Int(max(scale, 0))))
        let zone = type.kind == .datetimeoffset ? " " + offset(parts.offset ?? 0) : ""
        func twelve(_ withSeconds: Bool) -> String {
            let h = hour % 12 == 0 ? 12 : hour % 12
            let tail = withSeconds ? ":\(pad(second, 2))" + (millis.isEmpty ? "" : (isDatetime ? ":" : ".") + millis) : ""
            return "\(pad(h, 2, " ")):\(pad(minute, 2))\(tail)\(hour < 12 ? "AM" : "PM")"
        }
        func century(_ text: (String) -> String) -> String { text(style >= 100 ? y4 : y2) }
        switch style {
        case 0, 100:
            let date = "\(mon) \(pad(d.day, 2, " ")) \(y4)"
            return !hasTime ? date : !hasDate ? twelve(false) : "\(date) \(twelve(false))\(zone)"
        case 1, 101: return century { "\(m)/\(dd)/\($0)" }
        case 2, 102: return century { "\($0).\(m).\(dd)" }
        case 3, 103: return century { "\(dd)/\(m)/\($0)" }
        case 4, 104: return century { "\(dd).\(m).\($0)" }
        case 5, 105: return century { "\(dd)-\(m)-\($0)" }
        case 6, 106: return century { "\(dd) \(mon) \($0)" }
        case 7, 107: return century { "\(mon) \(dd), \($0)" }
        case 8, 24, 108: return hms
        case 9, 109:
            let date = "\(mon) \(pad(d.day, 2, " ")) \(y4)"
            return !hasTime ? date : !hasDate ? twelve(true) : "\(date) \(twelve(true))\(zone)"
        case 10, 110: return century { "\(m)-\(dd)-\($0)" }
        case 11, 111: return century { "\($0)/\(m)/\(dd)" }
        case 12, 112: return century { "\($0)\(m)\(dd)" }
        case 13, 113:
            let date = "\(dd) \(mon) \(y4)"
            let time = hms + (millis.isEmpty ? "" : (isDatetime ? ":" : ".") + millis)
            return !hasTime ? date : !hasDate ? time : "\(date) \(time)\(zone)"
        case 14, 114: return hms + (millis.isEmpty ? "" : (isDatetime ? ":" : ".") + millis)
        case 20, 120: return !hasTime ? dateOnly : !hasDate ? hms : "\(dateOnly) \(hms)\(zone)"
        case 21, 25, 121:
            let time = hms + (millis.isEmpty ? "" : "." + millis)
            return !hasTime ? dateOnly : !hasDate ? time : "\(dateOnly) \(time)\(zone)"
        case 22: return "\(m)/\(dd)/\(y2) \(twelve(true))"
        case 23: return dateOnly
        case 126, 127:
            var time = hms
            if isDatetime ? parts.time % DateTimeParts.unitsPerSecond != 0 : !millis.isEmpty { time += "." + millis }
            if style == 127, type.kind == .datetimeoffset {
                guard let moment = try? TDSDateTimeOffset(local: parts.moment.settled(scale), offsetMinutes: parts.offset ?? 0),
                    let utc = try? moment.utc.rounded(scale: scale).value
                else { return nil }
                return "\(utc.date)T\(utc.time)Z"
            }
            let tail = type.kind == .datetimeoffset ? offset(parts.offset ?? 0) : ""
            return !hasTime ? dateOnly : !hasDate ? time : "\(dateOnly)T\(time)\(tail)"
        default: return nil
        }
    }

    /// The default text of a value, as in messages of duplicate keys, PRINT and implicit conversion.
    static func text(_ value: SQLValue, _ type: SQLType, style: Int64 = 0) throws -> String {
        switch value {
        case .null: return "<NULL>"
        case .int(let number): return String(number)
        case .bit(let flag): return flag ? "1" : "0"
        case .decimal(let number): return number.description
        case .money(let number): return money(number, style: style)
        case .float(let number): return float(number, style: style)
        case .real(let number): return style == 0 ? float(Double(number), style: 0) : float(Double(number), style: style)
        case .string(let text): return text
        case .binary(let bytes):
            if type.kind == .hierarchyid { return (try? TDSHierarchyID(wire: bytes.span.bytes))?.description ?? "" }
            return hex(bytes)
        case .uniqueidentifier(let guid): return guid.description
        case .variant(let type, let inner): return try text(inner, type, style: style)
        default:
            guard let parts = DateTimeParts(value) else { return "" }
            let isOld = type.kind == .datetime || type.kind == .smalldatetime
            let chosen = style == 0 && !isOld ? 121 : style
            guard let text = temporal(parts, type: type, style: chosen) else { throw Messages.invalidStyle(style, type.name, "varchar") }
            return text
        }
    }
}
