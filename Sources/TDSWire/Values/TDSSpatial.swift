public import NIOCore

/// A geometry or geography: its bytes as the CLR type serialises itself (MS-SSCLRT 2.1), and their well-known text.
public struct TDSSpatial: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        case geometry
        /// Latitude and longitude; on the wire in this order, in text the other way round.
        case geography
    }

    public var kind: Kind
    public var bytes: ByteBuffer

    public init(_ kind: Kind, bytes: ByteBuffer) {
        self.kind = kind
        self.bytes = bytes
    }

    /// The shape that a well-known text describes, serialised as SQL Server would.
    ///
    /// All shapes of SQL Server: POINT, LINESTRING, POLYGON, their MULTI…, GEOMETRYCOLLECTION, CIRCULARSTRING, COMPOUNDCURVE, CURVEPOLYGON, and, for
    /// geography, FULLGLOBE; any of them `EMPTY`. A point has X, Y (for geography longitude, latitude), and may have Z and M: `POINT (1 2 3 4)`,
    /// `POINT (1 2 NULL 4)`. Unlike SQL Server it takes the tags of ISO 19125 too: `POINT M (1 2 4)`.
    ///
    /// Two bits of the serialised form say what only an analysis of the shape can find out, which isn't made here: SQL Server believes what a client
    /// says in them (for the first: dotMorten/Microsoft.SqlServer.Types, issue 85). To have it find out for itself, send the text and let it call
    /// `geometry::STGeomFromText`.
    ///
    /// - Parameters:
    ///   - kind: Decides the order of coordinates and their limits.
    ///   - text: Well-known text. Names and tags may be in lower case.
    ///   - srid: The spatial reference id; nil is SQL Server's default, 0 for geometry and 4326 (WGS 84) for geography. For a geography it has to be
    ///     in `sys.spatial_reference_systems`, which is for the server to check.
    ///   - isValid: What `STIsValid()` will answer. With false, SQL Server's methods that need a valid shape refuse it (error 24144) until
    ///     `MakeValid()`. With true for a shape that isn't valid (a ring that crosses itself), they may give wrong results.
    ///   - isLargerThanAHemisphere: A geography of more than half of the globe, such as a polygon whose outer ring goes clockwise. FULLGLOBE is by
    ///     itself. Needs SQL Server 2012.
    /// - Throws: ``WellKnownTextError``, with the position and what was expected there.
    ///
    /// Source: MS-SSCLRT 2.1; "Spatial Types - geometry", "geography", and the pages of the shapes (Microsoft Learn).
    public init(
        _ kind: Kind, wellKnownText text: some StringProtocol, srid: Int32? = nil, isValid: Bool = true, isLargerThanAHemisphere: Bool = false
    ) throws(WellKnownTextError) {
        let srid = srid ?? (kind == .geography ? 4326 : 0)
        guard (0...999_999).contains(srid) else { throw WellKnownTextError(.outOfRange, position: 0, expected: "an SRID of 0 to 999999") }
        guard kind == .geography || !isLargerThanAHemisphere else {
            throw WellKnownTextError(.notAllowed, position: 0, expected: "a geography, to be larger than a hemisphere")
        }
        var parser = WellKnownTextParser(text, kind)
        try parser.parse()
        self.init(kind, bytes: parser.parts.serialized(kind, srid: srid, isValid: isValid, isLargerThanAHemisphere: isLargerThanAHemisphere))
    }

    /// Collections in collections deeper than this are refused, as the text is made and read recursively.
    static let depthLimit = 128

    /// The spatial reference id (4326 is WGS 84), or nil if there are no four bytes.
    public var srid: Int32? { bytes.getInteger(at: bytes.readerIndex, endianness: .little) }

    /// The bit that says that the shape is valid (`STIsValid()`), or nil if the bytes end before it.
    public var isValid: Bool? { flags.map { $0 & 0x04 != 0 } }

    /// The bit that says that a geography covers more than half of the globe, or nil if the bytes end before it.
    public var isLargerThanAHemisphere: Bool? { flags.map { $0 & 0x20 != 0 } }

    private var flags: UInt8? { bytes.getInteger(at: bytes.readerIndex + 5) }

    /// The well-known text as `ToString()` gives it, with Z and M where there are any: `POINT (1 2)`, `CURVEPOLYGON (CIRCULARSTRING (…))`.
    ///
    /// - Throws: ``WireError/Code/malformed`` if the bytes contradict MS-SSCLRT.
    public var wellKnownText: String {
        get throws(WireError) { try SpatialData(bytes.readableBytesSpan, kind).text() }
    }

    /// The well-known text, or the bytes in hexadecimal if they aren't a shape.
    public var description: String { (try? wellKnownText) ?? bytes.sqlHex }
}

