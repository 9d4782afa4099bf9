SELECT sid, serial#, username FROM v$session WHERE status = 'ACTIVE'
----
SID Number! | SERIAL# Number! | USERNAME Varchar2(128)
1 | 100 | -
17 | 4501 | 'APP'
55 | 9 | 'BATCH'

SELECT s.* FROM v$session s WHERE s.sid = 42
----
SADDR Raw(8) | INST_ID Number! | SID Number! | SERIAL# Number! | USERNAME Varchar2(128) | STATUS Varchar2(8) | PROGRAM Varchar2(48) | LOGON_TIME Date | LAST_CALL_ET Number | SQL_ID Varchar2(13) | BLOCKING_SESSION Number | MODULE Varchar2(64)
[00, 00, 00, 00, 00, 00, AB, 03] | 2 | 42 | 77 | 'APP' | 'INACTIVE' | 'JDBC Thin Client' | day 20513 11:00:00 | 1800 | - | - | 'orders'

SELECT * FROM dual
----
DUMMY Varchar2(1)
'X'

select sid "Sid", sid + 1, upper(status) st from gv$session where sid in (1, 17) order by sid desc
----
Sid Number! | SID+1 Number! | ST Varchar2(8)
17 | 18 | 'ACTIVE'
1 | 2 | 'ACTIVE'

SELECT COUNT(*) FROM v$session
----
COUNT(*) Number!
6

SELECT username, COUNT(*) n, MAX(last_call_et) FROM v$session GROUP BY username ORDER BY username
----
USERNAME Varchar2(128) | N Number! | MAX(LAST_CALL_ET) Number
'APP' | 2 | 1800
'BATCH' | 2 | 7200
'SCOTT' | 1 | 5
- | 1 | 864000

SELECT username, COUNT(*) FROM v$session GROUP BY username HAVING COUNT(*) > 1 ORDER BY 2 DESC, 1 NULLS FIRST
----
USERNAME Varchar2(128) | COUNT(*) Number!
'APP' | 2
'BATCH' | 2

SELECT s.sid, l.type FROM v$session s, v$lock l WHERE s.sid = l.sid(+) ORDER BY s.sid, l.type
----
SID Number! | TYPE Varchar2(2)
1 | -
17 | 'TM'
17 | 'TX'
42 | 'TX'
55 | -
99 | -
120 | -

SELECT s.sid, l.type FROM v$session s LEFT JOIN v$lock l ON l.sid = s.sid AND l.lmode > 0 ORDER BY 1, 2
----
SID Number! | TYPE Varchar2(2)
1 | -
17 | 'TM'
42 | 'TX'
55 | -
99 | -
120 | -

SELECT s.sid, l.sid, l.type FROM v$session s RIGHT OUTER JOIN v$lock l ON l.sid = s.sid ORDER BY l.sid, l.type
----
SID Number | SID Number | TYPE Varchar2(2)
17 | 17 | 'TM'
17 | 17 | 'TX'
42 | 42 | 'TX'
- | 700 | 'UL'

SELECT s.sid, l.sid FROM v$session s FULL JOIN v$lock l ON l.sid = s.sid WHERE s.sid IS NULL OR l.sid IS NULL ORDER BY 1, 2
----
SID Number | SID Number
1 | -
55 | -
99 | -
120 | -
- | 700

SELECT sid, type FROM v$session JOIN v$lock USING (sid) ORDER BY sid, type
----
SID Number! | TYPE Varchar2(2)
17 | 'TM'
17 | 'TX'
42 | 'TX'

SELECT b.sid blocker, w.sid waiter FROM v$session b JOIN v$session w ON w.blocking_session = b.sid ORDER BY 1
----
BLOCKER Number! | WAITER Number!
17 | 55
42 | 17

SELECT sid FROM v$session s WHERE EXISTS (SELECT 1 FROM v$lock l WHERE l.sid = s.sid AND l.block = 1)
----
SID Number!
42

