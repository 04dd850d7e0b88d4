/// Parses a batch of T-SQL. As on a real server, the whole batch is parsed before anything of it runs.
struct Parser {
    var lexer: Lexer
    private var lookahead: [(token: Token, line: Int32, end: Int)] = []
    /// End of the last consumed token in the source, and its text for errors at the end of the batch.
    private(set) var lastEnd = 0
    private var lastToken: Token = .end
    var depth = 0

    init(_ text: String, quotedIdentifiers: Bool = true) {
        lexer = Lexer(text, quotedIdentifiers: quotedIdentifiers)
    }

    static func parseBatch(_ text: String, quotedIdentifiers: Bool = true) throws -> [Statement] {
        var parser = Parser(text, quotedIdentifiers: quotedIdentifiers)
        var statements: [Statement] = []
        while true {
            while try parser.accept(.semicolon) {}
            if try parser.peek() == .end { return statements }
            statements.append(try parser.statement(isFirst: statements.isEmpty))
        }
    }

    // MARK: Tokens

    private mutating func fill(_ count: Int) throws {
        while lookahead.count < count {
            let token = try lexer.next()
            lookahead.append((token, lexer.line, lexer.position))
        }
    }
    mutating func peek(_ offset: Int = 0) throws -> Token {
        try fill(offset + 1)
        return lookahead[offset].token
    }
    mutating func line() throws -> Int32 {
        try fill(1)
        return lookahead[0].line
    }
    @discardableResult
    mutating func advance() throws -> Token {
        try fill(1)
        let next = lookahead.removeFirst()
        lastEnd = next.end
        lastToken = next.token
        return next.token
    }
    /// Text of the source from `start` to the last consumed token.
    func sourceText(from start: Int) -> String { lexer.text(from: start, to: lastEnd) }

    static func same(_ a: String, _ keyword: StaticString) -> Bool {
        guard a.utf8.count == keyword.utf8CodeUnitCount else { return false }
        var index = 0
        for byte in a.utf8 {
            let wanted = keyword.utf8Start[index]
            let folded = byte >= 97 && byte <= 122 ? byte &- 32 : byte
            if folded != wanted { return false }
            index &+= 1
        }
        return true
    }
    mutating func isWord(_ keyword: StaticString, at offset: Int = 0) throws -> Bool {
        if case .word(let text) = try peek(offset) { return Parser.same(text, keyword) }
        return false
    }
    mutating func acceptWord(_ keyword: StaticString) throws -> Bool {
        if try isWord(keyword) {
            try advance()
            return true
        }
        return false
    }
    mutating func expectWord(_ keyword: StaticString) throws {
        if try !acceptWord(keyword) { throw try unexpected() }
    }
    mutating func isSymbol(_ symbol: Symbol, at offset: Int = 0) throws -> Bool {
        if case .symbol(let found) = try peek(offset) { return found == symbol }
        return false
    }
    mutating func accept(_ symbol: Symbol) throws -> Bool {
        if try isSymbol(symbol) {
            try advance()
            return true
        }
        return false
    }
    mutating func expect(_ symbol: Symbol) throws {
        if try !accept(symbol) { throw try unexpected() }
    }

    /// The error for the next token: 102, or 156 for a keyword.
    mutating func unexpected() throws -> SQLServerMessage {
        let token = try peek()
        let line = try line()
        if token == .end { return Messages.syntax(lastToken.text, line: line) }
        if case .word(let text) = token, Keywords.isReserved(text) { return Messages.keyword(text, line: line) }
        return Messages.syntax(token.text, line: line)
    }

    /// Guards against a nesting that would overflow the stack.
    mutating func nested<T>(_ body: (inout Parser) throws -> T) throws -> T {
        depth += 1
        defer { depth -= 1 }
        if depth > 200 {
            throw SQLServerMessage(
                number: 191, severity: 15, text: "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.",
                line: try line())
        }
        return try body(&self)
    }

    // MARK: Names

    /// An identifier: delimited, or a word that isn't reserved.
    mutating func identifier() throws -> String {
        switch try peek() {
        case .word(let text) where !Keywords.isReserved(text):
            try advance()
            return text
        case .quoted(let text):
            try advance()
            if text.isEmpty { throw Messages.emptyName }
            return text
        default: throw try unexpected()
        }
    }
    mutating func isIdentifier(at offset: Int = 0) throws -> Bool {
        switch try peek(offset) {
        case .word(let text): return !Keywords.isReserved(text)
        case .quoted: return true
        default: return false
        }
    }
    /// `a`, `a.b`, `a.b.c`, `a..c`, `a.b.c.d`.
    mutating func objectName() throws -> ObjectName {
        var parts: [String?] = [try identifier()]
        while try accept(.dot) {
            if try isSymbol(.dot) {
                parts.append(nil)
            } else {
                parts.append(try identifier())
            }
        }
        return try objectName(parts)
    }
    func objectName(_ parts: [String?]) throws -> ObjectName {
        guard parts.count <= 4, let last = parts.last, let name = last else {
            throw Messages.tooManyParts(parts.map { $0 ?? "" }.joined(separator: "."))
        }
        let reversed = Array(parts.reversed())
        return ObjectName(
            server: reversed.count > 3 ? reversed[3] : nil, database: reversed.count > 2 ? reversed[2] : nil,
            schema: reversed.count > 1 ? reversed[1] : nil, name: name)
    }
    /// A list in parentheses of names.
    mutating func nameList() throws -> [String] {
        try expect(.open)
        var names: [String] = []
        repeat { names.append(try identifier()) } while try accept(.comma)
        try expect(.close)
        return names
    }
    mutating func variableName() throws -> String {
        if case .variable(let name) = try peek() {
            try advance()
            return name
        }
        throw try unexpected()
    }
    mutating func integer() throws -> Int64 {
        let negative = try accept(.minus)
        if case .number(let text) = try peek(), let value = Int64(text) {
            try advance()
            return negative ? -value : value
        }
        throw try unexpected()
    }

    /// A type: `int`, `decimal(10,5)`, `varchar(max)`, `sys.int`, `double precision`, `national character varying(10)`.
    mutating func typeName() throws -> TypeName {
        var name: String
        switch try peek() {
        case .word(let text):
            try advance()
            name = text
        case .quoted(let text):
            try advance()
            name = text
        default: throw try unexpected()
        }
        while try accept(.dot) { name = try identifier() }
        name = name.lowercased()
        switch name {
        case "double":
            _ = try acceptWord("PRECISION")
            name = "float"
        case "national":
            if try acceptWord("TEXT") {
                name = "ntext"
            } else {
                try advance()
                name = try acceptWord("VARYING") ? "nvarchar" : "nchar"
            }
        case "char", "character", "nchar", "binary":
            if try acceptWord("VARYING") { name = name == "binary" ? "varbinary" : name == "nchar" ? "nvarchar" : "varchar" }
        default: break
        }
        switch name {
        case "integer": name = "int"
        case "character": name = "char"
        case "dec": name = "decimal"
        case "rowversion": name = "timestamp"
        default: break
        }
        var type = TypeName(name: name)
        if try isSymbol(.open) {
            // The parenthesis may belong to something else after types that take no argument.
            try advance()
            if try acceptWord("MAX") {
                type.isMax = true
            } else {
                repeat { type.arguments.append(Int(clamping: try integer())) } while try accept(.comma)
            }
            try expect(.close)
        }
        return type
    }
}
