//! The service behind every transport and every revision: each method of the protocol that we serve,
//! as a question to the toolbox. It must never block, never remember anything of a connection but
//! whom to tell of changes, and answer `initialize` and `server/discover` without the store.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestMethod,
    CompleteRequestParams, CompleteResult, CustomRequest, CustomResult, DiscoverResult, ErrorCode,
    ErrorData, Implementation, InitializeRequestParams, InitializeResult, ListPromptsRequestMethod,
    ListPromptsResult, ListResourceTemplatesRequestMethod, ListResourceTemplatesResult,
    ListResourcesRequestMethod, ListResourcesResult, ListToolsResult, MetaObject,
    PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig, ServerResult,
    SubscriptionFilter, Tool as ProtocolTool,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use wassette_toolbox::{Answered, ApprovalError, Catalog, Step, Toolbox};

use crate::admin::{self, BuiltIn};
use crate::answer::Answer;
use crate::caught::{Panicked, caught};
use crate::consent::{Asked, Asking, Consent, Reply, Returned};
use crate::convert;
use crate::notify::{self, Peers};
use crate::options::{BuiltIns, ServerOptions};
use crate::page;
use crate::progress::{Stage, reported};
use crate::repair::Unreadable;
use crate::shape;

mod instructions;

/// How long a client may rely on what `server/discover` said, in milliseconds. It never changes
/// while the process lives.
const DISCOVERY_FRESH: u64 = 60_000;

/// One connection's service. [`Server::connection`] makes the next one's.
#[derive(Clone)]
pub(crate) struct Server {
    shared: Arc<Shared>,
    /// Whether this connection's client is among the peers already.
    announced: Arc<AtomicBool>,
    /// Room for questions to this connection's person.
    questions: Arc<Semaphore>,
}

/// How the service ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    /// No further request comes: streams end as the protocol wants it.
    pub(crate) listening: CancellationToken,
    /// Whatever still runs is stopped.
    pub(crate) work: CancellationToken,
}

struct Shared {
    toolbox: Toolbox,
    options: ServerOptions,
    /// Sorted by name; empty where they are refused.
    built_ins: Vec<(ProtocolTool, &'static dyn BuiltIn)>,
    catalogs: watch::Receiver<Arc<Catalog>>,
    peers: Peers,
    consent: Consent,
    ending: Ending,
    config: ServerConfig,
    /// The `_meta` of every result of 2026-07-28.
    stamp: MetaObject,
}

impl Server {
    /// Starts the one watcher of the process; must be called inside a runtime.
    pub(crate) fn new(toolbox: Toolbox, options: ServerOptions, ending: Ending) -> Self {
        let built_ins: &[&'static dyn BuiltIn] = match options.built_ins {
            BuiltIns::Serve => admin::ALL,
            BuiltIns::Refuse => &[],
        };
        let is_locked = toolbox.approval().locked;
        let built_ins: Vec<_> =
            built_ins.iter().copied().filter(|tool| !is_locked || tool.changes_nothing()).collect();
        Self::with_built_ins(toolbox, options, ending, &built_ins)
    }

    fn with_built_ins(
        toolbox: Toolbox,
        options: ServerOptions,
        ending: Ending,
        built_ins: &[&'static dyn BuiltIn],
    ) -> Self {
        let mut built_ins: Vec<_> =
            built_ins.iter().map(|tool| (admin::listed(*tool), *tool)).collect();
        built_ins.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        let peers = Peers::default();
        tokio::spawn(notify::watch(toolbox.clone(), peers.clone(), ending.listening.clone()));
        let names: Vec<&str> = built_ins.iter().map(|(tool, _)| tool.name.as_ref()).collect();
        let config = config(&options, &names);
        let stamp = stamp(&config.server_info);
        let catalogs = toolbox.subscribe();
        let consent = Consent::new();
        let shared =
            Shared { toolbox, options, built_ins, catalogs, peers, consent, ending, config, stamp };
        Self {
            shared: Arc::new(shared),
            announced: Arc::default(),
            questions: Consent::connection(),
        }
    }

    /// The same service for another connection.
    pub(crate) fn connection(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            announced: Arc::default(),
            questions: Consent::connection(),
        }
    }

    /// How long a question may wait.
    pub(crate) fn question_time(&self) -> Duration {
        self.shared.options.question_time
    }

    /// The `_meta` that a result has in the revision that is spoken.
    fn stamp(&self, context: &RequestContext<RoleServer>) -> Option<MetaObject> {
        speaks_modern(context).then(|| self.shared.stamp.clone())
    }

