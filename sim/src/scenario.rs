//! What a process plays: databases with their models, accounts, tables and procedures. A scenario is a YAML file; its
//! keys are in the README, and a key that is not known is an error.

mod build;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cluster::spec::{INSTANCES_MAX, Spec, release};
use crate::conversation::Release;
use crate::database::SimDatabase;

/// A scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// How much faster than real time the models run; 0: time stands still.
    pub speed: f64,
    /// Where chance begins.
    pub seed: u64,
    /// The databases.
    pub databases: Vec<DatabaseSpec>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self { speed: 1.0, seed: 1, databases: vec![DatabaseSpec::default()] }
    }
}

/// A database.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseSpec {
    /// One of the models that come with the program; `fleet` stands for many databases.
    pub like: Option<Like>,
    /// A model of one's own, instead of `like`.
    pub model: Option<Spec>,
    /// DB_NAME, whatever the model says.
    pub name: Option<String>,
    /// How many instances, whatever the model says.
    pub instances: Option<u32>,
    /// The release, whatever the model says.
    #[serde(deserialize_with = "release::read_some")]
    pub release: Option<Release>,
    /// Who operates it.
    pub managed: ManagedSpec,
    /// Accounts besides SYSTEM, APP and ORAWARDEN; one of the same name replaces these.
    pub accounts: Vec<AccountSpec>,
    /// The accounts SYSTEM, APP and ORAWARDEN are not there unless `accounts` has them.
    pub bare: bool,
    /// Roles and what is granted to them.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Profiles.
    pub profiles: BTreeMap<String, ProfileLimits>,
    /// Services besides one for the database, one per instance and one per container.
    pub services: Vec<ServiceSpec>,
    /// Ordinary tables.
    pub tables: Vec<TableSpec>,
    /// Procedures with definer's rights.
    pub procedures: Vec<ProcedureSpec>,
    /// Parameters that differ from the usual.
    pub parameters: BTreeMap<String, String>,
}

/// Models that come with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Like {
    /// Nobody but the clients that log in.
    Quiet,
    /// 4,000 sessions of an online system.
    Oltp,
    /// A batch night.
    Batch,
    /// A row-lock storm.
    Storm,
    /// Databases of many sizes and releases.
    Fleet,
}

/// Who operates a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagedSpec {
    /// An ordinary one.
    #[default]
    No,
    /// Amazon RDS.
    Rds,
    /// Autonomous.
    Autonomous,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSpec {
    /// Its name.
    pub name: String,
    /// Its password; without one nobody can log in.
    #[serde(default)]
    pub password: Option<String>,
    /// Roles, system privileges and privileges on objects, as they stand between GRANT and TO.
    #[serde(default = "create_session")]
    pub grants: Vec<String>,
    /// `open`, `locked`, `expired` or `grace`.
    #[serde(default)]
    pub status: StatusSpec,
    /// Its profile.
    #[serde(default)]
    pub profile: Option<String>,
    /// The only container that it is in.
    #[serde(default)]
    pub container: Option<String>,
    /// It sees the rows of every container from the root.
    #[serde(default)]
    pub container_data_all: bool,
}

fn create_session() -> Vec<String> {
    vec!["CREATE SESSION".to_owned()]
}

/// Whether an account lets anybody in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusSpec {
    /// It does.
    #[default]
    Open,
    /// ORA-28000.
    Locked,
    /// ORA-28001.
    Expired,
    /// Soon.
    Grace,
}

/// Limits of a profile; one that is not there is UNLIMITED.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileLimits {
    /// SESSIONS_PER_USER.
    pub sessions_per_user: Option<u32>,
    /// IDLE_TIME.
    pub idle_minutes: Option<u32>,
    /// CONNECT_TIME.
    pub connect_minutes: Option<u32>,
    /// FAILED_LOGIN_ATTEMPTS.
    pub failed_logins: Option<u32>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    /// Its name.
    pub name: String,
    /// The instances that it runs on; all if empty.
    #[serde(default)]
    pub instances: Vec<u32>,
    /// The container that it leads to; the root if absent.
    #[serde(default)]
    pub container: Option<String>,
}

