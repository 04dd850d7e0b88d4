/// Makes rows for storing: conversion to the columns' types, defaults, identity, rowversion, computed columns, checks.
final class RowBuilder {
    let table: TableDef
    let environment: Environment
    let database: Database
    private let statement: String
    private let binding: SourceBinding
    private var computed: [(ordinal: Int, eval: () throws -> SQLValue)] = []
    private var checks: [(definition: CheckDef, predicate: Predicate)] = []
    private let schemaName: String

    init(table: TableDef, database: Database, environment: Environment, statement: String) throws {
        self.table = table
        self.database = database
        self.environment = environment
        self.statement = statement
        let context = try environment.session.context(database)
        schemaName = context.catalog.schemaName(table.schemaID)
        binding = SourceBinding(
            alias: table.name, columns: table.columns.map { BoundColumn(name: $0.name, type: $0.type, isNullable: $0.isNullable) })
        let scope = Scope(parent: nil, collation: context.collation)
        scope.sources = [binding]
        let compiler = Compiler(environment: environment, scope: scope)
        for (ordinal, column) in table.columns.enumerated() {
            guard let expression = column.computed else { continue }
            computed.append((ordinal, try compiler.compile(expression).converted(to: column.type, environment: environment).eval))
        }
        for check in table.checks where check.isEnabled { checks.append((check, try compiler.compilePredicate(check.condition))) }
    }

    var fullName: String { "\(database.name).\(schemaName).\(table.name)" }

    /// A value in the column's type. Throws 2628 for what is too long.
    func stored(_ value: SQLValue, from: SQLType, _ ordinal: Int) throws -> SQLValue {
        let column = table.columns[ordinal]
        let type = column.type
        if case .null = value { return .null }
        if type.length > 0, type.isCharacter || type.isBinary, !(from.kind == type.kind && from.length > 0 && from.length <= type.length && type.kind != .char && type.kind != .nchar && type.kind != .binary) {
            var wide = type
            wide.length = -1
            if wide.kind == .char { wide.kind = .varchar } else if wide.kind == .nchar { wide.kind = .nvarchar } else if wide.kind == .binary { wide.kind = .varbinary }
            if from.isInteger || from.isNumeric || from.kind == .uniqueidentifier { wide.length = type.length }
            let full = try Conversion.convert(value, from: from, to: wide, dateOrder: environment.session.settings.dateOrder)
            try checkLength(full, column)
            switch full {
            case .string(let text): return .string(Conversion.fit(text, type))
            case .binary(let bytes):
                return .binary(type.kind == .binary && bytes.count < type.length ? bytes + [UInt8](repeating: 0, count: type.length - bytes.count) : bytes)
            default: return full
            }
        }
        return try Conversion.convert(value, from: from, to: type, dateOrder: environment.session.settings.dateOrder)
    }

    private func checkLength(_ value: SQLValue, _ column: ColumnDef) throws {
        let type = column.type
        switch value {
        case .string(let text):
            if text.utf8.count <= type.length { return }
            let kept = Conversion.cut(text, type)
            if kept.utf8.count == text.utf8.count { return }
            // Blanks that don't fit are dropped in silence.
            if text.utf8.dropFirst(kept.utf8.count).allSatisfy({ $0 == 32 }) { return }
            throw Messages.truncated(table: fullName, column: column.name, value: kept)
        case .binary(let bytes):
            if bytes.count > type.length { throw Messages.truncated(table: fullName, column: column.name, value: "") }
        default: return
        }
    }

    /// Completes a row: computed columns, then NOT NULL and CHECK.
    func finish(_ values: inout [SQLValue]) throws {
        if !computed.isEmpty {
            binding.slot.values = values
            for (ordinal, eval) in computed {
                values[ordinal] = try stored(try eval(), from: table.columns[ordinal].type, ordinal)
                binding.slot.values[ordinal] = values[ordinal]
            }
        }
        for (ordinal, column) in table.columns.enumerated() where !column.isNullable {
            if case .null = values[ordinal] {
                throw Messages.notNull(column: column.name, table: fullName, statement: statement)
            }
        }
        if checks.isEmpty { return }
        binding.slot.values = values
        for (check, predicate) in checks where try predicate() == false {
            throw Messages.constraintConflict(
                statement: statement, kind: "CHECK", name: check.name, database: database.name, table: "\(schemaName).\(table.name)", column: nil)
        }
    }

    func newRowversion() -> SQLValue {
        let number = UInt64(database.rowversion.take())
        return .binary((0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) })
    }

    /// The next identity value. Throws 8115 where the type is exhausted.
    func nextIdentity(_ data: TableData, _ ordinal: Int) throws -> SQLValue {
        let column = table.columns[ordinal]
        guard let identity = column.identity else { return .null }
        let used = data.identityUsed.take()
        if used == 0 { data.identity.set(identity.seed &- identity.increment) }
        let number = data.identity.take(identity.increment) &+ identity.increment
        do { return try Conversion.convert(.int(number), from: .bigint, to: column.type) } catch {
            throw Messages.overflow("IDENTITY", column.type.name)
        }
    }
}
