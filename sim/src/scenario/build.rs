//! A scenario's plain data to a database.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AccountSpec, DatabaseSpec, Like, ManagedSpec, ProcedureSpec, ProfileLimits, ScenarioError,
    StatusSpec, TableSpec,
};
use crate::catalog::Column;
use crate::catalog::account::{Account, AccountStatus, Accounts, ContainerData, Grant, Profile};
use crate::catalog::books::{Books, Managed, Parameters, Procedure, Service};
use crate::catalog::heap::Heap;
use crate::cluster::Cluster;
use crate::cluster::spec::{InstanceSpec, ProfileSpec, Spec};
use crate::conversation::{Direction, Release};
use crate::database::SimDatabase;
use crate::sql::number;
use crate::sql::plsql::{Parameter, Signature};
use crate::sql::statement::{self, Command};
use crate::value::{ColumnType, Digits, Value};

/// The name of a database that has none.
const NAME: &str = "RACDB";
/// The TYPE of a parameter that is a whole number.
const INTEGER: u8 = 3;

fn invalid(text: impl Into<String>) -> ScenarioError {
    ScenarioError::Invalid(text.into())
}

impl DatabaseSpec {
    /// The models that it stands for: one, or many for a fleet.
    pub(super) fn models(&self) -> Result<Vec<Spec>, ScenarioError> {
        let mut models = match (self.like, &self.model) {
            (Some(_), Some(_)) => return Err(invalid("a database has either `like` or `model`")),
            (Some(Like::Oltp), None) => vec![Spec { name: NAME.into(), ..Spec::oltp() }],
            (Some(Like::Batch), None) => vec![Spec { name: NAME.into(), ..Spec::batch() }],
            (Some(Like::Storm), None) => vec![Spec { name: NAME.into(), ..Spec::storm() }],
            (Some(Like::Fleet), None) => Spec::fleet(),
            (Some(Like::Quiet) | None, None) => {
                let instances = vec![InstanceSpec::default(); 2];
                vec![Spec { name: NAME.into(), instances, ..Spec::default() }]
            }
            (None, Some(model)) => vec![model.clone()],
        };
        if self.name.is_some() && models.len() > 1 {
            return Err(invalid("the databases of a fleet have names of their own"));
        }
        for model in &mut models {
            if let Some(name) = &self.name {
                model.name.clone_from(name);
            }
            if let Some(count) = self.instances {
                model.instances.resize(count as usize, InstanceSpec::default());
            }
            if let Some(release) = self.release {
                model.release = release;
            }
            let problems = model.problems();
            if !problems.is_empty() {
                return Err(invalid(format!("database {}: {}", model.name, problems.join("; "))));
            }
        }
        Ok(models)
    }
}

/// A database of a model and what the scenario says besides.
pub(super) fn database(
    spec: &DatabaseSpec,
    mut model: Spec,
    seed: u64,
) -> Result<SimDatabase, ScenarioError> {
    let mut accounts = accounts(spec, &model)?;
    for account in accounts.iter() {
        let Profile { sessions_per_user, idle_minutes, connect_minutes, .. } =
            accounts.profile_of(account);
        if sessions_per_user.or(idle_minutes).or(connect_minutes).is_some() {
            let user = account.name.clone();
            model.profiles.push(ProfileSpec {
                user,
                idle_minutes,
                connect_minutes,
                sessions: sessions_per_user,
            });
        }
    }
    let services = services(spec, &model)?;
    let parameters = parameters(spec, &model)?;
    let domain = &model.domain;
    let global_name =
        if domain.is_empty() { model.name.clone() } else { format!("{}.{domain}", model.name) };
    let release = model.release;
    let mut cluster = Cluster::new(model, seed);
    add_clients(&mut accounts, &mut cluster);
    let mut heap = Heap::default();
    for table in &spec.tables {
        add_table(&mut heap, &mut cluster, table)?;
    }
    let mut procedures = BTreeMap::new();
    for procedure in &spec.procedures {
        let made = procedure_of(procedure, release)?;
        procedures.insert(made.signature.name.clone(), made);
    }
    let managed = match spec.managed {
        ManagedSpec::No => Managed::No,
        ManagedSpec::Rds => Managed::Rds,
        ManagedSpec::Autonomous => Managed::Autonomous,
    };
    let books = Books { managed, accounts, services, procedures, parameters, global_name, heap };
    Ok(SimDatabase::new(cluster, books))
}

/// The number of a container by its name.
fn container(model: &Spec, name: &str) -> Result<u32, ScenarioError> {
    let place = model.containers.iter().position(|one| one.eq_ignore_ascii_case(name));
    let place = place.ok_or_else(|| invalid(format!("there is no container {name}")))?;
    Ok(3 + u32::try_from(place).unwrap_or(0))
}

