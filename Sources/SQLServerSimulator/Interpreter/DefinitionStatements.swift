import Foundation

/// CREATE, ALTER, DROP, TRUNCATE, GRANT: what changes the catalogue.
struct DefinitionExecutor {
    let run: BatchRun
    var session: EngineSession { run.session }
    var environment: Environment { run.environment }

    func execute(_ statement: Statement) throws {
        switch statement.kind {
        case .createTable(let name, let columns, let constraints): try createTable(name, columns, constraints)
        case .alterTable(let name, let action): try AlterTable(definitions: self).run(name, action)
        case .drop(let what, let ifExists, let names): for name in names { try drop(what, name, ifExists: ifExists) }
        case .dropIndex(let ifExists, let list): for item in list { try dropIndex(item.index, item.table, ifExists: ifExists) }
        case .createIndex(let name, let table, let unique, let clustered, let columns, let included):
            try createIndex(name, table, unique: unique, clustered: clustered, columns, included)
        case .createView(let name, let columns, let query, let alter, let text): try createView(name, columns, query, alter: alter, text)
        case .createSchema(let name, let owner): try createSchema(name, owner)
        case .truncate(let name): try truncate(name)
        case .createDatabase(let name, let collation): try createDatabase(name, collation)
        case .alterDatabase(let name, let options): try AlterDatabase(session: session).run(name, options)
        case .createLogin, .createUser, .createRole, .roleMember, .permission: try Principals(definitions: self).execute(statement.kind)
        default: throw Messages.syntax("", line: statement.line)
        }
    }

    // MARK: Access to the catalogue

    /// A context whose catalogue may be changed: only one transaction at a time does that in a database.
    func writable(_ context: DatabaseContext) throws -> DatabaseContext {
        if session.current.isDoomed { throw Messages.doomed }
        if context.options.isReadOnly, !context.database.isPrivate { throw Messages.readOnly(context.database.name) }
        if context.changedCatalog == nil {
            if !context.database.isPrivate {
                try session.server.locks.lockTable(database: context.database.id, table: -1, session.waiter)
                // Somebody may have changed it while we waited.
                if !session.current.isSnapshot { context.refresh() }
            }
            context.changedCatalog = context.database.current.catalog
        }
        return context
    }
    /// Locks a table for a change of its definition, and gives its newest description and rows.
    func exclusive(_ table: TableDef, _ context: DatabaseContext) throws -> (TableDef, TableChange) {
        _ = try writable(context)
        if !context.database.isPrivate {
            try session.server.locks.lockTable(database: context.database.id, table: table.id, session.waiter)
            if context.changes[table.id] == nil { context.adopt(table.id, of: context.database.current) }
        }
        _ = context.data(table.id)
        guard let definition = context.catalog.tables[table.id], let data = context.data(table.id) else { throw Messages.invalidObject(table.name) }
        var change = context.changes[table.id] ?? TableChange(data: data, base: data.version)
        change.isExclusive = true
        change.deltas = [:]
        change.indexDeltas = [:]
        return (definition, change)
    }
    func store(_ table: TableDef, _ change: TableChange, _ context: DatabaseContext) {
        var table = table
        table.revision += 1
        table.modified = session.server.now
        context.changedCatalog?.tables[table.id] = table
        context.changes[table.id] = change
    }

