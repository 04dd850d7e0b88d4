import TDSWire

/// System procedures that describe: a query's columns, tables' columns, procedures. Their result sets are as Microsoft's pages on
/// sp_describe_first_result_set, sp_columns and sp_stored_procedures (Transact-SQL) list them.
extension SystemProcedures {
    /// A result set's columns: names that end in `!` can't be NULL.
    private static func columns(_ list: [(String, SQLType)]) -> [ResultColumn] {
        list.map { name, type in
            name.hasSuffix("!") ? ResultColumn(name: String(name.dropLast()), type: type, isNullable: false) : ResultColumn(name: name, type: type)
        }
    }

    /// Gives out rows whose values are by column name; what is missing is NULL.
    private func give(_ columns: [ResultColumn], _ rows: [[String: SQLValue]]) {
        run.emit(.columns(columns))
        for row in rows { run.emit(.row(columns.map { row[$0.name] ?? .null })) }
        session.rowCount = UInt64(rows.count)
        run.emit(.done(StatementCompletion(rowCount: session.settings.noCount ? nil : session.rowCount, command: StatementCompletion.Command.select)))
    }

    // MARK: sp_describe_first_result_set

    private static let descriptionColumns: [ResultColumn] = {
        let name = SQLType.sysname, long = SQLType.nvarchar(4000)
        return columns([
            ("is_hidden!", .bit), ("column_ordinal!", .int), ("name", name), ("is_nullable!", .bit), ("system_type_id!", .int),
            ("system_type_name", .nvarchar(256)), ("max_length!", .smallint), ("precision!", .tinyint), ("scale!", .tinyint), ("collation_name", name),
            ("user_type_id", .int), ("user_type_database", name), ("user_type_schema", name), ("user_type_name", name),
            ("assembly_qualified_type_name", long), ("xml_collection_id", .int), ("xml_collection_database", name), ("xml_collection_schema", name),
            ("xml_collection_name", name), ("is_xml_document!", .bit), ("is_case_sensitive!", .bit), ("is_fixed_length_clr_type!", .bit),
            ("source_server", name), ("source_database", name), ("source_schema", name), ("source_table", name), ("source_column", name),
            ("is_identity_column", .bit), ("is_part_of_unique_key", .bit), ("is_updateable", .bit), ("is_computed_column", .bit),
            ("is_sparse_column_set", .bit), ("ordinal_in_order_by_list", .smallint), ("order_by_list_length", .smallint), ("order_by_is_descending", .smallint),
            ("tds_type_id!", .int), ("tds_length!", .int), ("tds_collation_id", .int), ("tds_collation_sort_id", .tinyint),
        ])
    }()

    /// The columns of the first SELECT of a batch, which isn't run; no rows if there is none.
    func describeFirstResultSet(_ sql: String, parameters: String) throws {
        let inner = Environment(session: session)
        for parameter in try ParameterBinding.parse(parameters, inner) { inner.declare(parameter.name, Variable(type: parameter.type, value: .null)) }
        var plan: QueryPlan?
        for statement in try Parser.parseBatch(sql, quotedIdentifiers: session.settings.quotedIdentifier) {
            guard case .select(let query) = statement.kind, !query.assigns else { continue }
            plan = try QueryPlanner(environment: inner).plan(query, scope: Scope(parent: nil, collation: session.collation))
            break
        }
        guard let plan else { return give(Self.descriptionColumns, []) }
        let order = plan.sortedColumns
        give(Self.descriptionColumns, plan.columns.enumerated().map { index, column in
            var row = description(column)
            row["column_ordinal"] = .int(Int64(index + 1))
            if let position = order.firstIndex(of: UInt16(clamping: index + 1)) {
                row["ordinal_in_order_by_list"] = .int(Int64(position + 1))
                row["order_by_list_length"] = .int(Int64(order.count))
            }
            return row
        })
    }

