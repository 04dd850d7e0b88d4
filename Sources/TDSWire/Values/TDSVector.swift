public import NIOCore

/// A vector (SQL Server 2025, Azure SQL), native once the VECTORSUPPORT feature was acknowledged (MS-TDS 2.2.5.5.8).
///
/// ```
/// +------+---------+------------+-------------+----------+----------+
/// | 0xA9 | version | dimensions | elementType | reserved | elements |   elementType 0: float32, 1: float16
/// | BYTE | BYTE 1  | USHORT     | BYTE        | 3 BYTE 0 |          |
/// +------+---------+------------+-------------+----------+----------+
/// ```
///
/// float16 is in the current MS-TDS (2.2.5.5.7.4, "Dimension Type"; not yet in its version 39) and has the number 1 in Microsoft's ODBC and JDBC
/// drivers. A server sends it once version 2 of VECTORSUPPORT was acknowledged (microsoft/mssql-jdbc, pull request 2899).
public struct TDSVector: WireValue {
    public enum Elements: Hashable, Sendable {
        case float32([Float])
        /// The bits of IEEE 754 binary16 numbers.
        case float16([UInt16])
    }

    public let elements: Elements

    static let headerSize = 8

    /// - Throws: ``WireError/Code/valueOutOfRange`` for no dimension, or more than 8000 bytes hold: 1998 of float32, 3996 of float16.
    public init(_ elements: Elements) throws(WireError) {
        self.elements = elements
        guard dimensions > 0, byteCount <= 8000 else { throw WireError(.valueOutOfRange, "vector", "\(dimensions) dimensions") }
    }

    /// The numbers rounded to float16, half to even.
    public static func float16(rounding values: [Float]) throws(WireError) -> Rounded<TDSVector> {
        let halves = values.map(Half.bits)
        let exact = zip(values, halves).allSatisfy { Half.float($1) == $0 || $0.isNaN }
        return Rounded(try TDSVector(.float16(halves)), isExact: exact)
    }

    public var dimensions: Int {
        switch elements {
        case .float32(let values): values.count
        case .float16(let values): values.count
        }
    }

    /// Bytes on the wire, header included.
    public var byteCount: Int {
        switch elements {
        case .float32(let values): Self.headerSize + values.count * 4
        case .float16(let values): Self.headerSize + values.count * 2
        }
    }

    /// The numbers as float32, which holds every float16 exactly.
    public var floats: [Float] {
        switch elements {
        case .float32(let values): values
        case .float16(let values): values.map(Half.float)
        }
    }

    /// The TYPE_INFO of a column or parameter for vectors like this.
    public var typeInfo: TypeInfo {
        let type: UInt8 = if case .float16 = elements { 1 } else { 0 }
        return TypeInfo(.vector, maximumLength: byteCount, vectorElementType: type)
    }

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) {
        try self.init(wire: bytes)
        guard typeInfo.vectorElementType == type.vectorElementType else { throw WireError(.malformed, "vector", "not the column's element type") }
        guard byteCount == type.maximumLength else { throw WireError(.malformed, "vector", "not the column's dimensions") }
    }

    /// Reads a vector, header and elements.
    public init(wire bytes: RawSpan) throws(WireError) {
        guard bytes.byteCount >= Self.headerSize else { throw WireError(.malformed, "vector", "\(bytes.byteCount) bytes") }
        guard try bytes.loadLE(at: 0, "vector", as: UInt8.self) == 0xA9 else { throw WireError(.malformed, "vector", "magic") }
        let version: UInt8 = try bytes.loadLE(at: 1, "vector")
        guard version == 1 else { throw WireError(.malformed, "vector", "version \(version)") }
        let count = Int(try bytes.loadLE(at: 2, "vector", as: UInt16.self))
        guard count > 0 else { throw WireError(.malformed, "vector", "no dimension") }
        let type: UInt8 = try bytes.loadLE(at: 4, "vector")
        // The three reserved bytes are to be ignored when read (MS-TDS 2.2.5.5.7.5).
        guard type <= 1 else { throw WireError(.malformed, "vector", "element type \(type)") }
        try bytes.expect(byteCount: Self.headerSize + count * (type == 0 ? 4 : 2), "vector")
        guard bytes.byteCount <= 8000 else { throw WireError(.malformed, "vector", "\(count) dimensions") }
        if type == 0 {
            var values: [Float] = []
            values.reserveCapacity(count)
            for index in 0..<count { values.append(Float(bitPattern: try bytes.loadLE(at: Self.headerSize + index * 4, "vector"))) }
            elements = .float32(values)
        } else {
            var values: [UInt16] = []
            values.reserveCapacity(count)
            for index in 0..<count { values.append(try bytes.loadLE(at: Self.headerSize + index * 2, "vector")) }
            elements = .float16(values)
        }
    }

    /// Throws ``WireError/Code/notRepresentable`` if `type` has other elements or dimensions.
    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError) {
        let own = typeInfo
        guard own.vectorElementType == type.vectorElementType, own.maximumLength == type.maximumLength else {
            throw WireError(.notRepresentable, "vector", "\(own.declaration) as \(type.declaration)")
        }
        buffer.writeLE(UInt8(0xA9))
        buffer.writeLE(UInt8(1))
        buffer.writeLE(UInt16(truncatingIfNeeded: dimensions))
        buffer.writeLE(own.vectorElementType)
        buffer.writeRepeatingByte(0, count: 3)
        switch elements {
        case .float32(let values): for value in values { buffer.writeLE(value.bitPattern) }
        case .float16(let values): for value in values { buffer.writeLE(value) }
        }
    }

    /// A JSON array of the shortest numbers that read back the same. (SQL Server's own text, `1.0000000e+000`, loses digits.)
    public var description: String { "[" + floats.map { $0.description }.joined(separator: ",") + "]" }
}

/// IEEE 754 binary16, without `Float16`, which not every platform has.
enum Half {
    static func float(_ bits: UInt16) -> Float {
        let sign: Float = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Float(bits & 0x3FF)
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return Float(sign: bits & 0x8000 == 0 ? .plus : .minus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
        }
    }

    /// Rounded half to even; too large becomes infinity.
    static func bits(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
        if value.isNaN { return sign | 0x7E00 }
        let magnitude = value.magnitude
        if magnitude < 0x1p-14 {
            // Subnormal: units of 2^-24. Scaling by a power of two is exact.
            return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
        }
        if magnitude >= 65520 { return sign | 0x7C00 }
        let exponent = Int(magnitude.exponent)
        let fraction = ((magnitude.significand - 1) * 0x1p10).rounded(.toNearestOrEven)
        // A fraction that rounds up to 1024 carries into the exponent by itself.
        return sign | UInt16((exponent + 15) << 10 + Int(fraction))
    }
}
