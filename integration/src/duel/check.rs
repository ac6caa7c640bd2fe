//! Whether all lines came out, once and in order.

use super::arena::{Shape, is_whole, line_number};
use crate::event_line;
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
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
    highest: Vec<Option<u32>>, // of each block
    check: Check,
}

impl Checker {
    /// For lines numbered from 0 to `lines - 1`, which keep their order within each of so many blocks of equal length.
    pub fn new(lines: u32, blocks: u32) -> Checker {
        let highest = vec![None; blocks as usize];
        Checker { seen: vec![false; lines as usize], highest, check: Check::default() }
    }

    /// Takes the next line's beginning.
    pub fn line(&mut self, beginning: &[u8]) {
        let (lines, blocks) = (self.seen.len(), self.highest.len());
        let Some((number, seen)) =
            line_number(beginning).and_then(|number| Some((number, self.seen.get_mut(number as usize)?)))
        else {
            self.foreign();
            return;
        };
        let highest = &mut self.highest[number as usize * blocks / lines];
        if std::mem::replace(seen, true) {
            self.check.doubled += 1;
        } else if highest.is_some_and(|highest| number < highest) {
            self.check.out_of_order += 1;
        }
        *highest = (*highest).max(Some(number));
    }

    /// Takes a line that is none of ours, or no longer what it was.
    pub fn foreign(&mut self) {
        self.check.foreign += 1;
    }

    /// The verdict.
    pub fn finish(mut self) -> Check {
        self.check.missing = self.seen.iter().filter(|seen| !**seen).count() as u32;
        self.check
    }
}

/// Checks the lines in `files`, one behind the other, each with all its bytes.
///
/// # Errors
/// As the file system has them.
pub fn files(files: &[PathBuf], shape: Shape, blocks: u32) -> io::Result<Check> {
    let mut checker = Checker::new(shape.lines, blocks);
    for path in files {
        each_line(path, |line| match is_whole(line, shape.bytes) {
            true => checker.line(line),
            false => checker.foreign(),
        })?;
    }
    Ok(checker.finish())
}

/// Checks the `Event:` lines of a console, which show the beginning of a line.
///
/// # Errors
/// As the file system has them.
pub fn console(path: &Path, lines: u32) -> io::Result<Check> {
    let mut checker = Checker::new(lines, 1);
    each_line(path, |line| {
        if let Some(seen) = event_line::parse(&String::from_utf8_lossy(line)) {
            checker.line(&seen.body);
        }
    })?;
    Ok(checker.finish())
}

fn each_line(path: &Path, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        take(&line);
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duel::arena::line_id;

    #[test]
    fn each_kind_of_fault_is_counted() {
        let mut checker = Checker::new(5, 1);
        for number in [0, 2, 1, 2, 7] {
            checker.line(line_id(number).as_bytes());
        }
        checker.line(b"who is this?");
        assert_eq!(checker.finish(), Check { missing: 2, doubled: 1, out_of_order: 1, foreign: 2 });
    }

    #[test]
    fn each_block_has_its_own_order() {
        let mut checker = Checker::new(5, 2);
        for number in [3, 0, 4, 2, 1] {
            checker.line(line_id(number).as_bytes());
        }
        assert_eq!(checker.finish(), Check { out_of_order: 1, ..Check::default() });
    }
}
