WITH t (n) AS (SELECT 1 FROM dual UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT n, n * n sq FROM t
----
N Number | SQ Number
1 | 1
2 | 4
3 | 9
4 | 16

WITH e AS (SELECT 1 id, NULL boss FROM dual UNION ALL SELECT 2, 1 FROM dual UNION ALL SELECT 3, 1 FROM dual UNION ALL SELECT 4, 3 FROM dual), t (id, lvl, path) AS (SELECT id, 0, '/' || id FROM e WHERE boss IS NULL UNION ALL SELECT e.id, t.lvl + 1, t.path || '/' || e.id FROM e JOIN t ON e.boss = t.id) SELECT id, lvl, path FROM t ORDER BY path
----
ID Number | LVL Number | PATH Varchar2(82)
1 | 0 | '/1'
2 | 1 | '/1/2'
3 | 1 | '/1/3'
4 | 2 | '/1/3/4'

WITH t (n) AS (SELECT 1 FROM dual UNION ALL SELECT 3 - n FROM t) SELECT COUNT(*) FROM t
----
ORA-32044: cycle detected while executing recursive WITH query

WITH t AS (SELECT 1 n FROM dual UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT n FROM t
----
ORA-32039: recursive WITH clause must have column alias list
at 89

WITH t (n, m) AS (SELECT 1 FROM dual UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT n FROM t
----
ORA-32038: number of WITH clause column names does not match number of elements in select list
at 94

WITH t (n) AS (SELECT 1 FROM dual UNION ALL SELECT n + 1 FROM t WHERE n < 4) SEARCH DEPTH FIRST BY n SET o SELECT n FROM t
----
ORA-03001: unimplemented feature
at 77

WITH t (n) AS (SELECT 1 FROM dual UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT a.n, b.n FROM t a, t b WHERE a.n = b.n ORDER BY 1
----
N Number | N Number
1 | 1
2 | 2
3 | 3
