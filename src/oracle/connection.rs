//! A session of one database that is made when it is needed and made anew when it was lost, less and less eagerly while
//! that fails.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::codes::Class;
use super::datum::{Bind, Datum, Kind, Rows, session_key};
use super::error::CallError;
use super::host::{Process, Program, hide};
use super::protocol::{DriverKind, Login, Release, Reply, Request};
use super::secret::SecretPlace;
use crate::engine::session::SessionKey;

/// MODULE of our sessions.
pub const MODULE: &str = "orawarden";

/// The first pause after a failure; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_secs(1);

/// The longest pause while a database or its listener is not ready.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// The pause while the configuration or a grant is wrong: somebody has to mend it first.
const PAUSE_SLOW: Duration = Duration::from_mins(5);

/// How many log in at once with a password that was right: instances that hang cost one deadline together, and a
/// password that was changed meanwhile is tried less often than accounts are locked for (10 by default).
const LOG_INS_AT_ONCE_MAX: usize = 4;

/// How the sessions of several instances are read and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topology {
    /// Through GV$ views and `@inst`, on any instance.
    Gv,
    /// Each through a connection to its own instance, and V$ views.
    PerInstance,
}

/// How to reach one database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Its name in the configuration.
    pub name: String,
    /// Which client.
    pub driver: DriverKind,
    /// Easy Connect, a descriptor or an alias.
    pub connect: String,
    /// The account; `None` with the client's wallet.
    pub username: Option<String>,
    /// Where its password is.
    pub secret: SecretPlace,
    /// Where tnsnames.ora is, instead of TNS_ADMIN.
    pub config_dir: Option<String>,
    /// Where the wallet for TCPS is (thin).
    pub wallet: Option<String>,
    /// How its instances are reached.
    pub topology: Topology,
    /// How long logging in may take.
    pub connect_within: Duration,
    /// How long reading all sessions may take.
    pub snapshot_within: Duration,
    /// How long ending one may take.
    pub kill_within: Duration,
    /// What connection processes are started from.
    pub program: Program,
}

/// What all our connections to one database share.
#[derive(Clone, Default)]
pub struct Account(Arc<Shared>);

#[derive(Default)]
struct Shared {
    sessions: Mutex<Vec<SessionKey>>,
    door: Mutex<Door>,
    /// Told of everybody who comes out.
    passed: Condvar,
}

/// Who log in pass it: one alone with a password that is not known to be right, so that a wrong one is tried once. Each
/// try brings the account closer to being locked.
#[derive(Default)]
struct Door {
    refused: Option<Refused>,
    /// What was right the last time.
    proven: Option<Secret>,
    /// How many log in now, and whether that is one who must be alone.
    inside: usize,
    alone: bool,
}

/// A password; `None`: what the client's wallet holds.
type Secret = Option<Zeroizing<String>>;

/// Logging in.
struct Pass<'a>(&'a Account);

/// What was refused as a password, and how.
struct Refused {
    secret: Secret,
    said: String,
}

impl Account {
    /// The sessions that we have there now: nobody ends these.
    pub fn sessions(&self) -> Vec<SessionKey> {
        held(&self.0.sessions).clone()
    }

    fn add(&self, key: SessionKey) {
        held(&self.0.sessions).push(key);
    }

    fn remove(&self, key: SessionKey) {
        held(&self.0.sessions).retain(|own| *own != key);
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        held(&self.0.door)
    }

