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
at 38

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
ORA-03001: unimplemented feature
at 35

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
ORA-00918: column ambiguously defined
at 7

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
