//! What kinds of components there are.

/// The table that a `type` is looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `sources.NAME.type`.
    Source,
    /// `channels.NAME.type`.
    Channel,
    /// `sinks.NAME.type`.
    Sink,
    /// `sinkgroups.NAME.processor.type`.
    Processor,
    /// `sources.NAME.selector.type`.
    Selector,
    /// `sources.NAME.interceptors.NAME.type`.
    Interceptor,
    /// `serializer` of the sinks that write files.
    Serializer,
    /// `deserializer` of the sources that read files.
    Deserializer,
    /// `serializers.NAME.type` of the `regex_extractor` interceptor.
    ExtractorSerializer,
    /// `sink.pathManager` of the `file_roll` sink.
    PathManager,
    /// `configfilters.NAME.type`.
    ConfigFilter,
}

impl Kind {
    /// The word for it in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Source => "source",
            Kind::Channel => "channel",
            Kind::Sink => "sink",
            Kind::Processor => "sink processor",
            Kind::Selector => "channel selector",
            Kind::Interceptor => "interceptor",
            Kind::Serializer => "serializer",
            Kind::Deserializer => "deserializer",
            Kind::ExtractorSerializer => "serializer of `regex_extractor`",
            Kind::PathManager => "path manager",
            Kind::ConfigFilter => "config filter",
        }
    }
}

/// The lists of an agent. A name with one of them behind it is an agent.
pub(crate) const LISTS: [&str; 5] = ["configfilters", "sources", "channels", "sinks", "sinkgroups"];
