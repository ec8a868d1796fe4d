//! x
use crate::JwtArgs;
use axum::{
    Router,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;
pub(crate) struct JwtCheck;
impl JwtCheck {
    pub(crate) fn new(_: &JwtArgs, _: &str) -> anyhow::Result<Option<Self>> {
        Ok(None)
    }
}
pub(crate) async fn check(State(_): State<Arc<JwtCheck>>, r: Request, n: Next) -> Response {
    n.run(r).await
}
pub(crate) fn metadata_routes(_: Arc<JwtCheck>) -> Router {
    Router::new()
}
