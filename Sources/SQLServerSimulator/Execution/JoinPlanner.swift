/// Plans FROM and WHERE: which table is read how, and in which order joins run.
final class JoinPlanner {
    let planner: QueryPlanner
    let scope: Scope
    var environment: Environment { planner.environment }
    private var compiler: Compiler { Compiler(environment: environment, scope: scope) }

    init(planner: QueryPlanner, scope: Scope) {
        self.planner = planner
        self.scope = scope
    }

    indirect enum Node {
        case table(SourceBinding, TableDef, () throws -> TableData)
        case other(SourceBinding, RowSource)
        case join(JoinKind, Node, Node, on: Expression?)

        var bindings: [SourceBinding] {
            switch self {
            case .table(let binding, _, _), .other(let binding, _): return [binding]
            case .join(_, let left, let right, _): return left.bindings + right.bindings
            }
        }
    }

    /// One part of WHERE or ON, and which tables it needs.
    final class Conjunct {
        let expression: Expression
        let needs: Set<ObjectIdentifier>
        let isComplex: Bool
        var isUsed = false
        init(_ expression: Expression, needs: Set<ObjectIdentifier>, isComplex: Bool) {
            self.expression = expression
            self.needs = needs
            self.isComplex = isComplex
        }
    }

    // MARK: Binding

    func bind(_ source: TableSource) throws -> Node {
        switch source {
        case .join(let kind, let left, let right, let on):
            let first = try bind(left)
            let second = try bind(right)
            if kind == .left || kind == .full || kind == .outerApply { for binding in second.bindings { binding.isOuter = true } }
            if kind == .right || kind == .full { for binding in first.bindings { binding.isOuter = true } }
            return .join(kind, first, second, on: on)
        default:
            let node = try SourceBinder(planner: planner, scope: scope).bind(source)
            for binding in node.bindings {
                if scope.sources.contains(where: { Names.same($0.alias, binding.alias, scope.collation) && ($0.schema == nil || $0.schema == binding.schema) && ($0.table == nil) == (binding.table == nil) }) {
                    throw Messages.sameExposedNames(binding.alias)
                }
                scope.sources.append(binding)
            }
            return node
        }
    }

    private func analyse(_ expression: Expression) throws -> [Conjunct] {
        try expression.conjuncts.map { part in
            var needs: Set<ObjectIdentifier> = []
            var complex = false
            try collect(part, &needs, &complex)
            return Conjunct(part, needs: needs, isComplex: complex)
        }
    }
    private func collect(_ expression: Expression, _ needs: inout Set<ObjectIdentifier>, _ complex: inout Bool) throws {
        switch expression {
        case .column(let parts):
            let found = try scope.resolve(parts)
            if found.scope === scope { needs.insert(ObjectIdentifier(found.source)) }
        case .subquery, .exists, .inQuery, .quantified:
            complex = true
            for child in expression.children { try collect(child, &needs, &complex) }
        case .function(let call):
            // A date part isn't a column.
            let first = call.name.uppercased().hasPrefix("DATE") && call.arguments.count > 1 && !call.name.uppercased().hasSuffix("PARTS") ? 1 : 0
            for argument in call.arguments.dropFirst(first) { try collect(argument, &needs, &complex) }
        default: for child in expression.children { try collect(child, &needs, &complex) }
        }
    }

    // MARK: Building

    func build(_ roots: [Node], filter: Expression?) throws -> RowSource {
        guard var tree = roots.first else {
            guard let filter else { return SingleRow() }
            return FilterSource(SingleRow(), try compiler.compilePredicate(filter), environment: environment)
        }
        for root in roots.dropFirst() { tree = .join(.inner, tree, root, on: nil) }
        let pool = try filter.map { try analyse($0) } ?? []
        var source = try plan(tree, pool, available: [])
        // What no table could take, in the order it was written.
        let rest = pool.filter { !$0.isUsed }
        if !rest.isEmpty {
            let predicates = try rest.map { try compiler.compilePredicate($0.expression) }
            source = FilterSource(source, JoinPlanner.all(predicates), environment: environment)
        }
        return source
    }

    static func all(_ predicates: [Predicate]) -> Predicate {
        if predicates.count == 1 { return predicates[0] }
        return {
            var unknown = false
            for predicate in predicates {
                switch try predicate() {
                case false?: return false
                case nil: unknown = true
                default: break
                }
            }
            return unknown ? nil : true
        }
    }

