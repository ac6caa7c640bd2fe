//! The fuzz targets' inputs, replayed on a stable compiler, each also cut short, doubled and damaged a little.

#[path = "../fuzz/entries.rs"]
#[allow(unreachable_pub)]
mod entries;
#[path = "../../wire/tests/replay/mod.rs"]
mod replay;

#[test]
fn every_input_of_every_target_keeps_the_promises() {
    replay::replay_all(env!("CARGO_MANIFEST_DIR"), entries::ENTRIES);
}
