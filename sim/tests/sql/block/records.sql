DECLARE
  TYPE t_sessions IS TABLE OF v$session%ROWTYPE;
  l t_sessions;
BEGIN
  SELECT * BULK COLLECT INTO l FROM v$session WHERE username = 'APP' ORDER BY sid;
  DBMS_OUTPUT.PUT_LINE(l.COUNT || ' ' || SQL%ROWCOUNT);
  FOR i IN 1 .. l.COUNT LOOP
    IF l(i).status = 'INACTIVE' AND l(i).sid <> 17 THEN
      EXECUTE IMMEDIATE 'ALTER SYSTEM KILL SESSION ''' || l(i).sid || ',' || l(i).serial# || ',@' || l(i).inst_id || ''' IMMEDIATE';
    END IF;
  END LOOP;
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("2 2"))]
> KillSession { session: SessionLiteral { sid: 42, serial: 77, inst_id: Some(2) }, mode: Immediate, timeout_secs: None }
done

DECLARE
  TYPE t_one IS RECORD (sid NUMBER, name VARCHAR2(10));
  TYPE t_all IS TABLE OF t_one INDEX BY PLS_INTEGER;
  l t_all;
  m t_all;
  r t_one;
  s t_one;
BEGIN
  l(5).sid := 42;
  l(5).name := 'five';
  r.sid := 1; r.name := 'one';
  l(1) := r;
  s := l(5);
  DBMS_OUTPUT.PUT_LINE(s.sid || s.name || l.COUNT || l.FIRST || l.LAST);
  l(7).sid := 7;
  DBMS_OUTPUT.PUT_LINE('[' || l(7).name || ']');
  m := l;
  l.DELETE(5);
  DBMS_OUTPUT.PUT_LINE(l.COUNT || m.COUNT || m(5).name);
  s := r;
  DBMS_OUTPUT.PUT_LINE(s.name);
  s := l(5);
EXCEPTION WHEN NO_DATA_FOUND THEN
  DBMS_OUTPUT.PUT_LINE('gone');
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("42five215"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("[]"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("23five"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("one"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("gone"))]
done

DECLARE
  CURSOR c IS SELECT sid, serial# FROM v$session ORDER BY sid;
  TYPE t IS TABLE OF c%ROWTYPE;
  l t;
BEGIN
  OPEN c;
  LOOP
    FETCH c BULK COLLECT INTO l LIMIT 4;
    EXIT WHEN l.COUNT = 0;
    DBMS_OUTPUT.PUT_LINE(l.COUNT || ' ' || l(l.LAST).sid);
  END LOOP;
  CLOSE c;
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("4 55"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("2 120"))]
done

DECLARE
  TYPE t IS TABLE OF v$lock%ROWTYPE;
  l t := t();
BEGIN
  l.EXTEND;
  l(1).sid := 9;
  DBMS_OUTPUT.PUT_LINE(l(1).sid || l(1).type || l.COUNT);
  l(2).sid := 9;
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("91"))]
ORA-06533: Subscript beyond count
ORA-06512: at line 8

DECLARE
  TYPE t IS TABLE OF v$lock%ROWTYPE;
  l t;
BEGIN
  SELECT sid BULK COLLECT INTO l FROM v$lock;
END;
----
ORA-06550: line 5, column 3:
PL/SQL: ORA-00947: not enough values
at 60

DECLARE
  TYPE t IS TABLE OF v$lock%ROWTYPE;
  l t;
BEGIN
  l(1).nothing := 2;
END;
----
ORA-06550: line 5, column 3:
PLS-00201: identifier 'L.NOTHING' must be declared
at 60

DECLARE
  TYPE t IS TABLE OF v$lock%ROWTYPE INDEX BY PLS_INTEGER;
  l t;
BEGIN
  SELECT * INTO l FROM v$lock;
END;
----
ORA-06550: line 5, column 3:
PLS-00642: local collection types not allowed in SQL statements
at 81

DECLARE
  TYPE t IS TABLE OF v$session%ROWTYPE;
  l t;
BEGIN
  SELECT * BULK COLLECT INTO l FROM v$session;
  FORALL i IN 1 .. l.COUNT
    INSERT INTO notes (id, body) VALUES (l(i).sid, l(i).username);
  DBMS_OUTPUT.PUT_LINE(SQL%ROWCOUNT);
  UPDATE notes SET amount = l(2).sid WHERE id = l(3).serial#;
