-- What would take more time, memory or digits than there are.

SELECT NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(1, 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2), 2) x FROM dual
----
ORA-00036: maximum number of recursive SQL levels exceeded
at 273

SELECT NULLIF(NULLIF(NULLIF(1, 2), 3), 1) x FROM dual
----
X Number
-

WITH t0 AS (SELECT 1 x FROM dual), t1 AS (SELECT a.x FROM t0 a, t0 b), t2 AS (SELECT a.x FROM t1 a, t1 b), t3 AS (SELECT a.x FROM t2 a, t2 b), t4 AS (SELECT a.x FROM t3 a, t3 b), t5 AS (SELECT a.x FROM t4 a, t4 b), t6 AS (SELECT a.x FROM t5 a, t5 b), t7 AS (SELECT a.x FROM t6 a, t6 b), t8 AS (SELECT a.x FROM t7 a, t7 b), t9 AS (SELECT a.x FROM t8 a, t8 b), t10 AS (SELECT a.x FROM t9 a, t9 b), t11 AS (SELECT a.x FROM t10 a, t10 b), t12 AS (SELECT a.x FROM t11 a, t11 b), t13 AS (SELECT a.x FROM t12 a, t12 b), t14 AS (SELECT a.x FROM t13 a, t13 b), t15 AS (SELECT a.x FROM t14 a, t14 b), t16 AS (SELECT a.x FROM t15 a, t15 b), t17 AS (SELECT a.x FROM t16 a, t16 b), t18 AS (SELECT a.x FROM t17 a, t17 b), t19 AS (SELECT a.x FROM t18 a, t18 b), t20 AS (SELECT a.x FROM t19 a, t19 b), t21 AS (SELECT a.x FROM t20 a, t20 b), t22 AS (SELECT a.x FROM t21 a, t21 b), t23 AS (SELECT a.x FROM t22 a, t22 b), t24 AS (SELECT a.x FROM t23 a, t23 b), t25 AS (SELECT a.x FROM t24 a, t24 b), t26 AS (SELECT a.x FROM t25 a, t25 b), t27 AS (SELECT a.x FROM t26 a, t26 b), t28 AS (SELECT a.x FROM t27 a, t27 b), t29 AS (SELECT a.x FROM t28 a, t28 b) SELECT x FROM t29
----
ORA-00036: maximum number of recursive SQL levels exceeded
at 28

SELECT sid FROM v$session ORDER BY sid FETCH FIRST 9000000000000000000 PERCENT ROWS ONLY
----
SID Number!
1
17
42
55
99
120

SELECT sid FROM v$session ORDER BY sid FETCH FIRST 34 PERCENT ROWS ONLY
----
SID Number!
1
17
42

SELECT status, COUNT(*) n FROM v$session GROUP BY status FETCH FIRST 2 ROWS WITH TIES
----
STATUS Varchar2(8) | N Number!
'ACTIVE' | 3
'INACTIVE' | 2

SELECT status FROM v$session ORDER BY status FETCH FIRST 4 ROWS WITH TIES
----
STATUS Varchar2(8)
'ACTIVE'
'ACTIVE'
'ACTIVE'
'INACTIVE'
'INACTIVE'

SELECT status FROM v$session UNION ALL SELECT status FROM v$session FETCH FIRST 1 ROWS WITH TIES
----
STATUS Varchar2(8)
'ACTIVE'

SELECT TO_TIMESTAMP_TZ('äöü', 'TZH') x FROM dual
----
ORA-01882: timezone region not found

SELECT TIMESTAMP '2026-01-01 00:00:00 +900:00' x FROM dual
----
ORA-01861: literal does not match format string
at 17

SELECT TIMESTAMP '2026-01-01 00:00:00 +-9:00' x FROM dual
----
ORA-01861: literal does not match format string
at 17

SELECT INTERVAL '178956970-11' YEAR TO MONTH x FROM dual
----
ORA-01867: the interval is invalid
at 16

SELECT NUMTOYMINTERVAL(2000000000, 'MONTH') + NUMTOYMINTERVAL(2000000000, 'MONTH') x FROM dual
----
ORA-01873: the leading precision of the interval is too small

SELECT -NUMTOYMINTERVAL(-2147483648, 'MONTH') x FROM dual
----
ORA-01873: the leading precision of the interval is too small

SELECT SYSDATE - NUMTOYMINTERVAL(-2147483648, 'MONTH') x FROM dual
----
ORA-01873: the leading precision of the interval is too small

SELECT NUMTODSINTERVAL(1e30, 'DAY') x FROM dual
----
ORA-01873: the leading precision of the interval is too small

SELECT NUMTODSINTERVAL(999999999, 'DAY') + NUMTODSINTERVAL(1, 'DAY') x FROM dual
----
ORA-01873: the leading precision of the interval is too small

SELECT NUMTODSINTERVAL(1, 'DAY') * 1e20 x FROM dual
----
ORA-01873: the leading precision of the interval is too small

