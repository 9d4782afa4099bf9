//! The state of one session, and what its statements act on.

use std::collections::{BTreeMap, VecDeque};
use std::task::Poll;

use super::compute::Product;
use super::environment::Sight;
use super::job::Job;
use super::{SimDatabase, State};
use crate::catalog::view::{View, Viewer};
use crate::cluster::Micros;
use crate::cluster::kill::{Answer, Pending};
use crate::cluster::live;
use crate::cluster::session::SessionKey;
use crate::cluster::transaction::Point;
use crate::ora::OraError;
use crate::sql::datetime::Zone;
use crate::sql::plsql::Run;

/// What the call under way waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Its own KILL or DISCONNECT.
    Order(Pending),
    /// A row, a user lock or a sleep: the cluster knows.
    Model {
        /// When it gives up (WAIT n), and with which error.
        until: Option<Micros>,
    },
    /// Its own rollback.
    Until(Micros),
}

/// Where a statement began: what it did since is undone if it fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began {
    point: Point,
    changes: usize,
}

/// A definer-rights unit that waits.
pub(super) struct Nested {
    /// Its execution.
    pub(super) run: Run,
    /// Where its OUT parameters are: place of the parameter, place of the bind.
    pub(super) places: Vec<(usize, usize)>,
}

/// What DBMS_OUTPUT keeps for GET_LINE.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) lines: VecDeque<String>,
    /// What PUT began, and nothing has ended.
    pub(super) begun: String,
}

/// The state of one session that the model does not know.
pub(super) struct SessionState {
    /// Its database.
    pub(super) database: SimDatabase,
    /// Its identity.
    pub(super) key: SessionKey,
    /// Who logged in.
    pub(super) login: String,
    /// AS SYSDBA.
    pub(super) sysdba: bool,
    /// What it may see and do now.
    pub(super) viewer: Viewer,
    /// TIME_ZONE.
    pub(super) zone: Zone,
    /// What the call waits for.
    pub(super) waiting: Option<Waiting>,
    /// Where the statement began that a block runs now.
    pub(super) began: Option<Began>,
    /// What is worked out for the call meanwhile.
    pub(super) job: Option<Job<Result<Product, OraError>>>,
    /// Definer-rights units under way, by depth.
    pub(super) nested: BTreeMap<usize, Nested>,
    /// The ROWID of the last row that the last statement changed.
    pub(super) last_rowid: Option<String>,
    /// The namespace CLIENTCONTEXT; names are upper-case.
    pub(super) contexts: BTreeMap<String, String>,
    /// DBMS_OUTPUT, while it is enabled.
    pub(super) output: Option<Output>,
}

/// A session at work on its database.
pub(super) struct Act<'a> {
    /// The database.
    pub(super) state: &'a mut State,
    /// The session.
    pub(super) session: &'a mut SessionState,
}

impl Act<'_> {
    /// The session's sight of the tables.
    pub(super) fn view(&self) -> View<'_> {
        View {
            cluster: &self.state.cluster,
            books: &self.state.books,
            viewer: &self.session.viewer,
        }
    }

    /// The session's environment now.
    pub(super) fn sight(&self) -> Sight {
        Sight::new(self.state, self.session)
    }

    /// Whether a system privilege is there: ORA-01031 otherwise.
    pub(super) fn need(&self, privilege: &str) -> Result<(), OraError> {
        if self.session.viewer.rights.has(privilege) {
            Ok(())
        } else {
            Err(OraError::new(1031, "insufficient privileges"))
        }
    }

    /// Begins to wait. The next step looks what became of it.
    pub(super) fn wait<T>(&mut self, waiting: Waiting) -> Poll<Result<T, OraError>> {
        self.session.waiting = Some(waiting);
        Poll::Pending
    }

    /// What became of the wait, if there is one, with what the cluster says: 0 or 1. It is forgotten unless it goes on.
    pub(super) fn waited(&mut self) -> Poll<Result<u32, OraError>> {
        let waited = self.session.waiting.map_or(Poll::Ready(Ok(0)), |waiting| self.look(waiting));
        if waited.is_ready() {
            self.session.waiting = None;
        }
        waited
    }

    fn look(&mut self, waiting: Waiting) -> Poll<Result<u32, OraError>> {
        let key = self.session.key;
        let cluster = &mut self.state.cluster;
        match (cluster.poll(key), waiting) {
            (live::Poll::Failed(error), _) => Poll::Ready(Err(error)),
            (live::Poll::Waiting, Waiting::Model { until: Some(until) })
                if cluster.now() >= until =>
            {
                cluster.break_call(key);
                let text = "resource busy; acquire with WAIT timeout expired";
                Poll::Ready(Err(OraError::new(30006, text)))
            }
            (live::Poll::Waiting, _) => Poll::Pending,
            (live::Poll::Done(_), Waiting::Until(until)) if cluster.now() < until => Poll::Pending,
            (live::Poll::Done(code), Waiting::Until(_) | Waiting::Model { .. }) => {
                Poll::Ready(Ok(code))
            }
            (live::Poll::Done(_), Waiting::Order(pending)) => match cluster.ask_again(pending) {
                Answer::Done => Poll::Ready(Ok(0)),
                Answer::Error(error) => Poll::Ready(Err(error)),
                Answer::Wait(pending) => {
                    self.session.waiting = Some(Waiting::Order(pending));
                    Poll::Pending
                }
            },
        }
    }

    /// Where a statement is that begins now.
    pub(super) fn begin(&self) -> Began {
        let key = self.session.key;
        let point = self.state.cluster.point(key);
        Began { point, changes: self.state.books.heap.changes(key) }
    }

    /// Undoes what a statement did that failed, or what a block did since its last COMMIT.
    pub(super) fn undo(&mut self, began: Began) {
        let key = self.session.key;
        let same = self.state.cluster.undo_statement(key, began.point);
        self.state.books.heap.undo_to(key, if same { began.changes } else { 0 });
    }

    /// COMMIT.
    pub(super) fn commit(&mut self) -> Result<(), OraError> {
        self.session.viewer.read_only = None;
        self.state.commit(self.session.key)
    }
}
