public import NIOCore

/// UTF8_SUPPORT (0x0A, MS-TDS 2.2.6.4, 2.2.7.11): varchar columns of UTF-8 collations come as UTF-8; without it servers send them as nvarchar.
///
/// ```
/// LOGIN7: flags BYTE, bit 0          FEATUREEXTACK: flags BYTE, bit 0
/// ```
public struct UTF8Feature: LoginFeature {
    public static let id = FeatureID.utf8Support

    /// Whether the client can do it. Some clients send no data and mean yes.
    public var isSupported: Bool

    public init(isSupported: Bool = true) { self.isSupported = isSupported }
    public init(reading data: inout ByteBuffer) throws(WireError) {
        isSupported = data.readableBytes == 0 ? true : try data.readLE("LOGIN7 UTF8_SUPPORT", as: UInt8.self) & 1 != 0
    }
    public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(UInt8(isSupported ? 1 : 0)) }

    /// The server's answer.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.utf8Support

        /// Whether the server can do it.
        public var isSupported: Bool

        public init(isSupported: Bool) { self.isSupported = isSupported }
        public init(reading data: inout ByteBuffer) throws(WireError) { isSupported = try data.readLE("FEATUREEXTACK UTF8_SUPPORT", as: UInt8.self) & 1 != 0 }
        public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(UInt8(isSupported ? 1 : 0)) }
    }
}
