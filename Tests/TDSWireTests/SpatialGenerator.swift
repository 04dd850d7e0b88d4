/// Makes random shapes: a text as somebody might write it, and the canonical one.
struct SpatialGenerator {
    var random: SeededGenerator
    /// Numbers as somebody writes them and as SQL Server does.
    static let numbers = [
        ("0", "0"), ("-0", "0"), ("1", "1"), ("+1.50", "1.5"), ("-2.25", "-2.25"), ("1e1", "10"), ("89.999999999999986", "89.99999999999999"), ("0.1", "0.1"), ("1E-5", "1E-05"), ("-1.5e-10", "-1.5E-10"),
        ("0.0001", "0.0001"), (".5", "0.5"), ("7.", "7"), ("33.333333333333336", "33.333333333333336"), ("4.9e-324", "5E-324"),
    ]
    typealias Pair = (written: String, canonical: String)

    mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
    mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
    mutating func space() -> String { pick(["", " ", "  ", "\n", "\t "]) }
    mutating func cased(_ word: String) -> String { pick([word, word, word.lowercased()]) }

    /// A point; `z` is that of the arc it is in.
    mutating func point(z: Pair? = nil) -> Pair {
        let x = pick(Self.numbers), y = pick(Self.numbers)
        var pair: Pair = ("\(x.0)\(pick([" ", "  "]))\(y.0)", "\(x.1) \(y.1)")
        let z = z ?? (chance(3) ? pick(Self.numbers) : ("NULL", "NULL"))
        let m: Pair = chance(4) ? pick(Self.numbers) : ("NULL", "NULL")
        if m.canonical != "NULL" {
            pair = (pair.written + " \(z.written) \(m.written)", pair.canonical + " \(z.canonical) \(m.canonical)")
        } else if z.canonical != "NULL" {
            pair = (pair.written + " \(z.written)" + pick(["", " null"]), pair.canonical + " \(z.canonical)")
        }
        return pair
    }

    mutating func joined(_ parts: [Pair]) -> Pair {
        var written = parts[0].written
        for part in parts.dropFirst() { written += space() + "," + space() + part.written }
        return ("(" + space() + written + space() + ")", "(" + parts.map(\.canonical).joined(separator: ", ") + ")")
    }

    mutating func points(_ count: Int, from first: Pair? = nil, isArc: Bool = false, closed: Bool = false) -> [Pair] {
        let z: Pair? = isArc ? ("3", "3") : nil
        var points = (0..<count).map { _ in point(z: z) }
        if let first { points[0] = first }
        if closed { points[count - 1] = points[0] }
        return points
    }

    mutating func arcs(_ count: Int, from first: Pair? = nil, closed: Bool = false) -> Pair {
        let list = joined(points(2 * count + 1, from: first, isArc: true, closed: closed))
        return (cased("CIRCULARSTRING") + space() + list.written, "CIRCULARSTRING " + list.canonical)
    }

    /// Closed or not, of one to four parts. All have Z 3, so that arcs may begin where lines end.
    mutating func compound(closed: Bool) -> Pair {
        let count = Int.random(in: closed ? 2...4 : 1...4, using: &random)
        let start = point(z: ("3", "3"))
        var end = start
        var parts: [Pair] = []
        for index in 0..<count {
            let isArc = chance(2)
            // Enough for a ring: three points from the first part and two from the last.
            var list = points(isArc ? 2 * Int.random(in: 1...2, using: &random) + 1 : Int.random(in: 3...4, using: &random), from: end, isArc: true)
            if closed, index == count - 1 { list[list.count - 1] = start }
            end = list[list.count - 1]
            let pair = joined(list)
            parts.append(isArc ? (cased("CIRCULARSTRING") + space() + pair.written, "CIRCULARSTRING " + pair.canonical) : pair)
        }
        return joined(parts)
    }

    mutating func ring() -> Pair { joined(points(Int.random(in: 4...6, using: &random), closed: true)) }

    mutating func rings() -> Pair { joined((0..<Int.random(in: 1...3, using: &random)).map { _ in ring() }) }

    mutating func curvedRing() -> Pair {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return ring()
        case 1: return arcs(Int.random(in: 2...3, using: &random), closed: true)
        default:
            let pair = compound(closed: true)
            return (cased("COMPOUNDCURVE") + space() + pair.written, "COMPOUNDCURVE " + pair.canonical)
        }
    }

    mutating func parts(_ make: (inout SpatialGenerator) -> Pair) -> Pair {
        joined((0..<Int.random(in: 1...3, using: &random)).map { _ in chance(5) ? (cased("EMPTY"), "EMPTY") : make(&self) })
    }

    mutating func shape(depth: Int = 0) -> Pair {
        let names = ["POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "CIRCULARSTRING", "COMPOUNDCURVE", "CURVEPOLYGON", "GEOMETRYCOLLECTION"]
        let name = depth == 0 && chance(3) ? "GEOMETRYCOLLECTION" : pick(names)
        if chance(8) { return (cased(name) + " " + cased("EMPTY"), name + " EMPTY") }
        let body: Pair
        switch name {
        case "POINT": body = joined([point()])
        case "LINESTRING": body = joined(points(Int.random(in: 2...5, using: &random)))
        case "POLYGON": body = rings()
        case "MULTIPOINT":
            if chance(2) {
                let list = (0..<3).map { _ in point() }
                body = (joined(list).written, "(" + list.map { "(\($0.canonical))" }.joined(separator: ", ") + ")")
            } else {
                body = parts { $0.joined([$0.point()]) }
            }
        case "MULTILINESTRING": body = parts { $0.joined($0.points(Int.random(in: 2...4, using: &$0.random))) }
        case "MULTIPOLYGON": body = parts { $0.rings() }
        case "CIRCULARSTRING": return arcs(Int.random(in: 1...3, using: &random))
        case "COMPOUNDCURVE": body = compound(closed: false)
        case "CURVEPOLYGON": body = joined((0..<Int.random(in: 1...3, using: &random)).map { _ in curvedRing() })
        default: body = joined((0..<Int.random(in: 1...4, using: &random)).map { _ in depth > 4 ? ("POINT(1 2)", "POINT (1 2)") : shape(depth: depth + 1) })
        }
        return (cased(name) + space() + body.written, name + " " + body.canonical)
    }
}
