import FuzzSupport
import NIOCore
import TDSWire

/// What came of a stream.
private struct Outcome: Equatable {
    var tokens: [Token] = []
    var digest: UInt64 = 0
    var error: WireError?
    var isWhole = false
}

private func decode(_ parts: [ByteBuffer], _ control: UInt16) -> Outcome {
    var outcome = Outcome()
    var decoder = TokenStreamDecoder(version: [.v7_4, .v7_4, .v7_2, .v7_1][Int(control & 3)])
    decoder.columnEncryption = control & 4 != 0
    decoder.dataClassificationVersion = [nil, 2, 1, 2][Int(control >> 3 & 3)]
    var sink = DigestSink()
    do throws(WireError) {
        for part in parts {
            decoder.append(part)
            while case .token(let token) = try decoder.decode(into: &sink) { outcome.tokens.append(token) }
        }
        outcome.isWhole = decoder.isAtTokenBoundary
        outcome.digest = sink.digest
    } catch {
        // Where a stream is broken, how much of a value was seen before depends on the cuts; the tokens and the error don't.
        outcome.error = error
    }
    return outcome
}

/// Bytes 0 and 1: version, what was negotiated, and where the stream is cut. Whole and cut streams have to say the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = fuzzInput(start, count)
    guard let control = input.readInteger(endianness: .little, as: UInt16.self) else { return 0 }
    let whole = decode([input], control)
    let cut = Int(control >> 5) % (input.readableBytes + 1)
    var second = input
    guard let first = second.readSlice(length: cut) else { return 0 }
    let split = decode([first, second], control)
    if split != whole { finding("cut at \(cut): \(split.tokens.count) tokens, \(split.error.map { "\($0)" } ?? "no error"); whole: \(whole.tokens.count) tokens, \(whole.error.map { "\($0)" } ?? "no error")") }
    return 0
}