    private func ids(_ node: Node) -> Set<ObjectIdentifier> { Set(node.bindings.map { ObjectIdentifier($0) }) }

    /// `available`: tables whose rows are current when this runs (left sides of the joins above).
    private func plan(_ node: Node, _ pool: [Conjunct], available: Set<ObjectIdentifier>) throws -> RowSource {
        switch node {
        case .table(let binding, let table, let data):
            let own = ids(node)
            let mine = pool.filter { !$0.isUsed && !$0.isComplex && $0.needs.isSubset(of: own.union(available)) && !$0.needs.isEmpty && !own.isDisjoint(with: $0.needs) }
            let (source, consumed) = try SeekPlanner(compiler: compiler, binding: binding, table: table).source(mine, data: data)
            for part in mine { part.isUsed = true }
            let rest = mine.filter { part in !consumed.contains { $0 === part } }
            return try filtered(source, rest)
        case .other(_, let source):
            let own = ids(node)
            let mine = pool.filter { !$0.isUsed && !$0.isComplex && $0.needs.isSubset(of: own.union(available)) && !own.isDisjoint(with: $0.needs) }
            for part in mine { part.isUsed = true }
            return try filtered(source, mine)
        case .join(let kind, let left, let right, let on):
            switch kind {
            case .inner, .cross:
                let conditions = try on.map { try analyse($0) } ?? []
                let source = try inner(left, right, pool + conditions, available)
                let rest = conditions.filter { !$0.isUsed }
                for part in rest { part.isUsed = true }
                return try filtered(source, rest)
            case .crossApply, .outerApply:
                let first = try plan(left, pool, available: available)
                let second = try plan(right, [], available: available.union(ids(left)))
                return NestedLoop(left: first, right: second, rightBindings: right.bindings, isOuter: kind == .outerApply, condition: nil)
            case .right: return try outer(right, left, on, pool, available)
            case .left: return try outer(left, right, on, pool, available)
            case .full:
                let conditions = try on.map { try analyse($0) } ?? []
                let first = try plan(left, [], available: available), second = try plan(right, [], available: available)
                let (keys, rest) = try equalities(conditions, ids(left), ids(right))
                return HashJoin(
                    left: first, right: second, leftBindings: left.bindings, rightBindings: right.bindings, keys: keys,
                    residual: try predicate(rest), isOuter: true, isFull: true)
            }
        }
    }

    private func filtered(_ source: RowSource, _ parts: [Conjunct]) throws -> RowSource {
        if parts.isEmpty { return source }
        return FilterSource(source, JoinPlanner.all(try parts.map { try compiler.compilePredicate($0.expression) }), environment: environment)
    }
    private func predicate(_ parts: [Conjunct]) throws -> Predicate? {
        parts.isEmpty ? nil : JoinPlanner.all(try parts.map { try compiler.compilePredicate($0.expression) })
    }

    private func canSeek(_ node: Node, _ pool: [Conjunct], _ available: Set<ObjectIdentifier>) -> Bool {
        guard case .table(let binding, let table, _) = node else { return false }
        let own = ids(node)
        let mine = pool.filter { !$0.isUsed && !$0.isComplex && $0.needs.isSubset(of: own.union(available)) && !own.isDisjoint(with: $0.needs) && !$0.needs.isSubset(of: own) }
        return SeekPlanner(compiler: compiler, binding: binding, table: table).canSeek(mine)
    }

