//! Examines one database as the daemon would use it: what it is, what may be read and done there, and what of its own
//! settings would end sessions besides us. It changes nothing.

use std::sync::Arc;
use std::time::Instant;

use super::block::Via;
use super::connection::{Account, Connection, Identity, Settings, Topology};
use super::datum::Kind;
use super::error::CallError;
use super::grants::{Ending, Wanted, objects};
use super::protocol::Release;
use super::source::{OracleSource, is_closed};
use crate::engine::needs::Needs;
use crate::engine::session::{InstanceState, Snapshot};
use crate::engine::text::counted;
use crate::engine::time::{MICROS_PER_SECOND, Timestamp};

/// A clock that is further off makes windows and records hard to follow. Decisions use the database's alone.
const SKEW_SECONDS_MAX: i64 = 30;

/// Limits of a profile: there are fewer than twenty.
const LIMITS_MAX: u32 = 64;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Fine,
    /// It works, less well.
    Warning,
    /// It does not work.
    Failure,
}

impl Grade {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub grade: Grade,
    /// What was looked at.
    pub subject: String,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// What the daemon is to do there.
#[derive(Debug, Clone)]
pub struct Duty {
    /// How sessions are ended.
    pub via: Via,
    /// One daemon is elected.
    pub leadership: bool,
}

/// What came of an examination.
#[derive(Debug)]
pub struct Examined {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What its one look saw; why it failed is among the findings too.
    pub seen: Result<Snapshot, CallError>,
    /// The server's release.
    pub release: Release,
}

/// Examines a database, and looks at it as the daemon looks. An error means that nobody can log in.
pub fn examine(
    settings: Arc<Settings>,
    duty: &Duty,
    needs: &Needs,
    now: impl Fn() -> Timestamp,
) -> Result<Examined, CallError> {
    let account = Account::default();
    let mut connection = Connection::new(Arc::clone(&settings), account.clone());
    let start = Instant::now();
    let identity = connection.reach()?.clone();
    let took = start.elapsed();
    let mut doctor = Doctor { connection, identity, findings: Vec::new() };
    let release = doctor.identity.release;
    let found = format!(
        "logged in as {} in {} ms with driver {}; release {}.{}",
        doctor.identity.username,
        took.as_millis(),
        settings.driver.name(),
        release.major,
        release.minor
    );
    doctor.note(Grade::Fine, "connection", found, None);
    doctor.views(duty)?;
    doctor.ending(duty)?;
    doctor.own_limits()?;
    doctor.native_limits()?;
    let seen = OracleSource::new(settings, account).look(needs);
    match &seen {
        Ok(seen) => doctor.seen(seen, now()),
        Err(error) => doctor.note(Grade::Failure, "sessions", error.to_string(), None),
    }
    let pack = "no view that orawarden reads needs the Diagnostics or Tuning Pack".to_owned();
    doctor.note(Grade::Fine, "licence", pack, None);
    Ok(Examined { findings: doctor.findings, seen, release })
}

struct Doctor {
    connection: Connection,
    identity: Identity,
    findings: Vec<Finding>,
}

impl Doctor {
    fn note(&mut self, grade: Grade, subject: &str, found: String, advice: Option<String>) {
        self.findings.push(Finding { grade, subject: subject.to_owned(), found, advice });
    }

