//! The clients of the model: who they are and how they live. A client outlives its sessions: when one is gone, it
//! connects again, as pools and people do.

mod call;
mod life;

use std::sync::Arc;

use super::birth::Birth;
use super::queue::Due;
use super::rng::{self, Rng};
use super::session::{Client, Execution, Marks, Role, Server, SessionKey, SessionType, User};
use super::spec::{Kind, ServerKind, Workload};
use super::statement::Statement;
use super::{Cluster, Micros, SECOND};

/// A workload, ready for use.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) spec: Workload,
    user: Arc<User>,
    con_id: u32,
    reads: Vec<Arc<Statement>>,
    writes: Vec<Arc<Statement>>,
    ping: Arc<Statement>,
    modules: Vec<Arc<str>>,
    actions: Vec<Arc<str>>,
    table: u32,
    think: Micros,
    common: Micros,
    long: Micros,
}

/// What a client does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// It logs on.
    LogOn,
    /// It calls.
    Call,
    /// Its call ends.
    Finish,
    /// It waits for something that is no matter of time, or does nothing any more.
    Nothing,
}

/// What a client was made to do by a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forced {
    /// To take a row and sleep on it.
    Hold { row: u32, length: Micros },
    /// To want a row; who gets one of those above 0 then wants another, which makes chains.
    Want { row: u32 },
    /// To fight over mutexes.
    Latch { length: Micros },
}

/// A client of the model.
#[derive(Debug)]
pub(super) struct Seat {
    work: u32,
    /// Its number within the workload.
    number: u32,
    /// The instance that it likes best.
    home: u32,
    session: Option<SessionKey>,
    plan: Plan,
    /// Rises with each plan, so that an old one does not happen.
    token: u32,
    /// Rows that it wants in this call, besides the one for which it waits.
    more_rows: u32,
    /// It is one of the pool's reserve.
    reserve: bool,
    /// Its call is a changing one.
    writing: bool,
    forced: Option<Forced>,
    rng: Rng,
    client: Arc<Client>,
}

#[cfg(test)]
impl Seat {
    pub(super) fn session(&self) -> Option<SessionKey> {
        self.session
    }
}

/// Seconds of a scenario as time.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a scenario's durations are far below 2^53 microseconds"
)]
fn micros(seconds: f64) -> Micros {
    (seconds.clamp(0.0, 1e9) * 1e6) as Micros
}

/// PNAME of a client that is a process of the instance; always four characters.
fn process_name(spec: &Workload, number: u32) -> Option<String> {
    let prefix = match (&*spec.process_name, spec.kind) {
        ("", Kind::Job) => "J",
        ("", _) => return None,
        (prefix, _) => prefix,
    };
    let digits = 4_usize.saturating_sub(prefix.len()).max(1);
    let most = 10_u32.pow(u32::try_from(digits).expect("few digits"));
    Some(format!("{prefix}{:0digits$}", number % most))
}

impl Cluster {
    /// Makes the clients of all workloads, logged on for a while.
    pub(super) fn make_works(&mut self) {
        for spec in self.spec.workloads.clone() {
            let work = self.make_work(spec);
            let sessions = work.spec.sessions;
            let place = u32::try_from(self.works.len()).expect("few workloads");
            self.works.push(work);
            for number in 0..sessions {
                let seat = self.make_seat(place, number);
                self.settle(seat);
            }
        }
    }

    fn make_work(&mut self, spec: Workload) -> Work {
        let containers = self.containers();
        let named = containers.iter().find(|container| container.name == spec.container);
        // Without a name it is the first pluggable database, or the only container there is.
        let con_id = match (named, spec.kind) {
            (Some(named), _) => named.con_id,
            (None, Kind::Agent | Kind::Rman) => containers[0].con_id,
            (None, _) => containers.get(2).unwrap_or(&containers[0]).con_id,
        };
        let table = if spec.table.is_empty() {
            format!("{}_T", spec.name.to_uppercase())
        } else {
            spec.table.clone()
        };
        let user = self.user(&spec.user, spec.user_id);
        let schema = &user.name;
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for text in &spec.statements {
            let statement = self.pool.intern(text, schema);
            if matches!(statement.command, 2 | 6 | 7 | 189) {
                writes.push(statement);
            } else {
                reads.push(statement);
            }
        }
        if spec.statements.is_empty() {
            for number in 1..=spec.statement_count.max(1) {
                let read = format!(
                    "select /* {}-{number} */ c{number}, sum(v) from {table} where id = :1",
                    spec.name
                );
                let write = format!(
                    "update /* {}-{number} */ {table} set c{number} = :1 where id = :2",
                    spec.name
                );
                reads.push(self.pool.intern(&read, schema));
                writes.push(self.pool.intern(&write, schema));
            }
        }
        if reads.is_empty() {
            reads.push(self.pool.intern("select 1 from dual", schema));
        }
        let shared = |texts: &[String]| texts.iter().map(|text| Arc::from(text.as_str())).collect();
        Work {
            con_id,
            reads,
            writes,
            ping: self.pool.intern("select 1 from dual", schema),
            user,
            modules: shared(&spec.modules),
            actions: shared(&spec.actions),
            table: self.table(&table),
            think: micros(spec.think_seconds).max(1_000),
            common: micros(spec.call_seconds).max(100),
            long: micros(spec.long_seconds).max(1_000),
            spec,
        }
    }

