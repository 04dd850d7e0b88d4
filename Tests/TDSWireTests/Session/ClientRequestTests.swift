import TDSWire
import Testing

@Suite struct ClientRequestTests {
    typealias Machine = ClientRequestStateMachine
    static let attentionDone = Token.done(Done(status: .attention))
    static let error = ServerMessage(number: 208, severity: 16, text: "Invalid object name 'x'.")

    static func receiving() -> Machine {
        var machine = Machine(session: .init(database: "test", language: "us_english"))
        #expect(machine.begin() == PacketStatus())
        #expect(machine.sent() == .none)
        return machine
    }

    @Test func aRequest() {
        var machine = Self.receiving()
        #expect(!machine.isIdle && machine.begin() == nil)
        #expect(machine.tokenReceived(.done(Done(.doneInProc, status: [.more, .count], rowCount: 3))) == .none)
        #expect(machine.tokenReceived(.error(Self.error)) == .none)
        #expect(machine.tokenReceived(.returnStatus(-4)) == .none)
        #expect(machine.tokenReceived(.done(Done(.doneProc, status: [.error], rowCount: 99))) == .none)
        var response = Machine.Response()
        response.rowCounts = [3]
        response.errors = [Self.error]
        response.returnStatus = -4
        response.hasFailedStatement = true
        #expect(machine.messageEnded() == .complete(response))
        #expect(machine.isIdle)
    }

    @Test func aResponseWithoutLastDone() {
        var machine = Self.receiving()
        #expect(machine.tokenReceived(.done(Done(status: .more))) == .none)
        #expect(machine.messageEnded() == .close("a response that ends without its last DONE"))
        #expect(machine.begin() == nil)
    }

    /// Cancelled before the last packet: IGNORE, no attention, and the server's single DONE is awaited (MS-TDS 2.2.1.7).
    @Test func cancelledWhileSending() {
        var machine = Machine(session: .init())
        _ = machine.begin()
        #expect(machine.cancel() == .sendIgnore)
        #expect(machine.cancel() == .none && machine.isCancelling && !machine.isIdle)
        #expect(machine.tokenReceived(.done(Done(status: .error))) == .none)
        var response = Machine.Response()
        response.hasFailedStatement = true
        #expect(machine.messageEnded() == .cancelled(response))
        #expect(machine.isIdle)
    }

    @Test func cancelledWhileReceiving() {
        var machine = Self.receiving()
        #expect(machine.cancel() == .sendAttention)
        #expect(machine.cancel() == .none)
        #expect(machine.tokenReceived(.done(Done(status: .more))) == .none)
        #expect(machine.tokenReceived(Self.attentionDone) == .none)
        #expect(machine.messageEnded() == .cancelled(Machine.Response()))
    }

    /// The response was complete when the attention went out: its acknowledgement comes in a message of its own and has to be awaited,
    /// or the next request would take it for its response.
    @Test func attentionCrossesTheLastDone() {
        var machine = Self.receiving()
        #expect(machine.tokenReceived(.done(Done())) == .none)
        #expect(machine.cancel() == .sendAttention)
        #expect(machine.messageEnded() == .none)
        #expect(machine.begin() == nil)
        #expect(machine.tokenReceived(Self.attentionDone) == .none)
        #expect(machine.messageEnded() == .cancelled(Machine.Response()))
        #expect(machine.begin() != nil)
    }

    @Test func lostAcknowledgement() {
        for sent in [true, false] {
            var machine = Machine(session: .init())
            _ = machine.begin()
            if sent { machine.sent() }
            _ = machine.cancel()
            #expect(machine.cancelDeadlinePassed() == .close("the server did not acknowledge the cancellation in time"))
            #expect(!machine.isIdle && machine.begin() == nil && machine.cancel() == .none)
        }
        var idle = Self.receiving()
        #expect(idle.cancelDeadlinePassed() == .none)
    }

    @Test func acknowledgementOfNothing() {
        var machine = Self.receiving()
        #expect(machine.tokenReceived(Self.attentionDone) == .close("an acknowledgement of an attention that was not sent"))
    }

    @Test func answeredBeforeTheRequestEnds() {
        var machine = Machine(session: .init())
        _ = machine.begin()
        _ = machine.tokenReceived(.error(Self.error))
        _ = machine.tokenReceived(.done(Done(status: .error)))
        #expect(machine.messageEnded() == .none && !machine.isIdle)
        var response = Machine.Response()
        response.errors = [Self.error]
        response.hasFailedStatement = true
        #expect(machine.sent() == .complete(response))
        #expect(machine.isIdle)
    }

    /// Only ENVCHANGE says whether there is a transaction.
    @Test func transactionDescriptor() {
        var machine = Self.receiving()
        _ = machine.tokenReceived(.environmentChange(.beginTransaction(descriptor: 7)))
        #expect(machine.session.transactionDescriptor == 7)
        for end in [EnvironmentChange.commitTransaction(descriptor: 7), .rollbackTransaction(descriptor: 7), .transactionEnded(descriptor: 7)] {
            _ = machine.tokenReceived(.environmentChange(.beginTransaction(descriptor: 7)))
            _ = machine.tokenReceived(.error(Self.error))
            #expect(machine.session.transactionDescriptor == 7)
            _ = machine.tokenReceived(.environmentChange(end))
            #expect(machine.session.transactionDescriptor == 0)
        }
        // One that a transaction manager request of type TM_PROPAGATE_XACT joined.
        _ = machine.tokenReceived(.environmentChange(.enlistDTCTransaction(descriptor: 9)))
        #expect(machine.session.transactionDescriptor == 9)
        _ = machine.tokenReceived(.environmentChange(.defectTransaction(descriptor: 9)))
        #expect(machine.session.transactionDescriptor == 0)
    }

    @Test func reset() {
        var machine = Self.receiving()
        _ = machine.tokenReceived(.environmentChange(.database(new: "other", old: "test")))
        _ = machine.tokenReceived(.environmentChange(.beginTransaction(descriptor: 7)))
        _ = machine.tokenReceived(.done(Done()))
        _ = machine.messageEnded()
        machine.resetBeforeNextRequest()
        #expect(machine.begin() == .resetConnection)
        machine.sent()
        _ = machine.tokenReceived(.environmentChange(.resetConnectionAcknowledged))
        #expect(machine.session.database == "test" && machine.session.transactionDescriptor == 0)
        _ = machine.tokenReceived(.done(Done()))
        _ = machine.messageEnded()
        #expect(machine.begin() == PacketStatus())
    }

    @Test func packetSizeInMidSession() {
        var machine = Self.receiving()
        #expect(machine.tokenReceived(.environmentChange(.packetSize(new: 512, old: 4096))) == .setPacketSize(512))
        #expect(machine.session.packetSize == 512)
    }

    @Test func loginTokensInMidSession() {
        var machine = Self.receiving()
        #expect(machine.tokenReceived(.loginAck(ClientLoginTests.ack)) == .close("a token of the login in the middle of a session"))
    }

    /// A server that shuts down says so to idle sessions.
    @Test func errorWhileIdle() {
        var machine = Machine(session: .init())
        let shutdown = ServerMessage(number: 6005, severity: 10, text: "SHUTDOWN is in progress.")
        #expect(machine.tokenReceived(.error(shutdown)) == .none)
        #expect(machine.connectionClosed().errors == [shutdown])
    }
}
