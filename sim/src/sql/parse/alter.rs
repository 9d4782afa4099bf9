//! ALTER SYSTEM and ALTER SESSION.

use super::Parser;
use crate::conversation::Release;
use crate::ora::OraError;
use crate::sql::lex::Kind;
use crate::sql::statement::{Command, KillMode, SessionLiteral, Setting};

/// What ALTER SYSTEM can begin with besides KILL, DISCONNECT, CANCEL and SET.
const SYSTEM: [&str; 16] = [
    "ARCHIVE",
    "CHECK",
    "CHECKPOINT",
    "DISABLE",
    "DUMP",
    "ENABLE",
    "FLUSH",
    "QUIESCE",
    "REFRESH",
    "REGISTER",
    "RESET",
    "RESUME",
    "SHUTDOWN",
    "SUSPEND",
    "SWITCH",
    "UNQUIESCE",
];

/// What ALTER SESSION can begin with besides SET.
const SESSION: [&str; 6] = ["ADVISE", "CLOSE", "DISABLE", "ENABLE", "FORCE", "SYNC"];

impl Parser {
    /// Behind ALTER SYSTEM.
    pub(super) fn alter_system(&mut self) -> Result<Command, OraError> {
        if self.accept_all(&["KILL", "SESSION"]) {
            return self.kill();
        }
        if self.accept_all(&["DISCONNECT", "SESSION"]) {
            return self.disconnect();
        }
        // Documented from 18c, and known to work in 12.2.
        if self.release >= Release::R12_2 && self.accept_all(&["CANCEL", "SQL"]) {
            return self.cancel();
        }
        if self.accept("SET") {
            return self.system_set();
        }
        if self.is_any(&SYSTEM) {
            return Ok(Command::SystemOther(self.rest()));
        }
        Err(self.error(2065, "illegal option for ALTER SYSTEM"))
    }

    fn kill(&mut self) -> Result<Command, OraError> {
        let session = self.session()?;
        let mode = self.kill_mode();
        let timeout_secs = self.timeout()?;
        self.no_more_options()?;
        Ok(Command::KillSession { session, mode, timeout_secs })
    }

    fn disconnect(&mut self) -> Result<Command, OraError> {
        let session = self.session()?;
        let post_transaction = self.accept("POST_TRANSACTION");
        let mode = self.kill_mode();
        let timeout_secs = self.timeout()?;
        self.no_more_options()?;
        Ok(Command::DisconnectSession { session, post_transaction, mode, timeout_secs })
    }

    fn cancel(&mut self) -> Result<Command, OraError> {
        let at = self.place();
        let text = self.session_text()?;
        let (session, sql_id) = cancel_literal(&text).ok_or_else(|| invalid_session().at(at))?;
        self.no_more_options()?;
        Ok(Command::CancelSql { session, sql_id })
    }

    /// Only the modes that the release knows.
    fn kill_mode(&mut self) -> KillMode {
        if self.accept("IMMEDIATE") {
            return KillMode::Immediate;
        }
        if self.release >= Release::R12_1 && self.accept("NOREPLAY") {
            return KillMode::NoReplay;
        }
        if self.release >= Release::R23 && self.accept("FORCE") {
            return KillMode::Force;
        }
        KillMode::Plain
    }

    fn timeout(&mut self) -> Result<Option<u32>, OraError> {
        if self.release < Release::R23 || !self.accept("TIMEOUT") {
            return Ok(None);
        }
        self.whole(922, "missing or invalid option").map(Some)
    }

    fn session(&mut self) -> Result<SessionLiteral, OraError> {
        let at = self.place();
        let text = self.session_text()?;
        session_literal(&text).ok_or_else(|| invalid_session().at(at))
    }

    fn session_text(&mut self) -> Result<String, OraError> {
        match self.kind().clone() {
            Kind::Text(text) => {
                self.bump();
                Ok(text)
            }
            _ => Err(invalid_session().at(self.place())),
        }
    }

    fn no_more_options(&self) -> Result<(), OraError> {
        self.finish(922, "missing or invalid option")
    }

