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
    /// The response is complete. It may hold errors, after the rows that came before them.
    case finished(Sink, ClientRequestStateMachine.Response)
    /// There is no more to come; the sink holds the rows that came before, if it was not with the task.
    case failed(Sink?, TDSError)
}

/// A sink and the task that waits for it. The sink moves between the two and is never in both, so that its buffers stay uniquely
/// referenced and are not copied.
final class SinkConsumer<Sink: RowSink & Sendable>: RowConsumer {
    private var sink: Sink?
    private var continuation: CheckedContinuation<RequestStep<Sink>, Never>?

    init(_ sink: Sink, _ continuation: CheckedContinuation<RequestStep<Sink>, Never>) {
        self.sink = sink
        self.continuation = continuation
    }

    /// Goes on after ``handOver()``.
    func resume(_ sink: Sink, _ continuation: CheckedContinuation<RequestStep<Sink>, Never>) {
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
        // Without a continuation the task has the sink, and learns of the end when it brings it back.
        guard let waiting = continuation.take() else { return }
        let last = sink.take()
        switch (result, last) {
        case (.success(let response), let last?): waiting.resume(returning: .finished(last, response))
        case (.success, nil): waiting.resume(returning: .failed(nil, TDSError(.connectionClosed, "the request's sink is gone")))
        case (.failure(let error), _): waiting.resume(returning: .failed(last, error))
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

/// Takes no rows: what comes between requests.
struct RefusingSink: RowSink {
    func columns(_ columns: [ColumnMetadata]) {}
    func rowBegins() throws(WireError) { throw WireError(.unexpectedMessage, "ROW", "a row without a request") }
    func null(column: Int) {}
    func value(_ bytes: RawSpan, column: Int) {}
    func largeValueBegins(column: Int, length: UInt64?) {}
    func largeValueChunk(_ bytes: RawSpan, column: Int) {}
    func largeValueEnds(column: Int) {}
    func rowEnds() {}
}