    private func inner(_ left: Node, _ right: Node, _ pool: [Conjunct], _ available: Set<ObjectIdentifier>) throws -> RowSource {
        let leftIDs = ids(left), rightIDs = ids(right)
        if canSeek(right, pool, available.union(leftIDs)) {
            let first = try plan(left, pool, available: available)
            let second = try plan(right, pool, available: available.union(leftIDs))
            return NestedLoop(left: first, right: second, rightBindings: right.bindings, isOuter: false, condition: nil)
        }
        if case .table = left, canSeek(left, pool, available.union(rightIDs)) {
            let first = try plan(right, pool, available: available)
            let second = try plan(left, pool, available: available.union(rightIDs))
            return NestedLoop(left: first, right: second, rightBindings: left.bindings, isOuter: false, condition: nil)
        }
        let first = try plan(left, pool, available: available)
        let second = try plan(right, pool, available: available)
        let candidates = pool.filter { !$0.isUsed && !$0.isComplex && $0.needs.isSubset(of: leftIDs.union(rightIDs).union(available)) }
        let (keys, rest) = try equalities(candidates, leftIDs, rightIDs)
        for part in candidates { part.isUsed = true }
        if keys.isEmpty {
            return NestedLoop(left: first, right: Materialised(second, right.bindings), rightBindings: right.bindings, isOuter: false, condition: try predicate(rest))
        }
        return HashJoin(
            left: first, right: second, leftBindings: left.bindings, rightBindings: right.bindings, keys: keys, residual: try predicate(rest), isOuter: false)
    }

    private func outer(_ left: Node, _ right: Node, _ on: Expression?, _ pool: [Conjunct], _ available: Set<ObjectIdentifier>) throws -> RowSource {
        let conditions = try on.map { try analyse($0) } ?? []
        let leftIDs = ids(left), rightIDs = ids(right)
        let first = try plan(left, pool, available: available)
        if canSeek(right, conditions, available.union(leftIDs)) {
            let second = try plan(right, conditions, available: available.union(leftIDs))
            let rest = conditions.filter { !$0.isUsed }
            return NestedLoop(left: first, right: second, rightBindings: right.bindings, isOuter: true, condition: try predicate(rest))
        }
        let second = try plan(right, conditions.filter { $0.needs.isSubset(of: rightIDs) }, available: available)
        let remaining = conditions.filter { !$0.isUsed }
        let (keys, rest) = try equalities(remaining.filter { !$0.isComplex }, leftIDs, rightIDs)
        let complex = remaining.filter(\.isComplex)
        if keys.isEmpty {
            return NestedLoop(
                left: first, right: Materialised(second, right.bindings), rightBindings: right.bindings, isOuter: true, condition: try predicate(rest + complex))
        }
        return HashJoin(
            left: first, right: second, leftBindings: left.bindings, rightBindings: right.bindings, keys: keys, residual: try predicate(rest + complex), isOuter: true)
    }

    /// Takes `a.x = b.y` out of the conditions.
    private func equalities(_ parts: [Conjunct], _ left: Set<ObjectIdentifier>, _ right: Set<ObjectIdentifier>) throws -> ([HashJoin.Key], [Conjunct]) {
        var keys: [HashJoin.Key] = []
        var rest: [Conjunct] = []
        for part in parts {
            guard case .compare(.equal, let a, let b) = part.expression else {
                rest.append(part)
                continue
            }
            var needsA: Set<ObjectIdentifier> = [], needsB: Set<ObjectIdentifier> = []
            var complex = false
            try collect(a, &needsA, &complex)
            try collect(b, &needsB, &complex)
            if complex || needsA.isEmpty || needsB.isEmpty {
                rest.append(part)
                continue
            }
            if needsA.isSubset(of: left), needsB.isSubset(of: right) {
                let (x, y, type) = try compiler.comparison(a, b, "equal to")
                keys.append(HashJoin.Key(left: x, right: y, type: type))
            } else if needsA.isSubset(of: right), needsB.isSubset(of: left) {
                let (x, y, type) = try compiler.comparison(b, a, "equal to")
                keys.append(HashJoin.Key(left: x, right: y, type: type))
            } else {
                rest.append(part)
            }
        }
        return (keys, rest)
    }
}

/// Keeps the rows of its input, so that opening it again costs nothing. Its input must not depend on other rows.
final class Materialised: RowSource {
    private let input: RowSource
    private let bindings: [SourceBinding]
    private var rows: [SavedRow]?
    private var position = 0
    init(_ input: RowSource, _ bindings: [SourceBinding]) {
        self.input = input
        self.bindings = bindings
    }
    override func open() throws {
        position = 0
        if rows != nil { return }
        var list: [SavedRow] = []
        try input.open()
        while try input.next() { list.append(SavedRow(bindings)) }
        rows = list
    }
    override func next() -> Bool {
        guard let rows, position < rows.count else { return false }
        rows[position].restore(bindings)
        position += 1
        return true
    }
}
