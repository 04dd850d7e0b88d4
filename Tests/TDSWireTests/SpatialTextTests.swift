import NIOCore
import TDSWire
import Testing

/// Well-known text to the bytes of geometry and geography, and back.
@Suite struct SpatialTextTests {
    /// Where expected bytes are from; none of them from our own writer.
    enum Provenance: String {
        /// MS-SSCLRT section 3, written out.
        case specification
        /// What SQL Server 2025 answered, as published in the tests of a C# simulator (namespace SqlServerSimulator: SpatialWireTests,
        /// SpatialValueTests and SpatialCurveTests; "probed 2026-07-16" to "2026-09-29").
        case server2025
        /// Expected bytes of NetTopologySuite.IO.SqlServerBytes' tests, which are read and written against SQL Server.
        case netTopologySuite
    }

    struct Golden: Sendable, CustomTestStringConvertible {
        var provenance: Provenance
        var kind: TDSSpatial.Kind
        var text: String
        /// As `ToString()` gives it; nil if that is `text`.
        var canonical: String?
        var srid: Int32?
        var isValid = true
        var isLarge = false
        var hex: String
        var testDescription: String { text }

        init(
            _ provenance: Provenance, _ kind: TDSSpatial.Kind, _ text: String, _ hex: String, canonical: String? = nil, srid: Int32? = nil, isValid: Bool = true,
            isLarge: Bool = false
        ) {
            (self.provenance, self.kind, self.text, self.hex, self.canonical) = (provenance, kind, text, hex, canonical)
            (self.srid, self.isValid, self.isLarge) = (srid, isValid, isLarge)
        }
    }

