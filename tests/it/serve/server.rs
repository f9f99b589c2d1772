//! A server under test.

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use countersign::{
    admission::{Answer, Outcome, Phase, Reply, Review},
    serve::{Longest, Metrics, ServeError, ServeOptions, Server, Stop, TlsFiles},
    source::Deadline,
};
use countersign_kit::{Ca, Certificate};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use super::Client;

/// A server with a CA of its own, until it is dropped.
pub struct Serving {
    pub ca: Ca,
    pub folder: TempDir,
    pub admission: SocketAddr,
    pub probes: SocketAddr,
    stop: oneshot::Sender<Stop>,
    task: JoinHandle<Result<(), ServeError>>,
}

/// Lets everything in that is a review.
pub async fn allow(phase: Phase, body: Bytes, _deadline: Deadline) -> Reply {
    match Review::parse(&body) {
        Ok(review) => Answer::default().into_reply(phase, Outcome::of(&review)),
        Err(unreadable) => Reply::unreadable(phase, unreadable, "r1"),
    }
}

impl Serving {
    /// Starts with usual options.
    pub async fn start<H, F>(handler: H) -> Self
    where
        H: Fn(Phase, Bytes, Deadline) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        Self::start_with(handler, |_| {}).await
    }

    /// Starts with options that `change` makes of the usual ones.
    pub async fn start_with<H, F>(handler: H, change: impl FnOnce(&mut ServeOptions)) -> Self
    where
        H: Fn(Phase, Bytes, Deadline) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        let (ca, folder) = (Ca::new(), tempfile::tempdir().unwrap());
        let certificate = folder.path().join("tls.crt");
        let key = folder.path().join("tls.key");
        let issued = ca.server(&["localhost"]);
        std::fs::write(&certificate, &issued.certificate).unwrap();
        std::fs::write(&key, &issued.key).unwrap();
        let mut options = ServeOptions {
            admission: "127.0.0.1:0".parse().unwrap(),
            probes: "127.0.0.1:0".parse().unwrap(),
            tls: TlsFiles { certificate, key, client_ca: None },
            deadline: Longest::new(Duration::from_secs(8)),
            body: 8 << 20,
            connections: 1000,
            drain: Duration::from_millis(500),
        };
        change(&mut options);
        let server = Server::bind(options, Arc::new(Metrics::new())).await.unwrap();
        let admission = server.admission_address().unwrap();
        let probes = server.probes_address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task =
            tokio::spawn(server.run(handler, || "r1".to_owned(), async { stopped.await.unwrap() }));
        Self { ca, folder, admission, probes, stop, task }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A connection of its own, as the API server makes it.
    pub async fn connect(&self) -> Client {
        Client::tls(self.admission, &self.ca.pem(), None, &["http/1.1"]).await.unwrap()
    }

    pub async fn connect_as(&self, client: Option<&Certificate>) -> std::io::Result<Client> {
        Client::tls(self.admission, &self.ca.pem(), client, &["http/1.1"]).await
    }

    /// What a probe says.
    pub async fn probe(&self, path: &str) -> (u16, String) {
        let response = Client::plain(self.probes).await.unwrap().get(path).await.unwrap();
        (response.status, response.text())
    }

    /// Waits until the metrics have this line.
    pub async fn metric(&self, line: &str) {
        for _ in 0..100 {
            if self.probe("/metrics").await.1.lines().any(|known| known == line) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{line} is not in {}", self.probe("/metrics").await.1);
    }

    /// Asks it to stop; the task ends when it has.
    pub fn stop(self, how: Stop) -> JoinHandle<Result<(), ServeError>> {
        self.stop.send(how).unwrap();
        self.task
    }
}
