fn main() {
    let mut v = vec![];
    for p in std::env::args().skip(1) {
        v.push(orawarden::config::diagnostic::SourceFile {
            name: p.clone(),
            text: std::fs::read_to_string(&p).unwrap(),
        });
    }
    for f in v {
        let (s, d) = orawarden::config::policies::compile(&[f]);
        print!("{}", orawarden::config::render::text(&d, false));
        println!("{:?}", s.map(|s| s.rules.len()));
    }
}
