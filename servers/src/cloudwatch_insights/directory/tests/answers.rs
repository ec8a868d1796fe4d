//! Queries and their answers, worked out by hand from the files of `servers/tests/logs`.

use super::{NOON, WEB, WORKER, ask, hour, lines, logs, never};

fn check(group: &str, query: &str, expected: &[&str]) {
    let found = ask(&[group], query).unwrap_or_else(|error| panic!("{query}\n{error}"));
    assert_eq!(lines(&found), expected, "{query}");
}

#[test]
fn fields_and_display() {
    check(WEB, "fields level, status | limit 2", &["level=ERROR; status=503", "level=INFO; status=201"]);
    check(WEB, "fields level | display status | limit 1", &["status=503"]);
    check(WEB, "fields level | fields status, level as l | limit 1", &["level=ERROR; status=503; l=ERROR"]);
    check(
        WEB,
        "fields @timestamp as t, @logStream, @log | limit 1",
        &["t=2026-01-31 12:11:40.250; @logStream=api.log; @log=local:/app/web"],
    );
    check(WEB, "fields user.name, tags.0, tags.1 | filter tags.1 = 'eu'", &["user.name=ann; tags.0=new; tags.1=eu"]);
    check(WEB, "fields `request-id` as id | filter ispresent(id)", &["id=r-5"]);
    check(WEB, "fields ok, level | filter ok = 1 | limit 1", &["ok=1; level=INFO"]);
    check(
        WORKER,
        "filter @message like 'started'",
        &[
            "@timestamp=2026-01-31 12:04:00.000; @message=[2026-01-31T12:04:00.000Z] INFO [main] started worker 2",
            "@timestamp=2026-01-31 12:00:05.100; @message=2026-01-31 12:00:05,100 INFO [main] started worker 1",
        ],
    );
    check(WEB, "FIELDS level # what\n| FILTER level = 'WARN' # | limit 1\n| LIMIT 3", &["level=WARN"]);
}

#[test]
fn filter_compares() {
    check(WEB, "fields path | filter status = 200", &["path=/orders", "path=/orders"]);
    check(WEB, "fields path | filter status = '201'", &["path=/pay"]);
    check(WEB, "fields status | filter status >= 500", &["status=503", "status=500"]);
    check(WEB, "fields latency | filter latency < 12", &["latency=9", "latency=8"]);
    check(WEB, "fields latency | filter latency <= 12", &["latency=9", "latency=8", "latency=12"]);
    check(WEB, "fields latency | filter latency > 100", &["latency=110", "latency=250.5"]);
    check(WEB, "fields path | where status != 200 and level != 'ERROR'", &["path=/pay", "path=/orders/9"]);
    check(WEB, "filter not (level = 'INFO' or status = 404) | fields status", &["status=503", "status=500"]);
    check(
        WEB,
        "filter level = 'WARN' or level = 'ERROR' and status = 503 | fields latency",
        &["latency=9", "latency=8"],
    );
    check(WEB, "filter user.name = 'ann' and user.id = 7 | stats count(*) as n", &["n=2"]);
    check(WEB, "filter 12345678901234567891 = 12345678901234567890 | stats count(*) as n", &["n=0"]);
    check(WEB, "filter 12345678901234567890 = '12345678901234567890' | stats count(*) as n", &["n=6"]);
    // What an event lacks is neither equal nor unequal.
    check(WEB, "filter error != 'timeout' | fields error", &["error=card declined"]);
    check(WEB, "filter not (error = 'timeout') | fields error", &["error=card declined"]);
    check(WEB, "filter ispresent(error) | fields error", &["error=timeout", "error=card declined"]);
    check(WEB, "filter not ispresent(user.id) | fields path", &["path=/pay", "path=/pay", "path=/pay"]);
}

#[test]
fn filter_matches() {
    check(WEB, "filter level in ['WARN', 'ERROR'] | fields level", &["level=ERROR", "level=ERROR", "level=WARN"]);
    check(WEB, "filter level not in ['WARN', 'ERROR'] | stats count(*) as n", &["n=3"]);
    check(WEB, "filter status in [200, 201] | fields status", &["status=201", "status=200", "status=200"]);
    check(WEB, r"filter path like /^\/orders\/\d+$/ | fields path", &["path=/orders/9"]);
    check(WEB, "filter @message =~ /(?i)TIMEOUT/ | fields error", &["error=timeout"]);
    check(WORKER, "filter @message like /(?i)info/ | stats count(*) as n", &["n=3"]);
    check(WORKER, "filter @message like 'info' | stats count(*) as n", &["n=1"]);
    check(WORKER, "filter @message not like /took/ | stats count(*) as n", &["n=3"]);
    check(WEB, "filter strcontains(path, '9') | fields path", &["path=/orders/9"]);
}