SELECT sid FROM v$session s WHERE sid NOT IN (SELECT blocking_session FROM v$session WHERE blocking_session IS NOT NULL)
----
SID Number!
1
55
99
120

SELECT sid FROM v$session WHERE sid NOT IN (SELECT blocking_session FROM v$session)
----
SID Number!

SELECT sid, (SELECT COUNT(*) FROM v$lock l WHERE l.sid = s.sid) locks FROM v$session s ORDER BY sid
----
SID Number! | LOCKS Number
1 | 0
17 | 2
42 | 1
55 | 0
99 | 0
120 | 0

WITH a AS (SELECT sid, username FROM v$session WHERE username IS NOT NULL), b (who, n) AS (SELECT username, COUNT(*) FROM a GROUP BY username) SELECT * FROM b WHERE n > 1 ORDER BY who
----
WHO Varchar2(128) | N Number!
'APP' | 2
'BATCH' | 2

SELECT * FROM (SELECT sid, ROWNUM rn FROM v$session ORDER BY sid DESC) WHERE ROWNUM <= 2
----
SID Number! | RN Number!
120 | 6
99 | 5

SELECT sid FROM v$session ORDER BY sid OFFSET 1 ROW FETCH NEXT 2 ROWS ONLY
----
SID Number!
17
42

SELECT last_call_et FROM v$session ORDER BY last_call_et DESC FETCH FIRST ROW ONLY
----
LAST_CALL_ET Number
864000

SELECT username FROM v$session UNION SELECT 'ZED' FROM dual
----
USERNAME Varchar2(128)
'APP'
'BATCH'
'SCOTT'
'ZED'
-

SELECT sid FROM v$session MINUS SELECT sid FROM v$lock
----
SID Number
1
55
99
120

SELECT sid FROM v$session INTERSECT SELECT sid FROM v$lock ORDER BY sid DESC
----
SID Number
42
17

SELECT 1 x FROM dual UNION ALL SELECT NULL FROM dual UNION ALL SELECT 3 FROM dual
----
X Number
1
-
3

SELECT DISTINCT username FROM v$session ORDER BY username NULLS FIRST
----
USERNAME Varchar2(128)
-
'APP'
'BATCH'
'SCOTT'

SELECT sid, ROW_NUMBER() OVER (PARTITION BY username ORDER BY last_call_et DESC) rn, COUNT(*) OVER (PARTITION BY username) n, RANK() OVER (ORDER BY status) r FROM v$session ORDER BY sid
----
SID Number! | RN Number | N Number | R Number
1 | 1 | 1 | 1
17 | 2 | 2 | 1
42 | 1 | 2 | 4
55 | 2 | 2 | 1
99 | 1 | 1 | 6
120 | 1 | 2 | 4

SELECT sid, LAG(sid) OVER (ORDER BY sid) prev, SUM(last_call_et) OVER (ORDER BY sid) running FROM v$session ORDER BY sid
----
SID Number! | PREV Number | RUNNING Number
1 | - | 864000
17 | 1 | 864012
42 | 17 | 865812
55 | 42 | 865872
99 | 55 | 865877
120 | 99 | 873077

SELECT username, LISTAGG(sid, ',') WITHIN GROUP (ORDER BY sid DESC) sids FROM v$session GROUP BY username ORDER BY 1
----
USERNAME Varchar2(128) | SIDS Varchar2(4000)
'APP' | '42,17'
'BATCH' | '120,55'
'SCOTT' | '99'
- | '1'

