/// Binds names and builds plans.
struct QueryPlanner {
    let environment: Environment
    /// Inside a view: its tables aren't checked for permissions again (ownership chaining).
    var isInsideView = false

    var session: EngineSession { environment.session }

    func compiler(_ scope: Scope) -> Compiler { Compiler(environment: environment, scope: scope) }

    func plan(_ query: Query, scope: Scope, isExists: Bool = false) throws -> QueryPlan {
        let holder: Scope
        if query.with.isEmpty { holder = scope } else {
            holder = scope
            for table in query.with {
                // Each one sees those before it.
                let inner = Scope(parent: scope.parent, collation: scope.collation)
                inner.commonTables = holder.commonTables
                holder.commonTables[Names.fold(table.name, scope.collation)] = CommonTableBinding(table: table, scope: inner)
            }
        }
        if case .select(let core) = query.body {
            return try select(core, order: query.order, offset: query.offset, fetch: query.fetch, scope: holder, isExists: isExists)
        }
        let plan = try body(query.body, scope: holder)
        if query.order.isEmpty, query.offset == nil { return plan }
        let order = try query.order.map { item -> (index: Int, descending: Bool) in
            switch item.expression {
            case .literal(.int(let number), _):
                guard number >= 1, number <= plan.columns.count else { throw Messages.orderPosition(Int(number)) }
                return (Int(number) - 1, item.descending)
            case .column(let parts):
                guard let index = plan.columns.firstIndex(where: { Names.same($0.name, parts[parts.count - 1], scope.collation) }) else { throw Messages.orderUnion }
                return (index, item.descending)
            default: throw Messages.orderUnion
            }
        }
        return SortedPlan(plan, order: order, offset: try query.offset.map { try count($0, scope) }, fetch: try query.fetch.map { try count($0, scope) })
    }

    private func body(_ body: QueryBody, scope: Scope) throws -> QueryPlan {
        switch body {
        case .select(let core):
            let inner = Scope(parent: scope.parent, collation: scope.collation)
            inner.commonTables = scope.commonTables
            let plan = try select(core, order: [], offset: nil, fetch: nil, scope: inner, isExists: false)
            if inner.isCorrelated { scope.isCorrelated = true }
            return plan
        case .nested(let query):
            let inner = Scope(parent: scope.parent, collation: scope.collation)
            inner.commonTables = scope.commonTables
            let plan = try self.plan(query, scope: inner)
            if inner.isCorrelated { scope.isCorrelated = true }
            return plan
        case .combined(let op, let left, let right):
            let first = try self.body(left, scope: scope), second = try self.body(right, scope: scope)
            guard first.columns.count == second.columns.count else { throw Messages.unequalUnion }
            var columns: [ResultColumn] = []
            for (a, b) in zip(first.columns, second.columns) {
                var type = TypeRules.common(a.type, b.type)
                if type.isCharacter, type.collation == nil { type.collation = scope.collation }
                if type.kind == .null { type = .int }
                type.precision = type.kind == .int ? 0 : type.precision
                columns.append(ResultColumn(name: a.name, type: type, isNullable: a.isNullable || b.isNullable))
            }
            return CombinedPlan(op, first, second, columns: columns)
        }
    }

    func count(_ expression: Expression, _ scope: Scope) throws -> () throws -> Int {
        let value = try compiler(Scope(parent: nil, collation: scope.collation)).compile(expression).converted(to: .bigint, environment: environment).eval
        return {
            guard case .int(let number) = try value() else { return 0 }
            if number < 0 {
                throw SQLServerMessage(number: 1060, severity: 15, text: "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.")
            }
            return Int(clamping: number)
        }
    }

    // MARK: SELECT

