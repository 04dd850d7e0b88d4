/// ALTER TABLE, ALTER DATABASE and the like.
extension Parser {
    mutating func alter(begin: Int) throws -> StatementKind {
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
                (password, database) = try loginOptions()
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

    mutating func acceptIfExists() throws -> Bool {
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
}
