//! See `flow::fuzz::positions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flow::fuzz::positions(data));
