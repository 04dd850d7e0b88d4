import NIOCore
import TDSWire

extension TDSConnectionConfiguration {
    /// The library's version as PRELOGIN and LOGIN7 tell it.
    static let libraryVersion = PreLogin.Version(major: 0, minor: 1, build: 0)

    var loginEncryption: ClientLoginStateMachine.Encryption {
        switch encryption {
        case .strict: .strict
        case .required: .negotiated(.required, allowPlainLogin: false)
        case .loginOnly: .negotiated(.optional, allowPlainLogin: allowsPlainLogin)
        case .disabled: .negotiated(.unsupported, allowPlainLogin: true)
        }
    }

    var preLogin: PreLogin {
        let request: PreLogin.Encryption =
            switch encryption {
            case .required: .on
            case .loginOnly: .off
            // With TDS 8.0 everything is encrypted already, and no further TLS is wanted: so say Microsoft's drivers too.
            case .disabled, .strict: .notSupported
            }
        return PreLogin(version: Self.libraryVersion, encryption: request, mars: false)
    }

    /// - Parameters:
    ///   - server: the name that the caller gave, wherever the server has sent the client since.
    func login7(server: String, database: String) -> Login7 {
        var login = Login7(
            version: encryption == .strict ? .v8_0 : .v7_4, packetSize: UInt32(clamping: min(max(packetSize, 512), 32767)),
            hostName: hostName, applicationName: applicationName, serverName: server, libraryName: "swift-tds", database: database,
            features: [FeatureRequest(.utf8Support, data: ByteBuffer(bytes: [1]))])
        if readOnlyIntent { login.typeFlags.insert(.readOnlyIntent) }
        switch authentication {
        case .sqlServer(let user, let password):
            login.userName = user
            login.password = password
        }
        return login
    }
}
