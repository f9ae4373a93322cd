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
      component   Load, unload and list components
      inspect     Show what a component exports and imports, whether or not it is loaded
      tool        List, read and call tools, without a server
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
fn own(command: &[&str]) -> String {
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
          --env <KEY=VALUE>          Offer a variable to the components whose policies list it; may be
                                     repeated
          --env-file <FILE>          Offer the variables of a file with a `KEY=VALUE` on each line; may
                                     be repeated
          --workspace <[NAME=]PATH>  The folder that `fs://NAME/…` means in policies; `workspace` if no
                                     name is given [default: the current folder]
          --disable-builtin-tools    Neither list nor answer the tools that load, unload, list and
                                     inspect components
      -h, --help                     Print help
    ");
    assert_snapshot!(own(&["serve"]), @"
    Serve the tools over MCP on Streamable HTTP, on this machine only

    Usage: wassette serve [OPTIONS]

    Options:
          --bind-address <ADDRESS:PORT>  Where to listen; this machine only, port 0 for any [default:
                                         `bind_address` of the configuration, else 127.0.0.1:9001]
          --allowed-host <HOST>          A further value of the `Host` header to answer to, with or
                                         without a port
          --allowed-origin <ORIGIN>      A further web page's origin to answer to, such as
                                         `http://example.com:8080`
          --env <KEY=VALUE>              Offer a variable to the components whose policies list it; may
                                         be repeated
          --env-file <FILE>              Offer the variables of a file with a `KEY=VALUE` on each line;
                                         may be repeated
          --workspace <[NAME=]PATH>      The folder that `fs://NAME/…` means in policies; `workspace` if
                                         no name is given [default: the current folder]
          --disable-builtin-tools        Neither list nor answer the tools that load, unload, list and
                                         inspect components
      -h, --help                         Print help
    ");
    assert_snapshot!(own(&["component"]), @"
    Load, unload and list components

    Usage: wassette component [OPTIONS] <COMMAND>

    Commands:
      load    Load a component, or a new version of it: its functions become tools
      unload  Unload a component: its tools go
      list    List the components that are loaded
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["component", "load"]), @"
    Load a component, or a new version of it: its functions become tools

    Usage: wassette component load [OPTIONS] <REF>

    Arguments:
      <REF>  Where the component is: a path, or `file:///…`

    Options:
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

    Usage: wassette inspect [OPTIONS] <ID|FILE>

    Arguments:
      <ID|FILE>  The id of a component that is loaded, or a path

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["tool"]), @"
    List, read and call tools, without a server

    Usage: wassette tool [OPTIONS] <COMMAND>

    Commands:
      list    List all tools, the built-in ones included
      read    Show what a tool does, takes and returns
      invoke  Call a tool
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["tool", "list"]), @"
    List all tools, the built-in ones included

    Usage: wassette tool list [OPTIONS]

    Options:
      -h, --help  Print help
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

    Usage: wassette tool invoke [OPTIONS] <NAME>

    Arguments:
      <NAME>  The tool's name, as `tool list` shows it

    Options:
          --args <JSON>              The arguments, one JSON object; `-` reads it from standard input
                                     [default: {}]
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
fn the_help_of_the_verbs_for_permissions() {
    assert_snapshot!(own(&["permission"]), @"
    Grant, revoke and list what a component may do, rule by rule

    Usage: wassette permission [OPTIONS] <COMMAND>

    Commands:
      grant   Let a component do something; running servers know at once
      revoke  Take a permission back; also calls that run lose it
      reset   Take all permissions back
      list    Show what a component may do, and what it asks for
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "grant"]), @"
    Let a component do something; running servers know at once

    Usage: wassette permission grant [OPTIONS] <COMMAND>

    Commands:
      storage               Let a component read or write a file, or a folder and all below it
      network               Let a component send requests to a host, or open connections to a host and
                            port
      environment-variable  Let a component read a variable; its value comes from the component's
                            secrets, `--env`, the configuration, or the environment of this program
      memory                Set how much memory a call of a component may use
      limit                 Set how much of something a call of a component may use
      help                  Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "grant", "storage"]), @"
    Let a component read or write a file, or a folder and all below it

    Usage: wassette permission grant storage [OPTIONS] --access <ACCESS> <ID> <PATH|URI>

    Arguments:
      <ID>        The component's id, as `component list` shows it
      <PATH|URI>  A path that begins with `/` or `.`, or a rule such as `fs:///data/**/*.md` or
                  `fs://workspace/docs`

    Options:
          --access <ACCESS>  What it may do there: `read`, `write` or `read,write`
      -h, --help             Print help
    ");
    assert_snapshot!(own(&["permission", "grant", "network"]), @"
    Let a component send requests to a host, or open connections to a host and port

    Usage: wassette permission grant network [OPTIONS] <ID> <HOST|URL|CIDR|SOCKET>

    Arguments:
      <ID>                    The component's id, as `component list` shows it
      <HOST|URL|CIDR|SOCKET>  A host (`api.example.com`, `*.example.com`, `localhost:8080`), a URL
                              (`https://api.example.com`), addresses (`10.1.0.0/16`), or a raw socket
                              (`tcp://db.internal:5432`, `udp://…`)

    Options:
          --methods <METHOD>  Only these methods, such as `GET,HEAD` [default: all]
          --paths <GLOB>      Only these paths, such as `/v1/**`; may be repeated [default: all]
          --ports <PORTS>     Only these ports, such as `443,8000-8080` [default: those of http and
                              https]
          --private           Let the host stand for this machine and for private networks
      -h, --help              Print help
    ");
    assert_snapshot!(own(&["permission", "grant", "environment-variable"]), @"
    Let a component read a variable; its value comes from the component's secrets, `--env`, the
    configuration, or the environment of this program

    Usage: wassette permission grant environment-variable [OPTIONS] <ID> <KEY>

    Arguments:
      <ID>   The component's id, as `component list` shows it
      <KEY>  The variable's name

    Options:
          --value <VALUE>  A value of its own; it stands in the policy for everybody to read, so no
                           secret
      -h, --help           Print help
    ");
    assert_snapshot!(own(&["permission", "grant", "memory"]), @"
    Set how much memory a call of a component may use

    Usage: wassette permission grant memory [OPTIONS] <ID> <AMOUNT>

    Arguments:
      <ID>      The component's id, as `component list` shows it
      <AMOUNT>  How much, such as `512Mi`; at most what the configuration allows

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "grant", "limit"]), @"
    Set how much of something a call of a component may use

    Usage: wassette permission grant limit [OPTIONS] <ID> <NAME> <AMOUNT>

    Arguments:
      <ID>      The component's id, as `component list` shows it
      <NAME>    The limit's name, such as `time`, `requests` or `write-bytes`
      <AMOUNT>  How much, such as `30s`, `100` or `64Mi`; at most what the configuration allows

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "revoke"]), @"
    Take a permission back; also calls that run lose it

    Usage: wassette permission revoke [OPTIONS] <COMMAND>

    Commands:
      storage               Take back what was granted for a place, reading and writing alike
      network               Take back what was granted for a host, a range of addresses or a raw socket
      environment-variable  Take back a variable
      memory                Go back to the configuration's limit on memory
      limit                 Go back to the configuration's limit
      help                  Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "revoke", "storage"]), @"
    Take back what was granted for a place, reading and writing alike

    Usage: wassette permission revoke storage [OPTIONS] <ID> <PATH|URI>

    Arguments:
      <ID>        The component's id, as `component list` shows it
      <PATH|URI>  The path or rule, as it was granted

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "revoke", "network"]), @"
    Take back what was granted for a host, a range of addresses or a raw socket

    Usage: wassette permission revoke network [OPTIONS] <ID> <HOST|URL|CIDR|SOCKET>

    Arguments:
      <ID>                    The component's id, as `component list` shows it
      <HOST|URL|CIDR|SOCKET>  The host, URL, addresses or raw socket, as it was granted

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "reset"]), @"
    Take all permissions back

    Usage: wassette permission reset [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "list"]), @"
    Show what a component may do, and what it asks for

    Usage: wassette permission list [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["policy"]), @"
    Show, set, check and question what a component may do, as one document

    Usage: wassette policy [OPTIONS] <COMMAND>

    Commands:
      get      Show a component's policy; `-o yaml` prints the document
      set      Put a document in the place of a component's policy, after a question
      check    Say whether a document is a policy, and where it is not
      explain  Ask whether a component may do something, and by which rule; exit code 0 if it may, 1 if
               not
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["policy", "get"]), @"
    Show a component's policy; `-o yaml` prints the document

    Usage: wassette policy get [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["policy", "set"]), @"
    Put a document in the place of a component's policy, after a question

    Usage: wassette policy set [OPTIONS] <ID> <FILE>

    Arguments:
      <ID>    The component's id, as `component list` shows it
      <FILE>  The document, in YAML or JSON

    Options:
          --yes   Set it without the question
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["policy", "check"]), @"
    Say whether a document is a policy, and where it is not

    Usage: wassette policy check [OPTIONS] <FILE>

    Arguments:
      <FILE>  The document, in YAML or JSON

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["policy", "explain"]), @"
    Ask whether a component may do something, and by which rule; exit code 0 if it may, 1 if not

    Usage: wassette policy explain [OPTIONS] <ID> <QUESTION> <QUESTION>...

    Arguments:
      <ID>                      The component's id, as `component list` shows it
      <QUESTION> <QUESTION>...  `read PATH`, `write PATH`, `GET URL` or another method, `tcp HOST:PORT`,
                                `udp HOST:PORT`, `lookup HOST`, or `variable KEY`

    Options:
          --env <KEY=VALUE>          Offer a variable to the components whose policies list it; may be
                                     repeated
          --env-file <FILE>          Offer the variables of a file with a `KEY=VALUE` on each line; may
                                     be repeated
          --workspace <[NAME=]PATH>  The folder that `fs://NAME/…` means in policies; `workspace` if no
                                     name is given [default: the current folder]
      -h, --help                     Print help
    ");
    assert_snapshot!(own(&["secret"]), @"
    Keep values that only their component, or what it may call, should see

    Usage: wassette secret [OPTIONS] <COMMAND>

    Commands:
      set     Set secrets of a component; running servers use them at once
      list    List the names of a component's secrets
      delete  Delete secrets of a component
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["secret", "set"]), @"
    Set secrets of a component; running servers use them at once

    Usage: wassette secret set [OPTIONS] <ID> [KEY=VALUE]...

    Arguments:
      <ID>            The component's id, as `component list` shows it
      [KEY=VALUE]...  A secret; others on this machine may see it while the command runs, and the shell
                      keeps it: `--stdin` avoids both

    Options:
          --stdin  Read `KEY=VALUE` lines from standard input
      -h, --help   Print help
    ");
    assert_snapshot!(own(&["secret", "list"]), @"
    List the names of a component's secrets

    Usage: wassette secret list [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
          --show-values  Show the values too, after a question
          --yes          Show the values without the question
      -h, --help         Print help
    ");
    assert_snapshot!(own(&["secret", "delete"]), @"
    Delete secrets of a component

    Usage: wassette secret delete [OPTIONS] <ID> <KEY>...

    Arguments:
      <ID>      The component's id, as `component list` shows it
      <KEY>...  The names of the secrets

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["audit"]), @"
    Show what components did and were denied, and verify that record

    Usage: wassette audit [OPTIONS] <COMMAND>

    Commands:
      show    Show what was written down, the newest last
      verify  Say whether anything of it was changed or is missing; exit code 0 if all is there, 1 if
              not
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["audit", "show"]), @"
    Show what was written down, the newest last

    Usage: wassette audit show [OPTIONS]

    Options:
          --component <ID>  Only what this component did
          --call <CALL>     Only what was done in this call
          --denied          Only what was denied
          --since <TIME>    Only what was done within this time, such as `1h` or `30m`
      -n, --number <COUNT>  How many records to show at most, the newest [default: 1000]
      -h, --help            Print help
    ");
    assert_snapshot!(own(&["audit", "verify"]), @"
    Say whether anything of it was changed or is missing; exit code 0 if all is there, 1 if not

    Usage: wassette audit verify [OPTIONS]

    Options:
      -h, --help  Print help
    ");
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
