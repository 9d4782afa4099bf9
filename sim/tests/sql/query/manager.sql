-- What session managers and their drivers send.

SELECT s.inst_id, s.sid, s.serial#, s.username, s.status, ROUND(s.last_call_et / 60) idle_min FROM gv$session s WHERE s.username IS NOT NULL AND s.status = 'INACTIVE' AND s.last_call_et > 60 * 15 ORDER BY s.last_call_et DESC
----
INST_ID Number! | SID Number! | SERIAL# Number! | USERNAME Varchar2(128) | STATUS Varchar2(8) | IDLE_MIN Number
1 | 120 | 31 | 'BATCH' | 'INACTIVE' | 120
2 | 42 | 77 | 'APP' | 'INACTIVE' | 30

SELECT 'ALTER SYSTEM KILL SESSION ''' || sid || ',' || serial# || ',@' || inst_id || ''' IMMEDIATE;' cmd FROM gv$session WHERE username = 'APP' AND status != 'KILLED'
----
CMD Varchar2(162)!
'ALTER SYSTEM KILL SESSION '17,4501,@1' IMMEDIATE;'
'ALTER SYSTEM KILL SESSION '42,77,@2' IMMEDIATE;'

SELECT LPAD(' ', (LEVEL - 1) * 2) || NVL(s.username, '(oracle)') AS username, s.sid, s.serial#, LEVEL FROM v$session s WHERE LEVEL > 1 OR EXISTS (SELECT 1 FROM v$session w WHERE w.blocking_session = s.sid) CONNECT BY PRIOR s.sid = s.blocking_session START WITH s.blocking_session IS NULL
----
USERNAME Varchar2(4000)! | SID Number! | SERIAL# Number! | LEVEL Number!
'APP' | 42 | 77 | 1
'  APP' | 17 | 4501 | 2
'    BATCH' | 55 | 9 | 3

SELECT a.sid || ' blocks ' || b.sid FROM v$lock a, v$lock b, v$session s WHERE a.block = 1 AND b.request > 0 AND s.sid = b.sid AND s.blocking_session = a.sid
----
A.SID||'BLOCKS'||B.SID Varchar2(88)!
'42 blocks 17'

SELECT status, COUNT(*) cnt, ROUND(RATIO_TO_REPORT(COUNT(*)) OVER () * 100, 1) pct FROM v$session GROUP BY status ORDER BY cnt DESC, status
----
STATUS Varchar2(8) | CNT Number! | PCT Number
'ACTIVE' | 3 | 50
'INACTIVE' | 2 | 33.3
'KILLED' | 1 | 16.7

SELECT * FROM (SELECT s.sid, s.username, DENSE_RANK() OVER (ORDER BY s.last_call_et DESC NULLS LAST) dr FROM v$session s WHERE s.username IS NOT NULL) WHERE dr <= 2
----
SID Number! | USERNAME Varchar2(128) | DR Number
42 | 'APP' | 2
120 | 'BATCH' | 1

:inst = 1
:sid = 17
:et = '10'
SELECT COUNT(*) FROM gv$session s WHERE s.inst_id = :inst AND s.sid = :sid AND s.last_call_et >= :et AND (:inst IS NULL OR s.inst_id = :inst)
----
COUNT(*) Number!
1

SELECT username, TO_CHAR(logon_time, 'DD.MM.YYYY HH24:MI') logon, FLOOR(last_call_et / 3600) || ':' || TO_CHAR(MOD(TRUNC(last_call_et / 60), 60), 'FM00') idle FROM v$session WHERE logon_time < SYSDATE - INTERVAL '12' HOUR AND username NOT IN ('SYS', 'SYSTEM') ORDER BY logon_time
----
USERNAME Varchar2(128) | LOGON Varchar2(75) | IDLE Varchar2(116)!
'BATCH' | '28.02.2026 11:00' | '0:01'
'BATCH' | '28.02.2026 12:00' | '2:00'

SELECT DECODE(GROUPING_ID, NULL, 'x') FROM (SELECT NULL grouping_id FROM dual)
----
DECODE(GROUPING_ID,NULL,'X') Varchar2(1)
'x'

SELECT sys_context('userenv', 'session_user') u, sys_context('other', 'thing') o FROM dual
----
U Varchar2(256) | O Varchar2(256)
'APP' | -

SELECT NVL(username, 'none') who, SUM(COUNT(*)) OVER (ORDER BY username NULLS FIRST) total FROM v$session GROUP BY username ORDER BY 1
----
WHO Varchar2(128)! | TOTAL Number
'APP' | 3
'BATCH' | 5
'SCOTT' | 6
'none' | 1

SELECT s.sid FROM v$session s WHERE s.sid = (SELECT MAX(x.sid) FROM v$session x WHERE x.username = s.username) ORDER BY s.sid
----
SID Number!
42
99
120

SELECT s.username, v.n FROM v$session s, (SELECT username, COUNT(*) n FROM v$session GROUP BY username) v WHERE s.username = v.username(+) AND s.sid IN (1, 17) ORDER BY s.sid
----
USERNAME Varchar2(128) | N Number
- | -
'APP' | 2

WITH waiting AS (SELECT sid, blocking_session b FROM v$session WHERE blocking_session IS NOT NULL) SELECT w.sid, h.username FROM waiting w LEFT OUTER JOIN v$session h ON (h.sid = w.b) UNION ALL SELECT COUNT(*), 'total' FROM waiting ORDER BY 1
----
SID Number! | USERNAME Varchar2(128)
2 | 'total'
17 | 'APP'
55 | 'APP'
