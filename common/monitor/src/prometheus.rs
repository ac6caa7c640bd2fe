//! Prometheus text: families of samples, each with its help and type once.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The families of one answer.
#[derive(Default)]
pub(crate) struct Families(BTreeMap<String, Family>);

struct Family {
    kind: &'static str,
    help: &'static str,
    samples: String,
}

/// Names and values.
pub(crate) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Families {
    /// What is only ever counted up; `name` ends in `_total`.
    pub(crate) fn counter(&mut self, name: &str, help: &'static str, labels: Labels<'_>, value: f64) {
        self.add(name, "", "counter", help, labels, value);
    }

    /// What goes up and down.
    pub(crate) fn gauge(&mut self, name: &str, help: &'static str, labels: Labels<'_>, value: f64) {
        self.add(name, "", "gauge", help, labels, value);
    }

    /// How many took no longer than each of these bounds in seconds, how many there were, and their sum in seconds.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        help: &'static str,
        labels: Labels<'_>,
        buckets: &[(f64, u64)],
        (count, sum): (u64, f64),
    ) {
        for (bound, up_to) in buckets {
            let bound = bound.to_string();
            let labels = [labels, &[("le", &*bound)]].concat();
            self.add(name, "_bucket", "histogram", help, &labels, *up_to as f64);
        }
        let all = [labels, &[("le", "+Inf")]].concat();
        self.add(name, "_bucket", "histogram", help, &all, count as f64);
        self.add(name, "_sum", "histogram", help, labels, sum);
        self.add(name, "_count", "histogram", help, labels, count as f64);
    }

    fn add(
        &mut self,
        name: &str,
        suffix: &str,
        kind: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: f64,
    ) {
        let new = || Family { kind, help, samples: String::new() };
        let samples = &mut self.0.entry(name.to_owned()).or_insert_with(new).samples;
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let value = if value == f64::INFINITY { "+Inf".to_owned() } else { value.to_string() };
        // Writing to a String does not fail.
        let _ = match labels.is_empty() {
            true => writeln!(samples, "{name}{suffix} {value}"),
            false => writeln!(samples, "{name}{suffix}{{{}}} {value}", labels.join(",")),
        };
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (name, Family { kind, help, samples }) in &self.0 {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{samples}");
        }
        text
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// `EventReceivedCount` → `flume_event_received_total`; `KafkaEventGetTimer`, in milliseconds, →
/// `flume_kafka_event_get_seconds_total`. What its value is to be divided by comes with it.
pub(crate) fn counter_name(key: &str) -> (String, f64) {
    let (stem, unit, divisor) = match (key.strip_suffix("Count"), key.strip_suffix("Timer")) {
        (Some(stem), _) => (stem, "", 1.0),
        (None, Some(stem)) => (stem, "_seconds", 1_000.0),
        (None, None) => (key, "", 1.0),
    };
    let mut name = "flume".to_owned();
    for sign in stem.chars() {
        if sign.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(sign.to_ascii_lowercase());
    }
    (format!("{name}{unit}_total"), divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_stand_together_and_labels_are_escaped() {
        let mut families = Families::default();
        families.gauge("b", "B.", &[("name", "a\"\\\nb")], 1.5);
        families.counter("a_total", "A.", &[], 2.0);
        families.gauge("b", "B.", &[("name", "c")], f64::INFINITY);
        families.histogram("h", "H.", &[("k", "v")], &[(0.005, 1), (1.0, 3)], (4, 2.25));
        assert_eq!(
            families.text(),
            "# HELP a_total A.\n# TYPE a_total counter\na_total 2\n\
             # HELP b B.\n# TYPE b gauge\nb{name=\"a\\\"\\\\\\nb\"} 1.5\nb{name=\"c\"} +Inf\n\
             # HELP h H.\n# TYPE h histogram\nh_bucket{k=\"v\",le=\"0.005\"} 1\nh_bucket{k=\"v\",le=\"1\"} 3\n\
             h_bucket{k=\"v\",le=\"+Inf\"} 4\nh_sum{k=\"v\"} 2.25\nh_count{k=\"v\"} 4\n"
        );
    }

    #[test]
    fn flumes_keys_become_names_in_prometheus_style() {
        assert_eq!(
            counter_name("AppendBatchReceivedCount"),
            ("flume_append_batch_received_total".into(), 1.0)
        );
        assert_eq!(counter_name("EventWriteFail"), ("flume_event_write_fail_total".into(), 1.0));
        assert_eq!(counter_name("KafkaCommitTimer"), ("flume_kafka_commit_seconds_total".into(), 1_000.0));
    }
}