    static let goldens: [Golden] = [
        Golden(.specification, .geometry, "POINT EMPTY", "000000000104000000000000000001000000FFFFFFFFFFFFFFFF01"),
        Golden(.specification, .geometry, "POINT (5 10)", "E6100000010C00000000000014400000000000002440", srid: 4326),
        Golden(
            .specification, .geometry, "LINESTRING (0 1 1, 3 2 2, 4 5)",
            "E61000000105030000000000000000000000000000000000F03F0000000000000840000000000000004000000000000010400000000000001440"
                + "000000000000F03F0000000000000040000000000000F8FF01000000010000000001000000FFFFFFFF0000000002", srid: 4326),
        Golden(
            .specification, .geometry,
            "GEOMETRYCOLLECTION (POINT (0 4), LINESTRING (2 4, 3 5), POLYGON ((0 0, 0 3, 3 3, 3 0, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1)))",
            "E610000001040D000000" + "00000000000000000000000000001040" + "00000000000000400000000000001040" + "00000000000008400000000000001440"
                + "00000000000000000000000000000000" + "00000000000000000000000000000840" + "00000000000008400000000000000840" + "00000000000008400000000000000000"
                + "00000000000000000000000000000000" + "000000000000F03F000000000000F03F" + "0000000000000040000000000000F03F" + "00000000000000400000000000000040"
                + "000000000000F03F0000000000000040" + "000000000000F03F000000000000F03F"
                + "04000000" + "0100000000" + "0101000000" + "0203000000" + "0008000000"
                + "04000000" + "FFFFFFFF0000000007" + "000000000000000001" + "000000000100000002" + "000000000200000003", srid: 4326),
        Golden(
            .specification, .geography, "CURVEPOLYGON (COMPOUNDCURVE ((0 0, 0 2, 2 2), CIRCULARSTRING (2 2, 1 0, 0 0)))",
            "E61000000224" + "05000000" + "00000000000000000000000000000000" + "00000000000000400000000000000000" + "00000000000000400000000000000040"
                + "0000000000000000000000000000F03F" + "00000000000000000000000000000000" + "01000000" + "0300000000" + "01000000" + "FFFFFFFF000000000A" + "03000000" + "020003",
            isLarge: true),

        Golden(.server2025, .geography, "POINT (-122.35 47.65)", "E6100000010C3333333333D347406666666666965EC0"),
        Golden(
            .server2025, .geography, "POLYGON ((-122.36 47.656, -122.343 47.656, -122.343 47.661, -122.36 47.656))",
            "E61000000104040000008716D9CEF7D34740D7A3703D0A975EC08716D9CEF7D34740CBA145B6F3955EC0F853E3A59BD44740CBA145B6F3955EC08716D9CEF7D34740"
                + "D7A3703D0A975EC001000000020000000001000000FFFFFFFF0000000003"),
        Golden(.server2025, .geometry, "POINT (1 2)", "00000000010C000000000000F03F0000000000000040"),
        Golden(.server2025, .geometry, "POINT(1 2)", "E6100000010C000000000000F03F0000000000000040", canonical: "POINT (1 2)", srid: 4326),
        Golden(.server2025, .geometry, "POINT(1 2 3)", "00000000010D000000000000F03F00000000000000400000000000000840", canonical: "POINT (1 2 3)"),
        Golden(.server2025, .geography, "POINT(1 2)", "E6100000010C0000000000000040000000000000F03F", canonical: "POINT (1 2)"),
        Golden(.server2025, .geometry, "POINT(-0 -0)", "00000000010C00000000000000000000000000000000", canonical: "POINT (0 0)"),
        Golden(
            .server2025, .geometry, "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))",
            "00000000010405000000000000000000000000000000000000000000000000001040000000000000000000000000000010400000000000001040"
                + "0000000000000000000000000000104000000000000000000000000000000000" + "01000000020000000001000000FFFFFFFF0000000003"),
        Golden(
            .server2025, .geography, "LINESTRING (0 0, 1 1, 2 2)",
            "E610000001040300000000000000000000000000000000000000000000000000F03F000000000000F03F00000000000000400000000000000040"
                + "01000000010000000001000000FFFFFFFF0000000002"),
        Golden(
            .server2025, .geometry, "GEOMETRYCOLLECTION (GEOMETRYCOLLECTION (POINT (1 2)))",
            "00000000010401000000000000000000F03F000000000000004001000000010000000003000000FFFFFFFF0000000007000000000000000007010000000000000001"),
        Golden(
            .server2025, .geometry, "CIRCULARSTRING (0 0, 1 1, 2 0)",
            "0000000002040300000000000000000000000000000000000000000000000000F03F000000000000F03F00000000000000400000000000000000"
                + "01000000020000000001000000FFFFFFFF0000000008"),
        Golden(.server2025, .geometry, "CIRCULARSTRING EMPTY", "000000000204000000000000000001000000FFFFFFFFFFFFFFFF08"),
        Golden(
            .server2025, .geometry, "COMPOUNDCURVE((0 0, 1 1), CIRCULARSTRING(1 1, 2 2, 3 1), (3 1, 4 0))",
            "0000000002040500000000000000000000000000000000000000000000000000F03F000000000000F03F00000000000000400000000000000040"
                + "0000000000000840000000000000F03F00000000000010400000000000000000" + "01000000030000000001000000FFFFFFFF000000000903000000020302",
            canonical: "COMPOUNDCURVE ((0 0, 1 1), CIRCULARSTRING (1 1, 2 2, 3 1), (3 1, 4 0))"),
        Golden(
            .server2025, .geometry, "CURVEPOLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), CIRCULARSTRING (2 5, 5 8, 8 5, 5 2, 2 5))",
            "0000000002040A00000000000000000000000000000000000000000000000000244000000000000000000000000000002440000000000000244000000000000000000000"
                + "0000000024400000000000000000000000000000000000000000000000400000000000001440000000000000144000000000000020400000000000002040000000000000"
                + "14400000000000001440000000000000004000000000000000400000000000001440020000000100000000020500000001000000FFFFFFFF000000000A"),
        Golden(
            .server2025, .geometry, "GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)), CIRCULARSTRING (0 0, 1 1, 2 0))",
            "0000000002040700000000000000000000000000000000000000000000000000F03F0000000000000000000000000000F03F000000000000F03F00000000000000000000"
                + "00000000000000000000000000000000000000000000000000000000F03F000000000000F03F000000000000004000000000000000000200000001000000000204000000"
                + "03000000FFFFFFFF0000000007000000000000000003000000000100000008"),
        Golden(
            .server2025, .geography, "POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))",
            "E610000002240500000000000000000000000000000000000000000000000000F03F0000000000000000000000000000F03F000000000000F03F00000000000000000000"
                + "00000000F03F0000000000000000000000000000000001000000010000000001000000FFFFFFFF0000000003", isLarge: true),
        Golden(.server2025, .geography, "FULLGLOBE", "E61000000224000000000000000001000000FFFFFFFFFFFFFFFF0B", isLarge: true),

        Golden(.netTopologySuite, .geometry, "LINESTRING EMPTY", "000000000104000000000000000001000000FFFFFFFFFFFFFFFF02"),
        Golden(
            .netTopologySuite, .geometry, "LINESTRING (0 0, 0 1)", "000000000114000000000000000000000000000000000000000000000000000000000000F03F"),
        Golden(
            .netTopologySuite, .geometry, "LINESTRING Z(0 0 1, 0 1 2)",
            "000000000115000000000000000000000000000000000000000000000000000000000000F03F000000000000F03F0000000000000040", canonical: "LINESTRING (0 0 1, 0 1 2)"),
        Golden(
            .netTopologySuite, .geometry, "LINESTRING Z (0 0 NULL, 0 1 2)",
            "000000000115000000000000000000000000000000000000000000000000000000000000F03F000000000000F8FF0000000000000040", canonical: "LINESTRING (0 0, 0 1 2)"),
        Golden(
            .netTopologySuite, .geometry, "POINT ZM(1 2 3 4)", "00000000010F000000000000F03F000000000000004000000000000008400000000000001040",
            canonical: "POINT (1 2 3 4)"),
        Golden(
            .netTopologySuite, .geometry, "LINESTRING ZM(0 0 0 1, 0 1 0 2)",
            "000000000117000000000000000000000000000000000000000000000000000000000000F03F00000000000000000000000000000000000000000000F03F0000000000000040",
            canonical: "LINESTRING (0 0 0 1, 0 1 0 2)"),
        Golden(.netTopologySuite, .geometry, "POLYGON EMPTY", "000000000104000000000000000001000000FFFFFFFFFFFFFFFF03"),
        Golden(
            .netTopologySuite, .geometry, "POLYGON ((0 0, 0 3, 3 3, 3 0, 0 0), (0 0, 0 2, 2 2, 2 0, 0 0))",
            "0000000001000A000000000000000000000000000000000000000000000000000000000000000000084000000000000008400000000000000840000000000000084000000000"
                + "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000040000000000000004000000000000000400000"
                + "000000000040000000000000000000000000000000000000000000000000020000000200000000000500000001000000FFFFFFFF0000000003", isValid: false),
        Golden(
            .netTopologySuite, .geometry, "GEOMETRYCOLLECTION (POINT (0 0), POINT EMPTY, POINT (0 1))",
            "00000000010402000000000000000000000000000000000000000000000000000000000000000000F03F020000000100000000010100000004000000"
                + "FFFFFFFF000000000700000000000000000100000000FFFFFFFF01000000000100000001"),
        Golden(
            .netTopologySuite, .geometry, "GEOMETRYCOLLECTION (POINT (0 0), GEOMETRYCOLLECTION (POINT (0 1)))",
            "00000000010402000000000000000000000000000000000000000000000000000000000000000000F03F020000000100000000010100000004000000"
                + "FFFFFFFF0000000007000000000000000001000000000100000007020000000100000001"),
        Golden(
            .netTopologySuite, .geometry, "MULTIPOINT ((0 0))",
            "000000000104010000000000000000000000000000000000000001000000010000000002000000FFFFFFFF0000000004000000000000000001"),
        Golden(
            .netTopologySuite, .geometry, "multipoint(0 0)",
            "000000000104010000000000000000000000000000000000000001000000010000000002000000FFFFFFFF0000000004000000000000000001", canonical: "MULTIPOINT ((0 0))"),
        Golden(
            .netTopologySuite, .geometry, "MULTILINESTRING ((0 0, 0 1))",
            "00000000010402000000000000000000000000000000000000000000000000000000000000000000F03F01000000010000000002000000FFFFFFFF0000000005000000000000000002"),
        Golden(
            .netTopologySuite, .geometry, "MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)))",
            "00000000010404000000000000000000000000000000000000000000000000000000000000000000F03F000000000000F03F000000000000F03F00000000000000000000000000000000"
                + "01000000020000000002000000FFFFFFFF0000000006000000000000000003"),
        Golden(
            .netTopologySuite, .geography, "POLYGON ((0 0, 3 0, 3 3, 0 3, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))",
            "E610000001040A000000" + "00000000000000000000000000000000" + "00000000000000000000000000000840" + "00000000000008400000000000000840"
                + "00000000000008400000000000000000" + "00000000000000000000000000000000" + "000000000000F03F000000000000F03F" + "0000000000000040000000000000F03F"
                + "00000000000000400000000000000040" + "000000000000F03F0000000000000040" + "000000000000F03F000000000000F03F"
                + "020000000200000000000500000001000000FFFFFFFF0000000003"),
    ]

