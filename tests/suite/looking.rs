//! The verbs that look at a live database: what one of them writes, another reads back.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use rac_sim::cluster::fault::Fault;
use serde_json::Value;

use crate::relay::Relay;
use crate::rig::{OLTP, Rig, json_lines};

const POLICY: &str = "
version: 1
rules:
  - {name: idle, match: {idle_for: '> 5m'}, action: kill, limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}}
  - {name: blockers, match: {blocked_sessions: '> 0'}, action: report}
  - {name: slow, match: {active_for: '> 5s', sql_text: {like: 'SELECT%'}}, unless: [{match: {module: {like: 'batch%'}}}],
     action: cancel_sql, limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}}
";

/// Who is ended and spared by a plan, without the daemon's own sessions, which a capture does not know.
fn decided(plan: &Value) -> Vec<String> {
    let of = |key: &str| plan[key].as_array().cloned().unwrap_or_default();
    let all = of("end").into_iter().chain(of("spared"));
    all.filter(|it| it["because"] != "own-session").map(|it| it.to_string()).collect()
}

/// Nothing is remembered yet that could tell of the other instance.
#[test]
fn the_first_look_of_all_knows_that_an_instance_is_left_out() {
    let rig = Rig::start("{seed: 3, speed: 1, databases: [{like: quiet}]}");
    rig.configure("orawarden", &format!("{{connect: '{}'}}", rig.connect("RACDB1")));
    rig.write("p.yaml", POLICY);
    let stand_still = || {
        let plan = &rig.lines(&["plan"])[0];
        let halted = plan["halted"].as_array().expect("it is a list");
        let partial = halted.iter().filter(|it| it["because"] == "partial");
        partial.map(|it| it["rule"].to_string()).collect::<Vec<_>>()
    };
    assert!(stand_still().is_empty());
    rig.database().lock().cluster.inject(&Fault::Hide { instance: 2, seconds: 0 });
    assert_eq!(stand_still(), [r#""blockers""#], "it counts across instances");
    rig.database().lock().cluster.inject(&Fault::Evict { instance: 2, seconds: 0 });
    assert!(stand_still().is_empty(), "nobody is there to be counted");
}

#[test]
fn what_is_recorded_of_a_live_database_is_planned_as_the_database_itself() {
    let rig = Rig::start(&OLTP.replace("speed: 1", "speed: 0"));
    rig.write("p.yaml", POLICY);
    let live = rig.lines(&["plan"]);
    assert!(decided(&live[0]).len() > 100, "{}", live[0]);
    let (code, out, err) = rig.types(&["record", "--out", "seen.jsonl"]);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    let recorded = ["--policy", "p.yaml", "--capture", "seen.jsonl", "--database", "prod"];
    let seen = rig.lines(&[&["plan"], &recorded[..]].concat());
    assert_eq!(decided(&seen[0]), decided(&live[0]));
    // A second moment, in which nothing happened but that time went by.
    rig.database().advance(1_000_000);
    assert_eq!(rig.types(&["record", "--out", "seen.jsonl"]).0, Some(0));
    let replayed = rig.lines(&[&["replay", "--every-snapshot"], &recorded[..]].concat());
    let idle = replayed.iter().find(|it| it["rule"] == "idle").expect("it is told");
    let ends = live[0]["end"].as_array().expect("it is a list");
    let once = ends.iter().filter(|end| end["rule"] == "idle").count();
    assert!(once > 10, "{}", live[0]);
    // Whoever went at the first does not go again at the second.
    let ended = idle["end"].as_u64().and_then(|it| usize::try_from(it).ok()).expect("a number");
    assert!(ended >= once && ended < once + 10, "{ended} of {once}");
}

#[test]
fn a_recording_goes_on_until_it_has_looked_often_enough() {
    let rig = Rig::start("{seed: 3, speed: 1, databases: [{like: quiet}]}");
    let (code, out, err) = rig.types(&["record", "--every", "1s", "--count", "3"]);
    assert_eq!((code, err.as_str()), (Some(0), "3 looks of 3 written\n"));
    let taken_at = |row: &Value| row["taken_at"].to_string();
    let times: BTreeSet<String> = json_lines(&out).iter().map(taken_at).collect();
    assert_eq!(times.len(), 3);
    for words in [
        ["record", "--every", "0s"],
        ["record", "--every", "soon"],
        ["record", "--count", "0"],
        ["record", "--database", "nowhere"],
    ] {
        let (code, out, err) = rig.types(&words);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{words:?}: {err}");
    }
}

#[test]
fn a_check_against_a_database_looks_at_it_as_often_as_an_examination_does() {
    let rig = Rig::start("{seed: 3, speed: 1, databases: [{like: quiet}]}");
    let relay = Relay::to(rig.address());
    rig.configure("orawarden", &format!("{{connect: '//{}/RACDB'}}", relay.address()));
    let turns = |words: &[&str]| {
        let before = relay.turns();
        let (code, out, err) = rig.types(words);
        assert_eq!(code, Some(0), "{out}{err}");
        relay.turns() - before
    };
    let once = turns(&["doctor"]);
    assert!(once > 10, "{once}");
    // A log-on takes a packet more or less; another one, and another look, take many.
    assert!(turns(&["check", "--live", "c.yaml"]) < once + 5);
}

/// What is left of a look that did not fit would be read as one with fewer sessions.
#[test]
fn a_look_that_does_not_fit_on_the_disk_is_not_in_the_file_at_all() {
    let rig = Rig::start(&OLTP.replace("speed: 1", "speed: 0"));
    assert_eq!(rig.types(&["record", "--out", "seen.jsonl"]).0, Some(0));
    let whole = rig.read("seen.jsonl");
    // Room for half of a second one, in the shell's blocks of 512 bytes.
    let room = whole.len() * 3 / 2 / 512;
    let record = rig.command(&["record", "--out", "seen.jsonl", "--every", "1s", "--count", "2"]);
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {room}; exec \"$@\"")).arg("sh");
    limited.arg(record.get_program()).args(record.get_args()).current_dir(rig.path(""));
    let output = limited.stdin(Stdio::null()).output().expect("there is a shell");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(74), "{err}");
    assert!(rig.read("seen.jsonl") == whole, "{} of {}", rig.read("seen.jsonl").len(), whole.len());
}

