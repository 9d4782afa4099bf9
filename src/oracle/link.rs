//! The one seam over both drivers: log in, query, call, tag. It lives in the connection process; nothing else of
//! orawarden names a driver.

use super::datum::{Bind, Datum, Kind, Rows};
use super::error::DriverError;
#[cfg(feature = "oci")]
use super::oci::OciLink;
use super::protocol::{DriverKind, Login, Release};
#[cfg(feature = "thin")]
use super::thin::ThinLink;

/// A session of a live database.
pub(super) enum Link {
    /// Over Oracle Client libraries.
    #[cfg(feature = "oci")]
    Oci(Box<OciLink>),
    /// Over the driver without libraries.
    #[cfg(feature = "thin")]
    Thin(Box<ThinLink>),
}

macro_rules! either {
    ($self:ident, $link:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "oci")]
            Link::Oci($link) => $call,
            #[cfg(feature = "thin")]
            Link::Thin($link) => $call,
            #[cfg(not(any(feature = "oci", feature = "thin")))]
            _ => unreachable!("there is no driver to make a link with"),
        }
    };
}

#[cfg_attr(
    not(any(feature = "oci", feature = "thin")),
    expect(unused_variables, reason = "no driver")
)]
impl Link {
    /// Logs in.
    pub(super) fn connect(login: &Login) -> Result<Self, DriverError> {
        match login.driver {
            #[cfg(feature = "oci")]
            DriverKind::Oci => OciLink::connect(login).map(|link| Self::Oci(Box::new(link))),
            #[cfg(feature = "thin")]
            DriverKind::Thin => ThinLink::connect(login).map(|link| Self::Thin(Box::new(link))),
            #[cfg(not(all(feature = "oci", feature = "thin")))]
            missing => Err(DriverError {
                code: None,
                text: format!("this program was built without the driver {}", missing.name()),
                lost: true,
            }),
        }
    }

    /// The server's release.
    pub(super) fn release(&self) -> Result<Release, DriverError> {
        either!(self, link => link.release())
    }

    /// All rows of a query.
    pub(super) fn query(
        &self,
        sql: &str,
        binds: &[Datum],
        kinds: &[Kind],
        prefetch: u32,
    ) -> Result<Rows, DriverError> {
        either!(self, link => link.query(sql, binds, kinds, prefetch))
    }

    /// The OUT binds of a block, by place.
    pub(super) fn call(&self, sql: &str, binds: &[Bind]) -> Result<Vec<Datum>, DriverError> {
        either!(self, link => link.call(sql, binds))
    }

    /// ACTION, from the next call on.
    pub(super) fn tag(&self, action: &str) -> Result<(), DriverError> {
        either!(self, link => link.tag(action))
    }
}
