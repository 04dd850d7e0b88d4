/// UPDATE and DELETE: finds the rows, then writes.
struct UpdateDeleteExecutor {
    let environment: Environment
    var session: EngineSession { environment.session }

    private struct Prepared {
        let target: WriteTarget
        let binding: SourceBinding
        let source: RowSource
        let scope: Scope
    }

    private func prepare(_ target: DMLTarget, permission: String, from: [TableSource], filter: Expression?, with: [CommonTable]) throws -> Prepared {
        let scope = Scope(parent: nil, collation: session.collation)
        for table in with {
            let inner = Scope(parent: nil, collation: scope.collation)
            inner.commonTables = scope.commonTables
            scope.commonTables[Names.fold(table.name, scope.collation)] = CommonTableBinding(table: table, scope: inner)
        }
        // The target may be an alias of FROM.
        var resolvedTarget = target
        if case .name(let name) = target, name.schema == nil, let found = UpdateDeleteExecutor.find(name.name, in: from, scope.collation) { resolvedTarget = found }
        let written = try WriteTarget(resolvedTarget, permission: permission, environment: environment)
        let planner = QueryPlanner(environment: environment, isInsideView: false)
        let joins = JoinPlanner(planner: planner, scope: scope)
        var roots: [JoinPlanner.Node] = []
        for source in from { roots.append(try joins.bind(source)) }
        var binding: SourceBinding?
        if case .name(let name) = target, name.schema == nil {
            binding = scope.sources.first { Names.same($0.alias, name.name, scope.collation) && $0.table?.id == written.table.id }
        }
        binding = binding ?? scope.sources.first { $0.table?.id == written.table.id && $0.database == written.database.name }
        if binding == nil {
            // The target isn't in FROM: it is joined without a condition of its own.
            let source: TableSource
            switch resolvedTarget {
            case .name(let name): source = .table(name, alias: nil, hints: [], columns: [])
            case .variable(let name): source = .variable(name, alias: nil)
            }
            // Writing needs no permission to read where nothing is read.
            let node = try SourceBinder(planner: QueryPlanner(environment: environment, isInsideView: filter == nil && from.isEmpty), scope: scope).bind(source)
            scope.sources.append(contentsOf: node.bindings)
            roots.insert(node, at: 0)
            binding = node.bindings.first
        }
        guard let binding else { throw Messages.invalidObject(written.table.name) }
        for index in binding.used.indices { binding.used[index] = true }
        let source = try joins.build(roots, filter: filter)
        return Prepared(target: written, binding: binding, source: source, scope: scope)
    }

    private static func find(_ alias: String, in sources: [TableSource], _ collation: SQLCollation) -> DMLTarget? {
        for source in sources {
            switch source {
            case .table(let name, let given, _, _):
                if let given, Names.same(given, alias, collation) { return .name(name) }
                if given == nil, Names.same(name.name, alias, collation) { return .name(name) }
            case .variable(let name, let given):
                if let given, Names.same(given, alias, collation) { return .variable(name) }
            case .join(_, let left, let right, _):
                if let found = find(alias, in: [left, right], collation) { return found }
            default: continue
            }
        }
        return nil
    }

    /// Calls `body` for each row to be written, once a row.
    private func eachRow(_ prepared: Prepared, _ top: Top?, _ body: (KeyBytes, [SQLValue]) throws -> Void) throws {
        var limit = Int.max
        if let top { limit = try QueryPlanner(environment: environment).count(top.count, prepared.scope)() }
        var seen: Set<KeyBytes> = []
        try prepared.source.open()
        let slot = prepared.binding.slot
        while limit > 0, try prepared.source.next() {
            guard let page = slot.page else { continue }
            let key = KeyBytes(page.key(slot.index))
            guard seen.insert(key).inserted else { continue }
            limit -= 1
            try body(key, slot.values)
        }
    }

