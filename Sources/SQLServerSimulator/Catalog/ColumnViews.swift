/// sys.columns, sys.types and their like.
enum ColumnViews {
    private static let columnSpec = """
        object_id int!, name sysname, column_id int!, system_type_id tinyint!, user_type_id int!, max_length smallint!, precision tinyint!, scale tinyint!,
        collation_name sysname, is_nullable bit, is_ansi_padded bit!, is_rowguidcol bit!, is_identity bit!, is_computed bit!, is_filestream bit!, is_replicated bit,
        is_non_sql_subscribed bit, is_merge_published bit, is_dts_replicated bit, is_xml_document bit!, xml_collection_id int!, default_object_id int!,
        rule_object_id int!, is_sparse bit, is_column_set bit, generated_always_type tinyint, generated_always_type_desc nvarchar60, encryption_type int,
        encryption_type_desc nvarchar60, encryption_algorithm_name sysname, column_encryption_key_id int, column_encryption_key_database_name sysname, is_hidden bit,
        is_masked bit!, graph_type int, graph_type_desc nvarchar60, is_data_deletion_filter_column bit, ledger_view_column_type tinyint,
        ledger_view_column_type_desc nvarchar60, is_dropped_ledger_column bit
        """

    private static func row(_ r: CatalogReader, _ object: Int32, _ c: ColumnDef) -> [String: SQLValue] {
        [
            "object_id": r.int(object), "name": r.text(c.name), "column_id": r.int(c.id), "system_type_id": r.int(c.type.systemTypeID), "user_type_id": r.int(c.type.userTypeID),
            "max_length": r.int(c.type.maxLength), "precision": r.int(c.type.catalogPrecision), "scale": r.int(c.type.catalogScale),
            "collation_name": c.type.isCharacter ? r.text((c.type.collation ?? .default).name) : .null, "is_nullable": .bit(c.isNullable),
            "is_ansi_padded": .bit(c.type.isCharacter || c.type.isBinary), "is_rowguidcol": .bit(c.isRowGUID), "is_identity": .bit(c.identity != nil),
            "is_computed": .bit(c.computed != nil), "default_object_id": r.int(c.defaultID), "is_sparse": .bit(false), "is_column_set": .bit(false),
            "generated_always_type": .int(0), "generated_always_type_desc": r.text("NOT_APPLICABLE"), "is_hidden": .bit(false),
        ]
    }
    private static func columns(_ r: CatalogReader) -> [[String: SQLValue]] {
        var list = r.tables.flatMap { t in t.columns.map { row(r, t.id, $0) } }
        for view in r.views {
            for (index, column) in r.columns(of: view).enumerated() {
                list.append(row(r, view.id, ColumnDef(id: Int32(index + 1), name: column.name, type: column.type, isNullable: column.isNullable)))
            }
        }
        return list
    }

    /// All system types: name, system id, user id, max length, precision, scale.
    static let types: [(String, Int, Int, Int, Int, Int)] = [
        ("image", 34, 34, 16, 0, 0), ("text", 35, 35, 16, 0, 0), ("uniqueidentifier", 36, 36, 16, 0, 0), ("date", 40, 40, 3, 10, 0), ("time", 41, 41, 5, 16, 7),
        ("datetime2", 42, 42, 8, 27, 7), ("datetimeoffset", 43, 43, 10, 34, 7), ("tinyint", 48, 48, 1, 3, 0), ("smallint", 52, 52, 2, 5, 0), ("int", 56, 56, 4, 10, 0),
        ("smalldatetime", 58, 58, 4, 16, 0), ("real", 59, 59, 4, 24, 0), ("money", 60, 60, 8, 19, 4), ("datetime", 61, 61, 8, 23, 3), ("float", 62, 62, 8, 53, 0),
        ("sql_variant", 98, 98, 8016, 0, 0), ("ntext", 99, 99, 16, 0, 0), ("bit", 104, 104, 1, 1, 0), ("decimal", 106, 106, 17, 38, 38), ("numeric", 108, 108, 17, 38, 38),
        ("smallmoney", 122, 122, 4, 10, 4), ("bigint", 127, 127, 8, 19, 0), ("hierarchyid", 240, 128, 892, 0, 0), ("geometry", 240, 129, -1, 0, 0),
        ("geography", 240, 130, -1, 0, 0), ("varbinary", 165, 165, 8000, 0, 0), ("varchar", 167, 167, 8000, 0, 0), ("binary", 173, 173, 8000, 0, 0),
        ("char", 175, 175, 8000, 0, 0), ("timestamp", 189, 189, 8, 0, 0), ("nvarchar", 231, 231, 8000, 0, 0), ("nchar", 239, 239, 8000, 0, 0), ("xml", 241, 241, -1, 0, 0),
        ("sysname", 231, 256, 256, 0, 0),
    ]

