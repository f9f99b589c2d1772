use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::peer::{Cluster, GnuPg, Grafeas, OciServe, Outcome, Peer, free_port, push_image, run};

const MANIFEST: &str = include_str!("../../../deploy/manifest.yaml");
const NOTE: &str = "projects/image-build/notes/qa";

/// Everything real: the API server, the registry, the store, gpg's key; between them the binary of
/// this package, called by the webhook configurations of `deploy/manifest.yaml`.
///
/// `old`, a Pod of an unsigned image, was there before the gate.
pub struct Stage {
    pub cluster: Cluster,
    /// `127.0.0.1:<port>/acme/shop:unsigned`; nobody signs it.
    pub unsigned: String,
    store: Grafeas,
    registry: OciServe,
    folder: TempDir,
    serve: Option<Peer>,
}

impl Stage {
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// As [`Self::start`], with these lines in the configuration besides.
    pub fn start_with(settings: &str) -> Self {
        let (cluster, store, registry) = (Cluster::start(), Grafeas::start(), OciServe::start());
        let folder = TempDir::new().unwrap();
        let gpg = GnuPg::new();
        let signer = gpg.generate("QA <qa@acme.example>", "ed25519");
        std::fs::write(folder.path().join("qa.asc"), gpg.certificate(&signer)).unwrap();
        std::fs::write(folder.path().join("qa.key"), gpg.secret_key(&signer)).unwrap();
        cluster.pki().server("webhook", &["countersign.countersign.svc"]);

        let port = free_port();
        let mut config = config(port, cluster.folder(), registry.host(), &store.url());
        config.push_str(settings);
        std::fs::write(folder.path().join("countersign.yaml"), config).unwrap();
        let unsigned = format!("{}/acme/shop:unsigned", registry.host());
        push_image(&unsigned, "unsigned");

        let mut stage = Self { cluster, unsigned, store, registry, folder, serve: None };
        stage.kubectl(&format!("run old --image={}", stage.unsigned)).must_pass();
        stage.start_serve(port);
        stage.register(port);
        stage
    }

    /// Runs kubectl with the words of `line`.
    pub fn kubectl(&self, line: &str) -> Outcome {
        self.cluster.kubectl(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Waits until what kubectl prints for `line` is to one's liking, and returns it.
    pub fn wait_for(&self, line: &str, good: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let outcome = self.kubectl(line);
            if outcome.ok && good(&outcome.stdout) {
                return outcome.stdout;
            }
            assert!(Instant::now() < deadline, "{line}: {outcome:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// One field of an object, by its path.
    pub fn field(&self, object: &str, path: &str) -> String {
        self.kubectl(&format!("get {object} -o jsonpath={{{path}}}")).must_pass()
    }

    /// Pushes an image under this tag; returns its reference by tag, and its digest.
    pub fn push(&self, tag: &str) -> (String, String) {
        let image = format!("{}/acme/shop:{tag}", self.registry.host());
        let digest = push_image(&image, tag);
        (image, digest)
    }

    /// Signs a digest in the repository with `countersign sign`, publishing to `target`.
    pub fn sign(&self, digest: &str, target: Target) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.arg("sign").arg(format!("{}/acme/shop@{digest}", self.registry.host()));
        command.arg("--key").arg(self.folder.path().join("qa.key"));
        match target {
            Target::Store => {
                command.args(["--store", &self.store.url(), "--note", NOTE, "--create-note"])
            }
            Target::Registry => command.arg("--attach"),
        };
        run(&mut command);
    }

    /// Pushes an image, signs it, and waits until the gate knows: "none" may be believed for a
    /// second.
    pub fn push_signed(&self, tag: &str, target: Target) -> (String, String) {
        let (image, digest) = self.push(tag);
        self.sign(&digest, target);
        (image, digest)
    }

    /// Puts a stranger's certificate where the one of the signer was.
    pub fn exchange_key(&self) {
        let gpg = GnuPg::new();
        let stranger = gpg.generate("Stranger <stranger@acme.example>", "ed25519");
        std::fs::write(self.folder.path().join("qa.asc"), gpg.certificate(&stranger)).unwrap();
    }

    /// Ends the webhook, as a crash would.
    pub fn stop_serve(&mut self) {
        self.serve = None;
    }

    fn start_serve(&mut self, port: u16) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(["serve", "--config", "countersign.yaml"]);
        let serve = Peer::start("countersign", &command, self.folder.path()).wait_for_port(port);
        self.serve = Some(serve);
    }

    /// Applies the manifest's webhooks, by way of a Service that leads to this machine, and waits
    /// until they are in force.
    fn register(&self, port: u16) {
        self.cluster.apply(SERVICE);
        let hooks =
            MANIFEST.split("\n---\n").filter(|part| part.contains("WebhookConfiguration\n"));
        let hooks: Vec<String> = hooks
            .map(|hook| {
                hook.replace("CA_BUNDLE", &self.cluster.ca_bundle()).replace(
                    "name: countersign, path:",
                    &format!("name: countersign, port: {port}, path:"),
                )
            })
            .collect();
        assert_eq!(hooks.len(), 2);
        self.cluster.apply(&hooks.join("\n---\n"));

        let deadline = Instant::now() + Duration::from_secs(20);
        let probe = format!("run probe --dry-run=server --image={}", self.unsigned);
        while self.kubectl(&probe).ok {
            assert!(Instant::now() < deadline, "the webhooks are not in force");
        }
    }
}

/// Where a signature is published.
#[derive(Clone, Copy)]
pub enum Target {
    Store,
    Registry,
}

fn config(port: u16, pki: &Path, registry: &str, store: &str) -> String {
    let (pki, probes) = (pki.display(), free_port());
    format!(
        r#"
listen: {{admission: "127.0.0.1:{port}", probes: "127.0.0.1:{probes}"}}
tls: {{certificate: {pki}/webhook.crt, key: {pki}/webhook.key}}
cache: {{found: 5m, none: 1s}}
registries:
  allow: ["{registry}/**"]
  hosts: [{{host: "{registry}", plainHttp: true}}]
stores: [{{name: grafeas, url: "{store}", api: v1beta1, project: projects/image-build}}]
authorities: [{{name: qa, keys: [{{openpgp: qa.asc}}], note: {NOTE}}}]
policies:
  - {{name: countersigned, match: {{}}, rules: [{{use: attested, parameters: {{authorities: [qa]}}}}], mode: enforce}}
unmatched: deny
breakGlass: {{groups: ["acme:oncall"], until: 2126-01-01T00:00:00Z}}
"#
    )
}

/// Without nodes and kube-proxy a Service leads nowhere; one by name leads to `localhost`.
const SERVICE: &str = r"
apiVersion: v1
kind: Namespace
metadata: {name: countersign}
---
apiVersion: v1
kind: Service
metadata: {name: countersign, namespace: countersign}
spec: {type: ExternalName, externalName: localhost}
";
