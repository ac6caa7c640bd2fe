//! See `flow::fuzz::key_store`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flow::fuzz::key_store(data));
