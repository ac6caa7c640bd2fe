//! A type that does not run here, or that nobody knows: what Flume does, and what was most likely meant.

use super::nearest::nearest;
use super::tree::Key;
use crate::component::{Availability, Catalogue, Descriptor, Kind, LISTS, Names, short};
use crate::fate::{Dropped, Effect};
use crate::owner::Owner;
use crate::problem::Problem;
use crate::quote::quoted;

pub(super) fn unknown_type_in_flume(kind: Kind, owner: &Owner) -> Dropped {
    match kind {
        Kind::Source | Kind::Channel | Kind::Sink => owner
            .dropped
            .unloadable()
            .in_words(format!("cannot load it (`Unable to load {} type`)", kind.noun())),
        Kind::Serializer => "starts, and fails with every batch".into(),
        Kind::Deserializer => {
            "starts, and ends the source at its first file, until the agent is started again".into()
        }
        _ => owner.dropped.clone(),
    }
}

pub(super) fn not_here_yet(kind: Kind, owner: &Owner, known: &Descriptor, key: &Key) -> Problem {
    let what =
        format!("the {} `{}` of Flume is not supported yet (the {})", kind.noun(), known.name(), owner.noun);
    let Names { since, until, .. } = known.names;
    Problem::error("type-not-here-yet", &key.entry.value_at, what)
        .flume(known.names.releases())
        .effect(Effect::Releases { since, until })
        .fix(in_place_of(known))
        .cause(&owner.noun, format!("the {} `{}` of Flume is not supported yet", kind.noun(), known.name()))
        .lacks(short_name(known))
}

/// How the head of a report names what is lacking: the alias, or the class without its package.
pub(super) fn short_name(known: &Descriptor) -> String {
    match known.names.alias {
        "" => last_part(known.names.class).to_string(),
        alias => known.names.spelled.unwrap_or(alias).to_string(),
    }
}

/// A class without its package and without `$Builder`.
fn last_part(class: &str) -> &str {
    let class = class.strip_suffix("$Builder").unwrap_or(class);
    class.rsplit('.').next().unwrap_or(class)
}

/// What to do about a component that does not run here.
fn in_place_of(known: &Descriptor) -> String {
    if let Availability::Feature(feature) = known.availability {
        return format!("a build with the feature `{feature}`, as packaged builds are");
    }
    match known.names.until {
        Some(last) => format!("leave this agent on Flume {} or older for now", short(last)),
        None => "leave this agent on Flume for now".to_string(),
    }
}

pub(super) fn unknown_type(
    catalogue: &Catalogue,
    kind: Kind,
    owner: &Owner,
    name: &str,
    key: &Key,
    fatal: &Dropped,
) -> Problem {
    if let Some(joined) = joined_line(owner, name) {
        let what = format!(
            "there is no {} {} (the {}): it holds another line",
            kind.noun(),
            quoted(name),
            owner.noun
        );
        let problem = Problem::error("unknown-type", &key.entry.value_at, what).flume(fatal);
        return problem.fix(format!("a line end in front of {}", quoted(joined)));
    }
    let own = is_class(name);
    let what = if own {
        format!("the class {} is none of Flume's (the {})", quoted(name), owner.noun)
    } else {
        format!("there is no {} {} (the {})", kind.noun(), quoted(name), owner.noun)
    };
    let cause = match own {
        true => format!("the class {} is none of Flume's", quoted(name)),
        false => format!("there is no {} {}", kind.noun(), quoted(name)),
    };
    let problem = Problem::error("unknown-type", &key.entry.value_at, what).cause(&owner.noun, cause);
    // A class of Flume's own under a wrong name is a slip.
    let problem = match own && meant(catalogue, kind, name).is_none() {
        true => problem
            .flume("runs it if the class is on its class path")
            .effect(Effect::Class)
            .lacks(format!("own class {}", quoted(name))),
        false if own => {
            problem.flume(fatal.in_words(format!("runs it if the class is on its class path, else: {fatal}")))
        }
        false => problem.flume(fatal),
    };
    let known = || catalogue.of(kind);
    let builder = known().find(|known| known.names.class.strip_suffix("$Builder") == Some(name));
    if let Some(known) = builder {
        return problem.fix(format!(
            "`{} = {}`, or the class with `$Builder` behind it",
            key.entry.key,
            known.name()
        ));
    }
    match meant(catalogue, kind, name) {
        Some((known, advice)) => {
            let mut fix = format!("`{} = {}`", key.entry.key, known.spelling());
            if !advice.is_empty() {
                fix += &format!(", {advice}");
            }
            if known.availability != Availability::Here && Descriptor::class_of(kind).is_none() {
                fix += ", which is not supported yet: leave this agent on Flume for now";
            }
            problem.fix(fix)
        }
        None if own => problem.fix(format!(
            "no class of your own runs as a {}: leave this agent on Flume, or use one of {}",
            kind.noun(),
            catalogue.there_is(kind)
        )),
        None => problem.fix(format!("`{} = TYPE`, one of {}", key.entry.key, catalogue.there_is(kind))),
    }
}

