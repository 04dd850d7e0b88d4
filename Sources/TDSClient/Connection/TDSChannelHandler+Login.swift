import NIOCore
import TDSTLS
import TDSWire

// What the login's state machine asks for.
extension TDSChannelHandler {
    func perform(_ action: ClientLoginStateMachine.Action) {
        guard case .login(_, let promise) = phase, let context else { return }
        switch action {
        case .wait: break
        case .startTLS(let mode): startTLS(mode, context)
        case .sendPreLogin(let message):
            var buffer = ByteBuffer()
            do {
                try buffer.writePreLogin(message)
            } catch {
                return fail(TDSError(.invalidConfiguration, "PRELOGIN can't be written", underlying: error))
            }
            preLogin = ByteBuffer()
            send(buffer, .preLogin)
        case .sendLogin(var login):
            stage = "an answer to LOGIN7"
            // A TLS record holds no larger packet, and this is known only now: a server may want more encryption than was asked for.
            if isEncrypted { login.packetSize = min(login.packetSize, 16383) }
            var buffer = ByteBuffer()
            do {
                try buffer.writeLogin7(login)
            } catch {
                return fail(TDSError(.invalidConfiguration, "LOGIN7 can't be written", underlying: error))
            }
            // In packets of 4096 bytes: servers accept no larger ones before the login, whatever it asks for.
            send(buffer, .login7)
        case .setPacketSize(let size): packetSize = size
        case .continueSSPI, .acquireFedAuthToken:
            fail(TDSError(.loginFailed, "the server asks for an authentication that this connection is not configured for"))
        case .succeeded(let result):
            version = result.acknowledgement.version
            phase = .session(
                ClientRequestStateMachine(
                    session: .init(database: result.database, collation: result.collation, packetSize: result.packetSize, language: result.language)))
            promise.succeed(.session(result))
        case .redirect(let target):
            phase = .closed(TDSError(.connectionClosed, "the server sent the client elsewhere"))
            promise.succeed(.redirect(target))
            context.close(promise: nil)
        case .failed(let failure):
            switch failure {
            case .refused(let errors, let infos):
                fail(
                    errors.isEmpty
                        ? TDSError(.loginFailed, "the server refused the login without saying why", serverInfos: infos)
                        : TDSError(server: errors, infos: infos, code: .loginFailed))
            case .encryption(let server):
                let what = server.map { "the server answers \($0)" } ?? "the server says nothing about encryption"
                fail(TDSError(.encryptionRefused, "client and server don't agree about encryption: \(what)"))
            case .unexpected(let what): fail(TDSError(.protocolViolation, what))
            }
        }
    }

    func startTLS(_ mode: ClientLoginStateMachine.TLSMode, _ context: ChannelHandlerContext) {
        let handlerMode: TDSTLSHandler.Mode =
            switch mode {
            case .full: .full
            case .loginOnly: .loginOnly
            case .strict: .strict
            }
        stage = "the TLS handshake"
        do {
            isEncrypted = mode != .loginOnly
            let handler = try TDSTLSHandler(context: tls, mode: handlerMode, serverName: serverName)
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch let error as TLSError {
            fail(TDSError(error))
        } catch {
            fail(TDSError(.tls, "TLS can't be started", underlying: error))
        }
    }
}
