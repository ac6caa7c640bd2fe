//! Acts on what is heard: only the files it is about are looked at.

use super::catalog::Catalog;
use super::tail::FileId;
use super::wake::{Heard, News};
use runtime::clock::Instant;

impl Catalog {
    /// Acts on what has happened. Answers whether a scan must tell what has.
    pub(super) fn listen(&mut self, now: Instant) -> bool {
        let mut news = std::mem::take(&mut self.news);
        let Catalog { wake, names, .. } = &mut *self;
        wake.listen(|heard| match heard {
            // Nothing is allocated for the many events that are like this.
            Heard::Written { directory, name } => match names.get(directory, name) {
                Some(id) => note(&mut news, id),
                None if names.group_of(directory, name).is_some() => {
                    news.push(News::Renamed { directory, name: name.to_owned(), cookie: 0 });
                }
                None => {}
            },
            Heard::Renamed { directory, name, cookie } => {
                news.push(News::Renamed { directory, name: name.to_owned(), cookie });
            }
            Heard::FileWritten(id) => note(&mut news, id),
            Heard::FileRenamed(id) => news.push(News::FileRenamed(id)),
            Heard::LookAtAll => news.push(News::LookAtAll),
        });
        let mut look_at_all = false;
        for heard in news.drain(..) {
            match heard {
                News::Written(id) => self.touch(id, now),
                News::Renamed { directory, name, cookie } => self.renamed(directory, &name, cookie, now),
                News::FileRenamed(id) => self.look_behind(id, now),
                News::LookAtAll => look_at_all = true,
            }
        }
        self.news = news;
        self.trace_missing(false, now);
        look_at_all
    }

    /// Something became of a file behind a symbolic link: what the link means now is to be seen.
    fn look_behind(&mut self, id: FileId, now: Instant) {
        let tail = self.tails.get(&id).filter(|tail| tail.has_name());
        let at = tail.and_then(|tail| Some((tail.spot.directory, tail.spot.place.file_name()?.to_owned())));
        if let Some((directory, name)) = at {
            self.look_at(directory, &name, now);
        }
    }
}

/// Adds that `id` was written to, unless that was the last thing heard.
fn note(news: &mut Vec<News>, id: FileId) {
    if !matches!(news.last(), Some(News::Written(last)) if *last == id) {
        news.push(News::Written(id));
    }
}