    /// Where an object of that name would be made: context and schema. Checks the permission and that the name is free.
    func place(_ name: ObjectName, permission: String, replacing: Bool = false) throws -> (DatabaseContext, SchemaDef) {
        let resolved = try session.resolve(name)
        let context = resolved.context
        if name.isTemporary || name.name.hasPrefix("@") {
            if resolved.object != nil { throw Messages.objectExists(name.name) }
            return (try writable(context), SchemaDef(id: 1, name: "dbo", owner: 1))
        }
        guard let schema = context.catalog.schema(named: name.schema.flatMap { $0.isEmpty ? nil : $0 } ?? "dbo", context.collation) else {
            throw Messages.noSchema(name.schema ?? "")
        }
        guard Permissions.has(permission, context, session) else { throw Messages.deniedInDatabase(permission, context.database.name) }
        if schema.id == 3 || schema.id == 4 { throw Messages.noSchema(schema.name) }
        guard Permissions.has("ALTER", schemaID: schema.id, context, session) else { throw Messages.noSchema(schema.name) }
        let writable = try writable(context)
        if !replacing, writable.catalog.objectID(schema: schema.id, name: name.name, context.collation) != nil || isConstraintName(name.name, schema.id, writable) {
            throw Messages.objectExists(name.name)
        }
        return (writable, schema)
    }
    func isConstraintName(_ name: String, _ schema: Int32, _ context: DatabaseContext) -> Bool {
        context.catalog.tables.values.contains { table in
            table.schemaID == schema
                && (table.indexes.contains { $0.constraintID != 0 && Names.same($0.name, name, context.collation) }
                    || table.checks.contains { Names.same($0.name, name, context.collation) }
                    || table.foreignKeys.contains { Names.same($0.name, name, context.collation) }
                    || table.columns.contains { $0.defaultName.map { Names.same($0, name, context.collation) } ?? false })
        }
    }

    /// A table that ALTER, DROP INDEX and the like may change. `missing` makes the error.
    func alterable(_ name: ObjectName, _ missing: (String) -> SQLServerMessage) throws -> (TableDef, DatabaseContext) {
        let resolved = try session.resolve(name)
        guard case .table(let table)? = resolved.object,
            Permissions.has("ALTER", objectID: table.id, schemaID: table.schemaID, resolved.context, session)
        else { throw missing(name.text) }
        return (table, resolved.context)
    }

    // MARK: CREATE TABLE

    func createTable(_ name: ObjectName, _ columns: [ColumnDefinition], _ constraints: [ConstraintDefinition]) throws {
        let (context, schema) = try place(name, permission: "CREATE TABLE")
        var table = TableDef(id: context.database.newObjectID(), schemaID: schema.id, name: name.name, columns: [])
        table.created = session.server.now
        table.modified = table.created
        let builder = TableBuilder(definitions: self, context: context)
        for column in columns { try builder.add(column, to: &table) }
        try builder.addConstraints(columns.flatMap(\.constraints) + constraints, to: &table)
        if table.columns.isEmpty { throw Messages.syntax(")", line: 0) }
        context.changedCatalog?.tables[table.id] = table
        context.changedCatalog?.names[Catalog.nameKey(schema.id, name.name, context.collation)] = table.id
        var change = TableChange(data: TableData(version: 0), base: 0)
        change.isExclusive = true
        context.changes[table.id] = change
        if !context.database.isPrivate { try session.server.locks.lockTable(database: context.database.id, table: table.id, session.waiter) }
    }
    /// SELECT INTO.
    func create(_ name: ObjectName, columns: [ColumnDef]) throws {
        let (context, schema) = try place(name, permission: "CREATE TABLE")
        var table = TableDef(id: context.database.newObjectID(), schemaID: schema.id, name: name.name, columns: columns)
        table.nextColumnID = Int32(columns.count + 1)
        table.created = session.server.now
        table.modified = table.created
        context.changedCatalog?.tables[table.id] = table
        context.changedCatalog?.names[Catalog.nameKey(schema.id, name.name, context.collation)] = table.id
        var change = TableChange(data: TableData(version: 0), base: 0)
        change.isExclusive = true
        context.changes[table.id] = change
        if !context.database.isPrivate { try session.server.locks.lockTable(database: context.database.id, table: table.id, session.waiter) }
    }

    // MARK: DROP

