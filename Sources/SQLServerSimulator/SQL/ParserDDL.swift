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
                repeat {
                    guard case .word(let option) = try advance() else { throw try unexpected() }
                    try expect(.equal)
                    let value = try advance()
                    if option.uppercased() == "PASSWORD", case .string(let text, _) = value { password = text }
                    if option.uppercased() == "DEFAULT_DATABASE" { database = value.text }
                    _ = try acceptWord("MUST_CHANGE")
                } while try accept(.comma)
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
    private mutating func storageOptions() throws {
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

    private mutating func view(alter: Bool, begin: Int) throws -> StatementKind {
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

    private mutating func indexColumns() throws -> [IndexColumn] {
        try expect(.open)
        var columns: [IndexColumn] = []
        repeat {
            let name = try identifier()
            let descending = try acceptWord("DESC")
            if !descending { _ = try acceptWord("ASC") }
            columns.append(IndexColumn(name: name, descending: descending))
        } while try accept(.comma)
        try expect(.close)
        return columns
    }

    /// The parenthesised columns and constraints of a table.
    mutating func tableElements() throws -> ([ColumnDefinition], [ConstraintDefinition]) {
        try expect(.open)
        var columns: [ColumnDefinition] = [], constraints: [ConstraintDefinition] = []
        repeat {
            if try isSymbol(.close) { break }
            if let constraint = try tableConstraint() { constraints.append(constraint) } else { columns.append(try column()) }
        } while try accept(.comma)
        try expect(.close)
        return (columns, constraints)
    }

    mutating func tableConstraint() throws -> ConstraintDefinition? {
        guard case .word(let word) = try peek() else { return nil }
        switch word.uppercased() {
        case "CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "DEFAULT": break
        case "INDEX": break
        default: return nil
        }
        var name: String?
        if try acceptWord("CONSTRAINT") { name = try identifier() }
        guard let constraint = try constraint(name: name, column: nil) else { throw try unexpected() }
        return constraint
    }

    /// A constraint's body. With `column`, the one of a column definition, whose column list may be left out.
    private mutating func constraint(name: String?, column: String?) throws -> ConstraintDefinition? {
        func own() -> [IndexColumn] { column.map { [IndexColumn(name: $0, descending: false)] } ?? [] }
        if try acceptWord("PRIMARY") {
            try expectWord("KEY")
            let clustered = try clustering()
            let columns = try isSymbol(.open) ? try indexColumns() : own()
            if columns.isEmpty { throw try unexpected() }
            try storageOptions()
            return ConstraintDefinition(name: name, kind: .primaryKey(clustered: clustered, columns))
        }
        if try acceptWord("UNIQUE") {
            let clustered = try clustering()
            let columns = try isSymbol(.open) ? try indexColumns() : own()
            if columns.isEmpty { throw try unexpected() }
            try storageOptions()
            return ConstraintDefinition(name: name, kind: .unique(clustered: clustered, columns))
        }
        if try acceptWord("CHECK") {
            if try isWord("NOT"), try isWord("FOR", at: 1) { try skipNotForReplication() }
            let begin = lastEnd
            try expect(.open)
            let condition = try expression()
            try expect(.close)
            return ConstraintDefinition(name: name, kind: .check(condition, text: trimmed(sourceText(from: begin))))
        }
        let foreign = try acceptWord("FOREIGN")
        if foreign { try expectWord("KEY") }
        if try foreign || isWord("REFERENCES") {
            var columns = column.map { [$0] } ?? []
            if try isSymbol(.open) { columns = try nameList() }
            try expectWord("REFERENCES")
            let table = try objectName()
            let referenced = try isSymbol(.open) ? try nameList() : []
            var onDelete = "NO_ACTION", onUpdate = "NO_ACTION"
            while true {
                if try acceptWord("ON") {
                    let isDelete = try acceptWord("DELETE")
                    if !isDelete { try expectWord("UPDATE") }
                    let action: String
                    if try acceptWord("CASCADE") {
                        action = "CASCADE"
                    } else if try acceptWord("SET") {
                        action = try acceptWord("NULL") ? "SET_NULL" : "SET_DEFAULT"
                        if action == "SET_DEFAULT" { try expectWord("DEFAULT") }
                    } else {
                        try expectWord("NO")
                        try expectWord("ACTION")
                        action = "NO_ACTION"
                    }
                    if isDelete { onDelete = action } else { onUpdate = action }
                } else if try isWord("NOT"), try isWord("FOR", at: 1) {
                    try skipNotForReplication()
                } else {
                    break
                }
            }
            return ConstraintDefinition(
                name: name, kind: .foreignKey(columns, references: table, referenced, onDelete: onDelete, onUpdate: onUpdate))
        }
        if column == nil, try acceptWord("DEFAULT") {
            let begin = lastEnd
            let value = try scalar()
            let text = trimmed(sourceText(from: begin))
            try expectWord("FOR")
            return ConstraintDefinition(name: name, kind: .defaultValue(value, text: text, column: try identifier()))
        }
        if column == nil, try acceptWord("INDEX") {
            let name = try identifier()
            let unique = try acceptWord("UNIQUE")
            let clustered = try clustering()
            return ConstraintDefinition(name: name, kind: .index(clustered: clustered, unique: unique, try indexColumns()))
        }
        return nil
    }
    private mutating func skipNotForReplication() throws {
        try expectWord("NOT")
        try expectWord("FOR")
        try expectWord("REPLICATION")
    }
    private mutating func clustering() throws -> Bool? {
        if try acceptWord("CLUSTERED") { return true }
        if try acceptWord("NONCLUSTERED") { return false }
        return nil
    }

    mutating func column() throws -> ColumnDefinition {
        var definition = ColumnDefinition(name: try identifier())
        if try acceptWord("AS") {
            let begin = lastEnd
            definition.computed = try expression()
            definition.computedText = trimmed(sourceText(from: begin))
            if try acceptWord("PERSISTED") { definition.isPersisted = true }
        } else if try isSymbol(.comma) || isSymbol(.close), definition.name.lowercased() == "timestamp" {
            definition.type = TypeName(name: "timestamp")
        } else {
            definition.type = try typeName()
        }
        while true {
            var name: String?
            if try acceptWord("CONSTRAINT") { name = try identifier() }
            if try acceptWord("NULL") {
                definition.isNullable = true
            } else if try isWord("NOT"), try isWord("NULL", at: 1) {
                try advance()
                try advance()
                definition.isNullable = false
            } else if try isWord("NOT"), try isWord("FOR", at: 1) {
                try skipNotForReplication()
            } else if try acceptWord("IDENTITY") {
                var seed: Int64 = 1, increment: Int64 = 1
                if try accept(.open) {
                    seed = try integer()
                    try expect(.comma)
                    increment = try integer()
                    try expect(.close)
                }
                definition.identity = (seed, increment)
            } else if try acceptWord("COLLATE") {
                definition.collation = try identifier()
            } else if try acceptWord("DEFAULT") {
                let begin = lastEnd
                definition.defaultValue = try scalar()
                definition.defaultText = trimmed(sourceText(from: begin))
                definition.defaultName = name
            } else if try acceptWord("ROWGUIDCOL") {
                definition.isRowGUID = true
            } else if try acceptWord("SPARSE") || acceptWord("PERSISTED") {
                continue
            } else if try isWord("WITH"), try isWord("VALUES", at: 1) {
                try advance()
                try advance()
            } else if let constraint = try constraint(name: name, column: definition.name) {
                definition.constraints.append(constraint)
            } else if name != nil {
                throw try unexpected()
            } else {
                return definition
            }
        }
    }

    private mutating func alter(begin: Int) throws -> StatementKind {
        if try acceptWord("TABLE") { return try alterTable() }
        if try acceptWord("DATABASE") { return try alterDatabase() }
        if try acceptWord("VIEW") { return try view(alter: true, begin: begin) }
        if try isWord("ROLE") || isWord("SERVER") {
            let server = try acceptWord("SERVER")
            try expectWord("ROLE")
            let role = try identifier()
            let add = try acceptWord("ADD")
            if !add { try expectWord("DROP") }
            try expectWord("MEMBER")
            return .roleMember(role: role, member: try identifier(), add: add, server: server)
        }
        if try acceptWord("LOGIN") {
            let name = try identifier()
            var password: String?, database: String?
            if try acceptWord("WITH") {
                repeat {
                    guard case .word(let option) = try advance() else { throw try unexpected() }
                    try expect(.equal)
                    let value = try advance()
                    if option.uppercased() == "PASSWORD", case .string(let text, _) = value { password = text }
                    if option.uppercased() == "DEFAULT_DATABASE" { database = value.text }
                } while try accept(.comma)
            } else if try !acceptWord("ENABLE") {
                try expectWord("DISABLE")
            }
            return .createLogin(name, password: password, defaultDatabase: database, exists: true)
        }
        if try isWord("INDEX") || isWord("USER") || isWord("AUTHORIZATION") {
            while try peek() != .end, try !isSymbol(.semicolon) { try advance() }
            return .nothing
        }
        throw try unexpected()
    }

    private mutating func alterTable() throws -> StatementKind {
        let table = try objectName()
        var noCheck = false
        if try isWord("WITH"), try isWord("CHECK", at: 1) || isWord("NOCHECK", at: 1) {
            try advance()
            noCheck = try acceptWord("NOCHECK")
            if !noCheck { try advance() }
        }
        if try acceptWord("ADD") {
            var columns: [ColumnDefinition] = [], constraints: [ConstraintDefinition] = []
            repeat {
                if let constraint = try tableConstraint() { constraints.append(constraint) } else { columns.append(try column()) }
            } while try accept(.comma)
            return .alterTable(table, .add(columns, constraints, withNoCheck: noCheck))
        }
        if try acceptWord("ALTER") {
            try expectWord("COLUMN")
            let name = try identifier()
            let type = try typeName()
            var collation: String?, nullable: Bool?
            if try acceptWord("COLLATE") { collation = try identifier() }
            if try acceptWord("NULL") {
                nullable = true
            } else if try isWord("NOT"), try isWord("NULL", at: 1) {
                try advance()
                try advance()
                nullable = false
            }
            return .alterTable(table, .alterColumn(name, type, collation: collation, nullable: nullable))
        }
        if try acceptWord("DROP") {
            var columns: [(name: String, ifExists: Bool)] = [], constraints: [(name: String, ifExists: Bool)] = []
            var isColumn = false
            repeat {
                if try acceptWord("COLUMN") { isColumn = true } else if try acceptWord("CONSTRAINT") { isColumn = false }
                let ifExists = try acceptIfExists()
                if isColumn { columns.append((try identifier(), ifExists)) } else { constraints.append((try identifier(), ifExists)) }
            } while try accept(.comma)
            return .alterTable(table, .drop(columns: columns, constraints: constraints))
        }
        if try acceptWord("ENABLE") {
            try expectWord("CHANGE_TRACKING")
            var track = false
            if try isWord("WITH"), try isSymbol(.open, at: 1) {
                try advance()
                try expect(.open)
                try expectWord("TRACK_COLUMNS_UPDATED")
                try expect(.equal)
                track = try acceptWord("ON")
                if !track { try expectWord("OFF") }
                try expect(.close)
            }
            return .alterTable(table, .enableChangeTracking(trackColumns: track))
        }
        if try acceptWord("DISABLE") {
            try expectWord("CHANGE_TRACKING")
            return .alterTable(table, .disableChangeTracking)
        }
        if try isWord("CHECK") || isWord("NOCHECK") {
            let enabled = try acceptWord("CHECK")
            if !enabled { try advance() }
            try expectWord("CONSTRAINT")
            let name: String
            if try acceptWord("ALL") { name = "ALL" } else { name = try identifier() }
            return .alterTable(table, .checkConstraint(enabled: enabled, name: name))
        }
        throw try unexpected()
    }

    private mutating func acceptIfExists() throws -> Bool {
        guard try isWord("IF"), try isWord("EXISTS", at: 1) else { return false }
        try advance()
        try advance()
        return true
    }

    private mutating func alterDatabase() throws -> StatementKind {
        let name: String? = try acceptWord("CURRENT") ? nil : try identifier()
        if try acceptWord("COLLATE") { return .alterDatabase(name, [.named("COLLATE", try identifier())]) }
        if try acceptWord("MODIFY") {
            while try peek() != .end, try !isSymbol(.semicolon) { try advance() }
            return .nothing
        }
        try expectWord("SET")
        var options: [DatabaseOption] = []
        repeat {
            if try acceptWord("CHANGE_TRACKING") {
                options.append(try changeTrackingOption())
            } else if try acceptWord("READ_ONLY") {
                options.append(.named("READ_ONLY", "ON"))
            } else if try acceptWord("READ_WRITE") {
                options.append(.named("READ_ONLY", "OFF"))
            } else {
                guard case .word(let option) = try advance() else { throw try unexpected() }
                _ = try accept(.equal)
                switch try peek() {
                case .word(let value), .number(let value):
                    try advance()
                    if try isSymbol(.open) { try skipParentheses() }
                    options.append(.named(option.uppercased(), value.uppercased()))
                    if try isWord("MINUTES") || isWord("SECONDS") { try advance() }
                default: options.append(.named(option.uppercased(), ""))
                }
            }
        } while try accept(.comma)
        if try acceptWord("WITH") {
            // WITH ROLLBACK IMMEDIATE | ROLLBACK AFTER n | NO_WAIT
            while try isWord("ROLLBACK") || isWord("IMMEDIATE") || isWord("NO_WAIT") || isWord("AFTER") || isWord("SECONDS") {
                try advance()
                if case .number = try peek() { try advance() }
            }
        }
        return .alterDatabase(name, options)
    }

    private mutating func changeTrackingOption() throws -> DatabaseOption {
        var on: Bool?
        if try accept(.equal) {
            if try acceptWord("ON") {
                on = true
            } else {
                try expectWord("OFF")
                return .changeTracking(on: false, retentionMinutes: nil, retentionUnit: nil, autoCleanup: nil)
            }
        }
        var minutes: Int64?, unit: Int?, cleanup: Bool?
        if try accept(.open) {
            repeat {
                if try acceptWord("CHANGE_RETENTION") {
                    try expect(.equal)
                    let value = try integer()
                    if try acceptWord("DAYS") {
                        unit = 3
                        minutes = value &* 1440
                    } else if try acceptWord("HOURS") {
                        unit = 2
                        minutes = value &* 60
                    } else {
                        try expectWord("MINUTES")
                        unit = 1
                        minutes = value
                    }
                } else {
                    try expectWord("AUTO_CLEANUP")
                    try expect(.equal)
                    cleanup = try acceptWord("ON")
                    if cleanup == false { try expectWord("OFF") }
                }
            } while try accept(.comma)
            try expect(.close)
        }
        return .changeTracking(on: on, retentionMinutes: minutes, retentionUnit: unit, autoCleanup: cleanup)
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
}
