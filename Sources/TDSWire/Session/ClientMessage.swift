public import NIOCore

/// A whole message of a client, as a server puts it together from packets.
public struct ClientMessage: Hashable, Sendable {
    public var type: PacketType
    /// The reset-connection bits of its first packet.
    public var reset: PacketStatus
    public var payload: ByteBuffer

    public init(type: PacketType, reset: PacketStatus = [], payload: ByteBuffer) {
        self.type = type
        self.reset = reset
        self.payload = payload
    }
}

/// Puts a client's packets together to messages (MS-TDS 2.2.3), with a limit on their size.
struct MessageAssembler: Hashable, Sendable {
    enum Result: Hashable, Sendable {
        case incomplete
        case message(ClientMessage)
        /// The client gave the message up (IGNORE).
        case ignored
        /// An attention between messages.
        case attention
    }

    var limit: Int
    private var message: ClientMessage?

    init(limit: Int) { self.limit = limit }

    /// Whether a message has begun and not ended.
    var isInMessage: Bool { message != nil }

    mutating func receive(_ packet: Packet) throws(WireError) -> Result {
        let header = packet.header
        switch header.type {
        // An attention inside a message interrupts nothing, and a SQL Server does not notice it.
        case .attention: return message == nil ? .attention : .incomplete
        case .tabularResult, .preTDS7Login: throw WireError(.unknownPacketType, "packet Type", "\(header.type) from a client")
        default: break
        }
        if message == nil {
            let reset = header.status.intersection([.resetConnection, .resetConnectionSkipTransaction])
            message = ClientMessage(type: header.type, reset: reset, payload: packet.payload)
        } else {
            guard message?.type == header.type else { throw WireError(.unexpectedMessage, "packet Type", "another message before the end of one") }
            message?.payload.writeImmutableBuffer(packet.payload)
        }
        guard message?.payload.readableBytes ?? 0 <= limit else { throw WireError(.tooLarge, "message", "more than \(limit) bytes") }
        guard header.status.contains(.endOfMessage), let whole = message else { return .incomplete }
        message = nil
        return header.status.contains(.ignore) ? .ignored : .message(whole)
    }
}
