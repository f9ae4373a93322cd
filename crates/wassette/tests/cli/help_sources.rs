//! The help of the verbs for components from elsewhere.

use insta::assert_snapshot;

use crate::help::own;

#[test]
fn the_help_of_versions() {
    assert_snapshot!(own(&["component", "update"]), @"
    Look for new versions, show what is different about them, and put them in force after a question

    Usage: wassette component update [OPTIONS] [ID]

    Arguments:
      [ID]  The component's id, as `component list` shows it [default: all that are loaded]

    Options:
      -y, --yes         Put new versions in force without the question
          --check       Show what is new and change nothing
          --plain-http  Let a server of this machine give it without TLS
      -h, --help        Print help
    ");
    assert_snapshot!(own(&["component", "accept"]), @"
    Put the version that waits in force

    Usage: wassette component accept [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
          --digest <DIGEST>  Accept it only if its bytes have this digest, as they were shown
      -h, --help             Print help
    ");
    assert_snapshot!(own(&["component", "reject"]), @"
    Throw the version that waits away

    Usage: wassette component reject [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["component", "rollback"]), @"
    Put the version before the present one in force again

    Usage: wassette component rollback [OPTIONS] <ID>

    Arguments:
      <ID>  The component's id, as `component list` shows it

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["component", "lock"]), @"
    Print the lock file: what is loaded, from where, with which digests and rights

    Usage: wassette component lock [OPTIONS]

    Options:
          --export <FILE>  Write it to this file, in the place of what is there, and print nothing
      -h, --help           Print help
    ");
}

#[test]
fn the_help_of_carrying_and_publishing() {
    assert_snapshot!(own(&["component", "export"]), @"
    Write a component with its signatures into an archive that can be carried elsewhere

    Usage: wassette component export [OPTIONS] <ID> <FILE>

    Arguments:
      <ID>    The component's id, as `component list` shows it
      <FILE>  The archive to write: an OCI image layout as a tar file

    Options:
          --overwrite   Write it in the place of a file that is there
          --plain-http  Let a registry of this machine give what the store does not have without TLS
      -h, --help        Print help
    ");
    assert_snapshot!(own(&["component", "import"]), @"
    Load a component from an archive, without any network

    Usage: wassette component import [OPTIONS] <FILE>

    Arguments:
      <FILE>  The archive: an OCI image layout as a tar file, such as `component export` writes

    Options:
          --name <ID>       The id that it gets here [default: made of its source]
          --replace         Replace a component of the same id that came from elsewhere
          --accept-changes  Put a version in force whose tools are not those that are known, without
                            looking at it first
      -h, --help            Print help
    ");
    assert_snapshot!(own(&["component", "push"]), @"
    Publish the file of a component in a registry

    Usage: wassette component push [OPTIONS] <FILE> <REF>

    Arguments:
      <FILE>  The component's file
      <REF>   Where it goes: `oci://HOST/REPOSITORY[:TAG]`

    Options:
          --policy <FILE>           Publish this policy with it, as what it asks for; it grants nothing
          --docs <FILE>             Publish this page in Markdown with it
          --annotation <KEY=VALUE>  Add an annotation to the image, such as
                                    `org.opencontainers.image.licenses=Apache-2.0`; may be repeated
          --sign-key <FILE>         Sign it with the private key in this file, in PEM; COSIGN_PASSWORD
                                    holds the password of a key that has one
          --created <SECONDS>       When it was made, in seconds since 1970 [default: now]. The same
                                    files of the same time have the same digest [env: SOURCE_DATE_EPOCH]
          --plain-http              Give it to a registry of this machine without TLS
      -h, --help                    Print help
    ");
}

#[test]
fn the_help_of_searching() {
    assert_snapshot!(own(&["registry"]), @"
    Look for components in catalogues

    Usage: wassette registry [OPTIONS] <COMMAND>

    Commands:
      search  Find components by words in their names, descriptions and keywords, best first
      get     Show all that the catalogues say about one component
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["registry", "search"]), @"
    Find components by words in their names, descriptions and keywords, best first

    Usage: wassette registry search [OPTIONS] [QUERY]...

    Arguments:
      [QUERY]...  The words to look for [default: none, which finds all]

    Options:
          --offset <COUNT>  Pass over so many of the best [default: 0]
          --limit <COUNT>   Show so many at most [default: 20]
      -h, --help            Print help
    ");
    assert_snapshot!(own(&["registry", "get"]), @"
    Show all that the catalogues say about one component

    Usage: wassette registry get [OPTIONS] <NAME>

    Arguments:
      <NAME>  The component's name, as `registry search` shows it

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn the_help_of_manifests() {
    assert_snapshot!(own(&["manifest"]), @"
    Check and lock a file that says which components a server serves

    Usage: wassette manifest [OPTIONS] <COMMAND>

    Commands:
      check  Say whether a file is a manifest, and where it is not; no network is used
      lock   Find out what a manifest leads to, and write it into `wassette.lock` beside it
      help   Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["manifest", "check"]), @"
    Say whether a file is a manifest, and where it is not; no network is used

    Usage: wassette manifest check [OPTIONS] <FILE>

    Arguments:
      <FILE>  The manifest, in YAML

    Options:
      -h, --help  Print help
    ");
    assert_snapshot!(own(&["manifest", "lock"]), @"
    Find out what a manifest leads to, and write it into `wassette.lock` beside it

    Usage: wassette manifest lock [OPTIONS] <FILE>

    Arguments:
      <FILE>  The manifest, in YAML

    Options:
      -h, --help  Print help
    ");
}
