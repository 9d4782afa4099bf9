//! Makes the statements that look at a database: the one that reads the sessions, with no column and no join that is
//! not needed, and the one that asks the database how it stands.

use super::columns::{Join, Origin, origin};
use super::datum::Kind;
use crate::engine::session::Column;

/// Which instances a connection looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// All, through GV$ views.
    Global,
    /// Its own, through V$ views; the number stands in for INST_ID.
    Local(u32),
}

/// A statement that reads sessions, and what it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionsStatement {
    /// The text.
    pub sql: String,
    /// Of the columns behind INST_ID, SID and SERIAL#, in their order.
    pub columns: Vec<Column>,
    /// Of all columns, in order.
    pub kinds: Vec<Kind>,
}

/// The statement that reads `columns` of every session. Columns that no view tells are left out by the caller.
pub fn sessions(columns: &[(Column, Origin)], view: View, in_root: bool) -> SessionsStatement {
    let mut sql = match view {
        View::Global => "SELECT s.inst_id, s.sid, s.serial#".to_owned(),
        View::Local(inst_id) => format!("SELECT {inst_id}, s.sid, s.serial#"),
    };
    let mut kinds = vec![Kind::Number; 3];
    for (column, origin) in columns {
        sql.push_str(", ");
        match column {
            Column::Number(number) if number.is_time() => {
                // Whole seconds since 1970 in the server's own zone; the reader knows the zone.
                for part in ["ROUND((", origin.expression, " - DATE '1970-01-01') * 86400)"] {
                    sql.push_str(part);
                }
                kinds.push(Kind::Number);
            }
            Column::Number(_) => {
                sql.push_str(origin.expression);
                kinds.push(Kind::Number);
            }
            Column::Text(_) => {
                sql.push_str(origin.expression);
                kinds.push(Kind::Text);
            }
        }
    }
    sql.push_str(" FROM [gv]session s");
    for join in Join::ALL {
        if columns.iter().any(|(_, origin)| origin.join == Some(join)) {
            sql.push(' ');
            sql.push_str(join.template(in_root));
        }
    }
    let columns = columns.iter().map(|(column, _)| *column).collect();
    SessionsStatement { sql: resolve(&sql, view), columns, kinds }
}

/// A statement without rows that fails if the view behind `join`, or one of its columns, cannot be read.
pub fn probe(join: Join, columns: &[(Column, Origin)], view: View, in_root: bool) -> String {
    let of_join: Vec<_> =
        columns.iter().filter(|(_, origin)| origin.join == Some(join)).copied().collect();
    let mut sql = sessions(&of_join, view, in_root).sql;
    sql.push_str(" WHERE 1 = 0");
    sql
}

/// The columns that a release can have at all.
pub fn offered(
    columns: impl IntoIterator<Item = Column>,
    release: super::protocol::Release,
) -> Vec<(Column, Origin)> {
    columns
        .into_iter()
        .filter_map(|column| origin(column).map(|origin| (column, origin)))
        .filter(|(_, origin)| release >= origin.since)
        .collect()
}

/// How the database stands: a row per instance that is up. With `role`, also whether it may be written to.
pub fn standing(role: bool, view: View) -> String {
    let (mode, from) = if role {
        ("d.open_mode, d.database_role", " CROSS JOIN v$database d")
    } else {
        ("NULL, NULL", "")
    };
    let number = match view {
        View::Global => "i.inst_id",
        View::Local(_) => "i.instance_number",
    };
    let text = format!(
        "SELECT {number}, i.instance_name, i.status, TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI:SS'), \
         TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6'), {mode} \
         FROM [gv]instance i{from} ORDER BY 1"
    );
    resolve(&text, view)
}

/// What [`standing`] gives.
pub const STANDING_KINDS: [Kind; 7] =
    [Kind::Number, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Text];

/// Fills in a template.
fn resolve(template: &str, view: View) -> String {
    match view {
        View::Global => {
            let mut text = String::with_capacity(template.len());
            let mut rest = template;
            // `[on x]` is the only mark with something of its own in it.
            while let Some((before, after)) = rest.split_once("[on ") {
                let (alias, behind) = after.split_once(']').unwrap_or((after, ""));
                for part in [before, alias, ".inst_id = s.inst_id AND "] {
                    text.push_str(part);
                }
                rest = behind;
            }
            text.push_str(rest);
            text.replace("[gv]", "gv$")
                .replace("[inst]", "inst_id, ")
                .replace("[group]", "GROUP BY inst_id")
        }
        View::Local(inst_id) => {
            let mut text = String::with_capacity(template.len());
            let mut rest = template;
            while let Some((before, after)) = rest.split_once("[on ") {
                text.push_str(before);
                rest = after.split_once(']').map_or("", |(_, behind)| behind);
            }
            text.push_str(rest);
            text.replace("[gv]", "v$")
                .replace("[inst]", "")
                .replace("[group]", "")
                .replace("s.inst_id", &inst_id.to_string())
        }
    }
}
