import TDSWire

extension Parser {
    /// A predicate or a scalar: the lowest precedence.
    mutating func expression() throws -> Expression {
        try nested { p in try p.disjunction() }
    }

    private mutating func disjunction() throws -> Expression {
        var left = try conjunction()
        while try acceptWord("OR") { left = .or(left, try conjunction()) }
        return left
    }
    private mutating func conjunction() throws -> Expression {
        var left = try negation()
        while try acceptWord("AND") { left = .and(left, try negation()) }
        return left
    }
    private mutating func negation() throws -> Expression {
        if try acceptWord("NOT") {
            return .not(try nested { p in try p.negation() })
        }
        return try comparison()
    }

    private mutating func comparisonOperator() throws -> ComparisonOperator? {
        guard case .symbol(let symbol) = try peek() else { return nil }
        switch symbol {
        case .equal: return .equal
        case .notEqual, .bangEqual: return .notEqual
        case .less: return .less
        case .greater: return .greater
        case .lessEqual, .notGreater: return .lessEqual
        case .greaterEqual, .notLess: return .greaterEqual
        default: return nil
        }
    }

    private mutating func comparison() throws -> Expression {
        if try isWord("EXISTS"), try isSymbol(.open, at: 1) {
            try advance()
            try expect(.open)
            let query = try self.query()
            try expect(.close)
            return .exists(query)
        }
        let left = try scalar()
        if let op = try comparisonOperator() {
            try advance()
            for (word, all) in [("ALL", true), ("ANY", false), ("SOME", false)] {
                if case .word(let text) = try peek(), text.uppercased() == word, try isSymbol(.open, at: 1) {
                    try advance()
                    try expect(.open)
                    let query = try self.query()
                    try expect(.close)
                    return .quantified(op, left, all: all, query)
                }
            }
            return .compare(op, left, try scalar())
        }
        guard case .word(let word) = try peek() else { return left }
        if Parser.same(word, "IS") {
            try advance()
            let negated = try acceptWord("NOT")
            if try acceptWord("DISTINCT") {
                try expectWord("FROM")
                return .isDistinct(left, try scalar(), negated: negated)
            }
            try expectWord("NULL")
            return .isNull(left, negated: negated)
        }
        var negated = false
        if Parser.same(word, "NOT") {
            guard try isWord("IN", at: 1) || isWord("LIKE", at: 1) || isWord("BETWEEN", at: 1) else { return left }
            try advance()
            negated = true
        }
        if try acceptWord("BETWEEN") {
            let low = try scalar()
            try expectWord("AND")
            return .between(left, low, try scalar(), negated: negated)
        }
        if try acceptWord("LIKE") {
            let pattern = try scalar()
            let escape: Expression? = try acceptWord("ESCAPE") ? try scalar() : nil
            return .like(left, pattern, escape: escape, negated: negated)
        }
        if try acceptWord("IN") {
            try expect(.open)
            if try isQueryStart() {
                let query = try self.query()
                try expect(.close)
                return .inQuery(left, query, negated: negated)
            }
            var items: [Expression] = []
            repeat { items.append(try scalar()) } while try accept(.comma)
            try expect(.close)
            return .inList(left, items, negated: negated)
        }
        return left
    }

    /// Whether a query begins here, perhaps after further parentheses.
    mutating func isQueryStart() throws -> Bool {
        var offset = 0
        while try isSymbol(.open, at: offset) { offset += 1 }
        return try isWord("SELECT", at: offset) || (offset == 0 && isWord("WITH"))
    }

    /// A scalar expression: additive and bitwise operators, left to right.
    mutating func scalar() throws -> Expression {
        var left = try product()
        while case .symbol(let symbol) = try peek() {
            let op: BinaryOperator
            switch symbol {
            case .plus: op = .add
            case .minus: op = .subtract
            case .ampersand: op = .bitAnd
            case .bar: op = .bitOr
            case .caret: op = .bitXor
            default: return left
            }
            try advance()
            left = .binary(op, left, try product())
        }
        return left
    }
    private mutating func product() throws -> Expression {
        var left = try unary()
        while case .symbol(let symbol) = try peek() {
            let op: BinaryOperator
            switch symbol {
            case .star: op = .multiply
            case .slash: op = .divide
            case .percent: op = .modulo
            default: return left
            }
            try advance()
            left = .binary(op, left, try unary())
        }
        return left
    }
    private mutating func unary() throws -> Expression {
        guard case .symbol(let symbol) = try peek() else { return try postfix(try primary()) }
        switch symbol {
        case .minus:
            try advance()
            let operand = try nested { p in try p.unary() }
            if case .literal(let value, let type) = operand, let negated = Parser.negated(value, type) { return negated }
            return .negate(operand)
        case .plus:
            try advance()
            return try nested { p in try p.unary() }
        case .tilde:
            try advance()
            return .bitNot(try nested { p in try p.unary() })
        default: return try postfix(try primary())
        }
    }
    /// A negative literal is folded, so that `-1` is as cheap as `1`.
    private static func negated(_ value: SQLValue, _ type: SQLType) -> Expression? {
        switch value {
        case .int(let number): return .literal(.int(-number), type)
        case .decimal(let number):
            // 2147483648 is numeric, but -2147483648 stays numeric as well, as on the server.
            return .literal(.decimal(number.negated), type)
        case .float(let number): return .literal(.float(-number), type)
        case .money(let amount): return .literal(.money(TDSMoney(tenThousandths: 0 &- amount.tenThousandths)), type)
        default: return nil
        }
    }

