//! What a policy allows that an operator's ceiling may not: to be told to the person who grants it,
//! since it has no effect. Decides nothing; who enforces asks both documents.

use crate::document::Policy;
use crate::environment::VariableRule;
use crate::network::NetworkRule;
use crate::storage::RuleKind;
use crate::until::lasts;

impl Policy {
    /// A sentence for each rule of which `ceiling` allows less than it says. Patterns are compared
    /// only where that is simple, so a sentence says "may".
    pub fn beyond(&self, ceiling: &Self) -> Vec<String> {
        let storage = self.storage.allow.iter().filter_map(|rule| {
            let within = ceiling.storage.allow.iter().any(|most| most.covers(rule));
            (!within).then(|| rule.to_string())
        });
        let network = self.network.allow.iter().filter_map(|rule| {
            // A secret is nothing that a ceiling speaks of.
            let plain = rule.without_injections();
            let covers = |most: &NetworkRule| most.covers(RuleKind::Allow, &plain);
            (!ceiling.network.allow.iter().any(covers)).then(|| rule.to_string())
        });
        let variables = self.environment.iter().filter_map(|rule| {
            let covers =
                |most: &VariableRule| most.key == rule.key && lasts(most.until, rule.until);
            (!ceiling.environment.iter().any(covers)).then(|| rule.key.clone())
        });
        let beyond = storage.chain(network).chain(variables);
        beyond
            .map(|rule| {
                format!("`{rule}` may reach no further than the operator's ceiling lets it")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_ceiling_does_not_cover_is_told() {
        let policy = |text: &str| Policy::parse(text).unwrap();
        let ceiling = policy(
            "storage: {allow: [{uri: 'fs:///data', access: [read]}]}\n\
             network: {allow: [{host: '*.example.com', schemes: [https]}]}\n\
             environment: {allow: [{key: LEVEL}]}",
        );
        let within = policy(
            "storage: {allow: [{uri: 'fs:///data/x', access: [read]}]}\n\
             network: {allow: [{host: a.example.com, schemes: [https], inject: {header: x-key, \
             value: '${secret:KEY}'}}]}\n\
             environment: {allow: [{key: LEVEL}]}",
        );
        assert_eq!(within.beyond(&ceiling), [""; 0]);
        let beyond = policy(
            "storage: {allow: [{uri: 'fs:///data', access: [read, write]}]}\n\
             network: {allow: [{host: example.com}]}\n\
             environment: {allow: [{key: TOKEN}]}",
        );
        assert_eq!(beyond.beyond(&ceiling).len(), 3);
    }

    #[test]
    fn what_the_ceiling_allows_for_a_shorter_time_is_told() {
        let policy = |end: &str| {
            let text = format!(
                "storage: {{allow: [{{uri: 'fs:///data', access: [read] {end}}}]}}\n\
                 network: {{allow: [{{host: example.com {end}}}]}}\n\
                 environment: {{allow: [{{key: LEVEL {end}}}]}}",
            );
            Policy::parse(&text).unwrap()
        };
        let (soon, late) = (", until: 2026-11-21T18:00:00Z", ", until: 2100-01-01T00:00:00Z");
        for (granted, ceiling, told) in
            [(soon, late, 0), (soon, "", 0), (late, late, 0), (late, soon, 3), ("", late, 3)]
        {
            assert_eq!(policy(granted).beyond(&policy(ceiling)).len(), told, "{granted} {ceiling}");
        }
    }
}
