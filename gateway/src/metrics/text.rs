//! Families of samples in Prometheus' text format, which every scraper reads. Knows no names of metrics.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>, "Text-based format", version 0.0.4.

use std::fmt::Write;

use super::{BOUNDS, Distribution, Family, Kind, Sample, Value};

/// Of the text.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text of `families`; those without a sample are left out.
pub(crate) fn exposition(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let (name, help) = (family.name, family.help);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for Sample { labels, value } in &family.samples {
            let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (*name, &**value)).collect();
            match value {
                Value::Number(number) => line(&mut text, name, "", &labels, *number),
                Value::Distribution(distribution) => buckets(&mut text, name, &labels, distribution),
            }
        }
    }
    text
}

fn buckets(text: &mut String, name: &str, labels: &[(&str, &str)], distribution: &Distribution) {
    let mut below = 0;
    for (at, count) in distribution.counts.iter().enumerate() {
        below += count;
        let bound = BOUNDS.get(at).map_or_else(|| "+Inf".to_owned(), ToString::to_string);
        let labels = [labels, &[("le", bound.as_str())]].concat();
        line(text, name, "_bucket", &labels, below as f64);
    }
    line(text, name, "_sum", labels, distribution.sum);
    line(text, name, "_count", labels, below as f64);
}

fn line(text: &mut String, name: &str, suffix: &str, labels: &[(&str, &str)], value: f64) {
    text.push_str(name);
    text.push_str(suffix);
    for (at, (label, value)) in labels.iter().enumerate() {
        text.push_str(if at == 0 { "{" } else { "," });
        let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let _ = write!(text, "{label}=\"{value}\"");
    }
    let closing = if labels.is_empty() { "" } else { "}" };
    let _ = writeln!(text, "{closing} {value}");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::Histogram, *};

    #[test]
    fn families_as_a_scraper_reads_them() {
        let histogram = Histogram::default();
        histogram.observe(Duration::from_millis(20));
        histogram.observe(Duration::from_secs(400));
        let families = [
            Family::counter("calls_total", "Calls.").with(&[("tool", "a\"b\\c\nd"), ("target", "x")], 3_u64),
            Family::gauge("empty", "Nothing."),
            Family::gauge("up", "Whether it is up.").with(&[], 0.5),
            Family::histogram("took_seconds", "How long.").with(&[("target", "x")], histogram.read()),
        ];
        insta::assert_snapshot!(exposition(&families), @r##"
        # HELP calls_total Calls.
        # TYPE calls_total counter
        calls_total{tool="a\"b\\c\nd",target="x"} 3
        # HELP up Whether it is up.
        # TYPE up gauge
        up 0.5
        # HELP took_seconds How long.
        # TYPE took_seconds histogram
        took_seconds_bucket{target="x",le="0.001"} 0
        took_seconds_bucket{target="x",le="0.0025"} 0
        took_seconds_bucket{target="x",le="0.005"} 0
        took_seconds_bucket{target="x",le="0.01"} 0
        took_seconds_bucket{target="x",le="0.025"} 1
        took_seconds_bucket{target="x",le="0.05"} 1
        took_seconds_bucket{target="x",le="0.1"} 1
        took_seconds_bucket{target="x",le="0.25"} 1
        took_seconds_bucket{target="x",le="0.5"} 1
        took_seconds_bucket{target="x",le="1"} 1
        took_seconds_bucket{target="x",le="2.5"} 1
        took_seconds_bucket{target="x",le="5"} 1
        took_seconds_bucket{target="x",le="10"} 1
        took_seconds_bucket{target="x",le="30"} 1
        took_seconds_bucket{target="x",le="60"} 1
        took_seconds_bucket{target="x",le="300"} 1
        took_seconds_bucket{target="x",le="+Inf"} 2
        took_seconds_sum{target="x"} 400.02
        took_seconds_count{target="x"} 2
        "##);
    }
}
