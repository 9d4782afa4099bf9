:r = NULL
DECLARE n NUMBER(2); BEGIN n := 99.4; :r := n; n := 100; :r := 'too large'; EXCEPTION WHEN VALUE_ERROR THEN :r := :r || ' ' || SQLERRM; END;
----
:R InOut '99 ORA-06502: PL/SQL: numeric or value error: number precision too large'
done

:r = NULL
DECLARE n NUMBER(5, 2) := 1.239; m NUMBER(3, -2) := 149; BEGIN :r := n || ' ' || m; SELECT 1000 INTO n FROM dual; :r := 'too large'; EXCEPTION WHEN OTHERS THEN :r := :r || ' ' || SQLCODE; END;
----
:R InOut '1.24 100 -6502'
done

:r = NULL
DECLARE TYPE t IS TABLE OF NUMBER(1); v t := t(1); BEGIN v(1) := 10; :r := 'too large'; EXCEPTION WHEN VALUE_ERROR THEN :r := 'refused'; END;
----
:R Out 'refused'
done

:r = NULL
DECLARE n POSITIVE := 1; BEGIN n := 0; :r := 'not positive'; EXCEPTION WHEN VALUE_ERROR THEN :r := SQLERRM || ' ' || n; END;
----
:R Out 'ORA-06502: PL/SQL: numeric or value error 1'
done

:r = NULL
DECLARE n NATURAL := 0; s SIGNTYPE := -1; BEGIN s := 2; :r := 'no sign'; EXCEPTION WHEN VALUE_ERROR THEN :r := n || ' ' || s; END;
----
:R Out '0 -1'
done

:r = NULL
DECLARE r RAW(2) := HEXTORAW('0102'); BEGIN r := HEXTORAW('010203'); :r := 'too long'; EXCEPTION WHEN VALUE_ERROR THEN :r := r || ' ' || SQLERRM; END;
----
:R Out '0102 ORA-06502: PL/SQL: numeric or value error: raw variable length too long'
done

:r = NULL
DECLARE v VARCHAR2(32767) := RPAD('x', 32767, 'x'); BEGIN v := v || 'x'; :r := 'too long'; EXCEPTION WHEN VALUE_ERROR THEN :r := LENGTH(v) || ' ' || SQLERRM; END;
----
:R Out '32767 ORA-06502: PL/SQL: numeric or value error: character string buffer too small'
done

:r = NULL
DECLARE s v$session.status%TYPE := 'INACTIVE'; t s%TYPE; BEGIN t := 'much too long for it'; :r := 'too long'; EXCEPTION WHEN VALUE_ERROR THEN :r := s || t || SQLERRM; END;
----
:R Out 'INACTIVEORA-06502: PL/SQL: numeric or value error: character string buffer too small'
done

:r = NULL
DECLARE TYPE one IS RECORD (sid v$session.sid%TYPE); r one; BEGIN r.sid := 'no number'; :r := r.sid; EXCEPTION WHEN VALUE_ERROR THEN :r := SQLERRM; END;
----
:R Out 'ORA-06502: PL/SQL: numeric or value error: character to number conversion error'
done

DECLARE s v$session.nope%TYPE; BEGIN NULL; END;
----
ORA-06550: line 1, column 9:
PLS-00302: component 'NOPE' must be declared
at 8

DECLARE s v$nope.sid%TYPE; BEGIN NULL; END;
----
ORA-06550: line 1, column 9:
PLS-00201: identifier 'V$NOPE.SID' must be declared
at 8

DECLARE b BOOLEAN; BEGIN b := 1; END;
----
ORA-06550: line 1, column 31:
PLS-00382: expression is of wrong type
at 30

DECLARE b BOOLEAN := TRUE; n NUMBER; BEGIN n := b; END;
----
ORA-06550: line 1, column 49:
PLS-00382: expression is of wrong type
at 48

:r = NULL
BEGIN :r := DECODE(1, 1, 'a'); END;
----
ORA-06550: line 1, column 13:
PLS-00204: function or pseudo-column 'DECODE' may be used inside a SQL statement only
at 12

DECLARE n NUMBER; BEGIN IF n IN (SELECT sid FROM v$session) THEN NULL; END IF; END;
----
ORA-06550: line 1, column 30:
PLS-00405: subquery not allowed in this context
at 29

:b = 1
:r = NULL
BEGIN IF :b THEN :r := 'true'; ELSE :r := 'not'; END IF; END;
----
:B In -
:R Out 'true'
done
