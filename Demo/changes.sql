-- What happens in the shop while nobody captures: inserts, updates, deletes, a changed key, a row that comes and goes.
INSERT INTO dbo.customers (id, name, city, born, since) VALUES (6, N'Łukasz Żak', N'Kraków', '1999-09-09', '2024-07-01T07:07:07.007')
UPDATE dbo.customers SET city = N'København' WHERE id = 1
DELETE FROM dbo.customers WHERE id = 2
GO
UPDATE dbo.products SET price = 13.20, weight = 0.4 WHERE sku = 'CUP-01'
DELETE FROM dbo.products WHERE sku = 'OLD-99'
INSERT INTO dbo.products (sku, title, price, weight, active) VALUES ('MUG-05', N'Mug with a "quote"', 9.99, 0.3, 1)
GO
BEGIN TRANSACTION
INSERT INTO dbo.orders (id, customer_id, placed, note) VALUES ('7D444840-9DC0-11D1-B245-5FFDCE74FAD2', 6, '2024-07-01T07:08:00', N'first order')
INSERT INTO dbo.order_lines (order_no, line, sku, quantity, price) VALUES (4, 1, 'MUG-05', 2, 9.99), (4, 2, 'CUP-02', 1, 8.90)
UPDATE dbo.stock SET on_hand = on_hand - 1, reserved = reserved + 1 WHERE sku = 'CUP-02'
COMMIT TRANSACTION
GO
UPDATE dbo.order_lines SET line = 3 WHERE order_no = 1 AND line = 2
DELETE FROM dbo.orders WHERE id = '00000000-0000-0000-0000-000000000001'
INSERT INTO dbo.stock (id, sku, on_hand, reserved) VALUES (9000000005, 'GONE', 1, 0)
DELETE FROM dbo.stock WHERE id = 9000000005
GO
