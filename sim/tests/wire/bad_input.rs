//! Clients that are broken or mean harm: each gets an error or a closed connection, and nobody else notices.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use rac_sim::conversation::Release;
use rac_sim::wire::{Limits, Options};

use crate::clients::Server;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn dial(server: &Server) -> TcpStream {
    let socket = TcpStream::connect(server.handle.address()).expect("a connection");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    socket
}

/// Everything until the server closes the connection, which it must.
fn rest(socket: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return all,
            Err(error) => panic!("the connection stays open: {error}"),
        }
    }
}

/// Sends what may be cut off by the server's closing.
fn send(socket: &mut TcpStream, bytes: &[u8]) {
    drop(socket.write_all(bytes));
}

fn packet(kind: u8, body: &[u8], wide: bool) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("short");
    let mut all = if wide {
        length.to_be_bytes().to_vec()
    } else {
        [&length.to_be_bytes()[2..], &[0, 0]].concat()
    };
    all.extend([kind, 0, 0, 0]);
    all.extend_from_slice(body);
    all
}

fn data(payload: &[u8]) -> Vec<u8> {
    packet(6, &[&[0, 0], payload].concat(), true)
}

/// A CONNECT to a service, as thin clients send it.
fn connect_to(service: &str) -> Vec<u8> {
    let text = format!("(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME={service})))");
    let mut body = vec![1, 63, 1, 44, 0, 1, 32, 0, 255, 255, 79, 152, 0, 0, 0, 1];
    body.extend(u16::try_from(text.len()).expect("short").to_be_bytes());
    body.extend([0, 74]);
    body.extend([0; 30]);
    body.extend([0, 0, 32, 0, 0, 0, 32, 0]);
    body.extend([0; 8]);
    body.extend(text.into_bytes());
    packet(1, &body, false)
}

/// A connection that has been accepted.
fn accepted(server: &Server) -> TcpStream {
    let mut socket = dial(server);
    send(&mut socket, &connect_to("sales"));
    let mut answer = [0; 45];
    socket.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer[4], 2, "ACCEPT");
    socket
}

/// The server is well, and nothing is left of the bad clients.
fn unharmed(server: Server) {
    drop(accepted(&server));
    let begun = Instant::now();
    while server.handle.connections() > 0 {
        assert!(begun.elapsed() < PATIENCE, "{} connections are left", server.handle.connections());
        std::thread::yield_now();
    }
    server.stop();
}

/// Numbers that look random and are the same in every run.
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut next = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.to_le_bytes()[3]
        };
        (0..count).map(|_| next()).collect()
    }
}

#[test]
fn random_bytes_close_only_their_own_connection() {
    let server = Server::start(Release::R23, Options::default());
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for round in 0..100 {
        let mut socket = dial(&server);
        send(&mut socket, &noise.bytes(round * 7 + 1));
        drop(socket.shutdown(Shutdown::Write));
        rest(&mut socket);
        let mut socket = accepted(&server);
        let wrapped = data(&noise.bytes(round * 7 + 1));
        send(&mut socket, if round % 2 == 0 { &wrapped } else { &wrapped[10..] });
        drop(socket.shutdown(Shutdown::Write));
        rest(&mut socket);
    }
    unharmed(server);
}

#[test]
fn truncated_packets_close_only_their_own_connection() {
    let server = Server::start(Release::R19, Options::default());
    let whole = connect_to("sales");
    for length in 0..whole.len() {
        let mut socket = dial(&server);
        send(&mut socket, &whole[..length]);
        drop(socket.shutdown(Shutdown::Write));
        assert_eq!(rest(&mut socket), b"", "{length}");
    }
    unharmed(server);
}

#[test]
fn lengths_of_four_gigabytes_are_not_believed() {
    let server = Server::start(Release::R19, Options::default());
    let protocol = [1, 6, 0, b'x', 0];
    let user_of_four_gigabytes = [3, 118, 1, 1, 4, 255, 255, 255, 255, 1, 1, 1, 1, 5, 1, 1];
    let pair_of_four_gigabytes = [
        &[3, 118, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, b'u'][..],
        &[4, 255, 255, 255, 255, 254, 4, 255, 255, 255, 255],
    ]
    .concat();
    for bad in [
        vec![255, 255, 255, 255, 6, 0, 0, 0],
        vec![0, 0, 0, 0, 6, 0, 0, 0],
        data(&user_of_four_gigabytes),
        data(&pair_of_four_gigabytes),
        [data(&protocol), vec![128, 0, 0, 0, 6, 0, 0, 0]].concat(),
    ] {
        let mut socket = accepted(&server);
        send(&mut socket, &bad);
        rest(&mut socket);
    }
    unharmed(server);
}