#[test]
fn computed_fields() {
    check(
        WEB,
        "fields latency * 2 + 1 as a, latency / 4 as b, latency % 5 as c, 2 ^ 3 as d, -latency as e | filter latency = 12",
        &["a=25; b=3; c=2; d=8; e=-12"],
    );
    check(WEB, "fields (latency + 1) * 2 as a, 2 ^ 3 ^ 2 as b, 10 - 2 - 3 as c | limit 1", &["a=20; b=512; c=5"]);
    check(WEB, "fields error + 1 as x, level, latency / 0 as y | limit 1", &["level=ERROR"]);
    check(WEB, "fields latency + 1 | limit 1", &["latency + 1=10"]);
    check(
        WEB,
        "filter latency = 12 | display strlen(path) as n, toupper(path) as u, tolower(level) as l, substr(path, 1) as s, \
         substr(path, 1, 3) as t, replace(path, '/', '-') as r, strcontains(path, 'ord') as c, \
         concat(level, ':', status) as k",
        &["n=7; u=/ORDERS; l=info; s=orders; t=ord; r=-orders; c=1; k=INFO:200"],
    );
    check(
        WEB,
        "display trim('xyZfooxyZ', 'xyZ') as a, ltrim('xyZfooxyZ', 'xyZ') as b, rtrim('xyZfooxyZ', 'xyZ') as c, \
         concat('<', trim('  x '), '>') as d | limit 1",
        &["a=foo; b=fooxyZ; c=xyZfoo; d=<x>"],
    );
    check(
        WEB,
        "display abs(-2.5) as a, ceil(1.2) as b, floor(-1.2) as c, round(2.5) as d, round(1.234, 2) as e, sqrt(16) as f, \
         log(1) as g, greatest(1, 3, 2) as h, least(4, 2) as i, isNumeric('1x') as j | limit 1",
        &["a=2.5; b=2; c=-2; d=3; e=1.23; f=4; g=0; h=3; i=2; j=0"],
    );
    check(
        WEB,
        "fields isempty(error) as a, isblank('  ') as b, coalesce(error, level) as c | limit 3",
        &["a=0; b=1; c=timeout", "a=1; b=1; c=INFO", "a=0; b=1; c=card declined"],
    );
    check(
        WEB,
        "fields if(status >= 500, 'bad', 'good') as a, case(status < 300, '2xx', status < 500, '4xx', '5xx') as b | limit 2",
        &["a=bad; b=5xx", "a=good; b=2xx"],
    );
}

#[test]
fn times() {
    check(
        WEB,
        "fields bin(5m), datefloor(@timestamp, 1h) as f, dateceil(@timestamp, 1m) as c, toMillis(@timestamp) as m, \
         fromMillis(0) as z | limit 1",
        &["bin(5m)=2026-01-31 12:10:00.000; f=2026-01-31 12:00:00.000; c=2026-01-31 12:12:00.000; m=1769861500250; \
           z=1970-01-01 00:00:00.000"],
    );
    check(WEB, "display now() as n | limit 1", &["n=1769864400"]);
    // From 12:10:00 on.
    check(WEB, "filter toMillis(@timestamp) >= now() * 1000 - 3000000 | stats count(*) as n", &["n=1"]);
    check(WEB, "filter @timestamp < 1769860830000 | fields latency", &["latency=12"]);
    check(
        WEB,
        "stats max(@timestamp) as last, min(@timestamp) as first",
        &["last=2026-01-31 12:11:40.250; first=2026-01-31 12:00:00.000"],
    );
}

