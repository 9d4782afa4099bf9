BEGIN NULL; END;
----
done

:inst = 2
:sid = 42
:serial = 77
:rc = NULL
:msg = NULL
DECLARE
  n PLS_INTEGER;
BEGIN
  SELECT COUNT(*) INTO n FROM gv$session s
   WHERE s.sid = :sid AND s.serial# = :serial AND :inst IS NOT NULL AND s.status = 'INACTIVE'
     AND NOT EXISTS (SELECT 1 FROM v$lock l WHERE l.sid = s.sid AND l.request > 0);
  IF n = 1 THEN
    EXECUTE IMMEDIATE 'ALTER SYSTEM KILL SESSION ''' || TO_CHAR(:sid) || ',' || TO_CHAR(:serial)
                      || ',@' || TO_CHAR(:inst) || ''' IMMEDIATE';
    :rc := 0;
  ELSE
    :rc := -1;
  END IF;
EXCEPTION WHEN OTHERS THEN :rc := SQLCODE; :msg := SUBSTR(SQLERRM, 1, 400);
END;
----
> KillSession { session: SessionLiteral { sid: 42, serial: 77, inst_id: Some(2) }, mode: Immediate, timeout_secs: None }
:SID In -
:SERIAL In -
:INST In -
:RC Out '0'
:MSG Out -
done

:rc = NULL
:msg = NULL
BEGIN
  EXECUTE IMMEDIATE 'ALTER SYSTEM KILL SESSION ''17,4501''';
  :rc := 0;
EXCEPTION WHEN OTHERS THEN :rc := SQLCODE; :msg := SQLERRM;
END;
----
> KillSession { session: SessionLiteral { sid: 17, serial: 4501, inst_id: None }, mode: Plain, timeout_secs: None }
waited 3 times
:RC Out '-31'
:MSG Out 'ORA-00031: session marked for kill'
done

BEGIN EXECUTE IMMEDIATE 'ALTER SYSTEM KILL SESSION ''1,1'''; END;
----
ORA-00029: session is not a user session
ORA-06512: at line 1

:h = NULL
:r = NULL
DECLARE
  h VARCHAR2(128);
BEGIN
  DBMS_LOCK.ALLOCATE_UNIQUE('orawarden', h);
  :h := h;
  :r := DBMS_LOCK.REQUEST(lockhandle => h, lockmode => DBMS_LOCK.X_MODE, timeout => 0);
  IF dbms_lock.request(h) = 4 THEN :r := :r + 100; END IF;
END;
----
> DBMS_LOCK.ALLOCATE_UNIQUE [Some(Text("orawarden")), Some(Null), None]
> DBMS_LOCK.REQUEST by handle [Some(Text("10737418641073741864187")), Some(Number(6)), Some(Number(0)), None]
> DBMS_LOCK.REQUEST by handle [Some(Text("10737418641073741864187")), None, None, None]
:H Out '10737418641073741864187'
:R InOut '104'
done

BEGIN
  DBMS_LOCK.SLEEP(1.5);
  dbms_application_info.set_module(module_name => 'm', action_name => NULL);
  DBMS_SESSION.SET_IDENTIFIER('id');
  rdsadmin.rdsadmin_util.kill(17, 4501, 'IMMEDIATE');
END;
----
> DBMS_LOCK.SLEEP [Some(Number(1.5))]
> DBMS_APPLICATION_INFO.SET_MODULE [Some(Text("m")), Some(Null)]
> DBMS_SESSION.SET_IDENTIFIER [Some(Text("id"))]
> RDSADMIN.RDSADMIN_UTIL.KILL [Some(Number(17)), Some(Number(4501)), Some(Text("IMMEDIATE"))]
waited 3 times
done

:out = NULL
BEGIN killer.safe_kill(17, p_serial => 4501, p_result => :out); END;
----
> KILLER.SAFE_KILL [Some(Number(17)), Some(Number(4501)), Some(Null), None]
:OUT Out '-30'
done

:out = NULL
CALL killer.safe_kill(17, 4501, :out)
----
> KILLER.SAFE_KILL [Some(Number(17)), Some(Number(4501)), Some(Null), None]
:OUT Out '-30'
done

DECLARE
  v VARCHAR2(10);
BEGIN
  SELECT username INTO v FROM v$session WHERE sid = 1000;
EXCEPTION
  WHEN NO_DATA_FOUND THEN DBMS_OUTPUT.PUT_LINE('none ' || SQLCODE || ' ' || SQLERRM);
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("none 100 ORA-01403: no data found"))]
done

DECLARE v VARCHAR2(30); BEGIN SELECT username INTO v FROM v$session; END;
----
ORA-01422: exact fetch returns more than requested number of rows
ORA-06512: at line 1

