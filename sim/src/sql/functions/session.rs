//! Functions that tell about the session.

use super::{Function, Gives, function, text_of};
use crate::ora::OraError;
use crate::sql::datetime;
use crate::sql::evaluate::Evaluator;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("USER", (0, 0), Gives::Text(128), |e, _| Ok(Value::text(e.environment.user()))),
    function("UID", (0, 0), Gives::Number, |e, _| Ok(Value::integer(e.environment.user_id()))),
    function("DBTIMEZONE", (0, 0), Gives::Text(6), |e, _| {
        Ok(Value::text(datetime::offset_text(e.environment.database_offset())))
    }),
    function("SESSIONTIMEZONE", (0, 0), Gives::Text(75), |e, _| {
        Ok(Value::text(e.environment.session_zone()))
    }),
    function("SYS_CONTEXT", (2, 3), Gives::Text(256), |e, v| {
        let (Some(namespace), Some(parameter)) = (text_of(e, v, 0)?, text_of(e, v, 1)?) else {
            return Ok(Value::Null);
        };
        context(e, &namespace, &parameter)
    }),
    function("USERENV", (1, 1), Gives::Text(64), |e, v| match text_of(e, v, 0)? {
        Some(parameter) => context(e, "USERENV", &parameter),
        None => Ok(Value::Null),
    }),
];

fn context(evaluator: &Evaluator<'_>, namespace: &str, parameter: &str) -> Result<Value, OraError> {
    evaluator
        .environment
        .context(&namespace.to_uppercase(), &parameter.to_uppercase())
        .ok_or_else(|| OraError::new(2003, "invalid USERENV parameter"))
}
