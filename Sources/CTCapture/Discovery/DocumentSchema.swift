// JSON schemas of a table's documents, in the existing connector's shape.

import ExactJSON
import OrderedCollections

public enum DocumentSchema {
    /// The write schema that discovery offers for a table's collection.
    public static func collection(_ table: TableInfo, historyMode: Bool) -> JSONValue {
        let anchor = anchor(table.name)
        var properties: OrderedDictionary<String, JSONValue> = [:]
        for column in table.columnsInDocumentOrder { properties[column.name] = column.schema(describing: true, nullable: true) }
        let record: JSONValue = [
            "type": "object", "required": .array(table.primaryKey.map { .string($0) }), "$anchor": .string(anchor), "properties": .object(properties),
        ]
        let isDelete: JSONValue = ["properties": ["_meta": ["properties": ["op": ["const": "d"]]]]]
        return [
            "$defs": .object([anchor: record]),
            "allOf": [
                [
                    "if": isDelete,
                    "then": ["reduce": ["delete": true, "strategy": "merge"]],
                    "else": ["reduce": ["strategy": "merge"]],
                    "required": ["_meta"],
                    "properties": ["_meta": meta(anchor, historyMode: historyMode)],
                ],
                ["$ref": .string("#\(anchor)")],
            ],
            "x-infer-schema": true,
        ]
    }

    private static func meta(_ anchor: String, historyMode: Bool) -> JSONValue {
        var source: OrderedDictionary<String, JSONValue> = [
            "properties": [
                "ts_ms": ["type": "integer", "description": "Unix timestamp (in millis) at which this event was recorded by the database."],
                "schema": ["type": "string", "description": "Database schema (namespace) of the event."],
                "snapshot": [
                    "type": "boolean",
                    "description": "Snapshot is true if the record was produced from an initial table backfill and unset if produced from the replication log.",
                ],
                "table": ["type": "string", "description": "Database table of the event."],
                "version": [
                    "type": "integer", "description": "The Change Tracking version at which this event occurred. Only set for replication events",
                ],
            ],
            "type": "object",
            "required": ["schema", "table"],
        ]
        if historyMode { source["reduce"] = ["strategy": "lastWriteWins", "associative": false] }
        return [
            "type": "object",
            "required": ["op", "source"],
            "properties": [
                "before": [
                    "$ref": .string("#\(anchor)"), "description": "Record state immediately before this change was applied.",
                    "reduce": ["strategy": "firstWriteWins"],
                ],
                "op": ["enum": ["c", "d", "u"], "description": "Change operation type: 'c' Create/Insert, 'u' Update, 'd' Delete."],
                "source": .object(source),
            ],
            "reduce": ["strategy": "merge"],
        ]
    }

    /// What the source itself says about a binding's documents: closed, every column required, no null.
    public static func sourced(_ table: TableInfo) -> JSONValue {
        var properties: OrderedDictionary<String, JSONValue> = [:]
        for column in table.columnsInDocumentOrder { properties[column.name] = column.schema(describing: false, nullable: false) }
        let source: JSONValue = [
            "type": "object",
            "properties": [
                "schema": ["type": "string"], "snapshot": ["type": "boolean"], "table": ["type": "string"], "tag": ["type": "string"],
                "ts_ms": ["type": "integer"], "version": ["type": "integer"],
            ],
            "required": ["schema", "table"],
            "additionalProperties": false,
        ]
        properties["_meta"] = [
            "type": "object", "properties": ["op": ["type": "string"], "source": source], "required": ["op", "source"], "additionalProperties": false,
        ]
        let required = ["_meta"] + table.columnsInDocumentOrder.map(\.name)
        return [
            "type": "object", "properties": .object(properties), "required": .array(required.map { .string($0) }), "additionalProperties": false,
        ]
    }

    /// Title-cased schema and table. An anchor may hold nothing but letters, digits, `-`, `_` and `.` (JSON Schema 2020-12, 8.2.2).
    static func anchor(_ table: TableName) -> String {
        func titled(_ name: String) -> String { name.prefix(1).uppercased() + name.dropFirst() }
        let text = titled(table.schema) + titled(table.table)
        let legal = String(String.UnicodeScalarView(text.unicodeScalars.map { scalar in
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", "-", "_", ".": scalar
            default: "_"
            }
        }))
        guard let first = legal.unicodeScalars.first, ("A"..."Z").contains(first) || ("a"..."z").contains(first) || first == "_" else { return "_" + legal }
        return legal
    }
}

extension ColumnInfo {
    /// The schema of the column's values.
    func schema(describing: Bool, nullable: Bool) -> JSONValue {
        var members = type.schema
        if describing { members["description"] = .string(schemaDescription) }
        if nullable, isNullable, let type = members["type"] { members["type"] = [type, "null"] }
        return .object(members)
    }

    /// The column's own description, if it has one, and its type.
    private var schemaDescription: String {
        let source = "(source type: \(isNullable ? "" : "non-nullable ")\(type.descriptionName))"
        guard let description, !description.isEmpty else { return source }
        return "\(description) \(source)"
    }
}

extension ColumnType {
    /// The schema of the type's values, without nullability.
    var schema: OrderedDictionary<String, JSONValue> {
        switch kind {
        case .integer: return ["type": "integer"]
        case .bit: return ["type": "boolean"]
        case .exactNumber: return ["type": "string", "format": "number"]
        case .real, .float: return ["type": "number"]
        case .character, .nationalCharacter, .xml:
            guard let length = characterLength else { return ["type": "string"] }
            return ["type": "string", "maxLength": .integer(Int64(length))]
        case .binary where name == "binary":
            return ["type": "string", "contentEncoding": "base64", "maxLength": .integer(Int64((maxLength + 2) / 3 * 4))]
        case .binary, .rowversion, .hierarchyid: return ["type": "string", "contentEncoding": "base64"]
        case .date: return ["type": "string", "format": "date"]
        case .time: return ["type": "string"]
        case .datetime, .smalldatetime, .datetime2, .datetimeoffset: return ["type": "string", "format": "date-time"]
        case .uniqueidentifier: return ["type": "string", "format": "uuid"]
        // Text, base64 or JSON of the value's own, by its type: nothing that a schema could promise.
        case .other: return [:]
        }
    }
}
