//! People who log in, by the page and by Cognito's API.

use super::*;

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

impl Running {
    /// The login page of a request with these changes, or what is answered in its place.
    async fn login_url(&self, changes: &[(&str, &str)]) -> Url {
        let mut url = authorization_url(&self.base_url, "pool_1");
        let good = [
            ("response_type", "code"),
            ("client_id", "people"),
            ("redirect_uri", CALLBACK),
            ("state", "abc"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let good = good.iter().filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
        url.query_pairs_mut().extend_pairs(good).extend_pairs(changes.iter().filter(|(_, value)| !value.is_empty()));
        let answer = self.http.get(url.clone()).send().await.unwrap();
        match answer.headers().get("location") {
            Some(location) => url.join(location.to_str().unwrap()).unwrap(),
            None => panic!("{} {}", answer.status(), answer.text().await.unwrap()),
        }
    }

    /// Sends the login form; gives where it leads, or the page.
    async fn submit(&self, url: &Url, form: &str) -> Result<Url, String> {
        let answer = self.http.post(url.clone()).body(form.to_owned()).send().await.unwrap();
        match answer.headers().get("location") {
            Some(location) => Ok(location.to_str().unwrap().parse().unwrap()),
            None => Err(answer.text().await.unwrap()),
        }
    }

    async fn code(&self) -> String {
        let back = self.submit(&self.login_url(&[]).await, "username=carol&password=Password-1").await.unwrap();
        parameter(&back, "code").unwrap()
    }

    /// An operation of Cognito's API.
    async fn api(&self, operation: &str, body: Value) -> (StatusCode, Value) {
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        let request = self.http.post(self.base_url.clone()).header("x-amz-target", target);
        let response = request.header("content-type", "application/x-amz-json-1.1").body(body.to_string()).send().await;
        let response = response.unwrap();
        (response.status(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_person_logs_in_and_gets_tokens() {
    let running = Running::start().await;
    let login = running.login_url(&[]).await;
    assert_eq!(login.path(), "/pool_1/login");
    let wrong = running.submit(&login, "username=carol&password=guess").await.unwrap_err();
    assert!(wrong.contains("Incorrect username or password"), "{wrong}");
    let back = running.submit(&login, "username=carol&password=Password-1").await.unwrap();
    assert_eq!((back.path(), parameter(&back, "state").as_deref()), ("/login/callback", Some("abc")));
    let code = parameter(&back, "code").unwrap();
    let form = format!(
        "grant_type=authorization_code&client_id=people&redirect_uri={CALLBACK}&code_verifier={VERIFIER}&code={code}"
    );
    let (status, tokens) = running.ask("", &form).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    let mut claims = part(tokens["access_token"].as_str().unwrap(), 1);
    for random in ["sub", "jti", "origin_jti"] {
        assert_eq!(claims[random].take().as_str().unwrap().len(), 36, "{random}");
    }
    let expected = json!({
        "sub": null, "token_use": "access", "scope": "mcp/read openid", "auth_time": NOW.as_secs(), "username": "carol",
        "iss": format!("{}pool_1", running.base_url), "exp": NOW.as_secs() + 3600, "iat": NOW.as_secs(), "origin_jti": null,
        "version": 2, "jti": null, "client_id": "people", "tenant": "blue",
    });
    assert_eq!(claims, expected);
    let id = part(tokens["id_token"].as_str().unwrap(), 1);
    assert_eq!(
        (&id["aud"], &id["cognito:username"], &id["token_use"]),
        (&json!("people"), &json!("carol"), &json!("id"))
    );
    assert_eq!(running.ask("", &form).await, (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"})), "once");

    let refresh =
        |token: &Value| format!("grant_type=refresh_token&client_id=people&refresh_token={}", token.as_str().unwrap());
    let (status, second) = running.ask("", &refresh(&tokens["refresh_token"])).await;
    assert_eq!(
        (status, part(second["access_token"].as_str().unwrap(), 1)["username"].as_str()),
        (StatusCode::OK, Some("carol"))
    );
    let again = running.ask("", &refresh(&tokens["refresh_token"])).await;
    assert_eq!(again, (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"})), "once too");
}

#[tokio::test]
async fn a_code_is_for_who_asked() {
    let running = Running::start().await;
    for (form, error) in [
        (format!("client_id=people&redirect_uri={CALLBACK}&code_verifier={CHALLENGE}"), "invalid_grant"),
        (format!("client_id=people&redirect_uri={CALLBACK}"), "invalid_grant"),
        (format!("client_id=people&redirect_uri=https://other.example&code_verifier={VERIFIER}"), "invalid_grant"),
        (format!("client_id=alice&redirect_uri={CALLBACK}&code_verifier={VERIFIER}"), "invalid_client"),
        (format!("client_id=people&redirect_uri={CALLBACK}&code_verifier={VERIFIER}&resource=a"), "invalid_request"),
    ] {
        let form = format!("grant_type=authorization_code&{form}&code={}", running.code().await);
        assert_eq!(running.ask("", &form).await, (StatusCode::BAD_REQUEST, json!({"error": error})), "{form}");
    }
}

/// As RFC 7009 says, a token that is not known is no error.
#[tokio::test]
async fn a_token_is_given_back_by_a_form_of_its_client() {
    let running = Running::start().await;
    let url = revocation_url(&running.base_url, "pool_1");
    for (kind, form, status, body) in [
        ("application/x-www-form-urlencoded", "client_id=people&token=unknown", 200, ""),
        ("application/x-www-form-urlencoded", "client_id=alice&token=unknown", 400, r#"{"error":"invalid_client"}"#),
        ("application/json", "client_id=people&token=unknown", 400, r#"{"error":"invalid_request"}"#),
    ] {
        let request = running.http.post(url.clone()).header("content-type", kind).body(form);
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (status, body), "{kind} {form}");
    }
}

/// What a proxy before it has to take care of.
#[tokio::test]
async fn it_is_as_strict_as_cognito() {
    let running = Running::start().await;
    for (name, value) in [("redirect_uri", "https://gateway.example/login/callback/"), ("client_id", "alice")] {
        let mut url = authorization_url(&running.base_url, "pool_1");
        url.query_pairs_mut().append_pair("response_type", "code").append_pair(name, value);
        assert_eq!(running.http.get(url).send().await.unwrap().status(), StatusCode::BAD_REQUEST, "{name}");
    }
    for (changes, error) in [
        ([("resource", "https://gateway.example/mcp")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("scope", "offline_access")], "invalid_scope"),
        ([("response_type", "token")], "unsupported_response_type"),
    ] {
        let back = running.login_url(&changes).await;
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{back}");
        assert!(back.as_str().starts_with(CALLBACK), "{back}");
    }
}

#[tokio::test]
async fn a_temporary_password_must_be_changed() {
    let running = Running::start().await;
    let login = running.login_url(&[]).await;
    let mut page = running.submit(&login, "username=carol&password=Temporary-1").await.unwrap_err();
    let session =
        |page: &str| page.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for weak in ["Shor-1a", "alllowercase-1", "NOLOWERCASE-1", "NoDigits-here", "NoSigns0000"] {
        page = running.submit(&login, &format!("session={}&new_password={weak}", session(&page))).await.unwrap_err();
        assert!(page.contains("does not have all that is asked for"), "{weak}: {page}");
    }
    let used = session(&page);
    let back = running.submit(&login, &format!("session={used}&new_password=My-own-password-1")).await.unwrap();
    assert!(parameter(&back, "code").is_some());
    assert!(running.submit(&login, &format!("session={used}&new_password=Another-1")).await.is_err(), "once");
    for old in ["Temporary-1", "Password-1"] {
        assert!(running.submit(&login, &format!("username=carol&password={old}")).await.is_err(), "{old}");
    }
    assert!(running.submit(&login, "username=carol&password=My-own-password-1").await.is_ok());
}

#[tokio::test]
async fn a_password_is_enough_for_the_api() {
    let running = Running::start().await;
    let initiate = |client: &str, password: &str| {
        let parameters = json!({"USERNAME": "carol", "PASSWORD": password});
        running.api(
            "InitiateAuth",
            json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client, "AuthParameters": parameters}),
        )
    };
    let (status, answer) = initiate("people", "Password-1").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let tokens = &answer["AuthenticationResult"];
    let claims = part(tokens["AccessToken"].as_str().unwrap(), 1);
    assert_eq!((&claims["username"], &claims["scope"]), (&json!("carol"), &json!("aws.cognito.signin.user.admin")));
    running.verifier().verify(tokens["AccessToken"].as_str().unwrap()).await.unwrap();
    assert_eq!(part(tokens["IdToken"].as_str().unwrap(), 1)["token_use"], "id");
    let parameters = json!({"REFRESH_TOKEN": tokens["RefreshToken"]});
    let refresh = json!({"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "people", "AuthParameters": parameters});
    assert_eq!(running.api("InitiateAuth", refresh).await.0, StatusCode::OK);
    for (client, password, error) in [
        ("people", "guess", "NotAuthorizedException"),
        ("alice", "Password-1", "NotAuthorizedException"),
        ("nobody", "Password-1", "ResourceNotFoundException"),
    ] {
        let (status, answer) = initiate(client, password).await;
        assert_eq!((status, &answer["__type"]), (StatusCode::BAD_REQUEST, &json!(error)), "{client} {password}");
    }
    assert_eq!(running.api("DeleteUserPool", json!({})).await.1["__type"], "UnknownOperationException");

    let (_, challenge) = initiate("people", "Temporary-1").await;
    assert_eq!(challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    let responses = json!({"USERNAME": "carol", "NEW_PASSWORD": "My-own-password-1"});
    let respond = json!({
        "ChallengeName": "NEW_PASSWORD_REQUIRED", "ClientId": "people", "Session": challenge["Session"],
        "ChallengeResponses": responses,
    });
    assert_eq!(running.api("RespondToAuthChallenge", respond.clone()).await.0, StatusCode::OK);
    assert_eq!(running.api("RespondToAuthChallenge", respond).await.1["__type"], "NotAuthorizedException", "once");
    assert_eq!(initiate("people", "My-own-password-1").await.0, StatusCode::OK);
}
