/// An iterator that puts rows into slots. `open` starts it (again): with other values in the slots that it depends on, perhaps.
class RowSource {
    func open() throws {}
    func next() throws -> Bool { false }
}

/// One row without columns: SELECT without FROM.
final class SingleRow: RowSource {
    private var done = false
    override func open() { done = false }
    override func next() -> Bool {
        if done { return false }
        done = true
        return true
    }
}

/// A range of keys, computed when a scan opens. nil: nothing qualifies.
typealias KeyRange = () throws -> (lower: [UInt8]?, upper: [UInt8]?)?

/// Reads a table, or a range of its clustering key, in key order.
final class TableScan: RowSource {
    let binding: SourceBinding
    let table: TableDef
    private let data: () throws -> TableData
    private let environment: Environment
    var range: KeyRange?
    private(set) var tree = TableTree()
    private(set) var position = TableTree.Position(page: 0, index: 0)
    private(set) var limit = TableTree.Position(page: 0, index: 0)
    private var layout: [(type: SQLType, nullable: Bool)]
    private var sinceCheck = 0
    private var lastUsed = -1

    init(binding: SourceBinding, table: TableDef, environment: Environment, data: @escaping () throws -> TableData) {
        self.binding = binding
        self.table = table
        self.data = data
        self.environment = environment
        layout = table.columns.map { ($0.type, $0.isNullable) }
    }

    override func open() throws {
        tree = try data().rows
        lastUsed = binding.used.lastIndex(of: true) ?? -1
        if let range {
            guard let bounds = try range() else {
                position = tree.end
                limit = tree.end
                return
            }
            position = bounds.lower.map { tree.lowerBound($0) } ?? tree.start
            limit = bounds.upper.map { tree.lowerBound($0) } ?? tree.end
        } else {
            position = tree.start
            limit = tree.end
        }
    }

    @inline(__always) private var isAtEnd: Bool {
        position.page > limit.page || (position.page == limit.page && position.index >= limit.index) || position.page >= tree.pages.count
    }

    override func next() throws -> Bool {
        if isAtEnd { return false }
        sinceCheck += 1
        if sinceCheck & 1023 == 0 { try environment.checkCancelled() }
        let page = tree.pages[position.page]
        TableScan.load(page, position.index, into: binding.slot, used: binding.used, last: lastUsed, layout: layout)
        position.index += 1
        if position.index >= page.count { position = TableTree.Position(page: position.page + 1, index: 0) }
        return true
    }

    /// Decodes the columns that are used.
    static func load(_ page: Page, _ index: Int, into slot: Slot, used: [Bool], last: Int, layout: [(type: SQLType, nullable: Bool)]) {
        slot.page = page
        slot.index = index
        if last < 0 { return }
        page.rows.withUnsafeBytes { bytes in
            var offset = page.rowStart(index) + 1
            var column = 0
            while column <= last {
                let (type, nullable) = layout[column]
                if used[column] { slot.values[column] = WireForm.decode(bytes, offset, type, nullable: nullable) }
                if column < last { offset = WireForm.end(bytes, offset, type, nullable: nullable) }
                column += 1
            }
        }
    }

    /// Passes over up to `count` rows of one page without decoding: the page and the range of rows. For copying.
    func nextRun(_ count: Int) -> (page: Page, rows: Range<Int>)? {
        if isAtEnd || count <= 0 { return nil }
        let page = tree.pages[position.page]
        var end = position.page == limit.page ? limit.index : page.count
        end = min(end, position.index + count)
        let rows = position.index..<end
        position.index = end
        if end >= page.count { position = TableTree.Position(page: position.page + 1, index: 0) }
        return (page, rows)
    }
}

/// Finds rows by a nonclustered index.
final class IndexScan: RowSource {
    let binding: SourceBinding
    private let table: TableDef
    private let index: IndexDef
    private let range: KeyRange
    private let data: () throws -> TableData
    private let environment: Environment
    private var rows = TableTree()
    private var tree = TableTree()
    private var position = TableTree.Position(page: 0, index: 0)
    private var limit = TableTree.Position(page: 0, index: 0)
    private let layout: [(type: SQLType, nullable: Bool)]
    private var sinceCheck = 0

