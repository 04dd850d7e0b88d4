import NIOCore
import Synchronization
import TDSWire

/// One request, seen from the task that made it: steps at which the sink comes to the task.
///
/// The sink goes to the event loop and back in a box that it is taken out of, so that it is referenced once at any time. Used by one
/// task at a time; the last reference cancels what is not finished.
final class RequestStream<Sink: RowSink & Sendable>: Sendable {
    private struct State {
        var request: TDSRequest?
        var sink: Sink?
        var consumer: NIOLoopBound<SinkConsumer<Sink>>?
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
        if state.withLock({ !$0.isFinished && $0.request == nil }) { connection.cancel(id) }
    }

    /// Puts the sink back after ``RequestStep/full(_:)``, before the next step.
    func giveBack(_ sink: consuming Sink) {
        let sink = sink
        state.withLock { $0.sink = sink }
    }

    /// Cancels the request.
    func cancel() {
        state.withLock { $0.isFinished = true }
        connection.cancel(id)
    }

    /// Sends the request, or goes on with it, and waits until its sink is full or its response complete.
    ///
    /// - Throws: ``TDSError``. The request is over then.
    func next() async throws -> RequestStep<Sink> {
        do {
            let step = try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<RequestStep<Sink>, any Error>) in
                    connection.onHandler { [self] handler in proceed(handler, continuation) }
                }
            } onCancel: {
                connection.cancel(id)
            }
            if case .finished = step { state.withLock { $0.isFinished = true } }
            return step
        } catch let error as TDSError where error.code == .cancelled && Task.isCancelled {
            state.withLock { $0.isFinished = true }
            throw CancellationError()
        } catch {
            state.withLock { $0.isFinished = true }
            throw error
        }
    }

    /// On the event loop.
    private func proceed(_ handler: TDSChannelHandler, _ continuation: CheckedContinuation<RequestStep<Sink>, any Error>) {
        let (request, sink, consumer) = state.withLock { state in (state.request.take(), state.sink.take(), state.consumer) }
        guard let sink else { return continuation.resume(throwing: TDSError(.requestInProgress, "a request's rows are read by two tasks")) }
        if let consumer = consumer?.value {
            consumer.resume(sink, continuation)
            handler.resume(id, consumer: consumer)
        } else if let request {
            let consumer = SinkConsumer(sink, continuation)
            if let eventLoop = handler.eventLoop {
                state.withLock { $0.consumer = NIOLoopBound(consumer, eventLoop: eventLoop) }
            }
            handler.send(request, id: id, consumer: consumer)
        }
    }
}
