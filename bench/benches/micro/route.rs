//! Finding the target of a name among few and many tools, and merging their lists.

use std::hint::black_box;

use causeway_core::{
    catalog::{Catalog, Edits, Kind, Lists, Names, Offer, Page, merge},
    name::TargetName,
};
use criterion::Criterion;

pub(super) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route");
    for tools in [3, 1_000, 10_000] {
        let (targets, edits) = (targets(tools), Edits::default());
        let catalog = catalog(&targets, &edits);
        let last = format!("target-2___tool_{:05}", tools - 1);
        group.bench_function(format!("one of {tools} tools"), |bencher| {
            bencher.iter(|| catalog.route(Kind::Tools, black_box(&last)).expect("it is there").first());
        });
        group.bench_function(format!("an unknown name among {tools} tools"), |bencher| {
            bencher.iter(|| catalog.route(Kind::Tools, black_box("target-2___tool")).is_err());
        });
        group.bench_function(format!("merge {tools} tools"), |bencher| {
            bencher.iter(|| self::catalog(black_box(&targets), &edits));
        });
    }
    group.finish();
}

/// Three targets with so many tools; the last tool is the last one's.
fn targets(tools: usize) -> Vec<(TargetName, Lists)> {
    let each = tools.div_ceil(3);
    let target = |number: usize| {
        let own = number * each..((number + 1) * each).min(tools);
        let entry = |tool: usize| format!(r#"{{"name":"tool_{tool:05}","inputSchema":{{"type":"object"}}}}"#);
        let page = format!(r#"{{"tools":[{}]}}"#, own.map(entry).collect::<Vec<_>>().join(","));
        let page = Page::parse(Kind::Tools, &page).expect("it is a page");
        let mut lists = Lists::default();
        lists[Kind::Tools] = Some([page].into());
        (format!("target-{number}").parse().expect("it is a name"), lists)
    };
    (0..3).map(target).collect()
}

fn catalog(targets: &[(TargetName, Lists)], edits: &Edits) -> Catalog {
    let offer = |(target, lists)| Offer {
        target,
        resource_priority: 1000,
        has_resources: false,
        is_gateway: false,
        standby: &[],
        edits,
        lists,
        places: &[],
    };
    let offers: Vec<Offer<'_>> = targets.iter().map(|(target, lists)| offer((target, lists))).collect();
    merge(Names::Prefixed, &offers)
}
