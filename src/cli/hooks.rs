//! Hooks of the configuration as hooks of the daemon: where secrets are becomes how they are read.

use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHasher;
use zeroize::Zeroizing;

use super::live;
use crate::config::notify::{self, Address};
use crate::config::service::{Password, Service};
use crate::engine::policy::PolicySet;
use crate::observe::notify::{Event, Format, Hook, ReadSecret, Way};

/// Relative paths of secrets are relative to the configuration.
pub(super) fn hooks(service: &Service, config: &Path) -> Vec<Hook> {
    let beside = config.parent().unwrap_or(Path::new("."));
    service.hooks.iter().map(|hook| of(hook, beside)).collect()
}

/// What is wrong with them beside these policies: a hook that waits for a rule that is not there is told of nothing.
pub(super) fn misnamed(service: &Service, policies: &PolicySet) -> Result<(), String> {
    for hook in &service.hooks {
        let is_known = |name: &&String| policies.rules.iter().any(|rule| rule.name == **name);
        if let Some(name) = hook.rules.iter().find(|name| !is_known(name)) {
            return Err(format!("hook {}: no rule is called {name}", hook.name));
        }
    }
    Ok(())
}

fn of(hook: &notify::Hook, beside: &Path) -> Hook {
    let mut fingerprint = FxHasher::default();
    // Of what is written there, which has no secret in it.
    format!("{hook:?}").hash(&mut fingerprint);
    beside.hash(&mut fingerprint);
    let named = |word: &&str| Event::ALL.into_iter().find(|event| event.word() == *word);
    Hook {
        name: hook.name.clone(),
        fingerprint: fingerprint.finish(),
        way: way(&hook.way, beside),
        events: hook.events.iter().filter_map(named).collect(),
        rules: hook.rules.clone(),
        databases: hook.databases.clone(),
        dry_run: hook.dry_run,
        deadline: hook.deadline.to_duration(),
    }
}

fn way(way: &notify::Way, beside: &Path) -> Way {
    match way {
        notify::Way::Exec(arguments) => Way::Exec(arguments.clone()),
        notify::Way::Webhook { url, format, token } => Way::Webhook {
            url: match url {
                Address::Open(url) => open(url.clone()),
                Address::Secret(place) => secret(place, beside),
            },
            format: match format {
                notify::Format::Json => Format::Json,
                notify::Format::Slack => Format::Slack,
                notify::Format::Teams => Format::Teams,
            },
            token: token.as_ref().map(|place| secret(place, beside)),
        },
    }
}

fn open(url: String) -> ReadSecret {
    Arc::new(move || Ok(Zeroizing::new(url.clone())))
}

fn secret(place: &Password, beside: &Path) -> ReadSecret {
    let place = live::secret(place, beside);
    Arc::new(move || place.read()?.ok_or_else(|| "a wallet has no such secret".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Event, notify};

    #[test]
    fn what_can_be_configured_is_what_there_is() {
        assert_eq!(Event::ALL.map(Event::word), notify::EVENTS);
    }
}
