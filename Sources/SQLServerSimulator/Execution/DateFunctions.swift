import Foundation
import TDSWire

extension Compiler {
    enum DatePart {
        case year, quarter, month, dayOfYear, day, week, isoWeek, weekday, hour, minute, second, millisecond, microsecond, nanosecond, offset
        static let names: [String: DatePart] = [
            "year": .year, "yy": .year, "yyyy": .year, "quarter": .quarter, "qq": .quarter, "q": .quarter, "month": .month, "mm": .month, "m": .month,
            "dayofyear": .dayOfYear, "dy": .dayOfYear, "y": .dayOfYear, "day": .day, "dd": .day, "d": .day, "week": .week, "wk": .week, "ww": .week,
            "iso_week": .isoWeek, "isowk": .isoWeek, "isoww": .isoWeek, "weekday": .weekday, "dw": .weekday, "w": .weekday, "hour": .hour, "hh": .hour,
            "minute": .minute, "mi": .minute, "n": .minute, "second": .second, "ss": .second, "s": .second, "millisecond": .millisecond,
            "ms": .millisecond, "microsecond": .microsecond, "mcs": .microsecond, "nanosecond": .nanosecond, "ns": .nanosecond, "tzoffset": .offset,
            "tz": .offset,
        ]
    }

    private func part(_ call: FunctionCall, _ count: Int) throws -> (DatePart, [Compiled]) {
        guard call.arguments.count == count else { throw Messages.functionArguments(call.name.lowercased(), count) }
        guard case .column(let names) = call.arguments[0], names.count == 1 else {
            throw SQLServerMessage(number: 1023, severity: 15, text: "Invalid parameter 1 specified for \(call.name.lowercased()).")
        }
        guard let part = DatePart.names[names[0].lowercased()] else { throw Messages.invalidDatepart(names[0], call.name.lowercased()) }
        return (part, try call.arguments.dropFirst().map { try compile($0) })
    }
    /// A moment: temporal types as they are, text as datetime2 (or datetimeoffset), numbers as datetime.
    private func moment(_ value: Compiled) -> Compiled {
        if value.type.isTemporal { return value }
        if value.type.isCharacter { return value.converted(to: SQLType(.datetimeoffset, scale: 7), environment: environment) }
        return value.converted(to: .datetime, environment: environment)
    }

