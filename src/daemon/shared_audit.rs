//! One audit for the ticks of all databases. It writes nothing itself; it lets one batch in at a time. Nobody waits for
//! ever: a disk that hangs costs the tick that is writing, and the others end nobody meanwhile.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::pursuit::Verified;
use crate::engine::report::{Acting, Outcome, TickId};
use crate::engine::time::Timestamp;
use crate::ports::{AuditError, AuditSink, TickStamp};

/// How long a record waits for those of other databases: longer than any disk that works takes to sync.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Outcomes that are kept while another record is being written: as many as the sink itself keeps.
const OWED_MAX: usize = 50_000;

type Sink = Box<dyn AuditSink + Send>;

/// A handle to the audit. Without a sink, records go nowhere.
#[derive(Clone)]
pub struct SharedAudit(Option<Arc<Desk>>);

/// Where one writes at a time.
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
    wait_max: Duration,
}

struct State {
    at: At,
    /// Somebody has waited in vain for the record that is being written: until it is, nobody waits.
    overdue: bool,
    /// What happened and could not be handed to the sink, in order.
    owed: Vec<Owed>,
}

/// Where the sink is.
enum At {
    Here(Sink),
    /// Somebody writes.
    Taken,
    /// A thread panicked in the middle of a record.
    Lost,
}

/// An outcome that is not with the sink yet.
struct Owed {
    tick: TickId,
    database: String,
    taken_at: Option<Timestamp>,
    acting: Acting,
    end: End,
    outcome: Outcome,
    now: Timestamp,
}

impl Owed {
    fn pay(&self, sink: &mut Sink) -> Result<(), AuditError> {
        let Self { tick, database, taken_at, acting, end, outcome, now } = self;
        let stamp = TickStamp { tick: *tick, database, taken_at: *taken_at, acting: *acting };
        sink.outcome(stamp, end, *outcome, *now)
    }
}

/// The sink, while it is taken. It goes back however its holder ends.
struct Taken<'a> {
    desk: &'a Desk,
    sink: Option<Sink>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut state = self.desk.state();
        state.overdue = false;
        state.at = match self.sink.take() {
            Some(sink) if !thread::panicking() => At::Here(sink),
            _ => At::Lost,
        };
        drop(state);
        self.desk.changed.notify_one();
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever holds it does nothing that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sink, and what is owed to it.
    fn take(&self) -> Result<(Taken<'_>, Vec<Owed>), AuditError> {
        let is_busy = |state: &mut State| matches!(state.at, At::Taken) && !state.overdue;
        let waited = self.changed.wait_timeout_while(self.state(), self.wait_max, is_busy);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut state.at, At::Taken) {
            At::Here(sink) => {
                let owed = std::mem::take(&mut state.owed);
                Ok((Taken { desk: self, sink: Some(sink) }, owed))
            }
            At::Taken => {
                state.overdue = true;
                drop(state);
                self.changed.notify_all();
                Err(AuditError::Busy)
            }
            At::Lost => {
                state.at = At::Lost;
                Err(AuditError::Broken)
            }
        }
    }
}

impl SharedAudit {
    /// Shares `sink`. None is for daemons that end nobody.
    pub fn new(sink: Option<Sink>) -> Self {
        Self::waiting(sink, WAIT_MAX)
    }

    fn waiting(sink: Option<Sink>, wait_max: Duration) -> Self {
        let desk = |sink| {
            let state = State { at: At::Here(sink), overdue: false, owed: Vec::new() };
            Arc::new(Desk { state: Mutex::new(state), changed: Condvar::new(), wait_max })
        };
        Self(sink.map(desk))
    }

    fn with(
        &self,
        write: impl FnOnce(&mut Sink, Result<(), AuditError>) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        let Some(desk) = &self.0 else { return Ok(()) };
        let (mut taken, owed) = desk.take()?;
        let Some(sink) = &mut taken.sink else { return Err(AuditError::Broken) };
        // The sink keeps what it cannot write down.
        let paid = owed.iter().map(|owed| owed.pay(sink)).fold(Ok(()), Result::and);
        write(sink, paid)
    }