    private func description(_ column: ResultColumn) -> [String: SQLValue] {
        let type = column.type
        let info = type.typeInfo(isNullable: column.isNullable, database: session.database.name)
        var row: [String: SQLValue] = [
            "is_hidden": .bit(false), "is_nullable": .bit(column.isNullable), "system_type_id": .int(Int64(type.systemTypeID)),
            "system_type_name": .string(type.isSysname ? "nvarchar(128)" : type.declaration), "max_length": .int(Int64(type.maxLength)),
            "precision": .int(Int64(type.catalogPrecision)), "scale": .int(Int64(type.catalogScale)), "is_xml_document": .bit(false),
            "is_case_sensitive": .bit(type.isCharacter && type.collation?.ignoresCase == false), "is_fixed_length_clr_type": .bit(false),
            "is_identity_column": .bit(column.isIdentity), "is_updateable": .bit(!column.isIdentity && !column.isComputed),
            "is_computed_column": .bit(column.isComputed), "is_sparse_column_set": .bit(false), "tds_type_id": .int(Int64(info.dataType.rawValue)),
            "tds_length": .int(Int64(info.maximumLength == TypeInfo.unlimited ? 65535 : info.maximumLength)),
        ]
        if !column.name.isEmpty { row["name"] = .string(column.name) }
        if type.isCharacter {
            let collation = type.collation ?? .default
            row["collation_name"] = .string(collation.name)
            row["tds_collation_id"] = .int(Int64(Int32(bitPattern: collation.wire.info)))
            row["tds_collation_sort_id"] = .int(Int64(collation.wire.sortID))
        }
        if type.kind == .hierarchyid {
            row["user_type_id"] = .int(Int64(type.userTypeID))
            row["user_type_database"] = .string(session.database.name)
            row["user_type_schema"] = .string("sys")
            row["user_type_name"] = .string(type.name)
            row["assembly_qualified_type_name"] = (info.udt?.assemblyQualifiedName).map { .string($0) } ?? .null
        }
        return row
    }

    // MARK: sp_columns, sp_columns_100

    private static func columnColumns(extended: Bool) -> [ResultColumn] {
        let name = SQLType.sysname
        var list: [(String, SQLType)] = [
            ("TABLE_QUALIFIER", name), ("TABLE_OWNER", name), ("TABLE_NAME", name), ("COLUMN_NAME", name), ("DATA_TYPE!", .smallint), ("TYPE_NAME", name),
            ("PRECISION", .int), ("LENGTH", .int), ("SCALE", .smallint), ("RADIX", .smallint), ("NULLABLE!", .smallint), ("REMARKS", .varchar(254)),
            ("COLUMN_DEF", .nvarchar(4000)), ("SQL_DATA_TYPE!", .smallint), ("SQL_DATETIME_SUB", .smallint), ("CHAR_OCTET_LENGTH", .int),
            ("ORDINAL_POSITION!", .int), ("IS_NULLABLE", .varchar(254)),
        ]
        if extended {
            list += [
                ("SS_IS_SPARSE", .smallint), ("SS_IS_COLUMN_SET", .smallint), ("SS_IS_COMPUTED", .smallint), ("SS_IS_IDENTITY", .smallint),
                ("SS_UDT_CATALOG_NAME", name), ("SS_UDT_SCHEMA_NAME", name), ("SS_UDT_ASSEMBLY_TYPE_NAME", .nvarchar(4000)),
                ("SS_XML_SCHEMACOLLECTION_CATALOG_NAME", name), ("SS_XML_SCHEMACOLLECTION_SCHEMA_NAME", name), ("SS_XML_SCHEMACOLLECTION_NAME", name),
            ]
        }
        return columns(list + [("SS_DATA_TYPE", .tinyint)])
    }

