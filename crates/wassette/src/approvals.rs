//! `--approvals` and `--locked`: who decides on what clients of a server ask for. A flag can choose
//! another way to decide than the configuration; it can lock a server, and never unlock one.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use wassette_toolbox::{ApprovalOptions, Approvals};

/// What `run` and `serve` share.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ApprovalArgs {
    /// Who decides when a client wants something granted or loaded: `ask` a person, or `allow` or
    /// `deny` it all [default: `approvals` of the configuration, else ask]
    #[arg(long, value_name = "HOW")]
    #[arg(value_parser = PossibleValuesParser::new(["ask", "allow", "deny"]).try_map(|text| text.parse::<Approvals>()))]
    approvals: Option<Approvals>,

    /// Serve what is installed as it is: no client can have anything loaded, unloaded, granted or
    /// revoked
    #[arg(long)]
    locked: bool,
}

impl ApprovalArgs {
    /// What `configured` says, as far as the flags do not say otherwise.
    pub(crate) fn over(&self, configured: &ApprovalOptions) -> ApprovalOptions {
        ApprovalOptions {
            approvals: self.approvals.unwrap_or(configured.approvals),
            locked: self.locked || configured.locked,
            ..configured.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_decides_otherwise_and_never_unlocks() {
        use Approvals::{Allow, Ask, Deny};
        for (flag, file, expected) in
            [(None, Deny, Deny), (Some(Ask), Deny, Ask), (Some(Deny), Allow, Deny)]
        {
            for (locks, locked) in [(false, false), (true, false), (false, true), (true, true)] {
                let configured =
                    ApprovalOptions { approvals: file, locked, ..ApprovalOptions::default() };
                let args = ApprovalArgs { approvals: flag, locked: locks };
                let options = args.over(&configured);
                assert_eq!((options.approvals, options.locked), (expected, locks || locked));
            }
        }
    }
}
