//! Resolves the section `[audit]`: where lines go, and what must never be in them.

use regex::Regex;

use super::{
    super::{
        Audit, AuditSink, OnFull, Redaction,
        file::{self, File},
        located::Located,
    },
    Resolver,
};

impl Resolver<'_> {
    /// `Some(None)` where there is to be no audit log.
    pub(super) fn audit(&mut self, file: &File) -> Option<Option<Audit>> {
        let Some(section) = &file.audit else { return Some(None) };
        let audit = &section.value;
        let sink = self.audit_sink(section);
        let arguments = audit.arguments.as_ref().is_some_and(|arguments| arguments.value);
        let rules = [&audit.redact_names, &audit.redact_pointers, &audit.redact_patterns];
        if let (false, Some(rule)) = (arguments, rules.iter().find_map(|rules| rules.first())) {
            let message = "what `audit.redact_…` names is never kept, because no arguments are; leave it out or write \
                           `arguments = true`";
            self.findings.report(&rule.at, message);
        }
        let redaction = self.redaction(audit);
        let argument_bytes = self.bytes("audit.argument_bytes", &audit.argument_bytes, file::audit::ARGUMENT_BYTES);
        Some(Some(Audit {
            sink: sink?,
            on_full: match audit.on_full.as_ref().map(|on_full| on_full.value) {
                None | Some(file::audit::OnFull::Drop) => OnFull::Drop,
                Some(file::audit::OnFull::Refuse) => OnFull::Refuse,
            },
            arguments,
            argument_bytes,
            redaction,
        }))
    }

    fn audit_sink(&mut self, section: &Located<file::Audit>) -> Option<AuditSink> {
        match self.filled("audit.file", &section.value.file) {
            Some("-") => Some(AuditSink::Stdout),
            Some(path) => Some(AuditSink::File(self.directory.join(path))),
            None => {
                let message = "`audit.file` is missing; write `file = \"audit.jsonl\"`, or `\"-\"` for standard output";
                self.findings.report(&section.at, message);
                None
            }
        }
    }

    fn redaction(&mut self, audit: &file::Audit) -> Redaction {
        for pointer in &audit.redact_pointers {
            if !pointer.value.starts_with('/') {
                let message = "`audit.redact_pointers` takes JSON pointers, which begin with `/`; write one such as \
                               `/customer/iban`, or put a name into `redact_names`";
                self.findings.report(&pointer.at, message);
            }
        }
        for pattern in &audit.redact_patterns {
            if Regex::new(&pattern.value).is_err() {
                let message = "`audit.redact_patterns` takes regular expressions, and this is none; write one such as \
                               `'^[0-9]{16}$'` in single quotes";
                self.findings.report(&pattern.at, message);
            }
        }
        let texts = |rules: &[Located<String>]| rules.iter().map(|rule| rule.value.clone()).collect();
        Redaction {
            names: texts(&audit.redact_names),
            pointers: texts(&audit.redact_pointers),
            patterns: texts(&audit.redact_patterns),
        }
    }
}
