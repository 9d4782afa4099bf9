-- ROLLUP, CUBE, GROUPING SETS and what they are asked with.

SELECT username, status, COUNT(*) n FROM v$session WHERE username IS NOT NULL GROUP BY ROLLUP(username, status) ORDER BY 1, 2
----
USERNAME Varchar2(128) | STATUS Varchar2(8) | N Number!
'APP' | 'ACTIVE' | 1
'APP' | 'INACTIVE' | 1
'APP' | - | 2
'BATCH' | 'ACTIVE' | 1
'BATCH' | 'INACTIVE' | 1
'BATCH' | - | 2
'SCOTT' | 'KILLED' | 1
'SCOTT' | - | 1
- | - | 5

SELECT username, status, COUNT(*) n, GROUPING(username) gu, GROUPING_ID(username, status) g FROM v$session WHERE username IS NOT NULL GROUP BY CUBE(username, status) ORDER BY 5, 1, 2
----
USERNAME Varchar2(128) | STATUS Varchar2(8) | N Number! | GU Number | G Number
'APP' | 'ACTIVE' | 1 | 0 | 0
'APP' | 'INACTIVE' | 1 | 0 | 0
'BATCH' | 'ACTIVE' | 1 | 0 | 0
'BATCH' | 'INACTIVE' | 1 | 0 | 0
'SCOTT' | 'KILLED' | 1 | 0 | 0
'APP' | - | 2 | 0 | 1
'BATCH' | - | 2 | 0 | 1
'SCOTT' | - | 1 | 0 | 1
- | 'ACTIVE' | 2 | 1 | 2
- | 'INACTIVE' | 2 | 1 | 2
- | 'KILLED' | 1 | 1 | 2
- | - | 5 | 1 | 3

SELECT username, status, SUM(sid) s FROM v$session WHERE username = 'APP' GROUP BY GROUPING SETS ((username, status), status, ()) ORDER BY 1, 2
----
USERNAME Varchar2(128) | STATUS Varchar2(8) | S Number
'APP' | 'ACTIVE' | 17
'APP' | 'INACTIVE' | 42
- | 'ACTIVE' | 17
- | 'INACTIVE' | 42
- | - | 59

SELECT DECODE(GROUPING(UPPER(status)), 1, 'all', UPPER(status)) state, COUNT(*) n FROM v$session GROUP BY ROLLUP(UPPER(status)) HAVING COUNT(*) > 1 ORDER BY n
----
STATE Varchar2(8) | N Number!
'INACTIVE' | 2
'ACTIVE' | 3
'all' | 6

SELECT username, inst_id, COUNT(*) n FROM v$session WHERE username IS NOT NULL GROUP BY username, ROLLUP(inst_id) ORDER BY 1, 2
----
USERNAME Varchar2(128) | INST_ID Number! | N Number!
'APP' | 1 | 1
'APP' | 2 | 1
'APP' | - | 2
'BATCH' | 1 | 2
'BATCH' | - | 2
'SCOTT' | 2 | 1
'SCOTT' | - | 1

SELECT COUNT(*) n, MAX(sid) m FROM v$session GROUP BY ()
----
N Number! | M Number
6 | 120

SELECT COUNT(*) n FROM v$session WHERE sid < 0 GROUP BY ROLLUP(username)
----
N Number!
0

SELECT status, COUNT(*) n, GROUP_ID() d FROM v$session WHERE username = 'APP' GROUP BY GROUPING SETS (status, status) ORDER BY 3, 1
----
STATUS Varchar2(8) | N Number! | D Number
'ACTIVE' | 1 | 0
'INACTIVE' | 1 | 0
'ACTIVE' | 1 | 1
'INACTIVE' | 1 | 1

SELECT status, GROUPING(username) g FROM v$session GROUP BY status
----
ORA-00979: not a GROUP BY expression

SELECT status, sid FROM v$session GROUP BY ROLLUP(status)
----
ORA-00979: not a GROUP BY expression
at 15

SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY sid) c, PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY sid DESC) d, MEDIAN(sid) m, STATS_MODE(username) s FROM v$session
----
C Number | D Number | M Number | S Varchar2(128)
48.5 | 55 | 48.5 | 'APP'

SELECT PERCENTILE_CONT(2) WITHIN GROUP (ORDER BY sid) c FROM v$session
----
ORA-30492: One of the arguments of the percentile function is out of range

SELECT MAX(COUNT(*)) FROM v$session GROUP BY username
----
MAX(COUNT(*)) Number
2

SELECT MAX(COUNT(*)) most, ROUND(AVG(COUNT(*)), 2) usual, MAX(MAX(sid)) - 1 s FROM v$session WHERE username IS NOT NULL GROUP BY username HAVING COUNT(*) > 1
----
MOST Number | USUAL Number | S Number
2 | 2 | 119

SELECT MAX(SUM(sid) + COUNT(*)) x, MIN(username) FROM v$session GROUP BY username
----
ORA-00937: not a single-group group function
at 35

SELECT MAX(username || COUNT(*)) x FROM v$session GROUP BY username
----
X Varchar2(168)
'SCOTT1'

SELECT MAX(COUNT(*)) FROM v$session
----
ORA-00978: nested group function without GROUP BY
at 7

SELECT username, MAX(COUNT(*)) FROM v$session GROUP BY username
----
ORA-00937: not a single-group group function
at 7

SELECT COUNT(*), MAX(COUNT(*)) FROM v$session GROUP BY username
----
ORA-00937: not a single-group group function
at 7

SELECT MAX(MAX(COUNT(*))) FROM v$session GROUP BY username
----
ORA-00935: group function is nested too deeply
at 11

SELECT MAX(COUNT(*) + sid) FROM v$session GROUP BY username
----
ORA-00979: not a GROUP BY expression
at 22

SELECT * FROM (SELECT username, status, sid FROM v$session) PIVOT (COUNT(*) FOR status IN ('ACTIVE', 'INACTIVE' AS idle)) ORDER BY username
----
USERNAME Varchar2(128) | SID Number! | 'ACTIVE' Number! | IDLE Number!
'APP' | 17 | 1 | 0
'APP' | 42 | 0 | 1
'BATCH' | 55 | 1 | 0
'BATCH' | 120 | 0 | 1
'SCOTT' | 99 | 0 | 0
- | 1 | 1 | 0

SELECT * FROM (SELECT username, status, sid FROM v$session WHERE username IS NOT NULL) PIVOT (COUNT(*) AS n, MAX(sid) AS m FOR status IN ('ACTIVE' AS a, 'KILLED' AS k)) p ORDER BY p.username
----
USERNAME Varchar2(128) | A_N Number! | A_M Number | K_N Number! | K_M Number
'APP' | 1 | 17 | 0 | -
'BATCH' | 1 | 55 | 0 | -
'SCOTT' | 0 | - | 1 | 99

SELECT * FROM (SELECT sid, serial# FROM v$session) PIVOT (SUM(serial#) FOR sid IN (17, 42, -1))
----
17 Number | 42 Number | -1 Number
4501 | 77 | -

SELECT * FROM v$session PIVOT (sid FOR status IN ('ACTIVE'))
----
ORA-56902: expect aggregate function inside pivot operation
at 31

SELECT * FROM v$session PIVOT (MAX(sid) FOR nope IN ('ACTIVE'))
----
ORA-00904: "NOPE": invalid identifier
at 53

SELECT * FROM v$session UNPIVOT (a FOR b IN (sid, serial#))
----
ORA-03001: unimplemented feature
at 24
