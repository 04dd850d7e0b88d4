/// sys.objects and what hangs on it.
enum ObjectViews {
    private static let objectColumns = """
        name sysname!, object_id int!, principal_id int, schema_id int!, parent_object_id int!, type char2, type_desc nvarchar60, create_date datetime!,
        modify_date datetime!, is_ms_shipped bit!, is_published bit!, is_schema_published bit!
        """
    private static let tableColumns = """
        , lob_data_space_id int!, filestream_data_space_id int, max_column_id_used int!, lock_on_bulk_load bit!, uses_ansi_nulls bit, is_replicated bit,
        has_replication_filter bit, is_merge_published bit, is_sync_tran_subscribed bit, has_unchecked_assembly_data bit!, text_in_row_limit int,
        large_value_types_out_of_row bit, is_tracked_by_cdc bit, lock_escalation tinyint, lock_escalation_desc nvarchar60, is_filetable bit, is_memory_optimized bit,
        durability tinyint, durability_desc nvarchar60, temporal_type tinyint, temporal_type_desc nvarchar60, history_table_id int, is_remote_data_archive_enabled bit,
        is_external bit!, is_node bit, is_edge bit, ledger_type tinyint, ledger_type_desc nvarchar60, is_dropped_ledger_table bit
        """

    static func table(_ r: CatalogReader, _ t: TableDef) -> [String: SQLValue] {
        [
            "name": r.text(t.name), "object_id": r.int(t.id), "schema_id": r.int(t.schemaID), "type": r.text("U "), "type_desc": r.text("USER_TABLE"),
            "create_date": r.time(t.created), "modify_date": r.time(t.modified), "max_column_id_used": r.int(t.nextColumnID - 1), "uses_ansi_nulls": .bit(true),
            "is_replicated": .bit(false), "is_tracked_by_cdc": .bit(false), "lock_escalation": .int(0), "lock_escalation_desc": r.text("TABLE"),
            "is_filetable": .bit(false), "is_memory_optimized": .bit(false), "durability": .int(0), "durability_desc": r.text("SCHEMA_AND_DATA"),
            "temporal_type": .int(0), "temporal_type_desc": r.text("NON_TEMPORAL_TABLE"), "is_node": .bit(false), "is_edge": .bit(false),
            "ledger_type": .int(0), "ledger_type_desc": r.text("NON_LEDGER_TABLE"),
        ]
    }
    private static func view(_ r: CatalogReader, _ v: ViewDef) -> [String: SQLValue] {
        [
            "name": r.text(v.name), "object_id": r.int(v.id), "schema_id": r.int(v.schemaID), "type": r.text("V "), "type_desc": r.text("VIEW"),
            "create_date": r.time(v.created), "modify_date": r.time(v.created),
        ]
    }
    static func constraints(_ r: CatalogReader, _ t: TableDef) -> [[String: SQLValue]] {
        func made(_ id: Int32, _ name: String, _ type: String, _ description: String) -> [String: SQLValue] {
            [
                "name": r.text(name), "object_id": r.int(id), "schema_id": r.int(t.schemaID), "parent_object_id": r.int(t.id), "type": r.text(type),
                "type_desc": r.text(description), "create_date": r.time(t.created), "modify_date": r.time(t.created),
            ]
        }
        var list: [[String: SQLValue]] = []
        for index in t.indexes where index.constraintID != 0 {
            var row = index.isPrimaryKey ? made(index.constraintID, index.name, "PK", "PRIMARY_KEY_CONSTRAINT") : made(index.constraintID, index.name, "UQ", "UNIQUE_CONSTRAINT")
            row["unique_index_id"] = r.int(index.id)
            row["is_system_named"] = .bit(index.isSystemNamed)
            row["is_enforced"] = .bit(true)
            list.append(row)
        }
        for column in t.columns {
            guard let name = column.defaultName else { continue }
            var row = made(column.defaultID, name, "D ", "DEFAULT_CONSTRAINT")
            row["parent_column_id"] = r.int(column.id)
            row["definition"] = r.text(column.defaultText)
            list.append(row)
        }
        for check in t.checks {
            var row = made(check.id, check.name, "C ", "CHECK_CONSTRAINT")
            row["definition"] = r.text(check.text)
            row["is_disabled"] = .bit(!check.isEnabled)
            list.append(row)
        }
        for key in t.foreignKeys {
            var row = made(key.id, key.name, "F ", "FOREIGN_KEY_CONSTRAINT")
            row["referenced_object_id"] = r.int(key.referencedTable)
            row["delete_referential_action_desc"] = r.text(key.onDelete)
            row["update_referential_action_desc"] = r.text(key.onUpdate)
            list.append(row)
        }
        return list
    }
    private static func objects(_ r: CatalogReader) -> [[String: SQLValue]] {
        r.tables.flatMap { [table(r, $0)] + constraints(r, $0) } + r.views.map { view(r, $0) }
    }
    private static func of(_ type: String) -> @Sendable (CatalogReader) -> [[String: SQLValue]] {
        { r in r.tables.flatMap { constraints(r, $0) }.filter { $0["type"] == .string(type) } }
    }

