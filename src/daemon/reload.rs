//! Policies and targets anew: the whole set that loads replaces the old one, or the old one stays. How they are
//! loaded is the caller's knowledge; what of a running target survives is [`super::target`]'s.

use std::collections::BTreeSet;

use super::target::TargetSpec;
use crate::engine::policy::PolicySet;

/// Databases of one daemon. Each may keep a thread busy; fleets are spread over several daemons.
pub const TARGETS_MAX: usize = 256;

/// Loads everything, or says, rendered for people, why not.
pub type Loader = Box<dyn Fn() -> Result<Loaded, String> + Send>;

/// What a loader gives.
pub struct Loaded {
    /// The policies.
    pub policies: PolicySet,
    /// The databases.
    pub targets: Vec<TargetSpec>,
}

/// What became of a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// The new set is in force from the next tick of each database on.
    Swapped,
    /// The old set is still in force, for this reason.
    Kept(String),
}

/// Loads, and checks what the daemon itself relies on.
pub(super) fn load(loader: &Loader) -> Result<Loaded, String> {
    let loaded = loader()?;
    let mut names = BTreeSet::new();
    if let Some(twice) = loaded.targets.iter().find(|target| !names.insert(&target.name)) {
        return Err(format!("database {} is configured twice", twice.name));
    }
    if loaded.targets.len() > TARGETS_MAX {
        return Err(format!(
            "{} databases are configured, one daemon watches {TARGETS_MAX} at most",
            loaded.targets.len()
        ));
    }
    Ok(loaded)
}
