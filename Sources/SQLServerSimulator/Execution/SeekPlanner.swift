/// Finds out whether conditions on a table can be answered by a range of one of its keys.
struct SeekPlanner {
    let compiler: Compiler
    let binding: SourceBinding
    let table: TableDef

    private struct Bound {
        let op: ComparisonOperator
        let value: Compiled
        let conjunct: JoinPlanner.Conjunct
    }
    private struct Choice {
        var index: IndexDef
        var equal: [Bound] = []
        var lower: Bound?
        var upper: Bound?
        /// `(a > x) OR (a = x AND b > y)`: lower bound of several columns.
        var tuple: [Compiled] = []
        var score: Int { equal.count * 10 + (lower != nil || upper != nil || !tuple.isEmpty ? 5 : 0) }
    }

    func canSeek(_ conjuncts: [JoinPlanner.Conjunct]) -> Bool {
        table.indexes.contains { index in
            guard let first = index.keys.first, let ordinal = table.ordinal(ofID: first.columnID) else { return false }
            return conjuncts.contains { conjunct in
                guard case .compare(.equal, let a, let b) = conjunct.expression else { return false }
                return isColumn(a, ordinal) && !mentions(b) || isColumn(b, ordinal) && !mentions(a)
            }
        }
    }

    /// The cheapest source, and the conditions that it answers exactly.
    func source(_ conjuncts: [JoinPlanner.Conjunct], data: @escaping () throws -> TableData) throws -> (RowSource, [JoinPlanner.Conjunct]) {
        let environment = compiler.environment
        var best: Choice?
        for index in table.indexes.sorted(by: { $0.isClustered && !$1.isClustered }) {
            guard let choice = try examine(index, conjuncts), choice.score > 0 else { continue }
            if choice.score > best?.score ?? 0 { best = choice }
        }
        guard let best else {
            return (TableScan(binding: binding, table: table, environment: environment, data: data), [])
        }
        let range = makeRange(best)
        var consumed = best.equal.map(\.conjunct)
        // BETWEEN is answered only where both of its bounds are the range's.
        let isWhole = best.lower?.conjunct === best.upper?.conjunct
        for bound in [best.lower, best.upper].compactMap(\.self) {
            if case .between = bound.conjunct.expression, !isWhole { continue }
            consumed.append(bound.conjunct)
        }
        if best.index.isClustered {
            let scan = TableScan(binding: binding, table: table, environment: environment, data: data)
            scan.range = range
            return (scan, consumed)
        }
        return (IndexScan(binding: binding, table: table, index: best.index, environment: environment, range: range, data: data), consumed)
    }

    private func isColumn(_ expression: Expression, _ ordinal: Int) -> Bool {
        guard case .column(let parts) = expression, let found = try? compiler.scope.resolve(parts) else { return false }
        return found.source === binding && found.ordinal == ordinal
    }
    private func mentions(_ expression: Expression) -> Bool {
        if case .column(let parts) = expression { return (try? compiler.scope.resolve(parts))?.source === binding }
        return expression.children.contains { mentions($0) }
    }

    /// The other side of `column op value`, if an index of the column's own order can find it.
    private func bound(_ conjunct: JoinPlanner.Conjunct, _ ordinal: Int) throws -> [Bound] {
        switch conjunct.expression {
        case .compare(let op, let a, let b):
            if op == .notEqual { return [] }
            if isColumn(a, ordinal), !mentions(b), let value = try usable(a, b) { return [Bound(op: op, value: value, conjunct: conjunct)] }
            if isColumn(b, ordinal), !mentions(a), let value = try usable(b, a) { return [Bound(op: op.mirrored, value: value, conjunct: conjunct)] }
            return []
        case .between(let a, let low, let high, negated: false):
            guard isColumn(a, ordinal), !mentions(low), !mentions(high), let first = try usable(a, low), let last = try usable(a, high) else { return [] }
            return [Bound(op: .greaterEqual, value: first, conjunct: conjunct), Bound(op: .lessEqual, value: last, conjunct: conjunct)]
        default: return []
        }
    }
    /// The value converted to the column's type, where comparing in that type is the same as the comparison asked for.
    private func usable(_ column: Expression, _ value: Expression) throws -> Compiled? {
        let left = try compiler.compile(column), right = try compiler.compile(value)
        let type = try compiler.comparisonType(left, right, "equal to")
        let own = compiler.settled(left.type)
        switch own.kind {
        case .tinyint, .smallint, .int, .bigint:
            guard type.isInteger else { return nil }
        case .decimal, .numeric:
            guard type.isDecimal, type.scale == own.scale else { return nil }
        case .char, .varchar, .nchar, .nvarchar:
            guard type.isCharacter, type.isUnicode == own.isUnicode || own.collation?.order == .windows, type.collation == own.collation else { return nil }
        case .time, .datetime2, .datetimeoffset:
            guard type.kind == own.kind else { return nil }
        default:
            guard type.kind == own.kind || (own.isBinary && type.isBinary) || (own.kind == .smallmoney && type.kind == .money) else { return nil }
        }
        var result = right.comparable(as: type, environment: compiler.environment)
        result.type = own
        return result
    }

