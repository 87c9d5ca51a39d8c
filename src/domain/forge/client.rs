//! One door to a forge: requests, redirects, conditional requests and pages.

use super::{
    CommentRecord, Error, IssueName, IssueRecord, address,
    answer::{self, Meaning},
    cache::{self, Cached},
    endpoint::Endpoint,
};
use crate::system::{
    Context, clock,
    http::{self, Method, Request, Response},
};

/// Redirects that are followed for one address, as after a repository was renamed.
const REDIRECTS: usize = 5;

/// A connection to the interface of one forge, for one call.
#[derive(Debug)]
pub(crate) struct Client<'a> {
    context: &'a Context,
    endpoint: Endpoint,
    token: Option<String>,
    max_age_s: u64,
}

/// What the forge shows under an address.
#[derive(Clone, Debug)]
pub(crate) enum Lookup<T> {
    /// It is there.
    Found(Found<T>),
    /// It is not, or it is not shown with this token.
    Missing(Missing),
}

/// Something that the forge shows.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    /// The thing.
    pub(crate) value: T,
    /// What to ask with whether it has changed since.
    pub(crate) etag: Option<String>,
    /// When the forge last answered so (RFC 3339, UTC).
    pub(crate) at: String,
}

/// Something that the forge does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// What was asked for.
    pub(crate) url: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The reason the forge gives.
    pub(crate) message: String,
}

/// What comes back for one address: its content, cached or fresh, or that there is none.
type Content = Result<Cached, Missing>;

impl<'a> Client<'a> {
    /// Opens the interface that shows the pages of a host; answers younger than `max_age_s` seconds are not asked for again.
    pub(crate) async fn open(
        context: &'a Context,
        host: Option<&str>,
        max_age_s: u64,
    ) -> Result<Self, Error> {
        let endpoint = Endpoint::of(context, host)?;
        let token = endpoint.token(context).await;
        Ok(Self {
            context,
            endpoint,
            token,
            max_age_s,
        })
    }

    /// Returns the name of the kind of forge.
    pub(crate) fn forge_name(&self) -> &'static str {
        self.endpoint.forge.name()
    }

    /// Looks an issue up, without its comments.
    pub(crate) async fn issue(&self, issue: &IssueName) -> Result<Lookup<IssueRecord>, Error> {
        let forge = self.endpoint.forge;
        let url = format!("{}{}", self.endpoint.base, forge.issue_path(issue));
        let content = match self.get(&url).await? {
            Ok(content) => content,
            Err(missing) => return Ok(Lookup::Missing(missing)),
        };
        let value = forge
            .read_issue(&content.body)
            .map_err(|error| unreadable(&url, &error))?;
        Ok(Lookup::Found(Found {
            value,
            etag: content.etag,
            at: clock::text(content.at),
        }))
    }

    /// Reads so many pages of an issue's comments, oldest first; `true` beside them where there are more.
    pub(crate) async fn comments(
        &self,
        issue: &IssueName,
        pages: usize,
    ) -> Result<Lookup<(Vec<CommentRecord>, bool)>, Error> {
        let forge = self.endpoint.forge;
        let base = &self.endpoint.base;
        let mut comments = Vec::new();
        let mut at = clock::now();
        let mut next = Some(format!("{base}{}", forge.comments_path(issue)));
        for _page in 0..pages {
            let Some(url) = next else { break };
            let content = match self.get(&url).await? {
                Ok(content) => content,
                Err(missing) => return Ok(Lookup::Missing(missing)),
            };
            let page = forge
                .read_comments(&content.body)
                .map_err(|error| unreadable(&url, &error))?;
            comments.extend(page);
            at = at.min(content.at);
            next = address::next_page(base, content.link.as_deref())?;
        }
        Ok(Lookup::Found(Found {
            value: (comments, next.is_some()),
            etag: None,
            at: clock::text(at),
        }))
    }

    /// Asks for an address, unless what is cached is young enough or the forge says that it still holds.
    async fn get(&self, url: &str) -> Result<Content, Error> {
        let token = self.token.as_deref();
        let cached = cache::load(self.context, url, token)?;
        let now = clock::now();
        if let Some(cached) = cached
            .as_ref()
            .filter(|cached| cached.age(now).is_some_and(|age| age < self.max_age_s))
        {
            return Ok(Ok(cached.clone()));
        }
        let etag = cached.as_ref().and_then(|cached| cached.etag.as_deref());
        let response = self.send(Method::GET, url, etag, None).await?;
        let status = response.status;
        let fresh = match answer::judge(self.endpoint.forge, url, &response, now)? {
            Meaning::Missing { message } => {
                return Ok(Err(Missing {
                    url: url.to_owned(),
                    status,
                    message,
                }));
            }
            meaning @ (Meaning::Fresh | Meaning::Unchanged) => {
                renewed(meaning, cached, response, now)
            }
        };
        cache::save(self.context, url, token, &fresh).await?;
        Ok(Ok(fresh))
    }

    /// Sends one request below the interface's base and returns the answer, whatever its status.
    ///
    /// A GET follows the redirects that stay within the interface. Any other method is sent once and follows none:
    /// sent again, it could take effect twice.
    async fn send(
        &self,
        method: Method,
        url: &str,
        etag: Option<&str>,
        body: Option<Vec<u8>>,
    ) -> Result<Response, Error> {
        let request = Request {
            headers: self.headers(etag, body.is_some()),
            url: url.to_owned(),
            method,
            body,
        };
        exchange(&self.endpoint.base, request).await
    }

    fn headers(&self, etag: Option<&str>, has_body: bool) -> Vec<(String, String)> {
        let forge = self.endpoint.forge;
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut headers: Vec<(String, String)> = forge.headers().iter().map(own).collect();
        headers.push(("user-agent".to_owned(), "legwork".to_owned()));
        if has_body {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        if let Some(token) = &self.token {
            let (name, value) = forge.authorization(token);
            headers.push((name.to_owned(), value));
        }
        if let Some(etag) = etag {
            headers.push(("if-none-match".to_owned(), etag.to_owned()));
        }
        headers
    }
}

