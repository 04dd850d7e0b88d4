import Synchronization
import Foundation

final class Variable {
    let type: SQLType
    var value: SQLValue
    init(type: SQLType, value: SQLValue = .null) {
        self.type = type
        self.value = value
    }
}

/// What a batch (or the text of sp_executesql) runs in: its variables and the session.
final class Environment {
    let session: EngineSession
    private var variables: [String: Variable] = [:]
    /// Table variables: name to the private table behind it.
    var tableVariables: [String: String] = [:]
    /// Seconds since 1970 of the statement's start: GETDATE() is the same in all rows.
    var statementTime: Double = 0
    /// What the CATCH block that runs can ask for.
    var caughtErrors: [SQLServerMessage] = []
    var fetchedRows: UInt64 = 0

    init(session: EngineSession) {
        self.session = session
        statementTime = session.server.now
    }

    var collation: SQLCollation { session.collation }

    func variable(_ name: String) -> Variable? { variables[name.lowercased()] }
    func declare(_ name: String, _ variable: Variable) { variables[name.lowercased()] = variable }

    /// Table variables end with the batch.
    func dropTableVariables() {
        if tableVariables.isEmpty { return }
        let names = tableVariables.values
        tableVariables = [:]
        session.privateDatabase.state.withLock { state in
            for name in names {
                let key = Catalog.nameKey(1, name, state.options.collation)
                guard let id = state.catalog.names.removeValue(forKey: key) else { continue }
                state.catalog.tables[id] = nil
                state.tables[id] = nil
            }
        }
    }

    func checkCancelled() throws {
        if session.cancellation.isCancelled { throw Cancelled() }
    }

    /// A type as written, in a declaration (`forCast`: default length 30 in CAST, 1 elsewhere).
    func type(_ name: TypeName, forCast: Bool = false, index: Int = 1) throws -> SQLType {
        func length(_ limit: Int, _ maxAllowed: Bool = true) throws -> Int {
            if name.isMax {
                guard maxAllowed else { throw Messages.syntax("max", line: 0) }
                return -1
            }
            guard let given = name.arguments.first else { return forCast ? 30 : 1 }
            if given < 1 {
                throw SQLServerMessage(number: 1001, severity: 15, text: "Line 1: Length or precision specification \(given) is invalid.")
            }
            if given > limit { throw Messages.sizeTooLarge(given, name.name, limit) }
            return given
        }
        func fraction() throws -> UInt8 {
            guard let given = name.arguments.first else { return 7 }
            guard given >= 0, given <= 7 else {
                throw SQLServerMessage(number: 1002, severity: 15, text: "Line 1: Specified scale \(given) is invalid.")
            }
            return UInt8(given)
        }
        switch name.name {
        case "tinyint": return .tinyint
        case "smallint": return .smallint
        case "int": return .int
        case "bigint": return .bigint
        case "bit": return .bit
        case "decimal", "numeric":
            let precision = name.arguments.first ?? 18
            let scale = name.arguments.count > 1 ? name.arguments[1] : 0
            guard precision >= 1, precision <= 38 else {
                throw precision < 1
                    ? SQLServerMessage(number: 1001, severity: 15, text: "Line 1: Length or precision specification \(precision) is invalid.")
                    : SQLServerMessage(
                        number: 2750, severity: 16, text: "Column or parameter #\(index): Specified column precision \(precision) is greater than the maximum precision of 38.")
            }
            guard scale >= 0, scale <= precision else {
                throw SQLServerMessage(
                    number: 192, severity: 15, text: "The scale must be less than or equal to the precision.")
            }
            return SQLType(name.name == "decimal" ? .decimal : .numeric, precision: UInt8(precision), scale: UInt8(scale))
        case "money": return .money
        case "smallmoney": return SQLType(.smallmoney)
        case "float":
            let bits = name.arguments.first ?? 53
            return bits <= 24 ? .real : .float
        case "real": return .real
        case "char": return SQLType(.char, length: try length(8000, false))
        case "varchar": return SQLType(.varchar, length: try length(8000))
        case "nchar": return SQLType(.nchar, length: try length(4000, false))
        case "nvarchar": return SQLType(.nvarchar, length: try length(4000))
        case "text": return SQLType(.text)
        case "ntext": return SQLType(.ntext)
        case "image": return SQLType(.image)
        case "binary": return SQLType(.binary, length: try length(8000, false))
        case "varbinary": return SQLType(.varbinary, length: try length(8000))
        case "date": return .date
        case "time": return SQLType(.time, scale: try fraction())
        case "datetime": return .datetime
        case "smalldatetime": return SQLType(.smalldatetime)
        case "datetime2": return SQLType(.datetime2, scale: try fraction())
        case "datetimeoffset": return SQLType(.datetimeoffset, scale: try fraction())
        case "uniqueidentifier": return .uniqueidentifier
        case "xml": return SQLType(.xml)
        case "timestamp": return SQLType(.rowversion)
        case "sql_variant": return SQLType(.variant)
        case "hierarchyid": return SQLType(.hierarchyid)
        case "sysname": return SQLType(.nvarchar, length: 128, isSysname: true)
        default:
            if forCast {
                throw SQLServerMessage(number: 243, severity: 16, text: "Type \(name.name) is not a defined system type.")
            }
            throw Messages.noType(index, name.name)
        }
    }
}

