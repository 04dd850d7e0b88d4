/// CAST, CONVERT and implicit conversion.
enum Conversion {
    /// `isExplicit`: CAST or CONVERT. Text and binary that is too long is cut without a word; storing into a column checks before.
    static func convert(_ value: SQLValue, from: SQLType, to: SQLType, style: Int64 = 0, isExplicit: Bool = false, dateOrder: String = "mdy") throws -> SQLValue {
        if case .null = value { return .null }
        if case .variant(let inner, let content) = value, to.kind != .variant {
            return try convert(content, from: inner, to: to, style: style, isExplicit: isExplicit, dateOrder: dateOrder)
        }
        switch to.kind {
        case .null: return value
        case .variant:
            if case .variant = value { return value }
            if from.isLOB || from.kind == .rowversion || from.kind == .hierarchyid { throw Messages.clash(from.name, "sql_variant") }
            return .variant(from, value)
        case .tinyint, .smallint, .int, .bigint: return .int(try integer(value, from, to))
        case .bit:
            switch value {
            case .bit: return value
            case .int(let number): return .bit(number != 0)
            case .decimal(let number): return .bit(number.unscaled != 0)
            case .money(let number): return .bit(number != 0)
            case .float(let number): return .bit(number != 0)
            case .real(let number): return .bit(number != 0)
            case .string(let text):
                let trimmed = trim(text)
                if trimmed.lowercased() == "true" { return .bit(true) }
                if trimmed.lowercased() == "false" || trimmed.isEmpty { return .bit(false) }
                guard let number = Int64(trimmed) else { throw Messages.conversionFailed(from.name, text, "bit") }
                return .bit(number != 0)
            case .binary(let bytes): return .bit(bytes.contains { $0 != 0 })
            default: throw incompatible(from, to, isExplicit)
            }
        case .decimal, .numeric: return .decimal(try decimal(value, from, to, isExplicit: isExplicit))
        case .money, .smallmoney: return .money(try money(value, from, to, isExplicit: isExplicit))
        case .float: return .float(try double(value, from, to, isExplicit: isExplicit))
        case .real:
            if case .real = value { return value }
            let number = try double(value, from, to, isExplicit: isExplicit)
            let narrow = Float(number)
            if narrow.isInfinite { throw Messages.overflow(from.name, "real") }
            return .real(narrow)
        case .char, .varchar, .text, .nchar, .nvarchar, .ntext: return .string(try string(value, from, to, style: style, isExplicit: isExplicit))
        case .xml: return try xml(value, from, isExplicit: isExplicit)
        case .binary, .varbinary, .image, .rowversion: return .binary(try binary(value, from, to, style: style, isExplicit: isExplicit))
        case .hierarchyid:
            switch value {
            case .string(let text): return .binary(try HierarchyID.encode(text))
            case .binary where from.kind == .hierarchyid: return value
            case .binary where isExplicit: return value
            default: throw incompatible(from, to, isExplicit)
            }
        case .date, .time, .datetime, .smalldatetime, .datetime2, .datetimeoffset:
            return try temporal(value, from, to, style: style, isExplicit: isExplicit, dateOrder: dateOrder)
        case .uniqueidentifier:
            switch value {
            case .uniqueidentifier: return value
            case .string(let text):
                guard let guid = GUID(text: text) else { throw Messages.guidConversion }
                return .uniqueidentifier(guid)
            case .binary(let bytes):
                let padded = Array((bytes + [UInt8](repeating: 0, count: 16)).prefix(16))
                guard let guid = GUID(bytes: padded) else { throw Messages.guidConversion }
                return .uniqueidentifier(guid)
            default: throw incompatible(from, to, isExplicit)
            }
        }
    }

    static func incompatible(_ from: SQLType, _ to: SQLType, _ isExplicit: Bool) -> SQLServerMessage {
        isExplicit ? Messages.explicitConversion(from.name, to.name) : Messages.clash(from.name, to.name)
    }

    static func trim(_ text: String) -> String {
        var view = Substring(text)
        while let first = view.unicodeScalars.first, first.value <= 32 { view.unicodeScalars.removeFirst() }
        while let last = view.unicodeScalars.last, last.value <= 32 { view.unicodeScalars.removeLast() }
        return String(view)
    }

