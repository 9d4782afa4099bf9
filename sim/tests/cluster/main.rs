//! The model against the facts: what the issuer of an order is told, what the victim is told, and what the rows show.

mod distribution;
mod faults;
mod kill_errors;
mod kill_rows;
mod lives;
mod locks;
mod repeat;
mod scenario_files;

use rac_sim::cluster::kill::{Answer, Manner, Order, Target};
use rac_sim::cluster::live::{Cursor, LogOn};
use rac_sim::cluster::lock::Row;
use rac_sim::cluster::session::{CallKind, Client, SessionKey};
use rac_sim::cluster::spec::{InstanceSpec, Spec};
use rac_sim::cluster::{Cluster, SECOND};
use rac_sim::conversation::Death;
use rac_sim::ora::OraError;

/// Two instances with nobody on them but their backgrounds.
fn quiet() -> Spec {
    Spec { instances: vec![InstanceSpec::default(); 2], ..Spec::default() }
}

/// A quiet cluster, an issuer and a victim on instance 1.
struct Scene {
    cluster: Cluster,
    issuer: SessionKey,
    victim: SessionKey,
}

impl Scene {
    fn new(spec: Spec) -> Self {
        let mut cluster = Cluster::new(spec, 11);
        let issuer = log_on(&mut cluster, 1, "WARDEN");
        let victim = log_on(&mut cluster, 1, "APP");
        Self { cluster, issuer, victim }
    }

    fn order(&mut self, order: &Order) -> Answer {
        let SessionKey { inst_id, sid, serial } = self.victim;
        self.cluster.order(self.issuer, Target { sid, serial, inst_id: Some(inst_id) }, order)
    }

    fn kill(&mut self, manner: Manner) -> Answer {
        self.order(&Order::Kill { manner, timeout: None })
    }

    fn disconnect(&mut self, post_transaction: bool, manner: Manner) -> Answer {
        self.order(&Order::Disconnect { post_transaction, manner, timeout: None })
    }

    fn begin(&mut self, sql: &str) {
        self.cluster.begin_call(self.victim, CallKind::Sql, Some(sql)).expect("the victim is well");
    }

    fn end(&mut self) {
        self.cluster.end_call(self.victim, Cursor::Closed);
    }

    /// The victim's call sleeps: it is not to be interrupted.
    fn sleep(&mut self, seconds: i64) {
        self.begin("begin dbms_lock.sleep(300); end;");
        self.cluster.sleep(self.victim, seconds * SECOND);
    }

    /// The victim changes rows and becomes idle.
    fn change(&mut self, records: u64) {
        self.begin("update t set a = 1");
        let object = self.cluster.table("APP.T");
        self.cluster.lock_row(self.victim, Row { object, number: 1 }).expect("the row is free");
        self.cluster.change(self.victim, "APP.T", records);
        self.end();
    }

    /// STATUS and SERVER, if the row is there.
    fn row(&self) -> Option<(&'static str, &'static str)> {
        let session = self.cluster.session(self.victim)?;
        Some((session.status().as_str(), session.server().as_str()))
    }

    /// The error that the victim gets when it calls.
    fn next_call(&mut self) -> u32 {
        let result =
            self.cluster.begin_call(self.victim, CallKind::Sql, Some("select 1 from dual"));
        result.map_or_else(|error| error.code, |_| 0)
    }

    fn pass(&mut self, seconds: i64) {
        self.cluster.advance(seconds * SECOND);
    }
}

fn log_on(cluster: &mut Cluster, inst_id: u32, user: &str) -> SessionKey {
    try_log_on(cluster, inst_id, user).expect("there is room")
}

fn try_log_on(cluster: &mut Cluster, inst_id: u32, user: &str) -> Result<SessionKey, OraError> {
    let client = Client { program: "sqlplus@host (TNS V1-V3)".into(), ..Client::default() };
    cluster.log_on(inst_id, LogOn { user: user.into(), client, ..LogOn::default() })
}

/// The number of an answer: 0 for done, -1 for one that waits.
fn code(answer: &Answer) -> i64 {
    match answer {
        Answer::Done => 0,
        Answer::Error(error) => i64::from(error.code),
        Answer::Wait(_) => -1,
    }
}

fn death_code(death: Option<Death>) -> Option<u32> {
    death.map(|death| match death {
        Death::Error(error) => error.code,
        Death::Cut => 0,
    })
}
