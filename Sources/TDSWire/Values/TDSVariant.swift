public import NIOCore

/// A sql_variant: a value that brings its own type along (MS-TDS 2.2.5.5.4).
///
/// ```
/// +----------+-----------+------------+-------+
/// | BaseType | PropBytes | properties | value |   properties: scale (time types); precision and scale (decimals);
/// | BYTE     | BYTE      |            |       |   maximum length (binary); collation and maximum length (text)
/// +----------+-----------+------------+-------+
/// ```
public struct TDSVariant: WireValue {
    /// The base type, in the fixed-length form where there is one.
    public let type: TypeInfo
    /// Never ``TDSValue/null`` nor a variant again.
    public let value: TDSValue

    /// The most bytes that a variant's value may have.
    public static let maximumValueLength = 8000

    /// - Parameter type: the base type; without it what ``TDSValue/parameterType(collation:)`` says.
    /// - Throws: ``WireError/Code/notRepresentable`` for NULL and for types that can't be in a variant: `(max)`, xml, text, CLR types and so on.
    public init(_ value: TDSValue, type: TypeInfo? = nil) throws(WireError) {
        let given = type ?? value.parameterType()
        self.type = try Self.baseType(given)
        _ = try value.wireContent(for: self.type)
        guard value != .null else { throw WireError(.notRepresentable, "sql_variant", "NULL has no base type") }
        self.value = value
    }

    private static func baseType(_ given: TypeInfo) throws(WireError) -> TypeInfo {
        switch given.dataType {
        case .int1, .bit, .int2, .int4, .int8, .dateTim4, .dateTime, .flt4, .flt8, .money4, .money, .guid, .dateN, .timeN, .dateTime2N,
            .dateTimeOffsetN, .decimalN, .numericN:
            return given
        case .intN:
            let type: DataType =
                switch given.maximumLength {
                case 1: .int1
                case 2: .int2
                case 4: .int4
                default: .int8
                }
            return TypeInfo(type, maximumLength: given.maximumLength)
        case .bitN: return TypeInfo(.bit, maximumLength: 1)
        case .fltN: return TypeInfo(given.maximumLength == 4 ? .flt4 : .flt8, maximumLength: given.maximumLength)
        case .moneyN: return TypeInfo(given.maximumLength == 4 ? .money4 : .money, maximumLength: given.maximumLength)
        case .dateTimN: return TypeInfo(given.maximumLength == 4 ? .dateTim4 : .dateTime, maximumLength: given.maximumLength)
        case .decimal, .numeric:
            return TypeInfo(
                given.dataType == .decimal ? .decimalN : .numericN, maximumLength: given.maximumLength, precision: given.precision, scale: given.scale)
        case .bigVarBin, .bigBinary, .bigVarChar, .bigChar, .nVarChar, .nChar:
            guard given.maximumLength <= maximumValueLength else { throw WireError(.notRepresentable, "sql_variant", given.declaration) }
            return given
        default: throw WireError(.notRepresentable, "sql_variant", given.declaration)
        }
    }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes) }

    /// Reads a variant that isn't NULL.
    public init(wire bytes: RawSpan) throws(WireError) {
        let byte: UInt8 = try bytes.loadLE(at: 0, "sql_variant BaseType")
        let count = Int(try bytes.loadLE(at: 1, "sql_variant PropBytes", as: UInt8.self))
        guard let base = DataType(rawValue: byte) else { throw WireError(.unknownType, "sql_variant BaseType", "byte \(byte)") }
        guard let expected = Self.propertyBytes(base) else { throw WireError(.malformed, "sql_variant BaseType", "\(base)") }
        guard count == expected, bytes.byteCount >= 2 + count else { throw WireError(.malformed, "sql_variant PropBytes", "\(count) for \(base)") }
        switch base {
        case .int1, .bit: type = TypeInfo(base, maximumLength: 1)
        case .int2: type = TypeInfo(base, maximumLength: 2)
        case .int4, .dateTim4, .flt4, .money4: type = TypeInfo(base, maximumLength: 4)
        case .int8, .dateTime, .flt8, .money: type = TypeInfo(base, maximumLength: 8)
        case .guid: type = TypeInfo(base, maximumLength: 16)
        case .dateN: type = TypeInfo(base, maximumLength: 3)
        case .timeN, .dateTime2N, .dateTimeOffsetN:
            let scale: UInt8 = try bytes.loadLE(at: 2, "sql_variant scale")
            guard scale <= 7 else { throw WireError(.malformed, "sql_variant scale", "\(scale)") }
            type = TypeInfo(temporal: base, scale: scale)
        case .decimalN, .numericN:
            let precision: UInt8 = try bytes.loadLE(at: 2, "sql_variant precision")
            let scale: UInt8 = try bytes.loadLE(at: 3, "sql_variant scale")
            guard (1...38).contains(precision), scale <= precision else { throw WireError(.malformed, "sql_variant precision", "\(precision), \(scale)") }
            type = TypeInfo(base, maximumLength: TDSDecimal.wireSize(precision: precision), precision: precision, scale: scale)
        case .bigVarBin, .bigBinary:
            type = TypeInfo(base, maximumLength: Int(try bytes.loadLE(at: 2, "sql_variant length", as: UInt16.self)))
        default:
            let collation = Collation(info: try bytes.loadLE(at: 2, "sql_variant collation"), sortID: try bytes.loadLE(at: 6, "sql_variant collation"))
            type = TypeInfo(base, maximumLength: Int(try bytes.loadLE(at: 7, "sql_variant length", as: UInt16.self)), collation: collation)
        }
        let content = bytes.extracting(2 + count..<bytes.byteCount)
        guard content.byteCount <= Self.maximumValueLength, type.maximumLength <= Self.maximumValueLength, content.byteCount <= max(type.maximumLength, 17)
        else { throw WireError(.malformed, "sql_variant", "longer than its type allows") }
        value = try TDSValue(wire: content, typeInfo: type)
    }

    /// How many bytes describe a base type; nil for one that a variant can't have.
    private static func propertyBytes(_ base: DataType) -> Int? {
        switch base {
        case .int1, .bit, .int2, .int4, .int8, .dateTim4, .dateTime, .flt4, .flt8, .money4, .money, .guid, .dateN: 0
        case .timeN, .dateTime2N, .dateTimeOffsetN: 1
        case .decimalN, .numericN, .bigVarBin, .bigBinary: 2
        case .bigVarChar, .bigChar, .nVarChar, .nChar: 7
        default: nil
        }
    }

    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError) { try write(to: &buffer) }

    func write(to buffer: inout ByteBuffer) throws(WireError) {
        buffer.writeLE(self.type.dataType.rawValue)
        buffer.writeLE(UInt8(truncatingIfNeeded: Self.propertyBytes(self.type.dataType) ?? 0))
        switch self.type.dataType {
        case .timeN, .dateTime2N, .dateTimeOffsetN: buffer.writeLE(self.type.scale)
        case .decimalN, .numericN:
            buffer.writeLE(self.type.precision)
            buffer.writeLE(self.type.scale)
        case .bigVarBin, .bigBinary: buffer.writeLE(UInt16(truncatingIfNeeded: self.type.maximumLength))
        case .bigVarChar, .bigChar, .nVarChar, .nChar:
            buffer.writeCollation(self.type.collation ?? .sqlLatin1GeneralCP1CIAS)
            buffer.writeLE(UInt16(truncatingIfNeeded: self.type.maximumLength))
        default: break
        }
        if let content = try value.wireContent(for: self.type) { buffer.writeImmutableBuffer(content) }
    }

    public var description: String { value.description }
}
