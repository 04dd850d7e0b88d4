import TDSWire

/// Turns expressions into closures.
struct Compiler {
    let environment: Environment
    let scope: Scope

    var collation: SQLCollation { environment.collation }

    /// A collation where none was given: the database's.
    func settled(_ type: SQLType) -> SQLType {
        guard type.isCharacter, type.collation == nil else { return type }
        var type = type
        type.collation = collation
        return type
    }

    // MARK: Scalars

    func compile(_ expression: Expression) throws -> Compiled {
        if let grouping = scope.grouping, !grouping.isInsideAggregate, let found = try groupedReference(expression, grouping) { return found }
        switch expression {
        case .literal(let value, let type):
            if case .string(let text) = value, !type.isUnicode {
                return .constant(.string(collation.codePage.stored(text)), type)
            }
            var type = type
            if type.kind == .int, case .int(let number) = value { type.precision = UInt8(max(1, String(number.magnitude).utf8.count)) }
            return .constant(value, type)
        case .column(let parts): return try column(parts)
        case .variable(let name): return try variable(name)
        case .negate(let inner):
            let operand = try compile(inner)
            let type = operand.type.kind == .null ? .int : operand.type.isCharacter ? .int : operand.type
            if !type.isNumeric || type.kind == .bit { throw Messages.invalidForOperator(type.name, "minus") }
            let value = operand.converted(to: type, environment: environment).eval
            return Compiled(type: type, isNullable: operand.isNullable) { try Arithmetic.negate(try value(), type) }
        case .bitNot(let inner):
            let operand = try compile(inner)
            guard operand.type.isInteger || operand.type.kind == .bit else { throw Messages.invalidForOperator(operand.type.name, "'~'") }
            let type = operand.type
            return Compiled(type: type, isNullable: operand.isNullable) {
                switch try operand.eval() {
                case .int(let number): return .int(type.kind == .tinyint ? ~number & 0xFF : ~number)
                case .bit(let flag): return .bit(!flag)
                case let other: return other
                }
            }
        case .binary(let op, let left, let right): return try binary(op, left, right)
        case .function(let call): return try function(call)
        case .method(let base, let name, let arguments): return try method(base, name, arguments)
        case .cast(let inner, let name, let style, let isTry, let isConvert): return try cast(inner, name, style, isTry, isConvert)
        case .caseWhen(let operand, let branches, let otherwise): return try caseWhen(operand, branches, otherwise)
        case .subquery(let query): return try subquery(query)
        case .collate(let inner, let name):
            let operand = try compile(inner)
            guard operand.type.isCharacter else {
                throw SQLServerMessage(number: 447, severity: 16, text: "Expression type \(operand.type.name) is invalid for COLLATE clause.")
            }
            guard let chosen = name.lowercased() == "database_default" ? collation : SQLCollation(named: name) else { throw Messages.invalidCollation(name) }
            var result = operand
            result.type.collation = chosen
            result.hasExplicitCollation = true
            result.column = nil
            return result
        case .defaultValue: throw Messages.keyword("DEFAULT", line: 0)
        default:
            // A predicate where a value is wanted.
            throw Messages.syntax("=", line: 0)
        }
    }

    private func column(_ parts: [String]) throws -> Compiled {
        if parts.count == 1, parts[0].hasPrefix("$") {
            if parts[0].lowercased() == "$action", let found = try? scope.resolve(parts) { return reference(found.source, found.ordinal) }
            if parts[0].lowercased() == "$identity",
                let source = scope.sources.first(where: { $0.columns.contains { $0.isIdentity } }),
                let ordinal = source.columns.firstIndex(where: { $0.isIdentity }) {
                return reference(source, ordinal)
            }
        }
        let found = try scope.resolve(parts)
        if let grouping = found.scope.grouping, !grouping.isInsideAggregate {
            // A column of a grouped query that isn't grouped.
            if let key = grouping.keys.firstIndex(where: { $0.source === found.source && $0.ordinal == found.ordinal }) {
                return groupedColumn(grouping, key, grouping.keys[key].compiled)
            }
            let column = found.source.columns[found.ordinal]
            throw Messages.notGrouped("\(found.source.alias).\(column.name)")
        }
        return reference(found.source, found.ordinal)
    }
    func reference(_ source: SourceBinding, _ ordinal: Int) -> Compiled {
        source.used[ordinal] = true
        let column = source.columns[ordinal]
        let slot = source.slot
        return Compiled(type: column.type, isNullable: column.isNullable || source.isOuter, column: (source, ordinal)) { slot.values[ordinal] }
    }

