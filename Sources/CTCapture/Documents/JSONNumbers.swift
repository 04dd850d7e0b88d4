// Numbers as JSON text, from their wire forms.

import TDSWire

/// The eight decimal digits of a number below 10^8, one a byte (0 to 9), the first digit in the lowest byte.
///
/// Splits in half three times, all parts at once in one register: 8 digits into 2 x 4, those into 4 x 2, those into 8 x 1. The
/// multiplications divide by 100 and 10 exactly for the ranges that occur (10486 / 2^20 below 10^4, 103 / 2^10 below 100).
@inline(__always)
func eightDigits(_ value: UInt64) -> UInt64 {
    let high = value / 10_000
    let fours = high | (value &- high &* 10_000) &<< 32
    let hundreds = ((fours &* 10_486) &>> 20) & 0x0000_007F_0000_007F
    let twos = hundreds | (fours &- hundreds &* 100) &<< 16
    let tens = ((twos &* 103) &>> 10) & 0x000F_000F_000F_000F
    return tens | (twos &- tens &* 10) &<< 8
}

private let asciiZeros: UInt64 = 0x3030_3030_3030_3030

/// 10^0 to 10^19.
private let powersOfTen: [UInt64] = (0..<20).map { exponent in (0..<exponent).reduce(1) { power, _ in power * 10 } }

extension DocumentCursor {
    /// The most bytes that ``appendInteger(_:)`` stores: a sign, 20 digits, and what a store of eight writes too much.
    static var integerRoom: Int { 32 }

    /// Two digits of a number below 100.
    @inline(__always)
    mutating func appendTwoDigits(_ value: Int) {
        let tens = (value &* 103) &>> 10
        append(raw: UInt16(truncatingIfNeeded: 0x3030 | tens | (value &- tens &* 10) &<< 8).littleEndian)
    }

    /// Eight digits, with leading zeros.
    @inline(__always)
    mutating func appendEightDigits(_ value: UInt64) {
        append(raw: (eightDigits(value) | asciiZeros).littleEndian)
    }

    /// Stores up to eight bytes and counts only `count` of them.
    @inline(__always)
    mutating func append(_ word: UInt64, count: Int) {
        span.storeBytes(of: word.littleEndian, toByteOffset: position, as: UInt64.self)
        position &+= count
    }

    @inline(__always)
    mutating func appendInteger(_ value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendInteger(value.magnitude)
    }

    @inline(__always)
    mutating func appendInteger(_ value: UInt64) {
        if value < 100_000_000 {
            appendShort(value)
        } else if value < 10_000_000_000_000_000 {
            appendShort(value / 100_000_000)
            appendEightDigits(value % 100_000_000)
        } else {
            appendShort(value / 10_000_000_000_000_000)
            let rest = value % 10_000_000_000_000_000
            appendEightDigits(rest / 100_000_000)
            appendEightDigits(rest % 100_000_000)
        }
    }

    /// A number below 10^8 without leading zeros.
    @inline(__always)
    private mutating func appendShort(_ value: UInt64) {
        let digits = eightDigits(value)
        // Whole zero bytes before the first digit; a lone zero keeps its last byte.
        let zeros = Swift.min(digits.trailingZeroBitCount &>> 3, 7)
        append((digits | asciiZeros) &>> UInt64(zeros &* 8), count: 8 &- zeros)
    }

    /// The last `count` (1 to 19) digits of `value`, with leading zeros.
    @inline(__always)
    mutating func appendLastDigits(_ value: UInt64, count: Int) {
        if count <= 8 {
            append((eightDigits(value) | asciiZeros) &>> UInt64((8 &- count) &* 8), count: count)
        } else {
            let high = value / 100_000_000
            if count <= 16 {
                append((eightDigits(high) | asciiZeros) &>> UInt64((16 &- count) &* 8), count: count &- 8)
            } else {
                let top = high / 100_000_000
                append((eightDigits(top) | asciiZeros) &>> UInt64((24 &- count) &* 8), count: count &- 16)
                appendEightDigits(high % 100_000_000)
            }
            appendEightDigits(value % 100_000_000)
        }
    }

    /// The most bytes that a decimal takes: sign, 39 digits, point, quotes, and what a store of eight writes too much.
    static var decimalRoom: Int { 56 }