/// The parts of a serialised shape.
///
/// ```
/// +------+---------+-------+---------+---------+---------+---------+---------+----------+
/// | SRID | Version | Flags | points  | Z, M    | figures | shapes  | segments           |
/// | LONG | BYTE    | BYTE  | n, 2*DBL| DBL each| n, 5 B  | n, 9 B  | n, BYTE (version 2)|
/// +------+---------+-------+---------+---------+---------+---------+---------+----------+
/// ```
private struct SpatialData {
    struct Point {
        var x: Double
        var y: Double
        var z = Double.nan
        var m = Double.nan
    }
    struct Figure {
        var attribute: UInt8
        var start: Int
    }
    struct Shape {
        var parent: Int
        var figure: Int
        var type: UInt8
    }

    var version: UInt8
    var points: [Point] = []
    var figures: [Figure] = []
    var shapes: [Shape] = []
    var segments: [UInt8] = []
    /// By shape: the shapes directly within it.
    var children: [[Int]] = []
    /// By shape: where its figures end.
    var figureEnds: [Int] = []
    /// By figure: its first segment.
    var firstSegments: [Int] = []

    init(_ bytes: RawSpan, _ kind: TDSSpatial.Kind) throws(WireError) {
        var offset = 6
        let total = bytes.byteCount
        version = try Self.load(bytes, 4)
        let flags: UInt8 = try Self.load(bytes, 5)
        guard version == 1 || version == 2 else { throw Self.error("version \(version)") }
        guard flags & 0xC0 == 0, flags & 0x18 != 0x18 else { throw Self.error("flags") }
        let single = flags & 0x08 != 0, line = flags & 0x10 != 0

        /// Reads a count, which can't be more than what is left over says.
        func count(_ size: Int) throws(WireError) -> Int {
            let count = Int(try Self.load(bytes, offset, as: UInt32.self))
            offset += 4
            guard count <= (total - offset) / size else { throw Self.error("a count beyond the value's end") }
            return count
        }

        let pointCount = single ? 1 : line ? 2 : try count(16)
        guard total - offset >= pointCount * 16 else { throw Self.error("ends inside a point") }
        points.reserveCapacity(pointCount)
        for _ in 0..<pointCount {
            let first = Double(bitPattern: try Self.load(bytes, offset))
            let second = Double(bitPattern: try Self.load(bytes, offset + 8))
            points.append(kind == .geography ? Point(x: second, y: first) : Point(x: first, y: second))
            offset += 16
        }
        for (flag, path) in [(UInt8(1), \Point.z), (2, \Point.m)] where flags & flag != 0 {
            for index in points.indices {
                points[index][keyPath: path] = Double(bitPattern: try Self.load(bytes, offset))
                offset += 8
            }
        }
        if single || line {
            figures = [Figure(attribute: 1, start: 0)]
            shapes = [Shape(parent: -1, figure: 0, type: single ? 1 : 2)]
        } else {
            for _ in 0..<(try count(5)) {
                let start = Int(try Self.load(bytes, offset + 1, as: Int32.self))
                guard start >= figures.last?.start ?? 0, start <= pointCount else { throw Self.error("figure") }
                let attribute: UInt8 = try Self.load(bytes, offset)
                guard attribute <= (version == 1 ? 2 : 3) else { throw Self.error("figure attribute \(attribute)") }
                figures.append(Figure(attribute: attribute, start: start))
                offset += 5
            }
            for _ in 0..<(try count(9)) {
                let shape = Shape(
                    parent: Int(try Self.load(bytes, offset, as: Int32.self)), figure: Int(try Self.load(bytes, offset + 4, as: Int32.self)),
                    type: try Self.load(bytes, offset + 8))
                guard shape.parent >= -1, shape.parent < shapes.count, shape.parent >= 0 || shapes.isEmpty, shape.figure >= -1,
                    shape.figure <= figures.count, (1...(version == 1 ? 7 : 11)).contains(shape.type)
                else { throw Self.error("shape") }
                shapes.append(shape)
                offset += 9
            }
            if version == 2, figures.contains(where: { $0.attribute == 3 }) {
                for _ in 0..<(try count(1)) {
                    let segment: UInt8 = try Self.load(bytes, offset)
                    guard segment <= 3 else { throw Self.error("segment") }
                    segments.append(segment)
                    offset += 1
                }
            }
        }
        guard offset == total else { throw Self.error("more bytes than its shapes") }
        guard !shapes.isEmpty else { throw Self.error("no shape") }
        children = [[Int]](repeating: [], count: shapes.count)
        for (index, shape) in shapes.enumerated() where shape.parent >= 0 { children[shape.parent].append(index) }
        // A shape's figures go on to where those of the next shape that has any begin.
        figureEnds = [Int](repeating: 0, count: shapes.count)
        var end = figures.count
        for index in shapes.indices.reversed() {
            figureEnds[index] = end
            if shapes[index].figure >= 0 { end = shapes[index].figure }
        }
        var segment = 0
        for index in figures.indices {
            firstSegments.append(segment)
            guard figures[index].attribute == 3 else { continue }
            var left = pointRange(index).count - 1
            while left > 0, segment < segments.count {
                left -= segments[segment] & 1 == 1 ? 2 : 1
                segment += 1
            }
        }
    }