    /// Waits until one may log in with it. While we have a session there, what was right still is, as far as anybody
    /// knows. Everybody inside has a deadline.
    fn pass(&self, secret: &Secret) -> Result<Pass<'_>, CallError> {
        let mut door = self.door();
        loop {
            door.check(secret.as_ref())?;
            let proven = door.proven.as_ref() == Some(secret) && !held(&self.0.sessions).is_empty();
            let room = if proven { LOG_INS_AT_ONCE_MAX } else { 1 };
            if !door.alone && door.inside < room {
                door.inside += 1;
                door.alone = !proven;
                return Ok(Pass(self));
            }
            door = self.0.passed.wait(door).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut door = self.0.door();
        door.inside -= 1;
        door.alone = false;
        self.0.0.passed.notify_all();
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Door {
    fn check(&self, secret: Option<&Zeroizing<String>>) -> Result<(), CallError> {
        let Some(refused) = &self.refused else { return Ok(()) };
        if refused.secret.as_ref() != secret {
            return Ok(());
        }
        let until = match secret {
            Some(_) => "not tried again with the same password before a restart",
            None => "not tried again with the client's wallet before a restart",
        };
        let said = format!("{}; {until}", refused.said);
        Err(CallError::NotTried { said, class: Class::Password })
    }
}

/// What the server says of our session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who we are there.
    pub key: SessionKey,
    /// The account.
    pub username: String,
    /// The server's release.
    pub release: Release,
    /// The container; `None` where there are none.
    pub container: Option<String>,
}

impl Identity {
    /// True in the root of a container database, where CDB views are the ones to ask.
    pub fn is_root(&self) -> bool {
        self.container.as_deref() == Some("CDB$ROOT")
    }
}

/// A session, or the wish for one.
pub struct Connection {
    settings: Arc<Settings>,
    /// Instead of the settings' connect string: one that leads to a certain instance.
    pinned: Option<String>,
    account: Account,
    live: Option<(Process, Identity)>,
    retry: Retry,
    action: String,
    /// Round trips since it was asked last.
    round_trips: u64,
}

/// When the next try is due, after those that failed.
#[derive(Default)]
struct Retry {
    failures: u32,
    not_before: Option<Instant>,
    said: String,
    class: Option<Class>,
}

impl Connection {
    /// Nothing is reached for yet.
    pub fn new(settings: Arc<Settings>, account: Account) -> Self {
        Self {
            settings,
            pinned: None,
            account,
            live: None,
            retry: Retry::default(),
            action: String::new(),
            round_trips: 0,
        }
    }

    /// The same, to the instance of that name; `None` for a connect string into which it cannot be written.
    pub fn pinned(settings: Arc<Settings>, account: Account, instance: &str) -> Option<Self> {
        let pinned = Some(pin(&settings.connect, instance)?);
        let mut connection = Self::new(settings, account);
        connection.pinned = pinned;
        Some(connection)
    }

    /// How to reach it.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Who we are, if there is a session.
    pub fn identity(&self) -> Option<&Identity> {
        self.live.as_ref().map(|(_, identity)| identity)
    }

    /// Makes the session, if there is none.
    pub fn reach(&mut self) -> Result<&Identity, CallError> {
        if self.live.is_none() {
            self.retry.check()?;
            let account = self.account.clone();
            // That costs the database nothing, so no pause follows it.
            let secret = self.settings.secret.read().map_err(CallError::NotConnected)?;
            let pass = account.pass(&secret)?;
            match self.log_in(pass, secret) {
                Ok(live) => {
                    self.retry = Retry::default();
                    self.account.add(live.1.key);
                    self.action.clear();
                    self.live = Some(live);
                }
                Err(error) => {
                    self.retry.failed(&error);
                    return Err(error);
                }
            }
        }
        self.live
            .as_ref()
            .map(|(_, identity)| identity)
            .ok_or_else(|| CallError::NotConnected("there is no session".to_owned()))
    }

    /// Ends the session, if there is one.
    pub fn drop_session(&mut self) {
        if let Some((_, identity)) = self.live.take() {
            self.account.remove(identity.key);
        }
    }

    /// ACTION from the next call on.
    pub fn act_as(&mut self, action: &str) -> Result<(), CallError> {
        if self.action != action {
            self.ask(Request::Tag { action: action.to_owned() }, self.settings.connect_within)?;
            action.clone_into(&mut self.action);
        }
        Ok(())
    }

