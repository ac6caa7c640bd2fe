//! `<Delete>`: which rolled files go.

use super::{super::sizes, Reader, elements, kind, rolling::Written};
use console::Delete;
use roxmltree::Node;

impl Reader<'_> {
    /// `None` when it has a condition that is not known: nothing is deleted by guesswork.
    pub(super) fn delete(&self, node: Node<'_, '_>, written: &Written<'_>) -> Option<Delete> {
        let base = self.get(node, "basePath").filter(|path| !path.is_empty() && !path.contains("${"))?;
        let depth = self.get(node, "maxDepth").map_or(Some(1), |text| text.trim().parse().ok())?;
        if self.flag(node, "testMode", false) {
            return None;
        }
        let delete = self.conditions(node, written, Delete::new(base, depth).spare(written.file), DEEPEST)?;
        (!delete.is_idle()).then_some(delete)
    }

    /// Adds conditions in the order in which log4j asks them: one, those within it, the next.
    fn conditions(
        &self,
        node: Node<'_, '_>,
        written: &Written<'_>,
        mut delete: Delete,
        depth: usize,
    ) -> Option<Delete> {
        for condition in elements(node) {
            depth.checked_sub(1)?;
            delete = match kind(condition).to_ascii_lowercase().as_str() {
                "iffilename" => {
                    let glob = self.get(condition, "glob").filter(|glob| !glob.contains(['[', '{', '\\']))?;
                    let glob = Some(glob).filter(|glob| !glob.contains("**") && !glob.contains("${"))?;
                    match glob.strip_suffix(written.end).filter(|_| !written.end.is_empty()) {
                        // `*.log.gz` means rolled files alone, and must not be `*.log` of all files.
                        Some(short) => delete.path(short).name(written.like),
                        None => delete.path(glob),
                    }
                }
                "ifaccumulatedfilesize" => delete.most_bytes(sizes::bytes(&self.get(condition, "exceeds")?)?),
                "ifaccumulatedfilecount" => {
                    delete.most_files(self.get(condition, "exceeds")?.trim().parse().ok()?)
                }
                "iflastmodified" => delete.older_than(sizes::millis(&self.get(condition, "age")?)?),
                _ => return None,
            };
            delete = self.conditions(condition, written, delete, depth - 1)?;
        }
        Some(delete)
    }
}

/// Conditions within conditions within conditions.
const DEEPEST: usize = 16;
