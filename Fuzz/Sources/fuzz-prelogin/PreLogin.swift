import FuzzSupport
import NIOCore
import TDSWire

/// PRELOGIN of either end, and the server's login machine on its packets. What decodes has to survive another round.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = fuzzInput(start, count)
    for sender in [PreLogin.Sender.client, .server] {
        var buffer = input
        guard let message = try? buffer.readPreLogin(from: sender) else { continue }
        var again = ByteBuffer()
        guard (try? again.writePreLogin(message)) != nil else { finding("a PRELOGIN that was read can't be written") }
        guard let second = try? again.readPreLogin(from: sender), second == message else { finding("PRELOGIN differs after a round") }
        if let encryption = message.encryption {
            for policy in EncryptionNegotiation.Policy.allCases {
                let (answer, outcome) = EncryptionNegotiation.server(policy: policy, client: encryption)
                if EncryptionNegotiation.outcome(client: encryption, server: answer) != outcome { finding("the ends disagree about encryption") }
            }
        }
    }
    // The same bytes as packets, to the server's state machines.
    var packets = PacketDecoder()
    packets.append(input)
    var login = ServerLoginStateMachine(configuration: .init(version: .init(major: 16, minor: 0, build: 1)))
    var session = ServerRequestStateMachine()
    while let packet = try? packets.next() {
        if case .authenticate = login.packetReceived(packet) { login.accepted() }
        switch session.packetReceived(packet) {
        case .execute, .cancel: _ = session.responseFinished()
        case .acknowledgeAttention: _ = session.acknowledged()
        case .answerIgnored: _ = session.ignoredAnswered()
        case .none, .close: break
        }
    }
    return 0
}