    /// All rows of a query.
    pub fn query(
        &mut self,
        sql: &str,
        binds: Vec<Datum>,
        kinds: Vec<Kind>,
        prefetch: u32,
        within: Duration,
    ) -> Result<Rows, CallError> {
        let request = Request::Query { sql: sql.to_owned(), binds, kinds, prefetch };
        match self.ask(request, within)? {
            Reply::Rows(rows) => {
                self.round_trips += rows.round_trips;
                Ok(rows)
            }
            other => Err(out_of_step(&other)),
        }
    }

    /// The OUT binds of a block.
    pub fn call(
        &mut self,
        sql: &str,
        binds: Vec<Bind>,
        within: Duration,
    ) -> Result<Vec<Datum>, CallError> {
        self.round_trips += 1;
        match self.ask(Request::Call { sql: sql.to_owned(), binds }, within)? {
            Reply::Values(values) => Ok(values),
            other => Err(out_of_step(&other)),
        }
    }

    /// Round trips since the last time this was asked.
    pub fn take_round_trips(&mut self) -> u64 {
        std::mem::take(&mut self.round_trips)
    }

    /// Never makes a session: a new one would not hold what the old one held.
    fn ask(&mut self, request: Request, within: Duration) -> Result<Reply, CallError> {
        let Some((process, _)) = &mut self.live else {
            return Err(CallError::NotConnected("there is no session".to_owned()));
        };
        let answer = process.ask(request, within);
        if answer.as_ref().is_err_and(CallError::is_lost) {
            self.drop_session();
        }
        answer
    }

    fn log_in(&self, pass: Pass<'_>, secret: Secret) -> Result<(Process, Identity), CallError> {
        let settings = &self.settings;
        let within = settings.connect_within;
        let login = Login {
            driver: settings.driver,
            connect: self.pinned.clone().unwrap_or_else(|| settings.connect.clone()),
            username: settings.username.clone(),
            password: secret.as_ref().map(|secret| secret.to_string()),
            config_dir: settings.config_dir.clone(),
            wallet: settings.wallet.clone(),
            connect_millis: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
            module: MODULE.to_owned(),
            client_info: "orawarden:keep".to_owned(),
        };
        hide(settings.secret.variable());
        let mut process = Process::start(&settings.program)?;
        let release = match process.ask(Request::Connect(Box::new(login)), within) {
            Ok(Reply::Connected(release)) => release,
            Ok(other) => return Err(out_of_step(&other)),
            Err(error) => {
                if error.class() == Class::Password {
                    let said = error.to_string();
                    self.account.door().refused = Some(Refused { secret, said });
                }
                return Err(error);
            }
        };
        self.account.door().proven = Some(secret);
        drop(pass);
        let identity = who_are_we(&mut process, release, within)?;
        Ok((process, identity))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.drop_session();
    }
}

impl Retry {
    fn check(&self) -> Result<(), CallError> {
        match self.not_before {
            Some(due) if Instant::now() < due => {
                let class = self.class.unwrap_or(Class::Retry);
                Err(CallError::NotTried { said: self.said.clone(), class })
            }
            _ => Ok(()),
        }
    }

