:r = NULL
DECLARE
  CURSOR c(wanted VARCHAR2, most IN NUMBER) IS SELECT sid FROM v$session WHERE status = wanted AND sid <= most ORDER BY sid;
  wanted VARCHAR2(10) := 'none';
BEGIN
  FOR one IN c('INACTIVE', 1000) LOOP :r := :r || one.sid || ' '; END LOOP;
  FOR one IN c('INACTIVE', 0) LOOP :r := 'none was wanted'; END LOOP;
  :r := :r || wanted;
END;
----
:R InOut '42 120 none'
done

:r = NULL
DECLARE
  CURSOR c(wanted v$session.sid%TYPE) IS SELECT sid, status FROM v$session WHERE sid = wanted;
  row c%ROWTYPE;
BEGIN
  OPEN c(42); FETCH c INTO row; :r := row.sid || ' ' || row.status; CLOSE c;
  OPEN c(-1); FETCH c INTO row; IF c%NOTFOUND THEN :r := :r || ' and no other'; END IF; CLOSE c;
END;
----
:R InOut '42 INACTIVE and no other'
done

DECLARE CURSOR c(wanted NUMBER) IS SELECT sid FROM v$session WHERE sid = wanted; BEGIN OPEN c; END;
----
ORA-06550: line 1, column 88:
PLS-00306: wrong number or types of arguments in call to 'C'
at 87

DECLARE CURSOR c IS SELECT sid FROM v$session; BEGIN FOR one IN c(1) LOOP NULL; END LOOP; END;
----
ORA-06550: line 1, column 54:
PLS-00306: wrong number or types of arguments in call to 'C'
at 53

DECLARE CURSOR c(wanted NUMBER) IS SELECT sid FROM v$session WHERE sid = wnated; BEGIN NULL; END;
----
ORA-06550: line 1, column 74:
PL/SQL: ORA-00904: "WNATED": invalid identifier
at 73

:r = NULL
DECLARE CURSOR c(most NUMBER) IS SELECT sid FROM v$session WHERE sid < most; BEGIN OPEN c('x'); EXCEPTION WHEN VALUE_ERROR THEN :r := 'no number'; END;
----
:R Out 'no number'
done

:r = NULL
BEGIN FOR i IN LENGTH('ab') .. GREATEST(3, 1) LOOP :r := :r || i; END LOOP; END;
----
:R InOut '23'
done
