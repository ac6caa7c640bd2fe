//! What the process does with signals: the one place that decides it.

use rustix::process::Signal as Number;
use std::fs;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To stop in order; asked for again, at once.
    Stop,
    /// To stop in order, where nothing is reloaded. The terminal is gone, or a session ends: there may be more than one of these, and none of them is
    /// somebody who has lost his patience.
    HangUp,
    /// To look at the configuration.
    Reload,
    /// To say what each component is doing, and to go on.
    Describe,
    /// Nothing: the system would end the process.
    Nothing,
}

/// The signals of this process from now on.
pub(crate) struct Signals {
    open: Vec<(Number, Wish, Signal)>,
    /// SIGHUP asks for a reload.
    reloads: bool,
    /// There was a terminal at the start: SIGHUP may mean that it is gone.
    terminal: bool,
}

impl Signals {
    /// With `reloads`, SIGHUP asks for a look at the configuration, unless the process's terminal is gone.
    ///
    /// # Errors
    /// When the system does not let the process have a signal that it needs.
    pub(crate) fn new(reloads: bool) -> io::Result<Signals> {
        let ignored = ignored(&fs::read_to_string("/proc/self/status").unwrap_or_default());
        let mut open = Vec::new();
        for (number, wish) in WISHES {
            // What was ignored when we were started stays so, here and in the commands that we start: `nohup` does that. But
            // a shell does it too with SIGINT and SIGQUIT of what runs in its background; whoever sends one means it.
            let is_ignored = ignored & (1 << (number.as_raw() - 1)) != 0;
            if is_ignored && matches!(wish, Wish::HangUp | Wish::Nothing) {
                continue;
            }
            match signal(SignalKind::from_raw(number.as_raw())) {
                Ok(signal) => open.push((number, wish, signal)),
                Err(_) if wish == Wish::Nothing => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Signals { open, reloads, terminal: has_terminal() })
    }

    /// The next signal that asks for anything.
    pub(crate) async fn next(&mut self) -> (i32, Wish) {
        let (number, wish) = std::future::poll_fn(|context| {
            for (number, wish, signal) in &mut self.open {
                while Pin::new(&mut *signal).poll_recv(context).is_ready() {
                    if *wish != Wish::Nothing {
                        return Poll::Ready((number.as_raw(), *wish));
                    }
                }
            }
            Poll::Pending
        })
        .await;
        let hung_up = self.terminal && wish == Wish::HangUp && !has_terminal();
        (number, if self.reloads && wish == Wish::HangUp && !hung_up { Wish::Reload } else { wish })
    }
}

/// Whether the process has a terminal: the kernel takes it away before it tells of that.
fn has_terminal() -> bool {
    fs::File::open("/dev/tty").is_ok()
}

/// When a stop that is under way is to be cut short.
#[derive(Debug, Default)]
pub(crate) struct StopRequests {
    asked: u32,
}

impl StopRequests {
    /// Another wish came; whether the stop is to be cut short. The first one, which began the stop, is told here too.
    pub(crate) fn is_second(&mut self, wish: Wish) -> bool {
        self.asked += u32::from(wish == Wish::Stop);
        self.asked > 1
    }
}

/// The signals that are ignored, by the text of `/proc/self/status`: the lowest bit is that of signal 1.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// All that would end the process, but those that mean a fault of it, and SIGPIPE, which Rust ignores. SIGXFSZ comes with a
/// write that fails, SIGXCPU before the system ends the process anyway.
const WISHES: [(Number, Wish); 14] = [
    (Number::TERM, Wish::Stop),
    (Number::INT, Wish::Stop),
    (Number::HUP, Wish::HangUp),
    (Number::QUIT, Wish::Describe),
    (Number::USR1, Wish::Nothing),
    (Number::USR2, Wish::Nothing),
    (Number::ALARM, Wish::Nothing),
    (Number::VTALARM, Wish::Nothing),
    (Number::PROF, Wish::Nothing),
    (Number::XCPU, Wish::Nothing),
    (Number::XFSZ, Wish::Nothing),
    (Number::IO, Wish::Nothing),
    (Number::POWER, Wish::Nothing),
    (Number::STKFLT, Wish::Nothing),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_ignored_is_read_from_the_systems_mask() {
        let status = "Name:\tagent\nSigBlk:\tffff\nSigIgn:\t0000000000001001\nSigCgt:\t00\n";
        assert_eq!(ignored(status), 1 | 1 << 12);
        assert_eq!(ignored("Name:\tagent\n"), 0, "a system that does not say");
    }

    #[test]
    fn only_who_asks_twice_to_stop_has_no_patience() {
        let is_second = |wishes: &[Wish]| {
            let mut stop_requests = StopRequests::default();
            wishes.iter().any(|wish| stop_requests.is_second(*wish))
        };
        assert!(is_second(&[Wish::Stop, Wish::Stop]));
        assert!(
            !is_second(&[Wish::HangUp, Wish::HangUp, Wish::Stop, Wish::HangUp]),
            "a session that ends sends both"
        );
        assert!(is_second(&[Wish::HangUp, Wish::Stop, Wish::Stop]));
        assert!(!is_second(&[Wish::Stop, Wish::Describe]));
    }
}