    fn failed(&mut self, error: &CallError) {
        if self.check().is_err() {
            return;
        }
        (self.said, self.class) = (error.to_string(), Some(error.class()));
        let doubled = PAUSE_FIRST.saturating_mul(1 << self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        let pause = match error.class() {
            Class::Slow | Class::Never | Class::Account => PAUSE_SLOW,
            // The same is not tried again anyway.
            Class::Password => Duration::ZERO,
            _ => doubled.min(PAUSE_MAX),
        };
        self.not_before = Some(Instant::now() + pause);
    }
}

fn out_of_step(reply: &Reply) -> CallError {
    CallError::Died(format!("it answered something else than it was asked: {reply:?}"))
}

/// One round trip: the release tells whether there can be containers. V$SESSION, because GV$ goes through other
/// processes and may leave out an instance, be it ours.
fn who_are_we(
    process: &mut Process,
    release: Release,
    within: Duration,
) -> Result<Identity, CallError> {
    let container =
        if release >= Release::new(12, 1) { "SYS_CONTEXT('USERENV', 'CON_NAME')" } else { "NULL" };
    let sql = format!(
        "SELECT TO_NUMBER(SYS_CONTEXT('USERENV', 'INSTANCE')), s.sid, s.serial#, \
         SYS_CONTEXT('USERENV', 'SESSION_USER'), {container} \
         FROM v$session s WHERE s.sid = TO_NUMBER(SYS_CONTEXT('USERENV', 'SID'))"
    );
    let kinds = vec![Kind::Number, Kind::Number, Kind::Number, Kind::Text, Kind::Text];
    let request = Request::Query { sql, binds: Vec::new(), kinds, prefetch: 2 };
    let rows = match process.ask(request, within)? {
        Reply::Rows(rows) => rows,
        other => return Err(out_of_step(&other)),
    };
    let row = rows.iter().next();
    let found = row.and_then(|row| {
        let key = session_key(row)?;
        let username = rows.text(row[3])?.to_owned();
        let container = rows.text(row[4]).map(str::to_owned);
        Some(Identity { key, username, release, container })
    });
    found.ok_or_else(|| {
        CallError::NotConnected("V$SESSION does not show our own session".to_owned())
    })
}

/// The connect string that leads to one instance: Easy Connect and descriptors have a place for it, aliases do not.
fn pin(connect: &str, instance: &str) -> Option<String> {
    let named = instance.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$#".contains(&byte));
    if !named || instance.is_empty() {
        return None;
    }
    let trimmed = connect.trim();
    if trimmed.starts_with('(') {
        let at = trimmed.to_ascii_uppercase().find("(CONNECT_DATA=")? + "(CONNECT_DATA=".len();
        return Some(format!("{}(INSTANCE_NAME={instance}){}", &trimmed[..at], &trimmed[at..]));
    }
    let (address, parameters) =
        trimmed.split_once('?').map_or((trimmed, None), |(a, p)| (a, Some(p)));
    let start = address.find("//").map_or(0, |at| at + 2);
    let mut parts = address[start..].split('/');
    // host:port/service, and nothing behind it yet.
    let easy = parts.next().is_some_and(|host| !host.is_empty())
        && parts.next().is_some_and(|it| !it.is_empty());
    if !easy || parts.next().is_some() {
        return None;
    }
    let parameters = parameters.map(|it| format!("?{it}")).unwrap_or_default();
    Some(format!("{address}/{instance}{parameters}"))
}

#[cfg(test)]
mod tests {
    use super::pin;

    #[test]
    fn a_connect_string_is_pinned_where_it_has_a_place_for_it() {
        let cases = [
            ("//scan:1521/PROD", Some("//scan:1521/PROD/PROD2")),
            (
                "tcps://scan:2484/PROD:dedicated?wallet_location=/w",
                Some("tcps://scan:2484/PROD:dedicated/PROD2?wallet_location=/w"),
            ),
            ("scan/PROD", Some("scan/PROD/PROD2")),
            ("scan/PROD/PROD1", None),
            ("PROD", None),
            (
                "(DESCRIPTION=(ADDRESS=(HOST=a))(connect_data=(SERVICE_NAME=PROD)))",
                Some(
                    "(DESCRIPTION=(ADDRESS=(HOST=a))(connect_data=(INSTANCE_NAME=PROD2)(SERVICE_NAME=PROD)))",
                ),
            ),
        ];
        for (connect, expected) in cases {
            assert_eq!(pin(connect, "PROD2").as_deref(), expected, "{connect}");
        }
        assert_eq!(pin("//scan/PROD", "A)(HOST=evil"), None);
    }
}