    func dateFunction(_ name: String, _ call: FunctionCall) throws -> Compiled? {
        let environment = environment
        func now(_ type: SQLType, utc: Bool = true) -> Compiled {
            Compiled(type: type, isNullable: false) {
                let parts = DateTimeParts(unix: environment.statementTime)
                return try Conversion.convert(.datetime2(parts.moment), from: SQLType(.datetime2, scale: 7), to: type)
            }
        }
        switch name {
        case "GETDATE", "CURRENT_TIMESTAMP", "GETUTCDATE": return now(.datetime)
        case "SYSDATETIME", "SYSUTCDATETIME": return now(SQLType(.datetime2, scale: 7))
        case "SYSDATETIMEOFFSET": return now(SQLType(.datetimeoffset, scale: 7))
        case "CURRENT_DATE": return now(.date)
        case "CURRENT_TIMEZONE": return .constant(.string("(UTC) Coordinated Universal Time"), .varchar(8000))
        case "CURRENT_TIMEZONE_ID": return .constant(.string("UTC"), .varchar(8000))
        case "DATEADD":
            let (part, list) = try part(call, 3)
            let amount = int(list[0])
            let value = list[1].type.isTemporal ? list[1] : list[1].converted(to: .datetime, environment: environment)
            let type = value.type
            return Compiled(type: type, isNullable: list[0].isNullable || value.isNullable) {
                guard case .int(let number) = try amount() else { return .null }
                return try DateArithmetic.add(part, number, try value.eval(), type)
            }
        case "DATEDIFF", "DATEDIFF_BIG":
            let (part, list) = try part(call, 3)
            let start = moment(list[0]).eval, end = moment(list[1]).eval
            let big = name == "DATEDIFF_BIG"
            return Compiled(type: big ? .bigint : .int) {
                guard let a = DateArithmetic.parts(try start(), utc: true), let b = DateArithmetic.parts(try end(), utc: true) else { return .null }
                let result = DateArithmetic.difference(part, a, b)
                if !big, result > Int64(Int32.max) || result < Int64(Int32.min) { throw Messages.dateDiffOverflow }
                return .int(result)
            }
        case "DATEPART", "DATENAME":
            let (part, list) = try part(call, 2)
            let value = moment(list[0]).eval
            let session = environment.session
            return Compiled(type: name == "DATEPART" ? .int : .nvarchar(30)) {
                guard let parts = DateArithmetic.parts(try value(), utc: false) else { return .null }
                let number = DateArithmetic.part(part, parts, dateFirst: session.settings.dateFirst)
                if name == "DATEPART" { return .int(number) }
                switch part {
                case .month: return .string(TDSDate.monthNames[Int(number) - 1])
                case .weekday: return .string(TDSDate.dayNames[parts.dayOrDefault.isoWeekday - 1])
                case .offset: return .string(Formatting.offset(parts.offset ?? 0))
                default: return .string(String(number))
                }
            }
        case "YEAR", "MONTH", "DAY":
            let value = moment(try arguments(call, 1...1)[0]).eval
            let part: DatePart = name == "YEAR" ? .year : name == "MONTH" ? .month : .day
            return Compiled(type: .int) {
                guard let parts = DateArithmetic.parts(try value(), utc: false) else { return .null }
                return .int(DateArithmetic.part(part, parts, dateFirst: 7))
            }
        case "EOMONTH":
            let list = try arguments(call, 1...2)
            let value = list[0].converted(to: .date, environment: environment).eval
            let months = list.count > 1 ? int(list[1]) : { .int(0) }
            return Compiled(type: .date) {
                let start = try value()
                guard case .int(let number) = try months(), case .date(let day) = try DateArithmetic.add(.month, number, start, .date) else { return .null }
                let civil = day.civil
                return .date(try TDSDate(year: civil.year, month: civil.month, day: TDSDate.daysInMonth(civil.year, civil.month)))
            }
        case "DATEFROMPARTS", "DATETIMEFROMPARTS", "DATETIME2FROMPARTS", "SMALLDATETIMEFROMPARTS", "TIMEFROMPARTS", "DATETIMEOFFSETFROMPARTS":
            let counts = ["DATEFROMPARTS": 3, "DATETIMEFROMPARTS": 7, "DATETIME2FROMPARTS": 8, "SMALLDATETIMEFROMPARTS": 5, "TIMEFROMPARTS": 5, "DATETIMEOFFSETFROMPARTS": 10]
            let count = counts[name] ?? 3
            let list = try arguments(call, count...count)
            let values = list.map { int($0) }
            var scale: UInt8 = 7
            if ["DATETIME2FROMPARTS", "TIMEFROMPARTS", "DATETIMEOFFSETFROMPARTS"].contains(name), case .int(let given)? = list[count - 1].constant { scale = UInt8(clamping: given) }
            let type: SQLType
            switch name {
            case "DATEFROMPARTS": type = .date
            case "DATETIMEFROMPARTS": type = .datetime
            case "DATETIME2FROMPARTS": type = SQLType(.datetime2, scale: scale)
            case "SMALLDATETIMEFROMPARTS": type = SQLType(.smalldatetime)
            case "TIMEFROMPARTS": type = SQLType(.time, scale: scale)
            default: type = SQLType(.datetimeoffset, scale: scale)
            }
            return Compiled(type: type) {
                var numbers: [Int] = []
                for value in values {
                    guard case .int(let number) = try value() else { return .null }
                    numbers.append(Int(clamping: number))
                }
                let failure = SQLServerMessage(number: 289, severity: 16, text: "Cannot construct data type \(type.name), some of the arguments have values which are not valid.")
                var day: TDSDate? = .first1900
                var clock = numbers
                if name != "TIMEFROMPARTS" {
                    day = try? TDSDate(year: numbers[0], month: numbers[1], day: numbers[2])
                    clock = Array(numbers.dropFirst(3))
                }
                guard let day else { throw failure }
                var time: Int64 = 0
                if clock.count >= 2 {
                    let second = clock.count > 2 ? clock[2] : 0
                    guard (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0..<60).contains(second) else { throw failure }
                    time = Int64(clock[0] * 3600 + clock[1] * 60 + second) * DateTimeParts.unitsPerSecond
                    if clock.count > 3 {
                        let unit: Int64 = name == "DATETIMEFROMPARTS" ? 10_000 : [10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1][Int(min(scale, 7))]
                        time += Int64(clock[3]) * unit
                    }
                }
                let base = SQLType(.datetime2, scale: 7)
                if name == "DATETIMEOFFSETFROMPARTS" {
                    let offset = clock[4] * 60 + clock[5]
                    guard let moment = try? TDSDateTimeOffset(local: DateTimeParts(day: day, time: time).moment, offsetMinutes: Int16(clamping: offset)) else { throw failure }
                    return .datetimeoffset(moment)
                }
                return try Conversion.convert(.datetime2(DateTimeParts(day: day, time: time).moment), from: base, to: type)
            }
        case "ISDATE":
            let a = try arguments(call, 1...1)[0]
            return Compiled(type: .int, isNullable: false) {
                let value = try a.eval()
                if value.isNull { return .int(0) }
                return .int((try? Conversion.convert(value, from: a.type, to: .datetime)) == nil ? 0 : 1)
            }
        case "SWITCHOFFSET", "TODATETIMEOFFSET":
            let list = try arguments(call, 2...2)
            let value = list[0].converted(to: SQLType(.datetimeoffset, scale: 7), environment: environment).eval
            let zone = list[1]
            let type = SQLType(.datetimeoffset, scale: list[0].type.kind == .datetimeoffset || list[0].type.kind == .datetime2 ? list[0].type.scale : 7)
            return Compiled(type: type) {
                guard case .datetimeoffset(let moment) = try value() else { return .null }
                let offset: Int16
                switch try zone.eval() {
                case .int(let minutes): offset = Int16(clamping: minutes)
                case .string(let text):
                    guard let parsed = DateTimeParsing.parse("2000-01-01 00:00 " + text)?.offset else {
                        throw SQLServerMessage(number: 9812, severity: 16, text: "The timezone provided to builtin function \(name.lowercased()) is invalid.")
                    }
                    offset = parsed
                default: return .null
                }
                do {
                    return .datetimeoffset(
                        name == "SWITCHOFFSET"
                            ? try TDSDateTimeOffset(utc: moment.utc, offsetMinutes: offset) : try TDSDateTimeOffset(local: moment.local, offsetMinutes: offset))
                } catch { throw Messages.dateConversion }
            }
        case "AT TIME ZONE":
            let list = try arguments(call, 2...2)
            let value = list[0].converted(to: SQLType(.datetimeoffset, scale: 7), environment: environment).eval
            return Compiled(type: SQLType(.datetimeoffset, scale: list[0].type.kind == .datetime ? 3 : max(list[0].type.scale, 0))) {
                guard case .datetimeoffset(let moment) = try value(), case .string(let zone) = try list[1].eval() else { return .null }
                guard zone.uppercased() == "UTC" || zone.lowercased() == "greenwich standard time" else {
                    throw SQLServerMessage(number: 9820, severity: 16, text: "The time zone parameter '\(zone)' provided to AT TIME ZONE clause is invalid.")
                }
                return .datetimeoffset(try TDSDateTimeOffset(utc: moment.utc, offsetMinutes: 0))
            }
        default: return nil
        }
    }
}

