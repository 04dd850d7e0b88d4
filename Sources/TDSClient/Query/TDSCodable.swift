public import NIOCore
public import TDSWire

/// A Swift type that can be a parameter.
public protocol TDSEncodable: Sendable {
    var tdsValue: TDSValue { get }
}

/// A Swift type that a column's value can become.
public protocol TDSDecodable: Sendable {
    /// Throws ``TDSError/Code/decodingFailed`` where the value would lose something, and for NULL.
    init(tdsValue: TDSValue) throws(TDSError)
}

/// Both.
public typealias TDSCodable = TDSDecodable & TDSEncodable

extension TDSError {
    static func cannotDecode<T>(_ value: TDSValue, as type: T.Type) -> TDSError {
        TDSError(.decodingFailed, value.isNull ? "NULL is no \(type); decode it as an optional" : "the column's value is no \(type), or loses something as one")
    }
}

extension TDSValue: TDSCodable {
    public var tdsValue: TDSValue { self }
    public init(tdsValue: TDSValue) { self = tdsValue }
}

extension Optional: TDSDecodable where Wrapped: TDSDecodable {
    /// nil for NULL.
    public init(tdsValue: TDSValue) throws(TDSError) {
        self = tdsValue.isNull ? nil : try Wrapped(tdsValue: tdsValue)
    }
}

extension TDSDecodable where Self: FixedWidthInteger {
    public init(tdsValue: TDSValue) throws(TDSError) {
        let found: Self? =
            switch tdsValue {
            case .uint8(let value): Self(exactly: value)
            case .int16(let value): Self(exactly: value)
            case .int32(let value): Self(exactly: value)
            case .int64(let value): Self(exactly: value)
            case .bool(let value): value ? 1 : 0
            default: nil
            }
        guard let found else { throw .cannotDecode(tdsValue, as: Self.self) }
        self = found
    }
}

extension Int: TDSCodable {
    /// A bigint.
    public var tdsValue: TDSValue { .int64(Int64(self)) }
}
extension Int64: TDSCodable { public var tdsValue: TDSValue { .int64(self) } }
extension Int32: TDSCodable { public var tdsValue: TDSValue { .int32(self) } }
extension Int16: TDSCodable { public var tdsValue: TDSValue { .int16(self) } }
extension UInt8: TDSCodable { public var tdsValue: TDSValue { .uint8(self) } }

extension Bool: TDSCodable {
    public var tdsValue: TDSValue { .bool(self) }
    public init(tdsValue: TDSValue) throws(TDSError) {
        guard case .bool(let value) = tdsValue else { throw .cannotDecode(tdsValue, as: Bool.self) }
        self = value
    }
}

extension Double: TDSCodable {
    public var tdsValue: TDSValue { .double(self) }
    public init(tdsValue: TDSValue) throws(TDSError) {
        switch tdsValue {
        case .double(let value): self = value
        case .float(let value): self = Double(value)
        default: throw .cannotDecode(tdsValue, as: Double.self)
        }
    }
}

extension Float: TDSCodable {
    public var tdsValue: TDSValue { .float(self) }
    public init(tdsValue: TDSValue) throws(TDSError) {
        guard case .float(let value) = tdsValue else { throw .cannotDecode(tdsValue, as: Float.self) }
        self = value
    }
}

extension String: TDSCodable {
    public var tdsValue: TDSValue { .string(self) }
    /// Text as it is; any other value in its canonical form.
    public init(tdsValue: TDSValue) throws(TDSError) {
        switch tdsValue {
        case .string(let value): self = value
        case .null: throw .cannotDecode(tdsValue, as: String.self)
        default: self = tdsValue.description
        }
    }
}

extension ByteBuffer: TDSCodable {
    public var tdsValue: TDSValue { .bytes(self) }
    public init(tdsValue: TDSValue) throws(TDSError) {
        guard case .bytes(let value) = tdsValue else { throw .cannotDecode(tdsValue, as: ByteBuffer.self) }
        self = value
    }
}

extension TDSDecimal: TDSCodable {
    public var tdsValue: TDSValue { .decimal(self) }
    public init(tdsValue: TDSValue) throws(TDSError) {
        guard case .decimal(let value) = tdsValue else { throw .cannotDecode(tdsValue, as: TDSDecimal.self) }
        self = value
    }
}

extension TDSGUID: TDSCodable {
    public var tdsValue: TDSValue { .guid(self) }
    public init(tdsValue: TDSValue) throws(TDSError) {
        guard case .guid(let value) = tdsValue else { throw .cannotDecode(tdsValue, as: TDSGUID.self) }
        self = value
    }
}

extension TDSDate: TDSCodable {
    public var tdsValue: TDSValue { .date(self) }
    public init(tdsValue: TDSValue) throws(TDSError) {
        guard case .date(let value) = tdsValue else { throw .cannotDecode(tdsValue, as: TDSDate.self) }
        self = value
    }
}

extension TDSDateTime2: TDSCodable {
    public var tdsValue: TDSValue { .dateTime2(self) }
    public init(tdsValue: TDSValue) throws(TDSError) {
        guard case .dateTime2(let value) = tdsValue else { throw .cannotDecode(tdsValue, as: TDSDateTime2.self) }
        self = value
    }
}

extension TDSDateTimeOffset: TDSCodable {
    public var tdsValue: TDSValue { .dateTimeOffset(self) }
    public init(tdsValue: TDSValue) throws(TDSError) {
        guard case .dateTimeOffset(let value) = tdsValue else { throw .cannotDecode(tdsValue, as: TDSDateTimeOffset.self) }
        self = value
    }
}
