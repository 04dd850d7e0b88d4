import Synchronization
/// sys.databases.
enum DatabaseViews {
    static let all: [SystemView] = [
        SystemView(
            "sys", "databases",
            """
            name sysname!, database_id int!, source_database_id int, owner_sid varbinary, create_date datetime!, compatibility_level tinyint!, collation_name sysname,
            user_access tinyint, user_access_desc nvarchar60, is_read_only bit, is_auto_close_on bit!, is_auto_shrink_on bit, state tinyint, state_desc nvarchar60,
            is_in_standby bit, is_cleanly_shutdown bit, is_supplemental_logging_enabled bit, snapshot_isolation_state tinyint, snapshot_isolation_state_desc nvarchar60,
            is_read_committed_snapshot_on bit, recovery_model tinyint, recovery_model_desc nvarchar60, page_verify_option tinyint, page_verify_option_desc nvarchar60,
            is_ansi_null_default_on bit, is_ansi_nulls_on bit, is_ansi_padding_on bit, is_ansi_warnings_on bit, is_arithabort_on bit, is_quoted_identifier_on bit,
            is_broker_enabled bit!, is_published bit!, is_subscribed bit!, is_cdc_enabled bit!, is_encrypted bit, replica_id uniqueidentifier, group_database_id
            uniqueidentifier, resource_pool_id int, containment tinyint, containment_desc nvarchar60, delayed_durability int, is_memory_optimized_enabled bit,
            is_accelerated_database_recovery_on bit, physical_database_name nvarchar, service_broker_guid uniqueidentifier!, is_change_feed_enabled bit!
            """
        ) { r in
            r.server.databases.compactMap { database in
                let options = database.current.options
                let isOn = options.snapshotIsolation || database.name.lowercased() == "master"
                return [
                    "name": r.text(database.name), "database_id": r.int(database.id), "owner_sid": .binary([1]), "create_date": r.time(database.created),
                    "compatibility_level": r.int(options.compatibilityLevel), "collation_name": r.text(options.collation.name), "user_access": .int(0),
                    "user_access_desc": r.text("MULTI_USER"), "is_read_only": .bit(options.isReadOnly), "is_auto_shrink_on": .bit(false), "state": .int(0),
                    "state_desc": r.text("ONLINE"), "is_in_standby": .bit(false), "snapshot_isolation_state": .int(isOn ? 1 : 0),
                    "snapshot_isolation_state_desc": r.text(isOn ? "ON" : "OFF"), "is_read_committed_snapshot_on": .bit(options.readCommittedSnapshot),
                    "recovery_model": .int(options.recoveryModel == "FULL" ? 1 : 3), "recovery_model_desc": r.text(options.recoveryModel), "is_encrypted": .bit(false),
                    "containment": .int(0), "containment_desc": r.text("NONE"), "physical_database_name": r.text(database.name), "is_ansi_nulls_on": .bit(false),
                    "is_quoted_identifier_on": .bit(false),
                ]
            }
        },
        SystemView("sys", "sysdatabases", "name sysname, dbid smallint, crdate datetime, status int, cmptlevel tinyint!, version smallint") { r in
            r.server.databases.map { ["name": r.text($0.name), "dbid": r.int($0.id), "crdate": r.time($0.created), "status": .int(0), "cmptlevel": .int(160), "version": .int(957)] }
        },
        SystemView("sys", "database_files", "file_id int!, type tinyint!, type_desc nvarchar60, name sysname!, physical_name nvarchar, state tinyint, state_desc nvarchar60, size int!, max_size int!, growth int!") { r in
            [["file_id": .int(1), "type": .int(0), "type_desc": r.text("ROWS"), "name": r.text(r.context.database.name), "physical_name": r.text("/var/opt/mssql/data/\(r.context.database.name).mdf"), "state": .int(0), "state_desc": r.text("ONLINE"), "size": .int(1024), "max_size": .int(-1), "growth": .int(8192)]]
        },
        SystemView("sys", "filegroups", "name sysname!, data_space_id int!, type char2!, type_desc nvarchar60, is_default bit, is_read_only bit") { r in
            [["name": r.text("PRIMARY"), "data_space_id": .int(1), "type": r.text("FG"), "type_desc": r.text("ROWS_FILEGROUP"), "is_default": .bit(true), "is_read_only": .bit(false)]]
        },
        SystemView("sys", "data_spaces", "name sysname!, data_space_id int!, type char2!, type_desc nvarchar60, is_default bit") { r in
            [["name": r.text("PRIMARY"), "data_space_id": .int(1), "type": r.text("FG"), "type_desc": r.text("ROWS_FILEGROUP"), "is_default": .bit(true)]]
        },
    ]
}