    /// A new client of a workload, which does nothing yet.
    pub(super) fn make_seat(&mut self, work: u32, number: u32) -> u32 {
        let mut rng = self.rng.fork();
        let spec = &self.works[work as usize].spec;
        let home = self.choose_home(&spec.instances, &mut rng);
        let client = self.make_client(spec, number, home, &mut rng);
        let reserve = spec.kind == Kind::Pool && rng.chance(spec.reserve_share);
        self.seats.push(Seat {
            work,
            number,
            home,
            session: None,
            plan: Plan::Nothing,
            token: 0,
            more_rows: 0,
            reserve,
            writing: false,
            forced: None,
            rng,
            client: Arc::new(client),
        });
        u32::try_from(self.seats.len() - 1).expect("few clients")
    }

    /// An instance by weight, among those allowed.
    fn choose_home(&self, allowed: &[u32], rng: &mut Rng) -> u32 {
        let weights = (1..).zip(&self.spec.instances).map(|(id, instance)| {
            (
                id,
                if allowed.is_empty() || allowed.contains(&id) {
                    u64::from(instance.weight)
                } else {
                    0
                },
            )
        });
        let weights: Vec<(u32, u64)> = weights.collect();
        let total: u64 = weights.iter().map(|(_, weight)| weight).sum();
        let mut draw = rng.below(total.max(1));
        for (id, weight) in weights {
            if draw < weight {
                return id;
            }
            draw -= weight;
        }
        allowed.first().copied().unwrap_or(1)
    }

    fn make_client(&self, spec: &Workload, number: u32, home: u32, rng: &mut Rng) -> Client {
        let host =
            self.instance(home).map_or_else(|| "db1".into(), |instance| instance.host.to_string());
        let named = process_name(spec, number);
        let machine = match spec.kind {
            Kind::Job | Kind::Agent | Kind::Rman | Kind::Monitor => host,
            _ if named.is_some() => host,
            _ if spec.machines.is_empty() => "localhost".to_owned(),
            _ => spec.machines[number as usize % spec.machines.len()]
                .replace("{}", &(number + 1).to_string()),
        };
        let windows = machine.contains('\\');
        let program = match named {
            Some(name) => format!("oracle@{machine} ({name})"),
            None => spec.program.replace("{host}", &machine),
        };
        // A quarter of the Windows clients write the account in the other case (realdata, O5).
        let osuser = if windows && rng.chance(0.25) {
            spec.osuser.to_uppercase()
        } else {
            spec.osuser.clone()
        };
        let pid = 1_000 + rng.below(60_000);
        let process = match () {
            () if program.starts_with("JDBC") => "1234".to_owned(),
            () if windows => format!("{pid}:{}", 1_000 + rng.below(9_000)),
            () => pid.to_string(),
        };
        Client {
            osuser: osuser.into(),
            process: process.into(),
            terminal: if windows {
                machine.trim_start_matches(|c| c != '\\').trim_matches('\\')
            } else {
                "unknown"
            }
            .into(),
            machine: machine.into(),
            port: 20_000 + u16::try_from(rng.below(40_000)).expect("small"),
            driver: if program.starts_with("JDBC") { "jdbcthin : 19.3.0.0.0" } else { "" }.into(),
            program: program.chars().take(48).collect::<String>().into(),
            service: spec.service.as_str().into(),
        }
    }