    static let all: [SystemView] = [
        SystemView("sys", "columns", columnSpec) { columns($0) },
        SystemView("sys", "all_columns", columnSpec) { columns($0) },
        SystemView("sys", "computed_columns", columnSpec + ", definition nvarcharmax, uses_database_collation bit!, is_persisted bit!") { r in
            r.tables.flatMap { t in
                t.columns.filter { $0.computed != nil }.map { c in
                    row(r, t.id, c).merging(["definition": r.text(c.computedText), "uses_database_collation": .bit(true), "is_persisted": .bit(c.isPersisted)]) { $1 }
                }
            }
        },
        SystemView("sys", "identity_columns", columnSpec + ", seed_value variant, increment_value variant, last_value variant, is_not_for_replication bit") { r in
            r.tables.flatMap { t in
                t.columns.compactMap { c -> [String: SQLValue]? in
                    guard let identity = c.identity else { return nil }
                    let data = r.data(t)
                    let last: SQLValue = (data?.identityUsed.current ?? 0) > 0 ? .variant(.bigint, .int(data?.identity.current ?? 0)) : .null
                    return row(r, t.id, c).merging([
                        "seed_value": .variant(c.type, .int(identity.seed)), "increment_value": .variant(c.type, .int(identity.increment)), "last_value": last,
                        "is_not_for_replication": .bit(false),
                    ]) { $1 }
                }
            }
        },
        SystemView(
            "sys", "types",
            "name sysname!, system_type_id tinyint!, user_type_id int!, schema_id int!, principal_id int, max_length smallint!, precision tinyint!, scale tinyint!, collation_name sysname, is_nullable bit, is_user_defined bit!, is_assembly_type bit!, default_object_id int!, rule_object_id int!, is_table_type bit!"
        ) { r in
            types.map { type in
                let isText = ["text", "ntext", "varchar", "char", "nvarchar", "nchar", "sysname"].contains(type.0)
                return [
                    "name": r.text(type.0), "system_type_id": .int(Int64(type.1)), "user_type_id": .int(Int64(type.2)), "schema_id": .int(4), "max_length": .int(Int64(type.3)),
                    "precision": .int(Int64(type.4)), "scale": .int(Int64(type.5)), "collation_name": isText ? r.text(r.context.collation.name) : .null,
                    "is_nullable": .bit(type.0 != "sysname" && type.0 != "timestamp"), "is_assembly_type": .bit(type.1 == 240),
                ]
            }
        },
        SystemView("sys", "systypes", "name sysname!, xtype tinyint!, xusertype smallint, length smallint!, type tinyint") { r in
            types.map { ["name": r.text($0.0), "xtype": .int(Int64($0.1)), "xusertype": .int(Int64($0.2)), "length": .int(Int64($0.3)), "type": .int(Int64($0.1))] }
        },
        SystemView("sys", "syscolumns", "name sysname, id int!, xtype tinyint!, xusertype smallint, length smallint!, colid smallint, isnullable int") { r in
            columns(r).map { ["name": $0["name"] ?? .null, "id": $0["object_id"] ?? .null, "xtype": $0["system_type_id"] ?? .null, "xusertype": $0["user_type_id"] ?? .null, "length": $0["max_length"] ?? .null, "colid": $0["column_id"] ?? .null, "isnullable": $0["is_nullable"] == .bit(true) ? .int(1) : .int(0)] }
        },
    ]
}

