// Bulk load (MS-TDS 2.2.6.1): `INSERT BULK table (column type, …) [WITH (…)]`, then a message with the rows.
import NIOCore
import TDSWire

/// What an INSERT BULK statement names.
struct BulkInsert: Equatable {
    /// As written, with its marks.
    var table: String
    /// As written, with their marks.
    var columns: [String]

    /// Nil for any other statement.
    init?(_ sql: String) {
        var words = sql[...]
        func word(_ expected: String) -> Bool {
            words = words.drop(while: \.isWhitespace)
            guard words.prefix(expected.count).lowercased() == expected, words.dropFirst(expected.count).first?.isWhitespace == true else { return false }
            words = words.dropFirst(expected.count)
            return true
        }
        guard word("insert"), word("bulk") else { return nil }
        var parts: [String] = [""]
        var depth = 0
        var mark: Character?
        var isAtEnd = false
        for character in words where !isAtEnd {
            if let end = mark {
                parts[parts.count - 1].append(character)
                if character == end { mark = nil }
                continue
            }
            switch character {
            case "[", "\"":
                mark = character == "[" ? "]" : "\""
                parts[parts.count - 1].append(character)
            case "(":
                depth += 1
                if depth == 1 { parts.append("") } else { parts[parts.count - 1].append(character) }
            case ")":
                depth -= 1
                if depth == 0 { isAtEnd = true } else { parts[parts.count - 1].append(character) }
            case "," where depth == 1:
                parts.append("")
            default:
                parts[parts.count - 1].append(character)
            }
        }
        guard isAtEnd, parts.count > 1 else { return nil }
        func trimmed(_ text: String) -> Substring {
            var text = text.drop(while: \.isWhitespace)
            while text.last?.isWhitespace == true { text.removeLast() }
            return text
        }
        table = String(trimmed(parts[0]))
        columns = parts.dropFirst().map { Self.name(trimmed($0)) }
        guard !table.isEmpty, !columns.contains("") else { return nil }
    }

    /// The name that a column's definition begins with, its marks included.
    private static func name(_ definition: Substring) -> String {
        guard let first = definition.first else { return "" }
        guard first == "[" || first == "\"" else { return String(definition.prefix { !$0.isWhitespace }) }
        let end: Character = first == "[" ? "]" : "\""
        var index = definition.index(after: definition.startIndex)
        while index < definition.endIndex {
            let next = definition.index(after: index)
            if definition[index] == end {
                // A doubled mark is one of the name's characters.
                guard next < definition.endIndex, definition[next] == end else { return String(definition[..<next]) }
                index = definition.index(after: next)
            } else {
                index = next
            }
        }
        return ""
    }
}

extension RequestRunner {
    /// Answers INSERT BULK: the table and its columns must be there.
    mutating func prepare(_ insert: BulkInsert, _ response: inout Response) throws {
        var cursor = session.batch("SELECT TOP (0) \(insert.columns.joined(separator: ", ")) FROM \(insert.table)")
        if let error = Self.firstError(&cursor) { throw error }
        bulk = insert
    }

    /// As many rows of a bulk load as are one INSERT: enough that its preparation doesn't count.
    private static let rowsAtOnce = 1024

    /// Inserts the rows, all or none.
    mutating func load(_ load: BulkLoad, _ response: inout Response) throws {
        guard let insert = bulk else { throw WireError(.unexpectedMessage, "BulkLoadBCP", "without INSERT BULK") }
        bulk = nil
        guard load.columns.count == insert.columns.count else {
            throw SQLServerMessage(number: 4815, severity: 16, text: "The bulk load's metadata does not match the columns of INSERT BULK.")
        }
        var types: [SQLType] = []
        for (index, column) in load.columns.enumerated() {
            guard let type = SQLType(column.typeInfo) else {
                throw SQLServerMessage(number: 4816, severity: 16, text: "Invalid column type from bcp client for colid \(index + 1).")
            }
            types.append(type)
        }
        let isOwnTransaction = session.transactionDescriptor == 0
        func run(_ cursor: Cursor) throws {
            var cursor = cursor
            if let error = Self.firstError(&cursor) { throw error }
        }
        if isOwnTransaction { try run(session.beginTransaction()) }
        do {
            for start in stride(from: 0, to: load.rows.count, by: Self.rowsAtOnce) {
                let rows = try load.rows[start..<min(start + Self.rowsAtOnce, load.rows.count)].map { row in
                    try zip(row, load.columns).map { content, column in try SQLValue(wire: content, column.typeInfo) }
                }
                try run(session.insert(rows, types: types, into: insert.table, columns: insert.columns))
                if session.cancellation.isCancelled { break }
            }
        } catch {
            if isOwnTransaction, session.transactionDescriptor != 0 { try run(session.rollbackTransaction()) }
            throw error
        }
        if isOwnTransaction { try run(session.cancellation.isCancelled ? session.rollbackTransaction() : session.commitTransaction()) }
        response.hold(Done(status: .count, currentCommand: 0xF0, rowCount: UInt64(load.rows.count)))
    }

    /// Plays a cursor for its errors alone.
    private static func firstError(_ cursor: inout Cursor) -> SQLServerMessage? {
        var first: SQLServerMessage?
        while let event = cursor.next() {
            if case .message(let message) = event, message.isError, first == nil { first = message }
        }
        return first
    }
}
