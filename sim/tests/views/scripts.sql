# What scripts about sessions ask, where nothing goes on. user: SYSTEM

SELECT COUNT(*) FROM v$sysstat c, v$sysstat n WHERE c.name = 'logons cumulative' AND n.name = 'logons current'
   AND c.value >= n.value AND n.value > 10
----
COUNT(*)
1

SELECT inst_number, inst_name FROM v$active_instances
----
INST_NUMBER | INST_NAME
1 | 'shopdbn1:SHOPDB1'
2 | 'shopdbn2:SHOPDB2'

SELECT thread#, status, enabled, instance FROM v$thread
----
THREAD# | STATUS | ENABLED | INSTANCE
1 | 'OPEN' | 'PUBLIC' | 'SHOPDB1'
2 | 'OPEN' | 'PUBLIC' | 'SHOPDB2'

SELECT value FROM v$option WHERE parameter = 'Real Application Clusters'
----
VALUE
'TRUE'

SELECT type, name, id1_tag, id2_tag, is_user FROM v$lock_type ORDER BY type
----
TYPE | NAME | ID1_TAG | ID2_TAG | IS_USER
'AE' | 'Edition Lock' | 'edition obj#' | '0' | 'NO'
'TM' | 'DML' | 'object #' | 'table/partition' | 'YES'
'TX' | 'Transaction' | 'usn<<16 | slot' | 'sequence' | 'YES'
'UL' | 'User-defined' | 'id' | '0' | 'YES'

SELECT name FROM v$fixed_table WHERE name LIKE '%WAIT_CHAINS'
----
NAME
'V$WAIT_CHAINS'

SELECT COUNT(*) FROM gv$wait_chains
----
ORA-00942: table or view does not exist

SELECT usn, name FROM v$rollname WHERE usn < 12
----
USN | NAME
0 | 'SYSTEM'
10 | '_SYSSMU10_10000030$'
11 | '_SYSSMU11_11000033$'

SELECT name, value FROM v$diag_info WHERE name LIKE 'ADR%'
----
NAME | VALUE
'ADR Base' | '/u01/app/oracle'
'ADR Home' | '/u01/app/oracle/diag/rdbms/shopdb/SHOPDB1'

SELECT stat_name, value FROM v$osstat
----
STAT_NAME | VALUE
'NUM_CPUS' | 16
'NUM_CPU_CORES' | 8
'NUM_CPU_SOCKETS' | 2

SELECT name, value FROM v$parameter2 WHERE name = 'open_cursors' AND ordinal = 1
----
NAME | VALUE
'open_cursors' | '300'

SELECT tablespace_name, contents, status FROM dba_tablespaces
----
TABLESPACE_NAME | CONTENTS | STATUS
'SYSTEM' | 'PERMANENT' | 'ONLINE'
'SYSAUX' | 'PERMANENT' | 'ONLINE'
'TEMP' | 'TEMPORARY' | 'ONLINE'
'USERS' | 'PERMANENT' | 'ONLINE'
'UNDOTBS1' | 'UNDO' | 'ONLINE'
'UNDOTBS2' | 'UNDO' | 'ONLINE'

SELECT file_id, tablespace_name, file_name FROM dba_data_files
----
FILE_ID | TABLESPACE_NAME | FILE_NAME
1 | 'SYSTEM' | '+DATA/shopdb/datafile/system.1'
2 | 'SYSAUX' | '+DATA/shopdb/datafile/sysaux.2'
5 | 'USERS' | '+DATA/shopdb/datafile/users.5'
6 | 'USERS' | '+DATA/shopdb/datafile/users.6'
7 | 'USERS' | '+DATA/shopdb/datafile/users.7'
8 | 'USERS' | '+DATA/shopdb/datafile/users.8'
9 | 'USERS' | '+DATA/shopdb/datafile/users.9'
10 | 'USERS' | '+DATA/shopdb/datafile/users.10'
11 | 'USERS' | '+DATA/shopdb/datafile/users.11'
12 | 'UNDOTBS1' | '+DATA/shopdb/datafile/undotbs1.12'
13 | 'UNDOTBS2' | '+DATA/shopdb/datafile/undotbs2.13'

SELECT f.tablespace_name, s.owner, s.segment_name, s.header_file, s.bytes
  FROM dba_segments s JOIN dba_data_files f ON f.file_id = s.header_file
----
TABLESPACE_NAME | OWNER | SEGMENT_NAME | HEADER_FILE | BYTES
'USERS' | 'SHOP' | 'ORDERS' | 9 | 65536

SELECT property_value FROM database_properties WHERE property_name = 'DEFAULT_TEMP_TABLESPACE'
----
PROPERTY_VALUE
'TEMP'

SELECT comp_id, version, status FROM dba_registry
----
COMP_ID | VERSION | STATUS
'CATALOG' | '19.0.0.0.0' | 'VALID'
'CATPROC' | '19.0.0.0.0' | 'VALID'

SELECT role, oracle_maintained FROM dba_roles
----
ROLE | ORACLE_MAINTAINED
'CONNECT' | 'Y'
'DBA' | 'Y'
'EXECUTE_CATALOG_ROLE' | 'Y'
'RESOURCE' | 'Y'
'SELECT_CATALOG_ROLE' | 'Y'

SELECT name, network_name FROM dba_services
----
NAME | NETWORK_NAME
'SYS$BACKGROUND' | -
'SYS$USERS' | -
'SHOPDB' | 'SHOPDB'
'SHOPDB1' | 'SHOPDB1'
'SHOPDB2' | 'SHOPDB2'

SELECT synonym_name, table_owner, table_name FROM all_synonyms WHERE synonym_name IN ('V$SESSION', 'DUAL')
----
SYNONYM_NAME | TABLE_OWNER | TABLE_NAME
'DUAL' | 'SYS' | 'DUAL'
'V$SESSION' | 'SYS' | 'V_$SESSION'

SELECT table_name FROM dict WHERE table_name LIKE 'V$SESS_%'
----
TABLE_NAME
'V$SESSION'
'V$SESSION_BLOCKERS'
'V$SESSION_CONNECT_INFO'
'V$SESSION_LONGOPS'
'V$SESSION_WAIT'
'V$SESSTAT'
'V$SESS_IO'
'V$SESS_TIME_MODEL'

SELECT owner, object_name, object_type, object_id FROM dba_objects WHERE object_name IN ('DUAL', 'ORDERS') AND owner <> 'PUBLIC'
----
OWNER | OBJECT_NAME | OBJECT_TYPE | OBJECT_ID
'SYS' | 'DUAL' | 'TABLE' | 142
'SHOP' | 'ORDERS' | 'TABLE' | 73000

SELECT table_name, column_name, data_type, column_id FROM dba_tab_cols WHERE owner = 'SHOP'
----
TABLE_NAME | COLUMN_NAME | DATA_TYPE | COLUMN_ID
'ORDERS' | 'ID' | 'NUMBER' | 1
'ORDERS' | 'STATE' | 'VARCHAR2' | 2
'ORDERS' | 'PLACED' | 'DATE' | 3

SELECT current_consumer_group, state, active FROM v$rsrc_session_info WHERE sid = SYS_CONTEXT('USERENV', 'SID')
----
CURRENT_CONSUMER_GROUP | STATE | ACTIVE
'OTHER_GROUPS' | 'NOT MANAGED' | 'TRUE'

SELECT * FROM v$session_event
----
ORA-00942: table or view does not exist

SELECT * FROM v$active_session_history
----
ORA-00942: table or view does not exist

SELECT * FROM v$sql_plan
----
ORA-00942: table or view does not exist
