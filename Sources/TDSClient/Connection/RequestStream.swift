import NIOCore
import Synchronization
import TDSWire
import Tracing

/// One request, seen from the task that made it: steps at which the sink comes to the task.
///
/// The sink goes to the event loop and back in a box that it is taken out of, so that it is referenced once at any time. Used by one
/// task at a time; the last reference cancels what is not finished.
final class RequestStream<Sink: RowSink & Sendable>: Sendable {
    private struct State {
        /// Until it is sent.
        var request: TDSRequest?
        var sink: Sink?
        var consumer: NIOLoopBound<SinkConsumer<Sink>>?
        var observation: RequestObservation?
        var isCancelled = false
        var isFinished = false
    }

    private let connection: TDSConnection
    private let id: Int
    private let state: Mutex<State>

    init(_ connection: TDSConnection, _ request: TDSRequest, sink: Sink) {
        self.connection = connection
        id = connection.newRequestID()
        state = Mutex(State(request: request, sink: sink))
    }

    deinit {
        let (isUnfinished, observation) = state.withLock { state in (!state.isFinished && state.request == nil, state.observation.take()) }
        guard isUnfinished else { return }
        connection.cancel(id)
        observation?.ended(nil, TDSError(.cancelled, "the request's rows were not read to their end"))
    }

    /// Puts the sink back after ``RequestStep/full(_:)``, before the next step.
    func giveBack(_ sink: consuming Sink) {
        let sink = sink
        state.withLock { $0.sink = sink }
    }

    /// Cancels the request, at any moment.
    func cancel() {
        // Noted first: a request that is on its way to the event loop is not sent there any more.
        state.withLock { $0.isCancelled = true }
        connection.cancel(id)
    }

    /// Sends the request, or goes on with it, and waits until its sink is full or its response complete.
    ///
    /// - Returns: never ``RequestStep/failed(_:_:)`` without rows: that is thrown.
    /// - Throws: ``TDSError``, or `CancellationError` if the task was cancelled. The request is over then.
    func next() async throws -> RequestStep<Sink> {
        let context = ServiceContext.current
        let step = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<RequestStep<Sink>, Never>) in
                connection.onHandler { [self] handler in proceed(handler, context, continuation) }
            }
        } onCancel: {
            cancel()
        }
        switch step {
        case .full: return step
        case .finished(_, let response):
            ended(response, response.error)
            return step
        case .failed(let sink, let error):
            // Two tasks read one sequence: that is the second one's mistake, and the first goes on.
            if error.code == .requestInProgress, state.withLock({ $0.consumer != nil }) { throw error }
            ended(nil, error)
            if error.code == .cancelled, Task.isCancelled { throw CancellationError() }
            guard sink != nil, error.code == .connectionClosed || error.code == .protocolViolation || error.code == .tls else { throw error }
            return step
        }
    }

    private func ended(_ response: ClientRequestStateMachine.Response?, _ error: TDSError?) {
        let observation = state.withLock { state in
            state.isFinished = true
            return state.observation.take()
        }
        observation?.ended(response, error)
    }

    /// On the event loop.
    private func proceed(_ handler: TDSChannelHandler, _ context: ServiceContext?, _ continuation: CheckedContinuation<RequestStep<Sink>, Never>) {
        let (request, sink, consumer, isCancelled) = state.withLock { state in
            (state.request.take(), state.sink.take(), state.consumer, state.isCancelled)
        }
        guard let sink else {
            return continuation.resume(returning: .failed(nil, TDSError(.requestInProgress, "a request's rows are read by two tasks")))
        }
        if let consumer = consumer?.value {
            consumer.resume(sink, continuation)
            handler.resume(id, consumer: consumer)
        } else if isCancelled {
            continuation.resume(returning: .failed(sink, TDSError(.cancelled, "the request was cancelled before it was sent")))
        } else if let request {
            let consumer = SinkConsumer(sink, continuation)
            let observation = connection.instruments.begins(request, database: try? handler.session.get().database, context: context)
            state.withLock { state in
                state.consumer = NIOLoopBound(consumer, eventLoop: connection.eventLoop)
                state.observation = observation
            }
            handler.send(request, id: id, consumer: consumer)
        } else {
            continuation.resume(returning: .failed(sink, TDSError(.connectionClosed, "the request is over")))
        }
    }
}

extension ClientRequestStateMachine.Response {
    /// All errors of the response as one; nil if there are none.
    var error: TDSError? {
        guard !errors.isEmpty || hasFailedStatement else { return nil }
        return TDSError(server: errors, infos: infos)
    }
}