    @Test(arguments: goldens) func golden(_ golden: Golden) throws {
        let bytes = CLRValueTests.hex(golden.hex)
        let value = try TDSSpatial(golden.kind, wellKnownText: golden.text, srid: golden.srid, isValid: golden.isValid, isLargerThanAHemisphere: golden.isLarge)
        #expect(value.bytes == bytes)
        #expect(value.isValid == golden.isValid && value.isLargerThanAHemisphere == golden.isLarge)
        #expect(value.srid == golden.srid ?? (golden.kind == .geometry ? 0 : 4326))
        #expect(try TDSSpatial(golden.kind, bytes: bytes).wellKnownText == golden.canonical ?? golden.text)
        // Cut at every byte, neither bytes nor text are a shape.
        for length in 0..<bytes.readableBytes {
            guard let cut = bytes.getSlice(at: 0, length: length) else { continue }
            #expect(throws: WireError.self) { try TDSSpatial(golden.kind, bytes: cut).wellKnownText }
        }
        for length in 0..<golden.text.utf8.count {
            #expect(throws: WellKnownTextError.self) { try TDSSpatial(golden.kind, wellKnownText: golden.text.prefix(length)) }
        }
    }

    /// Text that means a shape whose canonical text is another. Rows 1 to 8: SQL Server 2025's answers (SpatialValueTests, SpatialCurveTests).
    @Test(arguments: [
        ("  point ( 1 2 )  ", "POINT (1 2)"), ("POINT (1.50 2)", "POINT (1.5 2)"), ("MULTIPOINT(0 0, 1 1)", "MULTIPOINT ((0 0), (1 1))"),
        ("POINT(1 2 NULL 4)", "POINT (1 2 NULL 4)"), ("POINT(1.123456789012345678 2)", "POINT (1.1234567890123457 2)"), ("POINT(1e10 2)", "POINT (10000000000 2)"),
        ("POINT(0.000001 1e30)", "POINT (1E-06 1E+30)"),
        ("compoundcurve((0 0, 1 1, 2 1), circularstring(2 1, 3 2, 4 1, 5 0, 6 1))", "COMPOUNDCURVE ((0 0, 1 1, 2 1), CIRCULARSTRING (2 1, 3 2, 4 1, 5 0, 6 1))"),
        ("CURVEPOLYGON((0 0 1, 0 0 2, 0 0 3, 0 0 4))", "CURVEPOLYGON ((0 0 1, 0 0 2, 0 0 3, 0 0 4))"),
        ("POINT M (1 2 5)", "POINT (1 2 NULL 5)"), ("pointzm(1 2 3 4)", "POINT (1 2 3 4)"), ("POINT Z(1 2 null)", "POINT (1 2)"), ("POINT Z EMPTY", "POINT EMPTY"),
        ("POINT(1 2 NULL NULL)", "POINT (1 2)"), ("GEOMETRYCOLLECTION M (POINT(1 2 3), POINT ZM (1 2 3 4))", "GEOMETRYCOLLECTION (POINT (1 2 NULL 3), POINT (1 2 3 4))"),
        ("CurvePolygon Z (CircularString(0 0 7,2 2 7,4 0 7,2 -2 7,0 0 7))", "CURVEPOLYGON (CIRCULARSTRING (0 0 7, 2 2 7, 4 0 7, 2 -2 7, 0 0 7))"),
        ("CURVEPOLYGON Z (COMPOUNDCURVE Z ((0 0 7,2 2 7),CIRCULARSTRING Z (2 2 7,4 0 7,0 0 7)))", "CURVEPOLYGON (COMPOUNDCURVE ((0 0 7, 2 2 7), CIRCULARSTRING (2 2 7, 4 0 7, 0 0 7)))"),
        ("MULTIPOINT(EMPTY,(1 2))", "MULTIPOINT (EMPTY, (1 2))"), ("MULTILINESTRING(EMPTY,(1 2,3 4),EMPTY)", "MULTILINESTRING (EMPTY, (1 2, 3 4), EMPTY)"),
        ("MULTIPOLYGON(EMPTY,((0 0,0 1,1 1,0 0)))", "MULTIPOLYGON (EMPTY, ((0 0, 0 1, 1 1, 0 0)))"),
        ("GEOMETRYCOLLECTION(POINT EMPTY)", "GEOMETRYCOLLECTION (POINT EMPTY)"), ("GEOMETRYCOLLECTION(GEOMETRYCOLLECTION EMPTY,POINT(1 2))", "GEOMETRYCOLLECTION (GEOMETRYCOLLECTION EMPTY, POINT (1 2))"),
        ("COMPOUNDCURVE((0 0,1 1),(1 1,2 2))", "COMPOUNDCURVE ((0 0, 1 1), (1 1, 2 2))"), ("COMPOUNDCURVE(CIRCULARSTRING(0 0,1 1,2 0))", "COMPOUNDCURVE (CIRCULARSTRING (0 0, 1 1, 2 0))"),
        ("POINT\t(\r\n+.5\u{B}5.\u{C})", "POINT (0.5 5)"), ("POINT(1E2 -1.5e-3)", "POINT (100 -0.0015)"), ("POINT(1e-400 4.9E-324)", "POINT (0 5E-324)"),
        ("LINESTRING(1 1,1 1)", "LINESTRING (1 1, 1 1)"),
    ])
    func canonicalForm(_ text: String, _ canonical: String) throws {
        let value = try TDSSpatial(.geometry, wellKnownText: text)
        #expect(try value.wellKnownText == canonical)
        #expect(try TDSSpatial(.geometry, wellKnownText: canonical) == value)
    }

