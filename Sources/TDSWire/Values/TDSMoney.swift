public import NIOCore

/// A money or smallmoney: ten-thousandths of a currency unit (MS-TDS 2.2.5.5.1.2).
///
/// On the wire money is the high 32 bits, then the low 32 bits, each little-endian; smallmoney is one little-endian Int32.
public struct TDSMoney: WireValue, Comparable {
    /// The amount in ten-thousandths.
    public var tenThousandths: Int64

    public init(tenThousandths: Int64) { self.tenThousandths = tenThousandths }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes) }

    /// Reads a money (8 bytes) or smallmoney (4 bytes).
    public init(wire bytes: RawSpan) throws(WireError) {
        switch bytes.byteCount {
        case 8:
            let high: Int32 = try bytes.loadLE(at: 0, "money")
            let low: UInt32 = try bytes.loadLE(at: 4, "money")
            self.init(tenThousandths: Int64(high) << 32 | Int64(low))
        case 4: self.init(tenThousandths: Int64(try bytes.loadLE(at: 0, "smallmoney", as: Int32.self)))
        default: throw WireError(.malformed, "money", "\(bytes.byteCount) bytes")
        }
    }

    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError) {
        if type.maximumLength == 4 {
            guard let small = Int32(exactly: tenThousandths) else { throw WireError(.valueOutOfRange, "smallmoney") }
            buffer.writeLE(small)
        } else {
            buffer.writeLE(Int32(truncatingIfNeeded: tenThousandths >> 32))
            buffer.writeLE(UInt32(truncatingIfNeeded: tenThousandths))
        }
    }

    /// Parses `[+-]digits[.digits]`, rounded half away from zero to four digits behind the point.
    ///
    /// - Throws: ``WireError/Code/malformed`` for other text, ``WireError/Code/valueOutOfRange`` for an amount that money can't hold.
    public static func parse(_ text: some StringProtocol) throws(WireError) -> Rounded<TDSMoney> {
        try TDSMoney.rounding(TDSDecimal(text: text))
    }

    /// The decimal rounded half away from zero to four digits behind the point.
    public static func rounding(_ decimal: TDSDecimal) throws(WireError) -> Rounded<TDSMoney> {
        let rescaled = try decimal.rescaled(to: 4)
        let signed = Int128(rescaled.value.magnitude)
        guard let amount = Int64(exactly: rescaled.value.isNegative ? -signed : signed) else { throw WireError(.valueOutOfRange, "money") }
        return Rounded(TDSMoney(tenThousandths: amount), isExact: rescaled.isExact)
    }

    /// The same amount as a decimal(19,4).
    public var decimal: TDSDecimal {
        get throws(WireError) {
            try TDSDecimal(isNegative: tenThousandths < 0, magnitude: UInt128(tenThousandths.magnitude), precision: 19, scale: 4)
        }
    }

    /// With four digits behind the point: `-922337203685477.5808`.
    public var description: String {
        let magnitude = tenThousandths.magnitude
        var text = ASCIIText(capacity: 22)
        if tenThousandths < 0 { text.append("-") }
        text.append(magnitude / 10_000, width: 1)
        text.append(".")
        text.append(magnitude % 10_000, width: 4)
        return text.string
    }

    public static func < (a: TDSMoney, b: TDSMoney) -> Bool { a.tenThousandths < b.tenThousandths }
}
