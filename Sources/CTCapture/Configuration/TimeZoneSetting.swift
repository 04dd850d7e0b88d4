import Foundation

/// The zone in which datetime, datetime2 and smalldatetime values are taken to be.
public enum TimeZoneSetting: Hashable, Sendable {
    /// A fixed offset, in seconds east of UTC.
    case offset(seconds: Int)
    /// An IANA zone.
    case zone(TimeZone)

    /// The zone as Foundation knows it.
    public var timeZone: TimeZone {
        switch self {
        case .offset(let seconds): TimeZone(secondsFromGMT: seconds) ?? .gmt
        case .zone(let zone): zone
        }
    }

    public static let utc = TimeZoneSetting.offset(seconds: 0)

    /// An IANA name or ±HH:MM. Throws `ConfigurationError`.
    public init(_ text: String) throws(ConfigurationError) {
        if text == "UTC" || text == "Z" {
            self = .utc
        } else if let match = text.wholeMatch(of: #/([+-])(\d\d):(\d\d)/#), let hours = Int(match.2), let minutes = Int(match.3), hours <= 14, minutes < 60 {
            self = .offset(seconds: (match.1 == "-" ? -1 : 1) * (hours * 3600 + minutes * 60))
        } else if !text.hasPrefix("GMT"), let zone = TimeZone(identifier: text) {
            self = .zone(zone)
        } else if text == "GMT" {
            self = .utc
        } else {
            throw ConfigurationError("'timezone' must be an IANA name like \"Europe/Paris\" or an offset like \"+01:00\", but is \"\(text)\"")
        }
    }
}
