/// Finds what a name in FROM stands for.
struct SourceBinder {
    let planner: QueryPlanner
    let scope: Scope
    var environment: Environment { planner.environment }
    var session: EngineSession { environment.session }

    func bind(_ source: TableSource) throws -> JoinPlanner.Node {
        switch source {
        case .table(let name, let alias, _, let columns): return try table(name, alias: alias, columns: columns)
        case .variable(let name, let alias):
            guard let table = environment.tableVariables[name.lowercased()] else { throw Messages.undeclaredTable(name) }
            return try stored(ObjectName(name: table), alias: alias ?? name)
        case .derived(let query, let alias, let columns):
            let inner = Scope(parent: scope.parent, collation: scope.collation)
            inner.commonTables = scope.commonTables
            // APPLY's right side sees the tables on its left; others have nothing to do with them.
            let lateral = Scope(parent: scope, collation: scope.collation)
            if let plan = try? planner.plan(query, scope: inner) { return derived(plan, alias: alias, columns: columns) }
            let plan = try planner.plan(query, scope: lateral)
            return derived(plan, alias: alias, columns: columns)
        case .values(let rows, let alias, let columns): return try values(rows, alias: alias, columns: columns)
        case .function(let name, let arguments, let alias, let columns): return try function(name, arguments, alias: alias, columns: columns)
        case .changes(let name, let since, let alias, let columns): return try ChangeTable(binder: self).changes(name, since: since, alias: alias, columns: columns)
        case .version(let name, let columns, let values, let alias, let aliases):
            return try ChangeTable(binder: self).version(name, columns: columns, values: values, alias: alias, aliases: aliases)
        case .join: throw Messages.syntax("JOIN", line: 0)
        }
    }

    func derived(_ plan: QueryPlan, alias: String, columns: [String]) -> JoinPlanner.Node {
        let binding = SourceBinding(alias: alias, columns: renamed(plan.columns.map { BoundColumn(name: $0.name, type: $0.type, isNullable: $0.isNullable) }, columns))
        return .other(binding, PlanSource(binding: binding, plan: plan))
    }
    private func renamed(_ columns: [BoundColumn], _ names: [String]) -> [BoundColumn] {
        if names.isEmpty { return columns }
        return columns.enumerated().map { index, column in
            var column = column
            if index < names.count { column.name = names[index] }
            return column
        }
    }

    private func table(_ name: ObjectName, alias: String?, columns: [String]) throws -> JoinPlanner.Node {
        if name.schema == nil, name.database == nil, let common = scope.commonTable(name.name) { return try commonTable(common, alias: alias ?? name.name) }
        let resolved = try session.resolve(name)
        switch resolved.object {
        case .table: return try stored(name, alias: alias ?? name.name)
        case .view(let view):
            try Permissions.require("SELECT", objectID: view.id, schemaID: view.schemaID, name: view.name, resolved.context, session)
            let inner = Scope(parent: nil, collation: scope.collation)
            let plan = try QueryPlanner(environment: environment, isInsideView: true).plan(view.query, scope: inner)
            return derived(plan, alias: alias ?? name.name, columns: view.columns)
        case .system(let view):
            let binding = SourceBinding(
                alias: alias ?? name.name, schema: alias == nil ? view.schema : nil, columns: view.columns.map { BoundColumn(name: $0.name, type: $0.type, isNullable: $0.isNullable) })
            let environment = environment
            try view.check(CatalogReader(environment: environment, context: resolved.context))
            return .other(binding, VirtualSource(binding: binding) { try view.rows(CatalogReader(environment: environment, context: try environment.session.context(resolved.context.database))) })
        case nil: throw Messages.invalidObject(name.text)
        }
    }

    /// A table with rows of its own.
    func stored(_ name: ObjectName, alias: String) throws -> JoinPlanner.Node {
        let resolved = try session.resolve(name)
        guard case .table(let table)? = resolved.object else { throw Messages.invalidObject(name.text) }
        if !planner.isInsideView {
            try Permissions.require("SELECT", objectID: table.id, schemaID: table.schemaID, name: table.name, resolved.context, session)
        }
        try session.checkSnapshot(resolved.context)
        let columns = table.columns.map {
            BoundColumn(name: $0.name, type: $0.type, isNullable: $0.isNullable, isIdentity: $0.identity != nil, isComputed: $0.computed != nil)
        }
        let database = resolved.context.database
        let binding = SourceBinding(alias: alias, schema: resolved.context.catalog.schemaName(table.schemaID), database: database.name, columns: columns, table: table)
        let session = session
        return .table(binding, table) {
            guard let data = try session.context(database).data(table.id) else { throw Messages.invalidObject(name.text) }
            return data
        }
    }

    private func commonTable(_ common: CommonTableBinding, alias: String) throws -> JoinPlanner.Node {
        if let recursion = common.recursion {
            let binding = SourceBinding(alias: alias, columns: renamed(recursion.columns, common.table.columns))
            return .other(binding, VirtualSource(binding: binding) { recursion.rows })
        }
        let inner = Scope(parent: common.scope.parent, collation: scope.collation)
        inner.commonTables = common.scope.commonTables
        if case .combined(.unionAll, let anchor, let step) = common.table.query.body, step.mentions(common.table.name, scope.collation) {
            let first = try planner.plan(Query(body: anchor), scope: inner)
            let recursive = RecursiveTable(columns: first.columns.map { BoundColumn(name: $0.name, type: $0.type, isNullable: true) })
            let self_ = CommonTableBinding(table: common.table, scope: common.scope)
            self_.recursion = recursive
            let stepScope = Scope(parent: common.scope.parent, collation: scope.collation)
            stepScope.commonTables = common.scope.commonTables
            stepScope.commonTables[Names.fold(common.table.name, scope.collation)] = self_
            let second = try planner.plan(Query(body: step), scope: stepScope)
            guard first.columns.count == second.columns.count else { throw Messages.unequalUnion }
            return derived(RecursivePlan(anchor: first, step: second, table: recursive), alias: alias, columns: common.table.columns)
        }
        let plan = try planner.plan(common.table.query, scope: inner)
        for (index, column) in plan.columns.enumerated() where column.name.isEmpty && index >= common.table.columns.count {
            throw Messages.unnamedColumn(index + 1, common.table.name)
        }
        return derived(plan, alias: alias, columns: common.table.columns)
    }

