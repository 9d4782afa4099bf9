//! What holds besides policies and sessions when a decision is made: whether anything is ended at all, and whether this
//! daemon may end it. All of it only ever takes sessions out of a plan; by default nothing holds.

use std::sync::Arc;

use super::report::Acting;

/// Whether a daemon may end sessions of a database now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Authority {
    /// It may: it leads, or nobody else is there to.
    #[default]
    Leads,
    /// Another daemon does, or nobody knows; why, for people.
    Follows(Arc<str>),
}

/// What holds at one tick of one database.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Whether enforcing rules enforce at this tick.
    pub acting: Acting,
    /// Whether this daemon may end sessions there.
    pub authority: Authority,
}