fn unreadable(url: &str, error: &serde_json::Error) -> Error {
    Error::Unexpected {
        url: url.to_owned(),
        reason: error.to_string(),
    }
}

/// Returns what is to be cached after an answer.
///
/// A 304 renews the headers it carries (RFC 9110, 15.4.5): GitHub sends a new `Link` with the old etag when a page that
/// was the last one gets a successor.
fn renewed(
    meaning: Meaning,
    cached: Option<Cached>,
    response: Response,
    now: jiff::Timestamp,
) -> Cached {
    let etag = response.header("etag").map(str::to_owned);
    let link = response.header("link").map(str::to_owned);
    match (meaning, cached) {
        (Meaning::Unchanged, Some(cached)) => Cached {
            etag: etag.or(cached.etag),
            link: link.or(cached.link),
            body: cached.body,
            at: now,
        },
        _ => Cached {
            etag,
            link,
            body: response.body,
            at: now,
        },
    }
}

/// Sends a request, and a GET also to where the forge says that the thing has moved within its interface.
async fn exchange(base: &str, request: Request) -> Result<Response, Error> {
    let may_follow = request.method == Method::GET;
    let mut request = request;
    for _hop in 0..=REDIRECTS {
        let at = request.url.clone();
        let response = http::send(request.clone())
            .await
            .map_err(|error| Error::Unreachable {
                url: at.clone(),
                reason: error.to_string(),
            })?;
        let is_redirect = matches!(response.status, 301 | 302 | 307 | 308);
        if !is_redirect || !may_follow {
            return Ok(response);
        }
        request.url = address::redirect(base, &at, response.header("location"))?;
    }
    Err(Error::Unexpected {
        url: request.url,
        reason: format!("it redirects more than {REDIRECTS} times"),
    })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        net::TcpListener,
        sync::mpsc,
        thread,
    };

    use super::{Error, Request, exchange};
    use crate::system::http::Method;

    /// Answers each connection with the same bytes, and passes on each request's first line and body.
    fn server(answer: &'static str) -> (String, mpsc::Receiver<(String, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                reader.read_line(&mut first).unwrap();
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if let Some(count) = line.to_lowercase().strip_prefix("content-length:") {
                        length = count.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let request = (first.trim().to_owned(), String::from_utf8(body).unwrap());
                if sender.send(request).is_err() {
                    return;
                }
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (url, requests)
    }

    async fn write(url: &str, method: Method) -> Result<u16, Error> {
        let request = Request {
            method,
            url: format!("{url}/repos/o/r/pulls"),
            headers: Vec::new(),
            body: Some(br#"{"title":"T"}"#.to_vec()),
        };
        exchange(url, request).await.map(|answer| answer.status)
    }

    #[tokio::test]
    async fn a_write_is_sent_once_whatever_comes_back() {
        for (answer, status) in [
            (
                "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n",
                Some(201),
            ),
            (
                "HTTP/1.1 307 x\r\nlocation: /repositories/9/pulls\r\ncontent-length: 0\r\n\r\n",
                Some(307),
            ),
            ("HTTP/1.1 502 x\r\ncontent-length: 0\r\n\r\n", Some(502)),
            // The connection ends without an answer: nobody knows whether the write took effect.
            ("", None),
        ] {
            for method in [Method::POST, Method::PATCH] {
                let (url, requests) = server(answer);
                let outcome = write(&url, method.clone()).await;
                assert_eq!(outcome.as_ref().ok().copied(), status, "{outcome:?}");
                assert!(status.is_some() || matches!(outcome, Err(Error::Unreachable { .. })));
                let (line, body) = requests.recv().unwrap();
                assert_eq!(line, format!("{method} /repos/o/r/pulls HTTP/1.1"));
                assert_eq!(body, r#"{"title":"T"}"#);
                assert!(requests.try_recv().is_err(), "{line} was sent twice");
            }
        }
    }
}
