/// What is wrong with a text that should be a geometry or geography: where it is, and what was expected there.
///
/// Errors never contain the text itself: it may be somebody's data. In brackets: the error that SQL Server gives for the same text.
public struct WellKnownTextError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of error. A struct and not an enum, so that a later version can add codes without breaking callers.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        enum Base: String, Sendable {
            case unexpected, unexpectedEnd, outOfRange, tooFewPoints, notClosed, notConnected, unequalElevation, notAllowed, tooDeep
        }
        let base: Base

        /// Something else than the grammar has here (24111, 24114, 24141, 24142).
        public static let unexpected = Code(base: .unexpected)
        /// The text ends too early (24112, 24209).
        public static let unexpectedEnd = Code(base: .unexpectedEnd)
        /// A number beyond a double, a latitude beyond ±90 (24201), a longitude beyond ±15069, an SRID outside 0 to 999999 (24100).
        public static let outOfRange = Code(base: .outOfRange)
        /// A line of fewer than two points (24117), an arc of fewer than three or of an even number (24212), a ring of fewer than four (24118, 24120, 24305).
        public static let tooFewPoints = Code(base: .tooFewPoints)
        /// A ring whose last point isn't its first: X and Y count, Z and M don't (24119, 24121, 24306).
        public static let notClosed = Code(base: .notClosed)
        /// A part of a compound curve that doesn't begin where the one before ends (24134). Here Z and M count as well, as only one of the two is kept.
        public static let notConnected = Code(base: .notConnected)
        /// The three points of an arc have different Z (24214).
        public static let unequalElevation = Code(base: .unequalElevation)
        /// FULLGLOBE or "larger than a hemisphere" for a geometry (24303), or FULLGLOBE in a collection (24150).
        public static let notAllowed = Code(base: .notAllowed)
        /// Collections in collections, more than 127 deep. (A limit of this library.)
        public static let tooDeep = Code(base: .tooDeep)

        public var description: String { base.rawValue }
    }

    public var code: Code
    /// Where in the text, in UTF-8 bytes from its beginning.
    public var position: Int
    /// What was expected there.
    public var expected: String

    public init(_ code: Code, position: Int, expected: String) {
        self.code = code
        self.position = position
        self.expected = expected
    }

    public var description: String { "\(code): well-known text, position \(position): expected \(expected)" }
}
