/// A name of one to four parts.
struct ObjectName: Hashable, Sendable {
    var server: String?
    var database: String?
    var schema: String?
    var name: String

    var text: String { [server, database, schema, name].compactMap(\.self).joined(separator: ".") }
    var isTemporary: Bool { name.hasPrefix("#") }
}

/// A type as written.
struct TypeName: Hashable, Sendable {
    var name: String
    var arguments: [Int] = []
    var isMax = false
}

enum BinaryOperator: String, Sendable {
    case add = "add", subtract = "subtract", multiply = "multiply", divide = "divide", modulo = "modulo"
    case bitAnd = "'&'", bitOr = "'|'", bitXor = "'^'"
}
enum ComparisonOperator: Sendable {
    case equal, notEqual, less, lessEqual, greater, greaterEqual
    var text: String {
        switch self {
        case .equal: return "equal to"
        case .notEqual: return "not equal to"
        case .less: return "less than"
        case .lessEqual: return "less than or equal to"
        case .greater: return "greater than"
        case .greaterEqual: return "greater than or equal to"
        }
    }
    func holds(_ order: Int) -> Bool {
        switch self {
        case .equal: return order == 0
        case .notEqual: return order != 0
        case .less: return order < 0
        case .lessEqual: return order <= 0
        case .greater: return order > 0
        case .greaterEqual: return order >= 0
        }
    }
    var mirrored: ComparisonOperator {
        switch self {
        case .equal, .notEqual: return self
        case .less: return .greater
        case .lessEqual: return .greaterEqual
        case .greater: return .less
        case .greaterEqual: return .lessEqual
        }
    }
}

struct OrderItem: Sendable {
    var expression: Expression
    var descending: Bool
}
struct Window: Sendable {
    var partition: [Expression]
    var order: [OrderItem]
}
struct FunctionCall: Sendable {
    var name: String
    /// What stands before the name: a schema, or the expression of a method call.
    var prefix: [String] = []
    var arguments: [Expression]
    var isDistinct = false
    /// `COUNT(*)`.
    var isStar = false
    var over: Window?
    /// WITHIN GROUP.
    var withinGroup: [OrderItem] = []
}
struct CaseBranch: Sendable {
    var condition: Expression
    var result: Expression
}

