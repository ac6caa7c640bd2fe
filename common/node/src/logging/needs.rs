//! What of a configuration only log4j itself can do.

use super::model::{Appender, Lack, Model, To};

/// What is lacking of the appenders that any logger uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Each once; nothing when native code has all of it.
    pub(super) what: Vec<String>,
    /// Consoles that native code has, under the names that they have in the file, and with variables filled in.
    pub(super) ours: Vec<String>,
    /// Whether lines of the console need log4j as well.
    pub(super) console: bool,
}

/// Who writes what is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// Native code, all that it can.
    Here,
    /// log4j, all but consoles; these too if so.
    Log4j {
        /// Also what goes to consoles.
        console: bool,
    },
}

impl Writer {
    /// Whether an appender of this kind is log4j's. One file must have one writer, so that all files are.
    pub(super) fn is_log4j_for(self, to: &To) -> bool {
        match self {
            Writer::Here => false,
            Writer::Log4j { console } => console || !matches!(to, To::Console),
        }
    }
}

impl Model {
    /// What is lacking. An appender that is not there may hand lines to others; those are its own then.
    pub(super) fn needs(&self) -> Needs {
        let used = self.reached();
        let of_filters = self.lacks.iter();
        let lacks = of_filters.chain(used.iter().flat_map(|appender| &appender.lacks));
        let mut what: Vec<String> = Vec::new();
        for lack in lacks {
            if !what.contains(&lack.what) {
                what.push(lack.what.clone());
            }
        }
        let prints = |appender: &&&Appender| matches!(appender.to, To::Console);
        let on_the_way = |appender: &&&Appender| matches!(appender.to, To::Console | To::Others(_));
        let lacking = used.iter().filter(on_the_way).any(|appender| !appender.lacks.is_empty());
        let wanting = used.iter().any(|appender| prints(&appender)) && (lacking || !self.lacks.is_empty());
        // A line must not come to a console both ways, nor to one that is nothing for log4j.
        let console = !what.is_empty() && (wanting || self.prints_behind(&used));
        let ours = used.iter().filter(prints).flat_map(|appender| [&appender.name, &appender.written]);
        let mut ours: Vec<String> = ours.cloned().collect();
        ours.dedup();
        Needs { what, ours: if console { Vec::new() } else { ours }, console }
    }

    /// Whether a console may get lines from what log4j alone can do of these appenders.
    fn prints_behind<'a>(&'a self, used: &[&'a Appender]) -> bool {
        let is_console = |appender: &Appender| matches!(appender.to, To::Console);
        let behind = used.iter().flat_map(|appender| &appender.behind).map(String::as_str);
        let names = self.names_from(behind.collect(), true);
        // One whose name nobody knows may be any of them.
        let any = names.iter().any(|name| name.contains("${")) && self.appenders.iter().any(is_console);
        any || used.iter().any(|appender| appender.prints)
            || self.of(&names).any(|appender| is_console(appender) || appender.prints)
    }

    /// The appenders that any logger names, and those that get their lines from native code.
    fn reached(&self) -> Vec<&Appender> {
        let named = self.loggers.iter().flat_map(|logger| &logger.appenders).map(|to| to.name.as_str());
        let names = self.names_from(named.collect(), false);
        let mut reached: Vec<&Appender> = self.of(&names).collect();
        reached.reverse(); // as they stand in the file, mostly
        reached
    }

    /// These names, and those to which lines go on from there: by native code, and by what is `behind` an appender as well if so.
    fn names_from<'a>(&'a self, mut names: Vec<&'a str>, behind: bool) -> Vec<&'a str> {
        let mut seen = Vec::new();
        while let Some(name) = names.pop() {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            for appender in self.of(&[name]) {
                names.extend(appender.behind.iter().filter(|_| behind).map(String::as_str));
                if let To::Others(others) = &appender.to {
                    names.extend(others.iter().map(|to| to.name.as_str()));
                }
            }
        }
        seen
    }

    /// The first appender of each of these names, if there is one.
    fn of<'a>(&'a self, names: &[&str]) -> impl Iterator<Item = &'a Appender> {
        names.iter().filter_map(|name| self.appenders.iter().find(|appender| appender.name == *name))
    }

    /// What is said of what is lacking becomes what is said at all, where native code is alone; where log4j writes, it speaks for itself.
    pub(super) fn settle(&mut self, writer: Writer) {
        let here = writer == Writer::Here;
        let said = |lacks: &mut Vec<Lack>| {
            lacks.drain(..).map(|lack| lack.said).filter(|_| here).collect::<Vec<_>>()
        };
        self.notices.extend(said(&mut self.lacks));
        for appender in &mut self.appenders {
            if writer.is_log4j_for(&appender.to) {
                appender.notices.clear();
            }
            appender.notices.extend(said(&mut appender.lacks));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::model::{Logger, Reference},
        *,
    };
    use console::Dialect;

    fn appender(name: &str, to: To, lacks: &[&str]) -> Appender {
        let mut appender = Appender { to, ..Appender::new(name, Dialect::Two) };
        lacks.iter().for_each(|what| appender.lack(what, format_args!("{what} is not there")));
        appender
    }

    fn model(root: &[&str], appenders: Vec<Appender>) -> Model {
        let appenders_of_root = root.iter().map(|name| Reference::new(name)).collect();
        let root = Logger {
            name: String::new(),
            level: None,
            appenders: appenders_of_root,
            additive: true,
            filter: None,
        };
        Model { loggers: vec![root], appenders, ..Model::default() }
    }

    #[test]
    fn what_no_logger_uses_is_no_reason() {
        let unused =
            model(&["c"], vec![appender("c", To::Console, &[]), appender("m", To::Nowhere, &["<SMTP>"])]);
        assert_eq!(unused.needs(), Needs { ours: vec!["c".to_owned()], ..Needs::default() });
        let handed = vec![
            appender("a", To::Others(vec![Reference::new("m"), Reference::new("a")]), &[]),
            appender("c", To::Console, &[]),
            appender("m", To::Nowhere, &["<SMTP>", "<SMTP>"]),
        ];
        let needs = model(&["a", "c", "gone"], handed).needs();
        assert_eq!(
            needs,
            Needs { what: vec!["<SMTP>".to_owned()], ours: vec!["c".to_owned()], console: false }
        );
    }

    #[test]
    fn a_console_with_something_of_log4js_own_is_log4js() {
        let own = model(&["c"], vec![appender("c", To::Console, &["<JsonLayout>"])]);
        assert_eq!(own.needs(), Needs { what: vec!["<JsonLayout>".to_owned()], ours: vec![], console: true });
        let mut filtered = model(&["c"], vec![appender("c", To::Console, &[])]);
        filtered.lacks.push(Lack { what: "<ScriptFilter>".to_owned(), said: String::new() });
        assert!(filtered.needs().console);
    }

    #[test]
    fn what_is_lacking_is_told_where_there_is_no_log4j() {
        let told = |writer| {
            let mut model = model(&["m"], vec![appender("m", To::Nowhere, &["<SMTP>"])]);
            model.settle(writer);
            model.appenders[0].notices.clone()
        };
        assert_eq!(told(Writer::Here), ["the appender m: <SMTP> is not there"]);
        assert_eq!(told(Writer::Log4j { console: false }), Vec::<String>::new());
    }
}
