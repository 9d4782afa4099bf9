INSERT INTO notes (id, body, code) VALUES (4, 'four', 'Z')
----
NOTES
Insert([Number(4), Text("four"), Text("Z  "), Null, Null])

INSERT INTO app.notes VALUES (5, NULL, 'A', 1.5, SYSTIMESTAMP)
----
APP.NOTES
Insert([Number(5), Null, Text("A  "), Number(1.5), TimestampTz { seconds: 1772366400, nanos: 123456000, offset_minutes: 0 }])

INSERT INTO notes (id, body) SELECT sid, username FROM v$session WHERE status = 'KILLED'
----
NOTES
Insert([Number(99), Text("SCOTT"), Null, Null, Null])

INSERT INTO notes (body) VALUES ('no id')
----
ORA-01400: cannot insert NULL into ("NOTES"."ID")

INSERT INTO notes (id, code) VALUES (1, 'TOO LONG')
----
ORA-12899: value too large for column "NOTES"."CODE" (actual: 8, maximum: 3)

INSERT INTO notes (id, nope) VALUES (1, 2)
----
ORA-00904: "NOPE": invalid identifier
at 23

INSERT INTO notes (id, body) VALUES (1)
----
ORA-00947: not enough values
at 12

INSERT INTO notes (id, body) VALUES ('x', 'y')
----
ORA-01722: invalid number

INSERT INTO notes SET id = 1
----
ORA-00926: missing VALUES keyword
at 18

:1 = 5
:2 = NULL
UPDATE notes n SET amount = NVL(amount, 0) + :1 WHERE n.id IN (1, 3) RETURNING amount INTO :2
----
NOTES
Update { row: 0, values: [(3, Number(15.25))] }
Update { row: 2, values: [(3, Number(5))] }
Returned { target: Bind(1), values: [Number(15.25), Number(5)] }

UPDATE notes SET body = NULL
----
NOTES
Update { row: 0, values: [(1, Null)] }
Update { row: 1, values: [(1, Null)] }
Update { row: 2, values: [(1, Null)] }

UPDATE notes SET nope = 1
----
ORA-00904: "NOPE": invalid identifier
at 17

UPDATE notes body = 1
----
ORA-00971: missing SET keyword
at 18

DELETE FROM notes WHERE id > (SELECT MIN(sid) FROM v$session)
----
NOTES
Delete { row: 1 }
Delete { row: 2 }

DELETE nothing
----
ORA-00942: table or view does not exist
at 7

DELETE FROM notes WHERE ROWNUM <= 2
----
NOTES
Delete { row: 0 }
Delete { row: 1 }

DELETE FROM notes WHERE id > 1 AND ROWNUM <= 1
----
NOTES
Delete { row: 1 }

UPDATE notes SET amount = ROWNUM WHERE ROWNUM = 1
----
NOTES
Update { row: 0, values: [(3, Number(1))] }

DELETE FROM notes WHERE ROWNUM > 1
----
NOTES

UPDATE notes SET body = 'x', code = 'A', body = 'y'
----
ORA-00957: duplicate column name
at 41

INSERT INTO notes (id, body, id) VALUES (1, 'x', 2)
----
ORA-00957: duplicate column name
at 29

UPDATE notes SET id = NULL
----
ORA-01407: cannot update ("NOTES"."ID") to NULL

INSERT INTO held (id, hash) VALUES (1, HEXTORAW('0102030405'))
----
ORA-12899: value too large for column "HELD"."HASH" (actual: 5, maximum: 4)

INSERT INTO held (id, hash, rate) VALUES (1, '01FF', 123.456)
----
HELD
Insert([Number(1), Raw([1, 255]), Number(123.46)])

INSERT INTO held (id, rate) VALUES (1, 1234)
----
ORA-01438: value larger than specified precision allowed for this column

UPDATE held SET rate = id * 1000
----
ORA-01438: value larger than specified precision allowed for this column
