import FuzzSupport
import NIOCore
import TDSRecording
import TDSWire

/// Recordings: files, frames, TCP in any order, packets, replay.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let file = try? PcapFile(reading: fuzzInput(start, count)) else { return 0 }
    for connection in RecordedConnection.connections(in: file) {
        guard var script = try? ReplayServerScript(connection), let events = try? connection.packets() else { continue }
        // The recorded client itself has to be accepted, if its login can be read.
        for event in events where event.direction == .toServer { guard (try? script.clientPacket(event.packet)) != nil else { break } }
    }
    return 0
}