    fn built_in(&self, name: &str) -> Option<&(ProtocolTool, &'static dyn BuiltIn)> {
        let built_ins = &self.shared.built_ins;
        let index = built_ins.binary_search_by(|(tool, _)| tool.name.as_ref().cmp(name)).ok()?;
        built_ins.get(index)
    }

    /// The built-in tools first: with them, a client that never asks for a second page finds the rest.
    async fn all_tools(&self) -> Vec<ProtocolTool> {
        let catalog = self.shared.toolbox.catalog().await;
        let built_ins = self.shared.built_ins.iter().map(|(tool, _)| tool.clone());
        let mut tools: Vec<_> =
            built_ins.chain(catalog.tools().iter().map(|tool| convert::tool(tool))).collect();
        tools.sort_by(|one, other| self.rank(&one.name).cmp(&self.rank(&other.name)));
        tools
    }

    /// Where a tool of this name stands in the list.
    fn rank<'a>(&self, name: &'a str) -> (bool, &'a str) {
        (self.built_in(name).is_none(), name)
    }

    /// Serves a call, and asks a person on the way where that is needed.
    async fn reply(
        &self,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
        stage: &Stage,
    ) -> Result<Reply, ErrorData> {
        let Shared { toolbox, options, consent, .. } = self.shared.as_ref();
        if let Some(words) = Unreadable::in_arguments(&context.extensions) {
            return Ok(Reply::Answer(Answer::failure(words)));
        }
        if self.built_in(&request.name).is_none() {
            // What is not there is unknown, whatever comes with the request.
            let catalog = toolbox.catalog().await;
            catalog.find(&request.name).map_err(|unknown| convert::refusal(&unknown.into()))?;
        }
        let arguments = request.arguments.clone().unwrap_or_default();
        let asking = Asking {
            consent,
            connection: &self.questions,
            toolbox,
            options,
            context,
            stage,
            tool: &request.name,
            arguments: &arguments,
        };
        let mut answered = match asking.returned(request) {
            Returned::Nothing => None,
            Returned::Answer(answered) => Some(*answered),
            Returned::Refused(answer) => return Ok(Reply::Answer(answer)),
            Returned::Question(inquiry) => return Ok(asking.ask_again(&inquiry)),
        };
        loop {
            let was_asked = answered.is_some();
            let inquiry = match self.step(&asking, answered.take()).await? {
                Step::Done(answer) => return Ok(Reply::Answer(answer)),
                Step::Ask(inquiry) => inquiry,
            };
            if was_asked {
                // One question a call is enough.
                return Ok(Reply::Answer(Answer::diagnostic(&ApprovalError::Changed)));
            }
            match asking.ask(*inquiry).await {
                Asked::Answered(answer) => answered = Some(*answer),
                Asked::Over(reply) => return Ok(reply),
            }
        }
    }

    /// One pass of a call: it is done, or somebody has to be asked.
    async fn step(
        &self,
        asking: &Asking<'_>,
        answered: Option<Answered>,
    ) -> Result<Step<Answer>, ErrorData> {
        let Asking { toolbox, options, stage, tool: name, .. } = *asking;
        let arguments = asking.arguments.clone();
        let asks = asking.can_elicit();
        if let Some((_, tool)) = self.built_in(name) {
            let context = admin::Context { toolbox, options, stage, answered, asks };
            return Ok(tool.run(context, arguments).await);
        }
        admin::call(toolbox, name, arguments, answered, asks)
            .await
            .map(|step| step.map(|output| Answer::output(output, options.guest_output)))
            .map_err(|refused| convert::refusal(&refused))
    }