END;
----
> Changes { table: "NOTES", rows: [Insert([Number(1), Null, Null, Null, Null])], returning: [] }
> Changes { table: "NOTES", rows: [Insert([Number(17), Text("APP"), Null, Null, Null])], returning: [] }
> Changes { table: "NOTES", rows: [Insert([Number(42), Text("APP"), Null, Null, Null])], returning: [] }
> Changes { table: "NOTES", rows: [Insert([Number(55), Text("BATCH"), Null, Null, Null])], returning: [] }
> Changes { table: "NOTES", rows: [Insert([Number(99), Text("SCOTT"), Null, Null, Null])], returning: [] }
> Changes { table: "NOTES", rows: [Insert([Number(120), Text("BATCH"), Null, Null, Null])], returning: [] }
> DBMS_OUTPUT.PUT_LINE [Some(Text("6"))]
> Changes { table: "NOTES", rows: [], returning: [] }
done

DECLARE
  TYPE t_counts IS TABLE OF PLS_INTEGER INDEX BY VARCHAR2(30);
  c t_counts;
  k VARCHAR2(30);
BEGIN
  FOR r IN (SELECT sid, username FROM v$session WHERE username IS NOT NULL) LOOP
    k := r.username;
    IF c.EXISTS(k) THEN c(k) := c(k) + 1; ELSE c(k) := 1; END IF;
    c(r.sid) := 0;
  END LOOP;
  DBMS_OUTPUT.PUT_LINE(c('42') || c.COUNT);
  k := c.FIRST;
  WHILE k IS NOT NULL LOOP
    DBMS_OUTPUT.PUT_LINE(k || '=' || c(k));
    k := c.NEXT(k);
  END LOOP;
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("08"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("120=0"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("17=0"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("42=0"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("55=0"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("99=0"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("APP=2"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("BATCH=2"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("SCOTT=1"))]
done

DECLARE
  TYPE t IS TABLE OF VARCHAR2(10) INDEX BY PLS_INTEGER;
  c t;
BEGIN
  c(5) := 'five';
  DBMS_OUTPUT.PUT_LINE(c('5') || c(4.6));
  c('x') := 'no';
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("fivefive"))]
ORA-06502: PL/SQL: numeric or value error: character to number conversion error
ORA-06512: at line 7

DECLARE
  TYPE t IS TABLE OF VARCHAR2(10) INDEX BY DATE;
BEGIN
  NULL;
END;
----
ORA-06550: line 2, column 48:
PLS-00315: Implementation restriction: unsupported table index type
at 55

DECLARE
  TYPE t IS TABLE OF VARCHAR2(32767) INDEX BY PLS_INTEGER;
  c t;
  s VARCHAR2(32767) := RPAD('x', 32767, 'x');
BEGIN
  FOR i IN 1 .. 3000 LOOP
    c(i) := s;
    IF MOD(i, 100) = 0 THEN c.DELETE; END IF;
  END LOOP;
  DBMS_OUTPUT.PUT_LINE(c.COUNT);
  FOR i IN 1 .. 3000 LOOP
    c(i) := s;
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  DBMS_OUTPUT.PUT_LINE(SQLERRM);
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("0"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("ORA-04030: out of process memory when trying to allocate a collection"))]
waited 8 times
done

DECLARE
  TYPE t_ref IS REF CURSOR;
  c t_ref;
  n NUMBER;
BEGIN
  OPEN c FOR 'SELECT MAX(sid) FROM v$session WHERE sid < :1' USING 100;
  FETCH c INTO n;
  CLOSE c;
  DBMS_OUTPUT.PUT_LINE(n);
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("99"))]
done

BEGIN
  RAISE_APPLICATION_ERROR(-20001, 'mine');
EXCEPTION WHEN OTHERS THEN
  DBMS_OUTPUT.PUT_LINE(SQLERRM(SQLCODE));
  DBMS_OUTPUT.PUT_LINE(SQLERRM(0));
  DBMS_OUTPUT.PUT_LINE(SQLERRM(100));
  DBMS_OUTPUT.PUT_LINE(SQLERRM(-1476));
  DBMS_OUTPUT.PUT_LINE(SQLERRM(-30));
  DBMS_OUTPUT.PUT_LINE(SQLERRM(7));
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("ORA-20001: mine"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("ORA-0000: normal, successful completion"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("ORA-01403: no data found"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("ORA-01476: divisor is equal to zero"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("ORA-00030: Message 30 not found;  product=RDBMS; facility=ORA"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text(" -7: non-ORACLE exception "))]
done

DECLARE
  TYPE r IS RECORD (a v$session%ROWTYPE);
BEGIN
  NULL;
END;
----
ORA-06550: line 2, column 40:
PL/SQL: ORA-03001: unimplemented feature: a record here
at 47

DECLARE
  TYPE t IS TABLE OF v$lock%ROWTYPE;
  l t := t();
  r v$lock%ROWTYPE;
BEGIN
  l := t(r);
END;
----
ORA-06550: line 6, column 8:
PL/SQL: ORA-03001: unimplemented feature: a constructor with records
at 92
