SELECT sid, serial#, username FROM v$session WHERE status = 'ACTIVE'

SELECT s.* FROM v$session s WHERE s.sid = 42

SELECT * FROM dual

select sid "Sid", sid + 1, upper(status) st from gv$session where sid in (1, 17) order by sid desc

SELECT COUNT(*) FROM v$session

SELECT username, COUNT(*) n, MAX(last_call_et) FROM v$session GROUP BY username ORDER BY username

SELECT username, COUNT(*) FROM v$session GROUP BY username HAVING COUNT(*) > 1 ORDER BY 2 DESC, 1 NULLS FIRST

SELECT s.sid, l.type FROM v$session s, v$lock l WHERE s.sid = l.sid(+) ORDER BY s.sid, l.type

SELECT s.sid, l.type FROM v$session s LEFT JOIN v$lock l ON l.sid = s.sid AND l.lmode > 0 ORDER BY 1, 2

SELECT s.sid, l.sid, l.type FROM v$session s RIGHT OUTER JOIN v$lock l ON l.sid = s.sid ORDER BY l.sid, l.type

SELECT s.sid, l.sid FROM v$session s FULL JOIN v$lock l ON l.sid = s.sid WHERE s.sid IS NULL OR l.sid IS NULL ORDER BY 1, 2

SELECT sid, type FROM v$session JOIN v$lock USING (sid) ORDER BY sid, type

SELECT b.sid blocker, w.sid waiter FROM v$session b JOIN v$session w ON w.blocking_session = b.sid ORDER BY 1

SELECT sid FROM v$session s WHERE EXISTS (SELECT 1 FROM v$lock l WHERE l.sid = s.sid AND l.block = 1)

SELECT sid FROM v$session s WHERE sid NOT IN (SELECT blocking_session FROM v$session WHERE blocking_session IS NOT NULL)

SELECT sid FROM v$session WHERE sid NOT IN (SELECT blocking_session FROM v$session)

SELECT sid, (SELECT COUNT(*) FROM v$lock l WHERE l.sid = s.sid) locks FROM v$session s ORDER BY sid

WITH a AS (SELECT sid, username FROM v$session WHERE username IS NOT NULL), b (who, n) AS (SELECT username, COUNT(*) FROM a GROUP BY username) SELECT * FROM b WHERE n > 1 ORDER BY who

SELECT * FROM (SELECT sid, ROWNUM rn FROM v$session ORDER BY sid DESC) WHERE ROWNUM <= 2

SELECT sid FROM v$session ORDER BY sid OFFSET 1 ROW FETCH NEXT 2 ROWS ONLY

SELECT last_call_et FROM v$session ORDER BY last_call_et DESC FETCH FIRST ROW ONLY

SELECT username FROM v$session UNION SELECT 'ZED' FROM dual

SELECT sid FROM v$session MINUS SELECT sid FROM v$lock

SELECT sid FROM v$session INTERSECT SELECT sid FROM v$lock ORDER BY sid DESC

SELECT 1 x FROM dual UNION ALL SELECT NULL FROM dual UNION ALL SELECT 3 FROM dual

SELECT DISTINCT username FROM v$session ORDER BY username NULLS FIRST

SELECT sid, ROW_NUMBER() OVER (PARTITION BY username ORDER BY last_call_et DESC) rn, COUNT(*) OVER (PARTITION BY username) n, RANK() OVER (ORDER BY status) r FROM v$session ORDER BY sid

SELECT sid, LAG(sid) OVER (ORDER BY sid) prev, SUM(last_call_et) OVER (ORDER BY sid) running FROM v$session ORDER BY sid

SELECT username, LISTAGG(sid, ',') WITHIN GROUP (ORDER BY sid DESC) sids FROM v$session GROUP BY username ORDER BY 1

SELECT MAX(sid) KEEP (DENSE_RANK FIRST ORDER BY last_call_et) quickest, AVG(serial#) a, COUNT(DISTINCT username) u FROM v$session

SELECT LEVEL FROM dual CONNECT BY LEVEL <= 4

SELECT ROWNUM FROM dual CONNECT BY ROWNUM <= 3

SELECT LEVEL, LPAD(' ', 2 * (LEVEL - 1)) || sid chain, SYS_CONNECT_BY_PATH(sid, '/') path, CONNECT_BY_ROOT sid root, CONNECT_BY_ISLEAF leaf FROM v$session WHERE username IS NOT NULL START WITH blocking_session IS NULL CONNECT BY PRIOR sid = blocking_session ORDER SIBLINGS BY sid

SELECT sid FROM v$session s WHERE (sid, serial#) IN ((17, 4501), (42, 78))

SELECT sid FROM v$session WHERE sid > ALL (SELECT sid FROM v$lock WHERE sid < 100) AND sid = ANY (55, 99, 120)

SELECT sid FROM v$session WHERE program LIKE '%\%' ESCAPE '\' OR module LIKE 'toad\_%' ESCAPE '\'

SELECT sid FROM v$session WHERE REGEXP_LIKE(program, '^jdbc', 'i') AND status <> 'KILLED'

:1 = 17
:2 = 'APP'
SELECT serial#, :2 who FROM v$session WHERE sid = :1 AND username = :2

SELECT sid FROM v$session WHERE sid BETWEEN '17' AND 42 AND NOT status = 'KILLED'

SELECT /*+ first_rows(1) */ sid -- the first
FROM sys.gv_$session WHERE inst_id = USERENV('INSTANCE') AND sid = SYS_CONTEXT('USERENV', 'SID')

SELECT username, SUM(CASE WHEN status = 'ACTIVE' THEN 1 ELSE 0 END) active FROM v$session GROUP BY username ORDER BY active DESC, username

SELECT RANK() OVER (ORDER BY COUNT(*) DESC) r, username FROM v$session GROUP BY username ORDER BY r, username

SELECT COUNT(*), MAX(sid), SUM(sid) FROM v$session WHERE 1 = 0

SELECT id, code FROM notes WHERE code = 'A'

SELECT a.sid FROM v$session a, v$lock b WHERE a.sid = b.sid AND b.type = 'TX' AND a.inst_id = 1 ORDER BY UPPER(a.status)