/// A scalar expression or a predicate; which of the two is checked when it is compiled.
indirect enum Expression: Sendable {
    case literal(SQLValue, SQLType)
    case column([String])
    case variable(String)
    case negate(Expression)
    case bitNot(Expression)
    case binary(BinaryOperator, Expression, Expression)
    case function(FunctionCall)
    case method(Expression, String, [Expression])
    case cast(Expression, TypeName, style: Expression?, isTry: Bool, isConvert: Bool)
    case caseWhen(operand: Expression?, [CaseBranch], otherwise: Expression?)
    case subquery(Query)
    case collate(Expression, String)
    case defaultValue
    // Predicates
    case compare(ComparisonOperator, Expression, Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
    case not(Expression)
    case isNull(Expression, negated: Bool)
    case between(Expression, Expression, Expression, negated: Bool)
    case inList(Expression, [Expression], negated: Bool)
    case inQuery(Expression, Query, negated: Bool)
    case exists(Query)
    case like(Expression, Expression, escape: Expression?, negated: Bool)
    case quantified(ComparisonOperator, Expression, all: Bool, Query)
    case isDistinct(Expression, Expression, negated: Bool)

    var isPredicate: Bool {
        switch self {
        case .compare, .and, .or, .not, .isNull, .between, .inList, .inQuery, .exists, .like, .quantified, .isDistinct: return true
        default: return false
        }
    }
}

struct CommonTable: Sendable {
    var name: String
    var columns: [String]
    var query: Query
}
/// A query: what SELECT, a subquery, a view and INSERT ... SELECT hold.
final class Query: Sendable {
    let with: [CommonTable]
    let body: QueryBody
    let order: [OrderItem]
    let offset: Expression?
    let fetch: Expression?
    init(with: [CommonTable] = [], body: QueryBody, order: [OrderItem] = [], offset: Expression? = nil, fetch: Expression? = nil) {
        self.with = with
        self.body = body
        self.order = order
        self.offset = offset
        self.fetch = fetch
    }
}
enum SetOperator: Sendable { case union, unionAll, intersect, except }
indirect enum QueryBody: Sendable {
    case select(SelectCore)
    case combined(SetOperator, QueryBody, QueryBody)
    case nested(Query)
}
struct Top: Sendable {
    var count: Expression
    var percent: Bool
    var withTies: Bool
}
enum SelectItem: Sendable {
    case star(prefix: [String])
    case expression(Expression, alias: String?)
    /// `@v = expression`.
    case assign(String, Expression)
}
struct SelectCore: Sendable {
    var isDistinct = false
    var top: Top?
    var items: [SelectItem] = []
    var into: ObjectName?
    var from: [TableSource] = []
    var filter: Expression?
    var groupBy: [Expression] = []
    var having: Expression?
}
enum JoinKind: Sendable { case inner, left, right, full, cross, crossApply, outerApply }
indirect enum TableSource: Sendable {
    case table(ObjectName, alias: String?, hints: [String], columns: [String])
    case variable(String, alias: String?)
    case function(ObjectName, [Expression], alias: String?, columns: [String])
    case derived(Query, alias: String, columns: [String])
    case values([[Expression]], alias: String, columns: [String])
    case changes(ObjectName, since: Expression, alias: String, columns: [String])
    case version(ObjectName, columns: [String], values: [Expression], alias: String, aliases: [String])
    case join(JoinKind, TableSource, TableSource, on: Expression?)
}

// MARK: - Statements

enum InsertSource: Sendable {
    case values([[Expression]])
    case query(Query)
    case defaults
    case execute(ExecuteStatement)
    /// Values that are computed already, with the columns' types: a bulk load's rows, OUTPUT's.
    case rows([[SQLValue]], types: [SQLType])
}
struct InsertStatement: Sendable {
    var with: [CommonTable] = []
    var top: Top?
    var target: DMLTarget
    var columns: [String]?
    var output: OutputClause?
    var source: InsertSource
    var context: Expression?
}
enum DMLTarget: Sendable {
    case name(ObjectName)
    case variable(String)
}
struct OutputClause: Sendable {
    var items: [SelectItem]
    var into: DMLTarget?
    var intoColumns: [String]
}
enum AssignTarget: Sendable {
    case column([String])
    case variable(String)
}
struct Assignment: Sendable {
    var target: AssignTarget
    /// `SET @v = column = value`.
    var column: [String]?
    var value: Expression
}
struct UpdateStatement: Sendable {
    var with: [CommonTable] = []
    var top: Top?
    var target: DMLTarget
    var assignments: [Assignment]
    var output: OutputClause?
    var from: [TableSource]
    var filter: Expression?
    var context: Expression?
}
struct DeleteStatement: Sendable {
    var with: [CommonTable] = []
    var top: Top?
    var target: DMLTarget
    var output: OutputClause?
    var from: [TableSource]
    var filter: Expression?
    var context: Expression?
}
enum MergeAction: Sendable {
    case update([Assignment])
    case delete
    case insert(columns: [String]?, values: [Expression])
}
enum MergeMatch: Sendable { case matched, notMatchedByTarget, notMatchedBySource }
struct MergeClause: Sendable {
    var match: MergeMatch
    var condition: Expression?
    var action: MergeAction
}
struct MergeStatement: Sendable {
    var with: [CommonTable] = []
    var target: DMLTarget
    var alias: String?
    var source: TableSource
    var on: Expression
    var clauses: [MergeClause]
    var output: OutputClause?
    var context: Expression?
}

struct ColumnDefinition: Sendable {
    var name: String
    var type: TypeName?
    var computed: Expression?
    var computedText = ""
    var isPersisted = false
    var isNullable: Bool?
    var identity: (seed: Int64, increment: Int64)?
    var collation: String?
    var defaultValue: Expression?
    var defaultText = ""
    var defaultName: String?
    var constraints: [ConstraintDefinition] = []
    var isRowGUID = false
}
struct IndexColumn: Sendable {
    var name: String
    var descending: Bool
}
struct ConstraintDefinition: Sendable {
    enum Kind: Sendable {
        case primaryKey(clustered: Bool?, [IndexColumn])
        case unique(clustered: Bool?, [IndexColumn])
        case check(Expression, text: String)
        case foreignKey([String], references: ObjectName, [String], onDelete: String, onUpdate: String)
        case defaultValue(Expression, text: String, column: String)
        case index(clustered: Bool?, unique: Bool, [IndexColumn])
    }
    var name: String?
    var kind: Kind
}
enum AlterTableAction: Sendable {
    case add([ColumnDefinition], [ConstraintDefinition], withNoCheck: Bool)
    case alterColumn(String, TypeName, collation: String?, nullable: Bool?)
    case drop(columns: [(name: String, ifExists: Bool)], constraints: [(name: String, ifExists: Bool)])
    case enableChangeTracking(trackColumns: Bool)
    case disableChangeTracking
    case checkConstraint(enabled: Bool, name: String)
}
enum DatabaseOption: Sendable {
    case changeTracking(on: Bool?, retentionMinutes: Int64?, retentionUnit: Int?, autoCleanup: Bool?)
    case named(String, String)
}
enum Securable: Sendable {
    case database(String?)
    case schema(String)
    case object(ObjectName)
    case server
    case other(String)
}
struct PermissionStatement: Sendable {
    enum Action: Sendable { case grant, deny, revoke }
    var action: Action
    var permissions: [String]
    var securable: Securable?
    var principals: [String]
}
struct ExecuteArgument: Sendable {
    var name: String?
    var value: Expression
    var isOutput: Bool
}
struct ExecuteStatement: Sendable {
    var returnVariable: String?
    var procedure: ObjectName?
    var arguments: [ExecuteArgument]
    /// EXEC ('text' + @x).
    var text: Expression?
}
struct VariableDeclaration: Sendable {
    var name: String
    var type: TypeName?
    var table: [ColumnDefinition]?
    var tableConstraints: [ConstraintDefinition] = []
    var value: Expression?
}

indirect enum StatementKind: Sendable {
    case select(Query)
    case insert(InsertStatement)
    case update(UpdateStatement)
    case delete(DeleteStatement)
    case merge(MergeStatement)
    case truncate(ObjectName)
    case createTable(ObjectName, [ColumnDefinition], [ConstraintDefinition])
    case alterTable(ObjectName, AlterTableAction)
    case drop(what: String, ifExists: Bool, [ObjectName])
    case dropIndex(ifExists: Bool, [(index: String, table: ObjectName)])
    case createIndex(name: String, table: ObjectName, unique: Bool, clustered: Bool, [IndexColumn], included: [String])
    case createView(ObjectName, columns: [String], Query, alter: Bool, text: String)
    case createSchema(String, authorization: String?)
    case createDatabase(String, collation: String?)
    case alterDatabase(String?, [DatabaseOption])
    case createLogin(String, password: String?, defaultDatabase: String?, exists: Bool)
    case createUser(String, login: String?)
    case roleMember(role: String, member: String, add: Bool, server: Bool)
    case createRole(String)
    case permission(PermissionStatement)
    case use(String)
    case declare([VariableDeclaration])
    case setVariable(String, Expression)
    case setOption(String, String)
    case setIdentityInsert(ObjectName, Bool)
    case ifElse(Expression, Statement, Statement?)
    case whileLoop(Expression, Statement)
    case block([Statement])
    case tryCatch([Statement], [Statement])
    case breakLoop
    case continueLoop
    case returnStatement(Expression?)
    case throwError(number: Expression, message: Expression, state: Expression)
    case rethrow
    case raiseError(message: Expression, severity: Expression, state: Expression, arguments: [Expression], options: [String])
    case print(Expression)
    case waitForDelay(Expression)
    case waitForTime(Expression)
    case execute(ExecuteStatement)
    case beginTransaction(String?)
    case commit
    case rollback(String?)
    case save(String)
    /// Accepted and without effect here (CHECKPOINT, DBCC, UPDATE STATISTICS ...).
    case nothing
}
final class Statement: Sendable {
    let kind: StatementKind
    let line: Int32
    init(_ kind: StatementKind, line: Int32) {
        self.kind = kind
        self.line = line
    }
}