    static let all: [SystemView] = [
        SystemView("sys", "objects", objectColumns) { objects($0) },
        SystemView("sys", "all_objects", objectColumns) { r in
            objects(r) + SystemViews.all.enumerated().map { index, view in
                [
                    "name": r.text(view.name), "object_id": r.int(-1000 - index), "schema_id": r.int(view.schema == "sys" ? 4 : 3), "type": r.text("V "),
                    "type_desc": r.text("VIEW"), "is_ms_shipped": .bit(true),
                ]
            }
        },
        SystemView("sys", "tables", objectColumns + tableColumns) { r in r.tables.map { table(r, $0) } },
        SystemView("sys", "views", objectColumns + ", is_replicated bit, has_replication_filter bit, has_opaque_metadata bit!, has_unchecked_assembly_data bit!, with_check_option bit!, is_date_correlation_view bit!") { r in
            r.views.map { view(r, $0) }
        },
        SystemView("sys", "all_views", objectColumns) { r in r.views.map { view(r, $0) } },
        SystemView("sys", "procedures", objectColumns) { _ in [] },
        SystemView("sys", "triggers", "name sysname!, object_id int!, parent_class tinyint!, parent_id int!, type char2, is_disabled bit!") { _ in [] },
        SystemView("sys", "synonyms", objectColumns) { _ in [] },
        SystemView("sys", "sequences", objectColumns) { _ in [] },
        SystemView("sys", "key_constraints", objectColumns + ", unique_index_id int, is_system_named bit!, is_enforced bit") { r in
            r.tables.flatMap { constraints(r, $0) }.filter { $0["type"] == .string("PK") || $0["type"] == .string("UQ") }
        },
        SystemView("sys", "default_constraints", objectColumns + ", parent_column_id int!, definition nvarcharmax, is_system_named bit!", rows: of("D ")),
        SystemView("sys", "check_constraints", objectColumns + ", is_disabled bit!, is_not_trusted bit!, parent_column_id int!, definition nvarcharmax", rows: of("C ")),
        SystemView("sys", "foreign_keys", objectColumns + ", referenced_object_id int, key_index_id int, is_disabled bit!, is_not_trusted bit!, delete_referential_action_desc nvarchar60, update_referential_action_desc nvarchar60", rows: of("F ")),
        SystemView(
            "sys", "foreign_key_columns",
            "constraint_object_id int!, constraint_column_id int!, parent_object_id int!, parent_column_id int!, referenced_object_id int!, referenced_column_id int!"
        ) { r in
            r.tables.flatMap { t in
                t.foreignKeys.flatMap { key in
                    zip(key.columns, key.referencedColumns).enumerated().map { index, pair in
                        [
                            "constraint_object_id": r.int(key.id), "constraint_column_id": r.int(index + 1), "parent_object_id": r.int(t.id),
                            "parent_column_id": r.int(pair.0), "referenced_object_id": r.int(key.referencedTable), "referenced_column_id": r.int(pair.1),
                        ]
                    }
                }
            }
        },
        SystemView("sys", "schemas", "name sysname!, schema_id int!, principal_id int") { r in
            r.catalog.schemas.map { ["name": r.text($0.name), "schema_id": r.int($0.id), "principal_id": r.int($0.owner)] }
        },
        SystemView("sys", "sql_modules", "object_id int!, definition nvarcharmax, uses_ansi_nulls bit, uses_quoted_identifier bit, is_schema_bound bit") { r in
            r.views.map { ["object_id": r.int($0.id), "definition": r.text($0.text), "uses_ansi_nulls": .bit(true), "uses_quoted_identifier": .bit(true), "is_schema_bound": .bit(false)] }
        },
        SystemView(
            "sys", "indexes",
            """
            object_id int!, name sysname, index_id int!, type tinyint!, type_desc nvarchar60, is_unique bit, data_space_id int, ignore_dup_key bit, is_primary_key bit,
            is_unique_constraint bit, fill_factor tinyint!, is_padded bit, is_disabled bit, is_hypothetical bit, is_ignored_in_optimization bit, allow_row_locks bit,
            allow_page_locks bit, has_filter bit, filter_definition nvarcharmax, compression_delay int, suppress_dup_key_messages bit, auto_created bit,
            optimize_for_sequential_key bit
            """
        ) { r in
            r.tables.flatMap { t -> [[String: SQLValue]] in
                var list: [[String: SQLValue]] = []
                if t.clustered == nil {
                    list.append(["object_id": r.int(t.id), "index_id": .int(0), "type": .int(0), "type_desc": r.text("HEAP"), "is_unique": .bit(false), "is_primary_key": .bit(false), "is_unique_constraint": .bit(false), "is_disabled": .bit(false), "is_hypothetical": .bit(false), "has_filter": .bit(false), "data_space_id": .int(1)])
                }
                for index in t.indexes.sorted(by: { $0.id < $1.id }) {
                    list.append([
                        "object_id": r.int(t.id), "name": r.text(index.name), "index_id": r.int(index.id), "type": .int(index.isClustered ? 1 : 2),
                        "type_desc": r.text(index.isClustered ? "CLUSTERED" : "NONCLUSTERED"), "is_unique": .bit(index.isUnique), "is_primary_key": .bit(index.isPrimaryKey),
                        "is_unique_constraint": .bit(index.isUniqueConstraint), "is_disabled": .bit(false), "is_hypothetical": .bit(false), "has_filter": .bit(false),
                        "ignore_dup_key": .bit(false), "is_padded": .bit(false), "allow_row_locks": .bit(true), "allow_page_locks": .bit(true), "data_space_id": .int(1),
                    ])
                }
                return list
            }
        },
        SystemView(
            "sys", "index_columns",
            "object_id int!, index_id int!, index_column_id int!, column_id int!, key_ordinal tinyint!, partition_ordinal tinyint!, is_descending_key bit, is_included_column bit, column_store_order_ordinal tinyint!"
        ) { r in
            r.tables.flatMap { t in
                t.indexes.flatMap { index in
                    index.keys.enumerated().map { position, key in
                        [
                            "object_id": r.int(t.id), "index_id": r.int(index.id), "index_column_id": r.int(position + 1), "column_id": r.int(key.columnID),
                            "key_ordinal": r.int(position + 1), "is_descending_key": .bit(key.descending), "is_included_column": .bit(false),
                        ]
                    }
                        + index.included.enumerated().map { position, id in
                            [
                                "object_id": r.int(t.id), "index_id": r.int(index.id), "index_column_id": r.int(index.keys.count + position + 1), "column_id": r.int(id),
                                "is_descending_key": .bit(false), "is_included_column": .bit(true),
                            ]
                        }
                }
            }
        },
        SystemView("sys", "stats", "object_id int!, name sysname, stats_id int!, auto_created bit, user_created bit") { _ in [] },
        SystemView(
            "sys", "partitions",
            "partition_id bigint!, object_id int!, index_id int!, partition_number int!, hobt_id bigint!, rows bigint, filestream_filegroup_id smallint!, data_compression tinyint!, data_compression_desc nvarchar60"
        ) { r in
            r.tables.flatMap { t -> [[String: SQLValue]] in
                let rows = r.data(t)?.rows.count ?? 0
                let ids = (t.clustered == nil ? [0] : []) + t.indexes.map { Int64($0.id) }
                return ids.map { ["partition_id": r.int(72_057_594_000_000_000 + Int64(t.id)), "object_id": r.int(t.id), "index_id": .int($0), "partition_number": .int(1), "hobt_id": r.int(72_057_594_000_000_000 + Int64(t.id)), "rows": r.int(rows), "data_compression_desc": r.text("NONE")] }
            }
        },
        SystemView(
            "sys", "allocation_units", "allocation_unit_id bigint!, type tinyint!, type_desc nvarchar60, container_id bigint!, data_space_id int, total_pages bigint!, used_pages bigint!, data_pages bigint!"
        ) { r in
            r.tables.map { t in
                let pages = r.int((r.data(t)?.rows.byteCount ?? 0) / 8192 + 1)
                return ["allocation_unit_id": r.int(72_057_594_000_000_000 + Int64(t.id)), "type": .int(1), "type_desc": r.text("IN_ROW_DATA"), "container_id": r.int(72_057_594_000_000_000 + Int64(t.id)), "total_pages": pages, "used_pages": pages, "data_pages": pages]
            }
        },
        SystemView(
            "sys", "dm_db_partition_stats",
            "partition_id bigint, object_id int!, index_id int!, partition_number int!, in_row_data_page_count bigint, in_row_used_page_count bigint, in_row_reserved_page_count bigint, lob_used_page_count bigint, lob_reserved_page_count bigint, row_overflow_used_page_count bigint, row_overflow_reserved_page_count bigint, used_page_count bigint, reserved_page_count bigint, row_count bigint",
            check: { try ServerViews.requireState($0) }
        ) { r in
            r.tables.flatMap { t -> [[String: SQLValue]] in
                let data = r.data(t)
                let pages = r.int((data?.rows.byteCount ?? 0) / 8192 + 1)
                let ids = (t.clustered == nil ? [0] : []) + t.indexes.map { Int64($0.id) }
                return ids.map { ["object_id": r.int(t.id), "index_id": .int($0), "partition_number": .int(1), "in_row_data_page_count": pages, "in_row_used_page_count": pages, "in_row_reserved_page_count": pages, "lob_used_page_count": .int(0), "used_page_count": pages, "reserved_page_count": pages, "row_count": r.int(data?.rows.count ?? 0)] }
            }
        },
        SystemView(
            "sys", "extended_properties", "class tinyint!, class_desc nvarchar60, major_id int!, minor_id int!, name sysname!, value variant"
        ) { r in
            r.catalog.properties.map {
                ["class": .int($0.objectID == 0 ? 0 : 1), "class_desc": r.text($0.objectID == 0 ? "DATABASE" : "OBJECT_OR_COLUMN"), "major_id": r.int($0.objectID), "minor_id": r.int($0.minorID), "name": r.text($0.name), "value": $0.value]
            }
        },
        SystemView("sys", "sysobjects", "name sysname!, id int!, xtype char2!, uid smallint, parent_obj int!, crdate datetime!, type char2") { r in
            objects(r).map { ["name": $0["name"] ?? .null, "id": $0["object_id"] ?? .null, "xtype": $0["type"] ?? .null, "uid": $0["schema_id"] ?? .null, "parent_obj": $0["parent_object_id"] ?? .int(0), "crdate": $0["create_date"] ?? .null, "type": $0["type"] ?? .null] }
        },
    ]
}