    /// Patterns as in LIKE; nil is all.
    func columns(table: String?, owner: String?, column: String?, extended: Bool) throws {
        let reader = CatalogReader(environment: environment, context: try session.context(session.database))
        func matches(_ name: String, _ pattern: String?) -> Bool { Self.like(name, pattern, session.collation) }
        var rows: [[String: SQLValue]] = []
        for definition in reader.tables.sorted(by: { $0.name < $1.name }) {
            let schema = reader.catalog.schemaName(definition.schemaID)
            guard matches(definition.name, table), matches(schema, owner) else { continue }
            for (index, own) in definition.columns.enumerated() where matches(own.name, column) {
                let type = own.type, odbc = ODBCType(type)
                var row: [String: SQLValue] = [
                    "TABLE_QUALIFIER": .string(session.database.name), "TABLE_OWNER": .string(schema), "TABLE_NAME": .string(definition.name),
                    "COLUMN_NAME": .string(own.name), "DATA_TYPE": .int(odbc.code), "TYPE_NAME": .string(type.name + (own.identity == nil ? "" : " identity")),
                    "PRECISION": .int(odbc.precision), "LENGTH": .int(odbc.length), "NULLABLE": .int(own.isNullable ? 1 : 0),
                    "SQL_DATA_TYPE": .int(odbc.dateTimeSubcode == nil ? odbc.code : 9), "ORDINAL_POSITION": .int(Int64(index + 1)),
                    "IS_NULLABLE": .string(own.isNullable ? "YES" : "NO"), "SS_IS_SPARSE": .int(0), "SS_IS_COLUMN_SET": .int(0),
                    "SS_IS_COMPUTED": .int(own.computed == nil ? 0 : 1), "SS_IS_IDENTITY": .int(own.identity == nil ? 0 : 1),
                    "SS_DATA_TYPE": .int(Int64(type.systemTypeID)),
                ]
                if let scale = odbc.scale { row["SCALE"] = .int(scale) }
                if let radix = odbc.radix { row["RADIX"] = .int(radix) }
                if let subcode = odbc.dateTimeSubcode { row["SQL_DATETIME_SUB"] = .int(subcode) }
                if type.isCharacter || type.isBinary || type.kind == .xml { row["CHAR_OCTET_LENGTH"] = .int(odbc.length) }
                if type.kind == .hierarchyid {
                    row["SS_UDT_CATALOG_NAME"] = .string(session.database.name)
                    row["SS_UDT_SCHEMA_NAME"] = .string("sys")
                }
                rows.append(row)
            }
        }
        give(Self.columnColumns(extended: extended), rows)
    }

    // MARK: sp_stored_procedures

    private static let procedureColumns = columns([
        ("PROCEDURE_QUALIFIER", .sysname), ("PROCEDURE_OWNER", .sysname), ("PROCEDURE_NAME!", .nvarchar(134)), ("NUM_INPUT_PARAMS!", .int),
        ("NUM_OUTPUT_PARAMS!", .int), ("NUM_RESULT_SETS!", .int), ("REMARKS", .varchar(254)), ("PROCEDURE_TYPE!", .smallint),
    ])

    /// The system procedures that there are: nobody can make others here. -1 stands for "not known", 2 for a procedure with a status.
    func storedProcedures(name: String?, owner: String?) throws {
        let rows: [[String: SQLValue]] = Self.names.sorted().compactMap { procedure in
            guard Self.like(procedure, name, session.collation), Self.like("sys", owner, session.collation) else { return nil }
            return [
                "PROCEDURE_QUALIFIER": .string(session.database.name), "PROCEDURE_OWNER": .string("sys"), "PROCEDURE_NAME": .string(procedure + ";1"),
                "NUM_INPUT_PARAMS": .int(-1), "NUM_OUTPUT_PARAMS": .int(-1), "NUM_RESULT_SETS": .int(-1), "PROCEDURE_TYPE": .int(2),
            ]
        }
        give(Self.procedureColumns, rows)
    }

    static let names = [
        "sp_addextendedproperty", "sp_updateextendedproperty", "sp_dropextendedproperty", "sp_rename", "sp_addrolemember", "sp_droprolemember",
        "sp_addsrvrolemember", "sp_flush_ct_internal_table_on_demand", "sp_flush_commit_table_on_demand", "sp_set_session_context", "sp_reset_connection",
        "sp_unprepare", "sp_configure", "sp_updatestats", "sp_refreshview", "sp_recompile", "sp_who", "sp_who2", "sp_tables", "sp_databases", "sp_helpdb",
        "sp_columns", "sp_columns_100", "sp_pkeys", "sp_tablecollations_90", "sp_tablecollations_100", "sp_datatype_info", "sp_datatype_info_100",
        "sp_describe_first_result_set", "sp_stored_procedures", "sp_executesql", "sp_prepare", "sp_execute", "sp_prepexec",
    ]

