//! What a relayed call may ask of the allocator. Whoever makes it cheaper lowers the budget; whoever must raise it says why.

use causeway_allocations::of_a_call;
use causeway_bench::form::{Answers, Form, Speaks};

/// Of calls with small results, a known JWT and a cached token.
const BUDGETS: [(Form, f64); 3] = [
    (Form { speaks: Speaks::Modern, answers: Answers::Json }, 56.0),
    (Form { speaks: Speaks::Stateless, answers: Answers::Json }, 67.0),
    (Form { speaks: Speaks::Session, answers: Answers::Json }, 90.0),
];

/// So much less than the budget is a budget that nobody has lowered.
const SLACK: f64 = 8.0;

#[test]
fn a_relayed_call_stays_within_its_budget_of_allocations() {
    for (form, budget) in BUDGETS {
        let counted = of_a_call(form).unwrap();
        println!("{}: {counted:?}", form.name());
        let name = form.name();
        assert!(counted.allocations <= budget, "{name}: {counted:?}, more than {budget}");
        assert!(counted.allocations > budget - SLACK, "{name}: {counted:?}: lower the budget of {budget}");
    }
}

#[test]
fn counts_are_the_same_each_time() {
    let (form, _) = BUDGETS[0];
    let [one, other] = [(); 2].map(|()| of_a_call(form).unwrap().allocations);
    assert!((one - other).abs() < 0.5, "{one} and {other}");
}
