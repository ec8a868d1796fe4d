//! Resolves the section `[lambda]`: whose word is taken for a caller's token.

use super::{
    super::{Authorizer, Lambda, file, located::Located},
    Resolver,
};

impl Resolver<'_> {
    pub(super) fn lambda(
        &mut self,
        section: Option<&Located<file::Lambda>>,
        authorizer: Option<&Authorizer>,
    ) -> Lambda {
        let trusts = section.and_then(|section| section.value.trust_api_gateway_authorizer.as_ref());
        let Some(trusts) = trusts.filter(|trusts| trusts.value) else { return Lambda::default() };
        if matches!(authorizer, Some(Authorizer::None | Authorizer::AwsIam(_))) {
            let message = "`lambda.trust_api_gateway_authorizer = true` is about tokens, and the authorizer takes none; write \
                           `[authorizer.custom_jwt]` with what a token must say, or leave this out";
            self.findings.report(&trusts.at, message);
        }
        Lambda { trusts_authorizer: true }
    }
}
