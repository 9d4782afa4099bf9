//! What a database knows besides its cluster: accounts, ordinary tables, parameters, services and procedures.

use std::collections::BTreeMap;

use super::account::Accounts;
use super::heap::Heap;
use crate::cluster::spec::Spec;
use crate::conversation::Release;
use crate::sql::plsql::Signature;

/// Who operates the database, and so which doors are shut (facts, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Managed {
    /// An ordinary database.
    #[default]
    No,
    /// Amazon RDS: no ALTER SYSTEM, but rdsadmin.rdsadmin_util.
    Rds,
    /// Autonomous: of ALTER SYSTEM only SET and KILL SESSION; SELECT ANY DICTIONARY does not open SYS.
    Autonomous,
}

/// A procedure with definer's rights.
#[derive(Debug, Clone, PartialEq)]
pub struct Procedure {
    /// Whose rights it has.
    pub owner: String,
    /// `OWNER.NAME`, its parameters and a function's result.
    pub signature: Signature,
    /// An anonymous block in which a parameter is a bind of its name.
    pub body: String,
}

/// A service and where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// NAME, as it was written.
    pub name: String,
    /// The instances; empty for all.
    pub instances: Vec<u32>,
    /// CON_ID of its container: 0 without containers, 1 for the root.
    pub con_id: u32,
}

/// The books of a database.
#[derive(Debug)]
pub struct Books {
    /// Who operates it.
    pub managed: Managed,
    /// Who may log in.
    pub accounts: Accounts,
    /// Its services.
    pub services: Vec<Service>,
    /// Its procedures, by `OWNER.NAME`.
    pub procedures: BTreeMap<String, Procedure>,
    /// Its parameters.
    pub parameters: Parameters,
    /// GLOBAL_NAME.
    pub global_name: String,
    pub(crate) heap: Heap,
}

/// The five numbers of a release, and its banner's first line.
pub fn version(release: Release) -> ([u8; 5], String) {
    let (numbers, named) = match release {
        Release::R11_2 => {
            ([11, 2, 0, 4, 0], "11g Enterprise Edition Release 11.2.0.4.0 - 64bit Production")
        }
        Release::R12_1 => {
            ([12, 1, 0, 2, 0], "12c Enterprise Edition Release 12.1.0.2.0 - 64bit Production")
        }
        Release::R12_2 => {
            ([12, 2, 0, 1, 0], "12c Enterprise Edition Release 12.2.0.1.0 - 64bit Production")
        }
        Release::R19 => {
            ([19, 28, 0, 0, 0], "19c Enterprise Edition Release 19.0.0.0.0 - Production")
        }
        Release::R23 => {
            ([23, 9, 0, 25, 7], "23ai Enterprise Edition Release 23.0.0.0.0 - for Oracle Cloud")
        }
    };
    let product = if release == Release::R23 { "Oracle AI Database" } else { "Oracle Database" };
    (numbers, format!("{product} {named}"))
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// TYPE: 1 BOOLEAN, 2 string, 3 integer.
    pub kind: u8,
    /// VALUE where no instance has its own.
    pub value: String,
    /// VALUE of single instances.
    pub own: BTreeMap<u32, String>,
    /// ALTER SESSION can set it.
    pub session: bool,
    /// ALTER SYSTEM can set it at once.
    pub system: bool,
    /// It was changed since the start: ISDEFAULT is FALSE, ISMODIFIED SYSTEM_MOD.
    pub changed: bool,
}

impl Parameter {
    /// VALUE on an instance.
    pub fn on(&self, inst_id: u32) -> &str {
        self.own.get(&inst_id).unwrap_or(&self.value)
    }
}

/// The parameters by their lower-case name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, Parameter>);

