//! Faults and lies come as told, and only then.

use std::{
    io::ErrorKind,
    net::TcpStream,
    time::{Duration, Instant},
};

use countersign_kit::{
    Answer, Ca, Fault, Kind, Listen, On, Peer, Registry, image, round_trips, sha256,
};
use serde_json::json;

use super::{LIMIT, Reply, get};

#[test]
fn faults_befall_only_the_requests_they_are_for() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    let path = "/v2/acme/shop/manifests/1.4";
    let length = shop.manifest.len();
    type Check = fn(&Reply, usize);
    let cases: [(&str, Fault, Check); 10] = [
        ("status", Fault::status(500), |reply, _| assert_eq!(reply.status, 500)),
        ("retry after", Fault::retry_after(429, 7), |reply, _| {
            assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
        }),
        ("web page", Fault::html(200), |reply, _| assert!(reply.body.starts_with(b"<!DOCTYPE"))),
        ("redirect", Fault::redirect(307, "http://localhost:1/x"), |reply, _| {
            assert_eq!(reply.header("location"), Some("http://localhost:1/x"));
        }),
        ("other bytes", Fault::bytes("{}"), |reply, _| assert_eq!(reply.body, b"{}")),
        ("padded", Fault::padded(), |reply, length| {
            assert_eq!(reply.body.len(), length + 1);
            assert_ne!(Some(sha256(&reply.body).as_str()), reply.header("docker-content-digest"));
        }),
        ("header", Fault::header("docker-content-digest", "sha256:0"), |reply, _| {
            assert_eq!(reply.header("docker-content-digest"), Some("sha256:0"));
        }),
        ("too long a length", Fault::Length(1 << 30), |reply, length| {
            assert_eq!(reply.header("content-length"), Some("1073741824"));
            assert_eq!(reply.body.len(), length);
        }),
        ("truncated", Fault::Truncate(10), |reply, length| {
            assert_eq!(reply.header("content-length"), Some(length.to_string().as_str()));
            assert_eq!(reply.body.len(), 10);
        }),
        ("closed", Fault::Close, |reply, _| assert_eq!(reply.status, 0)),
    ];
    for (name, fault, check) in cases {
        registry.fault(On::kind(Kind::Manifest).first(1), fault);
        check(&get(&registry, path, &[]), length);
        assert_eq!(get(&registry, path, &[]).body, shop.manifest, "{name}: only once");
    }
    registry.fault(On::path("/1.4").after(1), Fault::status(503));
    let asked = [(); 3].map(|()| get(&registry, path, &[]).status);
    assert_eq!(asked, [200, 503, 503]);
    assert_eq!(get(&registry, "/v2/", &[]).status, 200);
    registry.heal();
    assert_eq!(get(&registry, path, &[]).status, 200);
}

#[test]
fn time_can_be_taken() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    let path = "/v2/acme/shop/manifests/1.4";

    registry.fault(On::all(), Fault::Hang);
    assert_eq!(get(&registry, path, &[]).status, 0);
    assert_eq!(registry.requests()[0].finished, None);
    registry.heal();

    registry.fault(On::all(), Fault::Endless);
    assert!(get(&registry, path, &[]).body.len() >= LIMIT);
    registry.heal();

    registry.fault(On::all(), Fault::Drip(100, Duration::from_millis(10)));
    let began = Instant::now();
    assert_eq!(get(&registry, path, &[]).body, shop.manifest);
    assert!(began.elapsed() >= Duration::from_millis(30), "{:?}", began.elapsed());
    registry.heal();

    registry.latency(Duration::from_millis(20));
    registry.forget();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| get(&registry, path, &[]));
        }
    });
    get(&registry, path, &[]);
    assert_eq!(registry.total(), 4);
    assert_eq!(round_trips(&registry.requests()), 2);
}

#[test]
fn a_peer_goes_away_and_comes_back() {
    let mut peer = Peer::start(Listen::plain(), |_| Answer::new(204));
    let port = peer.port();
    assert_eq!(get(&peer, "/", &[]).status, 204);
    peer.stop();
    let refused = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.kind());
    assert_eq!(refused.err(), Some(ErrorKind::ConnectionRefused));
    assert_eq!(peer.total(), 1, "records outlive the server");
    let again = Peer::start(Listen::plain().port(port), |request| {
        Answer::json(200, &json!({"asked": request.path}))
    });
    assert_eq!(get(&again, "/x", &[]).json()["asked"], "/x");
    let secure = Peer::start(Listen::tls(&Ca::new()), |_| Answer::new(204));
    assert!(secure.url().starts_with("https://127.0.0.1:"));
}