SELECT DATE '20260-01-01' x FROM dual
----
ORA-01861: literal does not match format string
at 12

SELECT LENGTH(RPAD('x', 5000)) a, LENGTH(LPAD('x', 2500, 'ä')) b, LENGTHB(LPAD('x', 2500, 'ä')) c FROM dual
----
A Number | B Number | C Number
4000 | 2000 | 3999

SELECT RPAD('x', 3000, 'x') || RPAD('y', 3000, 'y') x FROM dual
----
ORA-01489: result of string concatenation is too long

SELECT LENGTH(RPAD('x', 2000, 'x') || RPAD('y', 2000, 'y')) x FROM dual
----
X Number
4000

SELECT CONCAT(RPAD('x', 3000, 'x'), RPAD('y', 3000, 'y')) x FROM dual
----
ORA-01489: result of string concatenation is too long

SELECT REPLACE(RPAD('x', 4000, 'x'), 'x', 'yy') x FROM dual
----
ORA-01489: result of string concatenation is too long

SELECT LENGTH(REPLACE(RPAD('x', 4000, 'x'), 'xx', 'yy')) x FROM dual
----
X Number
4000

SELECT REGEXP_REPLACE(RPAD('x', 4000, 'x'), 'x', 'yy') x FROM dual
----
ORA-01489: result of string concatenation is too long

SELECT REGEXP_REPLACE('a-b-c', '(\w)-', '\1\1+') x, REGEXP_REPLACE('a-b-c', '-', '', 1, 2) y, REGEXP_REPLACE('abc', 'b*', '.') z FROM dual
----
X Varchar2(4000) | Y Varchar2(4000) | Z Varchar2(4000)
'aa+bb+c' | 'a-bc' | '.a.c.'

SELECT CAST(12345 AS VARCHAR2(3)) x FROM dual
----
ORA-25137: Data value out of range

SELECT CAST('12345' AS VARCHAR2(3)) x, CAST(123 AS VARCHAR2(3)) y, CAST(12 AS CHAR(3)) z FROM dual
----
X Varchar2(3)! | Y Varchar2(3)! | Z Char(3)!
'123' | '123' | '12 '

SELECT DECODE(1, 1, 'a', SYSTIMESTAMP) x, DECODE(2, 1, 'a', SYSDATE) y FROM dual
----
X Varchar2(75) | Y Varchar2(75)
'a' | '01-MAR-26'

SELECT 1d a, 1.5F b, 2e1d c, 1 d FROM dual
----
A BinaryDouble! | B BinaryDouble! | C BinaryDouble! | D Number!
1e0 | 1.5e0 | 2e1 | 1

SELECT TO_CHAR(1.5d) a, TO_CHAR(100d) b, TO_CHAR(0d) c, TO_CHAR(-25e-9d) d FROM dual
----
A Varchar2(75) | B Varchar2(75) | C Varchar2(75) | D Varchar2(75)
'1.5E+000' | '1.0E+002' | '0' | '-2.5E-008'

SELECT 1 /* open FROM dual
----
ORA-01742: comment not terminated properly
at 9

SELECT SUM(DISTINCT sid) OVER (ORDER BY sid) x FROM v$session
----
ORA-30487: ORDER BY not allowed here
at 7

SELECT sid, LISTAGG(DISTINCT status, ',') WITHIN GROUP (ORDER BY status) OVER (PARTITION BY username) x FROM v$session ORDER BY sid
----
SID Number! | X Varchar2(4000)
1 | 'ACTIVE'
17 | 'ACTIVE,INACTIVE'
42 | 'ACTIVE,INACTIVE'
55 | 'ACTIVE,INACTIVE'
99 | 'KILLED'
120 | 'ACTIVE,INACTIVE'

SELECT LISTAGG(RPAD(program, 1000), ',') WITHIN GROUP (ORDER BY sid) OVER () x FROM v$session
----
ORA-01489: result of string concatenation is too long

SELECT LAG(sid, -1) OVER (ORDER BY sid) x FROM v$session
----
ORA-01428: argument '-1' is out of range

SELECT CASE WHEN program LIKE 'T!%' ESCAPE '!' THEN 1 END x FROM v$session GROUP BY CASE WHEN program LIKE 'T!%' THEN 1 END
----
ORA-00979: not a GROUP BY expression
at 17

SELECT TO_NUMBER(status DEFAULT 0 ON CONVERSION ERROR) x FROM v$session GROUP BY TO_NUMBER(status DEFAULT 0 ON CONVERSION ERROR)
----
X Number
0

SELECT TO_CHAR(body) a, TO_CHAR(RPAD(body, 200)) b, TO_CHAR(at, 'YYYY') c FROM notes WHERE id = 1
----
A Varchar2(75) | B Varchar2(200) | C Varchar2(75)
'first' | 'first                                                                                                                                                                                                   ' | '2026'
