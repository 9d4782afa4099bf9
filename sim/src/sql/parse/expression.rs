//! Expressions and conditions, in Oracle's order of precedence.

use super::Parser;
use crate::ora::OraError;
use crate::sql::ast::{Argument, Binary, Call, Expr, ExprKind, OrderItem, Over, Quantity, Unary};
use crate::sql::lex::Kind;
use crate::value::{ColumnType, Number, Value};

/// Bytes of a literal, with MAX_STRING_SIZE=STANDARD.
const LITERAL_MAX: usize = 4_000;
const PLSQL_LITERAL_MAX: usize = 32_767;

impl Parser {
    /// A condition or an expression.
    pub(crate) fn expression(&mut self) -> Result<Expr, OraError> {
        self.within_expression(Self::disjunction)
    }

    fn disjunction(&mut self) -> Result<Expr, OraError> {
        self.chain("OR", Binary::Or, Self::conjunction)
    }

    fn conjunction(&mut self) -> Result<Expr, OraError> {
        self.chain("AND", Binary::And, Self::negation)
    }

    /// `a OR b OR c`, of any length: which two are joined first makes no difference to AND and OR, so the tree is as
    /// deep as the logarithm of their number.
    fn chain(
        &mut self,
        word: &str,
        operator: Binary,
        operand: fn(&mut Self) -> Result<Expr, OraError>,
    ) -> Result<Expr, OraError> {
        let mut level = vec![(operand(self)?, 0)];
        while self.is(word) {
            let at = self.place();
            self.bump();
            level.push((operand(self)?, at));
        }
        // Each pair becomes one, which keeps the place of the operator before it.
        while level.len() > 1 {
            let mut operands = std::mem::take(&mut level).into_iter();
            while let Some((left, before)) = operands.next() {
                let joined = match operands.next() {
                    Some((right, at)) => binary(operator, left, right, at),
                    None => left,
                };
                level.push((joined, before));
            }
        }
        Ok(level.pop().expect("a chain begins with an operand").0)
    }

