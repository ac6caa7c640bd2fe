//! Fluent Bit: a followed file, its forward protocol with acknowledgements, a file.

use super::{
    Contestant, Rival, Sample,
    arena::{self, Arena, Shape},
    pair::{self, Pair, Places},
    raw,
};
use crate::node::Error;
use std::{env, path::Path, process::Command};

/// Two Fluent Bits.
pub struct FluentBit {
    /// What they carry.
    pub shape: Shape,
}

impl Contestant for FluentBit {
    fn name(&self) -> String {
        format!("Fluent Bit: forward, acknowledged{}", arena::length(self.shape))
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn missing(&self) -> Option<String> {
        let path = env::var_os("PATH").unwrap_or_default();
        let there = env::split_paths(&path).any(|directory| directory.join(PROGRAM).is_file());
        (!there).then(|| format!("there is no {PROGRAM} in PATH"))
    }

    /// It has several chunks under way at once, each on a connection of its own, and no setting that keeps them in
    /// order: held to one connection, it fails with the others and tries them again much later. That is its own matter.
    fn must_be_clean(&self) -> bool {
        false
    }

    fn rival(&self) -> Rival {
        Rival { copy: raw::From::File, bars: &[] }
    }

    fn run(&self, arena: &Arena) -> Result<Sample, Error> {
        pair::run(self, self.shape, arena)
    }
}

impl Pair for FluentBit {
    fn sender(&self, places: &Places) -> String {
        let tail = [
            "Name tail",
            &format!("Path {}", places.input.display()),
            "Read_From_Head on",
            // All contestants read this file: of its own accord it would have the kernel drop it from the memory.
            "File_Cache_Advise off",
            // Without it the memory of either side holds most of the file, and the last line is no sooner there.
            "Mem_Buf_Limit 16M",
        ];
        let forward = [
            "Name forward",
            &format!("Host {}", places.host),
            &format!("Port {}", places.port),
            "Require_Ack_Response true",
        ];
        text(&tail, &forward)
    }

    fn receiver(&self, places: &Places) -> String {
        let forward = ["Name forward", &format!("Listen {}", places.host), &format!("Port {}", places.port)];
        let file = [
            "Name file",
            &format!("File {}", places.output.display()),
            // A line is the only field of its record; the end of the line comes by itself.
            "Format template",
            "Template {log}",
        ];
        text(&forward, &file)
    }

    fn command(&self, file: &Path) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("-c").arg(file);
        command
    }
}

/// What one side reads. What is not said stays as it comes: larger buffers and threads for the inputs were tried, and
/// made it slower on two cores.
fn text(input: &[&str], output: &[&str]) -> String {
    // What has come waits for the next flush, as it comes for a second. The grace is how long its end takes.
    let service = section("SERVICE", &["Flush 0.02", "Grace 1"]);
    // Without a worker the thread that reads also writes, which is faster on two cores. As it comes it would drop what
    // fails twice.
    let common = ["Match *", "Workers 0", "Retry_Limit no_limits"];
    service + &section("INPUT", input) + &section("OUTPUT", &[output, &common].concat())
}

fn section(head: &str, lines: &[&str]) -> String {
    format!("[{head}]\n    {}\n", lines.join("\n    "))
}

const PROGRAM: &str = "fluent-bit";
