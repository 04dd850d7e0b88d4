/// What is wrong with bytes that claim to be TDS, or with a value that should become TDS.
///
/// Errors never contain the bytes themselves: they may be somebody's data or password.
/// Every `WireError` met while decoding a connection's stream is fatal for that connection: the position in the stream is lost.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of error. A struct and not an enum, so that a later version can add codes without breaking callers.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        enum Base: String, Sendable {
            case truncated, malformed, unknownToken, unknownType, unknownPacketType, tooLarge, unsupportedVersion
            case unexpectedMessage, valueOutOfRange, notRepresentable
        }
        let base: Base

        /// The data ended inside an element that should have been whole.
        public static let truncated = Code(base: .truncated)
        /// A length, flag or value contradicts the specification or an earlier part of the stream.
        public static let malformed = Code(base: .malformed)
        /// A token byte that MS-TDS 2.2.4 does not name.
        public static let unknownToken = Code(base: .unknownToken)
        /// A type byte that MS-TDS 2.2.5.4 does not name.
        public static let unknownType = Code(base: .unknownType)
        /// A packet type that MS-TDS 2.2.3.1.1 does not name, or that this role never receives.
        public static let unknownPacketType = Code(base: .unknownPacketType)
        /// A size above what the receiver is willing to hold.
        public static let tooLarge = Code(base: .tooLarge)
        /// A protocol version outside TDS 7.0 to 7.4 and 8.0.
        public static let unsupportedVersion = Code(base: .unsupportedVersion)
        /// A message or token that the session's state does not allow.
        public static let unexpectedMessage = Code(base: .unexpectedMessage)
        /// A value that its declared type cannot hold.
        public static let valueOutOfRange = Code(base: .valueOutOfRange)
        /// A value that the requested Swift type cannot hold without loss.
        public static let notRepresentable = Code(base: .notRepresentable)

        public var description: String { base.rawValue }
    }

    public var code: Code
    /// What was being read or written, in MS-TDS's terms, for example `COLMETADATA.Count`.
    public var element: String
    /// What about it is wrong. Never a value from the stream.
    public var detail: String

    @inlinable
    public init(_ code: Code, _ element: String, _ detail: String = "") {
        self.code = code
        self.element = element
        self.detail = detail
    }

    public var description: String {
        detail.isEmpty ? "\(code): \(element)" : "\(code): \(element): \(detail)"
    }
}
