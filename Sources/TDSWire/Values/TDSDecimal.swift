public import NIOCore

/// A decimal or numeric: an integer of at most 38 digits, and how many of them are behind the point (MS-TDS 2.2.5.5.1.6).
///
/// On the wire: a sign byte (1 positive, 0 negative), then the magnitude, little-endian, in 4, 8, 12 or 16 bytes for a precision of up
/// to 9, 19, 28 and 38.
public struct TDSDecimal: WireValue {
    /// The digits as an integer, without the point: below 10^38.
    public let magnitude: UInt128
    public let isNegative: Bool
    /// The number of digits of the declared type, 1 to 38.
    public let precision: UInt8
    /// The number of digits behind the point, at most ``precision``.
    public let scale: UInt8

    /// - Throws: ``WireError/Code/valueOutOfRange`` unless 1 ≤ precision ≤ 38, scale ≤ precision and magnitude < 10^precision.
    public init(isNegative: Bool = false, magnitude: UInt128, precision: UInt8 = 38, scale: UInt8) throws(WireError) {
        guard (1...38).contains(precision), scale <= precision else {
            throw WireError(.valueOutOfRange, "decimal", "precision \(precision), scale \(scale)")
        }
        guard magnitude < Power10.uint128[Int(precision)] else {
            throw WireError(.valueOutOfRange, "decimal", "more than \(precision) digits")
        }
        self.init(unchecked: isNegative, magnitude, precision, scale)
    }

    package init(unchecked isNegative: Bool, _ magnitude: UInt128, _ precision: UInt8, _ scale: UInt8) {
        self.isNegative = isNegative && magnitude != 0
        self.magnitude = magnitude
        self.precision = precision
        self.scale = scale
    }

    /// An integer as a decimal without fraction, with just the precision it needs.
    public init(_ value: Int64) {
        let magnitude = UInt128(value.magnitude)
        self.init(unchecked: value < 0, magnitude, Self.digits(magnitude), 0)
    }

    /// How many decimal digits `magnitude` has; 1 for 0.
    static func digits(_ magnitude: UInt128) -> UInt8 {
        var count: UInt8 = 1
        while count < 38, magnitude >= Power10.uint128[Int(count)] { count += 1 }
        return count
    }

    /// The bytes of a decimal with `precision` digits, sign byte included: 5, 9, 13 or 17.
    public static func wireSize(precision: UInt8) -> Int {
        precision <= 9 ? 5 : precision <= 19 ? 9 : precision <= 28 ? 13 : 17
    }