    private static func load<T: FixedWidthInteger & BitwiseCopyable>(_ bytes: RawSpan, _ offset: Int, as type: T.Type = T.self) throws(WireError) -> T {
        do {
            return try bytes.loadLE(at: offset, "spatial")
        } catch {
            throw Self.error("ends too early")
        }
    }

    private static func error(_ detail: String) -> WireError { WireError(.malformed, "geometry or geography", detail) }

    // MARK: Text

    func text() throws(WireError) -> String {
        var text = ""
        try write(0, to: &text, depth: 0, tagged: true)
        return text
    }

    private static let names = [
        "", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "CIRCULARSTRING",
        "COMPOUNDCURVE", "CURVEPOLYGON", "FULLGLOBE",
    ]

    private func figureRange(_ index: Int) throws(WireError) -> Range<Int> {
        let start = shapes[index].figure
        guard start >= 0 else { return 0..<0 }
        guard start <= figureEnds[index] else { throw Self.error("shape") }
        return start..<figureEnds[index]
    }

    private func pointRange(_ figure: Int) -> Range<Int> {
        figures[figure].start..<(figure + 1 < figures.count ? figures[figure + 1].start : points.count)
    }

    private func write(_ index: Int, to text: inout String, depth: Int, tagged: Bool) throws(WireError) {
        guard depth < TDSSpatial.depthLimit else { throw WireError(.tooLarge, "geometry or geography", "collections nested too deeply") }
        let type = shapes[index].type
        if tagged { text += Self.names[Int(type)] }
        if type == 11 { return }
        if tagged { text += " " }
        switch type {
        case 4...7:
            guard !children[index].isEmpty else {
                text += "EMPTY"
                return
            }
            text += "("
            for (position, child) in children[index].enumerated() {
                if position > 0 { text += ", " }
                try write(child, to: &text, depth: depth + 1, tagged: type == 7)
            }
            text += ")"
        default:
            let range = try figureRange(index)
            guard !range.isEmpty, range.contains(where: { !pointRange($0).isEmpty }) else {
                text += "EMPTY"
                return
            }
            guard range.allSatisfy({ !pointRange($0).isEmpty }) else { throw Self.error("a figure without points") }
            switch type {
            case 1:
                guard range.count == 1, pointRange(range.lowerBound).count == 1 else { throw Self.error("point") }
                write(points: pointRange(range.lowerBound), to: &text)
            case 2, 8:
                guard range.count == 1 else { throw Self.error("line") }
                write(points: pointRange(range.lowerBound), to: &text)
            case 9:
                guard range.count == 1 else { throw Self.error("compound curve") }
                try write(compound: range.lowerBound, to: &text)
            default:
                text += "("
                for figure in range {
                    if figure > range.lowerBound { text += ", " }
                    if version == 2, type == 10, figures[figure].attribute == 2 { text += "CIRCULARSTRING " }
                    if version == 2, figures[figure].attribute == 3 {
                        text += "COMPOUNDCURVE "
                        try write(compound: figure, to: &text)
                    } else {
                        write(points: pointRange(figure), to: &text)
                    }
                }
                text += ")"
            }
        }
    }

