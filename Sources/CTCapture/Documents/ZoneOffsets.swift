import Foundation

/// The offsets of a time zone, for values that carry none (datetime, datetime2, smalldatetime).
///
/// A local time that the zone skips or has twice is read as Go's `time.Date` reads it, because the existing connector did: with the
/// offset in force at the moment that the local time would name in UTC, corrected once.
struct ZoneOffsets: Sendable {
    private let zone: TimeZone?
    private let fixed: Int
    /// Offsets by quarter of an hour since 1970, at which all changes since then fall: a direct-mapped cache.
    private var cache: [(quarter: Int64, offset: Int32)]

    /// Always UTC.
    static let utc = ZoneOffsets(fixed: 0)

    init(fixed seconds: Int) {
        zone = nil
        fixed = seconds
        cache = []
    }

    init(_ zone: TimeZone) {
        let isUTC = zone.identifier == "GMT" || zone.identifier == "UTC"
        self.zone = isUTC ? nil : zone
        fixed = 0
        cache = isUTC ? [] : Array(repeating: (quarter: Int64.min, offset: 0), count: 4096)
    }

    /// The zone's offset from UTC, in seconds, for a local time given as if it were UTC seconds since 1970.
    @inline(__always)
    mutating func offset(local seconds: Int64) -> Int {
        zone == nil ? fixed : variableOffset(seconds)
    }

    @inline(never)
    private mutating func variableOffset(_ seconds: Int64) -> Int {
        let first = offset(utc: seconds)
        return offset(utc: seconds - Int64(first))
    }

    private mutating func offset(utc seconds: Int64) -> Int {
        guard let zone else { return fixed }
        guard seconds >= 0 else { return zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))) }
        let quarter = seconds / 900
        let slot = Int(quarter % 4096)
        if cache[slot].quarter == quarter { return Int(cache[slot].offset) }
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
        cache[slot] = (quarter, Int32(offset))
        return offset
    }
}