/// The accounts that are there unless the scenario says otherwise.
fn usual() -> Vec<AccountSpec> {
    let account = |name: &str, password: &str, grants: &[&str]| AccountSpec {
        name: name.to_owned(),
        password: Some(password.to_owned()),
        grants: grants.iter().map(|one| (*one).to_owned()).collect(),
        status: StatusSpec::Open,
        profile: None,
        container: None,
        container_data_all: true,
    };
    let manages = [
        "CREATE SESSION",
        "SET CONTAINER",
        "SELECT_CATALOG_ROLE",
        "ALTER SYSTEM",
        "EXECUTE ON SYS.DBMS_LOCK",
        "EXECUTE ON RDSADMIN.RDSADMIN_UTIL",
    ];
    vec![
        account("SYS", "manager", &["DBA"]),
        account("SYSTEM", "manager", &["DBA"]),
        AccountSpec { container_data_all: false, ..account("APP", "app", &["CREATE SESSION"]) },
        account("ORAWARDEN", "orawarden", &manages),
    ]
}

fn accounts(spec: &DatabaseSpec, model: &Spec) -> Result<Accounts, ScenarioError> {
    let mut accounts = Accounts::maintained();
    for (name, limits) in &spec.profiles {
        let ProfileLimits { sessions_per_user, idle_minutes, connect_minutes, failed_logins } =
            *limits;
        let profile = Profile { sessions_per_user, idle_minutes, connect_minutes, failed_logins };
        accounts.add_profile(&name.to_ascii_uppercase(), profile);
    }
    let names: BTreeSet<String> = spec.roles.keys().map(|name| name.to_ascii_uppercase()).collect();
    let read = |grants: &[String]| -> Result<BTreeSet<Grant>, ScenarioError> {
        grants.iter().map(|one| Grant::read(one, &names).map_err(invalid)).collect()
    };
    for (name, grants) in &spec.roles {
        accounts.add_role(&name.to_ascii_uppercase(), read(grants)?);
    }
    let usual = if spec.bare { Vec::new() } else { usual() };
    for one in usual.iter().chain(&spec.accounts) {
        let name = one.name.to_ascii_uppercase();
        let known = accounts.get(&name);
        let (user_id, maintained) =
            known.map_or((accounts.free_user_id(), false), |one| (one.user_id, one.maintained));
        let profile = one.profile.as_deref().unwrap_or("DEFAULT").to_ascii_uppercase();
        if accounts.profiles().all(|(name, _)| name != profile) {
            return Err(invalid(format!("there is no profile {profile}")));
        }
        let own = one.container.as_deref().map(|name| container(model, name)).transpose()?;
        let mut account = Account::new(&name, "", user_id);
        account.password.clone_from(&one.password);
        account.status = match one.status {
            StatusSpec::Open => AccountStatus::Open,
            StatusSpec::Locked => AccountStatus::Locked,
            StatusSpec::Expired => AccountStatus::Expired,
            StatusSpec::Grace => AccountStatus::Grace,
        };
        account.grants = read(&one.grants)?;
        (account.profile, account.container, account.maintained) = (profile, own, maintained);
        account.container_data =
            if one.container_data_all { ContainerData::All } else { ContainerData::Root };
        accounts.add(account);
    }
    Ok(accounts)
}

/// The users of the model's own clients have accounts too, which nobody else can log in to.
fn add_clients(accounts: &mut Accounts, cluster: &mut Cluster) {
    // Who has no session yet, such as a job's user, has an account all the same.
    let named = cluster.spec().workloads.iter().map(|one| (one.user.clone(), one.user_id));
    let named: Vec<(String, Option<u32>)> = named.filter(|(name, _)| !name.is_empty()).collect();
    let mut users: BTreeMap<String, u32> = cluster
        .instances()
        .flat_map(crate::cluster::instance::Instance::sessions)
        .filter_map(|session| session.user.as_ref())
        .map(|user| (user.name.to_string(), user.id))
        .collect();
    for (name, id) in named {
        let id = cluster.user(&name, id).id;
        users.insert(name, id);
    }
    for (name, id) in users {
        if let Some(known) = accounts.get_mut(&name) {
            if !known.maintained {
                known.user_id = id;
            }
            continue;
        }
        let mut account = Account::new(&name, "", id);
        account.password = None;
        accounts.add(account);
    }
}

