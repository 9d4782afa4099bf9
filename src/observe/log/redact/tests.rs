//! What is withheld of whom, and how much is told.

use super::{Personal, REASON_BYTES_MAX, REASONS_MAX, Redaction, WITHHELD};
use crate::engine::condition::{Field, FieldKind};
use crate::engine::explain::Reason;
use crate::engine::guard::Spared;
use crate::engine::session::{SessionKey, SessionLife};
use crate::engine::spare::{Detail, SpareReason};

const EVERYTHING: [Personal; 4] =
    [Personal::Username, Personal::Osuser, Personal::Machine, Personal::Client];

fn reason(field: Field) -> Reason {
    Reason { field: field.name(), observed: "SEEN".to_owned(), test: "= ASKED".to_owned() }
}

fn said(withheld: &[Personal], field: Field) -> String {
    withheld.iter().copied().collect::<Redaction>().reasons(&[reason(field)])
}

#[test]
fn each_withholds_its_fields_and_no_others() {
    for (personal, fields) in [
        (Personal::Username, "username schemaname"),
        (Personal::Osuser, "osuser"),
        (Personal::Machine, "machine terminal port process program"),
        (Personal::Client, "module action client_info client_identifier"),
    ] {
        for field in Field::ALL {
            let is_one_of_them = fields.split(' ').any(|name| name == field.name());
            let is_withheld = said(&[personal], *field) == format!("{} {WITHHELD}", field.name());
            assert_eq!(is_withheld, is_one_of_them, "{personal:?}: {}", field.name());
        }
    }
}

/// A field that is added later has to be thought about.
#[test]
fn texts_that_are_never_withheld_are_known() {
    let shown: Vec<_> = Field::ALL
        .iter()
        .filter(|field| {
            field.kind() == FieldKind::Text && said(&EVERYTHING, **field).contains("SEEN")
        })
        .map(|field| field.name())
        .collect();
    assert_eq!(
        shown.join(" "),
        "service_name server status type wait_event wait_class resource_consumer_group container \
         instance_name command"
    );
}

#[test]
fn the_text_of_statements_is_withheld_always() {
    for field in [Field::SqlText, Field::SqlTextNormalized] {
        assert_eq!(said(&[], field), format!("{} {WITHHELD} (= ASKED)", field.name()));
    }
}

#[test]
fn a_missing_name_is_not_a_withheld_one() {
    let redact: Redaction = [Personal::Username].into_iter().collect();
    assert_eq!(redact.username(None), None);
    assert_eq!(redact.username(Some("APP")), Some(WITHHELD));
    assert_eq!(Redaction::default().username(Some("APP")), Some("APP"));
}

#[test]
fn reasons_have_bounds() {
    let long =
        Reason { observed: "é".repeat(1_000), test: "x".repeat(1_000), ..reason(Field::Sid) };
    let said = Redaction::default().reasons(&[long]);
    let half = REASON_BYTES_MAX / 2;
    assert_eq!(said, format!("sid {}… ({}…)", "é".repeat(half), "x".repeat(REASON_BYTES_MAX)));
    let many = vec![reason(Field::Sid); REASONS_MAX + 3];
    let said = Redaction::default().reasons(&many);
    assert_eq!(said.matches("sid SEEN (= ASKED)").count(), REASONS_MAX);
    assert!(said.ends_with("; and 3 more"), "{said}");
    assert!(!Redaction::default().reasons(&many[3..]).contains("more"));
}

#[test]
fn sentences_that_quote_a_policy_or_a_person_go_with_the_rest() {
    let spared = |reason| Spared {
        rule: "idle".into(),
        life: SessionLife { key: SessionKey { inst_id: 1, sid: 7, serial: 70 }, logon_time: None },
        reason,
        detail: Detail::Fixed("silence 1 of MILLER"),
    };
    let some: Redaction = [Personal::Osuser].into_iter().collect();
    let quoting = [
        SpareReason::ProtectedByName("batch".into()),
        SpareReason::Unless,
        SpareReason::Silenced,
        SpareReason::Paused,
    ];
    for reason in quoting {
        assert_eq!(some.detail(&spared(reason.clone())), WITHHELD);
        assert_eq!(Redaction::default().detail(&spared(reason)), "silence 1 of MILLER");
    }
    assert_eq!(some.detail(&spared(SpareReason::Pending)), "silence 1 of MILLER");
}
