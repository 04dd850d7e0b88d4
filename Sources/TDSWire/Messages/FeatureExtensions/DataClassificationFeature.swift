public import NIOCore

/// DATACLASSIFICATION (0x09, MS-TDS 2.2.6.4, 2.2.7.11): results come with the sensitivity labels of their columns.
///
/// ```
/// LOGIN7: Version BYTE          FEATUREEXTACK: Version BYTE, IsEnabled BYTE, data of the version (none in 1 and 2)
/// ```
public struct DataClassificationFeature: LoginFeature {
    public static let id = FeatureID.dataClassification

    /// The newest version that the client knows: 1, or 2 with sensitivity ranks.
    public var version: UInt8

    public init(version: UInt8 = 2) { self.version = version }
    public init(reading data: inout ByteBuffer) throws(WireError) { version = try data.readLE("LOGIN7 DATACLASSIFICATION") }
    public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(version) }

    /// The server's answer.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.dataClassification

        public var version: UInt8
        public var isEnabled: Bool
        /// Empty in versions 1 and 2.
        public var versionData: ByteBuffer

        public init(version: UInt8, isEnabled: Bool, versionData: ByteBuffer = ByteBuffer()) {
            self.version = version
            self.isEnabled = isEnabled
            self.versionData = versionData
        }

        public init(reading data: inout ByteBuffer) throws(WireError) {
            version = try data.readLE("FEATUREEXTACK DATACLASSIFICATION")
            isEnabled = try data.readLE("FEATUREEXTACK DATACLASSIFICATION", as: UInt8.self) & 1 != 0
            versionData = try data.readWireSlice(data.readableBytes, "FEATUREEXTACK DATACLASSIFICATION")
        }

        public func write(to data: inout ByteBuffer) throws(WireError) {
            data.writeLE(version)
            data.writeLE(UInt8(isEnabled ? 1 : 0))
            data.writeImmutableBuffer(versionData)
        }
    }
}
