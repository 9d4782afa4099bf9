//! Messages as text: the whole of it as JSON, and what Slack and Teams show of it. Names of sessions are somebody
//! else's words, so they are written where neither takes them for a link or a mention, and stay on their line.

use std::fmt::Write as _;

use serde_json::{Value, json as value};

use super::news::{Message, SessionFact};
use crate::engine::text::printable;
use crate::observe::log::redact::Redaction;

/// Sessions that are named to people; the JSON names more, and the audit all.
const NAMED_TO_PEOPLE_MAX: usize = 10;

/// Characters of one line to people.
const LINE_MAX: usize = 400;

pub(super) fn json(message: &Message, redact: Redaction) -> String {
    let sessions: Vec<Value> = message.sessions.iter().map(|it| session(it, redact)).collect();
    let rule = message.rule.as_ref();
    value!({
        "version": 1,
        "event": message.event.word(),
        "at": message.at.to_string(),
        "summary": message.summary,
        "database": message.database,
        "rule": rule.map(|rule| &*rule.name),
        "owner": rule.and_then(|rule| rule.owner.as_ref()),
        "runbook": rule.and_then(|rule| rule.runbook.as_ref()),
        "dry_run": message.dry_run,
        "detail": message.detail,
        "sessions": sessions,
        "sessions_in_all": message.sessions_in_all,
    })
    .to_string()
}

fn session(it: &SessionFact, redact: Redaction) -> Value {
    let reason = |it| {
        let (observed, test) = redact.shown(it);
        value!({"field": it.field, "observed": observed, "test": test})
    };
    let reasons: Vec<Value> = it.reasons.iter().map(reason).collect();
    value!({
        "inst_id": it.life.key.inst_id,
        "sid": it.life.key.sid,
        "serial": it.life.key.serial,
        "logon_time": it.life.logon_time.map(|time| time.to_string()),
        "username": redact.username(it.username.as_deref()),
        "action": it.action,
        "outcome": it.outcome,
        "kind": it.kind,
        "detail": it.detail,
        "reasons": reasons,
    })
}

/// <https://api.slack.com/messaging/webhooks>: one text, in which three characters have a meaning.
pub(super) fn slack(message: &Message, redact: Redaction) -> String {
    let mut text = format!("*{}*", escaped(&message.summary));
    for line in lines(message, redact) {
        write!(text, "\n{}", escaped(&line)).expect("a string takes everything");
    }
    value!({ "text": text, "unfurl_links": false, "unfurl_media": false }).to_string()
}

/// `&`, `<` and `>` begin links and mentions, and the marks of bold, italic, strike and code change the text's looks: a
/// blank of no width keeps them from it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '*' | '_' | '~' | '`' => safe.extend([c, '\u{200b}']),
            c => safe.push(c),
        }
    }
    safe
}

/// <https://adaptivecards.io/explorer/RichTextBlock.html>: its text runs are shown as they are, where a text block
/// would read them as Markdown.
pub(super) fn card(message: &Message, redact: Redaction) -> String {
    let run = |text: &str, weight: &str| {
        value!({
            "type": "RichTextBlock",
            "inlines": [{"type": "TextRun", "text": text, "weight": weight, "wrap": true}],
        })
    };
    let mut body = vec![run(&message.summary, "Bolder")];
    body.extend(lines(message, redact).iter().map(|line| run(line, "Default")));
    value!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
    .to_string()
}

