public import NIOCore

/// USERAGENT (0x10): what the client's library is, for the server's telemetry (SQL Server 2025, Azure SQL). Not in MS-TDS 39.0, and its
/// form has changed: Microsoft.Data.SqlClient (dotnet/SqlClient#3826) and mssql-jdbc (microsoft/mssql-jdbc#2848) send text in
/// UTF-16LE, its parts divided by `|`: form's version, driver, driver's version, kind of system, system's version, architecture, runtime.
///
/// ```
/// LOGIN7: text as UTF-16LE, of at most 256 bytes          FEATUREEXTACK: none
/// ```
public struct UserAgentFeature: LoginFeature {
    public static let id = FeatureID.userAgent

    /// The data as they stand on the wire.
    public var payload: ByteBuffer

    public init(payload: ByteBuffer) { self.payload = payload }

    /// For example `1|MS-JDBC|13.2.0|Windows|Windows 10.0.22600.0|amd64|OpenJDK 64-Bit Server VM 21.0.4+7-LTS`.
    public init(_ text: String) {
        var payload = ByteBuffer()
        payload.writeUTF16(text)
        self.init(payload: payload)
    }

    /// The parts of the text; nil where the payload is none.
    public var parts: [String]? {
        guard payload.readableBytes > 0, payload.readableBytes % 2 == 0 else { return nil }
        let parts = String(utf16LE: payload.readableBytesView).split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        return parts.count > 1 ? parts : nil
    }

    public init(reading data: inout ByteBuffer) throws(WireError) {
        payload = try data.readWireSlice(data.readableBytes, "LOGIN7 USERAGENT")
    }

    public func write(to data: inout ByteBuffer) throws(WireError) {
        guard payload.readableBytes <= 256 else { throw WireError(.valueOutOfRange, "LOGIN7 USERAGENT", "more than 256 bytes") }
        data.writeImmutableBuffer(payload)
    }
}