/// An ordinary table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSpec {
    /// Its owner.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// `ID NUMBER`, `NAME VARCHAR2(30)`, `BORN DATE`.
    pub columns: Vec<String>,
    /// Its rows: numbers, texts and nulls. A DATE is a text like `2026-03-02 10:00:00`.
    #[serde(default)]
    pub rows: Vec<Vec<serde_yaml::Value>>,
}

/// A procedure with definer's rights: the roles of its owner do not count in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcedureSpec {
    /// Its owner.
    pub owner: String,
    /// Its name; PACKAGE.NAME for one in a package.
    pub name: String,
    /// `P_SID NUMBER`, `P_RESULT OUT NUMBER`, `P_NOTE VARCHAR2 DEFAULT`.
    pub parameters: Vec<String>,
    /// An anonymous block in which `:P_SID` is the parameter P_SID.
    pub body: String,
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It is no YAML, or has a key or value that is not known.
    #[error("cannot read the scenario")]
    Yaml(#[from] serde_yaml::Error),
    /// Something in it cannot be.
    #[error("{0}")]
    Invalid(String),
}

/// One process is made for some hundred databases.
const DATABASES_MAX: usize = 1_000;
/// Faster than this a second is more than a day, and no machine keeps up.
const SPEED_MAX: f64 = 100_000.0;

/// A speed is a number of seconds, from 0 (time stands still) to the bound.
pub fn check_speed(name: &str, speed: f64) -> Result<(), ScenarioError> {
    if (0.0..=SPEED_MAX).contains(&speed) {
        return Ok(());
    }
    Err(ScenarioError::Invalid(format!("`{name}` is {speed}, but 0 to {SPEED_MAX} can be")))
}

impl Scenario {
    /// Reads a scenario.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let value: serde_yaml::Value = serde_yaml::from_str(text)?;
        if value.is_null() {
            // All that it could say has a default, but whoever names an empty file means another one.
            return Err(ScenarioError::Invalid("the scenario is empty".to_owned()));
        }
        // From the text again, since a value has no places that an error could name.
        let scenario: Self = serde_yaml::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    /// What the types alone let pass.
    fn check(&self) -> Result<(), ScenarioError> {
        check_speed("speed", self.speed)?;
        if self.databases.is_empty() || self.databases.len() > DATABASES_MAX {
            let count = self.databases.len();
            return Err(ScenarioError::Invalid(format!(
                "`databases` has {count} entries, but 1 to {DATABASES_MAX} can be"
            )));
        }
        for count in self.databases.iter().filter_map(|one| one.instances) {
            if !(1..=INSTANCES_MAX).contains(&(count as usize)) {
                return Err(ScenarioError::Invalid(format!(
                    "`instances` is {count}, but 1 to {INSTANCES_MAX} can be"
                )));
            }
        }
        Ok(())
    }

    /// One that comes with the program: `oltp`, `batch`, `storm`, `fleet` or `quiet`.
    pub fn shipped(name: &str) -> Option<Self> {
        let text = match name {
            "oltp" => include_str!("../scenarios/oltp.yaml"),
            "batch" => include_str!("../scenarios/batch.yaml"),
            "storm" => include_str!("../scenarios/storm.yaml"),
            "fleet" => include_str!("../scenarios/fleet.yaml"),
            "quiet" => include_str!("../scenarios/quiet.yaml"),
            _ => return None,
        };
        Some(Self::parse(text).expect("a test reads every scenario that is shipped"))
    }

