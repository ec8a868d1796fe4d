//! The server `calculator`: adds and multiplies two numbers. Integers stay integers, whatever their size allows.

use std::sync::Arc;

use rmcp::{
    ServerHandler,
    handler::server::{router::tool::ToolRouter, tool::schema_for_output, wrapper::Parameters},
    model::{CallToolResult, ContentBlock},
    tool, tool_handler, tool_router,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// Below this, every integer is a 64-bit float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The MCP server.
#[derive(Clone, Debug)]
pub(crate) struct Calculator {
    tools: Arc<ToolRouter<Self>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Sum {
    /// First summand, integer or decimal
    a: Number,
    /// Second summand, integer or decimal
    b: Number,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Product {
    /// First factor, integer or decimal
    a: Number,
    /// Second factor, integer or decimal
    b: Number,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Answer {
    /// The result; an integer where the exact result is one and fits 64 bits
    result: Number,
}

/// The result is larger than JSON numbers are read as.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the result is beyond the range of a 64-bit float (about 1.8e308); use smaller numbers")]
struct OutOfRange;

#[tool_router(router = tools)]
impl Calculator {
    pub(crate) fn new() -> Self {
        Self { tools: Arc::new(Self::tools()) }
    }

    /// Adds two numbers and returns their sum.
    #[tool(
        title = "Add numbers",
        output_schema = schema_for_output::<Answer>(),
        annotations(read_only_hint = true, destructive_hint = false, idempotent_hint = true, open_world_hint = false)
    )]
    async fn add_numbers(&self, Parameters(Sum { a, b }): Parameters<Sum>) -> CallToolResult {
        answer(calculate(&a, &b, i128::checked_add, |a, b| a + b))
    }

    /// Multiplies two numbers and returns their product.
    #[tool(
        title = "Multiply numbers",
        output_schema = schema_for_output::<Answer>(),
        annotations(read_only_hint = true, destructive_hint = false, idempotent_hint = true, open_world_hint = false)
    )]
    async fn multiply_numbers(&self, Parameters(Product { a, b }): Parameters<Product>) -> CallToolResult {
        answer(calculate(&a, &b, i128::checked_mul, |a, b| a * b))
    }
}

#[tool_handler(
    router = self.tools,
    name = "calculator",
    instructions = "Adds and multiplies numbers exactly where they are integers of up to 64 bits."
)]
impl ServerHandler for Calculator {}

/// Exact where both are integers and so is the 64-bit result; else in floating point.
fn calculate(
    a: &Number,
    b: &Number,
    exact: fn(i128, i128) -> Option<i128>,
    float: fn(f64, f64) -> f64,
) -> Result<Number, OutOfRange> {
    if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128())
        && let Some(result) = exact(a, b).and_then(Number::from_i128)
    {
        return Ok(result);
    }
    let (a, b) = (a.as_f64().ok_or(OutOfRange)?, b.as_f64().ok_or(OutOfRange)?);
    let result = float(a, b);
    if result.fract() == 0.0 && result.abs() < EXACT {
        // Clients that know floats only send 2.0 for 2.
        #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53")]
        return Ok(Number::from(result as i64));
    }
    Number::from_f64(result).ok_or(OutOfRange)
}

fn answer(result: Result<Number, OutOfRange>) -> CallToolResult {
    match result {
        Ok(result) => {
            let mut answer = CallToolResult::success(vec![ContentBlock::text(result.to_string())]);
            answer.structured_content = Some(serde_json::json!(Answer { result }));
            answer
        }
        Err(error) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).unwrap()
    }

    fn add(a: &str, b: &str) -> Result<String, OutOfRange> {
        calculate(&number(a), &number(b), i128::checked_add, |a, b| a + b).map(|n| n.to_string())
    }

    fn multiply(a: &str, b: &str) -> Result<String, OutOfRange> {
        calculate(&number(a), &number(b), i128::checked_mul, |a, b| a * b).map(|n| n.to_string())
    }

    #[test]
    fn sums() {
        let check = |a, b, sum: &str| assert_eq!(add(a, b).as_deref(), Ok(sum), "{a} + {b}");
        check("2", "3", "5");
        check("2.0", "3", "5");
        check("2.5", "2.25", "4.75");
        check("-7", "7", "0");
        check("9007199254740993", "2", "9007199254740995");
        check("9223372036854775807", "1", "9223372036854775808");
        check("18446744073709551615", "1", "1.8446744073709552e+19");
        assert_eq!(add("1.7e308", "1.7e308"), Err(OutOfRange));
    }

    #[test]
    fn products() {
        let check = |a, b, product: &str| assert_eq!(multiply(a, b).as_deref(), Ok(product), "{a} * {b}");
        check("6", "7", "42");
        check("-3", "3037000499", "-9111001497");
        check("0.5", "4", "2");
        check("-0.0", "4", "0");
        check("18446744073709551615", "18446744073709551615", "3.402823669209385e+38");
        assert_eq!(multiply("1e200", "1e200"), Err(OutOfRange));
    }
}
