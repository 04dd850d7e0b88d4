import Foundation
import TDSWire

/// OBJECT_ID, DB_NAME, SERVERPROPERTY, HAS_PERMS_BY_NAME, CHANGE_TRACKING_...: functions on metadata and the session.
extension Compiler {
    func metadataFunction(_ name: String, _ call: FunctionCall) throws -> Compiled? {
        let session = environment.session
        let environment = environment
        let here = session.database
        func reader(_ database: Database? = nil) throws -> CatalogReader {
            CatalogReader(environment: environment, context: try session.context(database ?? here))
        }
        func string(_ value: Compiled) -> () throws -> String? {
            let eval = self.text(value).eval
            return {
                guard case .string(let text) = try eval() else { return nil }
                return text
            }
        }
        func number(_ value: Compiled) -> () throws -> Int64? {
            let eval = int(value)
            return {
                guard case .int(let number) = try eval() else { return nil }
                return number
            }
        }
        func sysname(_ body: @escaping () throws -> String?) -> Compiled { Compiled(type: .nvarchar(128)) { try body().map { .string($0) } ?? .null } }
        func integer(_ body: @escaping () throws -> (any BinaryInteger)?) -> Compiled { Compiled(type: .int) { try body().map { .int(Int64($0)) } ?? .null } }
        func variant(_ value: SQLValue, _ type: SQLType) -> SQLValue { value.isNull ? .null : .variant(type, value) }
        func object(_ text: String) -> (ResolvedObject, DatabaseContext)? {
            var parser = Parser(text)
            guard let name = try? parser.objectName(), (try? parser.peek()) == .end, let resolved = try? session.resolve(name), let object = resolved.object else { return nil }
            return (object, resolved.context)
        }

        switch name {
        case "OBJECT_ID":
            let list = try arguments(call, 1...2)
            let name = string(list[0])
            let kind = list.count > 1 ? string(list[1]) : { nil }
            return integer {
                guard let text = try name() else { return nil }
                let wanted = try kind()?.trimmingCharacters(in: .whitespaces).uppercased()
                var parser = Parser(text)
                guard let parsed = try? parser.objectName() else { return nil }
                // `tempdb..#t` is the session's own.
                let target = parsed.isTemporary ? ObjectName(name: parsed.name) : parsed
                guard let resolved = try? session.resolve(target) else { return nil }
                switch resolved.object {
                case .table(let table)?:
                    if let wanted, wanted != "U" { break }
                    return Permissions.isVisible(objectID: table.id, schemaID: table.schemaID, resolved.context, session) ? table.id : nil
                case .view(let view)?:
                    if let wanted, wanted != "V" { break }
                    return Permissions.isVisible(objectID: view.id, schemaID: view.schemaID, resolved.context, session) ? view.id : nil
                case .system(let view)?:
                    if let wanted, wanted != "V" { break }
                    return SystemViews.all.firstIndex { $0.name == view.name && $0.schema == view.schema }.map { -1000 - $0 }
                case nil: break
                }
                // Constraints are objects, too.
                for table in resolved.context.catalog.tables.values where table.schemaID == resolved.schemaID {
                    if let index = table.indexes.first(where: { $0.constraintID != 0 && Names.same($0.name, target.name, resolved.context.collation) }) { return index.constraintID }
                    if let check = table.checks.first(where: { Names.same($0.name, target.name, resolved.context.collation) }) { return check.id }
                    if let key = table.foreignKeys.first(where: { Names.same($0.name, target.name, resolved.context.collation) }) { return key.id }
                    if let column = table.columns.first(where: { $0.defaultName.map { Names.same($0, target.name, resolved.context.collation) } ?? false }) { return column.defaultID }
                }
                return nil
            }
        case "OBJECT_NAME", "OBJECT_SCHEMA_NAME":
            let list = try arguments(call, 1...2)
            let id = number(list[0]), databaseID = list.count > 1 ? number(list[1]) : { nil }
            return sysname {
                guard let id = try id(), let key = Int32(exactly: id) else { return nil }
                let database = try databaseID().flatMap { session.server.database(id: Int32(truncatingIfNeeded: $0)) }
                let r = try reader(database)
                let isName = name == "OBJECT_NAME"
                if let table = r.tables.first(where: { $0.id == key }) { return isName ? table.name : r.catalog.schemaName(table.schemaID) }
                if let view = r.views.first(where: { $0.id == key }) { return isName ? view.name : r.catalog.schemaName(view.schemaID) }
                for table in r.tables { for index in table.indexes where index.constraintID == key { return isName ? index.name : r.catalog.schemaName(table.schemaID) } }
                return nil
            }
        case "SCHEMA_ID", "SCHEMA_NAME":
            let list = try arguments(call, 0...1)
            if name == "SCHEMA_ID" {
                let text = list.isEmpty ? { "dbo" } : string(list[0])
                return integer { try text().flatMap { try reader().catalog.schema(named: $0, here.current.options.collation)?.id } }
            }
            let id = list.isEmpty ? { 1 } : number(list[0])
            return sysname {
                guard let id = try id() else { return nil }
                return try reader().catalog.schemas.first { Int64($0.id) == id }?.name
            }
        case "DB_ID":
            let list = try arguments(call, 0...1)
            let text = list.isEmpty ? { session.database.name } : string(list[0])
            return integer { try text().flatMap { session.server.database(named: $0)?.id } }
        case "DB_NAME", "ORIGINAL_DB_NAME":
            let list = try arguments(call, 0...1)
            if list.isEmpty { return sysname { session.database.name } }
            let id = number(list[0])
            return sysname { try id().flatMap { session.server.database(id: Int32(truncatingIfNeeded: $0))?.name } }
        case "TYPE_NAME", "TYPE_ID":
            let value = try arguments(call, 1...1)[0]
            if name == "TYPE_ID" {
                let text = string(value)
                return integer { try text().flatMap { wanted in ColumnViews.types.first { $0.0 == wanted.lowercased() }?.2 } }
            }
            let id = number(value)
            return sysname { try id().flatMap { wanted in ColumnViews.types.first { Int64($0.2) == wanted }?.0 } }
        case "COL_NAME":
            let list = try arguments(call, 2...2)
            let object = number(list[0]), column = number(list[1])
            return sysname {
                guard let object = try object(), let column = try column() else { return nil }
                return try reader().tables.first { Int64($0.id) == object }?.columns.first { Int64($0.id) == column }?.name
            }
        case "COL_LENGTH":
            let list = try arguments(call, 2...2)
            let table = string(list[0]), column = string(list[1])
            return Compiled(type: .smallint) {
                guard let text = try table(), let wanted = try column(), case .table(let table)? = object(text)?.0, let ordinal = table.ordinal(named: wanted, session.collation) else { return .null }
                return .int(Int64(table.columns[ordinal].type.maxLength))
            }
        case "COLUMNPROPERTY":
            let list = try arguments(call, 3...3)
            let id = number(list[0]), column = string(list[1]), property = string(list[2])
            return integer {
                guard let id = try id(), let wanted = try column(), let property = try property(), let table = try reader().tables.first(where: { Int64($0.id) == id }),
                    let ordinal = table.ordinal(named: wanted, session.collation)
                else { return nil }
                let found = table.columns[ordinal]
                switch property.lowercased() {
                case "allowsnull": return found.isNullable ? 1 : 0
                case "iscomputed": return found.computed == nil ? 0 : 1
                case "isidentity": return found.identity == nil ? 0 : 1
                case "isrowguidcol": return found.isRowGUID ? 1 : 0
                case "columnid": return found.id
                case "ordinal": return ordinal + 1
                case "precision": return found.type.isCharacter ? found.type.length : found.type.catalogPrecision
                case "scale": return found.type.catalogScale
                case "charmaxlen": return found.type.isCharacter || found.type.isBinary ? found.type.length : nil
                case "ishidden", "issparse", "iscolumnset", "isdeterministic", "generatedalwaystype": return 0
                default: return nil
                }
            }
        case "OBJECTPROPERTY", "OBJECTPROPERTYEX":
            let list = try arguments(call, 2...2)
            let id = number(list[0]), property = string(list[1])
            func value() throws -> Int64? {
                guard let id = try id(), let property = try property() else { return nil }
                let r = try reader()
                let table = r.tables.first { Int64($0.id) == id }, view = r.views.first { Int64($0.id) == id }
                if table == nil, view == nil { return nil }
                switch property.lowercased() {
                case "istable", "isusertable": return table == nil ? 0 : 1
                case "isview": return view == nil ? 0 : 1
                case "ismsshipped", "isprocedure", "tablehastexttrigger", "isencrypted", "tablehasfulltextindex": return 0
                case "tablehasprimarykey": return table?.primaryKey == nil ? 0 : 1
                case "tablehasclustindex": return table?.clustered == nil ? 0 : 1
                case "tablehasidentity": return table?.identityOrdinal == nil ? 0 : 1
                case "tablehastimestamp": return table?.rowversionOrdinal == nil ? 0 : 1
                case "tablehasforeignkey": return (table?.foreignKeys.isEmpty ?? true) ? 0 : 1
                case "schemaid": return Int64(table?.schemaID ?? view?.schemaID ?? 0)
                case "ownerid": return 1
                case "cardinality": return table.flatMap { r.data($0) }.map { Int64($0.rows.count) }
                case "basetype": return nil
                default: return nil
                }
            }
            if name == "OBJECTPROPERTY" { return integer { try value() } }
            return Compiled(type: SQLType(.variant)) {
                if try property()?.lowercased() == "basetype" {
                    guard let id = try id() else { return .null }
                    return try reader().tables.contains { Int64($0.id) == id } ? .variant(SQLType(.char, length: 2), .string("U ")) : .null
                }
                return try value().map { .variant(.int, .int($0)) } ?? .null
            }
        case "INDEXPROPERTY", "INDEXKEY_PROPERTY", "INDEX_COL":
            if name != "INDEXPROPERTY" { return nil }
            let list = try arguments(call, 3...3)
            let id = number(list[0]), index = string(list[1]), property = string(list[2])
            return integer {
                guard let id = try id(), let wanted = try index(), let property = try property(),
                    let found = try reader().tables.first(where: { Int64($0.id) == id })?.indexes.first(where: { Names.same($0.name, wanted, session.collation) })
                else { return nil }
                switch property.lowercased() {
                case "isunique": return found.isUnique ? 1 : 0
                case "isclustered": return found.isClustered ? 1 : 0
                case "indexid": return found.id
                case "isdisabled", "isstatistics", "ishypothetical", "isautostatistics", "isfulltextkey": return 0
                default: return nil
                }
            }
        case "DATABASEPROPERTYEX", "DATABASEPROPERTY":
            let list = try arguments(call, 2...2)
            let database = string(list[0]), property = string(list[1])
            return Compiled(type: SQLType(.variant)) {
                guard let text = try database(), let property = try property(), let found = session.server.database(named: text) else { return .null }
                let options = found.current.options
                let text128 = SQLType.nvarchar(128)
                switch property.lowercased() {
                case "updateability": return variant(.string(options.isReadOnly ? "READ_ONLY" : "READ_WRITE"), text128)
                case "collation": return variant(.string(options.collation.name), text128)
                case "status": return variant(.string("ONLINE"), text128)
                case "useraccess": return variant(.string("MULTI_USER"), text128)
                case "recovery": return variant(.string(options.recoveryModel), text128)
                case "version": return variant(.int(957), .int)
                case "lcid": return variant(.int(Int64(options.collation.wire.lcid)), .int)
                case "sqlsortorder": return variant(.int(Int64(options.collation.wire.sortID)), .tinyint)
                case "comparisonstyle": return variant(.int(196609), .int)
                case "edition": return variant(.string("Standard"), text128)
                case "serviceobjective": return .null
                case "isautoclose", "isautoshrink", "isinstandby", "isfulltextenabled", "issubscribed", "ispublished", "ismergepublished", "isclone": return variant(.int(0), .int)
                case "isautocreatestatistics", "isautoupdatestatistics", "isquotedidentifiersenabled": return variant(.int(1), .int)
                default: return .null
                }
            }
        case "SERVERPROPERTY":
            let property = string(try arguments(call, 1...1)[0])
            let server = session.server
            return Compiled(type: SQLType(.variant)) {
                guard let property = try property() else { return .null }
                let text = SQLType.nvarchar(128)
                let version = server.configuration.version
                switch property.lowercased() {
                case "productversion": return variant(.string(server.versionNumbers), text)
                case "productmajorversion": return variant(.string(String(version.first ?? 16)), text)
                case "productminorversion": return variant(.string(String(version.count > 1 ? version[1] : 0)), text)
                case "productbuild": return variant(.string(String(version.count > 2 ? version[2] : 0)), text)
                case "productlevel": return variant(.string("RTM"), text)
                case "productupdatelevel": return variant(.string("CU16"), text)
                case "edition": return variant(.string("Developer Edition (64-bit)"), text)
                case "editionid": return variant(.int(-2_117_995_310), .bigint)
                case "engineedition": return variant(.int(3), .int)
                case "servername": return variant(.string(server.configuration.serverName), text)
                case "machinename", "computernamephysicalnetbios": return variant(.string(server.configuration.serverName), text)
                case "instancename": return .null
                case "collation": return variant(.string(server.collation.name), text)
                case "collationid": return variant(.int(872_468_488), .int)
                case "lcid": return variant(.int(1033), .int)
                case "sqlcharset": return variant(.int(1), .tinyint)
                case "sqlcharsetname": return variant(.string("iso_1"), text)
                case "sqlsortorder": return variant(.int(52), .tinyint)
                case "sqlsortordername": return variant(.string("nocase_iso"), text)
                case "processid": return variant(.int(Int64(ProcessInfo.processInfo.processIdentifier)), .int)
                case "ishadrenabled", "isclustered", "isintegratedsecurityonly", "issingleuser", "isfulltextinstalled", "isxtpsupported", "ispolybaseinstalled", "isbigdatacluster",
                    "islocaldb", "hadrmanagerstatus", "isadvancedanalyticsinstalled", "filestreamconfiguredlevel":
                    return variant(.int(0), .int)
                case "licensetype": return variant(.string("DISABLED"), text)
                case "pathseparator": return variant(.string("/"), text)
                default: return .null
                }
            }
        case "COLLATIONPROPERTY":
            let list = try arguments(call, 2...2)
            let collation = string(list[0]), property = string(list[1])
            return Compiled(type: SQLType(.variant)) {
                guard let text = try collation(), let property = try property(), let found = SQLCollation(named: text) else { return .null }
                switch property.lowercased() {
                case "codepage": return variant(.int(Int64(found.isUnicodeOnly ? 0 : found.codePage.rawValue)), .int)
                case "lcid": return variant(.int(Int64(found.wire.lcid)), .int)
                case "comparisonstyle": return variant(.int(found.comparisonStyle), .int)
                case "version": return variant(.int(Int64(found.wire.info >> 28)), .tinyint)
                case "tdscollation": return variant(.binary((0..<4).map { UInt8(truncatingIfNeeded: found.wire.info >> UInt32($0 * 8)) } + [found.wire.sortID]), SQLType(.binary, length: 5))
                default: return .null
                }
            }
        case "HAS_PERMS_BY_NAME":
            let list = try arguments(call, 3...5)
            let securable = string(list[0]), kind = string(list[1]), permission = string(list[2])
            return integer {
                guard let permission = try permission()?.uppercased() else { return nil }
                let target = try securable()
                switch try kind()?.uppercased() {
                case nil, "SERVER": return session.login.isSysadmin ? 1 : permission == "CONNECT SQL" || permission == "VIEW ANY DATABASE" ? 1 : 0
                case "DATABASE":
                    guard let database = target.map({ session.server.database(named: Parser.unquoted($0)) }) ?? session.database else { return nil }
                    guard Permissions.canConnect(session.login, database) else { return 0 }
                    return Permissions.has(permission, try session.context(database), session) ? 1 : 0
                case "SCHEMA":
                    let context = try session.context(session.database)
                    guard let target, let schema = context.catalog.schema(named: Parser.unquoted(target), context.collation) else { return nil }
                    return Permissions.has(permission, schemaID: schema.id, context, session) ? 1 : 0
                case "OBJECT":
                    guard let target, let (found, context) = object(target) else { return nil }
                    switch found {
                    case .table(let table): return Permissions.has(permission, objectID: table.id, schemaID: table.schemaID, context, session) ? 1 : 0
                    case .view(let view): return Permissions.has(permission, objectID: view.id, schemaID: view.schemaID, context, session) ? 1 : 0
                    case .system: return permission == "SELECT" ? 1 : 0
                    }
                default: return nil
                }
            }
        case "HAS_DBACCESS":
            let text = string(try arguments(call, 1...1)[0])
            return integer { try text().flatMap { session.server.database(named: $0) }.map { Permissions.canConnect(session.login, $0) ? 1 : 0 } }
        case "IS_MEMBER", "IS_ROLEMEMBER":
            let text = string(try arguments(call, 1...2)[0])
            return integer {
                guard let role = try text() else { return nil }
                let context = try session.context(session.database)
                guard role.lowercased() == "public" || context.catalog.principals.contains(where: { $0.kind == .role && $0.name.lowercased() == role.lowercased() }) else { return nil }
                if role.lowercased() == "public" { return 1 }
                return session.login.isSysadmin && role.lowercased() == "db_owner" || Permissions.isInRole(role, session, context.catalog) ? 1 : 0
            }
        case "IS_SRVROLEMEMBER":
            let text = string(try arguments(call, 1...2)[0])
            return integer {
                guard let role = try text()?.lowercased() else { return nil }
                guard ["sysadmin", "serveradmin", "securityadmin", "processadmin", "setupadmin", "bulkadmin", "diskadmin", "dbcreator", "public"].contains(role) else { return nil }
                return session.login.isSysadmin || role == "public" ? 1 : 0
            }
        case "SUSER_SNAME", "SUSER_NAME", "ORIGINAL_LOGIN", "SYSTEM_USER":
            return sysname { session.login.name }
        case "SUSER_ID", "SUSER_SID":
            return name == "SUSER_ID" ? integer { session.login.id } : Compiled(type: .varbinary(85)) { .binary([UInt8(truncatingIfNeeded: session.login.id)]) }
        case "USER_NAME", "CURRENT_USER", "SESSION_USER", "USER", "USER_ID", "DATABASE_PRINCIPAL_ID":
            let list = try arguments(call, 0...1)
            if name == "USER_NAME", let first = list.first {
                let id = number(first)
                return sysname { try id().flatMap { wanted in try reader().catalog.principals.first { Int64($0.id) == wanted }?.name } }
            }
            func own() throws -> PrincipalDef? {
                let catalog = try reader().catalog
                if session.login.isSysadmin { return catalog.principals.first { $0.id == 1 } }
                return catalog.principals.first { $0.login?.lowercased() == session.login.name.lowercased() } ?? catalog.principals.first { $0.id == 2 }
            }
            if name == "USER_ID" || name == "DATABASE_PRINCIPAL_ID" {
                let wanted = list.first.map { string($0) }
                return integer {
                    guard let text = try wanted?() else { return try own()?.id }
                    return try reader().catalog.principals.first { $0.name.lowercased() == text.lowercased() }?.id
                }
            }
            return sysname { try own()?.name }
        case "APP_NAME", "PROGRAM_NAME": return sysname { session.applicationName }
        case "HOST_NAME": return sysname { session.hostName }
        case "HOST_ID": return .constant(.string("1"), SQLType(.char, length: 10))
        case "CURRENT_TRANSACTION_ID": return Compiled(type: .bigint) { .int(Int64(bitPattern: session.current.id)) }
        case "XACT_STATE": return Compiled(type: .smallint) { .int(session.transaction == nil ? 0 : session.transaction?.isDoomed == true ? -1 : 1) }
        case "SCOPE_IDENTITY": return Compiled(type: SQLType(.numeric, precision: 38)) { session.scopeIdentity }
        case "IDENT_CURRENT", "IDENT_SEED", "IDENT_INCR":
            let text = string(try arguments(call, 1...1)[0])
            return Compiled(type: SQLType(.numeric, precision: 38)) {
                guard let given = try text(), let (found, context) = object(given), case .table(let table) = found, let ordinal = table.identityOrdinal,
                    let identity = table.columns[ordinal].identity
                else { return .null }
                switch name {
                case "IDENT_SEED": return .decimal(TDSDecimal(integer: identity.seed))
                case "IDENT_INCR": return .decimal(TDSDecimal(integer: identity.increment))
                default:
                    let data = context.data(table.id)
                    let value = (data?.identityUsed.current ?? 0) > 0 ? data?.identity.current ?? 0 : identity.seed
                    return .decimal(TDSDecimal(integer: value))
                }
            }
        case "ROWCOUNT_BIG": return Compiled(type: .bigint) { .int(Int64(clamping: session.rowCount)) }
        case "ERROR_NUMBER": return integer { environment.caughtErrors.last?.number }
        case "ERROR_SEVERITY": return integer { environment.caughtErrors.last?.severity }
        case "ERROR_STATE": return integer { environment.caughtErrors.last?.state }
        case "ERROR_LINE": return integer { environment.caughtErrors.last?.line }
        case "ERROR_MESSAGE": return Compiled(type: .nvarchar(4000)) { environment.caughtErrors.last.map { .string($0.text) } ?? .null }
        case "ERROR_PROCEDURE": return sysname { environment.caughtErrors.last.flatMap { $0.procedure.isEmpty ? nil : $0.procedure } }
        case "PARSENAME":
            let list = try arguments(call, 2...2)
            let text = string(list[0]), part = number(list[1])
            return sysname {
                guard let text = try text(), let part = try part() else { return nil }
                var parser = Parser(text)
                guard let name = try? parser.objectName() else { return nil }
                return [name.name, name.schema, name.database, name.server].enumerated().first { $0.offset == Int(part) - 1 }?.element
            }
        case "SESSIONPROPERTY":
            let text = string(try arguments(call, 1...1)[0])
            return Compiled(type: SQLType(.variant)) {
                switch try text()?.uppercased() {
                case "ANSI_NULLS": return .variant(.int, .int(session.settings.ansiNulls ? 1 : 0))
                case "QUOTED_IDENTIFIER": return .variant(.int, .int(session.settings.quotedIdentifier ? 1 : 0))
                case "ANSI_PADDING": return .variant(.int, .int(session.settings.ansiPadding ? 1 : 0))
                case "ANSI_WARNINGS": return .variant(.int, .int(session.settings.ansiWarnings ? 1 : 0))
                case "ARITHABORT": return .variant(.int, .int(session.settings.arithAbort ? 1 : 0))
                case "CONCAT_NULL_YIELDS_NULL": return .variant(.int, .int(session.settings.concatNull ? 1 : 0))
                case "NUMERIC_ROUNDABORT": return .variant(.int, .int(0))
                default: return .null
                }
            }
        case "CONTEXT_INFO": return Compiled(type: .varbinary(128)) { session.contextInfo.isEmpty ? .null : .binary(session.contextInfo) }
        case "CONNECTIONPROPERTY":
            let text = string(try arguments(call, 1...1)[0])
            return Compiled(type: SQLType(.variant)) {
                switch try text()?.lowercased() {
                case "net_transport", "physical_net_transport": return .variant(.nvarchar(40), .string("TCP"))
                case "protocol_type": return .variant(.nvarchar(40), .string("TSQL"))
                case "auth_scheme": return .variant(.nvarchar(40), .string("SQL"))
                case "client_net_address", "local_net_address": return .variant(.varchar(48), .string("127.0.0.1"))
                default: return .null
                }
            }
        case "MIN_ACTIVE_ROWVERSION":
            return Compiled(type: SQLType(.binary, length: 8)) {
                let number = UInt64(session.database.rowversion.current)
                return .binary((0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) })
            }
        case "CHANGE_TRACKING_CURRENT_VERSION":
            _ = try arguments(call, 0...0)
            return Compiled(type: .bigint) {
                let context = try session.context(session.database)
                try session.checkSnapshot(context)
                return context.base.options.tracking == nil ? .null : .int(context.base.trackingVersion)
            }
        case "CHANGE_TRACKING_MIN_VALID_VERSION":
            let id = number(try arguments(call, 1...1)[0])
            return Compiled(type: .bigint) {
                let context = try session.context(session.database)
                guard let wanted = try id(), let key = Int32(exactly: wanted), let table = context.catalog.tables[key], let tracking = context.data(key)?.tracking,
                    Permissions.has("VIEW CHANGE TRACKING", objectID: key, schemaID: table.schemaID, context, session)
                else { return .null }
                return .int(tracking.minValidVersion)
            }
        case "CHANGE_TRACKING_IS_COLUMN_IN_MASK":
            let list = try arguments(call, 2...2)
            let column = number(list[0])
            let mask = list[1].converted(to: .varbinary(4100), environment: environment).eval
            return integer {
                guard let column = try column() else { return nil }
                // No mask: all columns may have changed.
                guard case .binary(let bytes) = try mask() else { return 1 }
                guard bytes.count % 4 == 0 else {
                    throw SQLServerMessage(
                        number: 22101, severity: 16,
                        text: "The value supplied for the change_columns argument of CHANGE_TRACKING_IS_COLUMN_IN_MASK function is not valid. The value must be a bitmask returned by the CHANGETABLE(CHANGES ...) function.")
                }
                for start in stride(from: 0, to: bytes.count, by: 4) {
                    let id = bytes[start..<(start + 4)].reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
                    if id == column { return 1 }
                }
                return 0
            }
        default: return nil
        }
    }
}

extension Parser {
    /// A name without its delimiters.
    static func unquoted(_ text: String) -> String {
        var parser = Parser(text)
        return (try? parser.identifier()) ?? text
    }
}
