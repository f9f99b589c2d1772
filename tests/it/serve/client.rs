//! HTTP/1.1 by hand: bodies in pieces, connections kept, handshakes of any kind.

use std::{io, net::SocketAddr, sync::Arc};

use countersign_kit::Certificate;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// One connection.
pub struct Client {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
    /// What was agreed on by ALPN.
    pub protocol: Option<Vec<u8>>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What came back.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Client {
    /// A plain connection.
    pub async fn plain(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        Ok(Self { stream: Box::new(stream), read: Vec::new(), protocol: None })
    }

    /// A TLS connection that trusts `ca`, as whoever `client` is, and offers `protocols`.
    pub async fn tls(
        address: SocketAddr,
        ca: &str,
        client: Option<&Certificate>,
        protocols: &[&str],
    ) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let chain = CertificateDer::from_pem_slice(client.certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        Ok(Self { stream: Box::new(stream), read: Vec::new(), protocol })
    }

    /// Sends a whole POST and waits for the answer.
    pub async fn post(&mut self, target: &str, body: &[u8]) -> io::Result<Response> {
        self.post_with(target, "", body).await
    }

    /// The same, with further header lines.
    pub async fn post_with(
        &mut self,
        target: &str,
        lines: &str,
        body: &[u8],
    ) -> io::Result<Response> {
        self.head("POST", target, &format!("content-length: {}\r\n{lines}", body.len())).await?;
        self.send(body).await?;
        self.receive().await
    }

    /// Sends a GET and waits for the answer.
    pub async fn get(&mut self, target: &str) -> io::Result<Response> {
        self.head("GET", target, "").await?;
        self.receive().await
    }

    /// Sends the head of a request.
    pub async fn head(&mut self, method: &str, target: &str, lines: &str) -> io::Result<()> {
        let head = format!("{method} {target} HTTP/1.1\r\nhost: gate\r\n{lines}\r\n");
        self.send(head.as_bytes()).await
    }

    /// Sends bytes of a body.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Waits for an answer.
    pub async fn receive(&mut self) -> io::Result<Response> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head, body: Vec::new() };
        let length: usize = response.header("content-length").unwrap_or("0").parse().unwrap();
        while self.read.len() < length {
            self.more().await?;
        }
        response.body = self.read.drain(..length).collect();
        Ok(response)
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
