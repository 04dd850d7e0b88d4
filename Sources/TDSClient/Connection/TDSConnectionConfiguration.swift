public import NIOCore
public import TDSRecording
public import TDSTLS
import TDSWire

/// How to reach a server and log in.
public struct TDSConnectionConfiguration: Sendable {
    /// When the connection is encrypted.
    public enum Encryption: Hashable, Sendable {
        /// Only the login, unless the server wants more (TDS 7.x). With a server that cannot encrypt, the login fails unless
        /// ``TDSConnectionConfiguration/allowsPlainLogin`` is set.
        case loginOnly
        /// Everything, or no connection (TDS 7.x).
        case required
        /// TLS before TDS (TDS 8.0): SQL Server 2022 and Azure SQL.
        case strict
        /// Never: the password crosses the network readable by anyone.
        case disabled
    }

    /// Who logs in. Its description never shows a password.
    public enum Authentication: Sendable, CustomStringConvertible, CustomReflectable {
        /// A SQL Server login.
        case sqlServer(user: String, password: String)

        public var description: String {
            switch self {
            case .sqlServer(let user, _): user
            }
        }

        /// `dump` and a debugger's default show no more than the description.
        public var customMirror: Mirror { Mirror(self, children: ["user": description]) }
    }

    /// Host name or address.
    public var host: String
    /// TCP port.
    public var port: Int
    public var authentication: Authentication
    /// The database to begin in; empty is the login's default.
    public var database: String
    public var encryption: Encryption
    /// What certificate is accepted, and which TLS versions.
    public var tls: TLSClientConfiguration
    /// Whether a server that cannot encrypt gets the password all the same. Only for ``Encryption/loginOnly``.
    public var allowsPlainLogin: Bool
    /// From the first packet sent until the login is through, routing included.
    public var connectTimeout: TimeAmount
    /// How long a cancelled request may take to stop before the connection is closed.
    public var cancelTimeout: TimeAmount
    /// The packet size to ask for, 512 to 32767 bytes; the server decides. Large results want large packets. Encrypted sessions are
    /// limited to 16383, because a TLS record is (SQL Server needs one record a packet).
    public var packetSize: Int
    /// As `program_name` in sys.dm_exec_sessions. At most 128 characters.
    public var applicationName: String
    /// As `host_name` in sys.dm_exec_sessions. At most 128 characters.
    public var hostName: String
    /// Says that the session only reads: a listener of an availability group may then send it to a readable secondary.
    public var readOnlyIntent: Bool
    /// How many times the server may send the client elsewhere during login.
    public var maximumRoutingHops: Int
    /// Records what the connection sends and receives, as it is without TLS: a pcap file that Wireshark reads and
    /// `TDSRecording.ReplayServer` plays again. Several connections may share a recorder; whoever made it closes it.
    ///
    /// Blanked are the password and whatever else a client authenticates with. Not blanked are the login's, host's and application's names,
    /// SQL text, parameters, and all rows: treat the file like the data in it. Nil, the default, records nothing.
    public var recording: SessionRecorder?

    public init(
        host: String, port: Int = 1433, authentication: Authentication, database: String = "", encryption: Encryption = .required,
        tls: TLSClientConfiguration = TLSClientConfiguration(), allowsPlainLogin: Bool = false, connectTimeout: TimeAmount = .seconds(30),
        cancelTimeout: TimeAmount = .seconds(5), packetSize: Int = 16384, applicationName: String = "swift-tds", hostName: String = "",
        readOnlyIntent: Bool = false, maximumRoutingHops: Int = 5, recording: SessionRecorder? = nil
    ) {
        self.host = host
        self.port = port
        self.authentication = authentication
        self.database = database
        self.encryption = encryption
        self.tls = tls
        self.allowsPlainLogin = allowsPlainLogin
        self.connectTimeout = connectTimeout
        self.cancelTimeout = cancelTimeout
        self.packetSize = packetSize
        self.applicationName = applicationName
        self.hostName = hostName
        self.readOnlyIntent = readOnlyIntent
        self.maximumRoutingHops = maximumRoutingHops
        self.recording = recording
    }
}

extension TDSConnectionConfiguration: CustomStringConvertible {
    /// Without the password.
    public var description: String {
        "\(authentication)@\(host):\(port)/\(database) (\(encryption))"
    }
}
