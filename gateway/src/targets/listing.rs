//! What a target lists: all pages of a list, within bounds. Keeps nothing.

use std::collections::HashSet;

use causeway_core::{
    canonical::{Client, Request, Response},
    catalog::{Kind, Page},
    wire::{self, Object, json},
};
use tokio::time::timeout;

use super::{
    Fault, OWN, Target, TargetError, fault,
    handshake::{own_client, own_request},
};
use crate::config::Limits;

impl Target {
    /// Its whole list of one kind, page by page; no page where it does not know how to list that.
    pub async fn list(&self, kind: Kind) -> Result<Vec<Page>, TargetError> {
        self.list_for(OWN, &own_client(), kind).await
    }

    /// The same as `client` of the caller `caller_id` sees it.
    pub async fn list_for(&self, caller_id: &str, client: &Client, kind: Kind) -> Result<Vec<Page>, TargetError> {
        let listing = timeout(self.limits.discovery, self.follow_pages(caller_id, client, kind)).await;
        listing.unwrap_or(Err(Fault::Silent(self.limits.discovery))).map_err(|fault| self.error(fault))
    }

    async fn follow_pages(&self, caller_id: &str, client: &Client, kind: Kind) -> Result<Vec<Page>, Fault> {
        let mut pages: Vec<Page> = Vec::new();
        let (mut entries, mut bytes) = (0, 0);
        let mut cursors = HashSet::new();
        let mut params = Object::empty();
        loop {
            let request = Request { client: client.clone(), ..own_request(kind.method(), params) };
            let reply = self.send(caller_id, request, &[]).await?;
            let response = reply.last().await?;
            if response.error_code() == Some(wire::METHOD_NOT_FOUND) {
                return Ok(Vec::new());
            }
            let page = page(kind, &response)?;
            entries += page.entries.len() + page.keyless;
            bytes += response.result().map_or(0, str::len);
            self.bound(pages.len() + 1, entries, bytes)?;
            let cursor = page.next_cursor.clone();
            pages.push(page);
            let Some(cursor) = cursor else { return Ok(pages) };
            params = Object::of([("cursor", json(&cursor).as_str())]);
            if !cursors.insert(cursor) {
                return Err(Fault::EndlessList("a cursor came twice".into()));
            }
        }
    }

    /// A list has at most so much of each.
    fn bound(&self, pages: usize, entries: usize, bytes: usize) -> Result<(), Fault> {
        let Limits { catalog_pages, catalog_entries, catalog_bytes, .. } = self.limits;
        let bounds = [
            (pages, catalog_pages, "pages", "limits.catalog_pages"),
            (entries, catalog_entries, "entries", "limits.catalog_entries"),
            (bytes, catalog_bytes, "bytes", "limits.catalog_bytes"),
        ];
        match bounds.into_iter().find(|(is, most, ..)| is > most) {
            Some((_, most, what, setting)) => {
                Err(Fault::EndlessList(format!("it has more than {most} {what} (`{setting}`)")))
            }
            None => Ok(()),
        }
    }
}

fn page(kind: Kind, response: &Response) -> Result<Page, Fault> {
    match response.result() {
        Some(result) => Page::parse(kind, result).map_err(|error| Fault::Garbage(error.to_string())),
        None => Err(Fault::Refused(fault::rpc_error(response.error().unwrap_or("null")))),
    }
}
