import ArgumentParser

@main
struct Benchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tds-benchmarks", abstract: "Measures the wire library: its speed, and the memory that it needs.",
        subcommands: [DecodeBenchmark.self, MemoryProof.self])
}
