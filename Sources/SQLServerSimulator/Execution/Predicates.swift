extension Compiler {
    func compilePredicate(_ expression: Expression) throws -> Predicate {
        switch expression {
        case .and(let left, let right):
            let a = try compilePredicate(left), b = try compilePredicate(right)
            return {
                let first = try a()
                if first == false { return false }
                let second = try b()
                if second == false { return false }
                return first == nil || second == nil ? nil : true
            }
        case .or(let left, let right):
            let a = try compilePredicate(left), b = try compilePredicate(right)
            return {
                let first = try a()
                if first == true { return true }
                let second = try b()
                if second == true { return true }
                return first == nil || second == nil ? nil : false
            }
        case .not(let inner):
            let a = try compilePredicate(inner)
            return { try a().map { !$0 } }
        case .compare(let op, let left, let right):
            let (a, b, type) = try comparison(left, right, op.text)
            return {
                guard let order = Comparison.compare(try a(), try b(), type) else { return nil }
                return op.holds(order)
            }
        case .isDistinct(let left, let right, let negated):
            let (a, b, type) = try comparison(left, right, "is distinct from")
            return {
                let first = try a(), second = try b()
                let same: Bool
                if first.isNull || second.isNull { same = first.isNull && second.isNull } else { same = Comparison.compare(first, second, type) == 0 }
                return same == negated
            }
        case .isNull(let inner, let negated):
            let value = try compile(inner).eval
            return { try value().isNull != negated }
        case .between(let value, let low, let high, let negated):
            let (a, b, lowType) = try comparison(value, low, "greater than or equal to")
            let (c, d, highType) = try comparison(value, high, "less than or equal to")
            return {
                let above = Comparison.compare(try a(), try b(), lowType).map { $0 >= 0 }
                let below = Comparison.compare(try c(), try d(), highType).map { $0 <= 0 }
                let result: Bool? = above == false || below == false ? false : above == nil || below == nil ? nil : true
                return negated ? result.map { !$0 } : result
            }
        case .inList(let value, let items, let negated): return try inList(value, items, negated)
        case .inQuery(let value, let query, let negated): return try inQuery(value, query, negated)
        case .exists(let query):
            let inner = Scope(parent: scope, collation: collation)
            let plan = try QueryPlanner(environment: environment).plan(query, scope: inner, isExists: true)
            let correlated = inner.isCorrelated
            var cached: Bool?
            return {
                if let cached { return cached }
                try plan.open()
                let found = try plan.next()
                if !correlated { cached = found }
                return found
            }
        case .like(let value, let pattern, let escape, let negated): return try like(value, pattern, escape, negated)
        case .quantified(let op, let value, let all, let query): return try quantified(op, value, all, query)
        case .function(let call) where call.name.uppercased() == "UPDATE": throw Messages.notAFunction("UPDATE")
        default: throw Messages.notBoolean(nearText(expression), line: 0)
        }
    }

    private func nearText(_ expression: Expression) -> String {
        switch expression {
        case .column(let parts): return parts.last ?? ""
        case .variable(let name): return name
        case .literal(.int(let number), _): return String(number)
        default: return ")"
        }
    }

    /// Both sides of a comparison, made comparable, and the type that they are compared as.
    func comparison(_ left: Expression, _ right: Expression, _ operation: String) throws -> (() throws -> SQLValue, () throws -> SQLValue, SQLType) {
        let a = try compile(left), b = try compile(right)
        let type = try comparisonType(a, b, operation)
        return (a.comparable(as: type, environment: environment).eval, b.comparable(as: type, environment: environment).eval, type)
    }

    func comparisonType(_ a: Compiled, _ b: Compiled, _ operation: String) throws -> SQLType {
        for side in [a, b] {
            switch side.type.kind {
            case .text, .ntext, .image:
                if a.type.kind != .null, b.type.kind != .null {
                    throw Messages.incompatible(a.type.name, b.type.name, operation)
                }
            case .xml: throw Messages.notComparable("XML")
            default: break
            }
        }
        var type = TypeRules.common(a.type, b.type)
        // What can't be converted is found out before any row is read.
        for (side, other) in [(a.type, b.type), (b.type, a.type)] where side.kind != .null {
            if side.isTemporal, other.isNumeric, side.kind != .datetime, side.kind != .smalldatetime { throw Messages.clash(side.name, other.name) }
            if side.kind == .uniqueidentifier, other.isNumeric || other.isTemporal { throw Messages.clash(other.name, side.name) }
            if side.kind == .date, other.kind == .time { throw Messages.incompatible(a.type.name, b.type.name, operation) }
        }
        if type.isCharacter {
            if a.type.isCharacter, b.type.isCharacter, let first = a.type.collation, let second = b.type.collation, first != second,
                a.hasExplicitCollation == b.hasExplicitCollation {
                throw Messages.collationConflict(first.name, second.name, operation)
            }
            type.collation = a.hasExplicitCollation ? a.type.collation : b.hasExplicitCollation ? b.type.collation : a.type.collation ?? b.type.collation
        }
        return settled(type)
    }

    private func inList(_ value: Expression, _ items: [Expression], _ negated: Bool) throws -> Predicate {
        let subject = try compile(value)
        let compiled = try items.map { try compile($0) }
        var type = subject.type
        for item in compiled { type = try comparisonType(Compiled(type: type) { .null }, item, "equal to") }
        if subject.hasExplicitCollation { type.collation = subject.type.collation }
        type = settled(type)
        let eval = subject.comparable(as: type, environment: environment).eval
        // Long lists of constants are looked up by key.
        if compiled.count > 4, compiled.allSatisfy({ $0.constant != nil }) {
            var keys = Set<KeyBytes>()
            var hasNull = false
            for item in compiled {
                let value = try item.comparable(as: type, environment: environment).eval()
                if value.isNull {
                    hasNull = true
                    continue
                }
                keys.insert(key(value, type))
            }
            return {
                let value = try eval()
                if value.isNull { return nil }
                if keys.contains(self.key(value, type)) { return !negated }
                return hasNull ? nil : negated
            }
        }
        let candidates = compiled.map { $0.comparable(as: type, environment: environment).eval }
        return {
            let value = try eval()
            if value.isNull { return nil }
            var unknown = false
            for candidate in candidates {
                guard let order = Comparison.compare(value, try candidate(), type) else {
                    unknown = true
                    continue
                }
                if order == 0 { return !negated }
            }
            return unknown ? nil : negated
        }
    }
    func key(_ value: SQLValue, _ type: SQLType) -> KeyBytes {
        var bytes: [UInt8] = []
        NormalizedKey.append(value, type, descending: false, to: &bytes)
        return KeyBytes(bytes)
    }

    private func inQuery(_ value: Expression, _ query: Query, _ negated: Bool) throws -> Predicate {
        let subject = try compile(value)
        let inner = Scope(parent: scope, collation: collation)
        let plan = try QueryPlanner(environment: environment).plan(query, scope: inner)
        guard plan.columns.count == 1 else { throw Messages.oneExpression }
        let item = Compiled(type: plan.columns[0].type) { plan.value(0) }
        let type = try comparisonType(subject, item, "equal to")
        let eval = subject.comparable(as: type, environment: environment).eval
        let candidate = item.comparable(as: type, environment: environment).eval
        let correlated = inner.isCorrelated
        var cached: (keys: Set<KeyBytes>, hasNull: Bool)?
        return {
            let value = try eval()
            let set: (keys: Set<KeyBytes>, hasNull: Bool)
            if let cached { set = cached } else {
                var keys = Set<KeyBytes>()
                var hasNull = false
                try plan.open()
                while try plan.next() {
                    let found = try candidate()
                    if found.isNull { hasNull = true } else { keys.insert(self.key(found, type)) }
                }
                set = (keys, hasNull)
                if !correlated { cached = set }
            }
            if set.keys.isEmpty, !set.hasNull { return negated }
            if value.isNull { return nil }
            if set.keys.contains(self.key(value, type)) { return !negated }
            return set.hasNull ? nil : negated
        }
    }

    private func quantified(_ op: ComparisonOperator, _ value: Expression, _ all: Bool, _ query: Query) throws -> Predicate {
        let subject = try compile(value)
        let inner = Scope(parent: scope, collation: collation)
        let plan = try QueryPlanner(environment: environment).plan(query, scope: inner)
        guard plan.columns.count == 1 else { throw Messages.oneExpression }
        let item = Compiled(type: plan.columns[0].type) { plan.value(0) }
        let type = try comparisonType(subject, item, op.text)
        let eval = subject.comparable(as: type, environment: environment).eval
        let candidate = item.comparable(as: type, environment: environment).eval
        return {
            let value = try eval()
            try plan.open()
            var unknown = false
            while try plan.next() {
                guard let order = Comparison.compare(value, try candidate(), type) else {
                    unknown = true
                    continue
                }
                if op.holds(order) != all { return !all }
            }
            return unknown ? nil : all
        }
    }

    private func like(_ value: Expression, _ pattern: Expression, _ escape: Expression?, _ negated: Bool) throws -> Predicate {
        let subject = try compile(value), wanted = try compile(pattern)
        let escapeValue = try escape.map { try compile($0).eval }
        for side in [subject, wanted] where side.type.kind == .image || side.type.kind == .xml { throw Messages.clash(side.type.name, "varchar") }
        let text = SQLType(.nvarchar, length: -1)
        var type = settled(TypeRules.common(subject.type.isCharacter ? subject.type : text, wanted.type.isCharacter ? wanted.type : text))
        if subject.hasExplicitCollation, let own = subject.type.collation { type.collation = own }
        if wanted.hasExplicitCollation, let own = wanted.type.collation { type.collation = own }
        let used = type.collation ?? collation
        let unicode = type.isUnicode
        let a = subject.type.isCharacter ? subject.eval : subject.converted(to: text, environment: environment).eval
        let b = wanted.type.isCharacter ? wanted.eval : wanted.converted(to: text, environment: environment).eval
        var last: (String, LikePattern)?
        return {
            guard case .string(let content) = try a(), case .string(let source) = try b() else { return nil }
            var escapeCharacter: Character?
            if let escapeValue {
                guard case .string(let text) = try escapeValue() else { return nil }
                guard text.count == 1 else {
                    throw SQLServerMessage(number: 506, severity: 16, text: "The invalid escape character \"\(text)\" was specified in a LIKE predicate.")
                }
                escapeCharacter = text.first
            }
            let compiled: LikePattern
            if let last, last.0 == source, escapeCharacter == nil { compiled = last.1 } else {
                compiled = LikePattern(source, escape: escapeCharacter, collation: used, unicode: unicode)
                last = (source, compiled)
            }
            return compiled.matches(content) != negated
        }
    }
}

