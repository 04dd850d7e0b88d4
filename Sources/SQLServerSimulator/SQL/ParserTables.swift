/// Columns, constraints and indexes of CREATE TABLE and ALTER TABLE.
extension Parser {
    mutating func indexColumns() throws -> [IndexColumn] {
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
    mutating func clustering() throws -> Bool? {
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
}
