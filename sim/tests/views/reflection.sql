# What SQLAlchemy asks to reflect the tables of a schema. user: SHOP

SELECT a_users.username
FROM all_users a_users ORDER BY a_users.username
----
USERNAME
'APP'
'APPQOSSYS'
'AUDSYS'
'CLERK'
'DBSNMP'
'GSMADMIN_INTERNAL'
'ORAWARDEN'
'OUTLN'
'SHOP'
'SYS'
'SYSBACKUP'
'SYSDG'
'SYSKM'
'SYSRAC'
'SYSTEM'
'XDB'

SELECT a_tables.table_name
FROM all_tables a_tables
WHERE (coalesce(a_tables.tablespace_name, 'no tablespace') NOT IN ('SYSTEM', 'SYSAUX')) AND a_tables.owner = 'SHOP'
  AND a_tables.iot_name IS NULL AND a_tables.duration IS NULL MINUS SELECT a_mviews.mview_name AS table_name
FROM all_mviews a_mviews
WHERE a_mviews.owner = 'SHOP'
----
TABLE_NAME
'ORDERS'

SELECT a_views.view_name
FROM all_views a_views
WHERE a_views.owner = 'SHOP'
----
VIEW_NAME

SELECT a_mviews.mview_name
FROM all_mviews a_mviews
WHERE a_mviews.owner = 'SHOP'
----
MVIEW_NAME

SELECT a_tables.table_name
FROM all_tables a_tables
WHERE (coalesce(a_tables.tablespace_name, 'no tablespace') NOT IN ('SYSTEM', 'SYSAUX')) AND a_tables.owner = 'SHOP'
  AND a_tables.iot_name IS NULL AND a_tables.duration IS NOT NULL
----
TABLE_NAME

SELECT a_sequences.sequence_name
FROM all_sequences a_sequences
WHERE a_sequences.sequence_owner = 'SHOP'
----
SEQUENCE_NAME

SELECT tables_and_views.table_name
FROM (SELECT a_tables.table_name AS table_name, a_tables.owner AS owner
FROM all_tables a_tables UNION ALL SELECT a_views.view_name AS table_name, a_views.owner AS owner
FROM all_views a_views) tables_and_views
WHERE tables_and_views.table_name IN ('ORDERS') AND tables_and_views.owner = 'SHOP'
----
TABLE_NAME
'ORDERS'

SELECT a_sequences.sequence_name
FROM all_sequences a_sequences
WHERE a_sequences.sequence_name = 'S' AND a_sequences.sequence_owner = 'SHOP'
----
SEQUENCE_NAME

SELECT a_tab_cols.table_name, a_tab_cols.column_name, a_tab_cols.data_type, a_tab_cols.char_length,
  a_tab_cols.data_length, a_tab_cols.data_precision, a_tab_cols.data_scale, a_tab_cols.nullable,
  a_tab_cols.data_default, a_col_comments.comments, a_tab_cols.virtual_column, a_tab_cols.default_on_null, CASE
  WHEN (a_tab_identity_cols.table_name IS NULL) THEN NULL ELSE a_tab_identity_cols.generation_type || ',' ||
  a_tab_identity_cols.identity_options END AS identity_options
FROM all_tab_cols a_tab_cols LEFT OUTER JOIN all_col_comments a_col_comments ON a_tab_cols.table_name =
  a_col_comments.table_name AND a_tab_cols.column_name = a_col_comments.column_name AND a_tab_cols.owner =
  a_col_comments.owner LEFT OUTER JOIN all_tab_identity_cols a_tab_identity_cols ON a_tab_cols.table_name =
  a_tab_identity_cols.table_name AND a_tab_cols.column_name = a_tab_identity_cols.column_name AND a_tab_cols.owner
  = a_tab_identity_cols.owner
WHERE a_tab_cols.table_name IN ('ORDERS') AND a_tab_cols.hidden_column = 'NO' AND a_tab_cols.owner = 'SHOP' ORDER
  BY a_tab_cols.table_name, a_tab_cols.column_id
----
TABLE_NAME | COLUMN_NAME | DATA_TYPE | CHAR_LENGTH | DATA_LENGTH | DATA_PRECISION | DATA_SCALE | NULLABLE | DATA_DEFAULT | COMMENTS | VIRTUAL_COLUMN | DEFAULT_ON_NULL | IDENTITY_OPTIONS
'ORDERS' | 'ID' | 'NUMBER' | 0 | 22 | - | - | 'Y' | - | - | 'NO' | 'NO' | -
'ORDERS' | 'STATE' | 'VARCHAR2' | 10 | 10 | - | - | 'Y' | - | - | 'NO' | 'NO' | -
'ORDERS' | 'PLACED' | 'DATE' | 0 | 7 | - | - | 'Y' | - | - | 'NO' | 'NO' | -

SELECT a_objects.object_name
FROM all_objects a_objects
WHERE a_objects.owner = 'SHOP' AND a_objects.object_type IN ('TABLE', 'VIEW') AND a_objects.object_name IN
  ('ORDERS')
