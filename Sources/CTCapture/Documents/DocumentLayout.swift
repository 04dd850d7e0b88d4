// What a document looks like apart from the values of its columns.

public import Foundation

/// The bytes around every document, and what its `_meta` says: everything that is the same for all rows of one query.
public struct DocumentLayout: Sendable {
    /// Where the rows come from.
    public enum Source: Hashable, Sendable {
        /// A backfill chunk: every result column is a column of the table. Documents are `"op":"c"` with `"snapshot":true`.
        case backfill
        /// A change query: operation (I, U, D), version, and whether the row is there come first (``ChangeQuery/leadingColumns``).
        case changes
    }

    public var source: Source
    public var schema: String
    public var table: String
    /// `advanced.source_tag`.
    public var tag: String?
    /// The key's columns by name, in key order.
    public var key: [String]
    /// Written before every document: the envelope that a transport wants, or nothing.
    public var prefix: [UInt8]
    /// Written after every document; a newline at least, if documents are to be told apart.
    public var suffix: [UInt8]
    /// The zone of datetime, datetime2 and smalldatetime values.
    public var zone: TimeZone
    /// The writer says that it is full when it holds this many bytes.
    public var fullSize: Int
    /// Text and binary values are cut at this many bytes (text at a character's boundary).
    public var largestValue: Int

    public init(
        source: Source, schema: String, table: String, tag: String? = nil, key: [String], prefix: [UInt8] = [], suffix: [UInt8] = [0x0A],
        zone: TimeZone = .gmt, fullSize: Int = 1 << 20, largestValue: Int = 8 << 20
    ) {
        self.source = source
        self.schema = schema
        self.table = table
        self.tag = tag
        self.key = key
        self.prefix = prefix
        self.suffix = suffix
        self.zone = zone
        self.fullSize = fullSize
        self.largestValue = largestValue
    }

    /// The parts of `_meta` between which operation and version stand, without the key and colon.
    /// `{"op":"c","source":{"schema":…,"snapshot":true,"table":…,"tag":…}}`, keys in order; `ts_ms` and `version` come after `tag`.
    var metaParts: (beforeOperation: [UInt8], beforeVersion: [UInt8], end: [UInt8]) {
        let snapshot = source == .backfill ? #","snapshot":true"# : ""
        var middle = #"","source":{"schema":\#(Self.quoted(schema))\#(snapshot),"table":\#(Self.quoted(table))"#
        if let tag, !tag.isEmpty { middle += #","tag":\#(Self.quoted(tag))"# }
        return (Array(#""_meta":{"op":""#.utf8), Array(middle.utf8), Array("}}".utf8))
    }

    /// `text` as a JSON string.
    static func quoted(_ text: String) -> String {
        var buffer = DocumentBuffer()
        buffer.write(atMost: text.utf8.count * 6 + 2) { cursor in
            cursor.append(UInt8(ascii: "\""))
            cursor.appendText(text)
            cursor.append(UInt8(ascii: "\""))
        }
        return String(decoding: buffer.bytes, as: UTF8.self)
    }
}
