//! A database as its clients see it: accounts and sessions over one cluster. It implements the seam of
//! [`conversation`](crate::conversation) and knows nothing of packets.
//!
//! - `talk`: one client's calls, from the first step to the last.
//! - `session`: what a session is besides its row in the model, and how it waits.
//! - `compute`, `away`, `job`: what takes long goes on without the database's lock.
//! - `environment`: what a statement sees of its session.
//! - `host`: what a PL/SQL block reaches outside itself.
//! - `command`, `dml`, `setting`, `package`: what statements do.

mod command;
mod away;
mod compute;
mod dml;
mod environment;
mod host;
mod job;
mod package;
mod session;
mod nls;
mod setting;
mod talk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::catalog::account::{Account, Rights};
use crate::catalog::books::{Books, Managed, version};
use crate::catalog::view::Viewer;
use crate::cluster::instance::InstanceState;
use crate::cluster::live::LogOn;
use crate::cluster::session::{Client, SessionKey};
use crate::cluster::{Cluster, Micros};
use crate::conversation::{About, Conversation, Database, Destination, Identity, Tags};
use crate::ora::OraError;
use crate::sql::datetime::Zone;
use session::SessionState;
use talk::Talk;

/// A cluster and its books: all that a database is. One lock is enough, since nobody
/// holds it for long.
#[derive(Debug)]
pub struct State {
    /// The model.
    pub cluster: Cluster,
    /// What it does not know: accounts, tables, parameters.
    pub books: Books,
}

impl State {
    /// Undoes what sessions left behind whose transaction is gone.
    fn sweep(&mut self) {
        let cluster = &self.cluster;
        self.books.heap.sweep(|key| {
            let transaction = cluster.session(key).and_then(|session| session.transaction);
            transaction
                .and_then(|key| cluster.transaction(key))
                .is_some_and(|one| !one.is_rolling_back())
        });
    }

    /// COMMIT of a session. The error is how it is about to end: what is marked is rolled back.
    fn commit(&mut self, key: SessionKey) -> Result<(), OraError> {
        self.sweep();
        self.cluster.check_alive(key)?;
        self.books.heap.commit(key);
        self.cluster.commit(key);
        Ok(())
    }
}

/// A simulated database. Clones are the same database.
#[derive(Debug, Clone)]
pub struct SimDatabase {
    state: Arc<Mutex<State>>,
    ticks: watch::Sender<u64>,
}

impl SimDatabase {
    /// A database of a cluster and its books.
    pub fn new(cluster: Cluster, books: Books) -> Self {
        Self { state: Arc::new(Mutex::new(State { cluster, books })), ticks: watch::Sender::new(0) }
    }

    /// DB_NAME.
    pub fn name(&self) -> String {
        self.lock().cluster.spec().name.clone()
    }

    /// The model and the books, to look at or to change. Nothing else of the database moves meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // A statement that panicked has left no half-made change that matters to a test.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the model's time go on, and wakes the calls that wait.
    pub fn advance(&self, micros: Micros) {
        self.lock().cluster.advance(micros);
        self.ticks.send_modify(|tick| *tick = tick.wrapping_add(1));
    }

    /// Logs in as a client would whose password was proved; `service` as in a connect descriptor.
    pub fn connect(&self, user: &str, service: &str) -> Result<Box<dyn Conversation>, OraError> {
        let wanted =
            Destination { service: Some(service.to_ascii_uppercase()), ..Destination::default() };
        let instance = self.resolve(&wanted)?;
        let identity = Identity {
            user: user.to_ascii_uppercase(),
            sysdba: user.eq_ignore_ascii_case("SYS"),
            program: "in-process".to_owned(),
            machine: "localhost".to_owned(),
            osuser: "tester".to_owned(),
            terminal: "unknown".to_owned(),
            process: "1234".to_owned(),
            service: service.to_ascii_uppercase(),
            ..Identity::default()
        };
        self.log_on(instance, identity)
    }

