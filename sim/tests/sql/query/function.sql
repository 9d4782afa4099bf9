SELECT SYSDATE, SYSTIMESTAMP, CURRENT_DATE, USER, UID, SESSIONTIMEZONE FROM dual

SELECT TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI:SS') a, TO_CHAR(SYSDATE, 'fmDay, DD Month YYYY') b, TO_CHAR(SYSDATE, 'DY MON Q WW IW DDD J') c FROM dual

SELECT TO_CHAR(SYSTIMESTAMP, 'HH12:MI:SS.FF3 AM TZH:TZM') t, TO_CHAR(at, 'HH24:MI TZR') z FROM notes WHERE id = 1

SELECT TO_CHAR(1234.5, '9,999.99') a, TO_CHAR(-3, '999') b, TO_CHAR(0.5) c, TO_CHAR(7, 'FM000') d, TO_CHAR(255, 'XX') e, TO_CHAR(12345, '999') f, TO_CHAR(-1, '99PR') g, TO_CHAR(0, '999') h, TO_CHAR(1234567, 'FM999G999G999') i FROM dual

SELECT TO_DATE('2026-02-28 23:59:58', 'YYYY-MM-DD HH24:MI:SS') a, TO_DATE('01-MAR-26') b, DATE '2026-03-01' + 1/24 c FROM dual

SELECT (SYSDATE - logon_time) * 86400 secs, ROUND((SYSDATE - logon_time) * 24, 2) hours, TRUNC(SYSDATE) - TRUNC(logon_time) days FROM v$session ORDER BY sid

SELECT SYSTIMESTAMP - INTERVAL '1' HOUR a, NUMTODSINTERVAL(90, 'MINUTE') b, EXTRACT(HOUR FROM NUMTODSINTERVAL(90, 'MINUTE')) c, INTERVAL '1 02:03:04' DAY TO SECOND d FROM dual

SELECT ADD_MONTHS(DATE '2026-01-31', 1) a, LAST_DAY(DATE '2026-02-01') b, MONTHS_BETWEEN(DATE '2026-03-31', DATE '2026-02-28') c, TRUNC(SYSDATE, 'MM') d, NEXT_DAY(SYSDATE, 'MON') e FROM dual

SELECT NVL(username, 'background') n, NVL2(sql_id, 'busy', 'idle') b, DECODE(status, 'ACTIVE', 1, 'KILLED', -1, 0) d, COALESCE(sql_id, module, '?') c, NULLIF(status, 'ACTIVE') x FROM v$session ORDER BY sid

SELECT '' || NULL || 'a' x, NVL('', 'empty') y, LENGTH('') z FROM dual

SELECT SUBSTR('abcdef', 2, 3) a, SUBSTR('abcdef', -2) b, INSTR('banana', 'a', 1, 2) c, INITCAP('hello wORLD') d, RPAD('x', 3, '-') e, TRANSLATE('abc', 'ab', 'x') f, REPLACE('aXbX', 'X') g, TRIM(BOTH '-' FROM '--a-') h, LTRIM('  a') i, CHR(65) j, ASCII('a') k FROM dual

SELECT REGEXP_SUBSTR('a,b,c', '[^,]+', 1, 2) a, REGEXP_REPLACE('x12y', '([0-9])([0-9])', '\2\1') b, REGEXP_COUNT('a1b2', '[0-9]') c, REGEXP_INSTR('abc', 'c') d FROM dual

SELECT ROUND(2.567, 2) a, TRUNC(-2.5) b, MOD(10, 3) c, CEIL(1.1) d, FLOOR(-1.1) e, POWER(2, 10) f, SIGN(-4) g, 1/3 h, BITAND(12, 10) i, GREATEST(1, 5, 3) j, LEAST('b', 'a') k FROM dual

SELECT CAST(amount AS NUMBER(10,1)) a, CAST(id AS VARCHAR2(10)) b, CAST(at AS DATE) c, RAWTOHEX(HEXTORAW('0aff')) d FROM notes ORDER BY id

SELECT RAWTOHEX(saddr), saddr FROM v$session WHERE saddr = HEXTORAW('000000000000AB02')

SELECT amount, amount * 2, -amount FROM notes WHERE amount = .25 + 10

SELECT at AT TIME ZONE '-05:00' a FROM notes WHERE at > TIMESTAMP '2026-03-01 13:00:10'

SELECT CASE status WHEN 'ACTIVE' THEN 'yes' ELSE 'no' END a, CASE WHEN sid > 50 THEN sid END b FROM v$session WHERE sid IN (17, 99) ORDER BY sid

SELECT ORA_HASH('x', 9) - ORA_HASH('x', 9) same FROM dual
