public import NIOCore

/// COLUMNENCRYPTION (0x04, MS-TDS 2.2.6.4, 2.2.7.11): Always Encrypted. This library recognises it and never asks for it.
///
/// ```
/// LOGIN7: Version BYTE          FEATUREEXTACK: Version BYTE, [EnclaveType B_VARCHAR]
/// ```
public struct ColumnEncryptionFeature: LoginFeature {
    public static let id = FeatureID.columnEncryption

    /// 1 without enclaves, 2 with, 3 with cached keys and retries.
    public var version: UInt8

    public init(version: UInt8) { self.version = version }
    public init(reading data: inout ByteBuffer) throws(WireError) { version = try data.readLE("LOGIN7 COLUMNENCRYPTION") }
    public func write(to data: inout ByteBuffer) throws(WireError) { data.writeLE(version) }

    /// The server's answer.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.columnEncryption

        public var version: UInt8
        /// The kind of enclave that the server has; from version 2 on.
        public var enclaveType: String?

        public init(version: UInt8, enclaveType: String? = nil) {
            self.version = version
            self.enclaveType = enclaveType
        }

        public init(reading data: inout ByteBuffer) throws(WireError) {
            version = try data.readLE("FEATUREEXTACK COLUMNENCRYPTION")
            enclaveType = data.readableBytes == 0 ? nil : try data.readBVarchar("FEATUREEXTACK EnclaveType")
        }

        public func write(to data: inout ByteBuffer) throws(WireError) {
            data.writeLE(version)
            if let enclaveType { try data.writeBVarchar(enclaveType, "FEATUREEXTACK EnclaveType") }
        }
    }
}
