use http::header;
use serde::Deserialize;

use super::{
    Client,
    call::{Call, Scope},
    manifest::parse,
};
use crate::{Error, Reference};

const LONGEST_PAGE: usize = 8 * 1024 * 1024;
/// More pages than any real repository has; a registry that goes on for ever is broken.
const MOST_PAGES: usize = 10_000;

#[derive(Deserialize)]
struct Page {
    // Some registries say null for none.
    tags: Option<Vec<String>>,
}

impl Client {
    /// The tags of a repository, in the registry's order.
    ///
    /// # Errors
    /// `NotFound` if there is no such repository, `Denied` if we may not read it, `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn tags(&self, repository: &Reference) -> Result<Vec<String>, Error> {
        let name = repository.repository();
        let mut next =
            Some(self.transport.url(repository.registry(), &format!("{name}/tags/list"))?);
        let mut tags = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(url) = next else { break };
            let call = Call::get(
                repository.registry(),
                url,
                format!("list the tags of {name}"),
                Scope::pull(name),
            );
            let (headers, body) = self.transport.run_and_read(&call, LONGEST_PAGE).await?;
            let link = headers.get(header::LINK).and_then(|value| value.to_str().ok());
            next = link.and_then(next_page).and_then(|link| call.url.join(link).ok());
            let page: Page = parse(&body, format!("the tag list of {name}"))?;
            tags.extend(page.tags.unwrap_or_default());
        }
        Ok(tags)
    }
}

/// The address in `<address>; rel="next"`.
fn next_page(link: &str) -> Option<&str> {
    let (address, relation) = link.trim().strip_prefix('<')?.split_once('>')?;
    relation.contains("next").then_some(address)
}
