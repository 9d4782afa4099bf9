SELECT SYSDATE, SYSTIMESTAMP, CURRENT_DATE, USER, UID, SESSIONTIMEZONE FROM dual
----
SYSDATE Date! | SYSTIMESTAMP TimestampTz! | CURRENT_DATE Date! | USER Varchar2(128)! | UID Number! | SESSIONTIMEZONE Varchar2(75)!
day 20513 12:00:00 | day 20513 12:00:00.123456000 UTC shown at +0 | day 20513 13:00:00 | 'APP' | 107 | '+01:00'

SELECT TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI:SS') a, TO_CHAR(SYSDATE, 'fmDay, DD Month YYYY') b, TO_CHAR(SYSDATE, 'DY MON Q WW IW DDD J') c FROM dual
----
A Varchar2(75) | B Varchar2(75) | C Varchar2(75)
'2026-03-01 12:00:00' | 'Sunday, 1 March 2026' | 'SUN MAR 1 09 09 060 2461101'

SELECT TO_CHAR(SYSTIMESTAMP, 'HH12:MI:SS.FF3 AM TZH:TZM') t, TO_CHAR(at, 'HH24:MI TZR') z FROM notes WHERE id = 1
----
T Varchar2(75) | Z Varchar2(75)
'12:00:00.123 PM +00:00' | '14:00 +02:00'

SELECT TO_CHAR(1234.5, '9,999.99') a, TO_CHAR(-3, '999') b, TO_CHAR(0.5) c, TO_CHAR(7, 'FM000') d, TO_CHAR(255, 'XX') e, TO_CHAR(12345, '999') f, TO_CHAR(-1, '99PR') g, TO_CHAR(0, '999') h, TO_CHAR(1234567, 'FM999G999G999') i FROM dual
----
A Varchar2(75) | B Varchar2(75) | C Varchar2(75) | D Varchar2(75) | E Varchar2(75) | F Varchar2(75) | G Varchar2(75) | H Varchar2(75) | I Varchar2(75)
' 1,234.50' | '  -3' | '.5' | '007' | ' FF' | '####' | ' <1>' | '   0' | '1,234,567'

SELECT TO_DATE('2026-02-28 23:59:58', 'YYYY-MM-DD HH24:MI:SS') a, TO_DATE('01-MAR-26') b, DATE '2026-03-01' + 1/24 c FROM dual
----
A Date | B Date | C Date!
day 20512 23:59:58 | day 20513 00:00:00 | day 20513 01:00:00

SELECT (SYSDATE - logon_time) * 86400 secs, ROUND((SYSDATE - logon_time) * 24, 2) hours, TRUNC(SYSDATE) - TRUNC(logon_time) days FROM v$session ORDER BY sid
----
SECS Number | HOURS Number | DAYS Number
864000 | 240 | 10
7199.999999999999999999999999999999999997 | 2 | 0
3600.000000000000000000000000000000000003 | 1 | 0
90000.0000000000000000000000000000000003 | 25 | 1
59.99999999999999999999999999999999999996 | 0.02 | 0
86400 | 24 | 1

SELECT SYSTIMESTAMP - INTERVAL '1' HOUR a, NUMTODSINTERVAL(90, 'MINUTE') b, EXTRACT(HOUR FROM NUMTODSINTERVAL(90, 'MINUTE')) c, INTERVAL '1 02:03:04' DAY TO SECOND d FROM dual
----
A TimestampTz! | B IntervalDs | C Number | D IntervalDs!
day 20513 11:00:00.123456000 UTC shown at +0 | 5400000000000 ns | 1 | 93784000000000 ns

SELECT ADD_MONTHS(DATE '2026-01-31', 1) a, LAST_DAY(DATE '2026-02-01') b, MONTHS_BETWEEN(DATE '2026-03-31', DATE '2026-02-28') c, TRUNC(SYSDATE, 'MM') d, NEXT_DAY(SYSDATE, 'MON') e FROM dual
----
A Date | B Date | C Number | D Date | E Date
day 20512 00:00:00 | day 20512 00:00:00 | 1 | day 20513 00:00:00 | day 20514 12:00:00

SELECT NVL(username, 'background') n, NVL2(sql_id, 'busy', 'idle') b, DECODE(status, 'ACTIVE', 1, 'KILLED', -1, 0) d, COALESCE(sql_id, module, '?') c, NULLIF(status, 'ACTIVE') x FROM v$session ORDER BY sid
----
N Varchar2(128)! | B Varchar2(4) | D Number | C Varchar2(64)! | X Varchar2(8)
'background' | 'idle' | 1 | '?' | -
'APP' | 'busy' | 1 | '9babjv8yq8ru3' | -
'APP' | 'idle' | 0 | 'orders' | 'INACTIVE'
'BATCH' | 'busy' | 1 | 'aaaaaaaaaaaaa' | -
'SCOTT' | 'idle' | -1 | 'toad_x' | 'KILLED'
'BATCH' | 'idle' | 0 | 'load' | 'INACTIVE'