    private func variable(_ name: String) throws -> Compiled {
        if name.hasPrefix("@@") {
            guard let value = try GlobalVariables.value(name, environment) else { throw Messages.undeclared(name) }
            // Some change while a statement runs.
            let environment = environment
            return Compiled(type: value.1, isNullable: value.0.isNull) { try GlobalVariables.value(name, environment)?.0 ?? .null }
        }
        guard let variable = environment.variable(name) else { throw Messages.undeclared(name) }
        return Compiled(type: variable.type) { variable.value }
    }

    func binary(_ op: BinaryOperator, _ leftExpression: Expression, _ rightExpression: Expression) throws -> Compiled {
        var left = try compile(leftExpression), right = try compile(rightExpression)
        let type = try TypeRules.result(op, left.type, right.type)
        if type.kind == .datetime || type.kind == .smalldatetime {
            left = left.converted(to: .datetime, environment: environment)
            right = right.converted(to: .datetime, environment: environment)
            let a = left.eval, b = right.eval
            return Compiled(type: type) {
                let value = try Arithmetic.apply(op, try a(), try b(), .datetime)
                return type.kind == .datetime ? value : try Conversion.convert(value, from: .datetime, to: type)
            }
        }
        if type.isCharacter || type.isBinary {
            if let a = left.type.collation, let b = right.type.collation, a != b, !left.hasExplicitCollation, !right.hasExplicitCollation {
                throw Messages.collationConflict(a.name, b.name, op.rawValue)
            }
        }
        let isDecimal = type.isDecimal
        func operand(_ side: Compiled) -> () throws -> SQLValue {
            if type.isCharacter || type.isBinary { return side.eval }
            if isDecimal, let own = TypeRules.asDecimal(side.type) {
                return side.converted(to: SQLType(.numeric, precision: UInt8(own.precision), scale: UInt8(own.scale)), environment: environment).eval
            }
            return side.converted(to: type, environment: environment).eval
        }
        let a = operand(left), b = operand(right)
        // Numbers may overflow, which with ARITHABORT and ANSI_WARNINGS off is NULL: SQL Server calls such results nullable, whatever they are made of.
        let nullable = left.isNullable || right.isNullable || type.isNumeric
        if let first = left.constant, let second = right.constant, !first.isNull, !second.isNull,
            let value = try? Arithmetic.apply(op, try a(), try b(), type) {
            return .constant(value, type)
        }
        return Compiled(type: type, isNullable: nullable) { try Arithmetic.apply(op, try a(), try b(), type) }
    }

    private func cast(_ inner: Expression, _ name: TypeName, _ style: Expression?, _ isTry: Bool, _ isConvert: Bool) throws -> Compiled {
        let value = try compile(inner)
        var target = try environment.type(name, forCast: true)
        if target.isCharacter { target.collation = value.type.isCharacter ? value.type.collation : nil }
        let from = value.type
        let environment = environment
        let order = environment.session.settings.dateOrder
        let settledTarget = settled(target)
        let fromSettled = settled(from)
        let styleValue = try style.map { try compile($0).converted(to: .int, environment: environment).eval }
        func run(_ input: SQLValue) throws -> SQLValue {
            var number: Int64 = 0
            if let styleValue, case .int(let given) = try styleValue() { number = given }
            return try Conversion.convert(input, from: fromSettled, to: settledTarget, style: number, isExplicit: true, dateOrder: order)
        }
        let eval = value.eval
        if let constant = value.constant, style == nil, let folded = try? run(constant) { return .constant(folded, target) }
        return Compiled(type: target, isNullable: isTry || value.isNullable) {
            if !isTry { return try run(try eval()) }
            let input = try eval()
            do { return try run(input) } catch let message as SQLServerMessage {
                // TRY_CAST gives NULL for a bad value, not for a cast that doesn't exist.
                if message.number == 529 || message.number == 281 { throw message }
                return .null
            }
        }
    }