    func update(_ statement: UpdateStatement) throws -> DMLResult {
        let prepared = try prepare(statement.target, permission: "UPDATE", from: statement.from, filter: statement.filter, with: statement.with)
        let table = prepared.target.table, database = prepared.target.database
        let compiler = Compiler(environment: environment, scope: prepared.scope)
        let builder = try RowBuilder(table: table, database: database, environment: environment, statement: "UPDATE")
        let writer = TableWriter(session: session, table: table, database: database)
        writer.trackingContext = try TrackingContext.value(statement.context, with: statement.with, environment)
        var sets: [(ordinal: Int, value: Compiled)] = []
        var variables: [(variable: Variable, value: Compiled, column: Int?)] = []
        for assignment in statement.assignments {
            switch assignment.target {
            case .column(let parts):
                let name = parts[parts.count - 1]
                guard let ordinal = table.ordinal(named: name, prepared.target.context.collation) else { throw Messages.invalidColumn(name) }
                let column = table.columns[ordinal]
                if column.computed != nil { throw Messages.notModifiable(column.name) }
                if column.type.kind == .rowversion { throw Messages.updateTimestamp }
                if column.identity != nil { throw Messages.updateIdentity(column.name) }
                if sets.contains(where: { $0.ordinal == ordinal }) { throw Messages.columnTwiceInSet(name) }
                sets.append((ordinal, try value(assignment.value, column, compiler)))
            case .variable(let name):
                guard let variable = environment.variable(name) else { throw Messages.undeclared(name) }
                var ordinal: Int?
                if let column = assignment.column {
                    guard let found = table.ordinal(named: column[column.count - 1], prepared.target.context.collation) else { throw Messages.invalidColumn(column[column.count - 1]) }
                    ordinal = found
                    sets.append((found, try value(assignment.value, table.columns[found], compiler)))
                }
                variables.append((variable, try compiler.compile(assignment.value).converted(to: variable.type, environment: environment), ordinal))
            }
        }
        writer.updatedColumns = sets.map { table.columns[$0.ordinal].id }
        let output = try statement.output.map {
            try OutputCollector($0, table: table, environment: environment, inserted: true, deleted: true, sources: prepared.scope.sources.filter { $0 !== prepared.binding })
        }
        let foreignKeys = ForeignKeys(table: table, context: prepared.target.context, environment: environment)
        var changes: [RowChange] = []
        var result = DMLResult()
        try eachRow(prepared, statement.top) { key, old in
            for item in variables { item.variable.value = try item.value.eval() }
            var new = old
            for item in sets { new[item.ordinal] = try builder.stored(try item.value.eval(), from: compiler.settled(item.value.type), item.ordinal) }
            if let rowversion = table.rowversionOrdinal { new[rowversion] = builder.newRowversion() }
            try builder.finish(&new)
            let newKey = writer.codec.clusterKey(new) { writer.codec.rowNumber(key) }
            changes.append(RowChange(old: (key, old), new: (newKey, new)))
            result.count += 1
            try output?.add(inserted: new, deleted: old, action: "UPDATE")
        }
        if !sets.isEmpty {
            try foreignKeys.checkChildren(changes, statement: "UPDATE")
            try writer.write(changes)
            try foreignKeys.checkParents(changes, statement: "UPDATE")
        }
        result.output = try output?.finish()
        return result
    }

    private func value(_ expression: Expression, _ column: ColumnDef, _ compiler: Compiler) throws -> Compiled {
        if case .defaultValue = expression {
            guard let own = column.defaultValue else { return .constant(.null, .null) }
            return try compiler.compile(own)
        }
        return try compiler.compile(expression)
    }

    func delete(_ statement: DeleteStatement) throws -> DMLResult {
        let prepared = try prepare(statement.target, permission: "DELETE", from: statement.from, filter: statement.filter, with: statement.with)
        let table = prepared.target.table
        let writer = TableWriter(session: session, table: table, database: prepared.target.database)
        writer.trackingContext = try TrackingContext.value(statement.context, with: statement.with, environment)
        let output = try statement.output.map {
            try OutputCollector($0, table: table, environment: environment, inserted: false, deleted: true, sources: prepared.scope.sources.filter { $0 !== prepared.binding })
        }
        let foreignKeys = ForeignKeys(table: table, context: prepared.target.context, environment: environment)
        var changes: [RowChange] = []
        var result = DMLResult()
        try eachRow(prepared, statement.top) { key, old in
            changes.append(RowChange(old: (key, old), new: nil))
            result.count += 1
            try output?.add(inserted: nil, deleted: old, action: "DELETE")
        }
        try writer.write(changes)
        try foreignKeys.checkParents(changes, statement: "DELETE")
        result.output = try output?.finish()
        return result
    }
}
