/// A version of the TDS protocol (LOGIN7.TDSVersion and LOGINACK.TDSVersion, MS-TDS 2.2.6.4 and 2.2.7.14).
public struct TDSVersion: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The value as a client sends it in LOGIN7.
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// SQL Server 7.0
    public static let v7_0 = TDSVersion(rawValue: 0x7000_0000)
    /// SQL Server 2000
    public static let v7_1 = TDSVersion(rawValue: 0x7100_0000)
    /// SQL Server 2000 SP1
    public static let v7_1_1 = TDSVersion(rawValue: 0x7100_0001)
    /// SQL Server 2005
    public static let v7_2 = TDSVersion(rawValue: 0x7209_0002)
    /// SQL Server 2008, without the null bitmap rows of ``v7_3_b``
    public static let v7_3_a = TDSVersion(rawValue: 0x730A_0003)
    /// SQL Server 2008 R2: NBCROW and sparse column sets
    public static let v7_3_b = TDSVersion(rawValue: 0x730B_0003)
    /// SQL Server 2012 to 2025
    public static let v7_4 = TDSVersion(rawValue: 0x7400_0004)
    /// Strict encryption: the version in LOGIN7 of a TDS 8.0 session
    public static let v8_0 = TDSVersion(rawValue: 0x0800_0000)

    private var order: UInt32 { self == .v8_0 ? 0x8000_0000 : rawValue }

    public static func < (a: TDSVersion, b: TDSVersion) -> Bool { a.order < b.order }

    /// Text types carry a COLLATION (7.1 and later).
    public var hasCollations: Bool { self >= .v7_1 }
    /// Requests carry ALL_HEADERS, DONE an 8-byte row count, UserType is 4 bytes, and `(max)` types exist (7.2 and later).
    public var isYukonOrLater: Bool { self >= .v7_2 }

    public var description: String {
        switch self {
        case .v7_0: "7.0"
        case .v7_1, .v7_1_1: "7.1"
        case .v7_2: "7.2"
        case .v7_3_a, .v7_3_b: "7.3"
        case .v7_4: "7.4"
        case .v8_0: "8.0"
        default: "0x" + String(rawValue, radix: 16)
        }
    }
}
