//! The kit's own promises, over the wire, by a client that hides nothing.

mod faults;
mod grafeas;
mod keys;
mod registry;
mod tls;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use countersign_kit::Peer;
use serde_json::Value;

/// What came back; status 0 where nothing did within a second.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn get(peer: &Peer, path: &str, headers: &[(&str, &str)]) -> Reply {
    send(peer, "GET", path, headers, b"")
}

/// One request on a connection of its own, whatever comes back, up to [`LIMIT`].
fn send(peer: &Peer, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(peer.host()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", peer.host());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut bytes = Vec::new();
    let mut part = [0; 16 * 1024];
    while bytes.len() < 2 * LIMIT {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Reply { status: 0, headers: Vec::new(), body: bytes };
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Reply { status, headers, body: bytes[end + 4..].to_vec() }
}

const LIMIT: usize = 1 << 20;