    private mutating func postfix(_ base: Expression) throws -> Expression {
        var result = base
        while true {
            if try acceptWord("COLLATE") {
                result = .collate(result, try identifier())
            } else if try isWord("AT"), try isWord("TIME", at: 1), try isWord("ZONE", at: 2) {
                try advance()
                try advance()
                try advance()
                let zone = try postfix(try primary())
                result = .function(FunctionCall(name: "AT TIME ZONE", arguments: [result, zone]))
            } else if try isSymbol(.dot), try isIdentifier(at: 1), try isSymbol(.open, at: 2) {
                try advance()
                let name = try identifier()
                result = .method(result, name, try argumentList())
            } else {
                return result
            }
        }
    }
    private mutating func argumentList() throws -> [Expression] {
        try expect(.open)
        var arguments: [Expression] = []
        if try !isSymbol(.close) {
            repeat { arguments.append(try expression()) } while try accept(.comma)
        }
        try expect(.close)
        return arguments
    }

    static func numberLiteral(_ text: String) throws -> Expression {
        if text.utf8.count <= 10, let value = Int32(text) { return .literal(.int(Int64(value)), .int) }
        guard let decimal = try? TDSDecimal(text: text) else {
            throw SQLServerMessage(
                number: 1007, severity: 15,
                text: "The number '\(text)' is out of the range for numeric representation (maximum precision 38).")
        }
        return .literal(.decimal(decimal.widest), SQLType(.numeric, precision: decimal.precision, scale: decimal.scale))
    }

    private mutating func primary() throws -> Expression {
        let token = try peek()
        switch token {
        case .number(let text):
            try advance()
            return try Parser.numberLiteral(text)
        case .string(let text, let unicode):
            try advance()
            let length = max(1, text.utf16.count)
            return .literal(.string(text), SQLType(unicode ? .nvarchar : .varchar, length: length > (unicode ? 4000 : 8000) ? -1 : length))
        case .floatNumber(let text):
            try advance()
            return .literal(.float(Double(text) ?? 0), .float)
        case .moneyNumber(let text):
            try advance()
            guard let value = try? TDSMoney.parse(text).value else { throw try unexpected() }
            return .literal(.money(value), .money)
        case .binary(let bytes):
            try advance()
            return .literal(.binary(bytes), SQLType(.varbinary, length: bytes.count > 8000 ? -1 : max(1, bytes.count)))
        case .variable(let name):
            try advance()
            return .variable(name)
        case .symbol(.open):
            if try isQueryStart() {
                try advance()
                let query = try self.query()
                try expect(.close)
                return .subquery(query)
            }
            try advance()
            let inner = try expression()
            try expect(.close)
            return inner
        case .symbol(.openBrace): return try odbcEscape()
        case .quoted: return try nameOrCall()
        case .word(let word): return try wordPrimary(word)
        default: throw try unexpected()
        }
    }

    private mutating func odbcEscape() throws -> Expression {
        try expect(.openBrace)
        guard case .word(let kind) = try advance() else { throw try unexpected() }
        let result: Expression
        switch kind.lowercased() {
        case "fn": result = try scalar()
        case "d", "t", "ts":
            guard case .string(let text, _) = try advance() else { throw try unexpected() }
            result = .cast(.literal(.string(text), .varchar(30)), TypeName(name: "datetime"), style: nil, isTry: false, isConvert: false)
        case "guid":
            guard case .string(let text, _) = try advance() else { throw try unexpected() }
            result = .cast(.literal(.string(text), .varchar(40)), TypeName(name: "uniqueidentifier"), style: nil, isTry: false, isConvert: false)
        default: throw try unexpected()
        }
        try expect(.closeBrace)
        return result
    }

