/// How tables are named in the state's `cursor`: lower-case schema.table, with `%` as %25 and `.` inside a part as %2E.
public enum CursorKey {
    public static func encode(_ table: TableName) -> String { "\(part(table.schema)).\(part(table.table))" }

    private static func part(_ name: String) -> String {
        String(
            name.lowercased().flatMap { character -> String in
                switch character {
                case "%": "%25"
                case ".": "%2E"
                default: String(character)
                }
            })
    }
}
