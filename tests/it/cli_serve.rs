//! `countersign serve` as a process: its log, and how it stops.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use countersign_kit::{Ca, review};
use serde_json::Value;

use crate::{cli::Desk, serve::Client};

/// A command that goes on until it is told to stop; dropped, it is killed.
pub struct Running {
    child: Child,
    /// What it says, behind the line with which it was ready.
    pub said: BufReader<ChildStderr>,
    /// That line.
    ready: String,
}

impl Running {
    /// Starts it, and waits until it is ready.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut ready = String::new();
        said.read_line(&mut ready).unwrap();
        assert!(ready.contains("ready"), "{ready}");
        Self { child, said, ready }
    }

    /// Where it answers, as it said.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let urls = self.ready.split("://").skip(1);
        urls.map(|url| url.split('"').next().unwrap().parse().unwrap()).collect()
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Waits for its end: its exit code, and what it said.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut text = String::new();
        self.said.read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap().code(), text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn serve(desk: &Desk) -> (Running, SocketAddr, SocketAddr) {
    let running =
        Running::start(desk.command(&["--log-format", "json", "serve", "--config", "serve.yaml"]));
    let line: Value = serde_json::from_str(&running.ready).unwrap();
    assert_eq!(line["message"], "ready");
    let addresses = running.addresses();
    (running, addresses[0], addresses[1])
}

#[tokio::test]
async fn it_logs_a_line_of_json_for_each_review_and_stops_when_told() {
    let (desk, ca) = (Desk::new(), Ca::new());
    let issued = ca.server(&["localhost"]);
    desk.write("tls.crt", &issued.certificate);
    desk.write("tls.key", &issued.key);
    let config = fs::read_to_string(desk.path("countersign.yaml")).unwrap();
    let listen = "listen: {admission: \"127.0.0.1:0\", probes: \"127.0.0.1:0\"}\n\
                  tls: {certificate: tls.crt, key: tls.key}\n";
    desk.write("serve.yaml", &format!("{listen}{config}"));
    let body = review(&[&desk.by_digest()]).build().to_string();
    let ask = async |admission| {
        let mut client = Client::tls(admission, &ca.pem(), None, &["http/1.1"]).await.unwrap();
        let answer = client.post("/validate", body.as_bytes()).await.unwrap();
        assert_eq!(answer.json()["response"]["allowed"], false, "{}", answer.text());
    };

    let (running, _, _) = serve(&desk);
    running.signal("-INT");
    assert_eq!(running.end().0, Some(0), "stopped as soon as it was ready");

    let (running, admission, _) = serve(&desk);
    ask(admission).await;
    ask(admission).await;
    running.signal("-INT");
    let (code, log) = running.end();
    assert_eq!(code, Some(0), "{log}");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let reviews: Vec<&Value> = lines.iter().filter(|line| line["message"] == "review").collect();
    assert_eq!(reviews.len(), 2, "{log}");
    for line in reviews {
        assert_eq!(line["decision"], "denied", "{log}");
    }

    let (running, admission, probes) = serve(&desk);
    ask(admission).await;
    running.signal("-TERM");
    let ready = async || Client::plain(probes).await.unwrap().get("/readyz").await.unwrap().status;
    for _ in 0..200 {
        if ready().await == 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(ready().await, 503);
    ask(admission).await;
}
