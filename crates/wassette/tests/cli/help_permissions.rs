//! The help of the verbs that decide what components may do.

use insta::assert_snapshot;

use crate::help::own;

#[test]
fn the_help_of_the_verbs_for_permissions() {
    assert_snapshot!(own(&["permission"]), @"
    Grant, revoke and list what a component may do, rule by rule

    Usage: wassette permission [OPTIONS] <COMMAND>

    Commands:
      grant    Let a component do something; running servers know at once
      revoke   Take a permission back; also calls that run lose it
      reset    Take all permissions back
      list     Show what a component may do, and what it asks for
      pending  Show what clients asked for while nobody could be asked
      approve  Do what a client asked for, after a question
      deny     Refuse what a client asked for
      help     Print this message or the help of the given subcommand(s)

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
          --for <TIME>       Grant it for so long, such as `30min`, `1h` or `7d`, or `always` [default:
                             always]
          --pin              Let the whole policy of the component count for the bytes that it has now,
                             and for no others
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
          --for <TIME>        Grant it for so long, such as `30min`, `1h` or `7d`, or `always` [default:
                              always]
          --pin               Let the whole policy of the component count for the bytes that it has now,
                              and for no others
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
          --for <TIME>     Grant it for so long, such as `30min`, `1h` or `7d`, or `always` [default:
                           always]
          --pin            Let the whole policy of the component count for the bytes that it has now,
                           and for no others
      -h, --help           Print help
    ");
    assert_snapshot!(own(&["permission", "pending"]), @"
    Show what clients asked for while nobody could be asked

    Usage: wassette permission pending [OPTIONS]

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "approve"]), @"
    Do what a client asked for, after a question

    Usage: wassette permission approve [OPTIONS] <NUMBER>

    Arguments:
      <NUMBER>  The request's number, as `permission pending` shows it

    Options:
          --for <TIME>  Grant it for so long, such as `30min`, `1h` or `7d`, or `always` [default:
                        always]
      -y, --yes         Approve it without the question
      -h, --help        Print help
    ");
    assert_snapshot!(own(&["permission", "deny"]), @"
    Refuse what a client asked for

    Usage: wassette permission deny [OPTIONS] <NUMBER>

    Arguments:
      <NUMBER>  The request's number, as `permission pending` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["policy", "pin"]), @"
    Let a component's policy count for the bytes that it has now, and for no others

    Usage: wassette policy pin [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["policy", "unpin"]), @"
    Let a component's policy count for whatever comes from its source

    Usage: wassette policy unpin [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["permission", "grant", "memory"]), @"
    Set how much memory a call of a component may use

    Usage: wassette permission grant memory [OPTIONS] <ID> <AMOUNT>

    Arguments:
      <ID>      The component's id, as `component list` shows it
      <AMOUNT>  How much, such as `512Mi`; at most what the configuration allows

    Options:
          --pin   Let the whole policy of the component count for the bytes that it has now, and for no
                  others
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
          --pin   Let the whole policy of the component count for the bytes that it has now, and for no
                  others
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
      pin      Let a component's policy count for the bytes that it has now, and for no others
      unpin    Let a component's policy count for whatever comes from its source
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

    Usage: wassette policy set [OPTIONS] <ID> <FILE|URL>

    Arguments:
      <ID>        The component's id, as `component list` shows it
      <FILE|URL>  The document, in YAML or JSON: a file, or an `https://` URL

    Options:
      -y, --yes   Set it without the question
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["policy", "check"]), @"
    Say whether a document is a policy, and where it is not

    Usage: wassette policy check [OPTIONS] <FILE|URL>

    Arguments:
      <FILE|URL>  The document, in YAML or JSON: a file, or an `https://` URL

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