#[test]
fn parse() {
    let jobs = "parse @message 'job=* user=* took * ms' as job, who, ms | filter ispresent(job)";
    check(
        WORKER,
        &format!("{jobs} | display job, who, ms"),
        &[
            "job=resize; who=cy; ms=300",
            "job=mail; who=ann; ms=45",
            "job=mail; who=bob; ms=90",
            "job=resize; who=ann; ms=1500",
        ],
    );
    check(
        WORKER,
        &format!("{jobs} | stats sum(ms) as total, max(ms) as most by job | sort job"),
        &["job=mail; total=135; most=90", "job=resize; total=1800; most=1500"],
    );
    check(
        WORKER,
        r"fields @logStream | parse @message /(?<level>INFO|WARN|ERROR) \[(?<thread>[^\]]+)\]/ | filter level = 'ERROR'",
        &["@logStream=one.log; level=ERROR; thread=pool-1", "@logStream=one.log; level=ERROR; thread=pool-1"],
    );
    // An event that does not match stays, without the fields.
    check(
        WORKER,
        "parse 'job=* ' as job | display @timestamp, job | sort @timestamp | limit 1",
        &["@timestamp=2026-01-31 12:00:05.100"],
    );
    check(
        WORKER,
        "parse @message 'job=* user=' as job | parse job 're*' as rest | filter ispresent(rest) | display rest | limit 1",
        &["rest=size"],
    );
    check(
        WORKER,
        "filter @message like 'IllegalState' | parse @message 'Exception: *' as why | display why",
        &["why=no disk\n    at app.Disk.write(Disk.java:10)\n\tat app.Main.run(Main.java:5)"],
    );
    check(
        WEB,
        "parse path '/orders/*' as order | filter ispresent(order)",
        &["@timestamp=2026-01-31 12:01:10.000; @message={\"time\":\"2026-01-31T12:01:10.000Z\",\"level\":\"WARN\",\
         \"path\":\"/orders/9\",\"status\":404,\"latency\":8,\"user\":{\"id\":7,\"name\":\"ann\"},\"ok\":false}; order=9"],
    );
}

#[test]
fn stats() {
    check(
        WEB,
        "stats count(*) as n, sum(latency) as total, avg(latency) as mean, min(latency) as least, max(latency) as most",
        &["n=6; total=409.5; mean=68.25; least=8; most=250.5"],
    );
    // Sorted: 8, 9, 12, 20, 110, 250.5.
    check(
        WEB,
        "stats pct(latency, 50) as p50, pct(latency, 95) as p95, pct(latency, 0) as p0",
        &["p50=12; p95=250.5; p0=8"],
    );
    check(WEB, "filter status = 200 | stats stddev(latency) as s", &["s=4"]);
    check(
        WEB,
        "stats count(error) as a, count_distinct(level) as b, count_distinct(user.name) as c, count() as d",
        &["a=2; b=3; c=2; d=6"],
    );
    check(
        WEB,
        "stats earliest(level) as a, latest(level) as b, sortsFirst(path) as c, sortsLast(path) as d, latest(user.name) as e",
        &["a=INFO; b=ERROR; c=/orders; d=/pay; e=ann"],
    );
    check(WEB, "stats min(path) as a, max(level) as b", &["a=/orders; b=WARN"]);
    check(WEB, "filter level = 'none' | stats count(*) as n, sum(latency) as s", &["n=0"]);
    check(WEB, "filter level = 'none' | stats count(*) as n by level", &[]);
}

#[test]
fn stats_by() {
    check(
        WEB,
        "stats count(*) by level",
        &["level=ERROR; count(*)=2", "level=INFO; count(*)=3", "level=WARN; count(*)=1"],
    );
    check(
        WEB,
        "stats count(*) as n, sum(latency) as total by bin(5m)",
        &[
            "bin(5m)=2026-01-31 12:10:00.000; n=1; total=9",
            "bin(5m)=2026-01-31 12:05:00.000; n=2; total=360.5",
            "bin(5m)=2026-01-31 12:00:00.000; n=3; total=40",
        ],
    );
    check(
        WEB,
        "stats count(*) as n by level, bin(10m) as t | sort t, level",
        &[
            "level=ERROR; t=2026-01-31 12:00:00.000; n=1",
            "level=INFO; t=2026-01-31 12:00:00.000; n=3",
            "level=WARN; t=2026-01-31 12:00:00.000; n=1",
            "level=ERROR; t=2026-01-31 12:10:00.000; n=1",
        ],
    );
    check(
        WEB,
        "stats sum(latency) / count(*) as mean, round(avg(latency), 1) as r by level | filter level = 'ERROR'",
        &["level=ERROR; mean=129.75; r=129.8"],
    );
    // 201 is a text in its line, and a number all the same.
    check(
        WEB,
        "stats count(*) as n by status",
        &["status=200; n=2", "status=201; n=1", "status=404; n=1", "status=500; n=1", "status=503; n=1"],
    );
    check(WEB, "stats count(*) as n by user.name | sort n", &["user.name=bob; n=1", "user.name=ann; n=2", "n=3"]);
    check(WORKER, "stats count(*) as n by @logStream", &["@logStream=one.log; n=5", "@logStream=two.log; n=2"]);
    check(
        WEB,
        "stats count(*) as n by toupper(user.name) as who | filter ispresent(who) | fields n * 10 as tens",
        &["who=ANN; n=2; tens=20", "who=BOB; n=1; tens=10"],
    );
}

