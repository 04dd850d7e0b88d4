/// Messages by what they say; numbers and texts as in `sys.messages` of SQL Server 2022. The interpreter fills server and line in.
enum Messages {
    typealias M = SQLServerMessage
    private static func m(_ number: Int32, _ severity: UInt8, _ text: String, state: UInt8 = 1, line: Int32 = 0) -> M {
        M(number: number, state: state, severity: severity, text: text, line: line)
    }

    // Syntax
    static func syntax(_ near: String, line: Int32) -> M { m(102, 15, "Incorrect syntax near '\(near)'.", line: line) }
    static func keyword(_ near: String, line: Int32) -> M { m(156, 15, "Incorrect syntax near the keyword '\(near)'.", line: line) }
    static func unclosedQuote(_ text: String, line: Int32) -> M {
        m(105, 15, "Unclosed quotation mark after the character string '\(text)'.", line: line)
    }
    static func missingEndComment(line: Int32) -> M { m(113, 15, "Missing end comment mark '*/'.", line: line) }
    static func undeclared(_ name: String) -> M { m(137, 15, "Must declare the scalar variable \"\(name)\".", state: 2) }
    static func undeclaredTable(_ name: String) -> M { m(1087, 15, "Must declare the table variable \"\(name)\".", state: 2) }
    static func redeclared(_ name: String) -> M {
        m(134, 15, "The variable name '\(name)' has already been declared. Variable names must be unique within a query batch or stored procedure.", state: 2)
    }
    static func notBoolean(_ near: String, line: Int32) -> M {
        m(4145, 15, "An expression of non-boolean type specified in a context where a condition is expected, near '\(near)'.", line: line)
    }
    static let emptyName = m(1038, 15, "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. For other statements, look for empty alias names. Aliases defined as \"\" or [] are not allowed. Change the alias to a valid name.", state: 4)
    static func notAFunction(_ name: String) -> M { m(195, 15, "'\(name)' is not a recognized built-in function name.", state: 10) }
    static func functionArguments(_ name: String, _ count: Int) -> M { m(174, 15, "The \(name) function requires \(count) argument(s).") }
    static func functionArguments(_ name: String, from: Int, to: Int) -> M { m(189, 15, "The \(name) function requires \(from) to \(to) arguments.") }
    static func notAnOption(_ name: String, _ what: String) -> M { m(195, 15, "'\(name)' is not a recognized \(what).", state: 5) }
    static func tooManyParts(_ name: String) -> M {
        m(117, 15, "The object name '\(name)' contains more than the maximum number of prefixes. The maximum is 3.")
    }
    static func invalidForOperator(_ type: String, _ what: String) -> M { m(8117, 16, "Operand data type \(type) is invalid for \(what) operator.") }
    static func incompatible(_ a: String, _ b: String, _ operation: String) -> M {
        m(402, 16, "The data types \(a) and \(b) are incompatible in the \(operation) operator.")
    }

