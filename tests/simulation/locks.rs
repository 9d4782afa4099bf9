//! The two locks of the election, as DBMS_LOCK keeps them: a session that is gone holds nothing. The steps are those of
//! the blocks in `oracle::leadership`.

use std::collections::BTreeSet;

use rac_sim::cluster::Cluster;
use rac_sim::cluster::session::SessionKey;

use crate::mutation::Mutation;

/// Who holds what.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    leader: Option<SessionKey>,
    /// In share mode.
    lanes: BTreeSet<SessionKey>,
}

impl Locks {
    fn forget_gone(&mut self, cluster: &Cluster) {
        let is_there = |key: &SessionKey| cluster.session(*key).is_some();
        self.leader = self.leader.filter(is_there);
        self.lanes.retain(is_there);
    }

    /// `Handles::lead`: whether the session leads now.
    pub(crate) fn lead(
        &mut self,
        cluster: &Cluster,
        session: SessionKey,
        mutation: Option<Mutation>,
    ) -> bool {
        self.forget_gone(cluster);
        if self.leader == Some(session) {
            return true;
        }
        if self.leader.is_some() && mutation != Some(Mutation::TwoLeaders) {
            return false;
        }
        let others = self.lanes.iter().any(|holder| *holder != session);
        let lax = [Mutation::TwoLeaders, Mutation::LanesNotAsked].map(Some).contains(&mutation);
        if others && !lax {
            return false;
        }
        self.leader = Some(session);
        if mutation != Some(Mutation::LanesNotHeld) {
            self.lanes.insert(session);
        }
        true
    }

    /// `Handles::join`: nobody holds LANES exclusively for longer than the block of `lead`.
    pub(crate) fn join(&mut self, session: SessionKey, mutation: Option<Mutation>) {
        if mutation != Some(Mutation::LanesNotHeld) {
            self.lanes.insert(session);
        }
    }
}
