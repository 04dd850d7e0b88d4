// The schemas of the endpoint and resource configurations, in the existing connector's shape: the control plane draws its forms from
// them, and keeps configurations that satisfied them. Options of our own are at the end of `advanced`, each with its default.

import ExactJSON
import FlowProtocol
import OrderedCollections

enum ConfigurationSchema {
    static let documentationURL = "https://go.estuary.dev/source-sqlserver-ct"

    /// The answer to `spec`.
    static func spec() -> Response.Spec {
        Response.Spec(
            configSchema: RawJSON(endpoint), resourceConfigSchema: RawJSON(resource), documentationUrl: documentationURL,
            resourcePathPointers: ["/namespace", "/stream"])
    }

    private typealias Members = OrderedDictionary<String, JSONValue>

    private static func field(_ type: String, _ title: String?, _ description: String?, _ more: Members = [:]) -> JSONValue {
        var members: Members = ["type": .string(type)]
        if let title { members["title"] = .string(title) }
        if let description { members["description"] = .string(description) }
        members.merge(more) { $1 }
        return .object(members)
    }

    private static func object(_ title: String, _ description: String?, _ properties: Members, _ more: Members = [:]) -> JSONValue {
        var members: Members = ["properties": .object(properties), "additionalProperties": false]
        if case .object(let rest) = field("object", title, description, more) { members.merge(rest) { $1 } }
        return .object(members)
    }

    private static let dialect: JSONValue = "https://json-schema.org/draft/2020-12/schema"
    private static let interval: JSONValue = "^[0-9]+(ms|s|m|h)$"
    private static let advancedDescription = "Options for advanced users. You should not typically need to modify these."

    static let endpoint: JSONValue = .object([
        "$schema": dialect,
        "properties": .object([
            "address": field("string", "Server Address", "The host or host:port at which the database can be reached.", ["order": 0]),
            "user": field("string", nil, "The database user to authenticate as.", ["default": "flow_capture", "order": 1]),
            "password": field("string", nil, "Password for the specified database user.", ["order": 2, "secret": true]),
            "database": field("string", nil, "Logical database name to capture from.", ["order": 3]),
            "timezone": field(
                "string", "Time Zone",
                "The time zone of datetime, datetime2 and smalldatetime columns, which become RFC 3339 timestamps in it: an IANA name, or an offset such as +01:00. Defaults to UTC.",
                ["default": "UTC", "nonsensitive": true, "order": 4]),
            "historyMode": field(
                "boolean", nil, "Capture change events without reducing them to a final state.", ["default": false, "nonsensitive": true, "order": 5]),
            "discoveryFilters": discoveryFilters,
            "advanced": advanced,
            "networkTunnel": networkTunnel,
        ]),
        "type": "object",
        "required": ["address", "user", "password", "database", "historyMode"],
        "title": "SQL Server Connection",
    ])

    private static let strings: JSONValue = ["type": "string"]

    private static let discoveryFilters = object(
        "Discovery Filters", "Options that restrict which tables are visible to discovery.",
        [
            "include_schemas": field(
                "array", "Include Schemas", "If there are any, only tables in these schemas are discovered.", ["items": strings, "nonsensitive": true]),
            "exclude_schemas": field("array", "Exclude Schemas", "Tables in these schemas are not discovered.", ["items": strings, "nonsensitive": true]),
            "table_patterns": field(
                "array", "Table Patterns",
                "If there are any, only tables that match one of these patterns are discovered. '*' stands for any characters, '?' for one, '\\' takes the next character as it is. A pattern with a '.' is about schema.table, any other about the table's name in every schema.",
                ["items": strings, "nonsensitive": true]),
            "discover_tables_without_ct": field(
                "boolean", "Discover Tables Without Change Tracking",
                "Discover tables that do not have change tracking enabled, too. The same as the option under Advanced Options: either is enough.",
                ["nonsensitive": true]),
        ])

