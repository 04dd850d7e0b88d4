import TDSWire

/// Three-way comparison of values of one type.
enum Comparison {
    /// nil if one of them is NULL.
    static func compare(_ a: SQLValue, _ b: SQLValue, _ type: SQLType) -> Int? {
        switch (a, b) {
        case (.null, _), (_, .null): return nil
        case (.int(let left), .int(let right)): return left < right ? -1 : left == right ? 0 : 1
        case (.string(let left), .string(let right)):
            return CollationKeys.compare(left, right, type.collation ?? .default, unicode: type.isUnicode)
        case (.bit(let left), .bit(let right)): return left == right ? 0 : right ? -1 : 1
        case (.decimal(let left), .decimal(let right)): return left.compared(to: right)
        case (.money(let left), .money(let right)): return order(left, right)
        case (.float(let left), .float(let right)): return order(left, right)
        case (.real(let left), .real(let right)): return order(left, right)
        case (.date(let left), .date(let right)): return order(left, right)
        case (.time(let left), .time(let right)): return order(left.hundredNanoseconds, right.hundredNanoseconds)
        case (.datetime(let left), .datetime(let right)): return order(left, right)
        case (.smalldatetime(let left), .smalldatetime(let right)): return order(left, right)
        case (.datetime2(let left), .datetime2(let right)): return order(left, right)
        case (.datetimeoffset(let left), .datetimeoffset(let right)): return order(left.utc, right.utc)
        case (.binary(let left), .binary(let right)): return compareBinary(left, right)
        default:
            var left: [UInt8] = [], right: [UInt8] = []
            NormalizedKey.append(a, type, descending: false, to: &left)
            NormalizedKey.append(b, type, descending: false, to: &right)
            return compareBytes(left, right)
        }
    }
    private static func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }
    private static func order(_ a: TDSDateTime2, _ b: TDSDateTime2) -> Int {
        a.date == b.date ? order(a.time.hundredNanoseconds, b.time.hundredNanoseconds) : order(a.date, b.date)
    }
    /// Binary values compare as if the shorter one was padded with zeros.
    private static func compareBinary(_ a: [UInt8], _ b: [UInt8]) -> Int {
        let count = min(a.count, b.count)
        for index in 0..<count where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
        if a.count == b.count { return 0 }
        let rest = a.count > b.count ? a[count...] : b[count...]
        if rest.allSatisfy({ $0 == 0 }) { return 0 }
        return a.count < b.count ? -1 : 1
    }
}

/// Keys as bytes: `memcmp` of two keys of the same types is the order of ORDER BY. Used for clustering, indexes, sorting, grouping and
/// hash joins alike.
enum NormalizedKey {
    static func append(_ value: SQLValue, _ type: SQLType, descending: Bool, to key: inout [UInt8]) {
        let start = key.count
        // NULL sorts first.
        if case .null = value {
            key.append(0)
        } else {
            key.append(1)
            appendValue(value, type, to: &key)
        }
        if descending { for index in start..<key.count { key[index] = ~key[index] } }
    }

    @inline(__always)
    private static func bigEndian(_ number: UInt64, _ width: Int, to key: inout [UInt8]) {
        var shift = width * 8 - 8
        while shift >= 0 {
            key.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
            shift -= 8
        }
    }
    /// Zeros are escaped, so that the end (two zeros) sorts before everything that follows.
    private static func escaped(_ bytes: [UInt8], to key: inout [UInt8]) {
        for byte in bytes {
            key.append(byte)
            if byte == 0 { key.append(0xFF) }
        }
        key.append(0)
        key.append(0)
    }

    private static func moment(_ value: TDSDateTime2, to key: inout [UInt8]) {
        bigEndian(UInt64(value.date.days), 4, to: &key)
        bigEndian(value.time.hundredNanoseconds, 8, to: &key)
    }

    private static func appendValue(_ value: SQLValue, _ type: SQLType, to key: inout [UInt8]) {
        switch value {
        case .null: break
        case .int(let number): bigEndian(UInt64(bitPattern: number) ^ (1 << 63), 8, to: &key)
        case .bit(let flag): key.append(flag ? 1 : 0)
        case .decimal(let number):
            let scaled = number.scaled(to: type.isDecimal ? type.scale : number.scale) ?? number
            let bits = UInt128(bitPattern: scaled.unscaled) ^ (UInt128(1) << 127)
            bigEndian(UInt64(truncatingIfNeeded: bits >> 64), 8, to: &key)
            bigEndian(UInt64(truncatingIfNeeded: bits), 8, to: &key)
        case .money(let amount): bigEndian(UInt64(bitPattern: amount.tenThousandths) ^ (1 << 63), 8, to: &key)
        case .float(let number):
            let bits = (number == 0 ? 0 : number).bitPattern
            bigEndian(bits >> 63 == 1 ? ~bits : bits | 1 << 63, 8, to: &key)
        case .real(let number):
            let bits = (number == 0 ? 0 : number).bitPattern
            bigEndian(UInt64(bits >> 31 == 1 ? ~bits : bits | 1 << 31), 4, to: &key)
        case .string(let text):
            var sortKey: [UInt8] = []
            CollationKeys.append(text, type.collation ?? .default, unicode: type.isUnicode, to: &sortKey)
            escaped(sortKey, to: &key)
        case .binary(let bytes):
            if type.kind == .hierarchyid {
                escaped(bytes, to: &key)
            } else {
                var trimmed = bytes
                while trimmed.last == 0 { trimmed.removeLast() }
                escaped(trimmed, to: &key)
            }
        case .date(let date): bigEndian(UInt64(date.days), 4, to: &key)
        case .time(let time): bigEndian(time.hundredNanoseconds, 8, to: &key)
        case .datetime(let value):
            bigEndian(UInt64(UInt32(bitPattern: value.days) ^ (1 << 31)), 4, to: &key)
            bigEndian(UInt64(value.ticks), 4, to: &key)
        case .smalldatetime(let value): bigEndian(UInt64(value.days) << 16 | UInt64(value.minutes), 4, to: &key)
        case .datetime2(let value): moment(value, to: &key)
        case .datetimeoffset(let value): moment(value.utc, to: &key)
        case .uniqueidentifier(let guid):
            let sorted = guid.sortKey
            bigEndian(sorted.0, 8, to: &key)
            bigEndian(sorted.1, 8, to: &key)
        case .variant(let type, let inner):
            // By type family first, then by value; numbers of one family are made comparable.
            switch type.kind {
            case .float, .real, .decimal, .numeric, .money, .smallmoney, .bigint, .int, .smallint, .tinyint, .bit:
                key.append(type.kind == .float || type.kind == .real ? 0x30 : 0x20)
                let double = (try? Conversion.convert(inner, from: type, to: .float)) ?? .float(0)
                appendValue(double, .float, to: &key)
            case .date, .datetime, .datetime2, .datetimeoffset, .smalldatetime, .time:
                key.append(0x40)
                let common = SQLType(.datetimeoffset, scale: 7)
                appendValue((try? Conversion.convert(inner, from: type, to: common)) ?? .null, common, to: &key)
            case .uniqueidentifier:
                key.append(0x15)
                appendValue(inner, type, to: &key)
            case .char, .varchar, .nchar, .nvarchar:
                key.append(0x12)
                appendValue(inner, SQLType(.nvarchar, collation: type.collation), to: &key)
            default:
                key.append(0x10)
                appendValue(inner, type, to: &key)
            }
        }
    }
}
