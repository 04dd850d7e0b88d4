import Foundation
import TDSWire

extension BatchRun {
    private func compiler() -> Compiler { Compiler(environment: environment, scope: Scope(parent: nil, collation: session.collation)) }

    private func beginImplicit() {
        if session.settings.implicitTransactions, session.transaction == nil { session.begin(name: nil) }
    }

    func completed(_ result: DMLResult, _ command: UInt16) {
        session.rowCount = result.count
        session.lastError = 0
        if let output = result.output {
            emit(.columns(output.columns))
            for row in output.rows { emit(.row(row)) }
            emit(.done(StatementCompletion(rowCount: session.settings.noCount ? nil : result.count, command: command)))
        } else if !session.settings.noCount {
            emit(.done(StatementCompletion(rowCount: result.count, command: command)))
        }
    }

    func execute(_ statement: Statement) throws {
        if session.settings.noExec {
            if case .setOption = statement.kind {} else { return }
        }
        switch statement.kind {
        case .select(let query): try select(query, line: statement.line)
        case .insert(let insert):
            beginImplicit()
            completed(try InsertExecutor(environment: environment).run(insert), StatementCompletion.Command.insert)
        case .update(let update):
            beginImplicit()
            completed(try UpdateDeleteExecutor(environment: environment).update(update), StatementCompletion.Command.update)
        case .delete(let delete):
            beginImplicit()
            completed(try UpdateDeleteExecutor(environment: environment).delete(delete), StatementCompletion.Command.delete)
        case .merge(let merge):
            beginImplicit()
            completed(try MergeExecutor(environment: environment).run(merge), StatementCompletion.Command.merge)
        case .declare(let list): try declare(list)
        case .setVariable(let name, let expression):
            guard let variable = environment.variable(name) else { throw Messages.undeclared(name) }
            variable.value = try compiler().compile(expression).converted(to: typed(variable.type), environment: environment).eval()
            session.rowCount = 1
            session.lastError = 0
        case .setOption(let name, let value): try SetOptions.apply(name, value, session, environment)
        case .setIdentityInsert(let name, let on): try identityInsert(name, on)
        case .ifElse(let condition, let then, let otherwise):
            if try evaluate(condition) == true { frames.append(.statements([then], 0)) } else if let otherwise { frames.append(.statements([otherwise], 0)) }
        case .whileLoop(let condition, let body): frames.append(.loop(condition, body))
        case .block(let list): frames.append(.statements(list, 0))
        case .tryCatch(let body, let handler):
            frames.append(.tryBlock(handler))
            frames.append(.statements(body, 0))
        case .breakLoop, .continueLoop: try leaveLoop(statement.kind)
        case .returnStatement(let expression):
            if let expression, case .int(let status) = try Conversion.convert(try value(expression).0, from: .int, to: .int) {
                returnStatus = Int32(truncatingIfNeeded: status)
            }
            unwindToScope()
        case .throwError(let number, let message, let state): try throwError(number, message, state)
        case .rethrow:
            guard let caught = environment.caughtErrors.last else {
                throw SQLServerMessage(
                    number: 10704, severity: 15,
                    text: "To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW statement inside a CATCH block, or add error parameters to the THROW statement.")
            }
            throw Thrown(message: caught)
        case .raiseError(let message, let severity, let state, let arguments, let options):
            try raise(message, severity, state, arguments, options, line: statement.line)
        case .print(let expression):
            let compiled = try compiler().compile(expression)
            let text = try Conversion.convert(try compiled.eval(), from: compiler().settled(compiled.type), to: .nvarchar(-1))
            var message = session.info(0, state: 1, "")
            if case .string(let content) = text { message.text = String(content.prefix(8000)) }
            message.line = statement.line
            emit(.message(message))
        case .waitForDelay(let expression), .waitForTime(let expression): try wait(expression, statement.kind)
        case .execute(let call): try execute(call, line: statement.line)
        case .beginTransaction(let name):
            session.begin(name: try transactionName(name))
        case .commit:
            try session.commit()
            environment.statementTime = session.server.now
        case .rollback(let name): try session.rollback(to: try transactionName(name))
        case .save(let name): try session.save(try transactionName(name) ?? name)
        case .use(let name): session.use(try session.database(named: name))
        case .nothing: break
        default:
            beginImplicit()
            try DefinitionExecutor(run: self).execute(statement)
            session.rowCount = 0
            session.lastError = 0
        }
    }