    /// Bad text: what is wrong with it, and where.
    @Test(arguments: [
        // What SQL Server 2025 refuses too (SpatialValueTests, SpatialCurveTests), and Microsoft's pages of the shapes.
        ("", .unexpectedEnd, 0), ("NONSENSE(1 2) EXTRA", .unexpected, 0), ("  BAD (1 2)", .unexpected, 2), ("POINTX(1 2)", .unexpected, 0), ("PO", .unexpected, 0),
        ("POINT(1)", .unexpected, 7), ("POINT(1 X)", .unexpected, 8), ("LINESTRING(0 0,1 X)", .unexpected, 17), ("LINESTRING(0 0,)", .unexpected, 15),
        ("POINT()", .unexpected, 6), ("POINT(1 2", .unexpectedEnd, 9), ("GEOMETRYCOLLECTION(POINT(1 2)", .unexpectedEnd, 29), ("POINT(1 2)X", .unexpected, 10),
        ("LINESTRING(0 0)", .tooFewPoints, 10), ("POLYGON((0 0,0 1,1 1))", .tooFewPoints, 8), ("POLYGON((0 0,0 1,1 1,0 0),(1 1,1 2))", .tooFewPoints, 26),
        ("POLYGON((0 0,0 1,1 1,1 0))", .notClosed, 8), ("POLYGON((0 0,0 3,3 3,3 0,0 0),(1 1,1 2,2 2,2 1,1 9))", .notClosed, 30), ("FULLGLOBE", .notAllowed, 0),
        ("CIRCULARSTRING(0 0, 1 1)", .tooFewPoints, 14), ("CIRCULARSTRING(0 0)", .tooFewPoints, 14), ("CIRCULARSTRING(0 0,1 1,2 0,3 0)", .tooFewPoints, 14),
        ("CIRCULARSTRING(0 0 1, 1 1 2, 2 0 3)", .unequalElevation, 14), ("COMPOUNDCURVE((0 0, 1 1), (2 2, 3 3))", .notConnected, 26),
        ("COMPOUNDCURVE(LINESTRING(0 0, 1 1))", .unexpected, 14), ("COMPOUNDCURVE(COMPOUNDCURVE((0 0,1 1)))", .unexpected, 14), ("CURVEPOLYGON(CIRCULARSTRING EMPTY)", .unexpected, 28),
        ("CURVEPOLYGON(CIRCULARSTRING(0 0, 1 1, 0 0))", .tooFewPoints, 27), ("CURVEPOLYGON(CIRCULARSTRING(0 0,1 1,2 0,1 -1,0 0), EMPTY)", .unexpected, 51),
        ("CURVEPOLYGON((0 5, 0 0, 0 0, 0 0))", .notClosed, 13), ("CURVEPOLYGON((0 0, 0 0, 0 0))", .tooFewPoints, 13), ("MULTIPOINT((0 0), 1 1)", .unexpected, 18),
        ("POLYGON ((10 20, 15 25, 20 30, 10 20), EMPTY)", .unexpected, 39), ("LINESTRING (0 1 1, 3 2 2, 4 5 NaN)", .unexpected, 30), ("POINT(10,20)", .unexpected, 8),
        ("POINT:10 20", .unexpected, 5),
        // And what follows from the grammar.
        ("POINT", .unexpectedEnd, 5), ("POINT(", .unexpectedEnd, 6), ("POINT (1 2 3 4 5)", .unexpected, 15), ("POINT Z (1 2)", .unexpected, 12), ("POINT Z (1 2 3 4)", .unexpected, 15),
        ("POINT M (1 2 3 4)", .unexpected, 15), ("POINT ZM (1 2 3)", .unexpected, 15), ("POINT (NULL 2)", .unexpected, 7), ("POINT (1 2,3 4)", .unexpected, 10),
        ("POINT EMPTYX", .unexpected, 6), ("POINT EMPTY EMPTY", .unexpected, 12), ("POINT (EMPTY)", .unexpected, 7), ("MULTIPOINT (0 0, (1 1))", .unexpected, 17),
        ("MULTIPOINT (0 0, EMPTY)", .unexpected, 17), ("MULTIPOINT ()", .unexpected, 12), ("MULTILINESTRING ((0 0,1 1),)", .unexpected, 27), ("POINT (1-2)", .unexpected, 7),
        ("POINT (1.2.3 4)", .unexpected, 7), ("POINT (0x10 4)", .unexpected, 7), ("POINT (1e 4)", .unexpected, 7), ("POINT (. 4)", .unexpected, 7), ("POINT (- 4)", .unexpected, 7),
        ("POINT (inf 4)", .unexpected, 7), ("POINT (1 1e999)", .outOfRange, 9), ("POINT (1 2 -1e999)", .outOfRange, 11), ("POINT (１ 2)", .unexpected, 7), ("SRID=1;POINT (1 2)", .unexpected, 0),
        ("GEOMETRYCOLLECTION (FULLGLOBE)", .notAllowed, 20), ("COMPOUNDCURVE ((0 0 1, 1 1 1), (1 1 2, 2 2 2))", .notConnected, 31), ("\0POINT (1 2)", .unexpected, 0),
        ("TRIANGLE ((0 0,0 1,1 1,0 0))", .unexpected, 0),
    ] as [(String, WellKnownTextError.Code, Int)])
    func badText(_ text: String, _ code: WellKnownTextError.Code, _ position: Int) {
        let error = #expect(throws: WellKnownTextError.self) { try TDSSpatial(.geometry, wellKnownText: text) }
        #expect(error?.code == code && error?.position == position, "\(String(describing: error))")
        #expect(error?.expected.isEmpty == false)
    }

