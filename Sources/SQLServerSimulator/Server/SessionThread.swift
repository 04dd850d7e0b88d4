// A session's thread: the engine computes and waits here, away from the event loops.
import Dispatch
import Foundation
import Logging
import NIOCore
import Synchronization
import TDSWire

/// The mailbox of one connection's thread, and what other threads may do to it. The thread starts with the login and ends with the connection.
final class SessionThread: Sendable {
    enum Job: Sendable {
        case login(Login7, isEncrypted: Bool, isStrict: Bool)
        case request(ClientMessage)
        /// A message that the client took back with its last packet.
        case ignored
        case attention
        case closed
    }

    private struct Shared {
        var jobs: [Job] = []
        var isStarted = false
        /// An attention that nobody has acknowledged.
        var attention = false
        /// The engine's flag, once there is a session.
        var cancellation: CancellationFlag?
    }

    let environment: ConnectionEnvironment
    let output: ConnectionOutput
    private let shared = Mutex(Shared())
    private let available = DispatchSemaphore(value: 0)

    init(environment: ConnectionEnvironment, output: ConnectionOutput) {
        self.environment = environment
        self.output = output
    }

    // MARK: From the event loop

    func login(_ login: Login7, isEncrypted: Bool, isStrict: Bool) {
        shared.withLock { $0.isStarted = true }
        Thread.detachNewThread { [self] in run() }
        post(.login(login, isEncrypted: isEncrypted, isStrict: isStrict))
    }

    func request(_ message: ClientMessage) { post(.request(message)) }

    func ignored() { post(.ignored) }

    func attention() {
        if environment.faults.current.ignoresAttention { return }
        shared.withLock { shared in
            shared.cancellation?.cancel()
            shared.attention = true
        }
        post(.attention)
    }

    func connectionClosed() {
        output.closed()
        let isStarted = shared.withLock { shared in
            shared.cancellation?.cancel()
            return shared.isStarted
        }
        if isStarted { post(.closed) }
    }

    private func post(_ job: Job) {
        shared.withLock { $0.jobs.append(job) }
        available.signal()
    }

    // MARK: On the thread

    private func nextJob() -> Job {
        available.wait()
        return shared.withLock { $0.jobs.isEmpty ? .closed : $0.jobs.removeFirst() }
    }

    /// Takes the attention that has come, if one has: the caller acknowledges it. The engine may go on then.
    func takeAttention() -> Bool {
        shared.withLock { shared in
            guard shared.attention else { return false }
            shared.attention = false
            shared.cancellation?.reset()
            return true
        }
    }

    /// Makes the engine's flag reachable for attentions.
    func adopt(_ cancellation: CancellationFlag) {
        shared.withLock { shared in
            shared.cancellation = cancellation
            if shared.attention { cancellation.cancel() }
        }
    }

    private func run() {
        var runner: RequestRunner?
        defer { runner?.close() }
        do {
            while true {
                switch nextJob() {
                case .closed: return
                case .login(let login, let isEncrypted, let isStrict):
                    runner = try LoginResponse(thread: self, login: login, isEncrypted: isEncrypted, isStrict: isStrict).send()
                    if runner == nil { return output.close() }
                case .request(let message):
                    delay()
                    guard try runner?.answer(message) ?? false else { return output.close() }
                case .ignored: try runner?.answerIgnored()
                case .attention: try runner?.answerAttention()
                }
            }
        } catch is ConnectionGone {
            return
        } catch {
            environment.logger.error("a connection is closed after an error", metadata: ["error": "\(error)"])
            output.close()
        }
    }

    private func delay() {
        let latency = environment.faults.current.latency
        if latency > .zero {
            let (seconds, attoseconds) = latency.components
            Thread.sleep(forTimeInterval: Double(seconds) + Double(attoseconds) / 1e18)
        }
    }
}