    /// Writes a figure of lines and arcs. A line goes one point further, an arc two; the curve's pieces share their end points.
    private func write(compound figure: Int, to text: inout String) throws(WireError) {
        let range = pointRange(figure)
        guard figures[figure].attribute == 3 else {
            // Only arcs or only lines.
            text += figures[figure].attribute == 2 ? "(CIRCULARSTRING " : "("
            write(points: range, to: &text)
            text += ")"
            return
        }
        var segment = firstSegments[figure]
        var position = range.lowerBound
        text += "("
        var pieces = 0
        while position < range.upperBound - 1 {
            guard segment < segments.count else { throw Self.error("segments") }
            let arc = segments[segment] & 1 == 1
            var end = position
            repeat {
                end += arc ? 2 : 1
                segment += 1
            } while end < range.upperBound - 1 && segment < segments.count && segments[segment] < 2 && (segments[segment] & 1 == 1) == arc
            guard end < range.upperBound else { throw Self.error("segments") }
            if pieces > 0 { text += ", " }
            if arc { text += "CIRCULARSTRING " }
            write(points: position..<end + 1, to: &text)
            position = end
            pieces += 1
        }
        guard pieces > 0 else { throw Self.error("segments") }
        text += ")"
    }

    private func write(points range: Range<Int>, to text: inout String) {
        text += "("
        for index in range {
            if index > range.lowerBound { text += ", " }
            let point = points[index]
            text += Self.number(point.x) + " " + Self.number(point.y)
            if !point.z.isNaN || !point.m.isNaN { text += " " + (point.z.isNaN ? "NULL" : Self.number(point.z)) }
            if !point.m.isNaN { text += " " + Self.number(point.m) }
        }
        text += ")"
    }

    /// The shortest number that reads back the same, in .NET's manner: `1`, `0.5`, `1E+20`, `1E-05`.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }
        if value == 0 { return "0" }
        // Swift's text is the shortest as well; only the notation differs.
        var digits = ""
        var exponent = 0
        var behindPoint = 0
        var seenPoint = false
        let parts = value.magnitude.description.split(separator: "e", maxSplits: 1)
        for character in parts.first ?? "" {
            if character == "." { seenPoint = true } else {
                digits.append(character)
                if seenPoint { behindPoint += 1 }
            }
        }
        if parts.count > 1 { exponent = Int(parts[1]) ?? 0 }
        digits = String(digits.drop { $0 == "0" })
        // The exponent of the first digit.
        exponent += digits.utf8.count - 1 - behindPoint
        while digits.hasSuffix("0") { digits.removeLast() }
        var text: String
        if exponent >= 15 || exponent < -4 {
            text = String(digits.prefix(1))
            if digits.utf8.count > 1 { text += "." + digits.dropFirst() }
            let magnitude = exponent.magnitude
            text += (exponent < 0 ? "E-" : "E+") + (magnitude < 10 ? "0" : "") + String(magnitude)
        } else if exponent < 0 {
            text = "0." + String(repeating: "0", count: -exponent - 1) + digits
        } else if digits.utf8.count <= exponent + 1 {
            text = digits + String(repeating: "0", count: exponent + 1 - digits.utf8.count)
        } else {
            text = digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
        }
        return value < 0 ? "-" + text : text
    }
}
