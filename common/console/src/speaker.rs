//! Who says something, as layouts name it.

/// Who says something: the thread (`%t`) and the location (`%l`).
pub(crate) struct Speaker<'a> {
    pub(crate) thread: &'a str,
    pub(crate) location: &'a str,
}

impl<'a> Speaker<'a> {
    /// Class and method, and what stands in parentheses behind them.
    fn parts(&self) -> (&'a str, Option<&'a str>) {
        match self.location.split_once('(') {
            Some((front, inside)) => (front, Some(inside.strip_suffix(')').unwrap_or(inside))),
            None => (self.location, None),
        }
    }

    /// `%C`: a class of Flume's, a module of ours, or a logger's name where no more is known.
    pub(crate) fn class(&self) -> &'a str {
        match self.parts() {
            (front, None) => front,
            (front, Some(_)) if front.contains("::") => front,
            (front, Some(_)) => front.rsplit_once('.').map_or(front, |(class, _)| class),
        }
    }

    /// `%c`: Flume's classes log under the name of the outermost.
    pub(crate) fn logger(&self) -> &'a str {
        let class = self.class();
        class.split_once('$').map_or(class, |(outer, _)| outer)
    }

    /// `%M`
    pub(crate) fn method(&self) -> &'a str {
        match self.parts() {
            (front, Some(_)) if !front.contains("::") => {
                front.rsplit_once('.').map_or(UNKNOWN, |(_, name)| name)
            }
            _ => UNKNOWN,
        }
    }

    /// `%F`
    pub(crate) fn file(&self) -> &'a str {
        let inside = self.parts().1.unwrap_or(UNKNOWN);
        inside.rsplit_once(':').map_or(inside, |(file, _)| file)
    }

    /// `%L`
    pub(crate) fn line(&self) -> &'a str {
        self.parts().1.and_then(|inside| inside.rsplit_once(':')).map_or(UNKNOWN, |(_, line)| line)
    }
}

/// What log4j prints where nobody knows.
const UNKNOWN: &str = "?";
