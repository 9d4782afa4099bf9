//! DATE, TIMESTAMP and INTERVAL literals, and the names of types.

use super::Parser;
use crate::ora::OraError;
use crate::sql::ast::{Declared, ExprKind};
use crate::sql::datetime;
use crate::sql::lex::Kind;
use crate::value::{ColumnType, Digits, Value};

/// What a type without a length holds in PL/SQL.
const TEXT_MAX: u32 = 32767;

impl Parser {
    /// `DATE '2026-01-31'`, `TIMESTAMP '2026-01-31 10:00:00.5 +02:00'`.
    pub(super) fn time_literal(&mut self, word: &str) -> Result<ExprKind, OraError> {
        self.bump();
        let error = self.error(1861, "literal does not match format string");
        let Kind::Text(text) = self.bump() else { return Err(error) };
        if word == "DATE" {
            let seconds = datetime::date_literal(&text).ok_or(error)?;
            return Ok(ExprKind::Literal(Value::Date(seconds), ColumnType::Date));
        }
        let value = datetime::timestamp_literal(&text).ok_or(error)?;
        let column_type = match value {
            Value::TimestampTz { .. } => ColumnType::TimestampTz,
            _ => ColumnType::Timestamp,
        };
        Ok(ExprKind::Literal(value, column_type))
    }

    /// `INTERVAL '5' MINUTE`, `INTERVAL '1 02:03' DAY TO MINUTE`, `INTERVAL '1-2' YEAR TO MONTH`.
    pub(super) fn interval_literal(&mut self) -> Result<ExprKind, OraError> {
        self.bump();
        let error = self.error(1867, "the interval is invalid");
        let Kind::Text(text) = self.bump() else { return Err(error) };
        let from = self.interval_field()?;
        let to = if self.accept("TO") { self.interval_field()? } else { from };
        if matches!(from, "YEAR" | "MONTH") {
            let months = datetime::months_literal(&text, from, to).ok_or(error)?;
            return Ok(ExprKind::Literal(Value::IntervalYm(months), ColumnType::IntervalYm));
        }
        let nanos = datetime::interval_literal(&text, from, to).ok_or(error)?;
        Ok(ExprKind::Literal(Value::IntervalDs(nanos), ColumnType::IntervalDs))
    }

