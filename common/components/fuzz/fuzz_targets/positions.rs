//! See `components::fuzz::positions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| components::fuzz::positions(data));
