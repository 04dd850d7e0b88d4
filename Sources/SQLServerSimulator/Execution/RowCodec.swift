/// A table's rows between values and stored form, and the keys that they have.
struct RowCodec {
    let table: TableDef
    private let clusterKey: [(ordinal: Int, descending: Bool)]
    private let needsRowNumber: Bool
    let primaryKey: [(ordinal: Int, descending: Bool)]
    let indexes: [(index: IndexDef, keys: [(ordinal: Int, descending: Bool)])]

    init(_ table: TableDef) {
        self.table = table
        clusterKey = table.clusterKey
        needsRowNumber = table.needsRowNumber
        primaryKey = table.primaryKey.map(table.keyColumns) ?? []
        indexes = table.indexes.filter { !$0.isClustered }.map { ($0, table.keyColumns($0)) }
    }

    /// The ROW token.
    func encode(_ values: [SQLValue]) -> [UInt8] {
        var row: [UInt8] = [0xD1]
        row.reserveCapacity(32 + values.count * 8)
        for (index, column) in table.columns.enumerated() { WireForm.encode(values[index], column.type, nullable: column.isNullable, to: &row) }
        return row
    }
    func decode(_ row: [UInt8]) -> [SQLValue] {
        row.withUnsafeBytes { bytes in
            var offset = 1
            return table.columns.map { column in
                let value = WireForm.decode(bytes, offset, column.type, nullable: column.isNullable)
                offset = WireForm.end(bytes, offset, column.type, nullable: column.isNullable)
                return value
            }
        }
    }

    func normalized(_ values: [SQLValue], _ keys: [(ordinal: Int, descending: Bool)]) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(keys.count * 12)
        for item in keys { NormalizedKey.append(values[item.ordinal], table.columns[item.ordinal].type, descending: item.descending, to: &key) }
        return key
    }
    /// The clustering key; `rowNumber` gives a new number where one is part of it.
    func clusterKey(_ values: [SQLValue], rowNumber: () -> Int64) -> KeyBytes {
        var key = normalized(values, clusterKey)
        if needsRowNumber {
            let number = rowNumber()
            for shift in stride(from: 56, through: 0, by: -8) { key.append(UInt8(truncatingIfNeeded: number >> Int64(shift))) }
        }
        return KeyBytes(key)
    }
    /// The row number at the end of an old clustering key.
    func rowNumber(_ key: KeyBytes) -> Int64 {
        guard needsRowNumber else { return 0 }
        return key.bytes.suffix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    func primaryKeyColumns(_ values: [SQLValue]) -> [UInt8] {
        var bytes: [UInt8] = []
        for item in primaryKey {
            let column = table.columns[item.ordinal]
            WireForm.encode(values[item.ordinal], column.type, nullable: column.isNullable, to: &bytes)
        }
        return bytes
    }

    /// How messages about duplicate keys show a key.
    func keyText(_ values: [SQLValue], _ keys: [(ordinal: Int, descending: Bool)]) -> String {
        keys.map { item in
            let type = table.columns[item.ordinal].type
            if case .binary(let bytes) = values[item.ordinal] { return Formatting.hex(bytes).lowercased() }
            return (try? Formatting.text(values[item.ordinal], type)) ?? ""
        }.joined(separator: ", ")
    }
}
