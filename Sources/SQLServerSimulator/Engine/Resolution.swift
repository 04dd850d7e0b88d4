/// What a name stands for.
enum ResolvedObject {
    case table(TableDef)
    case view(ViewDef)
    case system(SystemView)
}
struct Resolved {
    let context: DatabaseContext
    let object: ResolvedObject?
    /// Schema that was looked in.
    let schemaID: Int32
    let schemaName: String
}

extension EngineSession {
    /// Looks a name up in its database (`tempdb` for `#names`); the object is nil where there is none.
    func resolve(_ name: ObjectName) throws -> Resolved {
        if name.server != nil {
            throw SQLServerMessage(
                number: 7202, state: 2, severity: 11,
                text: "Could not find server '\(name.server ?? "")' in sys.servers. Verify that the correct server name was specified. If necessary, execute the stored procedure sp_addlinkedserver to add the server to sys.servers.")
        }
        if name.isTemporary || name.name.hasPrefix("@") {
            let context = try self.context(privateDatabase)
            let id = context.catalog.objectID(schema: 1, name: name.name, collation)
            return Resolved(context: context, object: id.flatMap { context.catalog.tables[$0] }.map { .table($0) }, schemaID: 1, schemaName: "dbo")
        }
        let database = try name.database.flatMap { $0.isEmpty ? nil : $0 }.map { try self.database(named: $0) } ?? self.database
        let context = try self.context(database)
        let catalog = context.catalog
        let own = context.collation
        let schemaName = name.schema.flatMap { $0.isEmpty ? nil : $0 }
        if let schemaName, let schema = catalog.schema(named: schemaName, own) {
            if schema.id == 3 || schema.id == 4 {
                let found = SystemViews.find(schema: schema.name, name: name.name, own)
                return Resolved(context: context, object: found.map { .system($0) }, schemaID: schema.id, schemaName: schema.name)
            }
            if let found = object(catalog, schema.id, name.name, own) {
                return Resolved(context: context, object: found, schemaID: schema.id, schemaName: schema.name)
            }
            if schema.id == 1, let legacy = SystemViews.legacy(name.name) {
                return Resolved(context: context, object: .system(legacy), schemaID: 4, schemaName: "sys")
            }
            return Resolved(context: context, object: nil, schemaID: schema.id, schemaName: schema.name)
        }
        if schemaName != nil { return Resolved(context: context, object: nil, schemaID: 0, schemaName: schemaName ?? "") }
        var found = object(catalog, 1, name.name, own)
        if found == nil, let legacy = SystemViews.legacy(name.name) { found = .system(legacy) }
        return Resolved(context: context, object: found, schemaID: 1, schemaName: "dbo")
    }
    private func object(_ catalog: Catalog, _ schema: Int32, _ name: String, _ collation: SQLCollation) -> ResolvedObject? {
        guard let id = catalog.objectID(schema: schema, name: name, collation) else { return nil }
        if let table = catalog.tables[id] { return .table(table) }
        return catalog.views[id].map { .view($0) }
    }

    /// A database that this login may use. Throws 911 and 916.
    func database(named name: String) throws -> Database {
        guard let found = server.database(named: name) else { throw Messages.noDatabase(name) }
        guard Permissions.canConnect(login, found) else { throw Messages.noDatabaseAccess(login: login.name, database: found.name) }
        return found
    }

    /// Throws 3952 and 3951.
    func checkSnapshot(_ context: DatabaseContext) throws {
        if context.database.isPrivate || isolation != .snapshot { return }
        guard context.options.snapshotIsolation else { throw Messages.noSnapshot(context.database.name) }
        if let transaction, !transaction.isSnapshot { throw Messages.snapshotLate(context.database.name) }
    }
}