    /// Keeps an outcome that the sink could not be told.
    fn owe(&self, owed: Owed) {
        let Some(desk) = &self.0 else { return };
        let mut state = desk.state();
        if state.owed.len() < OWED_MAX {
            state.owed.push(owed);
        }
    }
}

impl AuditSink for SharedAudit {
    fn verified(
        &mut self,
        stamp: TickStamp<'_>,
        verified: &[Verified],
        now: Timestamp,
    ) -> Result<(), AuditError> {
        self.with(|sink, paid| paid.and(sink.verified(stamp, verified, now)))
    }

    fn intend(
        &mut self,
        stamp: TickStamp<'_>,
        plan: &ApprovedPlan,
        now: Timestamp,
    ) -> Result<(), AuditError> {
        // An intent that its caller takes for failed must not be there: no outcome would follow it.
        self.with(|sink, paid| paid.and_then(|()| sink.intend(stamp, plan, now)))
    }

    fn outcome(
        &mut self,
        stamp: TickStamp<'_>,
        end: &End,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), AuditError> {
        let written = self.with(|sink, paid| paid.and(sink.outcome(stamp, end, outcome, now)));
        if matches!(written, Err(AuditError::Busy)) {
            let TickStamp { tick, database, taken_at, acting } = stamp;
            let (database, end) = (database.to_owned(), end.clone());
            self.owe(Owed { tick, database, taken_at, acting, end, outcome, now });
        }
        written
    }