    private mutating func wordPrimary(_ word: String) throws -> Expression {
        switch word.uppercased() {
        case "NULL":
            try advance()
            return .literal(.null, .null)
        case "DEFAULT":
            try advance()
            return .defaultValue
        case "CASE": return try caseExpression()
        case "CAST", "TRY_CAST":
            guard try isSymbol(.open, at: 1) else { break }
            try advance()
            try expect(.open)
            let value = try expression()
            try expectWord("AS")
            let type = try typeName()
            try expect(.close)
            return .cast(value, type, style: nil, isTry: word.utf8.count > 4, isConvert: false)
        case "CONVERT", "TRY_CONVERT":
            guard try isSymbol(.open, at: 1) else { break }
            try advance()
            try expect(.open)
            let type = try typeName()
            try expect(.comma)
            let value = try expression()
            let style: Expression? = try accept(.comma) ? try expression() : nil
            try expect(.close)
            return .cast(value, type, style: style, isTry: word.utf8.count > 7, isConvert: true)
        case "CURRENT_TIMESTAMP", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "USER", "CURRENT_DATE":
            try advance()
            return .function(FunctionCall(name: word.uppercased(), arguments: []))
        case "LEFT", "RIGHT", "COALESCE", "NULLIF", "IDENTITY":
            guard try isSymbol(.open, at: 1) else { break }
            return try nameOrCall(allowingReserved: true)
        case "TRIM" where try isSymbol(.open, at: 1): return try trim()
        default: break
        }
        return try nameOrCall()
    }

    private mutating func trim() throws -> Expression {
        try advance()
        try expect(.open)
        var name = "TRIM"
        if try isWord("LEADING") || isWord("TRAILING") || isWord("BOTH"), case .word(let side) = try advance() {
            name = side.uppercased() == "LEADING" ? "LTRIM" : side.uppercased() == "TRAILING" ? "RTRIM" : "TRIM"
        }
        let first = try expression()
        var arguments = [first]
        if try acceptWord("FROM") { arguments = [try expression(), first] }
        try expect(.close)
        return .function(FunctionCall(name: name, arguments: arguments))
    }

    private mutating func caseExpression() throws -> Expression {
        try expectWord("CASE")
        var operand: Expression?
        if try !isWord("WHEN") { operand = try expression() }
        var branches: [CaseBranch] = []
        while try acceptWord("WHEN") {
            let condition = try expression()
            try expectWord("THEN")
            branches.append(CaseBranch(condition: condition, result: try expression()))
        }
        if branches.isEmpty { throw try unexpected() }
        let otherwise: Expression? = try acceptWord("ELSE") ? try expression() : nil
        try expectWord("END")
        return .caseWhen(operand: operand, branches, otherwise: otherwise)
    }

    /// A column of one to four parts, or a function call.
    private mutating func nameOrCall(allowingReserved: Bool = false) throws -> Expression {
        var parts: [String] = []
        if allowingReserved, case .word(let word) = try advance() {
            parts.append(word)
        } else {
            parts.append(try identifier())
        }
        if try isSymbol(.doubleColon) {
            try advance()
            let method = try identifier()
            return .function(FunctionCall(name: parts[0] + "::" + method, arguments: try argumentList()))
        }
        while try isSymbol(.dot) {
            // `x.Method(` is left to postfix().
            if try isIdentifier(at: 1), try isSymbol(.open, at: 2), case .word(let name) = try peek(1),
                ["tostring", "getlevel", "getancestor", "isdescendantof"].contains(name.lowercased()) {
                break
            }
            try advance()
            if try isSymbol(.dot) {
                parts.append("")
            } else if try isSymbol(.star) {
                throw try unexpected()
            } else {
                // After a point a reserved word is still refused; `$action` and the like are words.
                parts.append(try identifier())
            }
        }
        guard try isSymbol(.open) else {
            if parts.count > 4 { throw Messages.tooManyParts(parts.joined(separator: ".")) }
            return .column(parts)
        }
        try expect(.open)
        var call = FunctionCall(name: parts[parts.count - 1], prefix: Array(parts.dropLast()), arguments: [])
        if try accept(.star) {
            call.isStar = true
        } else if try !isSymbol(.close) {
            if try acceptWord("DISTINCT") { call.isDistinct = true } else { _ = try acceptWord("ALL") }
            repeat { call.arguments.append(try expression()) } while try accept(.comma)
        }
        try expect(.close)
        if try isWord("WITHIN"), try isWord("GROUP", at: 1) {
            try advance()
            try advance()
            try expect(.open)
            try expectWord("ORDER")
            try expectWord("BY")
            call.withinGroup = try orderItems()
            try expect(.close)
        }
        if try acceptWord("OVER") {
            try expect(.open)
            var window = Window(partition: [], order: [])
            if try acceptWord("PARTITION") {
                try expectWord("BY")
                repeat { window.partition.append(try expression()) } while try accept(.comma)
            }
            if try acceptWord("ORDER") {
                try expectWord("BY")
                window.order = try orderItems()
            }
            try expect(.close)
            call.over = window
        }
        return .function(call)
    }

    mutating func orderItems() throws -> [OrderItem] {
        var items: [OrderItem] = []
        repeat {
            let expression = try self.expression()
            var descending = false
            if try acceptWord("DESC") { descending = true } else { _ = try acceptWord("ASC") }
            items.append(OrderItem(expression: expression, descending: descending))
        } while try accept(.comma)
        return items
    }
}
