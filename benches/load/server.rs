//! Those who answer: processes of their own, so that their memory is nobody else's.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use countersign::{
    admission::Reply,
    config::{Config, Purpose},
    serve::{Metrics, Server, Stop},
};

use tokio::sync::OnceCell;

use crate::{Outcome, world::World};

/// What a process answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// What the gate says: `countersign serve`.
    Gate,
    /// The same each time.
    Constant,
}

/// A running server; it ends with this.
pub struct Process {
    child: Child,
    /// Where it answers reviews.
    pub port: u16,
    /// From its start until it was ready.
    pub started_in: Duration,
}

impl Process {
    /// Starts one with the world's configuration and waits until it is ready.
    pub fn start(world: &World, role: Role) -> Outcome<Self> {
        let (config, port, probes) = world.configure()?;
        let bench = std::env::current_exe()?;
        let program = match role {
            Role::Gate => Path::new(env!("CARGO_BIN_EXE_countersign")),
            Role::Constant => bench.as_path(),
        };
        let mut command = if pinning() {
            let mut taskset = Command::new("taskset");
            taskset.args(["-c", "0"]).arg(program);
            taskset
        } else {
            Command::new(program)
        };
        match role {
            Role::Gate => command.args(["serve", "--config"]),
            Role::Constant => command.arg(CONSTANT),
        };
        command.arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let child = command.spawn()?;
        let mut process = Self { child, port, started_in: Duration::ZERO };
        while !ready(probes) {
            if let Some(status) = process.child.try_wait()? {
                return Err(format!("{role:?} ended: {status}").into());
            }
            if started.elapsed() > LONGEST_START {
                return Err(format!("{role:?} did not become ready").into());
            }
            thread::sleep(Duration::from_micros(500));
        }
        process.started_in = started.elapsed();
        Ok(process)
    }

    /// Resident memory now, in words: all of it, and without the pages of the program's file,
    /// which the kernel can drop and servers on one node share.
    pub fn resident(&self) -> Outcome<String> {
        let (all, own) = (self.status("VmRSS:")?, self.status("RssAnon:")?);
        Ok(format!("{all:>8.1} MiB resident, {own:.1} of it anonymous"))
    }

    /// The most resident memory so far, in MiB.
    pub fn most_resident(&self) -> Outcome<f64> {
        self.status("VmHWM:")
    }

    /// Processor time that it has used so far, in seconds.
    pub fn processor_time(&self) -> Outcome<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // After the name in parentheses, which may hold anything: state is the first.
        let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc/PID/stat")?;
        let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u32>);
        let (user, system) = (ticks.next(), ticks.next());
        let used = user.ok_or("no user time")?? + system.ok_or("no system time")??;
        Ok(f64::from(used) / TICKS)
    }

    fn status(&self, field: &str) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kibibytes.ok_or("no such field in /proc/PID/status")?.trim().parse::<f64>()? / 1024.0)
    }
}

/// Size of the program, in MB.
pub fn binary_size() -> Outcome<f64> {
    let bytes = fs::metadata(env!("CARGO_BIN_EXE_countersign"))?.len();
    Ok(f64::from(u32::try_from(bytes)?) / 1e6)
}

impl Drop for Process {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

fn ready(port: u16) -> bool {
    let Ok(mut probe) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let asked = probe.write_all(b"GET /readyz HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && probe.read_to_string(&mut answer).is_ok() && answer.contains(" 200 OK")
}

/// Whether the server can be given a processor of its own.
fn pinning() -> bool {
    processors() > 1 && Command::new("taskset").arg("-V").output().is_ok()
}

fn processors() -> usize {
    fs::read_to_string("/proc/cpuinfo")
        .map_or(1, |info| info.lines().filter(|line| line.starts_with("processor")).count())
}

/// Leaves the first processor to the server, for this process and all threads that it will have.
pub fn keep_off_its_processor() {
    if pinning() {
        let (others, own) = (format!("1-{}", processors() - 1), std::process::id().to_string());
        let _where_allowed = Command::new("taskset").args(["-a", "-cp", &others, &own]).output();
    }
}

/// The role in which this very program is started again.
pub const CONSTANT: &str = "constant";

/// Serves with the listener of `countersign serve` what the gate says of the first review, whatever
/// else is asked: the same bytes to send and the same line to log.
pub fn constant(config: &str) -> Outcome<()> {
    let _already = rustls::crypto::ring::default_provider().install_default();
    countersign::serve::start_log(countersign::serve::LogFormat::Text);
    let loaded = Config::load(Path::new(config), Purpose::Serve)?;
    let options = loaded.serve.ok_or("the configuration has no listeners")?;
    let (gate, first) = (loaded.gate, Arc::new(OnceCell::new()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::bind(options, Arc::new(Metrics::new())).await?;
        let answer = move |phase, body, deadline| {
            let (gate, first) = (Arc::clone(&gate), Arc::clone(&first));
            async move {
                let reply = first.get_or_init(|| gate.review(phase, body, deadline)).await;
                Reply::clone(reply)
            }
        };
        server.run(answer, String::new, Stop::signal()?).await?;
        Ok(())
    })
}

const LONGEST_START: Duration = Duration::from_secs(20);

/// `USER_HZ`, which Linux has fixed for programs.
const TICKS: f64 = 100.0;