    fn settle(&mut self) -> Result<(), AuditError> {
        self.with(|sink, paid| paid.and(sink.settle()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use super::SharedAudit;
    use crate::engine::guard::{ApprovedPlan, End};
    use crate::engine::policy::Mode;
    use crate::engine::pursuit::Verified;
    use crate::engine::report::{Acting, Outcome, TickId};
    use crate::engine::time::Timestamp;
    use crate::observe::fixture::{NOON, RuleSketch, plan_of, snapshot};
    use crate::ports::{AuditError, AuditSink, TickStamp};

    /// Hangs in every intent until it is let go.
    struct Hanging {
        begun: Sender<()>,
        go: Receiver<()>,
        wrote: Arc<Mutex<Vec<String>>>,
    }

    impl AuditSink for Hanging {
        fn verified(
            &mut self,
            _: TickStamp<'_>,
            _: &[Verified],
            _: Timestamp,
        ) -> Result<(), AuditError> {
            Ok(())
        }

        fn intend(
            &mut self,
            stamp: TickStamp<'_>,
            _: &ApprovedPlan,
            _: Timestamp,
        ) -> Result<(), AuditError> {
            self.begun.send(()).expect("the test listens");
            self.go.recv().expect("the test lets it go");
            self.wrote.lock().expect("nobody panicked").push(stamp.database.to_owned());
            Ok(())
        }

        fn outcome(
            &mut self,
            stamp: TickStamp<'_>,
            _: &End,
            outcome: Outcome,
            _: Timestamp,
        ) -> Result<(), AuditError> {
            let line = format!("{} {outcome}", stamp.database);
            self.wrote.lock().expect("nobody panicked").push(line);
            Ok(())
        }

        fn settle(&mut self) -> Result<(), AuditError> {
            Ok(())
        }
    }

    fn stamp(database: &str) -> TickStamp<'_> {
        let tick = TickId { run: NOON, number: 1 };
        TickStamp { tick, database, taken_at: None, acting: Acting::AsRulesSay }
    }

    #[test]
    fn a_record_that_hangs_holds_nobody_else_up_for_long_and_no_outcome_is_lost() {
        let (begun, begins) = channel();
        let (lets, go) = channel();
        let wrote = Arc::<Mutex<Vec<String>>>::default();
        let sink = Hanging { begun, go, wrote: Arc::clone(&wrote) };
        let mut audit = SharedAudit::waiting(Some(Box::new(sink)), Duration::from_millis(1));
        let rule = RuleSketch { mode: Mode::Enforce, ..RuleSketch::DEFAULT };
        let plan = plan_of(&[rule.build()], &snapshot(&[(7, "APP")]));
        let (mut first, of_first) = (audit.clone(), plan.clone());
        let hangs = thread::spawn(move || first.intend(stamp("first"), &of_first, NOON));
        begins.recv().expect("it has begun");
        assert!(matches!(audit.intend(stamp("other"), &plan, NOON), Err(AuditError::Busy)));
        let done = audit.outcome(stamp("other"), &plan.ends()[0], Outcome::Ended, NOON);
        assert!(matches!(done, Err(AuditError::Busy)));
        lets.send(()).expect("it waits");
        assert!(hangs.join().expect("it does not panic").is_ok());
        audit.settle().expect("nobody writes");
        assert_eq!(*wrote.lock().expect("nobody panicked"), ["first", "other ended"]);

        // A bug in the middle of a record: nobody knows what is written.
        drop(lets);
        let mut first = audit.clone();
        let of_first = plan.clone();
        let panics = thread::spawn(move || first.intend(stamp("first"), &of_first, NOON));
        assert!(panics.join().is_err());
        assert!(matches!(audit.intend(stamp("other"), &plan, NOON), Err(AuditError::Broken)));
    }

    /// Hangs in its first intent, and has no room for the first outcome after that.
    struct Full {
        hanging: Hanging,
        is_full: bool,
    }

    impl AuditSink for Full {
        fn verified(
            &mut self,
            _: TickStamp<'_>,
            _: &[Verified],
            _: Timestamp,
        ) -> Result<(), AuditError> {
            Ok(())
        }

        fn intend(
            &mut self,
            stamp: TickStamp<'_>,
            plan: &ApprovedPlan,
            now: Timestamp,
        ) -> Result<(), AuditError> {
            self.hanging.intend(stamp, plan, now)
        }

        fn outcome(
            &mut self,
            stamp: TickStamp<'_>,
            end: &End,
            outcome: Outcome,
            now: Timestamp,
        ) -> Result<(), AuditError> {
            self.hanging.outcome(stamp, end, outcome, now)?;
            if std::mem::take(&mut self.is_full) { Err(AuditError::Busy) } else { Ok(()) }
        }

        fn settle(&mut self) -> Result<(), AuditError> {
            Ok(())
        }
    }

    #[test]
    fn an_intent_that_is_refused_for_what_was_owed_is_not_written() {
        let (begun, begins) = channel();
        let (lets, go) = channel();
        let wrote = Arc::<Mutex<Vec<String>>>::default();
        let hanging = Hanging { begun, go, wrote: Arc::clone(&wrote) };
        let sink = Box::new(Full { hanging, is_full: true });
        let mut audit = SharedAudit::waiting(Some(sink), Duration::from_millis(1));
        let rule = RuleSketch { mode: Mode::Enforce, ..RuleSketch::DEFAULT };
        let plan = plan_of(&[rule.build()], &snapshot(&[(7, "APP")]));
        let (mut first, of_first) = (audit.clone(), plan.clone());
        let hangs = thread::spawn(move || first.intend(stamp("first"), &of_first, NOON));
        begins.recv().expect("it has begun");
        assert!(audit.outcome(stamp("other"), &plan.ends()[0], Outcome::Ended, NOON).is_err());
        lets.send(()).expect("it waits");
        assert!(hangs.join().expect("it does not panic").is_ok());
        lets.send(()).expect("it would be let go at once");
        assert!(audit.intend(stamp("third"), &plan, NOON).is_err());
        assert_eq!(*wrote.lock().expect("nobody panicked"), ["first", "other ended"]);
        assert!(audit.intend(stamp("third"), &plan, NOON).is_ok());
    }
}