#[test]
fn an_endless_log_on_is_cut_off() {
    let server = Server::start(Release::R19, Options::default());
    let mut socket = accepted(&server);
    // A list of data types that never ends, and one of unfinished text.
    for _ in 0..100 {
        send(&mut socket, &data(&[2; 4_000]));
    }
    rest(&mut socket);
    unharmed(server);
}

#[test]
fn slow_clients_do_not_keep_a_place() {
    let limits = Limits { log_on: Duration::from_secs(2), ..Limits::default() };
    let server = Server::start(Release::R19, Options { limits, ..Options::default() });
    let mut silent = dial(&server);
    let mut slow = dial(&server);
    send(&mut slow, &connect_to("sales")[..20]);
    let mut later = accepted(&server);
    send(&mut later, &data(&[1]));
    for socket in [&mut silent, &mut slow, &mut later] {
        rest(socket);
    }
    unharmed(server);
}

#[test]
fn one_connection_too_many_is_refused() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let server = Server::start(Release::R19, Options { limits, ..Options::default() });
    let held = [accepted(&server), accepted(&server)];
    let mut third = dial(&server);
    send(&mut third, &connect_to("sales"));
    let refused = String::from_utf8_lossy(&rest(&mut third)).into_owned();
    assert!(refused.contains("(ERR=12516)"), "{refused}");
    drop(held);
    let mut nowhere = dial(&server);
    send(&mut nowhere, &connect_to("nowhere"));
    let refused = String::from_utf8_lossy(&rest(&mut nowhere)).into_owned();
    assert!(refused.contains("(ERR=12514)") || refused.contains("(ERR=12516)"), "{refused}");
    unharmed_when_free(server);
}

/// As `unharmed`, once the places that were taken are free.
fn unharmed_when_free(server: Server) {
    let begun = Instant::now();
    while server.handle.connections() > 0 {
        assert!(begun.elapsed() < PATIENCE, "places stay taken");
        std::thread::yield_now();
    }
    unharmed(server);
}

/// What clients send, for the readers to choke on once it is changed a little.
fn samples() -> Vec<Vec<u8>> {
    let mut execute = vec![3, 94, 1, 2, 0x80, 0x29, 0, 1, 1, 1, 1, 1, 13, 0, 0, 0, 0, 0, 1, 1, 1];
    execute.extend([0; 25]);
    execute.extend([1, b'x', 1, 1, 1, 2]);
    execute.extend([0; 11]);
    execute.extend([2, 1, 0, 0, 1, 22, 0, 0, 0, 0, 0, 0, 0, 0]);
    execute.extend([7, 2, 0xc1, 2, 7, 0]);
    let mut tags = vec![17, 135, 1, 0, 0, 1, 0x18, 0, 0, 1, 1, 2, 1, 1, 2];
    tags.extend([0; 14]);
    tags.extend([2, b'm', b'o', 2, b'a', b'c', 3, 147, 1]);
    let first = [3, 118, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, b'u', 1, 1, 1, b'k', 1, 1, 1, b'v', 0];
    let types = [2, 0, 0, 0, 0, 1, 2, 7, 7, 1, 2, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0];
    vec![connect_to("sales"), data(&execute), execute, tags, first.to_vec(), types.to_vec()]
}

#[test]
fn changed_bytes_do_no_harm_to_the_readers() {
    let mut noise = Noise(0x0bad_cafe_dead_beef);
    for sample in samples() {
        for round in 0..20_000 {
            let mut changed = sample.clone();
            for change in noise.bytes(1 + round % 4).chunks(1) {
                let place = usize::from(noise.bytes(1)[0]) % changed.len();
                changed[place] = change[0];
            }
            rac_sim::wire::read_anything(&changed);
        }
    }
}

#[test]
fn a_listener_that_stops_closes_every_connection() {
    let server = Server::start(Release::R19, Options::default());
    let mut held = [accepted(&server), accepted(&server), dial(&server)];
    let address = server.handle.address();
    server.stop();
    for socket in &mut held {
        assert_eq!(rest(socket), b"");
    }
    assert!(TcpStream::connect(address).is_err(), "the port is closed");
}
