public import NIOCore

/// GLOBALTRANSACTIONS (0x05, MS-TDS 2.2.6.4, 2.2.7.11): distributed transactions of Azure SQL Database.
///
/// ```
/// LOGIN7: no data          FEATUREEXTACK: IsEnabled BYTE
/// ```
public struct GlobalTransactionsFeature: LoginFeature {
    public static let id = FeatureID.globalTransactions

    public init() {}
    public init(reading data: inout ByteBuffer) throws(WireError) {}
    public func write(to data: inout ByteBuffer) throws(WireError) {}

    /// The server's answer.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.globalTransactions

        /// Whether the server supports global transactions.
        public var isEnabled: Bool

        public init(isEnabled: Bool) { self.isEnabled = isEnabled }
        public init(reading data: inout ByteBuffer) throws(WireError) { isEnabled = try data.readLE("FEATUREEXTACK GLOBALTRANSACTIONS", as: UInt8.self) & 1 != 0 }
        public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(UInt8(isEnabled ? 1 : 0)) }
    }
}