    @Test func limitsOfGeography() throws {
        for (text, position) in [("POINT (2 200)", 9), ("POINT (2 -90.0001)", 9), ("POINT (-15069.1 0)", 7), ("LINESTRING (0 0, 15070 1)", 17)] {
            let error = #expect(throws: WellKnownTextError.self) { try TDSSpatial(.geography, wellKnownText: text) }
            #expect(error?.code == .outOfRange && error?.position == position, "\(text)")
            #expect(try TDSSpatial(.geometry, wellKnownText: text).srid == 0)
        }
        #expect(try TDSSpatial(.geography, wellKnownText: "LINESTRING (-15069 -90, 15069 90)").wellKnownText == "LINESTRING (-15069 -90, 15069 90)")
        let inCollection = #expect(throws: WellKnownTextError.self) { try TDSSpatial(.geography, wellKnownText: "GEOMETRYCOLLECTION(FULLGLOBE, POINT(1 1))") }
        #expect(inCollection?.code == .notAllowed && inCollection?.position == 19)
        for srid: Int32 in [-1, -5, 1_000_000] {
            #expect(throws: WellKnownTextError(.outOfRange, position: 0, expected: "an SRID of 0 to 999999")) { try TDSSpatial(.geometry, wellKnownText: "POINT (1 2)", srid: srid) }
        }
        #expect(try TDSSpatial(.geometry, wellKnownText: "POINT (1 2)", srid: 999_999).srid == 999_999)
        let large = #expect(throws: WellKnownTextError.self) { try TDSSpatial(.geometry, wellKnownText: "POINT (1 2)", isLargerThanAHemisphere: true) }
        #expect(large?.code == .notAllowed)
        #expect(large?.description == "notAllowed: well-known text, position 0: expected a geography, to be larger than a hemisphere")
    }