/// A LIKE pattern: `%`, `_`, `[a-z]`, `[^a-z]`.
struct LikePattern {
    private enum Element {
        case literal([UInt8])
        case one
        case many
        case set([(low: [UInt8], high: [UInt8])], negated: Bool)
    }
    private var elements: [Element] = []
    private let collation: SQLCollation
    private let unicode: Bool

    init(_ pattern: String, escape: Character?, collation: SQLCollation, unicode: Bool) {
        self.collation = collation
        self.unicode = unicode
        let characters = Array(pattern)
        var index = 0
        while index < characters.count {
            let c = characters[index]
            if c == escape, index + 1 < characters.count {
                elements.append(.literal(weight(characters[index + 1])))
                index += 2
                continue
            }
            switch c {
            case "%": elements.append(.many)
            case "_": elements.append(.one)
            case "[":
                guard let close = characters[(index + 1)...].dropFirst(characters.count > index + 1 && characters[index + 1] == "]" ? 1 : 0).firstIndex(of: "]") else {
                    elements.append(.literal(weight(c)))
                    break
                }
                var content = Array(characters[(index + 1)..<close])
                let negated = content.first == "^"
                if negated { content.removeFirst() }
                var ranges: [(low: [UInt8], high: [UInt8])] = []
                var position = 0
                while position < content.count {
                    if position + 2 < content.count, content[position + 1] == "-" {
                        ranges.append((weight(content[position]), weight(content[position + 2])))
                        position += 3
                    } else {
                        ranges.append((weight(content[position]), weight(content[position])))
                        position += 1
                    }
                }
                elements.append(.set(ranges, negated: negated))
                index = close
            default: elements.append(.literal(weight(c)))
            }
            index += 1
        }
    }

