import TDSWire

/// What a request's rows go to, on the connection's event loop. One call decodes a whole read, so that what is erased here costs
/// nothing per row.
protocol RowConsumer: AnyObject {
    func consume(_ decoder: inout TokenStreamDecoder) throws(WireError) -> TokenStreamDecoder.Event
    /// The sink is full: it goes to the task that waits, which brings it back with ``TDSChannelHandler/resume(_:consumer:)``.
    func handOver()
    /// The response is complete, or there will be none.
    func finish(_ result: Result<ClientRequestStateMachine.Response, TDSError>)
}

/// How far a request got when its task is woken.
enum RequestStep<Sink: Sendable>: Sendable {
    case full(Sink)
    case finished(Sink, ClientRequestStateMachine.Response)
}

/// A sink and the task that waits for it. The sink moves between the two and is never in both, so that its buffers stay uniquely
/// referenced and are not copied.
final class SinkConsumer<Sink: RowSink & Sendable>: RowConsumer {
    private var sink: Sink?
    private var continuation: CheckedContinuation<RequestStep<Sink>, any Error>?

    init(_ sink: Sink, _ continuation: CheckedContinuation<RequestStep<Sink>, any Error>) {
        self.sink = sink
        self.continuation = continuation
    }

    /// Goes on after ``handOver()``.
    func resume(_ sink: Sink, _ continuation: CheckedContinuation<RequestStep<Sink>, any Error>) {
        self.sink = sink
        self.continuation = continuation
    }

    func consume(_ decoder: inout TokenStreamDecoder) throws(WireError) -> TokenStreamDecoder.Event {
        guard var working = sink.take() else { return .needMoreData }
        defer { sink = working }
        return try working.decode(from: &decoder)
    }

    func handOver() {
        guard let full = sink.take(), let waiting = continuation.take() else { return }
        waiting.resume(returning: .full(full))
    }

    func finish(_ result: Result<ClientRequestStateMachine.Response, TDSError>) {
        guard let waiting = continuation.take() else { return }
        switch result {
        case .success(let response):
            guard let final = sink.take() else { return waiting.resume(throwing: TDSError(.connectionClosed, "the request's sink is gone")) }
            waiting.resume(returning: .finished(final, response))
        case .failure(let error): waiting.resume(throwing: error)
        }
    }
}

/// Throws rows away: the rest of a cancelled response.
final class DiscardingConsumer: RowConsumer {
    private var sink = DiscardingSink()

    func consume(_ decoder: inout TokenStreamDecoder) throws(WireError) -> TokenStreamDecoder.Event {
        try sink.decode(from: &decoder)
    }
    func handOver() {}
    func finish(_ result: Result<ClientRequestStateMachine.Response, TDSError>) {}
}