fn services(spec: &DatabaseSpec, model: &Spec) -> Result<Vec<Service>, ScenarioError> {
    let root = u32::from(!model.containers.is_empty());
    let mut all = vec![Service { name: model.name.clone(), instances: Vec::new(), con_id: root }];
    if !model.unique_name.is_empty() && model.unique_name != model.name {
        all.push(Service { name: model.unique_name.clone(), instances: Vec::new(), con_id: root });
    }
    for (number, _) in (1_u32..).zip(&model.instances) {
        let name = format!("{}{number}", model.name);
        all.push(Service { name, instances: vec![number], con_id: root });
    }
    for name in &model.containers {
        let con_id = container(model, name)?;
        all.push(Service { name: name.to_ascii_lowercase(), instances: Vec::new(), con_id });
    }
    for one in &spec.services {
        if one.instances.iter().any(|id| !(1..=model.instances.len()).contains(&(*id as usize))) {
            return Err(invalid(format!(
                "service {}: it names an instance that is not there",
                one.name
            )));
        }
        let con_id = one.container.as_deref().map_or(Ok(root), |name| container(model, name))?;
        all.push(Service { name: one.name.clone(), instances: one.instances.clone(), con_id });
    }
    // The model's clients name services too.
    for workload in &model.workloads {
        let name = &workload.service;
        if !name.starts_with("SYS$") && all.iter().all(|one| !one.name.eq_ignore_ascii_case(name)) {
            all.push(Service {
                name: name.clone(),
                instances: workload.instances.clone(),
                con_id: root,
            });
        }
    }
    Ok(all)
}

fn parameters(spec: &DatabaseSpec, model: &Spec) -> Result<Parameters, ScenarioError> {
    let mut parameters = Parameters::new(model);
    for (name, value) in &spec.parameters {
        let kind = parameters.get(name).map(|known| known.kind);
        let kind = kind.ok_or_else(|| invalid(format!("there is no parameter {name}")))?;
        if kind == INTEGER && value.parse::<i64>().is_err() {
            return Err(invalid(format!("parameter {name}: `{value}` is no number")));
        }
        parameters.add(name, kind, value, false);
    }
    Ok(parameters)
}

/// `NUMBER(10, 2)`, `VARCHAR2(30)` and so on; the digits are those of a NUMBER that has them.
fn data_type(text: &str) -> Option<(ColumnType, Option<Digits>)> {
    let text = text.trim().to_ascii_uppercase();
    let (name, sizes) = match text.split_once('(') {
        Some((name, rest)) => (name.trim(), Some(rest.strip_suffix(')')?)),
        None => (text.as_str(), None),
    };
    let (first, second) = match sizes.map(|sizes| sizes.split_once(',').unwrap_or((sizes, "0"))) {
        Some((first, second)) => (first.trim().parse::<u32>().ok()?, second.trim().parse().ok()?),
        None => (0, 0),
    };
    let digits = |precision, scale| Some(Digits { precision, scale });
    Some(match (name, first) {
        ("NUMBER", 0) if sizes.is_none() => (ColumnType::Number, None),
        ("NUMBER", 1..=38) if (-84..=127).contains(&second) => {
            (ColumnType::Number, digits(first, second))
        }
        ("INTEGER", 0) => (ColumnType::Number, digits(38, 0)),
        ("VARCHAR2", 1..=4_000) => (ColumnType::Varchar2(first), None),
        ("VARCHAR2", 0) => (ColumnType::Varchar2(4_000), None),
        ("CHAR", 1..=2_000) => (ColumnType::Char(first), None),
        ("DATE", 0) => (ColumnType::Date, None),
        ("TIMESTAMP", _) => (ColumnType::Timestamp, None),
        _ => return None,
    })
}

fn add_table(
    heap: &mut Heap,
    cluster: &mut Cluster,
    spec: &TableSpec,
) -> Result<(), ScenarioError> {
    let (owner, name) = (spec.owner.to_ascii_uppercase(), spec.name.to_ascii_uppercase());
    let mut columns = Vec::new();
    for column in &spec.columns {
        let (column_name, kind) = column.trim().split_once(' ').unwrap_or((column, ""));
        let (column_type, digits) = data_type(kind).ok_or_else(|| {
            invalid(format!("{owner}.{name}: `{column}` has no type that is known here"))
        })?;
        columns.push(Column {
            name: column_name.to_ascii_uppercase(),
            column_type,
            digits,
            nullable: true,
        });
    }
    let mut rows = Vec::new();
    for row in &spec.rows {
        if row.len() != columns.len() {
            return Err(invalid(format!("{owner}.{name}: a row has {} values", row.len())));
        }
        let values = row.iter().zip(&columns).map(|(cell, column)| {
            value(cell, column).ok_or_else(|| {
                invalid(format!("{owner}.{name}: {cell:?} is no value of {}", column.name))
            })
        });
        rows.push(values.collect::<Result<Vec<Value>, ScenarioError>>()?);
    }
    if heap.get(&format!("{owner}.{name}")).is_some() {
        return Err(invalid(format!("there are two tables {owner}.{name}")));
    }
    let object_id = cluster.table(&format!("{owner}.{name}"));
    heap.add(&owner, &name, object_id, columns, rows);
    Ok(())
}

