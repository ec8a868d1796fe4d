//! What the tools ask of a directory, on threads of their own: files and SQLite block. A call that is not waited for any
//! more ends there by its watch.

use tokio::task::spawn_blocking;

use super::{Directory, DirectoryError};
use crate::cloudwatch_insights::{
    allow_list::Lookup,
    call::{Call, Watch},
    fields::Field,
    found::Found,
    groups::{Groups, LogGroup},
    query::Query,
};

impl Directory {
    pub(in crate::cloudwatch_insights) async fn answer_query(
        &self,
        query: &Query,
        call: &Call,
    ) -> Result<Found, DirectoryError> {
        let query = query.clone();
        self.aside(call, move |directory, watch| directory.query(&query, watch)).await
    }

    /// The log groups that `lookups` lead to, in order, `most` of them.
    pub(in crate::cloudwatch_insights) async fn list_groups(
        &self,
        lookups: &[Lookup],
        most: usize,
        call: &Call,
    ) -> Result<Groups, DirectoryError> {
        let (all, skipped) = self.aside(call, |directory, _| directory.groups()).await?;
        Ok(Groups { notes: skipped.notes(), ..chosen(all, lookups, most) })
    }

    pub(in crate::cloudwatch_insights) async fn list_fields(
        &self,
        group: &str,
        call: &Call,
    ) -> Result<(Vec<Field>, Vec<String>), DirectoryError> {
        let group = group.to_owned();
        self.aside(call, move |directory, watch| directory.fields(&group, watch)).await
    }

    async fn aside<T: Send + 'static>(
        &self,
        call: &Call,
        work: impl FnOnce(&Self, &Watch) -> Result<T, DirectoryError> + Send + 'static,
    ) -> Result<T, DirectoryError> {
        let (directory, watch) = (self.clone(), call.watch());
        let place = self.places.clone();
        let done = call.within(async move {
            // Kept by the work, which may go on for a moment after its call has ended.
            let place = place.acquire_owned().await.map_err(|_| DirectoryError::Lost)?;
            let work = move || {
                let _place = place;
                work(&directory, &watch)
            };
            spawn_blocking(work).await.map_err(|_| DirectoryError::Lost)?
        });
        done.await?
    }
}

fn chosen(all: Vec<LogGroup>, lookups: &[Lookup], most: usize) -> Groups {
    let asked = |group: &LogGroup| lookups.iter().any(|lookup| lookup.finds(&group.name));
    let missing = |name: &str| all.iter().all(|group| group.name != name);
    let exact = lookups.iter().filter_map(|lookup| match lookup {
        Lookup::Exact(name) => Some(name),
        Lookup::Prefix(_) => None,
    });
    let not_found = exact.filter(|name| missing(name)).cloned().collect();
    let mut log_groups: Vec<_> = all.iter().filter(|group| asked(group)).cloned().collect();
    let limit_reached = log_groups.len() > most;
    log_groups.truncate(most);
    Groups { log_groups, not_found, limit_reached, notes: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_those_of_the_list() {
        let group = |name: &&str| LogGroup {
            name: (*name).to_owned(),
            stored_bytes: None,
            retention_days: None,
            created: None,
        };
        let all: Vec<_> = ["/a", "/a/b", "/b", "/c/1", "/c/2"].iter().map(group).collect();
        let lookups = [Lookup::Exact("/a".into()), Lookup::Exact("/bb".into()), Lookup::Prefix("/c/".into())];
        let names = |groups: &Groups| groups.log_groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>();
        let found = chosen(all.clone(), &lookups, 3);
        assert_eq!(names(&found), ["/a", "/c/1", "/c/2"]);
        assert_eq!((found.not_found, found.limit_reached), (vec!["/bb".to_owned()], false));
        let fewer = chosen(all, &lookups, 2);
        assert_eq!((names(&fewer), fewer.limit_reached), (vec!["/a".to_owned(), "/c/1".to_owned()], true));
    }
}
