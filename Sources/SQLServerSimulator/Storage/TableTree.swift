/// A key in `NormalizedKey`'s form.
struct KeyBytes: Hashable, Comparable, Sendable {
    var bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    static func < (a: KeyBytes, b: KeyBytes) -> Bool { compareBytes(a.bytes, b.bytes) < 0 }
    func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

/// Rows in key order, about 16 KB of them. Never changed: a snapshot of a table is the list of its pages.
final class Page: Sendable {
    /// ROW tokens (0xD1 and the body), one after the other.
    let rows: [UInt8]
    /// Where each row ends in `rows`.
    let rowEnds: [UInt32]
    let keys: [UInt8]
    let keyEnds: [UInt32]

    init(rows: [UInt8], rowEnds: [UInt32], keys: [UInt8], keyEnds: [UInt32]) {
        self.rows = rows
        self.rowEnds = rowEnds
        self.keys = keys
        self.keyEnds = keyEnds
    }

    var count: Int { rowEnds.count }
    @inline(__always) func rowStart(_ index: Int) -> Int { index == 0 ? 0 : Int(rowEnds[index - 1]) }
    @inline(__always) func rowRange(_ index: Int) -> Range<Int> { rowStart(index)..<Int(rowEnds[index]) }
    @inline(__always) func keyRange(_ index: Int) -> Range<Int> { (index == 0 ? 0 : Int(keyEnds[index - 1]))..<Int(keyEnds[index]) }
    func key(_ index: Int) -> [UInt8] { Array(keys[keyRange(index)]) }
    func row(_ index: Int) -> [UInt8] { Array(rows[rowRange(index)]) }

