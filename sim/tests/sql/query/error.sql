SELECT * FROM nothing
----
ORA-00942: table or view does not exist
at 14

SELECT nope FROM v$session
----
ORA-00904: "NOPE": invalid identifier
at 7

SELECT s.nope FROM v$session s WHERE 1 = 1
----
ORA-00904: "S"."NOPE": invalid identifier
at 7

SELECT sid username oops FROM v$session
----
ORA-00923: FROM keyword not found where expected
at 20

SELECT sid
----
ORA-00923: FROM keyword not found where expected
at 10

SELECT sid FROM v$session extra words
----
ORA-00933: SQL command not properly ended
at 32

SELECT sid FROM v$session WHERE
----
ORA-00936: missing expression
at 31

SELECT FROM dual
----
ORA-00936: missing expression
at 7

SELECT (1 + 2 FROM dual
----
ORA-00907: missing right parenthesis
at 14

SELECT sid FROM v$session WHERE username = 1
----
ORA-01722: invalid number

SELECT sid FROM v$session, v$lock
----
ORA-00918: column ambiguously defined
at 7

SELECT status, COUNT(*) FROM v$session GROUP BY username
----
ORA-00979: not a GROUP BY expression
at 7

SELECT status, COUNT(*) FROM v$session
----
ORA-00937: not a single-group group function
at 7

SELECT 1 / 0 FROM dual
----
ORA-01476: divisor is equal to zero

SELECT sid FROM v$session WHERE sid = :1
----
ORA-01008: not all variables bound

SELECT sid FROM v$session WHERE COUNT(*) > 1
----
ORA-00934: group function is not allowed here
at 32

SELECT 'open FROM dual
----
ORA-01756: quoted string not properly terminated
at 7

SELECT sid FROM v$session@far
----
ORA-02019: connection description for remote database not found
at 25

SELECT sid FROM v$session WHERE sid
----
ORA-00920: invalid relational operator
at 32

SELECT sid FROM v$session WHERE logon_time = 5
----
ORA-00932: inconsistent datatypes: expected DATE got NUMBER
at 43

SELECT nofunction(sid) FROM v$session
----
ORA-00904: "NOFUNCTION": invalid identifier
at 7

SELECT SUBSTR('a') FROM dual
----
ORA-00938: not enough arguments for function
at 7

SELECT (SELECT sid FROM v$session) FROM dual
----
ORA-01427: single-row subquery returns more than one row

SELECT sid FROM v$session WHERE sid IN (SELECT sid, serial# FROM v$session)
----
ORA-00913: too many values
at 36

SELECT sid FROM v$session UNION SELECT sid, serial# FROM v$session
----
ORA-01789: query block has incorrect number of result columns
at 26

SELECT sid FROM v$session UNION SELECT status FROM v$session
----
ORA-01790: expression must have same datatype as corresponding expression
at 26

SELECT TO_DATE('31-FEB-26') FROM dual
----
ORA-01839: date not valid for month specified

SELECT TO_DATE('2026', 'YYYY-QQQ') FROM dual
----
ORA-01840: input value not long enough for date format

SELECT LEVEL FROM dual
----
ORA-01788: CONNECT BY clause required in this query block
at 7

SELECT sid FROM v$session GROUP BY ROLLUP (sid)
----
SID Number!
1
17
42
55
99
120
-

SELECT DISTINCT sid FROM v$session ORDER BY serial#
----
ORA-01791: not a SELECTed expression
at 44

SELECT sid FROM v$session ORDER BY 3
----
ORA-01785: ORDER BY item must be the number of a SELECT-list expression
at 35

SELECT a.sid FROM v$session a, v$lock b WHERE a.sid(+) = b.sid(+)
----
ORA-01468: a predicate may reference only one outer-joined table
at 55

SELECT SYS_CONTEXT('USERENV', 'NO_SUCH') FROM dual
----
ORA-02003: invalid USERENV parameter

SELEC 1 FROM dual
----
ORA-00900: invalid SQL statement
at 0

SELECT 1 FROM dual;
----
ORA-00933: SQL command not properly ended
at 18

@release 11.2
SELECT 1 FROM dual;
----
ORA-00911: invalid character
at 18

@release 23
SELECT 1 + 1
----
1+1 Number!
2

@release 11.2
SELECT sid FROM v$session FETCH FIRST 1 ROWS ONLY
----
ORA-00933: SQL command not properly ended
at 26

SELECT COUNT(*), username FROM v$session GROUP BY username ORDER BY sid
----
ORA-00979: not a GROUP BY expression
at 68

SELECT sid FROM v$session WHERE MAX(sid) = 1
----
ORA-00934: group function is not allowed here
at 32

SELECT ROW_NUMBER() OVER (PARTITION BY sid) FROM v$session
----
ORA-30485: missing ORDER BY expression in the window specification
at 7

SELECT sid FROM v$session CONNECT BY PRIOR inst_id = inst_id AND PRIOR serial# <> sid
----
ORA-01436: CONNECT BY loop in user data

SELECT sid, FROM v$session
----
ORA-00936: missing expression
at 12

SELECT sid FROM WHERE sid = 1
----
ORA-00903: invalid table name
at 16

SELECT sid FROM v$session ORDER sid
----
ORA-00924: missing BY keyword
at 32

SELECT CASE WHEN 1 = 1 THEN 'a' ELSE 2 END FROM dual
----
ORA-00932: inconsistent datatypes: expected CHAR got NUMBER
at 37

SELECT SYSDATE + SYSDATE FROM dual
----
ORA-00975: date + date not allowed
at 15

SELECT TO_CHAR(SYSDATE, 'BLA') FROM dual
----
ORA-01821: date format not recognized

SELECT HEXTORAW('XYZ') FROM dual
----
ORA-01465: invalid hex number

SELECT TO_NUMBER('1,5') FROM dual
----
ORA-01722: invalid number

SELECT sid FROM v$session s JOIN v$lock l ON s.sid = l.sid
----
ORA-00918: column ambiguously defined
at 7

:1 = 1
:2 = 2
SELECT 1 FROM dual WHERE :1 = 1 OR :3 = 2
----
ORA-01008: not all variables bound

SELECT * FROM TABLE(dbms_xplan.display_cursor())
----
ORA-03001: unimplemented feature
at 14

SELECT "unclosed FROM dual
----
ORA-01740: missing double quote in identifier
at 7

SELECT sid FROM v$session WHERE (sid, serial#) = 1
----
ORA-00920: invalid relational operator
at 47

SELECT NULLIF(1) FROM dual
----
ORA-00938: not enough arguments for function
at 7

SELECT nosuch.* FROM v$session s
----
ORA-00904: "NOSUCH": invalid identifier
at 7

SELECT 1 FROM dual WHERE 1 IN (1, 2
----
ORA-00907: missing right parenthesis
at 35

ALTER TABLE
----
ORA-00940: invalid ALTER command
at 11

SELECT sid FROM v$session NATURAL JOIN v$lock
----
SID Number!
17
17
42