/// Those that do not follow from the model: name, type, value, and where they can be set (S session, Y system).
const PARAMETERS: [(&str, u8, &str, &str); 29] = [
    ("audit_trail", 2, "DB", ""),
    ("cluster_database", 1, "TRUE", ""),
    ("compatible", 2, "", ""),
    ("control_management_pack_access", 2, "DIAGNOSTIC+TUNING", "Y"),
    ("cpu_count", 3, "16", "Y"),
    ("cursor_sharing", 2, "EXACT", "SY"),
    ("db_block_size", 3, "8192", ""),
    ("enable_ddl_logging", 1, "FALSE", "SY"),
    ("job_queue_processes", 3, "80", "Y"),
    ("license_max_sessions", 3, "0", "Y"),
    ("max_idle_blocker_time", 3, "0", "Y"),
    ("nls_date_format", 2, "DD-MON-RR", "S"),
    ("nls_language", 2, "AMERICAN", "S"),
    ("nls_territory", 2, "AMERICA", "S"),
    ("open_cursors", 3, "300", "Y"),
    ("optimizer_mode", 2, "ALL_ROWS", "SY"),
    ("parallel_force_local", 1, "FALSE", "SY"),
    ("pga_aggregate_target", 3, "4294967296", "Y"),
    ("remote_login_passwordfile", 2, "EXCLUSIVE", ""),
    ("resource_limit", 1, "TRUE", "Y"),
    ("resource_manager_cpu_allocation", 3, "16", "Y"),
    ("resource_manager_plan", 2, "", "Y"),
    ("sga_target", 3, "17179869184", "Y"),
    ("spfile", 2, "+DATA/spfile.ora", ""),
    ("sql_trace", 1, "FALSE", "SY"),
    ("statistics_level", 2, "TYPICAL", "SY"),
    ("timed_statistics", 1, "TRUE", "SY"),
    ("undo_retention", 3, "900", "Y"),
    ("undo_tablespace", 2, "UNDOTBS1", "Y"),
];

impl Parameters {
    /// The parameters of a database.
    pub fn new(spec: &Spec) -> Self {
        let mut all = BTreeMap::new();
        for (name, kind, value, scope) in PARAMETERS {
            let (session, system) = (scope.contains('S'), scope.contains('Y'));
            let parameter = Parameter {
                kind,
                value: value.to_owned(),
                own: BTreeMap::new(),
                session,
                system,
                changed: false,
            };
            all.insert(name.to_owned(), parameter);
        }
        let mut parameters = Self(all);
        let count = spec.instances.len().to_string();
        let [major, minor, ..] = version(spec.release).0;
        let unique = if spec.unique_name.is_empty() { &spec.name } else { &spec.unique_name };
        for (name, kind, value, system) in [
            ("cluster_database_instances", 3, count.as_str(), false),
            ("compatible", 2, &format!("{major}.{minor}.0"), false),
            ("db_domain", 2, &spec.domain, false),
            ("db_name", 2, &spec.name, false),
            ("db_unique_name", 2, unique, false),
            ("max_idle_time", 3, &spec.limits.max_idle_minutes.to_string(), true),
            ("parallel_max_servers", 3, &spec.limits.parallel_servers.to_string(), true),
            ("processes", 3, &spec.limits.processes.to_string(), false),
            ("service_names", 2, unique, true),
            ("sessions", 3, &spec.limits.sessions().to_string(), false),
        ] {
            parameters.add(name, kind, value, system);
        }
        for name in ["instance_name", "instance_number", "thread"] {
            parameters.add(name, if name == "instance_name" { 2 } else { 3 }, "", false);
        }
        parameters
    }

    /// Adds a parameter, or sets its value.
    pub fn add(&mut self, name: &str, kind: u8, value: &str, system: bool) {
        let known = Parameter {
            kind,
            value: value.to_owned(),
            own: BTreeMap::new(),
            session: false,
            system,
            changed: false,
        };
        self.0
            .entry(name.to_ascii_lowercase())
            .and_modify(|one| value.clone_into(&mut one.value))
            .or_insert(known);
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.0.get(&name.to_ascii_lowercase())
    }

    /// A parameter, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Parameter> {
        self.0.get_mut(&name.to_ascii_lowercase())
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.0.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }
}
