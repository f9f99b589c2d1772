#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| { let _ = str::from_utf8(data).map(str::parse::<countersign::name::ImageRef>); });
