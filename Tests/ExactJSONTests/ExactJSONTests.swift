import ExactJSON
import Testing

@Suite struct ExactJSONTests {
    @Test(arguments: [
        #"{"a":9223372036854775807,"b":-9223372036854775808}"#, #"[1.10,1e400,123456789012345678901234567890,-0]"#, #"{"z":1,"a":{"y":[],"b":{}}}"#,
        #""a\"b\\c\n\t\u0001é😀""#, "null", "true", "[false]",
    ])
    func roundTripIsExact(_ text: String) throws {
        #expect(try JSONValue(parsing: text).text() == text)
        var parser = JSONParser(Array(" \(text) ".utf8))
        #expect(try parser.raw().text == text)
        try parser.end()
    }

    @Test func sortedKeysAreBytewise() throws {
        #expect(try JSONValue(parsing: #"{"é":1,"b":2,"_":3,"B":4,"a":{"d":1,"c":2}}"#).text(keys: .sorted) == #"{"B":4,"_":3,"a":{"c":2,"d":1},"b":2,"é":1}"#)
    }

    @Test(arguments: [
        "", " ", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "01", "1.", ".5", "1e", "-", "+1", "tru", "nul", "\"a", "\"\\x\"", "\"\\u12\"", "1 2", "\"\n\"", "[}",
    ])
    func refuses(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(throws: JSONError.self) { try RawJSON(Array(text.utf8)) }
    }

    @Test func everyTruncationIsAnError() throws {
        let text = Array(#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00"],"b":{"c":null,"d":true}}"#.utf8)
        _ = try JSONValue(parsing: text)
        for length in 0..<text.count { #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text[..<length])) } }
    }

    @Test func depthIsBounded() throws {
        let deep = { (n: Int) in String(repeating: "[", count: n) + String(repeating: "]", count: n) }
        _ = try JSONValue(parsing: deep(JSONParser.maximumDepth))
        #expect(throws: JSONError.self) { try JSONValue(parsing: deep(JSONParser.maximumDepth + 1)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) }
    }

    @Test func escapes() throws {
        #expect(try JSONValue(parsing: #""\u0041\ud83d\ude00\ud800x\/""#).string == "A😀\u{FFFD}x/")
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0x5C, 0x6E, 0xFF, 0x22]) }
    }

    /// The cases of RFC 7396, appendix A.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#), (#"{"a":"b"}"#, #"{"a":null}"#, "{}"),
        (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#), (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#), (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#), (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
        (#"{"a":"foo"}"#, "null", "null"), (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
        ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func mergePatch(_ original: String, _ patch: String, _ result: String) throws {
        #expect(try JSONValue(parsing: original).merging(JSONValue(parsing: patch)).text() == result)
    }

    @Test func patchHoldsOnlyWhatChanged() throws {
        let old = try JSONValue(parsing: #"{"cursor":{"a":1,"b":2,"c":3},"s":{"x":{"m":"P","k":["id"]},"y":1}}"#)
        let new = try JSONValue(parsing: #"{"cursor":{"a":1,"b":5,"d":4},"s":{"x":{"m":"A","k":["id"]},"y":1}}"#)
        let patch = try #require(JSONValue.patch(from: old, to: new))
        #expect(patch.text() == #"{"cursor":{"b":5,"d":4,"c":null},"s":{"x":{"m":"A"}}}"#)
        #expect(JSONValue.patch(from: old.merging(patch), to: new) == nil)
        #expect(JSONValue.patch(from: old, to: old) == nil)
    }

    @Test func rawIsWrittenOnOneLine() throws {
        var output: [UInt8] = []
        try RawJSON(Array("{\n \"a\": 1.50\r\n}".utf8)).write(to: &output)
        #expect(String(decoding: output, as: UTF8.self) == "{  \"a\": 1.50  }")
    }
}
