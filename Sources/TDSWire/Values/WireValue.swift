public import NIOCore

/// A value of one SQL Server type, exact: what the wire holds is kept bit for bit, and conversions say what they lose.
///
/// `description` is the value's canonical text, as SQL Server prints it.
public protocol WireValue: Hashable, Sendable, CustomStringConvertible {
    /// Reads a value's content: its bytes without the length prefix of ``TypeInfo/layout``.
    ///
    /// - Throws: ``WireError/Code/malformed`` if the bytes aren't a value of `type`.
    init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError)

    /// Writes the value's content, without length prefix.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` if `type` can't hold the value, ``WireError/Code/notRepresentable`` if the value
    ///   would have to be rounded.
    func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError)
}

extension WireValue {
    /// Reads a value's content from all readable bytes of `content`.
    public init(wire content: ByteBuffer, _ type: TypeInfo) throws(WireError) {
        try self.init(wire: content.readableBytesSpan, type)
    }

    /// The value's content for `type`, without length prefix.
    public func wireContent(_ type: TypeInfo) throws(WireError) -> ByteBuffer {
        var buffer = ByteBuffer()
        try write(to: &buffer, as: type)
        return buffer
    }
}

/// The result of a conversion that may have had to round.
public struct Rounded<Value: Sendable>: Sendable {
    public var value: Value
    /// Whether nothing was lost.
    public var isExact: Bool

    public init(_ value: Value, isExact: Bool) {
        self.value = value
        self.isExact = isExact
    }
}

extension Rounded: Equatable where Value: Equatable {}

/// Builds ASCII text of digits and punctuation without going through `String` pieces.
struct ASCIIText {
    var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func append(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }

    /// Appends `value` in decimal, with zeros in front up to `width` digits.
    mutating func append(_ value: UInt64, width: Int) {
        var divisor: UInt64 = 1
        var digits = 1
        while digits < width || (digits < 20 && value / divisor >= 10) {
            divisor *= 10
            digits += 1
        }
        var rest = value
        while divisor > 0 {
            bytes.append(48 &+ UInt8(truncatingIfNeeded: rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }

    /// Appends bytes as upper-case hexadecimal digits.
    mutating func appendHex(_ byte: UInt8) {
        for nibble in [byte >> 4, byte & 15] { bytes.append(nibble < 10 ? 48 + nibble : 55 + nibble) }
    }

    var string: String { String(decoding: bytes, as: UTF8.self) }
}

extension UInt8 {
    /// The value of an ASCII hexadecimal digit.
    package var hexDigitValue: UInt8? {
        switch self {
        case 48...57: self - 48
        case 65...70: self - 55
        case 97...102: self - 87
        default: nil
        }
    }
}

/// 10^0 … 10^19.
package enum Power10 {
    package static let uint64: [UInt64] = {
        var all: [UInt64] = [1]
        for _ in 1...19 { all.append((all.last ?? 1) * 10) }
        return all
    }()
    /// 10^0 … 10^38.
    package static let uint128: [UInt128] = {
        var all: [UInt128] = [1]
        for _ in 1...38 { all.append((all.last ?? 1) * 10) }
        return all
    }()
}
