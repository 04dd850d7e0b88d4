/// MERGE.
struct MergeExecutor {
    let environment: Environment
    var session: EngineSession { environment.session }

    func run(_ statement: MergeStatement) throws -> DMLResult {
        let scope = Scope(parent: nil, collation: session.collation)
        for table in statement.with {
            let inner = Scope(parent: nil, collation: scope.collation)
            inner.commonTables = scope.commonTables
            scope.commonTables[Names.fold(table.name, scope.collation)] = CommonTableBinding(table: table, scope: inner)
        }
        var permission = "SELECT"
        for clause in statement.clauses {
            switch clause.action {
            case .insert: permission = "INSERT"
            case .update: permission = "UPDATE"
            case .delete: permission = "DELETE"
            }
            _ = try WriteTarget(statement.target, permission: permission, environment: environment)
        }
        let target = try WriteTarget(statement.target, permission: permission, environment: environment)
        let table = target.table
        let planner = QueryPlanner(environment: environment)
        let joins = JoinPlanner(planner: planner, scope: scope)
        let sourceNode = try joins.bind(statement.source)
        let own: TableSource
        switch statement.target {
        case .name(let name): own = .table(name, alias: statement.alias, hints: [], columns: [])
        case .variable(let name): own = .variable(name, alias: statement.alias)
        }
        let targetNode = try joins.bind(own)
        guard let binding = targetNode.bindings.first else { throw Messages.invalidObject(table.name) }
        for index in binding.used.indices { binding.used[index] = true }
        let hasBySource = statement.clauses.contains { $0.match == .notMatchedBySource }
        for item in sourceNode.bindings { item.isOuter = hasBySource }
        binding.isOuter = true
        // Source rows with their target rows; then target rows that no source row has met.
        let compiler = Compiler(environment: environment, scope: scope)
        let matched = try joins.build([.join(.left, sourceNode, targetNode, on: statement.on)], filter: nil)
        let builder = try RowBuilder(table: table, database: target.database, environment: environment, statement: "MERGE")
        let writer = TableWriter(session: session, table: table, database: target.database)
        writer.trackingContext = try TrackingContext.value(statement.context, with: statement.with, environment)
        let collation = target.context.collation
        guard let data = target.context.data(table.id) else { throw Messages.invalidObject(table.name) }

        struct Clause {
            let match: MergeMatch
            let condition: Predicate?
            let apply: (KeyBytes?, [SQLValue]) throws -> (RowChange, String)
        }
        var updated: Set<Int32> = []
        func assigned(_ list: [Assignment]) throws -> [(Int, Compiled)] {
            try list.map { assignment in
                guard case .column(let parts) = assignment.target, let ordinal = table.ordinal(named: parts[parts.count - 1], collation) else {
                    throw Messages.invalidColumn(String(describing: assignment.target))
                }
                if table.columns[ordinal].identity != nil { throw Messages.updateIdentity(table.columns[ordinal].name) }
                updated.insert(table.columns[ordinal].id)
                if case .defaultValue = assignment.value { return (ordinal, try table.columns[ordinal].defaultValue.map { try compiler.compile($0) } ?? .constant(.null, .null)) }
                return (ordinal, try compiler.compile(assignment.value))
            }
        }
        var clauses: [Clause] = []
        for clause in statement.clauses {
            let condition = try clause.condition.map { try compiler.compilePredicate($0) }
            switch clause.action {
            case .delete:
                clauses.append(Clause(match: clause.match, condition: condition) { key, old in (RowChange(old: key.map { ($0, old) }, new: nil), "DELETE") })
            case .update(let list):
                let sets = try assigned(list)
                clauses.append(Clause(match: clause.match, condition: condition) { key, old in
                    var new = old
                    for (ordinal, value) in sets { new[ordinal] = try builder.stored(try value.eval(), from: compiler.settled(value.type), ordinal) }
                    if let rowversion = table.rowversionOrdinal { new[rowversion] = builder.newRowversion() }
                    try builder.finish(&new)
                    let newKey = writer.codec.clusterKey(new) { key.map { writer.codec.rowNumber($0) } ?? 0 }
                    return (RowChange(old: key.map { ($0, old) }, new: (newKey, new)), "UPDATE")
                })
            case .insert(let names, let expressions):
                let ordinals: [Int]
                if let names, !names.isEmpty || expressions.isEmpty {
                    ordinals = try names.map { name in
                        guard let ordinal = table.ordinal(named: name, collation) else { throw Messages.invalidColumn(name) }
                        return ordinal
                    }
                } else {
                    ordinals = table.columns.indices.filter { table.columns[$0].identity == nil && table.columns[$0].computed == nil }
                }
                guard ordinals.count == expressions.count else { throw Messages.columnCount }
                var values: [(Int, Compiled)] = []
                for (ordinal, expression) in zip(ordinals, expressions) {
                    if case .defaultValue = expression {
                        if let own = table.columns[ordinal].defaultValue { values.append((ordinal, try compiler.compile(own))) }
                    } else {
                        values.append((ordinal, try compiler.compile(expression)))
                    }
                }
                for (ordinal, column) in table.columns.enumerated() where !ordinals.contains(ordinal) && column.computed == nil {
                    if let own = column.defaultValue { values.append((ordinal, try compiler.compile(own))) }
                }
                let given = Set(ordinals)
                let list = values
                clauses.append(Clause(match: clause.match, condition: condition) { _, _ in
                    var new = [SQLValue](repeating: .null, count: table.columns.count)
                    for (ordinal, value) in list { new[ordinal] = try builder.stored(try value.eval(), from: compiler.settled(value.type), ordinal) }
                    if let identity = table.identityOrdinal, !given.contains(identity) { new[identity] = try builder.nextIdentity(data, identity) }
                    if let rowversion = table.rowversionOrdinal { new[rowversion] = builder.newRowversion() }
                    try builder.finish(&new)
                    return (RowChange(old: nil, new: (writer.codec.clusterKey(new) { data.rowNumbers.take() }, new)), "INSERT")
                })
            }
        }
        writer.updatedColumns = updated.sorted()

        let output = try statement.output.map {
            try OutputCollector($0, table: table, environment: environment, inserted: true, deleted: true, sources: sourceNode.bindings)
        }
        var changes: [RowChange] = []
        var result = DMLResult()
        var touched: Set<KeyBytes> = [], met: Set<KeyBytes> = []
        func take(_ match: MergeMatch, _ key: KeyBytes?, _ old: [SQLValue]) throws {
            for clause in clauses where clause.match == match {
                if let condition = clause.condition, try condition() != true { continue }
                if let key, !touched.insert(key).inserted { throw Messages.mergeTwice }
                let (change, action) = try clause.apply(key, old)
                changes.append(change)
                result.count += 1
                try output?.add(inserted: change.new?.values, deleted: change.old?.values, action: action)
                return
            }
        }
        try matched.open()
        while try matched.next() {
            if let page = binding.slot.page {
                let key = KeyBytes(page.key(binding.slot.index))
                met.insert(key)
                try take(.matched, key, binding.slot.values)
            } else {
                try take(.notMatchedByTarget, nil, binding.slot.values)
            }
        }
        if hasBySource {
            for source in sourceNode.bindings { source.slot.setNull() }
            for page in data.rows.pages {
                for index in 0..<page.count {
                    let key = KeyBytes(page.key(index))
                    if met.contains(key) { continue }
                    binding.slot.values = writer.codec.decode(page.row(index))
                    try take(.notMatchedBySource, key, binding.slot.values)
                }
            }
        }
        let foreignKeys = ForeignKeys(table: table, context: target.context, environment: environment)
        try foreignKeys.checkChildren(changes, statement: "MERGE")
        try writer.write(changes)
        try foreignKeys.checkParents(changes, statement: "MERGE")
        result.output = try output?.finish()
        return result
    }
}
