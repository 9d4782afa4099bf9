//! Binds that are arrays: a block sees each as a collection that is called by its place. DBMS_OUTPUT.GET_LINES is here,
//! the one procedure that takes such a bind, or a collection.

use super::collection::Collection;
use super::desk::{Answer, Request};
use super::machine::{Machine, wrong_type};
use super::statement::{fitting, not_a_target, target_of, wrong_arguments};
use super::{Parameter, Returned, Signature};
use crate::conversation::{Array, Direction};
use crate::ora::OraError;
use crate::sql::ast::{Argument, BindUse, Declared, Expr, ExprKind};
use crate::sql::dml::Target;
use crate::sql::evaluate::convert;
use crate::value::{ColumnType, Value};

/// A bind that is an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ArrayBind {
    /// How many elements the client has room for.
    room: usize,
    /// How often the block reads it where an array may stand.
    reads: u32,
}

/// The collection of a bind. No name begins so.
pub(super) fn name(place: usize) -> String {
    format!(":{place}")
}

/// Whether a procedure is DBMS_OUTPUT.GET_LINES.
pub(super) fn gives_lines(name: &str) -> bool {
    name.strip_prefix("SYS.").unwrap_or(name) == "DBMS_OUTPUT.GET_LINES"
}

/// GET_LINES, but for the type of its first parameter, which is not a scalar.
fn get_lines() -> Signature {
    let parameter = |name: &str, direction, column_type| Parameter {
        name: name.to_owned(),
        direction,
        column_type,
        optional: false,
    };
    let lines = parameter("LINES", Direction::Out, ColumnType::Varchar2(32_767));
    let count = parameter("NUMLINES", Direction::InOut, ColumnType::Number);
    let name = "DBMS_OUTPUT.GET_LINES".to_owned();
    Signature { name, parameters: vec![lines, count], returns: None }
}

/// The arguments of GET_LINES: where the lines go, and the number of lines.
fn lines_and_count(arguments: &[Argument]) -> Result<(&Expr, &Expr), OraError> {
    let places = fitting(&get_lines(), arguments);
    match (places.as_deref(), arguments) {
        (Some([0, 1]), [lines, count]) | (Some([1, 0]), [count, lines]) => {
            Ok((&lines.value, &count.value))
        }
        _ => Err(OraError::new(6550, wrong_arguments("GET_LINES"))),
    }
}

impl Machine {
    /// The collection that a client's array is.
    pub(super) fn declare_array(&mut self, array: Array) {
        let Array { place, elements, room } = array;
        let input = self.inputs.binds.get(place).map(|input| input.column_type);
        let declared = input.map_or(Declared::Anything, |it| Declared::Sql(it, None));
        let collection = Collection::of_array(declared, elements);
        self.collections.insert(name(place), collection);
        self.array_binds.insert(place, ArrayBind { room, reads: 0 });
    }

    /// Counts a whole array that is read.
    pub(super) fn count_array(&mut self, value: &Expr) {
        if let ExprKind::Bind(place) = &value.kind
            && let Some(array) = self.array_binds.get_mut(place)
        {
            array.reads += 1;
        }
    }

    /// An array is not to be taken for a scalar that is NULL: each use of it has to be one of an array.
    pub(super) fn check_arrays(&self, uses: &[BindUse]) -> Result<(), OraError> {
        let scalar = |(place, array): (&usize, &ArrayBind)| {
            uses.get(*place).is_some_and(|uses| uses.reads != array.reads)
        };
        if self.array_binds.iter().any(scalar) { Err(wrong_type()) } else { Ok(()) }
    }

    /// The elements of the arrays that the block wrote.
    pub(super) fn arrays_written(
        &self,
        uses: &[BindUse],
    ) -> Result<Vec<(usize, Vec<Value>)>, OraError> {
        let written = self
            .array_binds
            .iter()
            .filter(|(place, _)| uses.get(**place).is_some_and(|uses| uses.written));
        written
            .map(|(place, array)| {
                let collection = self.collections.get(&name(*place)).ok_or_else(wrong_type)?;
                Ok((*place, collection.dense(array.room)?))
            })
            .collect()
    }

    pub(super) fn check_get_lines(
        &self,
        arguments: &[Argument],
        uses: &mut [BindUse],
        at: usize,
    ) -> Result<(), OraError> {
        let (lines, count) = lines_and_count(arguments).map_err(|error| error.at(at))?;
        let lines = target_of(lines).ok_or_else(|| not_a_target(lines))?;
        if !self.is_collection(&lines) {
            return Err(OraError::new(6550, wrong_arguments("GET_LINES")).at(at));
        }
        if let Target::Bind(place) = lines {
            uses[place].written = true;
            uses[place].reads = uses[place].reads.saturating_sub(1);
        }
        let number = target_of(count).ok_or_else(|| not_a_target(count))?;
        self.check_target(&number, count.at)?;
        if let Target::Bind(place) = number {
            uses[place].written = true;
        }
        Ok(())
    }

    /// As many lines as are wanted, or as there are.
    pub(super) async fn get_lines(&mut self, arguments: &[Argument]) -> Result<(), OraError> {
        let (lines, count) = lines_and_count(arguments)?;
        let (Some(lines), Some(target)) = (target_of(lines), target_of(count)) else {
            return Err(wrong_type());
        };
        let wanted = convert::whole(&self.evaluate(count).await?)?;
        let wanted = wanted.and_then(|wanted| usize::try_from(wanted).ok()).unwrap_or(0);
        let signatures = self.signatures("DBMS_OUTPUT.GET_LINE").await?;
        let one = signatures.into_iter().next().ok_or_else(wrong_type)?;
        let mut given = Vec::new();
        while given.len() < wanted {
            let request = Request::Call(one.clone(), vec![Some(Value::Null); one.parameters.len()]);
            let Answer::Returned(Returned { out, .. }) = self.ask(request).await? else { break };
            let [(_, line), (_, status)] = out.as_slice() else { break };
            if *status != Value::integer(0) {
                break;
            }
            given.push(line.clone());
        }
        self.assign(&target, Value::integer(given.len() as i128)).await?;
        self.fill(&lines, given).await
    }
}
