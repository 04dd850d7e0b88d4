/// An expression, ready to be evaluated against the current rows of the slots that it reads.
struct Compiled {
    var type: SQLType
    var isNullable: Bool
    /// The value, where it never changes.
    var constant: SQLValue?
    /// The column, where it is just one.
    var column: (source: SourceBinding, ordinal: Int)?
    /// COLLATE was given: wins over a column's collation.
    var hasExplicitCollation = false
    var eval: () throws -> SQLValue

    init(
        type: SQLType, isNullable: Bool = true, constant: SQLValue? = nil, column: (source: SourceBinding, ordinal: Int)? = nil,
        eval: @escaping () throws -> SQLValue
    ) {
        self.type = type
        self.isNullable = isNullable
        self.constant = constant
        self.column = column
        self.eval = eval
    }
    static func constant(_ value: SQLValue, _ type: SQLType) -> Compiled {
        Compiled(type: type, isNullable: value.isNull, constant: value) { value }
    }

    /// Whether values of one type can be taken for another's when they are only compared.
    static func isComparable(_ from: SQLType, _ to: SQLType) -> Bool {
        if from.kind == to.kind { return true }
        if from.isInteger, to.isInteger { return true }
        if from.isDecimal, to.isDecimal { return true }
        if from.isCharacter, to.isCharacter { return true }
        if from.isBinary, to.isBinary { return true }
        if (from.kind == .money || from.kind == .smallmoney), to.kind == .money { return true }
        return from.kind == .null
    }

    /// Converted for an assignment or a result. The same length and kind need nothing.
    func converted(to target: SQLType, environment: Environment) -> Compiled {
        if target.kind == .null || type == target { return self }
        let from = type
        let sameShape =
            from.kind == target.kind
            && (!target.isCharacter || (target.kind == .varchar || target.kind == .nvarchar) && (target.isMax || (!from.isMax && from.length <= target.length)))
            && !target.isBinary && from.precision == target.precision && from.scale == target.scale
        if sameShape || from.kind == .null {
            var copy = self
            copy.type = target
            return copy
        }
        let eval = self.eval
        let order = environment.session.settings.dateOrder
        if let constant, let value = try? Conversion.convert(constant, from: from, to: target, dateOrder: order) {
            var result = Compiled.constant(value, target)
            result.hasExplicitCollation = hasExplicitCollation
            return result
        }
        return Compiled(type: target, isNullable: isNullable) {
            try Conversion.convert(try eval(), from: from, to: target, dateOrder: order)
        }
    }
    /// Converted so that it can be compared with values of `target`.
    func comparable(as target: SQLType, environment: Environment) -> Compiled {
        if Compiled.isComparable(type, target) {
            var copy = self
            copy.type = target
            return copy
        }
        var wide = target
        // Text is compared in full, whatever the other side's length.
        if wide.isCharacter || wide.isBinary { wide.length = -1 }
        if wide.kind == .char { wide.kind = .varchar } else if wide.kind == .nchar { wide.kind = .nvarchar } else if wide.kind == .binary { wide.kind = .varbinary }
        var result = converted(to: wide, environment: environment)
        result.type = target
        return result
    }
}

/// A predicate: nil is UNKNOWN.
typealias Predicate = () throws -> Bool?