#[test]
fn stats_of_stats() {
    check(
        WEB,
        "stats count(*) as n by level, path | stats max(n) as most, count(*) as groups by level",
        &["level=ERROR; most=2; groups=1", "level=INFO; most=2; groups=2", "level=WARN; most=1; groups=1"],
    );
    check(
        WEB,
        "stats count(*) as n by bin(5m) as t | stats sum(n) as n by dateceil(t, 10m)",
        &["dateceil(t, 10m)=2026-01-31 12:10:00.000; n=3", "dateceil(t, 10m)=2026-01-31 12:00:00.000; n=3"],
    );
    check(WEB, "stats count(*) by level | stats max(count(*)) as most", &["most=3"]);
}

#[test]
fn sort_and_limit() {
    check(WEB, "fields latency | sort latency desc | limit 3", &["latency=250.5", "latency=110", "latency=20"]);
    check(
        WEB,
        "sort level, latency desc | display level, latency",
        &[
            "level=ERROR; latency=250.5",
            "level=ERROR; latency=9",
            "level=INFO; latency=110",
            "level=INFO; latency=20",
            "level=INFO; latency=12",
            "level=WARN; latency=8",
        ],
    );
    check(WEB, "stats count(*) by level | sort Count( * ) desc | limit 1", &["level=INFO; count(*)=3"]);
    check(WEB, "sort strlen(path) desc | limit 1 | display path", &["path=/orders/9"]);
    check(WEB, "sort latency desc | limit 2 | filter latency < 200 | display latency", &["latency=110"]);
    check(WEB, "fields error, level | sort error, latency | limit 1", &["level=WARN"]);
    check(WEB, "fields latency | sort @timestamp asc | limit 2", &["latency=12", "latency=20"]);
}

#[test]
fn dedup() {
    check(
        WEB,
        "fields level, status | dedup level",
        &["level=ERROR; status=503", "level=INFO; status=201", "level=WARN; status=404"],
    );
    check(
        WEB,
        "fields level, latency | sort latency desc | dedup level",
        &["level=ERROR; latency=250.5", "level=INFO; latency=110", "level=WARN; latency=8"],
    );
    check(WEB, "fields latency | dedup level, path | limit 3", &["latency=9", "latency=110", "latency=8"]);
    // Events without the field are no duplicates of each other.
    check(
        WEB,
        "fields latency | filter level != 'WARN' | dedup error",
        &["latency=9", "latency=110", "latency=250.5", "latency=20", "latency=12"],
    );
}

#[test]
fn groups_range_limit_and_statistics() {
    let found = ask(&[WEB, WORKER], "stats count(*) as n by @log").unwrap();
    assert_eq!(lines(&found), ["@log=local:/app/web; n=6", "@log=local:/app/worker; n=7"]);

    let mut query = hour("fields level", &[WEB]);
    // Both ends belong to the range.
    (query.range.start, query.range.end) = (NOON + 300, NOON + 360);
    assert_eq!(lines(&logs().query(&query, &never()).unwrap()), ["level=INFO", "level=ERROR"]);

    let mut query = hour("filter level = 'ERROR' | fields latency", &[WEB]);
    query.limit = 1;
    let found = logs().query(&query, &never()).unwrap();
    assert_eq!(lines(&found), ["latency=9"]);
    let statistics = found.statistics.unwrap();
    assert_eq!((statistics.records_matched, statistics.records_scanned), (2.0, 6.0));
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/logs/app/web/api.log")).unwrap();
    // A line's end is no part of its event.
    assert_eq!(statistics.bytes_scanned, f64::from(u32::try_from(file.len() - 6).unwrap()));
}

#[test]
fn groups_and_fields() {
    let groups: Vec<_> = logs().groups().unwrap().0.into_iter().map(|group| group.name).collect();
    assert_eq!(groups, [WEB, WORKER]);
    let fields = logs().fields(WEB, &never()).unwrap().0;
    let percent = |name: &str| fields.iter().find(|field| field.name == name).map(|field| field.percent);
    assert_eq!(percent("@message"), Some(100));
    assert_eq!(
        (percent("level"), percent("user.id"), percent("tags.1"), percent("error")),
        (Some(100), Some(50), Some(16), Some(33))
    );
    assert_eq!(percent("user"), None);
    let names: Vec<_> = logs().fields(WORKER, &never()).unwrap().0.into_iter().map(|field| field.name).collect();
    assert_eq!(names, ["@ingestionTime", "@log", "@logStream", "@message", "@timestamp"]);
}
