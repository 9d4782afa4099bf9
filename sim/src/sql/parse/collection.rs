//! What a block says of collections and records: types, BULK COLLECT, FORALL.

use super::Parser;
use crate::ora::OraError;
use crate::sql::ast::{DeclarationKind, Declared, Expr, IndexBy, Stmt, StmtKind};
use crate::sql::lex::Kind;
use crate::sql::statement::Command;
use crate::value::ColumnType;

/// A type that a block declares, or that Oracle's packages do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OwnType {
    /// TABLE OF, with or without INDEX BY, and VARRAY.
    Collection { element: Declared, record: Option<Box<DeclarationKind>>, index: Option<IndexBy> },
    /// RECORD.
    Record(Vec<(String, Declared)>),
    /// REF CURSOR.
    Reference,
}

/// Collections that are there without a declaration.
const SHIPPED: [(&str, ColumnType, bool); 7] = [
    ("DBMS_OUTPUT.CHARARR", ColumnType::Varchar2(32_767), true),
    ("SYS.DBMSOUTPUT_LINESARRAY", ColumnType::Varchar2(32_767), false),
    ("DBMS_SQL.NUMBER_TABLE", ColumnType::Number, true),
    ("DBMS_SQL.VARCHAR2_TABLE", ColumnType::Varchar2(4_000), true),
    ("DBMS_SQL.DATE_TABLE", ColumnType::Date, true),
    ("SYS.ODCINUMBERLIST", ColumnType::Number, false),
    ("SYS.ODCIVARCHAR2LIST", ColumnType::Varchar2(4_000), false),
];

impl Parser {
    /// Behind TYPE: `t IS TABLE OF NUMBER INDEX BY PLS_INTEGER`, `t IS RECORD (a NUMBER, …)`.
    pub(super) fn type_declaration(&mut self) -> Result<(), OraError> {
        let name = self.name(6550, "")?;
        self.need("IS", 6550, "")?;
        let declared = if self.accept("RECORD") {
            self.record_type()?
        } else if self.accept_all(&["REF", "CURSOR"]) {
            if self.accept("RETURN") {
                return Err(self.error(3001, "unimplemented feature: REF CURSOR ... RETURN"));
            }
            OwnType::Reference
        } else {
            if self.accept("VARRAY") {
                self.need_symbol("(", 6550, "")?;
                self.whole(6550, "")?;
                self.need_symbol(")", 6550, "")?;
            } else {
                self.need("TABLE", 6550, "")?;
            }
            self.need("OF", 6550, "")?;
            let record = match self.composite()? {
                None => None,
                Some(kind @ (DeclarationKind::Record(_) | DeclarationKind::RowType(_))) => {
                    Some(Box::new(kind))
                }
                Some(_) => {
                    let text = "unimplemented feature: a collection of collections";
                    return Err(self.error(3001, text));
                }
            };
            let element = if record.is_some() { Declared::Anything } else { self.declared_type()? };
            self.accept_all(&["NOT", "NULL"]);
            let index =
                if self.accept_all(&["INDEX", "BY"]) { Some(self.index_by()?) } else { None };
            OwnType::Collection { element, record, index }
        };
        self.need_symbol(";", 6550, "")?;
        self.own_types.insert(name, declared);
        Ok(())
    }

    fn record_type(&mut self) -> Result<OwnType, OraError> {
        let mut fields = Vec::new();
        self.need_symbol("(", 6550, "")?;
        loop {
            let name = self.name(6550, "")?;
            fields.push((name, self.declared_type()?));
            if self.accept_symbol(":=") || self.accept("DEFAULT") {
                return Err(self.error(3001, "unimplemented feature: a default of a field"));
            }
            if !self.accept_symbol(",") {
                break;
            }
        }
        self.need_symbol(")", 6550, "")?;
        Ok(OwnType::Record(fields))
    }