    private static let advanced = object(
        "Advanced Options", advancedDescription,
        [
            "discover_tables_without_ct": field(
                "boolean", "Discover Tables Without Change Tracking",
                "Discover tables that do not have change tracking enabled, too. By default only tables that have it are discovered.", ["nonsensitive": true]),
            "skip_backfills": field(
                "string", "Skip Backfills", "A comma-separated list of schema.table, or *.* for all: these tables are not backfilled, only their changes are captured."),
            "backfill_chunk_size": field(
                "integer", "Backfill Chunk Size", "How many rows a single backfill query reads at most.", ["default": 50000, "nonsensitive": true]),
            "polling_interval": field(
                "string", "Change Tracking Polling Interval",
                "How often changes are looked for: a number and a unit, like '500ms', '30s' or '1m', from 100ms to 60s. Defaults to 500ms.",
                ["default": "500ms", "nonsensitive": true, "pattern": interval]),
            "source_tag": field(
                "string", "Source Tag", "If set, the property 'tag' in the source metadata of each document.", ["nonsensitive": true]),
            "rediscovery_interval": field(
                "string", "Rediscovery Interval",
                "How often the tables' definitions are read again while the capture runs, like '15m' or '1h', from 1m to 365 days. Defaults to 15m.",
                ["default": "15m", "pattern": interval]),
            "feature_flags": field(
                "string", "Feature Flags", "Meant for Estuary's own use: change it only as their support directs.", ["nonsensitive": true]),
            "on_data_loss": field(
                "string", "On Data Loss",
                "What to do when changes of a table have been lost (its retention has expired, it was truncated or created again, the database was restored): 'backfill' the table again, or 'stop' with an error.",
                ["default": "backfill", "enum": ["backfill", "stop"], "nonsensitive": true]),
            "backfill_parallelism": field(
                "integer", "Backfill Parallelism", "How many tables are backfilled at the same time, 1 to 32.", ["default": 1, "nonsensitive": true]),
            "backfill_markers": field(
                "boolean", "Backfill Markers",
                "Tell the runtime when a table's backfill begins and is complete, so that rows from before it can be dropped downstream. Older runtimes do not know these messages.",
                ["default": false, "nonsensitive": true]),
            "encryption": field(
                "string", "Encryption",
                "'required': the connection is encrypted. 'strict': by TLS before anything else (TDS 8.0, SQL Server 2022). 'login': only the login is. 'off': nothing is.",
                ["default": "required", "enum": ["required", "strict", "login", "off"], "nonsensitive": true]),
            "trust_server_certificate": field(
                "boolean", "Trust Server Certificate", "Accept any certificate of the server. If false, it must be signed by a known authority for the server's name.",
                ["default": true, "nonsensitive": true]),
            "certificate_authority": field(
                "string", "Certificate Authority", "The certificates of the authorities to accept, as PEM text. Defaults to those of the system.",
                ["default": "", "multiline": true, "nonsensitive": true]),
            "certificate_host_name": field(
                "string", "Host Name in Certificate", "The name that the server's certificate is for, if it is not the one in the address.",
                ["default": "", "nonsensitive": true]),
        ], ["advanced": true])

    private static let networkTunnel = object(
        "Network Tunnel", "Reach the database through an SSH server.",
        [
            "sshForwarding": object(
                "SSH Forwarding", nil,
                [
                    "sshEndpoint": field(
                        "string", "SSH Endpoint", "The SSH server, in the form of ssh://user@hostname[:port]", ["pattern": "^ssh://.+@.+$"]),
                    "privateKey": field("string", "SSH Private Key", "The private key for the SSH server.", ["multiline": true, "secret": true]),
                ], ["required": ["sshEndpoint", "privateKey"]])
        ])

    static let resource: JSONValue = .object([
        "$schema": dialect,
        "properties": .object([
            "namespace": field("string", "Schema", "The schema (namespace) in which the table resides.", ["readOnly": true]),
            "stream": field("string", "Table Name", "The name of the table to be captured.", ["readOnly": true]),
            "priority": field(
                "integer", "Backfill Priority",
                "Tables of the highest priority are backfilled before any others. The default is zero; negative priorities come last.", ["nonsensitive": true]),
            "advanced": object(
                "Advanced Options", advancedDescription,
                [
                    "additional_backfill_filter": field(
                        "string", "Additional Backfill Filter", "A condition, as SQL, that rows must satisfy to be backfilled. Contact Estuary support before using it.")
                ], ["advanced": true]),
        ]),
        "type": "object",
        "required": ["namespace", "stream"],
        "title": "SQL Server CT Resource Spec",
    ])
}
