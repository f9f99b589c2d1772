use std::process::Command;

use super::{Cluster, Peer, binary, run, seen, version_in};

/// kube-controller-manager beside a [`Cluster`]: what makes Pods of templates and takes away what
/// nobody owns any more. Each controller comes as a service account of its own, as in a cluster.
pub struct Controllers {
    _manager: Peer,
}

impl Controllers {
    /// Starts them; they work from some two seconds later.
    pub fn start(cluster: &Cluster) -> Self {
        let program = binary("kube-controller-manager");
        let version = run(Command::new(&program).arg("--version"));
        cluster.admit(NAME, "system:kube-controller-manager", "system:authenticated");
        let mut command = Command::new(program);
        command
            .args(["--kubeconfig=controllers.kubeconfig", "--use-service-account-credentials=true"])
            .args(["--service-account-private-key-file=sa.key", "--root-ca-file=ca.crt"])
            .args(["--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0"])
            .arg(format!("--controllers={}", CONTROLLERS.join(",")));
        let manager = Peer::start("kube-controller-manager", &command, cluster.folder());
        seen("kube-controller-manager", version_in(&version));
        Self { _manager: manager }
    }
}

const NAME: &str = "controllers";

const CONTROLLERS: [&str; 6] = [
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "job-controller",
    "namespace-controller",
    "garbage-collector-controller",
];