    /// Behind INDEX BY.
    fn index_by(&mut self) -> Result<IndexBy, OraError> {
        match self.declared_type()? {
            Declared::Integer(..) => Ok(IndexBy::Number),
            Declared::Sql(ColumnType::Varchar2(_), _) => Ok(IndexBy::Text),
            Declared::Like(_) => {
                Err(self.error(3001, "unimplemented feature: INDEX BY a column's type"))
            }
            _ => {
                let text = "PLS-00315: Implementation restriction: unsupported table index type";
                Err(self.error(6550, text))
            }
        }
    }

    /// A variable of a type that is no scalar, if that stands next; its name was read already.
    pub(super) fn composite(&mut self) -> Result<Option<DeclarationKind>, OraError> {
        let mut parts = Vec::new();
        let mut ahead = 0;
        while let Kind::Word(part) | Kind::Quoted(part) = self.ahead(ahead) {
            parts.push(part.clone());
            ahead += 1;
            if !self.is_symbol_ahead(ahead, ".") {
                break;
            }
            ahead += 1;
        }
        if self.is_symbol_ahead(ahead, "%") && self.is_ahead(ahead + 1, "ROWTYPE") {
            (0..ahead + 2).for_each(|_| drop(self.bump()));
            return Ok(Some(DeclarationKind::RowType(parts)));
        }
        let name = parts.join(".");
        let known = self.own_types.get(&name).cloned().or_else(|| shipped(&name));
        let Some(known) = known else { return Ok(None) };
        (0..ahead).for_each(|_| drop(self.bump()));
        Ok(Some(match known {
            OwnType::Record(fields) => DeclarationKind::Record(fields),
            OwnType::Reference => DeclarationKind::Reference,
            OwnType::Collection { element, record, index } => {
                let initial = if self.accept_symbol(":=") || self.accept("DEFAULT") {
                    Some(self.expression()?)
                } else {
                    None
                };
                DeclarationKind::Collection { type_name: name, element, record, index, initial }
            }
        }))
    }

    /// `l(i).f` is the element of `l.f`: a collection of records is one of each field.
    pub(super) fn field_of_element(&mut self, name: &mut Vec<String>) -> Result<(), OraError> {
        if self.plsql && self.accept_symbol(".") {
            name.push(self.name(6550, "")?);
        }
        Ok(())
    }

    /// `BULK COLLECT`, if it stands next.
    pub(super) fn bulk(&mut self) -> bool {
        self.plsql && self.accept_all(&["BULK", "COLLECT"])
    }

    /// Behind FETCH … BULK COLLECT INTO …: `LIMIT n`.
    pub(super) fn bulk_limit(&mut self) -> Result<Option<Expr>, OraError> {
        if self.accept("LIMIT") { self.sum().map(Some) } else { Ok(None) }
    }

    /// Behind FORALL.
    pub(super) fn for_all(&mut self) -> Result<StmtKind, OraError> {
        let variable = self.name(6550, "")?;
        self.need("IN", 6550, "")?;
        if self.is_any(&["INDICES", "VALUES"]) {
            return Err(self.error(3001, "unimplemented feature"));
        }
        let low = self.sum()?;
        self.need_symbol("..", 6550, "")?;
        let high = self.sum()?;
        if self.accept_all(&["SAVE", "EXCEPTIONS"]) {
            return Err(self.error(3001, "unimplemented feature: SAVE EXCEPTIONS"));
        }
        if !self.is_any(&["INSERT", "UPDATE", "DELETE", "MERGE"]) {
            return Err(self.encountered("insert update delete merge"));
        }
        let at = self.place();
        let command = Command::Dml(crate::sql::dml::Dml(self.dml()?));
        let body = Box::new(Stmt { kind: StmtKind::Sql(Box::new(command)), at });
        Ok(StmtKind::ForAll { variable, low, high, body })
    }
}

fn shipped(name: &str) -> Option<OwnType> {
    let plain = |one: &str| one == name || one.strip_prefix("SYS.") == Some(name);
    let found = SHIPPED.iter().find(|one| plain(one.0))?;
    let index = found.2.then_some(IndexBy::Number);
    Some(OwnType::Collection { element: Declared::Sql(found.1, None), record: None, index })
}