/// As after kill -9 in the middle of a look: what is left of it goes, what was whole stays, and no other file is cut.
#[test]
fn a_recording_that_was_killed_goes_on_without_its_half_look() {
    let rig = Rig::start("{seed: 3, speed: 0, databases: [{like: quiet}]}");
    let record = || rig.types(&["record", "--out", "seen.jsonl"]);
    assert_eq!(record().0, Some(0));
    let first = rig.read("seen.jsonl");
    rig.database().advance(1_000_000);
    assert_eq!(record().0, Some(0));
    let both = rig.read("seen.jsonl");
    let second = &both[first.len()..];
    let half = |upto: usize| both[..upto].to_owned();
    let lines = |text: &str| text.lines().count();
    assert!(lines(second) > 10, "{second}");
    for (left, whole) in [
        (half(first.len() + second.len() / 2), first.as_str()),
        (half(both.len() - 1), &first),
        (half(first.len() + 60), &first),
        (half(first.len() / 2), ""),
        // It may have been the next line of the first look.
        (half(first.len() + 5), ""),
    ] {
        assert!(!left.ends_with('\n'));
        rig.write("seen.jsonl", &left);
        let (code, _, err) = record();
        let told = format!("its last {} bytes were cut off", left.len() - whole.len());
        assert!(code == Some(0) && err.contains(&told), "{told}: {err}");
        let now = rig.read("seen.jsonl");
        let added = now.strip_prefix(whole).expect("what was whole stays");
        let time = &second[..30];
        assert!(lines(added) > 10 && added.lines().all(|line| line.starts_with(time)), "{added}");
    }
    rig.write("seen.jsonl", &both);
    assert_eq!(record(), (Some(0), String::new(), "1 look of 1 written\n".to_owned()));
    assert!(rig.read("seen.jsonl").starts_with(&both), "nothing was half");
    for other in ["SID,SERIAL#\n7,8", "{\"sid\":7}\n{\"sid", "a"] {
        rig.write("seen.jsonl", other);
        let (code, _, err) = record();
        assert!(code == Some(2) && err.contains("is no recording"), "{err}");
        assert_eq!(rig.read("seen.jsonl"), other);
    }
}

