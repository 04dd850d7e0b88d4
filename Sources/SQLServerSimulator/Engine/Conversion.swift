import NIOCore
import TDSWire

/// CAST, CONVERT and implicit conversion.
enum Conversion {
    /// `isExplicit`: CAST or CONVERT. Text and binary that is too long is cut without a word; storing into a column checks before.
    static func convert(_ value: SQLValue, from: SQLType, to: SQLType, style: Int64 = 0, isExplicit: Bool = false, dateOrder: String = "mdy") throws -> SQLValue {
        if case .null = value { return .null }
        if case .variant(let inner, let content) = value, to.kind != .variant {
            return try convert(content, from: inner, to: to, style: style, isExplicit: isExplicit, dateOrder: dateOrder)
        }
        switch to.kind {
        case .null: return value
        case .variant:
            if case .variant = value { return value }
            if from.isLOB || from.kind == .rowversion || from.kind == .hierarchyid { throw Messages.clash(from.name, "sql_variant") }
            return .variant(from, value)
        case .tinyint, .smallint, .int, .bigint: return .int(try integer(value, from, to))
        case .bit: return .bit(try bit(value, from, to, isExplicit: isExplicit))
        case .decimal, .numeric: return .decimal(try decimal(value, from, to, isExplicit: isExplicit))
        case .money, .smallmoney: return .money(try money(value, from, to, isExplicit: isExplicit))
        case .float: return .float(try double(value, from, to, isExplicit: isExplicit))
        case .real:
            if case .real = value { return value }
            let number = try double(value, from, to, isExplicit: isExplicit)
            let narrow = Float(number)
            if narrow.isInfinite { throw Messages.overflow(from.name, "real") }
            return .real(narrow)
        case .char, .varchar, .text, .nchar, .nvarchar, .ntext: return .string(try string(value, from, to, style: style, isExplicit: isExplicit))
        case .xml: return try xml(value, from, isExplicit: isExplicit)
        case .binary, .varbinary, .image, .rowversion: return .binary(try binary(value, from, to, style: style, isExplicit: isExplicit))
        case .hierarchyid:
            switch value {
            case .string(let text): return .binary(try hierarchy(text))
            case .binary where from.kind == .hierarchyid || isExplicit: return value
            default: throw incompatible(from, to, isExplicit)
            }
        case .date, .time, .datetime, .smalldatetime, .datetime2, .datetimeoffset:
            return try temporal(value, from, to, style: style, isExplicit: isExplicit, dateOrder: dateOrder)
        case .uniqueidentifier:
            switch value {
            case .uniqueidentifier: return value
            case .string(let text):
                // What follows the 36 characters, or the brace behind them, is ignored.
                let end = text.utf8.first == UInt8(ascii: "{") ? 38 : 36
                guard let guid = try? TDSGUID(text: String(decoding: text.utf8.prefix(end), as: UTF8.self)) else { throw Messages.guidConversion }
                return .uniqueidentifier(guid)
            case .binary(let bytes):
                let padded = Array((bytes + [UInt8](repeating: 0, count: 16)).prefix(16))
                guard let guid = try? TDSGUID(wire: padded.span.bytes) else { throw Messages.guidConversion }
                return .uniqueidentifier(guid)
            default: throw incompatible(from, to, isExplicit)
            }
        }
    }

    static func incompatible(_ from: SQLType, _ to: SQLType, _ isExplicit: Bool) -> SQLServerMessage {
        isExplicit ? Messages.explicitConversion(from.name, to.name) : Messages.clash(from.name, to.name)
    }

    static func trim(_ text: String) -> String {
        var view = Substring(text)
        while let first = view.unicodeScalars.first, first.value <= 32 { view.unicodeScalars.removeFirst() }
        while let last = view.unicodeScalars.last, last.value <= 32 { view.unicodeScalars.removeLast() }
        return String(view)
    }

    private static func xml(_ value: SQLValue, _ from: SQLType, isExplicit: Bool) throws -> SQLValue {
        switch value {
        case .string(let text): return .string(from.kind == .xml ? text : try XMLText.normalised(text))
        case .binary(let bytes) where from.kind != .hierarchyid:
            return .string(try XMLText.normalised(String(decoding: bytes, as: UTF8.self)))
        default: throw incompatible(from, .init(.xml), isExplicit)
        }
    }

    private static func hierarchy(_ text: String) throws -> [UInt8] {
        do {
            let content = try TDSHierarchyID(text: text).wireContent(TypeInfo(.udt, maximumLength: TDSHierarchyID.maximumLength))
            return Array(content.readableBytesView)
        } catch {
            throw Messages.hierarchyText(text)
        }
    }
}
