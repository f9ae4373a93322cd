//! What a model asks for, in the words of the built-in tools, as edits of a policy. A model may name
//! what a component is to reach, and nothing whose content the question would not show: neither the
//! value of a variable nor a header that the host adds.

use miette::Diagnostic;
use serde_json::{Value, json};
use thiserror::Error;
use wassette_policy::{
    Access, AccessError, Accesses, AdditionError, AnyRule, Edit, KeyError, LimitError, LimitRules,
    NetworkRule, NetworkRuleError, NetworkRuleText, Policy, RuleKind, Setting, StorageRule,
    StorageUriError, Target, VariableRule,
};

use crate::tool::JsonObject;

/// The most rules and limits of one request.
const MOST: usize = 64;

/// One wish of a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// Files are to be reached.
    GrantStorage {
        /// Such as `fs:///data`.
        uri: String,
        /// `read`, `write`.
        access: Vec<String>,
    },
    /// A host is to be reached.
    GrantNetwork {
        /// Such as `api.example.com`, `localhost:8080` or a URL.
        host: String,
        /// Such as `GET`; all if there are none.
        methods: Option<Vec<String>>,
        /// Such as `/v1/**`.
        paths: Option<Vec<String>>,
        /// Such as `443` or `8000-8080`.
        ports: Option<Vec<String>>,
        /// Whether the host may stand for this machine and for private networks.
        private: bool,
    },
    /// A variable is to be read.
    GrantVariable(String),
    /// A call is to have so much memory, such as `512Mi`.
    GrantMemory(String),
    /// Files are no longer to be reached.
    RevokeStorage(String),
    /// A host is no longer to be reached.
    RevokeNetwork(String),
    /// A variable is no longer to be read.
    RevokeVariable(String),
    /// Nothing is to be left.
    Reset,
    /// Several at once: the `permissions` of a policy.
    Permissions(JsonObject),
}

/// Why a wish cannot be understood, or asked.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum WishError {
    /// The text names no files.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Storage(#[from] StorageUriError),
    /// There is no such access.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Access(#[from] AccessError),
    /// There is no access at all.
    #[error("the rule names no access")]
    #[diagnostic(help("write `read`, `write`, or both"))]
    NoAccess,
    /// The text names no host.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Network(#[from] NetworkRuleError),
    /// The text names no variable.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Variable(#[from] KeyError),
    /// The amount is none.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Limit(#[from] LimitError),
    /// The whole is no policy.
    #[error("permissions: {what}")]
    Policy {
        /// What is wrong.
        what: String,
        /// What to write instead.
        #[help]
        help: String,
    },
    /// The whole is a policy, but no request.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Additions(#[from] AdditionError),
    /// More than a person reads.
    #[error("there are {count} rules and limits, and one request has at most {MOST}")]
    #[diagnostic(help("ask for what the next step needs"))]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A variable with a value of its own, or a header that the host adds.
    #[error("the {what} cannot be asked for by a model")]
    #[diagnostic(help(
        "ask without it; the person can set it in the policy with `wassette policy set`"
    ))]
    Unshown {
        /// What that is.
        what: &'static str,
    },
}

