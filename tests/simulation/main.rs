//! Enforcement under simulation: random clusters, policies, faults and reloads under a virtual clock, one to three
//! daemons made of the production engine, history, executor and tick, and an oracle that knows the truth and checks
//! every statement at the moment when it is carried out. README.md says how to run more of it and how to replay.

#![expect(clippy::print_stdout, reason = "a run prints what it did")]

mod checks;
mod locks;
mod mutation;
mod order;
mod policy;
mod ports;
mod rng;
mod truth;
mod view;
mod world;

use std::env;
use std::fmt::Write as _;

use mutation::Mutation;
use ports::{Simulation, step};
use world::Stats;

/// Steps of one seed: some hours of its database.
const STEPS: u64 = 400;

/// Runs a seed; the error says what must never have happened, and at which step.
fn run(seed: u64, steps: u64, mutation: Option<Mutation>) -> Result<Stats, (u64, String)> {
    let simulation = Simulation::new(seed, mutation);
    for at in 0..steps {
        step(&simulation);
        if let Some(violation) = simulation.world().violation.take() {
            return Err((at, violation));
        }
    }
    let stats = simulation.world().stats;
    Ok(stats)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

fn add(sum: &mut Stats, more: Stats) {
    let Stats { ticks, sent, ended, changed, unknown, flown, simulated, crashes, .. } = more;
    let Stats { nested, partial, reloads, rungs, elections, held, idle_again, trace, .. } = more;
    sum.ticks += ticks;
    sum.sent += sent;
    sum.ended += ended;
    sum.changed += changed;
    sum.unknown += unknown;
    sum.flown += flown;
    sum.simulated += simulated;
    sum.crashes += crashes;
    sum.nested += nested;
    sum.partial += partial;
    sum.reloads += reloads;
    sum.rungs += rungs;
    sum.elections += elections;
    sum.held += held;
    sum.idle_again += idle_again;
    sum.trace ^= trace;
}

#[test]
fn nothing_that_must_never_happen_does() {
    let first = number("SIMULATION_SEED").unwrap_or(1);
    let seeds = number("SIMULATION_SEEDS").unwrap_or(40);
    let steps = number("SIMULATION_STEPS").unwrap_or(STEPS);
    let mut sum = Stats::default();
    for seed in first..first + seeds {
        match run(seed, steps, None) {
            Ok(stats) => add(&mut sum, stats),
            Err((at, what)) => panic!(
                "seed {seed}, step {at}: {what}\nagain: SIMULATION_SEED={seed} SIMULATION_SEEDS=1 \
                 SIMULATION_STEPS={} cargo test --test simulation nothing",
                at + 1
            ),
        }
    }
    println!("{sum:?}");
    if seeds >= 40 && steps >= STEPS {
        let Stats { ended, changed, unknown, flown, simulated, crashes, nested, .. } = sum;
        let Stats { partial, reloads, rungs, elections, held, .. } = sum;
        let all = [ended, changed, unknown, flown, simulated, crashes, nested, partial, reloads];
        let rare = [rungs, elections, held];
        assert!(all.iter().chain(&rare).all(|it| *it > 0), "something never happened: {sum:?}");
    }
}

#[test]
fn a_seed_means_the_same_again() {
    for seed in [3, 4, 5] {
        assert_eq!(run(seed, 150, None).ok(), run(seed, 150, None).ok());
    }
}

/// Seeds that a mistake is looked for in, at most.
const MUTATION_SEEDS: u64 = 60;

#[test]
fn every_mistake_is_caught() {
    let mut missed = Vec::new();
    let mut table = String::new();
    let only = env::var("SIMULATION_MUTATION").ok();
    for mutation in Mutation::ALL {
        let name = format!("{mutation:?}");
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let caught = (1..=MUTATION_SEEDS).find_map(|seed| {
            run(seed, STEPS, Some(mutation)).err().map(|(step, what)| (seed, step, what))
        });
        match caught {
            Some((seed, step, what)) => {
                let what: String = what.chars().take(90).collect();
                writeln!(table, "| {name} | {seed} | {step} | {what} |").expect("a string");
            }
            None => missed.push(name),
        }
    }
    println!("{table}");
    assert!(missed.is_empty(), "never caught: {missed:?}");
}
