-- How many rows joins give, which nobody holds.

SELECT COUNT(*) FROM (SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 2400) a, (SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 2400) b
----
COUNT(*) Number!
5760000

SELECT COUNT(*) n, COUNT(*) + 1 m FROM v$session a, v$session b WHERE a.sid = b.sid AND a.status || b.status <> 'x'
----
N Number! | M Number!
6 | 7

SELECT COUNT(*) FROM v$session a, v$session b WHERE a.sid < b.sid AND ROWNUM <= 5
----
COUNT(*) Number!
5

SELECT (SELECT COUNT(*) FROM v$session b, v$session c WHERE b.sid = a.sid AND c.sid >= b.sid) n FROM v$session a ORDER BY a.sid
----
N Number
6
5
4
3
2
1

SELECT COUNT(*) FROM v$session a, v$session b, dual WHERE 1 = 2
----
COUNT(*) Number!
0

SELECT COUNT(*) FROM v$session a LEFT JOIN v$lock b ON b.sid = a.sid AND b.type = 'none'
----
COUNT(*) Number!
6

SELECT COUNT(*) FROM v$session a, v$lock b WHERE b.sid(+) = a.sid
----
COUNT(*) Number!
7

SELECT COUNT(*) n FROM v$session a, v$session b HAVING COUNT(*) < 0
----
N Number!

SELECT COUNT(*) FROM v$session a, v$session b WHERE 1 / (a.sid - b.sid) > 0
----
ORA-01476: divisor is equal to zero
