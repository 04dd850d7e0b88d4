/// What SET statements change.
struct SessionSettings {
    var language = "us_english"
    var dateOrder = "mdy"
    var dateFirst = 7
    var lockTimeout: Int64 = -1
    var textSize: Int64 = 2_147_483_647
    var noCount = false
    var xactAbort = false
    var implicitTransactions = false
    var quotedIdentifier = true
    var formatOnly = false
    var noExec = false
    var rowLimit: Int64 = 0
    var ansiNulls = true
    var ansiWarnings = true
    var ansiPadding = true
    var arithAbort = true
    var concatNull = true
    var ansiNullDefault = true
    var identityInsert: (database: Int32, table: Int32)?
    var others: [String: String] = [:]

    /// `@@OPTIONS`.
    var options: Int {
        (implicitTransactions ? 2 : 0) | (ansiWarnings ? 8 : 0) | (ansiPadding ? 16 : 0) | (ansiNulls ? 32 : 0) | (arithAbort ? 64 : 0)
            | (quotedIdentifier ? 256 : 0) | (noCount ? 512 : 0) | (ansiNullDefault ? 1024 : 0) | (concatNull ? 4096 : 0) | (xactAbort ? 16384 : 0)
    }
}

enum IsolationLevel: UInt8 {
    case readUncommitted = 1, readCommitted, repeatableRead, serializable, snapshot
    init?(name: String) {
        switch name {
        case "READ UNCOMMITTED": self = .readUncommitted
        case "READ COMMITTED": self = .readCommitted
        case "REPEATABLE READ": self = .repeatableRead
        case "SERIALIZABLE": self = .serializable
        case "SNAPSHOT": self = .snapshot
        default: return nil
        }
    }
}