    init(binding: SourceBinding, table: TableDef, index: IndexDef, environment: Environment, range: @escaping KeyRange, data: @escaping () throws -> TableData) {
        self.binding = binding
        self.table = table
        self.index = index
        self.range = range
        self.data = data
        self.environment = environment
        layout = table.columns.map { ($0.type, $0.isNullable) }
    }
    override func open() throws {
        let current = try data()
        rows = current.rows
        tree = current.indexes[index.id] ?? TableTree()
        guard let bounds = try range() else {
            position = tree.end
            limit = tree.end
            return
        }
        position = bounds.lower.map { tree.lowerBound($0) } ?? tree.start
        limit = bounds.upper.map { tree.lowerBound($0) } ?? tree.end
    }
    override func next() throws -> Bool {
        while position.page < tree.pages.count, position.page < limit.page || (position.page == limit.page && position.index < limit.index) {
            sinceCheck += 1
            if sinceCheck & 1023 == 0 { try environment.checkCancelled() }
            let key = tree.pages[position.page].row(position.index)
            position = tree.next(position)
            guard let found = rows.find(key) else { continue }
            TableScan.load(
                rows.pages[found.page], found.index, into: binding.slot, used: binding.used, last: binding.used.lastIndex(of: true) ?? -1, layout: layout)
            return true
        }
        return false
    }
}

/// Rows that are made when it opens: catalogue views, VALUES, CHANGETABLE, functions.
final class VirtualSource: RowSource {
    let binding: SourceBinding
    private let make: () throws -> [[SQLValue]]
    private var rows: [[SQLValue]] = []
    private var position = 0
    init(binding: SourceBinding, make: @escaping () throws -> [[SQLValue]]) {
        self.binding = binding
        self.make = make
    }
    override func open() throws {
        rows = try make()
        position = 0
    }
    override func next() -> Bool {
        guard position < rows.count else { return false }
        binding.slot.values = rows[position]
        position += 1
        return true
    }
}

/// Rows that are made one at a time.
final class GeneratedSource: RowSource {
    let binding: SourceBinding
    private let start: () throws -> (() throws -> [SQLValue]?)
    private var produce: (() throws -> [SQLValue]?)?
    init(binding: SourceBinding, start: @escaping () throws -> (() throws -> [SQLValue]?)) {
        self.binding = binding
        self.start = start
    }
    override func open() throws { produce = try start() }
    override func next() throws -> Bool {
        guard let row = try produce?() else { return false }
        binding.slot.values = row
        return true
    }
}

/// A derived table, view or common table expression.
final class PlanSource: RowSource {
    let binding: SourceBinding
    let plan: QueryPlan
    init(binding: SourceBinding, plan: QueryPlan) {
        self.binding = binding
        self.plan = plan
    }
    override func open() throws { try plan.open() }
    override func next() throws -> Bool {
        guard try plan.next() else { return false }
        plan.copy(into: binding.slot)
        return true
    }
}

final class FilterSource: RowSource {
    let input: RowSource
    let predicate: Predicate
    private let environment: Environment
    private var sinceCheck = 0
    init(_ input: RowSource, _ predicate: @escaping Predicate, environment: Environment) {
        self.input = input
        self.predicate = predicate
        self.environment = environment
    }
    override func open() throws { try input.open() }
    override func next() throws -> Bool {
        while try input.next() {
            sinceCheck += 1
            if sinceCheck & 1023 == 0 { try environment.checkCancelled() }
            if try predicate() == true { return true }
        }
        return false
    }
}

/// For each row on the left, all that matches on the right, which is opened again each time.
final class NestedLoop: RowSource {
    private let left: RowSource, right: RowSource
    private let rightBindings: [SourceBinding]
    private let isOuter: Bool
    private let condition: Predicate?
    private var hasLeft = false, matched = false
    init(left: RowSource, right: RowSource, rightBindings: [SourceBinding], isOuter: Bool, condition: Predicate?) {
        self.left = left
        self.right = right
        self.rightBindings = rightBindings
        self.isOuter = isOuter
        self.condition = condition
    }
    override func open() throws {
        try left.open()
        hasLeft = false
    }
    override func next() throws -> Bool {
        while true {
            if !hasLeft {
                guard try left.next() else { return false }
                hasLeft = true
                matched = false
                try right.open()
            }
            while try right.next() {
                if let condition, try condition() != true { continue }
                matched = true
                return true
            }
            hasLeft = false
            if isOuter, !matched {
                for binding in rightBindings { binding.slot.setNull() }
                return true
            }
        }
    }
}

/// Saves and restores the rows of several slots.
struct SavedRow {
    private var rows: [(values: [SQLValue], page: Page?, index: Int)]
    init(_ bindings: [SourceBinding]) { rows = bindings.map { ($0.slot.values, $0.slot.page, $0.slot.index) } }
    func restore(_ bindings: [SourceBinding]) {
        for (row, binding) in zip(rows, bindings) {
            binding.slot.values = row.values
            binding.slot.page = row.page
            binding.slot.index = row.index
        }
    }
}

