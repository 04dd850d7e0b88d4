public import NIOCore

/// USERAGENT (0x10): what the client's library is, for the server's telemetry (SQL Server 2025, Azure SQL). Not in MS-TDS 39.0;
/// Microsoft.Data.SqlClient 7 sends it.
///
/// ```
/// LOGIN7: Version BYTE, payload          FEATUREEXTACK: never sent
/// ```
public struct UserAgentFeature: LoginFeature {
    public static let id = FeatureID.userAgent

    /// 1.
    public var version: UInt8
    /// The description, at most 2047 bytes; its form belongs to the version.
    public var payload: ByteBuffer

    public init(version: UInt8 = 1, payload: ByteBuffer) {
        self.version = version
        self.payload = payload
    }

    public init(reading data: inout ByteBuffer) throws(WireError) {
        version = try data.readLE("LOGIN7 USERAGENT")
        payload = try data.readWireSlice(data.readableBytes, "LOGIN7 USERAGENT")
    }

    public func write(to data: inout ByteBuffer) throws(WireError) {
        guard payload.readableBytes <= 2047 else { throw WireError(.valueOutOfRange, "LOGIN7 USERAGENT", "more than 2047 bytes") }
        data.writeLE(version)
        data.writeImmutableBuffer(payload)
    }
}