    /// Runs `work` unless it is cancelled first. Dropping it is what stops a guest.
    async fn unless_cancelled<T>(
        &self,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T, ErrorData>>,
    ) -> Result<T, ErrorData> {
        tokio::select! {
            biased;
            result = caught(work) => result.unwrap_or_else(|Panicked| Err(fault())),
            // Nobody reads the answer to a cancelled request.
            () = context.ct.cancelled() => Err(stopped("the request was cancelled")),
            () = self.shared.ending.work.cancelled() => Err(stopped("the server is stopping")),
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.shared.config.clone()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let result = self.negotiate_initialize(&request)?;
        let mut client = request;
        // Later requests are served in the revision agreed on, not in the one wished for.
        client.protocol_version = result.protocol_version.clone();
        context.peer.set_peer_info(client);
        Ok(result)
    }

    async fn discover(
        &self,
        _context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let mut result = DiscoverResult::from_server_info(versions, self.get_info());
        result.ttl_ms = DISCOVERY_FRESH;
        Ok(result)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let start = match request.and_then(|request| request.cursor) {
            None => None,
            Some(cursor) => Some(page::after(&cursor).ok_or_else(|| {
                ErrorData::invalid_params("the cursor is none that this server gave", None)
            })?),
        };
        let work = async { Ok(self.all_tools().await) };
        let tools = self.unless_cancelled(&context, work).await?;
        let (tools, next) =
            page::page(tools, start.as_deref(), |tool| &tool.name, |name| self.rank(name));
        let mut result = ListToolsResult::with_all_items(tools);
        result.next_cursor = next;
        if speaks_modern(&context) {
            // Any moment may bring another tool, and only those who listen are told.
            result.ttl_ms = Some(0);
            result.cache_scope = Some(CacheScope::Private);
        }
        result.meta = self.stamp(&context);
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let stage = Stage::new();
        let asker = self.shared.consent.asker(&context);
        // Boxed, for it is large, and each future around it would hold it anew.
        let reply = Box::pin(self.reply(&request, &context, &stage));
        let reply = Toolbox::asked_by(asker, reply);
        let work = reported(reply, &stage, &context);
        Ok(match self.unless_cancelled(&context, work).await? {
            Reply::Answer(answer) => convert::result(answer, self.stamp(&context)).into(),
            Reply::Question(mut question) => {
                question.meta = self.stamp(&context);
                (*question).into()
            }
        })
    }

    /// The SDK checks `Mcp-Param-*` headers against this.
    fn get_tool(&self, name: &str) -> Option<ProtocolTool> {
        if let Some((tool, _)) = self.built_in(name) {
            return Some(tool.clone());
        }
        let catalog = self.shared.catalogs.borrow().clone();
        catalog.find(name).ok().map(|tool| convert::tool(tool))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if !self.announced.swap(true, Ordering::Relaxed) {
            self.shared.peers.add(context.peer);
        }
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.shared.config.capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let Shared { toolbox, ending, .. } = self.shared.as_ref();
        notify::listen(toolbox, &context, &ending.listening).await;
        Ok(())
    }

    // What is not declared is not there: the SDK's own answers are empty lists.

    async fn complete(
        &self,
        _request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let (method, params) = (request.method.as_str(), request.params.as_ref());
        // The SDK takes a known method whose parameters do not fit for an unknown one.
        if method == "tools/call"
            && let Some(params) = shape::call(params)
        {
            let result = ServerResult::from(self.call_tool(params, context).await?);
            return serde_json::to_value(result).map(CustomResult::new).map_err(|_| fault());
        }
        let removed = method == "initialize" && speaks_modern(&context);
        if shape::is_served(method) && !removed {
            let misfit = shape::misfit(method, params);
            let misfit = misfit.unwrap_or_else(|| {
                format!("the parameters of `{method}` do not fit: a member stands there twice")
            });
            return Err(ErrorData::invalid_params(misfit, None));
        }
        let method: String = request.method.chars().take(100).collect();
        let message = format!("there is no method `{method}`");
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(ProtocolVersion::KNOWN_VERSIONS)
    }
}

/// Whether the request is of a revision that has no handshake.
fn speaks_modern(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| !version.has_initialize())
}

/// `names` are those of the built-in tools that are served.
fn config(options: &ServerOptions, names: &[&str]) -> ServerConfig {
    let capabilities =
        ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
    let implementation = Implementation::new("wassette", options.version.clone())
        .with_title("Wassette")
        .with_description("WebAssembly components as tools, each in a sandbox of its own");
    ServerConfig::new(capabilities)
        .with_server_info(implementation)
        .with_instructions(instructions::text(names))
}

fn stamp(implementation: &Implementation) -> MetaObject {
    let mut meta = MetaObject::default();
    if let Ok(value) = serde_json::to_value(implementation) {
        meta.0.insert("io.modelcontextprotocol/serverInfo".to_owned(), value);
    }
    meta
}

fn fault() -> ErrorData {
    ErrorData::internal_error("the server failed while it served this; its log says more", None)
}

fn stopped(why: &'static str) -> ErrorData {
    ErrorData::internal_error(why, None)
}

#[cfg(test)]
mod tests;
