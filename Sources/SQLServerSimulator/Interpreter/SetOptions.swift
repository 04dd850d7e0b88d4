/// SET options.
enum SetOptions {
    static func apply(_ name: String, _ value: String, _ session: EngineSession, _ environment: Environment) throws {
        for part in name.split(separator: ",") { try applyOne(String(part), value, session, environment) }
    }
    private static func applyOne(_ name: String, _ value: String, _ session: EngineSession, _ environment: Environment) throws {
        let on = value.uppercased() == "ON"
        func number() throws -> Int64 {
            if value.hasPrefix("@"), let variable = environment.variable(value), case .int(let number) = variable.value { return number }
            guard let number = Int64(value) else { throw Messages.syntax(value, line: 0) }
            return number
        }
        func toggle() throws -> Bool {
            guard on || value.uppercased() == "OFF" else { throw Messages.syntax(value, line: 0) }
            return on
        }
        switch name {
        case "ISOLATION":
            guard let level = IsolationLevel(name: value) else { throw Messages.syntax(value, line: 0) }
            session.isolation = level
        case "NOCOUNT": session.settings.noCount = try toggle()
        case "XACT_ABORT": session.settings.xactAbort = try toggle()
        case "LOCK_TIMEOUT": session.settings.lockTimeout = try number()
        case "QUOTED_IDENTIFIER": session.settings.quotedIdentifier = try toggle()
        case "ANSI_NULLS": session.settings.ansiNulls = try toggle()
        case "ANSI_WARNINGS": session.settings.ansiWarnings = try toggle()
        case "ANSI_PADDING": session.settings.ansiPadding = try toggle()
        case "ANSI_NULL_DFLT_ON": session.settings.ansiNullDefault = try toggle()
        case "ARITHABORT": session.settings.arithAbort = try toggle()
        case "CONCAT_NULL_YIELDS_NULL": session.settings.concatNull = try toggle()
        case "ANSI_DEFAULTS":
            let flag = try toggle()
            session.settings.ansiNulls = flag
            session.settings.ansiWarnings = flag
            session.settings.ansiPadding = flag
            session.settings.ansiNullDefault = flag
            session.settings.quotedIdentifier = flag
            session.settings.implicitTransactions = flag
        case "IMPLICIT_TRANSACTIONS": session.settings.implicitTransactions = try toggle()
        case "TEXTSIZE":
            let size = try number()
            session.settings.textSize = size <= 0 ? (size == 0 ? 4096 : 2_147_483_647) : size
        case "ROWCOUNT": session.settings.rowLimit = try number()
        case "FMTONLY": session.settings.formatOnly = try toggle()
        case "NOEXEC": session.settings.noExec = try toggle()
        case "DATEFIRST":
            let day = try number()
            guard (1...7).contains(day) else {
                throw SQLServerMessage(number: 2742, severity: 16, text: "SET DATEFIRST \(day) is out of range.")
            }
            session.settings.dateFirst = Int(day)
        case "DATEFORMAT":
            let order = value.lowercased()
            guard ["mdy", "dmy", "ymd", "ydm", "myd", "dym"].contains(order) else {
                throw SQLServerMessage(number: 2741, severity: 16, text: "SET DATEFORMAT date order '\(value)' is invalid.")
            }
            session.settings.dateOrder = order
        case "LANGUAGE":
            let known = ["us_english": ("us_english", "mdy", 7), "english": ("us_english", "mdy", 7), "british": ("British", "dmy", 1), "british english": ("British", "dmy", 1), "deutsch": ("Deutsch", "dmy", 1), "german": ("Deutsch", "dmy", 1), "français": ("Français", "dmy", 1), "french": ("Français", "dmy", 1)]
            guard let language = known[value.lowercased()] else {
                throw SQLServerMessage(number: 2732, severity: 16, text: "Language '\(value)' is not an official language name or a language alias on this SQL Server.")
            }
            let old = session.settings.language
            session.settings.language = language.0
            session.settings.dateOrder = language.1
            session.settings.dateFirst = language.2
            session.pending.append(.environment(.language(new: language.0, old: old)))
            session.pending.append(.message(session.info(5703, state: 1, "Changed language setting to \(language.0).")))
        case "CONTEXT_INFO": break
        default: session.settings.others[name] = value
        }
    }
}
