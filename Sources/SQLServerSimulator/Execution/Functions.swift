/// Built-in scalar functions: where a call finds its function. The functions are in files by subject.
extension Compiler {
    func function(_ call: FunctionCall) throws -> Compiled {
        let name = call.name.uppercased()
        if call.over != nil { return try windowReference(call) }
        if !call.prefix.isEmpty {
            // Schema-qualified: a few of sys; user functions there are none.
            if call.prefix.last?.lowercased() == "sys" {
                if let found = try metadataFunction(name, call) { return found }
            }
            let full = (call.prefix + [call.name]).joined(separator: ".")
            throw SQLServerMessage(
                number: 4121, severity: 16,
                text: "Cannot find either column \"\(call.prefix.first ?? "")\" or the user-defined function or aggregate \"\(full)\", or the name is ambiguous.")
        }
        if let kind = Aggregate.names[name] { return try aggregate(call, kind) }
        if let found = try dateFunction(name, call) { return found }
        if let found = try stringFunction(name, call) { return found }
        if let found = try mathFunction(name, call) { return found }
        if let found = try logicFunction(name, call) { return found }
        if let found = try metadataFunction(name, call) { return found }
        throw Messages.notAFunction(call.name)
    }

    // MARK: Helpers

    func arguments(_ call: FunctionCall, _ range: ClosedRange<Int>) throws -> [Compiled] {
        guard range.contains(call.arguments.count) else {
            throw range.lowerBound == range.upperBound
                ? Messages.functionArguments(call.name.lowercased(), range.lowerBound)
                : Messages.functionArguments(call.name.lowercased(), from: range.lowerBound, to: range.upperBound)
        }
        return try call.arguments.map { try compile($0) }
    }
    /// As text: character types stay what they are.
    func text(_ value: Compiled) -> Compiled {
        value.type.isCharacter ? value : value.converted(to: SQLType(value.type.isBinary ? .varchar : .nvarchar, length: value.type.isBinary ? 8000 : 4000), environment: environment)
    }
    func int(_ value: Compiled) -> () throws -> SQLValue { value.converted(to: .bigint, environment: environment).eval }
    func stringType(like value: Compiled, length: Int? = nil) -> SQLType {
        let unicode = value.type.isUnicode
        let own = value.type.isMax || value.type.kind == .text || value.type.kind == .ntext ? -1 : max(1, value.type.length)
        return SQLType(unicode ? .nvarchar : .varchar, length: length ?? own, collation: value.type.collation)
    }
    func unary(_ value: Compiled, _ type: SQLType, _ body: @escaping (SQLValue) throws -> SQLValue) -> Compiled {
        let eval = value.eval
        if let constant = value.constant, let folded = try? constant.isNull ? .null : body(constant) { return .constant(folded, type) }
        return Compiled(type: type, isNullable: value.isNullable) {
            let input = try eval()
            return input.isNull ? .null : try body(input)
        }
    }
}
