/// The parameters of sp_executesql: declared in text, given by name or position.
enum ParameterBinding {
    struct Output {
        let name: String
        let ordinal: Int
        let variable: Variable
    }
    struct Declaration {
        let name: String
        let type: SQLType
        let isOutput: Bool
    }

    static func parse(_ text: String, _ environment: Environment) throws -> [Declaration] {
        var parser = Parser(text)
        var list: [Declaration] = []
        if try parser.peek() == .end { return [] }
        repeat {
            let name = try parser.variableName()
            _ = try parser.acceptWord("AS")
            let type = try environment.type(try parser.typeName(), index: list.count + 1)
            if try parser.accept(.equal) { _ = try parser.expression() }
            let isOutput = try parser.acceptWord("OUTPUT") || parser.acceptWord("OUT")
            _ = try parser.acceptWord("READONLY")
            list.append(Declaration(name: name, type: type, isOutput: isOutput))
        } while try parser.accept(.comma)
        if try parser.peek() != .end { throw try parser.unexpected() }
        return list
    }

    /// Declares the parameters as variables. Returns those that go back to the caller.
    static func bind(_ declarations: String, _ parameters: [EngineParameter], _ environment: Environment) throws -> [Output] {
        let declared = try parse(declarations, environment)
        var outputs: [Output] = []
        var given: [Int: (Int, EngineParameter)] = [:]
        for (position, parameter) in parameters.enumerated() {
            if let name = parameter.name, !name.isEmpty {
                let full = name.hasPrefix("@") ? name : "@" + name
                guard let index = declared.firstIndex(where: { $0.name.lowercased() == full.lowercased() }) else {
                    throw SQLServerMessage(number: 8145, severity: 16, text: "\(full) is not a parameter for procedure .")
                }
                given[index] = (position, parameter)
            } else {
                guard position < declared.count else {
                    throw SQLServerMessage(number: 8144, state: 2, severity: 16, text: "Procedure or function  has too many arguments specified.")
                }
                given[position] = (position, parameter)
            }
        }
        for (index, declaration) in declared.enumerated() {
            guard let (position, parameter) = given[index] else {
                throw SQLServerMessage(
                    number: 8178, severity: 16,
                    text: "The parameterized query '(\(declarations))' expects the parameter '\(declaration.name)', which was not supplied.")
            }
            var from = parameter.type
            if from.isCharacter, from.collation == nil { from.collation = environment.collation }
            let variable = Variable(type: declaration.type, value: try convert(parameter.value, from, declaration.type, environment))
            environment.declare(declaration.name, variable)
            if parameter.isOutput { outputs.append(Output(name: declaration.name, ordinal: position, variable: variable)) }
        }
        return outputs
    }
    static func convert(_ value: SQLValue, _ from: SQLType, _ to: SQLType, _ environment: Environment) throws -> SQLValue {
        var target = to
        if target.isCharacter { target.collation = environment.collation }
        return try Conversion.convert(value, from: from, to: target, isExplicit: from.isBinary == to.isBinary || from.isCharacter)
    }
}
