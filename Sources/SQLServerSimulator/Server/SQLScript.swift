// Scripts as SQL Server's tools read them.

/// A SQL script, cut at the lines that hold only `GO` (in any case, with a count: `GO 5`), but not at those inside of a comment or a quoted text.
public struct SQLScript: Sendable {
    public struct Batch: Sendable, Hashable {
        public var text: String
        /// The line of the script that it starts on, from 1.
        public var firstLine: Int
    }
    /// The batches that hold more than white space, in order; one with a count as often as it says.
    public let batches: [Batch]

    public init(_ script: String) {
        var batches: [Batch] = []
        var lines: [Substring] = []
        var firstLine = 1
        var inside = Inside.nothing

        func finish(times: Int) {
            let text = lines.joined(separator: "\n")
            if text.contains(where: { !$0.isWhitespace }) {
                batches.append(contentsOf: repeatElement(Batch(text: text, firstLine: firstLine), count: times))
            }
            lines = []
        }
        var number = 0
        // A carriage return and a line feed are one Character.
        for line in script.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r\n" }) {
            number += 1
            if case .nothing = inside, let times = Self.separator(line) {
                finish(times: times)
                firstLine = number + 1
            } else {
                inside.read(line)
                lines.append(line)
            }
        }
        finish(times: 1)
        self.batches = batches
    }

    private static func separator(_ line: Substring) -> Int? {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard let first = words.first, first.lowercased() == "go" || first.lowercased() == "go;" else { return nil }
        switch words.count {
        case 1: return 1
        case 2: return Int(words[1]).flatMap { $0 >= 0 ? $0 : nil }
        default: return words[1].hasPrefix("--") ? 1 : nil
        }
    }

    /// What a line's end is inside of.
    private enum Inside {
        case nothing
        case comment(depth: Int)
        case quoted(Character)

        mutating func read(_ line: Substring) {
            var rest = line[...]
            while let character = rest.first {
                switch self {
                case .nothing:
                    if rest.hasPrefix("--") { return }
                    if rest.hasPrefix("/*") {
                        self = .comment(depth: 1)
                        rest = rest.dropFirst()
                    } else if character == "'" || character == "\"" {
                        self = .quoted(character)
                    } else if character == "[" {
                        self = .quoted("]")
                    }
                case .comment(let depth):
                    if rest.hasPrefix("/*") {
                        self = .comment(depth: depth + 1)
                        rest = rest.dropFirst()
                    } else if rest.hasPrefix("*/") {
                        self = depth == 1 ? .nothing : .comment(depth: depth - 1)
                        rest = rest.dropFirst()
                    }
                case .quoted(let end):
                    // A doubled mark ends and begins again, which comes to the same.
                    if character == end { self = .nothing }
                }
                rest = rest.dropFirst()
            }
        }
    }
}
