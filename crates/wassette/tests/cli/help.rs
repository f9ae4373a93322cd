//! Help, versions and commands that mean nothing.

use insta::assert_snapshot;

use crate::empty;

#[test]
fn no_command_shows_the_help_on_stderr() {
    let output = empty().run([] as [&str; 0]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    assert!(output.stderr.contains("Usage: wassette [OPTIONS] <COMMAND>"), "{output}");
    for command in ["component", "tool", "permission", "policy", "secret", "audit"] {
        let output = empty().run([command]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output}");
    }
}

#[test]
fn the_help_of_the_program() {
    assert_snapshot!(empty().run(["--help"]), @"
    exit code: 0
    ----- stdout -----
    Runs WebAssembly Components as MCP tools, in a sandbox that denies by default

    Usage: wassette [OPTIONS] <COMMAND>

    Commands:
      run         Serve the tools over MCP on standard input and output, for a client that starts this
                  program
      serve       Serve the tools over MCP on Streamable HTTP, on this machine only
      component   Load, unload, list, update, carry and publish components
      registry    Look for components in catalogues
      manifest    Check and lock a file that says which components a server serves
      inspect     Show what a component exports and imports, whether or not it is loaded
      tool        List, read and call tools, without a server
      learn       Try calls of a component, see what they need, and grant that
      permission  Grant, revoke and list what a component may do, rule by rule
      policy      Show, set, check and question what a component may do, as one document
      secret      Keep values that only their component, or what it may call, should see
      audit       Show what components did and were denied, and verify that record
      completion  Print the completion script of a shell
      demo        Show the main job on components that come with this program
      help        Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Global options:
          --component-dir <PATH>  The folder of the component store [default: `component_dir` of the
                                  configuration, else the platform's data folder] [env:
                                  WASSETTE_COMPONENT_DIR]
          --config <FILE>         The configuration file [default: `wassette/config.toml` in the
                                  platform's configuration folder] [env: WASSETTE_CONFIG_FILE]
      -o, --output <FORMAT>       How data is printed [default: table on a terminal, json elsewhere]
                                  [possible values: table, json, yaml]
      -q, --quiet                 Print errors and data only
      -v, --verbose               Print what is being done
          --color <WHEN>          When to use colours [default: auto] [possible values: auto, always,
                                  never]
    ");
}

/// The help of a verb, without what all verbs share, which is in the help of the program.
pub(crate) fn own(command: &[&str]) -> String {
    let output = empty().run([command, &["-h"]].concat()).success();
    let (own, _) = output.stdout.split_once("\nGlobal options:").unwrap();
    own.to_owned()
}

#[test]
fn the_help_of_the_verbs() {
    assert_snapshot!(own(&["run"]), @"
    Serve the tools over MCP on standard input and output, for a client that starts this program

    Usage: wassette run [OPTIONS]

    Options:
          --env <KEY=VALUE>
              Offer a variable to the components whose policies list it; may be repeated
          --env-file <FILE>
              Offer the variables of a file with a `KEY=VALUE` on each line; may be repeated
          --workspace <[NAME=]PATH>
              The folder that `fs://NAME/…` means in policies; `workspace` if no name is given [default:
              the current folder]
          --approvals <HOW>
              Who decides when a client wants something granted or loaded: `ask` a person, or `allow` or
              `deny` it all [default: `approvals` of the configuration, else ask] [possible values: ask,
              allow, deny]
          --locked
              Serve what is installed as it is: no client can have anything loaded, unloaded, granted or
              revoked
          --disable-builtin-tools
              Neither list nor answer the built-in tools, which load and show components and ask for
              permissions
          --manifest <FILE>
              Load what this file says before anything is served: which components, by which digests,
              with which permissions
          --continue-on-provisioning-failure
              Serve even if not all of the manifest could be loaded
      -h, --help
              Print help
    ");
    assert_snapshot!(own(&["serve"]), @"
    Serve the tools over MCP on Streamable HTTP, on this machine only

    Usage: wassette serve [OPTIONS]

    Options:
          --bind-address <ADDRESS:PORT>
              Where to listen; this machine only, port 0 for any [default: `bind_address` of the
              configuration, else 127.0.0.1:9001]
          --allowed-host <HOST>
              A further value of the `Host` header to answer to, with or without a port
          --allowed-origin <ORIGIN>
              A further web page's origin to answer to, such as `http://example.com:8080`
          --env <KEY=VALUE>
              Offer a variable to the components whose policies list it; may be repeated
          --env-file <FILE>
              Offer the variables of a file with a `KEY=VALUE` on each line; may be repeated
          --workspace <[NAME=]PATH>
              The folder that `fs://NAME/…` means in policies; `workspace` if no name is given [default:
              the current folder]
          --approvals <HOW>
              Who decides when a client wants something granted or loaded: `ask` a person, or `allow` or
              `deny` it all [default: `approvals` of the configuration, else ask] [possible values: ask,
              allow, deny]
          --locked
              Serve what is installed as it is: no client can have anything loaded, unloaded, granted or
              revoked
          --disable-builtin-tools
              Neither list nor answer the built-in tools, which load and show components and ask for
              permissions
          --manifest <FILE>
              Load what this file says before anything is served: which components, by which digests,
              with which permissions
          --continue-on-provisioning-failure
              Serve even if not all of the manifest could be loaded
      -h, --help
              Print help
    ");
    assert_snapshot!(own(&["component"]), @"
    Load, unload, list, update, carry and publish components

    Usage: wassette component [OPTIONS] <COMMAND>

    Commands:
      load      Load a component, or a new version of it: its functions become tools
      unload    Unload a component: its tools go
      list      List the components that are loaded
      check     Examine everything that is stored, byte by byte, and say what is damaged and how to mend
                it
      update    Look for new versions, show what is different about them, and put them in force after a
                question
      accept    Put the version that waits in force
      reject    Throw the version that waits away
      rollback  Put the version before the present one in force again
      lock      Print the lock file: what is loaded, from where, with which digests and rights
      export    Write a component with its signatures into an archive that can be carried elsewhere
      import    Load a component from an archive, without any network
      push      Publish the file of a component in a registry
      help      Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["component", "load"]), @"
    Load a component, or a new version of it: its functions become tools

    Usage: wassette component load [OPTIONS] <REF>

    Arguments:
      <REF>  Where the component is: a path, `file:///…`, `https://…`, `oci://HOST/REPOSITORY[:TAG]` or
             the name of a package, `NAMESPACE:NAME[@VERSION]`

    Options:
          --name <ID>               The id that it gets here [default: made of the reference's last
                                    part]
          --digest <DIGEST>         Load these very bytes or nothing: `sha256:…` of the component, or of
                                    its image's manifest
          --locked                  Load what the lock file says or nothing: same digests, signer, tools
                                    and policy
          --lock-file <FILE>        The lock file that `--locked` reads [default: what is loaded now]
          --accept-changes          Put a version in force whose tools are not those that are known,
                                    without looking at it first
          --plain-http              Let a server of this machine give it without TLS
          --replace                 Replace a component of the same id that came from elsewhere
          --only <NAME>             Make a tool of this function only; may be repeated, or be a list
                                    with commas
          --prefix <PREFIX>         Begin the name of every tool with this and `_`
          --rename <FUNCTION=TOOL>  Give the tool of a function another name; may be repeated
      -h, --help                    Print help
    ");
    assert_snapshot!(own(&["component", "unload"]), @"
    Unload a component: its tools go

    Usage: wassette component unload [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["component", "list"]), @"
    List the components that are loaded

    Usage: wassette component list [OPTIONS]

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["inspect"]), @"
    Show what a component exports and imports, whether or not it is loaded

    Usage: wassette inspect [OPTIONS] <ID|REF>

    Arguments:
      <ID|REF>  The id of a component that is loaded, or where one is: whatever `component load` takes

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["tool"]), @"
    List, read and call tools, without a server

    Usage: wassette tool [OPTIONS] <COMMAND>

    Commands:
      list    List the tools of the components that are loaded
      read    Show what a tool does, takes and returns
      invoke  Call a tool
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["tool", "list"]), @"
    List the tools of the components that are loaded

    Usage: wassette tool list [OPTIONS]

    Options:
          --built-in  List Wassette's own tools instead, which manage components and permissions
      -h, --help      Print help
    ");
    assert_snapshot!(own(&["tool", "read"]), @"
    Show what a tool does, takes and returns

    Usage: wassette tool read [OPTIONS] <NAME>

    Arguments:
      <NAME>  The tool's name, as `tool list` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["tool", "invoke"]), @"
    Call a tool

    Usage: wassette tool invoke [OPTIONS] <NAME> [NAME=VALUE]...

    Arguments:
      <NAME>           The tool's name, as `tool list` shows it
      [NAME=VALUE]...  Its arguments: `name=value`, which is read as the tool wants it, `name=@FILE`
                       (`@-` is standard input) or `name:=JSON`; repeat one that is a list

    Options:
          --args <JSON>              All arguments as one JSON object; `-` reads it from standard input.
                                     Single arguments go before what it says [default: {}]
          --env <KEY=VALUE>          Offer a variable to the components whose policies list it; may be
                                     repeated
          --env-file <FILE>          Offer the variables of a file with a `KEY=VALUE` on each line; may
                                     be repeated
          --workspace <[NAME=]PATH>  The folder that `fs://NAME/…` means in policies; `workspace` if no
                                     name is given [default: the current folder]
      -h, --help                     Print help
    ");
    assert_snapshot!(own(&["completion"]), @"
    Print the completion script of a shell

    Usage: wassette completion [OPTIONS] <SHELL>

    Arguments:
      <SHELL>  The shell [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["demo"]), @"
    Show the main job on components that come with this program

    Usage: wassette demo [OPTIONS]

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn the_help_of_learning() {
    assert_snapshot!(own(&["learn"]), @r#"
    Try calls of a component, see what they need, and grant that

    Usage: wassette learn [OPTIONS] <ID> [TOOL]

    Arguments:
      <ID>    The component's id, as `component list` shows it
      [TOOL]  The tool to call, as `tool list` shows it

    Options:
          --args <JSON>              The arguments of a call, one JSON object; may be repeated for more
                                     calls
          --calls <FILE>             Make the calls of a file, each a line: `{"name": TOOL, "arguments":
                                     {…}}`
          --accept <WHICH>           Grant of what is proposed `all`, `none`, or these numbers, such as
                                     `1,3` [default: ask on a terminal, else none]
          --no-overlay               Work on the real files: what is granted happens, what is not
                                     granted stays refused
          --rounds <COUNT>           How often the calls are made at most, before the proposal is tried
                                     [default: 8]
          --env <KEY=VALUE>          Offer a variable to the components whose policies list it; may be
                                     repeated
          --env-file <FILE>          Offer the variables of a file with a `KEY=VALUE` on each line; may
                                     be repeated
          --workspace <[NAME=]PATH>  The folder that `fs://NAME/…` means in policies; `workspace` if no
                                     name is given [default: the current folder]
      -h, --help                     Print help
    "#);
    let help = empty().run(["learn", "-h"]).success();
    assert!(help.stdout.contains("no real file changes"), "{help}");
    assert!(help.stdout.contains("really sent, but none any more"), "{help}");
}

#[test]
fn the_version_names_what_is_built_in() {
    let output = empty().run(["--version"]).success();
    let version = format!("wassette {} (wasmtime ", env!("CARGO_PKG_VERSION"));
    assert!(output.stdout.starts_with(&version), "{output}");
    assert!(output.stdout.contains(", rmcp "), "{output}");
    assert_eq!(empty().run(["-V"]).success().stdout, output.stdout);
}

#[test]
fn what_is_no_command_is_a_usage_error() {
    assert_snapshot!(empty().run(["componet", "list"]), @"
    exit code: 2
    ----- stderr -----
    error: unrecognized subcommand 'componet'

      tip: some similar subcommands exist: 'completion', 'component'

    Usage: wassette [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(empty().run(["component", "load"]), @"
    exit code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      <REF>

    Usage: wassette component load <REF>

    For more information, try '--help'.
    ");
    assert_snapshot!(empty().run(["tool", "list", "-o", "xml"]), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'xml' for '--output <FORMAT>'
      [possible values: table, json, yaml]

      tip: a similar value exists: 'yaml'

    For more information, try '--help'.
    ");
    assert_snapshot!(empty().run(["tool", "list", "-q", "-v"]), @"
    exit code: 2
    ----- stderr -----
    error: the argument '--quiet' cannot be used with '--verbose'

    Usage: wassette tool list --quiet

    For more information, try '--help'.
    ");
}
