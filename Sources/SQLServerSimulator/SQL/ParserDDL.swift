extension Parser {
    /// CREATE, ALTER and DROP.
    mutating func definition() throws -> StatementKind {
        let begin = lastEnd
        guard case .word(let verb) = try advance() else { throw try unexpected() }
        switch verb.uppercased() {
        case "CREATE":
            if try acceptWord("OR") {
                try expectWord("ALTER")
                guard try acceptWord("VIEW") else { throw try unexpected() }
                return try view(alter: true, begin: begin)
            }
            return try create(begin: begin)
        case "ALTER": return try alter(begin: begin)
        default: return try drop()
        }
    }

    private mutating func create(begin: Int) throws -> StatementKind {
        if try acceptWord("TABLE") {
            let name = try objectName()
            let (columns, constraints) = try tableElements()
            try storageOptions()
            return .createTable(name, columns, constraints)
        }
        if try acceptWord("VIEW") { return try view(alter: false, begin: begin) }
        if try acceptWord("SCHEMA") {
            if try acceptWord("AUTHORIZATION") {
                let owner = try identifier()
                return .createSchema(owner, authorization: owner)
            }
            let name = try identifier()
            return .createSchema(name, authorization: try acceptWord("AUTHORIZATION") ? try identifier() : nil)
        }
        if try acceptWord("DATABASE") {
            let name = try identifier()
            var collation: String?
            while true {
                if try acceptWord("COLLATE") {
                    collation = try identifier()
                } else if try acceptWord("ON") {
                    // File specifications have no meaning here.
                    _ = try acceptWord("PRIMARY")
                    repeat { try skipParentheses() } while try accept(.comma)
                } else if try isWord("LOG"), try isWord("ON", at: 1) {
                    try advance()
                    try advance()
                    repeat { try skipParentheses() } while try accept(.comma)
                } else {
                    return .createDatabase(name, collation: collation)
                }
            }
        }
        if try acceptWord("LOGIN") {
            let name = try identifier()
            var password: String?, database: String?
            if try acceptWord("WITH") {
                (password, database) = try loginOptions()
            } else {
                try expectWord("FROM")
                try advance()
            }
            return .createLogin(name, password: password, defaultDatabase: database, exists: false)
        }
        if try acceptWord("USER") {
            let name = try identifier()
            var login: String?
            if try acceptWord("FOR") || acceptWord("FROM") {
                try expectWord("LOGIN")
                login = try identifier()
            } else if try acceptWord("WITHOUT") {
                try expectWord("LOGIN")
                login = ""
            }
            if try acceptWord("WITH") {
                repeat {
                    try advance()
                    try expect(.equal)
                    try advance()
                } while try accept(.comma)
            }
            return .createUser(name, login: login)
        }
        if try acceptWord("ROLE") {
            let name = try identifier()
            if try acceptWord("AUTHORIZATION") { _ = try identifier() }
            return .createRole(name)
        }
        let unique = try acceptWord("UNIQUE")
        let clustered = try acceptWord("CLUSTERED")
        if !clustered { _ = try acceptWord("NONCLUSTERED") }
        if try acceptWord("INDEX") {
            let name = try identifier()
            try expectWord("ON")
            let table = try objectName()
            let columns = try indexColumns()
            var included: [String] = []
            if try acceptWord("INCLUDE") { included = try nameList() }
            if try acceptWord("WHERE") { throw try unexpected() }
            try storageOptions()
            return .createIndex(name: name, table: table, unique: unique, clustered: clustered, columns, included: included)
        }
        if try acceptWord("STATISTICS") {
            while try peek() != .end, try !isSymbol(.semicolon) { try advance() }
            return .nothing
        }
        throw try unexpected()
    }

    /// ON filegroup, TEXTIMAGE_ON filegroup, WITH (...): without effect here.
    mutating func storageOptions() throws {
        while true {
            if try isWord("ON"), try isIdentifier(at: 1) || isWord("PRIMARY", at: 1) {
                try advance()
                try advance()
            } else if try isWord("TEXTIMAGE_ON") {
                try advance()
                try advance()
            } else if try isWord("WITH"), try isSymbol(.open, at: 1) {
                try advance()
                try skipParentheses()
            } else if try isWord("WITH"), try isWord("FILLFACTOR", at: 1) {
                try advance()
                try advance()
                try expect(.equal)
                try advance()
            } else {
                return
            }
        }
    }

    mutating func view(alter: Bool, begin: Int) throws -> StatementKind {
        let name = try objectName()
        let columns = try isSymbol(.open) ? try nameList() : []
        if try isWord("WITH") {
            try advance()
            repeat { try advance() } while try accept(.comma)
        }
        try expectWord("AS")
        let query = try self.query()
        if try isWord("WITH"), try isWord("CHECK", at: 1) {
            try advance()
            try advance()
            try expectWord("OPTION")
        }
        return .createView(name, columns: columns, query, alter: alter, text: trimmed(sourceText(from: begin)))
    }
    func trimmed(_ text: String) -> String {
        var view = Substring(text)
        while let first = view.first, first.isWhitespace { view.removeFirst() }
        while let last = view.last, last.isWhitespace { view.removeLast() }
        return String(view)
    }

    private mutating func drop() throws -> StatementKind {
        guard case .word(let what) = try advance() else { throw try unexpected() }
        let kind = what.uppercased()
        switch kind {
        case "TABLE", "VIEW", "SCHEMA", "DATABASE", "LOGIN", "USER", "ROLE", "PROCEDURE", "FUNCTION", "TRIGGER", "SEQUENCE", "SYNONYM", "TYPE":
            let ifExists = try acceptIfExists()
            var names: [ObjectName] = []
            repeat { names.append(try objectName()) } while try accept(.comma)
            return .drop(what: kind, ifExists: ifExists, names)
        case "INDEX":
            let ifExists = try acceptIfExists()
            var list: [(index: String, table: ObjectName)] = []
            repeat {
                var parts: [String?] = [try identifier()]
                while try accept(.dot) { parts.append(try identifier()) }
                if try acceptWord("ON") {
                    list.append((parts[0] ?? "", try objectName()))
                } else if parts.count > 1, let index = parts.removeLast() {
                    list.append((index, try objectName(parts)))
                } else {
                    throw try unexpected()
                }
            } while try accept(.comma)
            try storageOptions()
            return .dropIndex(ifExists: ifExists, list)
        case "STATISTICS":
            while try peek() != .end, try !isSymbol(.semicolon) { try advance() }
            return .nothing
        default: throw try unexpected()
        }
    }

    /// What follows WITH in CREATE and ALTER LOGIN, as far as it has an effect.
    mutating func loginOptions() throws -> (password: String?, database: String?) {
        var password: String?, database: String?
        repeat {
            guard case .word(let option) = try advance() else { throw try unexpected() }
            try expect(.equal)
            let value = try advance()
            if option.uppercased() == "PASSWORD", case .string(let text, _) = value { password = text }
            if option.uppercased() == "DEFAULT_DATABASE" { database = value.text }
            _ = try acceptWord("MUST_CHANGE")
        } while try accept(.comma)
        return (password, database)
    }
}