    /// Order of the row's key against another key.
    func compareKey(_ index: Int, _ other: [UInt8]) -> Int {
        let range = keyRange(index)
        return keys.withUnsafeBufferPointer { own in
            other.withUnsafeBufferPointer { theirs in
                let count = min(range.count, theirs.count)
                var position = 0
                while position < count {
                    let a = own[range.lowerBound + position], b = theirs[position]
                    if a != b { return a < b ? -1 : 1 }
                    position += 1
                }
                return range.count < theirs.count ? -1 : range.count == theirs.count ? 0 : 1
            }
        }
    }
    /// First index whose key is not below `key`.
    func lowerBound(_ key: [UInt8]) -> Int {
        var low = 0, high = count
        while low < high {
            let middle = (low + high) / 2
            if compareKey(middle, key) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Collects rows into pages.
struct PageBuilder {
    static let target = 16384
    private(set) var pages: [Page] = []
    private var rows: [UInt8] = []
    private var rowEnds: [UInt32] = []
    private var keys: [UInt8] = []
    private var keyEnds: [UInt32] = []

    mutating func append(key: some Collection<UInt8>, row: some Collection<UInt8>) {
        if rows.count >= PageBuilder.target { flush() }
        rows.append(contentsOf: row)
        rowEnds.append(UInt32(rows.count))
        keys.append(contentsOf: key)
        keyEnds.append(UInt32(keys.count))
    }
    mutating func append(_ page: Page, _ index: Int) {
        append(key: page.keys[page.keyRange(index)], row: page.rows[page.rowRange(index)])
    }
    private mutating func flush() {
        if rowEnds.isEmpty { return }
        pages.append(Page(rows: rows, rowEnds: rowEnds, keys: keys, keyEnds: keyEnds))
        rows = []
        rows.reserveCapacity(PageBuilder.target + 512)
        rowEnds = []
        keys = []
        keyEnds = []
    }
    mutating func finish() -> [Page] {
        flush()
        defer { pages = [] }
        return pages
    }
}

/// A change of one row: its new ROW token, or nil where it is deleted.
struct RowDelta: Sendable {
    var key: KeyBytes
    var row: [UInt8]?
}

/// All rows of a table or an index in key order. A value: copying it is taking a snapshot.
struct TableTree: Sendable {
    private(set) var pages: [Page] = []
    private(set) var count = 0

    struct Position: Equatable {
        var page: Int
        var index: Int
    }

    init() {}
    init(pages: [Page]) {
        self.pages = pages
        count = pages.reduce(0) { $0 + $1.count }
    }

    var byteCount: Int { pages.reduce(0) { $0 + $1.rows.count } }
    var start: Position { Position(page: 0, index: 0) }
    var end: Position { Position(page: pages.count, index: 0) }

    /// The page that holds the key, or would.
    private func pageIndex(_ key: [UInt8]) -> Int {
        // Last page whose first key is not above the key.
        var low = 0, high = pages.count
        while low < high {
            let middle = (low + high) / 2
            if pages[middle].compareKey(0, key) <= 0 { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }
    /// First position whose key is not below `key`.
    func lowerBound(_ key: [UInt8]) -> Position {
        if pages.isEmpty { return end }
        let page = pageIndex(key)
        let index = pages[page].lowerBound(key)
        return index < pages[page].count ? Position(page: page, index: index) : Position(page: page + 1, index: 0)
    }
    func find(_ key: [UInt8]) -> Position? {
        let position = lowerBound(key)
        guard position.page < pages.count, pages[position.page].compareKey(position.index, key) == 0 else { return nil }
        return position
    }
    func row(_ key: [UInt8]) -> [UInt8]? {
        guard let position = find(key) else { return nil }
        return pages[position.page].row(position.index)
    }
    func next(_ position: Position) -> Position {
        var next = position
        next.index += 1
        if next.page < pages.count, next.index >= pages[next.page].count { next = Position(page: position.page + 1, index: 0) }
        return next
    }
    /// Whether the first key at or after the prefix begins with it.
    func hasPrefix(_ prefix: [UInt8]) -> Position? {
        let position = lowerBound(prefix)
        guard position.page < pages.count else { return nil }
        let page = pages[position.page]
        let range = page.keyRange(position.index)
        guard range.count >= prefix.count else { return nil }
        return page.keys[range].prefix(prefix.count).elementsEqual(prefix) ? position : nil
    }

    /// Applies changes sorted by key, each key once.
    mutating func apply(_ deltas: [RowDelta]) {
        guard let first = deltas.first else { return }
        if deltas.count == 1 {
            applyOne(first)
            return
        }
        // Rows that all come behind what is there: the usual bulk load.
        if let last = pages.last, last.compareKey(last.count - 1, first.key.bytes) < 0 {
            var builder = PageBuilder()
            let refill = last.rows.count < PageBuilder.target / 2
            if refill { for index in 0..<last.count { builder.append(last, index) } }
            for delta in deltas {
                guard let row = delta.row else { continue }
                builder.append(key: delta.key.bytes, row: row)
                count += 1
            }
            if refill { pages.removeLast() }
            pages.append(contentsOf: builder.finish())
            return
        }
        var result: [Page] = []
        result.reserveCapacity(pages.count + deltas.count / 64)
        var builder = PageBuilder()
        var next = 0
        var total = count
        func emit(_ delta: RowDelta) {
            if let row = delta.row {
                builder.append(key: delta.key.bytes, row: row)
                total += 1
            }
        }
        for (number, page) in pages.enumerated() {
            let following = number + 1 < pages.count ? pages[number + 1] : nil
            func belongs(_ delta: RowDelta) -> Bool { following.map { $0.compareKey(0, delta.key.bytes) > 0 } ?? true }
            guard next < deltas.count, belongs(deltas[next]) else {
                result.append(contentsOf: builder.finish())
                result.append(page)
                continue
            }
            var index = 0
            while next < deltas.count, belongs(deltas[next]) {
                let delta = deltas[next]
                while index < page.count, page.compareKey(index, delta.key.bytes) < 0 {
                    builder.append(page, index)
                    index += 1
                }
                if index < page.count, page.compareKey(index, delta.key.bytes) == 0 {
                    index += 1
                    total -= 1
                }
                emit(delta)
                next += 1
            }
            while index < page.count {
                builder.append(page, index)
                index += 1
            }
            result.append(contentsOf: builder.finish())
        }
        if pages.isEmpty { for delta in deltas { emit(delta) } }
        result.append(contentsOf: builder.finish())
        pages = result
        count = total
    }

    private mutating func applyOne(_ delta: RowDelta) {
        if pages.isEmpty {
            guard let row = delta.row else { return }
            var builder = PageBuilder()
            builder.append(key: delta.key.bytes, row: row)
            pages = builder.finish()
            count = 1
            return
        }
        let number = pageIndex(delta.key.bytes)
        let page = pages[number]
        let index = page.lowerBound(delta.key.bytes)
        let exists = index < page.count && page.compareKey(index, delta.key.bytes) == 0
        if delta.row == nil, !exists { return }
        var builder = PageBuilder()
        // A full page that only grows at its end stays as it is.
        if !exists, index == page.count, page.rows.count >= PageBuilder.target, let row = delta.row {
            builder.append(key: delta.key.bytes, row: row)
            pages.insert(contentsOf: builder.finish(), at: number + 1)
            count += 1
            return
        }
        for position in 0..<index { builder.append(page, position) }
        if let row = delta.row { builder.append(key: delta.key.bytes, row: row) }
        for position in (exists ? index + 1 : index)..<page.count { builder.append(page, position) }
        pages.replaceSubrange(number...number, with: builder.finish())
        count += (delta.row != nil ? 1 : 0) - (exists ? 1 : 0)
    }
}