/// Whether a value is the name of a Java class with its package, and not just text with a dot in it.
pub(super) fn is_class(name: &str) -> bool {
    let identifier = |part: &str| {
        part.starts_with(|sign: char| sign.is_alphabetic() || sign == '_')
            && part.chars().all(|sign| sign.is_alphanumeric() || sign == '_' || sign == '$')
    };
    let class = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && name.split('.').all(identifier) && class.starts_with(char::is_uppercase)
}

/// Whether a value names a class of somebody's own, which may be on a class path. What looks like a slip in the name of one
/// of Flume's is none.
pub(super) fn is_own_class(catalogue: &Catalogue, kind: Kind, name: &str) -> bool {
    let builder = || catalogue.of(kind).any(|known| known.names.class.strip_suffix("$Builder") == Some(name));
    let flumes = ["org.apache.flume.", "flume."].iter().any(|package| name.starts_with(package));
    let slip = || flumes && meant(catalogue, kind, name).is_some();
    Descriptor::class_of(kind).is_some() && is_class(name) && !builder() && !slip()
}

/// The line of the same agent that a value goes on with where a line end is missing.
pub(super) fn joined_line<'a>(owner: &Owner, value: &'a str) -> Option<&'a str> {
    let agent = owner.prefix.split('.').next()?;
    let starts = LISTS.iter().filter_map(|list| value.find(&format!("{agent}.{list}.")));
    starts.min().filter(|at| *at > 0).map(|at| &value[at..])
}

/// The type that somebody means who writes `name`, and what he should know: a class in another package or without one,
/// a word that people use for it, a slip.
fn meant(catalogue: &Catalogue, kind: Kind, name: &str) -> Option<(&'static Descriptor, &'static str)> {
    let last = |text: &str| last_part(text).to_ascii_lowercase();
    let word = name.to_ascii_lowercase().replace(['-', '_'], "");
    let mistaken = catalogue.of(kind).find_map(|known| {
        let (_, advice) = known.names.mistaken.iter().find(|(mistaken, _)| *mistaken == word)?;
        Some((known, *advice))
    });
    let foreign = is_class(name) && !name.to_ascii_lowercase().contains("flume.");
    let class = || catalogue.of(kind).find(|known| last(known.names.class) == last(name));
    // `hdfs_sink` for `hdfs`.
    let noun = kind.noun().replace(' ', "");
    let with_noun = || catalogue.find(kind, word.strip_suffix(noun.as_str())?);
    // `kafka` for `KafkaSource`, which has no alias.
    let stem = || {
        let stem = |class: &str| last(class).strip_suffix(noun.as_str()).is_some_and(|stem| stem == word);
        catalogue.of(kind).find(|known| known.names.alias.is_empty() && stem(known.names.class))
    };
    let near = || {
        let aliases = catalogue.of(kind).map(|known| known.names.alias).filter(|alias| !alias.is_empty());
        nearest(name, aliases).and_then(|alias| catalogue.find(kind, &alias))
    };
    if foreign {
        return None;
    }
    mistaken.or_else(|| class().or_else(stem).or_else(with_noun).or_else(near).map(|known| (known, "")))
}
