//! Whether all lines came out, once and in order.

use super::arena::line_number;
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
};

/// What became of the lines of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Check {
    /// Lines that did not come out.
    pub missing: u32,
    /// Copies beyond the first.
    pub doubled: u32,
    /// Lines behind a later one.
    pub out_of_order: u32,
    /// Lines that are none of ours.
    pub foreign: u32,
}

impl Check {
    /// Whether all came, once, in order.
    pub fn is_clean(self) -> bool {
        self == Check::default()
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Check { missing, doubled, out_of_order, foreign } = self;
        write!(
            f,
            "{missing} lines missing, {doubled} doubled, {out_of_order} out of order, {foreign} foreign"
        )
    }
}

/// Looks at lines as they come out.
pub struct Checker {
    seen: Vec<bool>,
    highest: Option<u32>,
    check: Check,
}

impl Checker {
    /// For lines numbered from 0 to `lines - 1`.
    pub fn new(lines: u32) -> Checker {
        Checker { seen: vec![false; lines as usize], highest: None, check: Check::default() }
    }

    /// Takes the next line's beginning.
    pub fn line(&mut self, beginning: &[u8]) {
        let Some((number, seen)) =
            line_number(beginning).and_then(|number| Some((number, self.seen.get_mut(number as usize)?)))
        else {
            self.check.foreign += 1;
            return;
        };
        if std::mem::replace(seen, true) {
            self.check.doubled += 1;
        } else if self.highest.is_some_and(|highest| number < highest) {
            self.check.out_of_order += 1;
        }
        self.highest = self.highest.max(Some(number));
    }

    /// The verdict.
    pub fn finish(mut self) -> Check {
        self.check.missing = self.seen.iter().filter(|seen| !**seen).count() as u32;
        self.check
    }
}

/// Checks what stands in `files`, one behind the other; `begin` finds the line's own beginning in what was written.
///
/// # Errors
/// As the file system has them.
pub fn files(files: &[PathBuf], lines: u32, begin: impl Fn(&[u8]) -> Option<Vec<u8>>) -> io::Result<Check> {
    let mut checker = Checker::new(lines);
    for path in files {
        let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 {
            if let Some(beginning) = begin(&line) {
                checker.line(&beginning);
            }
            line.clear();
        }
    }
    Ok(checker.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duel::arena::line_id;

    #[test]
    fn each_kind_of_fault_is_counted() {
        let mut checker = Checker::new(5);
        for number in [0, 2, 1, 2, 7] {
            checker.line(line_id(number).as_bytes());
        }
        checker.line(b"who is this?");
        assert_eq!(checker.finish(), Check { missing: 2, doubled: 1, out_of_order: 1, foreign: 2 });
    }
}
