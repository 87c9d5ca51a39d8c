//! Addresses of a forge's interface: which belong to it, and where an answer leads.

use super::Error;

/// Returns the host and port of an address, without who logs in.
pub(super) fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.to_lowercase()
}

/// Returns whether nobody on the way can read what is sent to an address.
pub(super) fn is_private(url: &str) -> bool {
    let authority = authority(url);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let parts: Vec<Option<u8>> = host.split('.').map(|part| part.parse().ok()).collect();
    let is_loopback = matches!(parts.as_slice(), [Some(127), Some(_), Some(_), Some(_)]);
    url.starts_with("https://") || is_loopback || matches!(host, "localhost" | "::1")
}

/// Returns whether an address lies below the base of an interface.
fn is_within(base: &str, address: &str) -> bool {
    let path = address
        .strip_prefix(base.trim_end_matches('/'))
        .and_then(|rest| rest.strip_prefix('/'));
    path.is_some_and(|path| !path.contains("..") && !path.contains('\\'))
}

/// Returns the address of the next page from a `Link` header (RFC 8288), if there is one.
///
/// An address outside the interface is not followed: the token would go with it.
pub(super) fn next_page(base: &str, link: Option<&str>) -> Result<Option<String>, Error> {
    let Some(link) = link else { return Ok(None) };
    let next = link.split(',').find_map(|entry| {
        let (address, parameters) = entry.trim().strip_prefix('<')?.split_once('>')?;
        parameters
            .split(';')
            .map(str::trim)
            .any(|parameter| matches!(parameter, r#"rel="next""# | "rel=next"))
            .then_some(address)
    });
    match next {
        None => Ok(None),
        Some(address) if is_within(base, address) => Ok(Some(address.to_owned())),
        Some(address) => Err(Error::Unexpected {
            url: base.to_owned(),
            reason: format!("the next page is elsewhere: {address}"),
        }),
    }
}

/// Returns where a redirect from `url` leads.
///
/// One that leads out of the interface is not followed: the token would go with it.
pub(super) fn redirect(base: &str, url: &str, location: Option<&str>) -> Result<String, Error> {
    let unexpected = |reason: String| Error::Unexpected {
        url: url.to_owned(),
        reason,
    };
    let location = location.ok_or_else(|| unexpected("it redirects nowhere".to_owned()))?;
    let address = if location.starts_with('/') && !location.starts_with("//") {
        let scheme = base.find("://").map_or(0, |at| at + 3);
        let end = base[scheme..]
            .find('/')
            .map_or(base.len(), |at| scheme + at);
        format!("{}{location}", &base[..end])
    } else {
        location.to_owned()
    };
    if is_within(base, &address) {
        Ok(address)
    } else {
        Err(unexpected(format!("it redirects elsewhere: {address}")))
    }
}

#[cfg(test)]
mod tests {
    use super::{next_page, redirect};

    #[test]
    fn a_redirect_is_followed_within_the_interface_alone() {
        let base = "https://ghe.example/api/v3";
        let url = "https://ghe.example/api/v3/repos/o/r/issues/1";
        for (location, wanted) in [
            (
                "/api/v3/repositories/9/issues/1",
                Some("https://ghe.example/api/v3/repositories/9/issues/1"),
            ),
            (
                "https://ghe.example/api/v3/x",
                Some("https://ghe.example/api/v3/x"),
            ),
            ("https://ghe.example/login", None),
            ("https://ghe.example/api/v3/../../login", None),
            ("https://ghe.example.evil/api/v3/x", None),
            ("//evil.example/api/v3/x", None),
            ("http://ghe.example/api/v3/x", None),
            ("x", None),
        ] {
            assert_eq!(
                redirect(base, url, Some(location)).ok().as_deref(),
                wanted,
                "{location}"
            );
        }
        assert!(redirect(base, url, None).is_err());
        assert!(redirect("http://h:1", "http://h:1/a", Some("/b")).is_ok());
    }

    #[test]
    fn the_next_page_is_followed_within_the_interface_alone() {
        let base = "https://api.github.com";
        let link = r#"<https://api.github.com/repositories/1/issues/2/comments?page=1>; rel="prev", <https://api.github.com/repositories/1/issues/2/comments?per_page=100&page=3>; rel="next", <https://api.github.com/x?page=9>; rel="last""#;
        assert_eq!(
            next_page(base, Some(link)).unwrap().unwrap(),
            "https://api.github.com/repositories/1/issues/2/comments?per_page=100&page=3"
        );
        assert_eq!(next_page(base, None).unwrap(), None);
        assert_eq!(
            next_page(base, Some(r#"<https://api.github.com/x>; rel="first""#)).unwrap(),
            None
        );
        for elsewhere in [
            r#"<https://api.github.com.evil.example/x>; rel="next""#,
            r#"<http://api.github.com/x>; rel="next""#,
        ] {
            assert!(next_page(base, Some(elsewhere)).is_err());
        }
    }
}
