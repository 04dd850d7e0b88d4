/// Reads well-known text into the parts of a serialised shape.
///
/// SQL Server's grammar ("geometry::STGeomFromText", "Spatial Types Overview" and the pages of the shapes): names in any case, up to four numbers a
/// point, `NULL` for a missing Z or M. Besides, what SQL Server refuses and ISO 19125 and PostGIS write: the tags Z, M and ZM behind a name.
struct WellKnownTextParser {
    /// What the numbers behind X and Y are.
    private enum Ordinates {
        /// Not said: Z if there is a third, M if there is a fourth.
        case free
        case z, m, zm
    }

    private let text: [UInt8]
    private let kind: TDSSpatial.Kind
    private var position = 0
    private(set) var parts = SpatialParts()

    init(_ text: some StringProtocol, _ kind: TDSSpatial.Kind) {
        self.text = Array(text.utf8)
        self.kind = kind
    }

    mutating func parse() throws(WellKnownTextError) {
        try shape(parent: -1, depth: 0, .free)
        skipSpace()
        guard position == text.count else { throw unexpected("the end") }
    }

    // MARK: Shapes

    private static let names: [String: SpatialParts.ShapeType] = [
        "POINT": .point, "LINESTRING": .lineString, "POLYGON": .polygon, "MULTIPOINT": .multiPoint, "MULTILINESTRING": .multiLineString,
        "MULTIPOLYGON": .multiPolygon, "GEOMETRYCOLLECTION": .geometryCollection, "CIRCULARSTRING": .circularString,
        "COMPOUNDCURVE": .compoundCurve, "CURVEPOLYGON": .curvePolygon, "FULLGLOBE": .fullGlobe,
    ]
    private static let tags: [(String, Ordinates)] = [("ZM", .zm), ("Z", .z), ("M", .m)]

    /// A name, its tag, and what is in brackets.
    private mutating func shape(parent: Int, depth: Int, _ outer: Ordinates) throws(WellKnownTextError) {
        skipSpace()
        let start = position
        let (type, ordinates) = try name(outer, Array(Self.names.keys), "a shape's name")
        if type == .fullGlobe {
            guard kind == .geography else { throw WellKnownTextError(.notAllowed, position: start, expected: "a shape that a geometry can have") }
            guard parent < 0 else { throw WellKnownTextError(.notAllowed, position: start, expected: "a shape that a collection can have") }
            _ = try add(type, parent, depth)
            return
        }
        try body(type, parent: parent, depth: depth, ordinates)
    }

    /// A name out of `allowed`, with the tag within it or behind it. Without a tag, that of the shape around counts.
    private mutating func name(
        _ outer: Ordinates, _ allowed: [String], _ expected: String
    ) throws(WellKnownTextError) -> (SpatialParts.ShapeType, Ordinates) {
        let start = position
        let word = letters()
        if allowed.contains(word), let type = Self.names[word] {
            let behind = position
            skipSpace()
            let next = letters()
            if let tag = Self.tags.first(where: { $0.0 == next }) { return (type, tag.1) }
            position = behind
            return (type, outer)
        }
        for (tag, ordinates) in Self.tags where word.hasSuffix(tag) {
            let name = String(word.dropLast(tag.utf8.count))
            if allowed.contains(name), let type = Self.names[name] { return (type, ordinates) }
        }
        position = start
        throw unexpected(expected)
    }

    /// `EMPTY`, or a shape's points or parts in brackets.
    private mutating func body(_ type: SpatialParts.ShapeType, parent: Int, depth: Int, _ ordinates: Ordinates) throws(WellKnownTextError) {
        let shape = try add(type, parent, depth)
        if isEmpty() { return }
        switch type {
        case .point:
            parts.addFigure(.point, to: shape)
            try expect("(", "'(' or EMPTY")
            try point(ordinates)
            try expect(")", "')'")
        case .lineString:
            parts.addFigure(.line, to: shape)
            try line(ordinates)
        case .circularString:
            parts.addFigure(.arc, to: shape)
            try arcs(ordinates)
        case .compoundCurve:
            parts.addFigure(.composite, to: shape)
            try compound(ordinates)
        case .polygon:
            try list { (parser, index) throws(WellKnownTextError) in
                parser.parts.addFigure(index == 0 ? .exteriorRing : .interiorRing, to: shape)
                try parser.ring { (parser) throws(WellKnownTextError) in try parser.points(ordinates, "'('") }
            }
        case .curvePolygon:
            try list { (parser, _) throws(WellKnownTextError) in try parser.curvedRing(of: shape, ordinates) }
        case .multiPoint: try multiPoint(shape, depth, ordinates)
        case .multiLineString, .multiPolygon:
            try list { (parser, _) throws(WellKnownTextError) in
                try parser.body(type == .multiPolygon ? .polygon : .lineString, parent: shape, depth: depth + 1, ordinates)
            }
        case .geometryCollection:
            try list { (parser, _) throws(WellKnownTextError) in try parser.shape(parent: shape, depth: depth + 1, ordinates) }
        case .fullGlobe: break
        }
    }