    private func values(_ rows: [[Expression]], alias: String, columns: [String]) throws -> JoinPlanner.Node {
        let compiler = Compiler(environment: environment, scope: Scope(parent: scope, collation: scope.collation))
        let compiled = try rows.map { try $0.map { try compiler.compile($0) } }
        let width = compiled.first?.count ?? 0
        var types: [SQLType] = []
        for index in 0..<width { types.append(compiler.settled(try compiler.unified(compiled.map { $0[index] }))) }
        let binding = SourceBinding(
            alias: alias, columns: types.enumerated().map { BoundColumn(name: $0 < columns.count ? columns[$0] : "", type: $1, isNullable: true) })
        let converted = compiled.map { row in row.enumerated().map { $1.converted(to: types[$0], environment: environment).eval } }
        return .other(binding, VirtualSource(binding: binding) { try converted.map { try $0.map { try $0() } } })
    }

    private func function(_ name: ObjectName, _ arguments: [Expression], alias: String?, columns: [String]) throws -> JoinPlanner.Node {
        let compiler = Compiler(environment: environment, scope: Scope(parent: scope, collation: scope.collation))
        let alias = alias ?? name.name
        switch name.name.uppercased() {
        case "GENERATE_SERIES":
            guard arguments.count == 2 || arguments.count == 3 else { throw Messages.functionArguments("GENERATE_SERIES", from: 2, to: 3) }
            let values = try arguments.map { try compiler.compile($0) }
            let type = try compiler.unified(Array(values.prefix(2)))
            let evals = values.map { $0.converted(to: type, environment: environment).eval }
            guard type.isInteger else { throw Messages.clash(type.name, "int") }
            let binding = SourceBinding(alias: alias, columns: [BoundColumn(name: columns.first ?? "value", type: type, isNullable: false)])
            return .other(binding, GeneratedSource(binding: binding) {
                guard case .int(let start) = try evals[0](), case .int(let stop) = try evals[1]() else { return { nil } }
                var step: Int64 = start <= stop ? 1 : -1
                if evals.count > 2, case .int(let given) = try evals[2]() { step = given }
                if step == 0 { throw SQLServerMessage(number: 4199, severity: 16, text: "Argument value 0 is invalid for argument 3 of generate_series function.") }
                var next = start
                var done = step > 0 ? start > stop : start < stop
                return {
                    if done { return nil }
                    let value = next
                    let (sum, overflow) = next.addingReportingOverflow(step)
                    next = sum
                    done = overflow || (step > 0 ? next > stop : next < stop)
                    return [.int(value)]
                }
            })
        case "STRING_SPLIT":
            guard arguments.count == 2 || arguments.count == 3 else { throw Messages.functionArguments("string_split", from: 2, to: 3) }
            let values = try arguments.map { try compiler.compile($0) }
            let type = SQLType(values[0].type.isUnicode ? .nvarchar : .varchar, length: values[0].type.length, collation: values[0].type.collation ?? scope.collation)
            var list = [BoundColumn(name: "value", type: type, isNullable: false)]
            if arguments.count == 3 { list.append(BoundColumn(name: "ordinal", type: .bigint, isNullable: false)) }
            let hasOrdinal = list.count > 1
            let binding = SourceBinding(alias: alias, columns: renamed(list, columns))
            return .other(binding, VirtualSource(binding: binding) {
                guard case .string(let text) = try values[0].eval(), case .string(let separator) = try values[1].eval(), let mark = separator.first else { return [] }
                return text.split(separator: mark, omittingEmptySubsequences: false).enumerated().map {
                    hasOrdinal ? [.string(String($1)), .int(Int64($0 + 1))] : [.string(String($1))]
                }
            })
        case "FN_HELPCOLLATIONS":
            let text = SQLType.nvarchar(1000)
            let binding = SourceBinding(alias: alias, columns: [BoundColumn(name: "name", type: .sysname, isNullable: false), BoundColumn(name: "description", type: text, isNullable: true)])
            return .other(binding, VirtualSource(binding: binding) {
                ["SQL_Latin1_General_CP1_CI_AS", "SQL_Latin1_General_CP1_CS_AS", "Latin1_General_CI_AS", "Latin1_General_CS_AS", "Latin1_General_BIN2", "Latin1_General_100_CI_AS_SC_UTF8"]
                    .map { [.string($0), .string("")] }
            })
        default:
            throw Messages.invalidObject(name.text)
        }
    }
}

extension QueryBody {
    /// Whether FROM somewhere in it names the table.
    func mentions(_ name: String, _ collation: SQLCollation) -> Bool {
        func inSource(_ source: TableSource) -> Bool {
            switch source {
            case .table(let table, _, _, _): return table.schema == nil && Names.same(table.name, name, collation)
            case .join(_, let left, let right, _): return inSource(left) || inSource(right)
            case .derived(let query, _, _): return query.body.mentions(name, collation)
            default: return false
            }
        }
        switch self {
        case .select(let core): return core.from.contains(where: inSource)
        case .combined(_, let left, let right): return left.mentions(name, collation) || right.mentions(name, collation)
        case .nested(let query): return query.body.mentions(name, collation)
        }
    }
}
