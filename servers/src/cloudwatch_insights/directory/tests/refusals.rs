//! What the engine does not have, and mistakes in queries: each with its place and what to write instead.

use super::{WEB, ask};

fn refusal(query: &str) -> String {
    ask(&[WEB], query).unwrap_err().to_string()
}

#[test]
fn what_is_not_available_is_named() {
    let queries = [
        "fields @message | pattern @message",
        "filter level = 'x' | anomaly",
        "fields a | join type=left (fields b) on a",
        "parse @message logfmt",
        "fields jsonParse(@message) as m",
        "fields levenshtein(level, path)",
        "stats median(latency) by level",
        "stats count(*) by bin(2w)",
        "stats count(*) by bin(300s)",
        "parse @message /(?<a>x)(?=y)/",
    ];
    insta::assert_snapshot!(queries.map(refusal).join("\n"), @r#"
    line 1, column 19: the command `pattern` is not available with local log files; the commands are `fields`, `display`, `filter`, `parse`, `stats`, `sort`, `limit` and `dedup`
    line 1, column 22: the command `anomaly` is not available with local log files; the commands are `fields`, `display`, `filter`, `parse`, `stats`, `sort`, `limit` and `dedup`
    line 1, column 12: the command `join` is not available with local log files; the commands are `fields`, `display`, `filter`, `parse`, `stats`, `sort`, `limit` and `dedup`
    line 1, column 16: `parse` in the mode `logfmt` is not available with local log files; write a text with `*`, or a `/regular expression/` with named groups
    line 1, column 8: the function `jsonParse` is not available with local log files; fields of JSON lines are there by their path, as in `request.headers.host` or `items.0.id`
    line 1, column 8: the function `levenshtein` is not available with local log files; the functions are `abs`, `bin`, `case`, `ceil`, `coalesce`, `concat`, `dateceil`, `datefloor`, `floor`, `frommillis`, `greatest`, `if`, `isblank`, `isempty`, `isnumeric`, `ispresent`, `least`, `log`, `ltrim`, `now`, `replace`, `round`, `rtrim`, `sqrt`, `strcontains`, `strlen`, `substr`, `tolower`, `tomillis`, `toupper`, `trim`
    line 1, column 7: the function `median` is not available in `stats` with local log files; it has `avg`, `count`, `count_distinct`, `earliest`, `latest`, `max`, `min`, `pct`, `sortsfirst`, `sortslast`, `stddev`, `sum`
    line 1, column 23: periods in `w` are not available with local log files; write days: `7d`
    line 1, column 23: `300s` is more than the 60 that CloudWatch counts of `s`; take a larger unit
    line 1, column 16: the regular expression cannot be used here: look-around, including look-ahead and look-behind, is not supported
    "#);
}

#[test]
fn what_cloudwatch_refuses_too() {
    let queries = [
        "stats count(*) as n by level | stats max(n) as m | stats max(m)",
        "stats count(*) as n by level | sort n | stats max(n)",
        "fields level | dedup level | display path",
        "stats count(*) as n by level | fields path",
        "stats count(*) as n by level | stats sum(n) by bin(5m)",
        "stats count(*) as n by level | stats latest(n)",
        "stats latency by level",
        "stats count(*), level = 'x'",
        "filter count(*) > 3",
        "limit 0",
        "limit 10001",
        "parse @message '* *' as a",
        "parse @message /a(b)/",
        "parse @message 'x*'",
    ];
    insta::assert_snapshot!(queries.map(refusal).join("\n"), @r#"
    line 1, column 52: a query may have two `stats` commands, and this is the third
    line 1, column 41: `sort` and `limit` must stand after the second `stats`, not before it
    line 1, column 30: only `limit` may follow `dedup`; move this command before it
    line 1, column 39: after `stats` there is no field `path`; there are `level`, `n`
    line 1, column 48: after `stats` there is no field `@timestamp`; there are `level`, `n`
    line 1, column 38: `latest` needs `@timestamp`, which is not there after the first `stats`
    line 1, column 7: `latency` is neither in `by` nor in a function such as `count(latency)` or `latest(latency)`
    line 1, column 17: `level` is neither in `by` nor in a function such as `count(level)` or `latest(level)`
    line 1, column 8: `count` stands in `stats` only; name its value there with `as`
    line 1, column 7: expected a whole number of rows from 1 to 10000, found `0`
    line 1, column 7: expected a whole number of rows from 1 to 10000, found `10001`
    line 1, column 16: the text has 2 `*`, and `as` names 1 field(s)
    line 1, column 16: the regular expression names no group; write `(?<name>...)` for each field
    line 1, column 20: expected `as` and a name for each `*` of the text
    "#);
}

#[test]
fn mistakes_have_a_place() {
    let queries = [
        "",
        "fields",
        "fields a,\n| limit 1",
        "fields a limit 1",
        "fields a | | limit 1",
        "filter a = ",
        "filter (a = 1",
        "filter a == 1",
        "filter a is present",
        "filter a = true",
        "filter a !~ /x/",
        "filter a like b",
        "filter a in 'x'",
        "filter a like /(/",
        "fields a\n| filter level = 'open",
        "fields and",
        "fields 5m",
        "fields strlen()",
        "fields bin('5m')",
        "stats pct(latency)",
        "stats pct(latency, 101)",
        "stats count(*) by",
        "filter @timestamp > '2026-01-31'",
        "sort a sideways",
        "fields a ; b",
        "fields ~",
    ];
    insta::assert_snapshot!(queries.map(refusal).join("\n"), @"
    line 1, column 1: expected a command, found the end of the query; the commands are `fields`, `display`, `filter`, `parse`, `stats`, `sort`, `limit` and `dedup`
    line 1, column 7: expected a field or a value, found the end of the query
    line 2, column 1: expected a field or a value, found `|`
    line 1, column 10: expected `|` or the end of the query, found `limit`
    line 1, column 12: expected a command, found `|`; the commands are `fields`, `display`, `filter`, `parse`, `stats`, `sort`, `limit` and `dedup`
    line 1, column 12: expected a field or a value, found the end of the query
    line 1, column 14: expected `)`, found the end of the query
    line 1, column 10: `==` is no operator; write `=`
    line 1, column 10: `is` is no operator; write `ispresent(field)`, or `not ispresent(field)`
    line 1, column 12: `true` is no value; truth is `1`
    line 1, column 10: `!~` is no operator; write `not like /.../`
    line 1, column 15: expected a text in quotes or a `/regular expression/`, found `b`
    line 1, column 13: expected `[`, found the text `x`
    line 1, column 15: the regular expression cannot be used here: unclosed group
    line 2, column 18: the text does not end; close it with `'`
    line 1, column 8: expected a field or a value, found `and`; a field of that name is written `` `and` ``
    line 1, column 8: a period stands in `bin`, `datefloor` or `dateceil` only
    line 1, column 8: `strlen` takes one argument, and here are 0
    line 1, column 8: `bin` takes a period, as in `bin(5m)`
    line 1, column 7: `pct` takes a field and a percentage, as in `pct(latency, 95)`
    line 1, column 20: expected a percentage from 0 to 100
    line 1, column 18: expected a field or a value, found the end of the query
    line 1, column 8: a time compares with milliseconds since the epoch, not with a text; `start` and `end` choose the time range
    line 1, column 8: expected `|` or the end of the query, found `sideways`
    line 1, column 10: expected `|` or the end of the query, found `;`
    line 1, column 8: `~` means nothing here
    ");
}

#[test]
fn a_group_that_is_not_there() {
    let error = |group: &str| ask(&[group], "limit 1").unwrap_err().to_string();
    insta::assert_snapshot!(error("/app/none"), @"there is no log group `/app/none` here; `list_log_groups` names those that are there");
    for outside in ["/..", "/app/../app/web", "/app/web/..", "/.", "app/web", "/app//web"] {
        assert!(error(outside).starts_with("there is no log group"), "{outside}");
    }
}

#[test]
fn what_is_no_condition_is_not_guessed() {
    let queries = [
        "filter status = 500 or 502",
        "filter status = 500 or 502 or status = 503",
        "filter level = 'a' and 'b'",
        "filter level",
        "filter not level",
        "filter level or status = 500",
        "filter latency + 1",
        "filter 1",
        "filter 'x'",
        "filter strlen(path)",
        "fields if(level, 1, 2)",
        "fields case(status = 1, 'a', latency, 'b')",
        "fields latency as slow | filter slow",
        "stats count(*) > 1 and sum(latency)",
    ];
    insta::assert_snapshot!(queries.map(refusal).join("\n"), @"
    line 1, column 24: `502` is no condition; write `status in [500, 502]`
    line 1, column 24: `502` is no condition; write `status in [500, 502]`
    line 1, column 24: `'b'` is no condition; write what is compared with it, as in `field = 'b'`
    line 1, column 8: `level` is no condition; write `ispresent(level)`, or compare it, as in `level = 1`
    line 1, column 12: `level` is no condition; write `ispresent(level)`, or compare it, as in `level = 1`
    line 1, column 8: `level` is no condition; write `ispresent(level)`, or compare it, as in `level = 1`
    line 1, column 8: `latency + 1` is no condition; write a comparison, as in `latency + 1 > 0`
    line 1, column 8: `1` is no condition; write what is compared with it, as in `field = 1`
    line 1, column 8: `'x'` is no condition; write what is compared with it, as in `field = 'x'`
    line 1, column 8: `strlen(path)` is no condition; write a comparison, as in `strlen(path) > 0`
    line 1, column 11: `level` is no condition; write `ispresent(level)`, or compare it, as in `level = 1`
    line 1, column 30: `latency` is no condition; write `ispresent(latency)`, or compare it, as in `latency = 1`
    line 1, column 33: `slow` is no condition; write `ispresent(slow)`, or compare it, as in `slow = 1`
    line 1, column 24: `sum(latency)` is no condition; write a comparison, as in `sum(latency) > 0`
    ");
    for query in [
        "fields status >= 500 as bad | filter bad",
        "filter isempty(error) or ispresent(level)",
        "filter if(status = 1, 1 = 1, 1 = 2)",
    ] {
        assert!(ask(&[WEB], query).is_ok(), "{query}");
    }
}

#[test]
fn times_are_no_texts() {
    let queries = [
        "filter @timestamp like '2026'",
        "filter @timestamp like /2026/",
        "filter @timestamp in ['2026-01-31']",
        "fields concat(@timestamp, 'x')",
        "fields if(level = 'x', @timestamp, bin(5m)) as t | filter t > '2026'",
        "fields coalesce(@timestamp, @ingestionTime) as t | fields strlen(t)",
        "parse @timestamp '*-' as year",
        "stats concat(max(@timestamp), 'x')",
    ];
    insta::assert_snapshot!(queries.map(refusal).join("\n"), @"
    line 1, column 8: `@timestamp` is a time and no text; compare it with milliseconds since the epoch, group it with `bin`, or choose the time range with `start` and `end`
    line 1, column 8: `@timestamp` is a time and no text; compare it with milliseconds since the epoch, group it with `bin`, or choose the time range with `start` and `end`
    line 1, column 8: a time compares with milliseconds since the epoch, not with a text; `start` and `end` choose the time range
    line 1, column 15: `@timestamp` is a time and no text; compare it with milliseconds since the epoch, group it with `bin`, or choose the time range with `start` and `end`
    line 1, column 59: a time compares with milliseconds since the epoch, not with a text; `start` and `end` choose the time range
    line 1, column 66: `t` is a time and no text; compare it with milliseconds since the epoch, group it with `bin`, or choose the time range with `start` and `end`
    line 1, column 7: `@timestamp` is a time and no text; compare it with milliseconds since the epoch, group it with `bin`, or choose the time range with `start` and `end`
    line 1, column 14: `max(@timestamp)` is a time and no text; compare it with milliseconds since the epoch, group it with `bin`, or choose the time range with `start` and `end`
    ");
}

#[test]
fn names_are_known_and_differ() {
    let queries = [
        "fields @duration",
        "filter @entity.x = 1",
        "fields level as x, status as x",
        "stats count(*) as n, sum(latency) as n",
        "stats count(*) as level by level",
        "stats count(*) by level, level",
        "parse @message '* *' as a, a",
        "filter a == 1",
        "filter a = 1 && b = 2",
        "filter a = 1 || b = 2",
        "filter a <> 1",
    ];
    insta::assert_snapshot!(queries.map(refusal).join("\n"), @"
    line 1, column 8: there is no field `@duration` with local log files; those that start with `@` are `@ingestionTime`, `@log`, `@logStream`, `@message`, `@timestamp`, and a member of that name in a JSON line is `@@duration`
    line 1, column 8: there is no field `@entity.x` with local log files; those that start with `@` are `@ingestionTime`, `@log`, `@logStream`, `@message`, `@timestamp`, and a member of that name in a JSON line is `@@entity.x`
    line 1, column 20: two columns are called `x`; give one of them another name with `as`
    line 1, column 22: two columns are called `n`; give one of them another name with `as`
    line 1, column 7: `level` is in `by` too; give this value another name with `as`
    line 1, column 26: two columns are called `level`; give one of them another name with `as`
    line 1, column 7: `parse` gives two fields the name `a`; name them differently
    line 1, column 10: `==` is no operator; write `=`
    line 1, column 14: `&&` is no operator; write `and`
    line 1, column 14: `||` is no operator; write `or`
    line 1, column 10: `<>` is no operator; write `!=`
    ");
}

#[test]
fn what_is_nearly_right_is_named() {
    let queries = [
        "feilds a",
        "fields strlne(a)",
        "stats cuont(*)",
        "stats avrage(latency)",
        "fields @mesage",
        "stats count(*) by level | sort levle",
    ];
    let hint = |query| refusal(query).split("; ").find(|part| part.starts_with("did you")).unwrap_or("none").to_owned();
    insta::assert_snapshot!(queries.map(hint).join("\n"), @"
    did you mean `fields`?
    did you mean `strlen`?
    did you mean `count`?
    did you mean `avg`?
    did you mean `@message`?
    did you mean `level`?
    ");
    let notes = |query: &str| ask(&[WEB], query).unwrap().notes;
    assert_eq!(
        notes("filter levle = 'error' | fields strlen(level)"),
        ["no event here has the field `levle`; did you mean `level`?"]
    );
    assert_eq!(notes("fields level, nothing_like_it, @message"), [""; 0]);
}
