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

/// What is said of a file quotes its lines, to terminals and logs: secrets that stand in it are blotted out. Places and
/// line breaks stay where they are.
pub(super) fn without_secrets(source: &SourceFile, entries: &[Diagnostic]) -> SourceFile {
    let mut source = source.clone();
    for secret in entries.iter().filter(|entry| entry.code == Code::InlineSecret) {
        let blot = |byte| if byte == b'\n' { '\n' } else { '*' };
        let blotted: String = source.text[secret.span.clone()].bytes().map(blot).collect();
        source.text.replace_range(secret.span.clone(), &blotted);
    }
    source
}