:total = NULL
DECLARE
  total NUMBER := 0;
  CURSOR c IS SELECT sid FROM v$session WHERE username = 'APP' ORDER BY sid;
  one NUMBER;
  step CONSTANT NUMBER(3,1) := 1.25;
BEGIN
  FOR r IN (SELECT sid, serial# FROM v$session WHERE status = 'ACTIVE') LOOP
    total := total + r.serial#;
    CONTINUE WHEN r.sid = 1;
  END LOOP;
  FOR i IN REVERSE 1..3 LOOP
    EXIT WHEN i = 1;
    total := total + i * step;
  END LOOP;
  OPEN c;
  LOOP
    FETCH c INTO one;
    EXIT WHEN c%NOTFOUND;
    total := total + one;
  END LOOP;
  CLOSE c;
  WHILE total < 5000 LOOP total := total + 1000; END LOOP;
  CASE WHEN total > 1 THEN :total := total; ELSE NULL; END CASE;
END;
----
:TOTAL Out '5675.5'
done

DECLARE
  gone EXCEPTION;
  PRAGMA EXCEPTION_INIT(gone, -29);
  mine EXCEPTION;
BEGIN
  BEGIN
    EXECUTE IMMEDIATE 'ALTER SYSTEM KILL SESSION ''1,1''';
  EXCEPTION
    WHEN gone THEN
      DBMS_OUTPUT.PUT_LINE('caught ' || SQLCODE);
      RAISE mine;
  END;
EXCEPTION
  WHEN mine THEN
    DBMS_OUTPUT.PUT_LINE('mine ' || SQLCODE || ' ' || SQLERRM);
    RAISE_APPLICATION_ERROR(-20001, 'no such luck');
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("caught -29"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("mine 1 User-Defined Exception"))]
ORA-20001: no such luck
ORA-06512: at line 16

:n = NULL
DECLARE ok BOOLEAN := TRUE; x v$session.sid%TYPE;
BEGIN
  ok := ok AND 1 < 2;
  IF NOT ok OR x IS NOT NULL THEN RAISE PROGRAM_ERROR; END IF;
  EXECUTE IMMEDIATE 'SELECT COUNT(*) FROM v$session WHERE username = :u' INTO x USING 'APP';
  EXECUTE IMMEDIATE 'BEGIN :a := :b * 2; END;' USING OUT :n, x;
END;
----
:N Out '4'
done

:id = 3
:body = NULL
BEGIN
  UPDATE notes SET body = 'done' WHERE id = :id RETURNING body INTO :body;
  IF SQL%ROWCOUNT = 1 THEN COMMIT; ELSE ROLLBACK; END IF;
END;
----
> Changes { table: "NOTES", rows: [Update { row: 2, values: [(1, Text("done"))] }], returning: [Returned { target: Bind(1), values: [Text("done")] }] }
> Commit
:ID In -
:BODY Out 'done'
done

DECLARE v VARCHAR2(3); BEGIN v := 'four'; END;
----
ORA-06502: PL/SQL: numeric or value error: character string buffer too small
ORA-06512: at line 1

DECLARE n NUMBER; BEGIN n := 'x'; END;
----
ORA-06502: PL/SQL: numeric or value error: character to number conversion error
ORA-06512: at line 1

DECLARE n NUMBER; BEGIN n := 1 / 0; END;
----
ORA-01476: divisor is equal to zero
ORA-06512: at line 1

BEGIN
  nothing.at_all(1);
END;
----
ORA-06550: line 2, column 3:
PLS-00201: identifier 'NOTHING.AT_ALL' must be declared
at 8

BEGIN
  x := 1;
END;
----
ORA-06550: line 2, column 3:
PLS-00201: identifier 'X' must be declared
at 8

:r = NULL
BEGIN :r := nope + 1; END;
----
ORA-06550: line 1, column 13:
PLS-00201: identifier 'NOPE' must be declared
at 12

BEGIN DBMS_LOCK.SLEEP; END;
----
ORA-06550: line 1, column 7:
PLS-00306: wrong number or types of arguments in call to 'SLEEP'
at 6

BEGIN DBMS_LOCK.SLEEP(1, 2); END;
----
ORA-06550: line 1, column 7:
PLS-00306: wrong number or types of arguments in call to 'SLEEP'
at 6

BEGIN
  DELETE FROM nothing;
END;
----
ORA-06550: line 2, column 15:
PL/SQL: ORA-00942: table or view does not exist
at 20

DECLARE n NUMBER;
BEGIN
  SELECT 1 INTO n FROM nothing;
END;
----
ORA-06550: line 3, column 24:
PL/SQL: ORA-00942: table or view does not exist
at 47

BEGIN SELECT 1 FROM dual; END;
----
ORA-06550: line 1, column 7:
PLS-00428: an INTO clause is expected in this SELECT statement
at 6