    private func drop(_ what: String, _ name: ObjectName, ifExists: Bool) throws {
        switch what {
        case "TABLE":
            let resolved = try session.resolve(name)
            guard case .table(let table)? = resolved.object,
                Permissions.has("ALTER", objectID: table.id, schemaID: table.schemaID, resolved.context, session)
            else {
                if ifExists, resolved.object == nil { return }
                throw Messages.cannotDrop("table", name.text)
            }
            let context = resolved.context
            for other in context.catalog.tables.values where other.id != table.id && other.foreignKeys.contains(where: { $0.referencedTable == table.id }) {
                throw Messages.referenced(name.text)
            }
            var (_, change) = try exclusive(table, context)
            change.isDropped = true
            context.changes[table.id] = change
            context.changedCatalog?.tables[table.id] = nil
            context.changedCatalog?.names[Catalog.nameKey(table.schemaID, table.name, context.collation)] = nil
            forget(table.id, context)
        case "VIEW":
            let resolved = try session.resolve(name)
            guard case .view(let view)? = resolved.object,
                Permissions.has("ALTER", objectID: view.id, schemaID: view.schemaID, resolved.context, session)
            else {
                if ifExists, resolved.object == nil { return }
                throw Messages.cannotDrop("view", name.text)
            }
            let context = try writable(resolved.context)
            context.changedCatalog?.views[view.id] = nil
            context.changedCatalog?.names[Catalog.nameKey(view.schemaID, view.name, context.collation)] = nil
            forget(view.id, context)
        case "SCHEMA":
            let context = try writable(try session.context(session.database))
            guard let schema = context.catalog.schema(named: name.name, context.collation), Permissions.has("ALTER ANY SCHEMA", context, session) else {
                if ifExists, context.catalog.schema(named: name.name, context.collation) == nil { return }
                throw Messages.cannotFind("schema", name.name)
            }
            if let object = context.catalog.tables.values.first(where: { $0.schemaID == schema.id })?.name
                ?? context.catalog.views.values.first(where: { $0.schemaID == schema.id })?.name {
                throw Messages.schemaNotEmpty(schema.name, object)
            }
            context.changedCatalog?.schemas.removeAll { $0.id == schema.id }
        case "DATABASE":
            guard session.login.isSysadmin, let database = session.server.database(named: name.name) else {
                if ifExists, session.server.database(named: name.name) == nil { return }
                throw Messages.cannotDrop("database", name.name)
            }
            if database === session.database {
                throw SQLServerMessage(number: 3702, state: 3, severity: 16, text: "Cannot drop database \"\(name.name)\" because it is currently in use.")
            }
            session.server.dropDatabase(database)
        case "LOGIN", "USER", "ROLE": try Principals(definitions: self).drop(what, name.name, ifExists: ifExists)
        default:
            if ifExists { return }
            throw Messages.cannotDrop(what.lowercased(), name.text)
        }
    }
    private func forget(_ object: Int32, _ context: DatabaseContext) {
        let kept = context.catalog.permissions.filter { $0.scope != .object(object) }
        context.changedCatalog?.permissions = kept
        context.changedCatalog?.properties.removeAll { $0.objectID == object }
    }

    private func truncate(_ name: ObjectName) throws {
        let (table, context) = try alterable(name, Messages.cannotTruncate)
        if context.catalog.tables.values.contains(where: { $0.id != table.id && $0.foreignKeys.contains { $0.referencedTable == table.id } }) {
            throw Messages.truncateReferenced(name.text)
        }
        var (definition, change) = try exclusive(table, context)
        change.data.rows = TableTree()
        for index in change.data.indexes.keys { change.data.indexes[index] = TableTree() }
        change.data.identity = SharedCounter(0)
        change.data.identityUsed = SharedCounter(0)
        // Tracking starts anew: what was tracked before isn't valid any more.
        change.data.tracking?.reset(beginVersion: context.database.current.trackingVersion)
        change.tracked = []
        definition.modified = session.server.now
        context.changes[table.id] = change
    }

    // MARK: Indexes

    private func createIndex(_ name: String, _ tableName: ObjectName, unique: Bool, clustered: Bool, _ columns: [IndexColumn], _ included: [String]) throws {
        let (found, context) = try alterable(tableName, Messages.cannotFindObject)
        var (table, change) = try exclusive(found, context)
        if table.indexes.contains(where: { Names.same($0.name, name, context.collation) }) { throw Messages.indexExists(name, tableName.text) }
        let builder = TableBuilder(definitions: self, context: context)
        var index = IndexDef(
            id: 0, name: name, isUnique: unique, isPrimaryKey: false, isUniqueConstraint: false, isClustered: clustered, keys: try builder.keys(columns, in: table))
        for column in included {
            guard let ordinal = table.ordinal(named: column, context.collation) else { throw Messages.indexColumn(column) }
            index.included.append(table.columns[ordinal].id)
        }
        try builder.append(index, to: &table)
        try Rebuild.indexes(of: table, &change, context, from: found)
        store(table, change, context)
    }

