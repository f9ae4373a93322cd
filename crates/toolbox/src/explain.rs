//! What a policy says to a question, by the very functions that calls ask. Nothing is opened, looked
//! up or sent; what only a server's address would tell is said to be open.

use std::net::IpAddr;

use serde::Serialize;
use wassette_policy::{Access, Denial, Destination, Host, Permit, Protocol, Request, RequestError};

use crate::catalog::Component;
use crate::code::blocking;
use crate::error::PermissionError;
use crate::permissions::Permissions;
use crate::question::Question;
use crate::toolbox::Toolbox;

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The component's id.
    pub component: String,
    /// The question as it was understood.
    pub question: String,
    /// Whether the component may do it.
    pub allowed: bool,
    /// The rule that allows it, as a policy spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why it is refused, or what is left to be seen when it happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The command that would allow it, where one would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

/// The rule that allows something, and what it leaves open.
struct Allowed {
    rule: String,
    open: Option<String>,
}

impl Toolbox {
    /// Whether the component `id` may do what `question` asks.
    ///
    /// # Errors
    /// [`PermissionError::Unknown`] or [`PermissionError::Question`].
    pub async fn explain(
        &self,
        id: &str,
        question: Question,
    ) -> Result<Explanation, PermissionError> {
        let catalog = self.catalog().await;
        let component = catalog.known(id)?.clone();
        // Where a path leads is found out on the disk.
        blocking(move || explain(&component, &question)).await?
    }
}

fn explain(component: &Component, question: &Question) -> Result<Explanation, PermissionError> {
    let permissions = &component.permissions;
    let decided = decide(permissions, question)?;
    let explanation = Explanation {
        component: component.id.clone(),
        question: question.to_string(),
        allowed: decided.is_ok(),
        rule: None,
        reason: None,
        grant: None,
    };
    Ok(match decided {
        Ok(Allowed { rule, open }) => Explanation { rule: Some(rule), reason: open, ..explanation },
        Err(denial) => match &permissions.problem {
            // No grant would help before that is mended.
            Some(problem) => Explanation { reason: Some(problem.to_string()), ..explanation },
            None => Explanation {
                grant: denial.grant.as_ref().and_then(|grant| grant.command(&component.id)),
                reason: Some(denial.reason),
                ..explanation
            },
        },
    })
}

fn decide(
    permissions: &Permissions,
    question: &Question,
) -> Result<Result<Allowed, Denial>, PermissionError> {
    let effective = &permissions.effective;
    let file = |path: &str, access| {
        permissions.grants.explain(path, access).map(|rule| Allowed { rule, open: None })
    };
    let wrong =
        |cause: RequestError| PermissionError::Question { question: question.to_string(), cause };
    let socket = |protocol, destination: &str| -> Result<_, PermissionError> {
        let destination = Destination::parse_authority(protocol, destination).map_err(wrong)?;
        let host = destination.host.clone();
        Ok(effective.socket(destination).and_then(|permit| {
            addressed(&host, permit.rule(), |address| permit.address(address).map(|_| ()))
        }))
    };
    Ok(match question {
        Question::Read(path) => file(path, Access::Read),
        Question::Write(path) => file(path, Access::Write),
        Question::Request { method, url } => {
            let request = Request::parse(method, url).map_err(wrong)?;
            let host = request.destination.host.clone();
            effective.request(request).and_then(|permit| {
                addressed(&host, permit.rule(), |address| permit.address(address).map(|_| ()))
            })
        }
        Question::Tcp(destination) => socket(Protocol::Tcp, destination)?,
        Question::Udp(destination) => socket(Protocol::Udp, destination)?,
        Question::Lookup(host) => {
            let host = Host::parse(host).map_err(|error| wrong(error.into()))?;
            effective.lookup(host).map(|permit| plain(&permit))
        }
        Question::Variable(key) => effective.variable(key).map(|permit| plain(&permit)),
    })
}

/// What is written as an address is checked as one; what is a name has to be looked up first.
fn addressed(
    host: &Host,
    rule: &str,
    check: impl FnOnce(IpAddr) -> Result<(), Denial>,
) -> Result<Allowed, Denial> {
    const OPEN: &str = "the addresses of the host are checked as well, when it is looked up";
    let open = match host {
        Host::Address(address) => {
            check(*address)?;
            None
        }
        Host::Name(_) => Some(OPEN.to_owned()),
    };
    Ok(Allowed { rule: rule.to_owned(), open })
}

fn plain<T>(permit: &Permit<T>) -> Allowed {
    Allowed { rule: permit.rule().to_owned(), open: None }
}
