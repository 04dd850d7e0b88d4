import NIOCore
import TDSWire

/// Conversions to character and binary types, and what fits a type's length.
extension Conversion {
    static func string(_ value: SQLValue, _ from: SQLType, _ to: SQLType, style: Int64, isExplicit: Bool) throws -> String {
        let collation = to.collation ?? .default
        var text: String
        switch value {
        case .string(let source):
            text = source
        case .binary(let bytes) where from.kind != .hierarchyid:
            if from.kind == .image && !isExplicit { throw incompatible(from, to, isExplicit) }
            if style == 1 {
                text = Formatting.hex(bytes)
            } else if style == 2 {
                text = String(Formatting.hex(bytes).dropFirst(2))
            } else if to.isUnicode {
                // Half a unit at the end is completed with a zero.
                text = UTF16Text.string((bytes.count % 2 == 0 ? bytes : bytes + [0]).span.bytes)
            } else {
                text = collation.codePage.string(bytes.span.bytes)
            }
        default:
            if to.kind == .text || to.kind == .ntext { throw incompatible(from, to, isExplicit) }
            text = try Formatting.text(value, from, style: style)
            // What is no text must fit.
            if to.length > 0, text.utf8.count > to.length {
                switch from.kind {
                case .tinyint, .smallint, .int, .bigint:
                    if to.isUnicode { throw Messages.overflow("expression", to.name) }
                    text = "*"
                case .decimal, .numeric, .money, .smallmoney, .float, .real:
                    throw Messages.overflow(from.isDecimal ? "numeric" : from.kind == .money || from.kind == .smallmoney ? "money" : "expression", to.name)
                case .uniqueidentifier:
                    throw SQLServerMessage(number: 8170, state: 2, severity: 16, text: "Insufficient result space to convert uniqueidentifier value to char.")
                default: break
                }
            }
        }
        if !to.isUnicode { text = collation.codePage.stored(text) }
        return fit(text, to)
    }

    /// Cuts to the type's length, and pads char and nchar.
    static func fit(_ text: String, _ type: SQLType) -> String {
        guard type.length > 0 else { return text }
        // Bytes of UTF-8 are never fewer than those of another code page.
        let isFixed = type.kind == .char || type.kind == .nchar
        let result = text.utf8.count <= type.length ? text : cut(text, type)
        guard isFixed else { return result }
        let missing = type.length - type.size(of: result)
        return missing > 0 ? result + String(repeating: " ", count: missing) : result
    }

    /// The longest prefix of whole characters that fits.
    static func cut(_ text: String, _ type: SQLType) -> String {
        let page = (type.collation ?? .default).codePage
        var room = type.length
        var end = text.unicodeScalars.startIndex
        for index in text.unicodeScalars.indices {
            let scalar = text.unicodeScalars[index]
            let size = type.isUnicode ? UTF16.width(scalar) : page.size(of: scalar)
            if size > room { return String(text.unicodeScalars[..<end]) }
            room -= size
            end = text.unicodeScalars.index(after: index)
        }
        return text
    }

    static func binary(_ value: SQLValue, _ from: SQLType, _ to: SQLType, style: Int64, isExplicit: Bool) throws -> [UInt8] {
        var bytes: [UInt8]
        func bigEndian(_ number: Int64, _ width: Int) -> [UInt8] { (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> Int64($0 * 8)) } }
        // Numbers lose their first bytes where there is no room, all else its last.
        var keepsRight = true
        switch value {
        case .binary(let source):
            bytes = source
            keepsRight = false
        case .string(let text):
            if !isExplicit { throw Messages.implicitConversion(from.name, to.name) }
            bytes = try binary(text, from, to, style: style)
            keepsRight = false
        case .int(let number): bytes = bigEndian(number, from.isInteger ? from.maxLength : 8)
        case .bit(let flag): bytes = [flag ? 1 : 0]
        case .money(let amount): bytes = bigEndian(amount.tenThousandths, from.kind == .smallmoney ? 4 : 8)
        case .uniqueidentifier(let guid):
            bytes = guid.wireBytes
            keepsRight = false
        case .float(let number): bytes = bigEndian(Int64(bitPattern: number.bitPattern), 8)
        case .real(let number): bytes = bigEndian(Int64(number.bitPattern), 4)
        case .datetime(let value): bytes = bigEndian(Int64(value.days), 4) + bigEndian(Int64(value.ticks), 4)
        case .decimal(let number):
            bytes = [UInt8(from.precision), number.scale, 0, number.isNegative ? 0 : 1]
            for index in 0..<(from.maxLength - 1) { bytes.append(UInt8(truncatingIfNeeded: number.magnitude >> UInt128(index * 8))) }
            keepsRight = false
        default: throw incompatible(from, to, isExplicit)
        }
        let length = to.kind == .rowversion ? 8 : to.length
        if to.kind == .image || to.isMax || length <= 0 { return bytes }
        if bytes.count > length { bytes = keepsRight ? Array(bytes.suffix(length)) : Array(bytes.prefix(length)) }
        if (to.kind == .binary || to.kind == .rowversion), bytes.count < length {
            let zeros = [UInt8](repeating: 0, count: length - bytes.count)
            bytes = keepsRight ? zeros + bytes : bytes + zeros
        }
        return bytes
    }

    private static func binary(_ text: String, _ from: SQLType, _ to: SQLType, style: Int64) throws -> [UInt8] {
        if style == 1 || style == 2 {
            let error = Messages.errorConverting(from.name, to.name)
            var digits = Array(trim(text).utf8)
            if style == 1 {
                guard digits.count >= 2, digits[0] == 48, digits[1] | 0x20 == UInt8(ascii: "x") else { throw error }
                digits.removeFirst(2)
            }
            guard digits.count % 2 == 0 else { throw error }
            var bytes: [UInt8] = []
            for index in stride(from: 0, to: digits.count, by: 2) {
                guard let high = digits[index].hexDigitValue, let low = digits[index + 1].hexDigitValue else { throw error }
                bytes.append(high << 4 | low)
            }
            return bytes
        }
        if from.isUnicode { return text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] } }
        return Array((from.collation ?? .default).codePage.storing(text).readableBytesView)
    }
}

extension SQLType {
    /// The length of text in the type's unit: UTF-16 units or bytes.
    func size(of text: String) -> Int { isUnicode ? text.utf16.count : (collation ?? .default).codePage.size(of: text) }
}

extension TDSGUID {
    /// The sixteen bytes in the wire's order.
    var wireBytes: [UInt8] {
        let first = [UInt8](withUnsafeBytes(of: UInt32(truncatingIfNeeded: high >> 32).littleEndian, Array.init))
        let second = [UInt8](withUnsafeBytes(of: UInt16(truncatingIfNeeded: high >> 16).littleEndian, Array.init))
        let third = [UInt8](withUnsafeBytes(of: UInt16(truncatingIfNeeded: high).littleEndian, Array.init))
        return first + second + third + withUnsafeBytes(of: low.bigEndian, Array.init)
    }
}