    // Names
    static func invalidColumn(_ name: String) -> M { m(207, 16, "Invalid column name '\(name)'.") }
    static func invalidObject(_ name: String) -> M { m(208, 16, "Invalid object name '\(name)'.") }
    static func ambiguousColumn(_ name: String) -> M { m(209, 16, "Ambiguous column name '\(name)'.") }
    static func unbound(_ name: String) -> M { m(4104, 16, "The multi-part identifier \"\(name)\" could not be bound.") }
    static func unknownPrefix(_ name: String) -> M {
        m(107, 15, "The column prefix '\(name)' does not match with a table name or alias name used in the query.")
    }
    static func cannotFindObject(_ name: String) -> M {
        m(1088, 16, "Cannot find the object \"\(name)\" because it does not exist or you do not have permissions.", state: 12)
    }
    static func cannotFindTable(_ name: String) -> M {
        m(4902, 16, "Cannot find the object \"\(name)\" because it does not exist or you do not have permissions.")
    }
    static func cannotTruncate(_ name: String) -> M {
        m(4701, 16, "Cannot find the object \"\(name)\" because it does not exist or you do not have permissions.")
    }
    static func cannotDrop(_ what: String, _ name: String) -> M {
        m(3701, 11, "Cannot drop the \(what) '\(name)', because it does not exist or you do not have permission.", state: 5)
    }
    static func objectExists(_ name: String) -> M { m(2714, 16, "There is already an object named '\(name)' in the database.", state: 6) }
    static func cannotFind(_ what: String, _ name: String) -> M {
        m(15151, 16, "Cannot find the \(what) '\(name)', because it does not exist or you do not have permission.")
    }
    static func noDatabase(_ name: String) -> M { m(911, 16, "Database '\(name)' does not exist. Make sure that the name is entered correctly.") }
    static func noDatabaseAccess(login: String, database: String) -> M {
        m(916, 14, "The server principal \"\(login)\" is not able to access the database \"\(database)\" under the current security context.", state: 2)
    }
    static func databaseExists(_ name: String) -> M {
        m(1801, 16, "Database '\(name)' already exists. Choose a different database name.", state: 3)
    }
    static func noSchema(_ name: String) -> M {
        m(2760, 16, "The specified schema name \"\(name)\" either does not exist or you do not have permission to use it.")
    }
    static func noProcedure(_ name: String) -> M { m(2812, 16, "Could not find stored procedure '\(name)'.", state: 62) }
    static func noType(_ index: Int, _ name: String) -> M {
        m(2715, 16, "Column, parameter, or variable #\(index): Cannot find data type \(name).", state: 6)
    }
    static func sizeTooLarge(_ size: Int, _ name: String, _ limit: Int) -> M {
        m(131, 15, "The size (\(size)) given to the type '\(name)' exceeds the maximum allowed for any data type (\(limit)).")
    }
    static func duplicateColumn(_ column: String, _ table: String) -> M {
        m(2705, 16, "Column names in each table must be unique. Column name '\(column)' in table '\(table)' is specified more than once.", state: 3)
    }
    static func unnamedColumn(_ index: Int, _ of: String) -> M { m(8155, 16, "No column name was specified for column \(index) of '\(of)'.", state: 2) }
    static func columnTwice(_ column: String, _ of: String) -> M { m(8156, 16, "The column '\(column)' was specified multiple times for '\(of)'.") }
    static func columnTwiceInSet(_ column: String) -> M {
        m(264, 16, "The column name '\(column)' is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause. Modify the clause to make sure that a column is updated only once. If this statement updates or inserts columns into a view, column aliasing can conceal the duplication in your code.")
    }
    static func sameExposedNames(_ name: String) -> M {
        m(1013, 16, "The objects \"\(name)\" and \"\(name)\" in the FROM clause have the same exposed names. Use correlation names to distinguish them.")
    }
    static func notGrouped(_ column: String) -> M {
        m(8120, 16, "Column '\(column)' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.")
    }
    static let unequalUnion = m(205, 16, "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.")
    static let oneExpression = m(116, 16, "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.")
    static let subqueryRows = m(512, 16, "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.")
    static let aggregateInWhere = m(147, 15, "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference.")
    static func orderPosition(_ n: Int) -> M { m(108, 16, "The ORDER BY position number \(n) is out of range of the number of items in the select list.") }
    static let orderUnion = m(104, 16, "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.")
    static let orderDistinct = m(145, 15, "ORDER BY items must appear in the select list if SELECT DISTINCT is specified.")
    static func collationConflict(_ a: String, _ b: String, _ operation: String) -> M {
        m(468, 16, "Cannot resolve the collation conflict between \"\(a)\" and \"\(b)\" in the \(operation) operation.", state: 9)
    }
    static func invalidCollation(_ name: String) -> M { m(448, 16, "Invalid collation '\(name)'.", state: 3) }
    static func unicodeOnly(_ collation: String) -> M {
        m(459, 16, "Collation '\(collation)' is supported on Unicode data types only and cannot be applied to char, varchar or text data types.", state: 2)
    }
    static func notComparable(_ type: String) -> M { m(305, 16, "The \(type) data type cannot be compared or sorted, except when using the IS NULL operator.") }
    static let textComparison = m(306, 16, "The text, ntext, and image data types cannot be compared or sorted, except when using IS NULL or LIKE operator.", state: 2)

