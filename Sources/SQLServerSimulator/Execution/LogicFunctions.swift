import TDSWire

/// Functions that choose among values, make identifiers, or ask what a value is.
extension Compiler {
    func logicFunction(_ name: String, _ call: FunctionCall) throws -> Compiled? {
        switch name {
        case "ISNULL":
            let list = try arguments(call, 2...2)
            // The first argument decides the type.
            let type = list[0].type.kind == .null ? list[1].type : list[0].type
            let first = list[0].eval, second = list[1].converted(to: settled(type), environment: environment).eval
            return Compiled(type: type, isNullable: list[0].isNullable && list[1].isNullable) {
                let value = try first()
                return value.isNull ? try second() : value
            }
        case "COALESCE":
            guard call.arguments.count >= 2 else { throw Messages.syntax(")", line: 0) }
            let list = try call.arguments.map { try compile($0) }
            let type = try unified(list)
            let values = list.map { $0.converted(to: type, environment: environment).eval }
            return Compiled(type: type, isNullable: list.allSatisfy { $0.isNullable }) {
                for value in values {
                    let result = try value()
                    if !result.isNull { return result }
                }
                return .null
            }
        case "NULLIF":
            guard call.arguments.count == 2 else { throw Messages.functionArguments("nullif", 2) }
            let value = try compile(call.arguments[0])
            let same = try compilePredicate(.compare(.equal, call.arguments[0], call.arguments[1]))
            return Compiled(type: value.type) { try same() == true ? .null : try value.eval() }
        case "IIF":
            guard call.arguments.count == 3 else { throw Messages.functionArguments("iif", 3) }
            return try compile(.caseWhen(operand: nil, [CaseBranch(condition: call.arguments[0], result: call.arguments[1])], otherwise: call.arguments[2]))
        case "CHOOSE":
            guard call.arguments.count >= 2 else { throw Messages.functionArguments("choose", from: 2, to: 255) }
            let index = int(try compile(call.arguments[0]))
            let list = try call.arguments.dropFirst().map { try compile($0) }
            let type = try unified(list)
            let values = list.map { $0.converted(to: type, environment: environment).eval }
            return Compiled(type: type) {
                guard case .int(let number) = try index(), number >= 1, number <= values.count else { return .null }
                return try values[Int(number) - 1]()
            }
        case "GREATEST", "LEAST":
            let list = try call.arguments.map { try compile($0) }
            guard !list.isEmpty else { throw Messages.functionArguments(name.lowercased(), from: 1, to: 254) }
            let type = settled(try unified(list))
            let values = list.map { $0.converted(to: type, environment: environment).eval }
            return Compiled(type: type) {
                var best = SQLValue.null
                for value in values {
                    let candidate = try value()
                    if candidate.isNull { continue }
                    if let order = Comparison.compare(candidate, best, type) {
                        if name == "GREATEST" ? order > 0 : order < 0 { best = candidate }
                    } else {
                        best = candidate
                    }
                }
                return best
            }
        case "ISNUMERIC":
            let a = try arguments(call, 1...1)[0]
            return Compiled(type: .int, isNullable: false) {
                switch try a.eval() {
                case .int, .bit, .decimal, .money, .float, .real: return .int(1)
                case .string(let text):
                    let trimmed = Conversion.trim(text)
                    let isMoney = (try? Conversion.convert(.string(trimmed), from: .varchar(50), to: .money)) != nil
                    return .int(!trimmed.isEmpty && (Double(trimmed) != nil || isMoney) ? 1 : 0)
                default: return .int(0)
                }
            }
        case "NEWID":
            return Compiled(type: .uniqueidentifier, isNullable: false) {
                var generator = SystemRandomNumberGenerator()
                // Version 4, variant 1.
                return .uniqueidentifier(
                    TDSGUID(
                        high: generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low: generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000))
            }
        case "NEWSEQUENTIALID":
            let server = environment.session.server
            return Compiled(type: .uniqueidentifier, isNullable: false) {
                let number = UInt32(truncatingIfNeeded: server.sequentialIDs.take())
                return .uniqueidentifier(TDSGUID(high: UInt64(number) << 32 | 0x5B3D_11EF, low: 0x8A01_0015_5D01_0203))
            }
        case "SQL_VARIANT_PROPERTY":
            let list = try arguments(call, 2...2)
            return Compiled(type: SQLType(.variant)) {
                guard case .string(let property) = try list[1].eval() else { return .null }
                var value = try list[0].eval(), type = list[0].type
                if case .variant(let inner, let content) = value {
                    type = inner
                    value = content
                }
                if value.isNull { return .null }
                switch property.lowercased() {
                case "basetype": return .variant(.sysname, .string(type.name))
                case "precision": return .variant(.int, .int(Int64(type.catalogPrecision)))
                case "scale": return .variant(.int, .int(Int64(type.catalogScale)))
                case "maxlength": return .variant(.int, .int(Int64(type.maxLength)))
                case "collation": return type.isCharacter ? .variant(.sysname, .string((type.collation ?? .default).name)) : .null
                default: return .null
                }
            }
        case "HIERARCHYID::PARSE":
            let a = text(try arguments(call, 1...1)[0])
            return a.converted(to: SQLType(.hierarchyid), environment: environment)
        case "HIERARCHYID::GETROOT": return .constant(.binary([]), SQLType(.hierarchyid))
        default: return nil
        }
    }
}
