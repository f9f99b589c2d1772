use std::{
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::{binary, isolated, run, seen, version_in};

/// The time of the machine.
const NOW: &str = "";

/// GnuPG with a keyring of its own. Its agent is ended with it.
pub struct GnuPg {
    home: TempDir,
}

impl GnuPg {
    pub fn new() -> Self {
        // The agent's socket has to fit into some 100 bytes: no deep folder.
        let home = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
        run(Command::new("chmod").arg("700").arg(home.path()));
        let gnupg = Self { home };
        seen("gpg", version_in(&run(gnupg.gpg().arg("--version"))));
        gnupg
    }

    /// Makes a key without passphrase that can sign, for one year; `algorithm` as in
    /// `gpg --quick-generate-key`. Returns its fingerprint.
    pub fn generate(&self, user: &str, algorithm: &str) -> String {
        self.generate_at(NOW, user, algorithm, "1y")
    }

    /// As [`Self::generate`], at another time than now, such as `20250102T030405`, and for as long
    /// as `expiry` says.
    pub fn generate_at(&self, time: &str, user: &str, algorithm: &str, expiry: &str) -> String {
        let mut command = self.gpg();
        command.args(["--faked-system-time", time].iter().filter(|_| time != NOW));
        run(command.args(["--quick-generate-key", user, algorithm, "sign", expiry]));
        let listing = run(self.gpg().args(["--with-colons", "--list-keys", user]));
        let line = listing.lines().find(|line| line.starts_with("fpr:")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    /// As [`Self::generate`], with a passphrase, which the agent then forgets.
    pub fn generate_locked(&self, user: &str, algorithm: &str, passphrase: &str) -> String {
        let mut command = isolated(binary("gpg"), self.home());
        command.args([
            "--batch",
            "--no-tty",
            "--quiet",
            "--pinentry-mode",
            "loopback",
            "--homedir",
        ]);
        command.arg(self.home()).args(["--passphrase", passphrase]);
        run(command.args(["--quick-generate-key", user, algorithm, "sign", "1y"]));
        self.end_agent();
        let listing = run(self.gpg().args(["--with-colons", "--list-keys", user]));
        let line = listing.lines().find(|line| line.starts_with("fpr:")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    /// Ends the agent, and with it all that it remembers.
    pub fn end_agent(&self) {
        run(Command::new("gpgconf").arg("--homedir").arg(self.home()).args(["--kill", "all"]));
    }

    /// Adds a part that signs, for one year.
    pub fn add_signing_subkey(&self, fingerprint: &str, algorithm: &str) {
        run(self.gpg().args(["--quick-add-key", fingerprint, algorithm, "sign", "1y"]));
    }

    /// The certificate, armored.
    pub fn certificate(&self, user: &str) -> String {
        run(self.gpg().args(["--armor", "--export", user]))
    }

    /// The secret key, armored.
    pub fn secret_key(&self, user: &str) -> String {
        run(self.gpg().args(["--armor", "--export-secret-keys", user]))
    }

    /// Reads a key or certificate, armored or binary, into the keyring.
    pub fn import(&self, key: &[u8]) {
        let file = self.home.path().join("import");
        std::fs::write(&file, key).unwrap();
        run(self.gpg().arg("--import").arg(file));
    }

    /// Revokes a key by the certificate that gpg made with it, which states no reason.
    pub fn revoke(&self, fingerprint: &str) {
        let path = self.home().join(format!("openpgp-revocs.d/{fingerprint}.rev"));
        let guarded = std::fs::read_to_string(path).unwrap();
        // A colon stands before the armor, lest somebody import it by mistake.
        self.import(guarded.replace(":-----BEGIN", "-----BEGIN").as_bytes());
    }

    /// What `gpg <how> -u <user>` makes of `payload`: `--sign`, `--detach-sign`, …
    pub fn sign(&self, user: &str, how: &[&str], payload: &[u8]) -> Vec<u8> {
        let input = self.home.path().join("payload");
        std::fs::write(&input, payload).unwrap();
        let output = self.home.path().join("signed");
        run(self
            .gpg()
            .args(["--yes", "--output"])
            .arg(&output)
            .args(["-u", user])
            .args(how)
            .arg(input));
        std::fs::read(output).unwrap()
    }

    /// The payload of an attached message, if gpg finds its signature good.
    pub fn verify(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let input = self.home.path().join("message");
        std::fs::write(&input, message).unwrap();
        accepted(self.gpg().arg("--decrypt").arg(input))
    }

    /// What skopeo, and with it podman, says of a signature over an image's manifest by the key of
    /// this fingerprint, where the payload has to name `reference`.
    pub fn skopeo_verify(
        &self,
        manifest: &[u8],
        reference: &str,
        fingerprint: &str,
        message: &[u8],
    ) -> Result<(), String> {
        for (name, bytes) in [("manifest.json", manifest), ("signature", message)] {
            std::fs::write(self.home().join(name), bytes).unwrap();
        }
        let skopeo = binary("skopeo");
        seen("skopeo", version_in(&run(Command::new(&skopeo).arg("--version"))));
        let mut command = isolated(skopeo, self.home());
        command.env("GNUPGHOME", self.home()).current_dir(self.home());
        command.args(["standalone-verify", "manifest.json", reference, fingerprint, "signature"]);
        accepted(&mut command).map(drop)
    }

    /// Whether gpg finds a detached signature over `data` good.
    pub fn verify_detached(&self, signature: &[u8], data: &[u8]) -> Result<(), String> {
        for (name, bytes) in [("signature", signature), ("data", data)] {
            std::fs::write(self.home().join(name), bytes).unwrap();
        }
        let mut command = self.gpg();
        command.current_dir(self.home()).args(["--verify", "signature", "data"]);
        accepted(&mut command).map(drop)
    }

    /// What packets a signature, armored or binary, is made of.
    pub fn list_packets(&self, signature: &[u8]) -> String {
        let file = self.home.path().join("packets");
        std::fs::write(&file, signature).unwrap();
        run(self.gpg().arg("--list-packets").arg(file))
    }

    fn gpg(&self) -> Command {
        let mut command = isolated(binary("gpg"), self.home());
        command.args(["--batch", "--no-tty", "--quiet", "--homedir"]).arg(self.home());
        command.args([
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            "--trust-model",
            "always",
        ]);
        command
    }

    /// Its folder, for `GNUPGHOME`.
    pub fn home(&self) -> &Path {
        self.home.path()
    }
}

/// What a command prints when it is content, or what it complains about.
fn accepted(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.stdin(Stdio::null()).output().unwrap();
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

impl Drop for GnuPg {
    fn drop(&mut self) {
        // An agent that is left over holds an inotify instance, of which there are few.
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(self.home())
            .args(["--kill", "all"])
            .output();
    }
}
