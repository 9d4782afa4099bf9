SELECT * FROM nothing

SELECT nope FROM v$session

SELECT s.nope FROM v$session s WHERE 1 = 1

SELECT sid username oops FROM v$session

SELECT sid

SELECT sid FROM v$session extra words

SELECT sid FROM v$session WHERE

SELECT FROM dual

SELECT (1 + 2 FROM dual

SELECT sid FROM v$session WHERE username = 1

SELECT sid FROM v$session, v$lock

SELECT status, COUNT(*) FROM v$session GROUP BY username

SELECT status, COUNT(*) FROM v$session

SELECT 1 / 0 FROM dual

SELECT sid FROM v$session WHERE sid = :1

SELECT sid FROM v$session WHERE COUNT(*) > 1

SELECT 'open FROM dual

SELECT sid FROM v$session@far

SELECT sid FROM v$session WHERE sid

SELECT sid FROM v$session WHERE logon_time = 5

SELECT nofunction(sid) FROM v$session

SELECT SUBSTR('a') FROM dual

SELECT (SELECT sid FROM v$session) FROM dual

SELECT sid FROM v$session WHERE sid IN (SELECT sid, serial# FROM v$session)

SELECT sid FROM v$session UNION SELECT sid, serial# FROM v$session

SELECT sid FROM v$session UNION SELECT status FROM v$session

SELECT TO_DATE('31-FEB-26') FROM dual

SELECT TO_DATE('2026', 'YYYY-QQQ') FROM dual

SELECT LEVEL FROM dual

SELECT sid FROM v$session GROUP BY ROLLUP (sid)

SELECT DISTINCT sid FROM v$session ORDER BY serial#

SELECT sid FROM v$session ORDER BY 3

SELECT sid FROM v$session a, v$lock b WHERE a.sid(+) = b.sid(+)

SELECT SYS_CONTEXT('USERENV', 'NO_SUCH') FROM dual

SELEC 1 FROM dual

SELECT 1 FROM dual;

@release 11.2
SELECT 1 FROM dual;

@release 23
SELECT 1 + 1

@release 11.2
SELECT sid FROM v$session FETCH FIRST 1 ROWS ONLY
