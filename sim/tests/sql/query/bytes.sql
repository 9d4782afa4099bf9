-- Bytes are not characters.

SELECT SUBSTRB('äöü', 1, 2) a, SUBSTRB('äöü', 2, 4) b, SUBSTRB('äöü', -2) c, SUBSTRB('abc', 2) d, SUBSTRB('ä', 2, 1) e, SUBSTRB('abc', 9) f FROM dual
----
A Varchar2(6) | B Varchar2(6) | C Varchar2(6) | D Varchar2(3) | E Varchar2(2) | F Varchar2(3)
'ä' | ' ö ' | 'ü' | 'bc' | ' ' | -

SELECT INSTRB('äx', 'x') a, INSTR('äx', 'x') b, INSTRB('xäx', 'x', -1) c, INSTRB('ä', 'x') d FROM dual
----
A Number | B Number | C Number | D Number
3 | 2 | 4 | 0

SELECT ASCII('ä') a, CHR(50084) b, CHR(65) c, ASCII('A') d, ASCII(CHR(10)) e FROM dual
----
A Number | B Varchar2(4) | C Varchar2(4) | D Number | E Number
50084 | 'ä' | 'A' | 65 | 10

SELECT ROWNUM, COUNT(*) FROM v$session
----
ORA-00937: not a single-group group function

SELECT ROWNUM, status FROM v$session GROUP BY status
----
ORA-00979: not a GROUP BY expression

SELECT COUNT(*) n FROM v$session GROUP BY ROWNUM HAVING ROWNUM < 3
----
N Number!
1
1

SELECT sid FROM v$session EXCEPT SELECT sid FROM v$lock
----
ORA-00933: SQL command not properly ended
at 33

@release 23
SELECT sid FROM v$session EXCEPT SELECT sid FROM v$lock
----
SID Number
1
55
99
120

@release 23
SELECT 1 x EXCEPT SELECT 2
----
X Number!
1

@release 23
SELECT 1 EXCEPT SELECT 2
----
1 Number!
1

@release 19
SELECT sid FROM v$session WHERE sid > 1 EXCEPT SELECT sid FROM v$lock
----
ORA-00933: SQL command not properly ended
at 40

INSERT INTO notes (id) SELECT sid FROM v$session RETURNING id INTO :a
----
ORA-00933: SQL command not properly ended
at 49
