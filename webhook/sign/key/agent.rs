//! OpenPGP keys that the user's gpg-agent keeps, on disk or on a card.
//!
//! gpg is asked for a detached signature and nothing else; messages are put together here, so that
//! they have the same form whoever keeps the key. The agent sees no image, only bytes.

use std::{
    fmt,
    io::Write as _,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use sequoia_openpgp::{Cert, serialize::SerializeInto as _};

use super::{
    Passphrase, SigningKeyError,
    error::SigningFault,
    openpgp::{attached, only_cert, signing_part},
};
use crate::{
    name::{Fingerprint, escape},
    verify::openpgp_fingerprint,
};

/// A key of gpg's that can sign now.
#[derive(Clone)]
pub struct AgentKey {
    cert: Cert,
    /// The part that signs, in hex.
    part: String,
    passphrase: Option<Passphrase>,
    /// One signature at a time: a card can do no more, and nobody is asked twice at once.
    turn: Arc<Mutex<()>>,
}

impl AgentKey {
    /// The key of this fingerprint. If it is that of a subkey, that very part signs; else the newest
    /// that may.
    ///
    /// # Errors
    /// gpg is not there, does not have the key, or the key may not sign at `now`.
    pub fn open(
        fingerprint: &str,
        passphrase: Option<Passphrase>,
        now: Timestamp,
    ) -> Result<Self, SigningKeyError> {
        let mut export = gpg();
        // The `=` of an exact user ID or a lone word never gets here: these are hex digits.
        let output = export
            .args(["--export", "--", fingerprint])
            .stdin(Stdio::null())
            .output()
            .map_err(SigningKeyError::NoGpg)?;
        let unknown = || SigningKeyError::NotInGpg { name: escape(fingerprint, 80) };
        if !output.status.success() || output.stdout.is_empty() {
            return Err(unknown());
        }
        let cert = only_cert(&output.stdout)?;
        let named = cert
            .keys()
            .map(|key| key.key().fingerprint())
            .find(|known| known.to_hex().eq_ignore_ascii_case(fingerprint))
            .ok_or_else(unknown)?;
        let only = (named != cert.fingerprint()).then_some(named);
        let part = signing_part(&cert, only.as_ref(), now)?.to_hex();
        Ok(Self { cert, part, passphrase, turn: Arc::default() })
    }

    /// The fingerprint of the certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        openpgp_fingerprint(&self.cert.fingerprint())
    }

    /// The certificate, binary.
    ///
    /// # Errors
    /// [`SigningKeyError::Signing`], when the library cannot write it.
    pub fn certificate(&self) -> Result<Vec<u8>, SigningKeyError> {
        self.cert.to_vec().map_err(SigningKeyError::fault)
    }

    pub(super) fn cert(&self) -> &Cert {
        &self.cert
    }

    /// A signed message with `payload` inside, binary.
    ///
    /// # Errors
    /// [`SigningKeyError`], if gpg makes no signature.
    pub fn sign_message(&self, payload: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        attached(payload, &self.sign_detached(payload)?)
    }

    /// A detached signature over `data`, binary. It states the time of gpg's clock.
    ///
    /// # Errors
    /// [`SigningKeyError`], if gpg makes none.
    pub fn sign_detached(&self, data: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        self.detached(&["--no-textmode"], data)
    }

    /// A detached signature over a text, binary.
    ///
    /// # Errors
    /// [`SigningKeyError`], if gpg makes none.
    pub fn sign_text(&self, text: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        self.detached(&["--textmode"], text)
    }

    fn detached(&self, mode: &[&str], data: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = gpg();
        command.args(["--status-fd", "2", "--digest-algo", "SHA512"]);
        if self.passphrase.is_some() {
            // The first line of what gpg reads, before the data.
            command.args(["--pinentry-mode", "loopback", "--passphrase-fd", "0"]);
        }
        command.args(mode).args(["--local-user", &format!("{}!", self.part), "--detach-sign"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = command.spawn().map_err(SigningKeyError::NoGpg)?;
        if let Some(mut input) = running.stdin.take() {
            // A gpg that has given up reads no further; its status tells why.
            let _told = match &self.passphrase {
                Some(passphrase) => passphrase
                    .with(|line| input.write_all(line).and_then(|()| input.write_all(b"\n"))),
                None => Ok(()),
            }
            .and_then(|()| input.write_all(data));
        }
        let output = running.wait_with_output().map_err(SigningKeyError::NoGpg)?;
        if output.status.success() && !output.stdout.is_empty() {
            return Ok(output.stdout);
        }
        Err(self.refusal(&output))
    }

    /// What gpg's status lines and complaints mean.
    fn refusal(&self, output: &Output) -> SigningKeyError {
        let fingerprint = self.fingerprint();
        let text = String::from_utf8_lossy(&output.stderr);
        let code = text
            .lines()
            .filter_map(|line| line.strip_prefix("[GNUPG:] FAILURE sign "))
            .find_map(|code| code.trim().parse::<u32>().ok())
            .map(|code| code & 0xffff);
        let says = |words: &str| text.contains(words);
        match code {
            Some(BAD_PASSPHRASE) => SigningKeyError::WrongPassphrase { fingerprint },
            Some(NO_AGENT) => SigningKeyError::NoAgent,
            Some(NO_PIN_ENTRY) => SigningKeyError::NoPinentry { fingerprint },
            _ if says("[GNUPG:] INV_SGNR 9 ") || code == Some(NO_SECKEY) => {
                SigningKeyError::NoSecretInGpg { fingerprint }
            }
            _ if says("can't connect to the") && says("agent") || says("no gpg-agent running") => {
                SigningKeyError::NoAgent
            }
            _ if says("Inappropriate ioctl") || says("No pinentry") => {
                SigningKeyError::NoPinentry { fingerprint }
            }
            _ => {
                let complaints: Vec<&str> =
                    text.lines().filter(|line| line.starts_with("gpg: ")).collect();
                let source = SigningFault::new(complaints.join("; "));
                SigningKeyError::Gpg { fingerprint, source }
            }
        }
    }
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AgentKey({}, part {})", self.fingerprint(), self.part)
    }
}

/// gpg with what it, the agent that it may start, and that one's pinentry need of our environment:
/// never a key, a passphrase or a token of ours.
fn gpg() -> Command {
    let mut command = Command::new("gpg");
    command
        .args(["--batch", "--no-tty", "--quiet"])
        .env_clear()
        .envs(PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("LC_ALL", "C");
    command
}

/// What of our environment gpg gets to see.
const PASSED: [&str; 19] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "TERM",
    "GNUPGHOME",
    "GPG_TTY",
    "PINENTRY_USER_DATA",
    "INSIDE_EMACS",
    "DISPLAY",
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
    "DBUS_SESSION_BUS_ADDRESS",
    "GTK_IM_MODULE",
    "QT_IM_MODULE",
    "XMODIFIERS",
];

// Of libgpg-error.
const BAD_PASSPHRASE: u32 = 11;
const NO_SECKEY: u32 = 17;
const NO_AGENT: u32 = 77;
const NO_PIN_ENTRY: u32 = 85;
