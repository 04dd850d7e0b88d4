import Synchronization
/// Logins, users, roles and permissions.
struct Principals {
    let definitions: DefinitionExecutor
    var session: EngineSession { definitions.session }

    func execute(_ kind: StatementKind) throws {
        switch kind {
        case .createLogin(let name, let password, let database, let exists): try login(name, password, database, exists: exists)
        case .createUser(let name, let login): try user(name, login)
        case .createRole(let name):
            let context = try manageable("CREATE ROLE")
            if context.catalog.principals.contains(where: { $0.name.lowercased() == name.lowercased() }) { throw Messages.userExists(name) }
            context.changedCatalog?.principals.append(PrincipalDef(id: newID(context), name: name, kind: .role))
        case .roleMember(let role, let member, let add, let server): try roleMember(role, member, add: add, server: server)
        case .permission(let statement): try permission(statement)
        default: break
        }
    }

    private func manageable(_ what: String) throws -> DatabaseContext {
        let context = try session.context(session.database)
        guard Permissions.has("ALTER ANY USER", context, session) else { throw Messages.noServerPermission }
        return try definitions.writable(context)
    }
    private func newID(_ context: DatabaseContext) -> Int32 { (context.catalog.principals.map(\.id).filter { $0 < 16000 }.max() ?? 4) + 1 }

    private func login(_ name: String, _ password: String?, _ database: String?, exists: Bool) throws {
        guard session.login.isSysadmin else { throw Messages.noServerPermission }
        let failure: SQLServerMessage? = session.server.state.withLock { state in
            if let index = state.logins.firstIndex(where: { $0.name.lowercased() == name.lowercased() }) {
                if !exists { return Messages.loginExists(name) }
                if let password { state.logins[index].password = password }
                if let database { state.logins[index].defaultDatabase = database }
                return nil
            }
            if exists { return Messages.cannotFind("login", name) }
            let id = state.nextLoginID
            state.nextLoginID += 1
            state.logins.append(LoginDef(id: id, name: name, password: password ?? "", isSysadmin: false, defaultDatabase: database ?? "master"))
            return nil
        }
        if let failure { throw failure }
    }

    private func user(_ name: String, _ login: String?) throws {
        let context = try manageable("CREATE USER")
        if context.catalog.principals.contains(where: { $0.name.lowercased() == name.lowercased() }) { throw Messages.userExists(name) }
        var mapped: String?
        if login != "" {
            let wanted = login ?? name
            guard session.server.state.withLock({ state in state.logins.contains { $0.name.lowercased() == wanted.lowercased() } }) else {
                throw SQLServerMessage(number: 15007, severity: 16, text: "'\(wanted)' is not a valid login or you do not have permission.")
            }
            if context.catalog.principals.contains(where: { $0.login?.lowercased() == wanted.lowercased() }) {
                throw SQLServerMessage(number: 15063, severity: 16, text: "The login already has an account under a different user name.")
            }
            mapped = wanted
        }
        let id = newID(context)
        context.changedCatalog?.principals.append(PrincipalDef(id: id, name: name, kind: .user, login: mapped))
        context.changedCatalog?.permissions.insert(PermissionDef(principal: id, permission: "CONNECT", scope: .database, isDenied: false))
    }

    func roleMember(_ role: String, _ member: String, add: Bool, server: Bool) throws {
        if server {
            guard session.login.isSysadmin else { throw Messages.noServerPermission }
            session.server.state.withLock { state in
                for index in state.logins.indices where state.logins[index].name.lowercased() == member.lowercased() && role.lowercased() == "sysadmin" {
                    state.logins[index].isSysadmin = add
                }
            }
            return
        }
        let context = try manageable("ALTER ROLE")
        guard let owner = context.catalog.principals.first(where: { $0.kind == .role && $0.name.lowercased() == role.lowercased() }) else { throw Messages.cannotFind("role", role) }
        guard let index = context.catalog.principals.firstIndex(where: { $0.name.lowercased() == member.lowercased() }) else { throw Messages.cannotFind("principal", member) }
        if add { context.changedCatalog?.principals[index].roles.insert(owner.name) } else { context.changedCatalog?.principals[index].roles.remove(owner.name) }
    }

    func drop(_ what: String, _ name: String, ifExists: Bool) throws {
        if what == "LOGIN" {
            guard session.login.isSysadmin else { throw Messages.cannotDrop("login", name) }
            let found = session.server.state.withLock { state in
                let count = state.logins.count
                state.logins.removeAll { $0.name.lowercased() == name.lowercased() }
                return state.logins.count < count
            }
            if !found { throw Messages.cannotFind("login", name) }
            return
        }
        let context = try manageable("DROP")
        guard let principal = context.catalog.principals.first(where: { $0.name.lowercased() == name.lowercased() && !$0.isFixedRole }) else {
            if ifExists { return }
            throw Messages.cannotFind(what.lowercased(), name)
        }
        context.changedCatalog?.principals.removeAll { $0.id == principal.id }
        let kept = context.catalog.permissions.filter { $0.principal != principal.id }
        context.changedCatalog?.permissions = kept
    }

    private func permission(_ statement: PermissionStatement) throws {
        let context = try session.context(session.database)
        let scope: PermissionDef.Scope
        switch statement.securable {
        case .schema(let name)?:
            guard let schema = context.catalog.schema(named: name, context.collation) else { throw Messages.cannotFind("schema", name) }
            scope = .schema(schema.id)
        case .object(let name)?:
            let resolved = try session.resolve(name)
            switch resolved.object {
            case .table(let table)?: scope = .object(table.id)
            case .view(let view)?: scope = .object(view.id)
            case .system?: return
            case nil: throw Messages.cannotFind("object", name.text)
            }
        case .database(let name)?:
            if let name, !Names.same(name, context.database.name, .default) { throw Messages.cannotFind("database", name) }
            scope = .database
        case .server?, .other?: return
        case nil:
            // Server permissions (VIEW SERVER STATE ...) have no effect here.
            if statement.permissions.contains(where: { $0.contains("SERVER") || $0.contains("ANY DATABASE") || $0.contains("LOGIN") }) { return }
            scope = .database
        }
        guard session.login.isSysadmin || Permissions.has("CONTROL", context, session) else {
            if case .object(let name)? = statement.securable { throw Messages.cannotFind("object", name.text) }
            throw SQLServerMessage(number: 4613, severity: 16, text: "Grantor does not have GRANT permission.")
        }
        let changed = try definitions.writable(context)
        for name in statement.principals {
            guard let principal = changed.catalog.principals.first(where: { $0.name.lowercased() == name.lowercased() }) else { throw Messages.cannotFind("user", name) }
            var names: [String] = []
            for permission in statement.permissions { names += permission == "ALL" || permission == "ALL PRIVILEGES" ? ["SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES"] : [permission] }
            for permission in names {
                let granted = PermissionDef(principal: principal.id, permission: permission, scope: scope, isDenied: false)
                let denied = PermissionDef(principal: principal.id, permission: permission, scope: scope, isDenied: true)
                changed.changedCatalog?.permissions.remove(granted)
                changed.changedCatalog?.permissions.remove(denied)
                switch statement.action {
                case .grant: changed.changedCatalog?.permissions.insert(granted)
                case .deny: changed.changedCatalog?.permissions.insert(denied)
                case .revoke: break
                }
            }
        }
    }
}