    private func typed(_ type: SQLType) -> SQLType {
        guard type.isCharacter, type.collation == nil else { return type }
        var type = type
        type.collation = session.collation
        return type
    }
    private func transactionName(_ name: String?) throws -> String? {
        guard let name, name.hasPrefix("@") else { return name }
        guard let variable = environment.variable(name) else { throw Messages.undeclared(name) }
        guard case .string(let text) = variable.value else { return nil }
        return text
    }

    // MARK: SELECT

    private func select(_ query: Query, line: Int32) throws {
        var core: SelectCore?
        if case .select(let only) = query.body { core = only }
        if core.map({ !$0.from.isEmpty }) ?? true { beginImplicit() }
        let assigns = core?.items.contains { if case .assign = $0 { return true } else { return false } } ?? false
        if assigns, let core {
            guard core.items.allSatisfy({ if case .assign = $0 { return true } else { return false } }) else {
                throw SQLServerMessage(number: 141, severity: 15, text: "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.")
            }
            let plan = try QueryPlanner(environment: environment).plan(query, scope: Scope(parent: nil, collation: session.collation))
            let variables = core.items.compactMap { item -> Variable? in
                if case .assign(let name, _) = item { return environment.variable(name) } else { return nil }
            }
            try plan.open()
            var count: UInt64 = 0
            while try plan.next() {
                for (index, variable) in variables.enumerated() { variable.value = plan.value(index) }
                count += 1
            }
            session.rowCount = count
            session.lastError = 0
            return
        }
        if let core, let into = core.into {
            try selectInto(query, core, into)
            return
        }
        try stream(try QueryPlanner(environment: environment).plan(query, scope: Scope(parent: nil, collation: session.collation)), line: line)
    }

    private func selectInto(_ query: Query, _ core: SelectCore, _ into: ObjectName) throws {
        let plan = try QueryPlanner(environment: environment).plan(query, scope: Scope(parent: nil, collation: session.collation))
        var columns: [ColumnDef] = []
        for (index, column) in plan.columns.enumerated() {
            if column.name.isEmpty { throw SQLServerMessage(number: 1038, state: 5, severity: 15, text: Messages.emptyName.text) }
            var made = ColumnDef(id: Int32(index + 1), name: column.name, type: column.type, isNullable: column.isNullable)
            if column.isIdentity, !columns.contains(where: { $0.identity != nil }) { made.identity = IdentityDef(seed: 1, increment: 1) }
            columns.append(made)
        }
        let definitions = DefinitionExecutor(run: self)
        try definitions.create(into, columns: columns)
        let target = try WriteTarget(.name(into), permission: "INSERT", environment: environment)
        let writer = TableWriter(session: session, table: target.table, database: target.database)
        guard let data = target.context.data(target.table.id) else { return }
        var batch: [RowChange] = []
        var count: UInt64 = 0
        try plan.open()
        while try plan.next() {
            let values = plan.row
            batch.append(RowChange(old: nil, new: (writer.codec.clusterKey(values) { data.rowNumbers.take() }, values)))
            count += 1
            if batch.count >= 4096 {
                try environment.checkCancelled()
                try writer.write(batch)
                batch.removeAll(keepingCapacity: true)
            }
        }
        try writer.write(batch)
        completed(DMLResult(count: count), StatementCompletion.Command.select)
    }

    // MARK: Variables and options

    private func declare(_ list: [VariableDeclaration]) throws {
        for item in list {
            if let columns = item.table {
                if environment.tableVariables[item.name.lowercased()] != nil { throw Messages.redeclared(item.name) }
                let name = "@\(item.name)\(session.server.transactionIDs.take())"
                try DefinitionExecutor(run: self).createTable(ObjectName(name: name), columns, item.tableConstraints)
                environment.tableVariables[item.name.lowercased()] = name
                continue
            }
            guard let type = item.type else { continue }
            // A loop that comes by again keeps the variable.
            if environment.variable(item.name) == nil { environment.declare(item.name, Variable(type: try environment.type(type))) }
            if let value = item.value, let variable = environment.variable(item.name) {
                variable.value = try compiler().compile(value).converted(to: typed(variable.type), environment: environment).eval()
            }
        }
    }

