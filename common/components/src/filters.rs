//! The config filters, which the check itself asks.

use flow::component::{Component, PART};
use plan::{CredentialStore, Descriptor, Kind, Property, Value};

/// Their rows in the catalogue.
pub(crate) const COMPONENTS: &[&Component] = &[
    &Component {
        descriptor: Descriptor::new(
            Kind::ConfigFilter,
            "env",
            "org.apache.flume.configfilter.EnvironmentVariableConfigFilter",
            &[],
        ),
        configure: PART,
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::ConfigFilter,
            "external",
            "org.apache.flume.configfilter.ExternalProcessConfigFilter",
            &[EXTERNAL],
        ),
        configure: PART,
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::ConfigFilter,
            "hadoop",
            "org.apache.flume.configfilter.HadoopCredentialStoreConfigFilter",
            &[HADOOP],
        ),
        configure: PART,
    },
];

const HADOOP: &[Property] = &[
    Property::required(CredentialStore::PROVIDERS, Value::Text),
    Property::optional(CredentialStore::PASSWORD_FILE, Value::Path),
];

const EXTERNAL: &[Property] = &[
    Property::required("command", Value::Free),
    Property::with("charset", Value::Choice(&["UTF-8", "UTF8", "US-ASCII"]), "UTF-8"),
];
