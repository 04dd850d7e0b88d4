public import NIOCore

// Attention, SSPI, FEDAUTH and bulk text: messages of one field or two.
//
// attention    type 0x06  no data                                           MS-TDS 2.2.1.7
// SSPI         type 0x11  the authentication's next bytes                   MS-TDS 2.2.6.8
// FEDAUTH      type 0x08  DWORD length of the rest, L_VARBYTE token, [32 BYTE nonce]   MS-TDS 2.2.6.3
// BulkLoadUTWT type 0x07  L_VARBYTE (UPDATETEXT BULK, WRITETEXT BULK)       MS-TDS 2.2.6.2

/// Attention: the client wants the request in progress to end. One packet of type 0x06 without data; the server acknowledges by a
/// DONE with ``Done/Status/attention``.
public struct AttentionMessage: Hashable, Sendable {
    public init() {}

    /// The whole packet, header included.
    public static let packet = Packet(
        header: PacketHeader(type: .attention, status: .endOfMessage, length: UInt16(PacketHeader.size)), payload: ByteBuffer())
}

/// The client's next bytes of an integrated authentication. A description does not show them.
public struct SSPIMessage: Hashable, Sendable, CustomStringConvertible {
    public var bytes: ByteBuffer

    public init(_ bytes: ByteBuffer) { self.bytes = bytes }

    public var description: String { "SSPI, \(bytes.readableBytes) bytes" }
}

/// The client's token, in an ADAL/MSAL login after the server's FEDAUTHINFO. A description does not show it.
public struct FedAuthTokenMessage: Hashable, Sendable, CustomStringConvertible {
    public var token: ByteBuffer
    /// The server's NONCEOPT, where it sent one: 32 bytes.
    public var nonce: ByteBuffer?

    public init(token: ByteBuffer, nonce: ByteBuffer? = nil) {
        self.token = token
        self.nonce = nonce
    }

    public var description: String { "FEDAUTH token (redacted), \(token.readableBytes) bytes" }
}

extension ByteBuffer {
    /// Reads a whole attention message. Throws ``WireError/Code/malformed`` if it has data.
    public mutating func readAttention() throws(WireError) -> AttentionMessage {
        guard readableBytes == 0 else { throw WireError(.malformed, "Attention", "it has data") }
        return AttentionMessage()
    }

    /// Reads a whole SSPI message.
    public mutating func readSSPIMessage() throws(WireError) -> SSPIMessage {
        SSPIMessage(try readWireSlice(readableBytes, "SSPI"))
    }

    public mutating func writeSSPIMessage(_ message: SSPIMessage) {
        writeImmutableBuffer(message.bytes)
    }

    /// Reads a whole FEDAUTH message. Throws ``WireError/Code/truncated`` or ``WireError/Code/malformed``.
    public mutating func readFedAuthToken() throws(WireError) -> FedAuthTokenMessage {
        let total = Int(try readLE("FEDAUTH DataLen", as: UInt32.self))
        guard total <= readableBytes else { throw WireError(.truncated, "FEDAUTH") }
        guard total == readableBytes else { throw WireError(.malformed, "FEDAUTH DataLen", "bytes behind the message") }
        let length = Int(try readLE("FEDAUTH FedAuthToken", as: UInt32.self))
        guard length > 0, length == readableBytes || length == readableBytes - 32 else { throw WireError(.malformed, "FEDAUTH FedAuthToken") }
        let token = try readWireSlice(length, "FEDAUTH FedAuthToken")
        return FedAuthTokenMessage(token: token, nonce: readableBytes == 0 ? nil : try readWireSlice(32, "FEDAUTH Nonce"))
    }

    /// Writes a whole FEDAUTH message. Throws ``WireError/Code/valueOutOfRange`` for an empty token or a nonce that has not 32 bytes.
    public mutating func writeFedAuthToken(_ message: FedAuthTokenMessage) throws(WireError) {
        guard message.token.readableBytes > 0, message.nonce.map({ $0.readableBytes == 32 }) ?? true else {
            throw WireError(.valueOutOfRange, "FEDAUTH")
        }
        try writeLengthPrefixed(as: UInt32.self, "FEDAUTH DataLen") { buffer throws(WireError) in
            try buffer.writeLengthPrefixed(as: UInt32.self, "FEDAUTH FedAuthToken") { buffer throws(WireError) in
                _ = buffer.writeImmutableBuffer(message.token)
            }
            if let nonce = message.nonce { buffer.writeImmutableBuffer(nonce) }
        }
    }

    /// Reads a whole BulkLoadUTWT message: the data of an UPDATETEXT BULK or WRITETEXT BULK.
    public mutating func readBulkText() throws(WireError) -> ByteBuffer {
        let length = Int(try readLE("BulkLoadUTWT BulkData", as: UInt32.self))
        let data = try readWireSlice(length, "BulkLoadUTWT BulkData")
        guard readableBytes == 0 else { throw WireError(.malformed, "BulkLoadUTWT BulkData", "bytes behind the message") }
        return data
    }

    public mutating func writeBulkText(_ data: ByteBuffer) throws(WireError) {
        try writeLengthPrefixed(as: UInt32.self, "BulkLoadUTWT BulkData") { buffer throws(WireError) in _ = buffer.writeImmutableBuffer(data) }
    }
}
