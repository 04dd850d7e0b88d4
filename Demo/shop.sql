-- The demo's database: a small shop. Five tables with five kinds of primary key.
IF NOT EXISTS (SELECT 1 FROM sys.change_tracking_databases WHERE database_id = DB_ID())
    ALTER DATABASE shop SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON)
GO
ALTER DATABASE shop SET ALLOW_SNAPSHOT_ISOLATION ON
GO
CREATE TABLE dbo.customers (
    id int NOT NULL PRIMARY KEY,
    name nvarchar(80) NOT NULL,
    city nvarchar(60) NULL,
    born date NULL,
    since datetime2(3) NOT NULL
)
GO
CREATE TABLE dbo.products (
    sku varchar(20) NOT NULL PRIMARY KEY,
    title nvarchar(100) NOT NULL,
    price decimal(10, 2) NOT NULL,
    weight float NULL,
    active bit NOT NULL
)
GO
CREATE TABLE dbo.orders (
    id uniqueidentifier NOT NULL PRIMARY KEY,
    customer_id int NOT NULL,
    placed datetime2(7) NOT NULL,
    note nvarchar(max) NULL
)
GO
CREATE TABLE dbo.order_lines (
    order_no int NOT NULL,
    line smallint NOT NULL,
    sku varchar(20) NOT NULL,
    quantity int NOT NULL,
    price decimal(10, 2) NOT NULL,
    CONSTRAINT pk_order_lines PRIMARY KEY (order_no, line)
)
GO
CREATE TABLE dbo.stock (
    id bigint NOT NULL PRIMARY KEY,
    sku varchar(20) NOT NULL,
    on_hand int NOT NULL,
    reserved int NOT NULL,
    available AS on_hand - reserved
)
GO
ALTER TABLE dbo.customers ENABLE CHANGE_TRACKING
ALTER TABLE dbo.products ENABLE CHANGE_TRACKING
ALTER TABLE dbo.orders ENABLE CHANGE_TRACKING
ALTER TABLE dbo.order_lines ENABLE CHANGE_TRACKING
ALTER TABLE dbo.stock ENABLE CHANGE_TRACKING
GO
INSERT INTO dbo.customers (id, name, city, born, since) VALUES
    (1, N'Åsa Öberg', N'Malmö', '1984-02-29', '2021-05-04T10:15:30.125'),
    (2, N'José Núñez', N'Ciudad de México', NULL, '2022-11-30T23:59:59.999'),
    (3, N'山田 太郎', N'東京', '1990-12-31', '2023-01-01T00:00:00'),
    (4, N'Ελένη "Leni" Παππά', NULL, '1975-07-15', '2024-03-31T02:30:00'),
    (5, N'Zoë 🦊', N'Genève', '2001-01-01', '2024-06-15T12:00:00.500')
INSERT INTO dbo.products (sku, title, price, weight, active) VALUES
    ('CUP-01', N'Kaffeetasse, groß', 12.50, 0.35, 1),
    ('CUP-02', N'Espresso cup', 8.90, 0.1, 1),
    ('POT-01', N'Théière', 49.00, 1.25, 1),
    ('TEA-07', N'緑茶 100 g', 15.75, 0.1, 1),
    ('OLD-99', N'Out of print', 0.01, NULL, 0)
INSERT INTO dbo.orders (id, customer_id, placed, note) VALUES
    ('6F9619FF-8B86-D011-B42D-00C04FC964FF', 1, '2024-06-01T08:00:00.1234567', N'Please ring twice'),
    ('0E984725-C51C-4BF4-9960-E1C80E27ABA0', 2, '2024-06-02T09:30:00', NULL),
    ('00000000-0000-0000-0000-000000000001', 3, '2024-06-03T17:45:12.5', N'包装を二重にしてください')
INSERT INTO dbo.order_lines (order_no, line, sku, quantity, price) VALUES
    (1, 1, 'CUP-01', 2, 12.50), (1, 2, 'TEA-07', 1, 15.75), (2, 1, 'POT-01', 1, 49.00), (3, 1, 'CUP-02', 6, 8.90), (3, 2, 'TEA-07', 3, 15.00)
INSERT INTO dbo.stock (id, sku, on_hand, reserved) VALUES
    (9000000001, 'CUP-01', 40, 2), (9000000002, 'CUP-02', 60, 6), (9000000003, 'POT-01', 7, 1), (9000000004, 'TEA-07', 100, 4)
GO
