// Values, columns and responses are TDSWire's, trust and certificates TDSTLS's: who imports TDSClient needs no other import.
@_exported import TDSTLS
@_exported import TDSWire
