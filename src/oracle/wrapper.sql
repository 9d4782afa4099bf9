  v_there NUMBER;
  v_may NUMBER;
  v_who VARCHAR2(100);
  v_statement VARCHAR2(400);
BEGIN
  p_code := 0;
  p_text := NULL;
  SELECT COUNT(*),
         COUNT(CASE WHEN s.type = 'USER' AND s.username IS NOT NULL AND s.user# <> 0
                     AND s.username NOT IN ('SYS', 'SYSTEM', 'SYSRAC', 'SYSBACKUP', 'SYSDG', 'SYSKM', 'DBSNMP',
                                            'RDSADMIN')
                     AND s.ownerid = 2147483644
                     AND NOT EXISTS (SELECT 1 FROM gv$px_session x
                          WHERE x.inst_id = s.inst_id AND x.sid = s.sid AND x.serial# = s.serial#
                            AND x.qcinst_id IS NOT NULL)
                     AND NOT EXISTS (SELECT 1 FROM gv$process b
                          WHERE b.inst_id = s.inst_id AND b.addr = s.paddr AND b.background = '1')
                     AND NOT EXISTS (SELECT 1 FROM dba_users u
                          WHERE u.username = s.username AND u.oracle_maintained = 'Y') THEN 1 END)
    INTO v_there, v_may
    FROM gv$session s
   WHERE s.inst_id = p_inst AND s.sid = p_sid AND s.serial# = p_serial
     AND TO_CHAR(s.logon_time, 'YYYYMMDDHH24MISS') = p_logon;
  IF v_there = 0 THEN
    p_code := -20902;
    p_text := 'this session is not there';
    RETURN;
  END IF;
  IF v_may = 0 THEN
    p_code := -20901;
    p_text := 'this session must never be ended';
    RETURN;
  END IF;
  IF p_verb LIKE 'disconnect%' AND p_inst <> TO_NUMBER(SYS_CONTEXT('USERENV', 'INSTANCE')) THEN
    p_code := -26;
    p_text := 'a disconnect takes a session of the same instance';
    RETURN;
  END IF;
  v_who := '''' || TO_CHAR(p_sid) || ',' || TO_CHAR(p_serial) || ',@' || TO_CHAR(p_inst);
  IF p_verb = 'cancel_sql' THEN
    v_statement := 'CANCEL SQL ' || v_who || ',' || p_sql_id || '''';
  ELSIF p_verb = 'kill plain' THEN
    v_statement := 'KILL SESSION ' || v_who || '''';
  ELSIF p_verb = 'kill immediate' THEN
    v_statement := 'KILL SESSION ' || v_who || ''' IMMEDIATE';
  ELSIF p_verb = 'kill noreplay' THEN
    v_statement := 'KILL SESSION ' || v_who || ''' NOREPLAY';
  ELSIF p_verb = 'kill force' THEN
    v_statement := 'KILL SESSION ' || v_who || ''' FORCE';
  ELSIF p_verb = 'disconnect post_transaction' THEN
    v_statement := 'DISCONNECT SESSION ''' || TO_CHAR(p_sid) || ',' || TO_CHAR(p_serial) || ''' POST_TRANSACTION';
  ELSIF p_verb = 'disconnect immediate' THEN
    v_statement := 'DISCONNECT SESSION ''' || TO_CHAR(p_sid) || ',' || TO_CHAR(p_serial) || ''' IMMEDIATE';
  ELSE
    p_code := -26;
    p_text := 'an unknown verb';
    RETURN;
  END IF;
  IF p_verb = 'cancel_sql' AND p_sql_id IS NULL THEN
    p_code := -26;
    p_text := 'a cancel without a SQL_ID would meet the next statement';
    RETURN;
  END IF;
  IF p_sql_id IS NOT NULL AND LENGTH(TRIM(TRANSLATE(p_sql_id, '0123456789abcdefghijklmnopqrstuvwxyz', ' '))) > 0 THEN
    p_code := -26;
    p_text := 'not a SQL_ID';
    RETURN;
  END IF;
  EXECUTE IMMEDIATE 'ALTER SYSTEM ' || v_statement;
EXCEPTION WHEN OTHERS THEN
  p_code := SQLCODE;
  p_text := SUBSTR(SQLERRM, 1, 400);
END;