    // Conversion and arithmetic
    static func conversionFailed(_ from: String, _ value: String, _ to: String) -> M {
        m(245, 16, "Conversion failed when converting the \(from) value '\(value)' to data type \(to).")
    }
    static let dateConversion = m(241, 16, "Conversion failed when converting date and/or time from character string.")
    static func dateRange(_ from: String, _ to: String) -> M {
        m(242, 16, "The conversion of a \(from) data type to a \(to) data type resulted in an out-of-range value.", state: 3)
    }
    static let smalldatetimeConversion = m(295, 16, "Conversion failed when converting character string to smalldatetime data type.", state: 3)
    static let guidConversion = m(8169, 16, "Conversion failed when converting from a character string to uniqueidentifier.", state: 2)
    static let moneyConversion = m(235, 16, "Cannot convert a char value to money. The char value has incorrect syntax.", state: 0)
    static func errorConverting(_ from: String, _ to: String) -> M { m(8114, 16, "Error converting data type \(from) to \(to).", state: 5) }
    static func overflow(_ from: String, _ to: String) -> M {
        m(8115, 16, "Arithmetic overflow error converting \(from) to data type \(to).", state: 2)
    }
    static func overflow220(_ type: String, _ value: String) -> M { m(220, 16, "Arithmetic overflow error for data type \(type), value = \(value).") }
    static func overflow248(_ from: String, _ value: String) -> M {
        m(248, 16, "The conversion of the \(from) value '\(value)' overflowed an int column.")
    }
    static func overflow244(_ from: String, _ value: String, _ to: String) -> M {
        m(244, 16, "The conversion of the \(from) value '\(value)' overflowed an \(to) column. Use a larger integer column.")
    }
    static let divideByZero = m(8134, 16, "Divide by zero error encountered.")
    static let invalidFloat = m(3623, 16, "An invalid floating point operation occurred.")
    static func clash(_ from: String, _ to: String) -> M { m(206, 16, "Operand type clash: \(from) is incompatible with \(to)", state: 2) }
    static func implicitConversion(_ from: String, _ to: String) -> M {
        m(257, 16, "Implicit conversion from data type \(from) to \(to) is not allowed. Use the CONVERT function to run this query.", state: 3)
    }
    static func explicitConversion(_ from: String, _ to: String) -> M {
        m(529, 16, "Explicit conversion from data type \(from) to \(to) is not allowed.", state: 2)
    }
    static func truncated(table: String, column: String, value: String) -> M {
        m(2628, 16, "String or binary data would be truncated in table '\(table)', column '\(column)'. Truncated value: '\(value)'.")
    }
    static func invalidStyle(_ style: Int64, _ from: String, _ to: String) -> M {
        m(281, 16, "\(style) is not a valid style number when converting from \(from) to a character string.")
    }
    static func invalidParameter(_ function: String) -> M { m(537, 16, "Invalid length parameter passed to the \(function) function.", state: 3) }
    static func invalidDatepart(_ name: String, _ function: String) -> M { m(155, 15, "'\(name)' is not a recognized \(function) option.") }
    static func dateAddOverflow(_ type: String) -> M { m(517, 16, "Adding a value to a '\(type)' column caused an overflow.") }
    static let dateDiffOverflow = m(535, 16, "The datediff function resulted in an overflow. The number of dateparts separating two date/time instances is too large. Try to use datediff with a less precise datepart.", state: 0)
    static func hierarchyText(_ text: String) -> M {
        m(6522, 16, "A .NET Framework error occurred during execution of user-defined routine or aggregate \"hierarchyid\": \nMicrosoft.SqlServer.Types.HierarchyIdException: 24001: SqlHierarchyId.Parse failed because the input string '\(text)' is not a valid string representation of a SqlHierarchyId node.", state: 2)
    }
    static func xmlParsing(_ line: Int, _ character: Int, _ what: String) -> M { m(9400, 16, "XML parsing: line \(line), character \(character), \(what)") }

