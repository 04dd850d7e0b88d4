import TDSWire

/// An aggregate function of a grouped query.
final class Aggregate {
    enum Kind: String { case count, countBig, sum, min, max, average, stringAggregate, checksum, standardDeviation, standardDeviationPopulation, variance, variancePopulation }
    let kind: Kind
    let argument: Compiled?
    let isDistinct: Bool
    let type: SQLType
    let separator: (() throws -> SQLValue)?
    let order: [(value: Compiled, descending: Bool)]
    /// Type that values are added and compared as.
    let working: SQLType
    let text: String

    struct State {
        var count: Int64 = 0
        var sum: SQLValue = .null
        var best: SQLValue = .null
        var seen: Set<KeyBytes> = []
        var mean = 0.0
        var squares = 0.0
        var parts: [(key: [UInt8], text: String)] = []
    }

    init(
        kind: Kind, argument: Compiled?, isDistinct: Bool, type: SQLType, working: SQLType, separator: (() throws -> SQLValue)? = nil,
        order: [(value: Compiled, descending: Bool)] = [], text: String
    ) {
        self.kind = kind
        self.argument = argument
        self.isDistinct = isDistinct
        self.type = type
        self.working = working
        self.separator = separator
        self.order = order
        self.text = text
    }

    static let names: [String: Kind] = [
        "COUNT": .count, "COUNT_BIG": .countBig, "SUM": .sum, "MIN": .min, "MAX": .max, "AVG": .average, "STRING_AGG": .stringAggregate,
        "CHECKSUM_AGG": .checksum, "STDEV": .standardDeviation, "STDEVP": .standardDeviationPopulation, "VAR": .variance, "VARP": .variancePopulation,
    ]

    /// Takes the current row in.
    func add(_ state: inout State) throws {
        guard let argument else {
            state.count += 1
            return
        }
        let value = try argument.eval()
        if value.isNull { return }
        if isDistinct {
            var key: [UInt8] = []
            NormalizedKey.append(value, working, descending: false, to: &key)
            if !state.seen.insert(KeyBytes(key)).inserted { return }
        }
        state.count += 1
        switch kind {
        case .count, .countBig: break
        case .sum, .average:
            if state.sum.isNull { state.sum = value } else { state.sum = try Arithmetic.apply(.add, state.sum, value, working) }
        case .min:
            if state.best.isNull || (Comparison.compare(value, state.best, working) ?? 0) < 0 { state.best = value }
        case .max:
            if state.best.isNull || (Comparison.compare(value, state.best, working) ?? 0) > 0 { state.best = value }
        case .stringAggregate:
            guard case .string(let text) = value else { return }
            var key: [UInt8] = []
            for item in order { NormalizedKey.append(try item.value.eval(), item.value.type, descending: item.descending, to: &key) }
            state.parts.append((key, text))
        case .checksum:
            if case .int(let number) = value {
                if case .int(let old) = state.sum { state.sum = .int(old ^ number) } else { state.sum = .int(number) }
            }
        case .standardDeviation, .standardDeviationPopulation, .variance, .variancePopulation:
            guard case .float(let number) = value else { return }
            let delta = number - state.mean
            state.mean += delta / Double(state.count)
            state.squares += delta * (number - state.mean)
        }
    }

    func result(_ state: State) throws -> SQLValue {
        switch kind {
        case .count:
            if state.count > Int64(Int32.max) { throw Messages.overflow("expression", "int") }
            return .int(state.count)
        case .countBig: return .int(state.count)
        case .sum, .checksum: return state.sum
        case .min, .max: return state.best
        case .average:
            if state.count == 0 { return .null }
            switch state.sum {
            case .int(let sum): return .int(sum / state.count)
            case .decimal(let sum):
                return try Arithmetic.apply(.divide, .decimal(sum), .decimal(TDSDecimal(integer: state.count)), type)
            case .money(let sum): return .money(TDSMoney(tenThousandths: sum.tenThousandths / state.count))
            case .float(let sum): return .float(sum / Double(state.count))
            default: return .null
            }
        case .stringAggregate:
            if state.parts.isEmpty { return .null }
            var parts = state.parts
            if !order.isEmpty { parts.sort { compareBytes($0.key, $1.key) < 0 } }
            var glue = ""
            if let separator, case .string(let text) = try separator() { glue = text }
            return .string(parts.map(\.text).joined(separator: glue))
        case .variancePopulation: return state.count == 0 ? .null : .float(state.squares / Double(state.count))
        case .variance: return state.count < 2 ? .null : .float(state.squares / Double(state.count - 1))
        case .standardDeviationPopulation: return state.count == 0 ? .null : .float((state.squares / Double(state.count)).squareRoot())
        case .standardDeviation: return state.count < 2 ? .null : .float((state.squares / Double(state.count - 1)).squareRoot())
        }
    }
}