enum DateArithmetic {
    static func parts(_ value: SQLValue, utc: Bool) -> DateTimeParts? {
        if utc, case .datetimeoffset(let moment) = value { return DateTimeParts(moment.utc) }
        if case .datetime(let datetime) = value { return DateTimeParts(datetime.exact) }
        return DateTimeParts(value)
    }

    static func add(_ part: Compiler.DatePart, _ number: Int64, _ value: SQLValue, _ type: SQLType) throws -> SQLValue {
        guard var parts = parts(value, utc: false) else { return .null }
        let overflow = Messages.dateAddOverflow(type.name)
        guard abs(number) < 1 << 53 else { throw overflow }
        var months: Int64?, ticks: Int64 = 0
        var days: Int64 = 0
        switch part {
        case .year: months = number * 12
        case .quarter: months = number * 3
        case .month: months = number
        case .day, .dayOfYear, .weekday: days = number
        case .week: days = number * 7
        case .hour: (days, ticks) = (number / 24, number % 24 * 36_000_000_000)
        case .minute: (days, ticks) = (number / 1440, number % 1440 * 600_000_000)
        case .second: (days, ticks) = (number / 86400, number % 86400 * 10_000_000)
        case .millisecond: (days, ticks) = (number / 86_400_000, number % 86_400_000 * 10_000)
        case .microsecond: (days, ticks) = (number / 86_400_000_000, number % 86_400_000_000 * 10)
        case .nanosecond: (days, ticks) = (number / 86_400_000_000_000, number % 86_400_000_000_000 / 100)
        case .isoWeek, .offset: throw Messages.invalidDatepart("iso_week", "dateadd")
        }
        if type.kind == .time {
            let total = (parts.time + ticks) % DateTimeParts.unitsPerDay
            return .time(DateTimeParts(time: total < 0 ? total + DateTimeParts.unitsPerDay : total).clock.settled(type.scale))
        }
        var day = Int64(parts.dayOrDefault.days)
        if let months {
            let date = parts.dayOrDefault.civil
            let total = Int64(date.year) * 12 + Int64(date.month - 1) + months
            let year = Int(total / 12), month = Int(total % 12) + 1
            guard total >= 12, let new = try? TDSDate(year: year, month: month, day: min(date.day, TDSDate.daysInMonth(year, month))) else { throw overflow }
            day = Int64(new.days)
        }
        parts.time += ticks
        if parts.time < 0 {
            parts.time += DateTimeParts.unitsPerDay
            days -= 1
        } else if parts.time >= DateTimeParts.unitsPerDay {
            parts.time -= DateTimeParts.unitsPerDay
            days += 1
        }
        day += days
        guard let date = try? TDSDate(days: Int32(clamping: day)) else { throw overflow }
        if type.kind == .date { return .date(date) }
        parts.day = date
        do {
            if case .datetimeoffset(let moment) = value {
                return .datetimeoffset(try TDSDateTimeOffset(local: parts.moment.settled(type.scale), offsetMinutes: moment.offsetMinutes))
            }
            return try Conversion.convert(.datetime2(parts.moment), from: SQLType(.datetime2, scale: 7), to: type)
        } catch { throw overflow }
    }