    /// The container that a service leads to.
    fn container_of(state: &State, service: &str) -> u32 {
        let root = u32::from(!state.cluster.spec().containers.is_empty());
        let known = state.books.services.iter().find(|one| is_service(state, &one.name, service));
        known.map_or(root, |one| one.con_id)
    }
}

/// Whether a client that asks for `wanted` means the service `name`; with or without the domain.
fn is_service(state: &State, name: &str, wanted: &str) -> bool {
    let domain = &state.cluster.spec().domain;
    name.eq_ignore_ascii_case(wanted)
        || (!domain.is_empty() && format!("{name}.{domain}").eq_ignore_ascii_case(wanted))
}

/// The instances that a listener would offer, the least busy first. One that starts is only offered when none is open,
/// so that the client gets ORA-01033.
fn offered(state: &State, among: impl Fn(u32) -> bool) -> Option<u32> {
    let rank = |state: InstanceState| match state {
        InstanceState::Open => 0,
        InstanceState::Stopping => 1,
        InstanceState::Starting => 2,
        InstanceState::Down => 3,
    };
    let all =
        state.cluster.instances().filter(|one| among(one.id) && one.state != InstanceState::Down);
    all.min_by_key(|one| (rank(one.state), one.processes().count())).map(|one| one.id)
}

impl Database for SimDatabase {
    fn resolve(&self, wanted: &Destination) -> Result<u32, OraError> {
        let state = self.lock();
        let named = |name: &str| {
            let mut all = state.cluster.instances();
            all.find(|one| one.name.eq_ignore_ascii_case(name)).map(|one| one.id)
        };
        if let Some(sid) = &wanted.sid {
            let text = "TNS:listener does not currently know of SID given in connect descriptor";
            let id = named(sid).ok_or_else(|| OraError::new(12505, text))?;
            return offered(&state, |one| one == id).ok_or_else(|| OraError::new(12505, text));
        }
        let text =
            "TNS:listener does not currently know of service requested in connect descriptor";
        let unknown = || OraError::new(12514, text);
        let name = wanted.service.as_deref().unwrap_or_default();
        let service = state
            .books
            .services
            .iter()
            .find(|one| is_service(&state, &one.name, name))
            .ok_or_else(unknown)?;
        let runs = |id: u32| service.instances.is_empty() || service.instances.contains(&id);
        if let Some(instance) = &wanted.instance {
            let text =
                "TNS:listener does not currently know of instance requested in connect descriptor";
            let id =
                named(instance).filter(|id| runs(*id)).ok_or_else(|| OraError::new(12521, text))?;
            return offered(&state, |one| one == id).ok_or_else(|| OraError::new(12521, text));
        }
        offered(&state, runs).ok_or_else(unknown)
    }

    fn password(&self, user: &str) -> Option<String> {
        self.lock().books.accounts.get(user)?.password.clone()
    }

    fn log_on(&self, instance: u32, identity: Identity) -> Result<Box<dyn Conversation>, OraError> {
        let mut state = self.lock();
        let con_id = Self::container_of(&state, &identity.service);
        let account = state.books.accounts.admit(&identity.user)?.clone();
        check_login(&account, &identity, con_id)?;
        let restricted = state.cluster.instance(instance).is_some_and(|one| one.restricted);
        if restricted && !identity.sysdba && !rights_of(&state, &account).has("RESTRICTED SESSION")
        {
            let text = "ORACLE only available to users with RESTRICTED SESSION privilege";
            return Err(OraError::new(1035, text));
        }
        let who = log_on_of(&account, &identity, con_id);
        let key = state.cluster.log_on(instance, who)?;
        if let Some(account) = state.books.accounts.get_mut(&identity.user) {
            account.failed = 0;
        }
        let session = session_of(self, &state, &account, &identity, key, con_id);
        drop(state);
        Ok(Box::new(Talk::new(self.clone(), session)))
    }

