#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| { let _ = countersign::attest::SimpleSigning::parse(data); });
