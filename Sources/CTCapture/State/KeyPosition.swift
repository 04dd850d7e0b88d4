// The key that a backfill has come to, as the existing connector saves it.

import Foundation

/// Turns key values into the state's `scanned` and back.
///
/// Integers, floats and bytes are elements of their own; text is text, with decimals and temporal values in text forms (datetime and
/// smalldatetime "2006-01-02T15:04:05.000", other temporal types RFC 3339 with nine fraction digits); a uniqueidentifier is the nested
/// tuple ("uuid", its bytes in SQL Server's sort order); text of some collations the existing connector saves as ("ctext", sort key, text).
public enum KeyPosition {
    /// The bytes of a uniqueidentifier, wire order, in the order in which SQL Server compares them.
    static let uniqueidentifierOrder = [10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3]

    public static func encode(_ values: [KeyValue]) -> String {
        let elements: [TupleElement] = values.map { value in
            switch value {
            case .null: .null
            case .integer(let value): .integer(value)
            case .bool(let value): .bool(value)
            case .float(let value): .float(value)
            case .double(let value): .double(value)
            case .text(let value): .text(value)
            case .bytes(let value): .bytes(value)
            case .uniqueidentifier(let bytes):
                .nested([.text("uuid"), .bytes(bytes.count == 16 ? uniqueidentifierOrder.map { bytes[$0] } : bytes)])
            }
        }
        return Data(Tuple.encode(elements)).base64EncodedString()
    }

    /// Throws `StateError` for what is no key position.
    public static func decode(_ text: String) throws(StateError) -> [KeyValue] {
        guard let data = Data(base64Encoded: text) else { throw StateError("'scanned' is not base64") }
        let elements: [TupleElement]
        do { elements = try Tuple.decode(Array(data)) } catch { throw StateError("'scanned': \(error)") }
        var values: [KeyValue] = []
        for element in elements { values.append(try value(element)) }
        return values
    }

    private static func value(_ element: TupleElement) throws(StateError) -> KeyValue {
        switch element {
        case .null: return .null
        case .integer(let value): return .integer(value)
        case .bool(let value): return .bool(value)
        case .float(let value): return .float(value)
        case .double(let value): return .double(value)
        case .text(let value): return .text(value)
        case .bytes(let value): return .bytes(value)
        case .unsigned: throw StateError("'scanned' holds a number that no key column can have")
        case .nested(let elements):
            if elements.count == 2, elements[0] == .text("uuid"), case .bytes(let bytes) = elements[1], bytes.count == 16 {
                var wire = [UInt8](repeating: 0, count: 16)
                for (position, index) in uniqueidentifierOrder.enumerated() { wire[index] = bytes[position] }
                return .uniqueidentifier(wire)
            }
            // The sort key only served the existing connector's comparisons: ours are the server's.
            if elements.count == 3, elements[0] == .text("ctext"), case .text(let text) = elements[2] { return .text(text) }
            throw StateError("'scanned' holds a key of an unknown form")
        }
    }
}
