//! Log groups and their fields, as DescribeLogGroups and GetLogGroupFields tell them. Asks for no group that the allow
//! list does not lead to.

use aws_sdk_cloudwatchlogs::{Client, types};

use super::{
    patience::{Effect, patiently},
    refusal::AwsError,
};
use crate::cloudwatch_insights::{
    allow_list::Lookup,
    call::Call,
    fields::Field,
    groups::{Groups, LogGroup},
    time_range::iso8601,
};

/// The groups that `lookups` lead to, `most` of them. Those come in order and do not overlap, and so do the groups.
pub(super) async fn list(client: &Client, lookups: &[Lookup], most: usize, call: &Call) -> Result<Groups, AwsError> {
    let mut groups = Groups { log_groups: Vec::new(), not_found: Vec::new(), limit_reached: false, notes: Vec::new() };
    for lookup in lookups {
        match lookup {
            Lookup::Exact(name) => match exact(client, name, call).await? {
                Some(group) => groups.log_groups.push(group),
                None => groups.not_found.push(name.clone()),
            },
            Lookup::Prefix(prefix) => with_prefix(client, prefix, most, &mut groups.log_groups, call).await?,
        }
        if groups.log_groups.len() > most {
            groups.log_groups.truncate(most);
            groups.limit_reached = true;
            break;
        }
    }
    Ok(groups)
}

/// There is no operation that describes one group of a name. The group is the first of those that its name begins, because
/// they come in the order of their names.
async fn exact(client: &Client, name: &str, call: &Call) -> Result<Option<LogGroup>, AwsError> {
    let request = client.describe_log_groups().log_group_name_prefix(name).limit(1);
    let output = call.within(patiently("DescribeLogGroups", Effect::Reads, call, || request.clone().send())).await??;
    let groups = output.log_groups.unwrap_or_default();
    Ok(groups.into_iter().filter_map(described).find(|group| group.name == name))
}

/// Adds the groups with `prefix`, until there are more than `most`.
async fn with_prefix(
    client: &Client,
    prefix: &str,
    most: usize,
    groups: &mut Vec<LogGroup>,
    call: &Call,
) -> Result<(), AwsError> {
    let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
    let request = client.describe_log_groups().set_log_group_name_prefix(prefix.clone());
    let mut next = None;
    loop {
        let request = request.clone().set_next_token(next);
        let page =
            call.within(patiently("DescribeLogGroups", Effect::Reads, call, || request.clone().send())).await??;
        let found = page.log_groups.unwrap_or_default().into_iter().filter_map(described);
        groups.extend(found.filter(|group| group.name.starts_with(prefix.as_deref().unwrap_or_default())));
        next = page.next_token;
        if next.is_none() || groups.len() > most {
            return Ok(());
        }
        call.progress.say(format!("{} log groups so far", groups.len())).await;
    }
}

/// The fields of the events of the last 15 minutes.
pub(super) async fn fields(client: &Client, group: &str, call: &Call) -> Result<Vec<Field>, AwsError> {
    let request = client.get_log_group_fields().log_group_name(group);
    let output = call.within(patiently("GetLogGroupFields", Effect::Reads, call, || request.clone().send())).await??;
    let fields = output.log_group_fields.unwrap_or_default().into_iter();
    Ok(fields.filter_map(|field| Some(Field { name: field.name?, percent: field.percent })).collect())
}

fn described(group: types::LogGroup) -> Option<LogGroup> {
    Some(LogGroup {
        name: group.log_group_name?,
        stored_bytes: group.stored_bytes,
        retention_days: group.retention_in_days,
        created: group.creation_time.map(|millis| iso8601(millis.div_euclid(1000))),
    })
}