#[test]
fn a_listing_of_a_live_database_reads_back_in_both_forms() {
    let rig = Rig::start(&OLTP.replace("speed: 1", "speed: 0"));
    let live = rig.lines(&["sessions", "--match", "{username: APP}"]);
    for format in ["json", "csv"] {
        let words = ["sessions", "--match", "{type: USER}", "--format", format];
        let (code, out, err) = rig.types(&words);
        assert_eq!(code, Some(0), "{err}");
        rig.write("listed", &out);
        let again = rig.lines(&["sessions", "--match", "{username: APP}", "--capture", "listed"]);
        assert_eq!(again.len(), live.len(), "{format}");
        let texts = |rows: &[Value]| -> Vec<String> { rows.iter().map(Value::to_string).collect() };
        if format == "json" {
            assert_eq!(texts(&again), texts(&live));
        }
    }
}

#[test]
fn one_session_is_explained_by_what_the_database_shows() {
    let rig = Rig::start(&OLTP.replace("speed: 1", "speed: 0"));
    rig.write("p.yaml", POLICY);
    let plan = &rig.lines(&["plan"])[0];
    let victim = &plan["end"][0];
    let cell = |name: &str| victim[name].to_string();
    let who = format!("{},{},@{}", cell("sid"), cell("serial"), cell("inst_id"));
    let (code, out, err) = rig.types(&["explain", &who]);
    assert_eq!(code, Some(0), "{err}");
    let rule = victim["rule"].as_str().expect("it has one");
    assert!(out.contains(rule) && out.contains("matched"), "{out}");
    assert_eq!(rig.types(&["explain", "999999,1"]).0, Some(2), "nobody is there");
}

/// What `check --live` finds: the exit code, and a line each.
fn found(rig: &Rig, words: &[&str]) -> (Option<i32>, Vec<String>) {
    let (code, out, err) = rig.types(&[&["check", "--live"], words].concat());
    assert_eq!(err, "");
    // The model's own time is another, and it does not show the limits of profiles.
    let known = |line: &&str| line.contains(": clock: ") || line.contains(": own profile: ");
    let of_database = |line: &&str| line.contains(": prod: ") && !known(line);
    (code, out.lines().filter(of_database).map(str::to_owned).collect())
}

#[test]
fn a_check_against_a_database_says_what_it_cannot_tell_or_do() {
    let rig = Rig::start("{seed: 3, speed: 1, databases: [{like: quiet}]}");
    rig.write("p.yaml", POLICY);
    assert_eq!(found(&rig, &[]), (Some(0), Vec::new()), "all is well");

    let few =
        "[CREATE SESSION, ALTER SYSTEM, SELECT ON SYS.GV_$SESSION, SELECT ON SYS.V_$SESSION, SELECT ON SYS.GV_$INSTANCE,
        SELECT ON SYS.V_$DATABASE]";
    let rig = Rig::start(&format!(
        "{{seed: 3, speed: 1, databases: [{{model: {{name: RACDB, release: '12.2', instances: [{{name: RACDB1, host: a}}]}},
            accounts: [{{name: FEW, password: orawarden, grants: {few}}}]}}]}}"
    ));
    rig.configure("FEW", "{}");
    rig.write(
        "p.yaml",
        "
version: 1
queries: {ours: {sql: 'SELECT inst_id, sid, serial# FROM nowhere.at_all'}}
rules:
  - {name: temp, match: {temp_mb: '> 100', in_query: ours}, action: kill}
  - {name: cancel, match: {sql_running_for: '> 1h'}, action: cancel_sql}
  - {name: elsewhere, databases: [other], match: {pga_mb: '> 1'}, action: kill}
",
    );
    let (code, lines) = found(&rig, &[]);
    assert_eq!(code, Some(78), "{lines:?}");
    for expected in [
        "error: prod: rule temp: nothing here tells temp_mb",
        "error: prod: rule temp: nothing here tells in_query",
        "error: prod: rule cancel: cancel_sql cannot be sent this way to release 12.2",
        "warning: prod: GV_$TEMPSEG_USAGE: cannot be read; GRANT SELECT ON sys.gv_$tempseg_usage TO FEW;",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{expected}: {lines:#?}");
    }
    assert!(
        lines.iter().any(|line| line.contains("ORA-00942") && line.contains("ours")),
        "{lines:#?}"
    );
    assert!(!lines.iter().any(|line| line.contains("elsewhere")), "{lines:#?}");
}
