//! scratch
use rac_sim::cluster::spec::Spec;
use rac_sim::cluster::{Cluster, SECOND};
use std::collections::BTreeMap;
#[test]
fn look() {
    for (name, spec) in [("oltp", Spec::oltp()), ("batch", Spec::batch()), ("storm", Spec::storm())] {
        let mut c = Cluster::new(spec, 1);
        for step in 0..8 {
            c.advance(if step==0 {150} else {151} * SECOND);
            let mut st: BTreeMap<String, usize> = BTreeMap::new();
            let mut ev: BTreeMap<String, usize> = BTreeMap::new();
            let (mut n, mut under60, mut inact, mut act0, mut act, mut nulls)=(0,0,0,0,0,0);
            for i in c.instances() { for s in i.sessions() {
                if s.user.is_none() {continue}
                n+=1;
                *st.entry(format!("{:?}", s.status())).or_default()+=1;
                if s.call.is_none() { inact+=1; if c.last_call_et(s)<60 {under60+=1} } else {
                    act+=1; if c.last_call_et(s)==0 {act0+=1}
                    if s.current.is_none() {nulls+=1}
                    let w=s.wait(c.now());
                    *ev.entry(format!("{} {}", w.state.as_str(), w.event().name)).or_default()+=1;
                }
            }}
            println!("{name} {step} n={n} {st:?} <60 {:.2} act0 {:.2} null {:.2} tx {:?}", under60 as f64/inact as f64, act0 as f64/act as f64, nulls as f64/act as f64, c.instances().map(|i| (i.transactions().count(), i.sessions().count(), i.processes().count())).collect::<Vec<_>>());
            if step==7 { println!("{ev:#?}"); }
        }
    }
}
