// The endpoint configuration: the existing connector's fields, and options of our own under `advanced`, each with a default that
// leaves the existing behaviour.

import ExactJSON

/// How a capture is configured. Fields that are not known are an error that names them.
public struct CaptureConfiguration: Hashable, Sendable {
    /// The host of `address`.
    public var host: String
    /// The port of `address`; 1433 unless it says otherwise.
    public var port: Int
    public var database: String
    public var user: String
    public var password: String
    /// In which zone datetime, datetime2 and smalldatetime values are.
    public var timezone: TimeZoneSetting
    /// Capture change events without reducing them.
    public var historyMode: Bool
    public var discoveryFilters: DiscoveryFilters
    public var advanced: Advanced
    public var tunnel: SSHTunnel?

    /// Which tables discovery sees.
    public struct DiscoveryFilters: Hashable, Sendable {
        public var includeSchemas: [String] = []
        public var excludeSchemas: [String] = []
        public var tablePatterns: [TablePattern] = []
        public var discoverTablesWithoutCT = false
        public init() {}
    }

    /// What to do when changes have been lost: retention expired, a restore, a table recreated or truncated.
    public enum OnDataLoss: String, Hashable, Sendable, CaseIterable {
        /// Backfill the table again, and say so.
        case backfill
        /// End with an error that says what to do.
        case stop
    }

    public struct Advanced: Hashable, Sendable {
        public var discoverTablesWithoutCT = false
        public var skipBackfills = SkipBackfills()
        public var backfillChunkSize = 50_000
        public var pollingInterval = Duration.milliseconds(500)
        public var sourceTag: String?
        public var rediscoveryInterval = Duration.seconds(15 * 60)
        public var featureFlags = FeatureFlags()
        public var onDataLoss = OnDataLoss.backfill
        /// How many tables are backfilled at the same time.
        public var backfillParallelism = 1
        /// Tell the runtime when a backfill begins and ends; older runtimes do not know these messages.
        public var backfillMarkers = false
        /// How the connection is encrypted.
        public var encryption = Encryption.required
        public var trustServerCertificate = true
        /// PEM text of the certificate authorities that may have signed the server's certificate.
        public var certificateAuthority: String?
        /// The name in the server's certificate, if it is not the host's.
        public var certificateHostName: String?
        public init() {}
    }

    /// How the connection is encrypted.
    public enum Encryption: String, Hashable, Sendable, CaseIterable {
        /// Encrypted, or no connection.
        case required
        /// TDS 8.0: TLS before anything else.
        case strict
        /// Only the login is encrypted, unless the server wants more.
        case login
        /// Nothing is: the password crosses the network readable by anyone.
        case off
    }

    /// An SSH server through which the database is reached.
    public struct SSHTunnel: Hashable, Sendable {
        public var endpoint: String
        public var privateKey: String

        public init(endpoint: String, privateKey: String) {
            self.endpoint = endpoint
            self.privateKey = privateKey
        }
    }

    public init(host: String, port: Int = 1433, database: String, user: String, password: String) {
        self.host = host
        self.port = port
        self.database = database
        self.user = user
        self.password = password
        timezone = .utc
        historyMode = false
        discoveryFilters = DiscoveryFilters()
        advanced = Advanced()
    }

    /// Whether discovery shows tables without change tracking: either of the two settings.
    public var discoversTablesWithoutCT: Bool { discoveryFilters.discoverTablesWithoutCT || advanced.discoverTablesWithoutCT }

    /// Texts that must never be logged.
    public var secrets: [String] { [password] + (tunnel.map { [$0.privateKey] } ?? []) }
}

extension CaptureConfiguration {
    /// Reads the configuration's JSON form. Throws `ConfigurationError` in plain words.
    public init(_ value: JSONValue) throws(ConfigurationError) {
        var reader = try ConfigurationReader(value)
        func required(_ key: String, _ value: String?) throws(ConfigurationError) -> String {
            guard let value, !value.isEmpty else { throw ConfigurationError("missing '\(key)'") }
            return value
        }
        let address = try required("address", try reader.string("address"))
        let (host, port) = try Self.split(address: address)
        let user = try required("user", try reader.string("user"))
        let password = try required("password", try reader.string("password"))
        let database = try required("database", try reader.string("database"))
        self.init(host: host, port: port, database: database, user: user, password: password)
        if let zone = try reader.string("timezone"), !zone.isEmpty { timezone = try TimeZoneSetting(zone) }
        historyMode = try reader.bool("historyMode") ?? false
        if let filters = try reader.object("discoveryFilters") { discoveryFilters = try DiscoveryFilters(filters) }
        if let advanced = try reader.object("advanced") { self.advanced = try Advanced(advanced) }
        if var tunnel = try reader.object("networkTunnel") {
            if var forwarding = try tunnel.object("sshForwarding") {
                let endpoint = try required("networkTunnel.sshForwarding.sshEndpoint", try forwarding.string("sshEndpoint"))
                let key = try required("networkTunnel.sshForwarding.privateKey", try forwarding.string("privateKey"))
                guard endpoint.wholeMatch(of: #/ssh://.+@.+/#) != nil else {
                    throw ConfigurationError("'networkTunnel.sshForwarding.sshEndpoint' must look like ssh://user@host[:port]")
                }
                self.tunnel = SSHTunnel(endpoint: endpoint, privateKey: key)
                try forwarding.finish()
            }
            try tunnel.finish()
        }
        try reader.finish()
    }