    /// A decimal with the declared scale, quoted: "123.00".
    @inline(__always)
    mutating func appendDecimal(negative: Bool, magnitude: UInt64, scale: Int) {
        append(UInt8(ascii: "\""))
        // Zero has no sign, whatever the wire says.
        if negative, magnitude != 0 { append(UInt8(ascii: "-")) }
        appendFixedPoint(magnitude, scale: scale)
        append(UInt8(ascii: "\""))
    }

    @inline(__always)
    mutating func appendFixedPoint(_ magnitude: UInt64, scale: Int) {
        switch scale {
        case 0: appendInteger(magnitude)
        case 2: appendFixedPoint(magnitude / 100, magnitude % 100, scale: 2)
        case 4: appendFixedPoint(magnitude / 10_000, magnitude % 10_000, scale: 4)
        case 1...19:
            let power = powersOfTen[scale]
            appendFixedPoint(magnitude / power, magnitude % power, scale: scale)
        default:
            // A scale above 19 digits: all of the number is fraction.
            appendFixedPoint(0, 0, scale: scale &- 19)
            appendLastDigits(magnitude, count: 19)
        }
    }

    @inline(__always)
    private mutating func appendFixedPoint(_ whole: UInt64, _ fraction: UInt64, scale: Int) {
        appendInteger(whole)
        append(UInt8(ascii: "."))
        appendLastDigits(fraction, count: scale)
    }

    /// A decimal of more than 64 bits.
    @inline(never)
    mutating func appendDecimal(negative: Bool, magnitude: UInt128, scale: Int) {
        if let small = UInt64(exactly: magnitude), scale < 20 { return appendDecimal(negative: negative, magnitude: small, scale: scale) }
        var digits: [UInt8] = []
        var rest = magnitude
        while rest > 0 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            digits.append(UInt8(truncatingIfNeeded: 0x30 + remainder))
            rest = quotient
        }
        while digits.count <= scale { digits.append(0x30) }
        append(UInt8(ascii: "\""))
        if negative, magnitude != 0 { append(UInt8(ascii: "-")) }
        for (index, digit) in digits.enumerated().reversed() {
            append(digit)
            if index == scale, scale > 0 { append(UInt8(ascii: ".")) }
        }
        append(UInt8(ascii: "\""))
    }

    static var doubleRoom: Int { 40 }

    /// The shortest text that reads back the same.
    @inline(__always)
    mutating func appendDouble(_ value: Double) {
        // Most values have few decimals: m / 10^k with the smallest k for which the (correctly rounded) division gives the value
        // back. Below 10^15 that m is the only one with as few digits.
        let magnitude = value.magnitude
        if magnitude < 1e11, magnitude != 0 {
            if appendIfExact(value, magnitude, 1, 0) || appendIfExact(value, magnitude, 10, 1) || appendIfExact(value, magnitude, 100, 2)
                || appendIfExact(value, magnitude, 1_000, 3) || appendIfExact(value, magnitude, 10_000, 4)
            {
                return
            }
        }
        appendAnyDouble(value)
    }

    @inline(__always)
    private mutating func appendIfExact(_ value: Double, _ magnitude: Double, _ power: Double, _ scale: Int) -> Bool {
        let integer = UInt64(magnitude * power + 0.5)
        guard Double(integer) / power == magnitude else { return false }
        if value < 0 { append(UInt8(ascii: "-")) }
        switch scale {
        case 0: appendInteger(integer)
        case 1: appendFixedPoint(integer / 10, integer % 10, scale: 1)
        case 2: appendFixedPoint(integer / 100, integer % 100, scale: 2)
        case 3: appendFixedPoint(integer / 1_000, integer % 1_000, scale: 3)
        default: appendFixedPoint(integer / 10_000, integer % 10_000, scale: 4)
        }
        return true
    }

    @inline(never)
    private mutating func appendAnyDouble(_ value: Double) {
        guard value.isFinite else { return append("null") }
        if value == 0 { return append(UInt8(ascii: "0")) }
        var text = value.description
        if text.hasSuffix(".0") { text.removeLast(2) }
        for byte in text.utf8 { append(byte) }
    }
}