    fn interval_field(&mut self) -> Result<&'static str, OraError> {
        let field = self
            .accept_any(&["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"])
            .ok_or_else(|| self.error(30089, "missing or invalid <datetime field>"))?;
        self.skip_size()?;
        Ok(field)
    }

    /// `(n)` or `(n, m)`, without a meaning here.
    fn skip_size(&mut self) -> Result<(), OraError> {
        self.size().map(drop)
    }

    /// `(n [BYTE|CHAR])`, `(p, s)`: both numbers, if they are there.
    fn size(&mut self) -> Result<(Option<u32>, Option<i32>), OraError> {
        if !self.accept_symbol("(") {
            return Ok((None, None));
        }
        let invalid = "numeric precision specifier is out of range (1 to 38)";
        let first = if self.accept_symbol("*") { 38 } else { self.whole(1727, invalid)? };
        self.accept_any(&["BYTE", "CHAR"]);
        let second = if self.accept_symbol(",") {
            let sign = if self.accept_symbol("-") { -1 } else { 1 };
            Some(
                i32::try_from(self.whole(1728, "numeric scale specifier is out of range")?)
                    .unwrap_or(0)
                    * sign,
            )
        } else {
            None
        };
        self.close()?;
        Ok((Some(first), second))
    }

    /// A type of SQL, and the digits that a NUMBER has.
    pub(crate) fn data_type(&mut self) -> Result<(ColumnType, Option<Digits>), OraError> {
        let error = self.error(902, "invalid datatype");
        let Kind::Word(word) = self.bump() else { return Err(error) };
        let column_type = match word.as_str() {
            "NUMBER" | "NUMERIC" | "DECIMAL" | "DEC" => {
                let (precision, scale) = self.size()?;
                let digits =
                    precision.map(|precision| Digits { precision, scale: scale.unwrap_or(0) });
                return Ok((ColumnType::Number, digits));
            }
            "INTEGER" | "INT" | "SMALLINT" => {
                return Ok((ColumnType::Number, Some(Digits { precision: 38, scale: 0 })));
            }
            "FLOAT" | "REAL" => {
                self.skip_size()?;
                ColumnType::Number
            }
            "DOUBLE" => {
                self.need("PRECISION", 905, "missing keyword")?;
                ColumnType::Number
            }
            "VARCHAR2" | "VARCHAR" | "NVARCHAR2" | "STRING" => {
                let missing = self.error(906, "missing left parenthesis");
                let size = self.size()?.0;
                if size.is_none() && !self.plsql {
                    return Err(missing);
                }
                ColumnType::Varchar2(size.unwrap_or(TEXT_MAX))
            }
            "CHAR" | "CHARACTER" | "NCHAR" => ColumnType::Char(self.size()?.0.unwrap_or(1)),
            "CLOB" | "NCLOB" => ColumnType::Varchar2(TEXT_MAX),
            "LONG" => ColumnType::Long,
            "DATE" => ColumnType::Date,
            "TIMESTAMP" => self.timestamp_type()?,
            "INTERVAL" => {
                let from = self.interval_field()?;
                self.need("TO", 905, "missing keyword")?;
                self.interval_field()?;
                if from == "YEAR" { ColumnType::IntervalYm } else { ColumnType::IntervalDs }
            }
            "RAW" => ColumnType::Raw(self.size()?.0.unwrap_or(2000)),
            "ROWID" | "UROWID" => ColumnType::RowId,
            "BINARY_DOUBLE" | "BINARY_FLOAT" => ColumnType::BinaryDouble,
            _ => return Err(error),
        };
        Ok((column_type, None))
    }

    fn timestamp_type(&mut self) -> Result<ColumnType, OraError> {
        self.skip_size()?;
        let zoned = self.accept_all(&["WITH", "TIME", "ZONE"])
            || self.accept_all(&["WITH", "LOCAL", "TIME", "ZONE"]);
        Ok(if zoned { ColumnType::TimestampTz } else { ColumnType::Timestamp })
    }

    /// The type of a variable.
    pub(super) fn declared_type(&mut self) -> Result<Declared, OraError> {
        const INTEGERS: [&str; 3] = ["PLS_INTEGER", "BINARY_INTEGER", "SIMPLE_INTEGER"];
        if self.accept_any(&INTEGERS).is_some() {
            return Ok(Declared::Integer(i32::MIN, i32::MAX));
        }
        if self.accept_any(&["NATURAL", "NATURALN"]).is_some() {
            return Ok(Declared::Integer(0, i32::MAX));
        }
        if self.accept_any(&["POSITIVE", "POSITIVEN"]).is_some() {
            return Ok(Declared::Integer(1, i32::MAX));
        }
        if self.accept("SIGNTYPE") {
            return Ok(Declared::Integer(-1, 1));
        }
        if self.accept("BOOLEAN") {
            return Ok(Declared::Boolean);
        }
        let anchored = (1..6).find(|count| self.is_symbol_ahead(*count, "%")).filter(|count| {
            (0..*count).all(|ahead| {
                matches!(self.ahead(ahead), Kind::Word(_) | Kind::Quoted(_) | Kind::Symbol("."))
            })
        });
        if anchored.is_some() {
            let name = self.dotted(6550, "")?;
            self.bump();
            if self.accept("TYPE") {
                self.likes.push(name);
                return Ok(Declared::Like(self.likes.len() - 1));
            }
            if self.accept("ROWTYPE") {
                return Err(self.error(3001, "unimplemented feature: a record here"));
            }
            return Err(self.encountered("type rowtype"));
        }
        let place = self.place();
        let shown = self.title_ahead();
        match self.data_type() {
            Ok((column_type, scale)) => Ok(Declared::Sql(column_type, scale)),
            Err(error) if error.code == 902 => Err(OraError::new(
                6550,
                format!("PLS-00201: identifier '{shown}' must be declared"),
            )
            .at(place)),
            Err(error) => Err(error),
        }
    }

    fn title_ahead(&self) -> String {
        match self.kind() {
            Kind::Word(word) | Kind::Quoted(word) => word.clone(),
            _ => String::new(),
        }
    }
}