    private func dropIndex(_ name: String, _ tableName: ObjectName, ifExists: Bool) throws {
        let (found, context) = try alterable(tableName, { _ in Messages.cannotDrop("index", "\(tableName.text).\(name)") })
        guard let index = found.indexes.first(where: { Names.same($0.name, name, context.collation) }) else {
            if ifExists { return }
            throw Messages.cannotDrop("index", "\(tableName.text).\(name)")
        }
        if index.isPrimaryKey || index.isUniqueConstraint { throw Messages.constraintIndex("\(tableName.text).\(index.name)") }
        var (table, change) = try exclusive(found, context)
        table.indexes.removeAll { $0.id == index.id }
        try Rebuild.indexes(of: table, &change, context, from: found)
        store(table, change, context)
    }

    // MARK: Views, schemas, databases

    private func createView(_ name: ObjectName, _ columns: [String], _ query: Query, alter: Bool, _ text: String) throws {
        let (context, schema) = try place(name, permission: "CREATE VIEW", replacing: alter)
        // It has to compile.
        let plan = try QueryPlanner(environment: environment, isInsideView: false).plan(query, scope: Scope(parent: nil, collation: context.collation))
        for (index, column) in plan.columns.enumerated() where column.name.isEmpty && index >= columns.count {
            throw SQLServerMessage(
                number: 4511, severity: 16, text: "Create View or Function failed because no column name was specified for column \(index + 1).")
        }
        let existing = context.catalog.objectID(schema: schema.id, name: name.name, context.collation)
        if let existing, context.catalog.tables[existing] != nil { throw Messages.objectExists(name.name) }
        let id = existing ?? context.database.newObjectID()
        context.changedCatalog?.views[id] = ViewDef(id: id, schemaID: schema.id, name: name.name, columns: columns, query: query, text: text, created: session.server.now)
        context.changedCatalog?.names[Catalog.nameKey(schema.id, name.name, context.collation)] = id
    }

    private func createSchema(_ name: String, _ owner: String?) throws {
        let context = try session.context(session.database)
        guard Permissions.has("CREATE SCHEMA", context, session) else {
            throw SeveralMessages(messages: [
                Messages.deniedInDatabase("CREATE SCHEMA", context.database.name),
                SQLServerMessage(number: 2759, state: 0, severity: 16, text: "CREATE SCHEMA failed due to previous errors."),
            ])
        }
        let changed = try writable(context)
        if changed.catalog.schema(named: name, context.collation) != nil {
            throw SeveralMessages(messages: [
                SQLServerMessage(number: 2714, state: 6, severity: 16, text: "There is already an object named '\(name)' in the database."),
                SQLServerMessage(number: 2759, state: 0, severity: 16, text: "CREATE SCHEMA failed due to previous errors."),
            ])
        }
        let id = (changed.catalog.schemas.map(\.id).filter { $0 < 16384 }.max() ?? 4) + 1
        changed.changedCatalog?.schemas.append(SchemaDef(id: id, name: name, owner: 1))
    }

    private func createDatabase(_ name: String, _ collation: String?) throws {
        guard session.login.isSysadmin else { throw Messages.deniedInDatabase("CREATE DATABASE", "master") }
        if session.transaction != nil { throw Messages.notInTransaction("CREATE DATABASE") }
        var chosen: SQLCollation?
        if let collation {
            guard let found = SQLCollation(named: collation) else { throw Messages.invalidCollation(collation) }
            chosen = found
        }
        if session.server.createDatabase(name, collation: chosen) == nil { throw Messages.databaseExists(name) }
    }
}
