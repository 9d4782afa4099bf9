-- Sources that read those before them.

SELECT s.sid, l.type FROM v$session s, LATERAL (SELECT type FROM v$lock l WHERE l.sid = s.sid) l ORDER BY 1, 2
----
SID Number! | TYPE Varchar2(2)
17 | 'TM'
17 | 'TX'
42 | 'TX'

SELECT s.sid, l.type FROM v$session s OUTER APPLY (SELECT type FROM v$lock l WHERE l.sid = s.sid) l ORDER BY 1, 2
----
SID Number! | TYPE Varchar2(2)
1 | -
17 | 'TM'
17 | 'TX'
42 | 'TX'
55 | -
99 | -
120 | -

SELECT s.sid, l.n FROM v$session s CROSS APPLY (SELECT COUNT(*) n, MAX(type) t FROM v$lock l WHERE l.sid = s.sid) l WHERE l.n > 0 ORDER BY 1
----
SID Number! | N Number!
17 | 2
42 | 1

SELECT s.sid, b.sid blocker FROM v$session s CROSS APPLY (SELECT b.sid FROM v$session b WHERE b.sid = s.blocking_session) b ORDER BY 1
----
SID Number! | BLOCKER Number!
17 | 42
55 | 17

SELECT s.sid, top.sid FROM v$session s LEFT JOIN LATERAL (SELECT o.sid FROM v$session o WHERE o.username = s.username AND o.sid <> s.sid ORDER BY o.sid FETCH FIRST 1 ROW ONLY) top ON top.sid > 20 ORDER BY 1
----
SID Number! | SID Number
1 | -
17 | 42
42 | -
55 | 120
99 | -
120 | 55

SELECT COUNT(*) FROM v$session s, LATERAL (SELECT type FROM v$lock l WHERE l.sid = s.sid) l
----
COUNT(*) Number!
3

SELECT s.sid, x.type, y.n FROM v$session s, LATERAL (SELECT type FROM v$lock l WHERE l.sid = s.sid) x, LATERAL (SELECT x.type || s.sid n FROM dual) y ORDER BY 1, 2
----
SID Number! | TYPE Varchar2(2) | N Varchar2(42)!
17 | 'TM' | 'TM17'
17 | 'TX' | 'TX17'
42 | 'TX' | 'TX42'

SELECT sid FROM v$session o WHERE EXISTS (SELECT 1 FROM v$lock k, LATERAL (SELECT 1 FROM dual WHERE k.sid = o.sid AND k.request > 0) z)
----
SID Number!
17

SELECT s.* FROM (SELECT 1 n FROM dual) s, LATERAL (SELECT nope FROM dual) l
----
ORA-00904: "NOPE": invalid identifier
at 58

SELECT 1 FROM LATERAL (SELECT l.x FROM dual) k, (SELECT 1 x FROM dual) l
----
ORA-00904: "L"."X": invalid identifier
at 30

SELECT 1 FROM v$session s RIGHT JOIN LATERAL (SELECT s.sid FROM dual) l ON 1 = 1
----
ORA-03001: unimplemented feature: such a join of LATERAL
at 37

SELECT 1 FROM v$session s CROSS APPLY v$lock l
----
ORA-03001: unimplemented feature: APPLY of a table
at 46

SELECT 1 FROM v$session s, v$lock k, LATERAL (SELECT s.sid FROM dual) l WHERE k.sid(+) = s.sid
----
ORA-03001: unimplemented feature: (+) beside LATERAL

@release 11.2
SELECT 1 FROM v$session s, LATERAL (SELECT s.sid FROM dual) l
----
ORA-00933: SQL command not properly ended
at 35
