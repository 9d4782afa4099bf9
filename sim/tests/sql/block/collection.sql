:r = NULL
DECLARE TYPE t IS TABLE OF NUMBER INDEX BY PLS_INTEGER; v t; s NUMBER := 0; i PLS_INTEGER;
BEGIN
  v(5) := 50; v(-1) := 10; v(2 + 1) := v(5) / 2;
  i := v.FIRST;
  WHILE i IS NOT NULL LOOP s := s * 100 + v(i); i := v.NEXT(i); END LOOP;
  :r := v.COUNT || ' ' || v.FIRST || ' ' || v.LAST || ' ' || s || ' ' || v.PRIOR(5);
END;
----
:R Out '3 -1 5 102550 3'
done

:r = NULL
DECLARE TYPE t IS TABLE OF VARCHAR2(10) INDEX BY VARCHAR2(20); v t;
BEGIN
  v('b') := 'two'; v('a') := 'one';
  IF v.EXISTS('a') AND NOT v.EXISTS('z') THEN v.DELETE('a'); END IF;
  :r := v.COUNT || v.FIRST || v('b');
END;
----
:R Out '1btwo'
done

:r = NULL
DECLARE TYPE t IS TABLE OF NUMBER; v t := t(3, 4); w t;
BEGIN
  v.EXTEND(2); v(3) := v(1) + v(2); v.TRIM; w := v;
  w(1) := 100;
  :r := v.COUNT || ' ' || v(1) || ' ' || v(3) || ' ' || w(1);
END;
----
:R Out '3 3 7 100'
done

:r = NULL
DECLARE v dbms_sql.varchar2_table;
BEGIN
  SELECT username BULK COLLECT INTO v FROM v$session WHERE username IS NOT NULL ORDER BY username;
  FOR i IN 1 .. v.COUNT LOOP :r := :r || v(i) || ' '; END LOOP;
  :r := :r || SQL%ROWCOUNT;
END;
----
:R InOut 'APP APP BATCH BATCH SCOTT 5'
done

:r = NULL
DECLARE TYPE n IS TABLE OF NUMBER; a n; b sys.odcivarchar2list;
BEGIN
  SELECT sid, status BULK COLLECT INTO a, b FROM v$session WHERE sid > 1000;
  :r := a.COUNT + b.COUNT;
  SELECT sid, status BULK COLLECT INTO a, b FROM v$session WHERE username = 'SCOTT';
  :r := :r || a(1) || b(a.LAST);
END;
----
:R InOut '099KILLED'
done

:r = NULL
DECLARE TYPE n IS TABLE OF NUMBER; a n; CURSOR c IS SELECT sid FROM v$session ORDER BY sid;
BEGIN
  OPEN c;
  LOOP
    FETCH c BULK COLLECT INTO a LIMIT 4;
    :r := :r || a.COUNT || ' ';
    EXIT WHEN c%NOTFOUND;
  END LOOP;
  CLOSE c;
END;
----
:R InOut '4 2 '
done

:r = NULL
DECLARE v dbms_sql.number_table;
BEGIN EXECUTE IMMEDIATE 'SELECT sid FROM v$session WHERE sid < :1 ORDER BY 1' BULK COLLECT INTO v USING 50; :r := v.COUNT || ' ' || v(2); END;
----
:R Out '3 17'
done

:r = NULL
DECLARE v dbms_sql.number_table; n NUMBER;
BEGIN v(1) := 17; SELECT serial# INTO n FROM v$session WHERE sid = v(1); :r := n; END;
----
:R Out '4501'
done

:r = NULL
DECLARE s notes%ROWTYPE;
BEGIN
  SELECT * INTO s FROM notes WHERE id = 1;
  :r := s.id || s.body || s.amount; s.body := 'new'; :r := :r || s.body;
END;
----
:R InOut '1first10.25new'
done

:r = NULL
DECLARE CURSOR c IS SELECT sid, username u FROM v$session WHERE sid = 17; s c%ROWTYPE;
BEGIN OPEN c; FETCH c INTO s; :r := s.sid || s.u; CLOSE c; END;
----
:R Out '17APP'
done

:r = NULL
DECLARE TYPE t IS RECORD (a NUMBER, b VARCHAR2(3)); s t;
BEGIN s.a := 1; s.b := 'xyz'; SELECT 2, 'ab' INTO s FROM dual; :r := s.a || s.b; END;
----
:R Out '2ab'
done

DECLARE TYPE t IS RECORD (a NUMBER, b VARCHAR2(3)); s t; BEGIN s.b := 'long'; END;
----
ORA-06502: PL/SQL: numeric or value error: character string buffer too small
ORA-06512: at line 1

DECLARE s notes%ROWTYPE; BEGIN s.nope := 1; END;
----
ORA-06550: line 1, column 32:
PLS-00201: identifier 'S.NOPE' must be declared
at 31

DECLARE s nowhere%ROWTYPE; BEGIN NULL; END;
----
ORA-06550: line 1, column 1:
PL/SQL: ORA-00942: table or view does not exist
at 0

DECLARE s notes%ROWTYPE; BEGIN SELECT id INTO s FROM notes; END;
----
ORA-06550: line 1, column 32:
PL/SQL: ORA-00947: not enough values
at 31

DECLARE TYPE t IS TABLE OF NUMBER; v t; BEGIN v(1) := 1; END;
----
ORA-06531: Reference to uninitialized collection
ORA-06512: at line 1

:r = NULL
DECLARE TYPE t IS TABLE OF NUMBER; v t; BEGIN :r := v.COUNT; END;
----
ORA-06531: Reference to uninitialized collection
ORA-06512: at line 1

DECLARE TYPE t IS TABLE OF NUMBER; v t := t(); BEGIN v(1) := 1; END;
----
ORA-06533: Subscript beyond count
ORA-06512: at line 1

:r = NULL
DECLARE v dbms_sql.number_table; BEGIN :r := v(7); EXCEPTION WHEN NO_DATA_FOUND THEN :r := 'none'; END;
----
:R Out 'none'
done

DECLARE v dbms_sql.number_table; BEGIN v(1) := 'x'; END;
----
ORA-06502: PL/SQL: numeric or value error: character to number conversion error
ORA-06512: at line 1

DECLARE v dbms_sql.number_table; BEGIN v.NONSENSE; END;
----
ORA-06550: line 1, column 1:
PLS-00302: component 'NONSENSE' must be declared
ORA-06512: at line 1

DECLARE v dbms_sql.number_table; BEGIN SELECT sid INTO v FROM v$session; END;
----
ORA-06550: line 1, column 40:
PLS-00642: local collection types not allowed in SQL statements
at 39

DECLARE n NUMBER; BEGIN SELECT sid BULK COLLECT INTO n FROM v$session; END;
----
ORA-06550: line 1, column 25:
PLS-00497: cannot mix between single row and multi-row (BULK) in INTO list
at 24

DECLARE n NUMBER; BEGIN n(1) := 2; END;
----
ORA-06550: line 1, column 25:
PLS-00201: identifier 'N' must be declared
at 24

DECLARE v dbms_sql.number_table; n NUMBER; BEGIN n := v; END;
----
ORA-06550: line 1, column 55:
PLS-00201: identifier 'V' must be declared
at 54

DECLARE TYPE t IS TABLE OF notes%ROWTYPE; BEGIN NULL; END;
----
done

BEGIN FORALL i IN 1 .. 2 SELECT 1 FROM dual; END;
----
ORA-06550: line 1, column 26:
PLS-00103: Encountered the symbol "SELECT" when expecting one of the following:
   insert update delete merge
at 25
