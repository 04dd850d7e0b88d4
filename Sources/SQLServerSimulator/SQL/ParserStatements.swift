extension Parser {
    /// One statement, with its trailing semicolon.
    mutating func statement(isFirst: Bool = false) throws -> Statement {
        let line = try line()
        let kind = try nested { p in try p.statementKind(isFirst: isFirst) }
        _ = try accept(.semicolon)
        return Statement(kind, line: line)
    }

    private mutating func statementKind(isFirst: Bool) throws -> StatementKind {
        if try isSymbol(.open) { return .select(try query()) }
        guard case .word(let word) = try peek() else {
            if isFirst, case .quoted = try peek() { return .execute(try execute(named: true)) }
            throw try unexpected()
        }
        switch word.uppercased() {
        case "SELECT": return .select(try query())
        case "WITH":
            if try isWord("CHANGE_TRACKING_CONTEXT", at: 1) { return try dmlWithContext() }
            let with = try commonTables()
            if try isWord("SELECT") || isSymbol(.open) { return .select(try query(with: with)) }
            return try dml(with: with)
        case "INSERT", "UPDATE", "DELETE", "MERGE":
            if try isWord("UPDATE"), try isWord("STATISTICS", at: 1) { return try skipStatement() }
            return try dml(with: [])
        case "TRUNCATE":
            try advance()
            try expectWord("TABLE")
            return .truncate(try objectName())
        case "CREATE", "ALTER", "DROP": return try definition()
        case "GRANT", "DENY", "REVOKE": return try permission()
        case "DECLARE": return try declare()
        case "SET": return try set()
        case "IF":
            try advance()
            let condition = try expression()
            let then = try statement()
            if try acceptWord("ELSE") { return .ifElse(condition, then, try statement()) }
            return .ifElse(condition, then, nil)
        case "WHILE":
            try advance()
            let condition = try expression()
            return .whileLoop(condition, try statement())
        case "BEGIN": return try begin()
        case "BREAK":
            try advance()
            return .breakLoop
        case "CONTINUE":
            try advance()
            return .continueLoop
        case "RETURN":
            try advance()
            switch try peek() {
            case .number, .variable, .symbol(.minus), .symbol(.open), .symbol(.plus): return .returnStatement(try expression())
            default: return .returnStatement(nil)
            }
        case "COMMIT":
            try advance()
            _ = try acceptTransactionWord() || acceptWord("WORK")
            _ = try transactionName()
            if try isWord("WITH"), try isSymbol(.open, at: 1) {
                try advance()
                try skipParentheses()
            }
            return .commit
        case "ROLLBACK":
            try advance()
            if try acceptWord("WORK") { return .rollback(nil) }
            if try acceptTransactionWord() { return .rollback(try transactionName()) }
            return .rollback(nil)
        case "SAVE":
            try advance()
            guard try acceptTransactionWord(), let name = try transactionName() else { throw try unexpected() }
            return .save(name)
        case "THROW":
            try advance()
            switch try peek() {
            case .number, .variable: break
            default: return .rethrow
            }
            let number = try scalar()
            try expect(.comma)
            let message = try scalar()
            try expect(.comma)
            return .throwError(number: number, message: message, state: try scalar())
        case "RAISERROR": return try raiseError()
        case "PRINT":
            try advance()
            return .print(try expression())
        case "WAITFOR":
            try advance()
            if try acceptWord("DELAY") { return .waitForDelay(try scalar()) }
            try expectWord("TIME")
            return .waitForTime(try scalar())
        case "EXEC", "EXECUTE":
            try advance()
            return .execute(try execute(named: false))
        case "USE":
            try advance()
            return .use(try identifier())
        case "CHECKPOINT", "RECONFIGURE", "DBCC", "KILL", "REVERT": return try skipStatement()
        default:
            if isFirst, !Keywords.isReserved(word) { return .execute(try execute(named: true)) }
            throw try unexpected()
        }
    }

    /// WITH CHANGE_TRACKING_CONTEXT (...) [, common tables] and the statement that it belongs to.
    private mutating func dmlWithContext() throws -> StatementKind {
        try advance()
        try advance()
        try expect(.open)
        let context = try expression()
        try expect(.close)
        var with: [CommonTable] = []
        if try accept(.comma) { with = try commonTables(afterWith: true) }
        switch try dml(with: with) {
        case .insert(var statement):
            statement.context = context
            return .insert(statement)
        case .update(var statement):
            statement.context = context
            return .update(statement)
        case .delete(var statement):
            statement.context = context
            return .delete(statement)
        case .merge(var statement):
            statement.context = context
            return .merge(statement)
        case let other: return other
        }
    }

    /// A statement that is accepted without effect: up to its semicolon or the next line's statement.
    private mutating func skipStatement() throws -> StatementKind {
        let first = try line()
        try advance()
        while try peek() != .end, try !isSymbol(.semicolon), try line() == first { try advance() }
        return .nothing
    }

    mutating func acceptTransactionWord() throws -> Bool {
        if try acceptWord("TRAN") { return true }
        return try acceptWord("TRANSACTION")
    }
    private mutating func transactionName() throws -> String? {
        if case .variable(let name) = try peek() {
            try advance()
            return name
        }
        // A statement that begins with an unreserved word (THROW) isn't a name.
        if try isIdentifier(), try !isWord("THROW") { return try identifier() }
        return nil
    }

    private mutating func begin() throws -> StatementKind {
        try advance()
        if try acceptTransactionWord() {
            let name = try transactionName()
            if try isWord("WITH"), try isWord("MARK", at: 1) {
                try advance()
                try advance()
                if case .string = try peek() { try advance() }
            }
            return .beginTransaction(name)
        }
        if try isWord("DISTRIBUTED") { throw try unexpected() }
        if try acceptWord("TRY") {
            let body = try statements(until: "TRY")
            try expectWord("BEGIN")
            try expectWord("CATCH")
            return .tryCatch(body, try statements(until: "CATCH"))
        }
        return .block(try statements(until: nil))
    }
    /// Statements up to END [word].
    private mutating func statements(until word: String?) throws -> [Statement] {
        var list: [Statement] = []
        while true {
            while try accept(.semicolon) {}
            if try isWord("END") {
                if word == nil && list.isEmpty { throw try unexpected() }
                try advance()
                if word == "TRY" {
                    try expectWord("TRY")
                    while try accept(.semicolon) {}
                } else if word == "CATCH" {
                    try expectWord("CATCH")
                }
                return list
            }
            list.append(try statement())
        }
    }

    private mutating func declare() throws -> StatementKind {
        try advance()
        var list: [VariableDeclaration] = []
        repeat {
            let name = try variableName()
            _ = try acceptWord("AS")
            if try acceptWord("TABLE") {
                let (columns, constraints) = try tableElements()
                list.append(VariableDeclaration(name: name, type: nil, table: columns, tableConstraints: constraints))
                continue
            }
            let type = try typeName()
            let value: Expression? = try accept(.equal) ? try expression() : nil
            list.append(VariableDeclaration(name: name, type: type, table: nil, value: value))
        } while try accept(.comma)
        return .declare(list)
    }

    private mutating func set() throws -> StatementKind {
        try advance()
        if case .variable(let name) = try peek() {
            try advance()
            if try accept(.equal) { return .setVariable(name, try expression()) }
            if case .symbol(let symbol) = try peek(), let op = Parser.compound(symbol) {
                try advance()
                return .setVariable(name, .binary(op, .variable(name), try expression()))
            }
            throw try unexpected()
        }
        guard case .word(let first) = try advance() else { throw try unexpected() }
        switch first.uppercased() {
        case "TRANSACTION":
            try expectWord("ISOLATION")
            try expectWord("LEVEL")
            var words: [String] = []
            guard case .word(let level) = try advance() else { throw try unexpected() }
            words.append(level.uppercased())
            if words[0] == "READ" || words[0] == "REPEATABLE", case .word(let next) = try advance() { words.append(next.uppercased()) }
            let name = words.joined(separator: " ")
            guard ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "SNAPSHOT"].contains(name) else {
                throw Messages.syntax(name, line: try line())
            }
            return .setOption("ISOLATION", name)
        case "IDENTITY_INSERT":
            let table = try objectName()
            if try acceptWord("ON") { return .setIdentityInsert(table, true) }
            try expectWord("OFF")
            return .setIdentityInsert(table, false)
        case "STATISTICS":
            guard case .word(let kind) = try advance() else { throw try unexpected() }
            try advance()
            return .setOption("STATISTICS " + kind.uppercased(), "")
        default: break
        }
        var names = [first.uppercased()]
        while try accept(.comma) {
            guard case .word(let next) = try advance() else { throw try unexpected() }
            names.append(next.uppercased())
        }
        let value: String
        switch try peek() {
        case .word(let text), .string(let text, _), .number(let text), .quoted(let text), .variable(let text): value = text
        case .symbol(.minus):
            try advance()
            guard case .number(let text) = try peek() else { throw try unexpected() }
            value = "-" + text
        case .binary(let bytes): value = String(bytes.reduce(0) { $0 << 8 | Int($1) })
        default: throw try unexpected()
        }
        try advance()
        for name in names where !Parser.setOptions.contains(name) {
            throw SQLServerMessage(number: 195, state: 5, severity: 15, text: "'\(name)' is not a recognized SET option.", line: try line())
        }
        return .setOption(names.joined(separator: ","), value)
    }
    static let setOptions: Set<String> = [
        "NOCOUNT", "XACT_ABORT", "LOCK_TIMEOUT", "ANSI_NULLS", "ANSI_WARNINGS", "ANSI_PADDING", "ANSI_NULL_DFLT_ON", "ANSI_NULL_DFLT_OFF",
        "ANSI_DEFAULTS", "QUOTED_IDENTIFIER", "ARITHABORT", "ARITHIGNORE", "CONCAT_NULL_YIELDS_NULL", "NUMERIC_ROUNDABORT", "TEXTSIZE",
        "DATEFORMAT", "DATEFIRST", "LANGUAGE", "ROWCOUNT", "FMTONLY", "NO_BROWSETABLE", "IMPLICIT_TRANSACTIONS", "CURSOR_CLOSE_ON_COMMIT",
        "DEADLOCK_PRIORITY", "NOEXEC", "PARSEONLY", "SHOWPLAN_ALL", "SHOWPLAN_TEXT", "SHOWPLAN_XML", "CONTEXT_INFO", "QUERY_GOVERNOR_COST_LIMIT",
        "REMOTE_PROC_TRANSACTIONS", "FORCEPLAN", "OFFSETS", "FIPS_FLAGGER",
    ]

    private mutating func raiseError() throws -> StatementKind {
        try advance()
        try expect(.open)
        let message = try expression()
        try expect(.comma)
        let severity = try expression()
        try expect(.comma)
        let state = try expression()
        var arguments: [Expression] = []
        while try accept(.comma) { arguments.append(try expression()) }
        try expect(.close)
        var options: [String] = []
        if try isWord("WITH") {
            try advance()
            repeat {
                if case .word(let option) = try advance() { options.append(option.uppercased()) }
            } while try accept(.comma)
        }
        return .raiseError(message: message, severity: severity, state: state, arguments: arguments, options: options)
    }

    /// EXEC's tail. `named`: the batch began with the procedure's name.
    mutating func execute(named: Bool) throws -> ExecuteStatement {
        var statement = ExecuteStatement(returnVariable: nil, procedure: nil, arguments: [], text: nil)
        if !named, try accept(.open) {
            statement.text = try expression()
            try expect(.close)
            if try isWord("AT") { throw try unexpected() }
            return statement
        }
        if case .variable(let name) = try peek(), try isSymbol(.equal, at: 1) {
            try advance()
            try advance()
            statement.returnVariable = name
        }
        if case .variable(let name) = try peek() {
            // EXEC @procedure: the name is in the variable.
            try advance()
            statement.procedure = ObjectName(name: name)
        } else {
            statement.procedure = try objectName()
        }
        if try peek() == .end { return statement }
        if try isSymbol(.semicolon) { return statement }
        guard try startsArgument() else { return statement }
        repeat {
            var argument = ExecuteArgument(name: nil, value: .defaultValue, isOutput: false)
            if case .variable(let name) = try peek(), try isSymbol(.equal, at: 1) {
                try advance()
                try advance()
                argument.name = name
            }
            if case .word(let word) = try peek(), !Keywords.isReserved(word), try !isSymbol(.open, at: 1) {
                try advance()
                argument.value = .literal(.string(word), .nvarchar(max(1, word.utf16.count)))
            } else {
                argument.value = try scalar()
            }
            if try acceptWord("OUTPUT") || acceptWord("OUT") { argument.isOutput = true }
            statement.arguments.append(argument)
        } while try accept(.comma)
        if try isWord("WITH"), try isWord("RECOMPILE", at: 1) {
            try advance()
            try advance()
        }
        return statement
    }
    private mutating func startsArgument() throws -> Bool {
        switch try peek() {
        case .number, .floatNumber, .moneyNumber, .string, .binary, .variable, .quoted, .symbol(.minus): return true
        case .word(let word): return Parser.same(word, "NULL") || Parser.same(word, "DEFAULT") || !Keywords.isReserved(word)
        default: return false
        }
    }

    private mutating func permission() throws -> StatementKind {
        guard case .word(let verb) = try advance() else { throw try unexpected() }
        let action: PermissionStatement.Action = verb.uppercased() == "GRANT" ? .grant : verb.uppercased() == "DENY" ? .deny : .revoke
        var result = PermissionStatement(action: action, permissions: [], securable: nil, principals: [])
        if action == .revoke, try isWord("GRANT"), try isWord("OPTION", at: 1) {
            try advance()
            try advance()
            try expectWord("FOR")
        }
        repeat {
            var words: [String] = []
            while case .word(let word) = try peek(), try !isWord("ON"), try !isWord("TO"), try !isWord("FROM") {
                words.append(word.uppercased())
                try advance()
            }
            if words.isEmpty { throw try unexpected() }
            if try isSymbol(.open) { try skipParentheses() }
            result.permissions.append(words.joined(separator: " "))
        } while try accept(.comma)
        if try acceptWord("ON") {
            if case .word(let kind) = try peek(), try isSymbol(.doubleColon, at: 1) {
                try advance()
                try advance()
                switch kind.uppercased() {
                case "SCHEMA": result.securable = .schema(try identifier())
                case "OBJECT": result.securable = .object(try objectName())
                case "DATABASE": result.securable = .database(try identifier())
                default: result.securable = .other(try identifier())
                }
            } else {
                result.securable = .object(try objectName())
            }
        }
        if try !acceptWord("TO") { try expectWord("FROM") }
        repeat {
            if try acceptWord("PUBLIC") { result.principals.append("public") } else { result.principals.append(try identifier()) }
        } while try accept(.comma)
        if try acceptWord("CASCADE") {}
        if try isWord("WITH"), try isWord("GRANT", at: 1) {
            try advance()
            try advance()
            try advance()
        }
        if try acceptWord("AS") { _ = try identifier() }
        return .permission(result)
    }
}
