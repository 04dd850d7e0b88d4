// What a server answers to a client's ENCRYPTION option, and what follows (MS-TDS 2.2.6.5, the tables under "B_FENCRYPTION").
//
//                    server: off             login                 clientChoice (nil)    required
// client OFF         NOT_SUP, clear          OFF, login only       OFF, login only       REQ, everything
// client ON, REQ     NOT_SUP (client goes)   ON, everything        ON, everything        ON, everything
// client NOT_SUP     NOT_SUP, clear          REQ, closed           NOT_SUP, clear        REQ, closed
//
// A server that is told `strict` takes connections that begin with TLS only. All others take those too (TDS 8.0), unless told `off`.

/// What a server demands about encryption.
public enum EncryptionPolicy: String, Sendable, Hashable, CaseIterable {
    /// No TLS at all, as a server without any certificate.
    case off
    /// At least the login is encrypted.
    case login
    /// Everything is encrypted ("Force Encryption").
    case required
    /// TDS 8.0 only ("Force Strict Encryption").
    case strict
}

/// The values of PRELOGIN's ENCRYPTION option.
enum EncryptionOption {
    static let off: UInt8 = 0
    static let on: UInt8 = 1
    static let notSupported: UInt8 = 2
    static let required: UInt8 = 3
}

struct EncryptionAnswer: Equatable {
    enum Outcome: Equatable {
        case clear
        case loginOnly
        case full
        /// The server closes the connection after its answer.
        case close
    }
    /// The option of the server's PRELOGIN.
    var option: UInt8
    var outcome: Outcome

    /// - Parameters:
    ///   - client: the client's option; nil if it sent none, which is that of a client that can't.
    ///   - policy: nil does what the client asks for, as a server that was just installed.
    ///   - isStrict: the connection began with TLS: the option has no meaning then.
    init(client: UInt8?, policy: EncryptionPolicy?, isStrict: Bool) {
        if isStrict {
            self.init(option: EncryptionOption.notSupported, outcome: .clear)
            return
        }
        // The upper bits are about client certificates, which nobody here asks for.
        let wish = (client ?? EncryptionOption.notSupported) & 0x0F
        switch (wish, policy) {
        case (_, .strict): self.init(option: EncryptionOption.required, outcome: .close)
        case (_, .off): self.init(option: EncryptionOption.notSupported, outcome: .clear)
        case (EncryptionOption.on, _), (EncryptionOption.required, _): self.init(option: EncryptionOption.on, outcome: .full)
        case (EncryptionOption.off, .required): self.init(option: EncryptionOption.required, outcome: .full)
        case (EncryptionOption.off, _): self.init(option: EncryptionOption.off, outcome: .loginOnly)
        case (EncryptionOption.notSupported, .required), (EncryptionOption.notSupported, .login):
            self.init(option: EncryptionOption.required, outcome: .close)
        case (EncryptionOption.notSupported, nil): self.init(option: EncryptionOption.notSupported, outcome: .clear)
        default: self.init(option: EncryptionOption.required, outcome: .close)
        }
    }

    init(option: UInt8, outcome: Outcome) {
        self.option = option
        self.outcome = outcome
    }
}
