import NIOCore

/// A query, ready to run. `next` makes a row current, `value` and `copy` read it.
class QueryPlan {
    var columns: [ResultColumn] = []
    func open() throws {}
    func next() throws -> Bool { false }
    func value(_ index: Int) -> SQLValue { .null }
    func copy(into slot: Slot) {
        for index in columns.indices { slot.values[index] = value(index) }
    }
    var row: [SQLValue] { columns.indices.map { value($0) } }
    /// Where rows can be copied as they are stored: the scan, and which of its columns in which order (nil: all as they are).
    var direct: (scan: TableScan, columns: [Int]?)? { nil }
    /// The columns, from 1, that ORDER BY names: what the ORDER token tells.
    var sortedColumns: [UInt16] { [] }
    /// Rows that may still be given out (TOP), where `direct` is used.
    var remaining: Int { Int.max }
    func consumed(_ count: Int) {}
}

/// A SELECT: source, projection, DISTINCT, ORDER BY, TOP and OFFSET.
final class SelectPlan: QueryPlan {
    let source: RowSource
    let outputs: [Compiled]
    let environment: Environment
    var isDistinct = false
    var order: [(value: Compiled, descending: Bool)] = []
    /// For each item of ``order`` the index of the output that it is; nil for one that isn't in the select list.
    var orderOutputs: [Int?] = []
    override var sortedColumns: [UInt16] { orderOutputs.prefix { $0 != nil }.compactMap { $0.map { UInt16(clamping: $0 + 1) } } }
    /// Rows come in the wanted order already.
    var isOrdered = false
    var top: (() throws -> Int?)?
    var topPercent: (() throws -> Double)?
    var withTies = false
    var offset: (() throws -> Int)?
    /// Column of the scan for each output, where all outputs are plain columns of one table.
    var directColumns: [Int]?
    /// Of a SELECT that assigns to variables: where its sources keep their rows. Sorted rows are then computed one after the other, when they
    /// are asked for, because an expression may use what the row before has assigned (`@list = @list + name`).
    var assigningSlots: [Slot] = []
    private var saved: [[[SQLValue]]] = []

    private var current: [SQLValue] = []
    private var rows: [[SQLValue]]?
    private var position = 0
    private var left = Int.max
    private var skip = 0
    private var seen: Set<KeyBytes> = []

    init(source: RowSource, outputs: [Compiled], columns: [ResultColumn], environment: Environment) {
        self.source = source
        self.outputs = outputs
        self.environment = environment
        super.init()
        self.columns = columns
    }

    private var mustSort: Bool { !order.isEmpty && !isOrdered }

    override func open() throws {
        rows = nil
        position = 0
        seen = []
        left = try top?() ?? Int.max
        skip = try offset?() ?? 0
        try source.open()
        guard mustSort || topPercent != nil || withTies else { return }
        var keyed: [(key: [UInt8], row: [SQLValue], sequence: Int)] = []
        saved = []
        while try source.next() {
            let row = assigningSlots.isEmpty ? try outputs.map { try $0.eval() } : []
            if !assigningSlots.isEmpty { saved.append(assigningSlots.map(\.values)) }
            if isDistinct, !seen.insert(distinctKey(row)).inserted { continue }
            var key: [UInt8] = []
            for item in order { NormalizedKey.append(try item.value.eval(), item.value.type, descending: item.descending, to: &key) }
            keyed.append((key, row, keyed.count))
        }
        if mustSort { keyed.sort { 
            let order = compareBytes($0.key, $1.key)
            return order != 0 ? order < 0 : $0.sequence < $1.sequence
        } }
        if let topPercent { left = Int((Double(keyed.count) * (try topPercent()) / 100).rounded(.up)) }
        if withTies, left > 0, left < keyed.count {
            let last = keyed[left - 1].key
            while left < keyed.count, compareBytes(keyed[left].key, last) == 0 { left += 1 }
        }
        rows = keyed.map(\.row)
        if !saved.isEmpty { saved = keyed.map { saved[$0.sequence] } }
        position = min(skip, keyed.count)
    }

    private func distinctKey(_ row: [SQLValue]) -> KeyBytes {
        var key: [UInt8] = []
        for (index, value) in row.enumerated() { NormalizedKey.append(value, columns[index].type, descending: false, to: &key) }
        return KeyBytes(key)
    }

    override func next() throws -> Bool {
        if left <= 0 { return false }
        if let rows {
            guard position < rows.count else { return false }
            if saved.isEmpty {
                current = rows[position]
            } else {
                for (slot, values) in zip(assigningSlots, saved[position]) { slot.values = values }
                current = try outputs.map { try $0.eval() }
            }
            position += 1
            left -= 1
            return true
        }
        while try source.next() {
            if isDistinct {
                let row = try outputs.map { try $0.eval() }
                if !seen.insert(distinctKey(row)).inserted { continue }
                if skip > 0 {
                    skip -= 1
                    continue
                }
                current = row
            } else {
                if skip > 0 {
                    skip -= 1
                    continue
                }
                var row: [SQLValue] = []
                row.reserveCapacity(outputs.count)
                for output in outputs { row.append(try output.eval()) }
                current = row
            }
            left -= 1
            return true
        }
        return false
    }
    override func value(_ index: Int) -> SQLValue { current[index] }
    override func copy(into slot: Slot) { slot.values = current }
    override var row: [SQLValue] { current }

    override var direct: (scan: TableScan, columns: [Int]?)? {
        guard rows == nil, !isDistinct, skip == 0, let directColumns, let scan = source as? TableScan, !mustSort else { return nil }
        return (scan, directColumns.elementsEqual(0..<scan.table.columns.count) ? nil : directColumns)
    }
    override var remaining: Int { max(0, left) }
    override func consumed(_ count: Int) { left -= count }
}