    fn negation(&mut self) -> Result<Expr, OraError> {
        let at = self.place();
        if self.accept("NOT") {
            let inner = self.nested(Self::negation)?;
            return Ok(negated(inner, at));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr, OraError> {
        let left = self.sum()?;
        let at = self.place();
        if let Some(operator) = self.comparison_operator() {
            return self.compared(left, operator, at);
        }
        if self.accept("IS") {
            let not = self.accept("NOT");
            self.need("NULL", 908, "missing NULL keyword")?;
            return Ok(maybe_negated(ExprKind::IsNull(Box::new(left)), not, at));
        }
        let not = self.is("NOT")
            && ["IN", "LIKE", "BETWEEN", "LIKEC", "LIKE2", "LIKE4"]
                .iter()
                .any(|word| self.is_ahead(1, word));
        if not {
            self.bump();
        }
        if self.accept("BETWEEN") {
            let low = self.sum()?;
            self.need("AND", 905, "missing keyword")?;
            let high = self.sum()?;
            let kind = ExprKind::Between {
                value: Box::new(left),
                low: Box::new(low),
                high: Box::new(high),
            };
            return Ok(maybe_negated(kind, not, at));
        }
        if self.accept_any(&["LIKE", "LIKEC", "LIKE2", "LIKE4"]).is_some() {
            let pattern = Box::new(self.sum()?);
            let escape = if self.accept("ESCAPE") { Some(Box::new(self.sum()?)) } else { None };
            let kind = ExprKind::Like { value: Box::new(left), pattern, escape };
            return Ok(maybe_negated(kind, not, at));
        }
        if self.accept("IN") {
            let kind = self.membership(left)?;
            return Ok(maybe_negated(kind, not, at));
        }
        Ok(left)
    }

    fn comparison_operator(&mut self) -> Option<Binary> {
        let Kind::Symbol(symbol) = self.kind() else { return None };
        let operator = match *symbol {
            "=" => Binary::Equal,
            "<>" | "!=" | "^=" => Binary::NotEqual,
            "<" => Binary::Less,
            "<=" => Binary::LessEqual,
            ">" => Binary::Greater,
            ">=" => Binary::GreaterEqual,
            _ => return None,
        };
        self.bump();
        Some(operator)
    }

    fn compared(&mut self, left: Expr, operator: Binary, at: usize) -> Result<Expr, OraError> {
        if self.is_any(&["ANY", "SOME", "ALL"]) && self.is_symbol_ahead(1, "(") {
            let all = self.is("ALL");
            self.bump();
            self.bump();
            let right = if self.is("SELECT") || self.is("WITH") {
                Quantity::Query(Box::new(self.query()?))
            } else {
                Quantity::List(self.expressions()?)
            };
            self.close()?;
            let kind = ExprKind::Quantified {
                operator,
                all,
                value: Box::new(left),
                right: Box::new(right),
            };
            return Ok(Expr { kind, at });
        }
        let right = self.sum()?;
        Ok(binary(operator, left, right, at))
    }

    /// Behind IN.
    fn membership(&mut self, left: Expr) -> Result<ExprKind, OraError> {
        let value = Box::new(left);
        if !self.is_symbol("(") {
            return Ok(ExprKind::In { value, list: vec![self.sum()?] });
        }
        self.bump();
        if self.is("SELECT") || self.is("WITH") {
            let query = Box::new(self.query()?);
            self.close()?;
            return Ok(ExprKind::InQuery { value, query });
        }
        let list = self.expressions()?;
        self.close()?;
        Ok(ExprKind::In { value, list })
    }

    /// `a, b, c`.
    pub(crate) fn expressions(&mut self) -> Result<Vec<Expr>, OraError> {
        let mut list = vec![self.expression()?];
        while self.accept_symbol(",") {
            list.push(self.expression()?);
        }
        Ok(list)
    }

    /// `+`, `-` and `||` have one rank.
    pub(crate) fn sum(&mut self) -> Result<Expr, OraError> {
        let mut left = self.product()?;
        loop {
            let operator = match self.kind() {
                Kind::Symbol("+") => Binary::Add,
                Kind::Symbol("-") => Binary::Subtract,
                Kind::Symbol("||") => Binary::Concat,
                _ => return Ok(left),
            };
            let at = self.place();
            self.bump();
            self.link()?;
            let right = self.product()?;
            left = binary(operator, left, right, at);
        }
    }

    fn product(&mut self) -> Result<Expr, OraError> {
        let mut left = self.signed()?;
        loop {
            let operator = match self.kind() {
                Kind::Symbol("*") => Binary::Multiply,
                Kind::Symbol("/") => Binary::Divide,
                Kind::Symbol("**") if self.plsql => Binary::Power,
                _ => return Ok(left),
            };
            let at = self.place();
            self.bump();
            self.link()?;
            let right = self.signed()?;
            left = binary(operator, left, right, at);
        }
    }

    fn signed(&mut self) -> Result<Expr, OraError> {
        let at = self.place();
        let operator = if self.accept_symbol("-") {
            Unary::Minus
        } else if self.accept_symbol("+") {
            return self.nested(Self::signed);
        } else if self.accept("PRIOR") {
            Unary::Prior
        } else if self.is("CONNECT_BY_ROOT") {
            self.bump();
            Unary::ConnectByRoot
        } else {
            return self.zoned();
        };
        let inner = self.nested(Self::signed)?;
        Ok(Expr { kind: ExprKind::Unary(operator, Box::new(inner)), at })
    }

    /// `x AT TIME ZONE z`.
    fn zoned(&mut self) -> Result<Expr, OraError> {
        let mut value = self.primary()?;
        loop {
            let at = self.place();
            let zone = if self.accept_all(&["AT", "TIME", "ZONE"]) {
                self.primary()?
            } else if self.accept_all(&["AT", "LOCAL"]) {
                call("SESSIONTIMEZONE", Vec::new(), at)
            } else {
                return Ok(value);
            };
            value = Expr { kind: ExprKind::AtTimeZone(Box::new(value), Box::new(zone)), at };
        }
    }

    fn primary(&mut self) -> Result<Expr, OraError> {
        let at = self.place();
        if let Some(place) = self.bind(true) {
            return Ok(Expr { kind: ExprKind::Bind(place), at });
        }
        match self.kind().clone() {
            Kind::Text(text) => {
                // In a block a literal may be longer, even in the SQL of it.
                if text.len() > if self.plsql { PLSQL_LITERAL_MAX } else { LITERAL_MAX } {
                    return Err(if self.plsql {
                        self.error(6550, "PLS-00172: string literal too long")
                    } else {
                        self.error(1704, "string literal too long")
                    });
                }
                self.bump();
                let size = u32::try_from(text.len()).unwrap_or(4000);
                Ok(Expr { kind: ExprKind::Literal(Value::text(text), ColumnType::Char(size)), at })
            }
            Kind::Number(digits) => self.number_literal(&digits, at),
            Kind::Symbol("(") => self.parenthesised(at),
            Kind::Quoted(_) => self.named(at),
            Kind::Word(word) => match self.special(&word, at)? {
                Some(expression) => Ok(expression),
                None => self.named(at),
            },
            _ => Err(self.missing_expression()),
        }
    }

    fn missing_expression(&self) -> OraError {
        if self.plsql && !self.is_any(&["FROM", "WHERE", "GROUP", "ORDER"]) {
            return self.encountered("<an expression>");
        }
        self.error(936, "missing expression")
    }

    fn number_literal(&mut self, digits: &str, at: usize) -> Result<Expr, OraError> {
        let overflow = self.error(1426, "numeric overflow");
        self.bump();
        if let Some(double) = digits.strip_suffix(['d', 'D', 'f', 'F']) {
            let value = Value::Double(double.parse().map_err(|_| overflow)?);
            return Ok(Expr { kind: ExprKind::Literal(value, ColumnType::BinaryDouble), at });
        }
        let number: Number = digits.parse().map_err(|_| overflow)?;
        Ok(Expr { kind: ExprKind::Literal(Value::Number(number), ColumnType::Number), at })
    }

    fn parenthesised(&mut self, at: usize) -> Result<Expr, OraError> {
        self.bump();
        if self.is("SELECT") || self.is("WITH") {
            let query = Box::new(self.query()?);
            self.close()?;
            return Ok(Expr { kind: ExprKind::Query(query), at });
        }
        let mut list = self.expressions()?;
        if self.plsql && !self.is_symbol(")") {
            return Err(self.encountered(")"));
        }
        self.close()?;
        if list.len() == 1 {
            return Ok(list.remove(0));
        }
        Ok(Expr { kind: ExprKind::Row(list), at })
    }

    /// What begins with a word of its own grammar.
    fn special(&mut self, word: &str, at: usize) -> Result<Option<Expr>, OraError> {
        let kind = match word {
            "NULL" => {
                self.bump();
                ExprKind::Literal(Value::Null, ColumnType::Varchar2(0))
            }
            "TRUE" | "FALSE" if self.plsql => {
                self.bump();
                ExprKind::Boolean(word == "TRUE")
            }
            "DATE" | "TIMESTAMP" if matches!(self.ahead(1), Kind::Text(_)) => {
                self.time_literal(word)?
            }
            "INTERVAL" if matches!(self.ahead(1), Kind::Text(_)) => self.interval_literal()?,
            "CASE" => self.case()?,
            "EXISTS" if self.is_symbol_ahead(1, "(") => {
                self.bump();
                self.bump();
                let query = Box::new(self.query()?);
                self.close()?;
                ExprKind::Exists(query)
            }
            "CAST" if self.is_symbol_ahead(1, "(") => self.cast()?,
            "EXTRACT" if self.is_symbol_ahead(1, "(") => self.extract()?,
            "TRIM" if self.is_symbol_ahead(1, "(") => return self.trim(at).map(Some),
            _ => return Ok(None),
        };
        Ok(Some(Expr { kind, at }))
    }

    fn case(&mut self) -> Result<ExprKind, OraError> {
        self.bump();
        let operand = if self.is("WHEN") { None } else { Some(Box::new(self.expression()?)) };
        let mut arms = Vec::new();
        while self.accept("WHEN") {
            let when = self.expression()?;
            self.need("THEN", 905, "missing keyword")?;
            arms.push((when, self.expression()?));
        }
        if arms.is_empty() {
            return Err(self.error(905, "missing keyword"));
        }
        let otherwise = if self.accept("ELSE") { Some(Box::new(self.expression()?)) } else { None };
        self.need("END", 905, "missing keyword")?;
        Ok(ExprKind::Case { operand, arms, otherwise })
    }

    fn cast(&mut self) -> Result<ExprKind, OraError> {
        self.bump();
        self.bump();
        let value = Box::new(self.expression()?);
        self.need("AS", 905, "missing keyword")?;
        let (column_type, scale) = self.data_type()?;
        self.close()?;
        Ok(ExprKind::Cast(value, column_type, scale))
    }

    fn extract(&mut self) -> Result<ExprKind, OraError> {
        self.bump();
        self.bump();
        let field = self.name(907, "missing right parenthesis")?;
        self.need("FROM", 907, "missing right parenthesis")?;
        let value = Box::new(self.expression()?);
        self.close()?;
        Ok(ExprKind::Extract(field, value))
    }

    /// `TRIM([LEADING|TRAILING|BOTH] [c FROM] s)`.
    fn trim(&mut self, at: usize) -> Result<Expr, OraError> {
        self.bump();
        self.bump();
        let side = self.accept_any(&["LEADING", "TRAILING", "BOTH"]);
        let first = if self.is("FROM") { None } else { Some(self.expression()?) };
        let arguments = if self.accept("FROM") {
            let value = self.expression()?;
            std::iter::once(value).chain(first).collect()
        } else {
            let value = first.ok_or_else(|| self.error(936, "missing expression"))?;
            vec![value]
        };
        self.close()?;
        let name = match side {
            Some("LEADING") => "LTRIM",
            Some("TRAILING") => "RTRIM",
            _ => "TRIM",
        };
        Ok(call(name, arguments, at))
    }

    /// A column, a variable, a function.
    fn named(&mut self, at: usize) -> Result<Expr, OraError> {
        let mut parts = vec![self.name(936, "missing expression")?];
        while self.is_symbol(".") && matches!(self.ahead(1), Kind::Word(_) | Kind::Quoted(_)) {
            self.bump();
            if let Kind::Word(part) | Kind::Quoted(part) = self.bump() {
                parts.push(part);
            }
        }
        if self.is_symbol("@") {
            return Err(self.error(2019, "connection description for remote database not found"));
        }
        if self.is_symbol("(") && self.is_symbol_ahead(1, "+") && self.is_symbol_ahead(2, ")") {
            (0..3).for_each(|_| drop(self.bump()));
            return Ok(Expr { kind: ExprKind::Name { parts, outer: true }, at });
        }
        if self.is_symbol("(") {
            return self.call(parts, at);
        }
        if self.plsql && self.is_symbol("%") {
            self.bump();
            let attribute = self.name(6550, "")?;
            return Ok(Expr { kind: ExprKind::Attribute(parts.join("."), attribute), at });
        }
        Ok(Expr { kind: ExprKind::Name { parts, outer: false }, at })
    }

    fn call(&mut self, name: Vec<String>, at: usize) -> Result<Expr, OraError> {
        self.bump();
        let mut call = Call {
            name,
            arguments: Vec::new(),
            distinct: false,
            star: false,
            within: Vec::new(),
            keep_last: None,
            over: None,
            default: None,
            parentheses: true,
        };
        if self.is_symbol("*") && self.is_symbol_ahead(1, ")") {
            self.bump();
            call.star = true;
        } else if !self.is_symbol(")") {
            call.distinct = self.accept_any(&["DISTINCT", "UNIQUE"]).is_some();
            if !call.distinct {
                self.accept("ALL");
            }
            call.arguments = self.arguments()?;
            self.default_on_error(&mut call)?;
        }
        if self.is_any(&["ON", "IGNORE", "RESPECT"]) {
            return Err(self.error(3001, "unimplemented feature"));
        }
        self.close()?;
        self.field_of_element(&mut call.name)?;
        self.call_trailers(&mut call)?;
        Ok(Expr { kind: ExprKind::Call(Box::new(call)), at })
    }

    /// Up to the closing parenthesis.
    pub(crate) fn arguments(&mut self) -> Result<Vec<Argument>, OraError> {
        let mut arguments = Vec::new();
        loop {
            let name = if self.is_symbol_ahead(1, "=>") {
                let name = self.name(936, "missing expression")?;
                self.bump();
                Some(name)
            } else {
                None
            };
            arguments.push(Argument { name, value: self.expression()? });
            if !self.accept_symbol(",") {
                return Ok(arguments);
            }
        }
    }

    /// Behind the first argument of a conversion: `DEFAULT y ON CONVERSION ERROR, format`.
    fn default_on_error(&mut self, call: &mut Call) -> Result<(), OraError> {
        if call.arguments.len() != 1 || !self.accept("DEFAULT") {
            return Ok(());
        }
        call.default = Some(self.expression()?);
        if !self.accept_all(&["ON", "CONVERSION", "ERROR"]) {
            return Err(self.error(907, "missing right parenthesis"));
        }
        if self.accept_symbol(",") {
            call.arguments.extend(self.arguments()?);
        }
        Ok(())
    }

    /// WITHIN GROUP, KEEP and OVER.
    fn call_trailers(&mut self, call: &mut Call) -> Result<(), OraError> {
        if self.is_ahead(1, "GROUP") && self.accept_all(&["WITHIN", "GROUP"]) {
            self.open()?;
            call.within = self.order_by()?;
            self.close()?;
        }
        if self.is("KEEP") && self.is_symbol_ahead(1, "(") {
            self.bump();
            self.bump();
            self.need("DENSE_RANK", 905, "missing keyword")?;
            call.keep_last = Some(match self.accept_any(&["FIRST", "LAST"]) {
                Some(word) => word == "LAST",
                None => return Err(self.error(905, "missing keyword")),
            });
            call.within = self.order_by()?;
            self.close()?;
        }
        if self.is("OVER") && self.is_symbol_ahead(1, "(") {
            self.bump();
            self.bump();
            call.over = Some(self.over()?);
            self.close()?;
        }
        Ok(())
    }

    fn over(&mut self) -> Result<Over, OraError> {
        let mut over = Over::default();
        if self.accept("PARTITION") {
            self.need("BY", 924, "missing BY keyword")?;
            over.partition = self.expressions()?;
        }
        if self.is("ORDER") {
            over.order = self.order_by()?;
        }
        if self.is_any(&["ROWS", "RANGE"]) {
            over.rows = self.is("ROWS");
            self.bump();
            if self.accept_all(&["BETWEEN", "UNBOUNDED", "PRECEDING", "AND"]) {
                over.whole = self.accept_all(&["UNBOUNDED", "FOLLOWING"]);
                if !over.whole && !self.accept_all(&["CURRENT", "ROW"]) {
                    return Err(self.error(3001, "unimplemented feature"));
                }
            } else if !self.accept_all(&["UNBOUNDED", "PRECEDING"]) {
                return Err(self.error(3001, "unimplemented feature"));
            }
        }
        Ok(over)
    }

    /// `ORDER BY a DESC NULLS LAST, …`.
    pub(crate) fn order_by(&mut self) -> Result<Vec<OrderItem>, OraError> {
        self.need("ORDER", 30491, "missing ORDER BY expression in the window specification")?;
        self.need("BY", 924, "missing BY keyword")?;
        self.order_items()
    }

    /// Behind ORDER BY.
    pub(crate) fn order_items(&mut self) -> Result<Vec<OrderItem>, OraError> {
        let mut items = Vec::new();
        loop {
            let value = self.expression()?;
            let descending = self.accept_any(&["ASC", "DESC"]) == Some("DESC");
            let nulls_first = if self.accept_all(&["NULLS", "FIRST"]) {
                true
            } else {
                !self.accept_all(&["NULLS", "LAST"]) && descending
            };
            items.push(OrderItem { value, descending, nulls_first });
            if !self.accept_symbol(",") {
                return Ok(items);
            }
        }
    }
}

/// A call of a built-in function.
pub(crate) fn call(name: &str, arguments: Vec<Expr>, at: usize) -> Expr {
    let arguments = arguments.into_iter().map(|value| Argument { name: None, value }).collect();
    let call = Call {
        name: vec![name.to_owned()],
        arguments,
        distinct: false,
        star: false,
        within: Vec::new(),
        keep_last: None,
        over: None,
        default: None,
        parentheses: true,
    };
    Expr { kind: ExprKind::Call(Box::new(call)), at }
}

fn binary(operator: Binary, left: Expr, right: Expr, at: usize) -> Expr {
    Expr { kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)), at }
}

fn negated(inner: Expr, at: usize) -> Expr {
    Expr { kind: ExprKind::Unary(Unary::Not, Box::new(inner)), at }
}

fn maybe_negated(kind: ExprKind, not: bool, at: usize) -> Expr {
    let inner = Expr { kind, at };
    if not { negated(inner, at) } else { inner }
}
