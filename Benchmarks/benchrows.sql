-- The table that the capture's benchmark backfills: the same eight columns as the canned rows, about 94 bytes a row on the wire.
IF NOT EXISTS (SELECT 1 FROM sys.change_tracking_databases WHERE database_id = DB_ID())
    ALTER DATABASE bench SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON)
GO
CREATE TABLE dbo.benchrows (
    id bigint NOT NULL PRIMARY KEY,
    a int NULL,
    name nvarchar(50) NULL,
    code varchar(20) NULL,
    amount decimal(18, 4) NULL,
    ts datetime2(7) NULL,
    flag bit NULL,
    val float NULL
)
GO
INSERT INTO dbo.benchrows (id, a, name, code, amount, ts, flag, val)
SELECT value,
    CASE WHEN value % 16 = 0 THEN NULL ELSE CAST(value * 7919 % 2147483647 AS int) END,
    LEFT(N'Customer ' + RIGHT('00000' + CAST(value % 997 AS varchar(10)), 5) + N' Ünïcödé', CAST(12 + value % 14 AS int)),
    LEFT('CODE-' + RIGHT('0000000' + CAST(value % 991 * 31 AS varchar(10)), 7), CAST(8 + value % 5 AS int)),
    CAST(value * 104729 % 1000000000000 AS decimal(18, 4)) / 10000,
    DATEADD(second, CAST(value * 13 % 86400 AS int), DATEADD(day, CAST(value % 1000 AS int), CAST('2021-07-30' AS datetime2(7)))),
    CAST(value % 2 AS bit),
    value * 0.25E0
FROM GENERATE_SERIES(CAST(0 AS bigint), CAST($(ROWS) - 1 AS bigint))
GO
ALTER TABLE dbo.benchrows ENABLE CHANGE_TRACKING
GO