----
OBJECT_NAME
'ORDERS'

SELECT a_constraints.table_name, a_constraints.constraint_type, a_constraints.constraint_name, local.column_name AS
  local_column, remote.table_name AS remote_table, remote.column_name AS remote_column, remote.owner AS
  remote_owner, a_constraints.search_condition, a_constraints.delete_rule
FROM all_constraints a_constraints JOIN all_cons_columns local ON local.owner = a_constraints.owner AND
  a_constraints.constraint_name = local.constraint_name LEFT OUTER JOIN all_cons_columns remote ON
  a_constraints.r_owner = remote.owner AND a_constraints.r_constraint_name = remote.constraint_name AND
  (remote.position IS NULL OR local.position = remote.position)
WHERE a_constraints.owner = 'SHOP' AND a_constraints.table_name IN ('ORDERS') AND a_constraints.constraint_type IN
  ('R', 'P', 'U', 'C') ORDER BY a_constraints.constraint_name, local.position
----
TABLE_NAME | CONSTRAINT_TYPE | CONSTRAINT_NAME | LOCAL_COLUMN | REMOTE_TABLE | REMOTE_COLUMN | REMOTE_OWNER | SEARCH_CONDITION | DELETE_RULE

SELECT a_ind_columns.table_name, a_ind_columns.index_name, a_ind_columns.column_name, a_indexes.index_type,
  a_indexes.uniqueness, a_indexes.compression, a_indexes.prefix_length, a_ind_columns.descend,
  a_ind_expressions.column_expression
FROM all_ind_columns a_ind_columns JOIN all_indexes a_indexes ON a_ind_columns.index_name = a_indexes.index_name
  AND a_ind_columns.index_owner = a_indexes.owner LEFT OUTER JOIN all_ind_expressions a_ind_expressions ON
  a_ind_expressions.index_name = a_ind_columns.index_name AND a_ind_expressions.index_owner =
  a_ind_columns.index_owner AND a_ind_expressions.column_position = a_ind_columns.column_position
WHERE a_indexes.table_owner = 'SHOP' AND a_indexes.table_name IN ('ORDERS') ORDER BY a_ind_columns.index_name,
  a_ind_columns.column_position
----
TABLE_NAME | INDEX_NAME | COLUMN_NAME | INDEX_TYPE | UNIQUENESS | COMPRESSION | PREFIX_LENGTH | DESCEND | COLUMN_EXPRESSION

SELECT tables_and_views.table_name, tables_and_views.comments
FROM (SELECT a_tab_comments.table_name AS table_name, a_tab_comments.comments AS comments
FROM all_tab_comments a_tab_comments
WHERE a_tab_comments.owner = 'SHOP' AND a_tab_comments.table_name NOT LIKE 'BIN$%' UNION ALL SELECT
  a_mview_comments.mview_name AS table_name, a_mview_comments.comments AS comments
FROM all_mview_comments a_mview_comments
WHERE a_mview_comments.owner = 'SHOP' AND a_mview_comments.mview_name NOT LIKE 'BIN$%') tables_and_views
WHERE tables_and_views.table_name IN ('ORDERS')
----
TABLE_NAME | COMMENTS
'ORDERS' | -

SELECT a_tables.table_name, a_tables.compression, a_tables.compress_for, a_tables.tablespace_name
FROM all_tables a_tables
WHERE a_tables.owner = 'SHOP' AND a_tables.table_name IN ('ORDERS')
----
TABLE_NAME | COMPRESSION | COMPRESS_FOR | TABLESPACE_NAME
'ORDERS' | 'DISABLED' | - | 'USERS'

SELECT a_objects.object_name
FROM all_objects a_objects
WHERE a_objects.owner = 'SHOP' AND a_objects.object_type IN ('TABLE') AND a_objects.temporary = 'N'
----
OBJECT_NAME
'ORDERS'

SELECT a_objects.object_name
FROM all_objects a_objects
WHERE a_objects.owner = 'SHOP' AND a_objects.object_type IN ('TABLE') AND a_objects.object_name IN ('ORDERS')
----
OBJECT_NAME
'ORDERS'

SELECT a_tab_comments.table_name, a_tab_comments.comments
FROM all_tab_comments a_tab_comments
WHERE a_tab_comments.owner = 'SHOP' AND a_tab_comments.table_name NOT LIKE 'BIN$%' AND a_tab_comments.table_type =
  'TABLE' AND a_tab_comments.table_name IN ('ORDERS')
----
TABLE_NAME | COMMENTS
'ORDERS' | -

SELECT orders.id, orders.state, orders.placed
FROM orders ORDER BY orders.id
----
ID | STATE | PLACED
1 | 'new' | Date(1772443800)
2 | 'paid' | -

SELECT orders.id
FROM orders ORDER BY orders.id
 OFFSET 1 ROWS
 FETCH FIRST 1 ROWS ONLY
----
ID
2