    private func identityInsert(_ name: ObjectName, _ on: Bool) throws {
        let resolved = try session.resolve(name)
        guard case .table(let table)? = resolved.object, Permissions.has("ALTER", objectID: table.id, schemaID: table.schemaID, resolved.context, session) else {
            throw Messages.cannotFindObject(name.text)
        }
        let own = (resolved.context.database.id, table.id)
        if on {
            guard table.identityOrdinal != nil else {
                throw SQLServerMessage(number: 8106, severity: 16, text: "Table '\(name.text)' does not have the identity property. Cannot perform SET operation.")
            }
            if let other = session.settings.identityInsert, other != own {
                let database = try session.context(session.server.database(id: other.database) ?? session.database)
                let otherName = database.catalog.tables[other.table]?.name ?? ""
                throw SQLServerMessage(
                    number: 8107, severity: 16,
                    text: "IDENTITY_INSERT is already ON for table '\(database.database.name).dbo.\(otherName)'. Cannot perform SET operation for table '\(name.text)'.")
            }
            session.settings.identityInsert = own
        } else if let other = session.settings.identityInsert, other == own {
            session.settings.identityInsert = nil
        }
    }

    // MARK: Control

    private func leaveLoop(_ kind: StatementKind) throws {
        while let frame = frames.last {
            if case .loop = frame {
                if case .breakLoop = kind { frames.removeLast() }
                return
            }
            if case .scope = frame { break }
            if case .catchBlock = frame { _ = environment.caughtErrors.popLast() }
            frames.removeLast()
        }
        throw SQLServerMessage(number: 135, severity: 15, text: "Cannot use a BREAK statement outside the scope of a WHILE statement.")
    }
    private func unwindToScope() {
        while let frame = frames.last {
            if case .scope = frame { return }
            if case .catchBlock = frame { _ = environment.caughtErrors.popLast() }
            frames.removeLast()
        }
    }

    private func text(_ expression: Expression) throws -> String? {
        let compiled = try compiler().compile(expression)
        guard case .string(let text) = try Conversion.convert(try compiled.eval(), from: compiler().settled(compiled.type), to: .nvarchar(-1)) else { return nil }
        return text
    }
    private func number(_ expression: Expression) throws -> Int64 {
        guard case .int(let number) = try compiler().compile(expression).converted(to: .bigint, environment: environment).eval() else { return 0 }
        return number
    }

    private func throwError(_ number: Expression, _ message: Expression, _ state: Expression) throws {
        let code = try self.number(number)
        guard code >= 50000 else {
            throw SQLServerMessage(
                number: 35100, severity: 16,
                text: "Error number \(code) in the THROW statement is outside the valid range. Specify an error number in the valid range of 50000 to 2147483647.")
        }
        throw Thrown(message: SQLServerMessage(
            number: Int32(clamping: code), state: UInt8(clamping: try self.number(state)), severity: 16, text: try text(message) ?? ""))
    }

    private func raise(
        _ message: Expression, _ severity: Expression, _ state: Expression, _ arguments: [Expression], _ options: [String], line: Int32
    ) throws {
        let level = try number(severity)
        let compiled = try compiler().compile(message)
        var code: Int32 = 50000
        var format = ""
        switch try compiled.eval() {
        case .int(let given):
            code = Int32(clamping: given)
            format = "Error \(given)"
        case .string(let text): format = text
        default: break
        }
        let values = try arguments.map { try compiler().compile($0).eval() }
        let raised = SQLServerMessage(
            number: code, state: UInt8(clamping: max(1, try number(state))), severity: UInt8(clamping: min(max(0, level), 25)), text: RaiseFormat.format(format, values),
            server: session.server.configuration.serverName, line: line)
        if raised.severity > 10 { throw raised }
        var quiet = raised
        quiet.severity = UInt8(clamping: level)
        emit(.message(quiet))
        session.lastError = options.contains("SETERROR") ? code : 0
    }

    private func wait(_ expression: Expression, _ kind: StatementKind) throws {
        let compiled = try compiler().compile(expression)
        let time = try Conversion.convert(try compiled.eval(), from: compiler().settled(compiled.type), to: .datetime)
        guard case .datetime(let time) = time else { return }
        var seconds = Double(time.ticks) / 300
        if case .waitForTime = kind {
            let now = session.server.now.truncatingRemainder(dividingBy: 86400)
            seconds = seconds >= now ? seconds - now : seconds + 86400 - now
        }
        let end = ContinuousClock.now + .milliseconds(Int64(seconds * 1000))
        while ContinuousClock.now < end {
            try environment.checkCancelled()
            usleep(2000)
        }
    }