/// INFORMATION_SCHEMA.
enum InformationSchema {
    private static func dataType(_ type: SQLType) -> String { type.isSysname ? "nvarchar" : type.name }

    private static func column(_ r: CatalogReader, _ schema: String, _ table: String, _ position: Int, _ c: ColumnDef) -> [String: SQLValue] {
        let type = c.type
        var row: [String: SQLValue] = [
            "TABLE_CATALOG": r.text(r.context.database.name), "TABLE_SCHEMA": r.text(schema), "TABLE_NAME": r.text(table), "COLUMN_NAME": r.text(c.name),
            "ORDINAL_POSITION": r.int(position), "COLUMN_DEFAULT": r.text(c.defaultText), "IS_NULLABLE": r.text(c.isNullable ? "YES" : "NO"), "DATA_TYPE": r.text(dataType(type)),
        ]
        switch type.kind {
        case .char, .varchar, .nchar, .nvarchar:
            row["CHARACTER_MAXIMUM_LENGTH"] = r.int(type.length)
            row["CHARACTER_OCTET_LENGTH"] = r.int(type.maxLength)
        case .text, .image:
            row["CHARACTER_MAXIMUM_LENGTH"] = .int(2_147_483_647)
            row["CHARACTER_OCTET_LENGTH"] = .int(2_147_483_647)
        case .ntext:
            row["CHARACTER_MAXIMUM_LENGTH"] = .int(1_073_741_823)
            row["CHARACTER_OCTET_LENGTH"] = .int(2_147_483_646)
        case .xml:
            row["CHARACTER_MAXIMUM_LENGTH"] = .int(-1)
            row["CHARACTER_OCTET_LENGTH"] = .int(-1)
        case .binary, .varbinary:
            row["CHARACTER_MAXIMUM_LENGTH"] = r.int(type.length)
            row["CHARACTER_OCTET_LENGTH"] = r.int(type.length)
        case .hierarchyid:
            row["CHARACTER_MAXIMUM_LENGTH"] = .int(892)
            row["CHARACTER_OCTET_LENGTH"] = .int(892)
        case .variant:
            row["CHARACTER_MAXIMUM_LENGTH"] = .int(0)
            row["CHARACTER_OCTET_LENGTH"] = .int(0)
        default: break
        }
        if type.isCharacter {
            row["CHARACTER_SET_NAME"] = r.text(type.isUnicode ? "UNICODE" : (type.collation ?? .default).characterSetName)
            row["COLLATION_NAME"] = r.text((type.collation ?? .default).name)
        }
        switch type.kind {
        case .tinyint, .smallint, .int, .bigint, .decimal, .numeric, .money, .smallmoney:
            row["NUMERIC_PRECISION"] = r.int(type.catalogPrecision)
            row["NUMERIC_PRECISION_RADIX"] = .int(10)
            row["NUMERIC_SCALE"] = r.int(type.catalogScale)
        case .float, .real:
            row["NUMERIC_PRECISION"] = r.int(type.catalogPrecision)
            row["NUMERIC_PRECISION_RADIX"] = .int(2)
        case .date, .smalldatetime: row["DATETIME_PRECISION"] = .int(0)
        case .datetime: row["DATETIME_PRECISION"] = .int(3)
        case .time, .datetime2, .datetimeoffset: row["DATETIME_PRECISION"] = r.int(type.scale)
        default: break
        }
        return row
    }

