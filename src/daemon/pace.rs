//! How fast ends follow each other: a rule or a database with `per_second` starts the next one no sooner than its share
//! of a second after the one before, also from one tick to the next. It only ever waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::executor::Leaving;
use crate::engine::guard::End;

/// What `per_second` is about, and so the longest that an end waits for the one before.
const SECOND: Duration = Duration::from_secs(1);

/// Outcomes are recorded as they come, also while the next end waits: it looks for them so often.
const LOOK_UP_AFTER: Duration = Duration::from_millis(50);

/// Tells the time and lets it pass: the machine's in production, a made-up one in tests.
pub struct Beat {
    /// Since some moment that stays the same.
    pub now: Box<dyn Fn() -> Duration + Send>,
    /// Waits so long, or less.
    pub wait: Box<dyn Fn(Duration) + Send>,
}

impl Beat {
    /// The machine's monotonic time; a wait ends when the daemon leaves.
    pub fn of_machine(leaving: Leaving) -> Self {
        let start = Instant::now();
        Self {
            now: Box::new(move || start.elapsed()),
            wait: Box::new(move |within| leaving.wait(within)),
        }
    }
}

/// When the last ends of one database started.
pub struct Pace {
    beat: Beat,
    /// By rule; those that are older than a second hold nobody up, and are forgotten.
    of_rules: BTreeMap<Arc<str>, Duration>,
    of_database: Option<Duration>,
}

impl Pace {
    /// Nothing was started yet.
    pub fn new(beat: Beat) -> Self {
        Self { beat, of_rules: BTreeMap::new(), of_database: None }
    }

    /// The monotonic time that all of a tick is measured by.
    pub fn now(&self) -> Duration {
        (self.beat.now)()
    }

    /// Waits a little if it is too early for this end; false when it may start. `per_second` is the database's.
    pub fn waits(&self, end: &End, per_second: Option<u64>) -> bool {
        let of_rule = due(self.of_rules.get(&end.rule).copied(), end.per_second);
        let of_database = due(self.of_database, per_second);
        let left = of_rule.max(of_database).saturating_sub((self.beat.now)());
        if left.is_zero() {
            return false;
        }
        (self.beat.wait)(left.min(LOOK_UP_AFTER));
        true
    }

    /// Notes that this end starts now.
    pub fn starts(&mut self, end: &End) {
        let now = (self.beat.now)();
        self.of_rules.retain(|_, at| now.saturating_sub(*at) < SECOND);
        if end.per_second.is_some() {
            self.of_rules.insert(Arc::clone(&end.rule), now);
        }
        self.of_database = Some(now);
    }
}

/// When the next one may start: zero where nothing holds it up.
fn due(before: Option<Duration>, per_second: Option<u64>) -> Duration {
    let interval = per_second.map(|count| Duration::from_nanos(1_000_000_000 / count.max(1)));
    before.zip(interval).map_or(Duration::ZERO, |(before, interval)| before + interval)
}
