-- Functions that look at bytes, and conversions that may fail.

SELECT UNISTR('abc\00e5\00f1\00f6') u, ASCIISTR('ABÄCDE') a, UNISTR('a\\b') b FROM dual
----
U Varchar2(4000) | A Varchar2(4000) | B Varchar2(4000)
'abcåñö' | 'AB\00C4CDE' | 'a\b'

SELECT UNISTR('\00') u FROM dual
----
ORA-30186: '\' must be followed by four hexdecimal characters or another '\'

SELECT DUMP('abc', 1016) a, DUMP(1) n, DUMP(-1.5) m, DUMP(DATE '2026-03-01') d, DUMP(NULL) x, DUMP('tech', 8) t FROM dual
----
A Varchar2(4000) | N Varchar2(4000) | M Varchar2(4000) | D Varchar2(4000) | X Varchar2(4000) | T Varchar2(4000)
'Typ=96 Len=3 CharacterSet=AL32UTF8: 61,62,63' | 'Typ=2 Len=2: 193,2' | 'Typ=2 Len=4: 62,100,51,102' | 'Typ=13 Len=8: 234,7,3,1,0,0,0,0' | 'NULL' | 'Typ=96 Len=4: 164,145,143,150'

SELECT STANDARD_HASH('foo') h, STANDARD_HASH('foo', 'MD5') m FROM dual
----
H Raw(64) | M Raw(64)
[0B, EE, C7, B5, EA, 3F, 0F, DB, C9, 5D, 0D, D4, 7F, 3C, 5B, C2, 75, DA, 8A, 33] | [AC, BD, 18, DB, 4C, C2, F8, 5C, ED, EF, 65, 4F, CC, C4, A4, D8]

SELECT WIDTH_BUCKET(35, 0, 100, 10) a, WIDTH_BUCKET(-1, 0, 100, 10) b, WIDTH_BUCKET(100, 0, 100, 10) c, WIDTH_BUCKET(35, 100, 0, 10) d FROM dual
----
A Number | B Number | C Number | D Number
4 | 0 | 11 | 7

SELECT TZ_OFFSET('America/New_York') e, TZ_OFFSET('+05:30') i FROM dual
----
E Varchar2(7) | I Varchar2(7)
'-05:00' | '+05:30'

SELECT TO_CHAR(NEW_TIME(TO_DATE('2026-03-01 12:00', 'YYYY-MM-DD HH24:MI'), 'AST', 'PST'), 'HH24:MI') t FROM dual
----
T Varchar2(75)
'08:00'

SELECT VSIZE(SYS_GUID()) n, CASE WHEN SYS_GUID() = SYS_GUID() THEN 'same' ELSE 'new' END d FROM dual
----
N Number | D Varchar2(4)!
16 | 'new'

SELECT TO_NUMBER('x1' DEFAULT 0 ON CONVERSION ERROR) a, TO_NUMBER('12' DEFAULT 0 ON CONVERSION ERROR) b, TO_DATE('bla' DEFAULT '2026-01-01' ON CONVERSION ERROR, 'YYYY-MM-DD') c FROM dual
----
A Number | B Number | C Date
0 | 12 | day 20454 00:00:00

SELECT UPPER('x' DEFAULT 'y' ON CONVERSION ERROR) a FROM dual
----
ORA-00907: missing right parenthesis
at 7

SELECT ROUND(SIN(1), 6) s, ROUND(ATAN2(1, 1), 6) a FROM dual
----
S Number | A Number
0.841471 | 0.785398

SELECT TO_CHAR(DATE '2026-03-01', 'FMDay DD Month', 'NLS_DATE_LANGUAGE = Spanish') s, TO_CHAR(1234.5, '9G999D9', 'NLS_NUMERIC_CHARACTERS='',.''') n FROM dual
----
S Varchar2(75) | N Varchar2(75)
'Domingo 1 Marzo' | ' 1.234,5'

SELECT TO_BINARY_DOUBLE('1.5') a, TO_BINARY_FLOAT('0.1') b, TO_BINARY_DOUBLE('Nan') c, TO_BINARY_DOUBLE('1e300') d FROM dual
----
A BinaryDouble | B BinaryDouble | C BinaryDouble | D BinaryDouble
1.5e0 | 1.0000000149011612e-1 | NaN | 1e300

SELECT NANVL(TO_BINARY_DOUBLE('NaN'), 7) a, TO_BINARY_FLOAT(NULL) b FROM dual
----
A BinaryDouble | B BinaryDouble
7e0 | -

SELECT TO_BINARY_DOUBLE('x') FROM dual
----
ORA-01722: invalid number

SELECT TIMESTAMP '2026-07-01 12:00:00 Europe/Berlin' a, TIMESTAMP '2026-01-01 12:00:00.5 europe/berlin' b FROM dual
----
A TimestampTz! | B TimestampTz!
day 20635 10:00:00.000000000 UTC shown at +120 | day 20454 11:00:00.500000000 UTC shown at +60

SELECT TIMESTAMP '2026-07-01 12:00:00 Europe/Nowhere' a FROM dual
----
ORA-01861: literal does not match format string
at 17

SELECT ROWID, dummy, rowid again FROM dual WHERE dummy = 'X'
----
ROWID RowId | DUMMY Varchar2(1) | AGAIN RowId
'AAAACPAABAAAAQiAAA' | 'X' | 'AAAACPAABAAAAQiAAA'

SELECT d.rowid FROM dual d
----
ROWID RowId
'AAAACPAABAAAAQiAAA'
