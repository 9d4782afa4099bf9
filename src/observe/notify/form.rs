//! Messages as text: the whole of it as JSON, and what Slack and Teams show of it. Names of sessions are somebody
//! else's words, so they are written where neither takes them for a link or a mention.

use std::fmt::Write as _;

use serde_json::{Value, json as value};

use super::news::{Message, SessionFact};
use crate::engine::text::shown;

/// Sessions that are named to people; the JSON names more, and the audit all.
const NAMED_TO_PEOPLE_MAX: usize = 10;

/// Characters of one line to people.
const LINE_MAX: usize = 400;

pub(super) fn json(message: &Message) -> String {
    let sessions: Vec<Value> = message.sessions.iter().map(session).collect();
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

fn session(it: &SessionFact) -> Value {
    let reasons: Vec<Value> = it
        .reasons
        .iter()
        .map(|it| value!({"field": it.field, "observed": it.observed, "test": it.test}))
        .collect();
    value!({
        "inst_id": it.life.key.inst_id,
        "sid": it.life.key.sid,
        "serial": it.life.key.serial,
        "logon_time": it.life.logon_time.map(|time| time.to_string()),
        "username": it.username,
        "action": it.action,
        "outcome": it.outcome,
        "kind": it.kind,
        "detail": it.detail,
        "reasons": reasons,
    })
}

/// <https://api.slack.com/messaging/webhooks>: one text, in which three characters have a meaning.
pub(super) fn slack(message: &Message) -> String {
    let mut text = format!("*{}*", escaped(&message.summary));
    for line in lines(message) {
        write!(text, "\n{}", escaped(&line)).expect("a string takes everything");
    }
    value!({ "text": text }).to_string()
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
pub(super) fn card(message: &Message) -> String {
    let run = |text: &str, weight: &str| {
        value!({
            "type": "RichTextBlock",
            "inlines": [{"type": "TextRun", "text": text, "weight": weight, "wrap": true}],
        })
    };
    let mut body = vec![run(&message.summary, "Bolder")];
    body.extend(lines(message).iter().map(|line| run(line, "Default")));
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
fn lines(message: &Message) -> Vec<String> {
    let mut lines: Vec<String> = message.detail.iter().cloned().collect();
    for it in message.sessions.iter().take(NAMED_TO_PEOPLE_MAX) {
        let mut line = it.life.key.to_string();
        let mut add = |text: Option<&str>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                write!(line, " {text}").expect("a string takes everything");
            }
        };
        add(it.username.as_deref());
        add(it.action);
        add(it.outcome);
        add(it.kind);
        add(it.detail.as_deref());
        for reason in &it.reasons {
            let text = format!("{} is {} ({})", reason.field, reason.observed, reason.test);
            add(Some(&text));
        }
        // One line a session, whatever it calls itself.
        lines.push(line.chars().map(shown).collect());
    }
    let more = message.sessions_in_all.saturating_sub(NAMED_TO_PEOPLE_MAX);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    if let Some(rule) = &message.rule {
        lines.extend(rule.owner.iter().map(|owner| format!("owner: {owner}")));
        lines.extend(rule.runbook.iter().map(|runbook| format!("runbook: {runbook}")));
    }
    lines.iter().map(|line| line.chars().take(LINE_MAX).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::engine::session::{SessionKey, SessionLife};
    use crate::observe::fixture::NOON;
    use crate::observe::notify::Event;
    use crate::observe::notify::news::{Message, SessionFact};

    #[test]
    fn a_name_begins_no_line_and_turns_nothing() {
        let key = SessionKey { inst_id: 1, sid: 7, serial: 70 };
        let session = SessionFact {
            life: SessionLife { key, logon_time: None },
            username: Some("A\n8,80,@1 B\u{202e}".to_owned()),
            action: Some("kill immediate"),
            outcome: Some("ended"),
            kind: None,
            detail: None,
            reasons: Vec::new(),
        };
        let message = Message {
            event: Event::Ended,
            at: NOON,
            summary: "ended 1 session".to_owned(),
            database: None,
            rule: None,
            dry_run: Some(false),
            detail: None,
            sessions: vec![session],
            sessions_in_all: 1,
        };
        let line = "7,70,@1 A\u{fffd}8,80,@1 B\u{fffd} kill immediate ended";
        assert_eq!(lines(&message), [line]);
    }
}