/// Change tracking's views.
enum TrackingViews {
    static let all: [SystemView] = [
        SystemView(
            "sys", "change_tracking_databases",
            "database_id int!, is_auto_cleanup_on tinyint, retention_period int, retention_period_units tinyint, retention_period_units_desc nvarchar60, max_cleanup_version bigint"
        ) { r in
            r.server.databases.compactMap { database in
                guard Permissions.canConnect(r.session.login, database), let tracking = database.current.options.tracking else { return nil }
                let unit = min(max(tracking.retentionUnit, 1), 3)
                return [
                    "database_id": r.int(database.id), "is_auto_cleanup_on": .int(tracking.autoCleanup ? 1 : 0), "retention_period": .int(tracking.retentionPeriod),
                    "retention_period_units": r.int(unit), "retention_period_units_desc": r.text(["MINUTES", "HOURS", "DAYS"][unit - 1]), "max_cleanup_version": .null,
                ]
            }
        },
        SystemView(
            "sys", "change_tracking_tables", "object_id int!, is_track_columns_updated_on bit!, min_valid_version bigint, begin_version bigint, cleanup_version bigint"
        ) { r in
            r.tables.compactMap { table in
                guard let tracking = r.data(table)?.tracking else { return nil }
                return [
                    "object_id": r.int(table.id), "is_track_columns_updated_on": .bit(tracking.tracksColumns), "min_valid_version": .int(tracking.minValidVersion),
                    "begin_version": .int(tracking.beginVersion), "cleanup_version": .int(tracking.cleanupVersion),
                ]
            }
        },
        SystemView(
            "sys", "dm_tran_commit_table", "commit_ts bigint!, xdes_id bigint!, commit_lbn bigint, commit_csn bigint, commit_time datetime!",
            check: { try ServerViews.requireState($0) }
        ) { r in
            r.context.base.commits.all.map { entry in
                ["commit_ts": .int(entry.version), "xdes_id": .int(entry.transaction), "commit_lbn": .int(entry.version * 8), "commit_csn": .int(entry.version), "commit_time": r.time(entry.time)]
            }
        },
    ]
}

