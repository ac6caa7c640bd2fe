//! Files that are set aside: they are not read on, and the source goes on without them.

use super::config::Config;
use super::finish::{Finished, finish};
use super::policy::Candidate;
use std::collections::HashMap;
use std::path::PathBuf;

/// Those of this start.
#[derive(Debug, Default)]
pub(super) struct Asides(HashMap<PathBuf, Aside>);

#[derive(Debug)]
struct Aside {
    file: Candidate,
    /// All of it is read: it is to be finished as soon as that can be.
    is_read: bool,
}

impl Asides {
    /// Sets a file aside, as it is now; `is_read` if only its end could not be told.
    pub(super) fn add(&mut self, file: Candidate, is_read: bool) {
        self.0.insert(file.path.clone(), Aside { file, is_read });
    }

    /// Whether this file is set aside. Another one of its name is not.
    pub(super) fn has(&self, file: &Candidate) -> bool {
        self.0.get(&file.path).is_some_and(|aside| aside.file.id == file.id)
    }

    /// Tries again to finish those that are read; answers which are not aside any more.
    pub(super) fn finish(&mut self, config: &Config) -> Vec<PathBuf> {
        let mut finished = Vec::new();
        self.0.retain(|path, aside| {
            let done =
                aside.is_read && matches!(finish(config, &aside.file), Ok(Finished::Done | Finished::Gone));
            if done {
                finished.push(path.clone());
            }
            !done
        });
        finished
    }

    /// Forgets those that are gone.
    pub(super) fn keep(&mut self, there: impl Fn(&PathBuf) -> bool) {
        self.0.retain(|path, _| there(path));
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
