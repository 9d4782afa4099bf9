//! Hooks of the configuration as hooks of the daemon: where secrets are becomes how they are read.

use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHasher;
use zeroize::Zeroizing;

use super::live;
use crate::config::notify::{self, Address};
use crate::config::service::{Password, Personal, Service};
use crate::engine::policy::PolicySet;
use crate::observe::log::redact::{self, Redaction};
use crate::observe::notify::{Event, Format, Hook, ReadSecret, Way};

/// Relative paths of secrets are relative to the configuration.
pub(super) fn hooks(service: &Service, config: &Path) -> Vec<Hook> {
    let beside = config.parent().unwrap_or(Path::new("."));
    service.hooks.iter().map(|hook| of(hook, &service.log_redact, beside)).collect()
}

/// What is odd about them beside these policies: a hook that waits for a rule that is not there is not told of it.
pub(super) fn misnamed(service: &Service, policies: &PolicySet) -> Vec<String> {
    let is_known = |name: &str| policies.rules.iter().any(|rule| rule.name == name);
    let named =
        service.hooks.iter().flat_map(|hook| hook.rules.iter().map(move |rule| (hook, rule)));
    let unknown = named.filter(|(_, rule)| !is_known(rule));
    unknown.map(|(hook, rule)| format!("hook {}: no rule is called {rule}", hook.name)).collect()
}

/// The log's `redact` holds where a hook has none of its own.
fn of(hook: &notify::Hook, log_redact: &[Personal], beside: &Path) -> Hook {
    let redact = redaction(hook.redact.as_deref().unwrap_or(log_redact));
    let mut fingerprint = FxHasher::default();
    // Of what is written there, which has no secret in it.
    format!("{hook:?} {redact:?}").hash(&mut fingerprint);
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
        redact,
        deadline: hook.deadline.to_duration(),
    }
}

/// What is to be withheld.
pub(super) fn redaction(personal: &[Personal]) -> Redaction {
    let withheld = personal.iter().map(|it| match it {
        Personal::Username => redact::Personal::Username,
        Personal::Osuser => redact::Personal::Osuser,
        Personal::Machine => redact::Personal::Machine,
        Personal::Client => redact::Personal::Client,
    });
    withheld.collect()
}

fn way(way: &notify::Way, beside: &Path) -> Way {
    match way {
        notify::Way::Exec(arguments) => Way::Exec(arguments.clone()),
        notify::Way::Webhook { url, format, token } => Way::Webhook {
            url: match url {
                Address::Open(url) => open(url.clone()),
                Address::Secret(place) => address(place, beside),
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

/// What stands in the configuration was looked at when it was loaded.
fn address(place: &Password, beside: &Path) -> ReadSecret {
    let read = secret(place, beside);
    Arc::new(move || {
        let url = read()?;
        if notify::is_address(url.trim()) {
            Ok(url)
        } else {
            Err("its address is none of the web".to_owned())
        }
    })
}

fn secret(place: &Password, beside: &Path) -> ReadSecret {
    let place = live::secret(place, beside);
    Arc::new(move || place.read()?.ok_or_else(|| "a wallet has no such secret".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Event, hooks, misnamed, notify};
    use crate::config::diagnostic::SourceFile;
    use crate::config::service::{self, Service};
    use crate::engine::policy::PolicySet;
    use crate::observe::log::redact::{Personal, Redaction};

    fn service(rest: &str) -> Service {
        let text = format!(
            "version: 1\npolicies: p.yaml\ndatabases: [{{name: a, capture: a.csv}}]\n{rest}\n"
        );
        let (service, found) = service::decode(&SourceFile { name: "c.yaml".to_owned(), text });
        service.unwrap_or_else(|| panic!("{found:?}"))
    }

    #[test]
    fn a_hook_is_told_of_people_what_the_log_says_unless_it_says_otherwise() {
        let hook = |name: &str, rest: &str| {
            format!("{{name: {name}, exec: [/bin/true], events: ended{rest}}}")
        };
        let told =
            [hook("as-log", ""), hook("all", ", redact: []"), hook("own", ", redact: [machine]")];
        let told = service(&format!("log: {{redact: [username]}}\nnotify: [{}]", told.join(", ")));
        let of = |service: &Service| hooks(service, "c.yaml".as_ref());
        let withheld = |personal: Option<Personal>| personal.into_iter().collect::<Redaction>();
        let expected = [Some(Personal::Username), None, Some(Personal::Machine)].map(withheld);
        assert_eq!(of(&told).iter().map(|it| it.redact).collect::<Vec<_>>(), expected);
        let open = service(&format!("notify: [{}]", hook("as-log", "")));
        assert_eq!(of(&open)[0].redact, Redaction::default());
        assert_ne!(of(&open)[0].fingerprint, of(&told)[0].fingerprint, "a reload changes it");
    }

    #[test]
    fn rules_that_are_not_there_are_noticed() {
        let hook = "notify: [{name: h, exec: [/bin/true], events: ended, rules: [old, older]}]";
        let odd = misnamed(&service(hook), &PolicySet::default());
        assert_eq!(odd, ["hook h: no rule is called old", "hook h: no rule is called older"]);
    }

    #[test]
    fn what_can_be_configured_is_what_there_is() {
        assert_eq!(Event::ALL.map(Event::word), notify::EVENTS);
    }
}
