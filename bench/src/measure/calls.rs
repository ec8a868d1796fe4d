//! Tool calls: each candidate in each form that it serves, with results of each size, by so many clients.

use super::trial::{Tempo, Trial, interleave};
use crate::{
    candidate::Candidate,
    form::{Form, Size},
    results::{Case, Doing, Memory, Results},
};

/// Which calls.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub forms: &'a [Form],
    pub sizes: &'a [Size],
    /// That which is measured closely.
    pub main: Form,
    /// At once, in the main form.
    pub clients: &'a [usize],
    /// At once, in each other form.
    pub clients_elsewhere: &'a [usize],
}

/// All that is `asked`, of each candidate that serves it.
///
/// # Errors
/// See [`interleave`].
pub async fn calls(
    candidates: &[&Candidate],
    asked: Asked<'_>,
    tempo: Tempo,
    results: &mut Results,
) -> anyhow::Result<()> {
    let mut trials = Vec::new();
    for (form, size) in asked.forms.iter().flat_map(|form| asked.sizes.iter().map(|size| (*form, *size))) {
        for clients in asked.clients_of(form).iter().copied() {
            trials.extend(candidates.iter().filter_map(|candidate| {
                let work = candidate.call(form, size)?;
                let (name, process) = (candidate.name().to_owned(), candidate.process.as_ref());
                Some(Trial { candidate: name, process, case: Case::Call { form, size }, clients, work })
            }));
        }
    }
    interleave(&trials, tempo, results).await
}

impl<'a> Asked<'a> {
    fn clients_of(&self, form: Form) -> &'a [usize] {
        if form == self.main { self.clients } else { self.clients_elsewhere }
    }
}

/// Memory of candidates to which nothing was done yet but one call in each form.
pub fn idle(candidates: &[Candidate], results: &mut Results) {
    let memory = candidates.iter().filter_map(|candidate| {
        let bytes = candidate.process.as_ref()?.memory();
        Some(Memory { candidate: candidate.name().to_owned(), doing: Doing::Idle, bytes })
    });
    results.memory.extend(memory);
}
