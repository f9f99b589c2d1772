//! Those who ask: one thread a connection, each asking as soon as it was answered.
//!
//! While they wait they look again and again instead of sleeping. To wake a thread on another
//! processor is work for whoever sends it something, a lot of it on a virtual machine; who answers
//! across a network has none of it, and who answers slowly would have the most.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use countersign_kit::review;
use rustls::{ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;

use crate::{Outcome, figures::Figures, world::World};

/// A request, ready to be sent.
pub struct Request {
    /// Head and body.
    pub bytes: Vec<u8>,
    /// The length of the body.
    pub body: usize,
}

impl Request {
    /// A Pod of these images, to be validated.
    pub fn validating(images: &[&str]) -> Self {
        Self::new("/validate", images)
    }

    /// A Pod of this image, to be pinned.
    pub fn pinning(image: &str) -> Self {
        Self::new("/mutate", &[image])
    }

    fn new(path: &str, images: &[&str]) -> Self {
        let review = review(images).body();
        let head = format!(
            "POST {path}?timeout=10s HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            review.len()
        );
        Self { bytes: [head.as_bytes(), &review].concat(), body: review.len() }
    }
}

/// One connection over TLS, kept.
pub struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    answer: Vec<u8>,
}

impl Connection {
    /// Connects to the server on this port.
    pub fn open(world: &World, port: u16) -> Outcome<Self> {
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        tcp.set_nodelay(true)?;
        tcp.set_nonblocking(true)?;
        let name = ServerName::try_from("localhost")?;
        let tls = ClientConnection::new(world.trusting(), name)?;
        Ok(Self { stream: StreamOwned::new(tls, tcp), answer: vec![0; 64 * 1024] })
    }

    /// Asks, and takes nothing for an answer but that the Pod may come in.
    pub fn allowed(&mut self, request: &Request) -> io::Result<()> {
        let mut unsent = request.bytes.as_slice();
        while !unsent.is_empty() {
            let sent = patiently(|| self.stream.write(unsent))?;
            unsent = unsent.get(sent..).unwrap_or_default();
        }
        patiently(|| self.stream.flush())?;
        let mut read = 0;
        loop {
            let room = self.answer.get_mut(read..).unwrap_or_default();
            read += match patiently(|| self.stream.read(room))? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                more => more,
            };
            let answer = self.answer.get(..read).unwrap_or_default();
            if !whole(answer) {
                continue;
            }
            let allowed = answer.windows(ALLOWED.len()).any(|part| part == ALLOWED);
            let text = || String::from_utf8_lossy(answer).into_owned();
            return if allowed { Ok(()) } else { Err(io::Error::other(text())) };
        }
    }
}

/// Does it again until there is no more to wait for.
fn patiently<T>(mut step: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match step() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            done => return done,
        }
    }
}

/// Whether an answer is there to its last byte.
fn whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|part| part == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    answer.len() >= end + 4 + length
}

/// Has this many connections ask for this long.
pub fn load(
    world: &World,
    port: u16,
    connections: usize,
    time: Duration,
    request: &Request,
) -> Outcome<Figures> {
    let opened: Vec<Connection> =
        (0..connections).map(|_| Connection::open(world, port)).collect::<Outcome<_>>()?;
    let begun = Instant::now();
    let end = begun + time;
    let times = thread::scope(|scope| {
        let asking: Vec<_> = opened
            .into_iter()
            .map(|mut connection| {
                scope.spawn(move || {
                    let mut times = Vec::new();
                    while Instant::now() < end {
                        let asked = Instant::now();
                        connection.allowed(request)?;
                        times.push(asked.elapsed());
                    }
                    io::Result::Ok(times)
                })
            })
            .collect();
        asking
            .into_iter()
            .map(|one| {
                one.join().map_err(|_| io::Error::other("a connection's thread panicked"))?
            })
            .collect::<io::Result<Vec<_>>>()
    })?;
    Ok(Figures::of(times.concat(), begun.elapsed()))
}

const ALLOWED: &[u8] = b"\"allowed\":true";