    private static func like(_ name: String, _ pattern: String?, _ collation: SQLCollation) -> Bool {
        guard let pattern, !pattern.isEmpty else { return true }
        return LikePattern(pattern, escape: nil, collation: collation, unicode: true).matches(name)
    }
}

extension Query {
    /// Whether the SELECT sets variables, and so gives no rows.
    var assigns: Bool {
        guard case .select(let core) = body else { return false }
        return core.items.contains { if case .assign = $0 { true } else { false } }
    }
}

/// What ODBC's catalogue functions say of a type (ODBC 3, SQL data types; Microsoft, sp_columns).
private struct ODBCType {
    let code: Int64
    let precision: Int64
    let length: Int64
    var scale: Int64?
    var radix: Int64?
    var dateTimeSubcode: Int64?

    init(_ type: SQLType) {
        let isMax = type.length == -1
        let characters = isMax ? 0 : Int64(type.length), digits = Int64(type.catalogPrecision)
        switch type.kind {
        case .tinyint: (code, precision, length, scale, radix) = (-6, 3, 1, 0, 10)
        case .smallint: (code, precision, length, scale, radix) = (5, 5, 2, 0, 10)
        case .int, .null: (code, precision, length, scale, radix) = (4, 10, 4, 0, 10)
        case .bigint: (code, precision, length, scale, radix) = (-5, 19, 8, 0, 10)
        case .bit: (code, precision, length) = (-7, 1, 1)
        case .decimal: (code, precision, length, scale, radix) = (3, digits, digits + 2, Int64(type.scale), 10)
        case .numeric: (code, precision, length, scale, radix) = (2, digits, digits + 2, Int64(type.scale), 10)
        case .money: (code, precision, length, scale, radix) = (3, 19, 21, 4, 10)
        case .smallmoney: (code, precision, length, scale, radix) = (3, 10, 12, 4, 10)
        case .float: (code, precision, length, radix) = (6, 53, 8, 2)
        case .real: (code, precision, length, radix) = (7, 24, 4, 2)
        case .char: (code, precision, length) = (1, characters, characters)
        case .varchar: (code, precision, length) = (12, characters, characters)
        case .text: (code, precision, length) = (-1, 2_147_483_647, 2_147_483_647)
        case .nchar: (code, precision, length) = (-8, characters, characters * 2)
        case .nvarchar: (code, precision, length) = (-9, characters, characters * 2)
        case .ntext: (code, precision, length) = (-10, 1_073_741_823, 2_147_483_646)
        case .xml: (code, precision, length) = (-152, 0, 0)
        case .binary: (code, precision, length) = (-2, characters, characters)
        case .varbinary: (code, precision, length) = (-3, characters, characters)
        case .image: (code, precision, length) = (-4, 2_147_483_647, 2_147_483_647)
        case .rowversion: (code, precision, length) = (-2, 8, 8)
        case .hierarchyid: (code, precision, length) = (-151, 892, 892)
        case .uniqueidentifier: (code, precision, length) = (-11, 36, 16)
        case .variant: (code, precision, length) = (-150, 8000, 8000)
        case .date: (code, precision, length, dateTimeSubcode) = (91, 10, 6, 1)
        case .time: (code, precision, length, scale) = (-154, digits, 12, Int64(type.scale))
        case .datetime: (code, precision, length, scale, dateTimeSubcode) = (93, 23, 16, 3, 3)
        case .smalldatetime: (code, precision, length, scale, dateTimeSubcode) = (93, 16, 16, 0, 3)
        case .datetime2: (code, precision, length, scale, dateTimeSubcode) = (93, digits, 16, Int64(type.scale), 3)
        case .datetimeoffset: (code, precision, length, scale) = (-155, digits, 20, Int64(type.scale))
        }
    }
}
