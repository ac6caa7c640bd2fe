//! The conversation with Storm: a command is answered at once with what there is, then with a `sync`.

use super::Shared;
use super::lines::Lines;
use super::multilang::{self, Decoder, Handshake, Heard, Id};
use runtime::clock;
use std::io::{Read, Write};
use std::path::Path;

/// Talks until Storm has no more to say; `Err` says why it cannot go on. Blocks.
pub(super) fn talk(
    shared: &Shared,
    lines: &Lines,
    mut input: impl Read,
    mut output: impl Write,
) -> Result<(), String> {
    let (mut decoder, mut talk) = (Decoder::default(), Talk { shared, lines, greeted: false, active: true });
    let (mut space, mut out) = (vec![0; READ_BYTES], Vec::new());
    loop {
        let read = input.read(&mut space).map_err(|error| format!("cannot read standard input: {error}"))?;
        if read == 0 {
            return if talk.greeted {
                Ok(())
            } else {
                Err("standard input has ended before a handshake".to_owned())
            };
        }
        decoder.push(&space[..read]);
        while let Some(heard) =
            decoder.decode().map_err(|error| format!("{error}: this is not Storm's ShellSpout"))?
        {
            talk.answer(heard, &mut out)?;
            let written = output.write_all(&out).and_then(|()| output.flush());
            written.map_err(|error| format!("Storm takes no more: {error}"))?;
            out.clear();
        }
    }
}

struct Talk<'a> {
    shared: &'a Shared,
    lines: &'a Lines,
    greeted: bool,
    active: bool,
}

impl Talk<'_> {
    fn answer(&mut self, heard: Heard, out: &mut Vec<u8>) -> Result<(), String> {
        let greets = matches!(heard, Heard::Handshake(_));
        if greets == self.greeted {
            return Err("a message comes at the wrong time: this is not Storm's ShellSpout".to_owned());
        }
        match heard {
            Heard::Handshake(handshake) => {
                self.greeted = true;
                return self.greet(&handshake, out);
            }
            Heard::TaskIds => return Ok(()),
            Heard::Tuple => return Err("it is started as a bolt, and is a spout".to_owned()),
            Heard::Next if self.active => self.emit(out),
            Heard::Next | Heard::Other(None) => {}
            Heard::Ack(id) => self.ack(&id),
            Heard::Fail(id) => self.fail(&id),
            Heard::Activate => self.turn(true),
            Heard::Deactivate => self.turn(false),
            Heard::Other(Some(word)) => {
                slog::warn!(self.shared.log(), "Storm's command `{word}` is not known, and has no effect")
            }
        }
        self.lines.take(out);
        multilang::sync(out);
        Ok(())
    }

    fn greet(&self, handshake: &Handshake, out: &mut Vec<u8>) -> Result<(), String> {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        if let Some(directory) = &handshake.pid_dir {
            let file = Path::new(directory).join(pid.to_string());
            std::fs::write(&file, "").map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        }
        multilang::greet(out, pid);
        self.shared.greeted(handshake);
        Ok(())
    }

    fn emit(&self, out: &mut Vec<u8>) {
        let process = self.shared.process;
        self.shared.ledger().emit(MOST_TUPLES, MOST_TUPLE_BYTES, clock::now(), |number, event| {
            multilang::emit(out, Id { process, number }, event);
        });
    }

    fn ack(&self, id: &str) {
        let Some(number) = self.own(id) else { return };
        let answer = self.shared.ledger().ack(number);
        if let Some(answer) = answer {
            let _nobody_waits = answer.send(Ok(()));
            self.shared.ring();
        }
    }

    fn fail(&self, id: &str) {
        if let Some(number) = self.own(id) {
            self.shared.ledger().fail(number, clock::now());
        }
    }

    /// The event of a tuple of this process.
    fn own(&self, id: &str) -> Option<u64> {
        Id::parse(id).filter(|id| id.process == self.shared.process).map(|id| id.number)
    }

    fn turn(&mut self, active: bool) {
        self.active = active;
        self.shared.turned(active);
    }
}

const READ_BYTES: usize = 64 << 10;
/// Tuples in one answer, and bytes of their bodies: acknowledgements come between answers.
const MOST_TUPLES: usize = 200;
const MOST_TUPLE_BYTES: usize = 256 << 10;
