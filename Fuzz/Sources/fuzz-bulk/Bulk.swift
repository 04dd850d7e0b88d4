import FuzzSupport
import NIOCore
import TDSWire

/// Bulk loads. Bytes 0 and 1: version and where the message is cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = fuzzInput(start, count)
    guard let control = input.readInteger(endianness: .little, as: UInt16.self) else { return 0 }
    let version: TDSVersion = control & 1 == 0 ? .v7_4 : .v7_1
    var buffer = input
    let load = try? buffer.readBulkLoad(version: version)

    var decoder = BulkLoadDecoder(version: version)
    var sink = DigestSink()
    var second = input
    guard let first = second.readSlice(length: Int(control >> 1) % (input.readableBytes + 1)) else { return 0 }
    do {
        for part in [first, second] {
            decoder.append(part)
            _ = try decoder.decode(into: &sink)
        }
        try decoder.finish()
        if load?.rows.count != sink.rows { finding("\(sink.rows) rows in two parts, \(load?.rows.count ?? -1) in one") }
    } catch {
        if load != nil { finding("a bulk load that reads in one part, but not in two: \(error)") }
    }
    if let load {
        var again = ByteBuffer()
        if (try? again.writeBulkLoad(load, version: version)) != nil {
            guard let second = try? again.readBulkLoad(version: version), second == load else { finding("a bulk load differs after a round") }
        }
    }
    return 0
}