    /// "host", "host:port", "[v6]", "[v6]:port", and a bare IPv6 address.
    static func split(address: String) throws(ConfigurationError) -> (host: String, port: Int) {
        func number(_ text: Substring) throws(ConfigurationError) -> Int {
            guard let port = Int(text), (1...65535).contains(port), text.allSatisfy(\.isNumber) else {
                throw ConfigurationError("'address' must be a host or host:port, but \"\(address)\" has no valid port")
            }
            return port
        }
        if address.hasPrefix("[") {
            guard let end = address.firstIndex(of: "]") else { throw ConfigurationError("'address' must be a host or host:port, but \"\(address)\" has no ']'") }
            let host = String(address[address.index(after: address.startIndex)..<end])
            let rest = address[address.index(after: end)...]
            guard !host.isEmpty, rest.isEmpty || rest.first == ":" else { throw ConfigurationError("'address' must be a host or host:port, but is \"\(address)\"") }
            return (host, rest.isEmpty ? 1433 : try number(rest.dropFirst()))
        }
        let parts = address.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return (address, 1433)
        case 2 where !parts[0].isEmpty: return (String(parts[0]), try number(parts[1]))
        case 3... where address.allSatisfy({ $0.isHexDigit || ":.%".contains($0) }): return (address, 1433)
        default: throw ConfigurationError("'address' must be a host or host:port, but is \"\(address)\"")
        }
    }
}

extension CaptureConfiguration.DiscoveryFilters {
    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        self.init()
        var reader = reader
        includeSchemas = try reader.strings("include_schemas") ?? []
        excludeSchemas = try reader.strings("exclude_schemas") ?? []
        for (index, pattern) in (try reader.strings("table_patterns") ?? []).enumerated() {
            tablePatterns.append(try TablePattern(pattern, field: "\(reader.name("table_patterns"))[\(index)]"))
        }
        discoverTablesWithoutCT = try reader.bool("discover_tables_without_ct") ?? false
        try reader.finish()
    }
}

extension CaptureConfiguration.Advanced {
    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        self.init()
        var reader = reader
        discoverTablesWithoutCT = try reader.bool("discover_tables_without_ct") ?? false
        if let list = try reader.string("skip_backfills") { skipBackfills = try SkipBackfills(list, field: reader.name("skip_backfills")) }
        if let size = try reader.integer("backfill_chunk_size"), size != 0 {
            guard (1...10_000_000).contains(size) else { throw ConfigurationError("'\(reader.name("backfill_chunk_size"))' must be between 1 and 10000000, but is \(size)") }
            backfillChunkSize = size
        }
        if let text = try reader.string("polling_interval"), !text.isEmpty {
            pollingInterval = try Interval.parse(text, field: reader.name("polling_interval"), within: .milliseconds(100) ... .seconds(60), "100ms and 60s")
        }
        if let tag = try reader.string("source_tag"), !tag.isEmpty { sourceTag = tag }
        if let text = try reader.string("rediscovery_interval"), !text.isEmpty {
            rediscoveryInterval = try Interval.parse(
                text, field: reader.name("rediscovery_interval"), within: .seconds(60) ... .seconds(365 * 86400), "1m and 365 days (8760h)")
        }
        if let flags = try reader.string("feature_flags") { featureFlags = try FeatureFlags(flags, field: reader.name("feature_flags")) }
        if let text = try reader.string("on_data_loss"), !text.isEmpty { onDataLoss = try Self.choice(text, reader.name("on_data_loss")) }
        if let tables = try reader.integer("backfill_parallelism"), tables != 0 {
            guard (1...32).contains(tables) else { throw ConfigurationError("'\(reader.name("backfill_parallelism"))' must be between 1 and 32, but is \(tables)") }
            backfillParallelism = tables
        }
        backfillMarkers = try reader.bool("backfill_markers") ?? false
        if let text = try reader.string("encryption"), !text.isEmpty { encryption = try Self.choice(text, reader.name("encryption")) }
        trustServerCertificate = try reader.bool("trust_server_certificate") ?? true
        if let text = try reader.string("certificate_authority"), !text.isEmpty { certificateAuthority = text }
        if let text = try reader.string("certificate_host_name"), !text.isEmpty { certificateHostName = text }
        try reader.finish()
    }

    static func choice<Choice: RawRepresentable & CaseIterable>(_ text: String, _ field: String) throws(ConfigurationError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: text) else {
            throw ConfigurationError("'\(field)' must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")), but is \"\(text)\"")
        }
        return choice
    }
}
