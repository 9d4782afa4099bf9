#!/bin/sh
# Makes mistakes in a copy of the production sources, all in one build, in which the environment variable MUTANT says
# which of them is made. Runs the simulation with each until it fails, and prints a row of a table for each; ends with 1
# if one is not caught. `mutate.sh NAME` makes only that one.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
copy="$root/target/mutate"
export CARGO_TARGET_DIR="$root/target/mutants" RUST_BACKTRACE=0 SIMULATION_SEEDS="${SIMULATION_SEEDS:-200}"
missed=0 names=

# name, file, extended regular expression, replacement; in that, `M` is whether the mistake is made, and `$&` what stood
# there before.
mutate() {
    replacement=$(printf '%s' "$4" | sed "s/\\bM\\b/crate::mutant(\"$1\")/g")
    before=$(cksum <"$copy/$2")
    perl -0pi -e "s{$3}{$replacement}" "$copy/$2"
    if [ "$before" = "$(cksum <"$copy/$2")" ]; then
        echo "| $1 | does not apply any more |"
        missed=1
        return 0
    fi
    case " $names " in *" $1 "*) ;; *) names="$names $1" ;; esac
}

rm -rf "$copy" && mkdir -p "$copy"
(cd "$root" && git ls-files | grep -v '^fuzz/' | tar cf - -T -) | (cd "$copy" && tar xf -)
cat >>"$copy/src/lib.rs" <<'END'
/// Whether this mistake is made.
pub fn mutant(name: &str) -> bool {
    static CHOSEN: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| std::env::var("MUTANT").unwrap_or_default());
    *CHOSEN == name
}
END

e=src/engine d=src/daemon
mutate guard-partial $e/guard.rs 'stands_still \|\| missing.contains\(&inst_id\)' '!M && ($&)'
mutate guard-per-hour $e/limit.rs 'if used > limit \{ 0 \} else \{ more \+ again \}' 'if M { u64::MAX } else { $& }'
mutate guard-per-tick $e/limit.rs '\[limits.per_tick, percent\]' '[limits.per_tick.filter(|_| !M), percent]'
mutate guard-percent $e/limit.rs 'population\) \/ 100_000' 'population) / if M { 10_000 } else { 100_000 }'
mutate guard-undo $e/guard.rs '> limit =>' '> limit && !M =>'
mutate guard-undo-unknown $e/guard.rs 'None if in_transaction' 'None if in_transaction && !M'
mutate guard-pause $e/guard.rs 'paused.or\(broken\)' 'paused.filter(|_| !M).or(broken)'
mutate guard-follower $e/guard.rs 'or\(follows\)' 'or(follows.filter(|_| !M))'
mutate guard-silence $e/guard.rs 'truth\(condition, facts, entry.row\) != Truth::False' \
    'if M { truth(condition, facts, entry.row) == Truth::Unknown } else { $& }'
mutate history-instances $e/history.rs 'self.instances.insert\(instance.inst_id, now\);' 'if !M { $& }'
mutate history-per-hour $e/history.rs 'ended.insert\(end.life, now\);' 'if !M { $& }'
mutate history-clock-unsure $e/history.rs 'true if unsure > CLOCK_TOLERANCE' '$& && !M'
mutate history-timers $e/history.rs 'before.get\(life\).copied\(\).unwrap_or\(now\)' \
    'before.get(life).copied().unwrap_or(if M { Timestamp(0) } else { now })'
mutate plan-undecided $e/plan.rs 'by_name \|\| exempted == Truth::Unknown' 'by_name || (exempted == Truth::Unknown && !M)'
mutate plan-unless $e/plan.rs 'if exempted == Truth::True' '$& && !M'
mutate plan-keep $e/plan.rs 'may_end == 0 && !leaves' '$& && !M'
mutate plan-keep-leaving $e/plan.rs 'history.is_leaving\(it.life\(\)\)' '$& && !M'
mutate plan-for $e/plan.rs 'candidate && held < rule.hold' '$& && !M'
mutate plan-rung $e/plan.rs 'entry.rung = rung;' 'entry.rung = if M { rungs.len() - 1 } else { rung };'
mutate pursuit-wait $e/pursuit.rs 'now.since\(taken\) >= wait' '(M || $&)'
mutate pursuit-take-up $e/pursuit.rs 'let was_sent = ' '$&!(M && *outcome == Outcome::Unknown) && '
mutate pursuit-gone $e/pursuit.rs 'None if missing.contains\(&life.key.inst_id\)' '$& && !M'
mutate killer-dry-run $d/killer.rs 'if !acting.is_dry_run\(mode\) =>' 'if !acting.is_dry_run(mode) || M =>'
mutate executor-trouble $d/executor.rs 'if round.trouble.is_some\(\)' '$& && !M'
mutate executor-not-tried $d/executor.rs 'self.take\(at, Outcome::Failed\(Failure::NotTried\)\);' \
    'self.take(at, if M { Outcome::Ended } else { Outcome::Failed(Failure::NotTried) });'
mutate tick-no-intent $d/tick.rs 'audit.intend\(stamp, plan, clock\(\)\)' '{ if M { Ok(()) } else { $& } }'
mutate tick-goes-on $d/tick.rs 'return (\(vec!\[.*?Err\(error\)\));' 'if !M { return $1; }'
mutate tick-no-settle $d/tick.rs 'audit.settle\(\)' '{ if M { Ok(()) } else { $& } }'
mutate clock-ages $e/session.rs 'time >= set' '(M || $&)'
mutate clock-shift $e/history.rs 'self.shift\(by\);' 'if !M { $& }'
mutate executor-fuse $d/executor.rs 'round.fuses.stops\(end\)' '$& && !M'
mutate tick-read-only $e/standing.rs 'self.acting = Acting::DryRun;' 'if !M { $& }'
mutate tick-no-authority $d/tick.rs 'standing.authority = worker.killers.authority\(\)' 'if !M { $& }'
mutate tick-no-holds $d/tick.rs 'standing.holds = holds;' 'if !M { $& }'
# The guard looks again, so both forget.
mutate protect-own $e/protect.rs 'own.binary_search\(&session.key\(\)\).is_ok\(\)' '$& && !M'
mutate protect-own $e/guard.rs 'snapshot.own_sessions.contains\(&session.key\(\)\)' '$& && !M'

said=$(cd "$copy" && cargo test --offline -q --no-default-features --test simulation --no-run 2>&1) || {
    printf '%s\n' "$said" | grep -E -A6 '^error'
    exit 1
}
program=$(ls -t "$CARGO_TARGET_DIR"/debug/deps/simulation-* | grep -v '\.d$' | head -1)
# Without a mistake nothing is found, or what is found with one would prove nothing.
(cd "$copy" && MUTANT= SIMULATION_SEEDS=40 "$program" nothing >/dev/null 2>&1) || { echo "it fails as it is"; exit 1; }
for name in ${1:-$names}; do
    said=$(cd "$copy" && MUTANT="$name" "$program" nothing 2>&1)
    found=$(printf '%s\n' "$said" | grep -o 'seed [0-9]*, step [0-9]*.*' | head -1 | cut -c1-110)
    [ -n "$found" ] || { found='NOT CAUGHT' missed=1; printf '%s\n' "$said" | grep -E 'panicked' | head -3; }
    echo "| $name | $found |"
done
exit $missed
