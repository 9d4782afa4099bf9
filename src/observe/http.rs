//! The HTTP listener: the status page, `/metrics`, `/healthz` and `/readyz`, read only. It has a thread of its own and
//! reads nothing but the board, so that no reader, however slow or many, holds up a tick.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::board::database::Look;
use super::board::{Board, Stage};
use super::metrics;
use super::page::{self, Now};
use crate::engine::time::Timestamp;

/// Connections that are served at once; more wait in the kernel's queue. A few scrapers and browsers; each may hold the
/// largest answer, almost a megabyte, for as long as it does not read.
pub const CONNECTIONS_MAX: usize = 64;

/// A connection ends after so long, whatever its client does: scrapers and browsers just make another.
pub const CONNECTION_LASTS: Duration = Duration::from_mins(1);

/// How long a client may take to send its request line and headers, or to think of another request.
pub const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Request line and headers, in bytes.
const HEADERS_BYTES_MAX: usize = 16 * 1024;

/// After an error to accept, such as no file descriptors left.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The loop turns at least every half minute; when it has not for so long, it hangs.
pub const LOOP_HANGS_AFTER: Duration = Duration::from_mins(2);

const TEXT: &str = "text/plain; charset=utf-8";

/// Listens from now on, until the process ends. Returns where: port 0 picks one.
pub fn serve(address: SocketAddr, board: Board) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    // Also where IPv4 is written as IPv6.
    let is_loopback = address.ip().to_canonical().is_loopback();
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let site = Arc::new(Site { board, is_loopback });
    thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || runtime.block_on(accept(listener, site)))?;
    Ok(address)
}

struct Site {
    board: Board,
    is_loopback: bool,
}

async fn accept(listener: TcpListener, site: Arc<Site>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("the runtime has its IO");
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = Arc::clone(&room).acquire_owned().await.expect("it is never closed");
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            continue;
        };
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let answer = site.answer(&request);
                async { Ok::<_, Infallible>(answer) }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS_WITHIN)
                .max_buf_size(HEADERS_BYTES_MAX)
                .serve_connection(TokioIo::new(stream), answer);
            // Whatever the client did to it, nobody else is concerned.
            timeout(CONNECTION_LASTS, served).await.ok();
            drop(permit);
        });
    }
}

/// What is answered.
type Answer = Response<Full<Bytes>>;

impl Site {
    fn answer(&self, request: &Request<Incoming>) -> Answer {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut answer = answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        let host = request.headers().get(HOST);
        let is_meant = |host: &HeaderValue| host.to_str().is_ok_and(is_this_machine);
        if self.is_loopback && !host.is_none_or(is_meant) {
            let why = "this listener is for this machine; Host names another\n";
            return answer(StatusCode::MISDIRECTED_REQUEST, TEXT, why);
        }
        match request.uri().path() {
            "/metrics" => {
                answer(StatusCode::OK, metrics::CONTENT_TYPE, metrics::render(&self.board))
            }
            "/" => page(&self.board),
            "/page.css" => answer(StatusCode::OK, "text/css; charset=utf-8", page::STYLE),
            "/page.js" => answer(StatusCode::OK, "text/javascript; charset=utf-8", page::SCRIPT),
            "/healthz" => health(&self.board, Instant::now()),
            "/readyz" => readiness(&self.board, Instant::now()),
            _ => {
                answer(StatusCode::NOT_FOUND, TEXT, "there is /, /metrics, /healthz and /readyz\n")
            }
        }
    }
}

/// A web page elsewhere whose name is made to point here must not read this through somebody's browser.
fn is_this_machine(host: &str) -> bool {
    let name = match host.parse::<SocketAddr>() {
        Ok(address) => return address.ip().is_loopback(),
        Err(_) => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |text: &str| text.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    name.eq_ignore_ascii_case("localhost") || is_loopback(name) || is_loopback(bare)
}

fn answer(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, page::POLICY),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn page(board: &Board) -> Answer {
    let now = Now { wall: Timestamp::from(Utc::now()), steady: Instant::now() };
    let text = page::render(&board.read(), now);
    answer(StatusCode::OK, "text/html; charset=utf-8", text)
}

/// Whether the process works: the loop turns. Databases that are away do not make it ill.
fn health(board: &Board, now: Instant) -> Answer {
    let since = now.saturating_duration_since(board.last_turn());
    if since > LOOP_HANGS_AFTER {
        let why = format!("the loop has not turned for {} s\n", since.as_secs());
        return answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, why);
    }
    answer(StatusCode::OK, TEXT, "ok\n")
}

/// Whether it does what it is there for: policies are loaded, and every database was reached when it was last looked
/// at.
fn readiness(board: &Board, now: Instant) -> Answer {
    let state = board.read();
    let mut text = String::new();
    let stage = match state.stage {
        Stage::Loading => "loading",
        Stage::Leaving => "leaving",
        Stage::Watching => "watching",
    };
    let mut is_ready = state.stage == Stage::Watching;
    writeln!(text, "{stage}").expect("a string takes everything");
    for (name, card) in &state.databases {
        let is_reached = card.is_reached(now);
        is_ready &= is_reached;
        let word = match &card.look {
            _ if is_reached => "reached",
            Look::Never => "not looked at yet",
            Look::Seen => "a tick does not come back",
            Look::NotSeen(_) => "not reached",
        };
        writeln!(text, "{name}: {word}").expect("a string takes everything");
    }
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, TEXT, text)
}