    /// `((1 2), (3 4))`, or `(1 2, 3 4)`: one or the other.
    private mutating func multiPoint(_ shape: Int, _ depth: Int, _ ordinates: Ordinates) throws(WellKnownTextError) {
        var bare: Bool?
        try list { (parser, _) throws(WellKnownTextError) in
            parser.skipSpace()
            let isBare = bare ?? parser.startsNumber()
            bare = isBare
            guard isBare else {
                try parser.body(.point, parent: shape, depth: depth + 1, ordinates)
                return
            }
            let point = try parser.add(.point, shape, depth + 1)
            parser.parts.addFigure(.point, to: point)
            try parser.point(ordinates)
        }
    }

    private mutating func curvedRing(of shape: Int, _ ordinates: Ordinates) throws(WellKnownTextError) {
        skipSpace()
        guard position < text.count, text[position] != UInt8(ascii: "(") else {
            parts.addFigure(.line, to: shape)
            try ring { (parser) throws(WellKnownTextError) in try parser.points(ordinates, "'(', CIRCULARSTRING or COMPOUNDCURVE") }
            return
        }
        let (type, inner) = try name(ordinates, ["CIRCULARSTRING", "COMPOUNDCURVE"], "'(', CIRCULARSTRING or COMPOUNDCURVE")
        parts.addFigure(type == .compoundCurve ? .composite : .arc, to: shape)
        try ring { (parser) throws(WellKnownTextError) in
            if type == .compoundCurve { try parser.compound(inner) } else { try parser.arcs(inner) }
        }
    }

    private mutating func add(_ type: SpatialParts.ShapeType, _ parent: Int, _ depth: Int) throws(WellKnownTextError) -> Int {
        guard depth < TDSSpatial.depthLimit else {
            throw WellKnownTextError(.tooDeep, position: position, expected: "at most \(TDSSpatial.depthLimit - 1) shapes around a shape")
        }
        return parts.addShape(type, parent: parent)
    }

    // MARK: Curves

    private mutating func line(_ ordinates: Ordinates) throws(WellKnownTextError) {
        let start = position
        guard try points(ordinates, "'(' or EMPTY").count >= 2 else { throw WellKnownTextError(.tooFewPoints, position: start, expected: "two points or more") }
    }

    private mutating func arcs(_ ordinates: Ordinates) throws(WellKnownTextError) {
        let start = position
        let range = try points(ordinates, "'(' or EMPTY")
        guard range.count >= 3, range.count % 2 == 1 else {
            throw WellKnownTextError(.tooFewPoints, position: start, expected: "three points, or two more for every further arc")
        }
        for first in stride(from: range.lowerBound, to: range.upperBound - 2, by: 2) {
            let known = parts.points[first...first + 2].map(\.z).filter { !$0.isNaN }
            guard known.allSatisfy({ $0 == known.first }) else {
                throw WellKnownTextError(.unequalElevation, position: start, expected: "the same Z for the three points of an arc")
            }
        }
    }

    /// Lines and arcs, each beginning where the one before ends; that point is kept once.
    private mutating func compound(_ ordinates: Ordinates) throws(WellKnownTextError) {
        try list { (parser, index) throws(WellKnownTextError) in
            parser.skipSpace()
            let start = parser.position
            let first = parser.parts.points.count
            let isArc = start < parser.text.count && parser.text[start] != UInt8(ascii: "(")
            if isArc {
                let (_, inner) = try parser.name(ordinates, ["CIRCULARSTRING"], "'(' or CIRCULARSTRING")
                try parser.arcs(inner)
            } else {
                try parser.line(ordinates)
            }
            parser.parts.addSegments(isArc: isArc, points: parser.parts.points.count - first)
            if index > 0 {
                guard parser.parts.points[first].isSame(as: parser.parts.points[first - 1]) else {
                    throw WellKnownTextError(.notConnected, position: start, expected: "a part that begins where the one before ends")
                }
                parser.parts.points.remove(at: first)
            }
        }
    }

    private mutating func ring(_ read: (inout WellKnownTextParser) throws(WellKnownTextError) -> Void) throws(WellKnownTextError) {
        skipSpace()
        let (start, first) = (position, parts.points.count)
        try read(&self)
        guard parts.points.count - first >= 4, let last = parts.points.last else {
            throw WellKnownTextError(.tooFewPoints, position: start, expected: "a ring of four points or more")
        }
        guard parts.points[first].x == last.x, parts.points[first].y == last.y else {
            throw WellKnownTextError(.notClosed, position: start, expected: "a ring that ends where it begins")
        }
    }

    // MARK: Points

