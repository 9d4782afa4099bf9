//! A client that breaks its call off, and never says that it has thrown away what was under way.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use rac_sim::conversation::Release;
use rac_sim::wire::Options;

use crate::clients::{BREAK, PORT, Server, this_test};

/// With this packet the server asks for the other one, which its client owes it then.
const BROKEN: [u8; 11] = [0, 0, 0, 11, 12, 0, 0, 0, 1, 0, 1];
const RESET: [u8; 11] = [0, 0, 0, 11, 12, 0, 0, 0, 1, 0, 2];
/// Longer than any of this takes, and shorter than what a server grants a client within a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hands on what a client says until it owes the packet, and then nothing more.
fn hand_on(mut client: &TcpStream, mut server: &TcpStream) {
    let mut buffer = [0; 16 * 1_024];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let said = &buffer[..count];
        let kept = place_of(&RESET, said);
        server.write_all(&said[..kept.unwrap_or(count)]).expect("the server reads");
        if kept.is_some() {
            return;
        }
    }
}

fn place_of(packet: &[u8], said: &[u8]) -> Option<usize> {
    said.windows(packet.len()).position(|bytes| bytes == packet)
}

#[test]
fn a_session_is_cut_while_its_client_owes_a_reset() {
    let server = Server::start(Release::R19, Options::default());
    let between = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = between.local_addr().expect("bound").port();
    let mut command = this_test("clients::rust_thin_child");
    let mut client =
        command.env(PORT, port.to_string()).env(BREAK, "yes").spawn().expect("it runs");
    let (from_client, _) = between.accept().expect("it connects");
    let to_server = TcpStream::connect(server.handle.address()).expect("it listens");
    let (owed, owes) = mpsc::channel();
    let (cut, is_cut) = mpsc::channel();
    let (mut answers, mut to_client) =
        (to_server.try_clone().expect("a handle"), from_client.try_clone().expect("a handle"));
    std::thread::spawn(move || hand_on(&from_client, &to_server));
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1_024];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            if place_of(&BROKEN, &buffer[..count]).is_some() {
                owed.send(()).expect("somebody waits");
            }
            // A client that has lost its patience is gone, which the server is not to learn.
            drop(to_client.write_all(&buffer[..count]));
        }
        cut.send(()).expect("somebody waits");
    });
    owes.recv_timeout(PATIENCE).expect("the server knows of the break");
    assert_eq!(server.fake.sessions(), 1);
    server.fake.cut(1);
    is_cut.recv_timeout(PATIENCE).expect("the server closes the connection");
    client.wait().expect("an end");
    server.stop();
}
