import NIOCore

/// The parts of a shape, as they are serialised (MS-SSCLRT 2.1): points, the figures that they make, the shapes that the figures make, and the
/// segments of figures of lines and arcs.
struct SpatialParts {
    /// OpenGIS Type (MS-SSCLRT 2.1.4, SHAPE).
    enum ShapeType: UInt8 {
        case point = 1, lineString, polygon, multiPoint, multiLineString, multiPolygon, geometryCollection
        /// These and what follows are in version 2 only.
        case circularString
        case compoundCurve, curvePolygon, fullGlobe
    }

    enum FigureKind {
        case point, line, arc, composite, exteriorRing, interiorRing
    }

    struct Point {
        var x: Double
        var y: Double
        /// NaN where there is none; likewise M.
        var z = Double.nan
        var m = Double.nan

        func isSame(as other: Point) -> Bool {
            x == other.x && y == other.y && (z == other.z || z.isNaN && other.z.isNaN) && (m == other.m || m.isNaN && other.m.isNaN)
        }
    }

    private struct Shape {
        var type: ShapeType
        var parent: Int
        /// Its first figure, or that of the shapes within it; -1 if there is none.
        var figure = -1
    }

    var points: [Point] = []
    private var figures: [(kind: FigureKind, start: Int)] = []
    private var shapes: [Shape] = []
    private var segments: [UInt8] = []

    mutating func addShape(_ type: ShapeType, parent: Int) -> Int {
        shapes.append(Shape(type: type, parent: parent))
        return shapes.count - 1
    }

    /// Begins a figure of `shape`, with the points that are added from now on.
    mutating func addFigure(_ kind: FigureKind, to shape: Int) {
        var shape = shape
        while shape >= 0, shapes[shape].figure < 0 {
            shapes[shape].figure = figures.count
            shape = shapes[shape].parent
        }
        figures.append((kind, points.count))
    }

    /// The segments of a part of a compound curve: a "first line" and lines, or a "first arc" and arcs (MS-SSCLRT 2.1.7, SEGMENT).
    mutating func addSegments(isArc: Bool, points: Int) {
        let count = isArc ? (points - 1) / 2 : points - 1
        segments.append(isArc ? 3 : 2)
        segments.append(contentsOf: repeatElement(isArc ? 1 : 0, count: count - 1))
    }

    /// .NET's NaN, which SQL Server writes for a Z or M that is not there.
    private static let missing: UInt64 = 0xFFF8_0000_0000_0000

    func serialized(_ kind: TDSSpatial.Kind, srid: Int32, isValid: Bool, isLargerThanAHemisphere: Bool) -> ByteBuffer {
        let type = shapes.first?.type
        let isLarge = isLargerThanAHemisphere || type == .fullGlobe
        // The oldest version that has all that is needed, as SQL Server does.
        let version: UInt8 = isLarge || shapes.contains { $0.type.rawValue >= ShapeType.circularString.rawValue } ? 2 : 1
        let hasZ = points.contains { !$0.z.isNaN }, hasM = points.contains { !$0.m.isNaN }
        let isPoint = type == .point && points.count == 1
        let isLine = type == .lineString && points.count == 2
        var flags: UInt8 = 0
        for (flag, isSet) in [hasZ, hasM, isValid, isPoint, isLine, isLarge].enumerated() where isSet { flags |= 1 << UInt8(flag) }

        var buffer = ByteBuffer()
        buffer.reserveCapacity(18 + points.count * 32 + figures.count * 5 + shapes.count * 9 + segments.count)
        func count(_ count: Int) { buffer.writeLE(UInt32(truncatingIfNeeded: count)) }
        func index(_ index: Int) { buffer.writeLE(Int32(truncatingIfNeeded: index)) }
        buffer.writeLE(srid)
        buffer.writeLE(version)
        buffer.writeLE(flags)
        let isCompact = isPoint || isLine
        if !isCompact { count(points.count) }
        for point in points {
            buffer.writeLE((kind == .geography ? point.y : point.x).bitPattern)
            buffer.writeLE((kind == .geography ? point.x : point.y).bitPattern)
        }
        if hasZ { for point in points { buffer.writeLE(point.z.isNaN ? Self.missing : point.z.bitPattern) } }
        if hasM { for point in points { buffer.writeLE(point.m.isNaN ? Self.missing : point.m.bitPattern) } }
        if isCompact { return buffer }
        count(figures.count)
        for figure in figures {
            buffer.writeLE(Self.attribute(figure.kind, version))
            index(figure.start)
        }
        count(shapes.count)
        for shape in shapes {
            index(shape.parent)
            index(shape.figure)
            buffer.writeLE(shape.type.rawValue)
        }
        if !segments.isEmpty {
            count(segments.count)
            buffer.writeBytes(segments)
        }
        return buffer
    }

    /// Figure Attribute (MS-SSCLRT 2.1.3, FIGURE). Version 2 has 0 for a point too, but Microsoft's JDBC driver writes 1, and readers look at the shape.
    private static func attribute(_ kind: FigureKind, _ version: UInt8) -> UInt8 {
        switch kind {
        case .point, .line: 1
        case .arc: 2
        case .composite: 3
        case .exteriorRing: version == 1 ? 2 : 1
        case .interiorRing: version == 1 ? 0 : 1
        }
    }
}