/// What a column holds of a scenario's cell; `None` if it does not hold it.
fn value(cell: &serde_yaml::Value, column: &Column) -> Option<Value> {
    let text = match cell {
        serde_yaml::Value::Null => return Some(Value::Null),
        serde_yaml::Value::Number(number) => number.to_string(),
        serde_yaml::Value::String(text) => text.clone(),
        serde_yaml::Value::Bool(yes) => yes.to_string(),
        _ => return None,
    };
    match column.column_type {
        _ if text.is_empty() => Some(Value::Null),
        ColumnType::Number => {
            let number = text.parse().ok()?;
            let fitted = column.digits.map_or(Ok(number), |digits| number::fit(number, digits));
            fitted.ok().map(Value::Number)
        }
        ColumnType::Date | ColumnType::Timestamp => {
            let time = chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").ok()?;
            let seconds = time.and_utc().timestamp();
            let date = column.column_type == ColumnType::Date;
            Some(if date { Value::Date(seconds) } else { Value::Timestamp { seconds, nanos: 0 } })
        }
        ColumnType::Char(size) | ColumnType::Varchar2(size) if text.len() > size as usize => None,
        ColumnType::Char(size) => {
            let missing = size as usize - text.len();
            Some(Value::text(text + &" ".repeat(missing)))
        }
        ColumnType::Varchar2(_) => Some(Value::text(text)),
        _ => None,
    }
}

/// `P_SID NUMBER`, `P_RESULT OUT NUMBER`, `P_NOTE VARCHAR2 DEFAULT`.
fn parameter(text: &str) -> Option<Parameter> {
    let words: Vec<String> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
    let (name, mut rest) = words.split_first()?;
    let mut direction = Direction::In;
    for (words, found) in [
        (&["IN", "OUT"][..], Direction::InOut),
        (&["OUT"], Direction::Out),
        (&["IN"], Direction::In),
    ] {
        if rest.len() > words.len() && rest.iter().zip(words).all(|(have, want)| have == want) {
            (direction, rest) = (found, &rest[words.len()..]);
            break;
        }
    }
    let (kind, rest) = rest.split_first()?;
    let optional = match rest {
        [] => false,
        [word] if word == "DEFAULT" => true,
        _ => return None,
    };
    let column_type = if kind == "BOOLEAN" || kind == "PLS_INTEGER" {
        ColumnType::Number
    } else {
        data_type(kind)?.0
    };
    Some(Parameter { name: name.clone(), direction, column_type, optional })
}

fn procedure_of(spec: &ProcedureSpec, release: Release) -> Result<Procedure, ScenarioError> {
    let owner = spec.owner.to_ascii_uppercase();
    let name = format!("{owner}.{}", spec.name.to_ascii_uppercase());
    let read = |text: &String| {
        parameter(text).ok_or_else(|| invalid(format!("{name}: `{text}` is no parameter")))
    };
    let parameters = spec.parameters.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let parsed = statement::parse(&spec.body, release)
        .map_err(|error| invalid(format!("the body of {name}: {error}")))?;
    if !matches!(parsed.command, Command::Block(_)) {
        return Err(invalid(format!("the body of {name} is no block")));
    }
    let known = |bind: &&String| parameters.iter().all(|one| one.name != **bind);
    if let Some(bind) = parsed.binds.iter().find(known) {
        return Err(invalid(format!("the body of {name} has a bind :{bind} that is no parameter")));
    }
    Ok(Procedure {
        owner,
        signature: Signature { name, parameters, returns: None },
        body: spec.body.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_goes_before_what_the_model_says() {
        for (text, release) in [
            ("like: quiet, release: 11.2", Release::R11_2),
            ("like: oltp, release: 12.1", Release::R12_1),
            ("like: fleet, release: 23ai", Release::R23),
            ("name: X", Release::R19),
        ] {
            let spec: DatabaseSpec =
                serde_yaml::from_str(&format!("{{{text}}}")).expect("a database");
            let models = spec.models().expect("models");
            assert!(models.iter().all(|model| model.release == release), "{text}");
        }
    }
}
