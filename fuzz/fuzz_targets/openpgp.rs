#![no_main]

use countersign::attest::{Candidate, Signed};
use countersign::verify::Trust;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let signed = Signed::OpenPgpMessage(data.to_vec().into());
    let (source, name) = ("fuzz".into(), String::new());
    let evidence = Candidate { source, name, note: None, recorded_at: None, signed };
    let _ = Trust::new(Vec::new()).map(|trust| trust.open(&evidence, &[]));
});
