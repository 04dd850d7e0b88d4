import NIOCore
import TDSWire

// Requests of the session: sending, waiting, cancelling, and what their state machine asks for.
extension TDSChannelHandler {
    /// Sends a request; its rows and its end go to the consumer. While a cancelled request ends, one other may wait for that.
    func send(_ request: TDSRequest, id: Int, consumer: any RowConsumer) {
        switch phase {
        case .closed(let error): consumer.finish(.failure(Self.unusable(error)))
        case .login: consumer.finish(.failure(TDSError(.connectionClosed, "the login is not complete")))
        case .session(let machine):
            if machine.isCancelling, next == nil {
                next = (id, request, consumer)
            } else {
                begin(request, id, consumer, machine)
            }
        }
    }

    func begin(_ request: TDSRequest, _ id: Int, _ consumer: any RowConsumer, _ machine: ClientRequestStateMachine) {
        var machine = machine
        guard let status = machine.begin() else {
            return consumer.finish(.failure(TDSError(.requestInProgress, "another request of this connection is in progress")))
        }
        let type: PacketType
        let message: ByteBuffer
        do {
            (type, message) = try request.message(session: machine.session, version: version)
        } catch {
            return consumer.finish(.failure(error))
        }
        machine.sent()
        phase = .session(machine)
        active = Active(id: id, consumer: consumer)
        send(message, type, status)
        read()
    }

    /// What a request on a connection that was given up fails with: the reason, as one that concerns the connection and not the request.
    static func unusable(_ reason: TDSError) -> TDSError {
        guard reason.code != .connectionClosed else { return reason }
        return TDSError(.connectionClosed, "the connection was closed after an earlier error", underlying: reason)
    }

    /// Whether a request waits for a cancelled one to end.
    var hasWaitingRequest: Bool { next != nil }

    /// The sink is back.
    func resume(_ id: Int, consumer: any RowConsumer) {
        guard let current = active, current.id == id, current.cancelled == nil else {
            let error: TDSError = if case .closed(let error) = phase { error } else { TDSError(.cancelled, "the request was cancelled") }
            return consumer.finish(.failure(error))
        }
        active?.isPaused = false
        process()
        if active?.isPaused != true { read() }
    }

    /// Nobody wants the rest of the request with this id; nothing happens if it is over.
    func cancel(_ id: Int) {
        if let waiting = next, waiting.id == id {
            next = nil
            waiting.consumer.finish(.failure(TDSError(.cancelled, "the request was cancelled before it was sent")))
            return
        }
        guard case .session(var machine) = phase, let current = active, current.id == id, current.cancelled == nil else { return }
        if let inputEnd { return fail(inputEnd) }
        let action = machine.cancel()
        phase = .session(machine)
        active = Active(id: id, consumer: DiscardingConsumer(), cancelled: current.consumer)
        perform(action)
        process()
        read()
    }

    func perform(_ action: ClientRequestStateMachine.Action) {
        switch action {
        case .none, .sendIgnore: break
        case .sendAttention:
            guard let context else { return }
            send(ByteBuffer(), .attention)
            if case .closed = phase { return }
            cancelDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: cancelTimeout) { [weak self] in self?.cancelDeadlinePassed() }
        case .setPacketSize(let size): packetSize = size
        case .complete(let response):
            let finished = active
            active = nil
            finished?.consumer.finish(.success(response))
            endIfFatal(response)
        case .cancelled(let response):
            cancelDeadline?.cancel()
            cancelDeadline = nil
            let finished = active
            active = nil
            finished?.cancelled?.finish(
                .failure(TDSError(.cancelled, "the request was cancelled", serverErrors: response.errors, serverInfos: response.infos)))
            endIfFatal(response)
            guard let waiting = next else { return }
            next = nil
            send(waiting.request, id: waiting.id, consumer: waiting.consumer)
        case .close(let reason): fail(TDSError(.protocolViolation, reason))
        }
    }

    /// An error of severity 20 or above ends the session; the server closes the connection a moment later.
    func endIfFatal(_ response: ClientRequestStateMachine.Response) {
        guard response.errors.contains(where: { $0.severity >= 20 }) else { return }
        fail(TDSError(.connectionClosed, "the server ended the session", serverErrors: response.errors))
    }

    func cancelDeadlinePassed() {
        guard case .session(var machine) = phase else { return }
        let action = machine.cancelDeadlinePassed()
        phase = .session(machine)
        perform(action)
    }

    /// What a login that takes too long waits for.
    var loginStage: String { stage }

    /// What is known about the session, or why there is none.
    var session: Result<ClientRequestStateMachine.Session, TDSError> {
        switch phase {
        case .session(let machine): inputEnd.map { .failure($0) } ?? .success(machine.session)
        case .closed(let error): .failure(error)
        case .login: .failure(TDSError(.connectionClosed, "the login is not complete"))
        }
    }

    /// The next request is preceded by a reset of the session (sp_reset_connection).
    func resetBeforeNextRequest() {
        guard case .session(var machine) = phase else { return }
        machine.resetBeforeNextRequest()
        phase = .session(machine)
    }
}
