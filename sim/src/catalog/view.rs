//! One session's sight of the database: which names it can resolve, what it may read of them, of which instances and
//! containers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::{Access, ContainerData, Rights};
use super::books::{Books, Managed};
use super::definition::{Form, Table, tables};
use super::heap::HeapTable;
use super::session::{self, Getter, SessionRow};
use super::{Catalog, Column, activity, dictionary, facility, fixed, global};
use crate::cluster::Cluster;
use crate::cluster::instance::Instance;
use crate::cluster::session::{SessionKey, SessionType};
use crate::conversation::Release;
use crate::ora::OraError;
use crate::value::Value;

/// A row of a view: what has a value, by column. What is not there is NULL.
pub(crate) type Row = Vec<(&'static str, Value)>;

/// Who looks.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    /// Its session.
    pub(crate) key: SessionKey,
    /// Its container: 0 without containers, 1 for the root.
    pub(crate) con_id: u32,
    /// Its account; inside a definer-rights unit, the unit's owner.
    pub(crate) user: String,
    /// What names without an owner belong to.
    pub(crate) schema: String,
    /// What it may do.
    pub(crate) rights: Rights,
    /// What it sees of other containers from the root.
    pub(crate) container_data: ContainerData,
    /// Its NLS parameters by upper-case name.
    pub(crate) nls: BTreeMap<String, String>,
    /// The ordinary tables as they were when its read-only transaction began.
    pub(crate) read_only: Option<Arc<BTreeMap<String, HeapTable>>>,
}

impl Viewer {
    /// Whether a row of a container is shown (facts, section 4).
    pub(crate) fn sees(&self, con_id: u32) -> bool {
        match self.con_id {
            0 => true,
            1 => con_id <= 1 || self.container_data == ContainerData::All,
            own => con_id == 0 || con_id == own,
        }
    }
}

/// What the viewer sees.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) books: &'a Books,
    pub(crate) viewer: &'a Viewer,
}

