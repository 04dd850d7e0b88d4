import FuzzSupport
import NIOCore
import TDSWire

/// RPC, SQL batch, transaction manager and FEDAUTH messages. Byte 0: version. What decodes has to survive another round.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = fuzzInput(start, count)
    guard let control = input.readInteger(as: UInt8.self) else { return 0 }
    let version: TDSVersion = control & 1 == 0 ? .v7_4 : .v7_1
    var buffer = input
    if let message = try? buffer.readRPCRequest(version: version, hasEnclavePackages: control & 2 != 0) {
        var again = ByteBuffer()
        // Not everything that can be read may be written: empty NULLs of fixed types and the like are refused.
        if (try? again.writeRPCRequest(message, version: version)) != nil {
            guard let second = try? again.readRPCRequest(version: version, hasEnclavePackages: control & 2 != 0), second == message else {
                finding("an RPC differs after a round")
            }
        }
    }
    buffer = input
    if let message = try? buffer.readTransactionManagerRequest(version: version) {
        var again = ByteBuffer()
        if (try? again.writeTransactionManagerRequest(message)) != nil {
            guard let second = try? again.readTransactionManagerRequest(version: version), second == message else {
                finding("a transaction manager request differs after a round")
            }
        }
    }
    buffer = input
    _ = try? buffer.readRPCRequestOfUnknownVersion()
    buffer = input
    _ = try? buffer.readSQLBatch(version: version)
    buffer = input
    _ = try? buffer.readSQLBatchOfUnknownVersion()
    buffer = input
    _ = try? buffer.readFedAuthToken()
    buffer = input
    _ = try? buffer.readBulkText()
    buffer = input
    _ = try? buffer.readSMPHeader()
    return 0
}
