:r = NULL
DECLARE c SYS_REFCURSOR; n NUMBER; BEGIN OPEN c FOR SELECT sid FROM v$session ORDER BY sid; LOOP FETCH c INTO n; EXIT WHEN c%NOTFOUND; :r := :r || n || ' '; END LOOP; CLOSE c; END;
----
:R InOut '1 17 42 55 99 120 '
done

:r = NULL
DECLARE c SYS_REFCURSOR; n NUMBER; s VARCHAR2(20); BEGIN OPEN c FOR 'SELECT sid, status FROM v$session WHERE sid = :a AND :b = 1' USING 42, 1; FETCH c INTO n, s; :r := n || s || c%ROWCOUNT; OPEN c FOR 'SELECT 7, NULL FROM dual'; FETCH c INTO n, s; :r := :r || n; END;
----
:R InOut '42INACTIVE17'
done

:r = NULL
DECLARE c SYS_REFCURSOR; n NUMBER; BEGIN FETCH c INTO n; EXCEPTION WHEN INVALID_CURSOR THEN :r := SQLERRM; END;
----
:R Out 'ORA-01001: invalid cursor'
done

:r = NULL
DECLARE c SYS_REFCURSOR; TYPE ids IS TABLE OF NUMBER; i ids; BEGIN OPEN c FOR 'SELECT sid FROM v$session'; FETCH c BULK COLLECT INTO i; :r := i.COUNT; END;
----
:R Out '6'
done

DECLARE c SYS_REFCURSOR; BEGIN OPEN c FOR 'SELECT sid FROM v$session WHERE sid = :a'; END;
----
ORA-01008: not all variables bound
ORA-06512: at line 1

DECLARE c SYS_REFCURSOR; BEGIN OPEN c FOR 'BEGIN NULL; END;'; END;
----
ORA-06539: PL/SQL: target of OPEN must be a query
ORA-06512: at line 1

DECLARE c SYS_REFCURSOR; BEGIN OPEN c; END;
----
ORA-06550: line 1, column 32:
PLS-00382: expression is of wrong type
at 31

DECLARE CURSOR c IS SELECT 1 FROM dual; BEGIN OPEN c FOR SELECT 2 FROM dual; END;
----
ORA-06550: line 1, column 47:
PLS-00382: expression is of wrong type
at 46

DECLARE c SYS_REFCURSOR; BEGIN OPEN c FOR SELECT nope FROM dual; END;
----
ORA-06550: line 1, column 50:
PL/SQL: ORA-00904: "NOPE": invalid identifier
at 49