/// `@@...`
enum GlobalVariables {
    static func value(_ name: String, _ environment: Environment) throws -> (SQLValue, SQLType)? {
        let session = environment.session
        func text(_ text: String) -> (SQLValue, SQLType) { (.string(text), .nvarchar(max(1, text.utf16.count))) }
        switch name.lowercased() {
        case "@@version": return (.string(session.server.versionText), .nvarchar(300))
        case "@@rowcount": return (.int(Int64(clamping: session.rowCount)), .int)
        case "@@trancount": return (.int(Int64(session.transactionDepth)), .int)
        case "@@spid": return (.int(Int64(session.processID)), .smallint)
        case "@@error": return (.int(Int64(session.lastError)), .int)
        case "@@identity": return (session.lastIdentity, SQLType(.numeric, precision: 38))
        case "@@servername": return (.string(session.server.configuration.serverName), .nvarchar(128))
        case "@@servicename": return (.string("MSSQLSERVER"), .nvarchar(128))
        case "@@max_precision": return (.int(38), .tinyint)
        case "@@language": return (.string(session.settings.language), .nvarchar(128))
        case "@@langid": return (.int(0), .smallint)
        case "@@options": return (.int(Int64(session.settings.options)), .int)
        case "@@microsoftversion":
            let version = session.server.configuration.version
            let major = version.first ?? 16, build = version.count > 2 ? version[2] : 0
            return (.int(Int64(major) << 24 | Int64(build)), .int)
        case "@@datefirst": return (.int(Int64(session.settings.dateFirst)), .tinyint)
        case "@@lock_timeout": return (.int(session.settings.lockTimeout), .int)
        case "@@textsize": return (.int(session.settings.textSize), .int)
        case "@@nestlevel": return (.int(Int64(session.nestLevel)), .int)
        case "@@procid": return (.int(0), .int)
        case "@@dbts":
            let number = UInt64(session.database.rowversion.current - 1)
            return (.binary((0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }), .varbinary(8))
        case "@@cpu_busy", "@@idle", "@@io_busy", "@@pack_received", "@@pack_sent", "@@packet_errors", "@@timeticks", "@@total_errors", "@@total_read",
            "@@total_write", "@@connections", "@@cursor_rows":
            return (.int(0), .int)
        case "@@fetch_status": return (.int(-1), .int)
        case "@@max_connections": return (.int(32767), .int)
        case "@@remserver": return (.null, .nvarchar(128))
        default: return nil
        }
    }
}
