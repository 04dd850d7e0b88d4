/// The window functions of one SELECT: ROW_NUMBER, RANK, DENSE_RANK, NTILE, LAG, LEAD, FIRST_VALUE, and aggregates OVER (...).
final class WindowSet {
    struct Spec {
        let text: String
        let name: String
        let partition: [Compiled]
        let order: [(value: Compiled, descending: Bool)]
        let arguments: [Compiled]
        let aggregate: Aggregate?
        let type: SQLType
    }
    var specs: [Spec] = []
    let slot = Slot(width: 0)
}

extension Compiler {
    func windowReference(_ call: FunctionCall) throws -> Compiled {
        guard let window = call.over, let set = scope.windows else {
            throw SQLServerMessage(number: 4108, severity: 15, text: "Windowed functions can only appear in the SELECT or ORDER BY clauses.")
        }
        let text = String(describing: Expression.function(call))
        let index: Int
        if let found = set.specs.firstIndex(where: { $0.text == text }) { index = found } else {
            let name = call.name.uppercased()
            var plain = call
            plain.over = nil
            let partition = try window.partition.map { expression in
                var value = try compile(expression)
                value.type = settled(value.type)
                return value
            }
            let order = try window.order.map { item in
                var value = try compile(item.expression)
                value.type = settled(value.type)
                return (value: value, descending: item.descending)
            }
            var aggregate: Aggregate?
            let type: SQLType
            var arguments: [Compiled] = []
            switch name {
            case "ROW_NUMBER", "RANK", "DENSE_RANK", "NTILE":
                if order.isEmpty {
                    throw SQLServerMessage(number: 4112, severity: 15, text: "The function '\(call.name)' must have an OVER clause with ORDER BY.")
                }
                type = .bigint
                arguments = try call.arguments.map { try compile($0) }
            case "LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE":
                arguments = try call.arguments.map { try compile($0) }
                guard let first = arguments.first else { throw Messages.functionArguments(call.name, from: 1, to: 3) }
                type = first.type
            default:
                guard let kind = Aggregate.names[name] else { throw Messages.notAFunction(call.name) }
                let made = try makeAggregate(plain, kind, text: text)
                aggregate = made
                type = made.type
            }
            set.specs.append(WindowSet.Spec(text: text, name: name, partition: partition, order: order, arguments: arguments, aggregate: aggregate, type: type))
            index = set.specs.count - 1
        }
        let slot = set.slot
        return Compiled(type: set.specs[index].type) { slot.values[index] }
    }
}

/// Computes window functions over all rows of its input.
final class WindowSource: RowSource {
    private let input: RowSource
    private let bindings: [SourceBinding]
    private let grouping: Grouping?
    private let set: WindowSet
    private var rows: [(saved: SavedRow, group: [SQLValue], values: [SQLValue])] = []
    private var position = 0

    init(_ input: RowSource, bindings: [SourceBinding], grouping: Grouping?, set: WindowSet) {
        self.input = input
        self.bindings = bindings
        self.grouping = grouping
        self.set = set
    }
    private func restore(_ index: Int) {
        rows[index].saved.restore(bindings)
        grouping?.slot.values = rows[index].group
    }
    override func open() throws {
        rows = []
        position = 0
        try input.open()
        while try input.next() {
            rows.append((SavedRow(bindings), grouping?.slot.values ?? [], Array(repeating: .null, count: set.specs.count)))
        }
        for (number, spec) in set.specs.enumerated() {
            var keys: [(partition: [UInt8], order: [UInt8], row: Int)] = []
            for index in rows.indices {
                restore(index)
                var partition: [UInt8] = [], order: [UInt8] = []
                for item in spec.partition { NormalizedKey.append(try item.eval(), item.type, descending: false, to: &partition) }
                for item in spec.order { NormalizedKey.append(try item.value.eval(), item.value.type, descending: item.descending, to: &order) }
                keys.append((partition, order, index))
            }
            keys.sort { a, b in
                let first = compareBytes(a.partition, b.partition)
                if first != 0 { return first < 0 }
                let second = compareBytes(a.order, b.order)
                return second != 0 ? second < 0 : a.row < b.row
            }
            var start = 0
            while start < keys.count {
                var end = start
                while end < keys.count, compareBytes(keys[end].partition, keys[start].partition) == 0 { end += 1 }
                try compute(spec, number, Array(keys[start..<end]))
                start = end
            }
        }
    }
    private func compute(_ spec: WindowSet.Spec, _ number: Int, _ part: [(partition: [UInt8], order: [UInt8], row: Int)]) throws {
        if let aggregate = spec.aggregate {
            // Without ORDER BY over the whole partition, with it up to the current row and its peers.
            var state = Aggregate.State()
            var index = 0
            while index < part.count {
                var end = index
                while end < part.count, spec.order.isEmpty || compareBytes(part[end].order, part[index].order) == 0 {
                    restore(part[end].row)
                    try aggregate.add(&state)
                    end += 1
                }
                let value = try aggregate.result(state)
                for peer in index..<end { rows[part[peer].row].values[number] = value }
                index = end
            }
            return
        }
        var rank = 0, dense = 0
        for (index, item) in part.enumerated() {
            let isPeer = index > 0 && compareBytes(part[index - 1].order, item.order) == 0
            if !isPeer {
                rank = index + 1
                dense += 1
            }
            switch spec.name {
            case "ROW_NUMBER": rows[item.row].values[number] = .int(Int64(index + 1))
            case "RANK": rows[item.row].values[number] = .int(Int64(rank))
            case "DENSE_RANK": rows[item.row].values[number] = .int(Int64(dense))
            case "NTILE":
                guard let argument = spec.arguments.first, case .int(let tiles) = try argument.eval(), tiles > 0 else { continue }
                let size = part.count / Int(tiles), extra = part.count % Int(tiles)
                let border = extra * (size + 1)
                rows[item.row].values[number] = .int(Int64(index < border ? index / (size + 1) + 1 : extra + (index - border) / max(size, 1) + 1))
            default:
                restore(item.row)
                var distance = 1
                if spec.arguments.count > 1, case .int(let given) = try spec.arguments[1].eval() { distance = Int(given) }
                let target: Int
                switch spec.name {
                case "LAG": target = index - distance
                case "LEAD": target = index + distance
                case "FIRST_VALUE": target = 0
                default: target = part.count - 1
                }
                if part.indices.contains(target) {
                    restore(part[target].row)
                    rows[item.row].values[number] = try spec.arguments[0].eval()
                } else if spec.arguments.count > 2 {
                    rows[item.row].values[number] = try spec.arguments[2].eval()
                }
            }
        }
    }
    override func next() -> Bool {
        guard position < rows.count else { return false }
        restore(position)
        set.slot.values = rows[position].values
        position += 1
        return true
    }
}