extension Compiler {
    /// An aggregate over the current group.
    func aggregate(_ call: FunctionCall, _ kind: Aggregate.Kind) throws -> Compiled {
        // The nearest grouped scope owns it, unless its argument only has columns of an outer query.
        guard let grouping = scope.grouping, grouping.isAllowed else { throw Messages.aggregateInWhere }
        if grouping.isInsideAggregate {
            throw SQLServerMessage(
                number: 130, severity: 15, text: "Cannot perform an aggregate function on an expression containing an aggregate or a subquery.")
        }
        let text = String(describing: Expression.function(call))
        if let index = grouping.aggregates.firstIndex(where: { $0.text == text }) { return aggregateReference(grouping, index) }
        grouping.isInsideAggregate = true
        defer { grouping.isInsideAggregate = false }
        let made = try makeAggregate(call, kind, text: text)
        grouping.aggregates.append(made)
        return aggregateReference(grouping, grouping.aggregates.count - 1)
    }
    private func aggregateReference(_ grouping: Grouping, _ index: Int) -> Compiled {
        let slot = grouping.slot
        let position = grouping.keys.count + index
        let aggregate = grouping.aggregates[index]
        return Compiled(type: aggregate.type, isNullable: aggregate.kind != .count && aggregate.kind != .countBig) { slot.values[position] }
    }

    func makeAggregate(_ call: FunctionCall, _ kind: Aggregate.Kind, text: String) throws -> Aggregate {
        if call.isStar {
            guard kind == .count || kind == .countBig else { throw Messages.syntax("*", line: 0) }
            return Aggregate(kind: kind, argument: nil, isDistinct: false, type: kind == .count ? .int : .bigint, working: .int, text: text)
        }
        let needed = kind == .stringAggregate ? 2 : 1
        guard call.arguments.count == needed else { throw Messages.functionArguments(call.name, needed) }
        var argument = try compile(call.arguments[0])
        let type: SQLType
        var working = settled(argument.type)
        switch kind {
        case .count: type = .int
        case .countBig: type = .bigint
        case .min, .max:
            if argument.type.kind == .bit || argument.type.isLOB && argument.type.length != -1 { throw Messages.invalidForOperator(argument.type.name, kind.rawValue) }
            type = argument.type
        case .sum, .average:
            switch argument.type.kind {
            case .tinyint, .smallint, .int: type = .int
            case .bigint: type = .bigint
            case .decimal, .numeric:
                type = SQLType(argument.type.kind, precision: 38, scale: kind == .sum ? argument.type.scale : max(argument.type.scale, 6))
            case .money, .smallmoney: type = .money
            case .float, .real: type = .float
            default: throw Messages.invalidForOperator(argument.type.name, kind == .sum ? "sum" : "avg")
            }
            working = argument.type.isDecimal ? SQLType(.numeric, precision: 38, scale: argument.type.scale) : type
            argument = argument.converted(to: working, environment: environment)
        case .stringAggregate:
            argument = argument.type.isCharacter ? argument : argument.converted(to: .nvarchar(4000), environment: environment)
            type = SQLType(argument.type.isUnicode ? .nvarchar : .varchar, length: argument.type.isMax ? -1 : argument.type.isUnicode ? 4000 : 8000, collation: argument.type.collation)
            let separator = try compile(call.arguments[1]).eval
            let order = try call.withinGroup.map { item in
                var value = try compile(item.expression)
                value.type = settled(value.type)
                return (value, item.descending)
            }
            return Aggregate(
                kind: kind, argument: argument, isDistinct: call.isDistinct, type: type, working: working, separator: separator, order: order, text: text)
        case .checksum:
            type = .int
            argument = argument.converted(to: .int, environment: environment)
        case .standardDeviation, .standardDeviationPopulation, .variance, .variancePopulation:
            type = .float
            working = .float
            argument = argument.converted(to: .float, environment: environment)
        }
        return Aggregate(kind: kind, argument: argument, isDistinct: call.isDistinct, type: type, working: working, text: text)
    }
}