    // Writing
    static func notNull(column: String, table: String, statement: String) -> M {
        m(515, 16, "Cannot insert the value NULL into column '\(column)', table '\(table)'; column does not allow nulls. \(statement) fails.", state: 2)
    }
    static let columnCount = m(213, 16, "Column name or number of supplied values does not match table definition.")
    static let moreColumns = m(109, 15, "There are more columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.")
    static let fewerColumns = m(110, 15, "There are fewer columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.")
    static let fewerItems = m(120, 15, "The select list for the INSERT statement contains fewer items than the insert list. The number of SELECT values must match the number of INSERT columns.")
    static let moreItems = m(121, 15, "The select list for the INSERT statement contains more items than the insert list. The number of SELECT values must match the number of INSERT columns.")
    static let tooManyRows = m(10738, 15, "The number of row value expressions in the INSERT statement exceeds the maximum allowed number of 1000 row values.")
    static func notModifiable(_ column: String) -> M {
        m(271, 16, "The column \"\(column)\" cannot be modified because it is either a computed column or is the result of a UNION operator.")
    }
    static let updateTimestamp = m(272, 16, "Cannot update a timestamp column.")
    static let insertTimestamp = m(273, 16, "Cannot insert an explicit value into a timestamp column. Use INSERT with a column list to exclude the timestamp column, or insert a DEFAULT into the timestamp column.")
    static func updateIdentity(_ column: String) -> M { m(8102, 16, "Cannot update identity column '\(column)'.") }
    static func identityInsertOff(_ table: String) -> M {
        m(544, 16, "Cannot insert explicit value for identity column in table '\(table)' when IDENTITY_INSERT is set to OFF.")
    }
    static func identityValueMissing(_ table: String) -> M {
        m(545, 16, "Explicit value must be specified for identity column in table '\(table)' either when IDENTITY_INSERT is set to ON or when a replication user is inserting into a NOT FOR REPLICATION identity column.")
    }
    static func identityNeedsList(_ table: String) -> M {
        m(8101, 16, "An explicit value for the identity column in table '\(table)' can only be specified when a column list is used and IDENTITY_INSERT is ON.")
    }
    static func duplicateKey(kind: String, constraint: String, table: String, key: String) -> M {
        m(2627, 14, "Violation of \(kind) constraint '\(constraint)'. Cannot insert duplicate key in object '\(table)'. The duplicate key value is (\(key)).")
    }
    static func duplicateIndexKey(index: String, table: String, key: String) -> M {
        m(2601, 14, "Cannot insert duplicate key row in object '\(table)' with unique index '\(index)'. The duplicate key value is (\(key)).")
    }
    static func duplicateInCreate(index: String, table: String, key: String) -> M {
        m(1505, 16, "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name '\(table)' and the index name '\(index)'. The duplicate key value is (\(key)).")
    }
    static func constraintConflict(statement: String, kind: String, name: String, database: String, table: String, column: String?) -> M {
        let tail = column.map { ", column '\($0)'" } ?? ""
        return m(547, 16, "The \(statement) statement conflicted with the \(kind) constraint \"\(name)\". The conflict occurred in database \"\(database)\", table \"\(table)\"\(tail).", state: 0)
    }
    static let terminated = m(3621, 0, "The statement has been terminated.", state: 0)
    static func rowTooLarge(_ bytes: Int) -> M { m(511, 16, "Cannot create a row of size \(bytes) which is greater than the allowable maximum row size of 8060.") }
    static let mergeTwice = m(8672, 16, "The MERGE statement attempted to UPDATE or DELETE the same row more than once. This happens when a target row matches more than one source row. A MERGE statement cannot UPDATE/DELETE the same row of the target table multiple times. Refine the ON clause to ensure a target row matches at most one source row, or use the GROUP BY clause to group the source rows.")