/// What a name stands for.
#[derive(Clone, Copy)]
pub(crate) enum Resolved<'a> {
    /// A view of Oracle's.
    Fixed(&'static Table),
    /// An ordinary table.
    Heap(&'a HeapTable),
}

/// Dictionary views that are there for everybody, besides ALL_ and USER_.
const PUBLIC: [&str; 14] = [
    "DATABASE_PROPERTIES",
    "DICTIONARY",
    "DUAL",
    "GLOBAL_NAME",
    "NLS_DATABASE_PARAMETERS",
    "NLS_INSTANCE_PARAMETERS",
    "NLS_SESSION_PARAMETERS",
    "PRODUCT_COMPONENT_VERSION",
    "SESSION_PRIVS",
    "SESSION_ROLES",
    "V_$NLS_PARAMETERS",
    "V_$SESSION_CONNECT_INFO",
    "V_$SESSION_LONGOPS",
    "V_$VERSION",
];

/// Names that stand for other names.
fn alias(name: &str) -> &str {
    match name {
        "COLS" => "USER_TAB_COLUMNS",
        "DBA_LOCKS" => "DBA_LOCK",
        "DICT" => "DICTIONARY",
        "IND" => "USER_INDEXES",
        "OBJ" => "USER_OBJECTS",
        "SEQ" => "USER_SEQUENCES",
        "SYN" => "USER_SYNONYMS",
        "TABS" => "USER_TABLES",
        "USER_ROLES" => "USER_ROLE_PRIVS",
        other => other,
    }
}

/// A view's name as grants have it: V_$SESSION for V$SESSION.
fn granted_name(name: &str) -> String {
    match name.split_once('$') {
        Some((front @ ("V" | "GV"), rest)) => format!("{front}_${rest}"),
        _ => name.to_owned(),
    }
}

fn no_table() -> OraError {
    OraError::new(942, "table or view does not exist")
}

impl<'a> View<'a> {
    /// What a name means to the viewer, if it may be read.
    fn readable(&self, name: &str) -> Result<Resolved<'a>, OraError> {
        self.resolve(name, "SELECT")
    }

    /// What a name means to the viewer, if `privilege` is there.
    pub(crate) fn resolve(&self, name: &str, privilege: &str) -> Result<Resolved<'a>, OraError> {
        let rights = &self.viewer.rights;
        let (resolved, access) = match name.split_once('.') {
            None => {
                if let Some(table) = self.heap(&self.viewer.schema, name) {
                    (Resolved::Heap(table), rights.table(&table.owner, &table.name, privilege))
                } else {
                    self.fixed(name, self.viewer.schema == "SYS")?
                }
            }
            Some(("SYS", name)) => self.fixed(name, true)?,
            Some((owner, name)) => {
                let table = self.heap(owner, name).ok_or_else(no_table)?;
                (Resolved::Heap(table), rights.table(owner, name, privilege))
            }
        };
        match access {
            Access::Granted if matches!(resolved, Resolved::Fixed(_)) && privilege != "SELECT" => {
                Err(OraError::new(1031, "insufficient privileges"))
            }
            Access::Granted => Ok(resolved),
            Access::Visible => Err(OraError::new(1031, "insufficient privileges")),
            Access::Invisible => Err(no_table()),
        }
    }

    fn heap(&self, owner: &str, name: &str) -> Option<&'a HeapTable> {
        let name = format!("{owner}.{name}");
        match &self.viewer.read_only {
            Some(tables) => tables.get(&name),
            None => self.books.heap.get(&name),
        }
    }

    /// A view by its name; `of_sys` when the name was looked for in the schema SYS, where V$SESSION is SYS's alone and
    /// V_$SESSION is everybody's, as far as it was granted.
    fn fixed(&self, name: &str, of_sys: bool) -> Result<(Resolved<'a>, Access), OraError> {
        let release = self.cluster.release();
        let underscored = name.starts_with("V_$") || name.starts_with("GV_$");
        let plain = if underscored { name.replacen("_$", "$", 1) } else { alias(name).to_owned() };
        let table = tables(release).get(&plain).ok_or_else(no_table)?;
        let is_view = plain.starts_with("V$") || plain.starts_with("GV$");
        let synonym = if is_view { !underscored } else { plain != "DBMS_LOCK_ALLOCATED" };
        let shown =
            if of_sys { underscored || !is_view || self.viewer.user == "SYS" } else { synonym };
        let granted = granted_name(&plain);
        let public = ["ALL_", "USER_"].iter().any(|front| granted.starts_with(front));
        let access = match () {
            () if !shown => Access::Invisible,
            () if public || PUBLIC.contains(&granted.as_str()) => Access::Granted,
            () => self.reads(&granted),
        };
        Ok((Resolved::Fixed(table), access))
    }

    fn reads(&self, granted: &str) -> Access {
        let rights = &self.viewer.rights;
        if self.books.managed == Managed::Autonomous {
            // SELECT ANY DICTIONARY does not open SYS there (facts, section 5.2).
            let mut fewer = rights.clone();
            fewer.system.remove("SELECT ANY DICTIONARY");
            return fewer.reads_dictionary(granted);
        }
        rights.reads_dictionary(granted)
    }

    /// The release that is played.
    pub(crate) fn release(&self) -> Release {
        self.cluster.release()
    }

    /// The viewer's own instance.
    pub(crate) fn instance(&self) -> Option<&'a Instance> {
        self.cluster.instance(self.viewer.key.inst_id)
    }

    /// The sessions of an instance that V$SESSION shows to the viewer.
    pub(crate) fn sessions(
        &self,
        instance: &'a Instance,
    ) -> impl Iterator<Item = &'a crate::cluster::session::Session> {
        let viewer = self.viewer;
        instance.sessions().filter(move |session| {
            session.session_type != SessionType::Recursive && viewer.sees(session.con_id)
        })
    }

    /// The rows of V$SESSION and V$SESSION_WAIT.
    fn scan_sessions(
        &self,
        wanted: &[Wanted<'_>],
        base: &str,
        instance: &'a Instance,
        row: &mut dyn FnMut(Vec<Value>) -> bool,
    ) -> bool {
        let find = if base == "V$SESSION" { session::column } else { session::wait };
        let getters: Vec<Option<Getter>> = wanted
            .iter()
            .map(|one| match one {
                Wanted::Instance => Some(session::instance as Getter),
                Wanted::Column(name) => find(name),
            })
            .collect();
        for one in self.sessions(instance) {
            let shown = SessionRow::new(self.cluster, one);
            let values = getters
                .iter()
                .map(|getter| getter.map_or(Value::Null, |getter| getter(&shown)))
                .collect();
            if !row(values) {
                return false;
            }
        }
        true
    }

    /// The rows of one instance; false to stop.
    fn scan_instance(
        &self,
        base: &str,
        wanted: &[Wanted<'_>],
        instance: &'a Instance,
        row: &mut dyn FnMut(Vec<Value>) -> bool,
    ) -> bool {
        if matches!(base, "V$SESSION" | "V$SESSION_WAIT") {
            return self.scan_sessions(wanted, base, instance, row);
        }
        let rows = fixed::rows(self, base, instance)
            .or_else(|| activity::rows(self, base, instance))
            .or_else(|| facility::rows(self, base, instance))
            .or_else(|| global::rows(self, base, instance))
            .unwrap_or_default();
        for one in rows {
            if self.shows(&one) && !row(project(&one, wanted, Some(instance.id))) {
                return false;
            }
        }
        true
    }

    /// Whether the viewer's container is shown the row.
    fn shows(&self, row: &Row) -> bool {
        let con_id = row.iter().find(|(name, _)| *name == "CON_ID").map(|(_, value)| value);
        match con_id {
            Some(Value::Number(con_id)) => self
                .viewer
                .sees(con_id.to_i64().and_then(|con_id| u32::try_from(con_id).ok()).unwrap_or(0)),
            _ => true,
        }
    }

    fn scan_fixed(&self, table: &Table, wanted: &[usize], row: &mut dyn FnMut(Vec<Value>) -> bool) {
        let wanted: Vec<Wanted<'_>> = wanted
            .iter()
            .filter_map(|place| table.columns.get(*place))
            .map(|column| match (table.form, column.name.as_str()) {
                (Form::Global, "INST_ID") => Wanted::Instance,
                (_, name) => Wanted::Column(name),
            })
            .collect();
        match table.form {
            Form::Local => {
                if let Some(instance) = self.instance() {
                    self.scan_instance(&table.base, &wanted, instance, row);
                }
            }
            Form::Global => {
                for instance in
                    self.cluster.shown_in_gv().filter_map(|id| self.cluster.instance(id))
                {
                    if !self.scan_instance(&table.base, &wanted, instance, row) {
                        return;
                    }
                }
            }
            Form::Dictionary | Form::Containers => {
                let rows = dictionary::rows(self, &table.base, table.form).unwrap_or_default();
                for mut one in rows {
                    if table.form == Form::Containers
                        && one.iter().all(|(name, _)| *name != "CON_ID")
                    {
                        one.push(("CON_ID", Value::integer(self.viewer.con_id)));
                    }
                    let shown = table.form == Form::Dictionary || self.shows(&one);
                    if shown && !row(project(&one, &wanted, None)) {
                        return;
                    }
                }
            }
        }
    }
}

/// A column that is asked for.
#[derive(Clone, Copy)]
enum Wanted<'n> {
    /// INST_ID of a GV$ view.
    Instance,
    /// Any other.
    Column(&'n str),
}

/// The wanted values of a row.
fn project(row: &Row, wanted: &[Wanted<'_>], inst_id: Option<u32>) -> Vec<Value> {
    wanted
        .iter()
        .map(|one| match one {
            Wanted::Instance => inst_id.map_or(Value::Null, Value::integer),
            Wanted::Column(name) => {
                let known = row.iter().find(|(known, _)| known == name);
                match known {
                    Some((_, value)) => value.clone(),
                    // What a fixed view shows belongs to the whole database unless it says otherwise.
                    None if *name == "CON_ID" && inst_id.is_some() => Value::integer(0),
                    None => Value::Null,
                }
            }
        })
        .collect()
}

impl<'a> Resolved<'a> {
    fn columns(self) -> &'a [Column] {
        match self {
            Resolved::Fixed(table) => &table.columns,
            Resolved::Heap(table) => &table.columns,
        }
    }
}

impl Catalog for View<'_> {
    fn columns(&self, table: &str) -> Result<&[Column], OraError> {
        self.readable(table).map(Resolved::columns)
    }

    fn columns_to_fill(&self, table: &str) -> Result<&[Column], OraError> {
        self.resolve(table, "INSERT").map(Resolved::columns)
    }

    fn scan(
        &self,
        table: &str,
        wanted: &[usize],
        row: &mut dyn FnMut(Vec<Value>) -> bool,
    ) -> Result<(), OraError> {
        match self.readable(table)? {
            Resolved::Fixed(table) => self.scan_fixed(table, wanted, row),
            Resolved::Heap(table) => {
                for (number, values) in table.rows(self.viewer.key) {
                    let rowid = || Value::RowId(table.rowid(number).to_string());
                    let picked = wanted
                        .iter()
                        .map(|place| values.get(*place).cloned().unwrap_or_else(rowid));
                    if !row(picked.collect()) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn new_rowid(&self, table: &str, ordinal: u32) -> Option<Value> {
        match self.readable(table).ok()? {
            Resolved::Fixed(_) => None,
            Resolved::Heap(table) => {
                let rowid = table.rowid(table.next_number().saturating_add(ordinal));
                Some(Value::RowId(rowid.to_string()))
            }
        }
    }
}