    private func caseWhen(_ operand: Expression?, _ branches: [CaseBranch], _ otherwise: Expression?) throws -> Compiled {
        var conditions: [Predicate] = []
        var results: [Compiled] = []
        for branch in branches {
            if let operand {
                conditions.append(try compilePredicate(.compare(.equal, operand, branch.condition)))
            } else {
                conditions.append(try compilePredicate(branch.condition))
            }
            results.append(try compile(branch.result))
        }
        let last = try otherwise.map { try compile($0) }
        let type = try unified(results + (last.map { [$0] } ?? []))
        let values = results.map { $0.converted(to: type, environment: environment).eval }
        let fallback = last?.converted(to: type, environment: environment).eval
        let nullable = last.map(\.isNullable) ?? true || results.contains { $0.isNullable }
        return Compiled(type: type, isNullable: nullable) {
            for index in conditions.indices where try conditions[index]() == true { return try values[index]() }
            return try fallback?() ?? .null
        }
    }

    /// The common type of several expressions.
    func unified(_ list: [Compiled]) throws -> SQLType {
        var type = SQLType.null
        for item in list { type = TypeRules.common(type, item.type) }
        if type.kind == .int { type.precision = 0 }
        for item in list where !Compiled.isComparable(item.type, type) && (item.type.isTemporal && type.isNumeric && type.kind != .datetime) {
            throw Messages.clash(item.type.name, type.name)
        }
        return type.kind == .null ? .int : type
    }

    private func subquery(_ query: Query) throws -> Compiled {
        let inner = Scope(parent: scope, collation: collation)
        let plan = try QueryPlanner(environment: environment).plan(query, scope: inner)
        guard plan.columns.count == 1 else { throw Messages.oneExpression }
        let type = plan.columns[0].type
        let correlated = inner.isCorrelated
        var cached: SQLValue?
        return Compiled(type: type) {
            if let cached { return cached }
            try plan.open()
            var value = SQLValue.null
            if try plan.next() {
                value = plan.value(0)
                if try plan.next() { throw Messages.subqueryRows }
            }
            if !correlated { cached = value }
            return value
        }
    }

    private func method(_ base: Expression, _ name: String, _ arguments: [Expression]) throws -> Compiled {
        let value = try compile(base)
        guard value.type.kind == .hierarchyid else {
            throw SQLServerMessage(number: 258, severity: 15, text: "Cannot call methods on \(value.type.name).")
        }
        switch name {
        case "ToString":
            return Compiled(type: SQLType(.nvarchar, length: 4000)) {
                guard case .binary(let bytes) = try value.eval() else { return .null }
                return .string((try? TDSHierarchyID(wire: bytes.span.bytes))?.description ?? "")
            }
        case "GetLevel":
            return Compiled(type: .smallint) {
                guard case .binary(let bytes) = try value.eval() else { return .null }
                return .int(Int64((try? TDSHierarchyID(wire: bytes.span.bytes))?.levels.count ?? 0))
            }
        default:
            throw SQLServerMessage(
                number: 6506, severity: 16, text: "Could not find method '\(name)' for type 'Microsoft.SqlServer.Types.SqlHierarchyId' in assembly 'Microsoft.SqlServer.Types'")
        }
    }

    // MARK: Grouped queries

    private func groupedReference(_ expression: Expression, _ grouping: Grouping) throws -> Compiled? {
        switch expression {
        case .literal, .column, .variable: return nil
        default: break
        }
        let text = String(describing: expression)
        if let index = grouping.keys.firstIndex(where: { $0.text == text }) { return groupedColumn(grouping, index, grouping.keys[index].compiled) }
        return nil
    }
    func groupedColumn(_ grouping: Grouping, _ index: Int, _ compiled: Compiled) -> Compiled {
        let slot = grouping.slot
        return Compiled(type: compiled.type, isNullable: compiled.isNullable) { slot.values[index] }
    }
}