    // Transactions
    static func deadlock(_ process: UInt16) -> M {
        m(1205, 13, "Transaction (Process ID \(process)) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.", state: 51)
    }
    static let lockTimeout = m(1222, 16, "Lock request time out period exceeded.", state: 51)
    static let commitWithout = m(3902, 16, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.")
    static let rollbackWithout = m(3903, 16, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.")
    static func noSavepoint(_ name: String) -> M { m(6401, 16, "Cannot roll back \(name). No transaction or savepoint of that name was found.") }
    static let saveWithout = m(628, 16, "Cannot issue SAVE TRANSACTION when there is no active transaction.", state: 0)
    static let doomed = m(3930, 16, "The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.")
    static let doomedAtEnd = m(3998, 16, "Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.")
    static func readOnly(_ database: String) -> M { m(3906, 16, "Failed to update database \"\(database)\" because the database is read-only.") }
    static func noSnapshot(_ database: String) -> M {
        m(3952, 16, "Snapshot isolation transaction failed accessing database '\(database)' because snapshot isolation is not allowed in this database. Use ALTER DATABASE to allow snapshot isolation.")
    }
    static func updateConflict(table: String, database: String) -> M {
        m(3960, 16, "Snapshot isolation transaction aborted due to update conflict. You cannot use snapshot isolation to access table '\(table)' directly or indirectly in database '\(database)' to update, delete, or insert the row that has been modified or deleted by another transaction. Retry the transaction or change the isolation level for the update/delete statement.", state: 2)
    }
    static func metadataChanged(_ database: String) -> M {
        m(3961, 16, "Snapshot isolation transaction failed in database '\(database)' because the object accessed by the statement has been modified by a DDL statement in another concurrent transaction since the start of this transaction.  It is disallowed because the metadata is not versioned. A concurrent update to metadata can lead to inconsistency if mixed with snapshot isolation.")
    }
    static func snapshotLate(_ database: String) -> M {
        m(3951, 16, "Transaction failed in database '\(database)' because the statement was run under snapshot isolation but the transaction did not start in snapshot isolation. You cannot change the isolation level of the transaction to snapshot after the transaction has started unless the transaction was originally started under snapshot isolation level.")
    }
    static func notInTransaction(_ what: String) -> M { m(226, 16, "\(what) statement not allowed within multi-statement transaction.", state: 6) }

    // Permissions
    static func denied(_ permission: String, object: String, database: String, schema: String) -> M {
        m(229, 14, "The \(permission) permission was denied on the object '\(object)', database '\(database)', schema '\(schema)'.", state: 5)
    }
    static func deniedInDatabase(_ permission: String, _ database: String) -> M {
        m(262, 14, "\(permission) permission denied in database '\(database)'.")
    }
    static let noPermission = m(297, 16, "The user does not have permission to perform this action.")
    static func deniedOn(_ permission: String, object: String, database: String) -> M {
        m(300, 14, "\(permission) permission was denied on object '\(object)', database '\(database)'.")
    }
    static func cannotAlterDatabase(_ name: String) -> M {
        m(5011, 14, "User does not have permission to alter database '\(name)', the database does not exist, or the database is not in a state that allows access checks.", state: 9)
    }
    static let noServerPermission = m(15247, 16, "User does not have permission to perform this action.")
    static func loginFailed(_ user: String) -> M { m(18456, 14, "Login failed for user '\(user)'.") }
    static func cannotOpen(_ database: String) -> M {
        m(4060, 11, "Cannot open database \"\(database)\" requested by the login. The login failed.")
    }
    static func loginExists(_ name: String) -> M { m(15025, 16, "The server principal '\(name)' already exists.") }
    static func userExists(_ name: String) -> M { m(15023, 16, "User, group, or role '\(name)' already exists in the current database.") }

    // DDL
    static func addNotNull(column: String, table: String) -> M {
        m(4901, 16, "ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT definition specified, or the column being added is an identity or timestamp column, or alternatively if none of the previous conditions are satisfied the table must be empty to allow addition of this column. Column '\(column)' cannot be added to non-empty table '\(table)' because it does not satisfy these conditions.")
    }
    static func alterNoColumn(_ clause: String, column: String, table: String) -> M {
        m(4924, 16, "\(clause) failed because column '\(column)' does not exist in table '\(table)'.")
    }
    static func dependent(_ what: String, _ name: String, _ column: String) -> M {
        m(5074, 16, "The \(what) '\(name)' is dependent on column '\(column)'.")
    }
    static func columnAccessed(_ clause: String, _ column: String) -> M {
        m(4922, 16, "\(clause) failed because one or more objects access this column.", state: 9)
    }
    static func lastColumn(_ table: String, _ column: String) -> M {
        m(4923, 16, "ALTER TABLE DROP COLUMN failed because '\(column)' is the only data column in table '\(table)'. A table must have at least one data column.")
    }
    static func secondPrimaryKey(_ table: String) -> M { m(1779, 16, "Table '\(table)' already has a primary key defined on it.", state: 0) }
    static func nullablePrimaryKey(_ table: String) -> M { m(8111, 16, "Cannot define PRIMARY KEY constraint on nullable column in table '\(table)'.") }
    static func cannotCreateConstraint() -> M { m(1750, 16, "Could not create constraint or index. See previous errors.", state: 0) }
    static func secondClustered(_ table: String, _ index: String) -> M {
        m(1902, 16, "Cannot create more than one clustered index on table '\(table)'. Drop the existing clustered index '\(index)' before creating another.", state: 3)
    }
    static func indexColumn(_ column: String) -> M { m(1911, 16, "Column name '\(column)' does not exist in the target table or view.") }
    static func indexType(_ column: String, _ table: String) -> M {
        m(1919, 16, "Column '\(column)' in table '\(table)' is of a type that is invalid for use as a key column in an index.")
    }
    static func indexExists(_ index: String, _ table: String) -> M {
        m(1913, 16, "The operation failed because an index or statistics with name '\(index)' already exists on table '\(table)'.")
    }
    static func constraintExists(_ name: String) -> M { objectExists(name) }
    static func notAConstraint(_ name: String) -> M { m(3728, 16, "'\(name)' is not a constraint.") }
    static func constraintIndex(_ index: String) -> M {
        m(3723, 16, "An explicit DROP INDEX is not allowed on index '\(index)'. It is being used for PRIMARY KEY constraint enforcement.", state: 4)
    }
    static func indexTableMissing(_ name: String) -> M { cannotFindObject(name) }
    static func identityType(_ column: String) -> M {
        m(2749, 16, "Identity column '\(column)' must be of data type int, bigint, smallint, tinyint, or decimal or numeric with a scale of 0, unencrypted, and constrained to be nonnullable.", state: 2)
    }
    static func secondIdentity(_ table: String) -> M {
        m(2744, 16, "Multiple identity columns specified for table '\(table)'. Only one identity column per table is allowed.", state: 2)
    }
    static func secondTimestamp(_ table: String, _ column: String) -> M {
        m(2738, 16, "A table can only have one timestamp column. Because table '\(table)' already has one, the column '\(column)' cannot be added.", state: 2)
    }
    static func referenced(_ table: String) -> M { m(3726, 16, "Could not drop object '\(table)' because it is referenced by a FOREIGN KEY constraint.") }
    static func truncateReferenced(_ table: String) -> M {
        m(4712, 16, "Cannot truncate table '\(table)' because it is being referenced by a FOREIGN KEY constraint.")
    }
    static func schemaNotEmpty(_ schema: String, _ object: String) -> M {
        m(3729, 16, "Cannot drop schema '\(schema)' because it is being referenced by object '\(object)'.")
    }
    static let alterDatabaseFailed = m(5069, 16, "ALTER DATABASE statement failed.")

    // Change tracking
    static func alreadyTracked(_ table: String) -> M { m(4996, 16, "Change tracking is already enabled for table '\(table)'.") }
    static func trackingNeedsKey(_ table: String) -> M {
        m(4997, 16, "Cannot enable change tracking on table '\(table)'. Change tracking requires a primary key on the table. Create a primary key on the table before enabling change tracking.")
    }
    static func tableNotTracked(_ table: String) -> M { m(4998, 16, "Change tracking is not enabled on table '\(table)'.") }
    static func trackingNeedsDatabase(_ database: String, _ table: String) -> M {
        m(1718, 16, "Change tracking must be enabled on database '\(database)' before it can be enabled on table '\(table)'.")
    }
    static func trackedDatabase(_ database: String) -> M { m(5088, 16, "Change tracking is already enabled for database '\(database)'.") }
    static func untrackedDatabase(_ database: String) -> M {
        m(5089, 16, "Change tracking is disabled for database '\(database)'. Change tracking must be enabled on a database to modify change tracking settings.")
    }
    static func tablesStillTracked(_ database: String) -> M {
        m(22115, 16, "Change tracking is enabled for one or more tables in database '\(database)'. Disable change tracking on each table before disabling it for the database. Use the sys.change_tracking_tables catalog view to obtain a list of tables for which change tracking is enabled.")
    }
    static func changeTableNotTracked(_ table: String) -> M { m(22105, 16, "Change tracking is not enabled on table '\(table)'.") }
    static func trackedPrimaryKey(_ constraint: String, _ table: String) -> M {
        m(3735, 16, "The primary key constraint '\(constraint)' on table '\(table)' cannot be dropped because change tracking is enabled on the table. Change tracking requires a primary key constraint on the table. Disable change tracking before dropping the constraint.")
    }
    static let constraintNotDropped = m(3727, 16, "Could not drop constraint. See previous errors.", state: 0)
    static let changesArguments = m(22102, 16, "The arguments supplied are not valid for the CHANGES option of the CHANGETABLE function.")
    static let versionArguments = m(22103, 16, "The arguments supplied are not valid for the VERSION option of the CHANGETABLE function.")
    static let changeTableAlias = m(22104, 16, "A table returned by the CHANGETABLE function must be aliased.")
    static func versionColumnCount(_ table: String) -> M {
        m(22110, 16, "The number of columns specified in the CHANGETABLE(VERSION ...) function does not match the number of primary key columns for table '\(table)'.")
    }
    static func versionColumn(_ column: String, _ table: String) -> M {
        m(22111, 16, "The column '\(column)' specified in the CHANGETABLE(VERSION ...) function is not part of the primary key for table '\(table)'.")
    }
    static let contextType = m(22109, 16, "The \"context\" argument for the CHANGE_TRACKING_CONTEXT WITH clause must be of type varbinary data type with a maximum length of 128.")
    static func retentionRange(_ option: String) -> M {
        m(5092, 15, "The value for change tracking option '\(option)' is not valid. The value must be between 1 and 2147483647 minutes.")
    }
}
