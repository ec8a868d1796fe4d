//! The aggregate functions that SQLite does not have: percentiles, deviation, and the value that goes with the smallest
//! or largest key.

use rusqlite::{
    Connection, Result,
    functions::{Aggregate, Context, FunctionFlags},
    types::Value,
};

use super::value::number;

const PURE: FunctionFlags = FunctionFlags::SQLITE_DETERMINISTIC.union(FunctionFlags::SQLITE_UTF8);

/// `pct(value, percent)`: of the numbers the smallest that at least so many percent of them do not exceed.
struct Percentile;

/// `stddev(value)`: of the numbers as a whole population. After Welford, who sums no squares.
struct Deviation;

/// `first_by(key, value)`, `last_by(key, value)`: rows without a value do not count; of equal keys the first row does.
struct By {
    last: bool,
}

#[derive(Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

pub(super) fn register(connection: &Connection) -> Result<()> {
    connection.create_aggregate_function("pct", 2, PURE, Percentile)?;
    connection.create_aggregate_function("stddev", 1, PURE, Deviation)?;
    connection.create_aggregate_function("first_by", 2, PURE, By { last: false })?;
    connection.create_aggregate_function("last_by", 2, PURE, By { last: true })
}

impl Aggregate<(Vec<f64>, f64), Option<f64>> for Percentile {
    fn init(&self, context: &mut Context<'_>) -> Result<(Vec<f64>, f64)> {
        Ok((Vec::new(), context.get(1)?))
    }

    fn step(&self, context: &mut Context<'_>, (numbers, _): &mut (Vec<f64>, f64)) -> Result<()> {
        numbers.extend(number(context.get_raw(0)));
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, found: Option<(Vec<f64>, f64)>) -> Result<Option<f64>> {
        let Some((mut numbers, percent)) = found else { return Ok(None) };
        numbers.sort_unstable_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank is at most the count of rows"
        )]
        let rank = (percent / 100.0 * numbers.len() as f64).ceil() as usize;
        Ok(numbers.get(rank.saturating_sub(1)).copied())
    }
}

impl Aggregate<Spread, Option<f64>> for Deviation {
    fn init(&self, _: &mut Context<'_>) -> Result<Spread> {
        Ok(Spread::default())
    }

    fn step(&self, context: &mut Context<'_>, spread: &mut Spread) -> Result<()> {
        if let Some(number) = number(context.get_raw(0)) {
            spread.count += 1.0;
            let before = number - spread.mean;
            spread.mean += before / spread.count;
            spread.squares += before * (number - spread.mean);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, spread: Option<Spread>) -> Result<Option<f64>> {
        Ok(spread.filter(|spread| spread.count > 0.0).map(|spread| (spread.squares / spread.count).sqrt()))
    }
}

impl Aggregate<Option<(Vec<u8>, Value)>, Value> for By {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<(Vec<u8>, Value)>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, kept: &mut Option<(Vec<u8>, Value)>) -> Result<()> {
        let (key, value): (Option<Vec<u8>>, Value) = (context.get(0)?, context.get(1)?);
        let Some(key) = key.filter(|_| value != Value::Null) else { return Ok(()) };
        let better = kept.as_ref().is_none_or(|(best, _)| if self.last { key > *best } else { key < *best });
        if better {
            *kept = Some((key, value));
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, kept: Option<Option<(Vec<u8>, Value)>>) -> Result<Value> {
        Ok(kept.flatten().map_or(Value::Null, |(_, value)| value))
    }
}
