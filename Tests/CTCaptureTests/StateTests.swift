import CTCapture
import ExactJSON
import OrderedCollections
import Testing

@Suite struct TupleTests {
    /// The examples of FoundationDB's tuple specification, and integers at each boundary.
    static let golden: [([TupleElement], String)] = [
        ([.null], "00"), ([.bytes([0x66, 0x6F, 0x6F, 0x00, 0x62, 0x61, 0x72])], "01666f6f00ff62617200"), ([.text("F\u{00D4}O\u{0000}bar")], "0246c3944f00ff62617200"),
        ([.nested([.bytes([0x66, 0x6F, 0x6F, 0x00, 0x62, 0x61, 0x72]), .null, .nested([])])], "0501666f6f00ff6261720000ff050000"), ([.integer(-5_551_212)], "11ab4b93"),
        ([.float(-42)], "203dd7ffff"), ([.integer(0)], "14"), ([.integer(1)], "1501"), ([.integer(-1)], "13fe"), ([.integer(255)], "15ff"), ([.integer(256)], "160100"),
        ([.integer(-255)], "1300"), ([.integer(-256)], "12feff"), ([.integer(.max)], "1c7fffffffffffffff"), ([.integer(.min)], "0c7fffffffffffffff"),
        ([.unsigned(.max)], "1cffffffffffffffff"), ([.double(1.5)], "21bff8000000000000"), ([.double(-1.5)], "214007ffffffffffff"), ([.bool(false), .bool(true)], "2627"),
        ([.text(""), .bytes([])], "02000100"), ([.integer(2), .text("b")], "1502026200"),
    ]

    @Test(arguments: golden) func specification(_ elements: [TupleElement], _ hex: String) throws {
        let encoded = Tuple.encode(elements)
        #expect(encoded.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == hex)
        #expect(try Tuple.decode(encoded) == elements)
    }

