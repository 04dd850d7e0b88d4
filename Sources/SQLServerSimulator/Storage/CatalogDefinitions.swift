/// A column of a table.
struct ColumnDef: Sendable {
    /// `column_id`: never used again after the column is gone.
    var id: Int32
    var name: String
    var type: SQLType
    var isNullable: Bool
    var identity: IdentityDef?
    var defaultValue: Expression?
    var defaultText: String?
    /// Constraint of the default.
    var defaultName: String?
    var defaultID: Int32 = 0
    var computed: Expression?
    var computedText: String?
    var isPersisted = false
    var isRowGUID = false
}
struct IdentityDef: Sendable {
    var seed: Int64
    var increment: Int64
}
struct IndexKey: Sendable, Hashable {
    var columnID: Int32
    var descending: Bool
}
struct IndexDef: Sendable {
    /// 1 is the clustered one, 2 and up the others.
    var id: Int32
    var name: String
    var isUnique: Bool
    var isPrimaryKey: Bool
    var isUniqueConstraint: Bool
    var isClustered: Bool
    var keys: [IndexKey]
    var included: [Int32] = []
    /// `object_id` of the constraint, or 0.
    var constraintID: Int32 = 0
    var isSystemNamed = false
}
struct CheckDef: Sendable {
    var name: String
    var id: Int32
    var condition: Expression
    var text: String
    var isEnabled = true
}
struct ForeignKeyDef: Sendable {
    var name: String
    var id: Int32
    var columns: [Int32]
    var referencedTable: Int32
    var referencedColumns: [Int32]
    var onDelete: String
    var onUpdate: String
    var isEnabled = true
}
/// A table's description.
struct TableDef: Sendable {
    var id: Int32
    var schemaID: Int32
    var name: String
    var columns: [ColumnDef]
    var indexes: [IndexDef] = []
    var checks: [CheckDef] = []
    var foreignKeys: [ForeignKeyDef] = []
    var created: Double = 0
    var modified: Double = 0
    var nextColumnID: Int32 = 1
    var nextIndexID: Int32 = 2
    /// Changes with every ALTER, so that a statement notices that its table isn't what it was.
    var revision: Int64 = 0

    var clustered: IndexDef? { indexes.first { $0.isClustered } }
    var primaryKey: IndexDef? { indexes.first { $0.isPrimaryKey } }
    func ordinal(ofID id: Int32) -> Int? { columns.firstIndex { $0.id == id } }
    func ordinal(named name: String, _ collation: SQLCollation) -> Int? {
        columns.firstIndex { Names.same($0.name, name, collation) }
    }
    var identityOrdinal: Int? { columns.firstIndex { $0.identity != nil } }
    var rowversionOrdinal: Int? { columns.firstIndex { $0.type.kind == .rowversion } }

    /// Columns of the clustering key: ordinal and direction. Empty for a heap.
    var clusterKey: [(ordinal: Int, descending: Bool)] { clustered.map(keyColumns) ?? [] }
    func keyColumns(_ index: IndexDef) -> [(ordinal: Int, descending: Bool)] {
        index.keys.compactMap { key in ordinal(ofID: key.columnID).map { ($0, key.descending) } }
    }
    /// Whether a row number is part of the clustering key (heaps, and clustered indexes that aren't unique).
    var needsRowNumber: Bool { !(clustered?.isUnique ?? false) }
}
struct ViewDef: Sendable {
    var id: Int32
    var schemaID: Int32
    var name: String
    var columns: [String]
    var query: Query
    var text: String
    var created: Double
}
struct SchemaDef: Sendable {
    var id: Int32
    var name: String
    var owner: Int32
}
struct PrincipalDef: Sendable {
    enum Kind: Sendable { case user, role }
    var id: Int32
    var name: String
    var kind: Kind
    /// Login's name of a user.
    var login: String?
    var roles: Set<String> = []
    var isFixedRole = false
}
struct PermissionDef: Sendable, Hashable {
    enum Scope: Sendable, Hashable { case database, schema(Int32), object(Int32) }
    var principal: Int32
    var permission: String
    var scope: Scope
    var isDenied: Bool
}
struct ExtendedProperty: Sendable {
    var objectID: Int32
    /// Column, or 0.
    var minorID: Int32
    var name: String
    var type: SQLType
    var value: SQLValue
}

/// How names are compared in a database.
enum Names {
    static func same(_ a: String, _ b: String, _ collation: SQLCollation) -> Bool {
        if a.utf8.elementsEqual(b.utf8) { return true }
        if a.utf8.count == b.utf8.count, !collation.ignoresCase { return false }
        return fold(a, collation) == fold(b, collation)
    }
    static func fold(_ name: String, _ collation: SQLCollation) -> String {
        collation.ignoresCase ? name.lowercased() : name
    }
}
