/// The system procedures that EXEC knows. sp_executesql is a statement of its own.
struct SystemProcedures {
    let run: BatchRun
    var session: EngineSession { run.session }
    var environment: Environment { run.environment }

    /// Returns the status.
    func execute(_ name: ObjectName, _ call: ExecuteStatement, line: Int32) throws -> Int32 {
        var named: [String: SQLValue] = [:]
        var positional: [SQLValue] = []
        let compiler = Compiler(environment: environment, scope: Scope(parent: nil, collation: session.collation))
        for argument in call.arguments {
            if case .defaultValue = argument.value { continue }
            let value = try compiler.compile(argument.value).eval()
            if let name = argument.name { named[name.lowercased()] = value } else { positional.append(value) }
        }
        func value(_ key: String, _ position: Int) -> SQLValue? { named[key] ?? (position < positional.count ? positional[position] : nil) }
        func text(_ key: String, _ position: Int) -> String? {
            if case .string(let text)? = value(key, position) { return text }
            return nil
        }
        switch name.name.lowercased() {
        case "sp_addextendedproperty", "sp_updateextendedproperty", "sp_dropextendedproperty":
            let keys = ["@name", "@value", "@level0type", "@level0name", "@level1type", "@level1name", "@level2type", "@level2name"]
            let drops = name.name.lowercased() == "sp_dropextendedproperty"
            // The one that drops has no @value.
            func at(_ index: Int) -> Int { drops && index > 0 ? index - 1 : index }
            try property(
                verb: name.name.lowercased(), name: text(keys[0], 0) ?? "", value: drops ? .null : value(keys[1], 1) ?? .null, schema: text(keys[3], at(3)), object: text(keys[5], at(5)),
                column: text(keys[7], at(7)))
        case "sp_rename": try rename(text("@objname", 0) ?? "", text("@newname", 1) ?? "", text("@objtype", 2))
        case "sp_addrolemember":
            try Principals(definitions: DefinitionExecutor(run: run)).roleMember(text("@rolename", 0) ?? "", text("@membername", 1) ?? "", add: true, server: false)
        case "sp_droprolemember":
            try Principals(definitions: DefinitionExecutor(run: run)).roleMember(text("@rolename", 0) ?? "", text("@membername", 1) ?? "", add: false, server: false)
        case "sp_addsrvrolemember":
            try Principals(definitions: DefinitionExecutor(run: run)).roleMember(text("@rolename", 1) ?? "", text("@loginame", 0) ?? "", add: true, server: true)
        case "sp_flush_ct_internal_table_on_demand", "sp_flush_commit_table_on_demand":
            let catalog = try session.context(session.database).catalog
            guard session.login.isSysadmin || Permissions.isInRole("db_owner", session, catalog) else { throw Messages.noServerPermission }
            try session.server.cleanUpChangeTracking(database: session.database.name)
        case "sp_set_session_context", "sp_reset_connection", "sp_unprepare", "sp_dboption", "sp_configure", "sp_updatestats", "sp_refreshview", "sp_recompile": break
        case "sp_who", "sp_who2":
            try select("SELECT session_id AS spid, status, login_name AS loginame, host_name AS hostname FROM sys.dm_exec_sessions", line)
        case "sp_tables":
            try select(
                "SELECT TABLE_CATALOG AS TABLE_QUALIFIER, TABLE_SCHEMA AS TABLE_OWNER, TABLE_NAME, CASE TABLE_TYPE WHEN 'BASE TABLE' THEN 'TABLE' ELSE TABLE_TYPE END AS TABLE_TYPE, CAST(NULL AS varchar(254)) AS REMARKS FROM INFORMATION_SCHEMA.TABLES ORDER BY 4, 1, 2, 3",
                line)
        case "sp_databases": try select("SELECT name AS DATABASE_NAME, 0 AS DATABASE_SIZE, CAST(NULL AS varchar(254)) AS REMARKS FROM sys.databases ORDER BY name", line)
        case "sp_helpdb": try select("SELECT name, create_date AS created, compatibility_level FROM sys.databases", line)
        case "sp_columns", "sp_columns_100", "sp_columns_90":
            try columns(
                table: text("@table_name", 0), owner: text("@table_owner", 1), column: text("@column_name", 3), extended: name.name.lowercased() != "sp_columns")
        case "sp_stored_procedures": try storedProcedures(name: text("@sp_name", 0), owner: text("@sp_owner", 1))
        case "sp_describe_first_result_set": try describeFirstResultSet(text("@tsql", 0) ?? "", parameters: text("@params", 1) ?? "")
        case "sp_pkeys":
            let table = (text("@table_name", 0) ?? "").replacing("'", with: "''")
            try select(
                "SELECT k.TABLE_CATALOG AS TABLE_QUALIFIER, k.TABLE_SCHEMA AS TABLE_OWNER, k.TABLE_NAME, k.COLUMN_NAME, CAST(k.ORDINAL_POSITION AS smallint) AS KEY_SEQ, k.CONSTRAINT_NAME AS PK_NAME FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE k JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS c ON c.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND c.CONSTRAINT_TYPE = 'PRIMARY KEY' WHERE k.TABLE_NAME = N'\(table)'",
                line)
        case "sp_tablecollations_100", "sp_tablecollations_90", "sp_tablecollations":
            // What bulk copies of Microsoft's clients ask for: `N'.[table]'` or `N'[schema].[table]'`.
            var table = text("@object", 0) ?? ""
            while table.hasPrefix(".") { table.removeFirst() }
            try select(
                "SELECT column_id AS colid, name, CAST(COLLATIONPROPERTY(collation_name, 'TDSCollation') AS varbinary(5)) AS tds_collation, collation_name AS collation FROM sys.all_columns WHERE object_id = OBJECT_ID(N'\(table.replacing("'", with: "''"))') ORDER BY 1",
                line)
        case "sp_datatype_info", "sp_datatype_info_100":
            try select("SELECT name AS TYPE_NAME, CAST(system_type_id AS smallint) AS DATA_TYPE, CAST(precision AS int) AS PRECISION FROM sys.types ORDER BY 2", line)
        default: throw Messages.noProcedure(name.text)
        }
        return 0
    }

    private func select(_ sql: String, _ line: Int32) throws {
        for statement in try Parser.parseBatch(sql) {
            guard case .select(let query) = statement.kind else { continue }
            try run.stream(try QueryPlanner(environment: environment).plan(query, scope: Scope(parent: nil, collation: session.collation)), line: line)
        }
    }

    private func property(verb: String, name: String, value: SQLValue, schema: String?, object: String?, column: String?) throws {
        let definitions = DefinitionExecutor(run: run)
        let context = try session.context(session.database)
        var objectID: Int32 = 0, minorID: Int32 = 0
        if let schema, let object {
            let full = ObjectName(schema: schema, name: object)
            let missing = SQLServerMessage(
                number: 15135, severity: 16,
                text: "Object is invalid. Extended properties are not permitted on '\([schema, object, column].compactMap(\.self).joined(separator: "."))', or the object does not exist.")
            guard let found = try session.resolve(full).object else { throw missing }
            switch found {
            case .table(let table):
                guard Permissions.has("ALTER", objectID: table.id, schemaID: table.schemaID, context, session) else { throw missing }
                objectID = table.id
                if let column {
                    guard let ordinal = table.ordinal(named: column, context.collation) else { throw missing }
                    minorID = table.columns[ordinal].id
                }
            case .view(let view): objectID = view.id
            case .system: throw missing
            }
        } else if !Permissions.has("ALTER", context, session) {
            throw Messages.noServerPermission
        }
        let changed = try definitions.writable(context)
        let index = changed.catalog.properties.firstIndex { $0.objectID == objectID && $0.minorID == minorID && Names.same($0.name, name, context.collation) }
        let target = [schema, object, column].compactMap(\.self).joined(separator: ".")
        switch (verb, index) {
        case ("sp_addextendedproperty", _?):
            throw SQLServerMessage(number: 15233, severity: 16, text: "Property cannot be added. Property '\(name)' already exists for '\(target)'.")
        case ("sp_addextendedproperty", nil):
            let type = SQLType.nvarchar(3750)
            var stored = value
            switch value {
            case .string: stored = .variant(type, value)
            case .int: stored = .variant(.int, value)
            default: break
            }
            changed.changedCatalog?.properties.append(ExtendedProperty(objectID: objectID, minorID: minorID, name: name, type: type, value: stored))
        case (_, nil):
            throw SQLServerMessage(number: 15217, severity: 16, text: "Property cannot be updated or deleted. Property '\(name)' does not exist for '\(target)'.")
        case ("sp_dropextendedproperty", let index?): changed.changedCatalog?.properties.remove(at: index)
        case (_, let index?): changed.changedCatalog?.properties[index].value = value.isNull ? .null : .variant(.nvarchar(3750), value)
        }
    }

    private func rename(_ old: String, _ new: String, _ kind: String?) throws {
        let definitions = DefinitionExecutor(run: run)
        var parser = Parser(old)
        let parsed = try parser.objectName()
        let failure = SQLServerMessage(
            number: 15225, state: 1, severity: 11,
            text: "No item by the name of '\(old)' could be found in the current database '\(session.database.name)', given that @itemtype was input as '\(kind ?? "(null)")'.")
        let caution = SQLServerMessage(number: 15477, severity: 10, text: "Caution: Changing any part of an object name could break scripts and stored procedures.", line: 1)
        if kind?.uppercased() == "COLUMN" {
            guard let tableName = parsed.schema else { throw failure }
            let name = ObjectName(database: nil, schema: parsed.database, name: tableName)
            let (found, context) = try definitions.alterable(name) { _ in failure }
            guard let ordinal = found.ordinal(named: parsed.name, context.collation) else {
                throw SQLServerMessage(number: 15248, state: 1, severity: 11, text: "Either the parameter @objname is ambiguous or the claimed @objtype (COLUMN) is wrong.")
            }
            if found.ordinal(named: new, context.collation).map({ $0 != ordinal }) ?? false {
                throw SQLServerMessage(number: 15335, state: 1, severity: 11, text: "Error: The new name '\(new)' is already in use as a COLUMN name and would cause a duplicate that is not permitted.")
            }
            var (table, change) = try definitions.exclusive(found, context)
            table.columns[ordinal].name = new
            definitions.store(table, change, context)
            change.isExclusive = true
        } else if kind?.uppercased() == "INDEX" {
            guard let tableName = parsed.schema else { throw failure }
            let (found, context) = try definitions.alterable(ObjectName(schema: parsed.database, name: tableName)) { _ in failure }
            guard let index = found.indexes.firstIndex(where: { Names.same($0.name, parsed.name, context.collation) }) else { throw failure }
            let (table, change) = try definitions.exclusive(found, context)
            var changed = table
            changed.indexes[index].name = new
            definitions.store(changed, change, context)
        } else {
            let resolved = try session.resolve(parsed)
            if case .view(var view)? = resolved.object {
                let context = try definitions.writable(resolved.context)
                context.changedCatalog?.names[Catalog.nameKey(view.schemaID, view.name, context.collation)] = nil
                view.name = new
                context.changedCatalog?.views[view.id] = view
                context.changedCatalog?.names[Catalog.nameKey(view.schemaID, new, context.collation)] = view.id
            } else {
                let (found, context) = try definitions.alterable(parsed) { _ in failure }
                if context.catalog.objectID(schema: found.schemaID, name: new, context.collation) != nil {
                    throw SQLServerMessage(
                        number: 15335, state: 1, severity: 11, text: "Error: The new name '\(new)' is already in use as a object name and would cause a duplicate that is not permitted.")
                }
                var (table, change) = try definitions.exclusive(found, context)
                context.changedCatalog?.names[Catalog.nameKey(table.schemaID, table.name, context.collation)] = nil
                table.name = new
                context.changedCatalog?.names[Catalog.nameKey(table.schemaID, new, context.collation)] = table.id
                definitions.store(table, change, context)
                change.isExclusive = true
            }
        }
        run.emit(.message(caution))
    }
}
