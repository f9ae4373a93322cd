//! Requests against servers on this machine. Names come from a resolver that the test writes.

mod bounds;
mod destinations;
mod fetches;
mod proxied;
mod secrets;
mod sends;
mod tls;
mod uploads;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use wassette_policy::{Denial, Effective, Limits, Policy, Setting};
use zeroize::Zeroizing;

use super::*;
use crate::authority::{AuthorityParts, Values};
use crate::storage::Grants;

/// Answers what the test wrote, the last answer again and again, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn add(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let mut answers = self.answers.lock().unwrap();
        answers.entry(name.to_owned()).or_default().push_back(addresses);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolver for Names {
    fn resolve(&self, name: &str) -> Addresses {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answers = answers.entry(name.to_owned()).or_default();
        let last = answers.len() == 1;
        let found = if last { answers.front().cloned() } else { answers.pop_front() };
        Box::pin(async { found.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

/// The values of one component.
#[derive(Default)]
struct Secrets(HashMap<String, String>);

impl Values for Secrets {
    fn variable(&self, _: &str) -> Option<Zeroizing<String>> {
        None
    }

    fn secret(&self, name: &str) -> Option<Zeroizing<String>> {
        self.0.get(name).cloned().map(Zeroizing::new)
    }
}

/// What a world is made of.
#[derive(Default)]
pub(crate) struct Setup {
    /// The entries of `network.allow`.
    allow: String,
    limits: Vec<(&'static str, Setting)>,
    pub(crate) names: Arc<Names>,
    secrets: Vec<(&'static str, &'static str)>,
    roots: Roots,
    proxy: Option<Proxy>,
    resolve: Resolve,
    waits: Waits,
}

impl Setup {
    pub(crate) fn allow(rules: &[&str]) -> Self {
        let allow = rules.iter().map(|rule| format!("      - {rule}\n")).collect();
        Self { allow, ..Self::default() }
    }

    pub(crate) fn name(self, name: &str, addresses: &[&str]) -> Self {
        self.names.add(name, addresses);
        self
    }

    pub(crate) fn limit(mut self, name: &'static str, most: i64) -> Self {
        self.limits.push((name, Setting::Number(most)));
        self
    }

    pub(crate) fn build(self) -> World {
        let policy = format!(
            "version: \"1.0\"\npermissions:\n  network:\n    allow:\n{}",
            if self.allow.is_empty() { "      []\n" } else { &self.allow }
        );
        let policy = Arc::new(Policy::parse(&policy).unwrap());
        let mut limits = Limits::default();
        for (name, setting) in &self.limits {
            limits.set(name, setting).unwrap();
        }
        let effective = Effective::new("test", policy, None);
        let placeholders = Placeholders::new(effective.injected());
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let secrets = self.secrets.iter().map(pair);
        let network = Network::new(NetworkSettings {
            resolver: self.names.clone(),
            roots: self.roots,
            proxy: self.proxy,
            resolve: self.resolve,
            resolve_for_operator: Resolve::Here,
            waits: self.waits,
        });
        let effects = Effects::new(&limits, None);
        let authority = Arc::new(Authority::new(AuthorityParts {
            effective,
            limits,
            storage: Grants::default(),
            values: Arc::new(Secrets(secrets.collect())),
            network: Arc::new(network),
        }));
        let egress = Egress::new(authority.clone(), effects.clone(), placeholders.clone());
        World { egress, effects, names: self.names, placeholders, authority }
    }
}

/// One call, as far as its requests go.
pub(crate) struct World {
    egress: Egress,
    pub(crate) effects: Effects,
    pub(crate) names: Arc<Names>,
    placeholders: Placeholders,
    pub(crate) authority: Arc<Authority>,
}

impl World {
    async fn get(&mut self, url: &str) -> Result<Response<WasiBody>, Error> {
        self.send(Request::get(url)).await
    }

    async fn send(&mut self, request: http::request::Builder) -> Result<Response<WasiBody>, Error> {
        self.send_with(request, None).await
    }

    async fn send_with(
        &mut self,
        request: http::request::Builder,
        options: Option<RequestOptions>,
    ) -> Result<Response<WasiBody>, Error> {
        let body = WasiBody::new(Empty::<Bytes>::new().map_err(|never| match never {}));
        let request = request.body(body).unwrap();
        let sent = self.egress.send_request(request, options, Box::new(async { Ok(()) }));
        let (response, rest) = Pin::from(sent).await?;
        tokio::spawn(Pin::from(rest));
        Ok(response)
    }

    /// The body of a GET that succeeds.
    async fn text(&mut self, url: &str) -> String {
        read(self.get(url).await.unwrap()).await.unwrap()
    }

    pub(crate) fn denials(&self) -> Vec<Denial> {
        self.effects.denials()
    }

    /// The reasons of all refusals, one a line.
    pub(crate) fn reasons(&self) -> String {
        self.denials().iter().map(|denial| format!("{denial}: {}\n", denial.reason)).collect()
    }
}

async fn read(response: Response<WasiBody>) -> Result<String, Error> {
    let body = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// A server that answers each connection in the same way and keeps the heads of the requests.
struct Server {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers with `answer`, byte for byte.
    async fn new(answer: &str) -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), answer).await
    }

    async fn at(address: SocketAddr, answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::with(address, move |mut stream, _| {
            let answer = answer.clone();
            Box::pin(async move {
                let _ = stream.write_all(answer.as_bytes()).await;
            })
        })
        .await
    }

    /// Answers with the head of the request as the body.
    async fn echo() -> Self {
        Self::with(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |mut stream, head| {
            Box::pin(async move {
                let _ = stream.write_all(ok(&head).as_bytes()).await;
            })
        })
        .await
    }

    async fn with<F>(address: SocketAddr, answer: F) -> Self
    where
        F: Fn(Box<dyn Wire>, String) -> Answering + Clone + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = heads.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move {
                    let mut stream: Box<dyn Wire> = Box::new(stream);
                    let head = head_of(&mut stream).await;
                    seen.lock().unwrap().push(head.clone());
                    answer(stream, head).await;
                });
            }
        });
        Self { address, heads }
    }

    fn port(&self) -> u16 {
        self.address.port()
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

type Answering = Pin<Box<dyn Future<Output = ()> + Send>>;

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire for S {}

async fn head_of(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { break };
        head.push(byte);
    }
    String::from_utf8(head).unwrap()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