/// UNION, INTERSECT and EXCEPT.
final class CombinedPlan: QueryPlan {
    private let op: SetOperator
    private let first: QueryPlan, second: QueryPlan
    private let firstConversions: [(SQLType, SQLType)], secondConversions: [(SQLType, SQLType)]
    private var current: [SQLValue] = []
    private var onSecond = false
    private var seen: Set<KeyBytes> = []
    private var other: Set<KeyBytes> = []

    init(_ op: SetOperator, _ first: QueryPlan, _ second: QueryPlan, columns: [ResultColumn]) {
        self.op = op
        self.first = first
        self.second = second
        firstConversions = zip(first.columns, columns).map { ($0.type, $1.type) }
        secondConversions = zip(second.columns, columns).map { ($0.type, $1.type) }
        super.init()
        self.columns = columns
    }
    private func key(_ row: [SQLValue]) -> KeyBytes {
        var key: [UInt8] = []
        for (index, value) in row.enumerated() { NormalizedKey.append(value, columns[index].type, descending: false, to: &key) }
        return KeyBytes(key)
    }
    private func converted(_ row: [SQLValue], _ conversions: [(SQLType, SQLType)]) throws -> [SQLValue] {
        var result = row
        for (index, pair) in conversions.enumerated() where pair.0 != pair.1 { result[index] = try Conversion.convert(row[index], from: pair.0, to: pair.1) }
        return result
    }
    override func open() throws {
        onSecond = false
        seen = []
        other = []
        if op == .intersect || op == .except {
            try second.open()
            while try second.next() { other.insert(key(try converted(second.row, secondConversions))) }
        }
        try first.open()
    }
    override func next() throws -> Bool {
        while true {
            if !onSecond {
                if try first.next() {
                    let row = try converted(first.row, firstConversions)
                    switch op {
                    case .unionAll: break
                    case .union: if !seen.insert(key(row)).inserted { continue }
                    case .intersect:
                        let key = key(row)
                        if !other.contains(key) || !seen.insert(key).inserted { continue }
                    case .except:
                        let key = key(row)
                        if other.contains(key) || !seen.insert(key).inserted { continue }
                    }
                    current = row
                    return true
                }
                if op == .intersect || op == .except { return false }
                onSecond = true
                try second.open()
            }
            guard try second.next() else { return false }
            let row = try converted(second.row, secondConversions)
            if op == .union, !seen.insert(key(row)).inserted { continue }
            current = row
            return true
        }
    }
    override func value(_ index: Int) -> SQLValue { current[index] }
    override var row: [SQLValue] { current }
}

/// ORDER BY and OFFSET of a combined query, by output columns.
final class SortedPlan: QueryPlan {
    private let input: QueryPlan
    private let order: [(index: Int, descending: Bool)]
    private let offset: (() throws -> Int)?
    private let fetch: (() throws -> Int?)?
    private var rows: [[SQLValue]] = []
    private var position = -1
    private var end = 0
    init(_ input: QueryPlan, order: [(index: Int, descending: Bool)], offset: (() throws -> Int)?, fetch: (() throws -> Int?)?) {
        self.input = input
        self.order = order
        self.offset = offset
        self.fetch = fetch
        super.init()
        columns = input.columns
    }
    override var sortedColumns: [UInt16] { order.map { UInt16(clamping: $0.index + 1) } }

    override func open() throws {
        try input.open()
        var keyed: [(key: [UInt8], row: [SQLValue])] = []
        while try input.next() {
            let row = input.row
            var key: [UInt8] = []
            for item in order { NormalizedKey.append(row[item.index], columns[item.index].type, descending: item.descending, to: &key) }
            keyed.append((key, row))
        }
        if !order.isEmpty { keyed.sort { compareBytes($0.key, $1.key) < 0 } }
        rows = keyed.map(\.row)
        let skip = try offset?() ?? 0
        position = min(skip, rows.count) - 1
        end = min(rows.count, position + 1 + (try fetch?() ?? rows.count))
    }
    override func next() -> Bool {
        position += 1
        return position < end
    }
    override func value(_ index: Int) -> SQLValue { rows[position][index] }
    override var row: [SQLValue] { rows[position] }
}

/// WITH t AS (anchor UNION ALL step).
final class RecursivePlan: QueryPlan {
    private let anchor: QueryPlan, step: QueryPlan
    private let table: RecursiveTable
    private var rows: [[SQLValue]] = []
    private var position = -1
    init(anchor: QueryPlan, step: QueryPlan, table: RecursiveTable) {
        self.anchor = anchor
        self.step = step
        self.table = table
        super.init()
        columns = anchor.columns
    }
    override func open() throws {
        rows = []
        position = -1
        try anchor.open()
        while try anchor.next() { rows.append(anchor.row) }
        var last = rows
        var level = 0
        while !last.isEmpty {
            level += 1
            if level > 100 {
                throw SQLServerMessage(
                    number: 530, severity: 16, text: "The statement terminated. The maximum recursion 100 has been exhausted before statement completion.")
            }
            table.rows = last
            last = []
            try step.open()
            while try step.next() {
                var row = step.row
                for index in row.indices where step.columns[index].type != columns[index].type {
                    row[index] = try Conversion.convert(row[index], from: step.columns[index].type, to: columns[index].type)
                }
                last.append(row)
            }
            rows += last
        }
    }
    override func next() -> Bool {
        position += 1
        return position < rows.count
    }
    override func value(_ index: Int) -> SQLValue { rows[position][index] }
    override var row: [SQLValue] { rows[position] }
}
