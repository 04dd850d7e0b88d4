public import NIOCore

/// AZURESQLDNSCACHING (0x0B, MS-TDS 2.2.6.4, 2.2.7.11): the client may keep the address of the server's name.
///
/// ```
/// LOGIN7: no data          FEATUREEXTACK: IsSupported BYTE
/// ```
public struct DNSCachingFeature: LoginFeature {
    public static let id = FeatureID.azureSQLDNSCaching

    public init() {}
    public init(reading data: inout ByteBuffer) throws(WireError) {}
    public func write(to data: inout ByteBuffer) throws(WireError) {}

    /// The server's answer.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.azureSQLDNSCaching

        /// Whether it is safe to keep the address.
        public var isSupported: Bool

        public init(isSupported: Bool) { self.isSupported = isSupported }
        public init(reading data: inout ByteBuffer) throws(WireError) { isSupported = try data.readLE("FEATUREEXTACK AZURESQLDNSCACHING", as: UInt8.self) & 1 != 0 }
        public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(UInt8(isSupported ? 1 : 0)) }
    }
}
