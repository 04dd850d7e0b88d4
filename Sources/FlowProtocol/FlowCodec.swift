// How messages lie on the pipe. JSON lines here; length-prefixed protobuf is another implementation of the same protocol.

import ExactJSON

/// Why a codec could not be chosen, or a message not be read.
public struct FlowProtocolError: Error, CustomStringConvertible, Hashable, Sendable {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// What stands before and after each document on the pipe, so that a producer can write complete messages in place.
public struct DocumentFraming: Hashable, Sendable {
    public let prefix: [UInt8]
    public let suffix: [UInt8]

    public init(prefix: [UInt8], suffix: [UInt8]) {
        self.prefix = prefix
        self.suffix = suffix
    }
}

/// Splits a stream of bytes into messages, and turns messages into bytes.
public protocol FlowCodec: Sendable {
    /// Where the first message of `buffer` ends, or `nil` if more bytes are needed. `scanned` is how many bytes of it an earlier call
    /// has looked at in vain, so that a large message is not searched again and again. Throws `FlowProtocolError` if it is too large.
    func frame(_ buffer: ArraySlice<UInt8>, scanned: Int) throws -> (message: Range<Int>, next: Int)?

    /// Decodes one message; `nil` for one that is to be passed over. Throws `JSONError` or `FlowProtocolError`.
    func decode(_ message: ArraySlice<UInt8>) throws -> Request?

    /// Appends a message with its framing.
    func encode(_ response: Response, to output: inout [UInt8])

    /// What to put around each document of a binding.
    func documentFraming(binding: UInt32) -> DocumentFraming
}

/// The largest message either side may send.
public let maximumMessageSize = 64 << 20

/// One compact JSON object a line.
public struct JSONLinesCodec: FlowCodec {
    public init() {}

    public func frame(_ buffer: ArraySlice<UInt8>, scanned: Int) throws -> (message: Range<Int>, next: Int)? {
        guard let end = buffer[(buffer.startIndex + scanned)...].firstIndex(of: 0x0A) else {
            guard buffer.count <= maximumMessageSize else { throw FlowProtocolError("a request is larger than 64 MiB") }
            return nil
        }
        guard end - buffer.startIndex <= maximumMessageSize else { throw FlowProtocolError("a request is larger than 64 MiB") }
        return (buffer.startIndex..<end, end + 1)
    }

    public func decode(_ message: ArraySlice<UInt8>) throws -> Request? {
        guard message.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { return nil }
        return try Request(json: message)
    }

    public func encode(_ response: Response, to output: inout [UInt8]) {
        output.append(contentsOf: response.json())
        output.append(0x0A)
    }

    public func documentFraming(binding: UInt32) -> DocumentFraming {
        let prefix = binding == 0 ? "{\"captured\":{\"doc\":" : "{\"captured\":{\"binding\":\(binding),\"doc\":"
        return DocumentFraming(prefix: Array(prefix.utf8), suffix: Array("}}\n".utf8))
    }
}

/// The codec that the environment asks for.
public enum FlowCodecChoice {
    /// `FLOW_RUNTIME_CODEC`: `json`, or `proto`, which unset means too. Throws `FlowProtocolError`.
    public static func codec(environment: [String: String]) throws(FlowProtocolError) -> any FlowCodec {
        switch environment["FLOW_RUNTIME_CODEC"] {
        case "json": return JSONLinesCodec()
        case nil, "", "proto":
            throw FlowProtocolError(
                "the protobuf codec is not there yet: set FLOW_RUNTIME_CODEC=json in the environment (and as a label of the image), or protobuf: false for a local connector"
            )
        case let other?: throw FlowProtocolError("invalid FLOW_RUNTIME_CODEC '\(other)': it must be 'json' or 'proto'")
        }
    }
}
