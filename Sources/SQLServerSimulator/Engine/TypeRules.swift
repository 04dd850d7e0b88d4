/// Which type an expression has: precedence, and the precision and scale rules of decimal arithmetic
/// (Microsoft Learn, "Data type precedence" and "Precision, scale, and length").
enum TypeRules {
    static func rank(_ kind: SQLType.Kind) -> Int {
        switch kind {
        case .hierarchyid: return 40
        case .variant: return 39
        case .xml: return 38
        case .datetimeoffset: return 37
        case .datetime2: return 36
        case .datetime: return 35
        case .smalldatetime: return 34
        case .date: return 33
        case .time: return 32
        case .float: return 31
        case .real: return 30
        case .decimal, .numeric: return 29
        case .money: return 28
        case .smallmoney: return 27
        case .bigint: return 26
        case .int: return 25
        case .smallint: return 24
        case .tinyint: return 23
        case .bit: return 22
        case .ntext: return 21
        case .text: return 20
        case .image: return 19
        case .rowversion: return 18
        case .uniqueidentifier: return 17
        case .nvarchar: return 16
        case .nchar: return 15
        case .varchar: return 14
        case .char: return 13
        case .varbinary: return 12
        case .binary: return 11
        case .null: return 0
        }
    }

    /// An exact number's type as a decimal.
    static func asDecimal(_ type: SQLType) -> (precision: Int, scale: Int)? {
        switch type.kind {
        case .decimal, .numeric: return (Int(type.precision), Int(type.scale))
        case .tinyint: return (3, 0)
        case .smallint: return (5, 0)
        // `precision` is set for literals: as many digits as were written.
        case .int: return (type.precision > 0 ? Int(type.precision) : 10, 0)
        case .bigint: return (19, 0)
        case .bit: return (1, 0)
        case .money: return (19, 4)
        case .smallmoney: return (10, 4)
        default: return nil
        }
    }

    /// The type that both sides of a comparison, or all branches of CASE, UNION and COALESCE are converted to.
    static func common(_ a: SQLType, _ b: SQLType) -> SQLType {
        if a.kind == .null { return b }
        if b.kind == .null { return a }
        if a == b { return a }
        if a.isDecimal || b.isDecimal, let left = asDecimal(a), let right = asDecimal(b) {
            let scale = max(left.scale, right.scale)
            let whole = max(left.precision - left.scale, right.precision - right.scale)
            return SQLType(a.kind == .decimal || b.kind == .decimal ? .decimal : .numeric, precision: UInt8(min(38, whole + scale)), scale: UInt8(min(scale, max(0, 38 - whole))))
        }
        if a.isCharacter, b.isCharacter {
            var kind = rank(a.kind) >= rank(b.kind) ? a.kind : b.kind
            if a.isUnicode != b.isUnicode {
                let isFixed = a.kind == .nchar || b.kind == .nchar
                if kind != .ntext, kind != .text { kind = isFixed && (a.kind == .char || b.kind == .char) ? .nchar : .nvarchar }
            } else if kind != .text, kind != .ntext, a.kind != b.kind {
                kind = a.isUnicode ? .nvarchar : .varchar
            }
            let length = a.isMax || b.isMax ? -1 : max(a.length, b.length)
            var type = SQLType(kind, length: length, collation: a.collation ?? b.collation)
            type.isSysname = a.isSysname && b.isSysname
            return type
        }
        if a.isBinary, b.isBinary {
            let high = rank(a.kind) >= rank(b.kind) ? a : b
            if high.kind == .image { return high }
            let first = a.kind == .rowversion ? 8 : a.length, second = b.kind == .rowversion ? 8 : b.length
            return SQLType(a.kind == .binary && b.kind == .binary ? .binary : .varbinary, length: a.isMax || b.isMax ? -1 : max(first, second))
        }
        if a.kind == b.kind {
            // Temporal types of different scale.
            return a.scale >= b.scale ? a : b
        }
        var high = rank(a.kind) >= rank(b.kind) ? a : b
        let low = rank(a.kind) >= rank(b.kind) ? b : a
        if high.isCharacter, !low.isCharacter, high.length > 0, high.length < 8000 { high.length = max(high.length, 30) }
        return high
    }

