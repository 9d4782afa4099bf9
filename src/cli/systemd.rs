//! The service manager's side: notices as systemd understands them.

use sd_notify::NotifyState;

use crate::daemon::manager::{Listener, Notice};

/// Set where systemd waits to be told.
const SOCKET: &str = "NOTIFY_SOCKET";

/// How systemd is told, if it started this process and waits for it.
pub(super) fn listener() -> Option<Listener> {
    std::env::var_os(SOCKET)?;
    let tell = |notices: &[Notice]| {
        let states: Vec<NotifyState<'_>> = notices.iter().flat_map(states).collect();
        // Whoever does not listen any more need not be told.
        sd_notify::notify(&states).ok();
    };
    Some(Listener { tell: Box::new(tell), alive_every: sd_notify::watchdog_enabled() })
}

fn states(notice: &Notice) -> Vec<NotifyState<'_>> {
    match notice {
        Notice::Ready => vec![NotifyState::Ready],
        Notice::Reloading => {
            let now = NotifyState::monotonic_usec_now();
            [Some(NotifyState::Reloading), now.ok()].into_iter().flatten().collect()
        }
        Notice::Stopping => vec![NotifyState::Stopping],
        Notice::Status(text) => vec![NotifyState::Status(text)],
        Notice::Alive => vec![NotifyState::Watchdog],
    }
}
