//! `[limits]`: what one call may use, and what no policy can raise.

use miette::Diagnostic;
use toml::de::DeValue;
use wassette_policy::{LimitError, LimitRules, Limits, OperatorLimits, Setting};

use super::{Entry, Fault, Refusal, nearest};

impl Entry<'_> {
    /// All limits of the table.
    pub(super) fn limits(&self) -> Result<OperatorLimits, Refusal> {
        let table = self.table()?;
        let mut limits = LimitRules::default();
        for (name, value) in table {
            let setting = match value.get_ref() {
                DeValue::String(text) => Setting::Text(text.clone().into_owned()),
                DeValue::Integer(number) => number
                    .to_string()
                    .parse()
                    .map(Setting::Number)
                    .unwrap_or_else(|_| Setting::Text(number.to_string())),
                other => {
                    let key = format!("limits.{}", name.get_ref());
                    let expected = "an amount such as `\"256Mi\"`, `\"10s\"` or `32`";
                    let found = other.type_str();
                    return Err(Refusal {
                        fault: Box::new(Fault::Kind { key, expected, found }),
                        place: value.span(),
                        help: "every limit has a default: leave the key out to keep it".into(),
                    });
                }
            };
            limits.set(name.get_ref(), setting).map_err(|error| {
                let (place, help) = match &error {
                    LimitError::Unknown { name: unknown, .. } => {
                        (name.span(), nearest(unknown, &Limits::NAMES))
                    }
                    other => (value.span(), help_of(other)),
                };
                Refusal { fault: Box::new(Fault::Limit(error)), place, help }
            })?;
        }
        Ok(OperatorLimits::new(&limits))
    }
}

fn help_of(error: &LimitError) -> String {
    match error {
        // The amount's own words: what is wrong with it, and what would do.
        LimitError::Amount { source, .. } => match source.help() {
            Some(help) => format!("{source}: {help}"),
            None => source.to_string(),
        },
        other => other.help().map(|help| help.to_string()).unwrap_or_default(),
    }
}