/// Joins on equality: the right side is read once into a hash table.
final class HashJoin: RowSource {
    struct Key {
        let left: () throws -> SQLValue
        let right: () throws -> SQLValue
        let type: SQLType
    }
    private let left: RowSource, right: RowSource
    private let leftBindings: [SourceBinding], rightBindings: [SourceBinding]
    private let keys: [Key]
    private let residual: Predicate?
    private let isOuter: Bool, isFull: Bool
    private var table: [KeyBytes: [Int]] = [:]
    private var rows: [SavedRow] = []
    private var matchedRight: [Bool] = []
    private var current: [Int] = []
    private var nextMatch = 0
    private var hasLeft = false, matched = false, leftDone = false
    private var unmatched = 0

    init(
        left: RowSource, right: RowSource, leftBindings: [SourceBinding], rightBindings: [SourceBinding], keys: [Key], residual: Predicate?, isOuter: Bool,
        isFull: Bool = false
    ) {
        self.left = left
        self.right = right
        self.leftBindings = leftBindings
        self.rightBindings = rightBindings
        self.keys = keys
        self.residual = residual
        self.isOuter = isOuter
        self.isFull = isFull
    }

    private func key(_ side: (Key) -> () throws -> SQLValue) throws -> KeyBytes? {
        var bytes: [UInt8] = []
        for key in keys {
            let value = try side(key)()
            if value.isNull { return nil }
            NormalizedKey.append(value, key.type, descending: false, to: &bytes)
        }
        return KeyBytes(bytes)
    }

    override func open() throws {
        table = [:]
        rows = []
        try right.open()
        while try right.next() {
            if let key = try key({ $0.right }) { table[key, default: []].append(rows.count) } else if !isFull { continue }
            rows.append(SavedRow(rightBindings))
        }
        matchedRight = isFull ? Array(repeating: false, count: rows.count) : []
        try left.open()
        hasLeft = false
        leftDone = false
        unmatched = 0
    }
    override func next() throws -> Bool {
        while !leftDone {
            if !hasLeft {
                guard try left.next() else {
                    leftDone = true
                    break
                }
                hasLeft = true
                matched = false
                nextMatch = 0
                current = try key({ $0.left }).flatMap { table[$0] } ?? []
            }
            while nextMatch < current.count {
                let row = current[nextMatch]
                nextMatch += 1
                rows[row].restore(rightBindings)
                if let residual, try residual() != true { continue }
                matched = true
                if isFull { matchedRight[row] = true }
                return true
            }
            hasLeft = false
            if isOuter, !matched {
                for binding in rightBindings { binding.slot.setNull() }
                return true
            }
        }
        guard isFull else { return false }
        while unmatched < rows.count {
            let row = unmatched
            unmatched += 1
            if matchedRight[row] { continue }
            for binding in leftBindings { binding.slot.setNull() }
            rows[row].restore(rightBindings)
            return true
        }
        return false
    }
}

/// GROUP BY and aggregates.
final class GroupSource: RowSource {
    private let input: RowSource
    private let grouping: Grouping
    private let keyTypes: [SQLType]
    private var results: [[SQLValue]] = []
    private var position = 0
    private let environment: Environment

    init(_ input: RowSource, grouping: Grouping, keyTypes: [SQLType], environment: Environment) {
        self.input = input
        self.grouping = grouping
        self.keyTypes = keyTypes
        self.environment = environment
    }
    override func open() throws {
        try input.open()
        var groups: [KeyBytes: Int] = [:]
        var values: [[SQLValue]] = []
        var states: [[Aggregate.State]] = []
        let fresh = grouping.aggregates.map { _ in Aggregate.State() }
        var seen = 0
        // COUNT(*) of everything needs no key.
        let isScalar = grouping.keys.isEmpty
        if isScalar {
            values.append([])
            states.append(fresh)
        }
        while try input.next() {
            seen += 1
            if seen & 1023 == 0 { try environment.checkCancelled() }
            var number = 0
            if !isScalar {
                var bytes: [UInt8] = []
                var row: [SQLValue] = []
                for (index, key) in grouping.keys.enumerated() {
                    let value = try key.compiled.eval()
                    NormalizedKey.append(value, keyTypes[index], descending: false, to: &bytes)
                    row.append(value)
                }
                let key = KeyBytes(bytes)
                if let found = groups[key] { number = found } else {
                    number = values.count
                    groups[key] = number
                    values.append(row)
                    states.append(fresh)
                }
            }
            for index in grouping.aggregates.indices { try grouping.aggregates[index].add(&states[number][index]) }
        }
        results = []
        for (index, row) in values.enumerated() {
            results.append(try row + grouping.aggregates.indices.map { try grouping.aggregates[$0].result(states[index][$0]) })
        }
        position = 0
    }
    override func next() -> Bool {
        guard position < results.count else { return false }
        grouping.slot.values = results[position]
        position += 1
        return true
    }
}
