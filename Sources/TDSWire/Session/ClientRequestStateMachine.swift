/// The client's side of a session after the login (MS-TDS 3.2.5.4 to 3.2.5.8): one request at a time, its response, cancelling it, and
/// what ENVCHANGE tokens say about the session meanwhile.
///
/// A value without input or output: an event goes in, what is to be done comes out.
///
/// Cancelling follows what the server does (MS-TDS 2.2.1.7): before the request's last packet is sent there is nothing to interrupt, so
/// the message is ended with the IGNORE bit, and the server answers with a single DONE of DONE_ERROR; afterwards one attention is sent,
/// and the response is read until a DONE with the attention bit, even if the response's own last DONE has been read already: the two
/// may have crossed.
public struct ClientRequestStateMachine: Sendable {
    /// What the driver of the machine has to do next.
    public enum Action: Hashable, Sendable {
        case none
        /// End the half-sent message with a packet of status IGNORE and end-of-message, and start the deadline for its response.
        case sendIgnore
        /// Send an attention packet, and start the deadline for its acknowledgement.
        case sendAttention
        /// Packets from the next one on have this size, in both directions.
        case setPacketSize(Int)
        /// The request is done: deliver the response. The session is idle.
        case complete(Response)
        /// The request is done because it was cancelled. The session is idle.
        case cancelled(Response)
        /// The stream makes no sense any more, or the deadline passed: close the connection, and never use it again.
        case close(String)
    }

    /// What a response said besides rows.
    public struct Response: Hashable, Sendable {
        /// The valid row counts of DONE, DONEPROC and DONEINPROC, in order.
        public var rowCounts: [UInt64] = []
        public var errors: [ServerMessage] = []
        public var infos: [ServerMessage] = []
        /// What a procedure returned.
        public var returnStatus: Int32?
        /// Output parameters.
        public var returnValues: [ReturnValue] = []
        /// A DONE said that its statement failed. An ERROR should have come with it, but need not.
        public var hasFailedStatement = false

        public init() {}
    }

    /// What is known about the session.
    public struct Session: Hashable, Sendable {
        public var database: String
        public var collation: Collation?
        public var packetSize: Int
        public var language: String
        /// The descriptor of the transaction in progress, 0 without one. Only ENVCHANGE tokens change it, for the server may roll back by itself.
        public var transactionDescriptor: UInt64 = 0

        public init(database: String = "", collation: Collation? = nil, packetSize: Int = 4096, language: String = "") {
            self.database = database
            self.collation = collation
            self.packetSize = packetSize
            self.language = language
        }
    }

    private enum State: Hashable, Sendable {
        case idle
        /// The request's last packet has not been handed to the transport.
        case sending
        case receiving
        /// The server answered before the request's last packet was sent; it will be the response if the request is still ended.
        case answered
        /// The request was ended with the IGNORE bit; the response that says so has not come.
        case ignoring
        /// An attention was sent; its acknowledgement has not come.
        case cancelling(acknowledged: Bool)
        case closed
    }

    private var state = State.idle
    private var response = Response()
    private var lastDone: Done?
    private var resetRequested = false
    public private(set) var session: Session
    /// What a reset restores.
    private let initial: Session

    public init(session: Session) {
        self.session = session
        initial = session
    }

    /// Whether a request may be started.
    public var isIdle: Bool { state == .idle }
    /// Whether a cancelled request's rest is being read: rows are to be thrown away.
    public var isCancelling: Bool {
        switch state {
        case .cancelling, .ignoring: true
        default: false
        }
    }

    /// The next request's first packet shall carry the reset-connection bit.
    public mutating func resetBeforeNextRequest() { resetRequested = true }

    /// A request begins; nil if the session is not idle.
    ///
    /// - Returns: the status bits of its first packet.
    public mutating func begin() -> PacketStatus? {
        guard state == .idle else { return nil }
        state = .sending
        response = Response()
        lastDone = nil
        defer { resetRequested = false }
        return resetRequested ? .resetConnection : []
    }

