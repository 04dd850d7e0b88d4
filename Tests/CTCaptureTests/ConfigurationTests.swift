import CTCapture
import ExactJSON
import OrderedCollections
import Testing

@Suite struct ConfigurationTests {
    private func configuration(_ extra: String = "") throws -> CaptureConfiguration {
        try CaptureConfiguration(JSONValue(parsing: #"{"address":"db.example:1444","database":"test","user":"u","password":"pw","historyMode":false\#(extra)}"#))
    }

    private func message(_ extra: String) -> String {
        do {
            _ = try configuration(extra)
            return "(accepted)"
        } catch {
            return "\(error)"
        }
    }

    @Test func defaults() throws {
        let configuration = try configuration()
        #expect(configuration.host == "db.example" && configuration.port == 1444 && configuration.timezone == .utc)
        #expect(configuration.advanced.backfillChunkSize == 50_000 && configuration.advanced.pollingInterval == .milliseconds(500))
        #expect(configuration.advanced.rediscoveryInterval == .seconds(900) && configuration.advanced.onDataLoss == .backfill)
        #expect(!configuration.discoversTablesWithoutCT && configuration.advanced.sourceTag == nil)
    }

    @Test func everything() throws {
        let configuration = try configuration(
            #"""
            ,"timezone":"-05:30","discoveryFilters":{"include_schemas":["a"],"exclude_schemas":["b"],"table_patterns":["*_evt"],"discover_tables_without_ct":true},
            "advanced":{"skip_backfills":"dbo.A, dbo.b","backfill_chunk_size":7,"polling_interval":"30s","source_tag":"x","rediscovery_interval":"1h",
            "feature_flags":"discover_rowversion_as_bytes,initial_backfill_cursor=5,force_reset_cursor=9","on_data_loss":"stop","backfill_parallelism":4},
            "networkTunnel":{"sshForwarding":{"sshEndpoint":"ssh://u@h:22","privateKey":"KEY"}}
            """#)
        #expect(configuration.timezone == .offset(seconds: -19800))
        #expect(configuration.discoversTablesWithoutCT)
        #expect(configuration.advanced.skipBackfills.contains(TableName(schema: "DBO", table: "B")))
        #expect(!configuration.advanced.skipBackfills.contains(TableName(schema: "dbo", table: "c")))
        #expect(configuration.advanced.pollingInterval == .seconds(30) && configuration.advanced.rediscoveryInterval == .seconds(3600))
        #expect(configuration.advanced.featureFlags.initialBackfillCursor == 5 && configuration.advanced.featureFlags.forceResetCursor == 9)
        #expect(configuration.advanced.featureFlags.ignored == ["discover_rowversion_as_bytes"])
        #expect(configuration.advanced.onDataLoss == .stop && configuration.tunnel?.privateKey == "KEY")
    }

    @Test(arguments: [
        (#","foo":1"#, "unknown field 'foo'"), (#","advanced":{"bar":{}}"#, "unknown field 'advanced.bar'"),
        (#","networkTunnel":{"sshForwarding":{"sshEndpoint":"ssh://u@h","privateKey":"k","x":1}}"#, "unknown field 'networkTunnel.sshForwarding.x'"),
        (#","historyMode":"yes""#, "'historyMode' must be true or false, but is a string"),
        (#","advanced":{"backfill_chunk_size":"7"}"#, "'advanced.backfill_chunk_size' must be a whole number, but is a string"),
        (#","advanced":{"polling_interval":"10ms"}"#, "'advanced.polling_interval' must be between 100ms and 60s, but is \"10ms\""),
        (#","advanced":{"polling_interval":"99999999999999999999h"}"#, "a number and a unit"), (#","advanced":{"polling_interval":"5"}"#, "a number and a unit"),
        (#","timezone":"Mars/Olympus""#, "IANA name"), (#","advanced":{"skip_backfills":"foo"}"#, "schema.table"),
        (#","advanced":{"feature_flags":"force_reset_cursor=x"}"#, "force_reset_cursor=123"), (#","discoveryFilters":{"table_patterns":["a.b.c"]}"#, "more than one '.'"),
        (#","advanced":{"on_data_loss":"panic"}"#, "one of backfill, stop"),
    ])
    func plainMessages(_ extra: String, _ expected: String) { #expect(message(extra).contains(expected), "\(message(extra))") }

    @Test(arguments: ["address", "user", "password", "database"])
    func requiredFields(_ field: String) throws {
        var members = try #require(JSONValue(parsing: #"{"address":"h","database":"d","user":"u","password":"p"}"#).object)
        members[field] = nil
        let error = #expect(throws: ConfigurationError.self) { try CaptureConfiguration(.object(members)) }
        #expect(error?.description == "missing '\(field)'")
    }

    @Test(arguments: [
        ("h", "h", 1433), ("h:1", "h", 1), ("10.0.0.1:65535", "10.0.0.1", 65535), ("[::1]:1434", "::1", 1434), ("[fe80::1]", "fe80::1", 1433), ("::1", "::1", 1433),
    ])
    func addresses(_ text: String, _ host: String, _ port: Int) throws {
        let configuration = try CaptureConfiguration(["address": .string(text), "database": "d", "user": "u", "password": "p"] as JSONValue)
        #expect(configuration.host == host && configuration.port == port)
    }

    @Test(arguments: ["h:", "h:0", "h:65536", "h:x", ":1", "[::1", "[]:1", "[::1]1", "a:b:c:z"])
    func invalidAddresses(_ text: String) {
        #expect(throws: ConfigurationError.self) { try CaptureConfiguration(["address": .string(text), "database": "d", "user": "u", "password": "p"] as JSONValue) }
    }

    @Test(arguments: [
        ("*_evt", "dbo", "a_evt", true), ("*_evt", "dbo", "a_evt2", false), ("dbo.*", "dbo", "x", true), ("dbo.*", "other", "x", false), ("a?c", "s", "abc", true),
        ("a?c", "s", "ac", false), (#"a\.b"#, "s", "a.b", true), (#"a\*"#, "s", "ab", false), (#"a\*"#, "s", "a*", true), ("*a*b*c", "s", "xaybzbc", true),
        ("*", "s", "", true), ("ABC", "s", "abc", false), ("s?.t", "s1", "t", true),
    ])
    func patterns(_ pattern: String, _ schema: String, _ table: String, _ expected: Bool) throws {
        #expect(try TablePattern(pattern).matches(TableName(schema: schema, table: table)) == expected)
    }

    @Test func patternsDoNotBlowUp() throws {
        let pattern = try TablePattern(String(repeating: "*a", count: 60) + "b")
        #expect(!pattern.matches(TableName(schema: "s", table: String(repeating: "a", count: 2000))))
    }

    @Test func resources() throws {
        let resource = try ResourceConfiguration(
            JSONValue(
                parsing: #"""
                    {"namespace":"dbo","stream":"T","priority":-1,"mode":"Precise","primary_key":["b","a"],"syncMode":"","_meta":{"path":["dbo","T"]},
                    "advanced":{"additional_backfill_filter":"x > 1"}}
                    """#))
        #expect(resource == ResourceConfiguration(table: TableName(schema: "dbo", table: "T"), priority: -1, mode: .precise, primaryKey: ["b", "a"], backfillFilter: "x > 1"))
        #expect(throws: ConfigurationError.self) { try ResourceConfiguration(["namespace": "dbo", "stream": "T", "mode": "Sometimes"] as JSONValue) }
        #expect(throws: ConfigurationError.self) { try ResourceConfiguration(["namespace": "dbo"] as JSONValue) }
        #expect(throws: ConfigurationError.self) { try ResourceConfiguration(["namespace": "dbo", "stream": "T", "extra": 1] as JSONValue) }
    }
}