    // MARK: Wire

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) {
        try self.init(wire: bytes, precision: type.precision, scale: type.scale)
    }

    /// Reads a decimal(`precision`, `scale`). Should there be more digits than `precision` says, the value's precision is what it needs.
    public init(wire bytes: RawSpan, precision: UInt8, scale: UInt8) throws(WireError) {
        let count = bytes.byteCount
        guard count == 5 || count == 9 || count == 13 || count == 17 else { throw WireError(.malformed, "decimal", "\(count) bytes") }
        let sign: UInt8 = try bytes.loadLE(at: 0, "decimal")
        guard sign <= 1 else { throw WireError(.malformed, "decimal", "sign byte \(sign)") }
        guard (1...38).contains(precision), scale <= precision else {
            throw WireError(.malformed, "decimal", "precision \(precision), scale \(scale)")
        }
        var magnitude = UInt128(try bytes.loadLE(at: 1, size: min(8, count - 1), "decimal"))
        if count > 9 { magnitude |= UInt128(try bytes.loadLE(at: 9, size: count - 9, "decimal")) << 64 }
        if magnitude >= Power10.uint128[Int(precision)] {
            guard magnitude < Power10.uint128[38] else { throw WireError(.malformed, "decimal", "more than 38 digits") }
            self.init(unchecked: sign == 0, magnitude, Self.digits(magnitude), scale)
        } else {
            self.init(unchecked: sign == 0, magnitude, precision, scale)
        }
    }

    /// Writes the value with `type`'s scale and size.
    ///
    /// - Throws: ``WireError/Code/notRepresentable`` if digits behind the point would be lost, ``WireError/Code/valueOutOfRange`` if the
    ///   value has more digits than `type`.
    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError) {
        let value: TDSDecimal
        if type.scale == scale {
            value = self
        } else {
            let rescaled = try self.rescaled(to: type.scale)
            guard rescaled.isExact else { throw WireError(.notRepresentable, "decimal", "more digits behind the point than scale \(type.scale)") }
            value = rescaled.value
        }
        guard (1...38).contains(type.precision), value.magnitude < Power10.uint128[Int(type.precision)] else {
            throw WireError(.valueOutOfRange, "decimal", "more than \(type.precision) digits")
        }
        buffer.writeLE(UInt8(value.isNegative ? 0 : 1))
        let size = Self.wireSize(precision: type.precision) - 1
        for index in 0..<size { buffer.writeLE(UInt8(truncatingIfNeeded: value.magnitude >> UInt128(index * 8))) }
    }

    // MARK: Text

    /// Parses `[+-]digits[.digits]`; the scale is the number of digits behind the point, the precision what the digits need.
    ///
    /// - Throws: ``WireError/Code/malformed`` for other text, ``WireError/Code/valueOutOfRange`` for more than 38 digits.
    public init(text: some StringProtocol) throws(WireError) {
        var magnitude: UInt128 = 0
        var negative = false
        var digits = 0
        var scale: UInt8 = 0
        var point = false
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case 0x2B where index == 0: break
            case 0x2D where index == 0: negative = true
            case 0x2E where !point: point = true
            case 0x30...0x39:
                digits += 1
                guard magnitude < Power10.uint128[37] else { throw WireError(.valueOutOfRange, "decimal", "more than 38 digits") }
                magnitude = magnitude * 10 + UInt128(byte - 0x30)
                if point {
                    guard scale < 38 else { throw WireError(.valueOutOfRange, "decimal", "more than 38 digits") }
                    scale += 1
                }
            default: throw WireError(.malformed, "decimal text")
            }
        }
        guard digits > 0 else { throw WireError(.malformed, "decimal text") }
        self.init(unchecked: negative, magnitude, max(Self.digits(magnitude), max(scale, 1)), scale)
    }

    /// With all digits of the scale: `-0.50` for scale 2.
    public var description: String {
        var digits = String(magnitude)
        if scale > 0 {
            let missing = Int(scale) + 1 - digits.utf8.count
            if missing > 0 { digits = String(repeating: "0", count: missing) + digits }
            let point = digits.index(digits.endIndex, offsetBy: -Int(scale))
            digits = digits[..<point] + "." + digits[point...]
        }
        return isNegative ? "-" + digits : digits
    }

    // MARK: Conversions

    /// The value with another scale and precision 38, rounded half away from zero as SQL Server does.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` if that needs more than 38 digits.
    public func rescaled(to newScale: UInt8) throws(WireError) -> Rounded<TDSDecimal> {
        guard newScale <= 38 else { throw WireError(.valueOutOfRange, "decimal", "scale \(newScale)") }
        if newScale >= scale {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: Power10.uint128[Int(newScale - scale)])
            guard !overflow, product < Power10.uint128[38] else { throw WireError(.valueOutOfRange, "decimal", "more than 38 digits") }
            return Rounded(TDSDecimal(unchecked: isNegative, product, 38, newScale), isExact: true)
        }
        let divisor = Power10.uint128[Int(scale - newScale)]
        var (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: divisor)
        if remainder >= divisor - remainder { quotient += 1 }
        return Rounded(TDSDecimal(unchecked: isNegative, quotient, 38, newScale), isExact: remainder == 0)
    }

    /// -1, 0 or 1 as the number is smaller than, equal to or greater than `other`, whatever their scales.
    public func compared(to other: TDSDecimal) -> Int {
        if isNegative != other.isNegative { return isNegative ? -1 : 1 }
        let common = max(scale, other.scale)
        let left = magnitude.multipliedFullWidth(by: Power10.uint128[Int(common - scale)])
        let right = other.magnitude.multipliedFullWidth(by: Power10.uint128[Int(common - other.scale)])
        let order: Int
        if left.high != right.high {
            order = left.high < right.high ? -1 : 1
        } else {
            order = left.low < right.low ? -1 : left.low == right.low ? 0 : 1
        }
        return isNegative ? -order : order
    }

    /// The nearest `Double`, and whether it is exactly the same number.
    public var double: Rounded<Double> {
        let nearest = Double(description) ?? .nan
        // m / 10^s is a binary fraction only if m has the factor 5^s; then what is left must fit 53 bits.
        var five: UInt128 = 1
        for _ in 0..<scale { five *= 5 }
        let (odd, remainder) = magnitude.quotientAndRemainder(dividingBy: five)
        let bits = odd == 0 ? 0 : 128 - odd.leadingZeroBitCount - odd.trailingZeroBitCount
        return Rounded(nearest, isExact: remainder == 0 && bits <= 53)
    }
}

extension FixedWidthInteger {
    /// The decimal as an integer; nil if it has a fraction or is out of range.
    public init?(exactly decimal: TDSDecimal) {
        let (quotient, remainder) = decimal.magnitude.quotientAndRemainder(dividingBy: Power10.uint128[Int(decimal.scale)])
        guard remainder == 0, quotient <= UInt128(Int128.max) else { return nil }
        let value = Int128(quotient)
        self.init(exactly: decimal.isNegative ? -value : value)
    }
}