    private func examine(_ index: IndexDef, _ conjuncts: [JoinPlanner.Conjunct]) throws -> Choice? {
        var choice = Choice(index: index)
        let keys = table.keyColumns(index)
        for (position, key) in keys.enumerated() {
            var bounds: [Bound] = []
            for conjunct in conjuncts { bounds += try bound(conjunct, key.ordinal) }
            if let equal = bounds.first(where: { $0.op == .equal }) {
                choice.equal.append(equal)
                continue
            }
            choice.lower = bounds.first { $0.op == .greater || $0.op == .greaterEqual }
            choice.upper = bounds.first { $0.op == .less || $0.op == .lessEqual }
            // BETWEEN gives both; its conjunct counts as answered only if both are used, which they are here.
            if choice.equal.isEmpty, keys.count > 1, position == 0, !keys.contains(where: \.descending) {
                for conjunct in conjuncts {
                    if let tuple = try lexicographic(conjunct.expression, keys.map(\.ordinal)), tuple.count > 1 {
                        choice.tuple = tuple
                        break
                    }
                }
            }
            break
        }
        return choice
    }

    /// `(a > x) OR (a = x AND b > y) OR (a = x AND b = y AND c > z)`: gives x, y, z. The condition is still checked for each row.
    private func lexicographic(_ expression: Expression, _ key: [Int]) throws -> [Compiled]? {
        let branches = expression.disjuncts.map(\.conjuncts).sorted { $0.count < $1.count }
        guard branches.count > 1, branches.count <= key.count else { return nil }
        var texts: [String] = []
        var values: [Compiled] = []
        for (level, branch) in branches.enumerated() {
            guard branch.count == level + 1 else { return nil }
            for (position, part) in branch.enumerated() {
                guard case .compare(let op, let column, let value) = part, isColumn(column, key[position]), !mentions(value) else { return nil }
                let text = String(describing: value)
                if position == level {
                    guard op == .greater || op == .greaterEqual, let usable = try usable(column, value) else { return nil }
                    texts.append(text)
                    values.append(usable)
                } else {
                    guard op == .equal, texts[position] == text else { return nil }
                }
            }
        }
        return values
    }

    private func makeRange(_ choice: Choice) -> KeyRange {
        let keys = table.keyColumns(choice.index)
        let types = keys.map { compiler.settled(table.columns[$0.ordinal].type) }
        let equal = choice.equal.map(\.value.eval)
        let lower = choice.lower, upper = choice.upper
        let position = equal.count
        let tuple = choice.tuple
        return {
            var prefix: [UInt8] = []
            for (index, eval) in equal.enumerated() {
                let value = try eval()
                if value.isNull { return nil }
                NormalizedKey.append(value, types[index], descending: keys[index].descending, to: &prefix)
            }
            if position >= keys.count || (lower == nil && upper == nil && tuple.isEmpty) {
                return (prefix.isEmpty ? nil : prefix, SeekPlanner.successor(prefix))
            }
            let descending = keys[position].descending
            func encoded(_ bound: Bound) throws -> [UInt8]? {
                let value = try bound.value.eval()
                if value.isNull { return nil }
                var key = prefix
                NormalizedKey.append(value, types[position], descending: descending, to: &key)
                return key
            }
            var low = prefix.isEmpty ? nil : prefix, high = SeekPlanner.successor(prefix)
            if !tuple.isEmpty {
                var key: [UInt8] = []
                for (index, item) in tuple.enumerated() {
                    let value = try item.eval()
                    if value.isNull { return nil }
                    NormalizedKey.append(value, types[index], descending: false, to: &key)
                }
                low = key
            }
            if let lower {
                guard let key = try encoded(lower) else { return nil }
                if descending {
                    // Greater values come first.
                    high = lower.op == .greater ? key : SeekPlanner.successor(key)
                } else {
                    let start = lower.op == .greater ? SeekPlanner.successor(key) : key
                    if let current = low, let start { low = compareBytes(current, start) > 0 ? current : start } else { low = start ?? low }
                }
            }
            if let upper {
                guard let key = try encoded(upper) else { return nil }
                if descending {
                    low = upper.op == .less ? SeekPlanner.successor(key) : key
                    if lower == nil {
                        // NULLs come last.
                        high = prefix + [0xFF]
                    }
                } else {
                    high = upper.op == .less ? key : SeekPlanner.successor(key)
                    if lower == nil, tuple.isEmpty { low = prefix + [1] }
                }
            } else if lower != nil, descending, low == nil {
                low = prefix.isEmpty ? nil : prefix
            }
            return (low, high)
        }
    }

    /// The first key behind all that begin with a prefix; nil where there is no end.
    static func successor(_ prefix: [UInt8]) -> [UInt8]? {
        var key = prefix
        while let last = key.last {
            if last < 0xFF {
                key[key.count - 1] = last + 1
                return key
            }
            key.removeLast()
        }
        return nil
    }
}
