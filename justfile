# Short names for what one types most. `just` without a name lists them.

default:
    @just --list

# Formatting and lints.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --features integration/stores -- -D warnings

# All tests but those that need a JVM or compare with the clock, which .ci/run runs.
test:
    cargo test

# How fast: ours beside a raw copy and, if installed, real Flume, rsyslog and Fluent Bit. `just bench --help` says more.
bench *arguments:
    cargo run --release -p integration --bin duel -- {{arguments}}

# How fast stores are written and read: beside real Flume and the stores' own clients. `just bench-stores hdfs` takes one of them.
bench-stores *arguments:
    cargo run --release -p integration --features stores --bin store_rate -- {{arguments}}

# Instructions of a batch in each step, beside those committed: 5 % more fails. `just counts --accept` writes them anew.
# Needs valgrind and gungraun-runner, which .ci/run installs.
counts *arguments:
    cargo run -p integration --bin counts -- {{arguments}}

# A decoder or parser on made-up input, for so many seconds. `just fuzz-targets` lists them: crate and target.
fuzz crate target seconds="60":
    mkdir -p common/{{crate}}/fuzz/corpus/{{target}}
    cd common/{{crate}} && cargo +nightly fuzz run {{target}} fuzz/corpus/{{target}} testdata/fuzz/{{target}} -- -max_total_time={{seconds}}

# What can be fuzzed, a crate and a target a line.
fuzz-targets:
    @ls common/*/fuzz/fuzz_targets/*.rs | sed 's|common/\(.*\)/fuzz/fuzz_targets/\(.*\).rs|\1 \2|'

# The lesson's cluster on this machine; it stays up until Ctrl-C.
cluster:
    deploy/drill --keep