BEGIN NULL END;
----
ORA-06550: line 1, column 12:
PLS-00103: Encountered the symbol "END" when expecting one of the following:
   ;
at 11

BEGIN
  IF 1 = 1 THEN NULL;
END;
----
ORA-06550: line 3, column 4:
PLS-00103: Encountered the symbol ";" when expecting one of the following:
   IF
at 31

:out = NULL
DECLARE n NUMBER := 0; BEGIN FOR i IN 1 .. 12345 LOOP n := n + 1; END LOOP; :out := n; END;
----
waited 12 times
:OUT Out '12345'
done

DECLARE n CONSTANT NUMBER := 1; BEGIN n := 2; END;
----
ORA-06550: line 1, column 39:
PLS-00363: expression 'N' cannot be used as an assignment target
at 38

DECLARE TYPE t IS TABLE OF NUMBER; BEGIN NULL; END;
----
done

BEGIN EXECUTE IMMEDIATE 'DANCE'; END;
----
ORA-00900: invalid SQL statement
ORA-06512: at line 1

:r = NULL
BEGIN :r := DBMS_SESSION.UNIQUE_SESSION_ID; END;
----
> DBMS_SESSION.UNIQUE_SESSION_ID []
:R Out '001100010001'
done

:n = 3
DECLARE
  FUNCTION f RETURN NUMBER IS BEGIN RETURN 1; END;
BEGIN NULL; END;
----
ORA-06550: line 2, column 3:
PL/SQL: ORA-03001: unimplemented feature
at 10

:locked = NULL
BEGIN
  IF DBMS_SESSION.IS_SESSION_ALIVE('0011') THEN NULL; END IF;
  SELECT id INTO :locked FROM notes WHERE id = 1 FOR UPDATE NOWAIT;
END;
----
> DBMS_SESSION.IS_SESSION_ALIVE [Some(Text("0011"))]
:LOCKED Out '1'
done

DECLARE
  n NUMBER;
BEGIN
  BEGIN
    SELECT sid INTO n FROM v$session WHERE username = 'APP';
  EXCEPTION
    WHEN TOO_MANY_ROWS OR NO_DATA_FOUND THEN n := -1;
  END;
  <<outer>>
  FOR i IN 1..3 LOOP
    FOR j IN 1..3 LOOP
      EXIT outer WHEN i * j = 4;
      n := n + 1;
    END LOOP;
  END LOOP outer;
  DBMS_OUTPUT.PUT_LINE('n = ' || n || ' at ' || TO_CHAR(SYSDATE, 'HH24:MI'));
  RAISE NO_DATA_FOUND;
EXCEPTION
  WHEN ZERO_DIVIDE THEN NULL;
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("n = 3 at 12:00"))]
ORA-01403: no data found
ORA-06512: at line 17

BEGIN
  FOR r IN (SELECT sid, serial# FROM v$session WHERE status = 'INACTIVE' ORDER BY sid) LOOP
    BEGIN
      EXECUTE IMMEDIATE 'alter system kill session ''' || r.sid || ',' || r.serial# || ''' immediate';
    EXCEPTION WHEN OTHERS THEN
      IF SQLCODE NOT IN (-30, -31) THEN RAISE; END IF;
    END;
  END LOOP;
END;
----
> KillSession { session: SessionLiteral { sid: 42, serial: 77, inst_id: None }, mode: Immediate, timeout_secs: None }
> KillSession { session: SessionLiteral { sid: 120, serial: 31, inst_id: None }, mode: Immediate, timeout_secs: None }
done

BEGIN
  UPDATE notes SET body = nothing WHERE id = 1;
END;
----
ORA-06550: line 2, column 27:
PL/SQL: ORA-00904: "NOTHING": invalid identifier
at 32

DECLARE x NUMBER := 1;
BEGIN
  INSERT INTO notes (id, body) VALUES (x, 'made by ' || USER);
  DELETE FROM notes n WHERE n.id = x;
  DBMS_OUTPUT.PUT_LINE(SQL%ROWCOUNT);
END;
----
> Changes { table: "NOTES", rows: [Insert([Number(1), Text("made by APP"), Null, Null, Null])], returning: [] }
> Changes { table: "NOTES", rows: [Delete { row: 0 }], returning: [] }
> DBMS_OUTPUT.PUT_LINE [Some(Text("1"))]
done

:out = NULL
BEGIN
  RAISE_APPLICATION_ERROR(-20001, 'mine');
EXCEPTION WHEN OTHERS THEN
  :out := DBMS_UTILITY.FORMAT_ERROR_STACK || DBMS_UTILITY.FORMAT_ERROR_BACKTRACE;
END;
----
:OUT Out 'ORA-20001: mine
ORA-06512: at line 2
'
done