    private func select(_ core: SelectCore, order: [OrderItem], offset: Expression?, fetch: Expression?, scope: Scope, isExists: Bool) throws -> QueryPlan {
        let joins = JoinPlanner(planner: self, scope: scope)
        let compiler = compiler(scope)
        var roots: [JoinPlanner.Node] = []
        for source in core.from { roots.append(try joins.bind(source)) }
        let isGrouped = !core.groupBy.isEmpty || core.having != nil || (core.items.contains { $0.hasAggregate } || order.contains { $0.expression.hasAggregate })
        // The WHERE clause sees no aggregate.
        let built = try joins.build(roots, filter: core.filter)
        var source = built

        var grouping: Grouping?
        if isGrouped {
            let group = Grouping()
            for expression in core.groupBy {
                var compiled = try compiler.compile(expression)
                compiled.type = compiler.settled(compiled.type)
                group.keys.append(
                    Grouping.Key(text: String(describing: expression), source: compiled.column?.source, ordinal: compiled.column?.ordinal ?? -1, compiled: compiled))
            }
            grouping = group
            scope.grouping = group
        }
        let windows = WindowSet()
        scope.windows = windows

        // The select list.
        var outputs: [Compiled] = []
        var columns: [ResultColumn] = []
        var aliases: [String: Int] = [:]
        for item in core.items {
            switch item {
            case .star(let prefix):
                var matched = false
                let list: [SourceBinding]
                if prefix.isEmpty { list = scope.sources } else if let source = scope.source(named: prefix) { list = [source] } else {
                    throw Messages.unknownPrefix(prefix.joined(separator: "."))
                }
                for source in list {
                    matched = true
                    for ordinal in source.columns.indices {
                        let value = isGrouped ? try compiler.compile(.column([source.alias, source.columns[ordinal].name])) : compiler.reference(source, ordinal)
                        outputs.append(value)
                        columns.append(result(value, name: source.columns[ordinal].name, compiler))
                    }
                }
                if !matched, !isExists { throw SQLServerMessage(number: 263, severity: 16, text: "Must specify table to select from.") }
            case .expression(let expression, let alias):
                let value = try compiler.compile(expression)
                var name = alias ?? ""
                if alias == nil, case .column(let parts) = expression { name = value.column.map { $0.source.columns[$0.ordinal].name } ?? parts[parts.count - 1] }
                if alias == nil, case .collate(.column(let parts), _) = expression { name = parts[parts.count - 1] }
                outputs.append(value)
                columns.append(result(value, name: name, compiler))
                if let alias, aliases[Names.fold(alias, scope.collation)] == nil { aliases[Names.fold(alias, scope.collation)] = outputs.count - 1 }
            case .assign(let name, let expression):
                guard let variable = environment.variable(name) else { throw Messages.undeclared(name) }
                let value = try compiler.compile(expression).converted(to: variable.type, environment: environment)
                outputs.append(value)
                columns.append(result(value, name: name, compiler))
            }
        }
        var having: Predicate?
        if let expression = core.having { having = try compiler.compilePredicate(expression) }

        // ORDER BY: position, alias, or an expression.
        var sort: [(value: Compiled, descending: Bool)] = []
        var sortOutputs: [Int?] = []
        for item in order {
            var value: Compiled
            var output: Int?
            if case .literal(.int(let number), _) = item.expression {
                guard number >= 1, number <= outputs.count else { throw Messages.orderPosition(Int(number)) }
                value = outputs[Int(number) - 1]
                output = Int(number) - 1
            } else if case .column(let parts) = item.expression, parts.count == 1, let index = aliases[Names.fold(parts[0], scope.collation)] {
                value = outputs[index]
                output = index
            } else {
                if case .subquery(let query) = item.expression, case .select(let inner) = query.body, inner.from.isEmpty { continue }
                value = try compiler.compile(item.expression)
                if value.constant != nil, value.column == nil {
                    throw SQLServerMessage(number: 408, severity: 15, text: "A constant expression was encountered in the ORDER BY list, position \(sort.count + 1).")
                }
            }
            switch value.type.kind {
            case .text, .ntext, .image: throw Messages.textComparison
            case .xml: throw Messages.notComparable("XML")
            default: break
            }
            value.type = compiler.settled(value.type)
            if output == nil, let column = value.column {
                output = outputs.firstIndex { $0.column.map { $0.source === column.source && $0.ordinal == column.ordinal } ?? false }
            }
            sort.append((value, item.descending))
            sortOutputs.append(output)
        }

        if let grouping {
            source = GroupSource(source, grouping: grouping, keyTypes: grouping.keys.map(\.compiled.type), environment: environment)
            if let having { source = FilterSource(source, having, environment: environment) }
        }
        if !windows.specs.isEmpty { source = WindowSource(source, bindings: scope.sources, grouping: grouping, set: windows) }
        scope.windows = nil

        let plan = SelectPlan(source: source, outputs: outputs, columns: columns, environment: environment)
        plan.isDistinct = core.isDistinct
        if !core.isDistinct, core.items.contains(where: { if case .assign = $0 { true } else { false } }) {
            plan.assigningSlots = scope.sources.map(\.slot) + (grouping.map { [$0.slot] } ?? []) + [windows.slot]
        }
        plan.order = sort
        plan.orderOutputs = sortOutputs
        if !isGrouped, windows.specs.isEmpty, let base = QueryPlanner.baseScan(source) {
            plan.isOrdered = QueryPlanner.isClusteredOrder(base, sort) && !core.isDistinct
            if source is TableScan {
                let ordinals = outputs.compactMap { value in value.column.flatMap { $0.source === base.binding ? $0.ordinal : nil } }
                if ordinals.count == outputs.count, !outputs.contains(where: \.hasExplicitCollation) { plan.directColumns = ordinals }
            }
        }
        if let top = core.top {
            if top.percent {
                let value = try compiler.compile(top.count).converted(to: .float, environment: environment).eval
                plan.topPercent = {
                    guard case .float(let number) = try value() else { return 0 }
                    return number
                }
            } else {
                let number = try count(top.count, scope)
                plan.top = { try number() }
                plan.withTies = top.withTies
            }
        }
        if let offset { plan.offset = try count(offset, scope) }
        if let fetch {
            let number = try count(fetch, scope)
            plan.top = { try number() }
        }
        return plan
    }

