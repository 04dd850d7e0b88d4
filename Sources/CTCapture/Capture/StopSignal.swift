import Synchronization

/// Asks a capture to end between two transactions, from anywhere.
public final class StopSignal: Sendable {
    private struct State {
        var isStopped = false
        var next = 0
        var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    public var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Asks; more than once is the same as once.
    public func stop() {
        let sleepers = state.withLock { state in
            state.isStopped = true
            defer { state.sleepers.removeAll() }
            return Array(state.sleepers.values)
        }
        for sleeper in sleepers { sleeper.resume() }
    }

    /// Waits for the time to pass, or for ``stop()``, whichever comes first.
    func sleep(_ time: Duration) async {
        guard time > .zero else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: time) }
            group.addTask { await self.stopped() }
            await group.next()
            group.cancelAll()
        }
    }

    /// Waits for ``stop()``, or for the task to be cancelled.
    public func stopped() async {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resume = state.withLock { state in
                    if state.isStopped || Task.isCancelled { return true }
                    state.sleepers[id] = continuation
                    return false
                }
                if resume { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.resume()
        }
    }
}
