public import NIOCore

/// ENHANCEDROUTINGSUPPORT (0x0F, MS-TDS 2.2.6.4, 2.2.7.11): the client follows the enhanced routing ENVCHANGE (type 21).
///
/// ```
/// LOGIN7: no data          FEATUREEXTACK: IsEnabled BYTE
/// ```
public struct EnhancedRoutingFeature: LoginFeature {
    public static let id = FeatureID.enhancedRoutingSupport

    public init() {}
    public init(reading data: inout ByteBuffer) throws(WireError) {}
    public func write(to data: inout ByteBuffer) throws(WireError) {}

    /// The server's answer.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.enhancedRoutingSupport

        /// Whether the server may route so; otherwise the client should not accept that ENVCHANGE.
        public var isEnabled: Bool

        public init(isEnabled: Bool) { self.isEnabled = isEnabled }
        public init(reading data: inout ByteBuffer) throws(WireError) { isEnabled = try data.readLE("FEATUREEXTACK ENHANCEDROUTINGSUPPORT", as: UInt8.self) & 1 != 0 }
        public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(UInt8(isEnabled ? 1 : 0)) }
    }
}