    /// Makes the databases. Names are distinct, or it is an error.
    pub fn build(&self) -> Result<Vec<SimDatabase>, ScenarioError> {
        let mut databases = Vec::new();
        for (place, spec) in (0_u64..).zip(&self.databases) {
            for (number, model) in (0_u64..).zip(spec.models()?) {
                let seed = self.seed.wrapping_add(place * 1_000 + number);
                databases.push(build::database(spec, model, seed)?);
            }
        }
        let mut names: Vec<String> = databases.iter().map(SimDatabase::name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        if names.len() < count {
            return Err(ScenarioError::Invalid("two databases have the same name".to_owned()));
        }
        Ok(databases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_scenario_is_read() {
        for name in ["oltp", "batch", "storm", "fleet", "quiet"] {
            let scenario = Scenario::shipped(name).expect("it is shipped");
            assert!(!scenario.databases.is_empty(), "{name}");
        }
        assert!(Scenario::shipped("none").is_none());
    }

    #[test]
    fn every_example_of_the_readme_can_be_played() {
        let readme = include_str!("../README.md");
        let examples: Vec<&str> =
            readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(examples.len() >= 4);
        for example in examples {
            let scenario =
                Scenario::parse(example).unwrap_or_else(|error| panic!("{error:?} in\n{example}"));
            scenario.build().unwrap_or_else(|error| panic!("{error} in\n{example}"));
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in [
            "databses: []",
            "databases: [{nam: X}]",
            "databases: [{accounts: [{name: JOE, pasword: x}]}]",
            "databases: [{model: {releas: 19c}}]",
            "databases: [{managed: azure}]",
            "databases: [{release: 10g}]",
            "databases: [{parameters: {open_cursors: many}}]",
            "databases: [{tables: [{owner: O, name: T, columns: [A VARCHAR2(3)], rows: [[long]]}]}]",
            "databases: [{procedures: [{owner: O, name: P, parameters: [], body: begin nonsense end}]}]",
            "databases: [{procedures: [{owner: O, name: P, parameters: [], body: select 1 from dual}]}]",
            "databases: [{procedures: [{owner: O, name: P, parameters: [], body: 'begin :x := 1; end;'}]}]",
            "",
            "# nothing but a remark",
            "databases: []",
            "databases: [{instances: 0}]",
            "databases: [{instances: 100000}]",
            "databases: [{instances: -1}]",
            "databases: [{model: {instances: []}}]",
            "speed: -1",
            "speed: .nan",
            "speed: .inf",
        ] {
            let played = Scenario::parse(text).and_then(|scenario| scenario.build());
            assert!(played.is_err(), "{text}");
        }
        for (text, part) in [
            ("databases: [{instances: 17}]", "`instances` is 17, but 1 to 16"),
            ("speed: -1", "`speed` is -1, but 0 to"),
            ("databases: [{model: {limits: {processes: 4000000000}}}]", "limits above 100000"),
            ("databases: [{like: quiet, instances: 0}]", "`instances` is 0"),
        ] {
            let played = Scenario::parse(text).and_then(|scenario| scenario.build());
            let said = played.expect_err(text).to_string();
            assert!(said.contains(part), "{said}");
        }
        for text in [
            "databases: [{like: oltp, model: {}}]",
            "databases: [{accounts: [{name: JOE, grants: [ALTER SYSTM]}]}]",
            "databases: [{accounts: [{name: JOE, container: PDB9}]}]",
            "databases: [{name: A}, {name: A}]",
            "databases: [{tables: [{owner: APP, name: T, columns: [ID NUMBR]}]}]",
            "databases: [{procedures: [{owner: APP, name: P, parameters: [X], body: null}]}]",
            "databases: [{services: [{name: FAR, instances: [3]}]}]",
            "databases: [{tables: [{owner: A, name: T, columns: [X DATE]}, {owner: a, name: t, columns: [Y DATE]}]}]",
            "databases: [{tables: [{owner: A, name: T, columns: [X VARCHAR2(2)], rows: [[abc]]}]}]",
            "databases: [{model: {start_seconds: 9223372036854775807}}]",
            "databases: [{model: {instances: [{skew_millis: -9223372036854775808}]}}]",
            "databases: [{model: {chances: {hangs: .inf}}}]",
            "databases: [{model: {chances: {leaks: -1}}}]",
            "databases: [{model: {workloads: [{name: w, statement_count: 4000000000}]}}]",
            "databases: [{model: {schedule: [{after_seconds: 10000000000000, fault: {kind: lift}}]}}]",
            "databases: [{model: {schedule: [{after_seconds: 1, fault: {kind: error, instance: 1, code: 942, \
             calls: 4000000000}}]}}]",
            "databases: [{model: {schedule: [{after_seconds: 1, fault: {kind: lose_connections, instance: 1, \
             share: 2}}]}}]",
        ] {
            let scenario = Scenario::parse(text);
            assert!(scenario.is_err() || scenario.is_ok_and(|one| one.build().is_err()), "{text}");
        }
    }
}
