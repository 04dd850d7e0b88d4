import CTCapture
import ExactJSON
import OrderedCollections
import Testing

@Suite struct DiscoveryTests {
    static func column(_ name: String, _ type: ColumnType, nullable: Bool = true, ordinal: Int = 1, description: String? = nil) -> ColumnInfo {
        ColumnInfo(name: name, ordinal: ordinal, type: type, isNullable: nullable, description: description)
    }

    static let int = ColumnType(name: "int", maxLength: 4, precision: 10)

    private func table(_ schema: String, _ name: String, key: [String] = ["id"], columns: [ColumnInfo] = [], tracked: Bool = true) -> TableInfo {
        TableInfo(
            name: TableName(schema: schema, table: name), objectID: Int64(name.utf8.count), columns: [Self.column("id", Self.int, nullable: false)] + columns,
            primaryKey: key, beginVersion: tracked ? 1 : nil)
    }

    private func configuration(_ change: (inout CaptureConfiguration) -> Void = { _ in }) -> CaptureConfiguration {
        var configuration = CaptureConfiguration(host: "h", database: "d", user: "u", password: "p")
        change(&configuration)
        return configuration
    }

    /// The whole shape, as the existing connector was recorded for
    /// CREATE TABLE dbo.Basics_SimpleDiscovery_891380 (a INTEGER PRIMARY KEY, b VARCHAR(2000), c REAL NOT NULL, d VARCHAR(255)).
    @Test func wholeShape() throws {
        let columns = [
            Self.column("d", ColumnType(name: "varchar", maxLength: 255), ordinal: 4), Self.column("a", Self.int, nullable: false),
            Self.column("b", ColumnType(name: "varchar", maxLength: 2000), ordinal: 2), Self.column("c", ColumnType(name: "real", maxLength: 4), nullable: false, ordinal: 3),
        ]
        let name = TableName(schema: "dbo", table: "Basics_SimpleDiscovery_891380")
        let catalog = Catalog(tables: [TableInfo(name: name, objectID: 1, columns: columns, primaryKey: ["a"], beginVersion: 0)])
        let found = try #require(try Discovery.discover(catalog, configuration()).first)
        #expect(found.recommendedName == "dbo/basics_simplediscovery_891380" && found.key == ["/a"])
        let expected = try JSONValue(
            parsing: #"""
                {"$defs":{"DboBasics_SimpleDiscovery_891380":{"type":"object","required":["a"],"$anchor":"DboBasics_SimpleDiscovery_891380","properties":{
                "a":{"type":"integer","description":"(source type: non-nullable int)"},
                "b":{"maxLength":2000,"description":"(source type: varchar(2000))","type":["string","null"]},
                "c":{"type":"number","description":"(source type: non-nullable real)"},
                "d":{"maxLength":255,"description":"(source type: varchar(255))","type":["string","null"]}}}},
                "allOf":[{"if":{"properties":{"_meta":{"properties":{"op":{"const":"d"}}}}},"then":{"reduce":{"delete":true,"strategy":"merge"}},
                "else":{"reduce":{"strategy":"merge"}},"required":["_meta"],"properties":{"_meta":{"type":"object","required":["op","source"],"properties":{
                "before":{"$ref":"#DboBasics_SimpleDiscovery_891380","description":"Record state immediately before this change was applied.",
                "reduce":{"strategy":"firstWriteWins"}},
                "op":{"enum":["c","d","u"],"description":"Change operation type: 'c' Create/Insert, 'u' Update, 'd' Delete."},
                "source":{"properties":{
                "ts_ms":{"type":"integer","description":"Unix timestamp (in millis) at which this event was recorded by the database."},
                "schema":{"type":"string","description":"Database schema (namespace) of the event."},
                "snapshot":{"type":"boolean","description":"Snapshot is true if the record was produced from an initial table backfill and unset if produced from the replication log."},
                "table":{"type":"string","description":"Database table of the event."},
                "version":{"type":"integer","description":"The Change Tracking version at which this event occurred. Only set for replication events"}},
                "type":"object","required":["schema","table"]}},"reduce":{"strategy":"merge"}}}},
                {"$ref":"#DboBasics_SimpleDiscovery_891380"}],"x-infer-schema":true}
                """#)
        #expect(found.documentSchema.text(keys: .sorted) == expected.text(keys: .sorted))
        let history = try Discovery.discover(catalog, configuration { $0.historyMode = true })
        #expect(
            history.first?.documentSchema["allOf"]?.array?.first?["properties"]?["_meta"]?["properties"]?["source"]?["reduce"]
                == ["strategy": "lastWriteWins", "associative": false] as JSONValue)
    }

    @Test(arguments: [
        ("bigint", 8, 19, 0, #"{"type":"integer"}"#), ("bit", 1, 1, 0, #"{"type":"boolean"}"#), ("decimal", 9, 18, 4, #"{"type":"string","format":"number"}"#),
        ("money", 8, 19, 4, #"{"type":"string","format":"number"}"#), ("float", 8, 53, 0, #"{"type":"number"}"#), ("nchar", 20, 0, 0, #"{"type":"string","maxLength":10}"#),
        ("nvarchar", -1, 0, 0, #"{"type":"string"}"#), ("text", 16, 0, 0, #"{"type":"string"}"#), ("xml", -1, 0, 0, #"{"type":"string"}"#),
        ("binary", 8, 0, 0, #"{"type":"string","contentEncoding":"base64","maxLength":12}"#), ("varbinary", -1, 0, 0, #"{"type":"string","contentEncoding":"base64"}"#),
        ("timestamp", 8, 0, 0, #"{"type":"string","contentEncoding":"base64"}"#), ("hierarchyid", 892, 0, 0, #"{"type":"string","contentEncoding":"base64"}"#),
        ("date", 3, 10, 0, #"{"type":"string","format":"date"}"#), ("time", 5, 16, 7, #"{"type":"string"}"#), ("datetime2", 8, 27, 7, #"{"type":"string","format":"date-time"}"#),
        ("uniqueidentifier", 16, 0, 0, #"{"type":"string","format":"uuid"}"#), ("sql_variant", 8016, 0, 0, "{}"), ("geometry", -1, 0, 0, "{}"),
    ])
    func types(_ name: String, _ maxLength: Int, _ precision: Int, _ scale: Int, _ schema: String) throws {
        let type = ColumnType(name: name, maxLength: maxLength, precision: precision, scale: scale)
        let schema = try #require(try JSONValue(parsing: schema).object)
        let sourced = DocumentSchema.sourced(table("dbo", "t", columns: [Self.column("v", type, ordinal: 2)]))
        #expect(sourced["properties"]?["v"]?.object == schema)
        #expect(sourced["required"] == ["_meta", "id", "v"] as JSONValue && sourced["additionalProperties"] == false)
    }

    @Test func ownDescriptionsComeFirst() throws {
        let table = table("dbo", "t", columns: [Self.column("n", Self.int, ordinal: 2, description: "How many.")])
        let schema = DocumentSchema.collection(table, historyMode: false)
        #expect(schema["$defs"]?["DboT"]?["properties"]?["n"] == ["type": ["integer", "null"], "description": "How many. (source type: int)"] as JSONValue)
    }

    @Test func filters() throws {
        let catalog = Catalog(tables: [
            table("dbo", "plain"), table("dbo", "untracked", tracked: false), table("dbo", "keyless", key: []), table("dbo", "flow_checkpoints_v1"),
            table("dbo", "flow_materializations_v2"), table("dbo", "published", columns: [Self.column("flow_published_at", Self.int)]), table("other", "plain"),
        ])
        func names(_ change: (inout CaptureConfiguration) -> Void = { _ in }) throws -> [String] {
            try Discovery.discover(catalog, configuration(change)).map(\.recommendedName)
        }
        #expect(try names() == ["dbo/plain", "other/plain"])
        #expect(try names { $0.discoveryFilters.includeSchemas = ["other"] } == ["other/plain"])
        #expect(try names { $0.discoveryFilters.excludeSchemas = ["other"] } == ["dbo/plain"])
        #expect(try names { $0.advanced.discoverTablesWithoutCT = true } == ["dbo/plain", "dbo/untracked", "other/plain"])
        #expect(try names { $0.discoveryFilters.discoverTablesWithoutCT = true }.count == 3)
        let pattern = try TablePattern("oth??.pl*")
        #expect(try names { $0.discoveryFilters.tablePatterns = [pattern] } == ["other/plain"])
    }

    @Test func tablesThatDifferOnlyInCase() throws {
        let catalog = Catalog(tables: [table("dbo", "Foo"), table("dbo", "foo")])
        let error = #expect(throws: DiscoveryError.self) { try Discovery.discover(catalog, configuration()) }
        #expect(error?.description.contains("\"dbo.Foo\" and \"dbo.foo\"") == true)
        let pattern = try TablePattern("Foo")
        #expect(try Discovery.discover(catalog, configuration { $0.discoveryFilters.tablePatterns = [pattern] }).count == 1)
    }

    @Test func names() {
        #expect(Discovery.recommendedName(TableName(schema: "My Schema", table: "Tâble/[x].y-z")) == "my_schema/t_ble__x_.y-z")
        #expect(Discovery.pointer("a/b~c") == "/a~1b~0c")
    }
}