    func result(_ value: Compiled, name: String, _ compiler: Compiler) -> ResultColumn {
        var type = compiler.settled(value.type)
        if type.kind == .null { type = .int }
        if type.kind == .int { type.precision = 0 }
        var column = ResultColumn(name: name, type: type, isNullable: value.isNullable)
        if let (source, ordinal) = value.column {
            column.isIdentity = source.columns[ordinal].isIdentity
            column.isComputed = source.columns[ordinal].isComputed
            if type.kind == .text || type.kind == .ntext || type.kind == .image, let table = source.table {
                column.tableName = [source.schema ?? "dbo", table.name]
            }
        }
        return column
    }

    /// The one scan that rows come from, in its order, through filters only.
    static func baseScan(_ source: RowSource) -> TableScan? {
        if let scan = source as? TableScan { return scan }
        if let filter = source as? FilterSource { return baseScan(filter.input) }
        return nil
    }
    /// Whether a scan of the clustering key gives this order.
    static func isClusteredOrder(_ scan: TableScan, _ order: [(value: Compiled, descending: Bool)]) -> Bool {
        if order.isEmpty { return true }
        let key = scan.table.clusterKey
        for (index, item) in order.enumerated() {
            // All columns of a unique key were given: what follows can't change the order.
            if index >= key.count { return scan.table.clustered?.isUnique ?? false }
            guard let column = item.value.column, column.source === scan.binding, column.ordinal == key[index].ordinal, item.descending == key[index].descending,
                !item.value.hasExplicitCollation
            else { return false }
        }
        return true
    }
}

extension SelectItem {
    var hasAggregate: Bool {
        switch self {
        case .star: return false
        case .expression(let expression, _), .assign(_, let expression): return expression.hasAggregate
        }
    }
}
extension Expression {
    /// Whether an aggregate of this query level is in it.
    var hasAggregate: Bool {
        switch self {
        case .function(let call):
            if call.over == nil, call.prefix.isEmpty, Aggregate.names[call.name.uppercased()] != nil { return true }
            return call.arguments.contains { $0.hasAggregate } || (call.over.map { $0.order.contains { $0.expression.hasAggregate } || $0.partition.contains(where: \.hasAggregate) } ?? false)
        default: return children.contains { $0.hasAggregate }
        }
    }
    /// Expressions directly inside, without those of subqueries.
    var children: [Expression] {
        switch self {
        case .literal, .column, .variable, .subquery, .exists, .defaultValue: return []
        case .negate(let inner), .bitNot(let inner), .collate(let inner, _), .not(let inner), .isNull(let inner, _), .inQuery(let inner, _, _),
            .quantified(_, let inner, _, _):
            return [inner]
        case .binary(_, let a, let b), .compare(_, let a, let b), .and(let a, let b), .or(let a, let b), .isDistinct(let a, let b, _): return [a, b]
        case .function(let call):
            var list = call.arguments + call.withinGroup.map(\.expression)
            if let over = call.over { list += over.partition + over.order.map(\.expression) }
            return list
        case .method(let base, _, let arguments): return [base] + arguments
        case .cast(let inner, _, let style, _, _): return [inner] + (style.map { [$0] } ?? [])
        case .caseWhen(let operand, let branches, let otherwise):
            return (operand.map { [$0] } ?? []) + branches.flatMap { [$0.condition, $0.result] } + (otherwise.map { [$0] } ?? [])
        case .between(let a, let b, let c, _): return [a, b, c]
        case .inList(let value, let items, _): return [value] + items
        case .like(let a, let b, let escape, _): return [a, b] + (escape.map { [$0] } ?? [])
        }
    }
    /// Whether a subquery is in it.
    var hasSubquery: Bool {
        switch self {
        case .subquery, .exists, .inQuery, .quantified: return true
        default: return children.contains { $0.hasSubquery }
        }
    }
    /// The parts of a conjunction.
    var conjuncts: [Expression] {
        if case .and(let a, let b) = self { return a.conjuncts + b.conjuncts }
        return [self]
    }
    var disjuncts: [Expression] {
        if case .or(let a, let b) = self { return a.disjuncts + b.disjuncts }
        return [self]
    }
}
