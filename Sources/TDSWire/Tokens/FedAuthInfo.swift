public import NIOCore

/// FEDAUTHINFO (MS-TDS 2.2.7.12): where the client gets its token from, in an ADAL/MSAL login.
///
/// ```
/// +------+-------------+-------------+ then CountOfInfoIDs times       then the data, UTF-16LE
/// | 0xEE | TokenLength | CountOfInfo | +------+---------+--------+
/// | BYTE | DWORD       | DWORD       | | ID   | DataLen | Offset |     Offset counts from the byte behind TokenLength
/// +------+-------------+-------------+ | BYTE | DWORD   | DWORD  |
///                                      +------+---------+--------+
/// ```
public struct FedAuthInfo: Hashable, Sendable {
    /// Info id 1: the security token service's URL.
    public var stsURL: String
    /// Info id 2: the service principal name of the server.
    public var spn: String

    public init(stsURL: String, spn: String) {
        self.stsURL = stsURL
        self.spn = spn
    }
}

extension ByteBuffer {
    /// Reads a FEDAUTHINFO's body, after token byte and length.
    mutating func readFedAuthInfo() throws(WireError) -> FedAuthInfo {
        let body = self
        let count = try readLE("FEDAUTHINFO CountOfInfoIDs", as: UInt32.self)
        guard count <= 64 else { throw WireError(.tooLarge, "FEDAUTHINFO CountOfInfoIDs") }
        var info = FedAuthInfo(stsURL: "", spn: "")
        for _ in 0..<count {
            let id = try readLE("FEDAUTHINFO FedAuthInfoID", as: UInt8.self)
            let length = Int(try readLE("FEDAUTHINFO FedAuthInfoDataLen", as: UInt32.self))
            let offset = Int(try readLE("FEDAUTHINFO FedAuthInfoDataOffset", as: UInt32.self))
            guard length % 2 == 0, offset <= body.readableBytes, length <= body.readableBytes - offset,
                let data = body.getSlice(at: body.readerIndex + offset, length: length)
            else { throw WireError(.malformed, "FEDAUTHINFO", "data outside the token") }
            let text = String(utf16LE: data.readableBytesView)
            switch id {
            case 1: info.stsURL = text
            case 2: info.spn = text
            default: break  // MS-TDS: a client ignores ids that it does not know
            }
        }
        return info
    }

    /// Writes a FEDAUTHINFO token.
    public mutating func writeFedAuthInfo(_ info: FedAuthInfo) throws(WireError) {
        writeLE(TokenType.fedAuthInfo.rawValue)
        try writeLengthPrefixed(as: UInt32.self, "FEDAUTHINFO TokenLength") { buffer throws(WireError) in
            buffer.writeLE(UInt32(2))
            let texts = [info.stsURL, info.spn]
            var offset = 4 + 9 * texts.count
            for (index, text) in texts.enumerated() {
                let length = text.utf16.count * 2
                buffer.writeLE(UInt8(index + 1))
                buffer.writeLE(UInt32(truncatingIfNeeded: length))
                buffer.writeLE(UInt32(truncatingIfNeeded: offset))
                offset += length
            }
            for text in texts { buffer.writeUTF16(text) }
        }
    }
}
