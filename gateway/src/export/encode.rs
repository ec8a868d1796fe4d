//! Spans and metrics in OTLP's own types, which are generated from its protobuf files.

use std::time::Duration;

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
        ScopeMetrics, Sum, metric::Data, number_data_point,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::SpanKind, status::StatusCode},
};

use crate::{
    calls::{self, Attribute},
    metrics::{BOUNDS, Family, Kind, Sample, Value},
};

/// What all messages of this process have in common.
#[derive(Debug)]
pub(super) struct Encoder {
    resource: Resource,
    scope: InstrumentationScope,
    /// Since when counters count, in nanoseconds of the Unix epoch.
    started: u64,
}

impl Encoder {
    pub(super) fn new(resource: &[(String, String)], started: Duration) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let own = [("service.version", version), ("telemetry.sdk.language", "rust")];
        let given = resource.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let attributes = given.chain(own).map(|(key, value)| text(key, value)).collect();
        Self {
            resource: Resource { attributes, ..Resource::default() },
            scope: InstrumentationScope { name: "causeway".into(), version: version.into(), ..Default::default() },
            started: nanos(started),
        }
    }

    pub(super) fn spans(&self, spans: Vec<calls::Span>) -> ExportTraceServiceRequest {
        let spans = spans.into_iter().map(span).collect();
        let scope_spans = ScopeSpans { scope: Some(self.scope.clone()), spans, ..Default::default() };
        let resource = Some(self.resource.clone());
        let spans = ResourceSpans { resource, scope_spans: vec![scope_spans], ..Default::default() };
        ExportTraceServiceRequest { resource_spans: vec![spans] }
    }

    pub(super) fn metrics(&self, families: &[Family], now: Duration) -> ExportMetricsServiceRequest {
        let families = families.iter().filter(|family| !family.samples.is_empty());
        let metrics = families.map(|family| self.metric(family, nanos(now))).collect();
        let scope_metrics = ScopeMetrics { scope: Some(self.scope.clone()), metrics, ..Default::default() };
        let resource = Some(self.resource.clone());
        let metrics = ResourceMetrics { resource, scope_metrics: vec![scope_metrics], ..Default::default() };
        ExportMetricsServiceRequest { resource_metrics: vec![metrics] }
    }

    fn metric(&self, family: &Family, now: u64) -> Metric {
        let points = || family.samples.iter().map(|sample| self.number(sample, now)).collect();
        let aggregation_temporality = AggregationTemporality::Cumulative.into();
        let data = match family.kind {
            Kind::Counter => Data::Sum(Sum { data_points: points(), aggregation_temporality, is_monotonic: true }),
            Kind::Gauge => Data::Gauge(Gauge { data_points: points() }),
            Kind::Histogram => {
                let data_points = family.samples.iter().map(|sample| self.distribution(sample, now)).collect();
                Data::Histogram(Histogram { data_points, aggregation_temporality })
            }
        };
        let unit = if family.name.ends_with("_seconds") { "s" } else { "" };
        let (name, description) = (family.name.into(), family.help.into());
        Metric { name, description, unit: unit.into(), data: Some(data), ..Default::default() }
    }

    fn number(&self, sample: &Sample, now: u64) -> NumberDataPoint {
        let value = match &sample.value {
            Value::Number(number) => *number,
            Value::Distribution(distribution) => distribution.count() as f64,
        };
        NumberDataPoint {
            attributes: labels(sample),
            start_time_unix_nano: self.started,
            time_unix_nano: now,
            value: Some(number_data_point::Value::AsDouble(value)),
            ..Default::default()
        }
    }

    fn distribution(&self, sample: &Sample, now: u64) -> HistogramDataPoint {
        let distribution = match &sample.value {
            Value::Distribution(distribution) => **distribution,
            Value::Number(_) => Default::default(),
        };
        HistogramDataPoint {
            attributes: labels(sample),
            start_time_unix_nano: self.started,
            time_unix_nano: now,
            count: distribution.count(),
            sum: Some(distribution.sum),
            bucket_counts: distribution.counts.to_vec(),
            explicit_bounds: BOUNDS.to_vec(),
            ..Default::default()
        }
    }
}

fn span(span: calls::Span) -> Span {
    let attributes = span.attributes.into_iter().map(|(key, value)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(match value {
                Attribute::Text(text) => any_value::Value::StringValue(text),
                Attribute::Number(number) => any_value::Value::IntValue(number),
                Attribute::Fraction(fraction) => any_value::Value::DoubleValue(fraction),
            }),
        }),
        ..Default::default()
    });
    Span {
        trace_id: span.trace_id.to_be_bytes().to_vec(),
        span_id: span.span_id.to_be_bytes().to_vec(),
        parent_span_id: span.parent.map(|parent| parent.to_be_bytes().to_vec()).unwrap_or_default(),
        trace_state: span.state.as_deref().unwrap_or_default().to_owned(),
        name: span.name,
        kind: if span.is_server { SpanKind::Server } else { SpanKind::Client }.into(),
        start_time_unix_nano: nanos(span.start),
        end_time_unix_nano: nanos(span.end),
        attributes: attributes.collect(),
        status: span.error.map(|message| Status { message, code: StatusCode::Error.into() }),
        flags: 1,
        ..Default::default()
    }
}

fn labels(sample: &Sample) -> Vec<KeyValue> {
    sample.labels.iter().map(|(key, value)| text(key, value)).collect()
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }
}

/// Until the year 2554.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
