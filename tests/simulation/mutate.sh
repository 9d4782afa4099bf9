#!/bin/sh
# Makes one mistake at a time in a copy of the sources, and runs the simulation until it fails.
# Prints a row of a table for each; ends with 1 if one is not caught. `mutate.sh NAME` makes only that one.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
copy="$root/target/mutate"
export CARGO_TARGET_DIR="$root/target/mutants" RUST_BACKTRACE=0 SIMULATION_SEEDS="${SIMULATION_SEEDS:-100}"
missed=0

fresh() {
    rm -rf "$copy" && mkdir -p "$copy"
    (cd "$root" && git ls-files | grep -v '^fuzz/' | tar cf - -T -) | (cd "$copy" && tar xf -)
}

# name, file, extended regular expression, replacement
mutate() {
    [ -z "$only" ] || [ "$only" = "$1" ] || return 0
    before=$(cksum <"$copy/$2")
    cp "$copy/$2" "$copy/.saved"
    perl -0pi -e "s{$3}{$4}" "$copy/$2"
    if [ "$before" = "$(cksum <"$copy/$2")" ]; then
        echo "| $1 | does not apply any more |"
        missed=1
        return 0
    fi
    said=$(cd "$copy" && cargo test --offline -q --test simulation nothing 2>&1)
    found=$(printf '%s\n' "$said" | grep -o 'seed [0-9]*, step [0-9]*.*' | head -1 | cut -c1-110)
    case $found in
        '') printf '%s\n' "$said" | grep -E '^error|panicked' | head -3; echo "| $1 | NOT CAUGHT |"; missed=1 ;;
        *) echo "| $1 | $found |" ;;
    esac
    cp "$copy/.saved" "$copy/$2"
}

only="${1:-}"
fresh
e=src/engine d=src/daemon
mutate guard-partial $e/guard.rs 'if stands_still \|\| missing.contains\(&inst_id\)' 'if false'
mutate guard-per-hour $e/limit.rs 'let allowed = if used > limit \{ 0 \} else \{ more \+ again \};' \
    'let allowed = u64::MAX;'
mutate guard-per-tick $e/limit.rs '\[limits.per_tick, percent\]' '[None, percent]'
mutate guard-percent $e/limit.rs 'share \/ 100_000|population\) \/ 100_000' 'population) \/ 10_000'
mutate guard-undo $e/guard.rs '> limit => \{' '> u64::MAX - 1 => {'
mutate guard-undo-unknown $e/guard.rs 'None if in_transaction' 'None if in_transaction && false'
mutate guard-pause $e/guard.rs 'let Some\(\(reason, detail\)\) = paused.or\(broken\)' \
    'let Some((reason, detail)) = broken'
mutate guard-follower $e/guard.rs 'or\(broken\).or\(follows\)' 'or(broken)'
mutate guard-silence $e/guard.rs '!= Truth::False' '== Truth::Unknown'
mutate history-instances $e/history.rs 'self.instances.insert\(instance.inst_id, now\);' ''
mutate history-per-hour $e/history.rs 'ended.insert\(end.life, now\);' ''
mutate history-timers $e/history.rs 'before.get\(life\).copied\(\).unwrap_or\(now\)' \
    'before.get(life).copied().unwrap_or(Timestamp(0))'
mutate plan-undecided $e/plan.rs 'if by_name \|\| exempted == Truth::Unknown' 'if by_name'
mutate plan-unless $e/plan.rs 'if exempted == Truth::True' 'if false'
mutate plan-keep $e/plan.rs 'if may_end == 0' 'if false'
mutate plan-keep-leaving $e/plan.rs 'history.is_leaving\(it.life\(\)\)' 'history.is_leaving(it.life()) && false'
mutate plan-for $e/plan.rs 'candidate && held < rule.hold' 'candidate && held < Span::ZERO'
mutate plan-rung $e/plan.rs 'entry.rung = rung;' 'entry.rung = rungs.len() - 1;'
mutate pursuit-wait $e/pursuit.rs 'now.since\(taken\) >= wait' 'now.since(taken) >= Span::ZERO'
mutate pursuit-take-up $e/pursuit.rs '\| Outcome::Unknown\);' ');'
mutate pursuit-gone $e/pursuit.rs 'None if missing.contains\(&life.key.inst_id\) => Finding::NotKnown,' ''
mutate executor-dry-run $d/executor.rs 'if means.acting.is_dry_run\(end.mode\) =>' 'if false =>'
mutate killer-dry-run $d/killer.rs 'if !acting.is_dry_run\(mode\) =>' 'if true =>'
mutate executor-trouble $d/executor.rs 'if round.trouble.is_some\(\) \{' 'if false {'
mutate tick-no-intent $d/tick.rs 'audit.intend\(stamp, plan, clock\(\)\)\?;' ''
mutate tick-no-settle $d/tick.rs 'audit.settle\(\)\?;' ''
mutate tick-read-only $d/tick.rs 'standing.acting = Acting::DryRun;' ''
mutate tick-no-authority $d/tick.rs 'standing.authority = worker.killers.authority\(\)' '()'
mutate tick-no-holds $d/tick.rs 'standing.holds = holds;' ''
mutate protect-own $e/protect.rs 'own.binary_search\(&session.key\(\)\).is_ok\(\)' 'false'
exit $missed
