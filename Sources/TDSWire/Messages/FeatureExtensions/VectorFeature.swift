public import NIOCore

/// VECTORSUPPORT (0x0E, MS-TDS 2.2.6.4, 2.2.7.11): vectors come and go in their own type instead of as text (SQL Server 2025, Azure SQL).
///
/// ```
/// LOGIN7: Version BYTE          FEATUREEXTACK: Version BYTE
/// ```
public struct VectorFeature: LoginFeature {
    public static let id = FeatureID.vectorSupport

    /// The newest version that the client knows: 1 float32, 2 also float16.
    public var version: UInt8

    public init(version: UInt8 = 1) { self.version = version }
    public init(reading data: inout ByteBuffer) throws(WireError) { version = try data.readLE("LOGIN7 VECTORSUPPORT") }
    public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(version) }

    /// The server's answer.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.vectorSupport

        /// The version to be used on this connection; 0 is none.
        public var version: UInt8

        public init(version: UInt8) { self.version = version }
        public init(reading data: inout ByteBuffer) throws(WireError) { version = try data.readLE("FEATUREEXTACK VECTORSUPPORT") }
        public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(version) }
    }
}
