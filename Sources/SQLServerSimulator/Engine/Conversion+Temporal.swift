import TDSWire

/// Conversions to dates and times.
extension Conversion {
    static func temporal(_ value: SQLValue, _ from: SQLType, _ to: SQLType, style: Int64, isExplicit: Bool, dateOrder: String) throws -> SQLValue {
        let isOld = to.kind == .datetime || to.kind == .smalldatetime
        let parts: DateTimeParts
        switch value {
        case .string(let text): parts = try self.parts(text, to, style: style, dateOrder: dateOrder)
        case .int(let number) where isOld:
            guard number > -1_000_000, number < 10_000_000, let day = try? TDSDate(days: Int32(number) + TDSDate.daysTo1900) else {
                throw Messages.overflow("expression", to.name)
            }
            parts = DateTimeParts(day: day)
        case .float, .real, .decimal:
            guard isOld else { throw incompatible(from, to, isExplicit) }
            let number = try double(value, from, .float, isExplicit: true)
            let days = number.rounded(.down)
            guard abs(number) < 10_000_000, let day = try? TDSDate(days: Int32(days) + TDSDate.daysTo1900) else {
                throw Messages.overflow("expression", to.name)
            }
            parts = DateTimeParts(day: day, time: Int64(((number - days) * Double(TDSDateTime.ticksPerDay)).rounded()) * 100_000 / 3)
        case .datetime(let datetime):
            switch to.kind {
            case .datetime: return value
            case .datetime2: if let exact = try? datetime.dateTime2(scale: to.scale).value { return .datetime2(exact.widest) }
            default: break
            }
            parts = DateTimeParts(datetime.exact)
        case .binary(let bytes) where isExplicit && to.kind == .datetime:
            let bits = bigEndian(bytes.suffix(8))
            guard let datetime = try? TDSDateTime(days: Int32(truncatingIfNeeded: bits >> 32), ticks: UInt32(truncatingIfNeeded: bits)) else {
                throw Messages.overflow("expression", to.name)
            }
            return .datetime(datetime)
        default:
            guard let taken = DateTimeParts(value) else { throw incompatible(from, to, isExplicit) }
            parts = taken
            if from.kind == .date && to.kind == .time || from.kind == .time && to.kind == .date { throw incompatible(from, to, isExplicit) }
        }
        switch to.kind {
        case .date: return .date(parts.dayOrDefault)
        case .time: return .time(parts.clock.settled(to.scale))
        case .datetime2: return .datetime2(parts.moment.settled(to.scale))
        case .datetimeoffset:
            guard let moment = try? TDSDateTimeOffset(local: parts.moment.settled(to.scale), offsetMinutes: parts.offset ?? 0) else {
                throw Messages.dateConversion
            }
            return .datetimeoffset(moment)
        case .datetime:
            guard let datetime = try? TDSDateTime.rounding(parts.dayOrDefault, parts.clock).value else { throw Messages.dateRange(from.name, "datetime") }
            return .datetime(datetime)
        default:
            guard let small = try? TDSSmallDateTime.rounding(parts.dayOrDefault, parts.clock).value else {
                throw Messages.dateRange(from.name, "smalldatetime")
            }
            return .smalldatetime(small)
        }
    }

    private static func parts(_ text: String, _ to: SQLType, style: Int64, dateOrder: String) throws -> DateTimeParts {
        let order = [3, 4, 5, 103, 104, 105].contains(style) ? "dmy" : [1, 10, 101, 110].contains(style) ? "mdy" : dateOrder
        guard let parsed = DateTimeParsing.parse(text, order: order) else {
            throw to.kind == .smalldatetime ? Messages.smalldatetimeConversion : Messages.dateConversion
        }
        if to.kind == .datetime, parsed.fractionDigits > 3 { throw Messages.dateConversion }
        guard to.kind == .datetime || to.kind == .smalldatetime, let offset = parsed.offset else { return parsed }
        // The old types have no offset: they get the time in UTC.
        guard let moment = try? TDSDateTimeOffset(local: parsed.moment, offsetMinutes: offset) else { throw Messages.dateConversion }
        return DateTimeParts(moment.utc)
    }
}
