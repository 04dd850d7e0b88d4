/// A glob over table names: `*` any characters, `?` one, `\c` the character c itself. An unescaped `.` splits schema and table; without
/// one the pattern is about the table's name in any schema.
public struct TablePattern: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        case any
        case one
        case literal(Character)
    }

    let schema: [Part]?
    let table: [Part]

    /// Throws `ConfigurationError` for a pattern that is empty, ends in `\`, or has more than one unescaped `.`.
    public init(_ text: String, field: String = "table_patterns") throws(ConfigurationError) {
        var sections: [[Part]] = [[]]
        var escaped = false
        for character in text {
            if escaped {
                sections[sections.count - 1].append(.literal(character))
                escaped = false
                continue
            }
            switch character {
            case "\\": escaped = true
            case "*": sections[sections.count - 1].append(.any)
            case "?": sections[sections.count - 1].append(.one)
            case ".": sections.append([])
            default: sections[sections.count - 1].append(.literal(character))
            }
        }
        guard !escaped else { throw ConfigurationError("'\(field)': the pattern \"\(text)\" ends in a backslash") }
        guard sections.count <= 2 else { throw ConfigurationError("'\(field)': the pattern \"\(text)\" has more than one '.'; write '\\.' for a dot in a name") }
        guard sections.allSatisfy({ !$0.isEmpty }) else { throw ConfigurationError("'\(field)': the pattern \"\(text)\" names no table") }
        schema = sections.count == 2 ? sections[0] : nil
        table = sections[sections.count - 1]
    }

    /// Whether a table's name matches, as a whole and with regard to case.
    public func matches(_ name: TableName) -> Bool {
        (schema.map { Self.matches($0, name.schema) } ?? true) && Self.matches(table, name.table)
    }

    /// Greedy with one point of return, so that no pattern takes more than length × pattern steps.
    private static func matches(_ parts: [Part], _ text: String) -> Bool {
        let characters = Array(text)
        var part = 0
        var position = 0
        var star: (part: Int, position: Int)?
        while position < characters.count {
            if part < parts.count, parts[part] == .any {
                star = (part, position)
                part += 1
            } else if part < parts.count, parts[part] == .one || parts[part] == .literal(characters[position]) {
                part += 1
                position += 1
            } else if let (starPart, starPosition) = star {
                part = starPart + 1
                position = starPosition + 1
                star = (starPart, position)
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { $0 == .any }
    }
}
