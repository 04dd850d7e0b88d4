extension Parser {
    mutating func dml(with: [CommonTable]) throws -> StatementKind {
        // WITH CHANGE_TRACKING_CONTEXT (...) comes before the verb, too, as the documentation has it.
        guard case .word(let verb) = try peek() else { throw try unexpected() }
        switch verb.uppercased() {
        case "INSERT": return .insert(try insert(with: with))
        case "UPDATE": return .update(try update(with: with))
        case "DELETE": return .delete(try delete(with: with))
        case "MERGE": return .merge(try merge(with: with))
        default: throw try unexpected()
        }
    }

    private mutating func target() throws -> DMLTarget {
        if case .variable(let name) = try peek() {
            try advance()
            return .variable(name)
        }
        return .name(try objectName())
    }
    private mutating func skipHints() throws {
        if try isWord("WITH"), try isSymbol(.open, at: 1), try !isWord("CHANGE_TRACKING_CONTEXT", at: 1) {
            try advance()
            try skipParentheses()
        }
    }
    private mutating func output() throws -> OutputClause? {
        guard try acceptWord("OUTPUT") else { return nil }
        var clause = OutputClause(items: try selectItems(), into: nil, intoColumns: [])
        if try acceptWord("INTO") {
            clause.into = try target()
            if try isSymbol(.open) { clause.intoColumns = try nameList() }
        }
        return clause
    }

    private mutating func insert(with: [CommonTable]) throws -> InsertStatement {
        try expectWord("INSERT")
        let top = try top()
        _ = try acceptWord("INTO")
        let target = try target()
        try skipHints()
        var columns: [String]?
        if try isSymbol(.open), try !isQueryStart() { columns = try nameList() }
        let output = try output()
        var statement = InsertStatement(
            with: with, top: top, target: target, columns: columns, output: output, source: .defaults, context: nil)
        if try isWord("VALUES") {
            let rows = try valuesRows()
            if let first = rows.first, rows.contains(where: { $0.count != first.count }) {
                throw SQLServerMessage(
                    number: 10709, severity: 16, text: "The number of columns for each row in a table value constructor must be the same.")
            }
            if rows.count > 1000 { throw Messages.tooManyRows }
            statement.source = .values(rows)
        } else if try acceptWord("DEFAULT") {
            try expectWord("VALUES")
            statement.source = .defaults
        } else if try acceptWord("EXEC") || acceptWord("EXECUTE") {
            statement.source = .execute(try execute(named: false))
        } else if try isSymbol(.open) || isWord("SELECT") || isWord("WITH") {
            statement.source = .query(try query())
        } else {
            throw try unexpected()
        }
        try queryOptions()
        return statement
    }

    private mutating func assignments() throws -> [Assignment] {
        var list: [Assignment] = []
        repeat {
            if case .variable(let name) = try peek() {
                try advance()
                if case .symbol(let symbol) = try peek(), let op = Parser.compound(symbol) {
                    try advance()
                    list.append(Assignment(target: .variable(name), value: .binary(op, .variable(name), try expression())))
                    continue
                }
                try expect(.equal)
                if try isIdentifier(), try isSymbol(.equal, at: 1) {
                    let column = try identifier()
                    try advance()
                    list.append(Assignment(target: .variable(name), column: [column], value: try expression()))
                    continue
                }
                list.append(Assignment(target: .variable(name), value: try expression()))
                continue
            }
            var column = [try identifier()]
            while try accept(.dot) { column.append(try identifier()) }
            if case .symbol(let symbol) = try peek(), let op = Parser.compound(symbol) {
                try advance()
                list.append(Assignment(target: .column(column), value: .binary(op, .column(column), try expression())))
                continue
            }
            try expect(.equal)
            list.append(Assignment(target: .column(column), value: try expression()))
        } while try accept(.comma)
        return list
    }

    private mutating func update(with: [CommonTable]) throws -> UpdateStatement {
        try expectWord("UPDATE")
        let top = try top()
        let target = try target()
        try skipHints()
        try expectWord("SET")
        let assignments = try assignments()
        let output = try output()
        var statement = UpdateStatement(
            with: with, top: top, target: target, assignments: assignments, output: output, from: [], filter: nil, context: nil)
        if try acceptWord("FROM") {
            repeat { statement.from.append(try tableSource()) } while try accept(.comma)
        }
        if try acceptWord("WHERE") { statement.filter = try expression() }
        try queryOptions()
        return statement
    }

    private mutating func delete(with: [CommonTable]) throws -> DeleteStatement {
        try expectWord("DELETE")
        let top = try top()
        _ = try acceptWord("FROM")
        let target = try target()
        try skipHints()
        var statement = DeleteStatement(with: with, top: top, target: target, output: try output(), from: [], filter: nil, context: nil)
        if try acceptWord("FROM") {
            repeat { statement.from.append(try tableSource()) } while try accept(.comma)
        }
        if try acceptWord("WHERE") { statement.filter = try expression() }
        try queryOptions()
        return statement
    }

    private mutating func merge(with: [CommonTable]) throws -> MergeStatement {
        try expectWord("MERGE")
        _ = try top()
        _ = try acceptWord("INTO")
        let target = try target()
        try skipHints()
        var alias: String?
        if try acceptWord("AS") { alias = try identifier() } else if try isIdentifier(), try !isWord("USING") { alias = try identifier() }
        try expectWord("USING")
        let source = try tableSource()
        try expectWord("ON")
        var statement = MergeStatement(with: with, target: target, alias: alias, source: source, on: try expression(), clauses: [])
        while try acceptWord("WHEN") {
            let negated = try acceptWord("NOT")
            try expectWord("MATCHED")
            var match = MergeMatch.matched
            if negated {
                match = .notMatchedByTarget
                if try acceptWord("BY") {
                    if try acceptWord("SOURCE") { match = .notMatchedBySource } else { try expectWord("TARGET") }
                }
            }
            let condition: Expression? = try acceptWord("AND") ? try expression() : nil
            try expectWord("THEN")
            let action: MergeAction
            if try acceptWord("UPDATE") {
                try expectWord("SET")
                action = .update(try assignments())
            } else if try acceptWord("DELETE") {
                action = .delete
            } else {
                try expectWord("INSERT")
                let columns: [String]? = try isSymbol(.open) ? try nameList() : nil
                if try acceptWord("DEFAULT") {
                    try expectWord("VALUES")
                    action = .insert(columns: [], values: [])
                } else {
                    let rows = try valuesRows()
                    action = .insert(columns: columns, values: rows.first ?? [])
                }
            }
            statement.clauses.append(MergeClause(match: match, condition: condition, action: action))
        }
        if statement.clauses.isEmpty { throw try unexpected() }
        statement.output = try output()
        try queryOptions()
        guard try isSymbol(.semicolon) else {
            throw SQLServerMessage(number: 10713, severity: 15, text: "A MERGE statement must be terminated by a semi-colon (;).", line: try line())
        }
        return statement
    }
}