    static func result(_ op: BinaryOperator, _ a: SQLType, _ b: SQLType) throws -> SQLType {
        switch op {
        case .bitAnd, .bitOr, .bitXor:
            let type = common(a, b)
            if type.isInteger || type.kind == .bit { return type }
            if type.isBinary || type.isCharacter, a.isInteger || b.isInteger { return a.isInteger ? a : b }
            throw Messages.incompatible(a.name, b.name, op.rawValue)
        default: break
        }
        if a.kind == .null, b.kind == .null { return .int }
        let left = a.kind == .null ? b : a, right = b.kind == .null ? a : b
        if left.isCharacter, right.isCharacter {
            guard op == .add else { throw Messages.incompatible(left.name, right.name, op.rawValue) }
            if left.kind == .text || left.kind == .ntext || right.kind == .text || right.kind == .ntext {
                throw Messages.incompatible(left.name, right.name, op.rawValue)
            }
            let unicode = left.isUnicode || right.isUnicode
            let limit = unicode ? 4000 : 8000
            let total = left.isMax || right.isMax ? -1 : min(limit, left.length + right.length)
            return SQLType(unicode ? .nvarchar : .varchar, length: total, collation: left.collation ?? right.collation)
        }
        if left.isBinary, right.isBinary {
            guard op == .add else { throw Messages.incompatible(left.name, right.name, op.rawValue) }
            return SQLType(.varbinary, length: left.isMax || right.isMax ? -1 : min(8000, left.length + right.length))
        }
        if left.kind == .datetime || left.kind == .smalldatetime || right.kind == .datetime || right.kind == .smalldatetime {
            guard op == .add || op == .subtract else { throw Messages.invalidForOperator(left.isTemporal ? left.name : right.name, op.rawValue) }
            for type in [left, right] where type.kind == .date || type.kind == .time || type.kind == .datetime2 || type.kind == .datetimeoffset {
                throw Messages.incompatible(left.name, right.name, op.rawValue)
            }
            return left.kind == .datetime || right.kind == .datetime ? .datetime : SQLType(.smalldatetime)
        }
        if left.isTemporal || right.isTemporal {
            if left.isTemporal, right.isTemporal { throw Messages.invalidForOperator(left.name, op.rawValue) }
            let (date, other) = left.isTemporal ? (left, right) : (right, left)
            throw Messages.clash(other.isCharacter ? other.name : date.name, other.isCharacter ? date.name : other.name)
        }
        for type in [left, right] where type.kind == .uniqueidentifier || type.kind == .xml || type.kind == .hierarchyid || type.kind == .image {
            throw Messages.invalidForOperator(type.name, op.rawValue)
        }
        if left.kind == .variant || right.kind == .variant { throw Messages.implicitConversion("sql_variant", left.kind == .variant ? right.name : left.name) }
        if left.kind == .float || right.kind == .float { return op == .modulo ? try noModulo(left, right) : .float }
        if left.kind == .real || right.kind == .real {
            if op == .modulo { return try noModulo(left, right) }
            // real with a decimal or a larger integer is float.
            let other = left.kind == .real ? right : left
            return other.kind == .real || other.isInteger || other.isCharacter || other.kind == .bit ? .real : .float
        }
        if left.isDecimal || right.isDecimal, let l = asDecimal(left), let r = asDecimal(right) { return decimal(op, l, r) }
        if left.isDecimal { return left }
        if right.isDecimal { return right }
        let type = common(left, right)
        if type.kind == .bit { throw Messages.incompatible("bit", "bit", op.rawValue) }
        if type.isBinary {
            throw Messages.invalidForOperator(type.name, op.rawValue)
        }
        var plain = type
        if plain.kind == .int { plain.precision = 0 }
        return plain
    }
    private static func noModulo(_ a: SQLType, _ b: SQLType) throws -> SQLType { throw Messages.incompatible(a.name, b.name, "modulo") }

    static func decimal(_ op: BinaryOperator, _ a: (precision: Int, scale: Int), _ b: (precision: Int, scale: Int)) -> SQLType {
        var precision: Int, scale: Int
        switch op {
        case .multiply:
            precision = a.precision + b.precision + 1
            scale = a.scale + b.scale
        case .divide:
            scale = max(6, a.scale + b.precision + 1)
            precision = a.precision - a.scale + b.scale + scale
        case .modulo:
            scale = max(a.scale, b.scale)
            precision = min(a.precision - a.scale, b.precision - b.scale) + scale
        default:
            scale = max(a.scale, b.scale)
            precision = max(a.precision - a.scale, b.precision - b.scale) + scale + 1
        }
        if precision > 38 {
            let whole = precision - scale
            if op == .add || op == .subtract {
                scale = max(0, min(scale, 38 - max(a.precision - a.scale, b.precision - b.scale)))
            } else {
                scale = whole < 32 ? min(scale, 38 - whole) : min(scale, 6)
            }
            precision = 38
        }
        return SQLType(.numeric, precision: UInt8(max(1, precision)), scale: UInt8(scale))
    }
}
