//! Prints what calls in each form cost, as JSON.

use std::collections::BTreeMap;

use causeway_allocations::of_a_call;
use causeway_bench::form::Form;

fn main() -> anyhow::Result<()> {
    let mut counted = BTreeMap::new();
    for form in Form::ALL {
        counted.insert(form.name(), of_a_call(form)?);
    }
    println!("{}", serde_json::to_string_pretty(&counted)?);
    Ok(())
}
