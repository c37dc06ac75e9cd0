//! The commands, a module each.

pub(crate) mod api_resources;
pub(crate) mod api_versions;
pub(crate) mod apply;
pub(crate) mod attach;
pub(crate) mod config;
pub(crate) mod convert;
pub(crate) mod cp;
pub(crate) mod create;
pub(crate) mod debug;
pub(crate) mod delete;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod exec;
pub(crate) mod gateway;
pub(crate) mod generate;
pub(crate) mod get;
pub(crate) mod logs;
pub(crate) mod options;
pub(crate) mod port_forward;
pub(crate) mod proxy;
pub(crate) mod run;
pub(crate) mod server;
pub(crate) mod version;

use clap::Subcommand;

use crate::error::CliError;
use crate::interrupt::Signal;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Apply a configuration to objects by file or stdin; objects that do not exist are created
    #[command(override_usage = apply::USAGE, after_help = apply::EXAMPLES)]
    Apply(apply::ApplyArgs),
    /// Create objects from files or stdin, or a Namespace or ConfigMap from flags
    #[command(override_usage = create::USAGE, after_help = create::EXAMPLES)]
    Create(create::CreateArgs),
    /// Compare the live objects with the result of applying files
    #[command(override_usage = diff::USAGE, after_help = diff::EXAMPLES)]
    Diff(diff::DiffArgs),
    /// Delete objects by file or stdin, by type and name, or by type and selector
    #[command(override_usage = delete::USAGE, after_help = delete::EXAMPLES)]
    Delete(delete::DeleteArgs),
    /// Print one or many objects
    #[command(override_usage = get::USAGE, after_help = get::EXAMPLES)]
    Get(get::GetArgs),
    /// Generate Rust code from CustomResourceDefinitions: types, a clientset, informers and apply configurations
    #[command(override_usage = generate::USAGE, after_help = generate::EXAMPLES)]
    Generate(generate::GenerateArgs),
    /// Print and change kubeconfig files
    #[command(after_help = config::FILES)]
    Config(config::ConfigArgs),
    /// Convert objects of built-in kinds between JSON, YAML and protobuf, without a server
    #[command(override_usage = convert::USAGE, after_help = convert::EXAMPLES)]
    Convert(convert::ConvertArgs),
    /// Print the resources that the server supports
    #[command(name = "api-resources", after_help = api_resources::EXAMPLES)]
    ApiResources(api_resources::ApiResourcesArgs),
    /// Print the API versions that the server supports, as GROUP/VERSION
    #[command(name = "api-versions", after_help = api_versions::EXAMPLES)]
    ApiVersions,
    /// Print the client version and the server version
    #[command(after_help = version::EXAMPLES)]
    Version(version::VersionArgs),
    /// Attach to a process that is already running inside a container
    #[command(override_usage = attach::USAGE, after_help = attach::EXAMPLES)]
    Attach(attach::AttachArgs),
    /// Copy files and directories to and from containers
    #[command(override_usage = cp::USAGE, after_help = cp::EXAMPLES)]
    Cp(cp::CpArgs),
    /// Create debugging sessions for troubleshooting workloads and nodes
    #[command(override_usage = debug::USAGE, after_help = debug::EXAMPLES)]
    Debug(debug::DebugArgs),
    /// Execute a command in a container
    #[command(override_usage = exec::USAGE, after_help = exec::EXAMPLES)]
    Exec(exec::ExecArgs),
    /// Print the logs for a container in a pod
    #[command(override_usage = logs::USAGE, after_help = logs::EXAMPLES)]
    Logs(logs::LogsArgs),
    /// Forward one or more local ports to a pod
    #[command(name = "port-forward", override_usage = port_forward::USAGE, after_help = port_forward::EXAMPLES)]
    PortForward(port_forward::PortForwardArgs),
    /// Run a proxy to the Kubernetes API server
    #[command(after_help = proxy::EXAMPLES)]
    Proxy(proxy::ProxyArgs),
    /// Run a particular image on the cluster
    #[command(override_usage = run::USAGE, after_help = run::EXAMPLES)]
    Run(run::RunArgs),
    /// Run a web service with live tables of all kinds, a page and a guarded proxy; it reads only, until told otherwise
    #[command(after_help = gateway::EXAMPLES)]
    Gateway(gateway::GatewayArgs),
    /// Run the embedded API server, which stores all objects in memory and runs pods in built-in containers
    #[command(after_help = server::CONTAINERS)]
    Server(server::ServerArgs),
    /// Show klient at work: apply an application, list its objects, watch them change, and see them in a browser
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::DemoArgs),
    /// Print the list of flags inherited by all commands
    // The end of each help names it, as in kubectl.
    #[command(hide = true, after_help = options::EXAMPLES)]
    Options,
}

impl Command {
    /// The end of the command by a signal.
    pub(crate) fn end_by(&self) -> fn(Signal) -> Result<(), CliError> {
        match self {
            // As kubectl, which handles signals here: it restores the terminal, or ends a wait, and exits.
            Command::Debug(_) | Command::Logs(_) | Command::Run(_) => |_| Err(CliError::Exit(1)),
            Command::Attach(args) if args.has_terminal() => |_| Err(CliError::Exit(1)),
            Command::Exec(args) if args.has_terminal() => |_| Err(CliError::Exit(1)),
            Command::PortForward(_) => |signal| match signal {
                Signal::Interrupt => Ok(()),
                Signal::Terminate => Err(CliError::Interrupted(signal)),
            },
            _ => |signal| Err(CliError::Interrupted(signal)),
        }
    }
}

/// Runs a command.
pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), CliError> {
    match command {
        Command::Apply(args) => apply::run(args, session).await,
        Command::Config(args) => config::run(args, session),
        Command::Convert(args) => convert::run(args, session).await,
        Command::Create(args) => create::run(args, session).await,
        Command::Delete(args) => delete::run(args, session).await,
        Command::Diff(args) => diff::run(args, session).await,
        Command::Generate(args) => generate::run(args, session).await,
        Command::Gateway(args) => gateway::run(args, session).await,
        Command::Get(args) => get::run(args, session).await,
        Command::ApiResources(args) => api_resources::run(args, session).await,
        Command::ApiVersions => api_versions::run(session).await,
        Command::Attach(args) => attach::run(args, session).await,
        Command::Cp(args) => cp::run(args, session).await,
        Command::Debug(args) => debug::run(args, session).await,
        Command::Exec(args) => exec::run(args, session).await,
        Command::Logs(args) => logs::run(args, session).await,
        Command::Options => options::run(session),
        Command::PortForward(args) => port_forward::run(args, session).await,
        Command::Proxy(args) => proxy::run(args, session).await,
        Command::Run(args) => run::run(args, session).await,
        Command::Version(args) => version::run(args, session).await,
        Command::Server(args) => server::run(args, session).await,
        Command::Demo(args) => demo::run(args, session).await,
    }
}