impl Wish {
    /// The edits that the wish is about.
    ///
    /// # Errors
    /// [`WishError`] for what names nothing, or could not be shown whole.
    pub fn edits(self) -> Result<Vec<Edit>, WishError> {
        let edit = match self {
            Self::GrantStorage { uri, access } => {
                let access: Vec<Access> =
                    access.iter().map(|access| access.parse()).collect::<Result<_, _>>()?;
                let access = Accesses::of(access).ok_or(WishError::NoAccess)?;
                Edit::Grant(AnyRule::Storage(StorageRule::new(uri.parse()?, access)))
            }
            Self::GrantNetwork { host, methods, paths, ports, private } => {
                let target = NetworkRuleText::target(&host);
                let text = NetworkRuleText { methods, paths, ports, private, ..target };
                Edit::Grant(AnyRule::Network(NetworkRule::read(&text, RuleKind::Allow)?))
            }
            Self::GrantVariable(key) => {
                VariableRule::check_key(&key)?;
                Edit::Grant(AnyRule::Variable(VariableRule::new(key, None)))
            }
            Self::GrantMemory(amount) => {
                let setting = Setting::from(amount.as_str());
                LimitRules::default().set("memory", setting.clone())?;
                Edit::Limit("memory".to_owned(), setting)
            }
            Self::RevokeStorage(uri) => Edit::Revoke(Target::Storage(uri.parse()?)),
            Self::RevokeNetwork(host) => Edit::Revoke(Target::network(&host)?),
            Self::RevokeVariable(key) => {
                VariableRule::check_key(&key)?;
                Edit::Revoke(Target::Variable(key))
            }
            Self::Reset => Edit::Reset,
            Self::Permissions(permissions) => return requested(permissions),
        };
        Ok(vec![edit])
    }
}

fn requested(permissions: JsonObject) -> Result<Vec<Edit>, WishError> {
    let document = json!({ "version": "1.0", "permissions": Value::Object(permissions) });
    // JSON is YAML.
    let policy = Policy::parse(&document.to_string())
        .map_err(|error| WishError::Policy { what: error.what, help: error.help })?;
    if policy.environment.iter().any(|rule| rule.value.is_some()) {
        return Err(WishError::Unshown { what: "value of a variable" });
    }
    if policy.network.allow.iter().any(|rule| !rule.injects().is_empty()) {
        return Err(WishError::Unshown { what: "header that the host adds (`inject`)" });
    }
    let additions = policy.additions()?;
    let count = additions.len();
    if count > MOST { Err(WishError::TooMany { count }) } else { Ok(additions) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(permissions: Value) -> Result<Vec<Edit>, WishError> {
        Wish::Permissions(permissions.as_object().unwrap().clone()).edits()
    }

    #[test]
    fn several_wishes_are_one_request() {
        let edits = asked(json!({
            "storage": { "allow": [{ "uri": "fs:///data", "access": ["read"] }] },
            "network": { "allow": [{ "host": "example.com", "ports": [443, "8000-8080"] }] },
            "environment": { "allow": [{ "key": "KEY" }] },
            "resources": { "limits": { "memory": "512Mi" } },
        }));
        assert_eq!(edits.unwrap().len(), 4);
    }

    #[test]
    fn denied_a_request_for_what_the_question_would_not_show() {
        let value = json!({ "environment": { "allow": [{ "key": "URL", "value": "x" }] } });
        assert!(matches!(asked(value), Err(WishError::Unshown { .. })));
        let inject = json!({ "network": { "allow": [{
            "host": "example.com",
            "inject": { "header": "Authorization", "value": "Bearer ${secret:TOKEN}" },
        }] } });
        assert!(matches!(asked(inject), Err(WishError::Unshown { .. })));
    }

    #[test]
    fn denied_a_request_for_more_than_a_person_reads() {
        let hosts = |count: usize| -> Vec<Value> {
            (0..count).map(|number| json!({ "host": format!("h{number}.example.com") })).collect()
        };
        let request = |count| asked(json!({ "network": { "allow": hosts(count) } }));
        assert_eq!(request(MOST).map(|edits| edits.len()), Ok(MOST));
        assert_eq!(request(MOST + 1), Err(WishError::TooMany { count: MOST + 1 }));
    }

    #[test]
    fn what_takes_away_or_says_nothing_is_no_request() {
        let deny = json!({ "storage": { "deny": [{ "uri": "fs:///data" }] } });
        assert_eq!(asked(deny), Err(AdditionError::Denies.into()));
        assert_eq!(asked(json!({})), Err(AdditionError::Nothing.into()));
        assert!(matches!(asked(json!({ "storag": {} })), Err(WishError::Policy { .. })));
    }
}