    // MARK: Numbers

    static func range(_ kind: SQLType.Kind) -> ClosedRange<Int64> {
        switch kind {
        case .tinyint: return 0...255
        case .smallint: return -32768...32767
        case .int: return -2_147_483_648...2_147_483_647
        default: return Int64.min...Int64.max
        }
    }

    private static func integer(_ value: SQLValue, _ from: SQLType, _ to: SQLType) throws -> Int64 {
        let range = range(to.kind)
        switch value {
        case .int(let number):
            if range.contains(number) { return number }
            if to.kind == .int { throw Messages.overflow("expression", "int") }
            throw Messages.overflow220(to.name, String(number))
        case .bit(let flag): return flag ? 1 : 0
        case .decimal(let number):
            guard let cut = number.rescaled(to: 0, truncating: true), let result = Int64(exactly: cut.unscaled), range.contains(result) else {
                throw Messages.overflow(from.name, to.name)
            }
            return result
        case .money(let number):
            // money rounds where decimal cuts.
            let rounded = (number >= 0 ? number + 5000 : number - 5000) / 10000
            if !range.contains(rounded) { throw Messages.overflow("money", to.name) }
            return rounded
        case .float(let number):
            let cut = number.rounded(.towardZero)
            guard cut > -9.3e18, cut < 9.3e18, let result = Int64(exactly: cut), range.contains(result) else {
                if to.kind == .bigint || to.kind == .int { throw Messages.overflow("expression", to.name) }
                throw Messages.overflow220(to.name, Formatting.float(number, style: 0))
            }
            return result
        case .real(let number): return try integer(.float(Double(number)), from, to)
        case .string(let text):
            let trimmed = trim(text)
            if trimmed.isEmpty { return 0 }
            let body = trimmed.hasPrefix("+") ? String(trimmed.dropFirst()) : trimmed
            if let number = Int64(body) {
                if range.contains(number) { return number }
                if to.kind == .int { throw Messages.overflow248(from.name, text) }
                throw Messages.overflow244(from.name, text, to.kind == .tinyint ? "INT1" : "INT2")
            }
            if body.utf8.allSatisfy({ ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: "-") }), SQLDecimal(parsing: body) != nil {
                if to.kind == .bigint { throw Messages.overflow("expression", "bigint") }
                throw Messages.overflow248(from.name, text)
            }
            if to.kind == .bigint { throw Messages.errorConverting(from.name, "bigint") }
            throw Messages.conversionFailed(from.name, text, to.name)
        case .binary(let bytes):
            let width = to.maxLength
            var number: UInt64 = 0
            for byte in bytes.suffix(width) { number = number << 8 | UInt64(byte) }
            switch to.kind {
            case .tinyint: return Int64(number & 0xFF)
            case .smallint: return Int64(Int16(truncatingIfNeeded: number))
            case .int: return Int64(Int32(truncatingIfNeeded: number))
            default: return Int64(bitPattern: number)
            }
        case .datetime(let days, let ticks):
            let rounded = Int64(days) + (ticks >= 12_960_000 ? 1 : 0)
            if !range.contains(rounded) { throw Messages.overflow("datetime", to.name) }
            return rounded
        case .smalldatetime(let days, let minutes): return Int64(days) + (minutes >= 720 ? 1 : 0)
        default: throw Messages.clash(from.name, to.name)
        }
    }

    private static func decimal(_ value: SQLValue, _ from: SQLType, _ to: SQLType, isExplicit: Bool) throws -> SQLDecimal {
        let number: SQLDecimal
        switch value {
        case .int(let value): number = SQLDecimal(Int128(value), scale: 0)
        case .bit(let flag): number = SQLDecimal(flag ? 1 : 0, scale: 0)
        case .decimal(let value): number = value
        case .money(let value): number = SQLDecimal(Int128(value), scale: 4)
        case .float, .real:
            let double: Double
            if case .float(let value) = value { double = value } else if case .real(let value) = value { double = Double(value) } else { double = 0 }
            guard let exact = fromDouble(double, scale: to.scale) else { throw Messages.overflow(from.name, to.name) }
            number = exact
        case .string(let text):
            if trim(text).isEmpty { throw Messages.errorConverting(from.name, to.name) }
            guard let parsed = SQLDecimal(parsing: text) else { throw Messages.errorConverting(from.name, to.name) }
            number = parsed
        case .datetime(let days, let ticks):
            number = SQLDecimal(Int128(days) * 10_000_000_000 + Int128(ticks) * 10_000_000_000 / 25_920_000, scale: 10)
        case .binary: throw incompatible(from, to, isExplicit)
        default: throw incompatible(from, to, isExplicit)
        }
        guard let scaled = number.rescaled(to: to.scale), scaled.fits(to.precision) else {
            throw Messages.overflow(from.isInteger ? from.name : from.isCharacter ? from.name : from.name, to.kind == .numeric ? "numeric" : to.name)
        }
        return scaled
    }

    /// A double's exact decimal expansion (17 significant digits), rounded to `scale`.
    static func fromDouble(_ value: Double, scale: UInt8) -> SQLDecimal? {
        guard value.isFinite, abs(value) < 1e38 else { return nil }
        let text = value.description
        var mantissa = Substring(text), exponent = 0
        if let e = text.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            mantissa = text[..<e]
            exponent = Int(text[text.index(after: e)...]) ?? 0
        }
        guard var number = SQLDecimal(parsing: mantissa) else { return nil }
        // Shift the decimal point by the exponent.
        let newScale = Int(number.scale) - exponent
        if newScale >= 0 {
            if newScale > 38 {
                let drop = newScale - 38
                if drop > 38 { return SQLDecimal(0, scale: scale) }
                number = SQLDecimal(number.unscaled / SQLDecimal.powers[drop], scale: 38)
            } else {
                number.scale = UInt8(newScale)
            }
        } else {
            let (product, overflow) = number.unscaled.multipliedReportingOverflow(by: SQLDecimal.powers[min(-newScale, 38)])
            if overflow { return nil }
            number = SQLDecimal(product, scale: 0)
        }
        return number.rescaled(to: scale)
    }

    private static func money(_ value: SQLValue, _ from: SQLType, _ to: SQLType, isExplicit: Bool) throws -> Int64 {
        var number: SQLDecimal
        switch value {
        case .money(let value): number = SQLDecimal(Int128(value), scale: 4)
        case .int(let value): number = SQLDecimal(Int128(value), scale: 0)
        case .bit(let flag): number = SQLDecimal(flag ? 1 : 0, scale: 0)
        case .decimal(let value): number = value
        case .float(let value):
            guard let exact = fromDouble(value, scale: 4) else { throw Messages.overflow(from.name, to.name) }
            number = exact
        case .real(let value):
            guard let exact = fromDouble(Double(value), scale: 4) else { throw Messages.overflow(from.name, to.name) }
            number = exact
        case .string(let text):
            var body = trim(text).filter { $0 != "," }
            if body.isEmpty { return 0 }
            var negative = false
            if body.hasPrefix("-") {
                negative = true
                body.removeFirst()
            } else if body.hasPrefix("+") {
                body.removeFirst()
            }
            if let first = body.first, "$£¥€¤".contains(first) { body.removeFirst() }
            if body.hasPrefix("-") {
                negative.toggle()
                body.removeFirst()
            }
            guard let parsed = SQLDecimal(parsing: body) else { throw Messages.moneyConversion }
            number = SQLDecimal(negative ? -parsed.unscaled : parsed.unscaled, scale: parsed.scale)
        case .binary(let bytes):
            var bits: UInt64 = 0
            for byte in bytes.suffix(8) { bits = bits << 8 | UInt64(byte) }
            number = SQLDecimal(Int128(Int64(bitPattern: bits)), scale: 4)
        default: throw incompatible(from, to, isExplicit)
        }
        guard let scaled = number.rescaled(to: 4), let result = Int64(exactly: scaled.unscaled),
            to.kind == .money || (result >= -2_147_483_648 && result <= 2_147_483_647)
        else { throw Messages.overflow(from.isInteger ? "expression" : from.name, to.name) }
        return result
    }

    private static func double(_ value: SQLValue, _ from: SQLType, _ to: SQLType, isExplicit: Bool) throws -> Double {
        switch value {
        case .float(let number): return number
        case .real(let number): return Double(number)
        case .int(let number): return Double(number)
        case .bit(let flag): return flag ? 1 : 0
        case .decimal(let number): return number.double
        case .money(let number): return SQLDecimal(Int128(number), scale: 4).double
        case .string(let text):
            let trimmed = trim(text)
            if trimmed.isEmpty { return 0 }
            let allowed = trimmed.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || [43, 45, 46, 69, 101].contains($0) }
            guard allowed, let number = Double(trimmed) else { throw Messages.errorConverting(from.name, to.name) }
            if number.isInfinite { throw Messages.overflow(from.name, to.name) }
            return number
        case .datetime(let days, let ticks): return Double(days) + Double(ticks) / 25_920_000
        case .smalldatetime(let days, let minutes): return Double(days) + Double(minutes) / 1440
        default: throw incompatible(from, to, isExplicit)
        }
    }

    // MARK: Text

    private static func string(_ value: SQLValue, _ from: SQLType, _ to: SQLType, style: Int64, isExplicit: Bool) throws -> String {
        let collation = to.collation ?? .default
        var text: String
        switch value {
        case .string(let source):
            text = source
        case .binary(let bytes) where from.kind != .hierarchyid:
            if from.kind == .image && !isExplicit { throw incompatible(from, to, isExplicit) }
            if style == 1 {
                text = "0x" + Formatting.hex(bytes)
            } else if style == 2 {
                text = Formatting.hex(bytes)
            } else if to.isUnicode {
                var units: [UInt16] = []
                var index = 0
                while index < bytes.count {
                    units.append(UInt16(bytes[index]) | (index + 1 < bytes.count ? UInt16(bytes[index + 1]) << 8 : 0))
                    index += 2
                }
                text = String(decoding: units, as: UTF16.self)
            } else {
                text = CodePage.decode(bytes, collation)
            }
        default:
            if to.kind == .text || to.kind == .ntext { throw incompatible(from, to, isExplicit) }
            text = try Formatting.text(value, from, style: style)
            // What is no text must fit.
            if to.length > 0, text.utf8.count > to.length {
                switch from.kind {
                case .tinyint, .smallint, .int, .bigint:
                    if to.isUnicode { throw Messages.overflow("expression", to.name) }
                    text = "*"
                case .decimal, .numeric, .money, .smallmoney, .float, .real:
                    throw Messages.overflow(from.isDecimal ? "numeric" : from.kind == .money || from.kind == .smallmoney ? "money" : "expression", to.name)
                case .uniqueidentifier:
                    throw SQLServerMessage(number: 8170, state: 2, severity: 16, text: "Insufficient result space to convert uniqueidentifier value to char.")
                default: break
                }
            }
        }
        if !to.isUnicode { text = CodePage.roundTrip(text, collation) }
        return fit(text, to)
    }

    /// Cuts to the type's length, and pads char and nchar.
    static func fit(_ text: String, _ type: SQLType) -> String {
        guard type.length > 0 else { return text }
        // Bytes of UTF-8 are never fewer than characters.
        let utf8 = text.utf8.count
        let isFixed = type.kind == .char || type.kind == .nchar
        if utf8 < type.length || (utf8 == type.length) {
            if !isFixed { return text }
            let length = type.isUnicode ? text.utf16.count : CodePage.length(text, type.collation ?? .default)
            return length == type.length ? text : text + String(repeating: " ", count: max(0, type.length - length))
        }
        let result = cut(text, type)
        guard isFixed else { return result }
        let length = type.isUnicode ? result.utf16.count : CodePage.length(result, type.collation ?? .default)
        return length < type.length ? result + String(repeating: " ", count: type.length - length) : result
    }
    /// The longest prefix of whole characters that fits.
    static func cut(_ text: String, _ type: SQLType) -> String {
        let collation = type.collation ?? .default
        var room = type.length
        var end = text.unicodeScalars.startIndex
        for index in text.unicodeScalars.indices {
            let scalar = text.unicodeScalars[index]
            let size: Int
            if type.isUnicode { size = scalar.value > 0xFFFF ? 2 : 1 } else if collation.isUTF8 {
                size = scalar.value < 0x80 ? 1 : scalar.value < 0x800 ? 2 : scalar.value < 0x10000 ? 3 : 4
            } else { size = 1 }
            if size > room { return String(text.unicodeScalars[..<end]) }
            room -= size
            end = text.unicodeScalars.index(after: index)
        }
        return text
    }

    private static func xml(_ value: SQLValue, _ from: SQLType, isExplicit: Bool) throws -> SQLValue {
        switch value {
        case .string(let text): return .string(from.kind == .xml ? text : try XMLText.normalised(text))
        case .binary(let bytes) where from.kind != .hierarchyid:
            return .string(try XMLText.normalised(String(decoding: bytes, as: UTF8.self)))
        default: throw incompatible(from, .init(.xml), isExplicit)
        }
    }

    // MARK: Binary

    private static func binary(_ value: SQLValue, _ from: SQLType, _ to: SQLType, style: Int64, isExplicit: Bool) throws -> [UInt8] {
        var bytes: [UInt8]
        func bigEndian(_ number: Int64, _ width: Int) -> [UInt8] { (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> Int64($0 * 8)) } }
        var keepsRight = false
        switch value {
        case .binary(let source): bytes = source
        case .string(let text):
            if !isExplicit { throw Messages.implicitConversion(from.name, to.name) }
            if style == 1 || style == 2 {
                var digits = Array(trim(text).utf8)
                if style == 1 {
                    guard digits.count >= 2, digits[0] == 48, digits[1] | 0x20 == UInt8(ascii: "x") else { throw Messages.errorConverting(from.name, to.name) }
                    digits.removeFirst(2)
                }
                guard digits.count % 2 == 0 else { throw Messages.errorConverting(from.name, to.name) }
                bytes = []
                for index in stride(from: 0, to: digits.count, by: 2) {
                    guard let high = hexDigit(digits[index]), let low = hexDigit(digits[index + 1]) else { throw Messages.errorConverting(from.name, to.name) }
                    bytes.append(high << 4 | low)
                }
            } else if from.isUnicode {
                bytes = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
            } else {
                bytes = CodePage.encode(text, from.collation ?? .default)
            }
        case .int(let number):
            bytes = bigEndian(number, from.isInteger ? from.maxLength : 8)
            keepsRight = true
        case .bit(let flag):
            bytes = [flag ? 1 : 0]
            keepsRight = true
        case .money(let number):
            bytes = bigEndian(number, from.kind == .smallmoney ? 4 : 8)
            keepsRight = true
        case .uniqueidentifier(let guid): bytes = guid.bytes
        case .float(let number):
            bytes = bigEndian(Int64(bitPattern: number.bitPattern), 8)
            keepsRight = true
        case .real(let number):
            bytes = bigEndian(Int64(number.bitPattern), 4)
            keepsRight = true
        case .datetime(let days, let ticks):
            bytes = bigEndian(Int64(days), 4) + bigEndian(Int64(ticks), 4)
            keepsRight = true
        case .decimal(let number):
            bytes = [UInt8(from.precision), number.scale, 0, number.unscaled < 0 ? 0 : 1]
            let magnitude = number.unscaled.magnitude
            for index in 0..<(from.maxLength - 1) { bytes.append(UInt8(truncatingIfNeeded: magnitude >> UInt128(index * 8))) }
        default: throw incompatible(from, to, isExplicit)
        }
        let length = to.kind == .rowversion ? 8 : to.length
        if to.kind == .image || to.isMax || length <= 0 { return bytes }
        if bytes.count > length { bytes = keepsRight ? Array(bytes.suffix(length)) : Array(bytes.prefix(length)) }
        if (to.kind == .binary || to.kind == .rowversion), bytes.count < length {
            let zeros = [UInt8](repeating: 0, count: length - bytes.count)
            bytes = keepsRight ? zeros + bytes : bytes + zeros
        }
        return bytes
    }

    // MARK: Dates and times

    private static func temporal(_ value: SQLValue, _ from: SQLType, _ to: SQLType, style: Int64, isExplicit: Bool, dateOrder: String) throws -> SQLValue {
        var parts: DateTimeParts
        switch value {
        case .string(let text):
            let order = [3, 4, 5, 103, 104, 105].contains(style) ? "dmy" : [1, 10, 101, 110].contains(style) ? "mdy" : dateOrder
            guard let parsed = DateTimeParsing.parse(text, order: order) else {
                throw to.kind == .smalldatetime ? Messages.smalldatetimeConversion : Messages.dateConversion
            }
            parts = parsed
            if to.kind == .datetime, parts.fractionDigits > 3 { throw Messages.dateConversion }
            if to.kind == .datetime || to.kind == .smalldatetime, let offset = parts.offset {
                parts = parts.shifted(minutes: -Int(offset))
                parts.offset = nil
            }
        case .int(let number) where to.kind == .datetime || to.kind == .smalldatetime:
            guard number > -1_000_000, number < 10_000_000 else { throw Messages.overflow("expression", to.name) }
            parts = DateTimeParts(day: Int32(number) + CalendarMath.days1900)
        case .float, .real, .decimal:
            guard to.kind == .datetime || to.kind == .smalldatetime else { throw incompatible(from, to, isExplicit) }
            let number = try double(value, from, .float, isExplicit: true)
            guard abs(number) < 10_000_000 else { throw Messages.overflow("expression", to.name) }
            let days = number.rounded(.down)
            parts = DateTimeParts(day: Int32(days) + CalendarMath.days1900, time: Int64(((number - days) * 25_920_000).rounded()) * 100_000 / 3)
        case .datetime(let days, let ticks):
            if to.kind == .datetime { return value }
            parts = DateTimeParts(day: days + CalendarMath.days1900, time: CalendarMath.ticksToTime(ticks))
        case .binary(let bytes) where isExplicit && to.kind == .datetime:
            var bits: UInt64 = 0
            for byte in bytes.suffix(8) { bits = bits << 8 | UInt64(byte) }
            return .datetime(days: Int32(truncatingIfNeeded: bits >> 32), ticks: Int32(truncatingIfNeeded: bits))
        default:
            guard let taken = Formatting.temporalParts(value) else { throw incompatible(from, to, isExplicit) }
            parts = taken
            if from.kind == .date && to.kind == .time || from.kind == .time && to.kind == .date { throw incompatible(from, to, isExplicit) }
        }
        switch to.kind {
        case .date: return .date(parts.dayOrDefault)
        case .time:
            var time = CalendarMath.round(parts.time, scale: to.scale)
            if time >= CalendarMath.ticksPerDay { time -= CalendarMath.ticksPerDay }
            return .time(time)
        case .datetime2:
            let (day, time) = rounded(parts, to.scale)
            return .datetime2(days: day, time: time)
        case .datetimeoffset:
            var (day, time) = rounded(parts, to.scale)
            let offset = parts.offset ?? 0
            if offset != 0 {
                let utc = DateTimeParts(day: day, time: time).shifted(minutes: -Int(offset))
                day = utc.dayOrDefault
                time = utc.time
            }
            guard day >= 0, day <= CalendarMath.lastDay else { throw Messages.dateConversion }
            return .datetimeoffset(days: day, time: time, offset: offset)
        case .datetime:
            var day = parts.dayOrDefault
            guard day >= CalendarMath.days1753 else {
                throw Messages.dateRange(from.isCharacter ? from.name : from.name, "datetime")
            }
            var ticks = CalendarMath.timeToTicks(parts.time)
            if ticks >= 25_920_000 {
                ticks -= 25_920_000
                day += 1
            }
            if day > CalendarMath.lastDay { throw Messages.dateRange(from.name, "datetime") }
            return .datetime(days: day - CalendarMath.days1900, ticks: Int32(ticks))
        default:
            var day = parts.dayOrDefault
            // Up to 29.998 seconds round down.
            var minutes = (parts.time + 300_019_999) / 600_000_000
            if minutes >= 1440 {
                minutes -= 1440
                day += 1
            }
            guard day >= CalendarMath.days1900, day - CalendarMath.days1900 <= 65535 else { throw Messages.dateRange(from.name, "smalldatetime") }
            return .smalldatetime(days: UInt16(day - CalendarMath.days1900), minutes: UInt16(minutes))
        }
    }
    private static func rounded(_ parts: DateTimeParts, _ scale: UInt8) -> (Int32, Int64) {
        let time = CalendarMath.round(parts.time, scale: scale)
        if time >= CalendarMath.ticksPerDay {
            let day = parts.dayOrDefault + 1
            return day > CalendarMath.lastDay ? (parts.dayOrDefault, parts.time - parts.time % 10) : (day, 0)
        }
        return (parts.dayOrDefault, time)
    }
}