    @Test func depthIsLimited() throws {
        func nested(_ depth: Int) -> String { String(repeating: "GEOMETRYCOLLECTION (", count: depth) + "POINT (1 2)" + String(repeating: ")", count: depth) }
        let deepest = nested(127)
        #expect(try TDSSpatial(.geometry, wellKnownText: deepest).wellKnownText == deepest)
        for depth in [128, 129, 100_000] {
            let error = #expect(throws: WellKnownTextError.self) { try TDSSpatial(.geometry, wellKnownText: nested(depth)) }
            #expect(error?.code == .tooDeep)
        }
        let error = #expect(throws: WellKnownTextError.self) {
            try TDSSpatial(.geometry, wellKnownText: String(repeating: "GEOMETRYCOLLECTION (", count: 127) + "MULTIPOINT (1 2)" + String(repeating: ")", count: 127))
        }
        #expect(error?.code == .tooDeep)
        #expect(throws: WellKnownTextError.self) { try TDSSpatial(.geometry, wellKnownText: String(repeating: "(", count: 1_000_000)) }
    }

    /// Bytes that no server writes: of version 1 with what only version 2 has, and figures without points.
    @Test func strictness() {
        for hex in [
            "0000000001040300000000000000000000000000000000000000000000000000F03F000000000000F03F0000000000000040000000000000000001000000010000000001000000FFFFFFFF0000000008",
            "0000000001040300000000000000000000000000000000000000000000000000F03F000000000000F03F0000000000000040000000000000000001000000030000000001000000FFFFFFFF0000000002",
            "0000000002040300000000000000000000000000000000000000000000000000F03F000000000000F03F0000000000000040000000000000000001000000040000000001000000FFFFFFFF0000000002",
            "0000000001040300000000000000000000000000000000000000000000000000F03F000000000000F03F0000000000000040000000000000000002000000020000000000" + "03000000" + "01000000FFFFFFFF0000000003",
            "0000000002040100000000000000000000000000000000000000" + "01000000030000000001000000FFFFFFFF000000000900000000",
        ] {
            #expect(throws: WireError.self, "\(hex)") { try TDSSpatial(.geometry, bytes: CLRValueTests.hex(hex)).wellKnownText }
        }
    }

    // MARK: Random shapes and bytes

    @Test(arguments: [TDSSpatial.Kind.geometry, .geography]) func randomShapesThereAndBack(_ kind: TDSSpatial.Kind) throws {
        var generator = SpatialGenerator(random: SeededGenerator(seed: kind == .geometry ? 11 : 12))
        var versions = [0, 0]
        for _ in 0..<1000 {
            let (written, canonical) = generator.shape()
            let srid = Int32.random(in: 0...999_999, using: &generator.random)
            let isValid = generator.chance(2), isLarge = kind == .geography && generator.chance(4)
            let value = try TDSSpatial(kind, wellKnownText: written, srid: srid, isValid: isValid, isLargerThanAHemisphere: isLarge)
            #expect(try value.wellKnownText == canonical, "\(written)")
            #expect(value.srid == srid)
            #expect(value.isValid == isValid)
            #expect(value.isLargerThanAHemisphere == isLarge)
            let back = try TDSSpatial(kind, wellKnownText: value.wellKnownText, srid: srid, isValid: isValid, isLargerThanAHemisphere: isLarge)
            #expect(back == value, "\(canonical)")
            versions[Int(value.bytes.getInteger(at: 4, as: UInt8.self) ?? 0) - 1] += 1
        }
        #expect(versions.allSatisfy { $0 > 100 }, "\(versions)")
    }

    @Test func mutatedTextNeverTraps() throws {
        var generator = SpatialGenerator(random: SeededGenerator(seed: 13))
        let spices = Array("()(),, 09.-+eENULMPTYZ\n".utf8)
        var (accepted, refused) = (0, 0)
        for _ in 0..<3000 {
            var text = Array(generator.shape().written.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator.random) {
                let position = Int.random(in: 0..<text.count, using: &generator.random)
                switch Int.random(in: 0..<4, using: &generator.random) {
                case 0: text[position] = generator.pick(spices)
                case 1: text.insert(generator.pick(spices), at: position)
                case 2 where text.count > 1: text.remove(at: position)
                default: text[position] = UInt8.random(in: 0...255, using: &generator.random)
                }
            }
            do {
                // What the writer takes, the reader reads, and it says the same.
                let value = try TDSSpatial(.geometry, wellKnownText: String(decoding: text, as: UTF8.self))
                #expect(try TDSSpatial(.geometry, wellKnownText: value.wellKnownText) == value)
                accepted += 1
            } catch let error as WellKnownTextError {
                #expect((0...text.count * 3).contains(error.position))
                refused += 1
            }
        }
        #expect(accepted > 100 && refused > 500, "\(accepted), \(refused)")
    }

    @Test func mutatedAndRandomBytesNeverTrap() throws {
        var generator = SpatialGenerator(random: SeededGenerator(seed: 14))
        for _ in 0..<2000 {
            var bytes = try TDSSpatial(.geometry, wellKnownText: generator.shape().written).bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator.random) {
                let byte = UInt8.random(in: 0...(generator.chance(2) ? 0x0F : 0xFF), using: &generator.random)
                bytes.setInteger(byte, at: Int.random(in: 4..<bytes.readableBytes, using: &generator.random))
            }
            for length in [bytes.readableBytes, Int.random(in: 0...bytes.readableBytes, using: &generator.random)] {
                guard let slice = bytes.getSlice(at: 0, length: length) else { continue }
                _ = try? TDSSpatial(.geography, bytes: slice).wellKnownText
            }
            let noise = (0..<Int.random(in: 0...64, using: &generator.random)).map { _ in UInt8.random(in: 0...255, using: &generator.random) }
            var bare = ByteBuffer(bytes: [0, 0, 0, 0])
            bare.writeInteger(UInt8.random(in: 1...2, using: &generator.random))
            bare.writeInteger(UInt8.random(in: 0...63, using: &generator.random))
            bare.writeBytes(noise)
            _ = try? TDSSpatial(.geometry, bytes: bare).wellKnownText
        }
    }
}
