public import NIOCore

/// AZURESQLSUPPORT (0x08, MS-TDS 2.2.6.4, 2.2.7.11): failover partner logins with read-only intent in Azure SQL Database.
///
/// ```
/// LOGIN7: flags BYTE, bit 0          FEATUREEXTACK: flags BYTE, bit 0
/// ```
public struct AzureSQLSupportFeature: LoginFeature {
    public static let id = FeatureID.azureSQLSupport

    /// Whether the client can do it. Some clients send no data and mean yes.
    public var isSupported: Bool

    public init(isSupported: Bool = true) { self.isSupported = isSupported }
    public init(reading data: inout ByteBuffer) throws(WireError) {
        isSupported = data.readableBytes == 0 ? true : try data.readLE("LOGIN7 AZURESQLSUPPORT", as: UInt8.self) & 1 != 0
    }
    public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(UInt8(isSupported ? 1 : 0)) }

    /// The server's answer.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.azureSQLSupport

        /// Whether the server can do it.
        public var isSupported: Bool

        public init(isSupported: Bool) { self.isSupported = isSupported }
        public init(reading data: inout ByteBuffer) throws(WireError) { isSupported = try data.readLE("FEATUREEXTACK AZURESQLSUPPORT", as: UInt8.self) & 1 != 0 }
        public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(UInt8(isSupported ? 1 : 0)) }
    }
}