/// Principals and permissions.
enum PrincipalViews {
    static let all: [SystemView] = [
        SystemView(
            "sys", "database_principals",
            "name sysname!, principal_id int!, type char1!, type_desc nvarchar60, default_schema_name sysname, create_date datetime!, modify_date datetime!, owning_principal_id int, sid varbinary, is_fixed_role bit!, authentication_type int!, authentication_type_desc nvarchar60"
        ) { r in
            r.catalog.principals.sorted { $0.id < $1.id }.map {
                [
                    "name": r.text($0.name), "principal_id": r.int($0.id), "type": r.text($0.kind == .role ? "R" : "S"), "type_desc": r.text($0.kind == .role ? "DATABASE_ROLE" : "SQL_USER"),
                    "default_schema_name": $0.kind == .role ? .null : r.text("dbo"), "is_fixed_role": .bit($0.isFixedRole), "sid": .binary([UInt8(truncatingIfNeeded: $0.id)]),
                    "authentication_type": .int($0.login == nil ? 0 : 1), "authentication_type_desc": r.text($0.login == nil ? "NONE" : "INSTANCE"),
                ]
            }
        },
        SystemView(
            "sys", "database_permissions",
            "class tinyint!, class_desc nvarchar60, major_id int!, minor_id int!, grantee_principal_id int!, grantor_principal_id int!, type char4!, permission_name nvarchar, state char1!, state_desc nvarchar60"
        ) { r in
            r.catalog.permissions.sorted { ($0.principal, $0.permission) < ($1.principal, $1.permission) }.map { entry in
                var row: [String: SQLValue] = [
                    "grantee_principal_id": r.int(entry.principal), "grantor_principal_id": .int(1), "permission_name": r.text(entry.permission), "type": r.text("SL  "),
                    "state": r.text(entry.isDenied ? "D" : "G"), "state_desc": r.text(entry.isDenied ? "DENY" : "GRANT"),
                ]
                switch entry.scope {
                case .database: row["class_desc"] = r.text("DATABASE")
                case .schema(let id):
                    row["class"] = .int(3)
                    row["class_desc"] = r.text("SCHEMA")
                    row["major_id"] = r.int(id)
                case .object(let id):
                    row["class"] = .int(1)
                    row["class_desc"] = r.text("OBJECT_OR_COLUMN")
                    row["major_id"] = r.int(id)
                }
                return row
            }
        },
        SystemView("sys", "database_role_members", "role_principal_id int!, member_principal_id int!") { r in
            r.catalog.principals.flatMap { member in
                member.roles.compactMap { role in
                    r.catalog.principals.first { $0.name == role }.map { ["role_principal_id": r.int($0.id), "member_principal_id": r.int(member.id)] }
                }
            }
        },
        SystemView(
            "sys", "server_principals", "name sysname!, principal_id int!, sid varbinary, type char1!, type_desc nvarchar60, is_disabled int, create_date datetime!, modify_date datetime!, default_database_name sysname"
        ) { r in
            r.server.state.withLock(\.logins).filter { r.session.login.isSysadmin || $0.id == r.session.login.id }.map {
                ["name": r.text($0.name), "principal_id": r.int($0.id), "sid": .binary([UInt8(truncatingIfNeeded: $0.id)]), "type": r.text("S"), "type_desc": r.text("SQL_LOGIN"), "is_disabled": .int(0), "default_database_name": r.text($0.defaultDatabase)]
            }
        },
        SystemView("sys", "sysusers", "uid smallint, name sysname, sid varbinary, issqlrole int, islogin int") { r in
            r.catalog.principals.map { ["uid": r.int($0.id), "name": r.text($0.name), "issqlrole": .int($0.kind == .role ? 1 : 0), "islogin": .int($0.kind == .role ? 0 : 1)] }
        },
    ]
}

/// Server-wide views.
enum ServerViews {
    /// VIEW DATABASE STATE, or VIEW DATABASE PERFORMANCE STATE from SQL Server 2022 on.
    static func requireState(_ r: CatalogReader) throws {
        let isNew = (r.server.configuration.version.first ?? 16) >= 16
        let permission = isNew ? "VIEW DATABASE PERFORMANCE STATE" : "VIEW DATABASE STATE"
        if Permissions.has(permission, r.context, r.session) { return }
        throw SeveralMessages(messages: [Messages.deniedInDatabase(permission, r.context.database.name), Messages.noPermission])
    }
    private static func requireServerState(_ r: CatalogReader) throws {
        if r.session.login.isSysadmin { return }
        throw SeveralMessages(messages: [
            SQLServerMessage(number: 300, severity: 14, text: "VIEW SERVER STATE permission was denied on object 'server', database 'master'."), Messages.noPermission,
        ])
    }

