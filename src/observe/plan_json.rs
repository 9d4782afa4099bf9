//! The plan as one line of JSON, for `plan --format json` and whoever reads it. The keys and their order are
//! documented and stay; engine types are not serialisable themselves, so that they may change.

use serde::Serialize;

use crate::engine::explain::Reason;
use crate::engine::guard::{ApprovedPlan, End, Halted, Spared};

/// The plan as one line, without a line break at the end.
pub fn plan_json(plan: &ApprovedPlan) -> String {
    let plan = PlanJson {
        database: plan.database(),
        taken_at: plan.taken_at().map(|at| at.to_string()),
        sessions: plan.sessions(),
        end: plan.ends().iter().map(EndJson::of).collect(),
        spared: plan.spared().iter().map(SparedJson::of).collect(),
        halted: plan.halted().iter().map(HaltedJson::of).collect(),
        warnings: plan.warnings(),
    };
    serde_json::to_string(&plan).expect("texts and numbers always serialise")
}

#[derive(Serialize)]
struct PlanJson<'a> {
    database: &'a str,
    taken_at: Option<String>,
    sessions: usize,
    end: Vec<EndJson<'a>>,
    spared: Vec<SparedJson<'a>>,
    halted: Vec<HaltedJson<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct EndJson<'a> {
    inst_id: u32,
    sid: u32,
    serial: u32,
    logon_time: Option<String>,
    username: Option<&'a str>,
    rule: &'a str,
    action: &'static str,
    ladder: Vec<String>,
    mode: String,
    reasons: Vec<ReasonJson<'a>>,
}

impl<'a> EndJson<'a> {
    fn of(end: &'a End) -> Self {
        // The witness is for the killer alone, and `action` says what the rung stands for. Whoever asks for a plan has
        // the policies.
        let End { rule, owner: _, runbook: _, mode, life, username, action, rung: _, .. } = end;
        let End { per_second: _, reasons, witness: _, .. } = end;
        Self {
            inst_id: life.key.inst_id,
            sid: life.key.sid,
            serial: life.key.serial,
            logon_time: life.logon_time.map(|time| time.to_string()),
            username: username.as_deref(),
            rule,
            action: end.verb_text(),
            ladder: action.rungs(),
            mode: mode.to_string(),
            reasons: reasons.iter().map(ReasonJson::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct ReasonJson<'a> {
    field: &'static str,
    observed: &'a str,
    test: &'a str,
}

impl<'a> ReasonJson<'a> {
    fn of(reason: &'a Reason) -> Self {
        let Reason { field, observed, test } = reason;
        Self { field, observed, test }
    }
}

#[derive(Serialize)]
struct SparedJson<'a> {
    inst_id: u32,
    sid: u32,
    serial: u32,
    rule: &'a str,
    because: String,
    detail: &'a str,
}

impl<'a> SparedJson<'a> {
    fn of(spared: &'a Spared) -> Self {
        let Spared { rule, life, reason, detail } = spared;
        Self {
            inst_id: life.key.inst_id,
            sid: life.key.sid,
            serial: life.key.serial,
            rule,
            because: reason.because(),
            detail: detail.as_str(),
        }
    }
}

#[derive(Serialize)]
struct HaltedJson<'a> {
    rule: &'a str,
    because: &'static str,
    detail: &'a str,
}

impl<'a> HaltedJson<'a> {
    fn of(halted: &'a Halted) -> Self {
        let Halted { rule, reason, detail } = halted;
        Self { rule, because: reason.because(), detail: detail.as_str() }
    }
}

#[cfg(test)]
mod tests {
    use super::plan_json;
    use crate::engine::policy::Mode;
    use crate::observe::fixture::{RuleSketch, plan_of, snapshot};

    #[test]
    fn the_plan_has_the_documented_keys_in_the_documented_order() {
        let rule = RuleSketch { name: "idle", mode: Mode::Enforce, ..RuleSketch::default() };
        let seen = snapshot(&[(7, "APP"), (8, "SYS")]);
        assert_eq!(
            plan_json(&plan_of(&[rule.build()], &seen)),
            concat!(
                r#"{"database":"prod","taken_at":"2026-03-29T12:00:00Z","sessions":2,"#,
                r#""end":[{"inst_id":1,"sid":7,"serial":70,"logon_time":"2026-03-29T11:00:00Z","#,
                r#""username":"APP","rule":"idle","action":"kill immediate","#,
                r#""ladder":["kill immediate"],"mode":"enforce","#,
                r#""reasons":[{"field":"any_session","observed":"true","test":"true"}]}],"#,
                r#""spared":[{"inst_id":1,"sid":8,"serial":80,"rule":"idle","#,
                r#""because":"oracle-maintained","detail":"an account that Oracle or the platform maintains"}],"#,
                r#""halted":[],"warnings":[]}"#,
            )
        );
    }
}