/// What people read below the summary.
fn lines(message: &Message, redact: Redaction) -> Vec<String> {
    let mut lines: Vec<String> = message.detail.iter().cloned().collect();
    for it in message.sessions.iter().take(NAMED_TO_PEOPLE_MAX) {
        let mut line = it.life.key.to_string();
        let mut add = |text: Option<&str>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                write!(line, " {text}").expect("a string takes everything");
            }
        };
        add(redact.username(it.username.as_deref()));
        add(it.action);
        add(it.outcome);
        add(it.kind);
        add(it.detail.as_deref());
        for reason in &it.reasons {
            let (observed, test) = redact.shown(reason);
            let text = format!("{} is {observed} ({test})", reason.field);
            add(Some(&text));
        }
        // A name that is an address would be one to press.
        lines.push(line.replace("://", ":\u{200b}//"));
    }
    let more = message.sessions_in_all.saturating_sub(NAMED_TO_PEOPLE_MAX);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    if let Some(rule) = &message.rule {
        lines.extend(rule.owner.iter().map(|owner| format!("owner: {owner}")));
        lines.extend(rule.runbook.iter().map(|runbook| format!("runbook: {runbook}")));
    }
    lines.iter().map(|line| one_line(line)).collect()
}

fn one_line(text: &str) -> String {
    printable(text).chars().take(LINE_MAX).map(|c| if c == '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{card, json, slack};
    use crate::engine::explain::Reason;
    use crate::engine::session::{SessionKey, SessionLife};
    use crate::observe::fixture::NOON;
    use crate::observe::log::redact::{Personal, Redaction};
    use crate::observe::notify::Event;
    use crate::observe::notify::news::{Message, SessionFact};

    fn message() -> Message {
        let reason = |field, observed: &str| Reason {
            field,
            observed: observed.to_owned(),
            test: "= ASKED".to_owned(),
        };
        let key = SessionKey { inst_id: 1, sid: 7, serial: 70 };
        let session = SessionFact {
            life: SessionLife { key, logon_time: None },
            username: Some("MILLER".to_owned()),
            action: Some("kill immediate"),
            outcome: Some("ended"),
            kind: None,
            detail: None,
            reasons: vec![
                reason("program", "a\n*prod: all is well*\u{202e}<!channel>\0 http://evil.example"),
                reason("sql_text", "ALTER USER APP IDENTIFIED BY tok_4711"),
            ],
        };
        Message {
            event: Event::Ended,
            at: NOON,
            summary: "prod: idle: ended 1 session".to_owned(),
            database: Some("prod".to_owned()),
            rule: None,
            dry_run: Some(false),
            detail: None,
            sessions: vec![session],
            sessions_in_all: 1,
        }
    }

    fn forms(redact: Redaction) -> [String; 3] {
        [json, slack, card].map(|form| form(&message(), redact))
    }

    #[test]
    fn statements_are_told_to_nobody_and_names_as_far_as_they_may_be() {
        for form in forms(Redaction::default()) {
            assert!(!form.contains("4711") && form.contains("(withheld)"), "{form}");
            assert!(form.contains("MILLER") && form.contains("= ASKED"), "{form}");
        }
        for form in forms([Personal::Username, Personal::Machine].into_iter().collect()) {
            assert!(!form.contains("MILLER") && !form.contains("all is well"), "{form}");
        }
    }

    #[test]
    fn names_stay_on_their_line_and_turn_nothing_around() {
        let text = |form: &str| -> Value { serde_json::from_str(form).expect("it is JSON") };
        let [_, slack, card] = forms(Redaction::default());
        let (slack, card) = (text(&slack), text(&card));
        let line = "1:7,70 MILLER kill immediate ended program is a *prod: all is well*";
        let said = slack["text"].as_str().expect("a text").replace('\u{200b}', "");
        assert_eq!(said.lines().count(), 2, "{said}");
        assert!(said.contains("a *prod: all is well*\u{fffd}&lt;!channel&gt;\u{fffd}"), "{said}");
        let runs = &card["attachments"][0]["content"]["body"];
        let run = runs[1]["inlines"][0]["text"].as_str().expect("a text");
        assert!(!run.contains(['\n', '\0', '\u{202e}']), "{run}");
        assert!(
            !slack.to_string().contains("http://") && !run.contains("http://"),
            "{slack} {run}"
        );
        assert!(run.contains(&line[line.find("MILLER").expect("it is there")..]), "{run}");
    }
}
