//! The release in a scenario file: people write `19c`, `19` or `12.2`, and YAML makes numbers of some of these.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Visitor};

use crate::conversation::Release;

pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Release, D::Error> {
    deserializer.deserialize_any(Reader)
}

pub(crate) fn read_some<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Release>, D::Error> {
    read(deserializer).map(Some)
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Release;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a release: 11.2, 12.1, 12.2, 19c or 23ai")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Release, E> {
        match text {
            "11.2" => Ok(Release::R11_2),
            "12.1" => Ok(Release::R12_1),
            "12.2" => Ok(Release::R12_2),
            "19" | "19c" => Ok(Release::R19),
            "23" | "23ai" => Ok(Release::R23),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Release, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Release, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Release, E> {
        self.visit_str(&number.to_string())
    }
}
