public import NIOCore

/// JSONSUPPORT (0x0D, MS-TDS 2.2.6.4, 2.2.7.11): json comes and goes in its own type instead of as text (SQL Server 2025, Azure SQL).
///
/// ```
/// LOGIN7: Version BYTE          FEATUREEXTACK: Version BYTE
/// ```
public struct JSONFeature: LoginFeature {
    public static let id = FeatureID.jsonSupport

    /// The newest version that the client knows: 1.
    public var version: UInt8

    public init(version: UInt8 = 1) { self.version = version }
    public init(reading data: inout ByteBuffer) throws(WireError) { version = try data.readLE("LOGIN7 JSONSUPPORT") }
    public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(version) }

    /// The server's answer.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.jsonSupport

        /// The version to be used on this connection; 0 is none.
        public var version: UInt8

        public init(version: UInt8) { self.version = version }
        public init(reading data: inout ByteBuffer) throws(WireError) { version = try data.readLE("FEATUREEXTACK JSONSUPPORT") }
        public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(version) }
    }
}