    @Test func orderIsKept() {
        let ordered: [Int64] = [.min, .min + 1, -65537, -65536, -65535, -256, -255, -2, -1, 0, 1, 2, 255, 256, 65535, 65536, .max - 1, .max]
        let encoded = ordered.map { Tuple.encode([.integer($0)]) }
        for (a, b) in zip(encoded, encoded.dropFirst()) { #expect(a.lexicographicallyPrecedes(b)) }
        let doubles: [Double] = [-.infinity, -1e300, -1, -1e-300, -0.0, 0, 1e-300, 1, 1e300, .infinity]
        let encodedDoubles = doubles.map { Tuple.encode([.double($0)]) }
        for (a, b) in zip(encodedDoubles, encodedDoubles.dropFirst()) { #expect(a.lexicographicallyPrecedes(b)) }
    }

    @Test func truncationAndNonsenseAreErrors() {
        let encoded = Tuple.encode([.nested([.text("uuid"), .bytes([1, 2])])])
        for length in 1..<encoded.count { #expect(throws: TupleError.self) { try Tuple.decode(Array(encoded[..<length])) } }
        for bytes: [UInt8] in [[0x03], [0x0C, 0, 0, 0, 0, 0, 0, 0, 0], [0x02, 0xFF, 0x00], [0x1C, 1], [0x21, 1], [UInt8](repeating: 5, count: 1000)] {
            #expect(throws: TupleError.self) { try Tuple.decode(bytes) }
        }
    }
}

@Suite struct StateTests {
    @Test func keyPositionsRoundTrip() throws {
        let uuid = Array(UInt8(0)..<16)
        let values: [KeyValue] = [.integer(-7), .text("é\u{0}x"), .bytes([0, 255]), .double(1.25), .uniqueidentifier(uuid), .text("2006-01-02T15:04:05.000")]
        #expect(try KeyPosition.decode(KeyPosition.encode(values)) == values)
        // ("uuid", bytes 10-15, 8-9, 6-7, 4-5, 0-3)
        #expect(KeyPosition.encode([.uniqueidentifier(uuid)]) == "BQJ1dWlkAAEKCwwNDg8ICQYHBAUA/wECAwAA")
        // ("ctext", bytes, "abc"), as the existing connector saves text of some collations.
        let ctext = Tuple.encode([.nested([.text("ctext"), .bytes([9]), .text("abc")])])
        #expect(try KeyPosition.decode(base64(ctext)) == [.text("abc")])
        #expect(throws: StateError.self) { try KeyPosition.decode("!") }
        #expect(throws: StateError.self) { try KeyPosition.decode(base64([0x99])) }
        #expect(throws: StateError.self) { try KeyPosition.decode(base64(Tuple.encode([.nested([.text("x")])]))) }
    }

    private func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = (0..<3).map { start + $0 < bytes.count ? Int(bytes[start + $0]) : 0 }
            let number = group[0] << 16 | group[1] << 8 | group[2]
            for index in 0..<4 { text.append(start + index <= bytes.count ? alphabet[number >> (18 - 6 * index) & 63] : "=") }
        }
        return text
    }

    @Test func cursorKeys() {
        #expect(CursorKey.encode(TableName(schema: "DBO", table: "Foo")) == "dbo.foo")
        #expect(CursorKey.encode(TableName(schema: "a.b", table: "100% X.y")) == "a%2Eb.100%25 x%2Ey")
    }

    @Test func readsTheExistingConnectorsState() throws {
        let state = try CaptureState(
            JSONValue(
                parsing: #"""
                    {"cursor":{"dbo.a":9223372036854775807,"dbo.b":"12","dbo.c":null},"bindingStateV1":{
                    "dbo%2FA":{"mode":"Backfill","key_columns":["id"],"scanned":"FQE=","metadata":{"x":1.50},"backfilled":10,"later":true},
                    "dbo%2FB":{"mode":"Active","key_columns":["id"],"backfilled":"3"},"dbo%2FC":{"backfilled":0,"mode":"Ignore"},"dbo%2FD":null},"else":1}
                    """#))
        #expect(state.cursors == ["dbo.a": .max, "dbo.b": 12])
        #expect(state.bindings["dbo%2FA"] == BindingState(mode: .backfill, keyColumns: ["id"], scanned: "FQE=", metadata: ["x": .number("1.50")], backfilled: 10))
        #expect(state.bindings["dbo%2FB"]?.backfilled == 3 && state.bindings["dbo%2FC"]?.mode == .ignore && state.bindings["dbo%2FD"] == nil)
        #expect(try CaptureState(.object([:])) == CaptureState())
        #expect(try CaptureState(.null) == CaptureState())
        #expect(try CaptureState(JSONValue(parsing: state.json.text())) == state)
    }

    @Test func identityLivesInMetadata() throws {
        var binding = BindingState(mode: .active, metadata: ["x": .number("1.50")])
        #expect(binding.identity == nil)
        binding.identity = TableIdentity(objectID: 245_575_913, beginVersion: 12)
        #expect(binding.metadata?.text() == #"{"x":1.50,"object_id":245575913,"begin_version":12}"#)
        #expect(binding.identity == TableIdentity(objectID: 245_575_913, beginVersion: 12))
        binding.identity = nil
        #expect(binding.metadata?.text() == #"{"x":1.50}"#)
    }

    @Test func positionsInAnotherKeyAreOurOwn() throws {
        var binding = BindingState(mode: .backfill, keyColumns: ["id"])
        binding.setPosition("FQE=", of: ["id"])
        #expect(binding.scanned == "FQE=" && binding.position == "FQE=" && binding.scanKey == nil && binding.metadata == nil)
        binding.setPosition("FQI=", of: ["a", "b"])
        #expect(binding.scanned == "" && binding.position == "FQI=" && binding.scanKey == ["a", "b"])
        binding.setPosition("", of: ["a", "b"])
        #expect(binding.position == "" && binding.scanKey == nil && binding.metadata == nil)
    }

    @Test(arguments: [#"{"cursor":"0x00"}"#, #"{"cursor":{"a":1.5}}"#, #"{"bindingStateV1":{"a":{"mode":"Dancing"}}}"#, #"{"bindingStateV1":{"a":1}}"#, "[]"])
    func refuses(_ text: String) { #expect(throws: StateError.self) { try CaptureState(JSONValue(parsing: text)) } }

    @Test func patchesHoldOnlyWhatChanged() throws {
        var old = CaptureState()
        old.cursors = ["dbo.a": 1, "dbo.b": 1]
        old.bindings["A"] = BindingState(mode: .backfill, keyColumns: ["id"], scanned: "FQE=", backfilled: 1)
        var new = old
        new.cursors["dbo.b"] = nil
        new.bindings["A"] = BindingState(mode: .active, keyColumns: ["id"], backfilled: 2)
        #expect(try new.patch(from: old) == JSONValue(parsing: #"{"bindingStateV1":{"A":{"backfilled":2,"mode":"Active","scanned":null}},"cursor":{"dbo.b":null}}"#))
        #expect(old.json.merging(new.patch(from: old)) == new.json)
        #expect(old.patch(from: old).text() == "{}")
    }
}
