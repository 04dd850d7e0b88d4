public import TDSWire

/// A statement and its parameters. Interpolated values become parameters, never text:
///
/// ```swift
/// let query: TDSQuery = "SELECT name FROM dbo.users WHERE id = \(id) AND city = \(city)"
/// // SELECT name FROM dbo.users WHERE id = @p1 AND city = @p2
/// ```
/// Parameters are declared with few sizes (`nvarchar(4000)` or `nvarchar(max)`, …), so that the server's plan cache holds one plan
/// and not one for every length; see ``TDSWire/TDSValue/parameterType(collation:)``. Where the exact type matters, for a seek on a
/// varchar column say, give it: `\(name, as: .varchar(20))`.
public struct TDSQuery: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// The text, with parameters as `@p1`, `@p2`, …
    public var sql: String
    public var parameters: [TDSParameter]

    /// A statement as it is, without parameters of its own: the text must not come from outside.
    public init(unsafeSQL sql: String, parameters: [TDSParameter] = []) {
        self.sql = sql
        self.parameters = parameters
    }

    public init(stringLiteral value: String) {
        self.init(unsafeSQL: value)
    }

    public init(stringInterpolation interpolation: StringInterpolation) {
        self.init(unsafeSQL: interpolation.sql, parameters: interpolation.parameters)
    }

    public struct StringInterpolation: StringInterpolationProtocol, Sendable {
        var sql = ""
        var parameters: [TDSParameter] = []

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + 4 * interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) { sql += literal }

        /// A parameter of the value's default type.
        public mutating func appendInterpolation(_ value: some TDSEncodable) { append(value.tdsValue, nil) }

        /// A parameter of the value's default type, or NULL.
        public mutating func appendInterpolation(_ value: (some TDSEncodable)?) { append(value?.tdsValue ?? .null, nil) }

        /// A parameter of a given type.
        public mutating func appendInterpolation(_ value: some TDSEncodable, as type: TypeInfo) { append(value.tdsValue, type) }

        /// A parameter of a given type, or NULL.
        public mutating func appendInterpolation(_ value: (some TDSEncodable)?, as type: TypeInfo) { append(value?.tdsValue ?? .null, type) }

        /// Text that is put into the statement as it is. It must not come from outside.
        public mutating func appendInterpolation(unsafeSQL text: String) { sql += text }

        private mutating func append(_ value: TDSValue, _ type: TypeInfo?) {
            let name = "@p\(parameters.count + 1)"
            parameters.append(TDSParameter(name, value, type: type))
            sql += name
        }
    }

    /// The text. Values are not shown: they may be personal.
    public var description: String { sql }
}

/// A parameter of a ``TDSQuery`` or procedure.
public struct TDSParameter: Sendable, Hashable {
    /// With its `@`.
    public var name: String
    public var value: TDSValue
    /// The type to declare; nil is the value's default.
    public var type: TypeInfo?
    /// Whether the server shall send the value back when the procedure ends.
    public var isOutput: Bool

    public init(_ name: String, _ value: TDSValue, type: TypeInfo? = nil, isOutput: Bool = false) {
        self.name = name
        self.value = value
        self.type = type
        self.isOutput = isOutput
    }
}
