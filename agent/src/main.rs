//! `agent`: see the package's description, `agent help`, and crate `node`, where all of it is done.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::main(node::Role::Agent)
}
