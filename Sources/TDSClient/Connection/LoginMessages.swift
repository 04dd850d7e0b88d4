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
            case .strict, .required: .on
            case .loginOnly: .off
            case .disabled: .notSupported
            }
        return PreLogin(version: Self.libraryVersion, encryption: request, mars: false)
    }

    func login7(server: String) -> Login7 {
        let size = encryption == .required || encryption == .strict ? min(packetSize, 16383) : packetSize
        var login = Login7(
            version: encryption == .strict ? .v8_0 : .v7_4, packetSize: UInt32(clamping: min(max(size, 512), 32767)),
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