    private func weight(_ character: Character) -> [UInt8] {
        // A blank has to keep its weight, which trailing blanks don't.
        if character == " " { return [0xFF, 0x20] }
        return CollationKeys.key(String(character), collation, unicode: unicode)
    }

    func matches(_ text: String) -> Bool {
        let characters = text.map { weight($0) }
        return match(characters, 0, 0)
    }

    private func match(_ text: [[UInt8]], _ start: Int, _ first: Int) -> Bool {
        var position = start, element = first
        var retry: (position: Int, element: Int)?
        while true {
            if element < elements.count, case .many = elements[element] {
                retry = (position, element + 1)
                element += 1
                continue
            }
            if element == elements.count {
                // Blanks behind the pattern's end don't matter.
                if position == text.count || (text[position...].allSatisfy { $0 == [0xFF, 0x20] } && !unicode) { return true }
            } else if position < text.count, matchOne(elements[element], text[position]) {
                position += 1
                element += 1
                continue
            }
            guard let again = retry, again.position < text.count else { return false }
            retry = (again.position + 1, again.element)
            position = again.position + 1
            element = again.element
        }
    }
    private func matchOne(_ element: Element, _ weight: [UInt8]) -> Bool {
        switch element {
        case .literal(let wanted): return wanted == weight
        case .one: return true
        case .many: return false
        case .set(let ranges, let negated):
            let inside = ranges.contains { compareBytes($0.low, weight) <= 0 && compareBytes(weight, $0.high) <= 0 }
            return inside != negated
        }
    }
}
