public import TDSWire

extension ClientRequestStateMachine.Response {
    /// The value of an output parameter of ``TDSParameter/isOutput``.
    ///
    /// - Parameter name: with its `@`; upper and lower case don't matter.
    /// - Throws: ``TDSError/Code/decodingFailed`` if the server sent none of that name, for NULL unless the type is optional, and where the
    ///   type can't hold the value without loss.
    public func output<T: TDSDecodable>(_ name: String, as type: T.Type = T.self) throws(TDSError) -> T {
        guard let found = returnValues.first(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw TDSError(.decodingFailed, "the server sent no output parameter \(name)")
        }
        let value: TDSValue
        do {
            value = try TDSValue(wire: found.value, typeInfo: found.typeInfo)
        } catch {
            throw TDSError(.decodingFailed, "output parameter \(name)", underlying: error)
        }
        return try T(tdsValue: value)
    }
}