    static let all: [SystemView] = [
        SystemView("sys", "configurations", "configuration_id int!, name nvarchar!, value variant, minimum variant, maximum variant, value_in_use variant, description nvarchar!, is_dynamic bit!, is_advanced bit!") { r in
            [("max server memory (MB)", 1544, 2_147_483_647), ("max degree of parallelism", 1539, 0), ("user options", 1534, 0), ("clr enabled", 1562, 0)].map {
                ["configuration_id": .int(Int64($0.1)), "name": r.text($0.0), "value": .variant(.int, .int(Int64($0.2))), "value_in_use": .variant(.int, .int(Int64($0.2))), "description": r.text($0.0)]
            }
        },
        SystemView(
            "sys", "dm_exec_sessions",
            "session_id smallint!, login_time datetime!, host_name nvarchar, program_name nvarchar, client_interface_name nvarchar, login_name nvarchar!, status nvarchar60!, database_id smallint!, open_transaction_count int!, is_user_process bit!, transaction_isolation_level smallint!"
        ) { r in
            r.server.state.withLock(\.sessions).sorted { $0.key < $1.key }.filter { r.session.login.isSysadmin || $0.key == r.session.processID }.map { process, info in
                [
                    "session_id": r.int(process), "login_time": r.time(info.started), "host_name": r.text(info.host), "program_name": r.text(info.application),
                    "login_name": r.text(info.login), "status": r.text(process == r.session.processID ? "running" : "sleeping"),
                    "database_id": r.int(r.server.database(named: info.database)?.id ?? 1), "is_user_process": .bit(true),
                    "open_transaction_count": .int(process == r.session.processID ? Int64(r.session.transactionDepth) : 0),
                    "transaction_isolation_level": .int(process == r.session.processID ? Int64(r.session.isolation.rawValue) : 2),
                ]
            }
        },
        SystemView("sys", "dm_exec_requests", "session_id smallint!, request_id int!, start_time datetime!, status nvarchar60!, command nvarchar60!, database_id smallint!, blocking_session_id smallint, wait_type nvarchar60") { r in
            [["session_id": r.int(r.session.processID), "start_time": r.time(r.environment.statementTime), "status": r.text("running"), "command": r.text("SELECT"), "database_id": r.int(r.session.database.id), "blocking_session_id": .int(0)]]
        },
        SystemView(
            "sys", "dm_exec_connections",
            "session_id int, connect_time datetime!, net_transport nvarchar60!, protocol_type nvarchar60, protocol_version int, encrypt_option nvarchar60!, auth_scheme nvarchar60!, net_packet_size int, client_net_address varchar"
        ) { r in
            [["session_id": r.int(r.session.processID), "connect_time": r.time(r.session.started), "net_transport": r.text("TCP"), "protocol_type": r.text("TSQL"), "protocol_version": .int(0x7400_0004), "encrypt_option": r.text("FALSE"), "auth_scheme": r.text("SQL"), "net_packet_size": .int(4096), "client_net_address": r.text("127.0.0.1")]]
        },
        SystemView("sys", "dm_tran_active_snapshot_database_transactions", "transaction_id bigint!, session_id int", check: requireServerState) { _ in [] },
        SystemView("sys", "dm_os_sys_info", "cpu_count int!, physical_memory_kb bigint!, sqlserver_start_time datetime!", check: requireServerState) { r in
            [["cpu_count": .int(2), "physical_memory_kb": .int(8_388_608), "sqlserver_start_time": r.time(r.server.started)]]
        },
        SystemView("sys", "dm_hadr_database_replica_states", "database_id int!, group_id uniqueidentifier!, replica_id uniqueidentifier!, is_local bit, is_primary_replica bit, synchronization_state tinyint") { _ in [] },
        SystemView("sys", "dm_hadr_availability_replica_states", "replica_id uniqueidentifier!, group_id uniqueidentifier!, is_local bit, role tinyint, role_desc nvarchar60") { _ in [] },
        SystemView("sys", "availability_groups", "group_id uniqueidentifier!, name sysname, resource_id nvarchar") { _ in [] },
        SystemView("sys", "availability_replicas", "replica_id uniqueidentifier, group_id uniqueidentifier, replica_server_name nvarchar") { _ in [] },
        SystemView("sys", "availability_databases_cluster", "group_id uniqueidentifier!, group_database_id uniqueidentifier!, database_name sysname") { _ in [] },
        SystemView("sys", "dm_hadr_cluster", "cluster_name nvarchar!, quorum_type tinyint!") { _ in [] },
        SystemView("sys", "database_mirroring", "database_id int!, mirroring_guid uniqueidentifier, mirroring_role tinyint") { r in r.server.databases.map { ["database_id": r.int($0.id)] } },
        SystemView("sys", "syslanguages", "langid smallint!, dateformat char4, datefirst tinyint!, name sysname!, alias sysname") { r in
            [["langid": .int(0), "dateformat": r.text("mdy"), "datefirst": .int(7), "name": r.text("us_english"), "alias": r.text("English")]]
        },
        SystemView("sys", "messages", "message_id int!, language_id smallint!, severity tinyint, is_event_logged bit!, text nvarchar4000!") { _ in [] },
        SystemView("sys", "servers", "server_id int!, name sysname!, product sysname!, provider sysname!, is_linked bit!") { r in
            [["server_id": .int(0), "name": r.text(r.server.configuration.serverName), "product": r.text("SQL Server"), "provider": r.text("SQLNCLI")]]
        },
        SystemView("sys", "time_zone_info", "name sysname!, current_utc_offset nvarchar60!, is_currently_dst bit!") { r in [["name": r.text("UTC"), "current_utc_offset": r.text("+00:00")]] },
    ]
}