    static let all: [SystemView] = [
        SystemView("INFORMATION_SCHEMA", "TABLES", "TABLE_CATALOG nvarchar, TABLE_SCHEMA sysname, TABLE_NAME sysname!, TABLE_TYPE varchar") { r in
            r.tables.map { ["TABLE_CATALOG": r.text(r.context.database.name), "TABLE_SCHEMA": r.text(r.catalog.schemaName($0.schemaID)), "TABLE_NAME": r.text($0.name), "TABLE_TYPE": r.text("BASE TABLE")] }
                + r.views.map { ["TABLE_CATALOG": r.text(r.context.database.name), "TABLE_SCHEMA": r.text(r.catalog.schemaName($0.schemaID)), "TABLE_NAME": r.text($0.name), "TABLE_TYPE": r.text("VIEW")] }
        },
        SystemView("INFORMATION_SCHEMA", "VIEWS", "TABLE_CATALOG nvarchar, TABLE_SCHEMA sysname, TABLE_NAME sysname!, VIEW_DEFINITION nvarchar4000, CHECK_OPTION varchar, IS_UPDATABLE varchar!") { r in
            r.views.map { ["TABLE_CATALOG": r.text(r.context.database.name), "TABLE_SCHEMA": r.text(r.catalog.schemaName($0.schemaID)), "TABLE_NAME": r.text($0.name), "VIEW_DEFINITION": r.text($0.text), "CHECK_OPTION": r.text("NONE"), "IS_UPDATABLE": r.text("NO")] }
        },
        SystemView(
            "INFORMATION_SCHEMA", "COLUMNS",
            """
            TABLE_CATALOG nvarchar, TABLE_SCHEMA nvarchar, TABLE_NAME sysname!, COLUMN_NAME sysname, ORDINAL_POSITION int, COLUMN_DEFAULT nvarchar4000, IS_NULLABLE varchar,
            DATA_TYPE nvarchar, CHARACTER_MAXIMUM_LENGTH int, CHARACTER_OCTET_LENGTH int, NUMERIC_PRECISION tinyint, NUMERIC_PRECISION_RADIX smallint, NUMERIC_SCALE int,
            DATETIME_PRECISION smallint, CHARACTER_SET_CATALOG sysname, CHARACTER_SET_SCHEMA sysname, CHARACTER_SET_NAME sysname, COLLATION_CATALOG sysname,
            COLLATION_SCHEMA sysname, COLLATION_NAME sysname, DOMAIN_CATALOG sysname, DOMAIN_SCHEMA sysname, DOMAIN_NAME sysname
            """
        ) { r in
            r.tables.flatMap { t in t.columns.enumerated().map { column(r, r.catalog.schemaName(t.schemaID), t.name, $0 + 1, $1) } }
                + r.views.flatMap { v in
                    r.columns(of: v).enumerated().map {
                        column(r, r.catalog.schemaName(v.schemaID), v.name, $0 + 1, ColumnDef(id: 0, name: $1.name, type: $1.type, isNullable: $1.isNullable))
                    }
                }
        },
        SystemView("INFORMATION_SCHEMA", "SCHEMATA", "CATALOG_NAME sysname, SCHEMA_NAME sysname!, SCHEMA_OWNER sysname, DEFAULT_CHARACTER_SET_NAME sysname") { r in
            r.catalog.schemas.map { schema in ["CATALOG_NAME": r.text(r.context.database.name), "SCHEMA_NAME": r.text(schema.name), "SCHEMA_OWNER": r.text(r.catalog.principals.first { $0.id == schema.owner }?.name), "DEFAULT_CHARACTER_SET_NAME": r.text("iso_1")] }
        },
        SystemView(
            "INFORMATION_SCHEMA", "TABLE_CONSTRAINTS",
            "CONSTRAINT_CATALOG nvarchar, CONSTRAINT_SCHEMA nvarchar, CONSTRAINT_NAME sysname!, TABLE_CATALOG nvarchar, TABLE_SCHEMA nvarchar, TABLE_NAME sysname, CONSTRAINT_TYPE varchar, IS_DEFERRABLE varchar!, INITIALLY_DEFERRED varchar!"
        ) { r in
            let kinds: [SQLValue: String] = [.string("PK"): "PRIMARY KEY", .string("UQ"): "UNIQUE", .string("C "): "CHECK", .string("F "): "FOREIGN KEY"]
            return r.tables.flatMap { t in
                ObjectViews.constraints(r, t).compactMap { row -> [String: SQLValue]? in
                    guard let kind = kinds[row["type"] ?? .null] else { return nil }
                    let schema = r.text(r.catalog.schemaName(t.schemaID)), database = r.text(r.context.database.name)
                    return ["CONSTRAINT_CATALOG": database, "CONSTRAINT_SCHEMA": schema, "CONSTRAINT_NAME": row["name"] ?? .null, "TABLE_CATALOG": database, "TABLE_SCHEMA": schema, "TABLE_NAME": r.text(t.name), "CONSTRAINT_TYPE": r.text(kind), "IS_DEFERRABLE": r.text("NO"), "INITIALLY_DEFERRED": r.text("NO")]
                }
            }
        },
        SystemView(
            "INFORMATION_SCHEMA", "KEY_COLUMN_USAGE",
            "CONSTRAINT_CATALOG nvarchar, CONSTRAINT_SCHEMA nvarchar, CONSTRAINT_NAME sysname!, TABLE_CATALOG nvarchar, TABLE_SCHEMA nvarchar, TABLE_NAME sysname!, COLUMN_NAME nvarchar, ORDINAL_POSITION int!"
        ) { usage($0, keys: true) },
        SystemView(
            "INFORMATION_SCHEMA", "CONSTRAINT_COLUMN_USAGE",
            "TABLE_CATALOG nvarchar, TABLE_SCHEMA nvarchar, TABLE_NAME nvarchar, COLUMN_NAME nvarchar, CONSTRAINT_CATALOG nvarchar, CONSTRAINT_SCHEMA nvarchar, CONSTRAINT_NAME sysname!"
        ) { usage($0, keys: false) },
        SystemView(
            "INFORMATION_SCHEMA", "REFERENTIAL_CONSTRAINTS",
            "CONSTRAINT_CATALOG nvarchar, CONSTRAINT_SCHEMA nvarchar, CONSTRAINT_NAME sysname!, UNIQUE_CONSTRAINT_NAME sysname, MATCH_OPTION varchar, UPDATE_RULE varchar, DELETE_RULE varchar"
        ) { r in
            r.tables.flatMap { t in
                t.foreignKeys.map { key in
                    ["CONSTRAINT_CATALOG": r.text(r.context.database.name), "CONSTRAINT_SCHEMA": r.text(r.catalog.schemaName(t.schemaID)), "CONSTRAINT_NAME": r.text(key.name), "UNIQUE_CONSTRAINT_NAME": r.text(r.catalog.tables[key.referencedTable]?.primaryKey?.name), "MATCH_OPTION": r.text("SIMPLE"), "UPDATE_RULE": r.text(key.onUpdate.replacing("_", with: " ")), "DELETE_RULE": r.text(key.onDelete.replacing("_", with: " "))]
                }
            }
        },
        SystemView("INFORMATION_SCHEMA", "ROUTINES", "SPECIFIC_CATALOG nvarchar, SPECIFIC_SCHEMA nvarchar, SPECIFIC_NAME sysname!, ROUTINE_NAME nvarchar, ROUTINE_TYPE nvarchar") { _ in [] },
    ]

    private static func usage(_ r: CatalogReader, keys: Bool) -> [[String: SQLValue]] {
        r.tables.flatMap { t -> [[String: SQLValue]] in
            let schema = r.text(r.catalog.schemaName(t.schemaID)), database = r.text(r.context.database.name)
            func rows(_ name: String, _ columns: [Int32], _ table: TableDef) -> [[String: SQLValue]] {
                columns.enumerated().map { position, id in
                    ["CONSTRAINT_CATALOG": database, "CONSTRAINT_SCHEMA": schema, "CONSTRAINT_NAME": r.text(name), "TABLE_CATALOG": database, "TABLE_SCHEMA": schema, "TABLE_NAME": r.text(table.name), "COLUMN_NAME": r.text(table.columns.first { $0.id == id }?.name), "ORDINAL_POSITION": r.int(position + 1)]
                }
            }
            return t.indexes.filter { $0.constraintID != 0 }.flatMap { rows($0.name, $0.keys.map(\.columnID), t) }
                + t.foreignKeys.flatMap { key in keys ? rows(key.name, key.columns, t) : r.catalog.tables[key.referencedTable].map { rows(key.name, key.referencedColumns, $0) } ?? [] }
        }
    }
}