    /// The rows of a query with a text and a number or text, as texts; `None` where it cannot be read.
    fn pairs(&mut self, sql: &str) -> Result<Option<Vec<(String, String)>>, CallError> {
        let within = self.connection.settings().snapshot_within;
        let kinds = vec![Kind::Text, Kind::Text];
        match self.connection.query(sql, Vec::new(), kinds, LIMITS_MAX, within) {
            Ok(rows) => {
                let text = |cell| rows.text(cell).unwrap_or_default().to_owned();
                Ok(Some(rows.iter().map(|row| (text(row[0]), text(row[1]))).collect()))
            }
            Err(error) if is_closed(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a block compiles. It does nothing.
    fn compiles(&mut self, call: &str) -> Result<bool, CallError> {
        let within = self.connection.settings().snapshot_within;
        let block = format!("BEGIN IF 1 = 0 THEN {call}; END IF; END;");
        match self.connection.call(&block, Vec::new(), within) {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(6_550) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn views(&mut self, duty: &Duty) -> Result<(), CallError> {
        let ending = match &duty.via {
            Via::AlterSystem | Via::Autonomous => Ending::AlterSystem,
            Via::Wrapper(procedure) => Ending::Wrapper(procedure.clone()),
            Via::Rds => Ending::Rds,
        };
        let wanted = Wanted {
            account: self.identity.username.clone(),
            ending,
            leadership: duty.leadership,
            root: self.identity.is_root(),
            per_instance: self.connection.settings().topology == Topology::PerInstance,
            release: self.identity.release,
        };
        let objects = objects(&wanted);
        let mut readable = 0_u64;
        for object in &objects {
            let sql = format!("SELECT NULL, NULL FROM {} WHERE 1 = 0", object.replace("_$", "$"));
            if self.pairs(&sql)?.is_some() {
                readable += 1;
                continue;
            }
            let account = &wanted.account;
            let advice = if duty.via == Via::Rds {
                format!(
                    "EXEC rdsadmin.rdsadmin_util.grant_sys_object('{object}', '{account}', 'SELECT');"
                )
            } else {
                format!("GRANT SELECT ON sys.{} TO {account};", object.to_ascii_lowercase())
            };
            self.note(Grade::Warning, object, "cannot be read".to_owned(), Some(advice));
        }
        let found = format!("{readable} of {} can be read", counted(objects.len() as u64, "view"));
        self.note(Grade::Fine, "views", found, None);
        Ok(())
    }

    fn ending(&mut self, duty: &Duty) -> Result<(), CallError> {
        let account = self.identity.username.clone();
        let (subject, may, grant) = match &duty.via {
            Via::AlterSystem | Via::Autonomous => {
                let sql =
                    "SELECT privilege, NULL FROM session_privs WHERE privilege = 'ALTER SYSTEM'";
                let may = self.pairs(sql)?.is_some_and(|rows| !rows.is_empty());
                ("ALTER SYSTEM".to_owned(), may, format!("GRANT ALTER SYSTEM TO {account};"))
            }
            Via::Wrapper(procedure) => {
                let call = format!(
                    "DECLARE c NUMBER; t VARCHAR2(400); BEGIN \
                     {procedure}(NULL, NULL, NULL, NULL, NULL, NULL, NULL, c, t); END"
                );
                let may = self.compiles(&call)?;
                (procedure.clone(), may, format!("GRANT EXECUTE ON {procedure} TO {account};"))
            }
            Via::Rds => {
                let may = self.compiles("rdsadmin.rdsadmin_util.kill(0, 0, 'IMMEDIATE')")?;
                let grant =
                    "let the master user grant EXECUTE on RDSADMIN.RDSADMIN_UTIL".to_owned();
                ("RDSADMIN_UTIL".to_owned(), may, grant)
            }
        };
        self.may(&subject, may, grant);
        if duty.leadership {
            let may = self.compiles("dbms_lock.sleep(0)")?;
            self.may("DBMS_LOCK", may, format!("GRANT EXECUTE ON sys.dbms_lock TO {account};"));
        }
        Ok(())
    }

    fn may(&mut self, subject: &str, may: bool, grant: String) {
        if may {
            self.note(Grade::Fine, subject, "may be used".to_owned(), None);
        } else {
            let found = "may not be used: nobody can be ended".to_owned();
            self.note(Grade::Failure, subject, found, Some(grant));
        }
    }

    /// The profile of our own account, which would end our own sessions.
    fn own_limits(&mut self) -> Result<(), CallError> {
        let sql = "SELECT resource_name, limit FROM user_resource_limits \
                   WHERE resource_name IN ('IDLE_TIME', 'CONNECT_TIME', 'SESSIONS_PER_USER')";
        let Some(limits) = self.pairs(sql)? else {
            let found = "USER_RESOURCE_LIMITS cannot be read".to_owned();
            self.note(Grade::Warning, "own profile", found, None);
            return Ok(());
        };
        let bounded = limits.into_iter().filter(|(_, limit)| limit != "UNLIMITED");
        let bounded: Vec<String> = bounded.map(|(name, limit)| format!("{name} {limit}")).collect();
        if bounded.is_empty() {
            self.note(Grade::Fine, "own profile", "does not limit us".to_owned(), None);
        } else {
            let advice = "give the account a profile without these limits".to_owned();
            self.note(Grade::Warning, "own profile", bounded.join(", "), Some(advice));
        }
        Ok(())
    }

    /// What the database itself ends.
    fn native_limits(&mut self) -> Result<(), CallError> {
        let sql = "SELECT name, value FROM v$parameter \
                   WHERE name IN ('max_idle_time', 'max_idle_blocker_time', 'resource_limit')";
        let Some(parameters) = self.pairs(sql)? else { return Ok(()) };
        for (name, minutes) in parameters {
            if name == "resource_limit" {
                if minutes == "TRUE" {
                    self.profiles()?;
                }
                continue;
            }
            if minutes == "0" {
                continue;
            }
            let found = format!("the database itself ends sessions after {minutes} minutes");
            let advice = "rules that wait longer never see them; nothing exempts a session from it";
            let name = name.to_ascii_uppercase();
            self.note(Grade::Warning, &name, found, Some(advice.to_owned()));
        }
        Ok(())
    }

    /// Limits of others' profiles, where they are enforced and can be read.
    fn profiles(&mut self) -> Result<(), CallError> {
        let sql = "SELECT profile || ' ' || resource_name, limit FROM dba_profiles \
                   WHERE resource_name IN ('IDLE_TIME', 'CONNECT_TIME') AND limit NOT IN ('UNLIMITED', 'DEFAULT') \
                   ORDER BY 1";
        let limits: Vec<String> = self
            .pairs(sql)?
            .unwrap_or_default()
            .into_iter()
            .map(|(what, minutes)| format!("{what} {minutes} minutes"))
            .collect();
        if !limits.is_empty() {
            let advice =
                "sessions over these limits are SNIPED or ended by the database".to_owned();
            self.note(Grade::Warning, "profiles", limits.join(", "), Some(advice));
        }
        Ok(())
    }

    fn seen(&mut self, seen: &Snapshot, now: Timestamp) {
        let found = counted(seen.sessions.len() as u64, "session");
        self.note(Grade::Fine, "sessions", format!("{found} of all instances were read"), None);
        match &seen.read_only {
            Some(why) => {
                let advice = "enforcing rules are rehearsed here".to_owned();
                self.note(Grade::Warning, "role", why.clone(), Some(advice));
            }
            None => self.note(Grade::Fine, "role", "an open primary".to_owned(), None),
        }
        for instance in &seen.instances {
            let name = seen.instance_names.get(&instance.inst_id).cloned().unwrap_or_default();
            let (grade, found) = match instance.state {
                InstanceState::Answered => (Grade::Fine, "answers"),
                InstanceState::Missing => (Grade::Failure, "does not answer"),
            };
            let subject = format!("instance {} {name}", instance.inst_id);
            self.note(grade, subject.trim(), found.to_owned(), None);
        }
        let skew = seen.taken_at.since(now).0 / MICROS_PER_SECOND;
        let grade = if skew.abs() > SKEW_SECONDS_MAX { Grade::Warning } else { Grade::Fine };
        let advice = (grade == Grade::Warning).then(|| "let NTP keep both".to_owned());
        let way = if skew < 0 { "behind" } else { "ahead of" };
        self.note(grade, "clock", format!("{} s {way} ours", skew.abs()), advice);
        for warning in &seen.warnings {
            self.note(Grade::Warning, "sessions", warning.clone(), None);
        }
    }
}