    /// The request's last packet was handed to the transport.
    @discardableResult
    public mutating func sent() -> Action {
        switch state {
        case .sending:
            state = .receiving
            return .none
        case .answered:
            state = .idle
            return .complete(response)
        default: return .none
        }
    }

    /// Nobody wants the response any more.
    public mutating func cancel() -> Action {
        switch state {
        case .idle, .closed, .cancelling, .ignoring: return .none
        case .sending, .answered:
            state = .ignoring
            return .sendIgnore
        case .receiving:
            state = .cancelling(acknowledged: false)
            return .sendAttention
        }
    }

    /// The attention was not acknowledged in time.
    public mutating func cancelDeadlinePassed() -> Action {
        guard isCancelling else { return .none }
        return close("the server did not acknowledge the cancellation in time")
    }

    /// A token arrived.
    public mutating func tokenReceived(_ token: Token) -> Action {
        // An error that ends the session may come at any time.
        if case .error(let message) = token { response.errors.append(message) }
        guard state != .idle, state != .closed else {
            return state == .closed ? .none : receivedIdle(token)
        }
        switch token {
        case .error: break
        case .info(let message): response.infos.append(message)
        case .returnStatus(let status): response.returnStatus = status
        case .returnValue(let value): response.returnValues.append(value)
        case .done(let done):
            lastDone = done
            if done.status.contains(.attention) {
                guard case .cancelling = state else { return close("an acknowledgement of an attention that was not sent") }
                state = .cancelling(acknowledged: true)
            } else if let count = done.validRowCount {
                response.rowCounts.append(count)
            }
            if !done.status.isDisjoint(with: [.error, .serverError]) { response.hasFailedStatement = true }
        case .environmentChange: return apply(token) ?? .none
        case .loginAck, .fedAuthInfo, .sspi: return close("a token of the login in the middle of a session")
        default: break
        }
        return .none
    }

    /// A server that shuts down, or ends the session, tells so between requests. A result that nobody asked for, or an acknowledgement of
    /// an attention, would be taken for the next request's.
    private mutating func receivedIdle(_ token: Token) -> Action {
        switch token {
        case .error, .info: return .none
        case .environmentChange: return apply(token) ?? .none
        case .done(let done) where !done.status.contains(.attention): return .none
        default: return close("a response without a request")
        }
    }

    /// A response message was read to its end.
    public mutating func messageEnded() -> Action {
        switch state {
        case .receiving, .sending:
            guard let done = lastDone, !done.status.contains(.more) else { return close("a response that ends without its last DONE") }
            // A server that refuses a bulk load need not wait for its end.
            if state == .sending {
                state = .answered
                return .none
            }
            state = .idle
            return .complete(response)
        case .ignoring:
            state = .idle
            return .cancelled(response)
        case .answered: return close("two responses to one request")
        case .cancelling(acknowledged: true):
            state = .idle
            return .cancelled(response)
        // The response crossed the attention; the acknowledgement comes in a message of its own.
        case .cancelling(acknowledged: false): return .none
        case .idle: return .none
        case .closed: return .none
        }
    }

    /// The connection is gone, or is to be given up.
    public mutating func connectionClosed() -> Response {
        state = .closed
        return response
    }

    private mutating func close(_ reason: String) -> Action {
        state = .closed
        return .close(reason)
    }

    private mutating func apply(_ token: Token) -> Action? {
        guard case .environmentChange(let change) = token else { return nil }
        switch change {
        case .database(let new, _): session.database = new
        case .language(let new, _): session.language = new
        case .collation(let new, _): session.collation = new
        case .packetSize(let new, _):
            session.packetSize = new
            return .setPacketSize(new)
        case .beginTransaction(let descriptor), .enlistDTCTransaction(let descriptor): session.transactionDescriptor = descriptor
        case .commitTransaction, .rollbackTransaction, .transactionEnded, .defectTransaction: session.transactionDescriptor = 0
        // A reset rolls back and restores what the login set, without telling it by ENVCHANGE tokens of its own.
        case .resetConnectionAcknowledged:
            session.transactionDescriptor = 0
            session.database = initial.database
            session.language = initial.language
            session.collation = initial.collation
        default: break
        }
        return nil
    }
}