    /// `(1 2, 3 4)`: the range of the points added.
    @discardableResult
    private mutating func points(_ ordinates: Ordinates, _ expected: String) throws(WellKnownTextError) -> Range<Int> {
        let first = parts.points.count
        try list(expected) { (parser, _) throws(WellKnownTextError) in try parser.point(ordinates) }
        return first..<parts.points.count
    }

    private mutating func point(_ ordinates: Ordinates) throws(WellKnownTextError) {
        skipSpace()
        let xPosition = position
        var point = SpatialParts.Point(x: try number(), y: 0)
        skipSpace()
        let yPosition = position
        point.y = try number()
        if kind == .geography {
            guard point.x.magnitude <= 15069 else { throw WellKnownTextError(.outOfRange, position: xPosition, expected: "a longitude of -15069 to 15069") }
            guard point.y.magnitude <= 90 else { throw WellKnownTextError(.outOfRange, position: yPosition, expected: "a latitude of -90 to 90") }
        }
        switch ordinates {
        case .free:
            if !endsPoint() { point.z = try numberOrNull() }
            if !endsPoint() { point.m = try numberOrNull() }
        case .z: point.z = try numberOrNull()
        case .m: point.m = try numberOrNull()
        case .zm:
            point.z = try numberOrNull()
            point.m = try numberOrNull()
        }
        parts.points.append(point)
    }

    private mutating func numberOrNull() throws(WellKnownTextError) -> Double {
        skipSpace()
        let start = position
        let word = letters()
        if word == "NULL" { return .nan }
        position = start
        guard word.isEmpty else { throw unexpected("a number or NULL") }
        return try number()
    }

    /// Digits, a point and an exponent as in `-1.5E-3`; nothing else that a double may be: no NaN, Infinity or hexadecimal.
    private mutating func number() throws(WellKnownTextError) -> Double {
        skipSpace()
        let start = position
        func digits(_ position: inout Int) -> Int {
            let first = position
            while position < text.count, (0x30...0x39).contains(text[position]) { position += 1 }
            return position - first
        }
        func sign(_ position: inout Int) {
            if position < text.count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") { position += 1 }
        }
        var end = start
        sign(&end)
        var count = digits(&end)
        if end < text.count, text[end] == UInt8(ascii: ".") {
            end += 1
            count += digits(&end)
        }
        guard count > 0 else { throw unexpected("a number") }
        if end < text.count, text[end] | 0x20 == UInt8(ascii: "e") {
            end += 1
            sign(&end)
            guard digits(&end) > 0 else { throw unexpected("a number") }
        }
        guard end == text.count || Self.isSpace(text[end]) || text[end] == UInt8(ascii: ",") || text[end] == UInt8(ascii: ")"),
            let value = Double(String(decoding: text[start..<end], as: UTF8.self))
        else { throw unexpected("a number") }
        guard value.isFinite else { throw WellKnownTextError(.outOfRange, position: start, expected: "a number that a double can hold") }
        position = end
        // SQL Server keeps no negative zero.
        return value == 0 ? 0 : value
    }

    // MARK: Characters

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private mutating func skipSpace() {
        while position < text.count, Self.isSpace(text[position]) { position += 1 }
    }

    /// The letters from here on, in capitals.
    private mutating func letters() -> String {
        let start = position
        while position < text.count, (0x61...0x7A).contains(text[position] | 0x20) { position += 1 }
        return String(decoding: text[start..<position].map { $0 & 0xDF }, as: UTF8.self)
    }

    private mutating func isEmpty() -> Bool {
        skipSpace()
        let start = position
        if letters() == "EMPTY" { return true }
        position = start
        return false
    }

    private func startsNumber() -> Bool {
        position < text.count && text[position] != UInt8(ascii: "(") && !(0x61...0x7A).contains(text[position] | 0x20)
    }

    private mutating func endsPoint() -> Bool {
        skipSpace()
        return position == text.count || text[position] == UInt8(ascii: ",") || text[position] == UInt8(ascii: ")")
    }

    private mutating func expect(_ character: Unicode.Scalar, _ expected: String) throws(WellKnownTextError) {
        skipSpace()
        guard position < text.count, text[position] == UInt8(ascii: character) else { throw unexpected(expected) }
        position += 1
    }

    /// `(element, element)`: one or more.
    private mutating func list(
        _ expected: String = "'(' or EMPTY", _ element: (inout WellKnownTextParser, Int) throws(WellKnownTextError) -> Void
    ) throws(WellKnownTextError) {
        try expect("(", expected)
        var index = 0
        while true {
            try element(&self, index)
            index += 1
            skipSpace()
            guard position < text.count, text[position] == UInt8(ascii: ",") else { break }
            position += 1
        }
        try expect(")", "',' or ')'")
    }

    private func unexpected(_ expected: String) -> WellKnownTextError {
        WellKnownTextError(position >= text.count ? .unexpectedEnd : .unexpected, position: position, expected: expected)
    }
}