    // MARK: EXEC

    private func execute(_ call: ExecuteStatement, line: Int32) throws {
        if let expression = call.text {
            try enter(try text(expression) ?? "", Environment(session: session), outputs: [])
            return
        }
        guard var name = call.procedure else { return }
        if name.name.hasPrefix("@") {
            guard let variable = environment.variable(name.name) else { throw Messages.undeclared(name.name) }
            guard case .string(let text) = variable.value else { throw Messages.noProcedure("") }
            var parser = Parser(text)
            name = try parser.objectName()
        }
        if name.name.lowercased() == "sp_executesql" {
            try executeSQL(call)
            return
        }
        let status = try SystemProcedures(run: self).execute(name, call, line: line)
        if let variable = call.returnVariable { environment.variable(variable)?.value = .int(Int64(status)) }
    }

    /// Runs text in variables of its own.
    private func enter(_ text: String, _ inner: Environment, outputs: [(inner: Variable, outer: Variable)]) throws {
        if session.nestLevel >= 32 {
            throw SQLServerMessage(
                number: 217, severity: 16, text: "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).")
        }
        let statements = try Parser.parseBatch(text, quotedIdentifiers: session.settings.quotedIdentifier)
        frames.append(.scope(previous: environment, database: session.database, outputs: outputs))
        session.nestLevel += 1
        inner.caughtErrors = environment.caughtErrors
        environment = inner
        frames.append(.statements(statements, 0))
    }

    private func executeSQL(_ call: ExecuteStatement) throws {
        guard let first = call.arguments.first else {
            throw SQLServerMessage(number: 201, state: 10, severity: 16, text: "Procedure or function 'sp_executesql' expects parameter '@statement', which was not supplied.")
        }
        let compiled = try compiler().compile(first.value)
        guard compiled.type.isUnicode else {
            throw SQLServerMessage(number: 214, state: 2, severity: 16, text: "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.")
        }
        let sql = try text(first.value) ?? ""
        let inner = Environment(session: session)
        var outputs: [(inner: Variable, outer: Variable)] = []
        if call.arguments.count > 1 {
            let declarations = try text(call.arguments[1].value) ?? ""
            var parameters: [EngineParameter] = []
            for argument in call.arguments.dropFirst(2) {
                let value = try compiler().compile(argument.value)
                parameters.append(EngineParameter(name: argument.name, type: compiler().settled(value.type), value: try value.eval(), isOutput: argument.isOutput))
            }
            for output in try ParameterBinding.bind(declarations, parameters, inner) {
                let argument = call.arguments[output.ordinal + 2]
                if case .variable(let name) = argument.value, let outer = environment.variable(name) { outputs.append((output.variable, outer)) }
            }
        }
        if let variable = call.returnVariable { environment.variable(variable)?.value = .int(0) }
        try enter(sql, inner, outputs: outputs)
    }
}

/// RAISERROR's and FORMATMESSAGE's `printf` forms.
enum RaiseFormat {
    static func format(_ text: String, _ values: [SQLValue]) -> String {
        var out = ""
        var rest = values[...]
        var characters = text.makeIterator()
        while let c = characters.next() {
            guard c == "%" else {
                out.append(c)
                continue
            }
            var spec = ""
            while let next = characters.next() {
                spec.append(next)
                if next.isLetter, next != "l", next != "h", next != "I" || next == "%" { break }
                if next == "%" { break }
            }
            guard let kind = spec.last, kind != "%" else {
                out.append("%")
                continue
            }
            let value = rest.popFirst() ?? .null
            switch (kind, value) {
            case (_, .null): out += "(null)"
            case ("d", .int(let number)), ("i", .int(let number)), ("u", .int(let number)):
                let width = Int(spec.filter(\.isNumber)) ?? 0
                let digits = String(number)
                out += String(repeating: spec.hasPrefix("0") ? "0" : " ", count: max(0, width - digits.count)) + digits
            case ("x", .int(let number)): out += String(number, radix: 16)
            case ("X", .int(let number)): out += String(number, radix: 16).uppercased()
            case (_, .string(let content)): out += content
            case (_, .int(let number)): out += String(number)
            default: out += ""
            }
        }
        return out
    }
}
