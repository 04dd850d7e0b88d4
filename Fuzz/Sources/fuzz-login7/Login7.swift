import FuzzSupport
import NIOCore
import TDSRecording
import TDSWire

/// LOGIN7 and its features; and that blanking leaves no credentials and breaks nothing.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = fuzzInput(start, count)
    var blanked = CredentialBlanking.blank(input, type: .login7)
    if blanked.readableBytes != input.readableBytes { finding("blanking changed the length") }
    var buffer = input
    guard let login = try? buffer.readLogin7() else { return 0 }
    for feature in login.features {
        _ = try? feature.decode(as: SessionRecoveryFeature.self)
        _ = try? feature.decode(as: FederatedAuthenticationFeature.self)
        _ = try? feature.decode(as: ColumnEncryptionFeature.self)
        _ = try? feature.decode(as: DataClassificationFeature.self)
        _ = try? feature.decode(as: UserAgentFeature.self)
    }
    // Fields may overlap in what others wrote, so blanking one may change another; but the message still has to be one.
    _ = try? blanked.readLogin7()
    var again = ByteBuffer()
    // A message of ours has 16-bit offsets for all fields one behind the other; one with overlapping fields may not fit.
    guard (try? again.writeLogin7(login)) != nil, let second = try? again.readLogin7() else { return 0 }
    var expected = login
    // Flags that follow from fields.
    expected.options3.formUnion(second.options3)
    if second != expected { finding("LOGIN7 differs after a round") }
    return 0
}
