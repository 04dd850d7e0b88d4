public import NIOCore

/// FEDAUTH (0x02, MS-TDS 2.2.6.4, 2.2.7.11): the client authenticates by a token of Microsoft Entra ID.
///
/// ```
/// LOGIN7:  Options BYTE: bit 0 fFedAuthEcho, bits 1-7 bFedAuthLibrary; then
///   library 0, Live ID:        L_VARBYTE token, 32 BYTE nonce, [channel binding token], 32 BYTE signature
///   library 1, security token: L_VARBYTE token, [32 BYTE nonce]
///   library 2, ADAL/MSAL:      Workflow BYTE
/// FEATUREEXTACK: library 0: nonce, signature; library 1: [nonce]; library 2: nothing
/// ```
/// L_VARBYTE is a ULONG length and that many bytes. A description shows no token.
public struct FederatedAuthenticationFeature: LoginFeature, CustomStringConvertible {
    public static let id = FeatureID.federatedAuthentication

    /// How the client got or gets its token.
    public enum Method: Hashable, Sendable {
        /// Live ID Compact Token: the token and the signed data (nonce, channel binding token, signature).
        case liveID(token: ByteBuffer, signedData: ByteBuffer)
        /// The token is in LOGIN7. The nonce is the server's NONCEOPT, where it sent one.
        case securityToken(ByteBuffer, nonce: ByteBuffer?)
        /// The server says by FEDAUTHINFO where to get the token, and the client sends it in a FEDAUTH message.
        case adal(Workflow)
    }

    /// The workflow of ADAL/MSAL: where the token comes from, for the server's information.
    public struct Workflow: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let usernamePassword = Workflow(rawValue: 0x01)
        public static let integrated = Workflow(rawValue: 0x02)
        /// Interactive, device code, managed identity and default credential, as Microsoft.Data.SqlClient sends it.
        public static let interactive = Workflow(rawValue: 0x03)
    }

    public var method: Method
    /// fFedAuthEcho: whether the server's PRELOGIN said FEDAUTHREQUIRED 1.
    public var echo: Bool

    public init(_ method: Method, echo: Bool) {
        self.method = method
        self.echo = echo
    }

    public init(reading data: inout ByteBuffer) throws(WireError) {
        let options = try data.readLE("LOGIN7 FEDAUTH Options", as: UInt8.self)
        echo = options & 1 != 0
        switch options >> 1 {
        case 0:
            let token = try data.readToken()
            method = .liveID(token: token, signedData: try data.readWireSlice(data.readableBytes, "LOGIN7 FEDAUTH SignedData"))
        case 1:
            let token = try data.readToken()
            method = .securityToken(token, nonce: data.readableBytes == 0 ? nil : try data.readWireSlice(32, "LOGIN7 FEDAUTH Nonce"))
        case 2: method = .adal(Workflow(rawValue: try data.readLE("LOGIN7 FEDAUTH Workflow")))
        default: throw WireError(.malformed, "LOGIN7 FEDAUTH Options", "library \(options >> 1)")
        }
    }

    public func write(to data: inout ByteBuffer) throws(WireError) {
        let bit: UInt8 = echo ? 1 : 0
        switch method {
        case .liveID(let token, let signedData):
            data.writeLE(bit)
            try data.writeToken(token)
            data.writeImmutableBuffer(signedData)
        case .securityToken(let token, let nonce):
            data.writeLE(1 << 1 | bit)
            try data.writeToken(token)
            if let nonce {
                guard nonce.readableBytes == 32 else { throw WireError(.valueOutOfRange, "LOGIN7 FEDAUTH Nonce", "a nonce has 32 bytes") }
                data.writeImmutableBuffer(nonce)
            }
        case .adal(let workflow):
            data.writeLE(2 << 1 | bit)
            data.writeLE(workflow.rawValue)
        }
    }

    public var description: String {
        switch method {
        case .liveID: "FEDAUTH by Live ID token (redacted)"
        case .securityToken(_, let nonce): "FEDAUTH by security token (redacted)\(nonce == nil ? "" : ", nonce"), echo \(echo)"
        case .adal(let workflow): "FEDAUTH by ADAL workflow \(workflow.rawValue), echo \(echo)"
        }
    }

    /// The server's answer: its signature of the client's nonce, if there was one.
    public struct Acknowledgement: LoginFeatureAcknowledgement {
        public static let id = FeatureID.federatedAuthentication

        public var nonce: ByteBuffer?
        public var signature: ByteBuffer?

        public init(nonce: ByteBuffer? = nil, signature: ByteBuffer? = nil) {
            self.nonce = nonce
            self.signature = signature
        }

        public init(reading data: inout ByteBuffer) throws(WireError) {
            if data.readableBytes > 0 { nonce = try data.readWireSlice(32, "FEATUREEXTACK FEDAUTH Nonce") }
            if data.readableBytes > 0 { signature = try data.readWireSlice(32, "FEATUREEXTACK FEDAUTH Signature") }
        }

        public func write(to data: inout ByteBuffer) throws(WireError) {
            for part in [nonce, signature] {
                guard let part else { continue }
                guard part.readableBytes == 32 else { throw WireError(.valueOutOfRange, "FEATUREEXTACK FEDAUTH", "32 bytes") }
                data.writeImmutableBuffer(part)
            }
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func readToken() throws(WireError) -> ByteBuffer {
        let length = Int(try readLE("LOGIN7 FedAuthToken", as: UInt32.self))
        guard length > 0 else { throw WireError(.malformed, "LOGIN7 FedAuthToken", "empty") }
        return try readWireSlice(length, "LOGIN7 FedAuthToken")
    }

    fileprivate mutating func writeToken(_ token: ByteBuffer) throws(WireError) {
        guard let length = UInt32(exactly: token.readableBytes), length > 0 else { throw WireError(.valueOutOfRange, "LOGIN7 FedAuthToken") }
        writeLE(length)
        writeImmutableBuffer(token)
    }
}
