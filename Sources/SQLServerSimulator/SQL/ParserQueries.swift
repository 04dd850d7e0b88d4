extension Parser {
    /// A query with its WITH, ORDER BY, OFFSET and trailing options.
    mutating func query() throws -> Query {
        try nested { p in
            let with = try p.isWord("WITH") ? try p.commonTables() : []
            return try p.query(with: with)
        }
    }

    mutating func commonTables(afterWith: Bool = false) throws -> [CommonTable] {
        if !afterWith { try expectWord("WITH") }
        var tables: [CommonTable] = []
        repeat {
            let name = try identifier()
            let columns = try isSymbol(.open) ? try nameList() : []
            try expectWord("AS")
            try expect(.open)
            let query = try self.query()
            try expect(.close)
            tables.append(CommonTable(name: name, columns: columns, query: query))
        } while try accept(.comma)
        return tables
    }

    mutating func query(with: [CommonTable]) throws -> Query {
        let body = try queryBody()
        var order: [OrderItem] = []
        var offset: Expression?, fetch: Expression?
        if try isWord("ORDER"), try isWord("BY", at: 1) {
            try advance()
            try advance()
            order = try orderItems()
            if try isWord("OFFSET") {
                try advance()
                offset = try expression()
                if try !acceptWord("ROWS") { try expectWord("ROW") }
                if try acceptWord("FETCH") {
                    if try !acceptWord("NEXT") { try expectWord("FIRST") }
                    fetch = try expression()
                    if try !acceptWord("ROWS") { try expectWord("ROW") }
                    try expectWord("ONLY")
                }
            }
        }
        if try isWord("FOR"), try isWord("BROWSE", at: 1) {
            try advance()
            try advance()
        }
        try queryOptions()
        return Query(with: with, body: body, order: order, offset: offset, fetch: fetch)
    }
    /// OPTION (...): accepted, without effect.
    mutating func queryOptions() throws {
        guard try isWord("OPTION"), try isSymbol(.open, at: 1) else { return }
        try advance()
        try skipParentheses()
    }
    mutating func skipParentheses() throws {
        try expect(.open)
        var level = 1
        while level > 0 {
            let token = try peek()
            if token == .end { throw try unexpected() }
            if token == .symbol(.open) { level += 1 } else if token == .symbol(.close) { level -= 1 }
            try advance()
        }
    }

    private mutating func queryBody() throws -> QueryBody {
        var left = try intersection()
        while true {
            if try acceptWord("UNION") {
                let op: SetOperator = try acceptWord("ALL") ? .unionAll : .union
                left = .combined(op, left, try intersection())
            } else if try acceptWord("EXCEPT") {
                left = .combined(.except, left, try intersection())
            } else {
                return left
            }
        }
    }
    private mutating func intersection() throws -> QueryBody {
        var left = try queryTerm()
        while try acceptWord("INTERSECT") { left = .combined(.intersect, left, try queryTerm()) }
        return left
    }
    private mutating func queryTerm() throws -> QueryBody {
        if try accept(.open) {
            let query = try self.query()
            try expect(.close)
            return .nested(query)
        }
        return .select(try selectCore())
    }

    mutating func top() throws -> Top? {
        guard try acceptWord("TOP") else { return nil }
        let count: Expression
        if try accept(.open) {
            count = try expression()
            try expect(.close)
        } else if case .number(let text) = try peek() {
            try advance()
            count = try Parser.numberLiteral(text)
        } else if case .variable(let name) = try peek() {
            try advance()
            count = .variable(name)
        } else {
            throw try unexpected()
        }
        let percent = try acceptWord("PERCENT")
        var ties = false
        if try isWord("WITH"), try isWord("TIES", at: 1) {
            try advance()
            try advance()
            ties = true
        }
        return Top(count: count, percent: percent, withTies: ties)
    }

    private mutating func selectCore() throws -> SelectCore {
        try expectWord("SELECT")
        var core = SelectCore()
        if try acceptWord("DISTINCT") { core.isDistinct = true } else { _ = try acceptWord("ALL") }
        core.top = try top()
        repeat { core.items.append(try selectItem()) } while try accept(.comma)
        if try acceptWord("INTO") { core.into = try objectName() }
        if try acceptWord("FROM") {
            repeat { core.from.append(try tableSource()) } while try accept(.comma)
        }
        if try acceptWord("WHERE") { core.filter = try expression() }
        if try isWord("GROUP"), try isWord("BY", at: 1) {
            try advance()
            try advance()
            repeat { core.groupBy.append(try expression()) } while try accept(.comma)
        }
        if try acceptWord("HAVING") { core.having = try expression() }
        return core
    }

    mutating func selectItems() throws -> [SelectItem] {
        var items: [SelectItem] = []
        repeat { items.append(try selectItem()) } while try accept(.comma)
        return items
    }

    private mutating func selectItem() throws -> SelectItem {
        if try accept(.star) { return .star(prefix: []) }
        // a.*, a.b.*
        if try isIdentifier() {
            var offset = 1
            while try isSymbol(.dot, at: offset), try isIdentifier(at: offset + 1) { offset += 2 }
            if try isSymbol(.dot, at: offset), try isSymbol(.star, at: offset + 1) {
                var prefix: [String] = [try identifier()]
                while try accept(.dot) {
                    if try accept(.star) { break }
                    prefix.append(try identifier())
                }
                return .star(prefix: prefix)
            }
            // alias = expression
            if try isSymbol(.equal, at: 1) {
                let alias = try identifier()
                try advance()
                return .expression(try expression(), alias: alias)
            }
        }
        if case .variable(let name) = try peek(), case .symbol(let symbol) = try peek(1) {
            if symbol == .equal {
                try advance()
                try advance()
                return .assign(name, try expression())
            }
            if let op = Parser.compound(symbol) {
                try advance()
                try advance()
                return .assign(name, .binary(op, .variable(name), try expression()))
            }
        }
        if case .string(let alias, _) = try peek(), try isSymbol(.equal, at: 1) {
            try advance()
            try advance()
            return .expression(try expression(), alias: alias)
        }
        let value = try expression()
        if try acceptWord("AS") {
            if case .string(let alias, _) = try peek() {
                try advance()
                return .expression(value, alias: alias)
            }
            return .expression(value, alias: try identifier())
        }
        if case .string(let alias, _) = try peek() {
            try advance()
            return .expression(value, alias: alias)
        }
        if try isIdentifier() { return .expression(value, alias: try identifier()) }
        return .expression(value, alias: nil)
    }

    static func compound(_ symbol: Symbol) -> BinaryOperator? {
        switch symbol {
        case .plusEqual: return .add
        case .minusEqual: return .subtract
        case .starEqual: return .multiply
        case .slashEqual: return .divide
        case .percentEqual: return .modulo
        case .andEqual: return .bitAnd
        case .orEqual: return .bitOr
        case .xorEqual: return .bitXor
        default: return nil
        }
    }

    // MARK: FROM

    mutating func tableSource() throws -> TableSource {
        try nested { p in
            var left = try p.tablePrimary()
            while let kind = try p.joinKind() {
                let right = kind == .cross || kind == .crossApply || kind == .outerApply ? try p.tablePrimary() : try p.tableSourceBeforeOn()
                var on: Expression?
                if kind != .cross, kind != .crossApply, kind != .outerApply {
                    try p.expectWord("ON")
                    on = try p.expression()
                }
                left = .join(kind, left, right, on: on)
            }
            return left
        }
    }
    /// The right side of a join that may itself be joins whose ON come first: `a JOIN b JOIN c ON ... ON ...`.
    private mutating func tableSourceBeforeOn() throws -> TableSource {
        var right = try tablePrimary()
        while try !isWord("ON"), let kind = try joinKind() {
            let inner = kind == .cross || kind == .crossApply || kind == .outerApply ? try tablePrimary() : try tableSourceBeforeOn()
            var on: Expression?
            if kind != .cross, kind != .crossApply, kind != .outerApply {
                try expectWord("ON")
                on = try expression()
            }
            right = .join(kind, right, inner, on: on)
        }
        return right
    }
    private mutating func joinKind() throws -> JoinKind? {
        guard case .word(let word) = try peek() else { return nil }
        let kind: JoinKind
        switch word.uppercased() {
        case "JOIN":
            try advance()
            return .inner
        case "INNER": kind = .inner
        case "LEFT": kind = .left
        case "RIGHT": kind = .right
        case "FULL": kind = .full
        case "CROSS":
            try advance()
            if try acceptWord("APPLY") { return .crossApply }
            try expectWord("JOIN")
            return .cross
        case "OUTER":
            guard try isWord("APPLY", at: 1) else { return nil }
            try advance()
            try advance()
            return .outerApply
        default: return nil
        }
        try advance()
        if kind != .inner { _ = try acceptWord("OUTER") }
        for hint in ["LOOP", "HASH", "MERGE", "REMOTE"] {
            if case .word(let text) = try peek(), text.uppercased() == hint, try isWord("JOIN", at: 1) { try advance() }
        }
        try expectWord("JOIN")
        return kind
    }

    private mutating func optionalAlias() throws -> String? {
        if try acceptWord("AS") { return try identifier() }
        if try isIdentifier() {
            // Words that are no reserved keywords but begin what follows a table.
            if try isWord("OPTION"), try isSymbol(.open, at: 1) { return nil }
            if try isWord("OFFSET") || isWord("GO") { return nil }
            return try identifier()
        }
        return nil
    }

    private mutating func tablePrimary() throws -> TableSource {
        if try isSymbol(.open) {
            if try isWord("VALUES", at: 1) {
                try advance()
                let rows = try valuesRows()
                try expect(.close)
                _ = try acceptWord("AS")
                let alias = try identifier()
                let columns = try isSymbol(.open) ? try nameList() : []
                return .values(rows, alias: alias, columns: columns)
            }
            if try isQueryStart() {
                try advance()
                let query = try self.query()
                try expect(.close)
                _ = try acceptWord("AS")
                let alias = try identifier()
                let columns = try isSymbol(.open) ? try nameList() : []
                return .derived(query, alias: alias, columns: columns)
            }
            try advance()
            let inner = try tableSource()
            try expect(.close)
            return inner
        }
        if case .variable(let name) = try peek() {
            try advance()
            return .variable(name, alias: try optionalAlias())
        }
        if try isWord("CHANGETABLE"), try isSymbol(.open, at: 1) { return try changeTable() }
        if try isWord("OPENROWSET") || isWord("OPENQUERY") || isWord("CONTAINSTABLE") { throw try unexpected() }
        let name = try objectName()
        if try isSymbol(.open) {
            // A table function, or an old-style hint: t (NOLOCK).
            if case .word(let hint) = try peek(1), Parser.tableHints.contains(hint.uppercased()), try isSymbol(.close, at: 2) || isSymbol(.comma, at: 2) {
                let hints = try hintList()
                return .table(name, alias: try optionalAlias(), hints: hints, columns: [])
            }
            try advance()
            var arguments: [Expression] = []
            if try !isSymbol(.close) {
                repeat { arguments.append(try expression()) } while try accept(.comma)
            }
            try expect(.close)
            let alias = try optionalAlias()
            let columns = try alias != nil && isSymbol(.open) ? try nameList() : []
            return .function(name, arguments, alias: alias, columns: columns)
        }
        if try isWord("TABLESAMPLE") { throw try unexpected() }
        let alias = try optionalAlias()
        var hints: [String] = []
        if try isWord("WITH"), try isSymbol(.open, at: 1) {
            try advance()
            hints = try hintList()
        } else if try isSymbol(.open), case .word(let hint) = try peek(1), Parser.tableHints.contains(hint.uppercased()) {
            hints = try hintList()
        }
        return .table(name, alias: alias, hints: hints, columns: [])
    }

    static let tableHints: Set<String> = [
        "NOLOCK", "READPAST", "READUNCOMMITTED", "READCOMMITTED", "READCOMMITTEDLOCK", "REPEATABLEREAD", "SERIALIZABLE", "HOLDLOCK", "UPDLOCK",
        "XLOCK", "TABLOCK", "TABLOCKX", "ROWLOCK", "PAGLOCK", "NOWAIT", "SNAPSHOT", "FORCESEEK", "FORCESCAN", "NOEXPAND", "INDEX", "KEEPIDENTITY",
        "KEEPDEFAULTS", "IGNORE_CONSTRAINTS", "IGNORE_TRIGGERS", "SPATIAL_WINDOW_MAX_CELLS", "FASTFIRSTROW",
    ]
    private mutating func hintList() throws -> [String] {
        try expect(.open)
        var hints: [String] = []
        while try !accept(.close) {
            guard case .word(let word) = try peek() else {
                if try accept(.comma) { continue }
                throw try unexpected()
            }
            guard Parser.tableHints.contains(word.uppercased()) else {
                throw SQLServerMessage(
                    number: 321, severity: 15,
                    text: "\"\(word)\" is not a recognized table hints option. If it is intended as a parameter to a table-valued function or to the CHANGETABLE function, ensure that your database compatibility mode is set to 90.",
                    line: try line())
            }
            hints.append(word.uppercased())
            try advance()
            if try accept(.equal) { try advance() } else if try isSymbol(.open) { try skipParentheses() }
        }
        return hints
    }

    private mutating func changeTable() throws -> TableSource {
        try advance()
        try expect(.open)
        if try acceptWord("CHANGES") {
            let table = try objectName()
            try expect(.comma)
            let since = try expression()
            if try accept(.comma) { _ = try advance() }  // FORCESEEK
            try expect(.close)
            guard let alias = try optionalAlias() else { throw Messages.changeTableAlias }
            let columns = try isSymbol(.open) ? try nameList() : []
            return .changes(table, since: since, alias: alias, columns: columns)
        }
        guard try acceptWord("VERSION") else { throw try unexpected() }
        let table = try objectName()
        try expect(.comma)
        let columns = try nameList()
        try expect(.comma)
        try expect(.open)
        var values: [Expression] = []
        repeat { values.append(try expression()) } while try accept(.comma)
        try expect(.close)
        if try accept(.comma) { _ = try advance() }
        try expect(.close)
        guard let alias = try optionalAlias() else { throw Messages.changeTableAlias }
        let aliases = try isSymbol(.open) ? try nameList() : []
        return .version(table, columns: columns, values: values, alias: alias, aliases: aliases)
    }

    /// VALUES (...), (...).
    mutating func valuesRows() throws -> [[Expression]] {
        try expectWord("VALUES")
        var rows: [[Expression]] = []
        repeat {
            try expect(.open)
            var row: [Expression] = []
            if let width = rows.first?.count { row.reserveCapacity(width) }
            repeat { row.append(try expression()) } while try accept(.comma)
            try expect(.close)
            rows.append(row)
        } while try accept(.comma)
        return rows
    }
}