    fn wrong_password(&self, user: &str) -> OraError {
        let mut state = self.lock();
        let now = state.cluster.now();
        state.books.accounts.wrong_password(user, now)
    }

    fn change_password(&self, user: &str, password: &str) -> Result<(), OraError> {
        self.lock().books.accounts.change_password(user, password)
    }

    fn about(&self, instance: u32) -> About {
        let state = self.lock();
        let spec = state.cluster.spec();
        let (numbers, banner) = version(spec.release);
        let one = state.cluster.instance(instance);
        let unique_name =
            if spec.unique_name.is_empty() { spec.name.clone() } else { spec.unique_name.clone() };
        About {
            release: spec.release,
            version: numbers,
            banner,
            database: spec.name.clone(),
            unique_name,
            domain: spec.domain.clone(),
            instance: one.map_or_else(String::new, |one| one.name.to_string()),
            inst_id: instance,
            host: one.map_or_else(String::new, |one| one.host.to_string()),
        }
    }

    fn ticks(&self) -> watch::Receiver<u64> {
        self.ticks.subscribe()
    }
}

/// What stops an account at this door although it may come in at others.
fn check_login(account: &Account, identity: &Identity, con_id: u32) -> Result<(), OraError> {
    let is_sys = account.name == "SYS";
    if is_sys && !identity.sysdba {
        return Err(OraError::new(28009, "connection as SYS should be as SYSDBA or SYSOPER"));
    }
    if identity.sysdba && !is_sys {
        return Err(OraError::new(1017, "invalid username/password; logon denied"));
    }
    if account.container.is_some_and(|own| own != con_id) {
        return Err(OraError::new(1017, "invalid username/password; logon denied"));
    }
    Ok(())
}

fn log_on_of(account: &Account, identity: &Identity, con_id: u32) -> LogOn {
    let Identity { program, machine, osuser, terminal, process, driver, port, service, .. } =
        identity;
    let client = Client {
        osuser: osuser.as_str().into(),
        process: process.as_str().into(),
        machine: machine.as_str().into(),
        port: *port,
        terminal: terminal.as_str().into(),
        program: program.as_str().into(),
        driver: driver.as_str().into(),
        service: service.as_str().into(),
    };
    // Without a module of its own a client shows its program there (facts, section 1.1).
    let tags = Tags { module: Some(program.clone()), ..Tags::default() };
    LogOn { user: account.name.clone(), user_id: Some(account.user_id), con_id, client, tags }
}

fn session_of(
    database: &SimDatabase,
    state: &State,
    account: &Account,
    identity: &Identity,
    key: SessionKey,
    con_id: u32,
) -> SessionState {
    let viewer = Viewer {
        key,
        con_id,
        user: account.name.clone(),
        schema: account.name.clone(),
        rights: rights_of(state, account),
        container_data: account.container_data,
        nls: crate::catalog::default_nls(),
        read_only: None,
    };
    SessionState {
        database: database.clone(),
        job: None,
        key,
        login: account.name.clone(),
        sysdba: identity.sysdba,
        viewer,
        // A client that names a zone that does not exist gets UTC: logging on does not fail for it.
        zone: identity
            .time_zone
            .as_deref()
            .and_then(|zone| Zone::read(zone).ok())
            .unwrap_or(Zone::Offset(0)),
        waiting: None,
        began: None,
        nested: BTreeMap::new(),
        last_rowid: None,
        contexts: identity
            .contexts
            .iter()
            .map(|[_, name, value]| (name.to_uppercase(), value.clone()))
            .collect(),
        output: None,
    }
}

/// What an account may do now.
fn rights_of(state: &State, account: &Account) -> Rights {
    let mut rights = state.books.accounts.rights(account);
    if state.books.managed == Managed::Rds && account.name != "SYS" {
        // The master's role lacks these there (facts, section 5.1).
        for privilege in ["ALTER SYSTEM", "ALTER DATABASE"] {
            rights.system.remove(privilege);
        }
    }
    rights
}
