//! What can go wrong with a connection, by the reaction that it calls for.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::codes::{Class, class};

/// A driver's error, as it comes through the pipe. Its text never holds a password: drivers do not put it there, and
/// a test looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverError {
    /// The number of Oracle's error, if it is one.
    pub code: Option<u32>,
    /// What the driver says.
    pub text: String,
    /// Whether the connection can still be used.
    pub lost: bool,
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) if !self.text.contains("ORA-") => write!(f, "ORA-{code:05}: {}", self.text),
            _ => f.write_str(&self.text),
        }
    }
}

impl std::error::Error for DriverError {}

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The database or the driver said no; whether it can be used again is in [`DriverError::lost`].
    #[error("{0}")]
    Driver(DriverError),
    /// No answer within the deadline. The connection process was ended, and whether the call took effect is not known.
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    /// The connection process is gone; whether the call took effect is not known.
    #[error("the connection process ended: {0}")]
    Died(String),
    /// The connection process could not be started, or there is no session.
    #[error("{0}")]
    NotConnected(String),
    /// What failed before was not tried again yet.
    #[error("{said}")]
    NotTried {
        /// What was said of it then.
        said: String,
        /// What is to be done about that.
        class: Class,
    },
}

impl CallError {
    /// The number of Oracle's error, if it is one.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Driver(error) => error.code,
            Self::Deadline(_) | Self::Died(_) | Self::NotConnected(_) | Self::NotTried { .. } => {
                None
            }
        }
    }

    /// What is to be done about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Driver(error) => error.code.map_or(Class::Retry, class),
            Self::Deadline(_) | Self::Died(_) => Class::Reconnect,
            Self::NotConnected(_) => Class::Retry,
            Self::NotTried { class, .. } => *class,
        }
    }

    /// True when the connection is of no use any more.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Driver(error) => error.lost || self.class() == Class::Reconnect,
            Self::Deadline(_) | Self::Died(_) | Self::NotConnected(_) | Self::NotTried { .. } => {
                true
            }
        }
    }
}
