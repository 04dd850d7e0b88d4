import ExactJSON
import FlowProtocol
import Testing

@Suite struct MessageTests {
    private func request(_ text: String) throws -> Request { try Request(json: Array(text.utf8)[...]) }

    @Test func specWithEmptyConfiguration() throws {
        guard case .spec(let spec) = try request(#"{"spec":{"connectorType":"IMAGE","config":{}},"$internal":"AAE=","newField":[{}]}"#) else {
            Issue.record("not a spec request")
            return
        }
        #expect(spec.connectorType == "IMAGE")
        #expect(spec.config?.text == "{}")
    }

    @Test func embeddedDocumentsAreKeptAsTheyAre() throws {
        let state = #"{"cursor":{"dbo.a":9223372036854775807}, "x": 1.10}"#
        let text = """
            {"open":{"capture":{"name":"a/b","connectorType":"LOCAL","config":{"p":1e2},"intervalSeconds":300,"shardTemplate":{"x":1},"bindings":[
            {"resourceConfig":{"namespace":"dbo","stream":"T"},"resourcePath":["dbo","T"],"backfill":3,"stateKey":"dbo%2FT.v3","collection":
            {"name":"c","key":["/id","/a~1b"],"writeSchema":{"type":"object"},"uuidPtr":"/_meta/uuid","projections":[{"field":"f"}]}}],
            "inactiveBindings":[{"stateKey":"gone"}]},"version":"7","range":{"keyEnd":4294967295,"rClockEnd":"4294967295"},"state":\(state)}}
            """.replacing("\n", with: "")
        guard case .open(let open) = try request(text) else { Issue.record("not an open request"); return }
        #expect(open.state?.text == state)
        #expect(open.capture.config?.text == #"{"p":1e2}"#)
        #expect(open.capture.bindings.count == 1)
        #expect(open.capture.bindings.first?.collection.key == ["/id", "/a~1b"])
        #expect(open.capture.bindings.first?.backfill == 3)
        #expect(open.capture.bindings.first?.stateKey == "dbo%2FT.v3")
        #expect(open.capture.inactiveBindings.map(\.stateKey) == ["gone"])
        #expect(open.range.keyEnd == .max && open.range.rClockEnd == .max && open.range.keyBegin == 0)
    }

    @Test func linkedCollectionsAreResolved() throws {
        let text = """
            {"apply":{"capture":{"bindings":[{"stateKey":"a","collection":{"name":"old"}},{"stateKey":"b","collectionIndex":1}],\
            "linkedCollections":[{"name":"x"},{"name":"y"}]},"lastCapture":null}}
            """
        guard case .apply(let apply) = try request(text) else { Issue.record("not an apply request"); return }
        #expect(apply.capture.bindings.map(\.collection.name) == ["x", "y"])
        #expect(apply.lastCapture == nil)
        #expect(throws: JSONError.self) { try request(#"{"validate":{"bindings":[{"collectionIndex":1}],"linkedCollections":[{"name":"x"}]}}"#) }
        guard case .validate(let validate) = try request(#"{"validate":{"linkedCollections":[{"name":"x"}],"bindings":[{}]}}"#) else {
            Issue.record("not a validate request")
            return
        }
        #expect(validate.bindings.map(\.collection.name) == ["x"])
    }

    @Test func acknowledgeCountsAtLeastOne() throws {
        for (text, count) in [(#"{"acknowledge":{}}"#, 1), (#"{"acknowledge":{"checkpoints":0}}"#, 1), (#"{"acknowledge":{"checkpoints":12}}"#, 12)] {
            guard case .acknowledge(let acknowledge) = try request(text) else { Issue.record("not an acknowledgement"); return }
            #expect(acknowledge.checkpoints == UInt32(count))
        }
    }

    @Test(arguments: ["{}", #"{"unknown":{}}"#, #"{"spec":{},"open":{}}"#, #"{"spec":3}"#, #"{"acknowledge":{"checkpoints":-1}}"#, "[]", "x"])
    func refuses(_ text: String) { #expect(throws: JSONError.self) { try request(text) } }

    @Test func responsesLeaveDefaultsOut() throws {
        func json(_ response: Response) -> String { String(decoding: response.json(), as: UTF8.self) }
        let empty = RawJSON([:] as JSONValue)
        #expect(json(.discovered(.init(bindings: []))) == #"{"discovered":{}}"#)
        #expect(json(.validated(.init(resourcePaths: [["dbo", "a"], ["dbo", "b"]]))) == #"{"validated":{"bindings":[{"resourcePath":["dbo","a"]},{"resourcePath":["dbo","b"]}]}}"#)
        #expect(json(.applied(.init(actionDescription: ""))) == #"{"applied":{}}"#)
        #expect(json(.opened(.init(explicitAcknowledgements: true))) == #"{"opened":{"explicitAcknowledgements":true}}"#)
        #expect(json(.captured(.init(binding: 0, doc: empty))) == #"{"captured":{"doc":{}}}"#)
        #expect(json(.captured(.init(binding: 5, doc: empty))) == #"{"captured":{"binding":5,"doc":{}}}"#)
        #expect(json(.checkpoint(.init(updated: empty))) == #"{"checkpoint":{"state":{"updated":{},"mergePatch":true}}}"#)
        #expect(json(.checkpoint(.init(updated: empty, mergePatch: false))) == #"{"checkpoint":{"state":{"updated":{}}}}"#)
        #expect(json(.sourcedSchema(.init(binding: 1, documentSchema: empty))) == #"{"sourcedSchema":{"binding":1,"documentSchema":{}}}"#)
        #expect(json(.backfillBegin(binding: 2)) == #"{"backfillBegin":{"binding":2}}"#)
        #expect(json(.backfillComplete(binding: 0)) == #"{"backfillComplete":{}}"#)
        let binding = Response.Discovered.Binding(recommendedName: "dbo/a", resourceConfig: empty, documentSchema: empty, key: ["/id"], resourcePath: ["dbo", "A"])
        #expect(
            json(.discovered(.init(bindings: [binding])))
                == #"{"discovered":{"bindings":[{"recommendedName":"dbo/a","resourceConfig":{},"documentSchema":{},"key":["/id"],"resourcePath":["dbo","A"]}]}}"#)
    }

    @Test func framingOfDocumentsIsTheEncodingOfCaptured() throws {
        let codec = JSONLinesCodec()
        let doc = try RawJSON(Array(#"{"id":1}"#.utf8))
        for binding: UInt32 in [0, 1, 4_000_000_000] {
            var encoded: [UInt8] = []
            codec.encode(.captured(.init(binding: binding, doc: doc)), to: &encoded)
            let framing = codec.documentFraming(binding: binding)
            #expect(framing.prefix + doc.bytes + framing.suffix == encoded)
        }
    }

    @Test func codecChoice() throws {
        #expect(try FlowCodecChoice.codec(environment: ["FLOW_RUNTIME_CODEC": "json"]) is JSONLinesCodec)
        for environment in [[:], ["FLOW_RUNTIME_CODEC": "proto"], ["FLOW_RUNTIME_CODEC": "JSON"], ["FLOW_RUNTIME_CODEC": "xml"]] {
            #expect(throws: FlowProtocolError.self) { try FlowCodecChoice.codec(environment: environment) }
        }
    }
}
