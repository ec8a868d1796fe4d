//! Resolves the section `[telemetry]`, and OpenTelemetry's variables for what it does not say.
//!
//! Source: OpenTelemetry specification, "Environment Variable Specification" and "OpenTelemetry Protocol Exporter".

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{
    super::{
        LogFormat, Otlp, Telemetry,
        environment::Reference,
        file::{self, telemetry},
        located::{Located, Member},
    },
    MOST_SECONDS, Resolver,
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

impl Resolver<'_> {
    pub(super) fn telemetry(&mut self, section: Option<&Located<file::Telemetry>>) -> Option<Telemetry> {
        let default = file::Telemetry::default();
        let telemetry = section.map_or(&default, |section| &section.value);
        Some(Telemetry {
            log_format: match telemetry.log_format.as_ref().map(|format| format.value) {
                None | Some(telemetry::LogFormat::Auto) => LogFormat::Auto,
                Some(telemetry::LogFormat::Text) => LogFormat::Text,
                Some(telemetry::LogFormat::Json) => LogFormat::Json,
            },
            log_level: self.log_level(&telemetry.log_level),
            otlp: self.otlp(telemetry)?,
        })
    }

    fn log_level(&mut self, member: &Member<String>) -> Option<String> {
        let level = member.as_ref()?;
        if level.value.is_empty() || EnvFilter::try_new(&level.value).is_err() {
            let message = "`telemetry.log_level` takes `error`, `warn`, `info`, `debug`, `trace`, or directives such as \
                           `info,causeway::targets=debug`; write one of them";
            self.findings.report(&level.at, message);
        }
        Some(level.value.clone())
    }

    /// `Some(None)` where nothing is to be exported.
    fn otlp(&mut self, telemetry: &file::Telemetry) -> Option<Option<Otlp>> {
        let disabled = self.otel("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let mut is_good = true;
        let base = match &telemetry.otlp_endpoint {
            Some(endpoint) => {
                let url = self.url("telemetry.otlp_endpoint", endpoint, "http://127.0.0.1:4318");
                is_good = url.is_some();
                url
            }
            None if disabled => None,
            None => self.otel_url(ENDPOINT),
        };
        let mut signal = |of: &str, path: &str| {
            let wanted = self.otel(&format!("OTEL_{of}_EXPORTER")).is_none_or(|exporter| exporter != "none");
            let own = self.otel_url(&format!("OTEL_EXPORTER_OTLP_{of}_ENDPOINT"));
            let own = own.filter(|_| !disabled && telemetry.otlp_endpoint.is_none());
            own.or_else(|| base.as_ref().map(|base| below(base, path))).filter(|_| wanted)
        };
        let (traces, metrics) = (signal("TRACES", "v1/traces"), signal("METRICS", "v1/metrics"));
        let headers = self.otlp_headers(telemetry);
        let seconds = self.number(
            "telemetry.metrics_seconds",
            &telemetry.metrics_seconds,
            0..=MOST_SECONDS,
            telemetry::METRICS_SECONDS,
        );
        let (ratio, resource) = (self.ratio(&telemetry.trace_ratio), self.resource(&telemetry.service_name));
        let metrics = metrics.filter(|_| seconds > 0);
        let headers = headers.filter(|_| is_good)?;
        if traces.is_none() && metrics.is_none() {
            return Some(None);
        }
        let timeout = self.otel("OTEL_EXPORTER_OTLP_TIMEOUT").and_then(|millis| millis.parse().ok());
        Some(Some(Otlp {
            traces,
            metrics,
            headers,
            ratio,
            timeout: timeout.map_or(Duration::from_secs(telemetry::TIMEOUT_SECONDS), Duration::from_millis),
            metrics_interval: Duration::from_secs(seconds),
            resource,
        }))
    }

    fn ratio(&mut self, member: &Member<f64>) -> f64 {
        let Some(ratio) = member else {
            let by_ratio = self.otel("OTEL_TRACES_SAMPLER").is_some_and(|sampler| sampler.ends_with("traceidratio"));
            let given = self.otel("OTEL_TRACES_SAMPLER_ARG").filter(|_| by_ratio).and_then(|ratio| ratio.parse().ok());
            return given.filter(|ratio| (0.0..=1.0).contains(ratio)).unwrap_or(1.0);
        };
        if !(0.0..=1.0).contains(&ratio.value) {
            let message = "`telemetry.trace_ratio` takes 0 to 1; write `0.1` for one trace in ten";
            self.findings.report(&ratio.at, message);
        }
        ratio.value
    }

    fn resource(&mut self, service_name: &Member<String>) -> Vec<(String, String)> {
        let own = self.filled("telemetry.service_name", service_name).map(str::to_owned);
        let mut resource = pairs(&self.otel("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default());
        let named = own.or_else(|| self.otel("OTEL_SERVICE_NAME"));
        if let Some(name) = named.or_else(|| {
            let has_one = resource.iter().any(|(name, _)| name == "service.name");
            (!has_one).then(|| telemetry::SERVICE_NAME.to_owned())
        }) {
            resource.retain(|(key, _)| key != "service.name");
            resource.push(("service.name".to_owned(), name));
        }
        resource
    }

    fn otlp_headers(&mut self, telemetry: &file::Telemetry) -> Option<Vec<(HeaderName, HeaderValue)>> {
        let given = self.otel("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
        let of_environment = pairs(&given).into_iter().filter_map(|(name, value)| header(&name, &value));
        let mut headers: Vec<(HeaderName, HeaderValue)> = of_environment.collect();
        for (name, variable) in &telemetry.otlp_headers_env {
            let value = self.variable("telemetry.otlp_headers_env", variable, "")?;
            match header(name, value.expose()) {
                Some(header) => headers.push(header),
                None => {
                    let message = "`telemetry.otlp_headers_env` names a header, or a variable with a value, that cannot be \
                                   sent; write names such as `authorization`";
                    self.findings.report(&variable.at, message);
                }
            }
        }
        Some(headers)
    }

    /// A variable of OpenTelemetry's; an empty one is as good as none.
    fn otel(&self, name: &str) -> Option<String> {
        let value = self.environment.look_up(Reference::Variable(name)).ok()?;
        Some(value.expose().trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn otel_url(&mut self, name: &str) -> Option<Url> {
        let given = self.otel(name)?;
        let url = Url::parse(&given).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none() {
            self.findings
                .report_for_file(format!("the variable `{name}` holds no `http` or `https` URL; correct or unset it"));
        }
        url
    }
}

/// A header whose value nobody gets to see.
fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, mut value) = (HeaderName::try_from(name).ok()?, HeaderValue::from_str(value).ok()?);
    value.set_sensitive(true);
    Some((name, value))
}

/// `key=value,key=value`, both percent-encoded, as in W3C Baggage.
fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(text.trim()).decode_utf8_lossy().into_owned();
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (decoded(key), decoded(value))).collect()
}

/// The URL of `path` below `base`, whether that ends in a slash or not.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}
