import Dispatch
import TDSRecording

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// SIGINT (ctrl-C), SIGTERM and SIGHUP complete the recording, then end the process as they always do.
struct RecordingSignals {
    private let sources: [any DispatchSourceSignal]

    init(_ recorder: SessionRecorder) {
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                try? recorder.close()
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
            source.activate()
            return source
        }
    }

    func cancel() { for source in sources { source.cancel() } }
}