    static func difference(_ part: Compiler.DatePart, _ a: DateTimeParts, _ b: DateTimeParts) -> Int64 {
        let first = a.dayOrDefault.civil, second = b.dayOrDefault.civil
        let days = Int64(b.dayOrDefault.days) - Int64(a.dayOrDefault.days)
        func boundaries(_ unit: Int64) -> Int64 { days * (DateTimeParts.unitsPerDay / unit) + b.time / unit - a.time / unit }
        switch part {
        case .year: return Int64(second.year - first.year)
        case .quarter: return Int64((second.year * 4 + (second.month - 1) / 3) - (first.year * 4 + (first.month - 1) / 3))
        case .month: return Int64(second.year * 12 + second.month - first.year * 12 - first.month)
        case .day, .dayOfYear, .weekday: return days
        case .week, .isoWeek:
            // Weeks begin on Sunday whatever DATEFIRST is.
            func week(_ day: TDSDate) -> Int64 { (Int64(day.days) + 1) / 7 }
            return week(b.dayOrDefault) - week(a.dayOrDefault)
        case .hour: return boundaries(36_000_000_000)
        case .minute: return boundaries(600_000_000)
        case .second: return boundaries(10_000_000)
        case .millisecond: return boundaries(10_000)
        case .microsecond: return boundaries(10)
        case .nanosecond: return (days &* DateTimeParts.unitsPerDay &+ b.time &- a.time).multipliedReportingOverflow(by: 100).partialValue
        case .offset: return Int64((b.offset ?? 0) - (a.offset ?? 0))
        }
    }

    static func part(_ part: Compiler.DatePart, _ parts: DateTimeParts, dateFirst: Int) -> Int64 {
        let date = parts.dayOrDefault.civil
        let seconds = parts.time / DateTimeParts.unitsPerSecond
        switch part {
        case .year: return Int64(date.year)
        case .quarter: return Int64((date.month - 1) / 3 + 1)
        case .month: return Int64(date.month)
        case .dayOfYear: return Int64(parts.dayOrDefault.dayOfYear)
        case .day: return Int64(date.day)
        case .week:
            let offset = (parts.dayOrDefault.startOfYear.isoWeekday - dateFirst + 7) % 7
            return Int64((parts.dayOrDefault.dayOfYear - 1 + offset) / 7 + 1)
        case .isoWeek: return Int64(parts.dayOrDefault.isoWeek)
        case .weekday: return Int64((parts.dayOrDefault.isoWeekday - dateFirst + 7) % 7 + 1)
        case .hour: return seconds / 3600
        case .minute: return seconds / 60 % 60
        case .second: return seconds % 60
        case .millisecond: return parts.time % DateTimeParts.unitsPerSecond / 10_000
        case .microsecond: return parts.time % DateTimeParts.unitsPerSecond / 10
        case .nanosecond: return parts.time % DateTimeParts.unitsPerSecond * 100
        case .offset: return Int64(parts.offset ?? 0)
        }
    }
}
