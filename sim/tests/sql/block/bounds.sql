DECLARE
  PRAGMA AUTONOMOUS_TRANSACTION;
BEGIN
  COMMIT;
END;
----
ORA-06550: line 2, column 10:
PL/SQL: ORA-03001: unimplemented feature: this PRAGMA
at 17

BEGIN
  EXECUTE IMMEDIATE 'SELECT 1 FROM nowhere';
END;
----
ORA-00942: table or view does not exist
ORA-06512: at line 2

BEGIN
  EXECUTE IMMEDIATE 'SELECT 1 FROM dual';
END;
----
done

DECLARE n NUMBER;
BEGIN
  EXECUTE IMMEDIATE 'UPDATE notes SET amount = 1 RETURNING id INTO :1' RETURNING INTO n;
END;
----
> Changes { table: "NOTES", rows: [Update { row: 0, values: [(3, Number(1))] }, Update { row: 1, values: [(3, Number(1))] }, Update { row: 2, values: [(3, Number(1))] }], returning: [Returned { target: Bind(0), values: [Number(1), Number(2), Number(3)] }] }
ORA-01422: exact fetch returns more than requested number of rows
ORA-06512: at line 3

BEGIN
  FOR i IN 9223372036854775806 .. 9223372036854775807 LOOP
    NULL;
  END LOOP;
END;
----
ORA-01426: numeric overflow
ORA-06512: at line 2

BEGIN
  FOR i IN 2147483646 .. 2147483647 LOOP
    DBMS_OUTPUT.PUT_LINE(i);
  END LOOP;
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("2147483646"))]
> DBMS_OUTPUT.PUT_LINE [Some(Text("2147483647"))]
done

DECLARE
  t VARCHAR2(32767) := RPAD('x', 32767, 'x');
BEGIN
  t := REPLACE(t, 'x', t);
END;
----
ORA-06502: PL/SQL: numeric or value error: character string buffer too small
ORA-06512: at line 4

DECLARE
  t VARCHAR2(32767) := RPAD('x', 20000, 'x');
BEGIN
  DBMS_OUTPUT.PUT_LINE(LENGTH(RPAD('x', 40000)));
  DBMS_OUTPUT.PUT_LINE(LENGTH(t || t));
END;
----
> DBMS_OUTPUT.PUT_LINE [Some(Text("32767"))]
ORA-06502: PL/SQL: numeric or value error: character string buffer too small
ORA-06512: at line 5
