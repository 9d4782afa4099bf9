//! Where secrets of the configuration are; and what is done when one stands in the file itself.

use super::diagnostic::{Code, Diagnostic, Sink, SourceFile};
use super::service::{PASSWORD, Password};
use super::shape::entries;
use super::values::{filled_text, flag, wrong_type};
use super::yaml::{Node, ScalarKind};

/// Where a password or another secret is; one that stands there itself is refused.
pub(super) fn secret(node: &Node, help: &'static str, sink: &mut Sink) -> Option<Password> {
    if node.scalar().is_some_and(|scalar| scalar.kind() != ScalarKind::Null) {
        sink.error(Code::InlineSecret, &node.span, "a password stands in the file").help(help);
        return None;
    }
    let found = PASSWORD.read(node, sink)?;
    let [(name, _, value)] = entries(node, "password", sink)?[..] else {
        sink.error(Code::WrongType, &node.span, "a password is in one place").help(help);
        return None;
    };
    if name == "wallet" {
        let wallet = flag(value, sink)?;
        if !wallet {
            wrong_type(value, "`true`", sink).help(help);
        }
        return wallet.then_some(Password::Wallet);
    }
    let place = found.get(name).and_then(|node| filled_text(node, "a place", sink))?.to_owned();
    match name {
        "credential" => Some(Password::Credential(place)),
        "file" => Some(Password::File(place)),
        "env" => Some(Password::Env(place)),
        _ => None,
    }
}

/// Parts of names of secrets, as people mistype them: `passwort`, `passwd`, `pwd`, `api_token`.
const SOUND_SECRET: [&str; 5] = ["pass", "pwd", "secret", "token", "key"];

/// What is said of a file quotes its lines, to terminals and logs: secrets that stand in it are blotted out. Places and
/// line breaks stay where they are.
pub(super) fn without_secrets(source: &SourceFile, entries: &[Diagnostic]) -> SourceFile {
    let mut source = source.clone();
    for entry in entries {
        let span = match entry.code {
            Code::InlineSecret => entry.span.clone(),
            // Nobody knows what stands there, nor where it ends: the rest of its line.
            Code::UnknownKey if sounds_secret(&source.text[entry.span.clone()]) => {
                let rest = &source.text[entry.span.end..];
                let begin = rest.find(':').map_or(0, |colon| colon + 1);
                let end = rest.find('\n').unwrap_or(rest.len()).max(begin);
                entry.span.end + begin..entry.span.end + end
            }
            _ => continue,
        };
        let blot = |byte| if byte == b'\n' { '\n' } else { '*' };
        let blotted: String = source.text[span.clone()].bytes().map(blot).collect();
        source.text.replace_range(span, &blotted);
    }
    source
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SOUND_SECRET.iter().any(|part| name.contains(part))
}