SELECT MAX(sid) KEEP (DENSE_RANK FIRST ORDER BY last_call_et) quickest, AVG(serial#) a, COUNT(DISTINCT username) u FROM v$session
----
QUICKEST Number | A Number | U Number!
99 | 786.666666666666666666666666666666666667 | 3

SELECT LEVEL FROM dual CONNECT BY LEVEL <= 4
----
LEVEL Number!
1
2
3
4

SELECT ROWNUM FROM dual CONNECT BY ROWNUM <= 3
----
ROWNUM Number!
1
2
3

SELECT LEVEL, LPAD(' ', 2 * (LEVEL - 1)) || sid chain, SYS_CONNECT_BY_PATH(sid, '/') path, CONNECT_BY_ROOT sid root, CONNECT_BY_ISLEAF leaf FROM v$session WHERE username IS NOT NULL START WITH blocking_session IS NULL CONNECT BY PRIOR sid = blocking_session ORDER SIBLINGS BY sid
----
LEVEL Number! | CHAIN Varchar2(4000)! | PATH Varchar2(4000) | ROOT Number | LEAF Number!
1 | '42' | '/42' | 42 | 0
2 | '  17' | '/42/17' | 42 | 0
3 | '    55' | '/42/17/55' | 42 | 1
1 | '99' | '/99' | 99 | 1
1 | '120' | '/120' | 120 | 1

SELECT sid FROM v$session s WHERE (sid, serial#) IN ((17, 4501), (42, 78))
----
SID Number!
17

SELECT sid FROM v$session WHERE sid > ALL (SELECT sid FROM v$lock WHERE sid < 100) AND sid = ANY (55, 99, 120)
----
SID Number!
55
99
120

SELECT sid FROM v$session WHERE program LIKE '%\%' ESCAPE '\' OR module LIKE 'toad\_%' ESCAPE '\'
----
SID Number!
99

SELECT sid FROM v$session WHERE REGEXP_LIKE(program, '^jdbc', 'i') AND status <> 'KILLED'
----
SID Number!
17
42

:1 = 17
:2 = 'APP'
SELECT serial#, :2 who FROM v$session WHERE sid = :1 AND username = :2
----
SERIAL# Number! | WHO Varchar2(2000)
4501 | 'APP'

SELECT sid FROM v$session WHERE sid BETWEEN '17' AND 42 AND NOT status = 'KILLED'
----
SID Number!
17
42

SELECT /*+ first_rows(1) */ sid -- the first
FROM sys.gv_$session WHERE inst_id = USERENV('INSTANCE') AND sid = SYS_CONTEXT('USERENV', 'SID')
----
SID Number!
17

SELECT username, SUM(CASE WHEN status = 'ACTIVE' THEN 1 ELSE 0 END) active FROM v$session GROUP BY username ORDER BY active DESC, username
----
USERNAME Varchar2(128) | ACTIVE Number
'APP' | 1
'BATCH' | 1
- | 1
'SCOTT' | 0

SELECT RANK() OVER (ORDER BY COUNT(*) DESC) r, username FROM v$session GROUP BY username ORDER BY r, username
----
R Number | USERNAME Varchar2(128)
1 | 'APP'
1 | 'BATCH'
3 | 'SCOTT'
3 | -

SELECT COUNT(*), MAX(sid), SUM(sid) FROM v$session WHERE 1 = 0
----
COUNT(*) Number! | MAX(SID) Number | SUM(SID) Number
0 | - | -

SELECT id, code FROM notes WHERE code = 'A'
----
ID Number! | CODE Char(3)
1 | 'A  '

SELECT a.sid FROM v$session a, v$lock b WHERE a.sid = b.sid AND b.type = 'TX' AND a.inst_id = 1 ORDER BY UPPER(a.status)
----
SID Number!
17

SELECT id, n.* FROM notes n WHERE id = 1
----
ID Number! | ID Number! | BODY Varchar2(40) | CODE Char(3) | AMOUNT Number | AT TimestampTz
1 | 1 | 'first' | 'A  ' | 10.25 | day 20513 12:00:00.250000000 UTC shown at +120

WITH a AS (SELECT 1 id, 'a1' x, 10 k FROM dual UNION ALL SELECT 2, 'a2', 20 FROM dual), b AS (SELECT 2 id, 'b2' y FROM dual UNION ALL SELECT 3, 'b3' FROM dual) SELECT id, x, y FROM a FULL JOIN b USING (id) ORDER BY id
----
ID Number | X Char(2) | Y Char(2)
1 | 'a1' | -
2 | 'a2' | 'b2'
3 | - | 'b3'

WITH a AS (SELECT 1 id, 'a1' x, 10 k FROM dual UNION ALL SELECT 2, 'a2', 20 FROM dual), b AS (SELECT 2 id, 'b2' y FROM dual UNION ALL SELECT 3, 'b3' FROM dual) SELECT * FROM a RIGHT JOIN b USING (id) ORDER BY id
----
ID Number | X Char(2) | K Number | Y Char(2)!
2 | 'a2' | 20 | 'b2'
3 | - | - | 'b3'

WITH a AS (SELECT 10 k, 1 id FROM dual UNION ALL SELECT 20, 2 FROM dual), b AS (SELECT 'b2' y, 2 id FROM dual UNION ALL SELECT 'b3', 3 FROM dual), c AS (SELECT 3 id, 'b3' y, 7 z FROM dual) SELECT * FROM a FULL JOIN b USING (id) LEFT JOIN c USING (id, y) ORDER BY id
----
ID Number | Y Char(2) | K Number | Z Number
1 | - | 10 | -
2 | 'b2' | 20 | -
3 | 'b3' | - | 7

WITH a AS (SELECT 10 k, 1 id FROM dual), b AS (SELECT 'b1' y, 1 id FROM dual) SELECT * FROM a NATURAL JOIN b
----
ID Number! | K Number! | Y Char(2)!
1 | 10 | 'b1'

WITH a AS (SELECT 10 k, 1 id FROM dual), b AS (SELECT 'b1' y, 2 id FROM dual) SELECT id, k, y FROM a NATURAL FULL OUTER JOIN b ORDER BY 1
----
ID Number | K Number | Y Char(2)
1 | 10 | -
2 | - | 'b1'

WITH a AS (SELECT 10 k FROM dual), b AS (SELECT 'b1' y FROM dual) SELECT * FROM a NATURAL JOIN b
----
K Number! | Y Char(2)!
10 | 'b1'

WITH a AS (SELECT 10 k, 1 id FROM dual), b AS (SELECT 'b1' y, 1 id FROM dual) SELECT a.*, b.* FROM a NATURAL LEFT JOIN b
----
K Number! | Y Char(2)
10 | 'b1'

WITH a AS (SELECT 10 k, 1 id FROM dual), b AS (SELECT 'b1' y, 1 id FROM dual) SELECT a.id FROM a NATURAL JOIN b
----
ORA-25155: column used in NATURAL join cannot have qualifier
at 85

WITH a AS (SELECT 10 k, 1 id FROM dual), b AS (SELECT 'b1' y, 1 id FROM dual) SELECT b.id FROM a JOIN b USING (id)
----
ORA-25154: column part of USING clause cannot have qualifier
at 85

WITH a AS (SELECT 10 k, 1 id FROM dual), b AS (SELECT 'b1' y, 1 id FROM dual) SELECT id, (SELECT COUNT(*) FROM dual WHERE id = 1) n FROM a NATURAL JOIN b
----
ID Number! | N Number
1 | 1

WITH a AS (SELECT 10 k, 1 id FROM dual), b AS (SELECT 'b1' y, 1 id FROM dual) SELECT id FROM a NATURAL CROSS JOIN b
----
ORA-00905: missing keyword
at 115

SELECT sid, COUNT(*) FROM v$session FULL JOIN v$lock USING (sid) GROUP BY sid ORDER BY sid
----
SID Number | COUNT(*) Number!
1 | 1
17 | 2
42 | 1
55 | 1
99 | 1
120 | 1
700 | 1
