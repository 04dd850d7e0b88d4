/// Who may do what.
enum Permissions {
    static func canConnect(_ login: LoginDef, _ database: Database) -> Bool {
        if login.isSysadmin { return true }
        if ["master", "tempdb"].contains(database.name.lowercased()) || database.isPrivate { return true }
        let catalog = database.current.catalog
        guard let user = catalog.principals.first(where: { $0.login?.lowercased() == login.name.lowercased() }) else { return false }
        return !catalog.permissions.contains { $0.principal == user.id && $0.permission == "CONNECT" && $0.isDenied }
    }

    /// The database user of a session, and the roles that count for it.
    static func principals(_ session: EngineSession, _ catalog: Catalog) -> Set<Int32> {
        guard let user = catalog.principals.first(where: { $0.login?.lowercased() == session.login.name.lowercased() }) else { return [0, 2] }
        var ids: Set<Int32> = [0, user.id]
        var pending = user.roles
        while let role = pending.popFirst() {
            guard let found = catalog.principals.first(where: { $0.kind == .role && $0.name.lowercased() == role.lowercased() }), ids.insert(found.id).inserted else { continue }
            pending.formUnion(found.roles)
        }
        return ids
    }
    static func isInRole(_ role: String, _ session: EngineSession, _ catalog: Catalog) -> Bool {
        guard let found = catalog.principals.first(where: { $0.name.lowercased() == role.lowercased() }) else { return false }
        return principals(session, catalog).contains(found.id)
    }

    /// Permissions that include another one.
    private static func covering(_ permission: String) -> [String] {
        switch permission {
        case "VIEW DATABASE PERFORMANCE STATE": return [permission, "VIEW DATABASE STATE", "CONTROL"]
        case "VIEW DEFINITION": return [permission, "ALTER", "CONTROL"]
        case "CREATE TABLE": return [permission, "ALTER", "CONTROL"]
        default: return [permission, "CONTROL"]
        }
    }

    /// `objectID` nil asks for the database.
    static func has(_ permission: String, objectID: Int32? = nil, schemaID: Int32? = nil, _ context: DatabaseContext, _ session: EngineSession) -> Bool {
        if session.login.isSysadmin || context.database.isPrivate { return true }
        let catalog = context.catalog
        let ids = principals(session, catalog)
        if ids.isEmpty { return false }
        let names = ids.compactMap { id in catalog.principals.first { $0.id == id && $0.isFixedRole }?.name }
        if names.contains("db_owner") || ids.contains(1) { return true }
        let scopes: [PermissionDef.Scope] = [.database] + (schemaID.map { [.schema($0)] } ?? []) + (objectID.map { [.object($0)] } ?? [])
        let wanted = covering(permission)
        var granted = false
        for entry in catalog.permissions where ids.contains(entry.principal) && scopes.contains(entry.scope) && wanted.contains(entry.permission) {
            if entry.isDenied { return false }
            granted = true
        }
        if names.contains("db_denydatareader"), permission == "SELECT" { return false }
        if names.contains("db_denydatawriter"), ["INSERT", "UPDATE", "DELETE"].contains(permission) { return false }
        if granted { return true }
        if names.contains("db_datareader"), permission == "SELECT" { return true }
        if names.contains("db_datawriter"), ["INSERT", "UPDATE", "DELETE"].contains(permission) { return true }
        if names.contains("db_ddladmin"), permission == "ALTER" || permission.hasPrefix("CREATE") || permission == "REFERENCES" { return true }
        if names.contains("db_securityadmin"), permission.hasPrefix("ALTER ANY") { return true }
        return false
    }

    /// Throws 229 where the object's permission is missing.
    static func require(_ permission: String, objectID: Int32, schemaID: Int32, name: String, _ context: DatabaseContext, _ session: EngineSession) throws {
        if has(permission, objectID: objectID, schemaID: schemaID, context, session) { return }
        throw Messages.denied(permission, object: name, database: context.database.name, schema: context.catalog.schemaName(schemaID))
    }

    /// Whether the catalogue shows an object: some permission on it is enough.
    static func isVisible(objectID: Int32, schemaID: Int32, _ context: DatabaseContext, _ session: EngineSession) -> Bool {
        if session.login.isSysadmin || context.database.isPrivate { return true }
        for permission in ["SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "ALTER", "VIEW CHANGE TRACKING", "VIEW DEFINITION", "EXECUTE"]
        where has(permission, objectID: objectID, schemaID: schemaID, context, session) { return true }
        return false
    }

    /// The object permissions of HAS_PERMS_BY_NAME and sys.fn_my_permissions.
    static let objectPermissions = [
        "SELECT", "UPDATE", "REFERENCES", "INSERT", "DELETE", "VIEW CHANGE TRACKING", "VIEW DEFINITION", "ALTER", "TAKE OWNERSHIP", "CONTROL",
    ]
    static let databasePermissions = [
        "CREATE TABLE", "CREATE VIEW", "CREATE SCHEMA", "CONNECT", "SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "EXECUTE", "VIEW DATABASE STATE",
        "VIEW DATABASE PERFORMANCE STATE", "VIEW DEFINITION", "ALTER", "ALTER ANY SCHEMA", "ALTER ANY USER", "CONTROL",
    ]
}