    /// What a client's session is made of.
    fn birth_of(&self, place: u32) -> Birth {
        let seat = &self.seats[place as usize];
        let work = &self.works[seat.work as usize];
        let pick = |texts: &[Arc<str>]| {
            let text = texts.get(seat.number as usize % texts.len().max(1)).cloned();
            text.filter(|text| !text.is_empty())
        };
        let module = match work.spec.kind {
            Kind::Job => pick(&work.modules).or_else(|| Some("DBMS_SCHEDULER".into())),
            _ => pick(&work.modules).or_else(|| Some(Arc::clone(&seat.client.program))),
        };
        let client_info = (work.spec.kind == Kind::Rman)
            .then(|| format!("rman channel=c{}", seat.number + 1).into());
        Birth {
            user: Some(Arc::clone(&work.user)),
            session_type: SessionType::User,
            connected: match work.spec.server {
                ServerKind::Dedicated => Server::Dedicated,
                ServerKind::Shared => Server::Shared,
                ServerKind::Pooled => Server::Pooled,
            },
            client: Arc::clone(&seat.client),
            marks: Marks {
                module,
                action: pick(&work.actions),
                client_info,
                client_identifier: None,
                ecid: None,
            },
            con_id: work.con_id,
            role: Role::Seat(place),
            process_name: (work.spec.kind == Kind::Job)
                .then(|| format!("J{:03}", seat.number % 1_000).into()),
            starting: false,
            logon: self.now,
            audsid: None,
        }
    }

    /// Logs a client on as if it had been there for a while.
    fn settle(&mut self, place: u32) {
        let kind = self.work_of(place).spec.kind;
        if kind == Kind::Job {
            let think = self.work_of(place).think;
            let delay = self.seats[place as usize].rng.exponential(think);
            self.plan(place, Plan::LogOn, self.now + delay);
            return;
        }
        let home = self.seats[place as usize].home;
        let mut birth = self.birth_of(place);
        let up =
            self.instance(home).map_or(0, |instance| instance.clock(self.now) - instance.startup);
        let age = self.logon_age(place).min(up - 30 * SECOND).max(0);
        birth.logon = self.now - age;
        match self.spawn(home, birth) {
            Ok(key) => {
                self.seats[place as usize].session = Some(key);
                self.moved_in(key, kind);
                self.live_in(place, key, age);
            }
            Err(_) => self.plan(place, Plan::LogOn, self.now + SECOND),
        }
    }

    /// How long ago a client logged on: those of one machine together, as its server started.
    fn logon_age(&mut self, place: u32) -> Micros {
        let seat = &mut self.seats[place as usize];
        let spec = &self.works[seat.work as usize].spec;
        let machine = seat.number as usize % spec.machines.len().max(1);
        let seed = rng::mix(machine as u64 ^ u64::from(seat.work) << 20);
        let days = 86_400 * SECOND;
        let server = Rng::new(seed).exponential(2 * days);
        if seat.rng.chance(0.7) {
            return server - seat.rng.between(0, 50 * SECOND);
        }
        seat.rng.exponential(days / 8).min(server)
    }

    /// Gives a session the look of one that has worked.
    fn live_in(&mut self, place: u32, key: SessionKey, age: Micros) {
        let seat = &mut self.seats[place as usize];
        let work = &self.works[seat.work as usize];
        let idle = match work.spec.kind {
            Kind::Leak => seat.rng.between(3_600 * SECOND, 5 * 86_400 * SECOND),
            _ if seat.reserve => seat.rng.between(0, micros(work.spec.ping_seconds).max(1)),
            _ => seat.rng.exponential(work.think),
        };
        let previous = Arc::clone(&work.reads[seat.rng.index(work.reads.len())]);
        let remaining = match work.spec.kind {
            _ if seat.reserve => micros(work.spec.ping_seconds) - idle,
            _ => seat.rng.exponential(work.think),
        };
        let now = self.now;
        let idle = idle.min(age);
        let instance = self.home(key);
        let start = Some((instance.clock(now) - idle) / SECOND * SECOND);
        let id = (instance.id << 24) | 1;
        let session = self.session_mut(key).expect("it was just made");
        session.boundary = now - idle;
        session.previous = Some(Execution { statement: previous, child: 0, start, id });
        match self.work_of(place).spec.kind {
            Kind::Leak => self.plan_nothing(place),
            Kind::Monitor | Kind::Rman => self.start_forever(place, key, now - idle),
            _ => self.plan(place, Plan::Call, now + remaining.max(1)),
        }
    }

    fn work_of(&self, place: u32) -> &Work {
        &self.works[self.seats[place as usize].work as usize]
    }

    fn plan(&mut self, place: u32, plan: Plan, at: Micros) {
        let seat = &mut self.seats[place as usize];
        seat.plan = plan;
        seat.token = seat.token.wrapping_add(1);
        self.queue.plan(at, Due::Seat { seat: place, token: seat.token });
    }

    fn plan_nothing(&mut self, place: u32) {
        let seat = &mut self.seats[place as usize];
        seat.plan = Plan::Nothing;
        seat.token = seat.token.wrapping_add(1);
    }
}
