//! What reviews cost: pairs of figures from one run, against the real `countersign serve`.
//!
//! ```console
//! $ cargo bench --bench load
//! $ cargo bench --bench load -- memory     only that part of warm, cold, forms and memory
//! ```
//!
//! The server runs on one processor and everything else on the others, where `taskset` can see to
//! that. A *constant* is the same listener answering the same bytes each time: what TLS, HTTP,
//! metrics and the log cost without any judging. It takes turns with the gate, so that whatever
//! else the machine does disturbs both.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod client;
mod cold;
mod figures;
mod forms;
mod server;
mod world;

use std::{error::Error, process::ExitCode, time::Duration};

use client::{Connection, Request, load};
use figures::{Figures, Spread};
use server::{Process, Role};
use world::World;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// One part of what is measured.
type Part = fn(&World) -> Outcome<()>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [role, config] if role == server::CONSTANT => server::constant(config),
        parts => measure(parts),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[String]) -> Outcome<()> {
    // `cargo bench` adds a flag of its own.
    let chosen: Vec<_> = arguments.iter().filter(|word| !word.starts_with("--")).collect();
    let parts: [(&str, Part); 4] = [
        ("warm", warm),
        ("cold", cold::measure),
        ("forms", |_| forms::measure()),
        ("memory", memory),
    ];
    server::keep_off_its_processor();
    let world = World::new()?;
    for (name, part) in parts {
        if chosen.is_empty() || chosen.iter().any(|chosen| *chosen == name) {
            part(&world)?;
        }
    }
    Ok(())
}

/// Everything cached: a Pod of 5 kB with one image, one `attested` rule evaluated each time.
fn warm(world: &World) -> Outcome<()> {
    let image = world.attested_image("warm");
    let request = Request::validating(&[&image]);
    let constant = Process::start(world, Role::Constant)?;
    let gate = Process::start(world, Role::Gate)?;
    println!("start to ready            {:>8.1} ms", figures::millis(gate.started_in));
    println!("review                    {:>8} bytes", request.body);
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let against = Round::of(world, &constant, &request)?;
        let judged = Round::of(world, &gate, &request)?;
        // The first one fills caches and wakes threads.
        if round > 0 {
            rounds.push((against, judged));
        }
    }
    let (constants, judged): (Vec<Round>, Vec<Round>) = rounds.into_iter().unzip();
    for (name, rounds) in [("constant", &constants), ("gate", &judged)] {
        let of = |figure: fn(&Round) -> f64| Spread::of(rounds.iter().map(figure)).median();
        println!(
            "{name:<9} {CONNECTIONS} connections   {:>8.0} reviews/s  p50 {:.2} ms  p99 {:.2} ms  {:.0} µs of processor each",
            of(|round| round.figures.per_second),
            of(|round| round.figures.p50),
            of(|round| round.figures.p99),
            of(|round| round.micros_each),
        );
    }
    let ratio = |pick: fn(&Round, &Round) -> f64| {
        Spread::of(
            constants.iter().zip(&judged).map(|(constant, gate)| 100.0 * pick(constant, gate)),
        )
    };
    let throughput = ratio(|constant, gate| gate.figures.per_second / constant.figures.per_second);
    let processor = ratio(|constant, gate| constant.micros_each / gate.micros_each);
    println!("gate / constant           {throughput} % of the throughput (at least 45)");
    // Those who ask may be what holds the constant back; the time that it takes does not depend
    // on them.
    println!("                          {processor} % by processor time");
    println!("requests to the peers     {:>8}", world.requests());
    Ok(())
}

/// What one server did for a while, and what it took: where others use the processors too, the
/// time that it was given tells more than the time that passed.
#[derive(Clone, Copy)]
struct Round {
    figures: Figures,
    micros_each: f64,
}

impl Round {
    fn of(world: &World, server: &Process, request: &Request) -> Outcome<Self> {
        let before = server.processor_time()?;
        let figures = load(world, server.port, CONNECTIONS, ROUND, request)?;
        let used = server.processor_time()? - before;
        Ok(Self { figures, micros_each: used * 1e6 / figures.answers })
    }
}

/// 10,000 images cached, then 200 reviews at a time.
fn memory(world: &World) -> Outcome<()> {
    let images = world.attested_images(MANY);
    let gate = Process::start(world, Role::Gate)?;
    println!("the binary                {:>8.1} MB (below 25)", server::binary_size()?);
    println!("resident when ready       {}", gate.resident()?);
    let mut connection = Connection::open(world, gate.port)?;
    for image in &images {
        connection.allowed(&Request::validating(&[image]))?;
    }
    println!("{MANY} images cached      {}", gate.resident()?);
    world.forget();
    let spread: Vec<&str> = images.iter().step_by(MANY / 100).map(String::as_str).collect();
    for image in &spread {
        connection.allowed(&Request::validating(&[image]))?;
    }
    println!("  asked again for         {:>8} of 100 of them", world.requests());
    let request = Request::validating(&[images.first().ok_or("no image")?]);
    let parallel = load(world, gate.port, PARALLEL, ROUND, &request)?;
    println!(
        "{PARALLEL} reviews at a time     {}, {:.1} MiB at most (below 64), {:.0} reviews/s, p99 {:.1} ms",
        gate.resident()?,
        gate.most_resident()?,
        parallel.per_second,
        parallel.p99,
    );
    Ok(())
}

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 8;
const PARALLEL: usize = 200;
const MANY: usize = 10_000;
