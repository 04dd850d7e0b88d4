/// The server's side of a session after the login (MS-TDS 3.3.5.8, 3.3.5.9): packets become messages, one request is executed at a
/// time, an attention stops it and is acknowledged.
///
/// A value without input or output: an event goes in, what is to be done comes out.
public struct ServerRequestStateMachine: Sendable {
    /// What the driver of the machine has to do next.
    public enum Action: Hashable, Sendable {
        case none
        /// Execute the request, send its response, then call ``responseFinished()``.
        case execute(ClientMessage)
        /// Stop executing: end the response with a DONE as soon as possible, then call ``responseFinished()``.
        case cancel
        /// Send a message with a single DONE of status ``Done/Status/attention``; then call ``acknowledged()``.
        case acknowledgeAttention
        /// Send a message with a single DONE of status ``Done/Status/error``: the client gave its request up before its end.
        case answerIgnored
        /// Close the connection without a word.
        case close(String)
    }

    private enum State: Hashable, Sendable {
        case idle
        case executing(attention: Bool)
        case acknowledging
        case closed
    }

    private enum Waiting: Hashable, Sendable {
        case request(ClientMessage)
        case ignored
    }

    private var state = State.idle
    private var assembler: MessageAssembler
    /// Messages that came while another request was executed, in order. Clients without MARS should not do that, but may.
    private var waiting: [Waiting] = []
    private let waitingLimit: Int

    /// - Parameters:
    ///   - messageLimit: the largest message in bytes. SQL Server takes batches of 65536 packets.
    ///   - waitingLimit: how many requests may wait before the connection is closed.
    public init(messageLimit: Int = 65_536 * 4096, waitingLimit: Int = 16) {
        assembler = MessageAssembler(limit: messageLimit)
        self.waitingLimit = waitingLimit
    }

    /// Whether a request is being executed.
    public var isExecuting: Bool { if case .executing = state { true } else { false } }

    /// A packet arrived.
    public mutating func packetReceived(_ packet: Packet) -> Action {
        guard state != .closed else { return .none }
        do throws(WireError) {
            switch try assembler.receive(packet) {
            case .incomplete: return .none
            case .attention: return attention()
            case .ignored: return arrived(.ignored)
            case .message(let message):
                switch message.type {
                case .sqlBatch, .rpc, .bulkLoad, .transactionManagerRequest: return arrived(.request(message))
                default: return close("\(message.type) in the middle of a session")
                }
            }
        } catch {
            return close("\(error)")
        }
    }

    /// The response of the request was sent to its last DONE.
    public mutating func responseFinished() -> Action {
        guard case .executing(let attention) = state else { return .none }
        // An attention that came too late to stop anything is acknowledged all the same: the client waits for it.
        if attention {
            state = .acknowledging
            return .acknowledgeAttention
        }
        state = .idle
        return next()
    }

    /// The acknowledgement was sent.
    public mutating func acknowledged() -> Action {
        guard state == .acknowledging else { return .none }
        state = .idle
        return next()
    }

    /// The connection is gone.
    public mutating func connectionClosed() {
        state = .closed
        waiting = []
    }

    private mutating func attention() -> Action {
        switch state {
        case .idle:
            state = .acknowledging
            return .acknowledgeAttention
        case .executing(attention: false):
            state = .executing(attention: true)
            return .cancel
        case .executing(attention: true), .acknowledging, .closed: return .none
        }
    }

    private mutating func arrived(_ message: Waiting) -> Action {
        waiting.append(message)
        guard waiting.count <= waitingLimit else { return close("too many requests at once") }
        return state == .idle ? next() : .none
    }

    /// Takes the next message up. An ignored one leaves the session idle; its driver calls ``ignoredAnswered()``.
    private mutating func next() -> Action {
        guard !waiting.isEmpty else { return .none }
        switch waiting.removeFirst() {
        case .request(let message):
            state = .executing(attention: false)
            return .execute(message)
        case .ignored: return .answerIgnored
        }
    }

    /// The answer to an ignored request was sent.
    public mutating func ignoredAnswered() -> Action { state == .idle ? next() : .none }

    private mutating func close(_ reason: String) -> Action {
        state = .closed
        waiting = []
        return .close(reason)
    }
}
