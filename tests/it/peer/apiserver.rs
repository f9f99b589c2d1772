use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use tempfile::TempDir;

use super::{Peer, Pki, binary, free_port, isolated, run, seen, version_in};

/// kube-apiserver with its etcd: the real API, admission included, and no nodes, so that Pods stay
/// pending; controllers are [`super::Controllers`]. Ready after some three seconds.
pub struct Cluster {
    // Dropped in this order: an API server whose etcd went first would not end by itself.
    _server: Peer,
    _etcd: Peer,
    port: u16,
    pki: Pki,
    folder: TempDir,
}

/// How a command of kubectl ended.
#[derive(Debug)]
pub struct Outcome {
    pub ok: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Cluster {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let dir = folder.path();
        let pki = Pki::new(dir);
        pki.server("serving", &["127.0.0.1", "localhost", "10.0.0.1", "kubernetes.default.svc"]);
        pki.client(ADMIN, "admin", "system:masters");
        pki.key_pair("sa");

        let (etcd_port, port) = (free_port(), free_port());
        let etcd = start_etcd(dir, etcd_port);
        write_kubeconfig(dir, ADMIN, port);
        std::fs::write(dir.join("audit.yaml"), AUDIT_POLICY).unwrap();
        let server = Peer::start("kube-apiserver", &api_server(etcd_port, port), dir);
        let server = server.wait_until(|| {
            let mut probe = kubectl(dir);
            probe.args(["get", "--raw", "/readyz"]).output().unwrap().status.success()
        });
        let cluster = Self { _server: server, _etcd: etcd, port, pki, folder };

        let versions = run(kubectl(cluster.folder.path()).args(["version", "-o", "json"]));
        let versions: Value = serde_json::from_str(&versions).unwrap();
        for (peer, pointer) in [("kubectl", "/clientVersion"), ("kube-apiserver", "/serverVersion")]
        {
            let version = versions.pointer(&format!("{pointer}/gitVersion"));
            seen(peer, version.and_then(Value::as_str).unwrap_or_default());
        }
        cluster
    }

    /// Runs kubectl as the administrator.
    pub fn kubectl(&self, args: &[&str]) -> Outcome {
        self.kubectl_with_input(args, "")
    }

    /// As [`Self::kubectl`], with a manifest on stdin for `-f -`.
    pub fn kubectl_with_input(&self, args: &[&str], manifest: &str) -> Outcome {
        let mut command = kubectl(self.folder.path());
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Outcome {
            ok: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Applies a manifest that must be accepted.
    pub fn apply(&self, manifest: &str) {
        self.kubectl_with_input(&["apply", "-f", "-"], manifest).must_pass();
    }

    /// The authority's certificate as webhook configurations want it: PEM in base64.
    pub fn ca_bundle(&self) -> String {
        BASE64_STANDARD.encode(self.pki.certificate())
    }

    /// The authority that signed the server's certificate, for certificates of webhooks; its files
    /// are in [`Self::folder`].
    pub fn pki(&self) -> &Pki {
        &self.pki
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets a program in as this user of this group: writes `<name>.kubeconfig` into
    /// [`Self::folder`].
    pub fn admit(&self, name: &str, user: &str, group: &str) {
        self.pki.client(name, user, group);
        write_kubeconfig(self.folder(), name, self.port);
    }

    /// The annotations that admission left on the requests audited so far, one map a request.
    pub fn audit_annotations(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.folder().join("audit.log")).unwrap();
        let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.map(|mut event| event["annotations"].take()).collect()
    }
}

impl Outcome {
    pub fn must_pass(self) -> String {
        assert!(self.ok, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The text on stderr of a command that must have been refused.
    pub fn must_fail(self) -> String {
        assert!(!self.ok, "accepted: {}{}", self.stdout, self.stderr);
        self.stderr
    }
}

fn start_etcd(dir: &Path, port: u16) -> Peer {
    let (client, peer) =
        (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{}", free_port()));
    let program = binary("etcd");
    let version = run(Command::new(&program).arg("--version"));
    let mut command = Command::new(program);
    command.args(["--name", "test", "--data-dir", "etcd-data"]);
    command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
    command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
    command.args(["--initial-cluster", &format!("test={peer}")]);
    let etcd = Peer::start("etcd", &command, dir).wait_for_port(port);
    seen("etcd", version_in(&version));
    etcd
}

fn api_server(etcd_port: u16, port: u16) -> Command {
    let mut command = Command::new(binary("kube-apiserver"));
    command
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd_port}"))
        .arg(format!("--secure-port={port}"))
        .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
        .args(["--tls-cert-file=serving.crt", "--tls-private-key-file=serving.key"])
        .args(["--client-ca-file=ca.crt", "--authorization-mode=RBAC"])
        .args(["--service-account-issuer=https://kubernetes.default.svc"])
        .args(["--service-account-key-file=sa.pub", "--service-account-signing-key-file=sa.key"])
        .args(["--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none"])
        .args(["--audit-policy-file=audit.yaml", "--audit-log-path=audit.log"])
        // Without controllers nobody makes the service account that it would ask of each Pod.
        .arg("--disable-admission-plugins=ServiceAccount");
    command
}

const AUDIT_POLICY: &str = r"
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata, verbs: [create, update, patch]}, {level: None}]
";

/// Who has `<name>.crt`, for programs that know the API server by such a file.
fn write_kubeconfig(dir: &Path, name: &str, port: u16) {
    let text = format!(
        r#"
apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: "https://127.0.0.1:{port}", certificate-authority: ca.crt}}}}]
users: [{{name: {name}, user: {{client-certificate: {name}.crt, client-key: {name}.key}}}}]
contexts: [{{name: test, context: {{cluster: test, user: {name}}}}}]
current-context: test
"#
    );
    std::fs::write(dir.join(format!("{name}.kubeconfig")), text).unwrap();
}

fn kubectl(dir: &Path) -> Command {
    let mut command = isolated(binary("kubectl"), dir);
    command.env("KUBECONFIG", dir.join("admin.kubeconfig"));
    command
}

/// Whose files kubectl uses.
const ADMIN: &str = "admin";