SELECT '' || NULL || 'a' x, NVL('', 'empty') y, LENGTH('') z FROM dual
----
X Varchar2(1)! | Y Varchar2(5)! | Z Number
'a' | 'empty' | -

SELECT SUBSTR('abcdef', 2, 3) a, SUBSTR('abcdef', -2) b, INSTR('banana', 'a', 1, 2) c, INITCAP('hello wORLD') d, RPAD('x', 3, '-') e, TRANSLATE('abc', 'ab', 'x') f, REPLACE('aXbX', 'X') g, TRIM(BOTH '-' FROM '--a-') h, LTRIM('  a') i, CHR(65) j, ASCII('a') k FROM dual
----
A Varchar2(6) | B Varchar2(6) | C Number | D Varchar2(11) | E Varchar2(3) | F Varchar2(4000) | G Varchar2(4000) | H Varchar2(4) | I Varchar2(3) | J Varchar2(4) | K Number
'bcd' | 'ef' | 4 | 'Hello World' | 'x--' | 'xc' | 'ab' | 'a' | 'a' | 'A' | 97

SELECT REGEXP_SUBSTR('a,b,c', '[^,]+', 1, 2) a, REGEXP_REPLACE('x12y', '([0-9])([0-9])', '\2\1') b, REGEXP_COUNT('a1b2', '[0-9]') c, REGEXP_INSTR('abc', 'c') d FROM dual
----
A Varchar2(5) | B Varchar2(4000) | C Number | D Number
'b' | 'x21y' | 2 | 3

SELECT ROUND(2.567, 2) a, TRUNC(-2.5) b, MOD(10, 3) c, CEIL(1.1) d, FLOOR(-1.1) e, POWER(2, 10) f, SIGN(-4) g, 1/3 h, BITAND(12, 10) i, GREATEST(1, 5, 3) j, LEAST('b', 'a') k FROM dual
----
A Number | B Number | C Number | D Number | E Number | F Number | G Number | H Number! | I Number | J Number | K Varchar2(1)
2.57 | -2 | 1 | 2 | -2 | 1024 | -1 | 0.3333333333333333333333333333333333333333 | 8 | 5 | 'a'

SELECT CAST(amount AS NUMBER(10,1)) a, CAST(id AS VARCHAR2(10)) b, CAST(at AS DATE) c, RAWTOHEX(HEXTORAW('0aff')) d FROM notes ORDER BY id
----
A Number | B Varchar2(10)! | C Date | D Varchar2(4000)
10.3 | '1' | day 20513 14:00:00 | '0AFF'
-0.5 | '2' | - | '0AFF'
- | '3' | day 20513 14:01:00 | '0AFF'

SELECT RAWTOHEX(saddr), saddr FROM v$session WHERE saddr = HEXTORAW('000000000000AB02')
----
RAWTOHEX(SADDR) Varchar2(4000) | SADDR Raw(8)
'000000000000AB02' | [00, 00, 00, 00, 00, 00, AB, 02]

SELECT amount, amount * 2, -amount FROM notes WHERE amount = .25 + 10
----
AMOUNT Number | AMOUNT*2 Number | -AMOUNT Number
10.25 | 20.5 | -10.25

SELECT at AT TIME ZONE '-05:00' a FROM notes WHERE at > TIMESTAMP '2026-03-01 13:00:10'
----
A TimestampTz
day 20513 12:01:00.250000000 UTC shown at -300

SELECT CASE status WHEN 'ACTIVE' THEN 'yes' ELSE 'no' END a, CASE WHEN sid > 50 THEN sid END b FROM v$session WHERE sid IN (17, 99) ORDER BY sid
----
A Varchar2(3)! | B Number
'yes' | -
'no' | 99

SELECT ORA_HASH('x', 9) - ORA_HASH('x', 9) same FROM dual
----
SAME Number
0

SELECT sid FROM v$session WHERE LNNVL(username = 'APP') ORDER BY sid
----
SID Number!
1
55
99
120

SELECT LEVEL FROM dual WHERE LNNVL(NULL = 1) AND NOT LNNVL(1 = 1) CONNECT BY LEVEL <= 1
----
LEVEL Number!
1

SELECT 1 FROM dual WHERE LNNVL(1)
----
ORA-00920: invalid relational operator
at 31

SELECT DBMS_LOB.SUBSTR(program, 4, 2) a, DBMS_LOB.GETLENGTH(program) b, DBMS_LOB.INSTR(program, '@') c FROM v$session WHERE sid = 55
----
A Varchar2(4000) | B Number | C Number
'qlpl' | 12 | 8

SELECT DBMS_LOB.SUBSTR(program) a, DBMS_LOB.SUBSTR(program, 3) b FROM v$session WHERE sid = 55
----
A Varchar2(4000) | B Varchar2(4000)
'sqlplus@host' | 'sql'

SELECT ANY_VALUE(username) a, APPROX_COUNT_DISTINCT(username) b FROM v$session WHERE username = 'APP'
----
A Varchar2(128) | B Number!
'APP' | 1