    fn system_set(&mut self) -> Result<Command, OraError> {
        let mut settings = Vec::new();
        let mut scope = None;
        let mut sid = None;
        while !self.at_end() {
            if self.accept("DEFERRED") {
                continue;
            }
            let setting = self.setting(2065, "illegal option for ALTER SYSTEM")?;
            match setting.name.as_str() {
                "SCOPE" => scope = Some(setting.value),
                "SID" => sid = Some(setting.value),
                "COMMENT" => {}
                _ => settings.push(setting),
            }
        }
        if settings.is_empty() {
            return Err(self.error(2065, "illegal option for ALTER SYSTEM"));
        }
        Ok(Command::SystemSet { settings, scope, sid })
    }

    /// Behind ALTER SESSION.
    pub(super) fn alter_session(&mut self) -> Result<Command, OraError> {
        let invalid = "invalid option for ALTER SESSION";
        if !self.accept("SET") {
            if self.is_any(&SESSION) {
                return Ok(Command::SessionOther(self.rest()));
            }
            return Err(self.error(2248, invalid));
        }
        let mut settings = Vec::new();
        while !self.at_end() {
            if self.is("EVENTS") && matches!(self.ahead(1), Kind::Text(_)) {
                self.bump();
                settings.push(Setting { name: "EVENTS".into(), value: self.setting_value()? });
                continue;
            }
            settings.push(self.setting(2248, invalid)?);
        }
        if settings.is_empty() {
            return Err(self.error(2248, invalid));
        }
        Ok(Command::SessionSet(settings))
    }

    fn setting(&mut self, code: u32, text: &str) -> Result<Setting, OraError> {
        let name = self.name(code, text)?;
        self.need_symbol("=", 927, "missing equal sign")?;
        let mut value = self.setting_value()?;
        while self.accept_symbol(",") {
            value.push(',');
            value.push_str(&self.setting_value()?);
        }
        if name == "ISOLATION_LEVEL" && self.accept("COMMITTED") {
            value.push_str(" COMMITTED");
        }
        Ok(Setting { name, value })
    }

    fn setting_value(&mut self) -> Result<String, OraError> {
        let sign = if self.accept_symbol("-") { "-" } else { "" };
        let error = self.error(2017, "integer value required");
        let value = match self.bump() {
            Kind::Word(value) | Kind::Quoted(value) | Kind::Text(value) => value,
            // 16M: a number and a word without a blank between them.
            Kind::Number(digits) if self.is_any(&["K", "M", "G", "T"]) => {
                format!("{digits}{}", self.word())
            }
            Kind::Number(digits) => digits,
            _ => return Err(error),
        };
        Ok(format!("{sign}{value}"))
    }

    fn word(&mut self) -> String {
        match self.bump() {
            Kind::Word(word) => word,
            _ => String::new(),
        }
    }
}

fn invalid_session() -> OraError {
    OraError::new(26, "missing or invalid session ID")
}

/// `sid, serial# [, @inst_id]`.
pub(crate) fn session_literal(text: &str) -> Option<SessionLiteral> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let (sid, serial, inst_id) = match parts.as_slice() {
        [sid, serial] => (sid, serial, None),
        [sid, serial, instance] => (sid, serial, Some(instance_literal(instance)?)),
        _ => return None,
    };
    Some(SessionLiteral { sid: digits(sid)?, serial: digits(serial)?, inst_id })
}

fn instance_literal(text: &str) -> Option<u32> {
    digits(text.strip_prefix('@')?.trim_start())
}

fn digits(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// `sid, serial# [, @inst_id] [, sql_id]`.
fn cancel_literal(text: &str) -> Option<(SessionLiteral, Option<String>)> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let (sid, serial, rest) = match parts.as_slice() {
        [sid, serial, rest @ ..] => (digits(sid)?, digits(serial)?, rest),
        _ => return None,
    };
    let (inst_id, rest) = match rest {
        [first, rest @ ..] if first.starts_with('@') => (Some(instance_literal(first)?), rest),
        _ => (None, rest),
    };
    let sql_id = match rest {
        [] => None,
        [sql_id]
            if sql_id.len() == 13 && sql_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            Some((*sql_id).to_owned())
        }
        _ => return None,
    };
    Some((SessionLiteral { sid, serial, inst_id }, sql_id))
}
