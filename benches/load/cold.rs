//! Nothing cached: how many requests, how many of them one after the other, how long.

use std::time::{Duration, Instant};

use crate::{
    Outcome,
    client::{Connection, Request},
    figures::millis,
    server::{Process, Role},
    world::World,
};

/// Prints a line for each case; every answer of a peer takes [`LATENCY`].
pub fn measure(world: &World) -> Outcome<()> {
    let gate = Process::start(world, Role::Gate)?;
    let mut connection = Connection::open(world, gate.port)?;
    // Connections to the peers are there in a server that has run for a while.
    connection.allowed(&Request::validating(&[&world.attested_image("first")]))?;
    let eight: Vec<String> =
        (0..8).map(|number| world.attested_image(&format!("cold {number}"))).collect();
    let cases = [
        ("one image by digest", Request::validating(&[&world.attested_image("cold")])),
        (
            "eight images by digest",
            Request::validating(&eight.iter().map(String::as_str).collect::<Vec<_>>()),
        ),
        ("one image by tag", Request::pinning(&world.attested_tag("cold-tag"))),
    ];
    world.latency(LATENCY);
    for (name, request) in cases {
        world.forget();
        let asked = Instant::now();
        connection.allowed(&request)?;
        let took = asked.elapsed();
        println!(
            "cold, {name:<22} {:>3} requests, {} trips of {} ms: {:.0} ms",
            world.requests(),
            world.trips(),
            LATENCY.as_millis(),
            millis(took),
        );
    }
    world.heal();
    Ok(())
}

const LATENCY: Duration = Duration::from_millis(20);
